//! Public keys of accounts: what they are on the wire, whose address they give, what they sign.

use crate::{
    codec::{strict, type_url},
    error::{AppError, Result},
};
use cosmos_sdk_proto::{
    Any,
    cosmos::crypto::{ed25519, multisig::LegacyAminoPubKey, secp256k1, secp256r1},
};
use prost::{Message, Name, encoding::encode_varint};
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};

/// How deep multisignatures may stand in each other.
const MAX_DEPTH: u32 = 8;
/// Most keys of one multisignature, those of the ones in it not counted.
const MAX_KEYS: usize = 100;

/// What amino puts before a key of each type.
const AMINO_SECP256K1: [u8; 4] = [0xeb, 0x5a, 0xe9, 0x87];
const AMINO_ED25519: [u8; 4] = [0x16, 0x24, 0xde, 0x64];
const AMINO_MULTISIG: [u8; 4] = [0x22, 0xc1, 0xf7, 0xe2];

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// What wallets have; 33 bytes.
    Secp256k1(Vec<u8>),
    /// What secure enclaves and passkeys have; 33 bytes.
    Secp256r1(Vec<u8>),
    /// What validators have; 32 bytes.
    Ed25519(Vec<u8>),
    /// So many of these keys.
    Multisig {
        /// How many must sign, at least 1.
        threshold: u32,
        /// The keys; one may be there twice.
        keys: Vec<PublicKey>,
    },
}

fn sized(what: &str, key: Vec<u8>, size: usize) -> Result<Vec<u8>> {
    if key.len() == size {
        return Ok(key);
    }
    Err(AppError::invalid_pubkey(format_args!(
        "{what}: expected {size} bytes, got {}",
        key.len()
    )))
}

impl PublicKey {
    /// The key in an `Any`.
    ///
    /// # Errors
    /// sdk/2 when it is no message of a key, sdk/8 when it is no key.
    pub fn decode(any: &Any) -> Result<Self> {
        Self::nested(any, MAX_DEPTH)
    }

    fn nested(any: &Any, depth: u32) -> Result<Self> {
        let (url, value) = (any.type_url.as_str(), any.value.as_slice());
        let Some(name) = url.strip_prefix('/') else {
            return Err(unknown(url));
        };
        if name == secp256k1::PubKey::full_name() {
            let key: secp256k1::PubKey = strict("public key", value)?;
            return sized("secp256k1 public key", key.key, 33).map(Self::Secp256k1);
        }
        if name == secp256r1::PubKey::full_name() {
            let key: secp256r1::PubKey = strict("public key", value)?;
            return sized("secp256r1 public key", key.key, 33).map(Self::Secp256r1);
        }
        if name == ed25519::PubKey::full_name() {
            let key: ed25519::PubKey = strict("public key", value)?;
            return sized("ed25519 public key", key.key, 32).map(Self::Ed25519);
        }
        if name != LegacyAminoPubKey::full_name() {
            return Err(unknown(url));
        }
        let depth = depth.checked_sub(1).ok_or_else(|| {
            AppError::invalid_pubkey(format_args!(
                "expected multisignatures at most {MAX_DEPTH} deep, got more"
            ))
        })?;
        let key: LegacyAminoPubKey = strict("public key", value)?;
        let most = key.public_keys.len();
        if key.threshold == 0 || key.threshold as usize > most || most > MAX_KEYS {
            return Err(AppError::invalid_pubkey(format_args!(
                "multisignature: expected a threshold of 1 to its number of keys, at most {MAX_KEYS}, got {} of {most}",
                key.threshold
            )));
        }
        let keys = key.public_keys.iter();
        let keys: Vec<Self> = keys
            .map(|k| Self::nested(k, depth))
            .collect::<Result<_>>()?;
        if keys.iter().any(|k| matches!(k, Self::Secp256r1(_))) {
            return Err(AppError::invalid_pubkey(
                "multisignature: expected keys that amino knows, got a secp256r1 key",
            ));
        }
        Ok(Self::Multisig {
            threshold: key.threshold,
            keys,
        })
    }

    /// As an `Any`.
    pub fn to_any(&self) -> Any {
        fn any<M: Message + Name>(m: &M) -> Any {
            Any {
                type_url: type_url::<M>(),
                value: m.encode_to_vec(),
            }
        }
        match self {
            Self::Secp256k1(key) => any(&secp256k1::PubKey { key: key.clone() }),
            Self::Secp256r1(key) => any(&secp256r1::PubKey { key: key.clone() }),
            Self::Ed25519(key) => any(&ed25519::PubKey { key: key.clone() }),
            Self::Multisig { threshold, keys } => any(&LegacyAminoPubKey {
                threshold: *threshold,
                public_keys: keys.iter().map(Self::to_any).collect(),
            }),
        }
    }

    /// The address of the account that the key controls: 20 bytes, 32 for secp256r1.
    pub fn address(&self) -> Vec<u8> {
        match self {
            Self::Secp256k1(key) => Ripemd160::digest(Sha256::digest(key)).to_vec(),
            Self::Secp256r1(key) => {
                // ADR-28: of the type's name and the key.
                let kind = Sha256::digest(secp256r1::PubKey::full_name());
                Sha256::new()
                    .chain_update(kind)
                    .chain_update(key)
                    .finalize()
                    .to_vec()
            }
            Self::Ed25519(key) => Sha256::digest(key)[..20].to_vec(),
            Self::Multisig { .. } => Sha256::digest(self.amino())[..20].to_vec(),
        }
    }

    /// Amino's bytes of the key.
    pub fn amino(&self) -> Vec<u8> {
        let key = |prefix: &[u8], key: &[u8]| {
            let mut out = prefix.to_vec();
            encode_varint(key.len() as u64, &mut out);
            out.extend_from_slice(key);
            out
        };
        match self {
            Self::Secp256k1(bytes) => key(&AMINO_SECP256K1, bytes),
            // Amino has no name for it; this is as long as if it had.
            Self::Secp256r1(bytes) => key(&[0; 4], bytes),
            Self::Ed25519(bytes) => key(&AMINO_ED25519, bytes),
            Self::Multisig { threshold, keys } => {
                let mut out = AMINO_MULTISIG.to_vec();
                out.push(0x08);
                encode_varint(u64::from(*threshold), &mut out);
                for k in keys {
                    let bytes = k.amino();
                    out.push(0x12);
                    encode_varint(bytes.len() as u64, &mut out);
                    out.extend_from_slice(&bytes);
                }
                out
            }
        }
    }

    /// How many simple keys there are in it.
    pub fn count(&self) -> u64 {
        match self {
            Self::Multisig { keys, .. } => keys.iter().map(Self::count).sum(),
            _ => 1,
        }
    }
}

fn unknown(url: &str) -> AppError {
    let shown: String = url.chars().take(128).collect();
    AppError::tx_decode(format_args!("unable to resolve type URL {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::address;
    use base64::{Engine, prelude::BASE64_STANDARD};

    fn key(base64: &str) -> PublicKey {
        PublicKey::Secp256k1(BASE64_STANDARD.decode(base64).unwrap())
    }

    /// The addresses are what CosmJS 0.38 makes of these keys.
    #[test]
    fn a_multisignatures_address_is_cosmjss() {
        let keys = [
            "A08EGB7ro1ORuFhjOnZcSgwYlpe0DSFjVNUIkNNQxwKQ",
            "A+Aqyz4tTSGRoPXvwvXzMXVpvCzFhUYEQNGsyAyAVPo8",
            "A3rNVPFb9UQPzjVLLLAf3Gq2Q1VTHyQH5OvVB1CkbdvF",
        ]
        .map(key);
        assert_eq!(
            address::encode("cosmos", &keys[0].address()).unwrap(),
            "cosmos1pkptre7fdkl6gfrzlesjjvhxhlc3r4gmmk8rs6"
        );
        let multi = PublicKey::Multisig {
            threshold: 2,
            keys: keys.to_vec(),
        };
        assert_eq!(PublicKey::decode(&multi.to_any()).unwrap(), multi);
        assert_eq!((multi.count(), multi.address().len()), (3, 20));
        assert_eq!(
            address::encode("cosmos", &multi.address()).unwrap(),
            "cosmos1yy92qhxk3tj2rkhzuaxyzych2yv9w626uj5wkn"
        );
        let nested = PublicKey::Multisig {
            threshold: 1,
            keys: vec![multi, keys[0].clone()],
        };
        assert_eq!(nested.count(), 4);
        assert_eq!(
            address::encode("cosmos", &nested.address()).unwrap(),
            "cosmos1j0jrtgkt57fpsumy3vxv6sc264frp7nha78jtm"
        );
        let validator = PublicKey::Ed25519(vec![3; 32]);
        assert_eq!(
            address::encode("cosmos", &validator.address()).unwrap(),
            "cosmos1vj92t3telvc08zhhgnvh6mkggrr6jynhnjpxlh"
        );
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let some = key("A08EGB7ro1ORuFhjOnZcSgwYlpe0DSFjVNUIkNNQxwKQ");
        let multi = |threshold, keys: Vec<PublicKey>| PublicKey::Multisig { threshold, keys };
        let r1 = PublicKey::Secp256r1(vec![2; 33]);
        for (bad, code) in [
            (multi(0, vec![some.clone()]), 8),
            (multi(2, vec![some.clone()]), 8),
            (multi(1, vec![]), 8),
            (multi(1, vec![some.clone(); 101]), 8),
            (multi(1, vec![r1.clone()]), 8),
            (PublicKey::Secp256k1(vec![2; 32]), 8),
            (PublicKey::Ed25519(vec![2; 33]), 8),
        ] {
            assert_eq!(PublicKey::decode(&bad.to_any()).unwrap_err().code, code);
        }
        let mut deep = some;
        for _ in 0..9 {
            deep = multi(1, vec![deep]);
        }
        assert_eq!(PublicKey::decode(&deep.to_any()).unwrap_err().code, 8);
        let other = Any {
            type_url: "/cosmos.bank.v1beta1.MsgSend".into(),
            value: vec![],
        };
        assert_eq!(PublicKey::decode(&other).unwrap_err().code, 2);
        assert_eq!(r1.address().len(), 32);
    }
}
