//! `Unbond`: by whoever has a bond.

use crate::{bonds, error::ContractError, funds, presence};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, Uint128};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    amount: Uint128,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    if amount.is_zero() {
        return Err(ContractError::ZeroAmount);
    }
    let event = bonds::start_unbonding(deps.storage, &info.sender, amount, env.block.time)?;
    let now = env.block.time.seconds();
    presence::refresh(deps.storage, &info.sender, None, false, now)?;
    Ok(Response::new().add_event(event))
}
