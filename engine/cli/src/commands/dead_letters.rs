//! `viewfold dead-letters`

use crate::arguments::{
    CloseLetters, DeadLettersCommand, ExportLetters, Format, LetterFilter, LetterTable, ListLetters, ShowLetter, Where,
};
use crate::output::{Failure, Outcome, count, print};
use crate::store::{self, Connection};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use comfy_table::Table as Grid;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use viewfold_core::dead_letter::Letter;
use viewfold_dynamodb::dead_letters;

/// The columns of a letter that are texts, in the order in which they are shown.
const COLUMNS: [&str; 16] = [
    "projection",
    "version",
    "source",
    "lane",
    "sequence",
    "id",
    "rule",
    "document",
    "reason",
    "message",
    "recorded",
    "order",
    "event",
    "effect",
    "redriven",
    "redriven_by",
];

/// Lists, shows or exports dead letters.
pub(crate) fn run(command: &DeadLettersCommand) -> Result<Outcome, Failure> {
    let runtime = store::runtime()?;
    match command {
        DeadLettersCommand::List(arguments) => runtime.block_on(list(arguments)),
        DeadLettersCommand::Show(arguments) => runtime.block_on(show(arguments)),
        DeadLettersCommand::Close(arguments) => runtime.block_on(close(arguments)),
        DeadLettersCommand::Export(arguments) => runtime.block_on(export(arguments)),
    }
}

impl LetterFilter {
    /// Whether a letter is meant.
    pub(crate) fn takes(&self, letter: &Letter) -> bool {
        let fits = |wanted: &Option<String>, column: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == letter.column(column))
        };
        fits(&self.projection, "projection") && fits(&self.source, "source") && fits(&self.reason, "reason")
    }

    /// Whether it leaves any letter out.
    pub(crate) fn is_set(&self) -> bool {
        self.projection.is_some() || self.source.is_some() || self.reason.is_some()
    }
}

/// Connects to the DynamoDB that has the letters.
pub(crate) async fn connect(place: &Where) -> Result<Connection, Failure> {
    store::connect_kept(place, "the dead letters are").await
}

async fn letters(table: &LetterTable, open: bool) -> Result<(Connection, String, Vec<Letter>), Failure> {
    if table.table.is_empty() {
        return Err(Failure::wrong_use(
            "no table of dead letters is named: give --table, or set VIEWFOLD_DEAD_LETTER_TABLE",
        ));
    }
    let connection = connect(&table.store.place).await?;
    let name = format!("{}{}", table.store.prefix.table_prefix, table.table);
    let letters = dead_letters::letters(&connection.store, &name, open).await.map_err(Failure::new)?;
    Ok((connection, name, letters))
}

async fn list(arguments: &ListLetters) -> Result<Outcome, Failure> {
    let (_, _, letters) = letters(&arguments.table, !arguments.closed).await?;
    let letters: Vec<&Letter> = letters.iter().filter(|letter| arguments.filter.takes(letter)).collect();
    if arguments.format == Format::Json {
        let all: Vec<Json> = letters.iter().map(|letter| summary(letter)).collect();
        print(&format!("{:#}\n", Json::from(all)))?;
        return Ok(Outcome::Done);
    }
    let what = if arguments.closed { "closed dead letter" } else { "open dead letter" };
    if !letters.is_empty() {
        let mut grid = Grid::new();
        let last = if arguments.closed { "came of it" } else { "why" };
        grid.load_style(UTF8_FULL_CONDENSED).set_header(["id", "recorded", "projection", "event", "reason", last]);
        for letter in &letters {
            let column = |name: &str| letter.column(name).to_owned();
            let last = if arguments.closed { column("effect") } else { column("message") };
            let event = format!("{}: {}", letter.column("source"), letter.column("id"));
            grid.add_row([
                letter.short_id(),
                column("recorded"),
                column("projection"),
                event,
                column("reason"),
                cut(&last),
            ]);
        }
        print(&format!("{grid}\n"))?;
    }
    print(&format!("{}\n", count(letters.len(), what)))?;
    Ok(Outcome::Done)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A letter without its record.
fn summary(letter: &Letter) -> Json {
    let mut all = serde_json::Map::new();
    all.insert("letter".to_owned(), json!(letter.short_id()));
    all.insert("state".to_owned(), json!(if letter.is_open() { "open" } else { "closed" }));
    for name in COLUMNS {
        if letter.row().contains_key(name) {
            all.insert(name.to_owned(), json!(letter.column(name)));
        }
    }
    all.insert("sub".to_owned(), json!(letter.sub()));
    all.insert("only_this_document".to_owned(), json!(letter.is_part()));
    Json::Object(all)
}

/// The letter that an id names.
pub(crate) fn named<'l>(letters: &'l [Letter], id: &str) -> Result<&'l Letter, Failure> {
    let id = id.to_ascii_lowercase();
    let found: Vec<&Letter> = letters.iter().filter(|letter| letter.short_id().starts_with(&id)).collect();
    match found.as_slice() {
        [only] => Ok(only),
        [] => Err(Failure::new(format!("there is no dead letter {id}; `viewfold dead-letters list` shows them"))),
        several => {
            let ids: Vec<String> = several.iter().map(|letter| letter.short_id()).collect();
            Err(Failure::new(format!("several dead letters begin with {id}: {}", ids.join(", "))))
        }
    }
}

async fn show(arguments: &ShowLetter) -> Result<Outcome, Failure> {
    let (connection, table, mut all) = letters(&arguments.table, true).await?;
    let closed = dead_letters::letters(&connection.store, &table, false).await.map_err(Failure::new)?;
    all.extend(closed);
    let letter = named(&all, &arguments.id)?;
    let record = dead_letters::record(&connection.store, &table, letter).await.map_err(Failure::new)?;
    if arguments.format == Format::Json {
        let mut shown = summary(letter);
        shown["record"] = serde_json::from_str(&record).unwrap_or(Json::Null);
        shown["payload"] = json!(payload(&record));
        print(&format!("{shown:#}\n"))?;
        return Ok(Outcome::Done);
    }
    let mut text = format!("dead letter {}, {}\n", letter.short_id(), if letter.is_open() { "open" } else { "closed" });
    for name in COLUMNS.into_iter().filter(|name| letter.row().contains_key(*name)) {
        text += &format!("  {name:<12} {}\n", letter.column(name));
    }
    if letter.is_part() {
        text += "  the event was applied to its other documents\n";
    }
    text += "\n";
    text += &match (record.is_empty(), payload(&record)) {
        (true, _) => "its event is among those of its document in the events table\n".to_owned(),
        (false, Some(payload)) => format!("payload:\n{payload}\n"),
        (false, None) => format!("record:\n{record}\n"),
    };
    print(&text)?;
    Ok(Outcome::Done)
}

async fn close(arguments: &CloseLetters) -> Result<Outcome, Failure> {
    let (connection, table, letters) = letters(&arguments.table, true).await?;
    let named: Vec<&Letter> = arguments.ids.iter().map(|id| named(&letters, id)).collect::<Result<_, _>>()?;
    let now = jiff::Timestamp::now().to_string();
    for letter in named {
        let closed = dead_letters::drop(&connection.store, &table, letter, &now).await;
        closed.map_err(|error| Failure::new(format!("{}: {error}", letter.short_id())))?;
        print(&format!("dropped    {}\n", letter.short_id()))?;
    }
    Ok(Outcome::Done)
}

/// The payload of a Kinesis record as text, the body of an SQS message, or the change of a DynamoDB record.
fn payload(record: &str) -> Option<String> {
    let record: Json = serde_json::from_str(record).ok()?;
    if let Some(data) = record["kinesis"]["data"].as_str() {
        let bytes = BASE64.decode(data).ok()?;
        return String::from_utf8(bytes).ok();
    }
    if let Some(body) = record["body"].as_str() {
        return Some(body.to_owned());
    }
    record.get("dynamodb").map(|change| format!("{change:#}"))
}

async fn export(arguments: &ExportLetters) -> Result<Outcome, Failure> {
    let (connection, table, letters) = letters(&arguments.table, !arguments.closed).await?;
    let mut outcome = Outcome::Done;
    for letter in letters.iter().filter(|letter| arguments.filter.takes(letter)) {
        let record = dead_letters::record(&connection.store, &table, letter).await;
        let record = record.and_then(|record| match record.is_empty() {
            true => Err("it has no record: its event is among those of its document in the events table".to_owned()),
            false => Ok(record),
        });
        let record = record.and_then(|record| RawValue::from_string(record).map_err(|error| error.to_string()));
        match record {
            Ok(record) => {
                // The record stands there as it came, digit by digit.
                let letter = summary(letter);
                print(&format!("{{\"Records\":[{}],\"deadLetter\":{letter}}}\n", one_line(record.get())))?;
            }
            Err(error) => {
                outcome = Outcome::Findings;
                crate::output::note(&format!("error: {}: {error}", letter.short_id()));
            }
        }
    }
    Ok(outcome)
}

/// JSON without the line ends that stand between its parts: those inside of texts are escaped.
fn one_line(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}
