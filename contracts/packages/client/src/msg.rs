//! Messages that every client needs, encoded.

use crate::{coin::Coin, error::Error, rpc::TxOutcome};
use cosmos_sdk_proto::{
    Any,
    cosmos::base::v1beta1::Coin as CoinProto,
    cosmwasm::wasm::v1::{MsgExecuteContract, MsgExecuteContractResponse},
};
use prost::Message;
use serde::Serialize;

/// A coin as messages carry it.
pub fn coin(coin: &Coin) -> CoinProto {
    CoinProto {
        denom: coin.denom.clone(),
        amount: coin.amount.to_string(),
    }
}

/// `MsgExecuteContract` with `msg` as JSON and `funds` sent along.
///
/// # Errors
/// When `msg` cannot be written as JSON.
pub fn execute(
    sender: &str,
    contract: &str,
    msg: &impl Serialize,
    funds: &[Coin],
) -> Result<Any, Error> {
    let execute = MsgExecuteContract {
        sender: sender.into(),
        contract: contract.into(),
        msg: serde_json::to_vec(msg).map_err(|e| Error::protocol("MsgExecuteContract", e))?,
        funds: funds.iter().map(coin).collect(),
    };
    Ok(Any {
        type_url: "/cosmwasm.wasm.v1.MsgExecuteContract".into(),
        value: execute.encode_to_vec(),
    })
}

/// What the contract answered to message number `index` of a transaction.
///
/// # Errors
/// When there is no such answer.
pub fn execute_answer(tx: &TxOutcome, index: usize) -> Result<Vec<u8>, Error> {
    let bytes = tx.msg_response(index)?;
    MsgExecuteContractResponse::decode(bytes.as_slice())
        .map(|r| r.data)
        .map_err(|e| Error::protocol("MsgExecuteContractResponse", e))
}
