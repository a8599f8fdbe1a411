//! `RegisterProvider`: by anyone who is not a provider yet.

use super::provider_event;
use crate::{
    bonds,
    error::ContractError,
    funds, presence,
    state::{CONFIG, LEFT_AT, PROVIDERS, Provider},
    validate,
};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};
use ember_types::{assurance::Assurance, registry::Attribute, resources::Device};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    host_uri: String,
    devices: Vec<Device>,
    attributes: Vec<Attribute>,
    assurances: Vec<Assurance>,
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
    validate::assurances(&assurances)?;
    // Audits and trust levels of an earlier registration name an earlier revision.
    let revision = match LEFT_AT.may_load(deps.storage, &info.sender)? {
        Some(left) => left.saturating_add(1),
        None => 1,
    };
    let (n_devices, n_attributes) = (devices.len(), attributes.len());
    PROVIDERS.save(
        deps.storage,
        &info.sender,
        &Provider {
            host_uri,
            devices,
            attributes,
            registered_at: env.block.time,
            assurances,
            revision,
            device_revisions: vec![revision; n_devices],
            attribute_revisions: vec![revision; n_attributes],
        },
    )?;
    let mut response = Response::new().add_event(provider_event("register", &info.sender));
    if !bond.is_zero() {
        response = response.add_event(bonds::add(deps.storage, &info.sender, bond)?);
    }
    presence::register(deps.storage, &info.sender, env.block.time.seconds())?;
    Ok(response)
}
