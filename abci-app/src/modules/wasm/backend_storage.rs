//! A contract's own state, as the VM sees it: a prefix of the wasm store. SDK gas is charged on the context's meter
//! and reported to the VM as used outside.

use super::{gas_register::to_vm, keys};
use crate::{
    ctx::Ctx,
    gas::cost,
    store::{Order as SeekOrder, StoreKey, prefix_end},
};
use cosmwasm_std::{Order, Record};
use cosmwasm_vm::{BackendError, BackendResult, GasInfo, Storage};

/// One contract's state.
pub(super) struct ContractStorage {
    ctx: Ctx,
    prefix: Vec<u8>,
    /// Iterator `n` is at `n - 1`: numbers are part of what contracts see, so they count up from 1.
    iterators: Vec<Cursor>,
}

/// Where a scan stands. Both ends are whole keys of the wasm store.
struct Cursor {
    from: Vec<u8>,
    to: Option<Vec<u8>>,
    order: SeekOrder,
}

impl ContractStorage {
    /// The state of `contract`.
    pub fn new(ctx: Ctx, contract: &[u8]) -> Self {
        Self {
            ctx,
            prefix: keys::contract_store(contract),
            iterators: Vec::new(),
        }
    }

    fn key(&self, key: &[u8]) -> Vec<u8> {
        [&self.prefix, key].concat()
    }

    /// Run `f` and say what SDK gas it took.
    fn metered<T>(
        &mut self,
        f: impl FnOnce(&mut Self) -> Result<T, BackendError>,
    ) -> BackendResult<T> {
        let before = self.ctx.gas().used();
        let result = f(self);
        let used = self.ctx.gas().used().saturating_sub(before);
        (result, GasInfo::with_externally_used(to_vm(used)))
    }
}

/// Store accesses fail in one way only.
fn out_of_gas<E>(_: E) -> BackendError {
    BackendError::out_of_gas()
}

impl Cursor {
    fn peek(&self, ctx: &Ctx) -> Option<(Vec<u8>, Vec<u8>)> {
        ctx.with_layers(|l| l.seek(StoreKey::Wasm, &self.from, self.to.as_deref(), self.order))
    }

    fn pass(&mut self, key: &[u8]) {
        match self.order {
            SeekOrder::Ascending => self.from = [key, &[0]].concat(),
            SeekOrder::Descending => self.to = Some(key.to_vec()),
        }
    }
}

/// What the SDK's gas store takes for standing on `pair`.
fn step_cost(pair: Option<&(Vec<u8>, Vec<u8>)>) -> u64 {
    let bytes = pair.map_or(0, |(k, v)| (k.len() + v.len()) as u64);
    cost::READ_BYTE
        .saturating_mul(bytes)
        .saturating_add(cost::ITER_NEXT)
}

impl Storage for ContractStorage {
    fn get(&self, key: &[u8]) -> BackendResult<Option<Vec<u8>>> {
        let before = self.ctx.gas().used();
        let result = self
            .ctx
            .get(StoreKey::Wasm, &self.key(key))
            .map_err(out_of_gas);
        let used = self.ctx.gas().used().saturating_sub(before);
        (result, GasInfo::with_externally_used(to_vm(used)))
    }

    fn scan(
        &mut self,
        start: Option<&[u8]>,
        end: Option<&[u8]>,
        order: Order,
    ) -> BackendResult<u32> {
        self.metered(|s| {
            let cursor = Cursor {
                from: s.key(start.unwrap_or_default()),
                to: match end {
                    Some(end) => Some(s.key(end)),
                    None => prefix_end(&s.prefix),
                },
                order: match order {
                    Order::Ascending => SeekOrder::Ascending,
                    Order::Descending => SeekOrder::Descending,
                },
            };
            // The SDK charges an iterator for its first pair when it is made and again when that is passed.
            let first = cursor.peek(&s.ctx);
            s.ctx
                .consume_gas(step_cost(first.as_ref()), "IterNextFlat")
                .map_err(out_of_gas)?;
            s.iterators.push(cursor);
            u32::try_from(s.iterators.len()).map_err(|_| BackendError::bad_argument())
        })
    }

    fn next(&mut self, iterator_id: u32) -> BackendResult<Option<Record>> {
        self.metered(|s| {
            let missing = || BackendError::iterator_does_not_exist(iterator_id);
            let at = (iterator_id as usize).checked_sub(1).ok_or_else(missing)?;
            let cursor = s.iterators.get_mut(at).ok_or_else(missing)?;
            let Some((key, value)) = cursor.peek(&s.ctx) else {
                return Ok(None);
            };
            let pair = (key, value);
            s.ctx
                .consume_gas(step_cost(Some(&pair)), "IterNextFlat")
                .map_err(out_of_gas)?;
            cursor.pass(&pair.0);
            let own = pair.0.get(s.prefix.len()..).unwrap_or_default().to_vec();
            Ok(Some((own, pair.1)))
        })
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> BackendResult<()> {
        self.metered(|s| {
            s.ctx
                .set(StoreKey::Wasm, &s.key(key), value.to_vec())
                .map_err(out_of_gas)
        })
    }

    fn remove(&mut self, key: &[u8]) -> BackendResult<()> {
        self.metered(|s| {
            s.ctx
                .remove(StoreKey::Wasm, &s.key(key))
                .map_err(out_of_gas)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ctx::{BlockInfo, Mode},
        gas::GasMeter,
        store::{Layers, kv::MemBase},
    };
    use proptest::prelude::*;
    use std::{collections::BTreeMap, sync::Arc};

    fn ctx(gas: u64) -> Ctx {
        let block = BlockInfo {
            height: 1,
            time_ns: 1,
            chain_id: "c-1".into(),
        };
        Ctx::new(
            Layers::new(Arc::new(MemBase::default())),
            GasMeter::new(gas),
            block,
            Mode::Deliver,
        )
    }

    fn drain(s: &mut ContractStorage, id: u32) -> Vec<Record> {
        std::iter::from_fn(|| s.next(id).0.unwrap()).collect()
    }

    proptest! {
        /// Scans see exactly their contract's keys, in order, both ways, from any start to any end.
        #[test]
        fn scans_are_a_maps(
            ops in prop::collection::vec((any::<bool>(), prop::collection::vec(0u8..4, 0..3), any::<u8>()), 0..40),
            start in prop::option::of(prop::collection::vec(0u8..4, 0..3)),
            end in prop::option::of(prop::collection::vec(0u8..5, 0..3)),
            descending in any::<bool>(),
        ) {
            let ctx = ctx(u64::MAX);
            // Neighbours whose prefixes are as near as they can be.
            for n in [vec![5, 4], vec![5, 6], vec![5, 0xff]] {
                ContractStorage::new(ctx.clone(), &n).set(b"x", b"other").0.unwrap();
            }
            let mut s = ContractStorage::new(ctx.clone(), &[5, 5]);
            let mut model = BTreeMap::new();
            for (set, k, v) in ops {
                if set { s.set(&k, &[v]).0.unwrap(); model.insert(k, vec![v]); }
                else { s.remove(&k).0.unwrap(); model.remove(&k); }
            }
            for (k, v) in &model { prop_assert_eq!(s.get(k).0.unwrap(), Some(v.clone())); }
            let mut want: Vec<Record> = model.into_iter()
                .filter(|(k, _)| start.as_ref().is_none_or(|s| k >= s) && end.as_ref().is_none_or(|e| k < e))
                .collect();
            let order = if descending { want.reverse(); Order::Descending } else { Order::Ascending };
            let id = s.scan(start.as_deref(), end.as_deref(), order).0.unwrap();
            prop_assert_eq!(drain(&mut s, id), want);
        }
    }

    #[test]
    fn an_iterator_costs_what_the_sdks_does() {
        let c = ctx(u64::MAX);
        let mut s = ContractStorage::new(c.clone(), b"a");
        s.set(b"k1", b"vv").0.unwrap();
        s.set(b"k2", b"v").0.unwrap();
        let before = c.gas().used();
        let (id, gas) = s.scan(None, None, Order::Ascending);
        assert_eq!(gas.externally_used, (3 * (2 + 2 + 2) + 30) * 140_000);
        assert_eq!(drain(&mut s, id.unwrap()).len(), 2);
        // First pair twice, second once, nothing for the end.
        assert_eq!(c.gas().used() - before, 2 * (3 * 6 + 30) + (3 * 5 + 30));
    }

    #[test]
    fn ids_count_up_and_unknown_ones_are_refused() {
        let mut s = ContractStorage::new(ctx(u64::MAX), b"a");
        assert_eq!(s.scan(None, None, Order::Ascending).0, Ok(1));
        assert_eq!(s.scan(None, None, Order::Descending).0, Ok(2));
        assert_eq!(s.next(3).0, Err(BackendError::iterator_does_not_exist(3)));
        assert_eq!(s.next(0).0, Err(BackendError::iterator_does_not_exist(0)));
    }

    #[test]
    fn out_of_gas_is_the_vms() {
        let mut s = ContractStorage::new(ctx(2_500), b"a");
        let (r, gas) = s.set(b"key", &[0; 100]);
        assert_eq!(r, Err(BackendError::out_of_gas()));
        assert!(
            gas.externally_used > 2_500 * 140_000,
            "what is over the limit is reported too"
        );
    }
}
