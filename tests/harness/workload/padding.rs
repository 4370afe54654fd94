//! What real events carry beside what rules read: nested objects, lists, texts with escapes and in other alphabets, numbers.

use std::fmt::Write as _;

use fastrand::Rng;

/// A value that no rule reads.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Pad {
    Text(String),
    Number(String),
    Flag(bool),
    Nothing,
    List(Vec<Pad>),
    Object(Vec<(String, Pad)>),
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// JSON.
    Plain,
    /// DynamoDB's JSON: `{"S": …}`
    Typed,
}

/// The two halves of names.
const OF: [&str; 8] = ["user", "client", "request", "device", "page", "campaign", "shipping", "trace"];
const WHAT: [&str; 11] =
    ["Agent", "Session", "Locale", "City", "Headers", "Tags", "Comment", "Amount", "Latitude", "Version", "Attributes"];

/// Words as people and programs write them; some have to be escaped in JSON.
const WORDS: [&str; 24] = [
    "Mozilla/5.0",
    "(X11; Linux x86_64)",
    "improvement",
    "the",
    "quick",
    "and",
    "of",
    "street",
    "Zürich",
    "naïve",
    "東京",
    "Привет",
    "🌳",
    "\"quoted\"",
    "C:\\temp\\x",
    "line\nbreak",
    "tab\tstop",
    "a/b?c=d&e=f",
    "2026-03-01T08:00:00Z",
    "eu-west-1",
    "b0f1c7d2-5d0a-4b7e",
    "planting",
    "more",
    "trees",
];

/// Fields that take just so many bytes, commas between them included; none where that is too little for a field.
pub(super) fn padding(rng: &mut Rng, form: Form, bytes: usize) -> Vec<(String, Pad)> {
    let mut fields = Vec::new();
    let mut left = bytes;
    let mut text = String::new();
    for name in names(rng) {
        let field = (name, value(rng, left / 2, 0));
        text.clear();
        write_fields(&mut text, std::slice::from_ref(&field), form);
        // The comma, and what the last field needs.
        let Some(rest) = left.checked_sub(text.len() + 1).filter(|rest| *rest > 40) else { break };
        left = rest;
        fields.push(field);
    }
    // `"note":""` or `"note":{"S":""}`
    let around = if form == Form::Typed { 15 } else { 9 };
    if let Some(length) = left.checked_sub(around) {
        let text = "lorem ipsum dolor sit amet ".chars().cycle().take(length).collect();
        fields.push(("note".to_owned(), Pad::Text(text)));
    }
    fields
}

/// Names, each once.
fn names(rng: &mut Rng) -> impl Iterator<Item = String> + use<> {
    let count = OF.len() * WHAT.len();
    let first = rng.usize(0..count);
    // 37 has no divisor in common with their number: steps of it go through all of them.
    let numbers = (0..count).map(move |step| (first + step * 37) % count);
    numbers.map(|number| [OF[number % OF.len()], WHAT[number / OF.len()]].concat())
}

fn value(rng: &mut Rng, bytes: usize, depth: usize) -> Pad {
    match rng.u8(0..if depth < 3 && bytes > 80 { 14 } else { 10 }) {
        0..=4 => {
            let words: Vec<&str> = (0..rng.usize(1..=8)).map(|_| WORDS[rng.usize(0..WORDS.len())]).collect();
            Pad::Text(words.join(" "))
        }
        5 => Pad::Number(format!("{}", rng.u32(..))),
        6 => Pad::Number(format!("-{}.{:06}", rng.u8(0..180), rng.u32(0..1_000_000))),
        7 => Pad::Number(format!("{}.{:02}", rng.u32(0..100_000), rng.u8(0..100))),
        8 => Pad::Flag(rng.bool()),
        9 => Pad::Nothing,
        10 | 11 => Pad::List((0..rng.usize(1..6)).map(|_| value(rng, bytes / 6, depth + 1)).collect()),
        _ => {
            let count = rng.usize(1..6);
            let names: Vec<String> = names(rng).take(count).collect();
            Pad::Object(names.into_iter().map(|name| (name, value(rng, bytes / 6, depth + 1))).collect())
        }
    }
}

/// Writes a value as JSON.
pub(super) fn write_value(out: &mut String, value: &Pad, form: Form) {
    let mut wrapped = |kind: &str, write: &dyn Fn(&mut String)| match form {
        Form::Plain => write(out),
        Form::Typed => {
            let _ = write!(out, "{{\"{kind}\":");
            write(out);
            out.push('}');
        }
    };
    match value {
        Pad::Text(text) => wrapped("S", &|out| write_text(out, text)),
        // DynamoDB's numbers are texts.
        Pad::Number(digits) if form == Form::Typed => wrapped("N", &|out| write_text(out, digits)),
        Pad::Number(digits) => out.push_str(digits),
        Pad::Flag(flag) => wrapped("BOOL", &|out| out.push_str(if *flag { "true" } else { "false" })),
        Pad::Nothing if form == Form::Typed => wrapped("NULL", &|out| out.push_str("true")),
        Pad::Nothing => out.push_str("null"),
        Pad::List(elements) => wrapped("L", &|out| {
            out.push('[');
            for (number, element) in elements.iter().enumerate() {
                if number > 0 {
                    out.push(',');
                }
                write_value(out, element, form);
            }
            out.push(']');
        }),
        Pad::Object(fields) => wrapped("M", &|out| {
            out.push('{');
            write_fields(out, fields, form);
            out.push('}');
        }),
    }
}

/// Writes fields, with commas between them.
pub(super) fn write_fields(out: &mut String, fields: &[(String, Pad)], form: Form) {
    for (number, (name, value)) in fields.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        write_text(out, name);
        out.push(':');
        write_value(out, value, form);
    }
}

/// Writes a text in quotes, escaped where it has to be.
pub(super) fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // As Python's and Java's writers have it.
            '\u{e9}'..='\u{fc}' => drop(write!(out, "\\u{:04x}", u32::from(character))),
            other => out.push(other),
        }
    }
    out.push('"');
}
