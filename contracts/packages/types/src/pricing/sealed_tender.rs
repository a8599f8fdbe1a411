//! Sealed bids: providers commit to a hash, then reveal rate and salt; the cheapest revealed bid wins when the reveal
//! window ends. Nobody sees a rate while bids can still come, and who does not reveal forfeits the bid deposit.

use super::{Fill, Offer, Wanted, cheapest, windows::Windows};
use crate::{error::ValidationError, ids::OrderId, money::Rate};
use cosmwasm_schema::cw_serde;
use cosmwasm_std::Addr;
use sha2::{Digest, Sha256};

/// Bytes of a salt, and of a commitment.
pub const SALT_LEN: usize = 32;
/// What every commitment's preimage begins with.
pub const DOMAIN: &[u8] = b"ember/market/sealed_bid/1";

/// What the winner is paid.
#[cw_serde]
#[derive(Copy, Eq)]
pub enum PriceRule {
    /// Its own rate.
    FirstPrice,
    /// The next cheapest rate, or the order's ceiling when nobody else revealed.
    SecondPrice,
}

/// Parameters of a sealed tender.
#[cw_serde]
pub struct SealedTender {
    /// Unix seconds. Before it commitments are taken and may be taken back, and the tenant may close the order.
    pub commit_until: u64,
    /// Unix seconds. Before it commitments are revealed; in the first block at or after it the cheapest wins.
    pub reveal_until: u64,
    /// What the winner is paid.
    pub rule: PriceRule,
}

impl SealedTender {
    pub(super) const fn windows(&self) -> Windows {
        Windows {
            commit_until: self.commit_until,
            reveal_until: self.reveal_until,
        }
    }

    pub(super) fn again(&self, opened: u64, now: u64) -> Self {
        let Windows {
            commit_until,
            reveal_until,
        } = self.windows().again(opened, now);
        Self {
            commit_until,
            reveal_until,
            rule: self.rule,
        }
    }

    pub(super) fn fill(&self, wanted: &Wanted, offers: &[Offer]) -> Fill {
        let mut fill = cheapest(wanted, offers);
        if let (PriceRule::SecondPrice, [won]) = (self.rule, fill.awards.as_mut_slice()) {
            let others: Vec<_> = offers.iter().filter(|o| o.id != won.id).cloned().collect();
            let next = cheapest(wanted, &others).awards;
            won.rate = next.first().map_or(wanted.ceiling, |n| n.rate);
            fill.priced_by = next.first().map(|n| n.id);
        }
        fill
    }
}

/// SHA-256 of [`DOMAIN`], the order id (8 bytes, big endian), the length of the provider's address (4) and the address,
/// the rate (16) and the salt (32). Bound to all of them: a commitment copied by another provider or onto another order
/// reveals nothing there.
pub fn commitment(
    order_id: OrderId,
    provider: &Addr,
    rate: Rate,
    salt: &[u8; SALT_LEN],
) -> [u8; 32] {
    let provider = provider.as_bytes();
    // An address has far fewer than 2^32 bytes.
    let len = u32::try_from(provider.len()).unwrap_or(u32::MAX);
    Sha256::new()
        .chain_update(DOMAIN)
        .chain_update(order_id.0.to_be_bytes())
        .chain_update(len.to_be_bytes())
        .chain_update(provider)
        .chain_update(rate.0.to_be_bytes())
        .chain_update(salt)
        .finalize()
        .into()
}

/// The 32 bytes of a salt or commitment.
///
/// # Errors
/// When it has another length.
pub fn bytes32(field: &'static str, bytes: &[u8]) -> Result<[u8; 32], ValidationError> {
    bytes
        .try_into()
        .map_err(|_| ValidationError::range(field, "32 bytes", format!("{} bytes", bytes.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::BidId,
        pricing::tests::{offer, wanted},
    };
    use proptest::prelude::*;

    fn tender(commit_until: u64, reveal_until: u64, rule: PriceRule) -> SealedTender {
        SealedTender {
            commit_until,
            reveal_until,
            rule,
        }
    }

    #[test]
    fn a_commitment_is_this_hash() {
        // Computed apart, with Python's hashlib, so that the encoding cannot drift.
        let got = commitment(
            OrderId(7),
            &Addr::unchecked("ember1provider"),
            Rate::new(1_234_567),
            &[9; SALT_LEN],
        );
        let hex: String = got.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(
            hex,
            "cbd368195916659c6d01a34fc14d9468cf2c327691e107b1b3b6b5e13a0d0b25"
        );
    }

    #[test]
    fn salts_have_32_bytes() {
        assert!(bytes32("salt", &[1; 32]).is_ok());
        for n in [0, 31, 33] {
            let e = bytes32("salt", &vec![1; n]).unwrap_err();
            assert_eq!(
                e.to_string(),
                format!("salt: expected 32 bytes, got {n} bytes")
            );
        }
    }

    fn offers(rates: &[u128]) -> Vec<Offer> {
        let offer = |(i, rate): (usize, &u128)| offer(i as u64, *rate, 1);
        rates.iter().enumerate().map(offer).collect()
    }

    fn outcome(t: &SealedTender, rates: &[u128], ceiling: u128) -> Option<(BidId, Rate)> {
        let fill = t.fill(&wanted(1, ceiling), &offers(rates));
        fill.awards.first().map(|a| (a.id, a.rate))
    }

    proptest! {
        #[test]
        fn every_part_of_a_commitment_counts(
            order in any::<u64>(), rate in any::<u128>(), salt in any::<[u8; 32]>(), who in "[a-z0-9]{1,20}",
            other_order in any::<u64>(), other_rate in any::<u128>(), other_salt in any::<[u8; 32]>(), other in "[a-z0-9]{1,20}",
        ) {
            let hash = |o, p: &str, r, s: &[u8; 32]| commitment(OrderId(o), &Addr::unchecked(p), Rate::new(r), s);
            let mine = hash(order, &who, rate, &salt);
            prop_assert_eq!(mine == hash(other_order, &who, rate, &salt), order == other_order);
            prop_assert_eq!(mine == hash(order, &other, rate, &salt), who == other);
            prop_assert_eq!(mine == hash(order, &who, other_rate, &salt), rate == other_rate);
            prop_assert_eq!(mine == hash(order, &who, rate, &other_salt), salt == other_salt);
        }

        #[test]
        fn the_winner_is_paid_no_less_than_it_asked_and_no_more_than_the_ceiling(
            rates in prop::collection::vec(0u128..1_000, 1..20), above in 0u128..100, second in any::<bool>(),
        ) {
            let ceiling = rates.iter().max().unwrap() + above;
            let rule = if second { PriceRule::SecondPrice } else { PriceRule::FirstPrice };
            let (id, paid) = outcome(&tender(1, 2, rule), &rates, ceiling).unwrap();
            let won = rates[id.0 as usize];
            prop_assert!(rates.iter().all(|r| *r >= won));
            prop_assert!(paid >= Rate::new(won) && paid <= Rate::new(ceiling));
            if !second {
                prop_assert_eq!(paid, Rate::new(won));
            }
        }

        /// In a second-price tender a bid decides whether it wins, never what it is paid: asking one's cost is best.
        #[test]
        fn no_bidder_gains_by_asking_another_rate_than_its_cost(
            others in prop::collection::vec(0u128..1_000, 0..10), cost in 0u128..1_000, lie in 0u128..1_000,
        ) {
            let gain = |asked: u128| {
                let mut rates = others.clone();
                rates.push(asked);
                let me = BidId(others.len() as u64);
                match outcome(&tender(1, 2, PriceRule::SecondPrice), &rates, 1_000) {
                    Some((id, paid)) if id == me => i128::try_from(paid.0.u128()).unwrap() - cost as i128,
                    _ => 0,
                }
            };
            prop_assert!(gain(cost) >= gain(lie));
            prop_assert!(gain(cost) >= 0);
        }
    }
}
