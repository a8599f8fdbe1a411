//! A block of the RPC as the `cosmos.base.tendermint` service answers it.

use super::descriptors::pool;
use crate::codec::address;
use anyhow::{Context, Result};
use prost::Message;
use prost_reflect::{DynamicMessage, Value as Field};
use serde_json::Value;
use tendermint_proto::v0_38::types as raw;

/// Id and block of an RPC `block` answer.
///
/// # Errors
/// When it is no block.
pub fn parts(v: &Value) -> Result<(raw::BlockId, raw::Block)> {
    let id: tendermint::block::Id = serde_json::from_value(v["block_id"].clone()).context("id")?;
    let block: tendermint::Block = serde_json::from_value(v["block"].clone())?;
    Ok((id.into(), block.into()))
}

/// The encoded `GetLatestBlockResponse`, which `GetBlockByHeightResponse` is too, of an RPC `block` answer
/// on a chain with this Bech32 prefix.
///
/// # Errors
/// When it is no block.
pub fn response(v: &Value, prefix: &str) -> Result<Vec<u8>> {
    let (id, block) = parts(v)?;
    let header = block.header.as_ref().context("header")?;
    let proposer = header.proposer_address.clone();
    // The SDK's own block differs in one field: the proposer is text.
    let proposer = address::encode(&format!("{prefix}valcons"), &proposer)?;
    let mut sdk = block.clone();
    if let Some(header) = &mut sdk.header {
        header.proposer_address.clear();
    }
    let desc = pool()
        .get_message_by_name("cosmos.base.tendermint.v1beta1.GetLatestBlockResponse")
        .context("descriptor")?;
    let mut out = DynamicMessage::new(desc.clone());
    for (name, bytes) in [
        ("block_id", id.encode_to_vec()),
        ("block", block.encode_to_vec()),
        ("sdk_block", sdk.encode_to_vec()),
    ] {
        let field = desc.get_field_by_name(name).context(name)?;
        let kind = field.kind();
        let inner = kind.as_message().context(name)?;
        let mut message = DynamicMessage::decode(inner.clone(), bytes.as_slice())?;
        if name == "sdk_block"
            && let Some(Field::Message(header)) = message.get_field_by_name_mut("header")
        {
            header.set_field_by_name("proposer_address", Field::String(proposer.clone()));
        }
        out.set_field(&field, Field::Message(message));
    }
    Ok(prost_reflect::prost::Message::encode_to_vec(&out))
}
