//! One file a message.

pub mod bond;
pub mod claim_unbonded;
pub mod clear_trust;
pub mod publish_certificate;
pub mod register_provider;
pub mod report_lease;
pub mod revoke_audit;
pub mod revoke_certificate;
pub mod set_trust;
pub mod sign_audit;
pub mod slash;
pub mod touch;
pub mod unbond;
pub mod unregister_provider;
pub mod update_config;
pub mod update_provider;

use crate::{
    error::ContractError,
    state::{Config, PROVIDERS, Provider},
};
use cosmwasm_std::{Addr, Event, Storage};
use ember_types::{
    error::ValidationError,
    events::{self, key},
    standing::MAX_VOUCH_SECS,
};

/// The record of a provider that a message names.
///
/// # Errors
/// When it is not registered.
fn registered(storage: &dyn Storage, address: &Addr) -> Result<Provider, ContractError> {
    PROVIDERS
        .may_load(storage, address)?
        .ok_or_else(|| ContractError::NotRegistered {
            address: address.clone(),
        })
}

/// # Errors
/// When `looked_at` is not the provider's revision, or the end lies behind or too far ahead.
fn vouches(
    provider: &Provider,
    looked_at: u64,
    expires_at: u64,
    now: u64,
) -> Result<(), ContractError> {
    if provider.revision != looked_at {
        return Err(ContractError::StaleRevision {
            expected: provider.revision,
            got: looked_at,
        });
    }
    let longest = now.saturating_add(MAX_VOUCH_SECS);
    if expires_at <= now || expires_at > longest {
        let expected = format!("after {now} and at most {longest}");
        return Err(ValidationError::range("expires_at", expected, expires_at).into());
    }
    Ok(())
}

/// # Errors
/// When the sender may not set trust levels.
fn may_set_trust(config: &Config, sender: &Addr) -> Result<(), ContractError> {
    if *sender == config.authority || config.trust_setters.contains(sender) {
        return Ok(());
    }
    Err(ContractError::Unauthorized {
        expected: format!("the authority {} or a trust setter", config.authority),
        sender: sender.clone(),
    })
}

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
