//! What runs jobs: the worker processes of [`crate::worker`], behind a seam so that a session can be tested without a
//! device.

use crate::{
    identity::rights::LeaseView,
    job::Manifest,
    worker::{Blobs, Outcome, Progress, Worker, WorkerConfig, WorkerError},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::sync::mpsc;

/// A live worker of one lease. Dropping it ends it, and with it whatever it runs.
#[tonic::async_trait]
pub trait JobRunner: Send {
    /// Model of the device it holds.
    fn model(&self) -> &str;

    /// Runs one job.
    ///
    /// # Errors
    /// Why there is no outcome; [`WorkerError::worker_lives`] says whether another job may follow.
    async fn run(
        &mut self,
        manifest: &Manifest,
        blobs: Blobs<'_>,
        progress: mpsc::Sender<Progress>,
    ) -> Result<Outcome, WorkerError>;
}

/// Starts workers.
#[tonic::async_trait]
pub trait Workers: Send + Sync {
    /// A worker for a lease on one of its devices, whose only writable folder is `scratch`.
    ///
    /// # Errors
    /// When it does not start.
    async fn start(
        &self,
        lease: &LeaseView,
        device: u32,
        scratch: &Path,
    ) -> Result<Box<dyn JobRunner>, WorkerError>;
}

/// Workers as sandboxed child processes.
#[derive(Debug, Clone)]
pub struct Processes {
    /// The binary that has the hidden subcommand `worker`.
    pub exe: PathBuf,
    /// Longest that any job may run.
    pub wall_cap: Duration,
}

#[tonic::async_trait]
impl Workers for Processes {
    async fn start(
        &self,
        lease: &LeaseView,
        device: u32,
        scratch: &Path,
    ) -> Result<Box<dyn JobRunner>, WorkerError> {
        let worker = Worker::spawn(WorkerConfig {
            exe: self.exe.clone(),
            device,
            scratch: scratch.to_owned(),
            wall_cap: self.wall_cap,
        })
        .await?;
        tracing::info!(
            lease = lease.lease_id,
            device,
            pid = worker.pid(),
            "worker started"
        );
        Ok(Box::new(worker))
    }
}

#[tonic::async_trait]
impl JobRunner for Worker {
    fn model(&self) -> &str {
        &self.device().model
    }

    async fn run(
        &mut self,
        manifest: &Manifest,
        blobs: Blobs<'_>,
        progress: mpsc::Sender<Progress>,
    ) -> Result<Outcome, WorkerError> {
        Worker::run(self, manifest, blobs, progress).await
    }
}
