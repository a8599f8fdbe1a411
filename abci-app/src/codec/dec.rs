//! The SDK's decimal number (`cosmossdk.io/math.LegacyDec`): 18 decimals on a big integer, with its roundings.
//!
//! Protobuf carries the integer (`100000000000000000`), JSON the decimal (`0.100000000000000000`).

use crate::error::{AppError, Result};
use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};
use std::{
    fmt,
    ops::{Add, AddAssign, Neg, Sub, SubAssign},
    str::FromStr,
};

/// Decimals.
const PLACES: usize = 18;
/// The units of one.
const ONE: u64 = 1_000_000_000_000_000_000;
/// The longest number: the SDK's 256 bits and 59 for the decimals.
const MAX_BITS: u64 = 315;

/// A decimal number with 18 places.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Dec(BigInt);

/// What is done with what does not fit into 18 places.
#[derive(Clone, Copy)]
enum Rounding {
    /// To the nearest; a half to the even one.
    Bankers,
    /// Towards zero.
    Truncate,
    /// Away from zero.
    Up,
}

impl Rounding {
    /// `n / d`, `d` above zero.
    fn divide(self, n: &BigInt, d: &BigInt) -> BigInt {
        // Truncates towards zero; the remainder has the sign of `n`.
        let (quotient, remainder) = n.div_rem(d);
        if remainder.is_zero() {
            return quotient;
        }
        let away = match self {
            Self::Truncate => false,
            Self::Up => true,
            Self::Bankers => {
                let twice = remainder.abs() * 2u8;
                twice > *d || (twice == *d && quotient.is_odd())
            }
        };
        match (away, n.sign()) {
            (false, _) => quotient,
            (true, Sign::Minus) => quotient - 1u8,
            (true, _) => quotient + 1u8,
        }
    }
}

fn one() -> BigInt {
    BigInt::from(ONE)
}

/// What the SDK makes of a panic in a transaction.
fn panicked(what: &str) -> AppError {
    AppError::new("sdk", 111_222, format!("recovered: {what}: panic"))
}

impl Dec {
    /// Zero.
    pub fn zero() -> Self {
        Self::default()
    }

    /// One.
    pub fn one() -> Self {
        Self(one())
    }

    /// A whole number.
    pub fn from_int(n: impl Into<BigInt>) -> Self {
        Self(n.into() * one())
    }

    /// `n / 10^places`; `places` is at most 18, more count as 18.
    pub fn with_places(n: impl Into<BigInt>, places: u32) -> Self {
        let places = places.min(18);
        Self(n.into() * BigInt::from(10u64.pow(18 - places)))
    }

    /// From what protobuf carries: the units of 10^-18 as text.
    ///
    /// # Errors
    /// sdk/18 for what is no integer, or too long. Empty is zero, as in the SDK.
    pub fn from_proto(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::zero());
        }
        BigInt::from_str(text)
            .ok()
            .filter(|n| n.bits() <= MAX_BITS)
            .map(Self)
            .ok_or_else(|| {
                AppError::invalid_request(format_args!(
                    "decimal: expected its units of 10^-18 as an integer, got {}",
                    clip(text)
                ))
            })
    }

    /// What protobuf carries.
    pub fn to_proto(&self) -> String {
        self.0.to_string()
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// Whether it is above zero.
    pub fn is_positive(&self) -> bool {
        self.0.is_positive()
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.0.is_negative()
    }

    /// The product, rounded to the nearest, a half to even (`Mul`).
    #[must_use]
    pub fn mul(&self, by: &Self) -> Self {
        Self(Rounding::Bankers.divide(&(&self.0 * &by.0), &one()))
    }

    /// The product, towards zero (`MulTruncate`).
    #[must_use]
    pub fn mul_truncate(&self, by: &Self) -> Self {
        Self(Rounding::Truncate.divide(&(&self.0 * &by.0), &one()))
    }

    /// The product, away from zero (`MulRoundUp`).
    #[must_use]
    pub fn mul_round_up(&self, by: &Self) -> Self {
        Self(Rounding::Up.divide(&(&self.0 * &by.0), &one()))
    }

    /// The product with a whole number (`MulInt`).
    #[must_use]
    pub fn mul_int(&self, by: impl Into<BigInt>) -> Self {
        Self(&self.0 * by.into())
    }

    /// The quotient, rounded to the nearest, a half to even (`Quo`). As in the SDK it is first truncated at 36
    /// places.
    ///
    /// # Errors
    /// sdk/111222 for a divisor of zero, where the SDK panics.
    pub fn quo(&self, by: &Self) -> Result<Self> {
        let wide = self.over(by, Rounding::Truncate, &(one() * one()))?;
        Ok(Self(Rounding::Bankers.divide(&wide, &one())))
    }

    /// The quotient, towards zero (`QuoTruncate`).
    ///
    /// # Errors
    /// sdk/111222 for a divisor of zero.
    pub fn quo_truncate(&self, by: &Self) -> Result<Self> {
        self.over(by, Rounding::Truncate, &one()).map(Self)
    }

    /// The quotient, away from zero (`QuoRoundUp`).
    ///
    /// # Errors
    /// sdk/111222 for a divisor of zero.
    pub fn quo_round_up(&self, by: &Self) -> Result<Self> {
        self.over(by, Rounding::Up, &one()).map(Self)
    }

    fn over(&self, by: &Self, rounding: Rounding, scale: &BigInt) -> Result<BigInt> {
        let n = match by.0.sign() {
            Sign::NoSign => return Err(panicked("division by zero")),
            Sign::Plus => &self.0 * scale,
            Sign::Minus => -(&self.0 * scale),
        };
        Ok(rounding.divide(&n, &by.0.abs()))
    }

    /// The quotient by a whole number, towards zero (`QuoInt`).
    ///
    /// # Errors
    /// sdk/111222 for a divisor of zero.
    pub fn quo_int(&self, by: impl Into<BigInt>) -> Result<Self> {
        let by = by.into();
        if by.is_zero() {
            return Err(panicked("division by zero"));
        }
        Ok(Self(&self.0 / by))
    }

    /// The whole part, towards zero (`TruncateInt`).
    pub fn truncate_int(&self) -> BigInt {
        &self.0 / one()
    }

    /// The nearest whole number, a half to even (`RoundInt`).
    pub fn round_int(&self) -> BigInt {
        Rounding::Bankers.divide(&self.0, &one())
    }

    /// The least whole number that is not below (`Ceil`).
    #[must_use]
    pub fn ceil(&self) -> Self {
        Self(self.0.div_ceil(&one()) * one())
    }

    /// The whole part, towards zero, as a decimal (`TruncateDec`).
    #[must_use]
    pub fn truncate(&self) -> Self {
        Self(self.truncate_int() * one())
    }

    /// The whole part as an amount of coins.
    ///
    /// # Errors
    /// sdk/111222 when it is below zero or does not fit into 128 bits.
    pub fn truncate_u128(&self) -> Result<u128> {
        self.truncate_int()
            .to_u128()
            .ok_or_else(|| panicked("Int out of bounds"))
    }

    /// The absolute value.
    #[must_use]
    pub fn abs(&self) -> Self {
        Self(self.0.abs())
    }

    /// The `n`th power by squaring, each product rounded (`Power`).
    #[must_use]
    pub fn power(&self, mut n: u64) -> Self {
        let (mut base, mut rest) = (self.clone(), Self::one());
        if n == 0 {
            return rest;
        }
        while n > 1 {
            if n.is_odd() {
                rest = rest.mul(&base);
            }
            n /= 2;
            base = base.mul(&base);
        }
        base.mul(&rest)
    }
}

fn clip(text: &str) -> String {
    text.chars().take(80).collect()
}

impl FromStr for Dec {
    type Err = AppError;

    /// From what JSON and people write: `-12.5`, at most 18 decimals, no exponent.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            AppError::invalid_request(format_args!(
                "decimal: expected digits with at most {PLACES} after a point, got {}",
                clip(text)
            ))
        };
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = match digits.split_once('.') {
            Some((_, "")) => return Err(wrong()),
            Some(parts) => parts,
            None => (digits, ""),
        };
        let only_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || part.len() > PLACES || !only_digits(whole) || !only_digits(part) {
            return Err(wrong());
        }
        let units = BigInt::from_str(&format!("{whole}{part:0<PLACES$}")).map_err(|_| wrong())?;
        if units.bits() > MAX_BITS {
            return Err(wrong());
        }
        Ok(Self(if negative { -units } else { units }))
    }
}

impl fmt::Display for Dec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = self.0.abs().div_rem(&one());
        let sign = if self.is_negative() { "-" } else { "" };
        write!(f, "{sign}{whole}.{:0>PLACES$}", part.to_string())
    }
}

impl Add for &Dec {
    type Output = Dec;
    fn add(self, other: Self) -> Dec {
        Dec(&self.0 + &other.0)
    }
}

impl Sub for &Dec {
    type Output = Dec;
    fn sub(self, other: Self) -> Dec {
        Dec(&self.0 - &other.0)
    }
}

impl Neg for &Dec {
    type Output = Dec;
    fn neg(self) -> Dec {
        Dec(-&self.0)
    }
}

impl AddAssign<&Self> for Dec {
    fn add_assign(&mut self, other: &Self) {
        self.0 += &other.0;
    }
}

impl SubAssign<&Self> for Dec {
    fn sub_assign(&mut self, other: &Self) {
        self.0 -= &other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn d(s: &str) -> Dec {
        s.parse().unwrap()
    }

    #[test]
    fn text_both_ways() {
        for (text, shown, proto) in [
            ("0", "0.000000000000000000", "0"),
            ("1", "1.000000000000000000", "1000000000000000000"),
            ("-0.5", "-0.500000000000000000", "-500000000000000000"),
            (
                "12.000000000000000001",
                "12.000000000000000001",
                "12000000000000000001",
            ),
        ] {
            assert_eq!(d(text).to_string(), shown);
            assert_eq!(d(text).to_proto(), proto);
            assert_eq!(Dec::from_proto(proto).unwrap(), d(text));
        }
        for wrong in [
            "",
            ".",
            "1.",
            ".5",
            "1e3",
            "+1",
            "--1",
            "1.0000000000000000001",
            "0x1",
            "1 ",
            "٣",
        ] {
            assert!(Dec::from_str(wrong).is_err(), "{wrong:?}");
        }
        assert!(Dec::from_proto("1.5").is_err());
        assert!(Dec::from_proto(&"9".repeat(96)).is_err());
    }

    /// a, b, mul, mul truncate, mul up, quo, quo up, quo truncate; the first rows are of the SDK's own table
    /// (`math/legacy_dec_test.go`).
    #[test]
    fn arithmetic_is_the_sdks() {
        for row in [
            [
                "3",
                "7",
                "21",
                "21",
                "21",
                "0.428571428571428571",
                "0.428571428571428572",
                "0.428571428571428571",
            ],
            ["2", "4", "8", "8", "8", "0.5", "0.5", "0.5"],
            ["100", "100", "10000", "10000", "10000", "1", "1", "1"],
            ["1.5", "1.5", "2.25", "2.25", "2.25", "1", "1", "1"],
            [
                "3.3333",
                "333.2",
                "1110.65556",
                "1110.65556",
                "1110.65556",
                "0.010003901560624250",
                "0.010003901560624250",
                "0.010003901560624249",
            ],
            [
                "0.000000000000000001",
                "0.1",
                "0",
                "0",
                "0.000000000000000001",
                "0.00000000000000001",
                "0.00000000000000001",
                "0.00000000000000001",
            ],
            [
                "-1",
                "3",
                "-3",
                "-3",
                "-3",
                "-0.333333333333333333",
                "-0.333333333333333334",
                "-0.333333333333333333",
            ],
        ] {
            let [a, b, want @ ..] = row.map(d);
            let got = [
                a.mul(&b),
                a.mul_truncate(&b),
                a.mul_round_up(&b),
                a.quo(&b).unwrap(),
                a.quo_round_up(&b).unwrap(),
                a.quo_truncate(&b).unwrap(),
            ];
            assert_eq!(got, want, "{a} {b}");
        }
        assert_eq!(d("1").quo(&Dec::zero()).unwrap_err().code, 111_222);
    }

    #[test]
    fn halves_go_to_the_even_one() {
        for (text, rounded, ceil) in [
            ("0.5", 0, 1),
            ("1.5", 2, 2),
            ("2.5", 2, 3),
            ("-0.5", 0, 0),
            ("-1.5", -2, -1),
            ("7.500000000000000001", 8, 8),
        ] {
            assert_eq!(d(text).round_int(), BigInt::from(rounded), "{text}");
            assert_eq!(d(text).ceil(), Dec::from_int(ceil), "{text}");
        }
        assert_eq!(d("1.1").power(3), d("1.331"));
        assert_eq!(d("0.3").power(0), Dec::one());
    }

    proptest! {
        /// A product or quotient is within one unit of the exact one, on the side its rounding says.
        #[test]
        fn roundings_enclose(a in any::<i128>(), b in 1i128..i128::MAX) {
            let (a, b) = (Dec(a.into()), Dec(b.into()));
            for (down, near, up) in [
                (a.mul_truncate(&b), a.mul(&b), a.mul_round_up(&b)),
                (a.quo_truncate(&b).unwrap(), a.quo(&b).unwrap(), a.quo_round_up(&b).unwrap()),
            ] {
                prop_assert!(down.abs() <= near.abs() && near.abs() <= up.abs());
                prop_assert!((&up - &down).abs().0 <= BigInt::from(1));
            }
            prop_assert_eq!(a.to_string().parse::<Dec>().unwrap(), a);
        }
    }
}
