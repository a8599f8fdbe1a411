//! `app_state.mint`, in the SDK's JSON.

use super::{
    keeper,
    params::{Minter, Params},
};
use crate::{
    ctx::Ctx,
    error::{AppError, Result},
    modules::auth,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Genesis {
    minter: Minter,
    params: Params,
}

fn bad(detail: impl std::fmt::Display) -> AppError {
    AppError::invalid_request(format_args!("genesis: app_state.mint: {detail}"))
}

/// Reads the module's genesis. Without one there is no inflation.
///
/// # Errors
/// sdk/18 with what is wrong.
pub fn import(ctx: &Ctx, app_state: &Value) -> Result<()> {
    let state = &app_state["mint"];
    if state.is_null() {
        return Ok(());
    }
    let genesis = Genesis::deserialize(state).map_err(bad)?;
    genesis.params.check().map_err(|e| bad(e.log))?;
    if genesis.minter.inflation.is_negative() {
        return Err(bad(format_args!(
            "mint parameter Inflation should be positive, is {}",
            genesis.minter.inflation
        )));
    }
    keeper::set_minter(ctx, &genesis.minter)?;
    keeper::set_params(ctx, &genesis.params)?;
    auth::keeper::ensure_account(ctx, &keeper::account()).map(drop)
}

/// Writes the module's genesis; null without inflation.
///
/// # Errors
/// When the store is broken.
pub fn export(ctx: &Ctx) -> Result<Value> {
    let (Some(minter), Some(params)) = (keeper::minter(ctx)?, keeper::params(ctx)?) else {
        return Ok(Value::Null);
    };
    serde_json::to_value(Genesis { minter, params }).map_err(bad)
}
