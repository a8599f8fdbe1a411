//! What is noted of every vote, and what follows from it.

use super::store;
use crate::{
    codec::dec::Dec,
    ctx::{Ctx, Event},
    error::{AppError, Result},
    modules::staking::{
        self,
        error::wrap,
        hooks::Hooks,
        keeper::Keeper,
        validator::{Validator, nanos, timestamp},
    },
};
use cosmos_sdk_proto::cosmos::slashing::v1beta1::ValidatorSigningInfo;
use tendermint_proto::v0_38::types::BlockIdFlag;

/// Blocks between a change of the set and its first votes (`sdk.ValidatorUpdateDelay`).
pub const UPDATE_DELAY: u64 = 1;

/// How a validator of the last block voted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// The address of its key.
    pub cons: Vec<u8>,
    /// Its power.
    pub power: u64,
    /// What it signed: `BlockIdFlag`.
    pub flag: i32,
}

fn error(code: u32, text: &str) -> AppError {
    AppError::new("slashing", code, text)
}

/// A record without marks, from a height on.
pub(super) fn new_info(ctx: &Ctx, cons: &[u8]) -> Result<ValidatorSigningInfo> {
    Ok(ValidatorSigningInfo {
        address: store::cons_name(ctx, cons)?,
        start_height: i64::try_from(ctx.block.height).unwrap_or(i64::MAX),
        index_offset: 0,
        jailed_until: Some(timestamp(0)),
        tombstoned: false,
        missed_blocks_counter: 0,
    })
}

/// A validator was created: its key is kept for evidence that comes when it is gone.
///
/// # Errors
/// staking/3 when there is none.
pub fn after_validator_created(ctx: &Ctx, operator: &[u8]) -> Result<()> {
    let v = staking::store::validator(ctx, operator)?;
    keep_pub_key(ctx, &v)
}

pub(super) fn keep_pub_key(ctx: &Ctx, v: &Validator) -> Result<()> {
    match v.to_proto().consensus_pubkey {
        Some(any) => store::set_pub_key(ctx, &v.cons(), &any),
        None => Ok(()),
    }
}

/// A validator was removed.
///
/// # Errors
/// sdk/11.
pub fn after_validator_removed(ctx: &Ctx, cons: &[u8]) -> Result<()> {
    store::remove_pub_key(ctx, cons)
}

/// A validator joins the set: its window begins.
///
/// # Errors
/// sdk/11.
pub fn after_validator_bonded(ctx: &Ctx, cons: &[u8]) -> Result<()> {
    let new = new_info(ctx, cons)?;
    let info = match store::info(ctx, cons)? {
        Some(known) => ValidatorSigningInfo {
            start_height: new.start_height,
            ..known
        },
        None => new,
    };
    store::set_info(ctx, cons, &info)
}

/// Notes every vote of the last block. Votes of validators that staking does not know, which only CometBFT's genesis
/// has, are not noted.
///
/// # Errors
/// When the state is broken: the node must stop.
pub fn begin_block(ctx: &Ctx, hooks: &dyn Hooks, votes: &[Vote]) -> Result<()> {
    if !staking::store::enabled(ctx) {
        return Ok(());
    }
    votes.iter().try_for_each(|vote| note(ctx, hooks, vote))
}

fn note(ctx: &Ctx, hooks: &dyn Hooks, vote: &Vote) -> Result<()> {
    let Some(mut v) = staking::store::validator_by_cons(ctx, &vote.cons)? else {
        return Ok(());
    };
    // Its last votes come when it is jailed already.
    if v.jailed {
        return Ok(());
    }
    let params = store::params(ctx)?;
    let mut info = match store::info(ctx, &vote.cons)? {
        Some(info) => info,
        None => new_info(ctx, &vote.cons)?,
    };
    let index = u64::try_from(info.index_offset).unwrap_or(0) % params.window;
    info.index_offset += 1;
    let missed = vote.flag == BlockIdFlag::Absent as i32;
    match (store::missed(ctx, &vote.cons, index)?, missed) {
        (false, true) => {
            store::set_missed(ctx, &vote.cons, index, true)?;
            info.missed_blocks_counter += 1;
        }
        (true, false) => {
            store::set_missed(ctx, &vote.cons, index, false)?;
            info.missed_blocks_counter -= 1;
        }
        _ => {}
    }
    let (name, height) = (store::cons_name(ctx, &vote.cons)?, ctx.block.height);
    let count = u64::try_from(info.missed_blocks_counter).unwrap_or(0);
    if missed {
        ctx.emit(
            Event::new("liveness")
                .attr("address", name.clone())
                .attr("missed_blocks", count.to_string())
                .attr("height", height.to_string()),
        );
    }
    let whole = u64::try_from(info.start_height)
        .unwrap_or(0)
        .saturating_add(params.window);
    let most = params.window.saturating_sub(params.min_signed_blocks()?);
    if height > whole && count > most {
        let since = height.saturating_sub(UPDATE_DELAY + 1);
        let keeper = Keeper { ctx, hooks };
        let burned = keeper.slash(&vote.cons, since, vote.power, &params.downtime)?;
        ctx.emit(
            Event::new("slash")
                .attr("address", name.clone())
                .attr("power", vote.power.to_string())
                .attr("reason", "missing_signature")
                .attr("jailed", name)
                .attr("burned_coins", burned.to_string()),
        );
        // Slashing changed it.
        v = staking::store::validator(ctx, &v.operator)?;
        keeper.jail(&mut v)?;
        let until = ctx.block.time_ns.saturating_add(params.jail_ns);
        info.jailed_until = Some(timestamp(until));
        // From anew when it comes back, so that it is not slashed again at once.
        info.missed_blocks_counter = 0;
        info.index_offset = 0;
        store::clear_missed(ctx, &vote.cons)?;
    }
    store::set_info(ctx, &vote.cons, &info)
}

/// Slashes for having signed twice.
///
/// # Errors
/// When the state is broken.
pub fn slash_double_sign(
    ctx: &Ctx,
    hooks: &dyn Hooks,
    cons: &[u8],
    height: u64,
    power: u64,
) -> Result<()> {
    let fraction: Dec = store::params(ctx)?.double_sign;
    let burned = Keeper { ctx, hooks }.slash(cons, height, power, &fraction)?;
    ctx.emit(
        Event::new("slash")
            .attr("address", store::cons_name(ctx, cons)?)
            .attr("power", power.to_string())
            .attr("reason", "double_sign")
            .attr("burned_coins", burned.to_string()),
    );
    Ok(())
}

/// Jails a validator.
///
/// # Errors
/// staking/7 when it is jailed.
pub fn jail(ctx: &Ctx, hooks: &dyn Hooks, v: &mut Validator) -> Result<()> {
    Keeper { ctx, hooks }.jail(v)?;
    let name = store::cons_name(ctx, &v.cons())?;
    ctx.emit(Event::new("slash").attr("jailed", name));
    Ok(())
}

/// Brings a validator back from jail (`Unjail`).
///
/// # Errors
/// staking/3 and 19; slashing/4, 5, 7.
pub fn unjail(ctx: &Ctx, hooks: &dyn Hooks, operator: &[u8]) -> Result<()> {
    let mut v = staking::store::validator(ctx, operator)?;
    let own = staking::store::delegation(ctx, operator, operator)?;
    let own = own.ok_or_else(staking::error::no_delegation)?;
    let tokens = v.tokens_from_shares(&own)?.truncate_u128()?;
    if tokens < v.min_self_delegation {
        let text = "validator's self delegation less than minimum; cannot be unjailed";
        return Err(wrap(
            error(7, text),
            format_args!("{tokens} less than {}", v.min_self_delegation),
        ));
    }
    if !v.jailed {
        return Err(error(5, "validator not jailed; cannot be unjailed"));
    }
    if let Some(info) = store::info(ctx, &v.cons())?
        && (info.tombstoned || ctx.block.time_ns < nanos(info.jailed_until))
    {
        return Err(error(4, "validator still jailed; cannot be unjailed"));
    }
    Keeper { ctx, hooks }.unjail(&mut v)
}
