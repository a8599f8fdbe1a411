//! What the modules do in every block, in the SDK's order.

use crate::{ctx::Ctx, error::Result, modules::mint};

/// Before a block's transactions.
///
/// # Errors
/// When the state is broken: the node must stop.
pub fn begin_block(ctx: &Ctx) -> Result<()> {
    mint::keeper::begin_block(ctx)
}
