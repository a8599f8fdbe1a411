//! Signatures: what they are on the wire, and whether they are good.

use super::keys::PublicKey;
use crate::codec::strict;
use cosmos_sdk_proto::cosmos::{
    crypto::multisig::v1beta1::{CompactBitArray, MultiSignature},
    tx::{
        signing::v1beta1::SignMode,
        v1beta1::{ModeInfo, mode_info},
    },
};
use k256::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use parking_lot::Mutex;
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};
use std::collections::{HashSet, VecDeque};

/// The type URL of the keys that wallets have.
pub const SECP256K1: &str = "/cosmos.crypto.secp256k1.PubKey";
/// How deep multisignatures may stand in each other.
const MAX_DEPTH: u32 = 8;

/// The address of a compressed secp256k1 key: RIPEMD-160 of its SHA-256.
pub fn address_of(key: &[u8]) -> Vec<u8> {
    Ripemd160::digest(Sha256::digest(key)).to_vec()
}

/// A signer's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SigData {
    /// One.
    Single {
        /// The number of its mode.
        mode: i32,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Those of a multisignature's keys.
    Multi {
        /// Which of the keys signed.
        signed: Vec<bool>,
        /// Theirs, in their order.
        sigs: Vec<SigData>,
    },
}

/// The bits of an array; `None` when it is none.
fn bits(array: &CompactBitArray) -> Option<Vec<bool>> {
    let extra = array.extra_bits_stored as usize;
    let count = match (extra, array.elems.len()) {
        (0, bytes) => bytes * 8,
        (1..=7, bytes @ 1..) => (bytes - 1) * 8 + extra,
        _ => return None,
    };
    let bit = |i: usize| {
        array
            .elems
            .get(i / 8)
            .is_some_and(|b| b & (0x80 >> (i % 8)) != 0)
    };
    Some((0..count).map(bit).collect())
}

impl SigData {
    /// A signature from its mode and its bytes.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(mode: Option<&ModeInfo>, bytes: &[u8]) -> Result<Self, String> {
        Self::nested(mode, bytes, MAX_DEPTH)
    }

    fn nested(mode: Option<&ModeInfo>, bytes: &[u8], depth: u32) -> Result<Self, String> {
        match mode.and_then(|m| m.sum.as_ref()) {
            Some(mode_info::Sum::Single(single)) => Ok(Self::Single {
                mode: single.mode,
                bytes: bytes.to_vec(),
            }),
            Some(mode_info::Sum::Multi(multi)) => {
                let depth = depth
                    .checked_sub(1)
                    .ok_or("multisignatures stand in each other too deep")?;
                let parts: MultiSignature =
                    strict("multisignature", bytes).map_err(|e| e.to_string())?;
                if parts.signatures.len() != multi.mode_infos.len() {
                    return Err(format!(
                        "multisignature: expected {} signatures, got {}",
                        multi.mode_infos.len(),
                        parts.signatures.len()
                    ));
                }
                let array = multi.bitarray.clone().unwrap_or_default();
                let modes = multi.mode_infos.iter().zip(&parts.signatures);
                Ok(Self::Multi {
                    signed: bits(&array).ok_or("multisignature: a bit array that is none")?,
                    sigs: modes
                        .map(|(m, s)| Self::nested(Some(m), s, depth))
                        .collect::<Result<_, _>>()?,
                })
            }
            None => Err("got empty SignatureData".into()),
        }
    }

    /// Whether every signature in it is `SIGN_MODE_LEGACY_AMINO_JSON`'s.
    pub fn only_amino(&self) -> bool {
        match self {
            Self::Single { mode, .. } => *mode == SignMode::LegacyAminoJson as i32,
            Self::Multi { sigs, .. } => sigs.iter().all(Self::only_amino),
        }
    }

    /// Whether a signature is missing, as in a simulation.
    pub fn incomplete(&self) -> bool {
        match self {
            Self::Single { bytes, .. } => bytes.is_empty(),
            Self::Multi { sigs, .. } => sigs.is_empty() || sigs.iter().any(Self::incomplete),
        }
    }

    /// Its bytes, as events have them: of a multisignature first the parts', then the whole.
    pub fn bytes(&self) -> Vec<Vec<u8>> {
        match self {
            Self::Single { bytes, .. } => vec![bytes.clone()],
            Self::Multi { sigs, .. } => {
                let mut parts: Vec<_> = sigs.iter().flat_map(Self::bytes).collect();
                let signatures = parts.clone();
                parts.push(prost::Message::encode_to_vec(&MultiSignature {
                    signatures,
                }));
                parts
            }
        }
    }
}

/// Whether `signature` is `key`'s over `bytes`. A high S is refused: it would be a second encoding of the same one.
/// A multisignature's key signs nothing by itself.
pub fn verify(key: &PublicKey, bytes: &[u8], signature: &[u8]) -> bool {
    match key {
        PublicKey::Secp256k1(key) => {
            let (Ok(key), Ok(signature)) = (
                VerifyingKey::from_sec1_bytes(key),
                Signature::from_slice(signature),
            ) else {
                return false;
            };
            signature.normalize_s().is_none() && key.verify(bytes, &signature).is_ok()
        }
        PublicKey::Secp256r1(key) => {
            let (Ok(key), Ok(signature)) = (
                p256::ecdsa::VerifyingKey::from_sec1_bytes(key),
                p256::ecdsa::Signature::from_slice(signature),
            ) else {
                return false;
            };
            signature.normalize_s().is_none() && key.verify(bytes, &signature).is_ok()
        }
        PublicKey::Ed25519(key) => {
            let (Ok(key), Ok(signature)) = (
                ed25519_consensus::VerificationKey::try_from(key.as_slice()),
                ed25519_consensus::Signature::try_from(signature),
            ) else {
                return false;
            };
            key.verify(&signature, bytes).is_ok()
        }
        PublicKey::Multisig { .. } => false,
    }
}

/// Checks a signature, its parts too. `sign_bytes` gives what each mode signs.
///
/// # Errors
/// What is wrong with it, in the SDK's words.
pub fn check(
    verified: &Verified,
    key: &PublicKey,
    sig: &SigData,
    sign_bytes: &mut dyn FnMut(i32) -> Result<Vec<u8>, String>,
) -> Result<(), String> {
    match (key, sig) {
        (PublicKey::Multisig { threshold, keys }, SigData::Multi { signed, sigs }) => {
            let (threshold, set) = (*threshold as usize, signed.iter().filter(|s| **s).count());
            if signed.len() != keys.len() {
                return Err(format!(
                    "bit array size is incorrect, expecting: {}",
                    keys.len()
                ));
            }
            if sigs.len() < threshold || sigs.len() > keys.len() {
                return Err(format!("signature size is incorrect {}", sigs.len()));
            }
            if set < threshold {
                return Err(format!(
                    "not enough signatures set, have {set}, expected {threshold}"
                ));
            }
            if set != sigs.len() {
                return Err(format!("signature size is incorrect {}", sigs.len()));
            }
            let signers = keys
                .iter()
                .enumerate()
                .zip(signed)
                .filter(|(_, signed)| **signed);
            for (((i, key), _), sig) in signers.zip(sigs) {
                check(verified, key, sig, sign_bytes).map_err(|e| match sig {
                    SigData::Single { .. } => format!("unable to verify signature at index {i}"),
                    SigData::Multi { .. } => e,
                })?;
            }
            Ok(())
        }
        (PublicKey::Multisig { .. }, SigData::Single { .. }) => {
            Err("expected a multisignature, got a single one".into())
        }
        (_, SigData::Multi { .. }) => {
            Err("expected a single signature, got a multisignature".into())
        }
        (key, SigData::Single { mode, bytes }) => {
            if verified.verify(key, &sign_bytes(*mode)?, bytes) {
                return Ok(());
            }
            Err("unable to verify single signer signature".into())
        }
    }
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

/// Signatures, and transactions, remembered.
const CAPACITY: usize = 40_000;

impl Verified {
    /// [`verify`], remembered.
    pub fn verify(&self, key: &PublicKey, bytes: &[u8], signature: &[u8]) -> bool {
        let (kind, public) = match key {
            PublicKey::Secp256k1(k) => (0, k),
            PublicKey::Secp256r1(k) => (1, k),
            PublicKey::Ed25519(k) => (2, k),
            PublicKey::Multisig { .. } => return false,
        };
        let id: [u8; 32] = Sha256::new()
            .chain_update(Sha256::digest(bytes))
            .chain_update([kind])
            .chain_update(public)
            .chain_update(signature)
            .finalize()
            .into();
        if self.knows(&id) {
            return true;
        }
        let ok = verify(key, bytes, signature);
        if ok {
            self.remember(id);
        }
        ok
    }

    /// Whether this transaction's hash, or this triple's, is remembered.
    pub fn knows(&self, id: &[u8; 32]) -> bool {
        self.0.lock().ids.contains(id)
    }

    /// Remembers a triple, or the hash of a transaction whose signatures are all remembered.
    pub fn remember(&self, id: [u8; 32]) {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use k256::ecdsa::{SigningKey, signature::Signer};

    #[test]
    fn only_the_keys_own_low_s_signature_is_taken() {
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let public = PublicKey::Secp256k1(key.verifying_key().to_sec1_bytes().to_vec());
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
        let none = PublicKey::Secp256k1(b"no key".to_vec());
        assert!(!verify(&none, b"hello", &signature.to_bytes()));
    }

    #[test]
    fn the_other_curves_sign_too() {
        let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        let public = key
            .verifying_key()
            .to_encoded_point(true)
            .as_bytes()
            .to_vec();
        let signature: p256::ecdsa::Signature = key.sign(b"hello");
        let signature = signature.normalize_s().unwrap_or(signature);
        let key = PublicKey::Secp256r1(public.clone());
        assert!(verify(&key, b"hello", &signature.to_bytes()));
        assert!(!verify(&key, b"hallo", &signature.to_bytes()));
        assert!(!verify(
            &PublicKey::Secp256k1(public),
            b"hello",
            &signature.to_bytes()
        ));
        let (r, s) = signature.split_scalars();
        let high = p256::ecdsa::Signature::from_scalars(r, -*s).unwrap();
        assert!(!verify(&key, b"hello", &high.to_bytes()), "high S");

        let key = ed25519_consensus::SigningKey::from([7; 32]);
        let public = PublicKey::Ed25519(key.verification_key().to_bytes().to_vec());
        let signature = key.sign(b"hello").to_bytes();
        assert!(verify(&public, b"hello", &signature));
        assert!(!verify(&public, b"hallo", &signature));
    }

    #[test]
    fn bits_are_counted_from_the_left_and_odd_arrays_are_refused() {
        let array = |extra_bits_stored, elems: &[u8]| CompactBitArray {
            extra_bits_stored,
            elems: elems.to_vec(),
        };
        assert_eq!(
            bits(&array(3, &[0b1010_0000])),
            Some(vec![true, false, true])
        );
        assert_eq!(bits(&array(0, &[0xff])).unwrap().len(), 8);
        assert_eq!(bits(&array(1, &[0, 0x80])).unwrap().last(), Some(&true));
        assert_eq!(bits(&array(0, &[])), Some(vec![]));
        assert_eq!(bits(&array(3, &[])), None);
        assert_eq!(bits(&array(8, &[0xff])), None);
        assert_eq!(bits(&array(u32::MAX, &[0xff])), None);
    }
}
