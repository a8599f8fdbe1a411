//! Signatures: secp256k1 over SHA-256, low-S, 64 bytes.

use k256::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use parking_lot::Mutex;
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};
use std::collections::{HashSet, VecDeque};

/// The type URL of the keys that accounts have.
pub const SECP256K1: &str = "/cosmos.crypto.secp256k1.PubKey";

/// The address of a compressed secp256k1 key: RIPEMD-160 of its SHA-256.
pub fn address_of(key: &[u8]) -> Vec<u8> {
    Ripemd160::digest(Sha256::digest(key)).to_vec()
}

/// Whether `signature` is `key`'s over `bytes`. A high S is refused: it would be a second encoding of the same one.
pub fn verify(key: &[u8], bytes: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (
        VerifyingKey::from_sec1_bytes(key),
        Signature::from_slice(signature),
    ) else {
        return false;
    };
    signature.normalize_s().is_none() && key.verify(bytes, &signature).is_ok()
}

/// Verified triples of (key, signed bytes, signature), so that a block does not verify again what CheckTx did. What
/// is in it is true for ever, so it changes no result: only how fast it comes.
#[derive(Debug, Default)]
pub struct Verified(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    ids: HashSet<[u8; 32]>,
    oldest_first: VecDeque<[u8; 32]>,
}

/// Signatures remembered.
const CAPACITY: usize = 20_000;

impl Verified {
    /// [`verify`], remembered.
    pub fn verify(&self, key: &[u8], bytes: &[u8], signature: &[u8]) -> bool {
        let id: [u8; 32] = Sha256::new()
            .chain_update(Sha256::digest(bytes))
            .chain_update(key)
            .chain_update(signature)
            .finalize()
            .into();
        if self.0.lock().ids.contains(&id) {
            return true;
        }
        let ok = verify(key, bytes, signature);
        if ok {
            let mut known = self.0.lock();
            if known.ids.insert(id) {
                known.oldest_first.push_back(id);
            }
            if known.oldest_first.len() > CAPACITY
                && let Some(oldest) = known.oldest_first.pop_front()
            {
                known.ids.remove(&oldest);
            }
        }
        ok
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k256::ecdsa::{SigningKey, signature::Signer};

    #[test]
    fn only_the_keys_own_low_s_signature_is_taken() {
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let public = key.verifying_key().to_sec1_bytes();
        let signature: Signature = key.sign(b"hello");
        let cache = Verified::default();
        for _ in 0..2 {
            assert!(cache.verify(&public, b"hello", &signature.to_bytes()));
            assert!(!cache.verify(&public, b"hallo", &signature.to_bytes()));
        }
        let (r, s) = signature.split_scalars();
        let high = Signature::from_scalars(r, -*s).unwrap();
        assert!(!verify(&public, b"hello", &high.to_bytes()), "high S");
        assert!(!verify(&public, b"hello", b""));
        assert!(!verify(b"no key", b"hello", &signature.to_bytes()));
    }
}
