//! All units of an order together, from several providers, or none: one lease a provider. The bids or asks come by one of
//! the other modes; each may offer fewer units than the order wants. When one of the leases ends early, all of them do.

use super::{
    Fill, Offer, PricingMode, Wanted, cheapest_units,
    market::Market,
    reverse_auction::ReverseAuction,
    sealed_tender::{PriceRule, SealedTender},
};
use crate::error::ValidationError;
use cosmwasm_schema::cw_serde;

/// Parameters of a cluster.
#[cw_serde]
pub struct Cluster {
    /// How its units are priced.
    pub of: ClusterPricing,
}

/// The modes that a cluster may be of.
#[cw_serde]
pub enum ClusterPricing {
    /// The cheapest units at the close; the tenant accepts none earlier.
    ReverseAuction(ReverseAuction),
    /// The cheapest units of the revealed bids: each at its own rate, or all at that of the cheapest unit that has not
    /// won, the ceiling when there is none.
    SealedTender(SealedTender),
    /// The cheapest units of the standing asks, at once.
    Market(Market),
}

impl Cluster {
    /// The mode that it is of.
    pub(super) fn base(&self) -> PricingMode {
        match &self.of {
            ClusterPricing::ReverseAuction(m) => PricingMode::ReverseAuction(m.clone()),
            ClusterPricing::SealedTender(m) => PricingMode::SealedTender(m.clone()),
            ClusterPricing::Market(m) => PricingMode::Market(m.clone()),
        }
    }

    pub(super) fn validate(&self, now: u64) -> Result<(), ValidationError> {
        if self.of == ClusterPricing::Market(Market { partial: true }) {
            let field = "pricing.cluster.of.market.partial";
            return Err(ValidationError::range(field, "false", true));
        }
        self.base().validate(now)
    }

    pub(super) fn again(&self, opened: u64, now: u64) -> Self {
        Self {
            of: match &self.of {
                ClusterPricing::ReverseAuction(m) => {
                    ClusterPricing::ReverseAuction(m.again(opened, now))
                }
                ClusterPricing::SealedTender(m) => {
                    ClusterPricing::SealedTender(m.again(opened, now))
                }
                ClusterPricing::Market(m) => ClusterPricing::Market(m.clone()),
            },
        }
    }

    pub(super) fn fill(&self, wanted: &Wanted, offers: &[Offer]) -> Fill {
        let (mut awards, next) = cheapest_units(wanted, offers);
        let units: u64 = awards.iter().map(|a| u64::from(a.units)).sum();
        if units < u64::from(wanted.units) {
            return Fill::default();
        }
        let second = |m: &SealedTender| m.rule == PriceRule::SecondPrice;
        if !matches!(&self.of, ClusterPricing::SealedTender(m) if second(m)) {
            return Fill {
                awards,
                ..Fill::default()
            };
        }
        let rate = next.map_or(wanted.ceiling, |o| o.rate);
        for award in &mut awards {
            award.rate = rate;
        }
        Fill {
            awards,
            priced_by: next.map(|o| o.id),
            draw: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::BidId,
        money::Rate,
        pricing::{
            MAX_PARTS,
            tests::{offer, wanted},
        },
    };
    use proptest::prelude::*;

    fn cluster(of: u8) -> Cluster {
        let tender = |rule| {
            ClusterPricing::SealedTender(SealedTender {
                commit_until: 10,
                reveal_until: 20,
                rule,
            })
        };
        Cluster {
            of: match of {
                0 => ClusterPricing::ReverseAuction(ReverseAuction { closes_at: 10 }),
                1 => tender(PriceRule::FirstPrice),
                2 => tender(PriceRule::SecondPrice),
                _ => ClusterPricing::Market(Market::default()),
            },
        }
    }

    fn offers(list: &[(u128, u32)]) -> Vec<Offer> {
        let offer = |(i, (rate, units)): (usize, &(u128, u32))| offer(i as u64, *rate, *units);
        list.iter().enumerate().map(offer).collect()
    }

    #[test]
    fn a_cluster_is_as_well_formed_as_what_it_is_of() {
        for of in 0..4 {
            assert!(cluster(of).validate(5).is_ok(), "{of}");
            assert_eq!(cluster(of).validate(15).is_ok(), of == 3, "{of}");
        }
        let partial = Cluster {
            of: ClusterPricing::Market(Market { partial: true }),
        };
        assert_eq!(
            partial.validate(5).unwrap_err().to_string(),
            "pricing.cluster.of.market.partial: expected false, got true"
        );
    }

    #[test]
    fn a_cluster_is_of_so_many_parts_at_most() {
        let wanted = |units| wanted(units, 9);
        let ones = offers(&[(1, 1); MAX_PARTS + 1]);
        let most = u32::try_from(MAX_PARTS).unwrap();
        assert_eq!(
            cluster(0).fill(&wanted(most), &ones).awards.len(),
            MAX_PARTS
        );
        assert_eq!(cluster(0).fill(&wanted(most + 1), &ones), Fill::default());
    }

    proptest! {
        #[test]
        fn all_units_or_none_and_the_cheapest_of_them(
            list in prop::collection::vec((1u128..50, 0u32..5), 0..20), units in 1u32..30, of in 0u8..4,
        ) {
            let (offers, ceiling) = (offers(&list), Rate::new(60));
            let fill = cluster(of).fill(&wanted(units, 60), &offers);
            let there: u32 = list.iter().map(|(_, n)| n).sum();
            let got: u32 = fill.awards.iter().map(|a| a.units).sum();
            prop_assert_eq!(got, if there >= units { units } else { 0 });
            let asked = |id: BidId| offers[id.0 as usize].rate;
            let dearest = fill.awards.iter().map(|a| asked(a.id)).max();
            for o in &offers {
                let taken: u32 = fill.awards.iter().filter(|a| a.id == o.id).map(|a| a.units).sum();
                prop_assert!(taken <= o.units);
                // Who has units left is not cheaper than who won.
                prop_assert!(taken == o.units || got == 0 || Some(o.rate) >= dearest);
            }
            for a in &fill.awards {
                prop_assert!(a.rate >= asked(a.id) && a.rate <= ceiling);
                prop_assert!(of == 2 || a.rate == asked(a.id));
            }
            let rates: std::collections::BTreeSet<_> = fill.awards.iter().map(|a| a.rate).collect();
            prop_assert!(of != 2 || rates.len() <= 1);
        }
    }
}
