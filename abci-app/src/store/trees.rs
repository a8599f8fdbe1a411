//! A height's changes in the stores' trees.
//!
//! A tree's root depends on its pairs only, so the order of the work is free: deletions first, one by one, then all
//! insertions in one walk, which hashes a node once however many of its leaves change. Large changes of several stores
//! are worked out beside each other.

use super::{
    error::StoreError,
    kv::StoreKey,
    layers::Writes,
    merkle::Hash,
    snapshot::{Snapshot, Tree},
};
use jmt::{
    JellyfishMerkleTree, KeyHash, OwnedValue, RootHash, Version,
    storage::{LeafNode, Node, NodeKey, TreeReader, TreeUpdateBatch},
};
use std::collections::BTreeMap;

/// Changes from which on threads are worth their start.
const MANY: usize = 256;

/// What a height adds to a store's tree.
#[derive(Debug)]
pub(super) struct Growth {
    /// How many versions the tree goes on by.
    pub versions: u64,
    /// The root.
    pub root: Hash,
    /// The new nodes.
    pub nodes: BTreeMap<NodeKey, Node>,
    /// The nodes that only heights before need.
    pub stale: Vec<NodeKey>,
}

#[derive(Default)]
struct Changes {
    set: Vec<(KeyHash, OwnedValue)>,
    removed: Vec<(KeyHash, Option<OwnedValue>)>,
}

/// Works out `writes` over `below`; the stores that change, in order.
///
/// # Errors
/// When the file cannot be read or a tree is broken.
pub(super) fn grow(
    below: &Snapshot,
    writes: &Writes,
) -> Result<Vec<(StoreKey, Growth)>, StoreError> {
    let mut stores: BTreeMap<StoreKey, Changes> = BTreeMap::new();
    for ((store, key), value) in writes {
        let hash = KeyHash::with::<sha2::Sha256>(key);
        let changes = stores.entry(*store).or_default();
        match value {
            Some(value) => changes.set.push((hash, value.clone())),
            None => changes.removed.push((hash, None)),
        }
    }
    let one = |(store, changes)| Ok((store, grow_one(below, store, changes)?));
    if writes.len() < MANY || stores.len() < 2 {
        return stores.into_iter().map(one).collect();
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = stores
            .into_iter()
            .map(|each| scope.spawn(move || one(each)))
            .collect();
        let join = |t: std::thread::ScopedJoinHandle<'_, _>| {
            t.join().unwrap_or_else(|e| std::panic::resume_unwind(e))
        };
        threads.into_iter().map(join).collect()
    })
}

fn grow_one(below: &Snapshot, store: StoreKey, changes: Changes) -> Result<Growth, StoreError> {
    let first = below.meta().next_version(store);
    let mut over = Over {
        tree: below.tree(store)?,
        nodes: BTreeMap::new(),
    };
    let mut growth = Growth {
        versions: 0,
        root: [0; 32],
        nodes: BTreeMap::new(),
        stale: Vec::new(),
    };
    let fault = |e| StoreError::tree(store, e);
    if !changes.removed.is_empty() {
        let tree = JellyfishMerkleTree::<_, sha2::Sha256>::new(&over);
        let (root, batch) = tree.put_value_set(changes.removed, first).map_err(fault)?;
        growth.add(root, batch);
        over.nodes.clone_from(&growth.nodes);
    }
    if !changes.set.is_empty() {
        let tree = JellyfishMerkleTree::<_, sha2::Sha256>::new(&over);
        let version = first + growth.versions;
        let (roots, batch) = tree
            .batch_put_value_sets(vec![changes.set], None, version)
            .map_err(fault)?;
        if let Some(root) = roots.into_iter().next() {
            growth.add(root, batch);
        }
    }
    Ok(growth)
}

impl Growth {
    /// One version more. Nodes of the version before that it makes stale were never needed.
    fn add(&mut self, root: RootHash, batch: TreeUpdateBatch) {
        self.versions += 1;
        self.root = root.0;
        for stale in batch.stale_node_index_batch {
            if self.nodes.remove(&stale.node_key).is_none() {
                self.stale.push(stale.node_key);
            }
        }
        let nodes = batch.node_batch.nodes();
        self.nodes
            .extend(nodes.iter().map(|(k, n)| (k.clone(), n.clone())));
    }
}

/// A store's tree, with nodes that are not on disk.
struct Over<'a> {
    tree: Tree<'a>,
    nodes: BTreeMap<NodeKey, Node>,
}

impl TreeReader for Over<'_> {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        match self.nodes.get(key) {
            Some(node) => Ok(Some(node.clone())),
            None => self.tree.get_node_option(key),
        }
    }

    fn get_value_option(
        &self,
        version: Version,
        hash: KeyHash,
    ) -> anyhow::Result<Option<OwnedValue>> {
        self.tree.get_value_option(version, hash)
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        self.tree.get_rightmost_leaf()
    }
}
