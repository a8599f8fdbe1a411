//! `cosmos.bank.v1beta1.Msg`.

use super::{enabled, keeper};
use crate::{
    codec::{coins, response, strict},
    ctx::Ctx,
    error::{AppError, Result},
    modules::auth::keeper::{addr, check_gov},
};
use cosmos_sdk_proto::cosmos::bank::v1beta1::{
    MsgMultiSend, MsgMultiSendResponse, MsgSend, MsgSendResponse, MsgSetSendEnabled,
    MsgSetSendEnabledResponse, MsgUpdateParams, MsgUpdateParamsResponse,
};
use std::collections::BTreeSet;

/// `MsgSend`.
pub const SEND: &str = "/cosmos.bank.v1beta1.MsgSend";
/// `MsgMultiSend`.
pub const MULTI_SEND: &str = "/cosmos.bank.v1beta1.MsgMultiSend";
/// `MsgUpdateParams`.
pub const UPDATE_PARAMS: &str = "/cosmos.bank.v1beta1.MsgUpdateParams";
/// `MsgSetSendEnabled`.
pub const SET_SEND_ENABLED: &str = "/cosmos.bank.v1beta1.MsgSetSendEnabled";

/// Who must sign a message; `None` when it is not of this module.
///
/// # Errors
/// sdk/2.
pub fn signers(type_url: &str, value: &[u8]) -> Option<Result<Vec<String>>> {
    Some(match type_url {
        SEND => strict::<MsgSend>("MsgSend", value).map(|m| vec![m.from_address]),
        MULTI_SEND => strict::<MsgMultiSend>("MsgMultiSend", value)
            .map(|m| m.inputs.into_iter().map(|i| i.address).collect()),
        UPDATE_PARAMS => {
            strict::<MsgUpdateParams>("MsgUpdateParams", value).map(|m| vec![m.authority])
        }
        SET_SEND_ENABLED => {
            strict::<MsgSetSendEnabled>("MsgSetSendEnabled", value).map(|m| vec![m.authority])
        }
        _ => return None,
    })
}

/// Executes a message: the response's type URL and bytes; `None` when it is not of this module.
///
/// # Errors
/// Those of the keeper.
pub fn handle(ctx: &Ctx, type_url: &str, value: &[u8]) -> Option<Result<(String, Vec<u8>)>> {
    Some(match type_url {
        SEND => send(ctx, value),
        MULTI_SEND => multi_send(ctx, value),
        UPDATE_PARAMS => update_params(ctx, value),
        SET_SEND_ENABLED => set_send_enabled(ctx, value),
        _ => return None,
    })
}

fn amount(coins: &[cosmos_sdk_proto::cosmos::base::v1beta1::Coin]) -> Result<coins::Coins> {
    let coins = coins::check(coins)?;
    if coins.is_empty() {
        return Err(AppError::invalid_coins("expected coins, got none"));
    }
    Ok(coins)
}

fn send(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgSend = strict("MsgSend", value)?;
    let (from, to) = (addr(ctx, &m.from_address)?, addr(ctx, &m.to_address)?);
    let amount = amount(&m.amount)?;
    enabled::check(ctx, &amount)?;
    keeper::check_recipient(ctx, &to)?;
    keeper::send(ctx, &from, &to, &amount)?;
    Ok(response(&MsgSendResponse {}))
}

fn multi_send(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgMultiSend = strict("MsgMultiSend", value)?;
    let [input] = m.inputs.as_slice() else {
        return Err(AppError::invalid_request(format_args!(
            "expected one input, got {}: multiple senders not allowed",
            m.inputs.len()
        )));
    };
    let from = addr(ctx, &input.address)?;
    let mut left = amount(&input.coins)?;
    let sent = left.clone();
    let overdrawn = || AppError::invalid_coins("sum inputs != sum outputs");
    let mut moves = Vec::new();
    for output in &m.outputs {
        let coins = amount(&output.coins)?;
        for (denom, amount) in &coins {
            let slot = left
                .iter_mut()
                .find(|(d, _)| d == denom)
                .ok_or_else(overdrawn)?;
            slot.1 = slot.1.checked_sub(*amount).ok_or_else(overdrawn)?;
        }
        moves.push((addr(ctx, &output.address)?, coins));
    }
    if left.iter().any(|(_, amount)| *amount != 0) {
        return Err(overdrawn());
    }
    enabled::check(ctx, &sent)?;
    for (to, _) in &moves {
        keeper::check_recipient(ctx, to)?;
    }
    for (to, coins) in moves {
        keeper::send(ctx, &from, &to, &coins)?;
    }
    Ok(response(&MsgMultiSendResponse {}))
}

fn update_params(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgUpdateParams = strict("MsgUpdateParams", value)?;
    check_gov(ctx, &m.authority)?;
    enabled::set_params(ctx, &m.params.unwrap_or_default())?;
    Ok(response(&MsgUpdateParamsResponse {}))
}

fn set_send_enabled(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgSetSendEnabled = strict("MsgSetSendEnabled", value)?;
    check_gov(ctx, &m.authority)?;
    let denom_of = |what: &str, denom: &str| {
        coins::check_denom(denom).map_err(|_| {
            AppError::invalid_request(format_args!(
                "invalid {what} denom {denom:?}: invalid denom: {denom}"
            ))
        })
    };
    let mut seen = BTreeSet::new();
    for entry in &m.send_enabled {
        if !seen.insert(&entry.denom) {
            return Err(AppError::invalid_request(format_args!(
                "duplicate denom entries found for {:?}",
                entry.denom
            )));
        }
        denom_of("SendEnabled", &entry.denom)?;
    }
    for denom in &m.use_default_for {
        denom_of("UseDefaultFor", denom)?;
    }
    for entry in &m.send_enabled {
        enabled::set(ctx, &entry.denom, entry.enabled)?;
    }
    for denom in &m.use_default_for {
        enabled::unset(ctx, denom)?;
    }
    Ok(response(&MsgSetSendEnabledResponse {}))
}
