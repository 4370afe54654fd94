//! `document`: the table of the documents.

use super::{At, Pair};
use crate::program::TableIndex;
use viewfold_spec::Span;

impl Pair<'_> {
    pub(super) fn table(&mut self) {
        let (was, is) = (&self.old.projection.table, &self.new.projection.table);
        let spec = &self.new.spec().document;
        if was.name != is.name {
            let what = format!("the documents are in `{}`, and were in `{}`", is.name, was.name);
            let why = "what was applied is in the old table, and is not applied again to the new one: its documents would lack all \
                       that came before";
            self.refuse(At::New(spec.table.span), what, why);
        }
        let why =
            "the key of a table cannot be changed: DynamoDB refuses every write, and the events become dead letters";
        if was.partition_key != is.partition_key {
            let what =
                format!("the partition key is another one: {} ({:?})", is.partition_key.name, is.partition_key.kind);
            self.refuse(At::New(spec.partition_key.span), what, why);
        }
        if was.sort_key != is.sort_key {
            match (&spec.sort_key, &self.old.spec().document.sort_key) {
                (Some(key), _) => self.refuse(At::New(key.span), "the sort key is another one", why),
                (None, Some(key)) => self.refuse(At::Old(key.span), "the sort key is gone", why),
                (None, None) => {}
            }
        }
        self.indexes();
        self.ttl();
        self.shared();
    }

    /// Only those of its own file: those of others on the same table are theirs.
    fn indexes(&mut self) {
        let own = |document: &viewfold_spec::projection::Document, all: &[TableIndex]| -> Vec<(TableIndex, Span)> {
            let entries = document.indexes.iter().flatten();
            entries
                .filter_map(|(name, _)| Some((all.iter().find(|index| index.name == name.value)?.clone(), name.span)))
                .collect()
        };
        let old = own(&self.old.spec().document, &self.old.projection.table.indexes);
        let new = own(&self.new.spec().document, &self.new.projection.table.indexes);
        for (index, span) in &new {
            let name = &index.name;
            let Some((before, _)) = old.iter().find(|(before, _)| before.name == *name) else {
                let why = "DynamoDB fills an index from the documents that are there, with those that have its key; from now on the \
                           values of its key are checked";
                self.deploy(At::New(*span), format!("the index `{name}` is new"), why);
                continue;
            };
            if before == index {
                continue;
            }
            let kinds = |index: &TableIndex| -> Vec<_> {
                std::iter::once(&index.partition_key)
                    .chain(&index.sort_key)
                    .map(|key| (key.name.clone(), key.kind))
                    .collect()
            };
            let (were, are) = (kinds(before), kinds(index));
            let another_type =
                are.iter().any(|(name, kind)| were.iter().any(|(other, was)| other == name && was != kind));
            if another_type {
                let why = "the type of an index's key cannot be changed on a live table: DynamoDB refuses the documents whose value \
                           has the new one";
                self.refuse(At::New(*span), format!("the key of the index `{name}` has another type"), why);
            } else {
                let why = "the key of an index cannot be changed: until it is made under another name, readers find the old one";
                self.rebuild(At::New(*span), format!("the index `{name}` has another key"), why);
            }
        }
        for (index, span) in &old {
            if !new.iter().any(|(other, _)| other.name == index.name) {
                let why = "documents are the same without it; it stays on the table until somebody removes it";
                self.deploy(At::Old(*span), format!("the index `{}` is gone", index.name), why);
            }
        }
    }

    fn ttl(&mut self) {
        let (old, new) = (self.old.projection, self.new.projection);
        let (was, is) = (&self.old.spec().document.ttl, &self.new.spec().document.ttl);
        let at = match (was, is) {
            (_, Some(name)) => At::New(name.span),
            (Some(name), None) => At::Old(name.span),
            (None, None) => return,
        };
        let name = |ttl: &Option<viewfold_spec::Spanned<String>>| ttl.as_ref().map(|name| name.value.clone());
        let (was, is) = (name(was), name(is));
        if was == is {
            return;
        }
        let what = match (&was, &is) {
            (Some(was), Some(is)) => format!("the TTL is `{is}`, and was `{was}`"),
            (None, Some(is)) => format!("the TTL is `{is}` now"),
            _ => "there is no `ttl` any more".to_owned(),
        };
        if old.can_delete() && old.leaves_rows() && !old.shared && old.ttl_attribute() != new.ttl_attribute() {
            let why = format!(
                "rows that deleted documents left behind expire by `{}`: a document that comes to life again keeps that time, and would \
                 be removed by it",
                old.ttl_attribute()
            );
            self.refuse(at, what, why);
        } else if was.is_some() && is.is_some() {
            let why = "a table has one attribute for its TTL: old documents have the old one, and would stay for ever";
            self.rebuild(at, what, why);
        } else {
            let why = "documents expire by what is set from now on: those that are there stay as they are until an event sets it";
            self.deploy(at, what, why);
        }
    }

    /// Others on the same items, said or implied.
    fn shared(&mut self) {
        let (old, new) = (self.old.projection, self.new.projection);
        if old.shared == new.shared {
            return;
        }
        let spec = &self.new.spec().document;
        let at = At::New(spec.table.span);
        let deletes = old.can_delete() || new.can_delete() || self.folds_anew();
        match (new.shared, deletes) {
            (true, false) => {
                let why = "nothing is deleted here: each writes its own attributes";
                self.deploy(at, "others write to the same items now (`shared`)", why);
            }
            (false, false) => {
                let why = "nothing is deleted here: the attributes of others stay as they are";
                self.deploy(at, "nobody else writes to the items any more (`shared`)", why);
            }
            (true, true) => {
                let why = "rows that deleted documents left behind have a time at which they expire, and on shared items nobody takes it \
                           away: a document that comes to life again would be removed";
                if old.leaves_rows() {
                    self.refuse(at, "others write to the same items now (`shared`)", why);
                } else {
                    let why = "a deletion takes the projection's own attributes alone from now on";
                    self.deploy(at, "others write to the same items now (`shared`)", why);
                }
            }
            (false, true) => {
                let why = "a deletion takes the whole item from now on, with all that others have written to it";
                self.refuse(at, "nobody else writes to the items any more (`shared`)", why);
            }
        }
    }
}
