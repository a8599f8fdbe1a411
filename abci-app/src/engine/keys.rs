//! The validator's and the node's key, in the files that CometBFT reads.

use super::error::{Error, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_consensus::SigningKey;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};
use zeroize::Zeroizing;

/// An ed25519 key, as `priv_validator_key.json` or `node_key.json` holds it.
pub struct Key(SigningKey);

impl Key {
    /// A new key from the system's randomness.
    pub fn generate() -> Self {
        Self(SigningKey::new(rand_core::OsRng))
    }

    /// The key of `priv_validator_key.json` or `node_key.json`.
    ///
    /// # Errors
    /// When the file is missing or not CometBFT's ed25519 key file. The message never has key material in it.
    pub fn load(path: &Path) -> Result<Self> {
        const EXPECTED: &str = "an ed25519 key file of CometBFT (emberd init writes one)";
        let text =
            Zeroizing::new(fs::read_to_string(path).map_err(|e| Error::file(path, EXPECTED, e))?);
        let file: Value = serde_json::from_str(&text)
            .map_err(|_| Error::file(path, EXPECTED, "something that is not JSON"))?;
        let key = &file["priv_key"];
        if key["type"] != "tendermint/PrivKeyEd25519" {
            return Err(Error::file(path, EXPECTED, "another key type"));
        }
        let bytes = Zeroizing::new(
            STANDARD
                .decode(key["value"].as_str().unwrap_or_default())
                .unwrap_or_default(),
        );
        let seed: [u8; 32] = bytes
            .get(..32)
            .filter(|_| bytes.len() == 64)
            .and_then(|s| s.try_into().ok())
            .ok_or_else(|| {
                Error::file(path, EXPECTED, format!("a key of {} bytes", bytes.len()))
            })?;
        let key = Self(SigningKey::from(seed));
        if key.public() != bytes[32..] {
            return Err(Error::file(
                path,
                EXPECTED,
                "a public half that is another key's",
            ));
        }
        Ok(key)
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        self.0.verification_key().to_bytes()
    }

    /// First 20 bytes of the public key's SHA-256.
    pub fn address(&self) -> [u8; 20] {
        address_of(&self.public())
    }

    /// Sign.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// Write `priv_validator_key.json`, readable by the owner only.
    ///
    /// # Errors
    /// When the file is there already or cannot be written.
    pub fn save_validator(&self, path: &Path) -> std::io::Result<()> {
        save_secret(
            path,
            &json!({
                "address": hex::encode_upper(self.address()),
                "pub_key": pub_key_json(&self.public()),
                "priv_key": self.private_json(),
            }),
        )
    }

    /// Write `node_key.json`, readable by the owner only.
    ///
    /// # Errors
    /// When the file is there already or cannot be written.
    pub fn save_node(&self, path: &Path) -> std::io::Result<()> {
        save_secret(path, &json!({ "priv_key": self.private_json() }))
    }

    fn private_json(&self) -> Value {
        let both = Zeroizing::new([self.0.as_bytes().as_slice(), &self.public()].concat());
        json!({ "type": "tendermint/PrivKeyEd25519", "value": STANDARD.encode(&*both) })
    }
}

/// The consensus address of an ed25519 public key.
pub fn address_of(public: &[u8]) -> [u8; 20] {
    let mut out = [0; 20];
    out.copy_from_slice(&Sha256::digest(public)[..20]);
    out
}

/// A public key as CometBFT prints it.
pub fn pub_key_json(public: &[u8]) -> Value {
    json!({ "type": "tendermint/PubKeyEd25519", "value": STANDARD.encode(public) })
}

fn save_secret(path: &Path, value: &Value) -> std::io::Result<()> {
    let mut file = fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let text = Zeroizing::new(serde_json::to_string_pretty(value)?);
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_key_loads_and_a_broken_one_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.json");
        let key = Key::generate();
        key.save_validator(&path).unwrap();
        assert!(key.save_validator(&path).is_err(), "never overwritten");
        let again = Key::load(&path).unwrap();
        assert_eq!(again.public(), key.public());
        assert_eq!(again.sign(b"x"), key.sign(b"x"));
        let mut file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let secret = file["priv_key"]["value"].as_str().unwrap().to_owned();
        file["priv_key"]["value"] = json!(STANDARD.encode([7; 64]));
        fs::write(&path, file.to_string()).unwrap();
        let error = Key::load(&path).err().unwrap().to_string();
        assert!(
            error.contains("another key's") && !error.contains(&secret),
            "{error}"
        );
    }
}
