//! `viewfold redrive`

use super::dead_letters::{connect, named};
use super::load_one;
use crate::arguments::{Format, Redrive};
use crate::fold::{Folded, carry_on};
use crate::output::{Failure, Outcome, count, note, print};
use crate::progress::Progress;
use crate::store::{self, Connection};
use crate::streams::Streams;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::Arc;
use viewfold_core::compile::DEAD_LETTER_TABLE;
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
    let mut compiled = load_one(&arguments.paths, &arguments.store.prefix.table_prefix)?;
    // Projections that drop events by now may have kept them before.
    let named = || std::env::var("VIEWFOLD_DEAD_LETTER_TABLE").unwrap_or_else(|_| DEAD_LETTER_TABLE.to_owned());
    let table = compiled.program.dead_letters.clone();
    let table = table.unwrap_or_else(|| format!("{}{}", arguments.store.prefix.table_prefix, named()).into());
    compiled.program.dead_letters = Some(Arc::clone(&table));
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
        let (own, others): (Vec<&Letter>, Vec<&Letter>) = letters.iter().partition(of_these);
        if !others.is_empty() {
            let names: BTreeSet<&str> = others.iter().map(|letter| letter.column("projection")).collect();
            let names = names.into_iter().collect::<Vec<&str>>().join(", ");
            let others = count(others.len(), "open dead letter");
            note(&format!("left: {others} of projections that are not among these ({names})"));
        }
        return Ok(own.into_iter().filter(|letter| arguments.filter.takes(letter)).cloned().collect());
    }
    let mut chosen: Vec<Letter> = Vec::new();
    for id in &arguments.id {
        let letter = named(&letters, id)?;
        if arguments.filter.takes(letter) && !chosen.contains(letter) {
            chosen.push(letter.clone());
        }
    }
    Ok(chosen)
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
    // In a file there is nobody else who carries on what views make of it.
    let mut streams = match arguments.store.place.db.is_some() && !arguments.dry_run {
        true => Some(Streams::follow(connection, program).await?),
        false => None,
    };
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
                false => asks.decide(letter, &doubts(ending, &effects)),
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
    if let Some(streams) = &mut streams {
        let mut folded = Folded::default();
        carry_on(program, connection, streams, None, &mut folded).await?;
        if let Some(failure) = folded.stopped {
            return Err(failure);
        }
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
        Ok(None) if arguments.dry_run => match (ending, doubts(ending, effects)) {
            (Some(ending), _) if ending != Ending::Applied => ("would do", closed(ending).to_owned()),
            (_, doubts) if doubts.is_empty() => ("would do", in_words(effects)),
            (_, doubts) => ("would do", format!("{} (asks first: {doubts})", in_words(effects))),
        },
        Ok(None) => ("left", format!("{}; --yes redrives it all the same", doubts(ending, effects))),
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

/// What speaks against it.
fn doubts(ending: Option<Ending>, effects: &[Effect]) -> String {
    if ending == Some(Ending::Nothing) {
        return "as the projection is now, the event changes nothing, and its letter would be closed".to_owned();
    }
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
    fn decide(&mut self, letter: &Letter, doubts: &str) -> Decision {
        if self.always || doubts.is_empty() {
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
            doubts
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
