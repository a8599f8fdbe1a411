//! Running one job of a lease: a worker for it, one fresh start if the worker dies, a signed receipt, results on disk.

use super::{
    blobs::BlobStore,
    jobs::{JobView, Phase, Results},
    runner::{JobRunner, Workers},
};
use crate::{
    compute::Hash,
    identity::rights::LeaseView,
    job::Manifest,
    receipt::{self, Receipt, SignedReceipt},
    worker::{Outcome, Progress, WorkerError},
};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::sync::{mpsc, watch};
use zeroize::Zeroizing;

/// What every lease of a provider is served with.
#[derive(Clone)]
pub struct HostConfig {
    /// Folder of all leases.
    pub data: PathBuf,
    /// What runs jobs.
    pub workers: Arc<dyn Workers>,
    /// Chain id, for receipts.
    pub chain_id: String,
    /// Key that signs receipts, PKCS#8 DER.
    pub pkcs8: Zeroizing<Vec<u8>>,
}

/// What the jobs of one lease run with. A clone is the same lease.
#[derive(Clone)]
pub struct Work {
    /// The provider's.
    pub config: HostConfig,
    /// The lease.
    pub view: LeaseView,
    /// Its folder.
    pub dir: PathBuf,
    /// The tenant's blobs.
    pub blobs: BlobStore,
    /// Finished jobs.
    pub results: Results,
}

impl Work {
    /// Runs a job whose manifest and blobs are here on one of the lease's devices. `slot` holds the device's worker:
    /// filled when it is empty, emptied when the worker dies. Tells `job` how it goes, but not how it ends.
    ///
    /// # Errors
    /// One line for the tenant.
    pub async fn job(
        &self,
        hash: &Hash,
        device: u32,
        slot: &mut Option<Box<dyn JobRunner>>,
        job: &watch::Sender<JobView>,
    ) -> Result<(), String> {
        let started_at = now();
        let bytes = self
            .results
            .manifest(hash)
            .map_err(|e| format!("job store: {e}"))?;
        let manifest = Manifest::from_canonical(&bytes).map_err(|e| e.to_string())?;
        let outcome = self.outcome(&manifest, device, slot, job).await?;
        let this = self.clone();
        // Outputs are hundreds of megabytes and are synced: not on a thread that serves others.
        tokio::task::spawn_blocking(move || this.keep(&manifest, &outcome, started_at))
            .await
            .map_err(|e| format!("job store: {e}"))?
    }

    async fn outcome(
        &self,
        manifest: &Manifest,
        device: u32,
        slot: &mut Option<Box<dyn JobRunner>>,
        job: &watch::Sender<JobView>,
    ) -> Result<Outcome, String> {
        // A worker that was killed under a job, by a crash or from outside, costs a fresh start, once.
        let mut again = true;
        loop {
            let worker = match slot {
                Some(worker) => worker,
                None => {
                    let scratch = self.dir.join(format!("scratch-{device}"));
                    let worker = self.config.workers.start(&self.view, device, &scratch);
                    slot.insert(worker.await.map_err(|e| e.to_string())?)
                }
            };
            let error = match self.attempt(manifest, worker.as_mut(), job).await {
                Ok(outcome) => return Ok(outcome),
                Err(e) => e,
            };
            if !error.worker_lives() {
                *slot = None;
            }
            let died = matches!(
                error,
                WorkerError::Crashed { .. } | WorkerError::Gone | WorkerError::DeviceLost(_)
            );
            if !died || !std::mem::take(&mut again) {
                return Err(error.to_string());
            }
            tracing::warn!(lease = self.view.lease_id, error = %error, "worker died; the job starts again");
            job.send_modify(|j| j.note(format!("{error}; starting again")));
        }
    }

    async fn attempt(
        &self,
        manifest: &Manifest,
        worker: &mut dyn JobRunner,
        job: &watch::Sender<JobView>,
    ) -> Result<Outcome, WorkerError> {
        let (progress, mut steps) = mpsc::channel::<Progress>(64);
        job.send_modify(|j| {
            j.phase = Phase::Running;
            (j.step, j.label) = (0, "started".into());
            j.note(format!("running on {}", worker.model()));
        });
        let find = |h: &Hash| self.blobs.path(h);
        let run = worker.run(manifest, &find, progress);
        let watch = async {
            while let Some(p) = steps.recv().await {
                job.send_modify(|j| {
                    (j.step, j.steps, j.label) = (p.step, p.steps, p.label);
                });
            }
        };
        let (outcome, ()) = tokio::join!(run, watch);
        outcome
    }

    fn keep(&self, manifest: &Manifest, outcome: &Outcome, started_at: u64) -> Result<(), String> {
        let receipt = Receipt {
            version: receipt::VERSION,
            chain_id: self.config.chain_id.clone(),
            lease_id: self.view.lease_id.to_string(),
            provider: self.view.provider.clone(),
            tenant: self.view.tenant.clone(),
            manifest_hash: manifest.hash(),
            kernels: outcome.kernels.clone(),
            outputs: outcome
                .outputs
                .iter()
                .map(|o| (o.name.clone(), o.hash, o.bytes.len() as u64))
                .collect(),
            checkpoints: outcome.checkpoints.clone(),
            device: outcome.device.model.clone(),
            driver: outcome.device.driver.clone(),
            usage: outcome.usage,
            started_at,
            finished_at: now(),
        };
        let signed = SignedReceipt::sign(receipt, &self.config.pkcs8).map_err(|e| e.to_string())?;
        self.results
            .keep(&manifest.hash(), &outcome.outputs, &signed)
            .map_err(|e| e.to_string())
    }
}

/// Unix seconds.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs())
}
