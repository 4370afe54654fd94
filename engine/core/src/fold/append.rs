//! Lists that are appended to, and what they keep.
//!
//! With `by` a list is kept in the order of its elements' `by`, whatever order they arrive in. What they are ordered by
//! is no part of the elements, so it is kept beside the list: a pair of value and event id for each element.

use crate::evaluate::Append;
use std::cmp::Ordering;
use viewfold_value::{Number, Value};

/// What orders an element: the value of `by`, and the event's id where two are equal.
type Order = (Value, String);

/// The list after an element was appended, and, with `by`, what orders its elements.
pub(super) fn append(list: &[Value], orders: Option<&Value>, element: &Append) -> (Vec<Value>, Option<Value>) {
    match &element.by {
        None => (by_arrival(list, element), None),
        Some(order) => {
            let (list, orders) = in_order(list, orders, element, order);
            (list, Some(Value::List(orders.into_iter().map(written).collect())))
        }
    }
}

fn by_arrival(list: &[Value], element: &Append) -> Vec<Value> {
    let mut after: Vec<Value> = list.iter().filter(|other| !replaces(element, other)).cloned().collect();
    after.push(element.value.clone());
    keep_last(&mut after, element.last);
    after
}

fn in_order(
    list: &[Value],
    orders: Option<&Value>,
    element: &Append,
    order: &Order,
) -> (Vec<Value>, Vec<Option<Order>>) {
    // Elements that were there before viewfold are lower than all that came since.
    let orders: Vec<Option<Order>> = match orders {
        Some(Value::List(orders)) => orders.iter().map(read).collect(),
        _ => Vec::new(),
    };
    let unknown = list.len().saturating_sub(orders.len());
    let known = orders.len().saturating_sub(list.len());
    let orders = std::iter::repeat_n(None, unknown).chain(orders.into_iter().skip(known));
    let mut pairs: Vec<(Option<Order>, Value)> = orders.zip(list.iter().cloned()).collect();
    let new = (Some(order.clone()), element.value.clone());
    // Of two elements that are to be unique, the higher one stays.
    match pairs.iter().position(|(_, other)| replaces(element, other)) {
        Some(at) if rank(&pairs[at].0, &new.0) == Ordering::Greater => {}
        Some(at) => {
            pairs.remove(at);
            pairs.push(new);
        }
        None => pairs.push(new),
    }
    pairs.sort_by(|(a, _), (b, _)| rank(a, b));
    keep_last(&mut pairs, element.last);
    let (orders, list) = pairs.into_iter().unzip();
    (list, orders)
}

/// Whether an element takes the place of another one: `unique_by`.
fn replaces(element: &Append, other: &Value) -> bool {
    match (&element.unique_by, &element.value, other) {
        (Some(name), Value::Map(new), Value::Map(old)) => {
            new.get(name).is_some_and(|value| old.get(name) == Some(value))
        }
        _ => false,
    }
}

fn keep_last<T>(list: &mut Vec<T>, last: Option<usize>) {
    if let Some(last) = last
        && list.len() > last
    {
        list.drain(..list.len() - last);
    }
}

fn rank(a: &Option<Order>, b: &Option<Order>) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some((a, a_id)), Some((b, b_id))) => order_of(a).cmp(&order_of(b)).then_with(|| a_id.cmp(b_id)),
    }
}

/// A value of `by`, as it compares: numbers below times below other texts.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum ByValue<'v> {
    Number(Number),
    /// RFC 3339: `10:00:00.5Z` comes behind `10:00:00Z`, which their texts would turn round.
    Time(jiff::Timestamp, &'v str),
    Text(&'v str),
    Other,
}

fn order_of(value: &Value) -> ByValue<'_> {
    match value {
        Value::Number(number) => ByValue::Number(*number),
        Value::String(text) => match text.parse::<jiff::Timestamp>() {
            Ok(time) => ByValue::Time(time, text),
            Err(_) => ByValue::Text(text),
        },
        _ => ByValue::Other,
    }
}

fn written(order: Option<Order>) -> Value {
    match order {
        Some((value, id)) => Value::List(vec![value, Value::String(id)]),
        None => Value::Null,
    }
}

fn read(value: &Value) -> Option<Order> {
    match value {
        Value::List(pair) => match pair.as_slice() {
            [value, Value::String(id)] => Some((value.clone(), id.clone())),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn element(key: u8, by: u32, last: Option<usize>, unique: bool) -> Append {
        let map = [("k".to_owned(), Value::from(&*key.to_string())), ("v".to_owned(), Value::from(&*by.to_string()))];
        Append {
            value: Value::Map(map.into()),
            last,
            by: Some((Value::Number(by.to_string().parse().unwrap()), format!("{by}"))),
            unique_by: unique.then(|| "k".to_owned()),
        }
    }

    fn all(elements: impl IntoIterator<Item = Append>) -> Vec<Value> {
        let (mut list, mut orders) = (Vec::new(), None);
        for element in elements {
            (list, orders) = append(&list, orders.as_ref(), &element);
        }
        list
    }

    proptest! {
        /// With `by`, the list is the same for every order of arrival.
        #[test]
        fn arrival_does_not_matter(
            elements in prop::collection::btree_map(0u32..40, 0u8..4, 0..12),
            last in prop::option::of(1usize..5),
            unique in any::<bool>(),
            seed in any::<u64>(),
        ) {
            let in_order: Vec<Append> = elements.iter().map(|(by, key)| element(*key, *by, last, unique)).collect();
            let mut shuffled = in_order.clone();
            let mut state = seed;
            for at in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                shuffled.swap(at, (state >> 33) as usize % (at + 1));
            }
            prop_assert_eq!(all(in_order), all(shuffled));
        }
    }

    #[test]
    fn what_was_there_before_is_lowest_and_goes_first() {
        let (list, orders) = append(&[Value::from("old")], None, &element(1, 5, Some(2), false));
        assert_eq!(list.len(), 2);
        let (list, _) = append(&list, orders.as_ref(), &element(2, 3, Some(2), false));
        assert!(!list.contains(&Value::from("old")), "{list:?}");
    }

    #[test]
    fn without_by_the_newest_is_last() {
        let new = |text: &str| Append { value: text.into(), last: Some(2), by: None, unique_by: None };
        let (list, orders) = append(&["a".into(), "b".into()], None, &new("c"));
        assert_eq!((list, orders), (vec![Value::from("b"), "c".into()], None));
    }

    #[test]
    fn times_compare_as_times() {
        let late = Some((Value::from("2026-01-01T10:00:00.5Z"), "1".to_owned()));
        let early = Some((Value::from("2026-01-01T10:00:00Z"), "2".to_owned()));
        assert_eq!(rank(&late, &early), Ordering::Greater);
    }
}
