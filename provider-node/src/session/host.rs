//! One lease's host: performs what the state machine decides. Owns the lease's folder, its worker and its jobs.

use super::{
    blobs::BlobStore,
    jobs::{JobView, Phase, Results},
    state::{Effect, Input, Session},
};
use crate::{
    compute::Hash,
    identity::rights::LeaseView,
    job::{Manifest, check},
    receipt::{self, Receipt, SignedReceipt},
    worker::{Outcome, Progress, Worker, WorkerConfig, WorkerError},
};
use ember_types::lease::LeaseState;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::AbortHandle,
};
use zeroize::Zeroizing;

/// What every lease of a provider is served with.
#[derive(Clone)]
pub struct HostConfig {
    /// Folder of all leases.
    pub data: PathBuf,
    /// The binary that has the hidden subcommand `worker`.
    pub exe: PathBuf,
    /// Longest that any job may run.
    pub wall_cap: Duration,
    /// Chain id, for receipts.
    pub chain_id: String,
    /// Key that signs receipts, PKCS#8 DER.
    pub pkcs8: Zeroizing<Vec<u8>>,
}

/// A lease being served.
pub struct Host {
    config: HostConfig,
    view: LeaseView,
    dir: PathBuf,
    /// The tenant's blobs.
    pub blobs: BlobStore,
    /// Finished jobs.
    pub results: Results,
    inner: Mutex<Inner>,
    to_runner: mpsc::Sender<Hash>,
}

struct Inner {
    session: Session,
    cuts: BTreeMap<u64, oneshot::Sender<()>>,
    jobs: BTreeMap<[u8; 32], watch::Sender<JobView>>,
    runner: Option<AbortHandle>,
}

/// Most jobs that wait.
const QUEUE: usize = 64;

impl Host {
    /// Opens a lease's folder and starts its runner.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(config: HostConfig, view: LeaseView) -> io::Result<Arc<Self>> {
        let dir = folder(&config.data, view.lease_id);
        let (to_runner, jobs) = mpsc::channel(QUEUE);
        let host = Arc::new(Self {
            blobs: BlobStore::open(&dir.join("blobs"))?,
            results: Results::open(&dir.join("jobs"))?,
            config,
            view,
            dir,
            inner: Mutex::new(Inner {
                session: Session::new(),
                cuts: BTreeMap::new(),
                jobs: BTreeMap::new(),
                runner: None,
            }),
            to_runner,
        });
        let runner = tokio::spawn(Arc::clone(&host).run(jobs));
        host.inner.lock().runner = Some(runner.abort_handle());
        Ok(host)
    }

    /// Tells the state machine what happened and does what it says.
    pub fn apply(&self, input: Input) {
        let mut inner = self.inner.lock();
        let (session, effects) = std::mem::take(&mut inner.session).transition(input);
        inner.session = session;
        for effect in effects {
            match effect {
                Effect::Cut(conn) => drop(inner.cuts.remove(&conn)),
                Effect::Start(job) => {
                    if self.to_runner.try_send(job).is_err() {
                        fail(&inner, &job, "the session is closing");
                    }
                }
                Effect::KillWorker => {
                    // The runner holds the worker; dropping it kills the child.
                    if let Some(runner) = inner.runner.take() {
                        runner.abort();
                    }
                    for job in inner.jobs.values() {
                        job.send_if_modified(|j| {
                            let open = matches!(j.phase, Phase::Queued | Phase::Running);
                            if open {
                                j.phase = Phase::Failed("the lease is no longer active".into());
                            }
                            open
                        });
                    }
                }
                Effect::Wipe => {
                    if let Err(e) = fs::remove_dir_all(&self.dir) {
                        tracing::warn!(lease = self.view.lease_id, error = %e, "tenant's data could not be removed");
                    }
                }
            }
        }
    }

    /// Says what the chain says of the lease.
    pub fn lease_is(&self, state: Option<LeaseState>) {
        self.apply(Input::Lease(state));
    }

    /// A connection of the tenant; `cut` ends it.
    pub fn connected(&self, conn: u64, fingerprint: &str, cut: oneshot::Sender<()>) {
        self.inner.lock().cuts.insert(conn, cut);
        self.apply(Input::Connected(conn, fingerprint.to_owned()));
    }

    /// Whether a connection is known.
    pub fn knows(&self, conn: u64) -> bool {
        self.inner.lock().cuts.contains_key(&conn)
    }

    /// A connection has ended.
    pub fn disconnected(&self, conn: u64) {
        self.inner.lock().cuts.remove(&conn);
        self.apply(Input::Disconnected(conn));
    }

    /// Takes a job, or attaches to it. What is finished stays finished; what failed is run again.
    ///
    /// # Errors
    /// One line: what is wrong with the manifest, or which blobs are missing.
    pub fn submit(&self, manifest: &Manifest) -> Result<watch::Receiver<JobView>, String> {
        let hash = manifest.hash();
        check::check(manifest).map_err(|e| e.to_string())?;
        if self.results.receipt(&hash).is_none() {
            let missing = manifest
                .modules
                .iter()
                .map(|m| m.source)
                .chain(manifest.blobs.iter().map(|b| b.hash))
                .find(|h| self.blobs.path(h).is_none());
            if let Some(missing) = missing {
                return Err(format!(
                    "blob {missing}: expected it before the job, got none: send it first"
                ));
            }
            self.results
                .keep_manifest(&hash, &manifest.to_canonical())
                .map_err(|e| format!("job store: {e}"))?;
        }
        let (receiver, fresh) = {
            let mut inner = self.inner.lock();
            let done = self.results.receipt(&hash).is_some();
            let known = inner
                .jobs
                .get(&hash.0)
                .filter(|j| !matches!(j.borrow().phase, Phase::Failed(_)));
            if let Some(job) = known {
                (job.subscribe(), false)
            } else {
                let mut view = JobView::queued();
                if done {
                    view.phase = Phase::Done;
                }
                let (sender, receiver) = watch::channel(view);
                inner.jobs.insert(hash.0, sender);
                (receiver, !done)
            }
        };
        if fresh {
            self.apply(Input::Submitted(hash));
        }
        Ok(receiver)
    }

    /// What is known of every job.
    pub fn jobs(&self) -> Vec<(Hash, JobView)> {
        let mut all: BTreeMap<[u8; 32], JobView> = self
            .inner
            .lock()
            .jobs
            .iter()
            .map(|(h, j)| (*h, j.borrow().clone()))
            .collect();
        for hash in self.results.finished() {
            all.entry(hash.0).or_insert_with(|| JobView {
                phase: Phase::Done,
                ..JobView::queued()
            });
        }
        all.into_iter().map(|(h, j)| (Hash(h), j)).collect()
    }

    fn update(&self, hash: &Hash, f: impl FnOnce(&mut JobView)) {
        if let Some(job) = self.inner.lock().jobs.get(&hash.0) {
            job.send_modify(f);
        }
    }

    /// The runner: one job at a time on one worker, which is started for the first and again after a crash.
    async fn run(self: Arc<Self>, mut jobs: mpsc::Receiver<Hash>) {
        let mut worker: Option<Worker> = None;
        while let Some(hash) = jobs.recv().await {
            let started = now();
            let result = self.one(&hash, &mut worker).await;
            let outcome =
                result.and_then(|(manifest, outcome)| self.keep(&manifest, &outcome, started));
            self.update(&hash, |j| match outcome {
                Ok(()) => {
                    j.note("done");
                    j.phase = Phase::Done;
                }
                Err(reason) => {
                    j.note(format!("failed: {reason}"));
                    j.phase = Phase::Failed(reason);
                }
            });
            self.apply(Input::JobEnded(hash));
        }
    }

    async fn one(
        &self,
        hash: &Hash,
        slot: &mut Option<Worker>,
    ) -> Result<(Manifest, Outcome), String> {
        let bytes = self
            .results
            .manifest(hash)
            .map_err(|e| format!("job store: {e}"))?;
        let manifest = Manifest::from_canonical(&bytes).map_err(|e| e.to_string())?;
        // A worker that was killed under a job, by a crash or from outside, costs a fresh start, once.
        for attempt in 1..=2 {
            let worker = match slot {
                Some(worker) => worker,
                None => {
                    let started = Worker::spawn(self.worker_config())
                        .await
                        .map_err(|e| e.to_string())?;
                    tracing::info!(
                        lease = self.view.lease_id,
                        pid = started.pid(),
                        "worker started"
                    );
                    slot.insert(started)
                }
            };
            match self.attempt(hash, &manifest, worker).await {
                Ok(outcome) => return Ok((manifest, outcome)),
                Err(e) => {
                    if !e.worker_lives() {
                        *slot = None;
                    }
                    let died = matches!(
                        e,
                        WorkerError::Crashed { .. }
                            | WorkerError::Gone
                            | WorkerError::DeviceLost(_)
                    );
                    if !died || attempt == 2 {
                        return Err(e.to_string());
                    }
                    tracing::warn!(lease = self.view.lease_id, error = %e, "worker died; the job starts again");
                    self.update(hash, |j| j.note(format!("{e}; starting again")));
                }
            }
        }
        Err("the worker did not start".into())
    }

    async fn attempt(
        &self,
        hash: &Hash,
        manifest: &Manifest,
        worker: &mut Worker,
    ) -> Result<Outcome, WorkerError> {
        let (progress, mut steps) = mpsc::channel::<Progress>(64);
        self.update(hash, |j| {
            j.phase = Phase::Running;
            j.label = "started".into();
            j.note(format!("running on {}", worker.device().model));
        });
        let find = |h: &Hash| self.blobs.path(h);
        let run = worker.run(manifest, &find, progress);
        let watch = async {
            while let Some(p) = steps.recv().await {
                self.update(hash, |j| {
                    (j.step, j.steps, j.label) = (p.step, p.steps, p.label);
                });
            }
        };
        let (outcome, ()) = tokio::join!(run, watch);
        outcome
    }

    fn worker_config(&self) -> WorkerConfig {
        WorkerConfig {
            exe: self.config.exe.clone(),
            device: self.view.device,
            scratch: self.dir.join("scratch"),
            wall_cap: self.config.wall_cap,
        }
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
            .map_err(|e| format!("job store: {e}"))
    }
}

fn fail(inner: &Inner, job: &Hash, reason: &str) {
    if let Some(job) = inner.jobs.get(&job.0) {
        job.send_modify(|j| j.phase = Phase::Failed(reason.to_owned()));
    }
}

/// The folder of a lease.
pub fn folder(data: &Path, lease: u64) -> PathBuf {
    data.join(format!("lease-{lease}"))
}

/// Leases whose folders are there.
pub fn folders(data: &Path) -> Vec<u64> {
    let Ok(dir) = fs::read_dir(data) else {
        return Vec::new();
    };
    dir.flatten()
        .filter_map(|e| e.file_name().to_str()?.strip_prefix("lease-")?.parse().ok())
        .collect()
}

/// Unix seconds.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs())
}
