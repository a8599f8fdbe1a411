//! Lists: pages in both directions, filtered by index or over a bounded number of rows.

use super::{ask_response, bid_response, lease_response, order_response};
use crate::{
    error::ContractError,
    state::{
        ASKS, ASKS_BY_PROVIDER, BIDS, BIDS_BY_ORDER, BIDS_BY_PROVIDER, Bid, LEASES, ORDERS,
        lease_state, order_state,
    },
};
use cosmwasm_std::{Addr, Deps, Order as Direction, StdResult};
use cw_storage_plus::Bound;
use ember_types::{
    ids::{AskId, BidId, LeaseId, OrderId},
    lease::{BidState, LeaseState, OrderState},
    list::{Page, fill},
    market::{AsksResponse, BidsResponse, LeasesResponse, OrdersResponse},
    resources::ResourceSpec,
};
use std::iter::Peekable;

type Rows<'a, T> = Box<dyn Iterator<Item = StdResult<(u64, T)>> + 'a>;
type Limits = (
    Option<Bound<'static, u64>>,
    Option<Bound<'static, u64>>,
    Direction,
);

/// Where a range over ids starts and ends, and which way it runs.
fn limits<K>(page: &Page<K>, id: impl Fn(&K) -> u64) -> Limits {
    let after = page.start_after.as_ref().map(|k| Bound::exclusive(id(k)));
    match page.order() {
        Direction::Ascending => (after, None, Direction::Ascending),
        Direction::Descending => (None, after, Direction::Descending),
    }
}

/// The indexes hold one list a state; a list of several states is their merge.
struct Merged<'a, T> {
    lists: Vec<Peekable<Rows<'a, T>>>,
    descending: bool,
}

fn merged<'a, T: 'a>(
    states: &[u8],
    order: Direction,
    list: impl Fn(u8) -> Rows<'a, T>,
) -> Rows<'a, T> {
    Box::new(Merged {
        lists: states.iter().map(|s| list(*s).peekable()).collect(),
        descending: matches!(order, Direction::Descending),
    })
}

impl<T> Iterator for Merged<'_, T> {
    type Item = StdResult<(u64, T)>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut first: Option<(usize, u64)> = None;
        for (i, list) in self.lists.iter_mut().enumerate() {
            let id = match list.peek() {
                None => continue,
                Some(Err(_)) => return list.next(),
                Some(Ok((id, _))) => *id,
            };
            if first.is_none_or(|(_, best)| (id < best) != self.descending) {
                first = Some((i, id));
            }
        }
        self.lists.get_mut(first?.0)?.next()
    }
}

fn address(deps: Deps, a: Option<&str>) -> StdResult<Option<Addr>> {
    a.map(|a| deps.api.addr_validate(a)).transpose()
}

fn names(resources: &ResourceSpec, model: Option<&str>) -> bool {
    model.is_none() || resources.gpu.model.as_deref() == model
}

pub(crate) fn orders(
    deps: Deps,
    tenant: Option<&str>,
    state: Option<OrderState>,
    model: Option<&str>,
    page: &Page<OrderId>,
) -> Result<OrdersResponse, ContractError> {
    let (min, max, order) = limits(page, |id| id.0);
    let (storage, tenant) = (deps.storage, address(deps, tenant)?);
    let states = state.map_or(vec![0, 1, 2], |s| vec![order_state(s)]);
    let mut rows: Rows<_> = match (tenant, state) {
        (Some(t), _) => merged(&states, order, |s| {
            let index = ORDERS.idx.tenant.prefix((t.clone(), s));
            Box::new(index.range(storage, min.clone(), max.clone(), order))
        }),
        (None, Some(s)) => {
            let index = ORDERS.idx.state.prefix(order_state(s));
            Box::new(index.range(storage, min, max, order))
        }
        (None, None) => Box::new(ORDERS.range(storage, min, max, order)),
    };
    let (found, next) = fill(&mut rows, page.limit, |o| names(&o.resources, model))?;
    Ok(OrdersResponse {
        orders: found.into_iter().map(order_response).collect(),
        next: next.map(OrderId),
    })
}

pub(crate) fn bids(
    deps: Deps,
    order_id: Option<OrderId>,
    provider: Option<&str>,
    state: Option<BidState>,
    page: &Page<BidId>,
) -> Result<BidsResponse, ContractError> {
    let (min, max, order) = limits(page, |id| id.0);
    let (storage, provider) = (deps.storage, address(deps, provider)?);
    let ids = match (order_id, &provider) {
        (Some(o), _) => Some(BIDS_BY_ORDER.prefix(o.0)),
        (None, Some(p)) => Some(BIDS_BY_PROVIDER.prefix(p)),
        (None, None) => None,
    };
    let mut rows: Rows<Bid> = match ids {
        Some(ids) => Box::new(ids.keys(storage, min, max, order).map(|id| {
            let id = id?;
            Ok((id, BIDS.load(storage, id)?))
        })),
        None => Box::new(BIDS.range(storage, min, max, order)),
    };
    let (found, next) = fill(&mut rows, page.limit, |b| {
        provider.as_ref().is_none_or(|p| b.provider == *p) && state.is_none_or(|s| b.state == s)
    })?;
    let bid = |(id, bid)| bid_response(deps, BidId(id), bid);
    Ok(BidsResponse {
        bids: found.into_iter().map(bid).collect::<StdResult<_>>()?,
        next: next.map(BidId),
    })
}

pub(crate) fn asks(
    deps: Deps,
    provider: Option<&str>,
    model: Option<&str>,
    for_sale: Option<bool>,
    page: &Page<AskId>,
) -> Result<AsksResponse, ContractError> {
    let (min, max, order) = limits(page, |id| id.0);
    let storage = deps.storage;
    let mut rows: Rows<_> = match address(deps, provider)? {
        Some(p) => {
            let ids = ASKS_BY_PROVIDER.prefix(&p);
            Box::new(ids.keys(storage, min, max, order).map(|id| {
                let id = id?;
                Ok((id, ASKS.load(storage, id)?))
            }))
        }
        None => Box::new(ASKS.range(storage, min, max, order)),
    };
    let (found, next) = fill(&mut rows, page.limit, |a| {
        model.is_none_or(|m| a.device.model == m)
            && for_sale.is_none_or(|wanted| (a.units > 0) == wanted)
    })?;
    Ok(AsksResponse {
        asks: found.into_iter().map(ask_response).collect(),
        next: next.map(AskId),
    })
}

pub(crate) fn leases(
    deps: Deps,
    (tenant, provider): (Option<&str>, Option<&str>),
    state: Option<LeaseState>,
    model: Option<&str>,
    page: &Page<LeaseId>,
) -> Result<LeasesResponse, ContractError> {
    let (min, max, order) = limits(page, |id| id.0);
    let storage = deps.storage;
    let states = state.map_or(vec![0, 1, 2], |s| vec![lease_state(s)]);
    let mut rows: Rows<_> = match (address(deps, tenant)?, address(deps, provider)?, state) {
        (Some(t), Some(p), _) => merged(&states, order, |s| {
            let index = LEASES.idx.pair.prefix((t.clone(), p.clone(), s));
            Box::new(index.range(storage, min.clone(), max.clone(), order))
        }),
        (Some(t), None, _) => merged(&states, order, |s| {
            let index = LEASES.idx.tenant.prefix((t.clone(), s));
            Box::new(index.range(storage, min.clone(), max.clone(), order))
        }),
        (None, Some(p), _) => merged(&states, order, |s| {
            let index = LEASES.idx.provider.prefix((p.clone(), s));
            Box::new(index.range(storage, min.clone(), max.clone(), order))
        }),
        (None, None, Some(s)) => {
            let index = LEASES.idx.state.prefix(lease_state(s));
            Box::new(index.range(storage, min, max, order))
        }
        (None, None, None) => Box::new(LEASES.range(storage, min, max, order)),
    };
    let (found, next) = fill(&mut rows, page.limit, |l| names(&l.resources, model))?;
    Ok(LeasesResponse {
        leases: found.into_iter().map(lease_response).collect(),
        next: next.map(LeaseId),
    })
}
