//! `SetTrust`: by the authority or a trust setter.

use super::{may_set_trust, registered, vouches};
use crate::{
    error::ContractError,
    funds,
    state::{CONFIG, TRUST, Trust},
    validate,
};
use cosmwasm_std::{DepsMut, Env, Event, MessageInfo, Response};
use ember_types::{
    assurance::validate_trust,
    events::{self, key},
};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    provider: &str,
    device: Option<String>,
    level: u8,
    (revision, expires_at): (u64, u64),
) -> Result<Response, ContractError> {
    funds::none(info)?;
    may_set_trust(&CONFIG.load(deps.storage)?, &info.sender)?;
    validate_trust("level", level)?;
    let address = validate::address(deps.api, "provider", provider)?;
    let record = registered(deps.storage, &address)?;
    let now = env.block.time.seconds();
    vouches(&record, revision, expires_at, now)?;
    if let Some(id) = &device
        && !record.devices.iter().any(|d| d.id == *id)
    {
        return Err(ContractError::NoDevice {
            provider: address,
            id: id.clone(),
        });
    }
    TRUST.save(
        deps.storage,
        (&address, device.as_deref().unwrap_or_default()),
        &Trust {
            level,
            revision,
            set_by: info.sender.clone(),
            set_at: now,
            expires_at,
        },
    )?;
    let mut event = Event::new(events::TRUST)
        .add_attribute(key::ACTION, "set")
        .add_attribute(key::PROVIDER, address)
        .add_attribute(key::SIGNER, &info.sender)
        .add_attribute(key::LEVEL, level.to_string())
        .add_attribute(key::REVISION, revision.to_string())
        .add_attribute(key::EXPIRES_AT, expires_at.to_string());
    if let Some(id) = device {
        event = event.add_attribute(key::DEVICE, id);
    }
    Ok(Response::new().add_event(event))
}
