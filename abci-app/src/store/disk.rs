//! The state on disk: one `redb` file, one durable write transaction a height.
//!
//! Tables: the flat state (what execution and queries read), the nodes of one Jellyfish merkle tree a store (what
//! the app hash proves), the preimages of the trees' keys, and the heights. A kill at any instant leaves one whole
//! height, the last or the one before.

use super::{
    kv::StoreKey,
    layers::Writes,
    merkle::{self, Hash},
    snapshot::{Snapshot, Tree},
};
use jmt::{
    JellyfishMerkleTree, KeyHash, OwnedValue,
    storage::{NodeKey, TreeUpdateBatch},
};
use redb::{Database, ReadableDatabase, TableDefinition};
use std::{collections::BTreeMap, path::Path, sync::Arc};
use thiserror::Error;

/// Store byte, then key.
pub(super) const STATE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("state");
/// Store byte, then the node's key.
pub(super) const NODES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("nodes");
/// Store byte, then the key's hash; the key.
pub(super) const PREIMAGES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("preimages");
/// `meta`: the encoded [`Meta`].
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

/// The root of a tree without leaves, as `jmt` defines it.
const EMPTY_ROOT: Hash = *b"SPARSE_MERKLE_PLACEHOLDER_HASH__";

/// Why the state could not be read or written. Never a fault of a transaction: the node has to stop.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The file cannot be opened, read or written.
    #[error("state database: {0}")]
    Database(String),
    /// The commitment tree is broken.
    #[error("commitment tree of store {store}: {error}")]
    Tree {
        /// Which store.
        store: &'static str,
        /// What the tree said.
        error: String,
    },
    /// The file holds something that this version did not write.
    #[error(
        "state database: expected {expected}, found {found}; it was written by another version"
    )]
    Format {
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
}

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(e: E) -> Self {
        Self::Database(e.into().to_string())
    }
}

/// What is known of the last committed height.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meta {
    /// The height; 0 before genesis.
    pub height: u64,
    /// The app hash; empty before genesis.
    pub app_hash: Vec<u8>,
    /// A store's tree: number of changes, and root.
    pub(super) roots: BTreeMap<u8, (u64, Hash)>,
}

impl Meta {
    /// Every store's name and root, in the order of their names: what the app hash is over.
    pub(super) fn roots(&self) -> Vec<(&'static str, Hash)> {
        StoreKey::ALL
            .iter()
            .map(|s| {
                let root = self.roots.get(&tag(*s)).map_or(EMPTY_ROOT, |(_, r)| *r);
                (s.name(), root)
            })
            .collect()
    }
}

/// A height that is computed and not yet durable.
#[derive(Debug)]
pub struct Pending {
    meta: Meta,
    writes: Writes,
    batches: Vec<(StoreKey, TreeUpdateBatch)>,
}

impl Pending {
    /// The app hash of the height.
    pub fn app_hash(&self) -> &[u8] {
        &self.meta.app_hash
    }

    /// The height.
    pub const fn height(&self) -> u64 {
        self.meta.height
    }
}

/// The state database.
pub struct Disk {
    db: Database,
}

pub(super) const fn tag(store: StoreKey) -> u8 {
    match store {
        StoreKey::Auth => 1,
        StoreKey::Bank => 2,
        StoreKey::Consensus => 3,
        StoreKey::Hooks => 4,
        StoreKey::Wasm => 5,
        StoreKey::Authz => 6,
        StoreKey::Distribution => 7,
        StoreKey::Evidence => 8,
        StoreKey::Feegrant => 9,
        StoreKey::Gov => 10,
        StoreKey::Mint => 11,
        StoreKey::Slashing => 12,
        StoreKey::Staking => 13,
    }
}

pub(super) fn prefixed(store: StoreKey, key: &[u8]) -> Vec<u8> {
    let mut k = Vec::with_capacity(key.len() + 1);
    k.push(tag(store));
    k.extend_from_slice(key);
    k
}

impl Disk {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// When it cannot be opened: another process holds it, or it is damaged.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let db = Database::create(path)?;
        let txn = db.begin_write()?;
        txn.open_table(STATE)?;
        txn.open_table(NODES)?;
        txn.open_table(PREIMAGES)?;
        txn.open_table(META)?;
        txn.commit()?;
        Ok(Self { db })
    }

    /// The last committed height.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn meta(&self) -> Result<Meta, StoreError> {
        let table = self.db.begin_read()?.open_table(META)?;
        match table.get("meta")? {
            None => Ok(Meta::default()),
            Some(bytes) => decode_meta(bytes.value()),
        }
    }

    /// The state at the last committed height. It stays as it is, whatever is committed later.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn snapshot(&self) -> Result<Arc<Snapshot>, StoreError> {
        let txn = self.db.begin_read()?;
        let meta = match txn.open_table(META)?.get("meta")? {
            None => Meta::default(),
            Some(bytes) => decode_meta(bytes.value())?,
        };
        Ok(Arc::new(Snapshot::open(txn, meta)?))
    }

    /// Computes the next height's app hash over `writes`; nothing is written yet.
    ///
    /// # Errors
    /// When the file cannot be read or a tree is broken.
    pub fn prepare(&self, height: u64, writes: Writes) -> Result<Pending, StoreError> {
        let mut meta = self.meta()?;
        let txn = self.db.begin_read()?;
        let mut by_store: BTreeMap<StoreKey, Vec<(KeyHash, Option<OwnedValue>)>> = BTreeMap::new();
        for ((store, key), value) in &writes {
            let hash = KeyHash::with::<sha2::Sha256>(key);
            by_store
                .entry(*store)
                .or_default()
                .push((hash, value.clone()));
        }
        let mut batches = Vec::new();
        for (store, changes) in by_store {
            let version = meta.roots.get(&tag(store)).map_or(0, |(next, _)| *next);
            let reader = Tree::open(&txn, store)?;
            let tree = JellyfishMerkleTree::<_, sha2::Sha256>::new(&reader);
            let (root, batch) =
                tree.put_value_set(changes, version)
                    .map_err(|e| StoreError::Tree {
                        store: store.name(),
                        error: format!("{e:#}"),
                    })?;
            meta.roots.insert(tag(store), (version + 1, root.0));
            batches.push((store, batch));
        }
        meta.height = height;
        meta.app_hash = merkle::map_root(&meta.roots()).to_vec();
        Ok(Pending {
            meta,
            writes,
            batches,
        })
    }

    /// Makes a height durable: one transaction, on disk when this returns.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn commit(&self, pending: &Pending) -> Result<(), StoreError> {
        let txn = self.db.begin_write()?;
        {
            let mut state = txn.open_table(STATE)?;
            let mut preimages = txn.open_table(PREIMAGES)?;
            for ((store, key), value) in &pending.writes {
                let k = prefixed(*store, key);
                let hash = prefixed(*store, &KeyHash::with::<sha2::Sha256>(key).0);
                match value {
                    Some(v) => {
                        state.insert(k.as_slice(), v.as_slice())?;
                        preimages.insert(hash.as_slice(), key.as_slice())?;
                    }
                    None => {
                        state.remove(k.as_slice())?;
                        preimages.remove(hash.as_slice())?;
                    }
                }
            }
            let mut nodes = txn.open_table(NODES)?;
            for (store, batch) in &pending.batches {
                let encode = |key: &NodeKey| borsh::to_vec(key).map(|k| prefixed(*store, &k));
                let tree = |e: std::io::Error| StoreError::Tree {
                    store: store.name(),
                    error: e.to_string(),
                };
                for (key, node) in batch.node_batch.nodes() {
                    let (key, node) = (
                        encode(key).map_err(tree)?,
                        borsh::to_vec(node).map_err(tree)?,
                    );
                    nodes.insert(key.as_slice(), node.as_slice())?;
                }
                for stale in &batch.stale_node_index_batch {
                    let key = encode(&stale.node_key).map_err(tree)?;
                    nodes.remove(key.as_slice())?;
                }
            }
            txn.open_table(META)?
                .insert("meta", encode_meta(&pending.meta).as_slice())?;
        }
        txn.commit()?;
        Ok(())
    }
}

fn encode_meta(m: &Meta) -> Vec<u8> {
    let mut out = m.height.to_be_bytes().to_vec();
    out.push(m.app_hash.len().to_le_bytes()[0]);
    out.extend_from_slice(&m.app_hash);
    for (store, (version, root)) in &m.roots {
        out.push(*store);
        out.extend_from_slice(&version.to_be_bytes());
        out.extend_from_slice(root);
    }
    out
}

fn decode_meta(bytes: &[u8]) -> Result<Meta, StoreError> {
    let format = || StoreError::Format {
        expected: "a meta record",
        found: format!("{} bytes", bytes.len()),
    };
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
    Ok(Meta {
        height: u64::from_be_bytes(*height),
        app_hash: app_hash.to_vec(),
        roots,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Base, Layers, Order};

    fn write(disk: &Disk, height: u64, pairs: &[(&[u8], Option<&[u8]>)]) -> Pending {
        let writes = pairs
            .iter()
            .map(|(k, v)| ((StoreKey::Bank, k.to_vec()), v.map(<[u8]>::to_vec)))
            .collect();
        disk.prepare(height, writes).unwrap()
    }

    #[test]
    fn a_height_is_there_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("application.db");
        let disk = Disk::open(&path).unwrap();
        let one = write(&disk, 1, &[(b"a", Some(b"1")), (b"b", Some(b"2"))]);
        disk.commit(&one).unwrap();
        // Prepared and never committed: gone after a restart.
        let two = write(&disk, 2, &[(b"a", None), (b"c", Some(b"3"))]);
        drop(disk);
        let disk = Disk::open(&path).unwrap();
        assert_eq!(disk.meta().unwrap().height, 1);
        assert_eq!(disk.meta().unwrap().app_hash, one.app_hash());
        // The same writes give the same hash again.
        let again = write(&disk, 2, &[(b"a", None), (b"c", Some(b"3"))]);
        assert_eq!(again.app_hash(), two.app_hash());
        disk.commit(&again).unwrap();
        let layers = Layers::new(disk.snapshot().unwrap());
        assert_eq!(
            layers.scan(StoreKey::Bank, b"", None),
            vec![
                (b"b".to_vec(), b"2".to_vec()),
                (b"c".to_vec(), b"3".to_vec())
            ]
        );
    }

    #[test]
    fn the_hash_is_of_the_state_and_a_snapshot_stays() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::open(&dir.path().join("a.db")).unwrap();
        disk.commit(&write(&disk, 1, &[(b"a", Some(b"1"))]))
            .unwrap();
        let before = disk.snapshot().unwrap();
        let first = disk.meta().unwrap().app_hash;
        disk.commit(&write(&disk, 2, &[])).unwrap();
        assert_eq!(
            disk.meta().unwrap().app_hash,
            first,
            "a block without writes keeps the hash"
        );
        disk.commit(&write(&disk, 3, &[(b"a", Some(b"2"))]))
            .unwrap();
        assert_ne!(disk.meta().unwrap().app_hash, first);
        disk.commit(&write(&disk, 4, &[(b"a", Some(b"1"))]))
            .unwrap();
        assert_eq!(
            disk.meta().unwrap().app_hash,
            first,
            "the same state has the same hash, whatever its history"
        );
        assert_eq!(before.get(StoreKey::Bank, b"a"), Some(b"1".to_vec()));
        assert_eq!(
            before.seek(StoreKey::Bank, b"", None, Order::Descending),
            Some((b"a".to_vec(), b"1".to_vec()))
        );
        assert_eq!(
            before.seek(StoreKey::Auth, b"", None, Order::Ascending),
            None
        );
    }
}
