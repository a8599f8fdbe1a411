//! What a provider signs about a job it ran.
//!
//! Canonical bytes are compact JSON in declared field order. The signature is ECDSA over P-256 and SHA-256 with the
//! key of the provider's certificate, so that whoever has the certificate can check it.

use crate::compute::{Hash, Usage};
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::pkcs8::DecodePrivateKey;
use serde::{Deserialize, Serialize};

/// The receipt version this program reads and writes.
pub const VERSION: u32 = 1;
/// The one signature algorithm.
pub const ALGORITHM: &str = "ecdsa-p256-sha256";

/// Hashes of buffers at one point of a job, chained to those before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointRoot {
    /// Index of the top-level step it follows.
    pub after: u32,
    /// Buffer names and the BLAKE3 of their contents.
    pub buffers: Vec<(String, Hash)>,
    /// BLAKE3 of the chain value before (32 zero bytes at first), `after` as u32 in little endian, and the hashes.
    pub chain: Hash,
}

impl CheckpointRoot {
    /// The checkpoint that follows one whose chain value is `last`.
    pub fn after(last: Option<Hash>, after: u32, buffers: Vec<(String, Hash)>) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(last.unwrap_or(Hash([0; 32])).as_bytes());
        hasher.update(&after.to_le_bytes());
        for (_, hash) in &buffers {
            hasher.update(hash.as_bytes());
        }
        Self {
            after,
            buffers,
            chain: Hash(*hasher.finalize().as_bytes()),
        }
    }
}

/// What ran, for whom, and what came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// [`VERSION`].
    pub version: u32,
    /// Chain id.
    pub chain_id: String,
    /// Lease, as the chain writes its id.
    pub lease_id: String,
    /// Provider's address.
    pub provider: String,
    /// Tenant's address.
    pub tenant: String,
    /// Id of the manifest.
    pub manifest_hash: Hash,
    /// Canonical SPIR-V hash of each module, in the manifest's order.
    pub kernels: Vec<Hash>,
    /// Name, BLAKE3 and length in bytes of each output.
    pub outputs: Vec<(String, Hash, u64)>,
    /// Checkpoints, in order.
    pub checkpoints: Vec<CheckpointRoot>,
    /// Canonical model id of the device.
    pub device: String,
    /// Driver name and version.
    pub driver: String,
    /// What was used.
    pub usage: Usage,
    /// Start, in seconds since 1970, by the provider's clock.
    pub started_at: u64,
    /// End, likewise.
    pub finished_at: u64,
}

impl Receipt {
    /// The bytes that are signed.
    pub fn to_canonical(&self) -> Vec<u8> {
        // Structs of strings, integers and hashes always serialise.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// A receipt with the provider's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedReceipt {
    /// The receipt.
    pub receipt: Receipt,
    /// [`ALGORITHM`].
    pub algorithm: String,
    /// The signer's public key: a SEC1 point, uncompressed, in hex; the same bytes as in its certificate.
    pub public_key: String,
    /// The signature in DER, in hex.
    pub signature: String,
}

/// Why a receipt does not stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The key to sign with is no P-256 key in PKCS#8 DER.
    #[error("expected a P-256 key in PKCS#8 DER: {0}")]
    BadKey(String),
    /// A version or algorithm this program does not know.
    #[error(
        "expected receipt version {VERSION} and algorithm {ALGORITHM}, got {version} and {algorithm:?}"
    )]
    Unknown {
        /// Version of the receipt.
        version: u32,
        /// Algorithm of the signature.
        algorithm: String,
    },
    /// A field that does not decode.
    #[error("{field} of the receipt is malformed")]
    Malformed {
        /// Which.
        field: &'static str,
    },
    /// The signature is not of these bytes by this key.
    #[error("the signature does not match the receipt")]
    BadSignature,
    /// Signed by somebody else.
    #[error("signed with key {got}, expected {expected}")]
    OtherKey {
        /// Key in the receipt, in hex.
        got: String,
        /// Key expected, in hex.
        expected: String,
    },
}

impl SignedReceipt {
    /// Signs `receipt` with a P-256 key in PKCS#8 DER. Deterministic (RFC 6979).
    ///
    /// # Errors
    /// [`ReceiptError::BadKey`].
    pub fn sign(receipt: Receipt, pkcs8: &[u8]) -> Result<Self, ReceiptError> {
        let key =
            SigningKey::from_pkcs8_der(pkcs8).map_err(|e| ReceiptError::BadKey(e.to_string()))?;
        let signature: Signature = key.sign(&receipt.to_canonical());
        Ok(Self {
            algorithm: ALGORITHM.into(),
            public_key: hex::encode(key.verifying_key().to_encoded_point(false).as_bytes()),
            signature: hex::encode(signature.to_der().as_bytes()),
            receipt,
        })
    }

    /// Checks the signature against the key inside. That says the receipt is whole, not whose it is: see
    /// [`SignedReceipt::verify_by`].
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn verify(&self) -> Result<(), ReceiptError> {
        if self.receipt.version != VERSION || self.algorithm != ALGORITHM {
            return Err(ReceiptError::Unknown {
                version: self.receipt.version,
                algorithm: self.algorithm.clone(),
            });
        }
        let malformed = |field| move |_| ReceiptError::Malformed { field };
        let key = hex::decode(&self.public_key).map_err(malformed("public_key"))?;
        let key = VerifyingKey::from_sec1_bytes(&key).map_err(|_| ReceiptError::Malformed {
            field: "public_key",
        })?;
        let signature = hex::decode(&self.signature).map_err(malformed("signature"))?;
        let signature = Signature::from_der(&signature)
            .map_err(|_| ReceiptError::Malformed { field: "signature" })?;
        key.verify(&self.receipt.to_canonical(), &signature)
            .map_err(|_| ReceiptError::BadSignature)
    }

    /// Checks the signature and that it is by `public_key` (SEC1, as a certificate holds it).
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn verify_by(&self, public_key: &[u8]) -> Result<(), ReceiptError> {
        let malformed = |_| ReceiptError::Malformed {
            field: "public_key",
        };
        let expected = VerifyingKey::from_sec1_bytes(public_key)
            .map_err(malformed)?
            .to_encoded_point(false);
        let expected = hex::encode(expected.as_bytes());
        if self.public_key != expected {
            return Err(ReceiptError::OtherKey {
                got: self.public_key.clone(),
                expected,
            });
        }
        self.verify()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Receipt {
        Receipt {
            version: VERSION,
            chain_id: "ember-1".into(),
            lease_id: "7".into(),
            provider: "ember1p".into(),
            tenant: "ember1t".into(),
            manifest_hash: Hash::of(b"manifest"),
            kernels: vec![Hash::of(b"kernel")],
            outputs: vec![("image".into(), Hash::of(b"image"), 5)],
            checkpoints: vec![CheckpointRoot::after(
                None,
                0,
                vec![("y".into(), Hash::of(b"y"))],
            )],
            device: "mesa/lavapipe".into(),
            driver: "llvmpipe".into(),
            usage: Usage::default(),
            started_at: 1,
            finished_at: 2,
        }
    }

    #[test]
    fn a_signature_covers_every_field() {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let signed = SignedReceipt::sign(receipt(), &pair.serialize_der()).unwrap();
        signed.verify().unwrap();
        signed.verify_by(pair.public_key_raw()).unwrap();
        let bytes = serde_json::to_vec(&signed).unwrap();
        assert_eq!(
            serde_json::from_slice::<SignedReceipt>(&bytes).unwrap(),
            signed
        );

        let changes: [fn(&mut Receipt); 5] = [
            |r| r.outputs[0].2 = 6,
            |r| r.lease_id = "8".into(),
            |r| r.kernels.clear(),
            |r| r.checkpoints[0].after = 1,
            |r| r.finished_at = 3,
        ];
        for change in changes {
            let mut forged = signed.clone();
            change(&mut forged.receipt);
            assert_eq!(forged.verify(), Err(ReceiptError::BadSignature));
        }
        let other = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        assert!(matches!(
            signed.verify_by(other.public_key_raw()),
            Err(ReceiptError::OtherKey { .. })
        ));
        assert!(matches!(
            SignedReceipt::sign(receipt(), b"no key"),
            Err(ReceiptError::BadKey(_))
        ));
    }

    #[test]
    fn checkpoints_chain() {
        let buffers = || vec![("y".to_string(), Hash::of(b"y"))];
        let first = CheckpointRoot::after(None, 0, buffers());
        let second = CheckpointRoot::after(Some(first.chain), 1, buffers());
        assert_ne!(
            second.chain,
            CheckpointRoot::after(None, 1, buffers()).chain
        );
        assert_ne!(first.chain, second.chain);
    }
}
