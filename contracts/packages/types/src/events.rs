//! Names of the contracts' events (the chain prefixes each with `wasm-`) and of their attributes. Stable: clients
//! subscribe to them.

/// An order was created.
pub const ORDER_CREATED: &str = "order_created";
/// An order closed.
pub const ORDER_CLOSED: &str = "order_closed";
/// An order opened again: its provider left before the end of term.
pub const ORDER_RELISTED: &str = "order_relisted";
/// A bid was placed.
pub const BID_PLACED: &str = "bid_placed";
/// A provider committed to a sealed bid.
pub const BID_COMMITTED: &str = "bid_committed";
/// A sealed bid was revealed.
pub const BID_REVEALED: &str = "bid_revealed";
/// A bid ended: won, lost, withdrawn, or forfeited because it was never revealed.
pub const BID_ENDED: &str = "bid_ended";
/// An ask entered the book: it was posted, or a lease gave units back to an ask that had none left.
pub const ASK_PLACED: &str = "ask_placed";
/// An ask left the book: withdrawn, or used up until a lease gives units back.
pub const ASK_ENDED: &str = "ask_ended";
/// A lease opened.
pub const LEASE_OPENED: &str = "lease_opened";
/// A lease was suspended: its escrow ran dry.
pub const LEASE_SUSPENDED: &str = "lease_suspended";
/// A lease was revived by a top-up.
pub const LEASE_REVIVED: &str = "lease_revived";
/// A provider gave notice.
pub const LEASE_NOTICE: &str = "lease_notice";
/// A lease closed.
pub const LEASE_CLOSED: &str = "lease_closed";
/// Money moved into, within or out of an escrow account.
pub const ESCROW: &str = "escrow";
/// The fee schedule changed.
pub const FEES_UPDATED: &str = "fees_updated";
/// A provider registered, changed or left.
pub const PROVIDER: &str = "provider";
/// Bonded stake changed.
pub const BOND: &str = "bond";
/// A certificate was published or revoked.
pub const CERTIFICATE: &str = "certificate";

/// The registry's configuration changed.
pub const CONFIG_UPDATED: &str = "config_updated";
/// An audit was signed or revoked.
pub const AUDIT: &str = "audit";
/// A trust level was set or cleared.
pub const TRUST: &str = "trust";
/// No provider who is bonded and was seen recently can serve a new order.
pub const ORDER_INFEASIBLE: &str = "order_infeasible";
/// The registry refused a report of a lease; the lease itself went on.
pub const REPORT_FAILED: &str = "report_failed";

/// Attribute keys.
pub mod key {
    /// What happened, where one event has several causes.
    pub const ACTION: &str = "action";
    /// [`crate::ids::OrderId`].
    pub const ORDER_ID: &str = "order_id";
    /// [`crate::ids::BidId`].
    pub const BID_ID: &str = "bid_id";
    /// [`crate::ids::AskId`].
    pub const ASK_ID: &str = "ask_id";
    /// [`crate::ids::LeaseId`].
    pub const LEASE_ID: &str = "lease_id";
    /// The tenant's address.
    pub const TENANT: &str = "tenant";
    /// The provider's address.
    pub const PROVIDER: &str = "provider";
    /// Pricing mode name.
    pub const MODE: &str = "mode";
    /// Denom.
    pub const DENOM: &str = "denom";
    /// Rate per unit, 10^-6 micro-units a second.
    pub const RATE: &str = "rate";
    /// Number of devices.
    pub const UNITS: &str = "units";
    /// Micro-units.
    pub const AMOUNT: &str = "amount";
    /// Escrow balance before the movement, micro-units.
    pub const BEFORE: &str = "before";
    /// Escrow balance after the movement, micro-units.
    pub const AFTER: &str = "after";
    /// Who put it in.
    pub const DEPOSITOR: &str = "depositor";
    /// Share of what a provider is paid, basis points.
    pub const TAKE_BPS: &str = "take_bps";
    /// Share of every deposit, basis points.
    pub const RESERVATION_BPS: &str = "reservation_bps";
    /// Flat fee of a lease's opening, micro-units.
    pub const SESSION_FEE: &str = "session_fee";
    /// Hash of a sealed bid, lower-case hex.
    pub const COMMITMENT: &str = "commitment";
    /// Who received it.
    pub const RECIPIENT: &str = "recipient";
    /// Why it ended.
    pub const REASON: &str = "reason";
    /// When a provider that gave notice may leave, unix seconds.
    pub const LEAVES_AT: &str = "leaves_at";
    /// Owner of a certificate or bond.
    pub const OWNER: &str = "owner";
    /// Of a slashed amount: what came out of unbondings, micro-units.
    pub const FROM_UNBONDING: &str = "from_unbonding";
    /// Who may change the configuration from now on.
    pub const AUTHORITY: &str = "authority";
    /// Who signed an audit or set a trust level.
    pub const SIGNER: &str = "signer";
    /// A provider's revision.
    pub const REVISION: &str = "revision";
    /// Unix seconds of an end.
    pub const EXPIRES_AT: &str = "expires_at";
    /// A device id.
    pub const DEVICE: &str = "device";
    /// A trust level, 0 to 4.
    pub const LEVEL: &str = "level";
    /// `true` or `false`: whether somebody can serve an order.
    pub const FEASIBLE: &str = "feasible";
    /// SHA-256 of a certificate's DER, lower-case hex.
    pub const FINGERPRINT: &str = "fingerprint";
}
