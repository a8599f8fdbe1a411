//! Which denoms messages may send: the parameters, `0x05 -> Params`, and what is said of a denom, `0x04 denom -> 0 or 1`.

use crate::{
    ctx::Ctx,
    error::{AppError, Result},
    store::StoreKey,
};
use cosmos_sdk_proto::cosmos::bank::v1beta1::Params;
use prost::Message;

const STORE: StoreKey = StoreKey::Bank;
const PARAMS: &[u8] = &[0x05];
const ENABLED: u8 = 0x04;

/// What precedes the denoms of which something is said.
pub(super) const ALL_ENABLED: [u8; 1] = [ENABLED];

fn key(denom: &str) -> Vec<u8> {
    [&[ENABLED], denom.as_bytes()].concat()
}

/// The parameters; where a genesis said nothing, every denom may be sent.
///
/// # Errors
/// sdk/11; sdk/2 when the store holds something else: a broken node.
#[allow(deprecated, reason = "the field is part of the message")]
pub fn params(ctx: &Ctx) -> Result<Params> {
    ctx.get(STORE, PARAMS)?.map_or_else(
        || {
            Ok(Params {
                send_enabled: Vec::new(),
                default_send_enabled: true,
            })
        },
        |bytes| Params::decode(bytes.as_slice()).map_err(AppError::tx_decode),
    )
}

/// Set the parameters.
///
/// # Errors
/// undefined/1 for a list of denoms, which has no place there any more; sdk/11.
#[allow(deprecated, reason = "the field is part of the message")]
pub fn set_params(ctx: &Ctx, params: &Params) -> Result<()> {
    if !params.send_enabled.is_empty() {
        let log = "use of send_enabled in params is no longer supported";
        return Err(AppError::new("undefined", 1, log));
    }
    ctx.set(STORE, PARAMS, params.encode_to_vec())
}

/// What a value of [`ALL_ENABLED`] says.
pub(super) fn flag(value: &[u8]) -> bool {
    value == [1]
}

/// What is said of a denom; `None`: the default counts.
///
/// # Errors
/// sdk/11.
pub fn of(ctx: &Ctx, denom: &str) -> Result<Option<bool>> {
    if !ctx.has(STORE, &key(denom))? {
        return Ok(None);
    }
    Ok(ctx.get(STORE, &key(denom))?.map(|v| flag(&v)))
}

/// Say something of a denom.
///
/// # Errors
/// sdk/11.
pub fn set(ctx: &Ctx, denom: &str, enabled: bool) -> Result<()> {
    ctx.set(STORE, &key(denom), vec![u8::from(enabled)])
}

/// Say nothing of a denom.
///
/// # Errors
/// sdk/11.
pub fn unset(ctx: &Ctx, denom: &str) -> Result<()> {
    ctx.remove(STORE, &key(denom))
}

/// Whether messages may send these coins (`IsSendEnabledCoins`). What modules move is not asked.
///
/// # Errors
/// bank/5 with the first that may not be sent; sdk/11.
pub fn check(ctx: &Ctx, coins: &[(String, u128)]) -> Result<()> {
    if coins.is_empty() {
        return Ok(());
    }
    let default = params(ctx)?.default_send_enabled;
    for (denom, _) in coins {
        if !of(ctx, denom)?.unwrap_or(default) {
            let log =
                format!("{denom} transfers are currently disabled: send transactions are disabled");
            return Err(AppError::new("bank", 5, log));
        }
    }
    Ok(())
}
