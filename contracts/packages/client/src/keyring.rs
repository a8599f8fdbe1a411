//! Keys on disk: a folder with one JSON file a key, readable by its owner alone. The files are not encrypted; whoever
//! reads them can spend.

use crate::{error::Error, key::Key};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, OpenOptions, Permissions},
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use zeroize::{Zeroize, Zeroizing};

/// A folder of keys, their addresses written with one prefix.
#[derive(Debug, Clone)]
pub struct Keyring {
    dir: PathBuf,
    prefix: String,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    algorithm: String,
    secret_hex: String,
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.secret_hex.zeroize();
    }
}

impl Keyring {
    /// Opens `dir`, which need not exist yet.
    pub fn open(dir: impl Into<PathBuf>, prefix: impl Into<String>) -> Self {
        Self {
            dir: dir.into(),
            prefix: prefix.into(),
        }
    }

    /// Makes a key. The 24 words are given here and never again.
    ///
    /// # Errors
    /// When the name is taken or not a name, or the file cannot be written.
    pub fn add(&self, name: &str) -> Result<(Key, Zeroizing<String>), Error> {
        let (key, words) = Key::generate(name, &self.prefix)?;
        self.store(&key)?;
        Ok((key, words))
    }

    /// Brings a key back from its words.
    ///
    /// # Errors
    /// As [`Self::add`], and when the words are no mnemonic.
    pub fn recover(&self, name: &str, words: &str) -> Result<Key, Error> {
        let key = Key::from_mnemonic(name, &self.prefix, words)?;
        self.store(&key)?;
        Ok(key)
    }

    /// Every key's name, in order.
    ///
    /// # Errors
    /// When the folder is there and cannot be read.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(e) => e,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(Error::file(&self.dir, e)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let file = entry.map_err(|e| Error::file(&self.dir, e))?.file_name();
            if let Some(name) = file.to_str().and_then(|f| f.strip_suffix(".json"))
                && check_name(name).is_ok()
            {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Every key, by name.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn list(&self) -> Result<Vec<Key>, Error> {
        self.names()?.iter().map(|n| self.get(n)).collect()
    }

    /// One key.
    ///
    /// # Errors
    /// When it is not there or its file is broken.
    pub fn get(&self, name: &str) -> Result<Key, Error> {
        let path = self.path(name)?;
        let text = match fs::read(&path) {
            Ok(t) => Zeroizing::new(t),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(self.missing(name)),
            Err(e) => return Err(Error::file(&path, e)),
        };
        let stored: Stored = serde_json::from_slice(&text).map_err(|e| Error::file(&path, e))?;
        if stored.algorithm != "secp256k1" {
            let got = format!("expected algorithm secp256k1, got {:?}", stored.algorithm);
            return Err(Error::file(&path, got));
        }
        let mut secret = Zeroizing::new([0u8; 32]);
        hex::decode_to_slice(&stored.secret_hex, secret.as_mut())
            .map_err(|_| Error::file(&path, "expected 64 hex digits in secret_hex"))?;
        Key::from_bytes(name, &self.prefix, secret.as_ref())
    }

    /// Removes a key for ever.
    ///
    /// # Errors
    /// When it is not there or cannot be removed.
    pub fn delete(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name)?;
        if !path.exists() {
            return Err(self.missing(name));
        }
        fs::remove_file(&path).map_err(|e| Error::file(&path, e))
    }

    fn missing(&self, name: &str) -> Error {
        let have = self.names().unwrap_or_default().join(", ");
        Error::NoKey {
            name: name.into(),
            dir: self.dir.display().to_string(),
            have: if have.is_empty() { "none".into() } else { have },
        }
    }

    fn path(&self, name: &str) -> Result<PathBuf, Error> {
        check_name(name)?;
        Ok(self.dir.join(format!("{name}.json")))
    }

    /// Writes a new file whole or not at all; never replaces one.
    fn store(&self, key: &Key) -> Result<(), Error> {
        let path = self.path(&key.name)?;
        fs::create_dir_all(&self.dir).map_err(|e| Error::file(&self.dir, e))?;
        fs::set_permissions(&self.dir, Permissions::from_mode(0o700))
            .map_err(|e| Error::file(&self.dir, e))?;
        let stored = Stored {
            algorithm: "secp256k1".into(),
            secret_hex: hex::encode(key.secret_bytes().as_ref()),
        };
        let text = Zeroizing::new(serde_json::to_vec(&stored).map_err(|e| Error::file(&path, e))?);
        let partial = self
            .dir
            .join(format!(".{}.{}", key.name, std::process::id()));
        let written = write_private(&partial, &text);
        // A hard link fails when the name exists, so two processes cannot overwrite one another's key.
        let linked = written.and_then(|()| fs::hard_link(&partial, &path));
        fs::remove_file(&partial).ok();
        linked.map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => Error::KeyExists {
                name: key.name.clone(),
            },
            _ => Error::file(&path, e),
        })
    }
}

fn write_private(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

fn check_name(name: &str) -> Result<(), Error> {
    let ok = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if ok {
        Ok(())
    } else {
        Err(Error::Malformed {
            what: "key name",
            expected: "1 to 64 of A-Z, a-z, 0-9, - and _",
            got: name.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_as_they_were_and_are_private() {
        let dir = tempfile::tempdir().unwrap();
        let ring = Keyring::open(dir.path().join("keys"), "ember");
        assert!(ring.list().unwrap().is_empty());
        let (key, words) = ring.add("alice").unwrap();
        assert_eq!(ring.get("alice").unwrap().address, key.address);
        assert_eq!(ring.recover("again", &words).unwrap().address, key.address);
        assert_eq!(ring.names().unwrap(), ["again", "alice"]);
        let mode = fs::metadata(dir.path().join("keys/alice.json"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        ring.delete("again").unwrap();
        assert_eq!(ring.names().unwrap(), ["alice"]);
    }

    #[test]
    fn a_key_is_never_overwritten_and_a_name_never_leaves_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let ring = Keyring::open(dir.path(), "ember");
        let (key, _) = ring.add("alice").unwrap();
        assert_eq!(
            ring.add("alice").unwrap_err(),
            Error::KeyExists {
                name: "alice".into()
            }
        );
        assert_eq!(ring.get("alice").unwrap().address, key.address);
        assert!(matches!(ring.get("bob"), Err(Error::NoKey { have, .. }) if have == "alice"));
        for name in ["", "../alice", "a/b", "a.b"] {
            assert!(
                matches!(ring.add(name), Err(Error::Malformed { .. })),
                "{name}"
            );
        }
    }
}
