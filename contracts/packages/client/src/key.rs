//! One account key: secp256k1, derived as every Cosmos wallet derives it.

use crate::error::Error;
use bech32::{Bech32, Hrp};
use bip32::{DerivationPath, XPrv};
use bip39::{Language, Mnemonic};
use k256::ecdsa::{Signature, SigningKey, signature::Signer};
use rand_core::{OsRng, RngCore};
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// BIP-44 path of the first Cosmos account.
pub const PATH: &str = "m/44'/118'/0'/0/0";

/// A private key and its address. The key is wiped from memory when it is dropped.
pub struct Key {
    /// Its name in the keyring.
    pub name: String,
    /// Bech32 account.
    pub address: String,
    secret: SigningKey,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, {})", self.name, self.address)
    }
}

impl Key {
    /// A new key and its 24 words.
    ///
    /// # Errors
    /// When `prefix` is not a bech32 prefix.
    pub fn generate(name: &str, prefix: &str) -> Result<(Self, Zeroizing<String>), Error> {
        let mut entropy = Zeroizing::new([0u8; 32]);
        OsRng.fill_bytes(entropy.as_mut());
        let mnemonic = Mnemonic::from_entropy(entropy.as_ref()).map_err(|e| bad_words(&e))?;
        let words = Zeroizing::new(mnemonic.to_string());
        Ok((Self::from_mnemonic(name, prefix, &words)?, words))
    }

    /// The key that `words` stand for (BIP-39 English, no passphrase).
    ///
    /// # Errors
    /// When the words are no mnemonic or `prefix` is no bech32 prefix.
    pub fn from_mnemonic(name: &str, prefix: &str, words: &str) -> Result<Self, Error> {
        let words = Zeroizing::new(crate::error::one_line(words));
        let mnemonic =
            Mnemonic::parse_in_normalized(Language::English, &words).map_err(|e| bad_words(&e))?;
        let seed = Zeroizing::new(mnemonic.to_seed_normalized(""));
        let path: DerivationPath = PATH.parse().map_err(|e| bad_words(&e))?;
        let xprv = XPrv::derive_from_path(seed.as_ref(), &path).map_err(|e| bad_words(&e))?;
        Self::new(name, prefix, xprv.private_key().clone())
    }

    pub(crate) fn from_bytes(name: &str, prefix: &str, secret: &[u8]) -> Result<Self, Error> {
        let secret = SigningKey::from_slice(secret).map_err(|_| Error::Malformed {
            what: "key file",
            expected: "a 32-byte secp256k1 secret",
            got: "something else".into(),
        })?;
        Self::new(name, prefix, secret)
    }

    fn new(name: &str, prefix: &str, secret: SigningKey) -> Result<Self, Error> {
        let public = secret.verifying_key().to_encoded_point(true);
        let address = bech32(
            prefix,
            &Ripemd160::digest(Sha256::digest(public.as_bytes())),
        )?;
        Ok(Self {
            name: name.into(),
            address,
            secret,
        })
    }

    pub(crate) fn secret_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.secret.to_bytes().into())
    }

    /// SEC1 compressed public key, 33 bytes.
    pub fn public_key(&self) -> Vec<u8> {
        self.secret
            .verifying_key()
            .to_encoded_point(true)
            .as_bytes()
            .to_vec()
    }

    /// ECDSA over SHA-256 of `bytes`: 64 bytes, low S, deterministic (RFC 6979).
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        let signature: Signature = self.secret.sign(bytes);
        signature
            .normalize_s()
            .unwrap_or(signature)
            .to_bytes()
            .to_vec()
    }
}

fn bad_words(e: &dyn fmt::Display) -> Error {
    Error::Malformed {
        what: "mnemonic",
        expected: "12 to 24 BIP-39 English words",
        got: e.to_string(),
    }
}

/// An address of `bytes`.
///
/// # Errors
/// When `prefix` is no bech32 prefix.
pub fn bech32(prefix: &str, bytes: &[u8]) -> Result<String, Error> {
    let err = |_| Error::Malformed {
        what: "prefix",
        expected: "a bech32 prefix in lower case",
        got: prefix.into(),
    };
    let hrp = Hrp::parse(prefix).map_err(|e| err(e.to_string()))?;
    bech32::encode::<Bech32>(hrp, bytes).map_err(|e| err(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use k256::ecdsa::{VerifyingKey, signature::Verifier};

    const WORDS: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

    #[test]
    fn a_well_known_mnemonic_gives_its_well_known_account() {
        let key = Key::from_mnemonic("a", "cosmos", WORDS).unwrap();
        assert_eq!(key.address, "cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4");
        let ember = Key::from_mnemonic("a", "ember", WORDS).unwrap();
        assert!(
            ember
                .address
                .starts_with("ember19rl4cm2hmr8afy4kldpxz3fka4jguq0a")
        );
        assert!(Key::from_mnemonic("a", "ember", "abandon about").is_err());
        assert!(!format!("{key:?}").contains(&hex::encode(key.secret_bytes().as_ref())));
    }

    #[test]
    fn new_keys_have_24_words_that_bring_them_back_and_sign() {
        let (key, words) = Key::generate("b", "ember").unwrap();
        assert_eq!(words.split(' ').count(), 24);
        let again = Key::from_mnemonic("b", "ember", &words).unwrap();
        assert_eq!(key.address, again.address);
        let signature = Signature::from_slice(&key.sign(b"text")).unwrap();
        let public = VerifyingKey::from_sec1_bytes(&again.public_key()).unwrap();
        public.verify(b"text", &signature).unwrap();
        assert!(signature.normalize_s().is_none(), "low S");
    }
}
