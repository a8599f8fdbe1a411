//! What the modules do in every block, in the SDK's order.

use super::told::Told;
use crate::{
    ctx::Ctx,
    error::Result,
    modules::{
        authz,
        distribution::allocation::{self, Vote},
        evidence, gov, mint,
        router::Router,
        slashing,
        staking::{self, keeper::Keeper},
    },
};
use tendermint_proto::v0_38::abci::{RequestFinalizeBlock, ValidatorUpdate};

/// Before a block's transactions.
///
/// # Errors
/// When the state is broken: the node must stop.
pub fn begin_block(ctx: &Ctx, req: &RequestFinalizeBlock) -> Result<()> {
    mint::keeper::begin_block(ctx)?;
    allocation::begin_block(ctx, &votes(req), &req.proposer_address)?;
    slashing::keeper::begin_block(ctx, &Told, &signed(req))?;
    evidence::keeper::begin_block(ctx, &Told, &req.misbehavior)?;
    if staking::store::enabled(ctx) {
        staking::history::track(ctx, &req.next_validators_hash, &req.proposer_address)?;
    }
    authz::keeper::begin_block(ctx)
}

/// After a block's transactions: what CometBFT is told of the validator set.
///
/// # Errors
/// When the state is broken: the node must stop.
pub fn end_block(ctx: &Ctx, router: &dyn Router) -> Result<Vec<ValidatorUpdate>> {
    gov::end::end_block(ctx, router)?;
    if !staking::store::enabled(ctx) {
        return Ok(Vec::new());
    }
    let keeper = Keeper { ctx, hooks: &Told };
    keeper.end_block()
}

/// How the validators of the last block voted.
fn signed(req: &RequestFinalizeBlock) -> Vec<slashing::keeper::Vote> {
    let votes = req.decided_last_commit.iter().flat_map(|c| &c.votes);
    votes
        .filter_map(|v| v.validator.as_ref().map(|who| (who, v.block_id_flag)))
        .map(|(who, flag)| slashing::keeper::Vote {
            cons: who.address.to_vec(),
            power: u64::try_from(who.power).unwrap_or(0),
            flag,
        })
        .collect()
}

/// The validators of the last block.
fn votes(req: &RequestFinalizeBlock) -> Vec<Vote> {
    let votes = req.decided_last_commit.iter().flat_map(|c| &c.votes);
    votes
        .filter_map(|v| v.validator.as_ref())
        .map(|v| Vote {
            cons: v.address.to_vec(),
            power: v.power,
        })
        .collect()
}
