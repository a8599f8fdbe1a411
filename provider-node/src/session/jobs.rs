//! Jobs of one lease: what is known of each, in memory while it runs and on disk once it is done.

use crate::{compute::Hash, receipt::SignedReceipt, worker::OutputData};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use thiserror::Error;

/// Most lines kept of a job's log.
pub const MAX_LOG: usize = 1_000;
/// Most jobs of a lease that are kept.
pub const MAX_JOBS: u64 = 1_024;
/// Most bytes of all results of a lease.
pub const MAX_RESULTS: u64 = 8 << 30;

/// Why a job or its result was not kept.
#[derive(Debug, Error)]
pub enum KeepError {
    /// Too many.
    #[error(
        "jobs of this lease: expected at most {MAX_JOBS}, got one more: they are kept until the lease ends"
    )]
    Jobs,
    /// Too large.
    #[error(
        "results of this lease: expected at most {MAX_RESULTS} bytes in all, got {0}: they are kept until the lease ends"
    )]
    Bytes(u64),
    /// The disk.
    #[error("job store: {0}")]
    Io(#[from] io::Error),
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Waits for the worker.
    Queued,
    /// On the device.
    Running,
    /// Finished; its results are on disk.
    Done,
    /// Ended without a result; it may be submitted again.
    Failed(String),
}

impl Phase {
    /// Whether it runs or waits.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }

    /// The phase's name in the protocol.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed(_) => "failed",
        }
    }
}

/// What is known of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobView {
    /// Where it stands.
    pub phase: Phase,
    /// Steps done.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// What it does now.
    pub label: String,
    /// Its log, oldest first.
    pub log: Vec<String>,
}

impl JobView {
    /// A job that waits.
    pub fn queued() -> Self {
        Self {
            phase: Phase::Queued,
            step: 0,
            steps: 0,
            label: "queued".into(),
            log: Vec::new(),
        }
    }

    /// Adds a line to the log.
    pub fn note(&mut self, line: impl Into<String>) {
        if self.log.len() < MAX_LOG {
            self.log.push(line.into());
        }
    }
}

/// Results on disk: `<dir>/<manifest hash>/`, its receipt written last.
#[derive(Debug, Clone)]
pub struct Results {
    dir: PathBuf,
}

impl Results {
    /// Opens the folder, made if absent.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    fn job(&self, hash: &Hash) -> PathBuf {
        self.dir.join(hash.to_string())
    }

    /// Jobs and bytes that are kept.
    fn usage(&self) -> io::Result<(u64, u64)> {
        let (mut jobs, mut bytes) = (0, 0);
        for job in fs::read_dir(&self.dir)? {
            jobs += 1;
            for file in fs::read_dir(job?.path())? {
                // A file that is just being renamed is counted the next time.
                bytes += file?.metadata().map_or(0, |m| m.len());
            }
        }
        Ok((jobs, bytes))
    }

    /// Keeps a manifest.
    ///
    /// # Errors
    /// When the lease has too many jobs or results, or it cannot be written.
    pub fn keep_manifest(&self, hash: &Hash, canonical: &[u8]) -> Result<(), KeepError> {
        let dir = self.job(hash);
        let (jobs, bytes) = self.usage()?;
        if jobs >= MAX_JOBS && !dir.is_dir() {
            return Err(KeepError::Jobs);
        }
        if bytes > MAX_RESULTS {
            return Err(KeepError::Bytes(bytes));
        }
        // Not with its parents: a lease whose data were removed does not come back.
        match fs::create_dir(&dir) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e.into()),
            _ => {}
        }
        Ok(write(&dir.join("manifest.json"), canonical)?)
    }

    /// A manifest that was kept.
    ///
    /// # Errors
    /// When it is not there.
    pub fn manifest(&self, hash: &Hash) -> io::Result<Vec<u8>> {
        fs::read(self.job(hash).join("manifest.json"))
    }

    /// Keeps the result of a job whose manifest was kept, whole or not at all.
    ///
    /// # Errors
    /// When the lease's results are too many bytes with it, or it cannot be written.
    pub fn keep(
        &self,
        hash: &Hash,
        outputs: &[OutputData],
        receipt: &SignedReceipt,
    ) -> Result<(), KeepError> {
        let dir = self.job(hash);
        let new: u64 = outputs.iter().map(|o| o.bytes.len() as u64).sum();
        let bytes = self.usage()?.1.saturating_add(new);
        if bytes > MAX_RESULTS {
            return Err(KeepError::Bytes(bytes));
        }
        for output in outputs {
            write(&dir.join(format!("output-{}", output.name)), &output.bytes)?;
        }
        let receipt = serde_json::to_vec(receipt).map_err(io::Error::from)?;
        Ok(write(&dir.join("receipt.json"), &receipt)?)
    }

    /// The receipt of a finished job.
    pub fn receipt(&self, hash: &Hash) -> Option<SignedReceipt> {
        serde_json::from_slice(&fs::read(self.job(hash).join("receipt.json")).ok()?).ok()
    }

    /// Where an output of a finished job lies.
    pub fn output(&self, hash: &Hash, name: &str) -> Option<PathBuf> {
        let receipt = self.receipt(hash)?;
        // The name is one of the receipt's, so that no path can be asked for.
        receipt
            .receipt
            .outputs
            .iter()
            .any(|(n, _, _)| n == name)
            .then(|| self.job(hash).join(format!("output-{name}")))
    }

    /// Every job with a receipt.
    pub fn finished(&self) -> Vec<Hash> {
        let Ok(dir) = fs::read_dir(&self.dir) else {
            return Vec::new();
        };
        let mut all: Vec<Hash> = dir
            .filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok())
            .filter(|h| self.receipt(h).is_some())
            .collect();
        all.sort_unstable_by_key(|h| h.0);
        all
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let next = path.with_extension("new");
    fs::write(&next, bytes)?;
    fs::File::open(&next)?.sync_all()?;
    fs::rename(next, path)
}
