//! `app_state.feegrant`, in the SDK's JSON.

use super::{
    allowance::Allowance,
    keeper::{self, ALLOWANCE, STORE},
};
use crate::{
    codec::json,
    ctx::Ctx,
    error::{AppError, Result},
    modules::auth::keeper::addr,
};
use cosmos_sdk_proto::cosmos::feegrant::v1beta1::GenesisState;
use prost::{Message, Name};
use serde_json::Value;

fn bad(detail: impl std::fmt::Display) -> AppError {
    AppError::invalid_request(format_args!("genesis: app_state.feegrant: {detail}"))
}

/// Reads the module's genesis.
///
/// # Errors
/// sdk/18 with what is wrong.
pub fn import(ctx: &Ctx, app_state: &Value) -> Result<()> {
    let state = &app_state["feegrant"];
    if state.is_null() {
        return Ok(());
    }
    let bytes = json::read(&GenesisState::full_name(), state).map_err(bad)?;
    let state = GenesisState::decode(bytes.as_slice()).map_err(bad)?;
    for grant in state.allowances {
        let (granter, grantee) = (addr(ctx, &grant.granter)?, addr(ctx, &grant.grantee)?);
        if granter == grantee {
            return Err(bad("cannot self-grant fee authorization"));
        }
        let allowance = Allowance::decode(grant.allowance.as_ref())?;
        allowance.check().map_err(|e| bad(e.log))?;
        keeper::grant(ctx, &granter, &grantee, &allowance)?;
    }
    Ok(())
}

/// Writes the module's genesis.
///
/// # Errors
/// sdk/2 when the store is broken.
pub fn export(ctx: &Ctx) -> Result<Value> {
    let pairs = ctx.with_layers(|l| l.scan(STORE, &[ALLOWANCE], Some(&[ALLOWANCE + 1])));
    let grants = pairs.iter().map(|(_, v)| Message::decode(v.as_slice()));
    let allowances = grants
        .collect::<Result<_, _>>()
        .map_err(AppError::tx_decode)?;
    let state = GenesisState { allowances };
    json::print(&GenesisState::full_name(), &state.encode_to_vec()).map_err(bad)
}
