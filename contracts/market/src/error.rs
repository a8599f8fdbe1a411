//! Every reason for which the market refuses a message.

use cosmwasm_std::{Addr, OverflowError, StdError, Uint128, Uint256};
use ember_types::{
    error::ValidationError,
    ids::{AskId, BidId, LeaseId, OrderId},
    lease::{BidState, LeaseState, OrderState},
    money::Rate,
};
use thiserror::Error;

pub use ember_types::eligibility::Ineligible;

/// A refusal. The texts say what was expected and what came.
#[derive(Debug, Error)]
pub enum ContractError {
    /// Storage or serialization failed, or an address is not one.
    #[error("{0}")]
    Std(StdError),
    /// A field of the message is out of its range or not of its form.
    #[error(transparent)]
    Invalid(#[from] ValidationError),
    /// A score that comes too late.
    #[error("lease {lease_id}: expected a score before {until}, now is {now}")]
    MeasuredLate {
        /// The lease.
        lease_id: LeaseId,
        /// Unix seconds.
        until: u64,
        /// Unix seconds.
        now: u64,
    },
    /// An amount left its range.
    #[error("amount out of range: {0}")]
    Overflow(#[from] OverflowError),
    /// The sender may not do this.
    #[error("only {expected} may do this, got {sender}")]
    Unauthorized {
        /// Who may.
        expected: String,
        /// Who asked.
        sender: Addr,
    },
    /// Coins came where none are expected.
    #[error("expected no funds, got {got}")]
    UnexpectedFunds {
        /// What came.
        got: String,
    },
    /// Not exactly one coin of the right denom.
    #[error("expected one coin of {denom}, got {got}")]
    WrongFunds {
        /// The right denom.
        denom: String,
        /// What came; `nothing` when no coin did.
        got: String,
    },
    /// A coin that does not fit 128 bits.
    #[error("amount {amount} does not fit 128 bits")]
    AmountTooLarge {
        /// What came.
        amount: Uint256,
    },
    /// The market does not trade in this denom.
    #[error("unknown denom {denom}: expected one of {known}")]
    UnknownDenom {
        /// What came.
        denom: String,
        /// The fee schedule's denoms.
        known: String,
    },
    /// The first deposit is too small.
    #[error("deposit: expected at least {least}{denom}, got {got}{denom}")]
    DepositTooSmall {
        /// Micro-units.
        least: Uint128,
        /// Micro-units.
        got: Uint128,
        /// The denom.
        denom: String,
    },
    /// Too many strangers have put money into this order.
    #[error("order {order_id} has {max} depositors already: expected its tenant or one of them")]
    TooManyDepositors {
        /// The order.
        order_id: OrderId,
        /// The most there may be.
        max: usize,
    },
    /// A bid came with another deposit than the schedule's.
    #[error("bid deposit: expected exactly {expected}{denom}, got {got}{denom}")]
    WrongBidDeposit {
        /// Micro-units.
        expected: Uint128,
        /// Micro-units.
        got: Uint128,
        /// The denom.
        denom: String,
    },
    /// No such order.
    #[error("no order {0}")]
    NoOrder(OrderId),
    /// No such bid.
    #[error("no bid {0}")]
    NoBid(BidId),
    /// No such ask.
    #[error("no ask {0}: never posted, or withdrawn")]
    NoAsk(AskId),
    /// No such lease.
    #[error("no lease {0}")]
    NoLease(LeaseId),
    /// The order is in another state.
    #[error("order {order_id}: expected it {expected:?}, it is {got:?}")]
    OrderState {
        /// The order.
        order_id: OrderId,
        /// What the message needs.
        expected: OrderState,
        /// What it is.
        got: OrderState,
    },
    /// The bid is over.
    #[error("bid {bid_id}: expected it {expected:?}, it is {got:?}")]
    BidState {
        /// The bid.
        bid_id: BidId,
        /// What the message needs.
        expected: BidState,
        /// What it is.
        got: BidState,
    },
    /// The lease is over.
    #[error("lease {lease_id}: expected it Active or Suspended, it is Closed")]
    LeaseClosed {
        /// The lease.
        lease_id: LeaseId,
    },
    /// The order asks for no notice.
    #[error("lease {lease_id}: its order asks for no notice, close_lease ends it")]
    NoNotice {
        /// The lease.
        lease_id: LeaseId,
    },
    /// Notice was given before.
    #[error("lease {lease_id}: notice was given already, its provider may leave at {leaves_at}")]
    NoticeGiven {
        /// The lease.
        lease_id: LeaseId,
        /// Unix seconds.
        leaves_at: u64,
    },
    /// The provider may not leave yet.
    #[error(
        "lease {lease_id}: its provider may leave {hours} h after give_notice, expected that time past, got {leaves_at:?}"
    )]
    NoticeFirst {
        /// The lease.
        lease_id: LeaseId,
        /// The order's notice.
        hours: u16,
        /// Unix seconds; none while no notice was given.
        leaves_at: Option<u64>,
    },
    /// A step that no lease takes.
    #[error("lease {lease_id} cannot become {to:?} from {from:?}")]
    IllegalStep {
        /// The lease.
        lease_id: LeaseId,
        /// Where it stands.
        from: LeaseState,
        /// Where it should go.
        to: LeaseState,
    },
    /// The order's pricing mode does not know this message.
    #[error("order {order_id} is priced by {mode}, which {refuses}")]
    Mode {
        /// The order.
        order_id: OrderId,
        /// The mode's name.
        mode: &'static str,
        /// What the mode does not do.
        refuses: &'static str,
    },
    /// The auction is over; the end of the block finds the winner.
    #[error(
        "the auction of order {order_id} closed at {closes_at}, it is {now} now: its winner is drawn at the end of the block"
    )]
    AuctionOver {
        /// The order.
        order_id: OrderId,
        /// Unix seconds.
        closes_at: u64,
        /// Unix seconds.
        now: u64,
    },
    /// The tender's commit window is over.
    #[error("order {order_id} took commitments until {until}, it is {now} now: {refuses}")]
    CommitsOver {
        /// The order.
        order_id: OrderId,
        /// Unix seconds.
        until: u64,
        /// Unix seconds.
        now: u64,
        /// What cannot be done any more.
        refuses: &'static str,
    },
    /// The tender's reveal window has not begun.
    #[error("order {order_id} takes reveals from {from} on, it is {now} now")]
    RevealTooEarly {
        /// The order.
        order_id: OrderId,
        /// Unix seconds.
        from: u64,
        /// Unix seconds.
        now: u64,
    },
    /// Another rate or salt than was committed to.
    #[error("bid {bid_id}: expected a rate and salt that hash to {expected}, got {got}")]
    WrongReveal {
        /// The bid.
        bid_id: BidId,
        /// The commitment, lower-case hex.
        expected: String,
        /// What the reveal hashes to.
        got: String,
    },
    /// More than the tenant pays.
    #[error(
        "rate {rate} is above the ceiling {ceiling} of order {order_id} (10^-6 micro-units a second per unit)"
    )]
    AboveCeiling {
        /// The order.
        order_id: OrderId,
        /// The bid.
        rate: Rate,
        /// The ceiling.
        ceiling: Rate,
    },
    /// The book is full of bids that are as good.
    #[error(
        "order {order_id} has its {max} bids: expected a rate below the worst, {worst}, got {rate}"
    )]
    BookFull {
        /// The order.
        order_id: OrderId,
        /// The most there may be.
        max: u32,
        /// The worst live rate.
        worst: Rate,
        /// The bid.
        rate: Rate,
    },
    /// Sealed bids cannot be compared, so that none makes way for another.
    #[error("order {order_id} has its {max} sealed bids already: expected fewer")]
    TenderFull {
        /// The order.
        order_id: OrderId,
        /// The most there may be.
        max: u32,
    },
    /// No standing ask serves a market order.
    #[error(
        "no standing ask in {denom} admits the order at or below {ceiling}: looked at {looked_at}"
    )]
    NothingAdmits {
        /// The denom.
        denom: String,
        /// The order's limit price.
        ceiling: Rate,
        /// How many asks were looked at.
        looked_at: usize,
    },
    /// The provider cannot serve this.
    #[error("{provider} cannot serve this: {reason}")]
    Ineligible {
        /// The provider.
        provider: Addr,
        /// Why.
        reason: Ineligible,
    },
    /// Somebody else's ask, of a provider who still stands behind it.
    #[error(
        "ask {ask_id} belongs to {provider}, who can still serve it: only they may withdraw it, got {sender}"
    )]
    NotAskOwner {
        /// The ask.
        ask_id: AskId,
        /// Whose it is.
        provider: Addr,
        /// Who asked.
        sender: Addr,
    },
    /// Two entries for one denom.
    #[error("fees: denom {denom} is given twice")]
    DuplicateDenom {
        /// The denom.
        denom: String,
    },
    /// The stored state is another contract's.
    #[error("expected the state of contract {expected}, got {got}")]
    WrongContract {
        /// This contract's name.
        expected: &'static str,
        /// The stored name.
        got: String,
    },
    /// The stored state is of a version that this code cannot upgrade.
    #[error(
        "cannot migrate from version {got} to {expected}: expected an older or the same version"
    )]
    WrongVersion {
        /// This code's version.
        expected: &'static str,
        /// The stored version.
        got: String,
    },
}

// `StdError` is not an `Error`, so that `#[from]` cannot be used.
impl From<StdError> for ContractError {
    fn from(e: StdError) -> Self {
        Self::Std(e)
    }
}
