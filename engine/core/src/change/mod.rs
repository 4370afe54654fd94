//! What a change of projections means for the views that are live.
//!
//! A document is the sum of all that has been folded into it; a changed projection folds what comes from now on. So what
//! counts is what is there already: documents, and what guards remember. [`compare`] goes through two versions of a
//! deployment and says of each single change which [`Class`] it has, where it stands, why, and what to do. What programs
//! mean is compared, not how files are written ([`meaning`]).
//!
//! | module | what it compares |
//! |---|---|
//! | [`pairs`] | which projection of the one version is which of the other: new, removed, renamed, another version |
//! | [`sources`] | streams, lanes, formats, schemas |
//! | [`table`] | the documents' table |
//! | [`guard`] | what is remembered |
//! | [`rules`] | which events, which documents |
//! | [`operations`], [`attributes`] | what is done to which attribute |
//! | [`derived`] | `derive`, `delete_when`, `on_error` |
//! | [`record`] | what is kept of the projections that were deployed last, for the function to compare with |

mod attributes;
mod derived;
mod guard;
mod meaning;
mod operations;
mod pairs;
pub mod record;
mod rules;
mod sources;
mod table;
#[cfg(test)]
mod tests;

use crate::compile::File;
use crate::program::{Program, Projection};
use std::fmt;
use std::sync::Arc;
use viewfold_spec::{Source, Span};

/// What a change means for a view that is live, from the least to the most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// Nothing: comments, words, the order of keys.
    Same,
    /// It can be deployed on the live view, and holds from then on: what documents have already stays.
    Deploy,
    /// Old documents would be wrong, or a mix of old and new: the view has to be built anew.
    Rebuild,
    /// Deployed on the live view, events would be lost or counted twice, or documents be wrong from then on, and nothing would
    /// say so.
    Unsafe,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 4] = [Class::Same, Class::Deploy, Class::Rebuild, Class::Unsafe];

    /// Its name, for people and programs.
    pub const fn text(self) -> &'static str {
        match self {
            Class::Same => "same",
            Class::Deploy => "deploy",
            Class::Rebuild => "rebuild",
            Class::Unsafe => "unsafe",
        }
    }

    /// Whether a live view can go on with it.
    pub fn can_be_deployed(self) -> bool {
        self <= Class::Deploy
    }
}

/// A place in a file of either version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The file.
    pub source: Arc<Source>,
    /// Where in it.
    pub span: Span,
    /// Whether it is a file of the old version: what stands there is gone in the new one.
    pub is_old: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.source.position(self.span.start);
        write!(f, "{}:{line}:{column}", self.source.name)
    }
}

/// One single change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// What it means.
    pub class: Class,
    /// What was changed.
    pub what: String,
    /// Where.
    pub place: Place,
    /// Why it has its class.
    pub why: String,
    /// What to do.
    pub help: String,
}

/// What became of a projection from one version to the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It is in both.
    Kept,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another version, with tables and marks of its own.
    Version {
        /// Its name before, with its version.
        from: String,
    },
    /// It has another name and the same table.
    Renamed {
        /// Its name before.
        from: String,
    },
}

/// What a change means for one projection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Changed {
    /// The projection's name, with its version: the new one, where it has one.
    pub name: String,
    /// What became of it.
    pub fate: Fate,
    /// Its changes, the gravest first, otherwise in the order of the file.
    pub changes: Vec<Change>,
}

impl Changed {
    /// What all its changes together mean.
    pub fn class(&self) -> Class {
        self.changes.iter().map(|change| change.class).max().unwrap_or(Class::Same)
    }
}

/// What all changes together mean.
pub fn class(changed: &[Changed]) -> Class {
    changed.iter().map(Changed::class).max().unwrap_or(Class::Same)
}

/// One version of a deployment: its files, and what was compiled of them.
#[derive(Clone, Copy, Debug)]
pub struct Deployment<'a> {
    files: &'a [File],
    program: &'a Program,
}

impl<'a> Deployment<'a> {
    /// A version of these files, compiled together. Nothing where the program is of other files.
    pub fn new(files: &'a [File], program: &'a Program) -> Option<Deployment<'a>> {
        (files.len() == program.projections.len()).then_some(Deployment { files, program })
    }

    fn sides(self) -> impl Iterator<Item = Side<'a>> {
        let all = self.files.iter().zip(&self.program.projections);
        all.map(move |(file, projection)| Side { file, projection, program: self.program })
    }
}

/// What the change from one version of a deployment to another means, projection by projection: those of the new version in
/// their order, then those that are gone.
pub fn compare(old: Deployment<'_>, new: Deployment<'_>) -> Vec<Changed> {
    pairs::compare(old, new)
}

/// A projection in one version.
#[derive(Clone, Copy, Debug)]
struct Side<'a> {
    file: &'a File,
    projection: &'a Projection,
    program: &'a Program,
}

impl<'a> Side<'a> {
    fn spec(self) -> &'a viewfold_spec::Projection {
        &self.file.projection
    }
}

/// A projection in both versions, and what has been found about it.
struct Pair<'a> {
    old: Side<'a>,
    new: Side<'a>,
    changes: Vec<Change>,
}

/// Where a change stands.
#[derive(Clone, Copy)]
enum At {
    Old(Span),
    New(Span),
}

impl Pair<'_> {
    fn note(&mut self, class: Class, at: At, what: impl Into<String>, why: impl Into<String>, help: impl Into<String>) {
        let place = match at {
            At::Old(span) => Place { source: Arc::clone(&self.old.file.source), span, is_old: true },
            At::New(span) => Place { source: Arc::clone(&self.new.file.source), span, is_old: false },
        };
        let change = Change { class, what: what.into(), place, why: why.into(), help: help.into() };
        // What several rules share is one change.
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    /// A change that can be deployed.
    fn deploy(&mut self, at: At, what: impl Into<String>, why: impl Into<String>) {
        let help = format!("deploy it; where old documents should be like that too, {}", self.cure());
        self.note(Class::Deploy, at, what, why, help);
    }

    /// A change that needs a rebuild.
    fn rebuild(&mut self, at: At, what: impl Into<String>, why: impl Into<String>) {
        let help = self.cure();
        self.note(Class::Rebuild, at, what, why, help);
    }

    /// A change that must not be deployed on the live view.
    fn refuse(&mut self, at: At, what: impl Into<String>, why: impl Into<String>) {
        let help = format!("take it back; or {}", self.cure());
        self.note(Class::Unsafe, at, what, why, help);
    }

    /// How a changed projection is built anew, beside the one that is live.
    fn cure(&self) -> String {
        let spec = self.new.spec();
        if spec.document.shared == Some(true) {
            return "give the projection another name and its attributes others, and fill those with `viewfold backfill`: a \
                    version has tables of its own, and these items are shared"
                .to_owned();
        }
        let next = self.old.spec().version().max(1) + 1;
        format!("say `version: {next}` in a copy of the file, and run `viewfold rebuild` with that copy")
    }

    /// Whether a late event makes a document be folded anew, from all of its events.
    fn folds_anew(&self) -> bool {
        let ordered = |source: &crate::program::Source| {
            matches!(source.guard, crate::program::Guard::EventsTable { order_by: Some(_), .. })
        };
        self.new.projection.sources.iter().any(ordered)
    }
}
