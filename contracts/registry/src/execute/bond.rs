//! `Bond`: by a registered provider.

use crate::{
    bonds,
    error::ContractError,
    funds, presence,
    state::{CONFIG, PROVIDERS},
};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
) -> Result<Response, ContractError> {
    let amount = funds::one(info, &CONFIG.load(deps.storage)?.bond_denom)?;
    if !PROVIDERS.has(deps.storage, &info.sender) {
        return Err(ContractError::NotRegistered {
            address: info.sender.clone(),
        });
    }
    let event = bonds::add(deps.storage, &info.sender, amount)?;
    let now = env.block.time.seconds();
    presence::refresh(deps.storage, &info.sender, None, true, now)?;
    Ok(Response::new().add_event(event))
}
