//! `UpdateProvider`: by the provider.

use super::{provider_event, registered};
use crate::{error::ContractError, funds, presence, state::PROVIDERS, validate};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};
use ember_types::{assurance::Assurance, events::key, registry::Attribute, resources::Device};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    host_uri: Option<String>,
    devices: Option<Vec<Device>>,
    attributes: Option<Vec<Attribute>>,
    assurances: Option<Vec<Assurance>>,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let named = [
        host_uri.is_some(),
        devices.is_some(),
        attributes.is_some(),
        assurances.is_some(),
    ];
    if named == [false; 4] {
        return Err(ContractError::NothingToUpdate);
    }
    let mut provider = registered(deps.storage, &info.sender)?;
    let revision = provider.revision.saturating_add(1);
    if let Some(uri) = host_uri {
        validate::host_uri(&uri)?;
        provider.host_uri = uri;
    }
    if let Some(new) = &devices {
        validate::devices(new)?;
        if *new != provider.devices {
            provider.device_revisions = since(new, provider.devices_since(), revision);
            provider.devices.clone_from(new);
            provider.revision = revision;
        }
    }
    if let Some(new) = attributes {
        validate::attributes(&new)?;
        if new != provider.attributes {
            provider.attribute_revisions = since(&new, provider.attributes_since(), revision);
            provider.attributes = new;
            provider.revision = revision;
        }
    }
    if let Some(offered) = assurances {
        validate::assurances(&offered)?;
        provider.assurances = offered;
    }
    PROVIDERS.save(deps.storage, &info.sender, &provider)?;
    let now = env.block.time.seconds();
    presence::refresh(deps.storage, &info.sender, devices.as_deref(), true, now)?;
    let event = provider_event("update", &info.sender)
        .add_attribute(key::REVISION, provider.revision.to_string());
    Ok(Response::new().add_event(event))
}

/// The revision at which each of `new` came to be as it is: an old one where it stood just so, else `revision`.
fn since<'a, T: PartialEq + 'a>(
    new: &[T],
    old: impl Iterator<Item = (&'a T, u64)>,
    revision: u64,
) -> Vec<u64> {
    let old: Vec<_> = old.collect();
    new.iter()
        .map(|item| {
            let found = old.iter().find(|(o, _)| *o == item);
            found.map_or(revision, |(_, since)| *since)
        })
        .collect()
}
