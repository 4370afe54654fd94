//! Which projection of the old version is which of the new one.
//!
//! A projection is known by its name: it is part of all that guards remember. The version is part of the name.

use super::{At, Change, Changed, Class, Deployment, Fate, Pair, Place, Side};
use crate::program::{Program, StreamIdentity};
use std::sync::Arc;

pub(super) fn compare(old: Deployment<'_>, new: Deployment<'_>) -> Vec<Changed> {
    let mut gone: Vec<Side<'_>> = old.sides().collect();
    let mut take = |alike: &dyn Fn(&Side<'_>) -> bool| gone.iter().position(alike).map(|at| gone.remove(at));
    let mut before: Vec<Option<Side<'_>>> =
        new.sides().map(|side| take(&|other| other.projection.name == side.projection.name)).collect();
    // Names first: what is like another one in other ways may be another one's.
    for (side, before) in new.sides().zip(&mut before).filter(|(_, before)| before.is_none()) {
        *before = take(&|other| other.spec().base_name() == side.spec().base_name());
    }
    for (side, before) in new.sides().zip(&mut before).filter(|(_, before)| before.is_none()) {
        *before = take(&|other| is_renamed(*other, side));
    }
    let mut all: Vec<Changed> =
        new.sides().zip(before).map(|(side, before)| changed(before, side, old.program)).collect();
    all.extend(gone.into_iter().map(|side| removed(side, new.program)));
    for changed in &mut all {
        changed.changes.sort_by_key(|change| (std::cmp::Reverse(change.class), change.place.span.start));
    }
    all
}

/// Whether a projection writes the same attributes to the same table as one of another name.
fn is_renamed(old: Side<'_>, new: Side<'_>) -> bool {
    let (old, new) = (old.projection, new.projection);
    old.table.name == new.table.name && old.attributes.iter().any(|name| new.attributes.contains(name))
}

fn changed(old: Option<Side<'_>>, new: Side<'_>, old_program: &Program) -> Changed {
    let name = new.projection.name.clone();
    let Some(old) = old else { return added(new) };
    let mut pair = Pair { old, new, changes: Vec::new() };
    let from = old.projection.name.clone();
    let fate = if from == name {
        pair.all();
        Fate::Kept
    } else if old.spec().base_name() == new.spec().base_name() {
        pair.version();
        Fate::Version { from }
    } else {
        pair.renamed();
        Fate::Renamed { from }
    };
    pair.feeders(old_program);
    Changed { name, fate, changes: pair.changes }
}

impl Pair<'_> {
    fn all(&mut self) {
        self.sources();
        self.table();
        self.guards();
        self.rules();
        self.attributes();
        self.derived();
    }

    /// Another version has tables and marks of its own: nothing of the old one's counts for it.
    fn version(&mut self) {
        let (old, new) = (self.old.spec(), self.new.spec());
        let span = new.version.as_ref().map_or(new.projection.span, |version| version.span);
        let (before, now) = (old.version(), new.version());
        let (was, is) = (&self.old.projection.table.name, &self.new.projection.table.name);
        if now > before {
            let why = format!(
                "it is a view of its own, in `{is}`, that starts empty; `{was}` stays as it is, but no event reaches it any more \
                 from this deployment on"
            );
            let help = format!(
                "keep the file of version {before} beside this one until readers have switched; `viewfold rebuild` with the new file fills \
                 version {now}, `viewfold retire` removes version {before}"
            );
            self.note(
                Class::Deploy,
                At::New(span),
                format!("version {now} takes the place of version {before}"),
                why,
                help,
            );
        } else {
            let why = format!(
                "`{is}` lacks every event that came since version {before} took its place, and so do its marks: nothing would say so"
            );
            let next = before + 1;
            let help = format!(
                "say `version: {next}` with what version {now} says, and run `viewfold rebuild` with that file; where version {now} was \
                 kept up to date all the time, deploy both first, and then it alone"
            );
            self.note(Class::Unsafe, At::New(span), format!("version {before} is {now} again"), why, help);
        }
    }

    /// The name is part of what guards remember.
    fn renamed(&mut self) {
        let (old, new) = (&self.old.projection.name, &self.new.projection.name);
        let at = At::New(self.new.spec().projection.span);
        let what = format!("`{old}` is called `{new}` now, on the same table `{}`", self.new.projection.table.name);
        let why =
            "its name is part of its marks: under the new one it knows no event, and counts all that still come again";
        let help =
            format!("keep the name `{old}`; or give `{new}` a table of its own, and fill it with `viewfold backfill`");
        self.note(Class::Unsafe, at, what, why, help);
    }

    /// Whether a source is a view that was written before, and is not any more.
    fn feeders(&mut self, old_program: &Program) {
        for (number, source) in self.new.projection.sources.iter().enumerate() {
            let StreamIdentity::Dynamodb(table) = &self.new.program.streams[source.stream].identity else { continue };
            let writes = |program: &Program| program.projections.iter().any(|other| *other.table.name == **table);
            if writes(old_program) && !writes(self.new.program) {
                let at = At::New(self.new.source_span(number));
                let what = format!("no projection writes `{table}` any more, which this one reads");
                let why = "its documents stay as they are from now on, and nothing says so";
                let help = format!("keep the projection that writes `{table}` until this one reads another table");
                self.note(Class::Unsafe, at, what, why, help);
            }
        }
    }
}

fn added(new: Side<'_>) -> Changed {
    let (name, span) = (&new.projection.name, new.spec().projection.span);
    let change = Change {
        class: Class::Deploy,
        what: format!("`{name}` is new"),
        place: Place { source: Arc::clone(&new.file.source), span, is_old: false },
        why: "it starts with the events that its streams still have".to_owned(),
        help: "deploy it; `viewfold backfill` with its file fills it with what is older".to_owned(),
    };
    Changed { name: name.clone(), fate: Fate::Added, changes: vec![change] }
}

fn removed(old: Side<'_>, new: &Program) -> Changed {
    let (name, table) = (&old.projection.name, &old.projection.table.name);
    let span = old.spec().projection.span;
    let is_shared = new.projections.iter().any(|other| other.table.name == *table);
    let stays = match is_shared {
        true => format!("its attributes in `{table}` stay as they are, and so do its marks"),
        false => format!("`{table}` stays as it is, and so do its marks"),
    };
    let change = Change {
        class: Class::Deploy,
        what: format!("`{name}` is gone"),
        place: Place { source: Arc::clone(&old.file.source), span, is_old: true },
        why: format!("{stays}; no event reaches them any more"),
        help: "redrive or close its open dead letters before; `viewfold retire` with its file removes what is left. One that comes back \
             later lacks all events between: give it a new `version`".to_owned(),
    };
    Changed { name: name.clone(), fate: Fate::Removed, changes: vec![change] }
}
