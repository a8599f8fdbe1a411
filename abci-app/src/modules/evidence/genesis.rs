//! `app_state.evidence`, in and out, in the SDK's JSON.

use super::{
    keeper::{self, EQUIVOCATION, EVIDENCE, STORE},
    msg::check,
};
use crate::{
    codec::json,
    ctx::Ctx,
    error::{AppError, Result},
    modules::staking,
    store::prefix_end,
};
use cosmos_sdk_proto::{
    Any,
    cosmos::evidence::v1beta1::{Equivocation, GenesisState},
};
use prost::Message;
use serde_json::Value;

const NAME: &str = "cosmos.evidence.v1beta1.GenesisState";

fn bad(detail: impl std::fmt::Display) -> AppError {
    AppError::invalid_request(format_args!("genesis: app_state.evidence: {detail}"))
}

/// Reads the module's genesis.
///
/// # Errors
/// sdk/18 with what is wrong.
pub fn import(ctx: &Ctx, app_state: &Value) -> Result<()> {
    let state = &app_state["evidence"];
    if state.is_null() {
        return Ok(());
    }
    let bytes = json::read(NAME, state).map_err(bad)?;
    let genesis = GenesisState::decode(bytes.as_slice()).map_err(bad)?;
    for any in genesis.evidence {
        if any.type_url != EQUIVOCATION {
            return Err(bad(format_args!(
                "expected {EQUIVOCATION}, got {}",
                any.type_url
            )));
        }
        let proof = Equivocation::decode(any.value.as_slice()).map_err(bad)?;
        check(&proof).map_err(bad)?;
        let hash = keeper::hash(&proof);
        if keeper::get(ctx, &hash)?.is_some() {
            return Err(bad(format_args!(
                "evidence with hash {} already exists",
                hex::encode_upper(hash)
            )));
        }
        keeper::set(ctx, &proof)?;
    }
    Ok(())
}

/// Writes the module's genesis; null on a chain without staking.
///
/// # Errors
/// When the store is broken.
pub fn export(ctx: &Ctx) -> Result<Value> {
    if !staking::store::enabled(ctx) {
        return Ok(Value::Null);
    }
    let prefix = [EVIDENCE];
    let pairs = ctx.with_layers(|l| l.scan(STORE, &prefix, prefix_end(&prefix).as_deref()));
    let evidence = pairs
        .iter()
        .map(|(_, v)| Any::decode(v.as_slice()).map_err(AppError::tx_decode))
        .collect::<Result<_>>()?;
    json::print(NAME, &GenesisState { evidence }.encode_to_vec()).map_err(bad)
}
