//! `UnregisterProvider`: by the provider. Its whole bond starts to unbond; its certificates stay.

use super::{provider_event, registered};
use crate::{
    bonds,
    error::ContractError,
    funds, presence,
    state::{LEFT_AT, PROVIDERS},
};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let provider = registered(deps.storage, &info.sender)?;
    presence::leave(deps.storage, &info.sender)?;
    LEFT_AT.save(deps.storage, &info.sender, &provider.revision)?;
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
