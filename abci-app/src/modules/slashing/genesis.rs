//! `app_state.slashing`, in and out, in the SDK's JSON.

use super::{keeper, params::Params, store};
use crate::{
    codec::json,
    ctx::Ctx,
    error::{AppError, Result},
    modules::staking,
    store::prefix_end,
};
use cosmos_sdk_proto::cosmos::slashing::v1beta1::{
    GenesisState, SigningInfo, ValidatorMissedBlocks, ValidatorSigningInfo,
};
use prost::Message;
use serde_json::Value;

const NAME: &str = "cosmos.slashing.v1beta1.GenesisState";

fn bad(detail: impl std::fmt::Display) -> AppError {
    AppError::invalid_request(format_args!("genesis: app_state.slashing: {detail}"))
}

/// Reads the module's genesis, after staking's. A chain with staking and without this has the SDK's parameters.
///
/// # Errors
/// sdk/18 with what is wrong.
pub fn import(ctx: &Ctx, app_state: &Value) -> Result<()> {
    if !staking::store::enabled(ctx) {
        return Ok(());
    }
    for v in staking::store::validators(ctx)? {
        keeper::keep_pub_key(ctx, &v)?;
    }
    let state = &app_state["slashing"];
    if state.is_null() {
        return store::set_params(ctx, &Params::default());
    }
    let bytes = json::read(NAME, state).map_err(bad)?;
    let genesis = GenesisState::decode(bytes.as_slice()).map_err(bad)?;
    read(ctx, genesis).map_err(|e| bad(e.log))
}

fn read(ctx: &Ctx, genesis: GenesisState) -> Result<()> {
    for info in genesis.signing_infos {
        let cons = store::cons(ctx, &info.address)?;
        let info = info.validator_signing_info.unwrap_or_default();
        store::set_info(ctx, &cons, &info)?;
    }
    for blocks in genesis.missed_blocks {
        let cons = store::cons(ctx, &blocks.address)?;
        for block in blocks.missed_blocks {
            let index = u64::try_from(block.index).map_err(bad)?;
            store::set_missed(ctx, &cons, index, block.missed)?;
        }
    }
    let params = genesis.params.unwrap_or_default();
    store::set_params(ctx, &Params::from_proto(&params)?)
}

/// Writes the module's genesis; null on a chain without staking.
///
/// # Errors
/// When the store is broken.
pub fn export(ctx: &Ctx) -> Result<Value> {
    if !staking::store::enabled(ctx) {
        return Ok(Value::Null);
    }
    let mut genesis = GenesisState {
        params: Some(store::params(ctx)?.to_proto()),
        ..GenesisState::default()
    };
    let prefix = [store::INFO];
    let infos = ctx.with_layers(|l| l.scan(store::STORE, &prefix, prefix_end(&prefix).as_deref()));
    for (key, value) in infos {
        // A prefix and a length stand before the address.
        let cons = key.get(2..).unwrap_or_default();
        let address = store::cons_name(ctx, cons)?;
        let info = ValidatorSigningInfo::decode(value.as_slice()).map_err(AppError::tx_decode)?;
        genesis.signing_infos.push(SigningInfo {
            address: address.clone(),
            validator_signing_info: Some(info),
        });
        genesis.missed_blocks.push(ValidatorMissedBlocks {
            address,
            missed_blocks: store::all_missed(ctx, cons)?,
        });
    }
    json::print(NAME, &genesis.encode_to_vec()).map_err(bad)
}
