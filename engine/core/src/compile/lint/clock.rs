//! Values that depend on the clock.

use super::super::Compiler;
use super::super::term::Role;
use viewfold_spec::{Code, Span};

impl Compiler<'_> {
    /// Tells that `$$.now` is used at a place; of several uses of one place (in a value of `let`) the gravest.
    pub(in super::super) fn clock(&mut self, span: Span, role: Role) {
        let (code, message, help) = match role {
            Role::Value => (
                Code::ClockDependent,
                "`$$.now` differs when an event is delivered again, and when its dead letter is redriven",
                "`$$.time`, the time at which the event reached its stream, stays the same",
            ),
            Role::Condition => (
                Code::ClockDependent,
                "whether the rule applies depends on the clock: `$$.now` differs when an event is delivered again",
                "`$$.time`, the time at which the event reached its stream, stays the same",
            ),
            Role::Key => (
                Code::ClockDependent,
                "an event that is delivered again goes to another document: `$$.now` in the key is another time then",
                "`$$.time` stays the same; with `$$.now` an event may count on two documents",
            ),
            Role::Id => (
                Code::UnsoundGuard,
                "an `id` with `$$.now` in it is another one each time the event is delivered, so that no repeat is found",
                "an `id` is made of values of the payload, or left out: it is `$$.id` then",
            ),
        };
        if self.clocks.get(&span).is_some_and(|known| *known >= role) {
            return;
        }
        self.clocks.insert(span, role);
        self.findings.retain(|finding| finding.code != Code::ClockDependent || finding.span != span);
        let finding = match role {
            Role::Id => self.error(code, span, message),
            _ => self.warning(code, span, message),
        };
        finding.help = Some(help.into());
    }
}
