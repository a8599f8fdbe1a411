//! What the chain itself sends.

use crate::{error::ContractError, presence};
use cosmwasm_std::{DepsMut, Env, Response};

/// Most providers that one block takes out of the supply.
pub const MAX_EXPIRED: usize = 50;

/// Providers who were not seen for too long cease to count; the rest waits for the next block. Nothing else happens by
/// itself: unbondings wait to be claimed, certificates, audits and trust levels carry their own dates.
pub(crate) fn end_block(deps: DepsMut, env: &Env) -> Result<Response, ContractError> {
    presence::expire(deps.storage, MAX_EXPIRED, env.block.time.seconds())?;
    Ok(Response::new())
}
