//! The plan, `0x00 -> Plan`; what was done, `0x01 height name -> 1`; how often, `0x03 -> count`. Layout as the SDK's.

use crate::{
    ctx::Ctx,
    error::{AppError, Result},
    store::{Order, StoreKey, prefix_end},
};
use cosmos_sdk_proto::cosmos::upgrade::v1beta1::Plan;
use prost::Message;
use std::collections::BTreeSet;
use tendermint_proto::google::protobuf::Timestamp;

const STORE: StoreKey = StoreKey::Upgrade;
const PLAN: &[u8] = &[0x00];
const DONE: u8 = 0x01;
const PROTOCOL: &[u8] = &[0x03];

/// Go's zero time, which every plan has: upgrades at a time are no more.
const NO_TIME: Timestamp = Timestamp {
    seconds: -62_135_596_800,
    nanos: 0,
};

/// The upgrades that this binary can make: the names that a plan may have. A name comes here with the code that needs
/// it.
pub const KNOWN: &[&str] = &[];

/// What a node does about upgrades.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upgrades {
    /// The names of plans that it can carry out.
    pub known: BTreeSet<String>,
    /// Heights whose plans it drops. Every validator must drop the same ones.
    pub skip: BTreeSet<u64>,
}

impl Upgrades {
    /// Those of this binary.
    pub fn of_this_binary() -> Self {
        Self {
            known: KNOWN.iter().map(|name| (*name).to_owned()).collect(),
            skip: BTreeSet::new(),
        }
    }
}

/// Why a block is not made.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// Another binary is to make it: what an operator is told, and the plan when it is due.
    Upgrade(String, Option<Box<Plan>>),
    /// The state is broken.
    Broken(AppError),
}

impl From<AppError> for Stop {
    fn from(e: AppError) -> Self {
        Self::Broken(e)
    }
}

/// The plan; `None` when there is none.
///
/// # Errors
/// sdk/11; sdk/2 when the store holds something else: a broken node.
pub fn plan(ctx: &Ctx) -> Result<Option<Plan>> {
    ctx.get(STORE, PLAN)?
        .map(|b| Plan::decode(b.as_slice()).map_err(AppError::tx_decode))
        .transpose()
}

/// Sets the plan, in the place of one that there is.
///
/// # Errors
/// sdk/18 for one that makes no sense, has passed or was carried out.
#[allow(deprecated, reason = "the fields are part of the message")]
pub fn schedule(ctx: &Ctx, plan: Plan) -> Result<()> {
    let bad = |log: &str| Err(AppError::invalid_request(log));
    if plan.time.is_some_and(|t| t != NO_TIME) {
        return bad("time-based upgrades have been deprecated in the SDK");
    }
    if plan.upgraded_client_state.is_some() {
        return bad("upgrade logic for IBC has been moved to the IBC module");
    }
    if plan.name.is_empty() {
        return bad("name cannot be empty");
    }
    if plan.height <= 0 {
        return bad("height must be greater than 0");
    }
    if plan.height.unsigned_abs() < ctx.block.height {
        return bad("upgrade cannot be scheduled in the past");
    }
    if done_height(ctx, &plan.name)? != 0 {
        return Err(AppError::invalid_request(format_args!(
            "upgrade with name {} has already been completed",
            plan.name
        )));
    }
    let time = Some(NO_TIME);
    ctx.set(STORE, PLAN, Plan { time, ..plan }.encode_to_vec())
}

/// Drops the plan, if there is one.
///
/// # Errors
/// sdk/11.
pub fn cancel(ctx: &Ctx) -> Result<()> {
    if plan(ctx)?.is_some() {
        ctx.remove(STORE, PLAN)?;
    }
    Ok(())
}

fn done_key(height: u64, name: &str) -> Vec<u8> {
    [&[DONE], &height.to_be_bytes()[..], name.as_bytes()].concat()
}

/// Height and name of a key of what was done.
fn parse_done(key: &[u8]) -> (u64, &[u8]) {
    match key.get(1..).and_then(<[u8]>::split_first_chunk::<8>) {
        Some((height, name)) => (u64::from_be_bytes(*height), name),
        None => (0, &[]),
    }
}

/// At which height a plan was carried out; 0: it was not.
///
/// # Errors
/// sdk/11.
pub fn done_height(ctx: &Ctx, name: &str) -> Result<u64> {
    let (mut from, end) = (vec![DONE], prefix_end(&[DONE]));
    while let Some((key, _)) = ctx.seek(STORE, &from, end.as_deref(), Order::Ascending)? {
        let (height, found) = parse_done(&key);
        if found == name.as_bytes() {
            return Ok(height);
        }
        from = [key.as_slice(), &[0]].concat();
    }
    Ok(0)
}

/// The plan that was carried out last.
fn last_done(ctx: &Ctx) -> Result<Option<String>> {
    let end = prefix_end(&[DONE]);
    let last = ctx.seek(STORE, &[DONE], end.as_deref(), Order::Descending)?;
    Ok(last.map(|(key, _)| String::from_utf8_lossy(parse_done(&key).1).into_owned()))
}

/// Before everything else in a block: carries out the plan that is due.
///
/// # Errors
/// When this binary is not the one for this block, or the state is broken: the node must stop.
pub fn pre_block(ctx: &Ctx, upgrades: &Upgrades) -> std::result::Result<(), Stop> {
    let height = ctx.block.height;
    let plan = plan(ctx)?;
    let due = plan.as_ref().filter(|p| p.height.unsigned_abs() <= height);
    let skipped = upgrades.skip.contains(&height);
    if due.is_none() || skipped {
        // A binary from before the last upgrade would go on with the old rules.
        if let Some(last) = last_done(ctx)?.filter(|name| !upgrades.known.contains(name)) {
            let text = format!(
                "wrong app version {}, upgrade handler is missing for {last} upgrade plan",
                protocol(ctx)?
            );
            return Err(Stop::Upgrade(text, None));
        }
    }
    let Some(plan) = plan else {
        return Ok(());
    };
    let name = &plan.name;
    let at = format!("height: {}", plan.height);
    match (plan.height.unsigned_abs() <= height, skipped) {
        (true, true) => {
            tracing::info!(
                "UPGRADE \"{name}\" SKIPPED at {}: {}",
                plan.height,
                plan.info
            );
            ctx.remove(STORE, PLAN)?;
        }
        (true, false) if upgrades.known.contains(name) => {
            tracing::info!("applying upgrade \"{name}\" at {at}");
            let count = protocol(ctx)?.saturating_add(1);
            ctx.set(STORE, PROTOCOL, count.to_be_bytes().to_vec())?;
            ctx.remove(STORE, PLAN)?;
            ctx.set(STORE, &done_key(height, name), vec![1])?;
        }
        (true, false) => {
            let text = format!("UPGRADE \"{name}\" NEEDED at {at}: {}", plan.info);
            return Err(Stop::Upgrade(text, Some(Box::new(plan))));
        }
        (false, _) if upgrades.known.contains(name) => {
            let text = format!(
                "BINARY UPDATED BEFORE TRIGGER! UPGRADE \"{name}\" - in binary but not executed on chain. Downgrade your binary"
            );
            return Err(Stop::Upgrade(text, None));
        }
        (false, _) => {}
    }
    Ok(())
}

/// How many upgrades there were.
fn protocol(ctx: &Ctx) -> Result<u64> {
    let bytes = ctx.get(STORE, PROTOCOL)?;
    Ok(bytes
        .and_then(|b| b.try_into().ok())
        .map_or(0, u64::from_be_bytes))
}
