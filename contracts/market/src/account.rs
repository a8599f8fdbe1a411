//! An order with its escrow and its lease: what a message about any of them loads and saves as one.

use crate::{
    error::ContractError,
    state::{CONFIG, DUE, ESCROWS, Escrow, LEASES, Lease, ORDERS, Order},
};
use cosmwasm_std::{Addr, Empty, Storage};
use ember_types::{
    ids::{LeaseId, OrderId},
    lease::{LeaseState, OrderState},
    pricing::MatchAt,
};

/// The three records of one order.
#[derive(Debug, Clone)]
pub struct Account {
    /// The order's id.
    pub id: OrderId,
    /// The order.
    pub order: Order,
    /// Its money.
    pub escrow: Escrow,
    /// Its lease, once matched.
    pub lease: Option<Lease>,
}

impl Account {
    /// # Errors
    /// When there is no such order.
    pub fn load(storage: &dyn Storage, id: OrderId) -> Result<Self, ContractError> {
        let order = ORDERS
            .may_load(storage, id.0)?
            .ok_or(ContractError::NoOrder(id))?;
        let lease = match order.lease_id {
            Some(lease) => Some(LEASES.load(storage, lease.0)?),
            None => None,
        };
        Ok(Self {
            id,
            order,
            escrow: ESCROWS.load(storage, id.0)?,
            lease,
        })
    }

    /// # Errors
    /// When there is no such lease, or its order opened again after it.
    pub fn of_lease(storage: &dyn Storage, id: LeaseId) -> Result<Self, ContractError> {
        let lease = LEASES
            .may_load(storage, id.0)?
            .ok_or(ContractError::NoLease(id))?;
        let account = Self::load(storage, lease.order_id)?;
        // A past lease is not to be taken for the one that came after it.
        if account.order.lease_id != Some(id) {
            return Err(ContractError::LeaseClosed { lease_id: id });
        }
        Ok(account)
    }

    /// Writes all three, and moves the order to its place in the time index.
    ///
    /// # Errors
    /// When the storage is broken.
    pub fn save(mut self, storage: &mut dyn Storage) -> Result<(), ContractError> {
        let due = self.next_due(CONFIG.load(storage)?.grace_secs);
        if due != self.order.due_at {
            if let Some(old) = self.order.due_at {
                DUE.remove(storage, (old, self.id.0));
            }
            if let Some(new) = due {
                DUE.save(storage, (new, self.id.0), &Empty {})?;
            }
            self.order.due_at = due;
        }
        if let (Some(id), Some(lease)) = (self.order.lease_id, &self.lease) {
            LEASES.save(storage, id.0, lease)?;
        }
        ESCROWS.save(storage, self.id.0, &self.escrow)?;
        ORDERS.save(storage, self.id.0, &self.order)?;
        Ok(())
    }

    /// When the chain must look at the order by itself.
    fn next_due(&self, grace_secs: u64) -> Option<u64> {
        match (self.order.state, &self.lease) {
            (OrderState::Open, _) => match self.order.pricing.match_at() {
                MatchAt::Time(t) => Some(t),
                // One that opened again crosses at the end of the block.
                MatchAt::Creation => self.order.relisted_at,
            },
            (OrderState::Leased, Some(lease)) => Some(match lease.state {
                LeaseState::Active => lease
                    .exhausted_at(&self.escrow)
                    .map_or(lease.ends_at, |t| t.min(lease.ends_at)),
                LeaseState::Suspended | LeaseState::Closed => lease
                    .grace_over_at(grace_secs)
                    .map_or(lease.ends_at, |t| t.min(lease.ends_at)),
            }),
            (OrderState::Leased, None) | (OrderState::Closed, _) => None,
        }
    }

    /// Whether `provider` had a lease of the order and left.
    ///
    /// # Errors
    /// When the storage is broken.
    pub fn was_left_by(
        &self,
        storage: &dyn Storage,
        provider: &Addr,
    ) -> Result<bool, ContractError> {
        for id in &self.order.past_leases {
            if LEASES.load(storage, id.0)?.provider == *provider {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The open or running lease with its id and the money that pays it.
    ///
    /// # Errors
    /// When the order is not leased.
    pub fn running(&mut self) -> Result<(LeaseId, &mut Lease, &mut Escrow), ContractError> {
        match (self.order.state, self.order.lease_id, &mut self.lease) {
            (OrderState::Leased, Some(id), Some(lease)) => Ok((id, lease, &mut self.escrow)),
            (got, ..) => Err(ContractError::OrderState {
                order_id: self.id,
                expected: OrderState::Leased,
                got,
            }),
        }
    }

    /// # Errors
    /// When the order is in another state.
    pub fn expect(&self, expected: OrderState) -> Result<(), ContractError> {
        if self.order.state == expected {
            return Ok(());
        }
        Err(ContractError::OrderState {
            order_id: self.id,
            expected,
            got: self.order.state,
        })
    }

    /// Where bids are sealed, nobody goes back once commitments are not taken any more.
    ///
    /// # Errors
    /// Then: `refuses` says what cannot be done.
    pub fn expect_unbound(&self, now: u64, refuses: &'static str) -> Result<(), ContractError> {
        match self.order.pricing.sealed_until() {
            Some(until) if until <= now => Err(ContractError::CommitsOver {
                order_id: self.id,
                until,
                now,
                refuses,
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// # Errors
    /// When the order's auction is over and waits for the end of the block.
    pub fn expect_auction(&self, now: u64) -> Result<(), ContractError> {
        self.expect(OrderState::Open)?;
        match self.order.pricing.match_at() {
            MatchAt::Time(closes_at) if closes_at <= now => Err(ContractError::AuctionOver {
                order_id: self.id,
                closes_at,
                now,
            }),
            MatchAt::Time(_) | MatchAt::Creation => Ok(()),
        }
    }
}
