//! A change for people: one line that says what to do, then each change with its place and reason.

use super::documents::{Difference, Differences, View};
use crate::output::{count, printable};
use std::fmt::Write as _;
use viewfold_core::change::{Change, Changed, Class, Fate, class};
use viewfold_value::Value;

/// The most documents of a view that are shown; programs get all.
const MAX_DOCUMENTS: usize = 20;

/// All that is to be said. `colour` is for terminals alone.
pub(crate) fn rendered(changed: &[Changed], differences: Option<&Differences>, colour: bool) -> String {
    let mut text = verdict(changed, colour);
    for one in changed.iter().filter(|one| !one.changes.is_empty()) {
        // Writing into a String cannot fail.
        let _ = write!(text, "\n{}{}\n", one.name, fate(&one.fate));
        for change in &one.changes {
            tell(change, colour, &mut text);
        }
    }
    if let Some(differences) = differences {
        documents(differences, &mut text);
    }
    text
}

fn verdict(changed: &[Changed], colour: bool) -> String {
    let class = class(changed);
    let names = |class: Class| -> String {
        let of = changed.iter().filter(|one| one.class() == class);
        of.map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let words = match class {
        Class::Same => format!("nothing changes in {}", count(changed.len(), "projection")),
        Class::Deploy => {
            format!("it can be deployed on the live views; what changes holds from then on ({})", names(class))
        }
        Class::Rebuild => format!("old documents would be wrong: build anew what changes ({})", names(class)),
        Class::Unsafe => format!("it must not be deployed on the live views ({})", names(class)),
    };
    format!("{}: {words}\n", word(class, colour))
}

fn word(class: Class, colour: bool) -> String {
    let code = match class {
        Class::Same | Class::Deploy => "32",
        Class::Rebuild => "33",
        Class::Unsafe => "31",
    };
    match colour {
        true => format!("\u{1b}[1;{code}m{}\u{1b}[0m", class.text()),
        false => class.text().to_owned(),
    }
}

fn fate(fate: &Fate) -> String {
    match fate {
        Fate::Kept | Fate::Added | Fate::Removed => String::new(),
        Fate::Version { from } => format!(", in place of {from}"),
        Fate::Renamed { from } => format!(", which was {from}"),
    }
}

fn tell(change: &Change, colour: bool, text: &mut String) {
    let Change { class, what, place, why, help } = change;
    let side = if place.is_old { " (old)" } else { "" };
    let _ = writeln!(text, "  {}: {}", word(*class, colour), printable(what));
    let _ = writeln!(text, "    --> {place}{side}");
    let _ = writeln!(text, "    why: {}", printable(why));
    let _ = writeln!(text, "    do: {}", printable(help));
}

fn documents(differences: &Differences, text: &mut String) {
    let Differences { events, views, rejected: (before, now) } = differences;
    let _ = writeln!(text, "\nOn {}:", count(*events, "recorded event"));
    if (before, now) != (&0, &0) {
        let _ = writeln!(text, "  {before} could not be applied by the old projections, {now} by the new ones");
    }
    for View { name, old_table, new_table, same, differing } in views {
        let table = if old_table == new_table { new_table.clone() } else { format!("{old_table}, {new_table}") };
        let found = match differing.len() {
            0 => format!("{} alike", count(*same, "document")),
            some => format!("{} different, {same} alike", count(some, "document")),
        };
        let _ = writeln!(text, "  {name} ({table}): {found}");
        for Difference { key, attributes, side } in differing.iter().take(MAX_DOCUMENTS) {
            let whole = match side {
                None => "",
                Some(true) => ": only in the old version",
                Some(false) => ": only in the new version",
            };
            let _ = writeln!(text, "    {}{whole}", printable(key));
            for (path, was, is) in attributes {
                let _ = writeln!(text, "      {}: {} -> {}", printable(path), shown(was.as_ref()), shown(is.as_ref()));
            }
        }
        if differing.len() > MAX_DOCUMENTS {
            let _ = writeln!(text, "    and {} more; `--format json` has all", differing.len() - MAX_DOCUMENTS);
        }
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| printable(&value.to_string()))
}
