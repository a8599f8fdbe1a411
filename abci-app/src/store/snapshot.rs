//! The state at one height: what execution and queries read, and proofs of it.

use super::{
    error::StoreError,
    history::Past,
    kv::{Base, Order, StoreKey},
    merkle,
    meta::Meta,
    tables::{NODES, PREIMAGES, Pair, STATE, Table, node_key, prefixed},
};
use ics23::CommitmentProof;
use jmt::{
    JellyfishMerkleTree, KeyHash, OwnedValue, Version,
    storage::{HasPreimage, LeafNode, Node, NodeKey, TreeReader},
};
use redb::ReadTransaction;

/// The state at one height. It stays as it is, whatever is committed or pruned later; while it is held, no page that it
/// sees can be used again.
pub struct Snapshot {
    meta: Meta,
    txn: ReadTransaction,
    state: Table,
    past: Option<Past>,
}

/// Proves a key's value, or that it has none, up to the app hash.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    /// In the store's tree, under the store's root.
    pub in_store: CommitmentProof,
    /// The store's root among the stores' roots, under the app hash.
    pub of_store: CommitmentProof,
}

impl Snapshot {
    /// The newest height's, which `meta` is of.
    pub(super) fn newest(txn: ReadTransaction, meta: Meta) -> Result<Self, StoreError> {
        Ok(Self {
            state: txn.open_table(STATE)?,
            meta,
            txn,
            past: None,
        })
    }

    /// A past height's, which `meta` is of and which is kept.
    pub(super) fn past(txn: ReadTransaction, meta: Meta) -> Result<Self, StoreError> {
        Ok(Self {
            past: Some(Past::open(&txn, meta.height)?),
            ..Self::newest(txn, meta)?
        })
    }

    /// Which height, and its app hash.
    pub const fn meta(&self) -> &Meta {
        &self.meta
    }

    /// A key's value with its proof, or a proof that it has none. `None`: the store is empty, and ICS-23 has no proof
    /// for that.
    ///
    /// # Errors
    /// When the file cannot be read or the tree is broken.
    pub fn prove(&self, store: StoreKey, key: &[u8]) -> Result<Option<Proof>, StoreError> {
        let Some(version) = self.meta.next_version(store).checked_sub(1) else {
            return Ok(None);
        };
        let reader = self.tree(store)?;
        let tree = JellyfishMerkleTree::<_, sha2::Sha256>::new(&reader);
        let (_, in_store) = tree
            .get_with_ics23_proof(key.to_vec(), version)
            .map_err(|e| StoreError::tree(store, e))?;
        let of_store = merkle::map_proof(&self.meta.roots(), store.name());
        Ok(of_store.map(|of_store| Proof { in_store, of_store }))
    }

    /// One store's tree.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn tree(&self, store: StoreKey) -> Result<Tree<'_>, StoreError> {
        Ok(Tree {
            store,
            nodes: self.txn.open_table(NODES)?,
            preimages: self.txn.open_table(PREIMAGES)?,
            snapshot: self,
        })
    }

    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match &self.past {
            Some(past) => past.get(&self.state, key),
            None => Ok(self.state.get(key)?.map(|v| v.value().to_vec())),
        }
    }

    /// The first or last pair in `[start, end)`; keys are with their store.
    pub(super) fn find(
        &self,
        start: Vec<u8>,
        end: Vec<u8>,
        order: Order,
    ) -> Result<Option<Pair>, StoreError> {
        if end <= start {
            return Ok(None);
        }
        if let Some(past) = &self.past {
            return past.seek(&self.state, start, end, order);
        }
        let mut range = self.state.range(start.as_slice()..end.as_slice())?;
        let hit = match order {
            Order::Ascending => range.next(),
            Order::Descending => range.next_back(),
        };
        let hit = hit.transpose()?;
        Ok(hit.map(|(k, v)| (k.value().to_vec(), v.value().to_vec())))
    }
}

impl Base for Snapshot {
    fn get(&self, store: StoreKey, key: &[u8]) -> Option<Vec<u8>> {
        // A read error is a broken disk: stopping is the only answer that cannot fork the chain.
        self.read(&prefixed(store, key))
            .expect("the state database can be read")
    }

    fn seek(
        &self,
        store: StoreKey,
        from: &[u8],
        to: Option<&[u8]>,
        order: Order,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        let end = to.map_or_else(|| vec![store.tag() + 1], |t| prefixed(store, t));
        let hit = self.find(prefixed(store, from), end, order);
        let (key, value) = hit.expect("the state database can be read")?;
        Some((key.get(1..)?.to_vec(), value))
    }
}

/// One store's tree, as `jmt` reads it.
pub(super) struct Tree<'a> {
    store: StoreKey,
    nodes: Table,
    preimages: Table,
    snapshot: &'a Snapshot,
}

impl TreeReader for Tree<'_> {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        let key = node_key(self.store, key);
        Ok(self
            .nodes
            .get(key.as_slice())?
            .map(|n| borsh::from_slice(n.value()))
            .transpose()?)
    }

    fn get_value_option(&self, _: Version, hash: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        // Only the snapshot's own version is asked for.
        let Some(key) = self.preimage(hash)? else {
            return Ok(None);
        };
        Ok(self.snapshot.read(&prefixed(self.store, &key))?)
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("trees are never restored from leaves")
    }
}

impl HasPreimage for Tree<'_> {
    fn preimage(&self, hash: KeyHash) -> anyhow::Result<Option<Vec<u8>>> {
        let key = self
            .preimages
            .get(prefixed(self.store, &hash.0).as_slice())?;
        Ok(key.map(|k| k.value().to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Layers, disk::Disk, layers::Writes, pruning::Pruning};
    use ics23::{HostFunctionsManager as Sha, commitment_proof::Proof as Kind};
    use proptest::prelude::*;
    use std::{collections::BTreeMap, sync::Arc};

    /// Whether an independent verifier takes the proof for `value`.
    fn verifies(
        proof: &Proof,
        app_hash: &[u8],
        store: &str,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> bool {
        let spec = jmt::ics23_spec();
        let Some(Kind::Exist(of)) = &proof.of_store.proof else {
            return false;
        };
        let (root, simple) = (of.value.clone(), ics23::tendermint_spec());
        let app_hash = app_hash.to_vec();
        let under = ics23::verify_membership::<Sha>(
            &proof.of_store,
            &simple,
            &app_hash,
            store.as_bytes(),
            &root,
        );
        under
            && match value {
                Some(v) => ics23::verify_membership::<Sha>(&proof.in_store, &spec, &root, key, v),
                None => ics23::verify_non_membership::<Sha>(&proof.in_store, &spec, &root, key),
            }
    }

    type State = BTreeMap<(StoreKey, Vec<u8>), Vec<u8>>;

    /// Every value, both scans and every proof of a height are the model's.
    fn same(snapshot: &Arc<Snapshot>, state: &State) -> Result<(), TestCaseError> {
        let (hash, s) = (&snapshot.meta().app_hash, StoreKey::Wasm);
        let layers = Layers::new(Arc::clone(snapshot) as _);
        for store in [s, StoreKey::Bank, StoreKey::Auth] {
            let of: Vec<_> = state
                .iter()
                .filter(|((t, _), _)| *t == store)
                .map(|((_, k), v)| (k.clone(), v.clone()))
                .collect();
            prop_assert_eq!(layers.scan(store, b"", None), of.clone());
            let last = snapshot.seek(store, b"", Some(&[12, 0]), Order::Descending);
            let want = of.iter().rev().find(|(k, _)| k.as_slice() < &[12, 0][..]);
            prop_assert_eq!(last.as_ref(), want, "descending");
        }
        for key in keys() {
            let value = state.get(&(s, key.clone()));
            prop_assert_eq!(snapshot.get(s, &key), value.cloned());
            let proof = snapshot.prove(s, &key).unwrap().unwrap();
            let value = value.map(Vec::as_slice);
            prop_assert!(verifies(&proof, hash, "wasm", &key, value));
            prop_assert!(!verifies(&proof, hash, "wasm", &key, Some(b"other")));
            prop_assert!(!verifies(&proof, hash, "bank", &key, value));
            if value.is_some() {
                prop_assert!(!verifies(&proof, hash, "wasm", &key, None));
            }
        }
        Ok(())
    }

    /// Keys that are prefixes of each other and have zeros in them.
    fn keys() -> Vec<Vec<u8>> {
        let short = (0u8..12).map(|k| vec![k]);
        let long = (0u8..12).map(|k| vec![k / 2, 0, k]);
        short.chain(long).chain([vec![200]]).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// Random blocks, with reopening and pruning between: every kept height is as it was, a held snapshot stays, and
        /// what is not kept is not answered.
        #[test]
        fn every_kept_height_is_as_it_was(
            blocks in prop::collection::vec(
                prop::collection::vec((0usize..24, prop::option::weighted(0.6, 0u8..9)), 0..12), 1..9),
            keep in 1u64..5, reopen: bool,
        ) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a.db");
            let mut disk = Disk::open(&path, Pruning::KeepRecent(keep)).unwrap();
            // A first key that stays: ICS-23 cannot prove that nothing is in nothing.
            let mut state: State = [((StoreKey::Wasm, vec![200]), vec![1])].into();
            let mut writes: Writes = state.iter().map(|(k, v)| (k.clone(), Some(v.clone()))).collect();
            let mut models: Vec<State> = Vec::new();
            for (i, block) in blocks.iter().enumerate() {
                for (k, v) in block {
                    // Two stores, so that one's end is another's beginning.
                    let key = (if k % 5 == 0 { StoreKey::Bank } else { StoreKey::Wasm }, keys()[*k].clone());
                    let value = v.map(|v| vec![v; 1 + usize::from(v)]);
                    match &value {
                        Some(v) => { state.insert(key.clone(), v.clone()); }
                        None => { state.remove(&key); }
                    }
                    writes.insert(key, value);
                }
                let height = i as u64 + 1;
                let next = disk.prepare(height, std::mem::take(&mut writes)).unwrap();
                disk.commit(&next).unwrap();
                models.push(state.clone());
                if reopen {
                    drop(disk);
                    disk = Disk::open(&path, Pruning::KeepRecent(keep)).unwrap();
                }
                let oldest = Pruning::KeepRecent(keep).oldest(height).max(1);
                prop_assert_eq!(disk.oldest().unwrap(), oldest);
                for (model, at) in models.iter().zip(1..) {
                    match disk.at(at).unwrap() {
                        Some(snapshot) if at >= oldest => same(&snapshot, model)?,
                        None if at < oldest => {}
                        other => prop_assert!(false, "height {}: there {}, oldest {}", at, other.is_some(), oldest),
                    }
                }
                same(&disk.snapshot().unwrap(), &state)?;
            }
            // An archive turned into a node that keeps little forgets whole: nothing but the newest state is left.
            drop(disk);
            let disk = Disk::open(&path, Pruning::KeepRecent(1)).unwrap();
            for height in 0..3u64 {
                let next = disk.prepare(blocks.len() as u64 + 1 + height, Writes::new()).unwrap();
                disk.commit(&next).unwrap();
            }
            prop_assert_eq!(disk.leftovers().unwrap(), (0, 0));
        }
    }
}
