//! `app_state`: in, out, and what is wrong with it.

use super::{App, router::Modules, told::Told};
use crate::{
    ctx::{BlockInfo, Ctx, Mode},
    error::{AppError, Result},
    gas::GasMeter,
    modules::{
        auth, authz, bank, distribution, evidence, feegrant, genutil, gov, hooks, mint, slashing,
        staking::{self, keeper::Keeper},
        wasm::WasmModule,
    },
    store::{Layers, kv::MemBase},
    tx::{ante::Ante, run, sigs::Verified},
};
use serde_json::{Value, json};
use std::sync::Arc;
use tendermint_proto::v0_38::abci::ValidatorUpdate;

/// The modules that a genesis may have state of.
const MODULES: [&str; 15] = [
    "auth",
    "authz",
    "bank",
    "consensus",
    "distribution",
    "evidence",
    "feegrant",
    "genutil",
    "gov",
    "hooks",
    "mint",
    "slashing",
    "staking",
    "upgrade",
    "wasm",
];

/// Reads a genesis into `ctx`, module by module, in the SDK's order: the validator set that it makes, empty when it has
/// no staking.
///
/// # Errors
/// sdk/18 with the field that is wrong.
pub fn import(ctx: &Ctx, wasm: &WasmModule, app_state: &Value) -> Result<Vec<ValidatorUpdate>> {
    check_modules(app_state)?;
    auth::genesis::import(ctx, app_state)?;
    bank::genesis::import(ctx, app_state)?;
    auth::keeper::ensure_account(ctx, &super::chain::fee_collector())?;
    distribution::genesis::import(ctx, app_state)?;
    let mut validators = staking::genesis::import(ctx, &Told, app_state)?;
    slashing::genesis::import(ctx, app_state)?;
    gov::genesis::import(ctx, app_state)?;
    mint::genesis::import(ctx, app_state)?;
    validators = merge(validators, deliver(ctx, wasm, app_state)?);
    evidence::genesis::import(ctx, app_state)?;
    feegrant::genesis::import(ctx, app_state)?;
    authz::genesis::import(ctx, app_state)?;
    wasm.init_genesis(ctx, &app_state["wasm"])?;
    hooks::import(ctx, app_state)?;
    Ok(validators)
}

/// Executes the transactions of a genesis; what they make of the validator set.
fn deliver(ctx: &Ctx, wasm: &WasmModule, app_state: &Value) -> Result<Vec<ValidatorUpdate>> {
    let txs = genutil::gen_txs(app_state)?;
    if txs.is_empty() {
        return Ok(Vec::new());
    }
    let ante = Ante {
        min_gas_prices: &[],
        verified: &Verified::default(),
        max_block_gas: None,
    };
    for (i, tx) in txs.iter().enumerate() {
        if let Some(e) = run::run(ctx, tx, &Modules { wasm }, &ante).error {
            let log = format!("genesis: app_state.genutil.gen_txs[{i}]: {}", e.log);
            return Err(AppError { log, ..e });
        }
    }
    Keeper { ctx, hooks: &Told }.update_set()
}

/// The later updates of the same keys win.
fn merge(first: Vec<ValidatorUpdate>, later: Vec<ValidatorUpdate>) -> Vec<ValidatorUpdate> {
    let mut all = first;
    all.retain(|u| later.iter().all(|l| l.pub_key != u.pub_key));
    all.extend(later);
    all.retain(|u| u.power > 0);
    all
}

/// Whether the set that the modules made of a genesis is the one that its document says. A document without
/// validators leaves it to the modules; a chain without staking leaves it to the document.
///
/// # Errors
/// sdk/18 when they differ, or nobody makes the first block.
pub fn check_set(
    app_state: &Value,
    stated: &[ValidatorUpdate],
    made: &[ValidatorUpdate],
) -> Result<()> {
    if made.is_empty() {
        return if !app_state["staking"].is_null() && stated.is_empty() {
            Err(AppError::invalid_request(
                "validator set is empty after InitGenesis, please ensure at least one validator is initialized with a delegation greater than or equal to the DefaultPowerReduction (1000000)",
            ))
        } else {
            Ok(())
        };
    }
    let sorted = |set: &[ValidatorUpdate]| {
        let mut set: Vec<_> = set.iter().map(prost::Message::encode_to_vec).collect();
        set.sort();
        set
    };
    if stated.is_empty() || sorted(stated) == sorted(made) {
        return Ok(());
    }
    Err(AppError::invalid_request(format_args!(
        "genesis: validators: expected none, or the {} that app_state makes with the same keys and powers, got {} others",
        made.len(),
        stated.len()
    )))
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
    for name in ["distribution", "gov", "mint"] {
        if !app_state[name].is_null() && app_state["staking"].is_null() {
            return Err(AppError::invalid_request(format_args!(
                "genesis: app_state.{name}: expected app_state.staking beside it, got none"
            )));
        }
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
        staking::genesis::import(&ctx, &Told, app_state)?;
        slashing::genesis::import(&ctx, app_state)?;
        gov::genesis::import(&ctx, app_state)?;
        genutil::gen_txs(app_state)?;
        evidence::genesis::import(&ctx, app_state)?;
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
            "evidence": evidence::genesis::export(&ctx)?,
            "feegrant": feegrant::genesis::export(&ctx)?,
            "genutil": { "gen_txs": [] },
            "gov": gov::genesis::export(&ctx)?,
            "hooks": hooks::export(&ctx)?,
            "mint": mint::genesis::export(&ctx)?,
            "slashing": slashing::genesis::export(&ctx)?,
            "staking": staking::genesis::export(&ctx)?,
            "upgrade": {},
            "wasm": self.inner.wasm.export_genesis(&ctx)?,
        }))
    }
}
