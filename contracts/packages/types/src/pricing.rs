//! How an order finds its price. One variant here and one file below `pricing/` a mode: a mode is pure data
//! plus a few questions (is it well formed, when does it match by itself, who wins at what rate), so a new one
//! changes nothing but exhaustive matches.

pub mod performance;
pub mod stake_weighted;
pub mod windows;
pub mod market;
pub mod reverse_auction;
pub mod sealed_tender;
pub mod cluster;

use crate::{error::ValidationError, ids::BidId, money::Rate};
use cosmwasm_schema::cw_serde;
use cosmwasm_std::Uint128;

/// Most offers that one order takes units from.
pub const MAX_PARTS: usize = 32;

/// How an order finds its price. Chosen by the tenant, per order.
#[cw_serde]
pub enum PricingMode {
    /// Open descending bids until `closes_at`; the tenant may accept one earlier, else the lowest wins then.
    ReverseAuction(reverse_auction::ReverseAuction),
    /// Crosses the providers' standing asks at once: best price, then oldest.
    Market(market::Market),
    /// Sealed bids: commit, then reveal; the cheapest revealed bid wins.
    SealedTender(sealed_tender::SealedTender),
    /// Open descending bids of a rate for each point of a benchmark's score; pay follows the score that is measured.
    Performance(performance::Performance),
    /// A posted rate: the provider is drawn by lot, each with its bond as its chance.
    StakeWeighted(stake_weighted::StakeWeighted),
    /// All units together, from several providers, or none.
    Cluster(cluster::Cluster),
}

/// What an order asks of its mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Units.
    pub units: u32,
    /// The most that one may cost.
    pub ceiling: Rate,
    /// What a draw draws with; zeros where nothing is drawn.
    pub seed: stake_weighted::Seed,
}

/// What the winner rule looks at: one live offer that the order's spec and ceiling admit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The offer's id; smaller is older.
    pub id: BidId,
    /// Asked rate per unit; per unit and point of `score` where the mode wants one.
    pub rate: Rate,
    /// Units offered.
    pub units: u32,
    /// What its provider had bonded when it was made.
    pub weight: Uint128,
    /// The score that it promises, where the mode wants one.
    pub score: Option<u64>,
}

/// What a winner gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Award {
    /// Its offer.
    pub id: BidId,
    /// Units leased of it.
    pub units: u32,
    /// What each is paid.
    pub rate: Rate,
}

/// Who wins. The default: nobody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fill {
    /// The winners, best first; one lease each.
    pub awards: Vec<Award>,
    /// The offer that has not won but makes the price: it must be a true one too.
    pub priced_by: Option<BidId>,
    /// The lot that was drawn, where the mode draws.
    pub draw: Option<stake_weighted::Draw>,
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
            Self::Performance(_) => "performance",
            Self::StakeWeighted(_) => "stake_weighted",
            Self::Cluster(_) => "cluster",
        }
    }

    /// # Errors
    /// When a parameter is out of its range at block time `now` (unix seconds).
    pub fn validate(&self, now: u64) -> Result<(), ValidationError> {
        match self {
            Self::ReverseAuction(m) => m.validate(now),
            Self::Market(_) => Ok(()),
            Self::SealedTender(m) => m.windows().validate(now),
            Self::Performance(m) => m.validate(now),
            Self::StakeWeighted(m) => m.windows().validate(now),
            Self::Cluster(m) => m.validate(now),
        }
    }

    /// When the chain looks for a winner by itself.
    pub fn match_at(&self) -> MatchAt {
        match self {
            Self::ReverseAuction(m) => MatchAt::Time(m.closes_at),
            Self::Market(_) => MatchAt::Creation,
            Self::SealedTender(m) => MatchAt::Time(m.reveal_until),
            Self::Performance(m) => MatchAt::Time(m.closes_at),
            Self::StakeWeighted(m) => MatchAt::Time(m.reveal_until),
            Self::Cluster(m) => m.base().match_at(),
        }
    }

    /// The mode of an order that opened at `opened` and opens again at `now` (unix seconds): as much time as before.
    #[must_use]
    pub fn again(&self, opened: u64, now: u64) -> Self {
        match self {
            Self::ReverseAuction(m) => Self::ReverseAuction(m.again(opened, now)),
            Self::Market(m) => Self::Market(m.clone()),
            Self::SealedTender(m) => Self::SealedTender(m.again(opened, now)),
            Self::Performance(m) => Self::Performance(m.again(opened, now)),
            Self::StakeWeighted(m) => Self::StakeWeighted(m.again(opened, now)),
            Self::Cluster(m) => Self::Cluster(m.again(opened, now)),
        }
    }

    /// Whether providers may place open bids on the order.
    pub fn takes_bids(&self) -> bool {
        match self {
            Self::ReverseAuction(_) | Self::Performance(_) => true,
            Self::Market(_) | Self::SealedTender(_) | Self::StakeWeighted(_) => false,
            Self::Cluster(m) => m.base().takes_bids(),
        }
    }

    /// Until when (unix seconds) providers may commit to sealed bids; from then on they reveal them, and neither side
    /// may go back. `None` where bids are not sealed.
    pub fn sealed_until(&self) -> Option<u64> {
        match self {
            Self::ReverseAuction(_) | Self::Market(_) | Self::Performance(_) => None,
            Self::SealedTender(m) => Some(m.commit_until),
            Self::StakeWeighted(m) => Some(m.commit_until),
            Self::Cluster(m) => m.base().sealed_until(),
        }
    }

    /// Whether the tenant may accept a bid before [`Self::match_at`].
    pub const fn tenant_may_accept(&self) -> bool {
        match self {
            Self::ReverseAuction(_) | Self::Performance(_) => true,
            Self::Market(_) | Self::SealedTender(_) | Self::StakeWeighted(_) | Self::Cluster(_) => {
                false
            }
        }
    }

    /// Whether an offer of fewer units than the order's may win a part.
    pub const fn takes_parts(&self) -> bool {
        match self {
            Self::ReverseAuction(_)
            | Self::SealedTender(_)
            | Self::Performance(_)
            | Self::StakeWeighted(_) => false,
            Self::Market(m) => m.partial,
            Self::Cluster(_) => true,
        }
    }

    /// Whether the leases of one order end together when one ends early.
    pub const fn ends_together(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// Whether the winner is drawn by lot.
    pub const fn draws(&self) -> bool {
        matches!(self, Self::StakeWeighted(_))
    }

    /// How scores are promised and measured, where pay follows them.
    pub const fn performance(&self) -> Option<&performance::Performance> {
        match self {
            Self::Performance(m) => Some(m),
            _ => None,
        }
    }

    /// Who wins among `offers`, all of which the order's spec and ceiling admit, and at what rate.
    pub fn fill(&self, wanted: &Wanted, offers: &[Offer]) -> Fill {
        match self {
            Self::ReverseAuction(_) => cheapest(wanted, offers),
            Self::Market(m) => m.fill(wanted, offers),
            Self::SealedTender(m) => m.fill(wanted, offers),
            Self::Performance(m) => m.fill(wanted, offers),
            Self::StakeWeighted(m) => m.fill(wanted, offers),
            Self::Cluster(m) => m.fill(wanted, offers),
        }
    }
}

/// `offers`, the cheapest first, the oldest first among equals.
fn by_rate(offers: &[Offer]) -> Vec<&Offer> {
    let mut sorted: Vec<_> = offers.iter().collect();
    sorted.sort_by_key(|o| (o.rate, o.id));
    sorted
}

/// The cheapest offer of all units, the oldest among equals, at its own rate.
fn cheapest(wanted: &Wanted, offers: &[Offer]) -> Fill {
    let able = offers.iter().filter(|o| o.units >= wanted.units);
    let won = able.min_by_key(|o| (o.rate, o.id)).map(|o| Award {
        id: o.id,
        units: wanted.units,
        rate: o.rate,
    });
    Fill {
        awards: won.into_iter().collect(),
        ..Fill::default()
    }
}

/// The cheapest units, the oldest among equals, each at its own rate, from [`MAX_PARTS`] offers at most; and the offer of
/// the cheapest unit that is not among them.
fn cheapest_units<'a>(wanted: &Wanted, offers: &'a [Offer]) -> (Vec<Award>, Option<&'a Offer>) {
    let (mut awards, mut left) = (Vec::new(), wanted.units);
    for offer in by_rate(offers).into_iter().filter(|o| o.units > 0) {
        if left == 0 || awards.len() >= MAX_PARTS {
            return (awards, Some(offer));
        }
        let units = left.min(offer.units);
        left -= units;
        awards.push(Award {
            id: offer.id,
            units,
            rate: offer.rate,
        });
        if units < offer.units {
            return (awards, Some(offer));
        }
    }
    (awards, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An offer of a provider with one micro-unit of bond.
    pub fn offer(id: u64, rate: u128, units: u32) -> Offer {
        Offer {
            id: BidId(id),
            rate: Rate::new(rate),
            units,
            weight: Uint128::one(),
            score: None,
        }
    }

    pub fn wanted(units: u32, ceiling: u128) -> Wanted {
        Wanted {
            units,
            ceiling: Rate::new(ceiling),
            seed: [0; 32],
        }
    }
}
