//! The application: block phases and module order, no business rules.
//!
//! One state is committed at a time. `FinalizeBlock` computes the next one and its app hash without writing;
//! `Commit` makes it durable in one transaction. CheckTx works on a state of its own, on top of the committed one.

pub mod chain;
pub mod convert;
pub mod genesis;
pub mod told;
pub mod phases;
pub mod query;
pub mod router;
pub mod services;
pub mod sync;
mod abci;
mod block;

use crate::{
    ctx::BlockInfo,
    error::AppError,
    modules::{
        auth,
        upgrade::keeper::Upgrades,
        wasm::{self, WasmModule},
    },
    store::{
        Layers,
        disk::{Disk, Pending},
        error::StoreError,
        pruning::Pruning,
        snapshot::Snapshot,
        sync::DATABASE,
    },
    tx::{fees::GasPrice, sigs::Verified},
};
use parking_lot::{Mutex, RwLock};
use std::{fs, path::PathBuf, sync::Arc};
use sync::{SnapshotOptions, Sync};
use thiserror::Error;

/// How to open the application.
#[derive(Debug, Clone)]
pub struct AppOptions {
    /// The node's home; state lies in `data/` and contract code in `wasm/` below it.
    pub home: PathBuf,
    /// The least prices that this node's mempool takes.
    pub min_gas_prices: Vec<GasPrice>,
    /// Most gas of one query or simulation.
    pub query_gas_limit: u64,
    /// Which past heights are kept, for queries.
    pub pruning: Pruning,
    /// Which snapshots are taken, for nodes that begin with one.
    pub snapshots: SnapshotOptions,
}

/// Why the application did not open.
#[derive(Debug, Error)]
pub enum OpenError {
    /// A folder cannot be made.
    #[error("{path}: {error}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The state database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The contracts' code.
    #[error(transparent)]
    Wasm(#[from] wasm::OpenError),
    /// A contract that is in the state has no code in the folder.
    #[error("contract code: {0}")]
    Code(AppError),
}

/// The application. Clones share it.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    disk: RwLock<Arc<Disk>>,
    pruning: Pruning,
    sync: Sync,
    wasm: WasmModule,
    min_gas_prices: Vec<GasPrice>,
    query_gas_limit: u64,
    /// The last height that was committed or found at the start.
    newest: RwLock<Arc<Snapshot>>,
    verified: Verified,
    /// The last committed block, for CheckTx and queries.
    last: RwLock<BlockInfo>,
    /// What pending transactions have changed.
    check: Mutex<Layers>,
    /// The block between FinalizeBlock and Commit, or genesis before the first.
    pending: Mutex<Option<Finalized>>,
    /// Genesis, until the first block builds on it.
    genesis: Mutex<Option<Layers>>,
    upgrades: RwLock<Upgrades>,
    /// Where a due upgrade is told to those who watch for one, as the SDK's tools do.
    upgrade_info: PathBuf,
}

struct Finalized {
    pending: Pending,
    block: BlockInfo,
}

impl App {
    /// Opens the state below the home, and compiles the contracts that are in it.
    ///
    /// # Errors
    /// When a file cannot be opened.
    pub fn open(options: AppOptions) -> Result<Self, OpenError> {
        let (data, code) = (options.home.join("data"), options.home.join("wasm"));
        for path in [&data, &code] {
            fs::create_dir_all(path).map_err(|error| OpenError::Folder {
                path: path.clone(),
                error,
            })?;
        }
        let sync =
            Sync::open(data.clone(), options.snapshots).map_err(|error| OpenError::Folder {
                path: data.clone(),
                error,
            })?;
        let disk = Disk::open(&data.join(DATABASE), options.pruning)?;
        let wasm = WasmModule::open(&code, Arc::new(chain::Below))?;
        let snapshot = disk.snapshot()?;
        let meta = snapshot.meta().clone();
        let layers = Layers::new(Arc::clone(&snapshot) as _);
        let (chain_id, time_ns) = block::read_last(&layers);
        let last = BlockInfo {
            height: meta.height,
            time_ns,
            chain_id,
        };
        let app = Self {
            inner: Arc::new(Inner {
                disk: RwLock::new(Arc::new(disk)),
                pruning: options.pruning,
                sync,
                wasm,
                min_gas_prices: options.min_gas_prices,
                query_gas_limit: options.query_gas_limit,
                newest: RwLock::new(snapshot),
                verified: Verified::default(),
                last: RwLock::new(last),
                check: Mutex::new(layers),
                pending: Mutex::new(None),
                genesis: Mutex::new(None),
                upgrades: RwLock::new(Upgrades::of_this_binary()),
                upgrade_info: data.join("upgrade-info.json"),
            }),
        };
        if meta.height > 0 {
            let ctx = app.read_ctx();
            app.inner.wasm.pin_all(&ctx).map_err(OpenError::Code)?;
        }
        Ok(app)
    }

    /// Says which upgrades this node makes and which it drops, in the place of those of this binary.
    pub fn set_upgrades(&self, upgrades: Upgrades) {
        *self.inner.upgrades.write() = upgrades;
    }

    /// The state database. A state sync puts another in its place.
    fn disk(&self) -> Arc<Disk> {
        Arc::clone(&self.inner.disk.read())
    }

    /// Where messages go.
    fn router(&self) -> router::Modules<'_> {
        router::Modules {
            wasm: &self.inner.wasm,
        }
    }

    /// The Bech32 prefix of the chain's accounts; empty before genesis.
    pub fn prefix(&self) -> String {
        auth::keeper::prefix(&self.read_ctx()).unwrap_or_default()
    }

    /// The last committed block; height 0 before the first.
    pub fn last_block(&self) -> BlockInfo {
        self.inner.last.read().clone()
    }

    /// The last committed height; 0 before the first block.
    pub fn last_height(&self) -> u64 {
        self.inner.last.read().height
    }
}
