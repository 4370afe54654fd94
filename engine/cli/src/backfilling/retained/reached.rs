//! How far a stream has been read, and what was trimmed before it could be.

use super::shards::Shard;
use super::{Found, time};
use crate::output::Failure;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far the shards of a stream have been read.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Reached {
    /// When the stream was made, in milliseconds since 1970.
    made: i64,
    /// Each shard that was begun, or of which is known since when it has to be read, by its id.
    shards: BTreeMap<String, Place>,
}

/// How far a shard has been read.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The sequence number of the last record that is in the view.
    pub(super) behind: Option<String>,
    /// What had come by then is in the view, in milliseconds since 1970; nothing where that was never so.
    pub(super) whole_until: Option<i64>,
    /// Whether it is closed, and all of it has been read.
    pub(super) is_done: bool,
}

impl Reached {
    /// Makes sure that the stream can be gone on with: nothing that it had is gone.
    ///
    /// # Errors
    ///
    /// When something is, or may be.
    pub(crate) fn begin(&mut self, found: &Found) -> Result<(), Failure> {
        if self.shards.is_empty() {
            self.made = found.made;
        }
        if self.made != found.made {
            return Err(Failure::new(format!(
                "the stream {} was made anew on {}: what the one before it had since the last run is lost. {}",
                found.name,
                time(found.made),
                WAY_OUT
            )));
        }
        let is_listed = |id: &String| found.shards.iter().any(|shard| shard.id == *id);
        match self.shards.iter().find(|(id, place)| !place.is_done && !is_listed(id)) {
            // A closed shard is listed for as long as the stream retains its last record.
            Some((id, place)) => Err(lost(found, id, place)),
            None => Ok(()),
        }
    }

    /// How far a shard has been read.
    pub(super) fn place(&self, shard: &str) -> Place {
        self.shards.get(shard).cloned().unwrap_or_default()
    }

    /// A page is in the view.
    pub(crate) fn carried(&mut self, shard: &str, place: Place) {
        self.shards.insert(shard.to_owned(), place);
    }

    /// The stream has been read to its end. Shards that were not there when that began have nothing older than that; whether
    /// they are read in time is known by it.
    pub(crate) fn finished(&mut self, found: &Found, now: &[Shard]) {
        for shard in now {
            let new = || Place { whole_until: Some(found.began.millis), ..Place::default() };
            self.shards.entry(shard.id.clone()).or_insert_with(new);
        }
        // What is done and no longer there is of no use.
        self.shards.retain(|id, place| !place.is_done || now.iter().any(|shard| shard.id == *id));
    }
}

impl Place {
    /// Whether records behind this place may have been trimmed: those from before `oldest` may have been.
    pub(super) fn is_trimmed(&self, oldest: i64) -> bool {
        self.whole_until.is_some_and(|until| until < oldest)
    }
}

const WAY_OUT: &str = "Fill the view anew: into an empty table (its next `version`), first with what is missing, from an archive (--from PATH), \
     then from the stream; --restart goes on with what the stream still has, and leaves the gap";

/// The failure that says what is gone.
pub(super) fn lost(found: &Found, shard: &str, place: &Place) -> Failure {
    let from = place.whole_until.map_or_else(|| "its beginning".to_owned(), time);
    let behind = place.behind.as_ref().map(|number| format!(" (sequence number {number})")).unwrap_or_default();
    Failure::new(format!(
        "what came into {shard} of the stream {} between {from}{behind} and {} was trimmed before it was read: the stream {}. {WAY_OUT}",
        found.name,
        time(found.oldest()),
        found.age()
    ))
}

#[cfg(test)]
mod tests {
    use super::super::Began;
    use super::*;
    use tokio::time::Instant;

    const DAY: i64 = 86_400_000;

    fn found(shards: &[&str]) -> Found {
        let millis = jiff::Timestamp::now().as_millisecond();
        let shard = |id: &&str| Shard { id: (*id).to_owned(), parents: Vec::new(), is_closed: false };
        Found {
            name: "s".into(),
            arn: "arn".into(),
            made: millis - 30 * DAY,
            retention: 7 * DAY,
            shards: shards.iter().map(shard).collect(),
            began: Began { instant: Instant::now(), millis },
        }
    }

    #[test]
    fn what_may_be_lost_is_told() {
        let found_now = found(&["a", "c"]);
        let now = found_now.began.millis;
        let place =
            |days: i64, is_done| Place { behind: Some("7".into()), whole_until: Some(now - days * DAY), is_done };
        let mut reached = Reached::default();
        reached.begin(&found_now).unwrap();
        reached.carried("a", place(1, false));
        reached.carried("b", place(1, true));
        reached.begin(&found_now).unwrap();
        // Shards that came while the stream was read are known from then on, and those that are gone are forgotten.
        reached.finished(&found_now, &found_now.shards);
        assert_eq!(reached.place("c").whole_until, Some(now));
        assert_eq!(reached.place("b"), Place::default());
        // One that was not read to its end, and is not listed any more, has lost what it had.
        let without_a = Found { shards: found(&["c"]).shards, ..found_now.clone() };
        let failure = reached.begin(&without_a).unwrap_err();
        assert!(failure.message.contains("what came into a of the stream s between"), "{}", failure.message);
        assert!(failure.message.contains("sequence number 7"), "{}", failure.message);
        // A stream of the same name that was made anew is another one.
        let other = Found { made: now, ..found_now.clone() };
        assert!(reached.begin(&other).unwrap_err().message.contains("made anew"));

        assert!(place(8, false).is_trimmed(found_now.oldest()));
        assert!(!place(6, false).is_trimmed(found_now.oldest()));
        assert!(!Place::default().is_trimmed(found_now.oldest()));
    }
}
