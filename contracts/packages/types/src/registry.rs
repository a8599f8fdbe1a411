//! Messages of the `registry` contract: providers, bonds, certificates, audits, trust, supply.

use crate::{
    assurance::Assurance,
    eligibility::{Like, Scope},
    ids::LeaseId,
    resources::{Device, ResourceSpec},
    standing::LeaseReport,
};
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
    /// The one contract that reports leases.
    pub market: Option<String>,
    /// Who may set trust levels, beside the authority; at most 16.
    #[serde(default)]
    pub trust_setters: Vec<String>,
    /// A provider's devices count as supply this many seconds after its last sign of life; [`SEEN_SECS`] when absent.
    pub seen_secs: Option<u64>,
}

/// Three hours: an hourly heartbeat may be missed twice.
pub const SEEN_SECS: u64 = 3 * 3_600;

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
        /// What it offers beyond `none`, each once.
        #[serde(default)]
        assurances: Vec<Assurance>,
    },
    /// Change what is given. By the provider.
    UpdateProvider {
        /// New endpoint.
        host_uri: Option<String>,
        /// New list of devices.
        devices: Option<Vec<Device>>,
        /// New list of attributes.
        attributes: Option<Vec<Attribute>>,
        /// New list of what it offers.
        assurances: Option<Vec<Assurance>>,
    },
    /// Say that one is there: its devices count as supply for some hours more. By the provider, about once an hour;
    /// registering, updating and bonding say so too.
    Touch {},
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
    /// Vouch for a provider's devices and attributes as they stand at `revision`. Replaces one's earlier audit of it. By
    /// anyone but the provider.
    SignAudit {
        /// Whom.
        provider: String,
        /// The provider's revision that was looked at; refused when it is not that any more.
        revision: u64,
        /// What was found, 1 to 256 bytes.
        statement: String,
        /// Unix seconds; at most 366 days ahead.
        expires_at: u64,
    },
    /// Take one's audit back. By its signer.
    RevokeAudit {
        /// Whom it is about.
        provider: String,
    },
    /// Set the trust level of a provider or of one device. By the authority or a trust setter.
    SetTrust {
        /// Whose.
        provider: String,
        /// One device; `None` for all that have no level of their own.
        device: Option<String>,
        /// 0 to 4.
        level: u8,
        /// The provider's revision that was looked at; refused when it is not that any more.
        revision: u64,
        /// Unix seconds; at most 366 days ahead.
        expires_at: u64,
    },
    /// Take a trust level away. By the authority or a trust setter.
    ClearTrust {
        /// Whose.
        provider: String,
        /// One device; `None` for the provider's own.
        device: Option<String>,
    },
    /// What happened to a lease. By the market.
    ReportLease {
        /// Which.
        lease_id: LeaseId,
        /// Whose.
        provider: String,
        /// What.
        report: LeaseReport,
    },
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
    /// The one contract that reports leases.
    pub market: Option<String>,
    /// Who may set trust levels: the whole list anew.
    pub trust_setters: Option<Vec<String>>,
    /// How long a sign of life lasts, seconds; for each provider from its next one.
    pub seen_secs: Option<u64>,
}

/// Data of a `Slash`.
#[cw_serde]
pub struct SlashResponse {
    /// Micro-units taken from the bond.
    pub from_bond: Uint128,
    /// Micro-units taken from what was unbonding.
    pub from_unbonding: Uint128,
}

/// What anyone may read. Lists run upwards by their key unless `descending`; `start_after` continues in that direction.
/// `limit` is 30 when absent, 1 to 100. Filters are combined. One that no index serves looks at 500 rows a query: such a
/// page may hold fewer than `limit` entries, or none, and its `next` still says where to go on.
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
    /// Providers by address.
    #[returns(ProvidersResponse)]
    Providers {
        /// Only those with a device of this model.
        model: Option<String>,
        /// Only those whose devices count, or do not count, as supply now: bonded and seen recently. No index for those
        /// that do not.
        live: Option<bool>,
        /// Continue after this address.
        start_after: Option<String>,
        /// Page size.
        limit: Option<u32>,
        /// From the last to the first.
        descending: Option<bool>,
    },
    /// One certificate.
    #[returns(CertificateResponse)]
    Certificate {
        /// SHA-256 of its DER, lower-case hex.
        fingerprint: String,
    },
    /// Certificates by fingerprint.
    #[returns(CertificatesResponse)]
    Certificates {
        /// Only this account's.
        owner: Option<String>,
        /// Only those that are, or are not, in force now: within their dates and not revoked. No index.
        in_force: Option<bool>,
        /// Continue after this fingerprint.
        start_after: Option<String>,
        /// Page size.
        limit: Option<u32>,
        /// From the last to the first.
        descending: Option<bool>,
    },
    /// What an account has bonded and is unbonding.
    #[returns(BondResponse)]
    Bond {
        /// The account.
        address: String,
    },
    /// Audits by provider and signer.
    #[returns(crate::standing::AuditsResponse)]
    Audits {
        /// Only of this provider.
        provider: Option<String>,
        /// Only by this signer.
        signer: Option<String>,
        /// Only those that have not expired, or have. No index.
        in_force: Option<bool>,
        /// Continue after this provider and signer.
        start_after: Option<(String, String)>,
        /// Page size.
        limit: Option<u32>,
        /// From the last to the first.
        descending: Option<bool>,
    },
    /// Trust levels of one provider by device, its own first.
    #[returns(crate::standing::TrustsResponse)]
    Trust {
        /// Whose.
        provider: String,
        /// Only those that have not expired, or have. No index.
        in_force: Option<bool>,
        /// Continue after this device; empty after the provider's own level.
        start_after: Option<String>,
        /// Page size.
        limit: Option<u32>,
        /// From the last to the first.
        descending: Option<bool>,
    },
    /// What the market and the court saw of an account.
    #[returns(crate::standing::Reputation)]
    Reputation {
        /// The account.
        address: String,
    },
    /// Devices by model, of providers who are bonded and were seen recently.
    #[returns(crate::supply::SupplyResponse)]
    Supply {
        /// Only this model.
        model: Option<String>,
        /// Continue after this model.
        start_after: Option<String>,
        /// Page size.
        limit: Option<u32>,
        /// From the last to the first.
        descending: Option<bool>,
    },
    /// Whether a provider can serve, and the first thing that it lacks when not.
    #[returns(crate::eligibility::CanServeResponse)]
    CanServe {
        /// Who.
        provider: String,
        /// What.
        resources: ResourceSpec,
        /// Every unit must be like this device.
        like: Option<Like>,
    },
    /// A dry run: how many providers could bid, and what stops the others, a page at a time.
    #[returns(crate::eligibility::FeasibleResponse)]
    Feasible {
        /// What.
        resources: ResourceSpec,
        /// Who is looked at.
        scope: Scope,
        /// Continue after this provider.
        start_after: Option<String>,
        /// Page size.
        limit: Option<u32>,
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
    /// What it offers beyond `none`.
    pub assurances: Vec<Assurance>,
    /// Grows with every change of its devices or attributes; audits and trust levels name it.
    pub revision: u64,
    /// Trust level of the provider as a whole, 0 to 4; zero once it expired.
    pub trust: u8,
    /// Block time of its last sign of life.
    pub seen_at: Timestamp,
    /// Whether its devices count as supply now: bonded and seen recently.
    pub live: bool,
}

/// A page of providers.
#[cw_serde]
pub struct ProvidersResponse {
    /// By address, in the direction asked for.
    pub providers: Vec<ProviderResponse>,
    /// Continue after this address; none at the end of the list.
    pub next: Option<String>,
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
    /// By fingerprint, in the direction asked for.
    pub certificates: Vec<CertificateResponse>,
    /// Continue after this fingerprint; none at the end of the list.
    pub next: Option<String>,
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
