//! What is done with a proof, and where it is kept.

use crate::{
    codec::times,
    ctx::Ctx,
    error::{AppError, Result},
    modules::{
        consensus, slashing,
        staking::{self, hooks::Hooks, validator::Status},
    },
    store::{StoreKey, merkle::sha256},
};
use cosmos_sdk_proto::{Any, cosmos::evidence::v1beta1::Equivocation};
use prost::Message;
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::abci::{Misbehavior, MisbehaviorType},
};

/// The module's store.
pub const STORE: StoreKey = StoreKey::Evidence;
/// Proofs, by hash.
pub const EVIDENCE: u8 = 0x00;
/// The type URL of the only kind of proof.
pub const EQUIVOCATION: &str = "/cosmos.evidence.v1beta1.Equivocation";
/// Until when who signed twice is jailed: the end of the year 9999.
const FOR_EVER: Timestamp = Timestamp {
    seconds: 253_402_300_799,
    nanos: 0,
};

/// What a proof is known by.
pub fn hash(e: &Equivocation) -> Vec<u8> {
    sha256(e.encode_to_vec()).to_vec()
}

fn key(hash: &[u8]) -> Vec<u8> {
    [&[EVIDENCE], hash].concat()
}

/// Keeps a proof.
///
/// # Errors
/// sdk/11.
pub fn set(ctx: &Ctx, e: &Equivocation) -> Result<()> {
    let any = Any {
        type_url: EQUIVOCATION.into(),
        value: e.encode_to_vec(),
    };
    ctx.set(STORE, &key(&hash(e)), any.encode_to_vec())
}

/// A proof; `None` when there is none of that hash.
///
/// # Errors
/// sdk/11.
pub fn get(ctx: &Ctx, hash: &[u8]) -> Result<Option<Any>> {
    let bytes = ctx.get(STORE, &key(hash))?;
    bytes
        .map(|b| Any::decode(b.as_slice()).map_err(AppError::tx_decode))
        .transpose()
}

/// Punishes who CometBFT says misbehaved.
///
/// # Errors
/// When the state is broken: the node must stop.
pub fn begin_block(ctx: &Ctx, hooks: &dyn Hooks, misbehavior: &[Misbehavior]) -> Result<()> {
    if !staking::store::enabled(ctx) {
        return Ok(());
    }
    for m in misbehavior {
        match MisbehaviorType::try_from(m.r#type) {
            Ok(MisbehaviorType::DuplicateVote | MisbehaviorType::LightClientAttack) => {
                let who = m.validator.clone().unwrap_or_default();
                let proof = Equivocation {
                    height: m.height,
                    time: Some(m.time.unwrap_or_default()),
                    power: who.power,
                    consensus_address: slashing::store::cons_name(ctx, &who.address)?,
                };
                handle(ctx, hooks, &who.address, &proof)?;
            }
            _ => tracing::error!(kind = m.r#type, "ignored unknown evidence type"),
        }
    }
    Ok(())
}

fn handle(ctx: &Ctx, hooks: &dyn Hooks, cons: &[u8], proof: &Equivocation) -> Result<()> {
    let Some(mut v) = staking::store::validator_by_cons(ctx, cons)? else {
        return Ok(());
    };
    let ignored =
        |why| tracing::info!(validator = proof.consensus_address, why, "evidence ignored");
    if v.status == Status::Unbonded || !slashing::store::has_pub_key(ctx, cons)? {
        ignored("it is not liable");
        return Ok(());
    }
    if is_too_old(ctx, proof) {
        ignored("it is too old");
        return Ok(());
    }
    let Some(info) = slashing::store::info(ctx, cons)? else {
        return Err(AppError::new(
            "slashing",
            8,
            format!(
                "expected signing info for validator {} but not found: no validator signing info found",
                proof.consensus_address
            ),
        ));
    };
    if info.tombstoned {
        ignored("it was punished before");
        return Ok(());
    }
    let height = u64::try_from(proof.height).unwrap_or(0);
    // The set that signed a height was made a block before it.
    let since = height.saturating_sub(slashing::keeper::UPDATE_DELAY);
    let power = u64::try_from(proof.power).unwrap_or(0);
    slashing::keeper::slash_double_sign(ctx, hooks, cons, since, power)?;
    if !v.jailed {
        v = staking::store::validator(ctx, &v.operator)?;
        slashing::keeper::jail(ctx, hooks, &mut v)?;
    }
    let mut info = info;
    info.jailed_until = Some(FOR_EVER);
    info.tombstoned = true;
    slashing::store::set_info(ctx, cons, &info)?;
    set(ctx, proof)
}

/// Whether a proof is older than the consensus parameters let it be, both in blocks and in time.
fn is_too_old(ctx: &Ctx, proof: &Equivocation) -> bool {
    let Some(limits) = consensus::get(ctx).evidence else {
        return false;
    };
    let time = times::nanos(&proof.time.unwrap_or_default());
    let age = i128::from(ctx.block.time_ns) - time;
    let blocks = i128::from(ctx.block.height) - i128::from(proof.height);
    let longest = times::duration(&limits.max_age_duration.unwrap_or_default());
    age > longest && blocks > i128::from(limits.max_age_num_blocks)
}
