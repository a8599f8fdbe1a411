//! Writing a snapshot, while blocks go on.

use super::{
    files::{Files, write},
    format::{CHUNK, Item, described, put},
};
use crate::store::{Base, Order, StoreKey, disk::Disk, error::StoreError, merkle::sha256};
use std::{io, path::Path};
use tendermint_proto::v0_38::abci;
use thiserror::Error;

/// Why there is no snapshot.
#[derive(Debug, Error)]
pub enum TakeError {
    /// The state.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder of snapshots.
    #[error("snapshot files: {0}")]
    Files(#[from] io::Error),
    /// The height is not kept.
    #[error("snapshot: expected height {0} to be kept, it is pruned")]
    Pruned(u64),
    /// A blob that the state names cannot be read.
    #[error("snapshot: {0}")]
    Blob(String),
}

/// Where contracts' code is.
pub trait Blobs {
    /// The code with this SHA-256.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn blob(&self, checksum: &[u8; 32]) -> Result<Vec<u8>, String>;
}

/// Writes the snapshot of `height`, which is to be kept while this runs ([`Disk::hold`]), with the code of `checksums`,
/// which ascend; `keep` snapshots stay. Every chunk is read in a transaction of its own, so that blocks do not wait and
/// no page of the database stays pinned.
///
/// # Errors
/// When something cannot be read or written. What is half done is deleted at the next start.
pub fn take(
    disk: &Disk,
    files: &Files,
    blobs: &dyn Blobs,
    (height, checksums): (u64, &[[u8; 32]]),
    keep: usize,
) -> Result<abci::Snapshot, TakeError> {
    let part = files.begin(height)?;
    let mut chunks = Chunks {
        dir: &part,
        bytes: Vec::new(),
        hashes: Vec::new(),
    };
    for store in StoreKey::ALL {
        let mut next = Some(Vec::new());
        put(&mut chunks.bytes, &Item::Store(store));
        while let Some(from) = next {
            let state = disk.at(height)?.ok_or(TakeError::Pruned(height))?;
            next = some(&*state, store, from, &mut chunks.bytes);
            chunks.cut()?;
        }
    }
    for checksum in checksums {
        let blob = blobs.blob(checksum).map_err(TakeError::Blob)?;
        put(&mut chunks.bytes, &Item::Blob(blob));
        chunks.cut()?;
    }
    put(&mut chunks.bytes, &Item::End);
    chunks.cut()?;
    let it = described(height, chunks.end()?);
    files.finish(&part, &it, keep)?;
    Ok(it)
}

/// Puts pairs from `from` on until there is a chunk; where to go on, unless it was the last.
fn some(
    state: &dyn Base,
    store: StoreKey,
    mut from: Vec<u8>,
    out: &mut Vec<u8>,
) -> Option<Vec<u8>> {
    while out.len() < CHUNK {
        let (key, value) = state.seek(store, &from, None, Order::Ascending)?;
        from.clone_from(&key);
        from.push(0);
        put(out, &Item::Pair(key, value));
    }
    Some(from)
}

struct Chunks<'a> {
    dir: &'a Path,
    bytes: Vec<u8>,
    hashes: Vec<Vec<u8>>,
}

impl Chunks<'_> {
    /// Writes the whole chunks that there are.
    fn cut(&mut self) -> io::Result<()> {
        while self.bytes.len() >= CHUNK {
            let rest = self.bytes.split_off(CHUNK);
            let chunk = std::mem::replace(&mut self.bytes, rest);
            self.write(&chunk)?;
        }
        Ok(())
    }

    /// Writes what is left; every chunk's hash.
    fn end(mut self) -> io::Result<Vec<Vec<u8>>> {
        let last = std::mem::take(&mut self.bytes);
        if !last.is_empty() {
            self.write(&last)?;
        }
        Ok(self.hashes)
    }

    fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        write(&self.dir.join(self.hashes.len().to_string()), chunk)?;
        self.hashes.push(sha256(chunk).to_vec());
        Ok(())
    }
}
