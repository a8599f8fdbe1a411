//! What a lease owes, to the second. Pure: no storage, no messages.
//!
//! A lease owes `rate x units x active seconds`. Active are the seconds between opening and end of term in which it
//! was not suspended, and never more of them than the escrow pays for in full. Only the whole micro-units of
//! that total count, and the take fee is computed on the total too: what is booked is always a difference of two
//! totals, so that booking often and booking once come to the same unit.

use crate::{
    error::ContractError,
    state::{Escrow, Lease},
};
use cosmwasm_std::Uint128;
use ember_types::{
    fees::take,
    lease::LeaseState,
    money::{seconds_covered, whole_micro},
};

/// Totals of a lease since its opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accrued {
    /// Whole micro-units.
    pub gross: Uint128,
    /// Of `gross`: the take fee.
    pub fee: Uint128,
}

impl Escrow {
    /// What nobody has earned yet.
    ///
    /// # Errors
    /// When the sum leaves 128 bits, which the checked total of all deposits forbids.
    pub fn free(&self) -> Result<Uint128, ContractError> {
        self.deposits
            .iter()
            .try_fold(Uint128::zero(), |sum, d| Ok(sum.checked_add(d.left)?))
    }

    /// What the contract holds of this account.
    ///
    /// # Errors
    /// As [`Self::free`].
    pub fn held(&self) -> Result<Uint128, ContractError> {
        Ok(self.free()?.checked_add(self.payable)?)
    }

    /// Takes `amount` out of the deposits, the first first.
    ///
    /// # Errors
    /// When there is less. [`Lease::accrued`] never exceeds it.
    pub fn consume(&mut self, amount: Uint128) -> Result<(), ContractError> {
        let mut rest = amount;
        for deposit in &mut self.deposits {
            let part = rest.min(deposit.left);
            deposit.left = deposit.left.checked_sub(part)?;
            rest = rest.checked_sub(part)?;
        }
        self.deposits.retain(|d| !d.left.is_zero());
        Uint128::zero().checked_sub(rest)?;
        Ok(())
    }
}

impl Lease {
    /// Totals at `time`, of which the escrow pays every second in full.
    ///
    /// # Errors
    /// When a total leaves 128 bits, which the cap by the escrow forbids.
    pub fn accrued(&self, escrow: &Escrow, time: u64) -> Result<Accrued, ContractError> {
        let secs = self
            .active_at(time)
            .min(self.covered(escrow).unwrap_or(u64::MAX));
        let gross = whole_micro(self.rate.accrued(self.resources.units, secs))?;
        Ok(Accrued {
            gross,
            fee: take(gross, self.take_bps, &self.tiers),
        })
    }

    /// Active seconds since the opening, were there money for all of them.
    pub fn active_at(&self, time: u64) -> u64 {
        match self.state {
            LeaseState::Active => self
                .active_secs
                .saturating_add(time.min(self.ends_at).saturating_sub(self.active_since)),
            LeaseState::Suspended | LeaseState::Closed => self.active_secs,
        }
    }

    /// Active seconds since the opening that the escrow pays for; `None` when the rate is zero.
    pub fn covered(&self, escrow: &Escrow) -> Option<u64> {
        // Both are parts of `deposited`, whose sum was checked when it came.
        let funds = escrow
            .deposits
            .iter()
            .fold(self.gross, |sum, d| sum.saturating_add(d.left));
        seconds_covered(funds, self.rate, self.resources.units)
    }

    /// When the money of an active lease runs out, if it does so before the end of its term.
    pub fn exhausted_at(&self, escrow: &Escrow) -> Option<u64> {
        let left = self.covered(escrow)?.saturating_sub(self.active_secs);
        Some(self.active_since.saturating_add(left))
            .filter(|t| self.state == LeaseState::Active && *t < self.ends_at)
    }

    /// When a suspended lease closes by itself.
    pub fn grace_over_at(&self, grace_secs: u64) -> Option<u64> {
        self.suspended_at.map(|t| t.saturating_add(grace_secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Deposit;
    use cosmwasm_std::Addr;
    use ember_types::{ids::OrderId, money::Rate, resources::ResourceSpec};
    use proptest::prelude::*;

    fn lease(rate: u128, units: u32, term: u64, take_bps: u16) -> Lease {
        Lease {
            order_id: OrderId(1),
            tenant: Addr::unchecked("t"),
            provider: Addr::unchecked("p"),
            resources: ResourceSpec {
                units,
                ..ResourceSpec::default()
            },
            denom: "uusdc".into(),
            rate: Rate::new(rate),
            take_bps,
            tiers: vec![],
            ask: None,
            state: LeaseState::Active,
            opened_at: 1_000,
            ends_at: 1_000 + term,
            settled_at: 1_000,
            suspended_at: None,
            leaves_at: None,
            closed_at: None,
            close_reason: None,
            active_secs: 0,
            active_since: 1_000,
            gross: Uint128::zero(),
            fee: Uint128::zero(),
        }
    }

    fn escrow(funds: u128) -> Escrow {
        Escrow {
            deposits: vec![Deposit {
                depositor: Addr::unchecked("t"),
                left: Uint128::new(funds),
            }],
            deposited: Uint128::new(funds),
            ..Escrow::default()
        }
    }

    proptest! {
        #[test]
        fn nothing_is_ever_owed_that_is_not_there(
            rate in any::<u128>(), units in 1u32..=1_024, term in 1u64..=31_536_000,
            bps in 0u16..=10_000, funds in any::<u128>(), time in any::<u64>(),
        ) {
            let (lease, escrow) = (lease(rate, units, term, bps), escrow(funds));
            let a = lease.accrued(&escrow, time).unwrap();
            prop_assert!(a.fee <= a.gross);
            prop_assert!(a.gross.u128() <= funds);
            if let Some(t) = lease.exhausted_at(&escrow) {
                prop_assert!(t < lease.ends_at);
                prop_assert_eq!(lease.accrued(&escrow, t).unwrap(), lease.accrued(&escrow, u64::MAX).unwrap());
            }
        }

        #[test]
        fn what_is_owed_only_grows(
            rate in 0u128..1 << 100, funds in 0u128..1 << 120, bps in 0u16..=10_000,
            a in 0u64..100_000, b in 0u64..100_000,
        ) {
            let (lease, escrow) = (lease(rate, 3, 50_000, bps), escrow(funds));
            let (first, second) = (a.min(b), a.max(b));
            let (x, y) = (lease.accrued(&escrow, first).unwrap(), lease.accrued(&escrow, second).unwrap());
            prop_assert!(x.gross <= y.gross && x.fee <= y.fee && x.gross - x.fee <= y.gross - y.fee);
        }
    }

    #[test]
    fn a_full_term_costs_rate_times_units_times_term() {
        let lease = lease(1_234_567, 4, 3_600, 2_000);
        let total = 1_234_567u128 * 4 * 3_600 / 1_000_000;
        let a = lease.accrued(&escrow(total + 10), u64::MAX).unwrap();
        assert_eq!(a.gross.u128(), total);
        assert_eq!(a.fee.u128(), total / 5);
        assert_eq!(lease.exhausted_at(&escrow(total + 10)), None);
    }

    #[test]
    fn money_for_exactly_the_term_is_not_exhausted_and_a_unit_less_is() {
        let lease = lease(1_000_000, 1, 100, 0);
        assert_eq!(lease.exhausted_at(&escrow(100)), None);
        assert_eq!(lease.exhausted_at(&escrow(99)), Some(1_099));
        assert_eq!(lease.exhausted_at(&escrow(0)), Some(1_000));
    }
}
