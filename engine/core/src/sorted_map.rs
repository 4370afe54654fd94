//! A small map in one piece of memory.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use viewfold_value::Value;

/// A map in the order of its keys that lies in one piece of memory.
///
/// What one event changes has a few entries, and there are ten thousand events in a batch: a `BTreeMap` takes about a kilobyte
/// for its first entry, this one as much as its entries do. A look-up halves its way, and a new entry moves those behind it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SortedMap<K, V>(Vec<(K, V)>);

/// The attributes of a key, or of a row of bookkeeping. Thousands of them are under way at once.
pub type Attributes = SortedMap<String, Value>;

impl<K: Ord, V> SortedMap<K, V> {
    /// A map without entries.
    pub const fn new() -> SortedMap<K, V> {
        SortedMap(Vec::new())
    }

    /// A map with room for so many entries.
    pub fn with_capacity(entries: usize) -> SortedMap<K, V> {
        SortedMap(Vec::with_capacity(entries))
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The place of a key, or the one where it would be.
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(own, _)| own.borrow().cmp(key))
    }

    /// Makes room for just so many more entries.
    pub fn reserve(&mut self, entries: usize) {
        self.0.reserve_exact(entries);
    }

    /// Gives back the room for entries that never came: a vector takes room for four with the second one.
    pub fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// Puts a new entry into its place. Most maps never have a second one.
    fn put(&mut self, at: usize, key: K, value: V) {
        if self.0.capacity() == 0 {
            self.0.reserve_exact(1);
        }
        self.0.insert(at, (key, value));
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().map(|at| &self.0[at].1)
    }

    /// The value of a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().map(|at| &mut self.0[at].1)
    }

    /// Whether there is an entry with this key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_ok()
    }

    /// Puts a value there; what stood there before is given back.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(&key) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.put(at, key, value);
                None
            }
        }
    }

    /// The value of a key, which is put there first where there is none.
    pub fn get_or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        let at = match self.place(&key) {
            Ok(at) => at,
            Err(at) => {
                self.put(at, key, V::default());
                at
            }
        };
        &mut self.0[at].1
    }

    /// Takes an entry out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().map(|at| self.0.remove(at).1)
    }

    /// Leaves out the entries for which `keeps` is false.
    pub fn retain(&mut self, mut keeps: impl FnMut(&K, &V) -> bool) {
        self.0.retain(|(key, value)| keeps(key, value));
    }

    /// The entries in the order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> + ExactSizeIterator + Clone {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The keys of this map and of another one in their order, each once, with what each map has there.
    pub fn beside<'m>(&'m self, other: &'m Self) -> impl Iterator<Item = (&'m K, Option<&'m V>, Option<&'m V>)> {
        let (mut own, mut others) = (self.0.iter().peekable(), other.0.iter().peekable());
        std::iter::from_fn(move || {
            let order = match (own.peek(), others.peek()) {
                (Some((a, _)), Some((b, _))) => a.cmp(b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return None,
            };
            let first = own.next_if(|_| order.is_le());
            let second = others.next_if(|_| order.is_ge());
            let (key, _) = first.or(second)?;
            Some((key, first.map(|(_, value)| value), second.map(|(_, value)| value)))
        })
    }

    /// The keys in their order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + ExactSizeIterator + Clone {
        self.0.iter().map(|(key, _)| key)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator + Clone {
        self.0.iter().map(|(_, value)| value)
    }
}

impl<K: Ord, V> Default for SortedMap<K, V> {
    fn default() -> SortedMap<K, V> {
        SortedMap::new()
    }
}

impl<K: Ord, V> Extend<(K, V)> for SortedMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            // Entries that come in order are put behind each other.
            match self.0.last() {
                Some((last, _)) if *last >= key => drop(self.insert(key, value)),
                _ => self.0.push((key, value)),
            }
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> SortedMap<K, V> {
        let mut map = SortedMap::new();
        map.extend(entries);
        map
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for SortedMap<K, V> {
    fn from(entries: [(K, V); N]) -> SortedMap<K, V> {
        entries.into_iter().collect()
    }
}

impl<K: Ord, V> From<BTreeMap<K, V>> for SortedMap<K, V> {
    fn from(map: BTreeMap<K, V>) -> SortedMap<K, V> {
        SortedMap(map.into_iter().collect())
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'m, K, V> IntoIterator for &'m SortedMap<K, V> {
    type Item = (&'m K, &'m V);
    type IntoIter = std::iter::Map<std::slice::Iter<'m, (K, V)>, fn(&'m (K, V)) -> (&'m K, &'m V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// It holds what a `BTreeMap` holds, in the same order.
        #[test]
        fn it_is_a_map_in_the_order_of_its_keys(
            first in prop::collection::vec((0u8..20, 0u8..100), 0..20),
            inserted in prop::collection::vec((0u8..20, 0u8..100), 0..20),
            other in prop::collection::btree_map(0u8..20, 0u8..100, 0..20),
            key in 0u8..21,
        ) {
            let other: SortedMap<u8, u8> = other.into_iter().collect();
            let mut map: SortedMap<u8, u8> = first.iter().copied().collect();
            let mut plain: BTreeMap<u8, u8> = first.into_iter().collect();
            for (key, value) in inserted {
                prop_assert_eq!(map.insert(key, value), plain.insert(key, value));
                prop_assert_eq!(map.remove(&(key / 3)), plain.remove(&(key / 3)));
                *map.get_or_default(key / 2) += 1;
                *plain.entry(key / 2).or_default() += 1;
            }
            prop_assert!(map.iter().eq(&plain));
            prop_assert_eq!((map.get(&key), map.contains_key(&key)), (plain.get(&key), plain.contains_key(&key)));
            map.retain(|key, _| key % 3 != 0);
            plain.retain(|key, _| key % 3 != 0);
            prop_assert_eq!((map.len(), map.is_empty()), (plain.len(), plain.is_empty()));
            let all: BTreeMap<&u8, ()> = map.keys().chain(other.keys()).map(|key| (key, ())).collect();
            let pairs = all.into_keys().map(|key| (key, map.get(key), other.get(key)));
            prop_assert!(map.beside(&other).eq(pairs));
            prop_assert!(map.into_iter().eq(plain));
        }
    }
}
