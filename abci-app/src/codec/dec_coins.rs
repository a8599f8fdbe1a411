//! Coins with fractions (`sdk.DecCoins`): sorted by denom, none zero, none negative.

use super::{coins::Coins, dec::Dec};
use crate::error::{AppError, Result};
use cosmos_sdk_proto::cosmos::base::v1beta1::DecCoin;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{collections::BTreeMap, fmt};

/// A set of coins with fractions, in micro-units.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecCoins(BTreeMap<String, Dec>);

/// One of them in the SDK's JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonCoin {
    denom: String,
    #[serde(with = "super::as_text")]
    amount: Dec,
}

impl DecCoins {
    /// Whole coins.
    pub fn from_coins(coins: &[(String, u128)]) -> Self {
        coins
            .iter()
            .map(|(denom, amount)| (denom.clone(), Dec::from_int(*amount)))
            .collect()
    }

    /// From protobuf, where amounts are units of 10^-18.
    ///
    /// # Errors
    /// sdk/18 when an amount is no decimal.
    pub fn from_proto(coins: &[DecCoin]) -> Result<Self> {
        coins
            .iter()
            .map(|c| Ok((c.denom.clone(), Dec::from_proto(&c.amount)?)))
            .collect()
    }

    /// As protobuf.
    pub fn to_proto(&self) -> Vec<DecCoin> {
        let coin = |(denom, amount): (&String, &Dec)| DecCoin {
            denom: denom.clone(),
            amount: amount.to_proto(),
        };
        self.0.iter().map(coin).collect()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The amount of one denom.
    pub fn amount_of(&self, denom: &str) -> Dec {
        self.0.get(denom).cloned().unwrap_or_default()
    }

    /// Adds coins (`Add`).
    pub fn add(&mut self, other: &Self) {
        for (denom, amount) in &other.0 {
            *self.0.entry(denom.clone()).or_default() += amount;
        }
    }

    /// The difference; `None` when an amount would be below zero (`SafeSub`).
    pub fn checked_sub(&self, other: &Self) -> Option<Self> {
        let mut left = self.clone();
        for (denom, amount) in &other.0 {
            let rest = &left.amount_of(denom) - amount;
            if rest.is_negative() {
                return None;
            }
            left.0.insert(denom.clone(), rest);
        }
        Some(left.0.into_iter().collect())
    }

    /// The difference (`Sub`).
    ///
    /// # Errors
    /// sdk/111222 when an amount would be below zero, where the SDK panics.
    pub fn sub(&self, other: &Self) -> Result<Self> {
        self.checked_sub(other)
            .ok_or_else(|| AppError::new("sdk", 111_222, "recovered: negative coin amount: panic"))
    }

    fn map(&self, f: impl Fn(&Dec) -> Dec) -> Self {
        self.0.iter().map(|(d, a)| (d.clone(), f(a))).collect()
    }

    /// Each amount times `by`, rounded to the nearest, a half to even (`MulDec`).
    #[must_use]
    pub fn mul(&self, by: &Dec) -> Self {
        self.map(|a| a.mul(by))
    }

    /// Each amount times `by`, towards zero (`MulDecTruncate`).
    #[must_use]
    pub fn mul_truncate(&self, by: &Dec) -> Self {
        self.map(|a| a.mul_truncate(by))
    }

    /// Each amount over `by`, towards zero (`QuoDecTruncate`).
    ///
    /// # Errors
    /// sdk/111222 for a divisor of zero.
    pub fn quo_truncate(&self, by: &Dec) -> Result<Self> {
        self.0
            .iter()
            .map(|(d, a)| Ok((d.clone(), a.quo_truncate(by)?)))
            .collect()
    }

    /// Of each denom the smaller amount (`Intersect`).
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let smaller = |(denom, amount): (&String, &Dec)| {
            (denom.clone(), amount.min(&other.amount_of(denom)).clone())
        };
        self.0.iter().map(smaller).collect()
    }

    /// The whole coins, and what is left of each (`TruncateDecimal`).
    ///
    /// # Errors
    /// sdk/111222 when an amount has more than 128 bits.
    pub fn truncate(&self) -> Result<(Coins, Self)> {
        let (mut whole, mut change) = (Coins::new(), Vec::new());
        for (denom, amount) in &self.0 {
            let n = amount.truncate_u128()?;
            if n > 0 {
                whole.push((denom.clone(), n));
            }
            change.push((denom.clone(), amount - &Dec::from_int(n)));
        }
        Ok((whole, change.into_iter().collect()))
    }
}

impl FromIterator<(String, Dec)> for DecCoins {
    /// Amounts of the same denom are added up; zeros are left out.
    fn from_iter<I: IntoIterator<Item = (String, Dec)>>(coins: I) -> Self {
        let mut out = BTreeMap::<String, Dec>::new();
        for (denom, amount) in coins {
            *out.entry(denom).or_default() += &amount;
        }
        out.retain(|_, amount| !amount.is_zero());
        Self(out)
    }
}

impl fmt::Display for DecCoins {
    /// As in events: `1.500000000000000000uatom,0.100000000000000000uember`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (denom, amount)) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma}{amount}{denom}")?;
        }
        Ok(())
    }
}

impl Serialize for DecCoins {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(|(denom, amount)| JsonCoin {
            denom: denom.clone(),
            amount: amount.clone(),
        }))
    }
}

impl<'de> Deserialize<'de> for DecCoins {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let mut out = BTreeMap::new();
        for JsonCoin { denom, amount } in Vec::<JsonCoin>::deserialize(from)? {
            super::coins::check_denom(&denom).map_err(|e| D::Error::custom(e.log))?;
            if !amount.is_positive() {
                let e = format_args!("coin {amount}{denom} amount is not positive");
                return Err(D::Error::custom(e));
            }
            if out.insert(denom.clone(), amount).is_some() {
                return Err(D::Error::custom(format_args!("{denom}: is there twice")));
            }
        }
        Ok(Self(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn c(text: &[(&str, &str)]) -> DecCoins {
        text.iter()
            .map(|(d, a)| ((*d).to_owned(), a.parse().unwrap()))
            .collect()
    }

    #[test]
    fn sums_and_differences_have_no_zeros_and_nothing_negative() {
        let mut a = c(&[("uatom", "1.5"), ("uember", "2")]);
        a.add(&c(&[("aaa", "1"), ("uember", "0.5")]));
        assert_eq!(a, c(&[("aaa", "1"), ("uatom", "1.5"), ("uember", "2.5")]));
        assert_eq!(
            a.sub(&c(&[("uatom", "1.5")])).unwrap(),
            c(&[("aaa", "1"), ("uember", "2.5")])
        );
        assert_eq!(a.checked_sub(&c(&[("uatom", "1.6")])), None);
        assert_eq!(a.sub(&c(&[("other", "1")])).unwrap_err().code, 111_222);
        assert!(c(&[("uatom", "0")]).is_empty());
        assert_eq!(
            a.intersect(&c(&[("uatom", "1"), ("uember", "9"), ("x", "1")])),
            c(&[("uatom", "1"), ("uember", "2.5")])
        );
    }

    #[test]
    fn what_is_cut_off_is_kept_as_change() {
        let a = c(&[("uatom", "0.25"), ("uember", "2.5"), ("uusdc", "3")]);
        let (whole, change) = a.truncate().unwrap();
        assert_eq!(whole, [("uember".into(), 2), ("uusdc".into(), 3)]);
        assert_eq!(change, c(&[("uatom", "0.25"), ("uember", "0.5")]));
        assert_eq!(
            a.to_string(),
            "0.250000000000000000uatom,2.500000000000000000uember,3.000000000000000000uusdc"
        );
        assert_eq!(DecCoins::from_proto(&a.to_proto()).unwrap(), a);
        let third = a.quo_truncate(&"3".parse().unwrap()).unwrap();
        assert_eq!(third.amount_of("uatom").to_string(), "0.083333333333333333");
        assert_eq!(
            c(&[("u", "0.000000000000000001")]).mul_truncate(&"0.9".parse().unwrap()),
            DecCoins::default()
        );
    }

    #[test]
    fn json_is_the_sdks() {
        let a = c(&[("uatom", "0.25"), ("uember", "2")]);
        let json = r#"[{"denom":"uatom","amount":"0.250000000000000000"},{"denom":"uember","amount":"2.000000000000000000"}]"#;
        assert_eq!(serde_json::to_string(&a).unwrap(), json);
        assert_eq!(serde_json::from_str::<DecCoins>(json).unwrap(), a);
        for bad in [
            r#"[{"denom":"uatom","amount":"-1"}]"#,
            r#"[{"denom":"uatom","amount":"0"}]"#,
            r#"[{"denom":"u","amount":"1"}]"#,
            r#"[{"denom":"uatom","amount":"1"},{"denom":"uatom","amount":"1"}]"#,
        ] {
            assert!(serde_json::from_str::<DecCoins>(bad).is_err(), "{bad}");
        }
    }
}
