//! The state at one height: what execution and queries read, and proofs of it.

use super::{
    disk::{Meta, NODES, PREIMAGES, STATE, StoreError, prefixed, tag},
    kv::{Base, Order, StoreKey},
    merkle,
};
use ics23::CommitmentProof;
use jmt::{
    JellyfishMerkleTree, KeyHash, OwnedValue, Version,
    storage::{HasPreimage, LeafNode, Node, NodeKey, TreeReader},
};
use redb::{ReadOnlyTable, ReadTransaction};

type Table = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// The state at one height. It stays as it is, whatever is committed later.
pub struct Snapshot {
    meta: Meta,
    txn: ReadTransaction,
    state: Table,
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
    pub(super) fn open(txn: ReadTransaction, meta: Meta) -> Result<Self, StoreError> {
        Ok(Self {
            state: txn.open_table(STATE)?,
            meta,
            txn,
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
        let Some((next, _)) = self.meta.roots.get(&tag(store)) else {
            return Ok(None);
        };
        let reader = Tree::open(&self.txn, store)?;
        let tree = JellyfishMerkleTree::<_, sha2::Sha256>::new(&reader);
        let (_, in_store) = tree
            .get_with_ics23_proof(key.to_vec(), next.saturating_sub(1))
            .map_err(|e| StoreError::Tree {
                store: store.name(),
                error: format!("{e:#}"),
            })?;
        let of_store = merkle::map_proof(&self.meta.roots(), store.name());
        Ok(of_store.map(|of_store| Proof { in_store, of_store }))
    }
}

impl Base for Snapshot {
    fn get(&self, store: StoreKey, key: &[u8]) -> Option<Vec<u8>> {
        let value = self.state.get(prefixed(store, key).as_slice());
        // A read error is a broken disk: stopping is the only answer that cannot fork the chain.
        value
            .expect("the state database can be read")
            .map(|v| v.value().to_vec())
    }

    fn seek(
        &self,
        store: StoreKey,
        from: &[u8],
        to: Option<&[u8]>,
        order: Order,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        let start = prefixed(store, from);
        let end = to.map_or_else(|| vec![tag(store) + 1], |t| prefixed(store, t));
        if end <= start {
            return None;
        }
        let mut range = self
            .state
            .range(start.as_slice()..end.as_slice())
            .expect("the state database can be read");
        let hit = match order {
            Order::Ascending => range.next(),
            Order::Descending => range.next_back(),
        };
        hit.map(|pair| {
            let (k, v) = pair.expect("the state database can be read");
            (k.value()[1..].to_vec(), v.value().to_vec())
        })
    }
}

/// One store's tree, as `jmt` reads it.
pub(super) struct Tree {
    store: StoreKey,
    nodes: Table,
    preimages: Table,
    state: Table,
}

impl Tree {
    pub(super) fn open(txn: &ReadTransaction, store: StoreKey) -> Result<Self, StoreError> {
        Ok(Self {
            store,
            nodes: txn.open_table(NODES)?,
            preimages: txn.open_table(PREIMAGES)?,
            state: txn.open_table(STATE)?,
        })
    }
}

impl TreeReader for Tree {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        let key = prefixed(self.store, &borsh::to_vec(key)?);
        Ok(self
            .nodes
            .get(key.as_slice())?
            .map(|n| borsh::from_slice(n.value()))
            .transpose()?)
    }

    fn get_value_option(&self, _: Version, hash: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        // Only the snapshot's own version is kept.
        let Some(key) = self.preimage(hash)? else {
            return Ok(None);
        };
        let key = prefixed(self.store, &key);
        Ok(self.state.get(key.as_slice())?.map(|v| v.value().to_vec()))
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("trees are never restored from leaves")
    }
}

impl HasPreimage for Tree {
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
    use crate::store::disk::Disk;
    use ics23::{HostFunctionsManager as Sha, commitment_proof::Proof as Kind};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn every_key_and_every_absence_is_proved_at_its_height(
            blocks in prop::collection::vec(
                prop::collection::vec((0u8..24, prop::option::weighted(0.7, 0u8..9)), 1..12), 1..6),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let disk = Disk::open(&dir.path().join("a.db")).unwrap();
            // A first key that stays: ICS-23 cannot prove that nothing is in nothing.
            let mut state: BTreeMap<u8, Option<u8>> = [(200, Some(1))].into();
            let mut kept = Vec::new();
            for (height, block) in blocks.iter().enumerate() {
                state.extend(block.iter().copied());
                let writes = state.iter().map(|(k, v)| ((StoreKey::Wasm, vec![*k]), v.map(|v| vec![v])));
                let next = disk.prepare(height as u64 + 1, writes.collect()).unwrap();
                disk.commit(&next).unwrap();
                kept.push((state.clone(), disk.snapshot().unwrap()));
            }
            for (state, snapshot) in &kept {
                let hash = &snapshot.meta().app_hash;
                for key in (0u8..24).chain([200]) {
                    let value = state.get(&key).copied().flatten().map(|v| vec![v]);
                    let proof = snapshot.prove(StoreKey::Wasm, &[key]).unwrap().unwrap();
                    prop_assert!(verifies(&proof, hash, "wasm", &[key], value.as_deref()));
                    prop_assert!(!verifies(&proof, hash, "wasm", &[key], Some(b"other")));
                    prop_assert!(!verifies(&proof, hash, "bank", &[key], value.as_deref()));
                    if value.is_some() {
                        prop_assert!(!verifies(&proof, hash, "wasm", &[key], None));
                    }
                }
                prop_assert!(snapshot.prove(StoreKey::Bank, b"k").unwrap().is_none());
            }
        }
    }
}
