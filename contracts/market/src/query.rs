//! What anyone may read.

pub(crate) mod lists;

use crate::{
    account::Account,
    bids,
    error::ContractError,
    fees, providers,
    state::{Ask, Bid, CONFIG, LEASES, LEDGERS, Lease, ORDERS, Order},
};
use cosmwasm_std::{Deps, Env, StdResult, Timestamp, Uint128};
use ember_types::{
    eligibility::{FeasibleResponse, Scope},
    ids::{AskId, BidId, LeaseId, OrderId},
    lease::LeaseState,
    market::{
        AskResponse, BidResponse, DepositResponse, EarningsResponse, EscrowResponse,
        InstantiateMsg, LeaseResponse, LedgerResponse, OrderResponse,
    },
    resources::ResourceSpec,
};

pub(crate) fn can_fill(
    deps: Deps,
    resources: ResourceSpec,
    start_after: Option<String>,
    limit: Option<u32>,
) -> Result<FeasibleResponse, ContractError> {
    let config = CONFIG.load(deps.storage)?;
    let scope = Scope::All;
    Ok(providers::feasible(
        deps.querier,
        &config,
        resources,
        scope,
        start_after,
        limit,
    )?)
}

pub(crate) fn config(deps: Deps) -> Result<InstantiateMsg, ContractError> {
    let c = CONFIG.load(deps.storage)?;
    Ok(InstantiateMsg {
        authority: c.authority.into_string(),
        registry: c.registry.into_string(),
        fee_collector: c.fee_collector.into_string(),
        fees: fees::all(deps.storage)?,
        grace_secs: c.grace_secs,
        max_bids_per_order: c.max_bids_per_order,
    })
}

pub(crate) fn order(deps: Deps, id: OrderId) -> Result<OrderResponse, ContractError> {
    let order = ORDERS
        .may_load(deps.storage, id.0)?
        .ok_or(ContractError::NoOrder(id))?;
    Ok(order_response((id.0, order)))
}

fn order_response((id, o): (u64, Order)) -> OrderResponse {
    OrderResponse {
        id: OrderId(id),
        tenant: o.tenant,
        resources: o.resources,
        pricing: o.pricing,
        ceiling: o.ceiling,
        max_duration_secs: o.max_duration_secs,
        terms: o.terms,
        state: o.state,
        created_at: o.created_at,
        open_bids: o.open_bids,
        lease_id: o.lease_id,
        more_leases: o.more_leases,
        past_leases: o.past_leases,
    }
}

pub(crate) fn bid(deps: Deps, id: BidId) -> Result<BidResponse, ContractError> {
    Ok(bid_response(deps, id, bids::load(deps.storage, id)?)?)
}

fn bid_response(deps: Deps, id: BidId, b: Bid) -> StdResult<BidResponse> {
    let units = match b.units {
        Some(units) => units,
        // A bid of the first versions offers all.
        None => ORDERS.load(deps.storage, b.order_id.0)?.resources.units,
    };
    Ok(BidResponse {
        id,
        order_id: b.order_id,
        provider: b.provider,
        units,
        rate: b.rate,
        commitment: b.commitment,
        weight: b.weight,
        score: b.score,
        state: b.state,
        deposit: b.deposit,
        placed_at: b.placed_at,
    })
}

fn ask_response((id, a): (u64, Ask)) -> AskResponse {
    AskResponse {
        id: AskId(id),
        provider: a.provider,
        device: a.device.id,
        assurance: a.assurance,
        units: a.units,
        denom: a.denom,
        rate: a.rate,
        placed_at: a.placed_at,
    }
}

pub(crate) fn lease(deps: Deps, id: LeaseId) -> Result<LeaseResponse, ContractError> {
    let lease = LEASES
        .may_load(deps.storage, id.0)?
        .ok_or(ContractError::NoLease(id))?;
    Ok(lease_response((id.0, lease)))
}

/// `Timestamp::from_seconds` panics after the year 2554.
fn time(secs: u64) -> Timestamp {
    Timestamp::from_nanos(secs.saturating_mul(1_000_000_000))
}

fn lease_response((id, l): (u64, Lease)) -> LeaseResponse {
    LeaseResponse {
        id: LeaseId(id),
        order_id: l.order_id,
        tenant: l.tenant,
        provider: l.provider,
        resources: l.resources,
        denom: l.denom,
        rate: l.rate,
        state: l.state,
        opened_at: time(l.opened_at),
        settled_at: time(l.settled_at),
        suspended_at: l.suspended_at.map(time),
        closed_at: l.closed_at.map(time),
        leaves_at: l.leaves_at.map(time),
        close_reason: l.close_reason,
        ends_at: time(l.ends_at),
        performance: l.performance,
    }
}

/// The books as they stand, plus what a settlement now would book.
pub(crate) fn escrow(
    deps: Deps,
    env: &Env,
    order_id: OrderId,
) -> Result<EscrowResponse, ContractError> {
    let mut account = Account::load(deps.storage, order_id)?;
    let (held, now) = (account.escrow.held()?, env.block.time.seconds());
    let exhausted_at = account.exhausted_at();
    let mut fees_due = Uint128::zero();
    let mut leases = Vec::new();
    for id in &account.order.past_leases {
        leases.push(earnings(*id, LEASES.load(deps.storage, id.0)?)?);
    }
    let e = &mut account.escrow;
    for (id, mut lease) in account.leases {
        // What is over is booked; what is unmeasured has no rate yet.
        if lease.state != LeaseState::Closed && !lease.is_unmeasured(now) {
            let total = lease.accrued(exhausted_at.map_or(now, |t| t.min(now)))?;
            let gross = total.gross.checked_sub(lease.gross)?;
            let fee = total.fee.checked_sub(lease.fee)?;
            let net = gross.checked_sub(fee)?;
            e.consume(gross)?;
            fees_due = fees_due.checked_add(fee)?;
            e.payable = e.payable.checked_add(net)?;
            lease.payable = lease.payable.checked_add(net)?;
            (lease.gross, lease.fee) = (total.gross, total.fee);
        }
        leases.push(earnings(id, lease)?);
    }
    let (order, e) = (account.order, account.escrow);
    let deposits = e.deposits.into_iter().map(|d| DepositResponse {
        depositor: d.depositor,
        left: d.left,
    });
    Ok(EscrowResponse {
        denom: order.ceiling.denom,
        deposited: e.deposited,
        paid: e.paid,
        fees: e.fees,
        refunded: e.refunded,
        held,
        payable: e.payable,
        fees_due,
        exhausted_at: exhausted_at.map(time),
        deposits: deposits.collect(),
        leases,
    })
}

fn earnings(lease_id: LeaseId, lease: Lease) -> Result<EarningsResponse, ContractError> {
    let net = lease.gross.checked_sub(lease.fee)?;
    Ok(EarningsResponse {
        lease_id,
        provider: lease.provider,
        accrued: lease.gross,
        fee: lease.fee,
        paid: net.checked_sub(lease.payable)?,
        payable: lease.payable,
    })
}

pub(crate) fn ledger(deps: Deps, denom: String) -> Result<LedgerResponse, ContractError> {
    let Some(l) = LEDGERS.may_load(deps.storage, &denom)? else {
        // A denom of the schedule starts at zero; another is refused by name.
        fees::of(deps.storage, &denom)?;
        return Ok(LedgerResponse {
            denom,
            deposited: Default::default(),
            paid: Default::default(),
            fees: Default::default(),
            refunded: Default::default(),
            held: Default::default(),
            bid_deposits: Default::default(),
        });
    };
    Ok(LedgerResponse {
        denom,
        held: l.held()?,
        deposited: l.deposited,
        paid: l.paid,
        fees: l.fees,
        refunded: l.refunded,
        bid_deposits: l.bid_deposits,
    })
}
