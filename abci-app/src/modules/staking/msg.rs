//! `cosmos.staking.v1beta1.Msg`.

use super::{edit, hooks::Hooks, keeper::Keeper, params::Params, store, validator::timestamp};
use crate::{
    codec::{address, coins, strict, times},
    ctx::{Ctx, Event},
    error::{AppError, Result},
    modules::{
        auth::keeper::{addr, check_gov},
        stakes,
    },
};
use cosmos_sdk_proto::cosmos::{
    base::v1beta1::Coin,
    staking::v1beta1::{
        MsgBeginRedelegate, MsgBeginRedelegateResponse, MsgCancelUnbondingDelegation,
        MsgCancelUnbondingDelegationResponse, MsgCreateValidator, MsgDelegate, MsgDelegateResponse,
        MsgEditValidator, MsgUndelegate, MsgUndelegateResponse, MsgUpdateParams,
        MsgUpdateParamsResponse,
    },
};
use prost::{Message, Name};
use tendermint_proto::google::protobuf::Timestamp;

/// The type URLs of this module's messages start so.
pub const PREFIX: &str = "/cosmos.staking.v1beta1.";

/// Go's zero time: nothing is at stake any more.
const ZERO_TIME: Timestamp = Timestamp {
    seconds: -62_135_596_800,
    nanos: 0,
};

/// Who must sign a message; `None` when it is not of this module.
///
/// # Errors
/// sdk/2; sdk/7 for a validator that is no address.
pub fn signers(type_url: &str, value: &[u8]) -> Option<Result<Vec<String>>> {
    let name = type_url.strip_prefix(PREFIX)?;
    let signer = match name {
        "MsgCreateValidator" => strict(name, value)
            .and_then(|m: MsgCreateValidator| address::of_operator(&m.validator_address)),
        "MsgEditValidator" => strict(name, value)
            .and_then(|m: MsgEditValidator| address::of_operator(&m.validator_address)),
        "MsgDelegate" => strict(name, value).map(|m: MsgDelegate| m.delegator_address),
        "MsgUndelegate" => strict(name, value).map(|m: MsgUndelegate| m.delegator_address),
        "MsgBeginRedelegate" => {
            strict(name, value).map(|m: MsgBeginRedelegate| m.delegator_address)
        }
        "MsgCancelUnbondingDelegation" => {
            strict(name, value).map(|m: MsgCancelUnbondingDelegation| m.delegator_address)
        }
        "MsgUpdateParams" => strict(name, value).map(|m: MsgUpdateParams| m.authority),
        _ => return None,
    };
    Some(signer.map(|s| vec![s]))
}

/// Executes a message: the response's type URL and bytes; `None` when it is not of this module. Hooks hear of what it
/// does.
///
/// # Errors
/// Those of the keeper; sdk/37 on a chain without the module.
pub fn handle(
    ctx: &Ctx,
    hooks: &dyn Hooks,
    type_url: &str,
    value: &[u8],
) -> Option<Result<(String, Vec<u8>)>> {
    let run = match type_url.strip_prefix(PREFIX)? {
        "MsgCreateValidator" => edit::create,
        "MsgEditValidator" => edit::edit,
        "MsgDelegate" => delegate,
        "MsgUndelegate" => undelegate,
        "MsgBeginRedelegate" => redelegate,
        "MsgCancelUnbondingDelegation" => cancel,
        "MsgUpdateParams" => update_params,
        _ => return None,
    };
    let keeper = Keeper { ctx, hooks };
    Some(store::params(ctx).and_then(|params| run(&keeper, &params, value)))
}

pub(super) type Response = Result<(String, Vec<u8>)>;

pub(super) fn response<M: Message + Name>(m: &M) -> Response {
    Ok(crate::codec::response(m))
}

/// The validator of a text.
pub(super) fn operator(ctx: &Ctx, whose: &str, text: &str) -> Result<Vec<u8>> {
    stakes::operator(ctx, text)
        .map_err(|e| AppError::invalid_address(format_args!("invalid {whose} address: {}", e.log)))
}

fn delegator(ctx: &Ctx, text: &str) -> Result<Vec<u8>> {
    addr(ctx, text).map_err(|e| {
        AppError::invalid_address(format_args!("invalid delegator address: {}", e.log))
    })
}

/// A coin of more than nothing.
pub(super) fn positive(coin: Option<Coin>, what: &str) -> Result<(String, u128)> {
    let wrong = |_| AppError::invalid_request(what);
    let coin = coin.unwrap_or_default();
    let mut coins = coins::check(&[coin]).map_err(wrong)?;
    coins.pop().ok_or_else(|| AppError::invalid_request(what))
}

/// Whether it is the staking coin.
pub(super) fn check_denom(params: &Params, denom: &str) -> Result<()> {
    if denom == params.bond_denom {
        return Ok(());
    }
    Err(AppError::invalid_request(format_args!(
        "invalid coin denomination: got {denom}, expected {}",
        params.bond_denom
    )))
}

fn text(coin: &(String, u128)) -> String {
    coins::display(std::slice::from_ref(coin))
}

fn delegate(k: &Keeper<'_>, params: &Params, value: &[u8]) -> Response {
    let m: MsgDelegate = strict("MsgDelegate", value)?;
    let to = operator(k.ctx, "validator", &m.validator_address)?;
    let from = delegator(k.ctx, &m.delegator_address)?;
    let coin = positive(m.amount, "invalid delegation amount")?;
    let mut v = store::validator(k.ctx, &to)?;
    check_denom(params, &coin.0)?;
    let shares = k.delegate(&from, coin.1, super::delegate::From::Account, &mut v)?;
    k.ctx.emit(
        Event::new("delegate")
            .attr("validator", m.validator_address)
            .attr("delegator", m.delegator_address)
            .attr("amount", text(&coin))
            .attr("new_shares", shares.to_string()),
    );
    response(&MsgDelegateResponse {})
}

fn undelegate(k: &Keeper<'_>, params: &Params, value: &[u8]) -> Response {
    let m: MsgUndelegate = strict("MsgUndelegate", value)?;
    let from = operator(k.ctx, "validator", &m.validator_address)?;
    let who = delegator(k.ctx, &m.delegator_address)?;
    let (denom, amount) = positive(m.amount, "invalid shares amount")?;
    let shares = k.shares_to_take(&who, &from, amount)?;
    check_denom(params, &denom)?;
    let (due, tokens) = k.undelegate(&who, &from, &shares)?;
    let coin = (denom, tokens);
    k.ctx.emit(
        Event::new("unbond")
            .attr("validator", m.validator_address)
            .attr("delegator", m.delegator_address)
            .attr("amount", text(&coin))
            .attr("completion_time", times::rfc3339(i128::from(due))),
    );
    response(&MsgUndelegateResponse {
        completion_time: Some(timestamp(due)),
        amount: Some(Coin {
            denom: coin.0,
            amount: tokens.to_string(),
        }),
    })
}

fn redelegate(k: &Keeper<'_>, params: &Params, value: &[u8]) -> Response {
    let m: MsgBeginRedelegate = strict("MsgBeginRedelegate", value)?;
    let from = operator(k.ctx, "source validator", &m.validator_src_address)?;
    let to = operator(k.ctx, "destination validator", &m.validator_dst_address)?;
    let who = delegator(k.ctx, &m.delegator_address)?;
    let coin = positive(m.amount, "invalid shares amount")?;
    let shares = k.shares_to_take(&who, &from, coin.1)?;
    check_denom(params, &coin.0)?;
    let due = match k.redelegate(&who, &from, &to, &shares)? {
        0 => ZERO_TIME,
        due => timestamp(due),
    };
    k.ctx.emit(
        Event::new("redelegate")
            .attr("source_validator", m.validator_src_address)
            .attr("destination_validator", m.validator_dst_address)
            .attr("amount", text(&coin))
            .attr("completion_time", times::rfc3339(times::nanos(&due))),
    );
    response(&MsgBeginRedelegateResponse {
        completion_time: Some(due),
    })
}

fn cancel(k: &Keeper<'_>, params: &Params, value: &[u8]) -> Response {
    let m: MsgCancelUnbondingDelegation = strict("MsgCancelUnbondingDelegation", value)?;
    let to = operator(k.ctx, "validator", &m.validator_address)?;
    let who = delegator(k.ctx, &m.delegator_address)?;
    let coin = positive(m.amount, "invalid amount")?;
    if m.creation_height <= 0 {
        return Err(AppError::invalid_request("invalid height"));
    }
    check_denom(params, &coin.0)?;
    k.cancel(&who, &to, coin.1, m.creation_height)?;
    k.ctx.emit(
        Event::new("cancel_unbonding_delegation")
            .attr("amount", text(&coin))
            .attr("validator", m.validator_address)
            .attr("delegator", m.delegator_address)
            .attr("creation_height", m.creation_height.to_string()),
    );
    response(&MsgCancelUnbondingDelegationResponse {})
}

fn update_params(k: &Keeper<'_>, _: &Params, value: &[u8]) -> Response {
    let m: MsgUpdateParams = strict("MsgUpdateParams", value)?;
    check_gov(k.ctx, &m.authority)?;
    let params = Params::from_proto(&m.params.unwrap_or_default())?;
    params.check()?;
    store::set_params(k.ctx, &params)?;
    response(&MsgUpdateParamsResponse {})
}
