//! What a module sees while it works: gas-metered stores, the block, events.

use crate::{
    error::Result,
    gas::{GasMeter, cost},
    store::{Layers, Order, StoreKey},
};
use parking_lot::Mutex;
use std::{collections::BTreeSet, sync::Arc};

/// The block that is being executed, or the one a query reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockInfo {
    /// Height.
    pub height: u64,
    /// Header time, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// Chain id.
    pub chain_id: String,
}

/// Why the code runs. Modules must not let state depend on it, except to skip what a simulation cannot do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// First look at a transaction.
    Check,
    /// Another look after a block.
    Recheck,
    /// Gas estimate: signatures are empty.
    Simulate,
    /// In a block.
    Deliver,
    /// A read.
    Query,
}

/// The transaction under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxInfo {
    /// Its place among the block's transactions that could be decoded, from 0.
    pub index: u32,
    /// SHA-256 of its bytes.
    pub hash: [u8; 32],
}

/// One event. Every attribute is indexed; keys are never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The event's type.
    pub kind: String,
    /// Key and value.
    pub attributes: Vec<(String, String)>,
}

impl Event {
    /// An event without attributes.
    pub fn new(kind: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            attributes: Vec::new(),
        }
    }

    /// Add an attribute.
    #[must_use]
    pub fn attr(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push((key.into(), value.into()));
        self
    }
}

struct Inner {
    layers: Layers,
    gas: GasMeter,
    events: Vec<Event>,
    marks: BTreeSet<Vec<u8>>,
    txs: u32,
}

/// A handle on the state under execution. Clones share it: the VM's storage and querier hold one each.
#[derive(Clone)]
pub struct Ctx {
    inner: Arc<Mutex<Inner>>,
    /// The block.
    pub block: Arc<BlockInfo>,
    /// Why the code runs.
    pub mode: Mode,
    /// The transaction, where there is one; hooks, genesis and queries have none.
    pub tx: Option<Arc<TxInfo>>,
    /// How many contracts' messages stand in each other here, and how many of their queries. It is kept with the
    /// context because other modules' messages may carry messages to contracts again.
    pub depth: Depth,
    /// Whether contracts' messages may instantiate any code, whoever its creator lets: below a contract that governance
    /// instantiates, as wasmd's policy of submessages has it.
    pub may_instantiate: bool,
}

/// How deep contracts call each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Messages in messages.
    pub calls: u32,
    /// Queries in queries.
    pub queries: u32,
}

impl Ctx {
    /// A context over `layers` with `gas`.
    pub fn new(layers: Layers, gas: GasMeter, block: BlockInfo, mode: Mode) -> Self {
        Self {
            inner: Arc::new(Mutex::new(Inner {
                layers,
                gas,
                events: Vec::new(),
                marks: BTreeSet::new(),
                txs: 0,
            })),
            block: Arc::new(block),
            mode,
            tx: None,
            depth: Depth::default(),
            may_instantiate: false,
        }
    }

    /// The same context, for the next transaction: its place follows the last one's, and marks start anew.
    #[must_use]
    pub fn for_tx(&self, hash: [u8; 32]) -> Self {
        let mut i = self.inner.lock();
        i.marks.clear();
        let index = i.txs;
        i.txs = index.saturating_add(1);
        drop(i);
        Self {
            tx: Some(Arc::new(TxInfo { index, hash })),
            ..self.clone()
        }
    }

    /// Remember `mark` until the next transaction, whatever is reverted; whether it is new. This is what a
    /// transaction has touched before.
    pub fn mark(&self, mark: &[u8]) -> bool {
        self.inner.lock().marks.insert(mark.to_vec())
    }

    /// The value of `key`, for the SDK's price.
    ///
    /// # Errors
    /// sdk/11.
    pub fn get(&self, store: StoreKey, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut i = self.inner.lock();
        i.gas.consume(cost::READ_FLAT, "ReadFlat")?;
        let value = i.layers.get(store, key);
        let bytes = key.len() + value.as_ref().map_or(0, Vec::len);
        i.gas
            .consume(cost::READ_BYTE * bytes as u64, "ReadPerByte")?;
        Ok(value)
    }

    /// Whether `key` is there, for the SDK's price.
    ///
    /// # Errors
    /// sdk/11.
    pub fn has(&self, store: StoreKey, key: &[u8]) -> Result<bool> {
        let mut i = self.inner.lock();
        i.gas.consume(cost::HAS, "Has")?;
        Ok(i.layers.get(store, key).is_some())
    }

    /// Set `key`, for the SDK's price.
    ///
    /// # Errors
    /// sdk/11.
    pub fn set(&self, store: StoreKey, key: &[u8], value: Vec<u8>) -> Result<()> {
        let mut i = self.inner.lock();
        i.gas.consume(cost::WRITE_FLAT, "WriteFlat")?;
        i.gas.consume(
            cost::WRITE_BYTE * (key.len() + value.len()) as u64,
            "WritePerByte",
        )?;
        i.layers.set(store, key, value);
        Ok(())
    }

    /// Delete `key`, for the SDK's price.
    ///
    /// # Errors
    /// sdk/11.
    pub fn remove(&self, store: StoreKey, key: &[u8]) -> Result<()> {
        let mut i = self.inner.lock();
        i.gas.consume(cost::DELETE, "Delete")?;
        i.layers.remove(store, key);
        Ok(())
    }

    /// The first pair in `[from, to)` in `order`, for the price of one iterator step.
    ///
    /// # Errors
    /// sdk/11.
    pub fn seek(
        &self,
        store: StoreKey,
        from: &[u8],
        to: Option<&[u8]>,
        order: Order,
    ) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        let mut i = self.inner.lock();
        i.gas.consume(cost::ITER_NEXT, "IterNextFlat")?;
        let hit = i.layers.seek(store, from, to, order);
        if let Some((k, v)) = &hit {
            let bytes = (k.len() + v.len()) as u64;
            i.gas.consume(cost::READ_BYTE * bytes, "ValuePerByte")?;
        }
        Ok(hit)
    }

    /// Take gas.
    ///
    /// # Errors
    /// sdk/11.
    pub fn consume_gas(&self, amount: u64, what: &'static str) -> Result<()> {
        self.inner.lock().gas.consume(amount, what)
    }

    /// A copy of the meter.
    pub fn gas(&self) -> GasMeter {
        self.inner.lock().gas.clone()
    }

    /// Put another meter in place; the old one is returned. For submessages with a gas limit, and for genesis.
    pub fn swap_gas(&self, gas: GasMeter) -> GasMeter {
        std::mem::replace(&mut self.inner.lock().gas, gas)
    }

    /// Emit an event.
    pub fn emit(&self, event: Event) {
        self.inner.lock().events.push(event);
    }

    /// Take the events emitted so far.
    pub fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut self.inner.lock().events)
    }

    /// Run `f` in a layer of its own: kept when it succeeds, dropped, with its events, when it fails.
    ///
    /// # Errors
    /// Those of `f`.
    pub fn atomically<T, E>(
        &self,
        f: impl FnOnce(&Self) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let (depth, events) = {
            let mut i = self.inner.lock();
            i.layers.push();
            (i.layers.depth(), i.events.len())
        };
        let result = f(self);
        let mut i = self.inner.lock();
        debug_assert_eq!(
            i.layers.depth(),
            depth,
            "layers are pushed and popped in pairs"
        );
        if result.is_ok() {
            i.layers.commit();
        } else {
            i.layers.revert();
            i.events.truncate(events);
        }
        drop(i);
        result
    }

    /// Work on the layers without gas: genesis, block hooks' bookkeeping, tests.
    pub fn with_layers<T>(&self, f: impl FnOnce(&mut Layers) -> T) -> T {
        f(&mut self.inner.lock().layers)
    }
}
