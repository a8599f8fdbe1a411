//! What opens one's sealed bids, on disk: the rate and the salt of each commitment, written before it is sent.
//!
//! A salt could be derived from the account's key, but the rate could not: prices may be set anew between commitment and
//! reveal. So both are kept, the salt is fresh each time (an order that opens again never meets one that was revealed), and
//! a file is named by the hash that the chain has of it: a message that was sent and never answered, or a commitment that
//! replaced another, leaves nothing to guess. Who loses the folder forfeits the bid deposits.

use cosmwasm_std::{Addr, HexBinary};
use ember_types::{
    ids::OrderId,
    money::Rate,
    pricing::sealed_tender::{SALT_LEN, commitment},
};
use rand_core::{OsRng, RngCore};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How long a file outlives the order's match: clocks differ, and somebody may want to look.
const KEPT: Duration = Duration::from_secs(24 * 3_600);

/// What a commitment was made of.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// On which order.
    pub order_id: OrderId,
    /// Per unit.
    pub rate: Rate,
    /// Unix seconds: of no use once this is long past.
    pub until: u64,
    salt: HexBinary,
}

impl fmt::Debug for Opening {
    // Neither the salt nor the rate: what is logged may be read by rivals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opening(order {})", self.order_id)
    }
}

impl Opening {
    /// One with a fresh salt.
    pub fn new(order_id: OrderId, rate: Rate, until: u64) -> Self {
        let mut salt = [0; SALT_LEN];
        OsRng.fill_bytes(&mut salt);
        Self {
            order_id,
            rate,
            until,
            salt: salt.into(),
        }
    }

    /// The salt; public from the reveal on.
    pub const fn salt(&self) -> &HexBinary {
        &self.salt
    }

    /// What `provider` commits to with it. `None` when its salt is none.
    pub fn commitment(&self, provider: &str) -> Option<[u8; 32]> {
        let salt = self.salt.as_slice().try_into().ok()?;
        let provider = Addr::unchecked(provider);
        Some(commitment(self.order_id, &provider, self.rate, &salt))
    }
}

/// A provider's folder of them.
#[derive(Debug, Clone)]
pub struct Openings {
    dir: PathBuf,
    provider: String,
}

impl Openings {
    /// Those of `provider` in `home`. Nothing need be there yet.
    pub fn open(home: &Path, provider: &str) -> Self {
        Self {
            dir: home.join("sealed"),
            provider: provider.into(),
        }
    }

    /// Writes an opening, durably, and answers the commitment to send. Removes those that are long over.
    ///
    /// # Errors
    /// When it cannot be written: then nothing must be sent.
    pub fn keep(&self, opening: &Opening) -> io::Result<[u8; 32]> {
        let hash = opening
            .commitment(&self.provider)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a salt of 32 bytes"))?;
        let mut dir = fs::DirBuilder::new();
        dir.recursive(true).mode(0o700).create(&self.dir)?;
        self.tidy();
        let path = self.path(&hash);
        let partial = path.with_extension("partial");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)?;
        file.write_all(&serde_json::to_vec(opening)?)?;
        file.sync_all()?;
        fs::rename(&partial, &path)?;
        File::open(&self.dir)?.sync_all()?;
        Ok(hash)
    }

    /// What opens this commitment. `None` when it was made elsewhere.
    ///
    /// # Errors
    /// When its file is there and cannot be read, or opens something else.
    pub fn find(&self, hash: &[u8]) -> io::Result<Option<Opening>> {
        let path = self.path(hash);
        let text = match fs::read(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        let opening: Opening = serde_json::from_slice(&text)?;
        if opening
            .commitment(&self.provider)
            .is_none_or(|h| h[..] != *hash)
        {
            let what = format!("{} does not open its commitment", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(Some(opening))
    }

    /// Removes what is long over. What cannot be read is left where it is.
    fn tidy(&self) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| d.as_secs());
        let Ok(entries) = fs::read_dir(&self.dir) else {
            return;
        };
        for path in entries.flatten().map(|e| e.path()) {
            let over = fs::read(&path)
                .ok()
                .and_then(|t| serde_json::from_slice::<Opening>(&t).ok())
                .is_some_and(|o| o.until.saturating_add(KEPT.as_secs()) < now);
            if over {
                fs::remove_file(&path).ok();
            }
        }
    }

    fn path(&self, hash: &[u8]) -> PathBuf {
        self.dir.join(format!("{}.json", hex::encode(hash)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn at(until: u64) -> Opening {
        Opening::new(OrderId(7), Rate::new(500), until)
    }

    #[test]
    fn what_was_committed_is_found_again_by_its_hash_and_is_private() {
        let home = tempfile::tempdir().unwrap();
        let mine = Openings::open(home.path(), "me");
        let (first, second) = (at(u64::MAX), at(u64::MAX));
        assert_ne!(first.salt(), second.salt());
        let (a, b) = (mine.keep(&first).unwrap(), mine.keep(&second).unwrap());
        let again = Openings::open(home.path(), "me");
        assert_eq!(again.find(&a).unwrap(), Some(first.clone()));
        assert_eq!(again.find(&b).unwrap(), Some(second));
        assert_eq!(again.find(&[0; 32]).unwrap(), None);
        let salt: [u8; 32] = first.salt().as_slice().try_into().unwrap();
        assert_eq!(
            a,
            commitment(OrderId(7), &Addr::unchecked("me"), Rate::new(500), &salt)
        );
        let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&mine.path(&a)), mode(&mine.dir)), (0o600, 0o700));
        assert!(!format!("{first:?}").contains(&first.salt().to_hex()));
    }

    #[test]
    fn what_opens_something_else_is_not_answered() {
        let home = tempfile::tempdir().unwrap();
        let mine = Openings::open(home.path(), "me");
        let hash = mine.keep(&at(u64::MAX)).unwrap();
        assert!(Openings::open(home.path(), "another").find(&hash).is_err());
        fs::write(mine.path(&hash), "{").unwrap();
        assert!(mine.find(&hash).is_err());
    }

    #[test]
    fn what_is_long_over_is_removed() {
        let home = tempfile::tempdir().unwrap();
        let mine = Openings::open(home.path(), "me");
        let old = mine.keep(&at(1)).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let just_over = mine.keep(&at(now.as_secs() - 1)).unwrap();
        assert_eq!(mine.find(&old).unwrap(), None);
        mine.keep(&at(2)).unwrap();
        assert!(mine.find(&just_over).unwrap().is_some());
    }
}
