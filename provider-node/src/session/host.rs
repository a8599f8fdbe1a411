//! One lease's host: performs what the state machine decides. Owns the lease's folder, its workers and its jobs.

use super::{
    blobs::BlobStore,
    jobs::{JobView, Phase, Results},
    runner::JobRunner,
    state::{Effect, Input, Session},
    work::Work,
};
use crate::{
    compute::Hash,
    identity::rights::LeaseView,
    job::{Manifest, check},
};
use ember_types::lease::LeaseState;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::AbortHandle,
};

pub use super::work::HostConfig;

/// Most jobs of a lease that run or wait.
pub const MAX_OPEN: usize = 64;

/// A lease being served.
pub struct Host {
    work: Work,
    inner: Mutex<Inner>,
    /// One submission at a time: two of one job would write the same files.
    submitting: Mutex<()>,
    to_runner: mpsc::Sender<Hash>,
}

struct Inner {
    session: Session,
    cuts: BTreeMap<u64, oneshot::Sender<()>>,
    jobs: BTreeMap<[u8; 32], watch::Sender<JobView>>,
    runners: Vec<AbortHandle>,
}

impl Inner {
    /// Ends the runners, and with them the workers that they hold and what those run.
    fn kill_runners(&mut self, reason: &str) {
        for runner in std::mem::take(&mut self.runners) {
            runner.abort();
        }
        for job in self.jobs.values() {
            job.send_if_modified(|j| {
                let open = j.phase.is_open();
                if open {
                    j.phase = Phase::Failed(reason.into());
                }
                open
            });
        }
    }
}

impl Host {
    /// Opens a lease's folder and starts a runner for each of its devices.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(config: HostConfig, view: LeaseView) -> io::Result<Arc<Self>> {
        let dir = folder(&config.data, view.lease_id);
        // The state machine starts no more jobs than there are runners.
        let devices = view.devices.clone();
        let (to_runner, jobs) = mpsc::channel(devices.len().max(1));
        let host = Arc::new(Self {
            work: Work {
                blobs: BlobStore::open(&dir.join("blobs"))?,
                results: Results::open(&dir.join("jobs"))?,
                config,
                view,
                dir,
            },
            inner: Mutex::new(Inner {
                session: Session::new(devices.len()),
                cuts: BTreeMap::new(),
                jobs: BTreeMap::new(),
                runners: Vec::new(),
            }),
            submitting: Mutex::new(()),
            to_runner,
        });
        let jobs = Arc::new(tokio::sync::Mutex::new(jobs));
        host.inner.lock().runners = devices
            .into_iter()
            .map(|device| {
                let run = Arc::clone(&host).run(device, Arc::clone(&jobs));
                tokio::spawn(run).abort_handle()
            })
            .collect();
        Ok(host)
    }

    /// The tenant's blobs.
    pub const fn blobs(&self) -> &BlobStore {
        &self.work.blobs
    }

    /// Finished jobs.
    pub const fn results(&self) -> &Results {
        &self.work.results
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
                    if self.to_runner.try_send(job).is_err()
                        && let Some(job) = inner.jobs.get(&job.0)
                    {
                        job.send_modify(|j| {
                            j.phase = Phase::Failed("the session is closing".into())
                        });
                    }
                }
                Effect::KillWorkers => inner.kill_runners("the lease is no longer active"),
                Effect::Wipe => wipe(self.work.view.lease_id, self.work.dir.clone()),
            }
        }
    }

    /// Says what the chain says of the lease.
    pub fn lease_is(&self, state: Option<LeaseState>) {
        self.apply(Input::Lease(state));
    }

    /// Ends everything and keeps all data: the server stops.
    pub fn stop(&self) {
        let mut inner = self.inner.lock();
        inner.cuts.clear();
        inner.kill_runners("the provider stops");
    }

    /// A connection of the tenant; `cut` ends it.
    pub fn connected(&self, conn: u64, fingerprint: &str, cut: oneshot::Sender<()>) {
        self.inner.lock().cuts.insert(conn, cut);
        self.apply(Input::Connected(conn, fingerprint.to_owned()));
    }

    /// A connection has ended.
    pub fn disconnected(&self, conn: u64) {
        self.inner.lock().cuts.remove(&conn);
        self.apply(Input::Disconnected(conn));
    }

    /// Takes a job, or attaches to it. What is finished stays finished; what failed is run again. Reads and writes files.
    ///
    /// # Errors
    /// One line: what is wrong with the manifest, which blob is missing, or what is full.
    pub fn submit(&self, manifest: &Manifest) -> Result<watch::Receiver<JobView>, String> {
        let hash = manifest.hash();
        check::check(manifest).map_err(|e| e.to_string())?;
        let _one = self.submitting.lock();
        if self.results().receipt(&hash).is_none() {
            let missing = manifest
                .modules
                .iter()
                .map(|m| m.source)
                .chain(manifest.blobs.iter().map(|b| b.hash))
                .find(|h| self.blobs().path(h).is_none());
            if let Some(missing) = missing {
                return Err(format!(
                    "blob {missing}: expected it before the job, got none: send it first"
                ));
            }
            self.results()
                .keep_manifest(&hash, &manifest.to_canonical())
                .map_err(|e| e.to_string())?;
        }
        let (receiver, fresh) = {
            let mut inner = self.inner.lock();
            let done = self.results().receipt(&hash).is_some();
            let known = inner
                .jobs
                .get(&hash.0)
                .filter(|j| !matches!(j.borrow().phase, Phase::Failed(_)));
            if let Some(job) = known {
                (job.subscribe(), false)
            } else {
                let open = inner.jobs.values().filter(|j| j.borrow().phase.is_open());
                if !done && open.count() >= MAX_OPEN {
                    return Err(format!(
                        "expected at most {MAX_OPEN} jobs that run or wait, got one more: wait for one to end"
                    ));
                }
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
        for hash in self.results().finished() {
            all.entry(hash.0).or_insert_with(|| JobView {
                phase: Phase::Done,
                ..JobView::queued()
            });
        }
        all.into_iter().map(|(h, j)| (Hash(h), j)).collect()
    }

    /// A device's runner: one job at a time on one worker, which is started for the first and again after a crash.
    async fn run(
        self: Arc<Self>,
        device: u32,
        jobs: Arc<tokio::sync::Mutex<mpsc::Receiver<Hash>>>,
    ) {
        let mut worker: Option<Box<dyn JobRunner>> = None;
        loop {
            // The lock is held while waiting, by one idle runner; the others wait for the lock.
            let Some(hash) = jobs.lock().await.recv().await else {
                return;
            };
            let Some(job) = self.inner.lock().jobs.get(&hash.0).cloned() else {
                continue;
            };
            let end = self.work.job(&hash, device, &mut worker, &job).await;
            // The machine hears it first: who sees the job end and submits it again must find it ended.
            self.apply(Input::JobEnded(hash));
            job.send_modify(|j| match end {
                Ok(()) => {
                    j.note("done");
                    j.phase = Phase::Done;
                }
                Err(reason) => {
                    j.note(format!("failed: {reason}"));
                    j.phase = Phase::Failed(reason);
                }
            });
        }
    }
}

/// Removes a tenant's data. A worker that is just being killed may still write, so it is tried again.
fn wipe(lease: u64, dir: PathBuf) {
    tokio::spawn(async move {
        let mut last = None;
        for _ in 0..20 {
            let dir = dir.clone();
            match tokio::task::spawn_blocking(move || fs::remove_dir_all(dir)).await {
                Ok(Ok(())) => return,
                Ok(Err(e)) if e.kind() == io::ErrorKind::NotFound => return,
                Ok(Err(e)) => last = Some(e.to_string()),
                Err(e) => last = Some(e.to_string()),
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        let error = last.unwrap_or_default();
        tracing::warn!(lease, error, "the tenant's data could not be removed");
    });
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
