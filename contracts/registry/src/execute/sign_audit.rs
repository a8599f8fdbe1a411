//! `SignAudit`: by anyone, about anyone else.

use super::{registered, vouches};
use crate::{
    error::ContractError,
    funds,
    state::{AUDITS, AUDITS_BY_SIGNER, Audit},
    validate,
};
use cosmwasm_std::{DepsMut, Empty, Env, Event, MessageInfo, Response};
use ember_types::events::{self, key};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    provider: &str,
    revision: u64,
    statement: String,
    expires_at: u64,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let address = validate::address(deps.api, "provider", provider)?;
    if address == info.sender {
        return Err(ContractError::OwnAudit { address });
    }
    validate::text("statement", &statement)?;
    let now = env.block.time.seconds();
    vouches(
        &registered(deps.storage, &address)?,
        revision,
        expires_at,
        now,
    )?;
    let signer = &info.sender;
    AUDITS.save(
        deps.storage,
        (&address, signer),
        &Audit {
            statement,
            revision,
            signed_at: now,
            expires_at,
        },
    )?;
    AUDITS_BY_SIGNER.save(deps.storage, (signer, &address), &Empty {})?;
    Ok(Response::new().add_event(
        Event::new(events::AUDIT)
            .add_attribute(key::ACTION, "sign")
            .add_attribute(key::PROVIDER, address)
            .add_attribute(key::SIGNER, signer)
            .add_attribute(key::REVISION, revision.to_string())
            .add_attribute(key::EXPIRES_AT, expires_at.to_string()),
    ))
}
