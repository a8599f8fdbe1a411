//! The fee schedule: per denom, changed by governance only.

use crate::error::ValidationError;
use cosmwasm_schema::cw_serde;
use cosmwasm_std::{Uint128, Uint256};

/// Basis points in one.
pub const BPS: u16 = 10_000;
/// Most tiers, and most rebates, of a denom.
pub const MAX_STEPS: usize = 8;
/// What a tier may take: 0.5 % to 5 %.
pub const TIER_BPS: std::ops::RangeInclusive<u16> = 50..=500;

/// Fees of one denom. A denom without an entry is not taken by the market.
#[cw_serde]
#[derive(Default)]
pub struct DenomFees {
    /// The bank denom, for example `uusdc` or `ibc/...`.
    pub denom: String,
    /// Share of what a provider is paid, in basis points (2000 = 20 %).
    pub take_bps: u16,
    /// Share of every deposit, in basis points, kept when the deposit is made.
    pub reservation_bps: u16,
    /// Least first deposit of an order, micro-units.
    pub min_deposit: Uint128,
    /// Deposit that a bid carries while it is open, micro-units.
    pub bid_deposit: Uint128,
    /// Other shares of the parts of a lease's total above thresholds, ascending; at most [`MAX_STEPS`].
    #[serde(default)]
    pub tiers: Vec<Step>,
    /// Taken out of the escrow, once a lease, when it opens; micro-units. Never more than the escrow has.
    #[serde(default)]
    pub session_fee: Uint128,
    /// What a provider's bond takes off its shares, ascending; the last one that it reaches counts. At most
    /// [`MAX_STEPS`].
    #[serde(default)]
    pub bond_rebates: Vec<Step>,
}

/// A share that holds from an amount on.
#[cw_serde]
pub struct Step {
    /// Micro-units. Of a tier: what a lease has earned since its opening; the tier's share is that of what lies
    /// above, as in a tax bracket, so that no total ever costs less fee than a smaller one. Of a rebate: the least
    /// bond, in the native token, that the registry has when the lease opens.
    pub from: Uint128,
    /// Basis points. Of a tier: its share, [`TIER_BPS`]. Of a rebate: what it takes off every share; none falls below
    /// zero.
    pub bps: u16,
}

impl DenomFees {
    /// # Errors
    /// When a share exceeds the whole, steps do not ascend, the least deposit does not pay for a session, or the
    /// denom is not one.
    pub fn validate(&self) -> Result<(), ValidationError> {
        let off = self
            .bond_rebates
            .iter()
            .map(|r| ("bond_rebates.bps", r.bps));
        let shares = [
            ("take_bps", self.take_bps),
            ("reservation_bps", self.reservation_bps),
        ];
        for (field, bps) in shares.into_iter().chain(off) {
            if bps > BPS {
                return Err(ValidationError::range(field, format!("0 to {BPS}"), bps));
            }
        }
        if let Some(t) = self.tiers.iter().find(|t| !TIER_BPS.contains(&t.bps)) {
            let expected = format!("{} to {}", TIER_BPS.start(), TIER_BPS.end());
            return Err(ValidationError::range("tiers.bps", expected, t.bps));
        }
        ascending("tiers", self.tiers.iter().map(|t| t.from))?;
        ascending("bond_rebates", self.bond_rebates.iter().map(|r| r.from))?;
        let reserved = share(self.min_deposit, self.reservation_bps);
        let left = self.min_deposit.saturating_sub(reserved);
        if self.session_fee > left {
            let expected = format!("at most {left}, what the least deposit leaves");
            return Err(ValidationError::range(
                "session_fee",
                expected,
                self.session_fee,
            ));
        }
        validate_denom("denom", &self.denom)
    }

    /// The shares that a provider with `bonded` micro-units of stake pays: of everything, and above each tier.
    pub fn for_bond(&self, bonded: Uint128) -> (u16, Vec<Step>) {
        let reached = self.bond_rebates.iter().rev().find(|r| r.from <= bonded);
        let off = reached.map_or(0, |r| r.bps);
        let mut tiers = self.tiers.clone();
        for tier in &mut tiers {
            tier.bps = tier.bps.saturating_sub(off);
        }
        (self.take_bps.saturating_sub(off), tiers)
    }
}

fn ascending(
    field: &'static str,
    steps: impl ExactSizeIterator<Item = Uint128>,
) -> Result<(), ValidationError> {
    let count = steps.len();
    if count > MAX_STEPS {
        let expected = format!("at most {MAX_STEPS} steps");
        return Err(ValidationError::range(field, expected, count));
    }
    let mut last = Uint128::zero();
    for step in steps {
        if step <= last {
            return Err(ValidationError::range(
                field,
                format!("a step above {last}"),
                step,
            ));
        }
        last = step;
    }
    Ok(())
}

/// # Errors
/// When `denom` is not one that the bank module takes: `[a-zA-Z][a-zA-Z0-9/:._-]{2,127}`.
pub fn validate_denom(field: &'static str, denom: &str) -> Result<(), ValidationError> {
    let ok = (3..=128).contains(&denom.len())
        && denom.starts_with(|c: char| c.is_ascii_alphabetic())
        && denom
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/:._-".contains(&b));
    if ok {
        Ok(())
    } else {
        Err(ValidationError::malformed(field, "a bank denom", denom))
    }
}

/// `amount x bps / 10^4`, rounded down. Never overflows for `bps <= 10^4`.
pub fn share(amount: Uint128, bps: u16) -> Uint128 {
    share_with_rest(amount, bps, 0).0
}

/// The share of an amount that comes in parts: `(amount x bps + rest) / 10^4` rounded down, and the rest, in 10^-4
/// micro-units, to be given with the next part. The shares of the parts add up to the share of their sum.
pub fn share_with_rest(amount: Uint128, bps: u16, rest: u16) -> (Uint128, u16) {
    let whole = Uint256::from(BPS);
    let v = Uint256::from(amount) * Uint256::from(bps.min(BPS)) + Uint256::from(rest.min(BPS - 1));
    let rest = Uint128::try_from(v % whole).map_or(0, |r| r.u128() as u16);
    (Uint128::try_from(v / whole).unwrap_or(Uint128::MAX), rest)
}

/// The take fee of a lease that has earned `total` since its opening: `bps` up to the first tier, each tier's share
/// from there on, the sum rounded down. `tiers` ascend.
pub fn take(total: Uint128, bps: u16, tiers: &[Step]) -> Uint128 {
    let (mut from, mut bps) = (Uint128::zero(), bps);
    let mut sum = Uint256::zero();
    for tier in tiers.iter().take_while(|t| t.from < total) {
        sum += Uint256::from(tier.from.saturating_sub(from)) * Uint256::from(bps.min(BPS));
        (from, bps) = (tier.from, tier.bps);
    }
    sum += Uint256::from(total.saturating_sub(from)) * Uint256::from(bps.min(BPS));
    Uint128::try_from(sum / Uint256::from(BPS)).unwrap_or(Uint128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn steps(of: &[(u128, u16)]) -> Vec<Step> {
        let step = |&(from, bps): &(u128, u16)| Step {
            from: Uint128::new(from),
            bps,
        };
        of.iter().map(step).collect()
    }

    fn schedule(tiers: &[(u128, u16)], rebates: &[(u128, u16)]) -> DenomFees {
        DenomFees {
            denom: "uusdc".into(),
            take_bps: 2_000,
            reservation_bps: 25,
            min_deposit: Uint128::new(1_000),
            bid_deposit: Uint128::new(500),
            tiers: steps(tiers),
            session_fee: Uint128::zero(),
            bond_rebates: steps(rebates),
        }
    }

    fn tiers() -> impl Strategy<Value = Vec<Step>> {
        prop::collection::btree_map(1u128..1 << 100, 0u16..=BPS, 0..MAX_STEPS)
            .prop_map(|m| steps(&m.into_iter().collect::<Vec<_>>()))
    }

    proptest! {
        /// So that what is booked, a difference of two totals, is never negative for either side.
        #[test]
        fn fee_and_pay_both_only_grow_with_the_total(a in 0u128..1 << 101, more in 0u128..1 << 101, bps in 0u16..=BPS, tiers in tiers()) {
            let at = |total: u128| take(Uint128::new(total), bps, &tiers).u128();
            let (fee, later) = (at(a), at(a + more));
            prop_assert!(fee <= later && fee <= a && later - fee <= more);
        }

        #[test]
        fn without_tiers_the_take_is_a_share(a in any::<u128>(), bps in 0u16..=BPS) {
            prop_assert_eq!(take(Uint128::new(a), bps, &[]), share(Uint128::new(a), bps));
        }

        #[test]
        fn shares_of_parts_add_up_to_the_share_of_the_sum(parts in prop::collection::vec(0u128..1 << 90, 0..20), bps in 0u16..=BPS) {
            let (mut fees, mut rest) = (0, 0);
            for part in &parts {
                let (fee, left) = share_with_rest(Uint128::new(*part), bps, rest);
                prop_assert!(fee.u128() <= *part && left < BPS);
                fees += fee.u128();
                rest = left;
            }
            prop_assert_eq!(fees, share(Uint128::new(parts.iter().sum()), bps).u128());
        }
        #[test]
        fn a_share_is_never_more_than_the_whole(a in any::<u128>(), bps in 0u16..=BPS) {
            prop_assert!(share(Uint128::new(a), bps) <= Uint128::new(a));
        }
    }

    #[test]
    fn twenty_percent() {
        assert_eq!(share(Uint128::new(1_000_001), 2_000), Uint128::new(200_000));
        assert_eq!(share(Uint128::MAX, BPS), Uint128::MAX);
    }

    #[test]
    fn a_tier_changes_only_what_lies_above_it() {
        let (bps, tiers) = schedule(&[(1_000, 500), (2_000, 50)], &[]).for_bond(Uint128::MAX);
        let fee = |total: u128| take(Uint128::new(total), bps, &tiers).u128();
        assert_eq!(
            [fee(0), fee(1_000), fee(2_000), fee(12_000)],
            [0, 200, 250, 300]
        );
        // 200 + 0.05 and 250 + 0.005: rounded down.
        assert_eq!([fee(1_001), fee(2_001), fee(1_020)], [200, 250, 201]);
    }

    #[test]
    fn the_highest_rebate_that_the_bond_reaches_counts() {
        let s = schedule(&[(1_000, 300)], &[(10, 100), (20, 400)]);
        for (bonded, base, tier) in [
            (0, 2_000, 300),
            (9, 2_000, 300),
            (10, 1_900, 200),
            (19, 1_900, 200),
            (20, 1_600, 0),
        ] {
            let (bps, tiers) = s.for_bond(Uint128::new(bonded));
            assert_eq!((bps, tiers[0].bps), (base, tier), "bond of {bonded}");
        }
    }

    #[test]
    fn a_schedule_is_in_range() {
        assert!(
            schedule(&[(1, 50), (2, 500)], &[(1, 0), (2, BPS)])
                .validate()
                .is_ok()
        );
        let steps: Vec<_> = (1..=9).map(|i| (i, 50)).collect();
        for (bad, text) in [
            (
                schedule(&[(1, 49)], &[]),
                "tiers.bps: expected 50 to 500, got 49",
            ),
            (
                schedule(&[(1, 501)], &[]),
                "tiers.bps: expected 50 to 500, got 501",
            ),
            (
                schedule(&[(0, 50)], &[]),
                "tiers: expected a step above 0, got 0",
            ),
            (
                schedule(&[(2, 50), (2, 60)], &[]),
                "tiers: expected a step above 2, got 2",
            ),
            (
                schedule(&steps, &[]),
                "tiers: expected at most 8 steps, got 9",
            ),
            (
                schedule(&[], &[(2, 1), (1, 2)]),
                "bond_rebates: expected a step above 2, got 1",
            ),
            (
                schedule(&[], &[(2, BPS + 1)]),
                "bond_rebates.bps: expected 0 to 10000, got 10001",
            ),
            (
                DenomFees {
                    session_fee: Uint128::new(999),
                    ..schedule(&[], &[])
                },
                "session_fee: expected at most 998",
            ),
        ] {
            let error = bad.validate().unwrap_err().to_string();
            assert!(error.starts_with(text), "{error}");
        }
        assert!(
            DenomFees {
                session_fee: Uint128::new(998),
                ..schedule(&[], &[])
            }
            .validate()
            .is_ok()
        );
    }

    #[test]
    fn a_schedule_without_the_optional_fees_still_reads() {
        let text = r#"{"denom":"uusdc","take_bps":2000,"reservation_bps":25,"min_deposit":"1000","bid_deposit":"500"}"#;
        assert_eq!(
            serde_json::from_str::<DenomFees>(text).unwrap(),
            schedule(&[], &[])
        );
    }
}
