//! Standing asks: providers post rate, device and units; an order crosses at once, best price then oldest, or
//! is refused when no ask admits it.

use super::{Fill, Offer, Wanted, cheapest, cheapest_units};
use cosmwasm_schema::cw_serde;

/// Parameters of a market order; the order's ceiling is its limit price.
#[cw_serde]
#[derive(Default)]
pub struct Market {
    /// Whether several asks may fill the order, and fewer units than it asks for are better than none: what cannot be
    /// filled now is dropped. Without it one ask fills it whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

impl Market {
    pub(super) fn fill(&self, wanted: &Wanted, offers: &[Offer]) -> Fill {
        if !self.partial {
            return cheapest(wanted, offers);
        }
        Fill {
            awards: cheapest_units(wanted, offers).0,
            ..Fill::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::tests::{offer, wanted};
    use proptest::prelude::*;

    #[test]
    fn an_order_of_the_first_version_is_filled_whole() {
        let old: Market = cosmwasm_std::from_json("{}").unwrap();
        assert_eq!(old, Market::default());
        assert_eq!(cosmwasm_std::to_json_string(&old).unwrap(), "{}");
    }

    proptest! {
        #[test]
        fn parts_are_the_cheapest_units_there_are(
            asks in prop::collection::vec((1u128..20, 1u32..5), 0..12), units in 1u32..20,
        ) {
            let offers: Vec<_> = asks.iter().enumerate()
                .map(|(i, (rate, units))| offer(i as u64, *rate, *units))
                .collect();
            let fill = Market { partial: true }.fill(&wanted(units, 100), &offers);
            // Each unit for itself, cheapest first, is what a book is.
            let mut book: Vec<_> = offers.iter().flat_map(|o| (0..o.units).map(|_| (o.rate, o.id))).collect();
            book.sort();
            book.truncate(units as usize);
            let got: Vec<_> = fill.awards.iter().flat_map(|a| (0..a.units).map(|_| (a.rate, a.id))).collect();
            prop_assert_eq!(got, book);
        }
    }
}
