//! A table page by page, in segments that can be read side by side, each to be taken up again where it ended.

use crate::attribute::{item_from_sdk, item_to_sdk};
use crate::cost;
use crate::inspect::Unread;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use viewfold_value::Item;

/// A part of a table, as [parallel scans] divide it.
///
/// [parallel scans]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html#Scan.ParallelScan
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Segment {
    /// Its number, from 0.
    pub number: u32,
    /// How many there are, at most 1,000,000.
    pub of: u32,
}

/// Items of a segment: up to 1 MB of the table.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The items.
    pub items: Vec<Item>,
    /// The key behind which the next page begins; none where this is the last one.
    pub next: Option<Item>,
    /// The read units that it took: by DynamoDB's own word, or else by the items' size.
    pub read_units: f64,
}

/// Reads a page, behind `from` and of at most `most` items where these are given.
///
/// The read is [eventually consistent], which takes half the units: what it misses is in the stream.
///
/// [eventually consistent]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
///
/// # Errors
///
/// When the table could not be read, and when it holds a value that is none of DynamoDB's.
pub async fn page(
    client: &Client,
    table: &str,
    segment: Segment,
    from: Option<&Item>,
    most: Option<u32>,
) -> Result<Page, Unread> {
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let request = client
        .scan()
        .table_name(table)
        .set_exclusive_start_key(from.map(item_to_sdk))
        .set_limit(most.map(number))
        .return_consumed_capacity(ReturnConsumedCapacity::Total);
    let request = match segment.of {
        0 | 1 => request,
        of => request.segment(number(segment.number)).total_segments(number(of)),
    };
    let answer = request.send().await.map_err(|error| Unread::of("dynamodb:Scan", &error))?;
    let read = |item: &_| item_from_sdk(item).map_err(|error| Unread::Refused(error.to_string()));
    let items = answer.items().iter().map(read).collect::<Result<Vec<Item>, Unread>>()?;
    let next = answer.last_evaluated_key().map(read).transpose()?;
    let told = answer.consumed_capacity().and_then(|capacity| capacity.capacity_units()).filter(|units| *units > 0.0);
    let read_units = told.unwrap_or_else(|| cost::query_units(&items) as f64 / 2.0);
    Ok(Page { items, next, read_units })
}
