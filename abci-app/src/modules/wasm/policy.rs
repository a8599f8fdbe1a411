//! Who may do what with codes and contracts: their owners, or governance, which may do everything.

use super::{fail::Res, keeper::Keeper};
use crate::{codec::address, modules::access};
use cosmos_sdk_proto::cosmwasm::wasm::v1::AccessConfig;

/// What the sender of a message may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    /// What the chain's parameters, a code's creator and a contract's admin allow.
    Owner,
    /// That, and instantiating any code.
    Instantiates,
    /// Everything.
    Gov,
}

impl Policy {
    /// Whether `creator` may store a code that `permission` may instantiate.
    pub fn may_create(
        self,
        upload: &AccessConfig,
        default: &AccessConfig,
        creator: &str,
        permission: &AccessConfig,
    ) -> bool {
        self == Self::Gov
            || access::allows(upload, creator) && access::is_subset(permission, default)
    }

    /// Whether `sender` may make contracts of a code, or migrate them to it.
    pub fn may_instantiate(self, permission: Option<&AccessConfig>, sender: &str) -> bool {
        self != Self::Owner || permission.is_some_and(|p| access::allows(p, sender))
    }

    /// Whether `sender` may change a contract.
    pub fn may_modify(self, admin: Option<&[u8]>, sender: &[u8]) -> bool {
        self == Self::Gov || admin == Some(sender)
    }

    /// Whether `sender` may change who instantiates a code.
    pub fn may_configure(self, creator: &[u8], sender: &[u8], narrower: bool) -> bool {
        self == Self::Gov || creator == sender && narrower
    }

    /// The policy of messages of a contract that was instantiated under this one.
    pub fn of_instantiated(self) -> Self {
        match self {
            Self::Owner => Self::Owner,
            Self::Instantiates | Self::Gov => Self::Instantiates,
        }
    }

    /// The policy of messages of a contract that was migrated under this one.
    pub fn of_migrated(self) -> Self {
        match self {
            Self::Owner | Self::Gov => Self::Owner,
            Self::Instantiates => Self::Instantiates,
        }
    }
}

/// The account that is governance.
pub(super) fn gov() -> Vec<u8> {
    address::module("gov")
}

impl Keeper {
    /// Checks a permission that a message sets.
    ///
    /// # Errors
    /// wasm/12, /14, /15, sdk/7, sdk/18.
    pub fn check_access(&self, permission: &AccessConfig) -> Res<()> {
        Ok(access::validate(permission, |a| {
            Ok(self.addr(a).map(drop)?)
        })?)
    }

    /// What `sender` may do here.
    pub fn policy(&self, sender: &[u8]) -> Policy {
        if sender == gov() {
            Policy::Gov
        } else if self.ctx.may_instantiate {
            Policy::Instantiates
        } else {
            Policy::Owner
        }
    }

    /// The module at work below a contract: its messages are of `policy`.
    pub fn below(&self, policy: Policy) -> Self {
        let mut below = self.clone();
        below.ctx.may_instantiate = policy == Policy::Instantiates;
        below
    }
}
