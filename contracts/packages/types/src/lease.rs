//! Order, bid and lease states, and the steps that are legal.
//!
//! ```text
//! order:  open ──match──> leased ──leases end─> closed
//!           │ └──────<── relist ──┘               │
//!           └──close, expiry──────────────────────┘
//! bid:    open ──wins──> won      open ──other wins, withdrawn, order closed──> lost | withdrawn
//!         sealed ──revealed──> open      sealed ──never revealed──> forfeited
//! lease:  active ──funds run dry──> suspended ──top-up──> active
//!           └────close, end of term────┴──grace over, close──> closed
//! ```

use cosmwasm_schema::cw_serde;

/// State of an order.
#[cw_serde]
#[derive(Copy, Eq)]
pub enum OrderState {
    /// Waits for a match.
    Open,
    /// Matched; a lease of it is active or suspended.
    Leased,
    /// Over: its escrow is paid out.
    Closed,
}

/// State of a bid.
#[cw_serde]
#[derive(Copy, Eq)]
pub enum BidState {
    /// May win.
    Open,
    /// Won the order.
    Won,
    /// Another won, or the order closed.
    Lost,
    /// Taken back by its provider.
    Withdrawn,
    /// A commitment that is not revealed yet.
    Sealed,
    /// Never revealed: its deposit went to the fee collector.
    Forfeited,
}

/// State of a lease.
#[cw_serde]
#[derive(Copy, Eq)]
pub enum LeaseState {
    /// The rate accrues and sessions are served.
    Active,
    /// Escrow ran dry; nothing accrues, no session is served; a top-up within the grace window revives it.
    Suspended,
    /// Over.
    Closed,
}

impl LeaseState {
    /// Whether a lease may step from `self` to `next`.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Active, Self::Suspended | Self::Closed)
                | (Self::Suspended, Self::Active | Self::Closed)
        )
    }
}

/// Why a lease ended. Closed list: clients match on it.
#[cw_serde]
#[derive(Copy, Eq)]
pub enum CloseReason {
    /// The tenant closed it.
    Tenant,
    /// The provider closed it.
    Provider,
    /// The provider left after the notice that the order asks for.
    Notice,
    /// The order's longest duration was reached.
    EndOfTerm,
    /// Funds ran out and the grace window passed.
    Exhausted,
    /// Another lease of the same cluster ended early.
    Cluster,
}

impl CloseReason {
    /// Whether the provider ended it, so that the order may open again.
    pub const fn is_providers(self) -> bool {
        matches!(self, Self::Provider | Self::Notice)
    }

    /// The reason's name in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Provider => "provider",
            Self::Notice => "notice",
            Self::EndOfTerm => "end_of_term",
            Self::Exhausted => "exhausted",
            Self::Cluster => "cluster",
        }
    }
}
