//! The shards of a stream, and which come before which.

use super::unreadable;
use crate::output::Failure;
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::error::DisplayErrorContext;
use std::collections::BTreeSet;

/// A shard that is listed: open, or closed and not yet older than what the stream retains.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Shard {
    /// Its id, `shardId-000000000000`.
    pub(crate) id: String,
    /// Those that it was split off from, or merged of: what they have of a partition key is older.
    pub(crate) parents: Vec<String>,
    /// Whether nothing comes into it any more.
    pub(crate) is_closed: bool,
}

/// All shards of a stream, over as many answers as it takes.
pub(super) async fn of(client: &Client, stream: &str) -> Result<Vec<Shard>, Failure> {
    let mut shards = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let request = client.list_shards();
        // A token stands for the stream, too, and neither goes with the other.
        let request = match token.take() {
            Some(token) => request.next_token(token),
            None => request.stream_name(stream),
        };
        let answer = request.send().await.map_err(|error| unreadable(stream, &DisplayErrorContext(&error)))?;
        for shard in answer.shards.unwrap_or_default() {
            let parents = [shard.parent_shard_id, shard.adjacent_parent_shard_id];
            let is_closed = shard.sequence_number_range.is_some_and(|range| range.ending_sequence_number.is_some());
            shards.push(Shard { id: shard.shard_id, parents: parents.into_iter().flatten().collect(), is_closed });
        }
        token = answer.next_token;
        if token.is_none() {
            return Ok(closed_where_children_are(shards));
        }
    }
}

/// Answers are of different moments: a shard was open in one, and its children are in a later one. Whoever has children is
/// closed, and has to be read to its very end before them.
fn closed_where_children_are(mut shards: Vec<Shard>) -> Vec<Shard> {
    let parents: BTreeSet<String> = shards.iter().flat_map(|shard| shard.parents.iter().cloned()).collect();
    for shard in &mut shards {
        shard.is_closed |= parents.contains(&shard.id);
    }
    shards
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_children_is_closed() {
        let shard = |id: &str, parents: &[&str]| Shard {
            id: id.to_owned(),
            parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
            is_closed: false,
        };
        let shards = closed_where_children_are(vec![shard("0", &[]), shard("1", &[]), shard("2", &["0"])]);
        let closed: Vec<bool> = shards.iter().map(|shard| shard.is_closed).collect();
        assert_eq!(closed, [true, false, false]);
    }
}
