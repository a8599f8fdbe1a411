//! Prices as people write them, and what a provider asks for an order.

use ember_types::money::Rate;
use std::collections::BTreeMap;

/// Micro-units in a coin.
const MICRO: u128 = 1_000_000;
const MICRO_DIGITS: usize = 6;

/// A decimal of whole coins an hour as a rate, exactly: no floats.
///
/// # Errors
/// When it is no decimal with at most six places, or too large.
pub fn parse_price(text: &str) -> Result<Rate, String> {
    let err = || {
        format!(
            "expected whole coins an hour with at most 6 decimals, for example 2.5, got {text:?}"
        )
    };
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || part.len() > MICRO_DIGITS || !digits(whole) || !digits(part) {
        return Err(err());
    }
    let whole: u128 = whole.parse().map_err(|_| err())?;
    let part: u128 = format!("{part:0<MICRO_DIGITS$}")
        .parse()
        .map_err(|_| err())?;
    let micro = whole
        .checked_mul(MICRO)
        .and_then(|w| w.checked_add(part))
        .ok_or_else(err)?;
    Rate::per_hour(micro).map_err(|_| err())
}

/// How the price of a bid is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Strategy {
    /// Always the set price.
    #[default]
    Fixed,
    /// One percent below the cheapest rival, never below the set price; the ceiling where there is no rival.
    Undercut,
}

/// The provider's prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    /// What was set, by denom: never less than this.
    pub set: BTreeMap<String, Rate>,
    /// For denoms without one: this, or the order's ceiling where that is lower. `None` sells in set denoms only.
    pub otherwise: Option<Rate>,
    /// How.
    pub strategy: Strategy,
}

impl Prices {
    /// What to ask in a sealed bid: the set price whatever the strategy, for there is no rival to be seen.
    pub fn sealed(&self, denom: &str, ceiling: Rate) -> Option<Rate> {
        let floor = match self.set.get(denom) {
            Some(set) => *set,
            None => self.otherwise?.min(ceiling),
        };
        (floor <= ceiling).then_some(floor)
    }

    /// What to ask for an order with `ceiling` in `denom` whose cheapest rival asks `rival`. `None`: do not bid.
    pub fn ask(&self, denom: &str, ceiling: Rate, rival: Option<Rate>) -> Option<Rate> {
        let floor = self.sealed(denom, ceiling)?;
        match (self.strategy, rival) {
            (Strategy::Fixed, _) => Some(floor),
            (Strategy::Undercut, None) => Some(ceiling),
            (Strategy::Undercut, Some(r)) => {
                let below = r.0.u128() - r.0.u128().div_ceil(100);
                Some(Rate::new(below).clamp(floor, ceiling))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_exactly() {
        for (text, micro_per_hour) in [
            ("2.5", 2_500_000),
            ("40", 40_000_000),
            ("0.000036", 36),
            ("0", 0),
        ] {
            assert_eq!(
                parse_price(text).unwrap(),
                Rate::per_hour(micro_per_hour).unwrap(),
                "{text}"
            );
        }
        assert_eq!(parse_price("0.0036").unwrap(), Rate::new(1_000_000));
        for bad in [
            "",
            ".5",
            "-1",
            "1e3",
            "1.0000001",
            "2,5",
            "1.2.3",
            "340282366920938463463374607431768211456",
        ] {
            assert!(
                parse_price(bad).unwrap_err().contains("coins an hour"),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_set_price_is_a_floor_and_the_general_one_yields_to_the_ceiling() {
        let r = Rate::new;
        let mut p = Prices {
            set: [("a".to_owned(), r(500))].into(),
            otherwise: Some(r(300)),
            strategy: Strategy::Fixed,
        };
        assert_eq!(p.ask("a", r(1_000), Some(r(1))), Some(r(500)));
        assert_eq!(p.ask("a", r(499), None), None);
        assert_eq!(p.ask("b", r(1_000), None), Some(r(300)));
        assert_eq!(p.ask("b", r(100), None), Some(r(100)));
        p.strategy = Strategy::Undercut;
        assert_eq!(p.ask("a", r(1_000), None), Some(r(1_000)));
        assert_eq!(p.ask("a", r(1_000), Some(r(800))), Some(r(792)));
        assert_eq!(p.ask("a", r(1_000), Some(r(400))), Some(r(500)));
        assert_eq!(p.sealed("a", r(1_000)), Some(r(500)));
        assert_eq!(p.sealed("a", r(499)), None);
        assert_eq!(p.sealed("b", r(100)), Some(r(100)));
        p.otherwise = None;
        assert_eq!(p.ask("b", r(1_000), None), None);
        assert_eq!(p.sealed("b", r(1_000)), None);
    }
}
