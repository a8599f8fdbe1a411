//! Who may store and instantiate code: wasmd's rules, for the contracts and for grants of them.

use crate::error::{AppError, Result};
use cosmos_sdk_proto::cosmwasm::wasm::v1::{AccessConfig, AccessType};
use std::collections::BTreeSet;

/// The largest code, packed or not, bytes.
pub const MAX_WASM: usize = 800 * 1024;
/// The most addresses of one list.
const MAX_ADDRESSES: usize = 50;

fn wasm(code: u32, log: &str) -> AppError {
    AppError::new("wasm", code, log)
}

fn wrap(context: &str, e: AppError) -> AppError {
    AppError {
        log: format!("{context}: {}", e.log),
        ..e
    }
}

/// The permission as wasmd knows it; `Unspecified` for what it does not.
pub fn kind(permission: i32) -> AccessType {
    AccessType::try_from(permission).unwrap_or(AccessType::Unspecified)
}

/// The default for a code whose creator said nothing.
pub fn default_for(permission: i32, creator: &str) -> AccessConfig {
    let addresses = match kind(permission) {
        AccessType::AnyOfAddresses => vec![creator.to_owned()],
        _ => Vec::new(),
    };
    AccessConfig {
        permission,
        addresses,
    }
}

/// Whether `actor` is let in.
pub fn allows(config: &AccessConfig, actor: &str) -> bool {
    match kind(config.permission) {
        AccessType::Everybody => true,
        AccessType::AnyOfAddresses => config.addresses.iter().any(|a| a == actor),
        _ => false,
    }
}

/// Whether `a` lets in nobody whom `of` does not.
pub fn is_subset(a: &AccessConfig, of: &AccessConfig) -> bool {
    let own = kind(a.permission);
    match kind(of.permission) {
        AccessType::Everybody => own != AccessType::Unspecified,
        AccessType::Nobody => own == AccessType::Nobody,
        AccessType::AnyOfAddresses => {
            own == AccessType::Nobody
                || own == AccessType::AnyOfAddresses
                    && a.addresses.iter().all(|x| of.addresses.contains(x))
        }
        _ => false,
    }
}

/// Whether the kind `a` is at least as narrow as `of`, whatever their addresses.
pub fn is_narrower(a: i32, of: i32) -> bool {
    let own = kind(a);
    match kind(of) {
        AccessType::Everybody => own != AccessType::Unspecified,
        AccessType::Nobody => own == AccessType::Nobody,
        AccessType::AnyOfAddresses => {
            matches!(own, AccessType::Nobody | AccessType::AnyOfAddresses)
        }
        _ => false,
    }
}

/// Check what a message sets.
///
/// # Errors
/// wasm/12, /14, /15; sdk/18 for too many addresses, and those of `addr` for one that is none.
pub fn validate(config: &AccessConfig, addr: impl Fn(&str) -> Result<()>) -> Result<()> {
    match known(config.permission)? {
        AccessType::AnyOfAddresses => {
            check_addresses(&config.addresses, addr).map_err(|e| wrap("addresses", e))
        }
        _ => Ok(()),
    }
}

/// Check a kind of permission.
///
/// # Errors
/// wasm/12, wasm/14.
pub fn known(permission: i32) -> Result<AccessType> {
    match kind(permission) {
        AccessType::Unspecified if permission == 0 => Err(wasm(12, "type: empty")),
        AccessType::Unspecified => Err(wasm(14, "unknown type: \"Unspecified\": invalid")),
        kind => Ok(kind),
    }
}

/// Check a list of addresses: some, not too many, each once.
///
/// # Errors
/// wasm/12, /15, sdk/18, and those of `addr`.
pub fn check_addresses(addresses: &[String], addr: impl Fn(&str) -> Result<()>) -> Result<()> {
    if addresses.is_empty() {
        return Err(wasm(12, "addresses: empty"));
    }
    if addresses.len() > MAX_ADDRESSES {
        return Err(AppError::invalid_request(format_args!(
            "total number of addresses is greater than {MAX_ADDRESSES}"
        )));
    }
    let mut seen = BTreeSet::new();
    for a in addresses {
        addr(a).map_err(|e| wrap(&format!("address: {a}"), e))?;
        if !seen.insert(a.to_uppercase()) {
            return Err(wasm(15, "duplicate addresses: duplicate"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cfg(t: AccessType, a: &[&str]) -> AccessConfig {
        AccessConfig {
            permission: t as i32,
            addresses: a.iter().map(|s| (*s).into()).collect(),
        }
    }

    #[test]
    fn rules() {
        let (all, none) = (
            cfg(AccessType::Everybody, &[]),
            cfg(AccessType::Nobody, &[]),
        );
        let (ab, a) = (
            cfg(AccessType::AnyOfAddresses, &["a", "b"]),
            cfg(AccessType::AnyOfAddresses, &["a"]),
        );
        assert!(allows(&all, "x") && !allows(&none, "x") && allows(&ab, "b") && !allows(&a, "b"));
        assert!(
            is_subset(&a, &ab)
                && !is_subset(&ab, &a)
                && is_subset(&ab, &all)
                && !is_subset(&all, &ab)
        );
        assert!(is_subset(&none, &none) && is_subset(&none, &a) && !is_subset(&a, &none));
    }

    #[test]
    fn what_a_message_sets_is_checked() {
        let check = |c: &AccessConfig| {
            let addr = |a: &str| match a {
                "bad" => Err(AppError::invalid_address(a)),
                _ => Ok(()),
            };
            validate(c, addr).map_err(|e| e.log)
        };
        let any = |a: &[&str]| check(&cfg(AccessType::AnyOfAddresses, a));
        assert_eq!(check(&cfg(AccessType::Nobody, &[])), Ok(()));
        assert_eq!(any(&["a", "b"]), Ok(()));
        assert_eq!(any(&[]).unwrap_err(), "addresses: addresses: empty");
        assert_eq!(
            any(&["bad"]).unwrap_err(),
            "addresses: address: bad: bad: invalid address"
        );
        assert_eq!(
            any(&["a", "A"]).unwrap_err(),
            "addresses: duplicate addresses: duplicate"
        );
        let many: Vec<String> = (0..51).map(|i| i.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(any(&many[..50]), Ok(()));
        assert!(any(&many).unwrap_err().contains("greater than 50"));
        let of = |permission| {
            check(&AccessConfig {
                permission,
                addresses: vec![],
            })
            .unwrap_err()
        };
        assert_eq!(of(0), "type: empty");
        assert_eq!(of(2), "unknown type: \"Unspecified\": invalid");
    }
}
