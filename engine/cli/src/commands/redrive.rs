//! `viewfold redrive`

use super::dead_letters::{connect, named};
use super::load;
use crate::arguments::{Format, Redrive};
use crate::output::{Failure, Outcome, count, note, print};
use crate::progress::Progress;
use crate::store::{self, Connection};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use viewfold_core::dead_letter::Letter;
use viewfold_core::plan::Redriven;
use viewfold_core::plan::redrive::Effect;
use viewfold_core::program::Program;
use viewfold_core::report::Ending;
use viewfold_dynamodb::dead_letters::{self, Decision};

/// Applies dead letters by the projections as they are now.
pub(crate) fn run(arguments: &Redrive) -> Result<Outcome, Failure> {
    if !arguments.all && arguments.id.is_empty() && !arguments.filter.is_set() {
        return Err(Failure::wrong_use(
            "say which dead letters: --id ID, --projection NAME, --source NAME, --reason CODE, or --all",
        ));
    }
    let compiled = load(&arguments.paths, &arguments.store.table_prefix)?.map_err(|all| Failure::findings(&all))?;
    let Some(table) = compiled.program.dead_letters.clone() else {
        return Err(Failure::new("these projections have no dead letters: each says `on_error: skip` or `fail`"));
    };
    store::runtime()?.block_on(async {
        let connection = connect(&arguments.store.place).await?;
        let letters = dead_letters::letters(&connection.store, &table, true).await.map_err(Failure::new)?;
        redrive(arguments, &compiled.program, &connection, chosen(arguments, &compiled.program, letters)?).await
    })
}

/// The letters that the arguments name.
fn chosen(arguments: &Redrive, program: &Program, letters: Vec<Letter>) -> Result<Vec<Letter>, Failure> {
    let of_these =
        |letter: &&Letter| program.projections.iter().any(|projection| projection.name == letter.column("projection"));
    if arguments.id.is_empty() {
        return Ok(letters.iter().filter(|letter| arguments.filter.takes(letter)).filter(of_these).cloned().collect());
    }
    let named: Result<Vec<Letter>, Failure> = arguments.id.iter().map(|id| named(&letters, id).cloned()).collect();
    Ok(named?.into_iter().filter(|letter| arguments.filter.takes(letter)).collect())
}

/// What became of a letter, for the report.
struct Ended {
    letter: String,
    projection: String,
    event: String,
    /// One word.
    outcome: &'static str,
    /// What it did, or why it did not.
    what: String,
}

async fn redrive(
    arguments: &Redrive,
    program: &Program,
    connection: &Connection,
    letters: Vec<Letter>,
) -> Result<Outcome, Failure> {
    let progress = Progress::new(letters.len(), "dead letters");
    let mut ended = Vec::new();
    let mut asks = Asks { always: arguments.yes };
    for letter in &letters {
        let mut effects: Vec<Effect> = Vec::new();
        let mut ending = None;
        let now = jiff::Timestamp::now().to_string();
        let result = dead_letters::redrive(&connection.store, program, letter, &now, |found| {
            effects = found.effects();
            ending = found.ending();
            match arguments.dry_run {
                true => Decision::Leave,
                false => asks.decide(letter, &effects),
            }
        })
        .await;
        let (outcome, what) = outcome(arguments, result, ending, &effects);
        let of = |name: &str| letter.column(name).to_owned();
        let one = Ended { letter: letter.short_id(), projection: of("projection"), event: of("id"), outcome, what };
        if arguments.format == Format::Text {
            print(&shown(&one))?;
        }
        ended.push(one);
        progress.advance(1);
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for one in &ended {
        *counts.entry(one.outcome).or_default() += 1;
    }
    match arguments.format {
        Format::Text => {
            let parts: Vec<String> = counts.iter().map(|(outcome, number)| format!("{number} {outcome}")).collect();
            let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
            print(&format!("{}{parts}\n", count(ended.len(), "dead letter")))?;
        }
        Format::Json => {
            let all: Vec<Json> = ended
                .iter()
                .map(|one| {
                    json!({
                        "letter": one.letter, "projection": one.projection, "event": one.event,
                        "outcome": one.outcome, "what": one.what,
                    })
                })
                .collect();
            print(&format!("{:#}\n", Json::from(all)))?;
        }
    }
    let is_left = ended.iter().any(|one| matches!(one.outcome, "left" | "rejected" | "failed"));
    Ok(if is_left { Outcome::Findings } else { Outcome::Done })
}

fn outcome(
    arguments: &Redrive,
    result: Result<Option<Redriven>, String>,
    ending: Option<Ending>,
    effects: &[Effect],
) -> (&'static str, String) {
    match result {
        Err(message) => ("failed", message),
        Ok(None) if arguments.dry_run => match (ending, doubts(effects)) {
            (Some(ending), _) if ending != Ending::Applied => ("would do", closed(ending).to_owned()),
            (_, doubts) if doubts.is_empty() => ("would do", in_words(effects)),
            (_, doubts) => ("would do", format!("{} (asks first: {doubts})", in_words(effects))),
        },
        Ok(None) => ("left", format!("{}; --yes redrives it all the same", doubts(effects))),
        Ok(Some(Redriven::Closed(Ending::Applied))) => (Ending::Applied.text(), in_words(effects)),
        Ok(Some(Redriven::Closed(ending))) => (ending.text(), closed(ending).to_owned()),
        Ok(Some(Redriven::Still(problem))) => ("rejected", problem.to_string()),
        Ok(Some(Redriven::Gone)) => ("closed", "it was closed in the meantime".to_owned()),
        Ok(Some(Redriven::Failed(message))) => ("failed", message),
    }
}

/// Why nothing is applied, where a letter is closed without.
fn closed(ending: Ending) -> &'static str {
    match ending {
        Ending::Applied => "",
        Ending::Nothing => "the event changes nothing any more",
        Ending::Superseded => "a newer change of the item has been applied",
        Ending::Repeated => "the event had been applied before",
    }
}

fn in_words(effects: &[Effect]) -> String {
    if effects.is_empty() {
        return "nothing".to_owned();
    }
    let words = effects.iter().map(|effect| format!("{} in {}", effect.operations.join(", "), effect.document));
    words.collect::<Vec<_>>().join("; ")
}

fn doubts(effects: &[Effect]) -> String {
    let doubts: Vec<&str> = effects.iter().flat_map(|effect| effect.doubts.iter().map(String::as_str)).collect();
    doubts.join("; ")
}

fn shown(one: &Ended) -> String {
    format!("{:<10} {}  {} {}: {}\n", one.outcome, one.letter, one.projection, one.event, one.what)
}

/// Asks before something newer may be overwritten.
struct Asks {
    always: bool,
}

impl Asks {
    fn decide(&mut self, letter: &Letter, effects: &[Effect]) -> Decision {
        if self.always || effects.iter().all(|effect| effect.doubts.is_empty()) {
            return Decision::Redrive;
        }
        if !io::stdin().is_terminal() {
            return Decision::Leave;
        }
        note(&format!(
            "{} of {}, event {}: {}.",
            letter.short_id(),
            letter.column("projection"),
            letter.column("id"),
            doubts(effects)
        ));
        let _ = write!(io::stderr(), "Redrive it? [y]es, [n]o, [a]ll of them: ");
        let _ = io::stderr().flush();
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        match (read, answer.trim().chars().next()) {
            (Ok(_), Some('y' | 'Y')) => Decision::Redrive,
            (Ok(_), Some('a' | 'A')) => {
                self.always = true;
                Decision::Redrive
            }
            _ => Decision::Leave,
        }
    }
}
