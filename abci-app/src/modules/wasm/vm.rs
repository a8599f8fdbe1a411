//! The VM: two module caches over one folder of wasm blobs.
//!
//! Consensus and queries have a cache each, because a cache holds its lock while it compiles. Whether a module is
//! cached decides how long a call takes and nothing else: gas and results never depend on it.

use super::{
    backend_api::Api,
    backend_storage::ContractStorage,
    fail::{Code, Fail, Res},
    querier::ChainQuerier,
};
use crate::ctx::Mode;
use cosmwasm_std::Checksum;
use cosmwasm_vm::{
    AnalysisReport, Backend, Cache, CacheOptions, Instance, InstanceOptions, Size, VmError,
};
use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// What a contract runs against.
pub(super) type ContractInstance = Instance<Api, ContractStorage, ChainQuerier>;
type ModuleCache = Cache<Api, ContractStorage, ChainQuerier>;

/// What contracts may require. Contracts that need IBC load and get a typed error when they use it.
const CAPABILITIES: [&str; 10] = [
    "iterator",
    "staking",
    "stargate",
    "cosmwasm_1_1",
    "cosmwasm_1_2",
    "cosmwasm_1_3",
    "cosmwasm_1_4",
    "cosmwasm_2_0",
    "cosmwasm_2_1",
    "cosmwasm_2_2",
];
/// Memory one instance may use: wasmd's limit.
const INSTANCE_MEMORY: Size = Size::mebi(32);
/// Compiled modules kept beside the pinned ones.
const MODULE_CACHE: Size = Size::mebi(100);

/// The VM of one node.
pub(super) struct Vm {
    main: ModuleCache,
    queries: ModuleCache,
    blobs: PathBuf,
    dir: PathBuf,
}

impl Vm {
    /// Open the VM in `dir`, which is made if it is not there. One process at a time.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Io { path, source }
        };
        let blobs = dir.join("state").join("wasm");
        fs::create_dir_all(&blobs).map_err(at(&blobs))?;
        // The query cache compiles into its own folder and reads the same blobs.
        let queries = dir.join("queries");
        let link = queries.join("state").join("wasm");
        let parent = queries.join("state");
        fs::create_dir_all(&parent).map_err(at(&parent))?;
        let target = blobs.canonicalize().map_err(at(&blobs))?;
        if fs::read_link(&link).ok().as_deref() != Some(target.as_path()) {
            match fs::remove_file(&link) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(at(&link)(e)),
                _ => std::os::unix::fs::symlink(&target, &link).map_err(at(&link))?,
            }
        }
        Ok(Self {
            main: cache(dir)?,
            queries: cache(&queries)?,
            blobs,
            dir: dir.to_owned(),
        })
    }

    /// Simulations count as queries: they must not wait for a block, nor a block for them.
    fn cache(&self, mode: Mode) -> &ModuleCache {
        match mode {
            Mode::Deliver => &self.main,
            Mode::Check | Mode::Recheck | Mode::Simulate | Mode::Query => &self.queries,
        }
    }

    /// Check and compile `wasm`; with `persist`, its blob is on disk, synced, when this returns. Idempotent.
    ///
    /// # Errors
    /// wasm/2 with the reason why the code is refused.
    pub fn store(&self, wasm: &[u8], persist: bool) -> Res<Checksum> {
        let checksum = Checksum::generate(wasm);
        let refused = |e: VmError| {
            Fail::new(
                Code::CreateFailed,
                format_args!("Error calling the VM: {e}"),
            )
        };
        // A blob that is there whole was checked when it came; writing it again could only tear it.
        if self.main.load_wasm(&checksum).is_ok() {
            return Ok(checksum);
        }
        // Simulations write nothing.
        self.main.store_code(wasm, true, persist).map_err(refused)?;
        if persist {
            self.sync_blob(&checksum)
                .map_err(|e| local_fault("cannot save the wasm blob", &e))?;
        }
        Ok(checksum)
    }

    /// Force the blob to disk. One that a crash tore before this fails its checksum and is written again when the
    /// block is replayed.
    fn sync_blob(&self, checksum: &Checksum) -> io::Result<()> {
        File::open(self.blobs.join(format!("{checksum}.wasm")))?.sync_all()?;
        File::open(&self.blobs)?.sync_all()
    }

    /// The blob of a stored code.
    ///
    /// # Errors
    /// wasm/8 when it is not on this node's disk.
    pub fn blob(&self, checksum: &Checksum) -> Res<Vec<u8>> {
        self.main
            .load_wasm(checksum)
            .map_err(|e| Fail::new(Code::NotFound, format_args!("wasm code {checksum}: {e}")))
    }

    /// What a stored code exports and requires.
    pub fn analyze(&self, checksum: &Checksum) -> Res<AnalysisReport> {
        self.main.analyze(checksum).map_err(|e| vm_error(&e))
    }

    /// Keep the compiled module in memory for good.
    ///
    /// # Errors
    /// wasm/18.
    pub fn pin(&self, checksum: &Checksum) -> Res<()> {
        self.main
            .pin(checksum)
            .or_else(|e| {
                self.recompile(checksum, Mode::Deliver, e)
                    .and_then(|()| self.main.pin(checksum))
            })
            .map_err(|e| {
                Fail::new(
                    Code::PinContractFailed,
                    format_args!("Error calling the VM: {e}"),
                )
            })
    }

    /// Keep the compiled module in memory for good, in a block: a node that lacks it stops rather than disagree with
    /// the others.
    pub fn keep(&self, checksum: &Checksum) {
        if let Err(e) = self.pin(checksum) {
            local_fault(&format!("cannot load wasm code {checksum}"), &e.app);
        }
    }

    /// Keep the compiled module in memory no longer than any other. Nothing where it is not kept.
    pub fn drop_kept(&self, checksum: &Checksum) {
        // How long a module stays in memory is no result: what fails here only costs this node memory.
        if let Err(e) = self.main.unpin(checksum) {
            tracing::warn!(%checksum, error = %e, "compiled wasm module stays in memory");
        }
    }

    /// How many modules are in memory for good.
    #[cfg(test)]
    pub fn kept(&self) -> usize {
        self.main.metrics().elements_pinned_memory_cache
    }

    /// An instance of a stored code.
    ///
    /// # Errors
    /// wasm/29. In a block, a blob or module that this node cannot load is no error of the transaction: the node
    /// stops rather than disagree with the others.
    pub fn instance(
        &self,
        checksum: &Checksum,
        backend: impl Fn() -> Backend<Api, ContractStorage, ChainQuerier>,
        gas_limit: u64,
        mode: Mode,
    ) -> Res<ContractInstance> {
        let options = InstanceOptions { gas_limit };
        let cache = self.cache(mode);
        cache
            .get_instance(checksum, backend(), options)
            .or_else(|e| {
                self.recompile(checksum, mode, e)
                    .and_then(|()| cache.get_instance(checksum, backend(), options))
            })
            .map_err(|e| match e {
                VmError::CacheErr { .. } | VmError::IntegrityErr { .. }
                    if mode == Mode::Deliver =>
                {
                    local_fault(&format!("cannot load wasm code {checksum}"), &e)
                }
                e => vm_error(&e),
            })
    }

    /// Drop a compiled module that a crash tore while it was written; the VM compiles it again from the blob.
    ///
    /// # Errors
    /// `e` when it is no error of the module cache.
    fn recompile(&self, checksum: &Checksum, mode: Mode, e: VmError) -> Result<(), VmError> {
        if !matches!(e, VmError::CacheErr { .. }) {
            return Err(e);
        }
        tracing::warn!(%checksum, error = %e, "compiled wasm module cannot be loaded: compiling it again");
        // Each cache mends its own folder: a query must not pull a module from under a block.
        let base = match mode {
            Mode::Deliver => self.dir.clone(),
            _ => self.dir.join("queries"),
        };
        remove_modules(
            &base.join("cache").join("modules"),
            &format!("{checksum}.module"),
            3,
        );
        Ok(())
    }
}

/// Remove the files called `name` below `dir`; the VM keeps them in folders named after its version and target.
fn remove_modules(dir: &Path, name: &str, depth: usize) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && depth > 0 {
            remove_modules(&path, name, depth - 1);
        } else if entry.file_name() == name {
            // What cannot be removed is reported by the load that follows.
            let _ = fs::remove_file(path);
        }
    }
}

/// The VM's error as the chain's.
pub(super) fn vm_error(e: &VmError) -> Fail {
    Fail::new(Code::Vm, format_args!("Error calling the VM: {e}"))
}

#[expect(
    clippy::panic,
    reason = "a node that cannot read its own disk must not vote on results"
)]
fn local_fault(what: &str, e: &dyn std::error::Error) -> Fail {
    panic!("{what}: {e}; check the disk under the wasm folder, then restart")
}

fn cache(dir: &Path) -> Result<ModuleCache, OpenError> {
    let capabilities: HashSet<String> = CAPABILITIES.iter().map(|s| (*s).to_owned()).collect();
    let options = CacheOptions::new(dir, capabilities, MODULE_CACHE, INSTANCE_MEMORY);
    // SAFETY: the folder is this node's own; modules in it were compiled by this VM from checked blobs, as the
    // VM's file cache assumes. Whoever can write there can replace the binary as well.
    unsafe { Cache::new(options) }.map_err(OpenError::Vm)
}

/// Why the VM could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder.
    #[error("wasm folder {path}: {source}; make it writable")]
    Io {
        /// The path that failed.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The VM's caches.
    #[error("wasm VM: {0}")]
    Vm(VmError),
}
