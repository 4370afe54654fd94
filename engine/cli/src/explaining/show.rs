//! What is told of records, for people.

use super::carry::Sent;
use super::guards::{Compared, Measured};
use super::tell::{Document, Met, Part, Told};
use super::words::{guard_name, in_words};
use crate::output::{count, known_by, printable};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table as Grid};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use viewfold_core::evaluate::{Failure, Operations};
use viewfold_core::plan::explain::{Met as Verdict, Reading};
use viewfold_core::program::{Condition, Guard, Program, Projection, is_deleted_row};
use viewfold_core::report::{Counts, Fate};
use viewfold_dynamodb::cost::PRICES;
use viewfold_value::{Item, Value};

/// The longest value in a line, in characters; what is cut off is in `--format json`.
const MAX_VALUE: usize = 120;

/// A record, with the bodies of its requests unless `brief`.
pub(crate) fn told(told: &Told, program: &Program, brief: bool) -> String {
    let mut text = format!("{}, record {}: {}", told.place, told.record, told.stream);
    if let Some(change) = told.events.iter().find_map(|event| event.event.as_ref().ok()?.metadata.change) {
        text += &format!(", {change}");
    }
    text += &format!(", {}\n", known_by(&told.sequence));
    if told.events.is_empty() {
        text += "  about no document: the row that a deleted one left behind\n";
    }
    for (number, event) in told.events.iter().enumerate() {
        if told.events.len() > 1 {
            text += &format!("  event {number} of the aggregate\n");
        }
        if let Some(lane) = &event.lane {
            text += &format!("  {:10} {}\n", "lane", printable(&cut(lane)));
        }
        if let Ok(event) = &event.event {
            text += &format!("  {:10} {}\n", "id", printable(&cut(&event.metadata.id)));
        }
        if let Err(problem) = &event.event {
            text += &format!("  no event   {}\n", printable(&problem.to_string()));
        }
    }
    for part in &told.projections {
        text += &in_projection(part, told, program, brief);
    }
    if !brief {
        for sent in &told.asked {
            text += "\n  for all: which events of the source wait among the dead letters?\n";
            text += &request(1, sent, false);
        }
    }
    text + "\n"
}

fn in_projection(part: &Part, told: &Told, program: &Program, brief: bool) -> String {
    let projection = &program.projections[part.projection];
    let mut text = format!("\n  {}\n", projection.name);
    for met in &part.readings {
        let event = &told.events[met.event];
        let reading = &event.readings[met.reading];
        if told.events.len() > 1 {
            text += &format!("    event {} of the aggregate\n", met.event);
        }
        for verdict in &reading.verdicts {
            let rule = &projection.rules[verdict.rule];
            text += &format!("    {}: {}\n", rule.name, printable(&verdict_in_words(&verdict.met, &rule.when)));
            if let Verdict::Matched { values, does, .. } = &verdict.met {
                if !values.is_empty() {
                    let values: Vec<String> =
                        values.iter().map(|(path, value)| format!("{path} = {}", value_or_nothing(value))).collect();
                    text += &line("reads", &values.join(", "));
                }
                if let Err(failure) = does {
                    text += &line("fails", &failure.problem.to_string());
                } else if let (true, Ok(changes)) = (rule.retract, does) {
                    for change in changes {
                        let key = change.document.shown(projection);
                        text += &line("counts in", &format!("{key}: {}", operations(&change.operations)));
                    }
                }
            }
        }
        for (document, done) in &met.operations {
            let done: String = match done {
                Ok(done) if done.is_empty() => "nothing to do".to_owned(),
                Ok(done) => operations(done),
                Err(Failure { problem, .. }) => problem.to_string(),
            };
            text += &together("does", &format!("{}: {done}", document.shown(projection)));
        }
        if let Some(failure) = reading.failure.as_ref().filter(|_| part.troubles.is_empty()) {
            text += &together("fails", &failure.problem.to_string());
        }
        if reading.matches() || !part.sent.is_empty() {
            text += &together("guard", &guard(program, reading, met, &part.counts));
            let mut why = reading.reads_first(program);
            if reading.reads_lane(program) {
                why.push("what the item contributed before is in the row of its lane".to_owned());
            }
            if !part.sent.is_empty() && reading.failure.is_none() {
                let read = part.sent.iter().any(reads);
                text += &together(if read { "reads first" } else { "blind" }, &why_read(&why, read));
            }
        }
    }
    for (number, sent) in part.sent.iter().enumerate() {
        text += &request(number + 1, sent, brief);
    }
    for document in &part.documents {
        text += &together("document", &difference(document, program));
    }
    for trouble in &part.troubles {
        let fate = match trouble.fate {
            Fate::DeadLetter => "put into the dead letters",
            Fate::Skipped => "skipped",
            Fate::ComesAgain => "comes again",
        };
        let reason = trouble.reason.map(|reason| format!(" ({})", reason.code())).unwrap_or_default();
        text += &together("outcome", &format!("{fate}{reason}: {}", trouble.message));
    }
    if part.troubles.is_empty() {
        text += &together("outcome", outcome(&part.counts));
    }
    text
}

/// A line about one rule.
fn line(what: &str, text: &str) -> String {
    format!("      {what:11} {}\n", printable(text))
}

/// A line about what the rules come to together.
fn together(what: &str, text: &str) -> String {
    format!("    {what:11} {}\n", printable(text))
}

/// Whether a rule matches, and where not, the first pattern that does not hold.
fn verdict_in_words(met: &Verdict, when: &[Condition]) -> String {
    match met {
        Verdict::Gone => "does not match: the item is gone, so it contributes nothing".to_owned(),
        Verdict::Unusable(problem) => format!("cannot be told: {problem}"),
        Verdict::Missed(at, found) => {
            let Some(Condition { path, pattern, .. }) = when.get(*at) else { return "does not match".to_owned() };
            match found {
                None => format!("does not match: {path} is not there (wanted: {pattern})"),
                Some(found) => format!("does not match: {path} is {} (wanted: {pattern})", cut(&found.to_string())),
            }
        }
        Verdict::Matched { idle: Some(why), .. } => format!("matches, and does nothing: {why}"),
        Verdict::Matched { .. } => "matches".to_owned(),
    }
}

/// Why the documents are read, or that nothing needs it.
fn why_read(why: &[String], read: bool) -> String {
    match (why.is_empty(), read) {
        (false, true) => why.join("; "),
        (true, true) => "the first write met something that it had to know".to_owned(),
        (false, false) => "the first event of its lane: nothing has to be read".to_owned(),
        (true, false) => "one write says it all, whatever the document holds".to_owned(),
    }
}

fn reads(sent: &Sent) -> bool {
    sent.cost.reads > 0
}

/// The guard, what the event has to say to it, and what it remembers.
fn guard(program: &Program, reading: &Reading, met: &Met, counts: &Counts) -> String {
    let source = &program.projections[reading.projection].sources[reading.source];
    let mut text = guard_name(source);
    let word = match counts {
        Counts { repeated: 1.., .. } => "came before",
        Counts { stale: 1.., .. } => "behind a later event of its batch",
        Counts { waiting: 1.., .. } => "waits among the dead letters",
        Counts { applied: 1.., .. } | Counts { rejected: 1.., .. } => "new",
        _ => "not asked",
    };
    text += &format!(": {word}");
    match (&source.guard, reading.mark()) {
        (Guard::None, _) => text += "; a repeated event counts again",
        (_, None) => text += "; the event has nothing that it could be told from others by",
        (Guard::EventsTable { .. }, Some(id)) => {
            let row = if met.has_row { "has a row" } else { "has no row yet" };
            text += &format!("; the event {} {row}", cut(id));
        }
        (_, Some(mark)) => match &met.stored {
            Some(stored) => text += &format!("; its mark {} against {}", cut(mark), cut(stored)),
            None => text += &format!("; its mark {}, none is stored", cut(mark)),
        },
    }
    text
}

fn outcome(counts: &Counts) -> &'static str {
    match counts {
        Counts { matched: 0, .. } => "nothing: no rule matches",
        Counts { repeated: 1.., .. } => "nothing: it was applied before",
        Counts { stale: 1.., .. } => "nothing: a later event of its batch was applied before it",
        Counts { waiting: 1.., .. } => "nothing: it waits among the dead letters",
        _ => "applied",
    }
}

/// A request with its body, as AWS takes it.
fn request(number: usize, sent: &Sent, brief: bool) -> String {
    let operation = sent.wired.first().map_or("request", |wired| wired.operation.as_str());
    let mut cost = Vec::new();
    if sent.cost.writes > 0 {
        cost.push(count(sent.cost.writes as usize, "write unit"));
    }
    if sent.cost.reads > 0 {
        cost.push(count(sent.cost.reads as usize, "read unit"));
    }
    let mut text =
        together(&format!("request {number}"), &format!("{operation}, {}: {}", cost.join(", "), sent.answer));
    if brief {
        return text;
    }
    for wired in &sent.wired {
        let mut body = String::new();
        write_json(&wired.body, 8, &mut body);
        let _ = writeln!(text, "        {body}");
    }
    text
}

/// How wide a line of JSON may be.
const JSON_WIDTH: usize = 110;

/// JSON over as few lines as its width allows, each part on one line where it fits.
fn write_json(json: &Json, indent: usize, text: &mut String) {
    let flat = json.to_string();
    let (open, close, entries): (char, char, Vec<(Option<&String>, &Json)>) = match json {
        Json::Array(list) if !list.is_empty() => ('[', ']', list.iter().map(|element| (None, element)).collect()),
        Json::Object(map) if !map.is_empty() => {
            ('{', '}', map.iter().map(|(name, value)| (Some(name), value)).collect())
        }
        _ => return text.push_str(&flat),
    };
    if indent + flat.chars().count() <= JSON_WIDTH {
        return text.push_str(&flat);
    }
    let last = entries.len() - 1;
    text.push(open);
    for (number, (name, value)) in entries.into_iter().enumerate() {
        let _ = write!(text, "\n{:1$}", "", indent + 2);
        if let Some(name) = name {
            let _ = write!(text, "{}: ", Json::from(name.as_str()));
        }
        write_json(value, indent + 2, text);
        if number < last {
            text.push(',');
        }
    }
    let _ = write!(text, "\n{:indent$}{close}", "");
}

/// What has become of a document, attribute by attribute.
fn difference(document: &Document, program: &Program) -> String {
    let own = program.bookkeeping(&document.table);
    let visible = |item: &Option<Item>| -> Option<Item> {
        let mut item = item.clone()?;
        let is_key = |name: &str| document.key.contains_key(name);
        if is_deleted_row(item.keys(), is_key, &own) {
            return None;
        }
        item.retain(|name, _| !name.starts_with("_vf_") && !is_key(name) && !own.contains(&name.as_str()));
        Some(item)
    };
    let key = Value::Map(document.key.clone()).to_string();
    let (before, after) = (visible(&document.before), visible(&document.after));
    let what = match (&before, &after) {
        (None, None) => return format!("{key}: not there"),
        (Some(_), None) => return format!("{key}: deleted"),
        (None, Some(_)) => "new: ",
        (Some(_), Some(_)) => "",
    };
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changes: Vec<String> = names
        .into_iter()
        .filter_map(|name| match (before.get(name), after.get(name)) {
            (old, new) if old == new => None,
            (None, Some(new)) => Some(format!("{name} {}", cut(&new.to_string()))),
            (Some(old), None) => Some(format!("{name} {} -> nothing", cut(&old.to_string()))),
            (Some(old), Some(new)) => Some(format!("{name} {} -> {}", cut(&old.to_string()), cut(&new.to_string()))),
            (None, None) => None,
        })
        .collect();
    match changes.is_empty() {
        true => format!("{key}: {what}as it was"),
        false => format!("{key}: {what}{}", changes.join(", ")),
    }
}

fn operations(operations: &Operations) -> String {
    in_words(operations).iter().map(|words| cut(words)).collect::<Vec<_>>().join(", ")
}

fn value_or_nothing(value: &Option<Value>) -> String {
    value.as_ref().map_or_else(|| "nothing".to_owned(), |value| cut(&value.to_string()))
}

/// A text that fits a line.
fn cut(text: &str) -> String {
    if text.chars().count() <= MAX_VALUE {
        return text.to_owned();
    }
    text.chars().take(MAX_VALUE - 1).chain(['…']).collect()
}

/// What a million events cost under each guard.
pub(crate) fn compared(projection: &Projection, compared: &Compared) -> String {
    let Compared { events, guards, .. } = compared;
    let mut text = format!("{}: a million events like these {events} would take\n", projection.name);
    let mut grid = Grid::new();
    grid.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    grid.set_header([
        "guard",
        "applied",
        "requests",
        "write units",
        "read units",
        "dollars",
        "in batches of 100: requests",
        "write units",
        "read units",
        "dollars",
    ]);
    // A reason that goes for several guards is told once.
    let mut unsound: Vec<(&str, Vec<String>)> = Vec::new();
    for guard in guards {
        let name = if guard.yours { format!("{} (yours)", guard.name) } else { guard.name.clone() };
        match &guard.measured {
            Ok(Measured { alone, batched, applied }) => {
                let mut row = vec![name, applied.to_string()];
                for cost in [alone, batched] {
                    let cost = cost.for_a_million(*events as u64);
                    let dollars = format!("{:.3}", cost.dollars());
                    row.extend([millions(cost.requests), millions(cost.writes), millions(cost.reads), dollars]);
                }
                grid.add_row(row);
            }
            Err(why) => match unsound.iter_mut().find(|(known, _)| known == why) {
                Some((_, names)) => names.push(name),
                None => unsound.push((why, vec![name])),
            },
        }
    }
    for column in 1..10 {
        if let Some(column) = grid.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let _ = writeln!(text, "{grid}");
    for (why, names) in unsound {
        text += &format!("  not sound here: {}: {why}\n", names.join(", "));
    }
    if guards.iter().any(|guard| guard.name == "none" && guard.measured.is_ok()) {
        text += "  `none` counts a repeated event again\n";
    }
    text
}

/// Where the figures come from.
pub(crate) fn footnote(any_cut: bool) -> String {
    let mut text = format!(
        "Measured on these events, each in a batch of its own, and in batches of a hundred; request units by AWS's rules. Dollars: DynamoDB on demand, {}, as of {}: {} for a \
         million write units, {} for a million read units; storage, streams and Lambda are not in them. One request more for each \
         batch and stream asks for open dead letters.\n",
        PRICES.region, PRICES.as_of, PRICES.million_writes, PRICES.million_reads,
    );
    if any_cut {
        text += &format!("Guards were compared on the first {} records.\n", super::guards::MAX_RECORDS);
    }
    text
}

/// A count in millions.
fn millions(count: u64) -> String {
    format!("{:.2} M", count as f64 / 1e6)
}
