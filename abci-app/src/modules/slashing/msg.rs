//! `cosmos.slashing.v1beta1.Msg`.

use super::{keeper, params::Params, store};
use crate::{
    codec::{self, address, strict},
    ctx::Ctx,
    error::{AppError, Result},
    modules::{auth::keeper::check_gov, stakes, staking::hooks::Hooks},
};
use cosmos_sdk_proto::cosmos::slashing::v1beta1::{
    MsgUnjail, MsgUnjailResponse, MsgUpdateParams, MsgUpdateParamsResponse,
};
use prost::{Message, Name};

const UNJAIL: &str = "/cosmos.slashing.v1beta1.MsgUnjail";
const UPDATE_PARAMS: &str = "/cosmos.slashing.v1beta1.MsgUpdateParams";

/// Who must sign a message; `None` when it is not of this module.
///
/// # Errors
/// sdk/2; sdk/7 for a validator that is no address.
pub fn signers(type_url: &str, value: &[u8]) -> Option<Result<Vec<String>>> {
    let signer = match type_url {
        UNJAIL => strict::<MsgUnjail>("MsgUnjail", value)
            .and_then(|m| address::of_operator(&m.validator_addr)),
        UPDATE_PARAMS => strict::<MsgUpdateParams>("MsgUpdateParams", value).map(|m| m.authority),
        _ => return None,
    };
    Some(signer.map(|s| vec![s]))
}

/// Executes a message: the response's type URL and bytes; `None` when it is not of this module.
///
/// # Errors
/// Those of the keeper; sdk/37 on a chain without staking.
pub fn handle(
    ctx: &Ctx,
    hooks: &dyn Hooks,
    type_url: &str,
    value: &[u8],
) -> Option<Result<(String, Vec<u8>)>> {
    Some(match type_url {
        UNJAIL => unjail(ctx, hooks, value),
        UPDATE_PARAMS => update_params(ctx, value),
        _ => return None,
    })
}

fn response<M: Message + Name>(m: &M) -> Result<(String, Vec<u8>)> {
    Ok(codec::response(m))
}

fn unjail(ctx: &Ctx, hooks: &dyn Hooks, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgUnjail = strict("MsgUnjail", value)?;
    store::params(ctx)?;
    let operator = stakes::operator(ctx, &m.validator_addr).map_err(|e| {
        AppError::invalid_address(format_args!("validator input address: {}", e.log))
    })?;
    keeper::unjail(ctx, hooks, &operator)?;
    response(&MsgUnjailResponse {})
}

fn update_params(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgUpdateParams = strict("MsgUpdateParams", value)?;
    store::params(ctx)?;
    check_gov(ctx, &m.authority)?;
    store::set_params(ctx, &Params::from_proto(&m.params.unwrap_or_default())?)?;
    response(&MsgUpdateParamsResponse {})
}
