//! Layers of pending writes over a snapshot. A transaction, a message and a submessage each push one; success
//! folds it into the one below, failure drops it.

use super::kv::{Base, Order, StoreKey, Write};
use std::{collections::BTreeMap, ops::Bound, sync::Arc};

/// Pending writes, by store and key.
pub type Writes = BTreeMap<(StoreKey, Vec<u8>), Write>;

/// A snapshot and the writes above it, the last layer on top. There is always at least one layer.
#[derive(Clone)]
pub struct Layers {
    base: Arc<dyn Base>,
    layers: Vec<Writes>,
}

impl Layers {
    /// No writes yet.
    pub fn new(base: Arc<dyn Base>) -> Self {
        Self {
            base,
            layers: vec![Writes::new()],
        }
    }

    /// The writes and their snapshot; what stays behind has no writes.
    #[must_use]
    pub fn detach(&mut self) -> Self {
        Self {
            base: Arc::clone(&self.base),
            layers: std::mem::replace(&mut self.layers, vec![Writes::new()]),
        }
    }

    /// Start a layer that [`Self::commit`] keeps or [`Self::revert`] drops.
    pub fn push(&mut self) {
        self.layers.push(Writes::new());
    }

    /// How many layers there are.
    pub fn depth(&self) -> usize {
        self.layers.len()
    }

    /// Fold the top layer into the one below.
    pub fn commit(&mut self) {
        if self.layers.len() > 1
            && let Some(top) = self.layers.pop()
            && let Some(below) = self.layers.last_mut()
        {
            below.extend(top);
        }
    }

    /// Drop the top layer.
    pub fn revert(&mut self) {
        if self.layers.len() > 1 {
            self.layers.pop();
        }
    }

    /// Every write, folded; the layers are empty afterwards.
    pub fn take(&mut self) -> Writes {
        let mut all = Writes::new();
        for layer in self.layers.drain(..) {
            all.extend(layer);
        }
        self.layers.push(Writes::new());
        all
    }

    /// The value of `key`.
    pub fn get(&self, store: StoreKey, key: &[u8]) -> Option<Vec<u8>> {
        let k = (store, key.to_vec());
        for layer in self.layers.iter().rev() {
            if let Some(write) = layer.get(&k) {
                return write.clone();
            }
        }
        self.base.get(store, key)
    }

    /// Set `key`.
    pub fn set(&mut self, store: StoreKey, key: &[u8], value: Vec<u8>) {
        self.write(store, key, Some(value));
    }

    /// Delete `key`.
    pub fn remove(&mut self, store: StoreKey, key: &[u8]) {
        self.write(store, key, None);
    }

    fn write(&mut self, store: StoreKey, key: &[u8], write: Write) {
        if let Some(top) = self.layers.last_mut() {
            top.insert((store, key.to_vec()), write);
        }
    }

    /// The first live pair in `[from, to)` in `order`. A scan is a chain of seeks, so that writes between two
    /// steps are seen and nothing is borrowed.
    pub fn seek(
        &self,
        store: StoreKey,
        from: &[u8],
        to: Option<&[u8]>,
        order: Order,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        let (mut from, mut to) = (from.to_vec(), to.map(<[u8]>::to_vec));
        loop {
            if to.as_ref().is_some_and(|t| *t <= from) {
                return None;
            }
            let below = self
                .base
                .seek(store, &from, to.as_deref(), order)
                .map(|(k, v)| (k, Some(v)));
            let best = self
                .layers
                .iter()
                .filter_map(|l| seek_layer(l, store, &from, to.as_deref(), order))
                // A later (upper) layer's write of the same key hides an earlier one.
                .fold(below, |best, hit| match best {
                    Some(b) if !closer_or_equal(&hit.0, &b.0, order) => Some(b),
                    _ => Some(hit),
                });
            match best? {
                (key, Some(value)) => return Some((key, value)),
                (key, None) => match order {
                    Order::Ascending => {
                        from = key;
                        from.push(0);
                    }
                    Order::Descending => to = Some(key),
                },
            }
        }
    }

    /// Every live pair in `[from, to)`.
    pub fn scan(&self, store: StoreKey, from: &[u8], to: Option<&[u8]>) -> Vec<(Vec<u8>, Vec<u8>)> {
        let (mut from, mut out) = (from.to_vec(), Vec::new());
        while let Some((k, v)) = self.seek(store, &from, to, Order::Ascending) {
            from.clone_from(&k);
            from.push(0);
            out.push((k, v));
        }
        out
    }
}

fn closer_or_equal(a: &[u8], b: &[u8], order: Order) -> bool {
    match order {
        Order::Ascending => a <= b,
        Order::Descending => a >= b,
    }
}

fn seek_layer(
    l: &Writes,
    store: StoreKey,
    from: &[u8],
    to: Option<&[u8]>,
    order: Order,
) -> Option<(Vec<u8>, Write)> {
    let end = match to {
        Some(t) => Bound::Excluded((store, t.to_vec())),
        // Keys are far below 64 KiB; the next store's empty key would do too, but the last store has no next.
        None => Bound::Included((store, vec![0xff; 1 << 16])),
    };
    let mut range = l.range((Bound::Included((store, from.to_vec())), end));
    let hit = match order {
        Order::Ascending => range.next(),
        Order::Descending => range.next_back(),
    };
    hit.map(|((_, k), w)| (k.clone(), w.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::kv::MemBase;
    use proptest::prelude::*;

    proptest! {
        /// Layers answer as one flat map does, whatever was written, kept or dropped.
        #[test]
        fn layers_are_a_map(
            base in prop::collection::btree_map(0u8..32, any::<u8>(), 0..16),
            ops in prop::collection::vec((0u8..6, 0u8..32, any::<u8>()), 0..80),
            from in 0u8..32, to in prop::option::of(0u8..40),
        ) {
            let s = StoreKey::Bank;
            let mut mem = MemBase::default();
            for (k, v) in &base { mem.0.insert((s, vec![*k]), vec![*v]); }
            mem.0.insert((StoreKey::Auth, vec![0]), vec![9]);
            mem.0.insert((StoreKey::Wasm, vec![0]), vec![9]);
            let mut layers = Layers::new(Arc::new(mem));
            let mut model = vec![base.iter().map(|(k, v)| (vec![*k], vec![*v])).collect::<BTreeMap<_, _>>()];
            for (op, k, v) in ops {
                match op {
                    0..=1 => { layers.set(s, &[k], vec![v]); model.last_mut().unwrap().insert(vec![k], vec![v]); }
                    2 => { layers.remove(s, &[k]); model.last_mut().unwrap().remove(&vec![k]); }
                    3 => { layers.push(); let top = model.last().unwrap().clone(); model.push(top); }
                    4 if model.len() > 1 => { layers.commit(); let top = model.pop().unwrap(); *model.last_mut().unwrap() = top; }
                    5 if model.len() > 1 => { layers.revert(); model.pop(); }
                    _ => {}
                }
            }
            let flat = model.last().unwrap();
            let to = to.map(|t| vec![t]);
            let want: Vec<_> = flat.iter().filter(|(k, _)| **k >= vec![from] && to.as_ref().is_none_or(|t| *k < t)).map(|(k, v)| (k.clone(), v.clone())).collect();
            prop_assert_eq!(layers.scan(s, &[from], to.as_deref()), want.clone());
            prop_assert_eq!(layers.seek(s, &[from], to.as_deref(), Order::Descending), want.last().cloned());
            for k in 0..32 { prop_assert_eq!(layers.get(s, &[k]), flat.get(&vec![k]).cloned()); }
        }
    }
}
