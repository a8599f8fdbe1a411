//! State sync: snapshots that this node offers, and one that it begins with.

use super::{App, block::read_last};
use crate::{
    ctx::BlockInfo,
    error::AppError,
    modules::wasm::WasmModule,
    store::{
        Layers,
        disk::Disk,
        error::StoreError,
        sync::{Applied, Blobs, Files, Refusal, Restore, take},
    },
};
use parking_lot::Mutex;
use std::{io, path::PathBuf, sync::Arc, thread::JoinHandle};
use tendermint_proto::v0_38::abci::{
    RequestApplySnapshotChunk, RequestOfferSnapshot, ResponseApplySnapshotChunk,
    ResponseOfferSnapshot, response_apply_snapshot_chunk::Result as Verdict,
    response_offer_snapshot::Result as Offer,
};

/// Which snapshots a node takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SnapshotOptions {
    /// At every height that this divides; 0: none.
    pub interval: u64,
    /// How many stay.
    pub keep_recent: u32,
}

/// A node's snapshots.
pub(super) struct Sync {
    pub files: Files,
    options: SnapshotOptions,
    data: PathBuf,
    taking: Mutex<Option<JoinHandle<()>>>,
    restoring: Mutex<Option<Restore>>,
}

impl Sync {
    pub(super) fn open(data: PathBuf, options: SnapshotOptions) -> io::Result<Self> {
        Restore::clear(&data)?;
        Ok(Self {
            files: Files::open(&data.join("snapshots"))?,
            options,
            data,
            taking: Mutex::new(None),
            restoring: Mutex::new(None),
        })
    }
}

impl Blobs for WasmModule {
    fn blob(&self, checksum: &[u8; 32]) -> Result<Vec<u8>, String> {
        self.blob(checksum).map_err(|e| e.to_string())
    }
}

impl App {
    /// Begins a snapshot of the height that was just committed, when it is due and none is under way. It is written beside
    /// the blocks, by a thread of its own.
    pub(super) fn snapshot_if_due(&self, height: u64) {
        let sync = &self.inner.sync;
        if sync.options.interval == 0 || !height.is_multiple_of(sync.options.interval) {
            return;
        }
        let mut taking = sync.taking.lock();
        if taking.as_ref().is_some_and(|t| !t.is_finished()) {
            tracing::warn!(height, "no snapshot: the last one is still being written");
            return;
        }
        let (app, disk) = (self.clone(), self.disk());
        // Held from here on, not from when the thread gets to run: the next commit may prune.
        disk.hold(height);
        let run = move || match app.snapshot(&disk, height) {
            Ok(chunks) => tracing::info!(height, chunks, "snapshot written"),
            Err(e) => tracing::error!(height, error = %e, "no snapshot"),
        };
        let thread = std::thread::Builder::new().name("snapshot".into());
        match thread.spawn(run) {
            Ok(handle) => *taking = Some(handle),
            Err(e) => tracing::error!(height, error = %e, "no snapshot"),
        }
    }

    fn snapshot(&self, disk: &Disk, height: u64) -> Result<u32, String> {
        let text = |e: &dyn std::fmt::Display| e.to_string();
        let _hold = disk.held();
        let state = disk.at(height).map_err(|e| text(&e))?;
        let state = state.ok_or_else(|| format!("height {height} is pruned"))?;
        let wasm = &self.inner.wasm;
        let checksums = wasm.checksums(&self.past_ctx(&state));
        let checksums = checksums.map_err(|e| text(&e))?;
        // Its pages are free again before the long part.
        drop(state);
        let sync = &self.inner.sync;
        let keep = usize::try_from(sync.options.keep_recent).unwrap_or(usize::MAX);
        let taken = take(disk, &sync.files, wasm, (height, &checksums), keep);
        taken.map(|s| s.chunks).map_err(|e| text(&e))
    }

    /// Waits for the snapshot that is being written, if one is.
    pub fn finish_snapshot(&self) {
        let taking = self.inner.sync.taking.lock().take();
        if taking.is_some_and(|t| t.join().is_err()) {
            tracing::error!("the snapshot's thread panicked");
        }
    }

    pub(super) fn offer(&self, req: &RequestOfferSnapshot) -> ResponseOfferSnapshot {
        let verdict = match &req.snapshot {
            None => Offer::Reject,
            Some(_) if self.last_height() > 0 => {
                tracing::error!(height = self.last_height(), "state sync: expected no state");
                Offer::Abort
            }
            Some(offered) => {
                let sync = &self.inner.sync;
                let mut restoring = sync.restoring.lock();
                // The one before has its files where the next one's go.
                *restoring = None;
                let pruning = self.inner.pruning;
                match Restore::begin(&sync.data, pruning, offered, &req.app_hash) {
                    Ok(begun) => {
                        *restoring = Some(begun);
                        Offer::Accept
                    }
                    Err(e) => {
                        tracing::error!(height = offered.height, error = %e, "snapshot refused");
                        match e {
                            Refusal::Format(_) => Offer::RejectFormat,
                            Refusal::Store(_) | Refusal::Files(_) => Offer::Abort,
                            Refusal::Chunk(_) | Refusal::Snapshot(_) => Offer::Reject,
                        }
                    }
                }
            }
        };
        ResponseOfferSnapshot {
            result: verdict.into(),
        }
    }

    pub(super) fn apply(&self, req: &RequestApplySnapshotChunk) -> ResponseApplySnapshotChunk {
        let mut restoring = self.inner.sync.restoring.lock();
        let Some(restore) = restoring.as_mut() else {
            return verdict(Verdict::Abort);
        };
        let applied = restore.apply(req.index, &req.chunk);
        let applied = applied.and_then(|applied| match applied {
            Applied::More => Ok(()),
            Applied::Whole => restoring.take().map_or(Ok(()), |whole| self.adopt(whole)),
        });
        let Err(e) = applied else {
            return verdict(Verdict::Accept);
        };
        tracing::error!(chunk = req.index, error = %e, "state sync");
        match e {
            Refusal::Chunk(_) => ResponseApplySnapshotChunk {
                refetch_chunks: vec![req.index],
                reject_senders: vec![req.sender.clone()],
                ..verdict(Verdict::Retry)
            },
            Refusal::Snapshot(_) | Refusal::Format(_) => {
                *restoring = None;
                verdict(Verdict::RejectSnapshot)
            }
            Refusal::Store(_) | Refusal::Files(_) => {
                *restoring = None;
                verdict(Verdict::Abort)
            }
        }
    }

    /// Takes over a whole state: its code first, which must be what the state names, then the state.
    fn adopt(&self, whole: Restore) -> Result<(), Refusal> {
        let wrong = |e: AppError| Refusal::Snapshot(e.to_string());
        let state = whole.disk().snapshot()?;
        let wasm = &self.inner.wasm;
        let named = wasm.checksums(&self.past_ctx(&state)).map_err(wrong)?;
        drop(state);
        if named != whole.blobs() {
            return Err(Refusal::Snapshot(format!(
                "expected the {} wasm blobs that the state names, got {} others",
                named.len(),
                whole.blobs().len()
            )));
        }
        for checksum in &named {
            wasm.keep_blob(&whole.blob(checksum)?).map_err(wrong)?;
        }
        let disk = whole.finish(&self.inner.sync.data)?;
        *self.inner.disk.write() = Arc::new(disk);
        self.reload()?;
        tracing::info!(
            height = self.last_height(),
            "state restored from a snapshot"
        );
        let ctx = self.read_ctx();
        wasm.pin_all(&ctx).map_err(wrong)
    }

    /// Reads again what is kept in memory of the committed state.
    pub(super) fn reload(&self) -> Result<(), StoreError> {
        let snapshot = self.disk().snapshot()?;
        let layers = Layers::new(Arc::clone(&snapshot) as _);
        let (chain_id, time_ns) = read_last(&layers);
        *self.inner.last.write() = BlockInfo {
            height: snapshot.meta().height,
            time_ns,
            chain_id,
        };
        *self.inner.genesis.lock() = None;
        *self.inner.check.lock() = layers;
        *self.inner.newest.write() = snapshot;
        Ok(())
    }
}

fn verdict(result: Verdict) -> ResponseApplySnapshotChunk {
    ResponseApplySnapshotChunk {
        result: result.into(),
        ..ResponseApplySnapshotChunk::default()
    }
}
