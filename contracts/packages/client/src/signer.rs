//! Transactions in SIGN_MODE_DIRECT with one signer.

use crate::{coin::Coin, key::Key};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        base::v1beta1::Coin as CoinProto,
        crypto::secp256k1::PubKey,
        tx::v1beta1::{AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw, mode_info},
    },
};
use prost::Message;

/// What a signature is made over, besides the messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignData {
    /// What is paid. An amount of zero is sent as no coin at all.
    pub fee: Coin,
    /// Gas limit.
    pub gas: u64,
    /// A public text.
    pub memo: String,
    /// The chain that may include it.
    pub chain_id: String,
    /// The account's number.
    pub account_number: u64,
    /// The account's next sequence.
    pub sequence: u64,
}

/// The signed transaction, encoded as `TxRaw`.
pub fn sign(key: &Key, msgs: Vec<Any>, data: &SignData) -> Vec<u8> {
    let body_bytes = TxBody {
        messages: msgs,
        memo: data.memo.clone(),
        ..Default::default()
    }
    .encode_to_vec();
    let public_key = Any {
        type_url: "/cosmos.crypto.secp256k1.PubKey".into(),
        value: PubKey {
            key: key.public_key(),
        }
        .encode_to_vec(),
    };
    let amount = (data.fee.amount > 0)
        .then(|| CoinProto {
            denom: data.fee.denom.clone(),
            amount: data.fee.amount.to_string(),
        })
        .into_iter()
        .collect();
    let auth_info_bytes = AuthInfo {
        signer_infos: vec![SignerInfo {
            public_key: Some(public_key),
            mode_info: Some(ModeInfo {
                sum: Some(mode_info::Sum::Single(mode_info::Single { mode: 1 })),
            }),
            sequence: data.sequence,
        }],
        fee: Some(Fee {
            amount,
            gas_limit: data.gas,
            ..Default::default()
        }),
        ..Default::default()
    }
    .encode_to_vec();
    let doc = SignDoc {
        body_bytes: body_bytes.clone(),
        auth_info_bytes: auth_info_bytes.clone(),
        chain_id: data.chain_id.clone(),
        account_number: data.account_number,
    };
    TxRaw {
        body_bytes,
        auth_info_bytes,
        signatures: vec![key.sign(&doc.encode_to_vec())],
    }
    .encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use k256::ecdsa::{Signature, VerifyingKey, signature::Verifier};

    #[test]
    fn the_signature_is_over_the_sign_doc_of_what_is_sent() {
        let (key, _) = Key::generate("a", "ember").unwrap();
        let msg = Any {
            type_url: "/some.Msg".into(),
            value: vec![1, 2],
        };
        let data = SignData {
            fee: "5uember".parse().unwrap(),
            gas: 7,
            memo: "m".into(),
            chain_id: "c-1".into(),
            account_number: 3,
            sequence: 4,
        };
        let raw = TxRaw::decode(sign(&key, vec![msg.clone()], &data).as_slice()).unwrap();
        let body = TxBody::decode(raw.body_bytes.as_slice()).unwrap();
        assert_eq!((body.messages, body.memo), (vec![msg], "m".into()));
        let auth = AuthInfo::decode(raw.auth_info_bytes.as_slice()).unwrap();
        assert_eq!(auth.signer_infos[0].sequence, 4);
        let doc = |chain_id: &str| {
            SignDoc {
                body_bytes: raw.body_bytes.clone(),
                auth_info_bytes: raw.auth_info_bytes.clone(),
                chain_id: chain_id.into(),
                account_number: 3,
            }
            .encode_to_vec()
        };
        let public = VerifyingKey::from_sec1_bytes(&key.public_key()).unwrap();
        let signature = Signature::from_slice(&raw.signatures[0]).unwrap();
        assert!(public.verify(&doc("c-1"), &signature).is_ok());
        assert!(public.verify(&doc("c-2"), &signature).is_err());
    }
}
