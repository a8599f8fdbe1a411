//! Transactions on the wire.

use super::{
    amino::{AminoError, SignDoc as AminoDoc},
    strict,
};
use crate::{
    error::{AppError, Result},
    store::merkle::sha256,
};
use cosmos_sdk_proto::{
    Any,
    cosmos::tx::v1beta1::{AuthInfo, Fee, SignDoc, SignerInfo, Tx, TxRaw},
};
use prost::Message;
use tendermint_proto::google::protobuf::Timestamp;

/// Most bytes of a transaction.
pub const MAX_TX_BYTES: usize = 1 << 20;
/// Most messages of a transaction.
pub const MAX_MSGS: usize = 256;

/// `cosmos.tx.v1beta1.TxBody` as SDK 0.53 has it: with two fields that the library does not know.
#[derive(Clone, PartialEq, Message)]
pub struct TxBody {
    /// The messages.
    #[prost(message, repeated, tag = "1")]
    pub messages: Vec<Any>,
    /// A note.
    #[prost(string, tag = "2")]
    pub memo: String,
    /// The last height it may be executed at; 0 is none.
    #[prost(uint64, tag = "3")]
    pub timeout_height: u64,
    /// Whether it has no place in its sender's sequence.
    #[prost(bool, tag = "4")]
    pub unordered: bool,
    /// The last time it may be executed at.
    #[prost(message, optional, tag = "5")]
    pub timeout_timestamp: Option<Timestamp>,
    /// What a chain must understand to execute it.
    #[prost(message, repeated, tag = "1023")]
    pub extension_options: Vec<Any>,
    /// What a chain need not understand.
    #[prost(message, repeated, tag = "2047")]
    pub non_critical_extension_options: Vec<Any>,
}

/// A decoded transaction. The bytes that were signed are kept as they came.
#[derive(Debug, Clone)]
pub struct DecodedTx {
    /// SHA-256 of the raw bytes.
    pub hash: [u8; 32],
    /// Length of the raw bytes.
    pub size: usize,
    body_bytes: Vec<u8>,
    auth_info_bytes: Vec<u8>,
    /// Messages, memo, timeout.
    pub body: TxBody,
    /// The fee.
    pub fee: Fee,
    /// One a signer.
    pub signers: Vec<SignerInfo>,
    /// One a signer.
    pub signatures: Vec<Vec<u8>>,
}

impl DecodedTx {
    /// Decodes raw bytes.
    ///
    /// # Errors
    /// sdk/2 when they are no transaction, or not the canonical encoding of one; sdk/21 when there are too many.
    pub fn decode(raw: &[u8]) -> Result<Self> {
        if raw.len() > MAX_TX_BYTES {
            return Err(AppError::tx_too_large(format_args!(
                "expected at most {MAX_TX_BYTES} bytes, got {}",
                raw.len()
            )));
        }
        let tx: TxRaw = strict("tx", raw)?;
        let body: TxBody = strict("tx body", &tx.body_bytes)?;
        let auth: AuthInfo = strict("auth info", &tx.auth_info_bytes)?;
        if body.messages.len() > MAX_MSGS {
            return Err(AppError::invalid_request(format_args!(
                "expected at most {MAX_MSGS} messages, got {}",
                body.messages.len()
            )));
        }
        Ok(Self {
            hash: sha256(raw),
            size: raw.len(),
            fee: auth
                .fee
                .ok_or_else(|| AppError::tx_decode("expected a fee, got none"))?,
            signers: auth.signer_infos,
            signatures: tx.signatures,
            body,
            body_bytes: tx.body_bytes,
            auth_info_bytes: tx.auth_info_bytes,
        })
    }

    /// The bytes that `SIGN_MODE_DIRECT` signs.
    pub fn sign_bytes(&self, chain_id: &str, account_number: u64) -> Vec<u8> {
        SignDoc {
            body_bytes: self.body_bytes.clone(),
            auth_info_bytes: self.auth_info_bytes.clone(),
            chain_id: chain_id.to_owned(),
            account_number,
        }
        .encode_to_vec()
    }

    /// The bytes that `SIGN_MODE_LEGACY_AMINO_JSON` signs.
    ///
    /// # Errors
    /// When a message has no such form.
    pub fn amino_sign_bytes(
        &self,
        chain_id: &str,
        account_number: u64,
        sequence: u64,
    ) -> Result<Vec<u8>, AminoError> {
        let body = &self.body;
        if !body.extension_options.is_empty() || !body.non_critical_extension_options.is_empty() {
            return Err(AminoError::Unsupported(
                "SIGN_MODE_LEGACY_AMINO_JSON does not support protobuf extension options: invalid request".into(),
            ));
        }
        AminoDoc {
            chain_id,
            account_number,
            sequence,
            fee: &self.fee,
            memo: &body.memo,
            messages: &body.messages,
            timeout_height: body.timeout_height,
            timeout_timestamp: body
                .timeout_timestamp
                .as_ref()
                .map(|t| (t.seconds, t.nanos)),
        }
        .bytes()
    }

    /// The messages.
    pub fn messages(&self) -> &[Any] {
        &self.body.messages
    }
}

/// The raw bytes of a `Tx` as `Simulate`'s deprecated field carries it.
pub fn encode_tx(tx: &Tx) -> Vec<u8> {
    TxRaw {
        body_bytes: tx
            .body
            .as_ref()
            .map(Message::encode_to_vec)
            .unwrap_or_default(),
        auth_info_bytes: tx
            .auth_info
            .as_ref()
            .map(Message::encode_to_vec)
            .unwrap_or_default(),
        signatures: tx.signatures.clone(),
    }
    .encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> TxRaw {
        let body = TxBody {
            memo: "hi".into(),
            ..TxBody::default()
        };
        let auth = AuthInfo {
            fee: Some(Fee {
                gas_limit: 7,
                ..Fee::default()
            }),
            ..AuthInfo::default()
        };
        TxRaw {
            body_bytes: body.encode_to_vec(),
            auth_info_bytes: auth.encode_to_vec(),
            signatures: vec![vec![1]],
        }
    }

    #[test]
    fn only_the_canonical_encoding_is_taken() {
        let good = raw().encode_to_vec();
        assert_eq!(DecodedTx::decode(&good).unwrap().body.memo, "hi");
        // An unknown field, a default written out, bytes cut off, and a field of the body that we do not know.
        for tail in [vec![0x7a, 1, 0], vec![0x0a, 0]] {
            let bytes = [good.clone(), tail].concat();
            assert_eq!(DecodedTx::decode(&bytes).unwrap_err().code, 2);
        }
        assert!(DecodedTx::decode(&good[..good.len() - 1]).is_err());
        let mut unknown = raw();
        unknown.body_bytes.extend([0x30, 1]);
        assert_eq!(
            DecodedTx::decode(&unknown.encode_to_vec())
                .unwrap_err()
                .code,
            2
        );
        assert_eq!(
            DecodedTx::decode(&vec![0; MAX_TX_BYTES + 1])
                .unwrap_err()
                .code,
            21
        );
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_the_decoder(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let _ = DecodedTx::decode(&bytes);
        }
    }
}
