//! The tables of the state database and how their keys are written.

use super::{error::StoreError, kv::StoreKey};
use jmt::storage::NodeKey;
use redb::{ReadOnlyTable, TableDefinition};

pub(super) type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;
pub(super) type ByHeight = TableDefinition<'static, u64, &'static [u8]>;
pub(super) type Table = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// A key and its value.
pub(super) type Pair = (Vec<u8>, Vec<u8>);

/// The newest state: store byte, then key.
pub(super) const STATE: Definition = TableDefinition::new("state");
/// Nodes of the trees, of every kept height: store byte, then the node's key.
pub(super) const NODES: Definition = TableDefinition::new("nodes");
/// Store byte, then the key's hash; the key. Those of the newest state and of the history.
pub(super) const PREIMAGES: Definition = TableDefinition::new("preimages");
/// What a key was before a height changed it: [`history_key`]; [`history_value`].
pub(super) const HISTORY: Definition = TableDefinition::new("history");
/// What a height changed: an encoded [`Undo`].
pub(super) const UNDO: ByHeight = TableDefinition::new("undo");
/// The kept heights: an encoded [`super::meta::Meta`].
pub(super) const METAS: ByHeight = TableDefinition::new("metas");
/// `meta`: the newest height's.
pub(super) const META: TableDefinition<'static, &'static str, &'static [u8]> =
    TableDefinition::new("meta");

/// A key with its store before it.
pub(super) fn prefixed(store: StoreKey, key: &[u8]) -> Vec<u8> {
    let mut k = Vec::with_capacity(key.len() + 1);
    k.push(store.tag());
    k.extend_from_slice(key);
    k
}

/// A node's key: store byte, version, number of nibbles, nibbles. Nodes of one version lie together, the newest at the
/// end.
pub(super) fn node_key(store: StoreKey, key: &NodeKey) -> Vec<u8> {
    let mut k = vec![store.tag()];
    k.extend_from_slice(&key.version().to_be_bytes());
    // A path has at most 64.
    k.push(key.nibble_path().num_nibbles().to_le_bytes()[0]);
    let mut nibbles = key.nibble_path().nibbles().map(u8::from);
    while let Some(high) = nibbles.next() {
        k.push(high << 4 | nibbles.next().unwrap_or(0));
    }
    k
}

/// Where a key's records begin: zeros are escaped and two zeros end it, so that one key's records lie together and
/// keys keep their order.
pub(super) fn history_start(prefixed: &[u8]) -> Vec<u8> {
    let mut k = Vec::with_capacity(prefixed.len() + 10);
    for byte in prefixed {
        k.push(*byte);
        if *byte == 0 {
            k.push(0xff);
        }
    }
    k.extend_from_slice(&[0, 0]);
    k
}

/// The record of a key's change at a height.
pub(super) fn history_key(prefixed: &[u8], height: u64) -> Vec<u8> {
    let mut k = history_start(prefixed);
    k.extend_from_slice(&height.to_be_bytes());
    k
}

/// The key, with its store, that a record is of.
pub(super) fn history_of(record: &[u8]) -> Result<Vec<u8>, StoreError> {
    let bad = || StoreError::format("a record of history", record);
    let escaped = record
        .len()
        .checked_sub(10)
        .and_then(|n| record.get(..n))
        .ok_or_else(bad)?;
    let mut key = Vec::with_capacity(escaped.len());
    let mut bytes = escaped.iter();
    while let Some(byte) = bytes.next() {
        key.push(*byte);
        if *byte == 0 && bytes.next() != Some(&0xff) {
            return Err(bad());
        }
    }
    Ok(key)
}

/// A value before a change: a byte that says whether there was one, then the value.
pub(super) fn history_value(before: Option<&[u8]>) -> Vec<u8> {
    before.map_or_else(|| vec![0], |v| [&[1], v].concat())
}

/// The other way of [`history_value`].
pub(super) fn before(record: &[u8]) -> Result<Option<&[u8]>, StoreError> {
    match record.split_first() {
        Some((0, [])) => Ok(None),
        Some((1, value)) => Ok(Some(value)),
        _ => Err(StoreError::format("a value of history", record)),
    }
}

/// What goes when a height is pruned.
#[derive(Debug, Default, PartialEq, Eq, borsh::BorshSerialize, borsh::BorshDeserialize)]
pub(super) struct Undo {
    /// The keys that the height changed, each with its store.
    pub keys: Vec<Vec<u8>>,
    /// The nodes that the height made stale, each with its store.
    pub nodes: Vec<Vec<u8>>,
}

impl Undo {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        borsh::from_slice(bytes).map_err(|_| StoreError::format("an undo record", bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn records_keep_the_order_of_keys_and_heights(
            a in prop::collection::vec(prop_oneof![Just(0u8), Just(0xff), any::<u8>()], 1..6),
            b in prop::collection::vec(prop_oneof![Just(0u8), Just(0xff), any::<u8>()], 1..6),
            x: u64, y: u64,
        ) {
            let (one, two) = (history_key(&a, x), history_key(&b, y));
            prop_assert_eq!(one.cmp(&two), (&a, x).cmp(&(&b, y)));
            prop_assert_eq!(history_of(&one).unwrap(), a);
        }
    }

    #[test]
    fn no_value_is_not_an_empty_value() {
        for value in [None, Some(&b""[..]), Some(b"v")] {
            assert_eq!(before(&history_value(value)).unwrap(), value);
        }
        assert!(before(&[]).is_err() && before(&[0, 1]).is_err() && before(&[7]).is_err());
    }
}
