//! `derive`, `delete_when`, `on_error`: what follows from a document, and what becomes of events that cannot be applied.

use super::meaning::Meaning;
use super::{At, Class, Pair};
use crate::program::OnError;

impl Pair<'_> {
    pub(super) fn derived(&mut self) {
        let (old, new) = (self.old, self.new);
        let meaning = Meaning::of_documents();
        for (name, term) in &new.projection.derive {
            let entries = new.spec().derive.iter().flatten();
            let span = entries
                .clone()
                .find(|(written, _)| written.value == *name)
                .map(|(written, value)| (written.span, value.span));
            let (of_name, of_value) = span.unwrap_or((new.spec().projection.span, new.spec().projection.span));
            match old.projection.derive.iter().find(|(before, _)| before == name) {
                Some((_, before)) if meaning.term(before) == meaning.term(term) => {}
                Some(_) => {
                    let why = "a document gets the new value with its next event, and has the old one until then";
                    self.deploy(At::New(of_value), format!("`{name}` is derived in another way"), why);
                }
                None if self.wrote_before(&[format!("{name:?}")]) => {
                    let why = "a document has what rules wrote there until its next event";
                    self.rebuild(At::New(of_name), format!("`{name}` is derived now, and was written by rules"), why);
                }
                None => {
                    let why = "a document gets it with its next event, from what it has then";
                    self.deploy(At::New(of_name), format!("`{name}` is new (`derive`)"), why);
                }
            }
        }
        self.delete_when();
        self.on_error();
    }

    fn delete_when(&mut self) {
        let meaning = Meaning::of_documents();
        let (old, new) = (self.old, self.new);
        let (was, is) = (&old.projection.delete_when, &new.projection.delete_when);
        if meaning.optional(was.as_ref()) == meaning.optional(is.as_ref()) {
            return;
        }
        match (&old.spec().delete_when, &new.spec().delete_when) {
            (None, Some(condition)) => {
                let why = "documents for which it is true already go with their next event";
                self.matching(false, At::New(condition.span), "documents go by `delete_when` now", why);
            }
            (Some(condition), None) => {
                let why = "documents that are gone came to an end, and would begin from nothing: others go on";
                self.rebuild(At::Old(condition.span), "there is no `delete_when` any more", why);
            }
            (_, Some(condition)) => {
                let why = "documents that are gone by the old condition would begin from nothing, even where the new one had kept them";
                self.rebuild(At::New(condition.span), "`delete_when` is another one", why);
            }
            (None, None) => {}
        }
    }

    fn on_error(&mut self) {
        let (was, is) = (self.old.projection.on_error, self.new.projection.on_error);
        if was == is {
            return;
        }
        let word = |on_error: OnError| match on_error {
            OnError::DeadLetter => "dead_letter",
            OnError::Skip => "skip",
            OnError::Fail => "fail",
        };
        let spec = self.new.spec();
        let at = At::New(spec.on_error.as_ref().map_or(spec.projection.span, |word| word.span));
        let (why, help) = match (was, is) {
            (OnError::DeadLetter, _) => (
                "it holds for events that cannot be applied from now on; letters that are open stay so",
                "redrive or close the open dead letters before: without a projection that keeps any, the function does not look \
                 for them",
            ),
            _ => ("it holds for events that cannot be applied from now on", "deploy it"),
        };
        self.note(Class::Deploy, at, format!("`on_error` is `{}`, and was `{}`", word(is), word(was)), why, help);
    }
}
