//! `cosmos.mint.v1beta1.Msg`.

use super::{keeper, params::Params};
use crate::{
    codec::{response, strict},
    ctx::Ctx,
    error::{AppError, Result},
    modules::auth::keeper::check_gov,
};
use cosmos_sdk_proto::cosmos::mint::v1beta1::{MsgUpdateParams, MsgUpdateParamsResponse};

/// `MsgUpdateParams`.
pub const UPDATE_PARAMS: &str = "/cosmos.mint.v1beta1.MsgUpdateParams";

/// Who must sign a message; `None` when it is not of this module.
///
/// # Errors
/// sdk/2.
pub fn signers(type_url: &str, value: &[u8]) -> Option<Result<Vec<String>>> {
    (type_url == UPDATE_PARAMS)
        .then(|| strict::<MsgUpdateParams>("MsgUpdateParams", value).map(|m| vec![m.authority]))
}

/// Executes a message: the response's type URL and bytes; `None` when it is not of this module.
///
/// # Errors
/// Those of the parameters; gov/13 when the sender is not the gov module.
pub fn handle(ctx: &Ctx, type_url: &str, value: &[u8]) -> Option<Result<(String, Vec<u8>)>> {
    (type_url == UPDATE_PARAMS).then(|| update_params(ctx, value))
}

fn update_params(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgUpdateParams = strict("MsgUpdateParams", value)?;
    check_gov(ctx, &m.authority)?;
    if keeper::minter(ctx)?.is_none() {
        return Err(AppError::not_supported(
            "mint: this chain has no inflation: expected app_state.mint in its genesis",
        ));
    }
    let params = Params::from_proto(m.params.unwrap_or_default())?;
    params.check()?;
    keeper::set_params(ctx, &params)?;
    Ok(response(&MsgUpdateParamsResponse {}))
}
