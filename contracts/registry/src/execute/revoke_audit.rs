//! `RevokeAudit`: by its signer.

use crate::{
    error::ContractError,
    funds,
    state::{AUDITS, AUDITS_BY_SIGNER},
    validate,
};
use cosmwasm_std::{DepsMut, Event, MessageInfo, Response};
use ember_types::events::{self, key};

pub(crate) fn execute(
    deps: DepsMut,
    info: &MessageInfo,
    provider: &str,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let (address, signer) = (
        validate::address(deps.api, "provider", provider)?,
        &info.sender,
    );
    if !AUDITS.has(deps.storage, (&address, signer)) {
        return Err(ContractError::NoAudit {
            provider: address,
            signer: signer.clone(),
        });
    }
    AUDITS.remove(deps.storage, (&address, signer));
    AUDITS_BY_SIGNER.remove(deps.storage, (signer, &address));
    Ok(Response::new().add_event(
        Event::new(events::AUDIT)
            .add_attribute(key::ACTION, "revoke")
            .add_attribute(key::PROVIDER, address)
            .add_attribute(key::SIGNER, signer),
    ))
}
