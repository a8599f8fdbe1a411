//! `ClearTrust`: by the authority or a trust setter.

use super::may_set_trust;
use crate::{
    error::ContractError,
    funds,
    state::{CONFIG, TRUST},
    validate,
};
use cosmwasm_std::{DepsMut, Event, MessageInfo, Response};
use ember_types::events::{self, key};

pub(crate) fn execute(
    deps: DepsMut,
    info: &MessageInfo,
    provider: &str,
    device: Option<String>,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    may_set_trust(&CONFIG.load(deps.storage)?, &info.sender)?;
    let address = validate::address(deps.api, "provider", provider)?;
    let entry = (&address, device.as_deref().unwrap_or_default());
    if !TRUST.has(deps.storage, entry) {
        return Err(ContractError::NoTrust {
            device: device.unwrap_or_else(|| "the provider as a whole".into()),
            provider: address,
        });
    }
    TRUST.remove(deps.storage, entry);
    let mut event = Event::new(events::TRUST)
        .add_attribute(key::ACTION, "clear")
        .add_attribute(key::PROVIDER, &address)
        .add_attribute(key::SIGNER, &info.sender);
    if let Some(id) = device {
        event = event.add_attribute(key::DEVICE, id);
    }
    Ok(Response::new().add_event(event))
}
