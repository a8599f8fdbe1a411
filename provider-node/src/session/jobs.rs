//! Jobs of one lease: what is known of each, in memory while it runs and on disk once it is done.

use crate::{compute::Hash, receipt::SignedReceipt, worker::OutputData};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Most lines kept of a job's log.
pub const MAX_LOG: usize = 1_000;

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

    /// Keeps a manifest.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_manifest(&self, hash: &Hash, canonical: &[u8]) -> io::Result<()> {
        fs::create_dir_all(self.job(hash))?;
        write(&self.job(hash).join("manifest.json"), canonical)
    }

    /// A manifest that was kept.
    ///
    /// # Errors
    /// When it is not there.
    pub fn manifest(&self, hash: &Hash) -> io::Result<Vec<u8>> {
        fs::read(self.job(hash).join("manifest.json"))
    }

    /// Keeps a result, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(
        &self,
        hash: &Hash,
        outputs: &[OutputData],
        receipt: &SignedReceipt,
    ) -> io::Result<()> {
        let dir = self.job(hash);
        fs::create_dir_all(&dir)?;
        for output in outputs {
            write(&dir.join(format!("output-{}", output.name)), &output.bytes)?;
        }
        write(&dir.join("receipt.json"), &serde_json::to_vec(receipt)?)
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
