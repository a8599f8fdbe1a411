//! Everything that the registry stores.

use cosmwasm_std::{Addr, Binary, Empty, Timestamp, Uint128};
use cw_storage_plus::{Item, Map};
use ember_types::{
    assurance::Assurance,
    registry::{Attribute, SEEN_SECS, Unbonding},
    resources::Device,
    standing::Reputation,
};
use serde::{Deserialize, Serialize};

/// The configuration, checked.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Config {
    /// Who may change it.
    pub authority: Addr,
    /// The native token.
    pub bond_denom: String,
    /// Seconds.
    pub unbonding_secs: u64,
    /// Micro-units.
    pub min_bond: Uint128,
    /// Where slashed stake goes. Since 0.2.
    pub fee_collector: Option<Addr>,
    /// Who may slash. Since 0.2.
    pub court: Option<Addr>,
    /// Who reports leases. Since 0.2.
    pub market: Option<Addr>,
    /// Who may set trust levels beside the authority. Since 0.2.
    #[serde(default)]
    pub trust_setters: Vec<Addr>,
    /// How long a sign of life lasts. Since 0.2.
    #[serde(default = "seen_secs")]
    pub seen_secs: u64,
}

const fn seen_secs() -> u64 {
    SEEN_SECS
}

/// A registered provider; its bond stands in [`BONDS`].
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Provider {
    /// Its session endpoint.
    pub host_uri: String,
    /// Its devices.
    pub devices: Vec<Device>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// Block time of its registration.
    pub registered_at: Timestamp,
    /// What it offers beyond `none`. Since 0.2.
    #[serde(default)]
    pub assurances: Vec<Assurance>,
    /// Grows with every change of devices or attributes. Since 0.2.
    #[serde(default)]
    pub revision: u64,
    /// The revision at which each device last changed, in the order of `devices`; zero where there is none. Since 0.2.
    #[serde(default)]
    pub device_revisions: Vec<u64>,
    /// The same of each attribute. Since 0.2.
    #[serde(default)]
    pub attribute_revisions: Vec<u64>,
}

impl Provider {
    /// Its devices, each with the revision at which it last changed.
    pub fn devices_since(&self) -> impl Iterator<Item = (&Device, u64)> {
        let since = self.device_revisions.iter().copied();
        self.devices.iter().zip(since.chain(std::iter::repeat(0)))
    }

    /// Its attributes, each with the revision at which it last changed.
    pub fn attributes_since(&self) -> impl Iterator<Item = (&Attribute, u64)> {
        let since = self.attribute_revisions.iter().copied();
        self.attributes
            .iter()
            .zip(since.chain(std::iter::repeat(0)))
    }
}

/// Devices of one model of one provider, and how many of them are leased.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Canonical model id.
    pub model: String,
    /// Devices.
    pub devices: u32,
    /// Of those: leased; zero where only devices are counted.
    pub in_use: u32,
}

/// When a provider was last seen, and what of it is in [`SUPPLY`].
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Presence {
    /// Its last sign of life, unix seconds.
    pub seen_at: u64,
    /// Its key in [`EXPIRES`], while it is counted.
    pub until: Option<u64>,
    /// Its devices by model, ascending.
    pub models: Vec<Tally>,
    /// What was added to [`SUPPLY`] of it; empty while it is not counted.
    pub counted: Vec<Tally>,
}

impl Presence {
    /// Whether its devices count as supply at `now`, unix seconds, whether the hook has come round to it or not.
    pub fn live(&self, now: u64) -> bool {
        self.until.is_some_and(|until| until > now)
    }
}

/// Devices of one model of all providers that are counted.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Default)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Supply {
    /// Providers.
    pub providers: u32,
    /// Devices.
    pub devices: u32,
    /// Of those: leased.
    pub in_use: u32,
}

/// Where the units of a running lease are counted.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Leased {
    /// Who serves.
    pub provider: Addr,
    /// Of which model.
    pub model: String,
    /// How many.
    pub units: u32,
}

/// An audit.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Audit {
    /// What was found.
    pub statement: String,
    /// The provider's revision that it covers.
    pub revision: u64,
    /// Unix seconds.
    pub signed_at: u64,
    /// Unix seconds.
    pub expires_at: u64,
}

/// A trust level.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Trust {
    /// 0 to 4.
    pub level: u8,
    /// The provider's revision that it covers.
    pub revision: u64,
    /// Who set it.
    pub set_by: Addr,
    /// Unix seconds.
    pub set_at: u64,
    /// Unix seconds.
    pub expires_at: u64,
}

/// A published certificate; its key is its fingerprint.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Certificate {
    /// Who published it.
    pub owner: Addr,
    /// SEC1 uncompressed P-256 key.
    pub public_key: Binary,
    /// Unix seconds.
    pub not_before: u64,
    /// Unix seconds.
    pub not_after: u64,
    /// Block time of its revocation.
    pub revoked_at: Option<Timestamp>,
    /// The whole of it.
    pub der: Binary,
}

ember_types::lean!(
    Config,
    Provider,
    Presence,
    Supply,
    Leased,
    Audit,
    Trust,
    Certificate
);

/// The configuration.
pub const CONFIG: Item<Config> = Item::new("config");
/// Providers by account.
pub const PROVIDERS: Map<&Addr, Provider> = Map::new("providers");
/// Bonded micro-units by account.
pub const BONDS: Map<&Addr, Uint128> = Map::new("bonds");
/// What is on its way out, by account, oldest first; at most [`MAX_UNBONDINGS`].
pub const UNBONDINGS: Map<&Addr, Vec<Unbonding>> = Map::new("unbondings");
/// Certificates by fingerprint, lower-case hex.
pub const CERTIFICATES: Map<&str, Certificate> = Map::new("certificates");
/// Fingerprints by owner.
pub const CERTIFICATES_BY_OWNER: Map<(&Addr, &str), Empty> = Map::new("certificates_by_owner");

/// The last revision of providers that left, so that nothing said of them holds when they come back.
pub const LEFT_AT: Map<&Addr, u64> = Map::new("left_at");
/// Registered providers by model of a device of theirs.
pub const BY_MODEL: Map<(&str, &Addr), Empty> = Map::new("by_model");
/// When registered providers were last seen.
pub const PRESENCE: Map<&Addr, Presence> = Map::new("presence");
/// The time index: when providers that are counted cease to be, unix seconds.
pub const EXPIRES: Map<(u64, &Addr), Empty> = Map::new("expires");
/// Devices by model, of providers that are counted.
pub const SUPPLY: Map<&str, Supply> = Map::new("supply");
/// Providers that are counted, by model; and all of them under the empty model.
pub const LIVE: Map<(&str, &Addr), Empty> = Map::new("live");
/// Units leased by provider and model.
pub const IN_USE: Map<(&Addr, &str), u32> = Map::new("in_use");
/// Running leases by id.
pub const LEASED: Map<u64, Leased> = Map::new("leased");
/// Audits by provider and signer.
pub const AUDITS: Map<(&Addr, &Addr), Audit> = Map::new("audits");
/// Audited providers by signer.
pub const AUDITS_BY_SIGNER: Map<(&Addr, &Addr), Empty> = Map::new("audits_by_signer");
/// Trust levels by provider and device; the provider's own under the empty device.
pub const TRUST: Map<(&Addr, &str), Trust> = Map::new("trust");
/// What the market and the court saw, by account.
pub const REPUTATION: Map<&Addr, Reputation> = Map::new("reputation");

/// Most models among the devices of one provider.
pub const MAX_MODELS: usize = 16;
/// Most devices of one provider.
pub const MAX_DEVICES: usize = 256;
/// Most attributes of one provider.
pub const MAX_ATTRIBUTES: usize = 64;
/// Most unbondings of one account that wait at once.
pub const MAX_UNBONDINGS: usize = 32;
