//! The fee schedule: per denom, changed by governance only.

use crate::error::ValidationError;
use cosmwasm_schema::cw_serde;
use cosmwasm_std::{Uint128, Uint256};

/// Basis points in one.
pub const BPS: u16 = 10_000;

/// Fees of one denom. A denom without an entry is not taken by the market.
#[cw_serde]
pub struct DenomFees {
    /// The bank denom, for example `uusdc` or `ibc/...`.
    pub denom: String,
    /// Share of what a provider is paid, in basis points (2000 = 20 %).
    pub take_bps: u16,
    /// Share of every deposit, in basis points, kept when the deposit is made.
    pub reservation_bps: u16,
    /// Least first deposit of an order, micro-units.
    pub min_deposit: Uint128,
    /// Deposit that a bid carries while it is open, micro-units.
    pub bid_deposit: Uint128,
}

impl DenomFees {
    /// # Errors
    /// When a share exceeds the whole or the denom is not one.
    pub fn validate(&self) -> Result<(), ValidationError> {
        for (field, bps) in [
            ("take_bps", self.take_bps),
            ("reservation_bps", self.reservation_bps),
        ] {
            if bps > BPS {
                return Err(ValidationError::range(field, format!("0 to {BPS}"), bps));
            }
        }
        validate_denom("denom", &self.denom)
    }
}

/// # Errors
/// When `denom` is not one that the bank module takes: `[a-zA-Z][a-zA-Z0-9/:._-]{2,127}`.
pub fn validate_denom(field: &'static str, denom: &str) -> Result<(), ValidationError> {
    let ok = (3..=128).contains(&denom.len())
        && denom.starts_with(|c: char| c.is_ascii_alphabetic())
        && denom
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/:._-".contains(&b));
    if ok {
        Ok(())
    } else {
        Err(ValidationError::malformed(field, "a bank denom", denom))
    }
}

/// `amount x bps / 10^4`, rounded down. Never overflows for `bps <= 10^4`.
pub fn share(amount: Uint128, bps: u16) -> Uint128 {
    let v = Uint256::from(amount) * Uint256::from(bps.min(BPS)) / Uint256::from(BPS);
    Uint128::try_from(v).unwrap_or(Uint128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_share_is_never_more_than_the_whole(a in any::<u128>(), bps in 0u16..=BPS) {
            prop_assert!(share(Uint128::new(a), bps) <= Uint128::new(a));
        }
    }

    #[test]
    fn twenty_percent() {
        assert_eq!(share(Uint128::new(1_000_001), 2_000), Uint128::new(200_000));
        assert_eq!(share(Uint128::MAX, BPS), Uint128::MAX);
    }
}
