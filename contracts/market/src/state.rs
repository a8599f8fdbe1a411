//! Everything that the market stores. Times are whole unix seconds, amounts micro-units.

use cosmwasm_std::{Addr, Binary, Empty, HexBinary, Timestamp, Uint128};
use cw_storage_plus::{Index, IndexList, IndexedMap, Item, Map, MultiIndex};
use ember_types::{
    assurance::Assurance,
    fees::{DenomFees, Step},
    ids::{AskId, LeaseId, OrderId},
    lean::Lean,
    lease::{BidState, CloseReason, LeaseState, OrderState},
    market::{Ceiling, LeaseScore, Terms},
    money::Rate,
    pricing::PricingMode,
    resources::{Device, ResourceSpec},
};
use serde::{Deserialize, Serialize};

/// The configuration, checked; the fees stand in [`FEES`].
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Config {
    /// Who may change the fees.
    pub authority: Addr,
    /// The registry contract.
    pub registry: Addr,
    /// Where fees go.
    pub fee_collector: Addr,
    /// Seconds that a suspended lease waits.
    pub grace_secs: u64,
    /// Most live bids of one order.
    pub max_bids_per_order: u32,
}

/// An order.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Order {
    /// Who pays.
    pub tenant: Addr,
    /// What is asked for.
    pub resources: ResourceSpec,
    /// How the price is found.
    pub pricing: PricingMode,
    /// The most it may cost.
    pub ceiling: Ceiling,
    /// Longest lease in seconds.
    pub max_duration_secs: u64,
    /// Where it stands.
    pub state: OrderState,
    /// Block time of its creation.
    pub created_at: Timestamp,
    /// Live bids on it.
    pub open_bids: u32,
    /// What its provider must keep to.
    #[serde(default)]
    pub terms: Terms,
    /// Its lease, once matched.
    pub lease_id: Option<LeaseId>,
    /// Its other leases, where several offers fill it; a lease that ended stays while others run.
    #[serde(default)]
    pub more_leases: Vec<LeaseId>,
    /// Units of a lease whose provider left while others run: they cross again at the end of the block.
    #[serde(default)]
    pub missing: u32,
    /// Leases of before it opened again.
    #[serde(default)]
    pub past_leases: Vec<LeaseId>,
    /// How often it opened again, or crossed for units that were missing.
    #[serde(default)]
    pub relists: u8,
    /// When it last opened again, or lost units.
    #[serde(default)]
    pub relisted_at: Option<u64>,
    /// The schedule of its creation, then of its lease's opening.
    pub fees: DenomFees,
    /// What its lot is drawn with, once a bid was revealed.
    #[serde(default)]
    pub seed: Option<HexBinary>,
    /// When the end-block hook must look at it: its key in [`DUE`].
    pub due_at: Option<u64>,
}

/// What is left of one deposit.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Deposit {
    /// Who put it in and gets what is left.
    pub depositor: Addr,
    /// What nobody has earned yet.
    pub left: Uint128,
}

/// The account of an order. Always `deposited = paid + fees + refunded + payable + sum(deposits.left)`.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Default)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Escrow {
    /// In the order they came: the first is consumed first, and what is left is refunded in this order.
    pub deposits: Vec<Deposit>,
    /// Ever put in.
    pub deposited: Uint128,
    /// Paid to the providers.
    pub paid: Uint128,
    /// Sent to the fee collector.
    pub fees: Uint128,
    /// Returned to depositors.
    pub refunded: Uint128,
    /// Earned by the providers and not yet paid: the sum of its leases' `payable`.
    pub payable: Uint128,
    /// What the rounding of the reservation fees has left so far, in 10^-4 micro-units.
    #[serde(default)]
    pub reservation_rest: u16,
}

/// A bid.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Bid {
    /// On which order.
    pub order_id: OrderId,
    /// Who bids.
    pub provider: Addr,
    /// Units offered; `None`: all that the order wants.
    #[serde(default)]
    pub units: Option<u32>,
    /// Per unit; zero while it is sealed.
    pub rate: Rate,
    /// Hash of a bid that is or was sealed.
    #[serde(default)]
    pub commitment: Option<Binary>,
    /// What its provider had bonded when it came.
    #[serde(default)]
    pub weight: Uint128,
    /// The score that it promises.
    #[serde(default)]
    pub score: Option<u64>,
    /// Where it stands.
    pub state: BidState,
    /// Held; zero once it ended.
    pub deposit: Uint128,
    /// Block time.
    pub placed_at: Timestamp,
}

/// A standing ask.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Ask {
    /// Who sells.
    pub provider: Addr,
    /// The device as it was when the ask was posted.
    pub device: Device,
    /// What its rate pays for beside the device.
    #[serde(default)]
    pub assurance: Assurance,
    /// Units for sale now; with none the ask stands outside the book until a lease gives units back.
    pub units: u32,
    /// What it is priced in.
    pub denom: String,
    /// Per unit.
    pub rate: Rate,
    /// Block time.
    pub placed_at: Timestamp,
}

/// A lease.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Lease {
    /// Its order.
    pub order_id: OrderId,
    /// Who pays.
    pub tenant: Addr,
    /// Who serves.
    pub provider: Addr,
    /// What is leased.
    pub resources: ResourceSpec,
    /// What it is paid in.
    pub denom: String,
    /// Per unit.
    pub rate: Rate,
    /// The take fee that it opened with, less its provider's rebate, basis points.
    pub take_bps: u16,
    /// The tiers that it opened with, less the rebate.
    #[serde(default)]
    pub tiers: Vec<Step>,
    /// The ask that it crossed, to which its units return.
    pub ask: Option<AskId>,
    /// Where it stands.
    pub state: LeaseState,
    /// When it opened.
    pub opened_at: u64,
    /// End of term.
    pub ends_at: u64,
    /// Up to when it is settled.
    pub settled_at: u64,
    /// Since when it is suspended, while it is.
    pub suspended_at: Option<u64>,
    /// When its provider may leave, once it gave notice.
    #[serde(default)]
    pub leaves_at: Option<u64>,
    /// When it ended.
    pub closed_at: Option<u64>,
    /// Why it ended.
    pub close_reason: Option<CloseReason>,
    /// Paid seconds before `active_since`.
    pub active_secs: u64,
    /// When it was last opened or revived.
    pub active_since: u64,
    /// Booked since the opening: whole micro-units of what accrued.
    pub gross: Uint128,
    /// Of `gross`: the take fee.
    pub fee: Uint128,
    /// Of `gross`: earned by the provider and not yet paid.
    #[serde(default)]
    pub payable: Uint128,
    /// What its rate follows, where it is paid by performance.
    #[serde(default)]
    pub performance: Option<LeaseScore>,
}

/// Totals of a denom since genesis.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Default)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Ledger {
    /// Ever put into escrow.
    pub deposited: Uint128,
    /// Paid to providers.
    pub paid: Uint128,
    /// Sent to the fee collector.
    pub fees: Uint128,
    /// Returned to depositors.
    pub refunded: Uint128,
    /// Bid deposits held now.
    pub bid_deposits: Uint128,
}

ember_types::lean!(Config, Order, Escrow, Bid, Ask, Lease, Ledger);

/// How lists of orders are filtered.
pub struct OrderIndexes {
    /// By tenant and state.
    pub tenant: MultiIndex<'static, (Addr, u8), Order, u64>,
    /// By state.
    pub state: MultiIndex<'static, u8, Order, u64>,
}

impl IndexList<Order> for OrderIndexes {
    fn get_indexes(&'_ self) -> Box<dyn Iterator<Item = &'_ dyn Index<Order>> + '_> {
        let all: [&dyn Index<Order>; 2] = [&self.tenant, &self.state];
        Box::new(all.into_iter())
    }
}

/// How lists of leases are filtered.
pub struct LeaseIndexes {
    /// By tenant and state.
    pub tenant: MultiIndex<'static, (Addr, u8), Lease, u64>,
    /// By provider and state.
    pub provider: MultiIndex<'static, (Addr, u8), Lease, u64>,
    /// By tenant, provider and state.
    pub pair: MultiIndex<'static, (Addr, Addr, u8), Lease, u64>,
    /// By state.
    pub state: MultiIndex<'static, u8, Lease, u64>,
}

impl IndexList<Lease> for LeaseIndexes {
    fn get_indexes(&'_ self) -> Box<dyn Iterator<Item = &'_ dyn Index<Lease>> + '_> {
        let all: [&dyn Index<Lease>; 4] = [&self.tenant, &self.provider, &self.pair, &self.state];
        Box::new(all.into_iter())
    }
}

/// The configuration.
pub const CONFIG: Item<Config> = Item::new("config");
/// The fee schedule by denom.
pub const FEES: Map<&str, Lean<DenomFees>> = Map::new("fees");
/// The last order id given.
pub const LAST_ORDER: Item<u64> = Item::new("last_order");
/// The last bid id given.
pub const LAST_BID: Item<u64> = Item::new("last_bid");
/// The last ask id given.
pub const LAST_ASK: Item<u64> = Item::new("last_ask");
/// The last lease id given.
pub const LAST_LEASE: Item<u64> = Item::new("last_lease");
/// Orders by id.
pub const ORDERS: IndexedMap<u64, Order, OrderIndexes> = IndexedMap::new(
    "orders",
    OrderIndexes {
        tenant: MultiIndex::new(
            |_, o: &Order| (o.tenant.clone(), order_state(o.state)),
            "orders",
            "orders_by_tenant",
        ),
        state: MultiIndex::new(
            |_, o: &Order| order_state(o.state),
            "orders",
            "orders_by_state",
        ),
    },
);
/// Escrow accounts by order id.
pub const ESCROWS: Map<u64, Escrow> = Map::new("escrows");
/// Bids by id.
pub const BIDS: Map<u64, Bid> = Map::new("bids");
/// Bids of every state by order.
pub const BIDS_BY_ORDER: Map<(u64, u64), Empty> = Map::new("bids_by_order");
/// Bids of every state by provider.
pub const BIDS_BY_PROVIDER: Map<(&Addr, u64), Empty> = Map::new("bids_by_provider");
/// Live bids by order, best first: rate, then id.
pub const BOOK: Map<(u64, u128, u64), Empty> = Map::new("book");
/// Sealed bids by order.
pub const SEALED: Map<(u64, u64), Empty> = Map::new("sealed");
/// The live bid of a provider on an order, sealed or open.
pub const LIVE_BID: Map<(u64, &Addr), u64> = Map::new("live_bid");
/// Standing asks by id.
pub const ASKS: Map<u64, Ask> = Map::new("asks");
/// Standing asks by provider.
pub const ASKS_BY_PROVIDER: Map<(&Addr, u64), Empty> = Map::new("asks_by_provider");
/// Asks with units for sale by denom, best first: rate, then id.
pub const ASK_BOOK: Map<(&str, u128, u64), Empty> = Map::new("ask_book");
/// Leases by id.
pub const LEASES: IndexedMap<u64, Lease, LeaseIndexes> = IndexedMap::new(
    "leases",
    LeaseIndexes {
        tenant: MultiIndex::new(
            |_, l: &Lease| (l.tenant.clone(), lease_state(l.state)),
            "leases",
            "leases_by_tenant",
        ),
        provider: MultiIndex::new(
            |_, l: &Lease| (l.provider.clone(), lease_state(l.state)),
            "leases",
            "leases_by_provider",
        ),
        pair: MultiIndex::new(
            |_, l: &Lease| (l.tenant.clone(), l.provider.clone(), lease_state(l.state)),
            "leases",
            "leases_by_pair",
        ),
        state: MultiIndex::new(
            |_, l: &Lease| lease_state(l.state),
            "leases",
            "leases_by_state",
        ),
    },
);
/// The time index: what the end-block hook must look at, by time and order id. One entry an order at most.
pub const DUE: Map<(u64, u64), Empty> = Map::new("due");
/// Totals by denom.
pub const LEDGERS: Map<&str, Ledger> = Map::new("ledgers");

/// An order state in an index.
pub const fn order_state(s: OrderState) -> u8 {
    match s {
        OrderState::Open => 0,
        OrderState::Leased => 1,
        OrderState::Closed => 2,
    }
}

/// A lease state in an index.
pub const fn lease_state(s: LeaseState) -> u8 {
    match s {
        LeaseState::Active => 0,
        LeaseState::Suspended => 1,
        LeaseState::Closed => 2,
    }
}

/// The next id of a counter; the first is 1.
///
/// # Errors
/// When the storage is broken or all ids are used.
pub fn next_id(
    storage: &mut dyn cosmwasm_std::Storage,
    counter: &Item<u64>,
) -> Result<u64, crate::error::ContractError> {
    let last = counter.may_load(storage)?.unwrap_or_default();
    let id = last
        .checked_add(1)
        .ok_or(ember_types::error::ValidationError::Overflow { what: "id counter" })?;
    counter.save(storage, &id)?;
    Ok(id)
}
