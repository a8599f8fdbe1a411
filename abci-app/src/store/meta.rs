//! What is known of a committed height beside its state.

use super::{
    error::StoreError,
    kv::StoreKey,
    merkle::{self, Hash},
};
use std::collections::BTreeMap;

/// The root of a tree without leaves, as `jmt` defines it.
const EMPTY_ROOT: Hash = *b"SPARSE_MERKLE_PLACEHOLDER_HASH__";

/// A committed height.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meta {
    /// The height; 0 before genesis.
    pub height: u64,
    /// The app hash; empty before genesis.
    pub app_hash: Vec<u8>,
    /// A store's tree: number of changes, and root.
    roots: BTreeMap<u8, (u64, Hash)>,
}

impl Meta {
    /// Every store's name and root, in the order of their names: what the app hash is over.
    pub(super) fn roots(&self) -> Vec<(&'static str, Hash)> {
        StoreKey::ALL
            .iter()
            .map(|s| {
                let root = self.roots.get(&s.tag()).map_or(EMPTY_ROOT, |(_, r)| *r);
                (s.name(), root)
            })
            .collect()
    }

    /// The version that a store's tree gets by its next change: how many it has had.
    pub(super) fn next_version(&self, store: StoreKey) -> u64 {
        self.roots.get(&store.tag()).map_or(0, |(next, _)| *next)
    }

    /// So many more changes of a store's tree.
    pub(super) fn changed(&mut self, store: StoreKey, versions: u64, root: Hash) {
        let next = self.next_version(store) + versions;
        self.roots.insert(store.tag(), (next, root));
    }

    /// The changes are all in: the height, and the hash over all roots.
    pub(super) fn sealed(mut self, height: u64) -> Self {
        self.height = height;
        self.app_hash = merkle::map_root(&self.roots()).to_vec();
        self
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = self.height.to_be_bytes().to_vec();
        out.push(self.app_hash.len().to_le_bytes()[0]);
        out.extend_from_slice(&self.app_hash);
        for (store, (version, root)) in &self.roots {
            out.push(*store);
            out.extend_from_slice(&version.to_be_bytes());
            out.extend_from_slice(root);
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let format = || StoreError::format("a meta record", bytes);
        let (height, rest) = bytes.split_first_chunk::<8>().ok_or_else(format)?;
        let (len, rest) = rest.split_first().ok_or_else(format)?;
        let (app_hash, mut rest) = rest
            .split_at_checked(usize::from(*len))
            .ok_or_else(format)?;
        let mut roots = BTreeMap::new();
        while let Some((store, tail)) = rest.split_first() {
            let (version, tail) = tail.split_first_chunk::<8>().ok_or_else(format)?;
            let (root, tail) = tail.split_first_chunk::<32>().ok_or_else(format)?;
            roots.insert(*store, (u64::from_be_bytes(*version), *root));
            rest = tail;
        }
        Ok(Self {
            height: u64::from_be_bytes(*height),
            app_hash: app_hash.to_vec(),
            roots,
        })
    }
}
