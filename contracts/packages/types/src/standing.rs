//! What others say about a provider: audits, trust, and what the market saw of it.

use crate::lease::CloseReason;
use cosmwasm_schema::cw_serde;
use cosmwasm_std::{Addr, Timestamp};

/// Longest life of an audit or a trust level, in seconds: 366 days.
pub const MAX_VOUCH_SECS: u64 = 366 * 24 * 3_600;

/// An audit: a signer vouches for a provider's devices and attributes as they stood at a revision.
#[cw_serde]
pub struct AuditResponse {
    /// Whom it is about.
    pub provider: Addr,
    /// Who vouches.
    pub signer: Addr,
    /// What the signer says was found.
    pub statement: String,
    /// The provider's revision that was looked at: what changed later is not covered.
    pub revision: u64,
    /// Block time of its signing.
    pub signed_at: Timestamp,
    /// Block time of its end.
    pub expires_at: Timestamp,
}

/// A page of audits.
#[cw_serde]
pub struct AuditsResponse {
    /// By provider, then signer, in the direction asked for.
    pub audits: Vec<AuditResponse>,
    /// Continue after this provider and signer; none at the end of the list.
    pub next: Option<(String, String)>,
}

/// A trust level.
#[cw_serde]
pub struct TrustResponse {
    /// The device; `None` for the provider as a whole, which stands for each device that has no level of its own.
    pub device: Option<String>,
    /// 0 to 4.
    pub level: u8,
    /// The provider's revision that was looked at: a device that changed later is not covered.
    pub revision: u64,
    /// Who set it.
    pub set_by: Addr,
    /// Block time.
    pub set_at: Timestamp,
    /// Block time of its end.
    pub expires_at: Timestamp,
}

/// The trust levels of a provider.
#[cw_serde]
pub struct TrustsResponse {
    /// The provider's own first, then by device id; or the other way round.
    pub levels: Vec<TrustResponse>,
    /// Continue after this device, empty after the provider's own level; none at the end of the list.
    pub next: Option<String>,
}

/// What the market, and the court, saw of a provider. Never deleted, not even when the provider leaves.
#[cw_serde]
#[derive(Default)]
pub struct Reputation {
    /// Leases opened.
    pub opened: u64,
    /// Leases that ran to the end of their term.
    pub completed: u64,
    /// Leases that the provider closed.
    pub closed_by_provider: u64,
    /// Leases that it left early with the notice that the order asked for.
    #[serde(default)]
    pub left_with_notice: u64,
    /// Leases that the tenant closed.
    pub closed_by_tenant: u64,
    /// Leases whose funds ran out.
    pub exhausted: u64,
    /// Leases that ended because another of the same cluster did.
    #[serde(default)]
    pub ended_with_cluster: u64,
    /// Seconds that were paid, over all leases.
    pub paid_secs: u64,
    /// Disputes lost: each slash is one.
    pub disputes_lost: u64,
}

/// What the market tells the registry of a lease.
#[cw_serde]
pub enum LeaseReport {
    /// It opened.
    Opened {
        /// Units leased.
        units: u32,
        /// The model that they are of, as far as the order says; else they are counted where most are free.
        model: Option<String>,
    },
    /// It ended.
    Ended {
        /// Why.
        reason: CloseReason,
        /// Seconds that were paid.
        paid_secs: u64,
    },
}
