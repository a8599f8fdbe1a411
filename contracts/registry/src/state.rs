//! Everything that the registry stores.

use cosmwasm_schema::cw_serde;
use cosmwasm_std::{Addr, Binary, Empty, Timestamp, Uint128};
use cw_storage_plus::{Item, Map};
use ember_types::{
    registry::{Attribute, Unbonding},
    resources::Device,
};

/// The configuration, checked.
#[cw_serde]
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
}

/// A registered provider; its bond stands in [`BONDS`].
#[cw_serde]
pub struct Provider {
    /// Its session endpoint.
    pub host_uri: String,
    /// Its devices.
    pub devices: Vec<Device>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// Block time of its registration.
    pub registered_at: Timestamp,
}

/// A published certificate; its key is its fingerprint.
#[cw_serde]
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

/// Most devices of one provider.
pub const MAX_DEVICES: usize = 256;
/// Most attributes of one provider.
pub const MAX_ATTRIBUTES: usize = 64;
/// Most unbondings of one account that wait at once.
pub const MAX_UNBONDINGS: usize = 32;
