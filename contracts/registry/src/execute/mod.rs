//! One file a message.

pub mod bond;
pub mod claim_unbonded;
pub mod publish_certificate;
pub mod register_provider;
pub mod revoke_certificate;
pub mod slash;
pub mod unbond;
pub mod unregister_provider;
pub mod update_config;
pub mod update_provider;

use crate::error::ContractError;
use cosmwasm_std::{Addr, Event};
use ember_types::events::{self, key};

/// # Errors
/// When `sender` is not `expected`.
fn only(what: &str, expected: &Addr, sender: &Addr) -> Result<(), ContractError> {
    if sender == expected {
        return Ok(());
    }
    Err(ContractError::Unauthorized {
        expected: format!("{what} {expected}"),
        sender: sender.clone(),
    })
}

fn provider_event(action: &str, provider: &Addr) -> Event {
    Event::new(events::PROVIDER)
        .add_attribute(key::ACTION, action)
        .add_attribute(key::PROVIDER, provider)
}

fn certificate_event(action: &str, owner: &Addr, fingerprint: &str) -> Event {
    Event::new(events::CERTIFICATE)
        .add_attribute(key::ACTION, action)
        .add_attribute(key::OWNER, owner)
        .add_attribute(key::FINGERPRINT, fingerprint)
}
