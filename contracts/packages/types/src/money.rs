//! Integer money. Amounts are micro-units (10^-6 of a coin); rates are 10^-6 micro-units a second, so that
//! nothing is lost to rounding: what a lease owes is `rate x units x seconds`, exactly, and only the whole
//! micro-units of that total ever move. Settling twice therefore pays what settling once pays.

use crate::error::ValidationError;
use cosmwasm_schema::cw_serde;
use cosmwasm_std::{Uint128, Uint256};
use std::fmt;

/// How many rate units make one micro-unit.
pub const RATE_SCALE: u128 = 1_000_000;

/// Seconds in an hour, for people who think in coins an hour.
pub const HOUR: u64 = 3_600;

/// A price for one unit (one GPU): 10^-6 micro-units a second.
#[cw_serde]
#[derive(Copy, Eq, PartialOrd, Ord)]
pub struct Rate(pub Uint128);

impl Rate {
    /// A rate from its integer.
    pub const fn new(v: u128) -> Self {
        Self(Uint128::new(v))
    }

    /// The rate nearest below `micro` micro-units an hour.
    ///
    /// # Errors
    /// When `micro x 10^6` does not fit 128 bits.
    pub fn per_hour(micro: u128) -> Result<Self, ValidationError> {
        micro
            .checked_mul(RATE_SCALE)
            .map(|v| Self::new(v / u128::from(HOUR)))
            .ok_or(ValidationError::Overflow { what: "rate" })
    }

    /// What `units` devices owe after `seconds`, in rate units (10^-6 micro-units). Never overflows: 128 + 32 + 64 bits.
    pub fn accrued(self, units: u32, seconds: u64) -> Uint256 {
        Uint256::from(self.0) * Uint256::from(units) * Uint256::from(seconds)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The whole micro-units in an accrued total, rounded down (in the escrow's favour).
///
/// # Errors
/// When the result does not fit 128 bits.
pub fn whole_micro(accrued: Uint256) -> Result<Uint128, ValidationError> {
    Uint128::try_from(accrued / Uint256::from(RATE_SCALE)).map_err(|_| ValidationError::Overflow {
        what: "accrued amount",
    })
}

/// The first second count at which `accrued(rate, units, s)` exceeds `funds` micro-units, less one: the seconds
/// that `funds` pays for in full. `None` when the rate is zero, that is, never exhausted.
pub fn seconds_covered(funds: Uint128, rate: Rate, units: u32) -> Option<u64> {
    let per_second = Uint256::from(rate.0) * Uint256::from(units);
    if per_second.is_zero() {
        return None;
    }
    let secs = Uint256::from(funds) * Uint256::from(RATE_SCALE) / per_second;
    Some(
        Uint128::try_from(secs)
            .ok()
            .and_then(|s| u64::try_from(s.u128()).ok())
            .unwrap_or(u64::MAX),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn covered_seconds_are_paid_and_the_next_is_not(funds in 0u128..1u128 << 80, rate in 1u128..1u128 << 60, units in 1u32..64) {
            let rate = Rate::new(rate);
            let secs = seconds_covered(Uint128::new(funds), rate, units).unwrap();
            let limit = Uint256::from(funds) * Uint256::from(RATE_SCALE);
            prop_assert!(rate.accrued(units, secs) <= limit);
            prop_assert!(rate.accrued(units, secs + 1) > limit);
        }

        #[test]
        fn settling_in_parts_pays_what_settling_once_pays(rate in 0u128..u128::MAX, a in 0u64..1 << 40, b in 0u64..1 << 40) {
            let rate = Rate::new(rate);
            prop_assert_eq!(rate.accrued(3, a) + rate.accrued(3, b), rate.accrued(3, a + b));
        }
    }

    #[test]
    fn an_hourly_price_is_a_rate() {
        assert_eq!(Rate::per_hour(3_600).unwrap(), Rate::new(1_000_000));
        assert!(Rate::per_hour(u128::MAX).is_err());
    }
}
