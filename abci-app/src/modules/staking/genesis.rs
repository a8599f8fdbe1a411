//! `app_state.staking`, in and out, in the SDK's JSON.

use super::{
    error::plain,
    hooks::Hooks,
    keeper::{Keeper, coins, pool},
    keys,
    params::Params,
    store,
    unbonding::amount,
    validator::{Status, Validator, nanos},
};
use crate::{
    codec::{coins as codec_coins, json},
    ctx::Ctx,
    error::{AppError, Result},
    modules::{
        auth::keeper::{addr, ensure_account},
        bank, stakes,
    },
};
use cosmos_sdk_proto::cosmos::staking::v1beta1::{
    Delegation, GenesisState, LastValidatorPower, Redelegation, UnbondingDelegation,
};
use prost::Message;
use serde_json::Value;
use tendermint_proto::v0_38::abci::ValidatorUpdate;

const NAME: &str = "cosmos.staking.v1beta1.GenesisState";

fn bad(detail: impl std::fmt::Display) -> AppError {
    AppError::invalid_request(format_args!("genesis: app_state.staking: {detail}"))
}

/// Reads the module's genesis, after bank's and distribution's: the set that it makes. Without one the chain has no
/// staking.
///
/// # Errors
/// sdk/18 with what is wrong; also when the pools hold something else than the records say.
pub fn import(ctx: &Ctx, hooks: &dyn Hooks, app_state: &Value) -> Result<Vec<ValidatorUpdate>> {
    let state = &app_state["staking"];
    if state.is_null() {
        return Ok(Vec::new());
    }
    let bytes = json::read(NAME, state).map_err(bad)?;
    let genesis = GenesisState::decode(bytes.as_slice()).map_err(bad)?;
    read(Keeper { ctx, hooks }, genesis).map_err(|e| bad(e.log))
}

/// The validators are checked as `ValidateGenesis` does.
fn check(validators: &[Validator]) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for v in validators {
        let moniker = &v.description.moniker;
        if !seen.insert(&v.key) {
            return Err(plain(format_args!(
                "duplicate validator in genesis state: moniker {moniker}"
            )));
        }
        if v.jailed && v.status == Status::Bonded {
            return Err(plain(format_args!(
                "validator is bonded and jailed in genesis state: moniker {moniker}"
            )));
        }
        if v.shares.is_zero() && v.status != Status::Unbonding {
            return Err(plain(format_args!(
                "bonded/unbonded genesis validator cannot have zero delegator shares, validator: {moniker}"
            )));
        }
    }
    Ok(())
}

fn read(k: Keeper<'_>, g: GenesisState) -> Result<Vec<ValidatorUpdate>> {
    let params = Params::from_proto(&g.params.unwrap_or_default())?;
    params.check()?;
    store::set_params(k.ctx, &params)?;
    // A decimal integer in bytes.
    let total = String::from_utf8(g.last_total_power).map_err(AppError::invalid_request)?;
    store::set_last_total_power(k.ctx, if total.is_empty() { "0" } else { &total })?;
    let validators = g.validators.into_iter();
    let validators: Vec<_> = validators
        .map(|v| Validator::from_proto(k.ctx, v))
        .collect::<Result<_>>()?;
    check(&validators)?;
    let (mut bonded, mut unbonded) = (0u128, 0u128);
    for v in &validators {
        store::set_validator(k.ctx, v)?;
        store::set_by_cons(k.ctx, v)?;
        store::set_by_power(k.ctx, v)?;
        if !g.exported {
            k.hooks.after_validator_created(k.ctx, &v.operator)?;
        }
        if v.status == Status::Unbonding {
            k.queue(v)?;
        }
        match v.status {
            Status::Bonded => bonded += v.tokens,
            Status::Unbonding | Status::Unbonded => unbonded += v.tokens,
        }
    }
    for d in &g.delegations {
        let delegator = addr(k.ctx, &d.delegator_address)?;
        let operator = stakes::operator(k.ctx, &d.validator_address)?;
        if !g.exported {
            k.hooks
                .before_delegation_created(k.ctx, &delegator, &operator)?;
        }
        store::set(
            k.ctx,
            &keys::of(keys::DELEGATION, &[&delegator, &operator]),
            d,
        )?;
        let index = keys::delegation_by_validator(&operator, &delegator);
        k.ctx.set(store::STORE, &index, Vec::new())?;
        if !g.exported {
            k.hooks
                .after_delegation_modified(k.ctx, &delegator, &operator)?;
        }
    }
    for u in &g.unbonding_delegations {
        k.set_unbonding(u)?;
        for e in &u.entries {
            k.queue_unbonding(u, nanos(e.completion_time))?;
            unbonded += amount(&e.balance)?;
        }
    }
    for r in &g.redelegations {
        k.set_redelegation(r)?;
        for e in &r.entries {
            k.queue_redelegation(r, nanos(e.completion_time))?;
        }
    }
    for (name, status, holdings) in [
        ("bonded", Status::Bonded, bonded),
        ("not bonded", Status::Unbonding, unbonded),
    ] {
        ensure_account(k.ctx, &pool(status))?;
        let balance = bank::keeper::all_balances(k.ctx, &pool(status))?;
        let holdings = coins(&params.bond_denom, holdings);
        if balance != holdings {
            return Err(plain(format_args!(
                "{name} pool balance is different from {name} coins: {} <-> {}",
                codec_coins::display(&balance),
                codec_coins::display(&holdings)
            )));
        }
    }
    if !g.exported {
        return k.update_set();
    }
    // The set as it was: powers of an export need not be those of the tokens.
    let mut updates = Vec::new();
    for last in g.last_validator_powers {
        let operator = stakes::operator(k.ctx, &last.address)?;
        let power = u64::try_from(last.power).unwrap_or(0);
        store::set_last_power(k.ctx, &operator, Some(power))?;
        updates.push(store::validator(k.ctx, &operator)?.update(power));
    }
    Ok(updates)
}

fn records<M: Message + Default>(ctx: &Ctx, prefix: u8) -> Result<Vec<M>> {
    let rows = store::scan(ctx, &[prefix])?.into_iter();
    rows.map(|(_, b)| M::decode(b.as_slice()).map_err(AppError::tx_decode))
        .collect()
}

/// Writes the module's genesis; null on a chain without staking.
///
/// # Errors
/// When the store is broken.
pub fn export(ctx: &Ctx) -> Result<Value> {
    if !store::enabled(ctx) {
        return Ok(Value::Null);
    }
    let mut last_validator_powers = Vec::new();
    for (operator, power) in store::last_powers(ctx)? {
        last_validator_powers.push(LastValidatorPower {
            address: stakes::operator_name(ctx, &operator)?,
            power: i64::try_from(power).unwrap_or(i64::MAX),
        });
    }
    let genesis = GenesisState {
        params: Some(store::params(ctx)?.to_proto()),
        last_total_power: store::last_total_power(ctx)?.into_bytes(),
        last_validator_powers,
        validators: records(ctx, keys::VALIDATOR)?,
        delegations: records::<Delegation>(ctx, keys::DELEGATION)?,
        unbonding_delegations: records::<UnbondingDelegation>(ctx, keys::UNBONDING)?,
        redelegations: records::<Redelegation>(ctx, keys::REDELEGATION)?,
        exported: true,
    };
    json::print(NAME, &genesis.encode_to_vec()).map_err(bad)
}
