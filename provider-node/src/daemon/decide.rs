//! What to do about the market as it stands: a pure function of what the chain says.

use super::price::Prices;
use ember_types::{
    ids::{BidId, OrderId},
    lease::{BidState, LeaseState, OrderState},
    market::{AskResponse, BidResponse, LeaseResponse, OrderResponse},
    money::Rate,
    registry::ProviderResponse,
    resources::Device,
};
use std::collections::BTreeMap;

/// What the chain says.
#[derive(Debug, Clone)]
pub struct Market {
    /// This provider.
    pub me: ProviderResponse,
    /// Open orders, oldest first.
    pub orders: Vec<OrderResponse>,
    /// Open bids on those orders, everybody's.
    pub bids: Vec<BidResponse>,
    /// This provider's leases.
    pub leases: Vec<LeaseResponse>,
    /// This provider's standing asks.
    pub asks: Vec<AskResponse>,
}

/// One message to the market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Bid, or replace the bid that stands.
    Bid {
        /// On which.
        order_id: OrderId,
        /// In what; the bid's deposit is in it too.
        denom: String,
        /// Per unit.
        rate: Rate,
    },
    /// Take a bid back: there are not the devices to serve it.
    Withdraw {
        /// Which.
        bid_id: BidId,
    },
}

/// What to send now. `devices` are the ones that are here and registered. Units of leases, standing asks and open bids
/// never exceed them: bids that would are withdrawn, the newest first.
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
    let mut mine: Vec<&BidResponse> = market
        .bids
        .iter()
        .filter(|b| b.state == BidState::Open && b.provider == market.me.address)
        .collect();
    mine.sort_by_key(|b| b.id);
    let mut standing = BTreeMap::new();
    for bid in mine {
        let Some(order) = orders.get(&bid.order_id) else {
            continue;
        };
        let units = i64::from(order.resources.units);
        if units > free {
            actions.push(Action::Withdraw { bid_id: bid.id });
        } else {
            free -= units;
        }
        standing.insert(bid.order_id, bid.rate);
    }
    if !market.me.may_bid {
        return actions;
    }
    for order in orders.values().filter(|o| serves(market, devices, o)) {
        let units = i64::from(order.resources.units);
        let rival = market
            .bids
            .iter()
            .filter(|b| {
                b.state == BidState::Open
                    && b.order_id == order.id
                    && b.provider != market.me.address
            })
            .map(|b| b.rate)
            .min();
        let Some(rate) = prices.ask(&order.ceiling.denom, order.ceiling.rate, rival) else {
            continue;
        };
        match standing.get(&order.id) {
            // A standing bid is only ever made cheaper, and only against a rival who is as cheap.
            Some(old) if rate >= *old || rival.is_none_or(|r| r > *old) => continue,
            Some(_) => {}
            None if units > free => continue,
            None => free -= units,
        }
        if actions.iter().any(|a| withdraws(a, market, order.id)) {
            continue;
        }
        actions.push(Action::Bid {
            order_id: order.id,
            denom: order.ceiling.denom.clone(),
            rate,
        });
    }
    actions
}

fn withdraws(action: &Action, market: &Market, order: OrderId) -> bool {
    matches!(action, Action::Withdraw { bid_id } if market.bids.iter().any(|b| b.id == *bid_id && b.order_id == order))
}

/// Whether this provider is what the order asks for.
fn serves(market: &Market, devices: &[Device], order: &OrderResponse) -> bool {
    let gpu = &order.resources.gpu;
    let region = gpu.region.as_ref().is_none_or(|wanted| {
        market
            .me
            .attributes
            .iter()
            .any(|a| a.key == "region" && a.value == *wanted)
    });
    let able = devices.iter().filter(|d| gpu.matches(d)).count();
    order.pricing.takes_bids()
        && order.tenant != market.me.address
        && region
        && market.me.bonded >= gpu.min_bond
        && u32::try_from(able).is_ok_and(|n| n >= order.resources.units)
}

#[cfg(test)]
#[path = "decide_tests.rs"]
pub(crate) mod tests;
