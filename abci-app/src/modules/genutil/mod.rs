//! Transactions of a genesis (`app_state.genutil.gen_txs`): the first validators' `MsgCreateValidator`, signed with
//! account number 0 for the chain's id, executed in order at InitChain.

use crate::{
    codec::{
        json,
        tx::{DecodedTx, encode_tx},
    },
    error::{AppError, Result},
};
use cosmos_sdk_proto::cosmos::tx::v1beta1::Tx;
use prost::Message;
use serde_json::Value;

/// The only message of a transaction of a genesis.
pub const CREATE_VALIDATOR: &str = "/cosmos.staking.v1beta1.MsgCreateValidator";

fn bad(index: usize, detail: impl std::fmt::Display) -> AppError {
    AppError::invalid_request(format_args!(
        "genesis: app_state.genutil.gen_txs[{index}]: {detail}"
    ))
}

/// A transaction in the SDK's JSON as a node executes it.
///
/// # Errors
/// What is wrong with it.
pub fn decode(tx: &Value) -> std::result::Result<DecodedTx, String> {
    let bytes = json::read("cosmos.tx.v1beta1.Tx", tx)?;
    let tx = Tx::decode(bytes.as_slice()).map_err(|e| e.to_string())?;
    DecodedTx::decode(&encode_tx(&tx)).map_err(|e| e.log)
}

/// The transactions of a genesis, in order.
///
/// # Errors
/// sdk/18 with the one that is not a transaction of one `MsgCreateValidator`.
pub fn gen_txs(app_state: &Value) -> Result<Vec<DecodedTx>> {
    let list = match &app_state["genutil"]["gen_txs"] {
        Value::Null => return Ok(Vec::new()),
        Value::Array(list) => list,
        _ => {
            return Err(AppError::invalid_request(
                "genesis: app_state.genutil.gen_txs: expected a list",
            ));
        }
    };
    let mut out = Vec::new();
    for (i, tx) in list.iter().enumerate() {
        let tx = decode(tx).map_err(|e| bad(i, e))?;
        match tx.messages() {
            [one] if one.type_url == CREATE_VALIDATOR => out.push(tx),
            other => {
                return Err(bad(
                    i,
                    format_args!(
                        "expected one message MsgCreateValidator, got {} messages",
                        other.len()
                    ),
                ));
            }
        }
    }
    if !out.is_empty() && app_state["staking"].is_null() {
        return Err(AppError::invalid_request(
            "genesis: app_state.genutil.gen_txs: expected app_state.staking beside them, got none",
        ));
    }
    Ok(out)
}
