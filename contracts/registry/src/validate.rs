//! Forms of what a provider says about itself.

use crate::{
    error::ContractError,
    state::{MAX_ATTRIBUTES, MAX_DEVICES, MAX_MODELS},
};
use cosmwasm_std::{Addr, Api};
use ember_types::{
    assurance::Assurance,
    error::ValidationError,
    registry::Attribute,
    resources::{Device, validate_slug},
};
use std::collections::BTreeSet;

/// The address in a message's field.
///
/// # Errors
/// When it is not one of this chain.
pub fn address(api: &dyn Api, field: &'static str, text: &str) -> Result<Addr, ContractError> {
    api.addr_validate(text)
        .map_err(|_| ValidationError::malformed(field, "an address of this chain", text).into())
}

/// Longest endpoint in bytes.
const MAX_URI: usize = 256;

/// # Errors
/// When `uri` is not `https://host:port` with a name, an IPv4 or a bracketed IPv6 address and a port from 1 to 65535.
pub fn host_uri(uri: &str) -> Result<(), ContractError> {
    if is_host_uri(uri) {
        return Ok(());
    }
    Err(ValidationError::malformed("host_uri", "https://host:port", uri).into())
}

fn is_host_uri(uri: &str) -> bool {
    let Some((host, port)) = uri
        .strip_prefix("https://")
        .filter(|_| uri.len() <= MAX_URI)
        .and_then(|rest| rest.rsplit_once(':'))
    else {
        return false;
    };
    let port_ok = !port.is_empty()
        && port.len() <= 5
        && port.bytes().all(|b| b.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|p| p > 0);
    port_ok && (is_name(host) || is_bracketed_ipv6(host))
}

fn is_name(host: &str) -> bool {
    host.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    })
}

fn is_bracketed_ipv6(host: &str) -> bool {
    host.strip_prefix('[')
        .and_then(|h| h.strip_suffix(']'))
        .is_some_and(|h| h.parse::<std::net::Ipv6Addr>().is_ok())
}

/// The longest unbonding period: a year.
pub const MAX_UNBONDING_SECS: u64 = 365 * 24 * 3_600;

/// # Errors
/// When it is longer than [`MAX_UNBONDING_SECS`].
pub fn unbonding_secs(secs: u64) -> Result<(), ContractError> {
    if secs <= MAX_UNBONDING_SECS {
        return Ok(());
    }
    let expected = format!("0 to {MAX_UNBONDING_SECS}");
    Err(ValidationError::range("unbonding_secs", expected, secs).into())
}

/// # Errors
/// When `text` is empty or longer than 256 bytes.
pub fn text(field: &'static str, text: &str) -> Result<(), ContractError> {
    if (1..=256).contains(&text.len()) {
        return Ok(());
    }
    Err(ValidationError::malformed(field, "1 to 256 bytes", text).into())
}

/// # Errors
/// When there are too many, one is not of its form, or two share an id.
pub fn devices(devices: &[Device]) -> Result<(), ContractError> {
    at_most("devices", MAX_DEVICES, devices.len())?;
    devices.iter().try_for_each(Device::validate)?;
    let models: BTreeSet<_> = devices.iter().map(|d| &d.model).collect();
    at_most("models of devices", MAX_MODELS, models.len())?;
    unique("device", devices.iter().map(|d| d.id.as_str()))
}

/// # Errors
/// When there are too many, one is not of its form, or two share a key.
pub fn attributes(attributes: &[Attribute]) -> Result<(), ContractError> {
    at_most("attributes", MAX_ATTRIBUTES, attributes.len())?;
    for a in attributes {
        validate_slug("attribute.key", &a.key)?;
        if a.value.is_empty() || a.value.len() > 128 {
            return Err(
                ValidationError::malformed("attribute.value", "1 to 128 bytes", &a.value).into(),
            );
        }
    }
    unique("attribute", attributes.iter().map(|a| a.key.as_str()))
}

/// # Errors
/// When one is given twice.
pub fn assurances(offered: &[Assurance]) -> Result<(), ContractError> {
    unique("assurance", offered.iter().map(|a| a.name()))
}

/// The addresses of those who may set trust levels.
///
/// # Errors
/// When there are more than 16, one is not an address, or one is given twice.
pub fn trust_setters(api: &dyn Api, setters: &[String]) -> Result<Vec<Addr>, ContractError> {
    at_most("trust_setters", 16, setters.len())?;
    unique("trust_setter", setters.iter().map(String::as_str))?;
    setters
        .iter()
        .map(|s| address(api, "trust_setters", s))
        .collect()
}

/// # Errors
/// When it is zero or longer than 30 days.
pub fn seen_secs(secs: u64) -> Result<(), ContractError> {
    const MOST: u64 = 30 * 24 * 3_600;
    if (1..=MOST).contains(&secs) {
        return Ok(());
    }
    Err(ValidationError::range("seen_secs", format!("1 to {MOST}"), secs).into())
}

fn at_most(what: &'static str, max: usize, got: usize) -> Result<(), ContractError> {
    if got <= max {
        return Ok(());
    }
    Err(ContractError::TooMany { what, max, got })
}

fn unique<'a>(
    what: &'static str,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), ContractError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(ContractError::Duplicate {
                what,
                name: name.to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_a_host_and_a_port_and_nothing_else() {
        for uri in [
            "https://gpu.example.org:8443",
            "https://127.0.0.1:1",
            "https://[::1]:65535",
            "https://localhost:9000",
        ] {
            assert!(host_uri(uri).is_ok(), "{uri}");
        }
        for uri in [
            "",
            "https://",
            "https://host",
            "https://host:",
            "https://host:0",
            "https://host:65536",
            "https://host:+80",
            "https://host:80/path",
            "https://user@host:80",
            "https://a b:80",
            "https://-a:80",
            "https://a..b:80",
            "https://[::1:80",
            "https://::1:80",
            "http://host:80",
            "HTTPS://host:80",
        ] {
            assert!(host_uri(uri).is_err(), "{uri}");
        }
        assert!(host_uri(&format!("https://{}:1", "a.".repeat(140) + "a")).is_err());
    }
}
