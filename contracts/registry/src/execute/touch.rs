//! `Touch`: by the provider, about once an hour.

use crate::{error::ContractError, funds, presence};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    presence::load(deps.storage, &info.sender)?;
    let now = env.block.time.seconds();
    presence::refresh(deps.storage, &info.sender, None, true, now)?;
    Ok(Response::new())
}
