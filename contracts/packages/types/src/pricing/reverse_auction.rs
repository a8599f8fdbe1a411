//! Open descending bids: every bid is public, the cheapest wins at the close, and the tenant may end the
//! auction early by accepting any bid.

use crate::error::ValidationError;
use cosmwasm_schema::cw_serde;

/// Longest auction, in seconds: 30 days.
pub const MAX_AUCTION_SECS: u64 = 30 * 24 * 3_600;

/// Parameters of a reverse auction.
#[cw_serde]
pub struct ReverseAuction {
    /// Unix seconds. In the first block at or after it the lowest bid wins; with no bid the order expires.
    pub closes_at: u64,
}

impl ReverseAuction {
    pub(super) fn validate(&self, now: u64) -> Result<(), ValidationError> {
        if self.closes_at <= now || self.closes_at > now.saturating_add(MAX_AUCTION_SECS) {
            return Err(ValidationError::range(
                "pricing.closes_at",
                format!("after {now} and within {MAX_AUCTION_SECS} s of it"),
                self.closes_at,
            ));
        }
        Ok(())
    }

    pub(super) fn again(&self, opened: u64, now: u64) -> Self {
        let open_secs = self.closes_at.saturating_sub(opened).max(1);
        Self {
            closes_at: now.saturating_add(open_secs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::{
        PricingMode,
        tests::{offer, wanted},
    };
    use proptest::prelude::*;

    #[test]
    fn the_close_lies_ahead_and_not_too_far() {
        for (closes_at, ok) in [
            (99, false),
            (100, false),
            (101, true),
            (100 + MAX_AUCTION_SECS, true),
            (101 + MAX_AUCTION_SECS, false),
        ] {
            assert_eq!(
                ReverseAuction { closes_at }.validate(100).is_ok(),
                ok,
                "{closes_at}"
            );
        }
    }

    proptest! {
        #[test]
        fn nobody_who_lost_was_cheaper_or_as_cheap_and_older(
            bids in prop::collection::vec((1u128..50, 1u32..4), 0..20), units in 1u32..4,
        ) {
            let offers: Vec<_> = bids.iter().enumerate()
                .map(|(i, (rate, units))| offer(i as u64, *rate, *units))
                .collect();
            let mode = PricingMode::ReverseAuction(ReverseAuction { closes_at: 1 });
            let fill = mode.fill(&wanted(units, 50), &offers);
            prop_assert!(fill.awards.len() <= 1 && fill.priced_by.is_none());
            let won = fill.awards.first().map(|a| a.id);
            let able: Vec<_> = offers.iter().filter(|o| o.units >= units).collect();
            prop_assert_eq!(won.is_none(), able.is_empty());
            if let Some(id) = won {
                let w = offers.iter().find(|o| o.id == id).unwrap();
                prop_assert!(able.iter().all(|o| (w.rate, w.id) <= (o.rate, o.id)));
                prop_assert_eq!((fill.awards[0].units, fill.awards[0].rate), (units, w.rate));
            }
        }
    }
}
