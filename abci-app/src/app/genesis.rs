//! `app_state`: in, out, and what is wrong with it.

use super::App;
use crate::{
    ctx::{BlockInfo, Ctx, Mode},
    error::{AppError, Result},
    gas::GasMeter,
    modules::{auth, authz, bank, distribution, feegrant, hooks, mint, wasm::WasmModule},
    store::{Layers, kv::MemBase},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// The modules that a genesis may have state of.
const MODULES: [&str; 10] = [
    "auth",
    "authz",
    "bank",
    "consensus",
    "distribution",
    "feegrant",
    "genutil",
    "hooks",
    "mint",
    "wasm",
];

/// Reads a genesis into `ctx`, module by module.
///
/// # Errors
/// sdk/18 with the field that is wrong.
pub fn import(ctx: &Ctx, wasm: &WasmModule, app_state: &Value) -> Result<()> {
    check_modules(app_state)?;
    auth::genesis::import(ctx, app_state)?;
    bank::genesis::import(ctx, app_state)?;
    auth::keeper::ensure_account(ctx, &super::chain::fee_collector())?;
    distribution::genesis::import(ctx, app_state)?;
    mint::genesis::import(ctx, app_state)?;
    feegrant::genesis::import(ctx, app_state)?;
    authz::genesis::import(ctx, app_state)?;
    wasm.init_genesis(ctx, &app_state["wasm"])?;
    hooks::import(ctx, app_state)
}

/// A module that is not here must have no state: what it held would be lost.
fn check_modules(app_state: &Value) -> Result<()> {
    let modules = app_state.as_object().ok_or_else(|| {
        AppError::invalid_request("genesis: app_state: expected an object of modules")
    })?;
    for (name, state) in modules {
        if !MODULES.contains(&name.as_str()) && !is_empty(state) {
            return Err(AppError::invalid_request(format_args!(
                "genesis: app_state.{name}: expected one of {}, got a module that this chain does not have, with state",
                MODULES.join(", ")
            )));
        }
    }
    for name in ["distribution", "mint"] {
        if !app_state[name].is_null() && app_state["staking"].is_null() {
            return Err(AppError::invalid_request(format_args!(
                "genesis: app_state.{name}: expected app_state.staking beside it, got none"
            )));
        }
    }
    if app_state["genutil"]["gen_txs"]
        .as_array()
        .is_some_and(|t| !t.is_empty())
    {
        return Err(AppError::invalid_request(
            "genesis: app_state.genutil.gen_txs: expected none: this chain has no staking module yet",
        ));
    }
    Ok(())
}

/// Whether a module's state says nothing: parameters do not count.
fn is_empty(state: &Value) -> bool {
    match state {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.iter().all(|(k, v)| k == "params" || is_empty(v)),
    }
}

impl App {
    /// Whether a genesis would be taken.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn validate_genesis(app_state: &Value) -> Result<()> {
        check_modules(app_state)?;
        let layers = Layers::new(Arc::new(MemBase::default()));
        let block = BlockInfo {
            height: 0,
            time_ns: 0,
            chain_id: String::new(),
        };
        let ctx = Ctx::new(layers, GasMeter::new(u64::MAX), block, Mode::Deliver);
        auth::genesis::import(&ctx, app_state)?;
        bank::genesis::import(&ctx, app_state)?;
        distribution::genesis::import(&ctx, app_state)?;
        mint::genesis::import(&ctx, app_state)?;
        feegrant::genesis::import(&ctx, app_state)?;
        authz::genesis::import(&ctx, app_state)?;
        hooks::import(&ctx, app_state)
    }

    /// The committed state as `app_state`.
    ///
    /// # Errors
    /// When the store is broken.
    pub fn export(&self) -> Result<Value> {
        let ctx = self.read_ctx();
        ctx.swap_gas(GasMeter::new(u64::MAX));
        Ok(json!({
            "auth": auth::genesis::export(&ctx)?,
            "authz": authz::genesis::export(&ctx)?,
            "bank": bank::genesis::export(&ctx)?,
            "distribution": distribution::genesis::export(&ctx)?,
            "feegrant": feegrant::genesis::export(&ctx)?,
            "genutil": { "gen_txs": [] },
            "hooks": hooks::export(&ctx)?,
            "mint": mint::genesis::export(&ctx)?,
            "wasm": self.inner.wasm.export_genesis(&ctx)?,
        }))
    }
}
