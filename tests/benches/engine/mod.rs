//! The engine, stage by stage, for benches and for counting instructions: everything here that has to know its stages.

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;

use viewfold_core::compile::Options;
use viewfold_core::plan::{Answer, Batch, Request};
use viewfold_core::program::Program;
use viewfold_core::stages;
use viewfold_dynamodb::{deployment, sdk};

/// The engine's clock: a little behind the generated events.
const NOW: &str = "2026-03-01T09:00:00Z";

/// A part of the work on a batch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Stage {
    /// The payload taken apart into records.
    Envelope,
    /// Records to events.
    Decode,
    /// Which rules match.
    Match,
    /// Keys, amounts, values.
    Evaluate,
    /// Many events to one change of a document.
    Fold,
    /// Everything from the payload to the report, by the code that the function runs: those above, and the planning.
    Batch,
    /// Requests to the SDK's own types.
    Sdk,
}

#[allow(dead_code, reason = "not every bench names them")]
impl Stage {
    /// All of them.
    pub(crate) const ALL: [Stage; 7] =
        [Stage::Envelope, Stage::Decode, Stage::Match, Stage::Evaluate, Stage::Fold, Stage::Batch, Stage::Sdk];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Stage::Envelope => "envelope",
            Stage::Decode => "decode",
            Stage::Match => "match",
            Stage::Evaluate => "evaluate",
            Stage::Fold => "fold",
            Stage::Batch => "batch",
            Stage::Sdk => "sdk",
        }
    }
}

/// The program of a folder of projections.
pub(crate) fn program(folder: PathBuf) -> Program {
    let options = Options { table_prefix: String::new(), dead_letter_table: "viewfold_dead_letters".to_owned() };
    match deployment::load(&[folder], &options) {
        Ok(compiled) => compiled.program,
        Err(findings) => panic!("the projections do not compile: {findings:?}"),
    }
}

/// Hands out each stage of a batch as something that can be done again and again, its input made before; each gives a number
/// that depends on all of its work.
pub(crate) fn each(program: &Program, payload: &[u8], mut stage: impl FnMut(Stage, &mut dyn FnMut() -> usize)) {
    let now: Arc<str> = Arc::from(NOW);
    let read = || stages::envelope(program, payload).expect("a generated batch is a Lambda event");
    let records = read();
    let events = stages::decode(program, &records, &now);
    let matched = stages::matching(program, &events);
    let evaluated = stages::evaluate(program, &matched);
    let requests = requests(program, payload);
    stage(Stage::Envelope, &mut || black_box(read()).len());
    stage(Stage::Decode, &mut || black_box(stages::decode(program, &records, &now)).len());
    stage(Stage::Match, &mut || black_box(stages::matching(program, &events)).len());
    stage(Stage::Evaluate, &mut || black_box(stages::evaluate(program, &matched)).len());
    stage(Stage::Fold, &mut || stages::fold(program, &evaluated));
    stage(Stage::Batch, &mut || carry_out(program, payload, drop));
    stage(Stage::Sdk, &mut || requests.iter().filter(|request| black_box(sdk::built(request)).is_ok()).count());
}

fn requests(program: &Program, payload: &[u8]) -> Vec<Request> {
    let mut requests = Vec::new();
    carry_out(program, payload, |request| requests.push(request));
    requests
}

/// Carries a batch out on a store that is empty whenever it is asked, and takes everything; how many events were applied.
fn carry_out(program: &Program, payload: &[u8], mut sent: impl FnMut(Request)) -> usize {
    let mut batch = Batch::new(program, payload, NOW).expect("a generated batch is one of the program");
    while let Some((number, request)) = batch.next() {
        let answer = match &request {
            Request::Read(keys) => Answer::Items(vec![None; keys.len()]),
            Request::Query { .. } => Answer::Rows(Some(Vec::new())),
            Request::Write(_) | Request::Transact(_) => Answer::Done,
        };
        sent(request);
        batch.answer(number, answer);
    }
    let report = black_box(batch.finish("the store did not answer"));
    report.projections.iter().map(|(_, counts)| counts.applied).sum()
}
