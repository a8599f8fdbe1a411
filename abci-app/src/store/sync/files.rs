//! The folder of a node's snapshots: one folder each, with a file for every chunk and one that describes it.

use prost::Message;
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};
use tendermint_proto::v0_38::abci;

const DESCRIPTION: &str = "snapshot";

/// A node's snapshots.
#[derive(Debug, Clone)]
pub struct Files {
    dir: PathBuf,
}

impl Files {
    /// Opens the folder, or makes it. What a kill left half done is deleted.
    ///
    /// # Errors
    /// When it cannot be made or read.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().parse::<u64>().is_err() {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    /// The snapshots, newest first. One that cannot be read is left out.
    pub fn list(&self) -> Vec<abci::Snapshot> {
        let mut all: Vec<abci::Snapshot> = fs::read_dir(&self.dir)
            .into_iter()
            .flatten()
            .filter_map(|entry| fs::read(entry.ok()?.path().join(DESCRIPTION)).ok())
            .filter_map(|bytes| abci::Snapshot::decode(bytes.as_slice()).ok())
            .collect();
        all.sort_by_key(|s| std::cmp::Reverse(s.height));
        all
    }

    /// One chunk; `None` when there is no such snapshot or chunk.
    pub fn chunk(&self, height: u64, format: u32, chunk: u32) -> Option<Vec<u8>> {
        let known = format == super::format::FORMAT;
        let path = self.dir.join(height.to_string()).join(chunk.to_string());
        known.then(|| fs::read(path).ok()).flatten()
    }

    /// Begins a snapshot's folder, which [`Self::finish`] gives its name.
    pub(super) fn begin(&self, height: u64) -> io::Result<PathBuf> {
        let dir = self.dir.join(format!("{height}.part"));
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir(&dir)?;
        Ok(dir)
    }

    /// Gives a whole snapshot its name, and deletes all but the newest `keep`.
    pub(super) fn finish(&self, part: &Path, it: &abci::Snapshot, keep: usize) -> io::Result<()> {
        write(&part.join(DESCRIPTION), &it.encode_to_vec())?;
        File::open(part)?.sync_all()?;
        let name = self.dir.join(it.height.to_string());
        if name.exists() {
            fs::remove_dir_all(&name)?;
        }
        fs::rename(part, name)?;
        File::open(&self.dir)?.sync_all()?;
        for old in self.list().iter().skip(keep.max(1)) {
            fs::remove_dir_all(self.dir.join(old.height.to_string()))?;
        }
        Ok(())
    }
}

/// Writes a file that is on disk when this returns.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
