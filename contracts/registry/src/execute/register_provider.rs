//! `RegisterProvider`: by anyone who is not a provider yet.

use super::provider_event;
use crate::{
    bonds,
    error::ContractError,
    funds,
    state::{CONFIG, PROVIDERS, Provider},
    validate,
};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};
use ember_types::{registry::Attribute, resources::Device};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    host_uri: String,
    devices: Vec<Device>,
    attributes: Vec<Attribute>,
) -> Result<Response, ContractError> {
    let bond = funds::at_most_one(info, &CONFIG.load(deps.storage)?.bond_denom)?;
    if PROVIDERS.has(deps.storage, &info.sender) {
        return Err(ContractError::AlreadyRegistered {
            address: info.sender.clone(),
        });
    }
    validate::host_uri(&host_uri)?;
    validate::devices(&devices)?;
    validate::attributes(&attributes)?;
    PROVIDERS.save(
        deps.storage,
        &info.sender,
        &Provider {
            host_uri,
            devices,
            attributes,
            registered_at: env.block.time,
        },
    )?;
    let mut response = Response::new().add_event(provider_event("register", &info.sender));
    if !bond.is_zero() {
        response = response.add_event(bonds::add(deps.storage, &info.sender, bond)?);
    }
    Ok(response)
}
