//! `cosmos.auth.v1beta1.Msg`.

use super::keeper;
use crate::{
    codec::{address, response, strict},
    ctx::Ctx,
    error::{AppError, Result},
};
use cosmos_sdk_proto::cosmos::auth::v1beta1::{MsgUpdateParams, MsgUpdateParamsResponse};

const UPDATE_PARAMS: &str = "/cosmos.auth.v1beta1.MsgUpdateParams";

/// Who must sign a message; `None` when it is not of this module.
///
/// # Errors
/// sdk/2.
pub fn signers(type_url: &str, value: &[u8]) -> Option<Result<Vec<String>>> {
    (type_url == UPDATE_PARAMS)
        .then(|| strict::<MsgUpdateParams>("MsgUpdateParams", value).map(|m| vec![m.authority]))
}

/// Executes a message: the response's type URL and bytes; `None` when it is not of this module. Only the gov module
/// may send it.
///
/// # Errors
/// undefined/1 for another sender, sdk/18 for a parameter that is not in its range.
pub fn handle(ctx: &Ctx, type_url: &str, value: &[u8]) -> Option<Result<(String, Vec<u8>)>> {
    (type_url == UPDATE_PARAMS).then(|| update_params(ctx, value))
}

fn update_params(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgUpdateParams = strict("MsgUpdateParams", value)?;
    let authority = keeper::human(ctx, &address::module("gov"))?;
    if m.authority != authority {
        let log = format!(
            "expected gov account as only signer for proposal message; invalid authority; expected {authority}, got {}",
            m.authority
        );
        return Err(AppError::new("undefined", 1, log));
    }
    keeper::set_params(ctx, &m.params.unwrap_or_default())?;
    Ok(response(&MsgUpdateParamsResponse {}))
}
