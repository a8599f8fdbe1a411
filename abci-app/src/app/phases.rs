//! What the modules do in every block, in the SDK's order.

use crate::{
    ctx::Ctx,
    error::Result,
    modules::{
        authz,
        distribution::allocation::{self, Vote},
        mint,
    },
};
use tendermint_proto::v0_38::abci::RequestFinalizeBlock;

/// Before a block's transactions.
///
/// # Errors
/// When the state is broken: the node must stop.
pub fn begin_block(ctx: &Ctx, req: &RequestFinalizeBlock) -> Result<()> {
    mint::keeper::begin_block(ctx)?;
    allocation::begin_block(ctx, &votes(req), &req.proposer_address)?;
    authz::keeper::begin_block(ctx)
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
