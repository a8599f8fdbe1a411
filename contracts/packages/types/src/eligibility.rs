//! Whether a provider can serve what is asked for, and what it lacks when not.

use crate::resources::{Device, VulkanProfile};
use cosmwasm_schema::cw_serde;
use cosmwasm_std::Uint128;
use thiserror::Error;

/// Why a provider cannot serve an order.
#[cw_serde]
#[derive(Eq, Error)]
pub enum Ineligible {
    /// Not in the registry.
    #[error("not a registered provider")]
    NotRegistered {},
    /// Too little bond to bid at all.
    #[error("its bond of {bonded} is below the registry's least bond")]
    MayNotBid {
        /// Micro-units.
        bonded: Uint128,
    },
    /// Too little bond for this order.
    #[error("the order asks for a bond of {expected}, its bond is {bonded}")]
    BondTooSmall {
        /// Micro-units.
        expected: Uint128,
        /// Micro-units.
        bonded: Uint128,
    },
    /// In another region.
    #[error("the order asks for region \"{expected}\", its region is \"{got}\"")]
    Region {
        /// What the order asks for.
        expected: String,
        /// What the provider says; empty when nothing.
        got: String,
    },
    /// It does not offer the assurance.
    #[error("the order asks for assurance \"{expected}\", it offers {offered}")]
    Assurance {
        /// What the order asks for.
        expected: String,
        /// What the provider offers.
        offered: String,
    },
    /// A signer whom the order names has not signed, or the audit has expired or was revoked.
    #[error("the order asks for an audit by {expected}, there is none in force")]
    Audit {
        /// The signer; several when one of them is enough.
        expected: String,
    },
    /// The audits are older than what they should cover.
    #[error(
        "the audits asked for cover {got} of {expected} units: the others changed since, or the region did"
    )]
    Unaudited {
        /// Units.
        expected: u32,
        /// Devices that match and are covered.
        got: u32,
    },
    /// Too few devices are trusted enough.
    #[error("{expected} units of trust level {level} are needed, it has {got}")]
    Trust {
        /// The least level.
        level: u8,
        /// Units.
        expected: u32,
        /// Devices that match and are trusted so far.
        got: u32,
    },
    /// Too few devices that match.
    #[error("{expected} matching devices are needed, it has {got}")]
    Devices {
        /// Units.
        expected: u32,
        /// Matching devices.
        got: u32,
    },
    /// It had a lease of the order, and closed it.
    #[error("it left this order before")]
    Left {},
    /// No device of this id.
    #[error("it has no device \"{id}\"")]
    NoDevice {
        /// The id.
        id: String,
    },
}

impl Ineligible {
    /// One word for the kind of reason, the same whatever the numbers in it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotRegistered {} => "not_registered",
            Self::MayNotBid { .. } => "may_not_bid",
            Self::BondTooSmall { .. } => "bond_too_small",
            Self::Region { .. } => "region",
            Self::Assurance { .. } => "assurance",
            Self::Audit { .. } => "audit",
            Self::Unaudited { .. } => "unaudited",
            Self::Trust { .. } => "trust",
            Self::Devices { .. } => "devices",
            Self::Left {} => "left",
            Self::NoDevice { .. } => "no_device",
        }
    }
}

/// The device that every unit must be like.
#[cw_serde]
pub struct Like {
    /// The provider's name for it; it must have one of this name.
    pub id: String,
    /// What it was when an ask was posted with it; `None` takes what it is now.
    pub kind: Option<Kind>,
}

/// What makes two devices alike.
#[cw_serde]
#[derive(Eq)]
pub struct Kind {
    /// Canonical model id.
    pub model: String,
    /// Device-local memory in MiB.
    pub vram_mib: u32,
    /// The richest profile it passes.
    pub profile: VulkanProfile,
}

impl From<&Device> for Kind {
    fn from(d: &Device) -> Self {
        Self {
            model: d.model.clone(),
            vram_mib: d.vram_mib,
            profile: d.profile,
        }
    }
}

/// Whether a provider can serve.
#[cw_serde]
pub struct CanServeResponse {
    /// Its bond, micro-units.
    pub bonded: Uint128,
    /// The device that was named with [`Like`], as it is now.
    pub device: Option<Device>,
    /// The first thing that it lacks; `None` when it can.
    pub lacks: Option<Ineligible>,
}

/// Which providers a dry run looks at.
#[cw_serde]
#[derive(Copy, Eq)]
pub enum Scope {
    /// All that are registered.
    All,
    /// Those that are bonded, were seen recently and have a device of the model that is asked for.
    Live,
}

/// A reason that stops some providers.
#[cw_serde]
pub struct Stopped {
    /// The kind of reason: [`Ineligible::name`].
    pub reason: String,
    /// How many providers it stops.
    pub providers: u32,
    /// What it says of the first of them.
    pub example: String,
}

/// A dry run over one page of providers.
#[cw_serde]
pub struct FeasibleResponse {
    /// How many were looked at.
    pub looked_at: u32,
    /// How many of them could bid now.
    pub able: u32,
    /// Of those who could: how many were not seen recently.
    pub unseen: u32,
    /// What stops the others, by the kind of reason: the first that each meets.
    pub stopped: Vec<Stopped>,
    /// Go on after this provider; `None` when all were looked at.
    pub next: Option<String>,
}
