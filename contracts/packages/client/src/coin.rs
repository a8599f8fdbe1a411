//! Coins and gas prices, read from what people type.

use crate::error::Error;
use std::{fmt, str::FromStr};

/// An amount of one denom, in the denom's own units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coin {
    /// How many.
    pub amount: u128,
    /// Of what.
    pub denom: String,
}

impl FromStr for Coin {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self, Error> {
        let err = || Error::Malformed {
            what: "coin",
            expected: "an amount and a denom, for example 1000000uusdc",
            got: s.into(),
        };
        let (amount, denom) = split(s).ok_or_else(err)?;
        Ok(Self {
            amount: amount.parse().map_err(|_| err())?,
            denom: denom.into(),
        })
    }
}

impl fmt::Display for Coin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.amount, self.denom)
    }
}

/// What one unit of gas costs, exactly: 10^-18 units of `denom`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GasPrice {
    atto: u128,
    /// Of what.
    pub denom: String,
}

const ATTO_DIGITS: usize = 18;

impl GasPrice {
    /// The fee of `gas` units, rounded up.
    ///
    /// # Errors
    /// When the product does not fit 128 bits.
    pub fn fee(&self, gas: u64) -> Result<Coin, Error> {
        let atto = self
            .atto
            .checked_mul(u128::from(gas))
            .ok_or_else(|| Error::Malformed {
                what: "gas price",
                expected: "a price whose fee fits 128 bits",
                got: self.to_string(),
            })?;
        Ok(Coin {
            amount: atto.div_ceil(10u128.pow(18)),
            denom: self.denom.clone(),
        })
    }
}

impl FromStr for GasPrice {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self, Error> {
        let err = || Error::Malformed {
            what: "gas price",
            expected: "a decimal and a denom, for example 0.025uember",
            got: s.into(),
        };
        let (number, denom) = split(s).ok_or_else(err)?;
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || part.len() > ATTO_DIGITS {
            return Err(err());
        }
        let digits = format!("{whole}{part:0<ATTO_DIGITS$}");
        Ok(Self {
            atto: digits.parse().map_err(|_| err())?,
            denom: denom.into(),
        })
    }
}

impl fmt::Display for GasPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.atto / 10u128.pow(18), self.atto % 10u128.pow(18));
        let part = format!("{part:018}");
        write!(f, "{whole}.{}{}", part.trim_end_matches('0'), self.denom)
    }
}

/// Number and denom. The denom is one that the bank module takes.
fn split(s: &str) -> Option<(&str, &str)> {
    let at = s.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, denom) = s.split_at(at);
    let ok = (3..=128).contains(&denom.len())
        && denom.starts_with(|c: char| c.is_ascii_alphabetic())
        && denom
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/:._-".contains(&b));
    (ok && !number.is_empty()).then_some((number, denom))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coins_have_an_amount_and_a_denom() {
        let c: Coin = "1000000uusdc".parse().unwrap();
        assert_eq!((c.amount, c.denom.as_str()), (1_000_000, "uusdc"));
        for bad in [
            "",
            "uusdc",
            "12",
            "1.5uusdc",
            "1000usdc!",
            "-1uusdc",
            "1 uusdc",
        ] {
            assert!(bad.parse::<Coin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn fees_are_exact_and_rounded_up() {
        let p: GasPrice = "0.025uember".parse().unwrap();
        assert_eq!(p.fee(200_000).unwrap().to_string(), "5000uember");
        assert_eq!(p.fee(1).unwrap().amount, 1);
        assert_eq!(
            "0uember"
                .parse::<GasPrice>()
                .unwrap()
                .fee(u64::MAX)
                .unwrap()
                .amount,
            0
        );
        assert_eq!(p.to_string(), "0.025uember");
        for bad in [
            "uember",
            ".5uember",
            "0.0000000000000000001uember",
            "1.2.3uember",
        ] {
            assert!(bad.parse::<GasPrice>().is_err(), "{bad}");
        }
    }
}
