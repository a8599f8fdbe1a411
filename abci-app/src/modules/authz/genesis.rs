//! `app_state.authz`, in the SDK's JSON.

use super::{
    authorization::Authorization,
    keeper::{self, STORE},
    keys, query,
};
use crate::{
    codec::{json, times},
    ctx::Ctx,
    error::{AppError, Result},
    modules::auth::keeper::addr,
};
use cosmos_sdk_proto::cosmos::authz::v1beta1::GenesisState;
use prost::{Message, Name};
use serde_json::Value;

fn bad(detail: impl std::fmt::Display) -> AppError {
    AppError::invalid_request(format_args!("genesis: app_state.authz: {detail}"))
}

/// Reads the module's genesis. Grants that have ended are left out.
///
/// # Errors
/// sdk/18 with what is wrong.
pub fn import(ctx: &Ctx, app_state: &Value) -> Result<()> {
    let state = &app_state["authz"];
    if state.is_null() {
        return Ok(());
    }
    let bytes = json::read(&GenesisState::full_name(), state).map_err(bad)?;
    let state = GenesisState::decode(bytes.as_slice()).map_err(bad)?;
    let now = i128::from(ctx.block.time_ns);
    for grant in state.authorization {
        let ends = grant.expiration.as_ref().map(times::nanos);
        if ends.is_some_and(|ends| ends <= now) {
            continue;
        }
        let (granter, grantee) = (addr(ctx, &grant.granter)?, addr(ctx, &grant.grantee)?);
        let authorization = Authorization::decode(grant.authorization.as_ref())?;
        authorization.check(ctx).map_err(|e| bad(e.log))?;
        keeper::save(ctx, &granter, &grantee, &authorization, ends)?;
    }
    Ok(())
}

/// Writes the module's genesis.
///
/// # Errors
/// sdk/2 when the store is broken.
pub fn export(ctx: &Ctx) -> Result<Value> {
    let pairs = ctx.with_layers(|l| l.scan(STORE, &[keys::GRANT], Some(&[keys::GRANT + 1])));
    let grants = pairs
        .iter()
        .map(|(k, v)| query::with_parties(ctx, &k[1..], v));
    let authorization = grants.collect::<Result<_>>()?;
    let state = GenesisState { authorization };
    json::print(&GenesisState::full_name(), &state.encode_to_vec()).map_err(bad)
}
