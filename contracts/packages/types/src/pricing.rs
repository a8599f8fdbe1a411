//! How an order finds its price. One variant here and one file below `pricing/` a mode: a mode is pure data
//! plus three questions (is it well formed, when does it match by itself, which offer wins), so a new one
//! changes nothing but exhaustive matches.

pub mod market;
pub mod reverse_auction;
pub mod sealed_tender;

use crate::{error::ValidationError, ids::BidId, money::Rate};
use cosmwasm_schema::cw_serde;

/// How an order finds its price. Chosen by the tenant, per order.
#[cw_serde]
pub enum PricingMode {
    /// Open descending bids until `closes_at`; the tenant may accept one earlier, else the lowest wins then.
    ReverseAuction(reverse_auction::ReverseAuction),
    /// Crosses the providers' standing asks at once: best price, then oldest.
    Market(market::Market),
    /// Sealed bids: commit, then reveal; the cheapest revealed bid wins.
    SealedTender(sealed_tender::SealedTender),
}

/// What the winner rule looks at: one live offer that the order's spec and ceiling admit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The offer's id; smaller is older.
    pub id: BidId,
    /// Asked rate per unit.
    pub rate: Rate,
    /// Units offered.
    pub units: u32,
}

/// When the chain, unasked, looks for a winner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchAt {
    /// In the message that creates the order.
    Creation,
    /// In the first block whose time, in unix seconds, is at least this.
    Time(u64),
}

impl PricingMode {
    /// The mode's name in events, queries and the command line.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ReverseAuction(_) => "reverse_auction",
            Self::Market(_) => "market",
            Self::SealedTender(_) => "sealed_tender",
        }
    }

    /// # Errors
    /// When a parameter is out of its range at block time `now` (unix seconds).
    pub fn validate(&self, now: u64) -> Result<(), ValidationError> {
        match self {
            Self::ReverseAuction(m) => m.validate(now),
            Self::Market(m) => m.validate(),
            Self::SealedTender(m) => m.validate(now),
        }
    }

    /// When the chain looks for a winner by itself.
    pub const fn match_at(&self) -> MatchAt {
        match self {
            Self::ReverseAuction(m) => MatchAt::Time(m.closes_at),
            Self::Market(_) => MatchAt::Creation,
            Self::SealedTender(m) => MatchAt::Time(m.reveal_until),
        }
    }

    /// The mode of an order that opened at `opened` and opens again at `now` (unix seconds): as much time as before.
    #[must_use]
    pub fn again(&self, opened: u64, now: u64) -> Self {
        match self {
            Self::ReverseAuction(m) => Self::ReverseAuction(m.again(opened, now)),
            Self::Market(m) => Self::Market(m.clone()),
            Self::SealedTender(m) => Self::SealedTender(m.again(opened, now)),
        }
    }

    /// Whether providers may place open bids on the order.
    pub const fn takes_bids(&self) -> bool {
        match self {
            Self::ReverseAuction(_) => true,
            Self::Market(_) | Self::SealedTender(_) => false,
        }
    }

    /// Until when (unix seconds) providers may commit to sealed bids; from then on they reveal them, and neither side
    /// may go back. `None` where bids are not sealed.
    pub const fn sealed_until(&self) -> Option<u64> {
        match self {
            Self::SealedTender(m) => Some(m.commit_until),
            Self::ReverseAuction(_) | Self::Market(_) => None,
        }
    }

    /// Whether the tenant may accept a bid before [`Self::match_at`].
    pub const fn tenant_may_accept(&self) -> bool {
        match self {
            Self::ReverseAuction(_) => true,
            Self::Market(_) | Self::SealedTender(_) => false,
        }
    }

    /// The winner among `offers`, all of which the order's spec and ceiling admit. `None` when nobody wins.
    pub fn winner(&self, units: u32, offers: &[Offer]) -> Option<BidId> {
        match self {
            Self::ReverseAuction(m) => m.winner(units, offers),
            Self::Market(m) => m.winner(units, offers),
            Self::SealedTender(m) => m.winner(units, offers),
        }
    }

    /// Whether [`Self::price`] depends on who would have won without the winner.
    pub const fn asks_runner_up(&self) -> bool {
        match self {
            Self::SealedTender(m) => matches!(m.rule, sealed_tender::PriceRule::SecondPrice),
            Self::ReverseAuction(_) | Self::Market(_) => false,
        }
    }

    /// The rate of the lease: `won` is the winner's, `runner_up` that of who would have won without it.
    pub fn price(&self, won: Rate, runner_up: Option<Rate>, ceiling: Rate) -> Rate {
        match self {
            Self::ReverseAuction(_) | Self::Market(_) => won,
            Self::SealedTender(m) => m.price(won, runner_up, ceiling),
        }
    }
}

/// The cheapest offer of at least `units`, the oldest among equals.
fn cheapest_then_oldest(units: u32, offers: &[Offer]) -> Option<BidId> {
    offers
        .iter()
        .filter(|o| o.units >= units)
        .min_by_key(|o| (o.rate, o.id))
        .map(|o| o.id)
}
