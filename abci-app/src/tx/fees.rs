//! Gas prices: the least fee that this node asks for. Local policy: only CheckTx looks at it.

use crate::{
    codec::coins::Coins,
    error::{AppError, Result},
};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// Fraction digits of a price.
const SCALE: u128 = 1_000_000_000_000_000_000;

/// Least price of one gas in one denom, as a decimal of at most 18 digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GasPrice {
    /// The denom.
    pub denom: String,
    /// 10^-18 micro-units.
    price: u128,
}

/// A text that is no gas price.
#[derive(Debug, Error)]
#[error("gas price: expected a decimal and a denom such as 0.025uember, got \"{0}\"")]
pub struct BadGasPrice(String);

impl FromStr for GasPrice {
    type Err = BadGasPrice;

    fn from_str(s: &str) -> Result<Self, BadGasPrice> {
        let bad = || BadGasPrice(s.chars().take(64).collect());
        let at = s
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(bad)?;
        let (number, denom) = s.split_at(at);
        crate::codec::coins::check_denom(denom).map_err(|_| bad())?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || fraction.len() > 18 || fraction.contains('.') {
            return Err(bad());
        }
        let whole: u128 = whole.parse().map_err(|_| bad())?;
        let fraction: u128 = if fraction.is_empty() {
            0
        } else {
            format!("{fraction:0<18}").parse().map_err(|_| bad())?
        };
        let price = whole
            .checked_mul(SCALE)
            .and_then(|w| w.checked_add(fraction))
            .ok_or_else(bad)?;
        Ok(Self {
            denom: denom.to_owned(),
            price,
        })
    }
}

impl fmt::Display for GasPrice {
    /// As the SDK prints decimal coins: `0.025000000000000000uember`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.price / SCALE, self.price % SCALE);
        write!(f, "{whole}.{fraction:018}{}", self.denom)
    }
}

impl GasPrice {
    /// The least fee for `gas`, rounded up.
    pub fn fee(&self, gas: u64) -> u128 {
        self.price.saturating_mul(u128::from(gas)).div_ceil(SCALE)
    }
}

/// Whether `fee` pays for `gas` in any of the node's denoms.
///
/// # Errors
/// sdk/13 with what was sent and what is asked for.
pub fn check(prices: &[GasPrice], fee: &Coins, gas: u64) -> Result<()> {
    if prices.iter().all(|p| p.price == 0) {
        return Ok(());
    }
    let enough = prices
        .iter()
        .any(|p| fee.iter().any(|(d, a)| *d == p.denom && *a >= p.fee(gas)));
    if enough {
        return Ok(());
    }
    let required: Coins = prices
        .iter()
        .map(|p| (p.denom.clone(), p.fee(gas)))
        .collect();
    Err(AppError::insufficient_fee(format_args!(
        "insufficient fees; got: {} required: {}",
        crate::codec::coins::display(fee),
        crate::codec::coins::display(&required)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_a_decimal_and_a_denom() {
        let p: GasPrice = "0.025uember".parse().unwrap();
        assert_eq!(p.fee(200_000), 5_000);
        assert_eq!(p.fee(1), 1, "rounded up");
        for bad in [
            "",
            "uember",
            "0.025",
            ".5uember",
            "1..5uember",
            "0.0000000000000000001uember",
            "-1uember",
        ] {
            assert!(bad.parse::<GasPrice>().is_err(), "{bad}");
        }
    }

    #[test]
    fn too_little_is_refused_in_the_sdks_words() {
        let prices = ["0.025uember".parse().unwrap()];
        assert!(check(&prices, &vec![("uember".into(), 5_000)], 200_000).is_ok());
        let err = check(&prices, &vec![("uember".into(), 4_999)], 200_000).unwrap_err();
        assert_eq!(
            (err.code, err.log.as_str()),
            (
                13,
                "insufficient fees; got: 4999uember required: 5000uember: insufficient fee"
            )
        );
        assert!(check(&["0uember".parse().unwrap()], &vec![], 200_000).is_ok());
    }
}
