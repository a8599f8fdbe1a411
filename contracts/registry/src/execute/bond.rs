//! `Bond`: by a registered provider.

use crate::{
    bonds,
    error::ContractError,
    funds,
    state::{CONFIG, PROVIDERS},
};
use cosmwasm_std::{DepsMut, MessageInfo, Response};

pub(crate) fn execute(deps: DepsMut, info: &MessageInfo) -> Result<Response, ContractError> {
    let amount = funds::one(info, &CONFIG.load(deps.storage)?.bond_denom)?;
    if !PROVIDERS.has(deps.storage, &info.sender) {
        return Err(ContractError::NotRegistered {
            address: info.sender.clone(),
        });
    }
    Ok(Response::new().add_event(bonds::add(deps.storage, &info.sender, amount)?))
}
