//! Reading the state as it was: the newest state, and the records of what later heights changed.

use super::{
    error::StoreError,
    kv::Order,
    tables::{HISTORY, Pair, Table, before, history_key, history_of, history_start},
};
use redb::ReadTransaction;

/// A past height's view. Keys are with their store.
pub(super) struct Past {
    height: u64,
    records: Table,
}

impl Past {
    pub(super) fn open(txn: &ReadTransaction, height: u64) -> Result<Self, StoreError> {
        Ok(Self {
            height,
            records: txn.open_table(HISTORY)?,
        })
    }

    /// A key's value: before the first change after the height, else the newest.
    pub(super) fn get(&self, state: &Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        // A height has at most the change of its own block, so the first that counts is the next height's.
        let from = history_key(key, self.height.saturating_add(1));
        let to = history_key(key, u64::MAX);
        match self.records.range(from.as_slice()..=to.as_slice())?.next() {
            Some(record) => Ok(before(record?.1.value())?.map(<[u8]>::to_vec)),
            None => Ok(state.get(key)?.map(|v| v.value().to_vec())),
        }
    }

    /// The first or last pair in `[from, to)`: of all keys that are or were there, those that had a value.
    pub(super) fn seek(
        &self,
        state: &Table,
        mut from: Vec<u8>,
        mut to: Vec<u8>,
        order: Order,
    ) -> Result<Option<Pair>, StoreError> {
        while from < to {
            let newest = match order {
                Order::Ascending => state.range(from.as_slice()..to.as_slice())?.next(),
                Order::Descending => state.range(from.as_slice()..to.as_slice())?.next_back(),
            };
            let newest = newest.transpose()?.map(|(k, _)| k.value().to_vec());
            let (start, end) = (history_start(&from), history_start(&to));
            let mut range = self.records.range(start.as_slice()..end.as_slice())?;
            let changed = match order {
                Order::Ascending => range.next(),
                Order::Descending => range.next_back(),
            };
            let changed = changed.transpose()?.map(|(k, _)| history_of(k.value()));
            let key = match (newest, changed.transpose()?) {
                (None, None) => return Ok(None),
                (Some(k), None) | (None, Some(k)) => k,
                (Some(a), Some(b)) => match order {
                    Order::Ascending => a.min(b),
                    Order::Descending => a.max(b),
                },
            };
            if let Some(value) = self.get(state, &key)? {
                return Ok(Some((key, value)));
            }
            match order {
                Order::Ascending => {
                    from = key;
                    from.push(0);
                }
                Order::Descending => to = key,
            }
        }
        Ok(None)
    }
}
