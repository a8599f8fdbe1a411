//! `UpdateProvider`: by the provider.

use super::provider_event;
use crate::{error::ContractError, funds, state::PROVIDERS, validate};
use cosmwasm_std::{DepsMut, MessageInfo, Response};
use ember_types::{registry::Attribute, resources::Device};

pub(crate) fn execute(
    deps: DepsMut,
    info: &MessageInfo,
    host_uri: Option<String>,
    devices: Option<Vec<Device>>,
    attributes: Option<Vec<Attribute>>,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    if host_uri.is_none() && devices.is_none() && attributes.is_none() {
        return Err(ContractError::NothingToUpdate);
    }
    let mut provider = PROVIDERS
        .may_load(deps.storage, &info.sender)?
        .ok_or_else(|| ContractError::NotRegistered {
            address: info.sender.clone(),
        })?;
    if let Some(uri) = host_uri {
        validate::host_uri(&uri)?;
        provider.host_uri = uri;
    }
    if let Some(devices) = devices {
        validate::devices(&devices)?;
        provider.devices = devices;
    }
    if let Some(attributes) = attributes {
        validate::attributes(&attributes)?;
        provider.attributes = attributes;
    }
    PROVIDERS.save(deps.storage, &info.sender, &provider)?;
    Ok(Response::new().add_event(provider_event("update", &info.sender)))
}
