//! A contract's storage as one map, which remembers what a call changed so that the call can be undone.

use cosmwasm_std::{Order, Record, Storage};
use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Included, Unbounded},
};

/// One key that a call changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The whole key.
    pub key: Vec<u8>,
    /// What it held before.
    pub old: Option<Vec<u8>>,
    /// What it holds now.
    pub new: Option<Vec<u8>>,
}

impl Change {
    /// The id of the record, when it is one of the cw-storage-plus map `namespace` with `u64` keys.
    pub fn id_in(&self, namespace: &str) -> Option<u64> {
        let len = u16::try_from(namespace.len()).ok()?.to_be_bytes();
        let id = self
            .key
            .strip_prefix(&len)?
            .strip_prefix(namespace.as_bytes())?;
        Some(u64::from_be_bytes(id.try_into().ok()?))
    }
}

/// The storage.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Store {
    map: BTreeMap<Vec<u8>, Vec<u8>>,
    undo: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Store {
    /// Ends a call that went well: what it changed, by key. A key written with what it held already is not among it.
    pub fn commit(&mut self) -> Vec<Change> {
        let mut first = BTreeMap::new();
        for (key, old) in std::mem::take(&mut self.undo) {
            first.entry(key).or_insert(old);
        }
        let changes = first.into_iter().map(|(key, old)| Change {
            new: self.map.get(&key).cloned(),
            key,
            old,
        });
        changes.filter(|c| c.old != c.new).collect()
    }

    /// Ends a call that failed: everything is as before.
    pub fn roll_back(&mut self) {
        while let Some((key, old)) = self.undo.pop() {
            match old {
                Some(value) => self.map.insert(key, value),
                None => self.map.remove(&key),
            };
        }
    }
}

impl Storage for Store {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.map.get(key).cloned()
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        assert!(!value.is_empty(), "the chain refuses empty values");
        let old = self.map.insert(key.to_vec(), value.to_vec());
        self.undo.push((key.to_vec(), old));
    }

    fn remove(&mut self, key: &[u8]) {
        let old = self.map.remove(key);
        self.undo.push((key.to_vec(), old));
    }

    fn range<'a>(
        &'a self,
        start: Option<&[u8]>,
        end: Option<&[u8]>,
        order: Order,
    ) -> Box<dyn Iterator<Item = Record> + 'a> {
        if start.zip(end).is_some_and(|(s, e)| s >= e) {
            return Box::new(std::iter::empty());
        }
        let bounds = (
            start.map_or(Unbounded, Included),
            end.map_or(Unbounded, Excluded),
        );
        let rows = self
            .map
            .range::<[u8], _>(bounds)
            .map(|(k, v)| (k.clone(), v.clone()));
        match order {
            Order::Ascending => Box::new(rows),
            Order::Descending => Box::new(rows.rev()),
        }
    }
}
