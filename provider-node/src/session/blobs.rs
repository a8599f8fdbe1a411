//! The tenant's blobs on the provider's disk: one file a BLAKE3 hash. A file without an ending is whole and was checked;
//! `<hash>.part` is as far as a blob came; `<hash>.<n>.in` is on its way in and belongs to one call alone.

use crate::compute::Hash;
use std::{
    fs::{self, File},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use thiserror::Error;

/// Most bytes of one blob: what the smallest profile can bind.
pub const MAX_BLOB: u64 = 128 << 20;
/// Most bytes of all blobs of a lease.
pub const MAX_ALL: u64 = 2 << 30;

/// Why a blob was not taken.
#[derive(Debug, Error)]
pub enum BlobError {
    /// Too large.
    #[error("blob {hash}: expected at most {max} bytes, got {size}")]
    TooLarge {
        /// Which.
        hash: Hash,
        /// The limit.
        max: u64,
        /// What came.
        size: u64,
    },
    /// Not where the last piece ended.
    #[error("blob {hash}: expected bytes from {expected} on, got bytes from {got}")]
    Offset {
        /// Which.
        hash: Hash,
        /// What is there.
        expected: u64,
        /// What came.
        got: u64,
    },
    /// Cut short.
    #[error("blob {hash}: expected {expected} bytes, got {got}: it was cut short; send the rest")]
    Short {
        /// Which.
        hash: Hash,
        /// What was announced.
        expected: u64,
        /// What came.
        got: u64,
    },
    /// Other bytes.
    #[error("blob: expected bytes of hash {expected}, got bytes of hash {got}")]
    Forged {
        /// What was announced.
        expected: Hash,
        /// What came.
        got: Hash,
    },
    /// The disk.
    #[error("blob store: {0}")]
    Io(#[from] io::Error),
}

/// A folder of blobs.
#[derive(Debug, Clone)]
pub struct BlobStore {
    dir: PathBuf,
    /// Bytes that blobs on their way in may still become.
    coming: Arc<AtomicU64>,
    calls: Arc<AtomicU64>,
}

impl BlobStore {
    /// Opens the folder, made if absent. What was on its way in when the process died can be resumed.
    ///
    /// # Errors
    /// When it cannot be made or read.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|n| n.to_str());
            if let Some((hash, _)) = name.and_then(|n| n.strip_suffix(".in")?.split_once('.')) {
                leave(&path, &dir.join(format!("{hash}.part")));
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
            coming: Arc::default(),
            calls: Arc::default(),
        })
    }

    /// Where a whole blob lies; `None` when it is not here.
    pub fn path(&self, hash: &Hash) -> Option<PathBuf> {
        let path = self.dir.join(hash.to_string());
        path.is_file().then_some(path)
    }

    fn part(&self, hash: &Hash) -> PathBuf {
        self.dir.join(format!("{hash}.part"))
    }

    /// How many bytes of a blob are here; `None` when it is whole.
    pub fn missing_from(&self, hash: &Hash) -> Option<u64> {
        match self.path(hash) {
            Some(_) => None,
            None => Some(fs::metadata(self.part(hash)).map_or(0, |m| m.len())),
        }
    }

    fn total(&self) -> io::Result<u64> {
        // A file that another call has renamed meanwhile is counted as coming.
        fs::read_dir(&self.dir)?
            .map(|e| Ok(e?.metadata().map_or(0, |m| m.len())))
            .sum()
    }

    /// Starts or resumes a blob at `offset`.
    ///
    /// # Errors
    /// When it is too large or does not begin where the last piece ended.
    pub fn resume(&self, hash: Hash, size: u64, offset: u64) -> Result<Incoming, BlobError> {
        if size > MAX_BLOB {
            return Err(BlobError::TooLarge {
                hash,
                max: MAX_BLOB,
                size,
            });
        }
        // Counted before it is looked at, so that many at once cannot each find room.
        let room = Room::take(&self.coming, size);
        let all = self
            .total()?
            .saturating_add(self.coming.load(Ordering::SeqCst));
        if all > MAX_ALL {
            return Err(BlobError::TooLarge {
                hash,
                max: MAX_ALL,
                size: all,
            });
        }
        // Taken away, so that no other call writes into it. A second call for the same blob begins at 0.
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let (part, path) = (self.part(&hash), self.dir.join(format!("{hash}.{call}.in")));
        match fs::rename(&part, &path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e.into()),
            _ => {}
        }
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)?;
        let have = file.metadata()?.len();
        if offset > have {
            leave(&path, &part);
            return Err(BlobError::Offset {
                hash,
                expected: have,
                got: offset,
            });
        }
        file.set_len(offset)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Incoming {
            hash,
            size,
            at: offset,
            file,
            path,
            part,
            whole: self.dir.join(hash.to_string()),
            _room: room,
        })
    }
}

/// Leaves a blob as far as it came, unless another call came further.
fn leave(path: &Path, part: &Path) {
    let len = |p: &Path| fs::metadata(p).map_or(0, |m| m.len());
    if len(path) > len(part) {
        fs::rename(path, part).ok();
    } else {
        fs::remove_file(path).ok();
    }
}

/// Bytes spoken for.
#[derive(Debug)]
struct Room {
    coming: Arc<AtomicU64>,
    size: u64,
}

impl Room {
    fn take(coming: &Arc<AtomicU64>, size: u64) -> Self {
        coming.fetch_add(size, Ordering::SeqCst);
        Self {
            coming: Arc::clone(coming),
            size,
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.coming.fetch_sub(self.size, Ordering::SeqCst);
    }
}

/// A blob on its way in. Dropped, it stays as far as it came.
#[derive(Debug)]
pub struct Incoming {
    hash: Hash,
    size: u64,
    at: u64,
    file: File,
    path: PathBuf,
    part: PathBuf,
    whole: PathBuf,
    _room: Room,
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Not there any more once it is whole, or was found to be forged.
        leave(&self.path, &self.part);
    }
}

impl Incoming {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// When they are more than were announced.
    pub fn push(&mut self, data: &[u8]) -> Result<(), BlobError> {
        let size = self.at.saturating_add(data.len() as u64);
        if size > self.size {
            return Err(BlobError::TooLarge {
                hash: self.hash,
                max: self.size,
                size,
            });
        }
        self.file.write_all(data)?;
        self.at = size;
        Ok(())
    }

    /// Checks the whole blob and keeps it. A forged one is removed.
    ///
    /// # Errors
    /// When it is short or its hash is another.
    pub fn finish(self) -> Result<(), BlobError> {
        if self.at != self.size {
            return Err(BlobError::Short {
                hash: self.hash,
                expected: self.size,
                got: self.at,
            });
        }
        self.file.sync_all()?;
        let mut hasher = blake3::Hasher::new();
        io::copy(&mut File::open(&self.path)?, &mut hasher)?;
        let got = Hash(*hasher.finalize().as_bytes());
        if got != self.hash {
            fs::remove_file(&self.path)?;
            return Err(BlobError::Forged {
                expected: self.hash,
                got,
            });
        }
        fs::rename(&self.path, &self.whole)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_arrives_in_pieces_and_only_whole() {
        let dir = tempfile::tempdir().unwrap();
        let store = BlobStore::open(dir.path()).unwrap();
        let data = vec![7u8; 1_000];
        let hash = Hash::of(&data);
        let mut first = store.resume(hash, 1_000, 0).unwrap();
        first.push(&data[..400]).unwrap();
        assert!(matches!(
            first.finish(),
            Err(BlobError::Short { got: 400, .. })
        ));
        assert_eq!(store.missing_from(&hash), Some(400));
        assert!(store.path(&hash).is_none());
        assert!(matches!(
            store.resume(hash, 1_000, 500),
            Err(BlobError::Offset { expected: 400, .. })
        ));
        let mut rest = store.resume(hash, 1_000, 400).unwrap();
        rest.push(&data[400..]).unwrap();
        assert!(matches!(rest.push(&[0]), Err(BlobError::TooLarge { .. })));
        rest.finish().unwrap();
        assert_eq!(store.missing_from(&hash), None);
        assert_eq!(fs::read(store.path(&hash).unwrap()).unwrap(), data);
    }

    #[test]
    fn two_calls_for_one_blob_do_not_mix() {
        let dir = tempfile::tempdir().unwrap();
        let store = BlobStore::open(dir.path()).unwrap();
        let data = vec![7u8; 1_000];
        let hash = Hash::of(&data);
        let mut a = store.resume(hash, 1_000, 0).unwrap();
        a.push(&data[..600]).unwrap();
        assert_eq!(store.missing_from(&hash), Some(0), "it is a's");
        let mut b = store.resume(hash, 1_000, 0).unwrap();
        b.push(&data[..100]).unwrap();
        drop(a);
        assert_eq!(store.missing_from(&hash), Some(600));
        drop(b);
        assert_eq!(store.missing_from(&hash), Some(600), "the longer one stays");
        let (mut a, mut b) = (
            store.resume(hash, 1_000, 600).unwrap(),
            store.resume(hash, 1_000, 0).unwrap(),
        );
        a.push(&data[600..]).unwrap();
        b.push(&data).unwrap();
        a.finish().unwrap();
        b.finish().unwrap();
        assert_eq!(fs::read(store.path(&hash).unwrap()).unwrap(), data);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);

        // A process that was killed leaves what it had.
        let other = Hash::of(b"other");
        fs::write(dir.path().join(format!("{other}.9.in")), b"oth").unwrap();
        let store = BlobStore::open(dir.path()).unwrap();
        assert_eq!(store.missing_from(&other), Some(3));
    }

    #[test]
    fn many_at_once_find_no_more_room_than_one() {
        let dir = tempfile::tempdir().unwrap();
        let store = BlobStore::open(dir.path()).unwrap();
        let all: Vec<_> = (0..16u8)
            .map(|n| store.resume(Hash([n; 32]), MAX_BLOB, 0))
            .collect();
        assert!(all.iter().all(Result::is_ok));
        let more = |n| store.resume(Hash([n; 32]), 1, 0);
        assert!(matches!(more(16), Err(BlobError::TooLarge { .. })));
        drop(all);
        assert!(more(17).is_ok());
    }

    #[test]
    fn a_forged_blob_is_refused_and_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let store = BlobStore::open(dir.path()).unwrap();
        let hash = Hash::of(b"good");
        let mut incoming = store.resume(hash, 4, 0).unwrap();
        incoming.push(b"evil").unwrap();
        assert!(matches!(incoming.finish(), Err(BlobError::Forged { .. })));
        assert_eq!(store.missing_from(&hash), Some(0));
        assert!(matches!(
            store.resume(hash, MAX_BLOB + 1, 0),
            Err(BlobError::TooLarge { .. })
        ));
    }
}
