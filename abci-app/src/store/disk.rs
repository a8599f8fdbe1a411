//! The state on disk: one `redb` file, one durable write transaction a height.
//!
//! Tables: the flat state (what execution and queries read), the nodes of one Jellyfish merkle tree a store (what
//! the app hash proves), the preimages of the trees' keys, and, for every kept height, what it changed. A kill at any
//! instant leaves one whole height, the last or the one before.

use super::{
    error::StoreError,
    kv::StoreKey,
    layers::Writes,
    meta::Meta,
    pruning::Pruning,
    snapshot::Snapshot,
    tables::{
        HISTORY, META, METAS, NODES, PREIMAGES, STATE, UNDO, Undo, history_key, history_start,
        history_value, node_key, prefixed,
    },
    trees::{self, Growth},
};
use jmt::KeyHash;
use parking_lot::Mutex;
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, WriteTransaction};
use std::{path::Path, sync::Arc};

/// Bytes of the file that are kept in memory. The system keeps what it read too, so a larger one saves little.
const CACHE: usize = 128 << 20;

/// How the tables are written; it changes when a file of before cannot be read.
const FORMAT: &[u8] = &[2];

/// How many heights one commit prunes at most: a change from `nothing` to `everything` takes many blocks, and none of
/// them is slow.
const PRUNED_AT_ONCE: usize = 2;

/// A height that is computed and not yet durable.
#[derive(Debug)]
pub struct Pending {
    meta: Meta,
    writes: Writes,
    trees: Vec<(StoreKey, Growth)>,
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
    pruning: Pruning,
    /// A height that is being read bit by bit, and stays while it is.
    held: Mutex<Option<u64>>,
}

fn preimage_key(store: StoreKey, key: &[u8]) -> Vec<u8> {
    prefixed(store, &KeyHash::with::<sha2::Sha256>(key).0)
}

impl Disk {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// When it cannot be opened: another process holds it, or it is damaged.
    pub fn open(path: &Path, pruning: Pruning) -> Result<Self, StoreError> {
        let db = Database::builder().set_cache_size(CACHE).create(path)?;
        let disk = Self {
            db,
            pruning,
            held: Mutex::new(None),
        };
        let txn = disk.db.begin_write()?;
        for table in [STATE, NODES, PREIMAGES, HISTORY] {
            txn.open_table(table)?;
        }
        txn.open_table(UNDO)?;
        txn.open_table(METAS)?;
        {
            let mut meta = txn.open_table(META)?;
            let known = meta.get("format")?.map(|f| f.value().to_vec());
            if known.is_none() && meta.is_empty()? {
                meta.insert("format", FORMAT)?;
            } else if known.as_deref() != Some(FORMAT) {
                return Err(StoreError::Format {
                    expected: "format 2",
                    found: format!("format {:?}", known.unwrap_or_else(|| vec![1])),
                });
            }
        }
        txn.commit()?;
        Ok(disk)
    }

    /// The last committed height.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn meta(&self) -> Result<Meta, StoreError> {
        newest(&self.db.begin_read()?)
    }

    /// The state at the last committed height. It stays as it is, whatever is committed later.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn snapshot(&self) -> Result<Arc<Snapshot>, StoreError> {
        let txn = self.db.begin_read()?;
        let meta = newest(&txn)?;
        Ok(Arc::new(Snapshot::newest(txn, meta)?))
    }

    /// The state at a height; `None` when it is not kept.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn at(&self, height: u64) -> Result<Option<Arc<Snapshot>>, StoreError> {
        let txn = self.db.begin_read()?;
        let meta = txn
            .open_table(METAS)?
            .get(height)?
            .map(|bytes| Meta::decode(bytes.value()))
            .transpose()?;
        let snapshot = meta.map(|meta| Snapshot::past(txn, meta)).transpose()?;
        Ok(snapshot.map(Arc::new))
    }

    /// The oldest height that is kept; 0 before the first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn oldest(&self) -> Result<u64, StoreError> {
        let metas = self.db.begin_read()?.open_table(METAS)?;
        Ok(metas.first()?.map_or(0, |(height, _)| height.value()))
    }

    /// Computes the next height's app hash over `writes`; nothing is written yet.
    ///
    /// # Errors
    /// When the file cannot be read or a tree is broken.
    pub fn prepare(&self, height: u64, writes: Writes) -> Result<Pending, StoreError> {
        let below = self.snapshot()?;
        let mut meta = below.meta().clone();
        let trees = trees::grow(&below, &writes)?;
        for (store, growth) in &trees {
            meta.changed(*store, growth.versions, growth.root);
        }
        Ok(Pending {
            meta: meta.sealed(height),
            writes,
            trees,
        })
    }

    /// Makes a height durable: one transaction, on disk when this returns. Heights that are no longer to be kept go with
    /// it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn commit(&self, pending: &Pending) -> Result<(), StoreError> {
        let txn = self.db.begin_write()?;
        let height = pending.meta.height;
        // Nobody can ask before the first height, whose genesis may have a million keys: it needs no history.
        let first = txn.open_table(METAS)?.first()?.is_none();
        let undo = apply(&txn, pending, !first)?;
        let undo = borsh::to_vec(&undo).map_err(|e| StoreError::Database(e.to_string()))?;
        txn.open_table(UNDO)?.insert(height, undo.as_slice())?;
        let meta = pending.meta.encode();
        txn.open_table(METAS)?.insert(height, meta.as_slice())?;
        txn.open_table(META)?.insert("meta", meta.as_slice())?;
        self.prune(&txn, height)?;
        txn.commit()?;
        Ok(())
    }

    /// Adds to a state that has no height yet, and for which [`Self::settle`] will set one: a snapshot's parts.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn fill(&self, writes: Writes) -> Result<(), StoreError> {
        let pending = self.prepare(0, writes)?;
        let txn = self.db.begin_write()?;
        let undo = apply(&txn, &pending, false)?;
        {
            let mut nodes = txn.open_table(NODES)?;
            for node in &undo.nodes {
                nodes.remove(node.as_slice())?;
            }
            let mut meta = txn.open_table(META)?;
            meta.insert("meta", pending.meta.encode().as_slice())?;
        }
        txn.commit()?;
        Ok(())
    }

    /// Sets the height of a state that was filled, the only one that is kept; its app hash.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn settle(&self, height: u64) -> Result<Vec<u8>, StoreError> {
        let meta = self.meta()?.sealed(height);
        let (txn, bytes) = (self.db.begin_write()?, meta.encode());
        txn.open_table(METAS)?.insert(height, bytes.as_slice())?;
        txn.open_table(META)?.insert("meta", bytes.as_slice())?;
        txn.commit()?;
        Ok(meta.app_hash)
    }

    /// Keeps a height, and those above it, until a [`Hold`] is dropped. One at a time.
    pub fn hold(&self, height: u64) {
        *self.held.lock() = Some(height);
    }

    /// What ends the keeping of [`Self::hold`] when it is dropped.
    #[must_use]
    pub const fn held(&self) -> Hold<'_> {
        Hold(self)
    }

    /// Drops what only heights need that are no longer to be kept.
    fn prune(&self, txn: &WriteTransaction, newest: u64) -> Result<(), StoreError> {
        let held = self.held.lock().unwrap_or(u64::MAX);
        let oldest = self.pruning.oldest(newest).min(held);
        let mut metas = txn.open_table(METAS)?;
        for _ in 0..PRUNED_AT_ONCE {
            match metas.first()? {
                Some((height, _)) if height.value() < oldest => {}
                _ => break,
            }
            metas.pop_first()?;
            // Nothing is asked below the next height any more, so what it changed need not be undone.
            let next = metas.first()?.map(|(height, _)| height.value());
            if let Some(next) = next {
                forget(txn, next)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
impl Disk {
    /// Records of history, and preimages of keys that the newest state does not have.
    pub(super) fn leftovers(&self) -> Result<(u64, u64), StoreError> {
        let txn = self.db.begin_read()?;
        let count = |table| Ok::<_, StoreError>(txn.open_table(table)?.len()?);
        Ok((count(HISTORY)?, count(PREIMAGES)? - count(STATE)?))
    }
}

fn newest(txn: &redb::ReadTransaction) -> Result<Meta, StoreError> {
    let table = txn.open_table(META)?;
    let meta = table.get("meta")?;
    meta.map_or_else(|| Ok(Meta::default()), |bytes| Meta::decode(bytes.value()))
}

/// Writes a height's state and trees; what is to be forgotten with the heights before it. With `past`, what was there
/// before stays on record.
fn apply(txn: &WriteTransaction, pending: &Pending, past: bool) -> Result<Undo, StoreError> {
    let mut undo = Undo::default();
    let mut state = txn.open_table(STATE)?;
    let mut history = txn.open_table(HISTORY)?;
    let mut preimages = txn.open_table(PREIMAGES)?;
    for ((store, key), value) in &pending.writes {
        let k = prefixed(*store, key);
        let before = match value {
            Some(v) => {
                let before = state.insert(k.as_slice(), v.as_slice())?;
                // A key that is there has its preimage.
                if before.is_none() {
                    preimages.insert(preimage_key(*store, key).as_slice(), key.as_slice())?;
                }
                before
            }
            None => state.remove(k.as_slice())?,
        };
        let before = before.as_ref().map(redb::AccessGuard::value);
        if !past || before == value.as_deref() {
            continue;
        }
        let record = history_value(before);
        history.insert(
            history_key(&k, pending.meta.height).as_slice(),
            record.as_slice(),
        )?;
        undo.keys.push(k);
    }
    let mut nodes = txn.open_table(NODES)?;
    for (store, growth) in &pending.trees {
        for (key, node) in &growth.nodes {
            let node = borsh::to_vec(node).map_err(|e| StoreError::tree(*store, e))?;
            nodes.insert(node_key(*store, key).as_slice(), node.as_slice())?;
        }
        let stale = growth.stale.iter().map(|key| node_key(*store, key));
        undo.nodes.extend(stale);
    }
    Ok(undo)
}

/// Keeps a height while it lives.
pub struct Hold<'a>(&'a Disk);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        *self.0.held.lock() = None;
    }
}

/// Drops the records of what `height` changed: no kept height is before it.
fn forget(txn: &WriteTransaction, height: u64) -> Result<(), StoreError> {
    let Some(undo) = txn
        .open_table(UNDO)?
        .remove(height)?
        .map(|bytes| Undo::decode(bytes.value()))
        .transpose()?
    else {
        return Ok(());
    };
    let mut nodes = txn.open_table(NODES)?;
    for node in &undo.nodes {
        nodes.remove(node.as_slice())?;
    }
    let state = txn.open_table(STATE)?;
    let mut history = txn.open_table(HISTORY)?;
    let mut preimages = txn.open_table(PREIMAGES)?;
    for key in &undo.keys {
        history.remove(history_key(key, height).as_slice())?;
        // Absence is proved by neighbours, also by those that are deleted by now: a key's preimage is needed as long as
        // any kept height may have had the key.
        let from = history_start(key);
        let to = history_key(key, u64::MAX);
        let kept = state.get(key.as_slice())?.is_some()
            || history
                .range(from.as_slice()..=to.as_slice())?
                .next()
                .is_some();
        if !kept && let Some((tag, key)) = key.split_first() {
            let mut hash = vec![*tag];
            hash.extend_from_slice(&KeyHash::with::<sha2::Sha256>(key).0);
            preimages.remove(hash.as_slice())?;
        }
    }
    Ok(())
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
        let disk = Disk::open(&path, Pruning::KeepRecent(2)).unwrap();
        let one = write(&disk, 1, &[(b"a", Some(b"1")), (b"b", Some(b"2"))]);
        disk.commit(&one).unwrap();
        // Prepared and never committed: gone after a restart.
        let two = write(&disk, 2, &[(b"a", None), (b"c", Some(b"3"))]);
        drop(disk);
        let disk = Disk::open(&path, Pruning::KeepRecent(2)).unwrap();
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
        let disk = Disk::open(&dir.path().join("a.db"), Pruning::KeepRecent(2)).unwrap();
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
