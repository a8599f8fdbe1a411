//! Messages of the `registry` contract: providers, bonds, certificates.

use crate::resources::Device;
use cosmwasm_schema::{QueryResponses, cw_serde};
use cosmwasm_std::{Addr, Binary, Timestamp, Uint128};

/// Set up the contract.
#[cw_serde]
pub struct InstantiateMsg {
    /// Who may change the configuration: the governance module's account.
    pub authority: String,
    /// The native token that bonds are made in.
    pub bond_denom: String,
    /// Seconds between an unbonding and its release.
    pub unbonding_secs: u64,
    /// Least bond of a registered provider, micro-units; less cannot bid.
    pub min_bond: Uint128,
    /// Where slashed stake goes: the chain's fee collector. Without one nothing can be slashed.
    pub fee_collector: Option<String>,
    /// The one contract that may slash.
    pub court: Option<String>,
}

/// Upgrade from the previous stored version.
#[cw_serde]
pub struct MigrateMsg {}

/// A free-form property of a provider. `region` is one that orders match on.
#[cw_serde]
pub struct Attribute {
    /// `[a-z0-9-]{1,32}`, unique within the provider.
    pub key: String,
    /// 1 to 128 bytes.
    pub value: String,
}

/// What an account may ask of the registry.
#[cw_serde]
pub enum ExecuteMsg {
    /// Become a provider. Funds: an optional first bond in the native token.
    RegisterProvider {
        /// `https://host:port` of the provider's session endpoint.
        host_uri: String,
        /// 0 to 256 devices.
        devices: Vec<Device>,
        /// 0 to 64 attributes.
        attributes: Vec<Attribute>,
    },
    /// Change what is given. By the provider.
    UpdateProvider {
        /// New endpoint.
        host_uri: Option<String>,
        /// New list of devices.
        devices: Option<Vec<Device>>,
        /// New list of attributes.
        attributes: Option<Vec<Attribute>>,
    },
    /// Leave. Starts the unbonding of the whole bond. By the provider.
    UnregisterProvider {},
    /// Add the sent native tokens to the bond. By a registered provider.
    Bond {},
    /// Start to take `amount` out of the bond; it stops counting at once and is released after the unbonding period.
    Unbond {
        /// Micro-units.
        amount: Uint128,
    },
    /// Pay out every unbonding whose time has come. By its owner.
    ClaimUnbonded {},
    /// Take stake away for ever: from the bond first, then from what is unbonding, the first to be released first. What
    /// is released already is its owner's and stays. Takes all there is when that is less than `amount`, and answers
    /// [`SlashResponse`]. By the court.
    Slash {
        /// Whose stake.
        owner: String,
        /// Micro-units.
        amount: Uint128,
        /// Why, 1 to 256 bytes; it stands in the event.
        reason: String,
    },
    /// Change what is given. By the authority.
    UpdateConfig(ConfigUpdate),
    /// Publish an X.509 certificate: ECDSA P-256, self-signed, CN = the sender's address, at most a year.
    PublishCertificate {
        /// The certificate, DER.
        der: Binary,
    },
    /// Revoke one for ever. By its owner.
    RevokeCertificate {
        /// SHA-256 of its DER, lower-case hex.
        fingerprint: String,
    },
}

/// What is not given stays as it is.
#[cw_serde]
#[derive(Default)]
pub struct ConfigUpdate {
    /// Hand the configuration over.
    pub authority: Option<String>,
    /// Seconds of unbondings that start from now on; those under way keep their time.
    pub unbonding_secs: Option<u64>,
    /// Least bond of a provider, micro-units.
    pub min_bond: Option<Uint128>,
    /// Where slashed stake goes.
    pub fee_collector: Option<String>,
    /// The one contract that may slash.
    pub court: Option<String>,
}

/// Data of a `Slash`.
#[cw_serde]
pub struct SlashResponse {
    /// Micro-units taken from the bond.
    pub from_bond: Uint128,
    /// Micro-units taken from what was unbonding.
    pub from_unbonding: Uint128,
}

/// What anyone may read.
#[cw_serde]
#[derive(QueryResponses)]
pub enum QueryMsg {
    /// The configuration.
    #[returns(InstantiateMsg)]
    Config {},
    /// One provider.
    #[returns(ProviderResponse)]
    Provider {
        /// Its account.
        address: String,
    },
    /// Providers by address, ascending.
    #[returns(ProvidersResponse)]
    Providers {
        /// Continue after this address.
        start_after: Option<String>,
        /// At most this many; 30 when absent, 100 at most.
        limit: Option<u32>,
    },
    /// One certificate.
    #[returns(CertificateResponse)]
    Certificate {
        /// SHA-256 of its DER, lower-case hex.
        fingerprint: String,
    },
    /// Certificates of one owner by fingerprint, ascending.
    #[returns(CertificatesResponse)]
    Certificates {
        /// The owner's account.
        owner: String,
        /// Continue after this fingerprint.
        start_after: Option<String>,
        /// At most this many; 30 when absent, 100 at most.
        limit: Option<u32>,
    },
    /// What an account has bonded and is unbonding.
    #[returns(BondResponse)]
    Bond {
        /// The account.
        address: String,
    },
}

/// A provider.
#[cw_serde]
pub struct ProviderResponse {
    /// Its account.
    pub address: Addr,
    /// Its session endpoint.
    pub host_uri: String,
    /// Its devices.
    pub devices: Vec<Device>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// Bonded native micro-units.
    pub bonded: Uint128,
    /// Whether the bond reaches the least bond, so that it may bid.
    pub may_bid: bool,
    /// Block time of its registration.
    pub registered_at: Timestamp,
}

/// A page of providers.
#[cw_serde]
pub struct ProvidersResponse {
    /// Ascending by address.
    pub providers: Vec<ProviderResponse>,
}

/// A certificate.
#[cw_serde]
pub struct CertificateResponse {
    /// The account that published it, and its CN.
    pub owner: Addr,
    /// SHA-256 of the DER, lower-case hex.
    pub fingerprint: String,
    /// SEC1 uncompressed P-256 public key.
    pub public_key: Binary,
    /// Unix seconds.
    pub not_before: u64,
    /// Unix seconds.
    pub not_after: u64,
    /// Block time of its revocation.
    pub revoked_at: Option<Timestamp>,
    /// The certificate, DER.
    pub der: Binary,
}

/// A page of certificates.
#[cw_serde]
pub struct CertificatesResponse {
    /// Ascending by fingerprint.
    pub certificates: Vec<CertificateResponse>,
}

/// One unbonding.
#[cw_serde]
pub struct Unbonding {
    /// Micro-units.
    pub amount: Uint128,
    /// Block time from which it can be claimed.
    pub release_at: Timestamp,
}

/// What an account has bonded.
#[cw_serde]
pub struct BondResponse {
    /// Native micro-units that count.
    pub bonded: Uint128,
    /// On the way out, oldest first.
    pub unbonding: Vec<Unbonding>,
}
