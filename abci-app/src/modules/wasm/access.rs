//! Who may store, instantiate and change code and contracts.

use super::fail::{Code, Fail, Res};
use cosmos_sdk_proto::cosmwasm::wasm::v1::{AccessConfig, AccessType};

/// The permission as wasmd knows it; `Unspecified` for what it does not.
pub(super) fn kind(permission: i32) -> AccessType {
    AccessType::try_from(permission).unwrap_or(AccessType::Unspecified)
}

/// The default for a code whose creator said nothing.
pub(super) fn default_for(permission: i32, creator: &str) -> AccessConfig {
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
pub(super) fn allows(config: &AccessConfig, actor: &str) -> bool {
    match kind(config.permission) {
        AccessType::Everybody => true,
        AccessType::AnyOfAddresses => config.addresses.iter().any(|a| a == actor),
        _ => false,
    }
}

/// Whether `a` lets in nobody whom `of` does not.
pub(super) fn is_subset(a: &AccessConfig, of: &AccessConfig) -> bool {
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

/// Check what a message sets.
///
/// # Errors
/// wasm/12, wasm/14.
pub(super) fn validate(config: &AccessConfig) -> Res<()> {
    match kind(config.permission) {
        AccessType::Unspecified => Err(Fail::new(
            Code::Invalid,
            format_args!("permission: got {}", config.permission),
        )),
        AccessType::AnyOfAddresses if config.addresses.is_empty() => {
            Err(Fail::new(Code::Empty, "addresses"))
        }
        AccessType::Nobody | AccessType::Everybody if !config.addresses.is_empty() => Err(
            Fail::new(Code::Invalid, "address not allowed for this type"),
        ),
        _ => Ok(()),
    }
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
        assert!(validate(&cfg(AccessType::AnyOfAddresses, &[])).is_err());
        assert!(
            validate(&AccessConfig {
                permission: 2,
                addresses: vec![]
            })
            .is_err()
        );
    }
}
