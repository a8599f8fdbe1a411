//! What inflation follows, and where it stands.

use crate::{
    codec::{as_text, coins, dec::Dec},
    error::{AppError, Result},
};
use cosmos_sdk_proto::cosmos::mint::v1beta1 as proto;
use serde::{Deserialize, Serialize};

/// The parameters. Rates are of a year, as fractions of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The denom that is made.
    pub mint_denom: String,
    /// The most that inflation changes in a year.
    #[serde(with = "as_text")]
    pub inflation_rate_change: Dec,
    /// The most inflation.
    #[serde(with = "as_text")]
    pub inflation_max: Dec,
    /// The least inflation.
    #[serde(with = "as_text")]
    pub inflation_min: Dec,
    /// The share of the staking coin that should be bonded.
    #[serde(with = "as_text")]
    pub goal_bonded: Dec,
    /// Blocks that a year is expected to have.
    #[serde(with = "as_text")]
    pub blocks_per_year: u64,
}

/// Where inflation stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minter {
    /// A year's inflation, as a fraction of one.
    #[serde(with = "as_text")]
    pub inflation: Dec,
    /// What a year makes, in micro-units.
    #[serde(with = "as_text")]
    pub annual_provisions: Dec,
}

/// An error that the SDK has not registered.
fn plain(log: String) -> AppError {
    AppError::new("undefined", 1, log)
}

/// A rate of `MsgUpdateParams`, which may not be left out.
fn rate(what: &str, text: &str) -> Result<Dec> {
    if text.is_empty() {
        return Err(plain(format!("{what} cannot be nil: <nil>")));
    }
    Dec::from_proto(text)
}

impl Params {
    /// From a message or the store.
    ///
    /// # Errors
    /// undefined/1 for a rate that is left out, sdk/18 for one that is no decimal.
    pub fn from_proto(p: proto::Params) -> Result<Self> {
        Ok(Self {
            inflation_rate_change: rate("inflation rate change", &p.inflation_rate_change)?,
            inflation_max: rate("max inflation", &p.inflation_max)?,
            inflation_min: rate("min inflation", &p.inflation_min)?,
            goal_bonded: rate("goal bonded", &p.goal_bonded)?,
            mint_denom: p.mint_denom,
            blocks_per_year: p.blocks_per_year,
        })
    }

    /// As protobuf.
    pub fn to_proto(&self) -> proto::Params {
        proto::Params {
            mint_denom: self.mint_denom.clone(),
            inflation_rate_change: self.inflation_rate_change.to_proto(),
            inflation_max: self.inflation_max.to_proto(),
            inflation_min: self.inflation_min.to_proto(),
            goal_bonded: self.goal_bonded.to_proto(),
            blocks_per_year: self.blocks_per_year,
        }
    }

    /// Whether they make sense. Stricter than the SDK in one thing: blocks per year above 2^63 would stop the chain.
    ///
    /// # Errors
    /// undefined/1 with the SDK's text; sdk/10 for what is no denom.
    pub fn check(&self) -> Result<()> {
        if self.mint_denom.trim().is_empty() {
            return Err(plain("mint denom cannot be blank".into()));
        }
        coins::check_denom(&self.mint_denom)?;
        for (what, rate) in [
            ("inflation rate change", &self.inflation_rate_change),
            ("max inflation", &self.inflation_max),
            ("min inflation", &self.inflation_min),
            ("goal bonded", &self.goal_bonded),
        ] {
            let goal = what == "goal bonded";
            if goal && !rate.is_positive() {
                return Err(plain(format!("{what} must be positive: {rate}")));
            }
            if rate.is_negative() {
                return Err(plain(format!("{what} cannot be negative: {rate}")));
            }
            if *rate > Dec::one() {
                return Err(plain(format!("{what} too large: {rate}")));
            }
        }
        if self.blocks_per_year == 0 {
            return Err(plain("blocks per year must be positive: 0".into()));
        }
        if i64::try_from(self.blocks_per_year).is_err() {
            return Err(plain(format!(
                "blocks per year too large: {}",
                self.blocks_per_year
            )));
        }
        if self.inflation_max < self.inflation_min {
            return Err(plain(format!(
                "max inflation ({}) must be greater than or equal to min inflation ({})",
                self.inflation_max, self.inflation_min
            )));
        }
        Ok(())
    }

    /// The next block's inflation (`NextInflationRate`): the further the bonded share is from its goal, the faster
    /// inflation moves, between its bounds.
    ///
    /// # Errors
    /// sdk/111222 when the goal or the blocks are zero, which [`Self::check`] refuses.
    pub fn next_inflation(&self, inflation: &Dec, bonded_ratio: &Dec) -> Result<Dec> {
        let off = &Dec::one() - &bonded_ratio.quo(&self.goal_bonded)?;
        let yearly = off.mul(&self.inflation_rate_change);
        let change = yearly.quo(&Dec::from_int(self.blocks_per_year))?;
        let next = inflation + &change;
        Ok(if next > self.inflation_max {
            self.inflation_max.clone()
        } else if next < self.inflation_min {
            self.inflation_min.clone()
        } else {
            next
        })
    }
}

impl Minter {
    /// From the store.
    ///
    /// # Errors
    /// sdk/18 when the store is broken.
    pub fn from_proto(m: &proto::Minter) -> Result<Self> {
        Ok(Self {
            inflation: Dec::from_proto(&m.inflation)?,
            annual_provisions: Dec::from_proto(&m.annual_provisions)?,
        })
    }

    /// As protobuf.
    pub fn to_proto(&self) -> proto::Minter {
        proto::Minter {
            inflation: self.inflation.to_proto(),
            annual_provisions: self.annual_provisions.to_proto(),
        }
    }

    /// What one block makes, in micro-units (`BlockProvision`).
    ///
    /// # Errors
    /// sdk/111222 when a year has no blocks, or the amount more than 128 bits.
    pub fn block_provision(&self, params: &Params) -> Result<u128> {
        let provision = self.annual_provisions.quo_int(params.blocks_per_year)?;
        provision.truncate_u128()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(s: &str) -> Dec {
        s.parse().unwrap()
    }

    fn defaults() -> Params {
        Params {
            mint_denom: "stake".into(),
            inflation_rate_change: d("0.13"),
            inflation_max: d("0.2"),
            inflation_min: d("0.07"),
            goal_bonded: d("0.67"),
            blocks_per_year: 60 * 60 * 8766 / 5,
        }
    }

    /// The SDK's own table (`minter_test.go`, TestNextInflation): bonded, inflation, change of inflation.
    #[test]
    fn inflation_follows_the_sdks_table() {
        let p = defaults();
        let per_block = |yearly: Dec| yearly.quo(&Dec::from_int(p.blocks_per_year)).unwrap();
        let half = per_block((&Dec::one() - &d("0.5").quo(&d("0.67")).unwrap()).mul(&d("0.13")));
        let all = per_block((&Dec::one() - &Dec::one().quo(&d("0.67")).unwrap()).mul(&d("0.13")));
        for (bonded, inflation, change) in [
            ("0", "0.07", per_block(d("0.13"))),
            ("1", "0.2", all.clone()),
            ("0.5", "0.1", half),
            ("1", "0.07", Dec::zero()),
            ("0", "0.2", Dec::zero()),
            ("1", "0.070000000000000001", d("-0.000000000000000001")),
            ("0", "0.199999999999999999", d("0.000000000000000001")),
            ("0.67", "0.15", Dec::zero()),
        ] {
            let next = p.next_inflation(&d(inflation), &d(bonded)).unwrap();
            assert_eq!(&next - &d(inflation), change, "{bonded} {inflation}");
        }
        assert!(all.is_negative());
    }

    /// The SDK's TestBlockProvision.
    #[test]
    fn a_block_makes_its_share_of_a_year() {
        let p = defaults();
        let year = u128::from(p.blocks_per_year);
        for (yearly, block) in [
            (year / 5, 0),
            (year / 5 + 1, 0),
            (year, 1),
            (year * 2 - 1, 1),
            (year * 7, 7),
        ] {
            let m = Minter {
                inflation: d("0.1"),
                annual_provisions: Dec::from_int(yearly),
            };
            assert_eq!(m.block_provision(&p).unwrap(), block);
        }
    }

    #[test]
    fn refusals_are_in_the_sdks_words() {
        let none = Params::from_proto(proto::Params::default()).unwrap_err();
        assert_eq!(
            (none.codespace, none.code, none.log.as_str()),
            ("undefined", 1, "inflation rate change cannot be nil: <nil>")
        );
        let cases: [(Params, &str); 8] = [
            (
                Params {
                    mint_denom: " ".into(),
                    ..defaults()
                },
                "mint denom cannot be blank",
            ),
            (
                Params {
                    inflation_rate_change: d("-0.1"),
                    ..defaults()
                },
                "inflation rate change cannot be negative: -0.100000000000000000",
            ),
            (
                Params {
                    inflation_max: d("1.1"),
                    ..defaults()
                },
                "max inflation too large: 1.100000000000000000",
            ),
            (
                Params {
                    inflation_min: d("-1"),
                    ..defaults()
                },
                "min inflation cannot be negative: -1.000000000000000000",
            ),
            (
                Params {
                    goal_bonded: d("0"),
                    ..defaults()
                },
                "goal bonded must be positive: 0.000000000000000000",
            ),
            (
                Params {
                    blocks_per_year: 0,
                    ..defaults()
                },
                "blocks per year must be positive: 0",
            ),
            (
                Params {
                    blocks_per_year: u64::MAX,
                    ..defaults()
                },
                "blocks per year too large: 18446744073709551615",
            ),
            (
                Params {
                    inflation_max: d("0.01"),
                    ..defaults()
                },
                "max inflation (0.010000000000000000) must be greater than or equal to min inflation (0.070000000000000000)",
            ),
        ];
        for (params, text) in cases {
            assert_eq!(params.check().unwrap_err().log, text);
        }
        assert_eq!(
            Params {
                mint_denom: "1".into(),
                ..defaults()
            }
            .check()
            .unwrap_err()
            .code,
            10
        );
        defaults().check().unwrap();
        assert_eq!(
            Params::from_proto(defaults().to_proto()).unwrap(),
            defaults()
        );
    }
}
