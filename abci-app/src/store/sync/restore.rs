//! Reading a snapshot that peers sent. Nothing is believed: every chunk has the hash that was offered, the stream is in
//! order and bounded, and the state that it gives must have the app hash that the light client verified.
//!
//! The new state grows in a file of its own, `restore/application.db`, and takes the old one's place by a renaming. A
//! kill leaves the old state or the whole new one; the start deletes what is left over.

use super::{
    files::write,
    format::{Decoder, FORMAT, Item, Metadata, described},
};
use crate::store::{
    StoreKey, disk::Disk, error::StoreError, layers::Writes, merkle::sha256, pruning::Pruning,
};
use prost::Message;
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};
use tendermint_proto::v0_38::abci;
use thiserror::Error;

/// The state's file.
pub const DATABASE: &str = "application.db";
/// Pairs that are written at once.
const BATCH: usize = 20_000;
/// Most chunks of a snapshot: ten terabytes.
const MAX_CHUNKS: usize = 1 << 20;

/// Why a snapshot, or a chunk of it, is not taken.
#[derive(Debug, Error)]
pub enum Refusal {
    /// This node does not read the format.
    #[error("snapshot: expected format {FORMAT}, got {0}")]
    Format(u32),
    /// The chunk is not the one that was offered; its sender is to blame.
    #[error("snapshot: chunk {0} has another hash than was offered")]
    Chunk(u32),
    /// The snapshot is not one of this chain.
    #[error("snapshot: {0}")]
    Snapshot(String),
    /// This node's own fault.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This node's own fault.
    #[error("restoring a snapshot: {0}")]
    Files(#[from] io::Error),
}

fn bad<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Snapshot(why.into()))
}

/// What a chunk led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The next chunk is wanted.
    More,
    /// It was the last, and the state is the one whose app hash was offered.
    Whole,
}

/// A snapshot that is being restored.
pub struct Restore {
    dir: PathBuf,
    disk: Disk,
    height: u64,
    app_hash: Vec<u8>,
    hashes: Vec<Vec<u8>>,
    next: u32,
    decoder: Decoder,
    /// Place in [`StoreKey::ALL`] of the store that is read, and the last key of it.
    store: Option<(usize, Option<Vec<u8>>)>,
    batch: Writes,
    blobs: Vec<[u8; 32]>,
    ended: bool,
}

impl Restore {
    /// Deletes what a restoration that did not end left in the folder of a node's data.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub fn clear(data: &Path) -> io::Result<()> {
        match fs::remove_dir_all(data.join("restore")) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    /// Begins with a snapshot that a peer offers, whose state must have `app_hash`, in the folder of the node's data.
    ///
    /// # Errors
    /// When its description contradicts itself, or the folder cannot be used.
    pub fn begin(
        data: &Path,
        pruning: Pruning,
        offered: &abci::Snapshot,
        app_hash: &[u8],
    ) -> Result<Self, Refusal> {
        if offered.format != FORMAT {
            return Err(Refusal::Format(offered.format));
        }
        let Ok(Metadata { chunk_hashes }) = Metadata::decode(offered.metadata.clone()) else {
            return bad("its metadata cannot be read");
        };
        if offered.height == 0
            || chunk_hashes.is_empty()
            || chunk_hashes.len() > MAX_CHUNKS
            || described(offered.height, chunk_hashes.clone()) != *offered
        {
            return bad("its hash is not over its chunks' hashes");
        }
        Self::clear(data)?;
        let dir = data.join("restore");
        fs::create_dir_all(&dir)?;
        Ok(Self {
            disk: Disk::open(&dir.join(DATABASE), pruning)?,
            dir,
            height: offered.height,
            app_hash: app_hash.to_vec(),
            hashes: chunk_hashes,
            next: 0,
            decoder: Decoder::default(),
            store: None,
            batch: Writes::new(),
            blobs: Vec::new(),
            ended: false,
        })
    }

    /// Takes a chunk. They come in order.
    ///
    /// # Errors
    /// When it is another chunk, or the stream or the state is wrong: then this is to be dropped, except for a chunk of
    /// another hash.
    pub fn apply(&mut self, index: u32, chunk: &[u8]) -> Result<Applied, Refusal> {
        if index != self.next {
            return bad(format!("expected chunk {}, got {index}", self.next));
        }
        let hash = usize::try_from(index).ok().and_then(|i| self.hashes.get(i));
        if hash.is_none_or(|h| h.as_slice() != sha256(chunk)) {
            return Err(Refusal::Chunk(index));
        }
        self.decoder.feed(chunk);
        while let Some(item) = self.decoder.next().map_err(Refusal::Snapshot)? {
            self.item(item)?;
        }
        self.next += 1;
        if usize::try_from(self.next) != Ok(self.hashes.len()) {
            return Ok(Applied::More);
        }
        if !self.ended || !self.decoder.is_empty() {
            return bad("its last chunk ends in the middle of the stream");
        }
        let found = self.disk.settle(self.height)?;
        if found != self.app_hash {
            return bad(format!(
                "expected a state with the app hash {}, got one with {}",
                hex::encode_upper(&self.app_hash),
                hex::encode_upper(found)
            ));
        }
        Ok(Applied::Whole)
    }

    fn item(&mut self, item: Item) -> Result<(), Refusal> {
        if self.ended {
            return bad("something follows the end of the stream");
        }
        match item {
            Item::Store(store) => {
                let place = StoreKey::ALL.iter().position(|s| *s == store);
                let before = self.store.as_ref().map(|(place, _)| *place);
                if place <= before || !self.blobs.is_empty() {
                    return bad(format!("store {} is out of order", store.name()));
                }
                self.store = place.map(|place| (place, None));
            }
            Item::Pair(key, value) => {
                let Some((place, last)) = &mut self.store else {
                    return bad("a pair stands before any store");
                };
                if last.as_ref().is_some_and(|last| *last >= key) || !self.blobs.is_empty() {
                    return bad("a key is out of order");
                }
                *last = Some(key.clone());
                if let Some(store) = StoreKey::ALL.get(*place) {
                    self.batch.insert((*store, key), Some(value));
                }
                if self.batch.len() >= BATCH {
                    self.disk.fill(std::mem::take(&mut self.batch))?;
                }
            }
            Item::Blob(blob) => {
                let checksum = sha256(&blob);
                if self.blobs.last().is_some_and(|last| *last >= checksum) {
                    return bad("a wasm blob is out of order");
                }
                write(&self.dir.join(hex::encode(checksum)), &blob)?;
                self.blobs.push(checksum);
            }
            Item::End => {
                self.disk.fill(std::mem::take(&mut self.batch))?;
                self.ended = true;
            }
        }
        Ok(())
    }

    /// The new state, once it is whole.
    pub const fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The checksums of the code that came with it, ascending.
    pub fn blobs(&self) -> &[[u8; 32]] {
        &self.blobs
    }

    /// One of [`Self::blobs`].
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn blob(&self, checksum: &[u8; 32]) -> io::Result<Vec<u8>> {
        fs::read(self.dir.join(hex::encode(checksum)))
    }

    /// Puts the new state, which is whole, in the old one's place in the folder of the node's data. It is there for good
    /// when this returns.
    ///
    /// # Errors
    /// When the file cannot be renamed; the old state is there then.
    pub fn finish(self, data: &Path) -> io::Result<Disk> {
        fs::rename(self.dir.join(DATABASE), data.join(DATABASE))?;
        File::open(data)?.sync_all()?;
        Self::clear(data)?;
        Ok(self.disk)
    }
}
