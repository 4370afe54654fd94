//! What requests take: how many there are, how often they are tried, and the units that DynamoDB says they took.
//!
//! A [`Meter`] goes with the task that sends a request, and the client of a [metered store](crate::Store::metered) writes down
//! in it what it does. What has been counted stays counted, also where the task is given up.

use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextMut, BeforeSerializationInterceptorContextRef,
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemInput, DeleteItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use viewfold_core::program::Program;

/// What requests took.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Spent {
    /// Requests; one that was tried again counts once, and each page of a query is one.
    pub requests: u64,
    /// Attempts beyond the first of each request, those that the SDK makes by itself included.
    pub retries: u64,
    /// Write units, as far as DynamoDB says: it does not for a write whose condition failed.
    pub write_units: f64,
    /// Attempts that met another writer's transaction on the same item.
    pub conflicts: u64,
}

impl std::ops::AddAssign for Spent {
    fn add_assign(&mut self, more: Spent) {
        self.requests += more.requests;
        self.retries += more.retries;
        self.write_units += more.write_units;
        self.conflicts += more.conflicts;
    }
}

/// Where it is written down what requests take.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    /// Calls of the client.
    calls: u64,
    /// Those of them that sent what had been sent before.
    again: u64,
    /// What went over the wire.
    attempts: u64,
    write_units: f64,
    conflicts: u64,
}

tokio::task_local! {
    /// The meter of the request that the task sends.
    static METER: Meter;
}

impl Meter {
    /// Writes down what the requests take that something sends.
    pub async fn measure<F: Future>(&self, sends: F) -> F::Output {
        METER.scope(self.clone(), sends).await
    }

    /// What has been written down so far.
    pub fn spent(&self) -> Spent {
        let Counted { calls, again, attempts, write_units, conflicts } = *self.counted();
        let requests = calls.saturating_sub(again);
        Spent { requests, retries: attempts.saturating_sub(requests), write_units, conflicts }
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The meters of a batch.
#[derive(Clone, Debug)]
pub struct Meters {
    /// For requests that are of no projection: those for the open dead letters of all.
    shared: Meter,
    by_projection: Vec<Meter>,
}

impl Meters {
    /// Meters at zero.
    pub fn new(program: &Program) -> Meters {
        Meters {
            shared: Meter::default(),
            by_projection: program.projections.iter().map(|_| Meter::default()).collect(),
        }
    }

    /// The meter of a projection's requests, by its number; or of those that are of none.
    pub(crate) fn of(&self, projection: Option<usize>) -> &Meter {
        projection.and_then(|number| self.by_projection.get(number)).unwrap_or(&self.shared)
    }

    /// What each projection's requests took, in the program's order.
    pub fn by_projection(&self) -> impl Iterator<Item = Spent> {
        self.by_projection.iter().map(Meter::spent)
    }

    /// What all requests took.
    pub fn total(&self) -> Spent {
        let mut total = self.shared.spent();
        self.by_projection().for_each(|spent| total += spent);
        total
    }
}

/// What was sent is sent again.
pub(crate) fn note_again() {
    note(|counted| counted.again += 1);
}

/// An attempt met another writer's transaction.
pub(crate) fn note_conflict() {
    note(|counted| counted.conflicts += 1);
}

/// Outside of [`Meter::measure`] nothing is written down.
fn note(change: impl FnOnce(&mut Counted)) {
    let _ = METER.try_with(|meter| change(&mut meter.counted()));
}

/// Writes down what a client does, in the meter of the task.
#[derive(Debug)]
pub(crate) struct Measure;

impl Intercept for Measure {
    fn name(&self) -> &'static str {
        "viewfold-meter"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        note(|counted| counted.calls += 1);
        Ok(())
    }

    /// Asks for what writes take; what reads take is in no metric.
    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input_mut();
        let asked = if let Some(input) = input.downcast_mut::<UpdateItemInput>() {
            &mut input.return_consumed_capacity
        } else if let Some(input) = input.downcast_mut::<TransactWriteItemsInput>() {
            &mut input.return_consumed_capacity
        } else if let Some(input) = input.downcast_mut::<PutItemInput>() {
            &mut input.return_consumed_capacity
        } else if let Some(input) = input.downcast_mut::<DeleteItemInput>() {
            &mut input.return_consumed_capacity
        } else {
            return Ok(());
        };
        *asked = Some(ReturnConsumedCapacity::Total);
        Ok(())
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        note(|counted| counted.attempts += 1);
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Ok(output)) = context.output_or_error() else { return Ok(()) };
        let units = if let Some(output) = output.downcast_ref::<UpdateItemOutput>() {
            units(output.consumed_capacity())
        } else if let Some(output) = output.downcast_ref::<TransactWriteItemsOutput>() {
            units(output.consumed_capacity())
        } else if let Some(output) = output.downcast_ref::<PutItemOutput>() {
            units(output.consumed_capacity())
        } else if let Some(output) = output.downcast_ref::<DeleteItemOutput>() {
            units(output.consumed_capacity())
        } else {
            0.0
        };
        note(|counted| counted.write_units += units);
        Ok(())
    }
}

/// The write units of a write's tables. A transaction that comes again under its token only reads, and says so.
fn units<'c>(capacities: impl IntoIterator<Item = &'c ConsumedCapacity>) -> f64 {
    let units = capacities.into_iter().map(|capacity| match capacity.read_capacity_units() {
        Some(reads) if reads > 0.0 => capacity.write_capacity_units().unwrap_or(0.0),
        _ => capacity.write_capacity_units().or(capacity.capacity_units()).unwrap_or(0.0),
    });
    units.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_under_its_token_again_takes_no_write_units() {
        let write = ConsumedCapacity::builder().capacity_units(4.0).build();
        let told_apart = ConsumedCapacity::builder().capacity_units(2.0).write_capacity_units(2.0).build();
        let again = ConsumedCapacity::builder().capacity_units(2.0).read_capacity_units(2.0).build();
        assert!((units([&write, &told_apart, &again]) - 6.0).abs() < f64::EPSILON);
        assert!(units(None).abs() < f64::EPSILON);
    }
}
