//! What the chain itself sends.

use crate::error::ContractError;
use cosmwasm_std::Response;

/// Nothing in the registry happens by itself: unbondings wait to be claimed, certificates carry their own dates.
pub(crate) fn end_block() -> Result<Response, ContractError> {
    Ok(Response::new())
}
