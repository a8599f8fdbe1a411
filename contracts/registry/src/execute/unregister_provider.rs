//! `UnregisterProvider`: by the provider. Its whole bond starts to unbond; its certificates stay.

use super::provider_event;
use crate::{bonds, error::ContractError, funds, state::PROVIDERS};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    if !PROVIDERS.has(deps.storage, &info.sender) {
        return Err(ContractError::NotRegistered {
            address: info.sender.clone(),
        });
    }
    PROVIDERS.remove(deps.storage, &info.sender);
    let mut response = Response::new().add_event(provider_event("unregister", &info.sender));
    let bonded = bonds::bonded(deps.storage, &info.sender)?;
    if !bonded.is_zero() {
        response = response.add_event(bonds::start_unbonding(
            deps.storage,
            &info.sender,
            bonded,
            env.block.time,
        )?);
    }
    Ok(response)
}
