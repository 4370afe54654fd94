//! Warnings: what runs, but probably not as meant. Each can be said to be meant, by `allow:` in the rule or the projection.

mod clock;
mod events;
mod first;
mod growth;
mod keys;
mod lets;
mod matching;
mod repeats;

use super::Compiler;
use crate::program::{Program, Projection};
use viewfold_spec::projection as spec;
use viewfold_spec::{Severity, Span};

impl Compiler<'_> {
    /// Looks at a projection whose rules are sound.
    pub(super) fn lint(&mut self, spec: &spec::Projection, projection: &Projection, program: &Program) {
        for (rule, compiled) in spec.rules.iter().zip(&projection.rules) {
            let stream = &program.streams[projection.sources[compiled.source].stream];
            self.check_matching(spec, rule, compiled, stream);
            self.check_growth(rule, compiled, projection);
            self.check_repeats(spec, rule, compiled, projection);
            self.check_plain_key(spec, rule, compiled, projection, stream.payload);
        }
        self.check_events_tables(spec, projection, program);
        self.check_first(spec, projection, program);
        self.check_own(spec, projection);
    }

    /// Leaves out the warnings that the file says are meant.
    pub(super) fn allow(&mut self, spec: &spec::Projection) {
        let rules = spec.rules.iter().map(|rule| (rule.span, &rule.allow));
        let all = std::iter::once((Span::new(0, usize::MAX), &spec.allow)).chain(rules);
        let allowed: Vec<(Span, viewfold_spec::Code)> =
            all.flat_map(|(span, lints)| lints.iter().flatten().map(move |lint| (span, lint.value.code()))).collect();
        self.findings.retain(|finding| {
            let meant = |(span, code): &(Span, viewfold_spec::Code)| {
                finding.code == *code && span.range().contains(&finding.span.start)
            };
            finding.severity == Severity::Error || !allowed.iter().any(meant)
        });
    }
}
