//! An order with its escrow and its leases: what a message about any of them loads and saves as one.

use crate::{
    accrual::exhausted_at,
    error::ContractError,
    state::{CONFIG, DUE, ESCROWS, Escrow, LEASES, Lease, ORDERS, Order},
};
use cosmwasm_std::{Addr, Empty, Storage};
use ember_types::{
    ids::{LeaseId, OrderId},
    lease::{CloseReason, LeaseState, OrderState},
    pricing::{MatchAt, stake_weighted::Seed},
    resources::ResourceSpec,
};

impl Order {
    /// The ids of its leases since it last opened.
    pub fn leases(&self) -> impl Iterator<Item = LeaseId> {
        self.lease_id.iter().chain(&self.more_leases).copied()
    }

    /// What its lot is drawn with: zeros before the first reveal.
    pub fn draws_with(&self) -> Seed {
        let seed = self.seed.as_ref().and_then(|s| s.to_array().ok());
        seed.unwrap_or_default()
    }

    /// What `units` of it ask for, each of the promised score where it is paid for one.
    pub fn part(&self, units: u32, promised: Option<u64>) -> ResourceSpec {
        let mut part = ResourceSpec {
            units,
            ..self.resources.clone()
        };
        if let (Some(mode), Some(promised)) = (self.pricing.performance(), promised) {
            let least = part.gpu.min_score.map_or(0, |s| s.value);
            part.gpu.min_score = Some(mode.score(promised.max(least)));
        }
        part
    }
}

/// The records of one order.
#[derive(Debug, Clone)]
pub struct Account {
    /// The order's id.
    pub id: OrderId,
    /// The order.
    pub order: Order,
    /// Its money.
    pub escrow: Escrow,
    /// Its leases since it last opened, running or over.
    pub leases: Vec<(LeaseId, Lease)>,
}

impl Account {
    /// # Errors
    /// When there is no such order.
    pub fn load(storage: &dyn Storage, id: OrderId) -> Result<Self, ContractError> {
        let order = ORDERS
            .may_load(storage, id.0)?
            .ok_or(ContractError::NoOrder(id))?;
        let escrow = ESCROWS.load(storage, id.0)?;
        let mut leases = Vec::new();
        for id in order.leases() {
            leases.push((id, LEASES.load(storage, id.0)?));
        }
        // Leases of the first versions do not say what they are owed. Each was its order's only one.
        if let [(_, lease)] = leases.as_mut_slice() {
            lease.payable = escrow.payable;
        }
        Ok(Self {
            id,
            order,
            escrow,
            leases,
        })
    }

    /// The account of a lease, which is over or not.
    ///
    /// # Errors
    /// When there is no such lease, or its order opened again after it.
    pub fn of_lease(storage: &dyn Storage, id: LeaseId) -> Result<Self, ContractError> {
        let lease = LEASES
            .may_load(storage, id.0)?
            .ok_or(ContractError::NoLease(id))?;
        let account = Self::load(storage, lease.order_id)?;
        account.lease(id)?;
        Ok(account)
    }

    /// Writes all of them, and moves the order to its place in the time index.
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
        for (id, lease) in &self.leases {
            LEASES.save(storage, id.0, lease)?;
        }
        ESCROWS.save(storage, self.id.0, &self.escrow)?;
        ORDERS.save(storage, self.id.0, &self.order)?;
        Ok(())
    }

    /// When the chain must look at the order by itself.
    fn next_due(&self, grace_secs: u64) -> Option<u64> {
        match self.order.state {
            OrderState::Open => match self.order.pricing.match_at() {
                MatchAt::Time(t) => Some(t),
                // One that opened again crosses at the end of the block.
                MatchAt::Creation => self.order.relisted_at,
            },
            OrderState::Leased if self.order.missing > 0 => self.order.relisted_at,
            OrderState::Leased => {
                let grace_over = self
                    .running()
                    .filter_map(|(_, l)| l.grace_over_at(grace_secs));
                let ends = self.running().map(|(_, l)| l.ends_at);
                self.exhausted_at()
                    .into_iter()
                    .chain(grace_over)
                    .chain(ends)
                    .min()
            }
            OrderState::Closed => None,
        }
    }

    /// Its leases that are not over.
    pub fn running(&self) -> impl Iterator<Item = &(LeaseId, Lease)> {
        self.leases
            .iter()
            .filter(|(_, l)| l.state != LeaseState::Closed)
    }

    /// The ids of [`Self::running`].
    pub fn running_ids(&self) -> Vec<LeaseId> {
        self.running().map(|(id, _)| *id).collect()
    }

    /// When the escrow runs dry, if it does so while a lease runs.
    pub fn exhausted_at(&self) -> Option<u64> {
        exhausted_at(self.running().map(|(_, l)| l), &self.escrow)
    }

    /// One of its leases, running or over.
    ///
    /// # Errors
    /// When it is none of them: it was over before the order opened again.
    pub fn lease(&self, id: LeaseId) -> Result<&Lease, ContractError> {
        let own = self.leases.iter().find(|(own, _)| *own == id);
        own.map(|(_, lease)| lease)
            .ok_or(ContractError::LeaseClosed { lease_id: id })
    }

    /// One of its running leases, with the money that pays it.
    ///
    /// # Errors
    /// When it is over.
    pub fn running_lease(
        &mut self,
        id: LeaseId,
    ) -> Result<(&mut Lease, &mut Escrow), ContractError> {
        let own = self.leases.iter_mut().find(|(own, _)| *own == id);
        match own {
            Some((_, lease)) if lease.state != LeaseState::Closed => Ok((lease, &mut self.escrow)),
            _ => Err(ContractError::LeaseClosed { lease_id: id }),
        }
    }

    /// Whether a lease runs.
    pub fn is_running(&self, id: LeaseId) -> bool {
        self.running().any(|(own, _)| *own == id)
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
        let left = |l: &Lease| {
            l.provider == *provider && l.close_reason.is_some_and(CloseReason::is_providers)
        };
        for id in &self.order.past_leases {
            if left(&LEASES.load(storage, id.0)?) {
                return Ok(true);
            }
        }
        Ok(self.leases.iter().any(|(_, l)| left(l)))
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
