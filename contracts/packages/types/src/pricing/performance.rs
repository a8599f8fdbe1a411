//! Open descending bids of a rate for each point of a benchmark's score. A bid promises a score, which the provider's device
//! must have reached; a unit then costs rate x score, at most the order's ceiling. Until a while after the opening the score
//! can be measured again, and the lease is paid from its first second by the lower of the two: what the device does not
//! deliver goes back to the tenant.

use super::{Award, Fill, Offer, Wanted, reverse_auction::ReverseAuction};
use crate::{
    error::ValidationError,
    money::Rate,
    resources::{Score, validate_slug},
};
use cosmwasm_schema::cw_serde;
use cosmwasm_std::Uint128;

/// Longest time for measuring, in seconds: a day.
pub const MAX_MEASURE_SECS: u64 = 24 * 3_600;

/// Parameters of an auction by performance.
#[cw_serde]
pub struct Performance {
    /// Unix seconds. In the first block at or after it the lowest rate a point wins; the tenant may accept a bid earlier.
    pub closes_at: u64,
    /// The benchmark whose score is paid for, as devices name it: `[a-z0-9-]{1,32}`.
    pub benchmark: String,
    /// Seconds from the lease's opening in which its score may be measured, 1 to 86,400. Nothing is paid before they pass or
    /// the lease ends.
    pub measure_secs: u64,
}

impl Performance {
    pub(super) fn validate(&self, now: u64) -> Result<(), ValidationError> {
        self.auction().validate(now)?;
        validate_slug("pricing.benchmark", &self.benchmark)?;
        if self.measure_secs == 0 || self.measure_secs > MAX_MEASURE_SECS {
            let (field, expected) = ("pricing.measure_secs", format!("1 to {MAX_MEASURE_SECS}"));
            return Err(ValidationError::range(field, expected, self.measure_secs));
        }
        Ok(())
    }

    const fn auction(&self) -> ReverseAuction {
        ReverseAuction {
            closes_at: self.closes_at,
        }
    }

    pub(super) fn again(&self, opened: u64, now: u64) -> Self {
        Self {
            closes_at: self.auction().again(opened, now).closes_at,
            ..self.clone()
        }
    }

    /// What a device must have reached to promise `value`.
    pub fn score(&self, value: u64) -> Score {
        Score {
            name: self.benchmark.clone(),
            value,
        }
    }

    /// The lowest rate a point wins, then the higher score, then the older bid. Each is paid for the points it promises.
    pub(super) fn fill(&self, wanted: &Wanted, offers: &[Offer]) -> Fill {
        let able = offers.iter().filter(|o| o.units >= wanted.units);
        let won = able.min_by_key(|o| (o.rate, std::cmp::Reverse(o.score), o.id));
        let award = won.and_then(|o| {
            Some(Award {
                id: o.id,
                units: wanted.units,
                rate: unit_rate(o.rate, o.score.unwrap_or_default()).ok()?,
            })
        });
        Fill {
            awards: award.into_iter().collect(),
            ..Fill::default()
        }
    }
}

/// What a unit costs at `rate` a point.
///
/// # Errors
/// When it does not fit 128 bits.
pub fn unit_rate(rate: Rate, score: u64) -> Result<Rate, ValidationError> {
    let product = rate.0.checked_mul(Uint128::from(score));
    product
        .map(Rate)
        .map_err(|_| ValidationError::Overflow { what: "rate" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::BidId,
        pricing::tests::{offer, wanted},
    };
    use proptest::prelude::*;

    fn mode(closes_at: u64, benchmark: &str, measure_secs: u64) -> Performance {
        Performance {
            closes_at,
            benchmark: benchmark.into(),
            measure_secs,
        }
    }

    #[test]
    fn parameters_have_ranges() {
        for (m, ok) in [
            (mode(101, "gemm-f16", 1), true),
            (mode(101, "gemm-f16", MAX_MEASURE_SECS), true),
            (mode(100, "gemm-f16", 1), false),
            (mode(101, "GEMM", 1), false),
            (mode(101, "", 1), false),
            (mode(101, "gemm-f16", 0), false),
            (mode(101, "gemm-f16", MAX_MEASURE_SECS + 1), false),
        ] {
            assert_eq!(m.validate(100).is_ok(), ok, "{m:?}");
        }
    }

    #[test]
    fn a_rate_that_does_not_fit_says_so() {
        assert_eq!(unit_rate(Rate::new(3), 5).unwrap(), Rate::new(15));
        assert!(unit_rate(Rate::new(u128::MAX), 2).is_err());
    }

    proptest! {
        #[test]
        fn the_winner_costs_least_a_point(
            bids in prop::collection::vec((1u128..20, 1u64..1_000, 1u32..3), 0..12), units in 1u32..3,
        ) {
            let offers: Vec<_> = bids.iter().enumerate()
                .map(|(i, (rate, score, units))| Offer { score: Some(*score), ..offer(i as u64, *rate, *units) })
                .collect();
            let fill = mode(1, "gemm", 1).fill(&wanted(units, u128::MAX), &offers);
            let able: Vec<_> = offers.iter().filter(|o| o.units >= units).collect();
            prop_assert_eq!(fill.awards.len(), usize::from(!able.is_empty()));
            for a in &fill.awards {
                let BidId(i) = a.id;
                let (rate, score, _) = bids[i as usize];
                prop_assert_eq!(a.rate.0.u128(), rate * u128::from(score));
                prop_assert!(able.iter().all(|o| o.rate.0.u128() >= rate));
            }
        }
    }
}
