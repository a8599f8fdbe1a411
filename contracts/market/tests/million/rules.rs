//! What no message may break, looked at after each: every changed record, and the sums.

use crate::world::{DENOMS, Op, World};
use cosmwasm_std::{Addr, Uint128, Uint256, from_json};
use ember_market::{
    account::Account,
    accrual::pays_a_second,
    state::{Bid, DUE, Escrow, LEDGERS, Lease, Ledger, ORDERS, Order},
};
use ember_testing::{bare::Done, store::Change};
use ember_types::{
    fees::{BPS, take},
    ids::{LeaseId, OrderId},
    lease::{BidState, CloseReason, LeaseState, OrderState},
    market::{EscrowResponse, ExecuteMsg, InvariantsResponse, QueryMsg},
    money::whole_micro,
};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

fn read<T: DeserializeOwned>(change: &Change) -> (Option<T>, Option<T>) {
    let parse = |v: &Option<Vec<u8>>| v.as_ref().map(|v| from_json(v).unwrap());
    (parse(&change.old), parse(&change.new))
}

fn keep(alive: &mut Vec<u64>, id: u64, lives: bool) {
    match (alive.iter().position(|i| *i == id), lives) {
        (None, true) => alive.push(id),
        (Some(at), false) => {
            alive.swap_remove(at);
        }
        _ => {}
    }
}

/// What became of an order's leases.
#[derive(Default, Clone, Copy)]
struct LeaseFlow {
    /// What their take fees grew by.
    take: u128,
    /// How many opened.
    opened: u128,
    /// What those that were there before have earned.
    earned: u128,
    /// What their providers were paid.
    paid: u128,
}

/// What a message moved, by the records that it changed; compared with what the bank paid out.
#[derive(Default)]
struct Flows {
    /// By order: what became of its leases.
    leases: BTreeMap<u64, LeaseFlow>,
    /// By recipient and denom.
    paid: BTreeMap<(Addr, String), u128>,
}

impl Flows {
    fn pay(&mut self, to: &Addr, denom: &str, amount: u128) {
        if amount > 0 {
            *self.paid.entry((to.clone(), denom.into())).or_default() += amount;
        }
    }
}

/// After a message or hook that went through.
pub fn after(w: &mut World, op: &Op, done: &Done) {
    let mut flows = Flows::default();
    for change in &done.changes {
        if let Some(id) = change.id_in("leases") {
            let (old, new) = read::<Lease>(change);
            let new = new.unwrap();
            lease(w, op, id, old.as_ref(), &new);
            keep(&mut w.leases, id, new.state != LeaseState::Closed);
            let fee = |l: &Lease| l.fee.u128();
            let paid = |l: &Lease| (l.gross - l.fee - l.payable).u128();
            let paid_now = paid(&new) - old.as_ref().map_or(0, paid);
            flows.pay(&new.provider, &new.denom, paid_now);
            let flow = flows.leases.entry(new.order_id.0).or_default();
            flow.take += fee(&new) - old.as_ref().map_or(0, fee);
            flow.opened += u128::from(old.is_none());
            flow.earned += old.map_or(0, |old| (new.gross - old.gross).u128());
            flow.paid += paid_now;
        }
    }
    for change in &done.changes {
        if let Some(id) = change.id_in("orders") {
            let (old, new) = read::<Order>(change);
            order(w, op, id, old, &new.unwrap());
            let state = w.order(id).map(|o| o.state);
            keep(&mut w.orders, id, state != Some(OrderState::Closed));
            keep(&mut w.open, id, state == Some(OrderState::Open));
        } else if let Some(id) = change.id_in("escrows") {
            let (old, new) = read::<Escrow>(change);
            escrow(
                w,
                op,
                done,
                &mut flows,
                id,
                &old.unwrap_or_default(),
                &new.unwrap(),
            );
        } else if let Some(id) = change.id_in("bids") {
            let (old, new) = read::<Bid>(change);
            bid(w, op, &mut flows, id, old, &new.unwrap());
        } else if let Some(id) = change.id_in("asks") {
            keep(&mut w.asks, id, change.new.is_some());
        }
    }
    let mut paid = BTreeMap::new();
    for (to, amount, denom) in &done.paid {
        *paid.entry((to.clone(), denom.clone())).or_default() += amount;
    }
    assert_eq!(paid, flows.paid, "paid, and what the books say was paid");
    sender_may(w, op);
    sums(w);
}

fn order(w: &World, op: &Op, id: u64, old: Option<Order>, new: &Order) {
    let Some(old) = old else {
        assert!(
            matches!(op, Op::Market(who, ExecuteMsg::CreateOrder { .. }, _) if *who == new.tenant)
        );
        return;
    };
    let relisted = new.past_leases.len() > old.past_leases.len();
    if relisted {
        assert!(old.terms.relist && old.state == OrderState::Leased && new.relisted_at.is_some());
        let past: Vec<_> = old
            .past_leases
            .iter()
            .copied()
            .chain(old.leases())
            .collect();
        assert_eq!(
            (new.state, new.leases().count(), &new.past_leases),
            (OrderState::Open, 0, &past),
            "order {id}"
        );
        assert!(new.max_duration_secs >= 1 && new.max_duration_secs <= old.max_duration_secs);
        assert!(
            matches!(op, Op::Market(_, ExecuteMsg::CloseLease { lease_id }, _) if old.leases().any(|l| l == *lease_id))
        );
    } else {
        let before: Vec<_> = old.leases().collect();
        assert!(new.leases().take(before.len()).eq(before), "order {id}");
        assert_eq!(old.max_duration_secs, new.max_duration_secs);
    }
    let runs = |id: LeaseId| w.lease(id.0).unwrap().state != LeaseState::Closed;
    assert_eq!(
        new.state == OrderState::Leased,
        new.leases().any(runs),
        "order {id}: {new:?}"
    );
    if new.missing > 0 {
        assert!(new.terms.relist && new.pricing.takes_parts() && !new.pricing.ends_together());
        assert_eq!(new.state, OrderState::Leased, "order {id}");
    }
    if new.pricing.ends_together() {
        let units: u32 = new
            .leases()
            .map(|l| w.lease(l.0).unwrap().resources.units)
            .sum();
        let all = new.leases().all(runs) || !new.leases().any(runs);
        assert!(
            all && (units == 0 || units == new.resources.units),
            "order {id}: {new:?}"
        );
    }
    let legal = old.state == new.state
        || matches!(
            (old.state, new.state),
            (OrderState::Open, OrderState::Leased | OrderState::Closed)
                | (OrderState::Leased, OrderState::Closed)
        )
        || relisted;
    assert!(
        legal,
        "order {id} went from {:?} to {:?}",
        old.state, new.state
    );
    assert_ne!(
        old.state,
        OrderState::Closed,
        "order {id} is over and changed"
    );
    assert_eq!(
        (&old.tenant, &old.ceiling, &old.terms),
        (&new.tenant, &new.ceiling, &new.terms)
    );
    if let Op::Market(who, ExecuteMsg::CloseOrder { .. }, _) = op {
        assert_eq!(*who, old.tenant, "a stranger closed order {id}");
    }
}

/// The coins that came with a message into order `id`, which is new when `is_new`.
fn came(op: &Op, id: u64, is_new: bool) -> u128 {
    let funds = match op {
        Op::Market(_, ExecuteMsg::Deposit { order_id }, funds) if order_id.0 == id => funds,
        Op::Market(_, ExecuteMsg::CreateOrder { .. }, funds) if is_new => funds,
        _ => return 0,
    };
    Uint128::try_from(funds[0].amount).unwrap().u128()
}

fn escrow(
    w: &mut World,
    op: &Op,
    done: &Done,
    flows: &mut Flows,
    id: u64,
    old: &Escrow,
    new: &Escrow,
) {
    assert!(new.adds_up(), "order {id}: {new:?}");
    let order = w.order(id).unwrap();
    let denom = order.ceiling.denom.clone();
    let is = new.held().unwrap().u128();
    let grown = |field: fn(&Escrow) -> Uint128| {
        let (was, is) = (field(old), field(new));
        assert!(is >= was, "order {id}: {old:?} became {new:?}");
        (is - was).u128()
    };
    let deposited = grown(|e| e.deposited);
    assert_eq!(
        deposited,
        came(op, id, old.deposited.is_zero()),
        "order {id}"
    );
    // A reservation fee of every deposit, on the total of all.
    let parts = w.reservations.entry(id).or_default();
    let before = *parts;
    if deposited > 0 {
        let bps = if order.state == OrderState::Leased {
            Some(&order.fees)
        } else {
            None
        };
        let bps = bps
            .or(w.fees.get(&denom))
            .unwrap_or(&order.fees)
            .reservation_bps;
        *parts += Uint256::from(deposited) * Uint256::from(bps);
    }
    let bps = Uint256::from(BPS);
    let reserved = Uint128::try_from(*parts / bps - before / bps)
        .unwrap()
        .u128();
    let leases = flows.leases.get(&id).copied().unwrap_or_default();
    let free = old.free().unwrap().u128() + deposited - reserved;
    // A lease that opens beside others comes after what they have earned; the first leases of an order come before.
    let session = order.fees.session_fee.u128() * leases.opened;
    let session = session.min(free.saturating_sub(leases.earned));
    let fees = grown(|e| e.fees);
    assert_eq!(
        fees,
        reserved + leases.take + session,
        "order {id}: reservation, take and session fee"
    );
    flows.pay(&w.bare.fee_collector, &denom, fees);
    assert_eq!(grown(|e| e.paid), leases.paid, "order {id}");
    let leases = order.leases().map(|l| w.lease(l.0).unwrap().payable);
    assert_eq!(leases.sum::<Uint128>(), new.payable, "order {id}");
    refunds(done, flows, id, (old, new), &denom);
    if order.state == OrderState::Closed {
        assert_eq!(is, 0, "order {id} is over and holds {new:?}");
    }
    let sum = w.held.entry(denom).or_default();
    *sum = *sum + is - old.held().unwrap().u128();
}

/// What is refunded is what the last deposits have left, and goes back in the order they came.
fn refunds(done: &Done, flows: &mut Flows, id: u64, (old, new): (&Escrow, &Escrow), denom: &str) {
    let mut rest = (new.refunded - old.refunded).u128();
    let mut expected = vec![];
    for d in old.deposits.iter().rev() {
        let part = d.left.u128().min(rest);
        if part > 0 {
            flows.pay(&d.depositor, denom, part);
            expected.insert(0, (d.depositor.clone(), part, denom.to_owned()));
        }
        rest -= part;
    }
    assert_eq!(rest, 0, "order {id} gave back more than was left");
    let n = expected.len();
    let found = n == 0 || done.paid.windows(n).any(|w| w == expected);
    assert!(found, "order {id} owed {expected:?}, paid {:?}", done.paid);
}

/// Steps are legal, terms stand, and what moves a lease is its parties, a deposit, or time.
fn lease(w: &World, op: &Op, id: u64, old: Option<&Lease>, new: &Lease) {
    let now = w.bare.now();
    let Some(old) = old else {
        // The hook that opens a lease suspends it too when fees have eaten its escrow.
        let dry = new.state == LeaseState::Suspended && new.suspended_at == Some(now);
        assert!(
            dry || new.state == LeaseState::Active,
            "lease {id}: {new:?}"
        );
        assert_eq!((new.opened_at, new.settled_at), (now, now));
        return;
    };
    assert_ne!(
        old.state,
        LeaseState::Closed,
        "lease {id} is over and changed"
    );
    let legal = old.state == new.state || old.state.may_become(new.state);
    assert!(
        legal,
        "lease {id} went from {:?} to {:?}",
        old.state, new.state
    );
    let terms = |l: &Lease| {
        (
            l.order_id,
            l.tenant.clone(),
            l.provider.clone(),
            l.take_bps,
            l.tiers.clone(),
            l.ends_at,
        )
    };
    assert_eq!(terms(old), terms(new), "lease {id}");
    measured(w, op, id, old, new);
    assert!(
        old.gross <= new.gross && old.fee <= new.fee && new.fee <= new.gross,
        "lease {id}"
    );
    assert!(
        old.settled_at <= new.settled_at && new.settled_at <= now.min(new.ends_at),
        "lease {id}: {new:?}"
    );
    assert_eq!(
        new.suspended_at.is_some(),
        new.state == LeaseState::Suspended
    );
    let closed = new.state == LeaseState::Closed;
    assert_eq!(
        (new.closed_at.is_some(), new.close_reason.is_some()),
        (closed, closed)
    );
    let sender = match op {
        Op::Market(who, ExecuteMsg::CloseLease { lease_id }, _) if lease_id.0 == id => Some(who),
        _ => None,
    };
    // Who closed another lease of the same cluster.
    let other = match op {
        Op::Market(who, ExecuteMsg::CloseLease { lease_id }, _) => {
            let order = w.order(new.order_id.0).unwrap();
            let closed = w.lease(lease_id.0).unwrap();
            let together = order.pricing.ends_together() && closed.order_id == new.order_id;
            (together && lease_id.0 != id).then_some((who, closed))
        }
        _ => None,
    };
    let at = new.closed_at.unwrap_or(now);
    match new.close_reason {
        Some(CloseReason::Tenant) => {
            let who = sender.or(other.as_ref().map(|(who, _)| *who));
            assert_eq!((who, at), (Some(&new.tenant), now), "lease {id}")
        }
        Some(CloseReason::Cluster) => {
            let (who, closed) = other.unwrap();
            assert_eq!((who, at), (&closed.provider, now), "lease {id}")
        }
        Some(CloseReason::Provider) => {
            assert_eq!((sender, at), (Some(&new.provider), now), "lease {id}")
        }
        Some(CloseReason::Notice) => {
            assert_eq!((sender, at), (Some(&new.provider), now), "lease {id}");
            assert!(
                new.leaves_at.is_some_and(|t| t <= now),
                "lease {id}: {new:?}"
            );
        }
        Some(CloseReason::EndOfTerm) => {
            assert!(at == new.ends_at && at <= now, "lease {id}: {new:?}")
        }
        Some(CloseReason::Exhausted) => {
            assert!(at < new.ends_at && at <= now, "lease {id}: {new:?}")
        }
        None => {}
    }
    seconds(w, id, old, new);
    if (old.state, new.state) == (LeaseState::Suspended, LeaseState::Active) {
        let fewer = matches!(op, Op::Market(_, ExecuteMsg::CloseLease { lease_id }, _)
            if w.lease(lease_id.0).unwrap().order_id == new.order_id && lease_id.0 != id);
        let topped_up = matches!(op, Op::Market(_, ExecuteMsg::Deposit { order_id }, _) if *order_id == new.order_id);
        let cheaper = new.rate < old.rate;
        assert!(
            topped_up || fewer || cheaper,
            "lease {id} came back by {op:?}"
        );
    }
}

/// A rate changes only by a score that is measured in time, and only downwards; nothing is booked before.
fn measured(w: &World, op: &Op, id: u64, old: &Lease, new: &Lease) {
    let now = w.bare.now();
    assert!(
        !new.is_unmeasured(now) || new.gross.is_zero(),
        "lease {id}: {new:?}"
    );
    if old.rate == new.rate {
        return;
    }
    assert!(
        new.rate < old.rate && old.is_unmeasured(now),
        "lease {id}: {old:?}"
    );
    let Op::Market(who, ExecuteMsg::ReportScore { lease_id, .. }, _) = op else {
        panic!("lease {id} changed its rate by {op:?}");
    };
    assert_eq!(lease_id.0, id);
    assert!(
        [&new.provider, &w.bare.authority].contains(&who),
        "measured by {who}"
    );
}

/// Every second is paid or not for a reason, and a step stands at its own second however late it is taken.
fn seconds(w: &World, id: u64, old: &Lease, new: &Lease) {
    let (now, grace) = (w.bare.now(), crate::world::settings().grace_secs);
    let run = new.active_secs - old.active_secs;
    // Since when it is not active any more, when it is not.
    let stopped = old.suspended_at.unwrap_or(old.active_since + run);
    assert!(
        old.suspended_at.is_none() || run == 0,
        "lease {id} earned while suspended"
    );
    match new.state {
        LeaseState::Active => {
            let ran_on =
                old.suspended_at.is_none() && new.active_since == old.active_since && run == 0;
            let revived = new.active_since == now && stopped <= now;
            assert!(ran_on || revived, "lease {id}: {old:?} became {new:?}");
        }
        LeaseState::Suspended => assert_eq!(new.suspended_at, Some(stopped), "lease {id}"),
        LeaseState::Closed => {
            let at = new.closed_at.unwrap();
            let waited = at - stopped;
            match new.close_reason {
                Some(CloseReason::Exhausted) => assert_eq!(waited, grace, "lease {id}"),
                Some(_) => assert!(waited <= grace, "lease {id}: {old:?} became {new:?}"),
                None => panic!("lease {id} closed without a reason"),
            }
        }
    }
    if new.state != LeaseState::Active {
        let mut owed = whole_micro(new.rate.accrued(new.resources.units, new.active_secs)).unwrap();
        if new.state == LeaseState::Suspended && new.performance.is_some() && new.gross.is_zero() {
            // Booked once it is measured and somebody asks.
            owed = Uint128::zero();
        }
        assert_eq!(
            (new.gross, new.fee),
            (owed, take(owed, new.take_bps, &new.tiers)),
            "lease {id}"
        );
    }
    if new.state == LeaseState::Suspended {
        // The first second that it is not paid for is one that not all leases of the order are paid for.
        let account = Account::load(w.store(), new.order_id).unwrap();
        let leases = account.running().map(|(_, l)| l);
        assert!(!pays_a_second(leases, &account.escrow), "lease {id}");
    }
}

fn bid(w: &mut World, op: &Op, flows: &mut Flows, id: u64, old: Option<Bid>, new: &Bid) {
    let denom = w.order(new.order_id.0).unwrap().ceiling.denom;
    let (was, is) = (
        old.as_ref().map_or(0, |b| b.deposit.u128()),
        new.deposit.u128(),
    );
    if was > is {
        let forfeited = new.state == BidState::Forfeited;
        let to = if forfeited {
            w.bare.fee_collector.clone()
        } else {
            new.provider.clone()
        };
        flows.pay(&to, &denom, was - is);
    }
    let sum = w.bid_deposits.entry(denom).or_default();
    *sum = *sum + is - was;
    let live = matches!(new.state, BidState::Open | BidState::Sealed);
    assert!(live || is == 0, "bid {id} is over and holds {is}");
    keep(&mut w.bids, id, live);
    let Some(old) = old else { return };
    assert!(
        matches!(old.state, BidState::Open | BidState::Sealed),
        "bid {id} is over and changed"
    );
    assert_eq!(
        (&old.provider, &old.commitment),
        (&new.provider, &new.commitment),
        "bid {id}"
    );
    if (old.state, new.state) == (BidState::Sealed, BidState::Open) {
        let revealed = matches!(op, Op::Market(who, ExecuteMsg::RevealBid { bid_id, .. }, _)
            if bid_id.0 == id && *who == new.provider);
        assert!(revealed, "bid {id} was revealed by {op:?}");
    } else {
        assert_eq!(old.rate, new.rate, "bid {id}");
    }
    if new.state == BidState::Forfeited {
        assert_eq!(
            old.state,
            BidState::Sealed,
            "bid {id} was revealed and forfeited"
        );
        assert!(matches!(op, Op::Block(_)), "bid {id} forfeited by {op:?}");
    }
    if new.state == BidState::Withdrawn {
        assert!(
            matches!(op, Op::Market(who, _, _) if *who == new.provider),
            "bid {id} withdrawn by {op:?}"
        );
    }
}

/// Whoever got through had the right to.
fn sender_may(w: &World, op: &Op) {
    let Op::Market(who, msg, _) = op else { return };
    let right = match msg {
        ExecuteMsg::AcceptBid { bid_id } => {
            w.order(w.bid(bid_id.0).unwrap().order_id.0).unwrap().tenant
        }
        ExecuteMsg::WithdrawBid { bid_id } => w.bid(bid_id.0).unwrap().provider,
        ExecuteMsg::Withdraw { lease_id } => w.lease(lease_id.0).unwrap().provider,
        ExecuteMsg::UpdateFees { .. } => w.bare.authority.clone(),
        ExecuteMsg::CloseLease { lease_id } => {
            let lease = w.lease(lease_id.0).unwrap();
            let is_tenant = *who == lease.tenant;
            if is_tenant {
                lease.tenant
            } else {
                lease.provider
            }
        }
        _ => return,
    };
    assert_eq!(*who, right, "{op:?}");
}

/// The ledger says what the orders and bids say, and the bank has it.
fn sums(w: &World) {
    for denom in DENOMS {
        let ledger: Ledger = LEDGERS
            .may_load(w.store(), denom)
            .unwrap()
            .unwrap_or_default();
        let held = w.held.get(denom).copied().unwrap_or_default();
        let deposits = w.bid_deposits.get(denom).copied().unwrap_or_default();
        assert_eq!(ledger.held().unwrap().u128(), held, "{denom}");
        assert_eq!(ledger.bid_deposits.u128(), deposits, "{denom}");
        assert_eq!(
            w.bare.bank.balance(&w.bare.market, denom),
            held + deposits,
            "{denom}"
        );
    }
}

/// What the escrow query says before a settlement is what the settlement books.
pub fn view_before(w: &World, op: &Op) -> Option<EscrowResponse> {
    let Op::Market(_, ExecuteMsg::Settle { lease_id }, _) = op else {
        return None;
    };
    let order_id = w.lease(lease_id.0)?.order_id;
    Some(w.bare.ask(QueryMsg::Escrow { order_id }).unwrap())
}

pub fn view_after(w: &World, op: &Op, view: Option<EscrowResponse>) {
    let (Some(mut seen), Op::Market(_, ExecuteMsg::Settle { lease_id }, _)) = (view, op) else {
        return;
    };
    let lease = w.lease(lease_id.0).unwrap();
    if lease.state == LeaseState::Closed {
        return;
    }
    let order_id = lease.order_id;
    let booked: EscrowResponse = w.bare.ask(QueryMsg::Escrow { order_id }).unwrap();
    seen.fees += seen.fees_due;
    seen.held -= seen.fees_due;
    seen.fees_due = Uint128::zero();
    if lease.state == LeaseState::Suspended {
        seen.exhausted_at = None;
    }
    assert_eq!(seen, booked);
}

/// Everything, from the start.
pub fn everything(w: &World) {
    for denom in DENOMS {
        assert_eq!(
            w.bare.bank.supply(denom),
            w.supply[denom],
            "{denom} made or lost"
        );
    }
    let (mut start_after, mut by_orders) = (None, BTreeMap::<String, Uint128>::new());
    loop {
        let limit = Some(100);
        let page: InvariantsResponse = w
            .bare
            .ask(QueryMsg::Invariants { start_after, limit })
            .unwrap();
        assert!(page.ok, "{page:?}");
        for d in &page.denoms {
            assert_eq!(d.balance, d.liabilities, "{d:?}");
            *by_orders.entry(d.denom.clone()).or_default() += d.held_by_orders;
        }
        start_after = page.next;
        if start_after.is_none() {
            for d in &page.denoms {
                assert_eq!(by_orders[&d.denom], d.held);
            }
            break;
        }
    }
    let mut due = 0;
    for row in ORDERS.range(w.store(), None, None, cosmwasm_std::Order::Ascending) {
        let (id, order) = row.unwrap();
        if let Some(at) = order.due_at {
            due += 1;
            assert!(
                DUE.has(w.store(), (at, id)),
                "order {id} is not in the time index"
            );
        }
        let e: EscrowResponse = w
            .bare
            .ask(QueryMsg::Escrow {
                order_id: OrderId(id),
            })
            .unwrap();
        let left: Uint128 = e.deposits.iter().map(|d| d.left).sum();
        assert_eq!(e.held, left + e.payable + e.fees_due, "order {id}: {e:?}");
        for l in &e.leases {
            assert_eq!(l.accrued, l.fee + l.paid + l.payable, "order {id}: {e:?}");
        }
        let paid: Uint128 = e.leases.iter().map(|l| l.paid).sum();
        assert_eq!(paid, e.paid, "order {id}: {e:?}");
    }
    let index = DUE.keys(w.store(), None, None, cosmwasm_std::Order::Ascending);
    assert_eq!(index.count(), due, "the time index holds what is not due");
}
