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
use cosmwasm_std::{Uint128, Uint256};
use ember_types::{
    fees::take,
    lease::LeaseState,
    money::{RATE_SCALE, seconds_covered, whole_micro},
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
    /// When there is less. What leases accrue up to [`exhausted_at`] never exceeds it.
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
    /// Totals at `time`, which is no later than [`exhausted_at`].
    ///
    /// # Errors
    /// When a total leaves 128 bits, which what the escrow pays never does.
    pub fn accrued(&self, time: u64) -> Result<Accrued, ContractError> {
        let secs = self.active_at(time);
        let gross = whole_micro(self.rate.accrued(self.resources.units, secs))?;
        Ok(Accrued {
            gross,
            fee: take(gross, self.take_bps, &self.tiers),
        })
    }

    /// Whether nothing of it is booked at `time`: its score may still be measured, and with it its rate.
    pub fn is_unmeasured(&self, time: u64) -> bool {
        self.performance
            .as_ref()
            .is_some_and(|p| time < p.measure_until)
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

    /// When a suspended lease closes by itself.
    pub fn grace_over_at(&self, grace_secs: u64) -> Option<u64> {
        self.suspended_at.map(|t| t.saturating_add(grace_secs))
    }
}

/// What pays `leases`: what they have booked and what nobody has earned yet. Both are parts of `deposited`, whose sum
/// was checked when it came.
fn funds(leases: &[&Lease], escrow: &Escrow) -> Uint128 {
    let booked = leases.iter().map(|l| l.gross);
    let free = escrow.deposits.iter().map(|d| d.left);
    booked
        .chain(free)
        .fold(Uint128::zero(), Uint128::saturating_add)
}

/// Whether `funds` pay every lease the active seconds that `secs` names, in full. 128 + 32 + 64 bits a lease leave room
/// for as many leases as there may be.
fn pays(funds: Uint128, leases: &[&Lease], secs: impl Fn(&Lease) -> u64) -> bool {
    let cost = leases.iter().fold(Uint256::zero(), |sum, l| {
        sum.saturating_add(l.rate.accrued(l.resources.units, secs(l)))
    });
    cost <= Uint256::from(funds) * Uint256::from(RATE_SCALE)
}

/// When the money of these leases, which one escrow pays, runs out, if it does so before the end of all their terms: the
/// last second up to which all of them are paid in full. Those that are not active cost nothing.
pub fn exhausted_at<'a>(
    leases: impl IntoIterator<Item = &'a Lease>,
    escrow: &Escrow,
) -> Option<u64> {
    let active = |l: &&Lease| l.state == LeaseState::Active;
    let leases: Vec<_> = leases.into_iter().filter(active).collect();
    let funds = funds(&leases, escrow);
    let end = leases.iter().map(|l| l.ends_at).max()?;
    if let [lease] = leases.as_slice() {
        let covered = seconds_covered(funds, lease.rate, lease.resources.units)?;
        let left = covered.saturating_sub(lease.active_secs);
        return Some(lease.active_since.saturating_add(left)).filter(|t| *t < end);
    }
    if pays(funds, &leases, |l| l.active_at(end)) {
        return None;
    }
    // Up to `paid` it is enough: a lease opens, and revives, only where it is. At `unpaid` it is not.
    let mut paid = leases.iter().map(|l| l.active_since).max()?;
    let mut unpaid = end;
    while unpaid.saturating_sub(paid) > 1 {
        let middle = paid.midpoint(unpaid);
        if pays(funds, &leases, |l| l.active_at(middle)) {
            paid = middle;
        } else {
            unpaid = middle;
        }
    }
    Some(paid)
}

/// Whether the escrow pays all of these leases for a second more than they were active.
pub fn pays_a_second<'a>(leases: impl IntoIterator<Item = &'a Lease>, escrow: &Escrow) -> bool {
    let leases: Vec<_> = leases.into_iter().collect();
    let more = |l: &Lease| l.active_secs.saturating_add(1);
    pays(funds(&leases, escrow), &leases, more)
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
            payable: Uint128::zero(),
            performance: None,
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

    /// What the lease owes at `time`, or when its money has run out.
    fn owed(lease: &Lease, escrow: &Escrow, time: u64) -> Accrued {
        let paid = exhausted_at([lease], escrow).unwrap_or(u64::MAX);
        lease.accrued(time.min(paid)).unwrap()
    }

    proptest! {
        #[test]
        fn nothing_is_ever_owed_that_is_not_there(
            rate in any::<u128>(), units in 1u32..=1_024, term in 1u64..=31_536_000,
            bps in 0u16..=10_000, funds in any::<u128>(), time in any::<u64>(),
        ) {
            let (lease, escrow) = (lease(rate, units, term, bps), escrow(funds));
            let a = owed(&lease, &escrow, time);
            prop_assert!(a.fee <= a.gross);
            prop_assert!(a.gross.u128() <= funds);
            if let Some(t) = exhausted_at([&lease], &escrow) {
                prop_assert!(t < lease.ends_at);
                prop_assert_eq!(owed(&lease, &escrow, t), owed(&lease, &escrow, u64::MAX));
            }
        }

        #[test]
        fn what_is_owed_only_grows(
            rate in 0u128..1 << 100, funds in 0u128..1 << 120, bps in 0u16..=10_000,
            a in 0u64..100_000, b in 0u64..100_000,
        ) {
            let (lease, escrow) = (lease(rate, 3, 50_000, bps), escrow(funds));
            let (first, second) = (a.min(b), a.max(b));
            let (x, y) = (owed(&lease, &escrow, first), owed(&lease, &escrow, second));
            prop_assert!(x.gross <= y.gross && x.fee <= y.fee && x.gross - x.fee <= y.gross - y.fee);
        }
    }

    proptest! {
        /// Several leases of one escrow run dry together, at the last second that is paid to all.
        #[test]
        fn what_runs_together_runs_dry_together(
            rates in prop::collection::vec((1u128..1 << 40, 1u32..5, 0u64..1_000), 2..6), funds in 0u128..1 << 50,
        ) {
            let leases: Vec<_> = rates.iter().map(|(rate, units, active_secs)| Lease {
                active_secs: *active_secs,
                gross: whole_micro(Rate::new(*rate).accrued(*units, *active_secs)).unwrap(),
                ..lease(*rate, *units, 50_000, 2_000)
            }).collect();
            let escrow = escrow(funds);
            // In full: to the 10^-6 of a micro-unit.
            let booked: u128 = leases.iter().map(|l| l.gross.u128() * RATE_SCALE).sum();
            let cost = |t: u64| -> u128 {
                let all = leases.iter().map(|l| l.rate.0.u128() * u128::from(l.resources.units) * u128::from(l.active_at(t)));
                all.sum::<u128>().saturating_sub(booked)
            };
            let funds = funds * RATE_SCALE;
            match exhausted_at(&leases, &escrow) {
                None => prop_assert!(cost(51_000) <= funds),
                Some(t) => {
                    prop_assert!((1_000..51_000).contains(&t));
                    prop_assert!(cost(t) <= funds && cost(t + 1) > funds);
                    prop_assert_eq!(pays_a_second(&leases, &escrow), t > 1_000);
                }
            }
            // Beside a lease that costs nothing, one alone runs dry when it does by itself.
            let idle = lease(0, 1, 50_000, 0);
            let one = &leases[0];
            prop_assert_eq!(exhausted_at([one], &escrow), exhausted_at([one, &idle], &escrow));
        }
    }

    #[test]
    fn a_full_term_costs_rate_times_units_times_term() {
        let lease = lease(1_234_567, 4, 3_600, 2_000);
        let total = 1_234_567u128 * 4 * 3_600 / 1_000_000;
        let a = owed(&lease, &escrow(total + 10), u64::MAX);
        assert_eq!(a.gross.u128(), total);
        assert_eq!(a.fee.u128(), total / 5);
        assert_eq!(exhausted_at([&lease], &escrow(total + 10)), None);
    }

    #[test]
    fn money_for_exactly_the_term_is_not_exhausted_and_a_unit_less_is() {
        let lease = lease(1_000_000, 1, 100, 0);
        assert_eq!(exhausted_at([&lease], &escrow(100)), None);
        assert_eq!(exhausted_at([&lease], &escrow(99)), Some(1_099));
        assert_eq!(exhausted_at([&lease], &escrow(0)), Some(1_000));
    }
}
