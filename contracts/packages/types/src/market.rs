//! Messages of the `market` contract: orders, bids, asks, leases, escrow, fees.

use crate::{
    assurance::Assurance,
    eligibility::Stopped,
    error::ValidationError,
    fees::DenomFees,
    ids::{AskId, BidId, LeaseId, OrderId},
    lease::{BidState, CloseReason, LeaseState, OrderState},
    money::{HOUR, Rate},
    pricing::PricingMode,
    resources::ResourceSpec,
};
use cosmwasm_schema::{QueryResponses, cw_serde};
use cosmwasm_std::{Addr, Binary, Timestamp, Uint128};

/// Set up the contract.
#[cw_serde]
pub struct InstantiateMsg {
    /// Who may change the fee schedule: the governance module's account.
    pub authority: String,
    /// The registry contract.
    pub registry: String,
    /// Where fees go: the chain's fee collector.
    pub fee_collector: String,
    /// One entry a denom.
    pub fees: Vec<DenomFees>,
    /// Seconds that a suspended lease waits for a top-up.
    pub grace_secs: u64,
    /// Most open bids of one order; a better bid replaces the worst.
    pub max_bids_per_order: u32,
}

/// Upgrade from the previous stored version.
#[cw_serde]
pub struct MigrateMsg {}

/// A price ceiling.
#[cw_serde]
pub struct Ceiling {
    /// What the order is priced, funded and paid in.
    pub denom: String,
    /// Most per unit, 10^-6 micro-units a second.
    pub rate: Rate,
}

/// What an order asks of its provider beside the hardware. Nothing by default.
#[cw_serde]
#[derive(Default)]
pub struct Terms {
    /// Hours between the provider's notice and its leaving, 1 to [`MAX_NOTICE_HOURS`]; 0 asks for no notice. It is paid
    /// through them. The tenant may go at any time.
    #[serde(default)]
    pub notice_hours: u16,
    /// Whether an order whose provider leaves before the end of term opens again, with what its escrow has left and for
    /// the rest of the term.
    #[serde(default)]
    pub relist: bool,
}

/// Longest notice: 30 days.
pub const MAX_NOTICE_HOURS: u16 = 720;

impl Terms {
    /// # Errors
    /// When the notice is too long.
    pub fn validate(&self) -> Result<(), ValidationError> {
        let (field, got) = ("terms.notice_hours", self.notice_hours);
        if got > MAX_NOTICE_HOURS {
            let expected = format!("0 to {MAX_NOTICE_HOURS}");
            return Err(ValidationError::range(field, expected, got));
        }
        Ok(())
    }

    /// When a provider that gave notice at `at` may leave; unix seconds.
    pub fn leaves_at(&self, at: u64) -> u64 {
        at.saturating_add(u64::from(self.notice_hours).saturating_mul(HOUR))
    }
}

/// What an account may ask of the market.
#[cw_serde]
#[allow(
    clippy::large_enum_variant,
    reason = "one is parsed a transaction; a box would be in every caller's way"
)]
pub enum ExecuteMsg {
    /// Ask for GPUs. Funds: the first deposit, in the ceiling's denom alone. Answers [`CreateOrderResponse`].
    CreateOrder {
        /// What is asked for.
        resources: ResourceSpec,
        /// How the price is found.
        pricing: PricingMode,
        /// The most it may cost.
        ceiling: Ceiling,
        /// Longest lease in seconds, 1 to 31,536,000.
        max_duration_secs: u64,
        /// What its provider must keep to.
        #[serde(default)]
        terms: Terms,
    },
    /// Take back an open order; the escrow is refunded. By its tenant; of a sealed tender while commitments are taken.
    CloseOrder {
        /// Which.
        order_id: OrderId,
    },
    /// Bid on an open order. Funds: the denom's bid deposit. By a provider who may bid and has the devices.
    /// A second bid of the same provider replaces its first.
    PlaceBid {
        /// Which.
        order_id: OrderId,
        /// Per unit.
        rate: Rate,
        /// Units offered, where the mode takes parts; without it all that the order wants.
        #[serde(default)]
        units: Option<u32>,
        /// The score that each unit promises, where the mode pays for one: the rate is then for each of its points.
        #[serde(default)]
        score: Option<u64>,
    },
    /// Commit to a sealed bid on an order priced by sealed tender. Funds: the denom's bid deposit, which is forfeited to
    /// the fee collector unless the bid is revealed in time. By a provider who may bid and has the devices. A second
    /// commitment of the same provider replaces its first.
    CommitBid {
        /// Which.
        order_id: OrderId,
        /// 32 bytes: see `pricing::sealed_tender::commitment`.
        commitment: Binary,
        /// Units offered, as in [`Self::PlaceBid`]; seen by all.
        #[serde(default)]
        units: Option<u32>,
    },
    /// Reveal a sealed bid in the reveal window. By its provider.
    RevealBid {
        /// Which.
        bid_id: BidId,
        /// Per unit, at most the order's ceiling.
        rate: Rate,
        /// The 32 bytes that the commitment was made with.
        salt: Binary,
    },
    /// Take back an open bid, or a sealed one while commitments are taken; its deposit is returned. By its provider.
    WithdrawBid {
        /// Which.
        bid_id: BidId,
    },
    /// End the auction: this bid wins. By the order's tenant.
    AcceptBid {
        /// Which.
        bid_id: BidId,
    },
    /// Post a standing ask. No funds. By a provider who may bid and has the device.
    PlaceAsk {
        /// The device id, as registered; every unit of the ask is one like it.
        device: String,
        /// Units for sale.
        units: u32,
        /// What it is priced in.
        denom: String,
        /// Per unit, with the assurance.
        rate: Rate,
        /// What the rate pays for; the provider must offer it. The ask serves orders that want this or none.
        #[serde(default)]
        assurance: Assurance,
    },
    /// Take back a standing ask. By its provider.
    WithdrawAsk {
        /// Which.
        ask_id: AskId,
    },
    /// Say that the lease's provider will leave, where the order's terms ask for notice. By its provider, once.
    GiveNotice {
        /// Which.
        lease_id: LeaseId,
    },
    /// End a lease now: what has accrued is paid, the rest refunded. By its tenant; by its provider once the notice
    /// that the order's terms ask for has run, or while the lease is suspended.
    CloseLease {
        /// Which.
        lease_id: LeaseId,
    },
    /// Say what score was measured on a lease that is paid by performance, while it may be measured. The lowest counts. By
    /// the lease's provider, or whom the registry lets set trust levels.
    ReportScore {
        /// Which.
        lease_id: LeaseId,
        /// What a unit of it reached.
        score: u64,
    },
    /// Add the sent coins to an order's escrow; revives a suspended lease. By anyone.
    Deposit {
        /// Which.
        order_id: OrderId,
    },
    /// Book what has accrued: to the provider's balance and the fee. By anyone.
    Settle {
        /// Which.
        lease_id: LeaseId,
    },
    /// Settle, then pay out the provider's balance of this lease. By its provider.
    Withdraw {
        /// Which.
        lease_id: LeaseId,
    },
    /// Replace the fee schedule; running leases keep the schedule they opened with. By the authority.
    UpdateFees {
        /// One entry a denom.
        fees: Vec<DenomFees>,
    },
}

/// Data of a `CreateOrder`.
#[cw_serde]
pub struct CreateOrderResponse {
    /// The new order.
    pub order_id: OrderId,
    /// The lease, when the order crossed at once.
    pub lease_id: Option<LeaseId>,
    /// The others, when it crossed several asks.
    pub more_leases: Vec<LeaseId>,
    /// Whether somebody can serve it: false when not one of the providers who are bonded and were seen recently can. They
    /// are tried until one can, 20 at most; when the 20 cannot and there are more, nobody knows and this is true.
    pub feasible: bool,
    /// When it is not feasible: what stops how many of them. Empty when there are none with such a model.
    pub stopped: Vec<Stopped>,
}

/// What anyone may read. Lists run by id, upwards unless `descending`; `start_after` continues in that direction. `limit` is
/// 30 when absent, 1 to 100. Filters are combined. One that no index serves looks at 500 rows a query: such a page may
/// hold fewer than `limit` entries, or none, and its `next` still says where to go on.
#[cw_serde]
#[derive(QueryResponses)]
pub enum QueryMsg {
    /// The configuration, with the current fees.
    #[returns(InstantiateMsg)]
    Config {},
    /// One order.
    #[returns(OrderResponse)]
    Order {
        /// Which.
        order_id: OrderId,
    },
    /// Orders.
    #[returns(OrdersResponse)]
    Orders {
        /// Only this tenant's.
        tenant: Option<String>,
        /// Only in this state.
        state: Option<OrderState>,
        /// Only those that ask for this model by name; no index.
        model: Option<String>,
        /// Continue after this id.
        start_after: Option<OrderId>,
        /// Page size.
        limit: Option<u32>,
        /// Newest first.
        descending: Option<bool>,
    },
    /// One bid.
    #[returns(BidResponse)]
    Bid {
        /// Which.
        bid_id: BidId,
    },
    /// Bids.
    #[returns(BidsResponse)]
    Bids {
        /// Only on this order.
        order_id: Option<OrderId>,
        /// Only this provider's; no index where the order is given too.
        provider: Option<String>,
        /// Only in this state; no index.
        state: Option<BidState>,
        /// Continue after this id.
        start_after: Option<BidId>,
        /// Page size.
        limit: Option<u32>,
        /// Newest first.
        descending: Option<bool>,
    },
    /// Standing asks.
    #[returns(AsksResponse)]
    Asks {
        /// Only this provider's.
        provider: Option<String>,
        /// Only of this model; no index.
        model: Option<String>,
        /// Only those that have, or have not, units for sale; no index.
        for_sale: Option<bool>,
        /// Continue after this id.
        start_after: Option<AskId>,
        /// Page size.
        limit: Option<u32>,
        /// Newest first.
        descending: Option<bool>,
    },
    /// One lease.
    #[returns(LeaseResponse)]
    Lease {
        /// Which.
        lease_id: LeaseId,
    },
    /// Leases.
    #[returns(LeasesResponse)]
    Leases {
        /// Only this tenant's.
        tenant: Option<String>,
        /// Only this provider's.
        provider: Option<String>,
        /// Only in this state.
        state: Option<LeaseState>,
        /// Only those whose order asks for this model by name; no index.
        model: Option<String>,
        /// Continue after this id.
        start_after: Option<LeaseId>,
        /// Page size.
        limit: Option<u32>,
        /// Newest first.
        descending: Option<bool>,
    },
    /// The escrow account of an order, as of this block's time, without settling.
    #[returns(EscrowResponse)]
    Escrow {
        /// Which.
        order_id: OrderId,
    },
    /// The books, checked: every denom, and `limit` orders after `start_after`.
    #[returns(InvariantsResponse)]
    Invariants {
        /// Continue after this id.
        start_after: Option<OrderId>,
        /// How many orders.
        limit: Option<u32>,
    },
    /// A dry run over registered providers, by address: how many could bid on such an order now, and what stops the others.
    #[returns(crate::eligibility::FeasibleResponse)]
    CanFill {
        /// What the order would ask for.
        resources: ResourceSpec,
        /// Continue after this provider.
        start_after: Option<String>,
        /// Page size.
        limit: Option<u32>,
    },
    /// Totals of a denom since genesis: `deposited = paid + fees + refunded + held`.
    #[returns(LedgerResponse)]
    Ledger {
        /// Which.
        denom: String,
    },
}

/// An order.
#[cw_serde]
pub struct OrderResponse {
    /// Its id.
    pub id: OrderId,
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
    /// What its provider must keep to.
    pub terms: Terms,
    /// Where it stands.
    pub state: OrderState,
    /// Block time of its creation.
    pub created_at: Timestamp,
    /// Open bids on it.
    pub open_bids: u32,
    /// Its lease, while and after it is matched; none while it waits, or waits again.
    pub lease_id: Option<LeaseId>,
    /// Its other leases, where several offers fill it.
    pub more_leases: Vec<LeaseId>,
    /// Leases of before the order opened again because a provider left.
    pub past_leases: Vec<LeaseId>,
}

/// A page of orders.
#[cw_serde]
pub struct OrdersResponse {
    /// By id, in the direction asked for.
    pub orders: Vec<OrderResponse>,
    /// Continue after this id; none at the end of the list.
    pub next: Option<OrderId>,
}

/// A bid.
#[cw_serde]
pub struct BidResponse {
    /// Its id.
    pub id: BidId,
    /// On which order.
    pub order_id: OrderId,
    /// Who bids.
    pub provider: Addr,
    /// Units offered.
    pub units: u32,
    /// Per unit; zero while the bid is sealed.
    pub rate: Rate,
    /// Hash of a bid that is or was sealed, 32 bytes.
    pub commitment: Option<Binary>,
    /// What its provider had bonded when it came: its chance in a draw. Micro-units of the native token.
    pub weight: Uint128,
    /// The score that it promises; its rate is then for each of the points.
    pub score: Option<u64>,
    /// Where it stands.
    pub state: BidState,
    /// Deposit held, micro-units of the order's denom; zero once it ended.
    pub deposit: Uint128,
    /// Block time.
    pub placed_at: Timestamp,
}

/// A page of bids.
#[cw_serde]
pub struct BidsResponse {
    /// By id, in the direction asked for.
    pub bids: Vec<BidResponse>,
    /// Continue after this id; none at the end of the list.
    pub next: Option<BidId>,
}

/// A standing ask.
#[cw_serde]
pub struct AskResponse {
    /// Its id.
    pub id: AskId,
    /// Who sells.
    pub provider: Addr,
    /// The device id.
    pub device: String,
    /// What its rate pays for beside the device.
    pub assurance: Assurance,
    /// Units still for sale.
    pub units: u32,
    /// What it is priced in.
    pub denom: String,
    /// Per unit.
    pub rate: Rate,
    /// Block time.
    pub placed_at: Timestamp,
}

/// A page of asks.
#[cw_serde]
pub struct AsksResponse {
    /// By id, in the direction asked for.
    pub asks: Vec<AskResponse>,
    /// Continue after this id; none at the end of the list.
    pub next: Option<AskId>,
}

/// A lease.
#[cw_serde]
pub struct LeaseResponse {
    /// Its id.
    pub id: LeaseId,
    /// Its order, whose escrow pays it.
    pub order_id: OrderId,
    /// Who pays.
    pub tenant: Addr,
    /// Who serves.
    pub provider: Addr,
    /// What is leased.
    pub resources: ResourceSpec,
    /// What it is paid in.
    pub denom: String,
    /// Per unit, 10^-6 micro-units a second.
    pub rate: Rate,
    /// Where it stands.
    pub state: LeaseState,
    /// Block time of its opening.
    pub opened_at: Timestamp,
    /// Block time up to which it is settled.
    pub settled_at: Timestamp,
    /// Block time of its suspension, while it is suspended.
    pub suspended_at: Option<Timestamp>,
    /// Block time of its end.
    pub closed_at: Option<Timestamp>,
    /// Why it ended.
    pub close_reason: Option<CloseReason>,
    /// Block time at which its provider may leave, once it gave notice.
    pub leaves_at: Option<Timestamp>,
    /// Block time at which it ends by itself: end of term.
    pub ends_at: Timestamp,
    /// What it is paid by, where that is performance.
    pub performance: Option<LeaseScore>,
}

/// What a lease that is paid by performance promised and reached. Its rate is `rate` x the lower of the two scores, from
/// its first second.
#[cw_serde]
pub struct LeaseScore {
    /// For each point of the score, per unit.
    pub rate: Rate,
    /// The score that its bid promised.
    pub promised: u64,
    /// The lowest score that was reported; none when nobody has measured it.
    pub measured: Option<u64>,
    /// Unix seconds. Before it scores may be reported, and nothing is paid; at its end at the latest.
    pub measure_until: u64,
}

/// A page of leases.
#[cw_serde]
pub struct LeasesResponse {
    /// By id, in the direction asked for.
    pub leases: Vec<LeaseResponse>,
    /// Continue after this id; none at the end of the list.
    pub next: Option<LeaseId>,
}

/// An escrow account. `deposited = paid + fees + refunded + held`; amounts are micro-units of `denom`.
#[cw_serde]
pub struct EscrowResponse {
    /// What it holds.
    pub denom: String,
    /// Ever put in.
    pub deposited: Uint128,
    /// Paid out to the providers.
    pub paid: Uint128,
    /// Sent to the fee collector.
    pub fees: Uint128,
    /// Returned to depositors.
    pub refunded: Uint128,
    /// Still in the contract: `payable` + what is free.
    pub held: Uint128,
    /// Of `held`: what the providers could withdraw now, after fees.
    pub payable: Uint128,
    /// Of `held`: fees due to the collector at the next movement.
    pub fees_due: Uint128,
    /// Block time at which the free funds run out, while it pays for a lease.
    pub exhausted_at: Option<Timestamp>,
    /// Of `held`: what each deposit would give back were the lease to end now, in the order of the refunds.
    pub deposits: Vec<DepositResponse>,
    /// What each lease of the order has earned.
    pub leases: Vec<EarningsResponse>,
}

/// What is left of a deposit.
#[cw_serde]
pub struct DepositResponse {
    /// Who put it in and gets it back.
    pub depositor: Addr,
    /// What nobody has earned yet.
    pub left: Uint128,
}

/// What a lease has earned since its opening: `accrued = fee + paid + payable`. Micro-units.
#[cw_serde]
pub struct EarningsResponse {
    /// The lease.
    pub lease_id: LeaseId,
    /// Who earned it.
    pub provider: Addr,
    /// The whole, to the second of this block, booked or not.
    pub accrued: Uint128,
    /// Of `accrued`: the take fee.
    pub fee: Uint128,
    /// Of `accrued`: paid to the provider.
    pub paid: Uint128,
    /// Of `accrued`: what the provider could withdraw now.
    pub payable: Uint128,
}

/// Totals of a denom since genesis, micro-units. Bid deposits are counted apart.
#[cw_serde]
pub struct LedgerResponse {
    /// The denom.
    pub denom: String,
    /// Ever put into escrow.
    pub deposited: Uint128,
    /// Paid to providers.
    pub paid: Uint128,
    /// Sent to the fee collector.
    pub fees: Uint128,
    /// Returned to depositors.
    pub refunded: Uint128,
    /// Still in escrow.
    pub held: Uint128,
    /// Bid deposits held now.
    pub bid_deposits: Uint128,
}

/// What [`QueryMsg::Invariants`] found.
#[cw_serde]
pub struct InvariantsResponse {
    /// Whether everything that was looked at adds up.
    pub ok: bool,
    /// Orders of this page whose `deposited` is not `paid + fees + refunded + held`.
    pub broken: Vec<OrderId>,
    /// Where the next page starts; none when this one reached the end.
    pub next: Option<OrderId>,
    /// Every denom that was ever deposited.
    pub denoms: Vec<DenomInvariants>,
}

/// A denom's liabilities against what the bank says. Micro-units.
#[cw_serde]
pub struct DenomInvariants {
    /// The denom.
    pub denom: String,
    /// In escrow, by the ledger: `deposited - paid - fees - refunded`.
    pub held: Uint128,
    /// In escrow, summed over the orders of this page; equals `held` when the pages of one height are added up.
    pub held_by_orders: Uint128,
    /// `held` plus the bid deposits.
    pub liabilities: Uint128,
    /// The contract's bank balance. More than `liabilities` only when somebody sent it coins without a message.
    pub balance: Uint128,
}
