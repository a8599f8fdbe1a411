//! What to do about the market as it stands: a pure function of what the chain says.

use super::price::Prices;
use ember_types::{
    ids::{BidId, OrderId},
    lease::{BidState, LeaseState, OrderState},
    market::{AskResponse, BidResponse, LeaseResponse, OrderResponse},
    money::Rate,
    pricing::{MatchAt, performance::unit_rate},
    registry::ProviderResponse,
    resources::Device,
};
use std::collections::{BTreeMap, BTreeSet};

/// Shortest reveal window that a commitment is risked in, in seconds: some blocks and looks at them. Who misses it forfeits
/// the bid deposit.
const LEAST_REVEAL_SECS: u64 = 3;

/// What the chain says.
#[derive(Debug, Clone)]
pub struct Market {
    /// Time of the last block, unix seconds.
    pub now: u64,
    /// This provider.
    pub me: ProviderResponse,
    /// Open orders, oldest first.
    pub orders: Vec<OrderResponse>,
    /// Live bids on those orders, open and sealed, everybody's.
    pub bids: Vec<BidResponse>,
    /// This provider's leases.
    pub leases: Vec<LeaseResponse>,
    /// This provider's standing asks.
    pub asks: Vec<AskResponse>,
    /// Orders that get no new bid for now.
    pub left_alone: BTreeSet<OrderId>,
}

/// What to bid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// On which order.
    pub order_id: OrderId,
    /// In what; the bid's deposit is in it too.
    pub denom: String,
    /// How many units; `None`: all that the order wants.
    pub units: Option<u32>,
    /// The score that each unit promises, where the order pays for one.
    pub score: Option<u64>,
    /// Per unit, or per unit and point of the score.
    pub rate: Rate,
}

/// One message to the market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Open a sealed bid.
    Reveal {
        /// Which.
        bid_id: BidId,
    },
    /// Leave a sealed bid sealed, though that costs its deposit: there are not the devices to serve it.
    Forfeit {
        /// Which.
        bid_id: BidId,
    },
    /// Take a bid back: there are not the devices to serve it.
    Withdraw {
        /// Which.
        bid_id: BidId,
    },
    /// Bid, or replace the bid that stands.
    Bid(Offer),
    /// Commit to a sealed bid.
    Commit(Offer),
}

/// Whether an order finds its price by bids, open or sealed.
pub fn takes_any_bids(order: &OrderResponse) -> bool {
    order.pricing.takes_bids() || order.pricing.sealed_until().is_some()
}

/// What to send now, the most urgent first. `devices` are the ones that are here and registered. Units of leases, standing
/// asks and live bids never exceed them: bids that would are withdrawn, the newest first. A sealed bid that can not be
/// withdrawn any more and could not be served is not revealed: that costs the deposit, but a lease that nobody serves
/// would cost the tenant.
pub fn decide(market: &Market, devices: &[Device], prices: &Prices) -> Vec<Action> {
    let orders: BTreeMap<OrderId, &OrderResponse> = market
        .orders
        .iter()
        .filter(|o| o.state == OrderState::Open)
        .map(|o| (o.id, o))
        .collect();
    let mut free = i64::try_from(devices.len()).unwrap_or(i64::MAX);
    free -= market
        .leases
        .iter()
        .filter(|l| l.state != LeaseState::Closed)
        .map(|l| i64::from(l.resources.units))
        .sum::<i64>();
    free -= market.asks.iter().map(|a| i64::from(a.units)).sum::<i64>();

    let mut actions = Vec::new();
    let mut mine: Vec<(bool, &OrderResponse, &BidResponse)> = market
        .bids
        .iter()
        .filter(|b| is_live(b) && b.provider == market.me.address)
        .filter_map(|b| orders.get(&b.order_id).map(|o| (o, b)))
        .map(|(o, b)| (!is_sealed_for_good(o, market.now), *o, b))
        .collect();
    // First those that are promised for good, then those that only are once they are revealed.
    mine.sort_by_key(|(loose, _, b)| (*loose, !*loose && b.state == BidState::Sealed, b.id));
    let (mut standing, mut withdrawn) = (BTreeMap::new(), BTreeSet::new());
    for (loose, order, bid) in mine {
        let revealed = !loose && bid.state == BidState::Open;
        let served = i64::from(bid.units) <= free;
        if served || revealed {
            free -= i64::from(bid.units);
        }
        let bid_id = bid.id;
        let can_reveal = !loose && bid.state == BidState::Sealed && !is_over(order, market.now);
        match (served, loose) {
            (true, false) if can_reveal => actions.push(Action::Reveal { bid_id }),
            (false, false) if can_reveal => actions.push(Action::Forfeit { bid_id }),
            (false, true) => {
                actions.push(Action::Withdraw { bid_id });
                withdrawn.insert(order.id);
            }
            (true | false, _) => {}
        }
        standing.insert(order.id, bid);
    }
    if !market.me.may_bid {
        return actions;
    }
    for order in orders.values() {
        if market.left_alone.contains(&order.id)
            || withdrawn.contains(&order.id)
            || is_over(order, market.now)
        {
            continue;
        }
        let own = standing.get(&order.id).copied();
        let room = own.map_or(free, |b| i64::from(b.units));
        let Some(units) = offered(market, devices, order, room) else {
            continue;
        };
        let Some(action) = new_bid(market, devices, order, own, units, prices) else {
            continue;
        };
        if own.is_none() {
            free -= i64::from(units);
        }
        actions.push(action);
    }
    actions
}

/// The bid to send for `units` of an order, when there is one to send.
fn new_bid(
    market: &Market,
    devices: &[Device],
    order: &OrderResponse,
    own: Option<&BidResponse>,
    units: u32,
    prices: &Prices,
) -> Option<Action> {
    let offer = |score, rate| Offer {
        order_id: order.id,
        denom: order.ceiling.denom.clone(),
        units: (units != order.resources.units).then_some(units),
        score,
        rate,
    };
    let (denom, ceiling) = (&order.ceiling.denom, order.ceiling.rate);
    if let Some(until) = order.pricing.sealed_until() {
        let reveals_for = match order.pricing.match_at() {
            MatchAt::Time(t) => t.saturating_sub(until),
            MatchAt::Creation => 0,
        };
        // A commitment that stands, stands: nobody's rate is seen, so there is nothing to answer.
        if own.is_some() || until <= market.now || reveals_for < LEAST_REVEAL_SECS {
            return None;
        }
        let least = prices.sealed(denom, ceiling)?;
        // A draw pays its ceiling whatever was committed to.
        let rate = if order.pricing.draws() {
            ceiling
        } else {
            least
        };
        return Some(Action::Commit(offer(None, rate)));
    }
    let score = match order.pricing.performance() {
        Some(mode) => Some(reached(devices, order, units, &mode.benchmark)?),
        None => None,
    };
    let rival = market
        .bids
        .iter()
        .filter(|b| b.state == BidState::Open && b.order_id == order.id)
        .filter(|b| b.provider != market.me.address)
        .map(|b| b.rate)
        .min();
    let rate = match score {
        None => prices.ask(denom, ceiling, rival)?,
        Some(score) => a_point(prices, order, rival, score)?,
    };
    // A standing bid is only ever made cheaper, and only against a rival who is as cheap.
    if own.is_some_and(|old| rate >= old.rate || rival.is_none_or(|r| r > old.rate)) {
        return None;
    }
    Some(Action::Bid(offer(score, rate)))
}

/// The score that `units` of the devices have all reached; `None` when they have none above zero.
fn reached(devices: &[Device], order: &OrderResponse, units: u32, benchmark: &str) -> Option<u64> {
    let mut scores: Vec<u64> = devices
        .iter()
        .filter(|d| order.resources.gpu.matches(d))
        .filter_map(|d| d.scores.iter().find(|s| s.name == benchmark))
        .map(|s| s.value)
        .collect();
    scores.sort_unstable_by(|a, b| b.cmp(a));
    let least = usize::try_from(units).ok()?.checked_sub(1)?;
    scores.get(least).copied().filter(|s| *s > 0)
}

/// What a point costs of units that promise `score`: up to a part of a point's rate more than the price of a unit asks for
/// where the ceiling lets it, else less. `None` where that would be for nothing.
fn a_point(
    prices: &Prices,
    order: &OrderResponse,
    rival: Option<Rate>,
    score: u64,
) -> Option<Rate> {
    let ceiling = order.ceiling.rate;
    // A rival too dear to be multiplied is none.
    let rival = rival.and_then(|r| unit_rate(r, score).ok());
    let unit = prices.ask(&order.ceiling.denom, ceiling, rival)?.0.u128();
    let up = Rate::new(unit.div_ceil(u128::from(score)));
    if unit_rate(up, score).is_ok_and(|r| r <= ceiling) {
        return Some(up);
    }
    let down = unit / u128::from(score);
    (down > 0).then(|| Rate::new(down))
}

/// How many units of the order this provider would offer with `room` devices to spare; `None` when it is not what the
/// order asks for.
fn offered(market: &Market, devices: &[Device], order: &OrderResponse, room: i64) -> Option<u32> {
    let gpu = &order.resources.gpu;
    let region = gpu.region.as_ref().is_none_or(|wanted| {
        market
            .me
            .attributes
            .iter()
            .any(|a| a.key == "region" && a.value == *wanted)
    });
    if !takes_any_bids(order)
        || order.tenant == market.me.address
        || !region
        || market.me.bonded < gpu.min_bond
    {
        return None;
    }
    let able = devices.iter().filter(|d| gpu.matches(d)).count();
    let able = u32::try_from(able).unwrap_or(u32::MAX);
    let room = u32::try_from(room.max(0)).unwrap_or(u32::MAX);
    let wanted = order.resources.units;
    let units = wanted.min(able).min(room);
    let enough = units == wanted || (units > 0 && order.pricing.takes_parts());
    enough.then_some(units)
}

fn is_live(bid: &BidResponse) -> bool {
    matches!(bid.state, BidState::Open | BidState::Sealed)
}

/// Whether the order's bids can only be revealed any more.
fn is_sealed_for_good(order: &OrderResponse, now: u64) -> bool {
    order
        .pricing
        .sealed_until()
        .is_some_and(|until| until <= now)
}

/// Whether the order only waits for the end of a block to be matched.
fn is_over(order: &OrderResponse, now: u64) -> bool {
    matches!(order.pricing.match_at(), MatchAt::Time(t) if t <= now)
}

#[cfg(test)]
#[path = "decide_tests.rs"]
pub(crate) mod tests;
