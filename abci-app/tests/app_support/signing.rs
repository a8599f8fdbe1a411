//! Keys of every kind, and transactions in every mode.

use super::{CHAIN, app_state, block, init, open};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        bank::v1beta1::MsgSend,
        base::v1beta1::Coin,
        crypto::multisig::v1beta1::{CompactBitArray, MultiSignature},
        tx::{
            signing::v1beta1::SignMode,
            v1beta1::{AuthInfo, Fee, ModeInfo, SignerInfo, TxRaw, mode_info},
        },
    },
};
use ember_abci_app::{
    app::App,
    codec::{
        address,
        tx::{DecodedTx, TxBody},
    },
    tx::keys::PublicKey,
};
use k256::ecdsa::{Signature, signature::Signer};
use prost::Message;
use serde_json::json;

/// A key that signs.
#[derive(Clone)]
pub enum Key {
    K1(k256::ecdsa::SigningKey),
    R1(p256::ecdsa::SigningKey),
    Ed(ed25519_consensus::SigningKey),
    /// So many of these; the last field says which of them sign.
    Multi(u32, Vec<Key>, Vec<bool>),
}

impl Key {
    pub fn k1(seed: u8) -> Self {
        Self::K1(k256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap())
    }

    pub fn public(&self) -> PublicKey {
        match self {
            Self::K1(k) => PublicKey::Secp256k1(k.verifying_key().to_sec1_bytes().to_vec()),
            Self::R1(k) => {
                PublicKey::Secp256r1(k.verifying_key().to_encoded_point(true).as_bytes().to_vec())
            }
            Self::Ed(k) => PublicKey::Ed25519(k.verification_key().to_bytes().to_vec()),
            Self::Multi(threshold, keys, _) => PublicKey::Multisig {
                threshold: *threshold,
                keys: keys.iter().map(Self::public).collect(),
            },
        }
    }

    pub fn address(&self) -> String {
        address::encode("test", &self.public().address()).unwrap()
    }

    pub fn mode(&self, mode: SignMode) -> ModeInfo {
        let sum = match self {
            Self::Multi(_, keys, signs) => {
                let mut elems = vec![0; signs.len().div_ceil(8)];
                for (i, _) in signs.iter().enumerate().filter(|(_, s)| **s) {
                    elems[i / 8] |= 0x80 >> (i % 8);
                }
                let signers = keys.iter().zip(signs).filter(|(_, s)| **s);
                mode_info::Sum::Multi(mode_info::Multi {
                    bitarray: Some(CompactBitArray {
                        extra_bits_stored: (signs.len() % 8) as u32,
                        elems,
                    }),
                    mode_infos: signers.map(|(k, _)| k.mode(mode)).collect(),
                })
            }
            _ => mode_info::Sum::Single(mode_info::Single { mode: mode as i32 }),
        };
        ModeInfo { sum: Some(sum) }
    }

    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::K1(k) => {
                let s: Signature = k.sign(bytes);
                s.to_vec()
            }
            Self::R1(k) => {
                let s: p256::ecdsa::Signature = k.sign(bytes);
                s.normalize_s().unwrap_or(s).to_vec()
            }
            Self::Ed(k) => k.sign(bytes).to_bytes().to_vec(),
            Self::Multi(_, keys, signs) => {
                let signers = keys.iter().zip(signs).filter(|(_, s)| **s);
                let signatures = signers.map(|(k, _)| k.sign(bytes)).collect();
                MultiSignature { signatures }.encode_to_vec()
            }
        }
    }
}

pub fn coin(amount: u128) -> Vec<Coin> {
    vec![Coin {
        denom: "utest".into(),
        amount: amount.to_string(),
    }]
}

pub fn send(from: &Key, to: &Key) -> Any {
    let msg = MsgSend {
        from_address: from.address(),
        to_address: to.address(),
        amount: coin(10),
    };
    Any {
        type_url: "/cosmos.bank.v1beta1.MsgSend".into(),
        value: msg.encode_to_vec(),
    }
}

/// A transaction in the making.
pub struct Tx {
    pub body: TxBody,
    pub fee: Fee,
    pub mode: SignMode,
    /// Key, account number, sequence.
    pub signers: Vec<(Key, u64, u64)>,
    pub chain: String,
}

impl Tx {
    pub fn new(messages: Vec<Any>, signers: Vec<(Key, u64, u64)>) -> Self {
        Self {
            body: TxBody {
                messages,
                ..TxBody::default()
            },
            fee: Fee {
                amount: coin(5_000),
                gas_limit: 200_000,
                ..Fee::default()
            },
            mode: SignMode::LegacyAminoJson,
            signers,
            chain: CHAIN.into(),
        }
    }

    pub fn with(mut self, f: impl FnOnce(&mut Self)) -> Self {
        f(&mut self);
        self
    }

    pub fn raw(&self) -> TxRaw {
        let infos = self.signers.iter().map(|(key, _, sequence)| SignerInfo {
            public_key: Some(key.public().to_any()),
            mode_info: Some(key.mode(self.mode)),
            sequence: *sequence,
        });
        let auth = AuthInfo {
            signer_infos: infos.collect(),
            fee: Some(self.fee.clone()),
            ..AuthInfo::default()
        };
        let mut raw = TxRaw {
            body_bytes: self.body.encode_to_vec(),
            auth_info_bytes: auth.encode_to_vec(),
            signatures: vec![vec![]; self.signers.len()],
        };
        let Ok(tx) = DecodedTx::decode(&raw.encode_to_vec()) else {
            return raw;
        };
        let signatures = self.signers.iter().map(|(key, number, sequence)| {
            let bytes = match self.mode {
                SignMode::LegacyAminoJson => tx
                    .amino_sign_bytes(&self.chain, *number, *sequence)
                    .unwrap_or_default(),
                _ => tx.sign_bytes(&self.chain, *number),
            };
            key.sign(&bytes)
        });
        raw.signatures = signatures.collect();
        raw
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.raw().encode_to_vec()
    }
}

/// A chain on which these keys have accounts, numbered as they stand.
pub fn chain(keys: &[&Key]) -> (tempfile::TempDir, App) {
    let dir = tempfile::tempdir().unwrap();
    let app = open(dir.path());
    let accounts = keys.iter().map(|k| json!({ "@type": "/cosmos.auth.v1beta1.BaseAccount", "address": k.address(), "pub_key": null, "account_number": "0", "sequence": "0" }));
    let balances = keys.iter().map(
        |k| json!({ "address": k.address(), "coins": [{ "denom": "utest", "amount": "1000000" }] }),
    );
    let mut state = app_state(&[]);
    state["auth"]["accounts"] = accounts.collect();
    state["bank"]["balances"] = balances.collect();
    init(&app, &state);
    block(&app, 1, &[]);
    (dir, app)
}
