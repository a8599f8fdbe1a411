//! A posted rate, the order's ceiling: whoever takes it enrols, and one is drawn by lot, each with its bond as its chance.
//!
//! Nobody can choose the lot late. Each enrolment is a commitment that hides a salt, and the seed is made of all salts: whoever
//! commits knows nobody else's, and once commitments are not taken any more the seed is fixed but for those that are never
//! revealed. Not to reveal costs the bid deposit and one's own lot. A lot counts the bond of the moment it was committed, so
//! that bonding or unbonding later moves nothing; many names with one bond each weigh what one name with all of it does.

use super::{Award, Fill, Offer, Wanted, windows::Windows};
use crate::ids::{BidId, OrderId};
use cosmwasm_schema::cw_serde;
use cosmwasm_std::{Uint128, Uint256};
use sha2::{Digest, Sha256};

/// What is drawn with.
pub type Seed = [u8; 32];

/// What every share of a seed is the hash of begins with.
pub const DOMAIN: &[u8] = b"ember/market/draw/1";

/// Parameters of a draw.
#[cw_serde]
pub struct StakeWeighted {
    /// Unix seconds. Before it commitments are taken and may be taken back, and the tenant may close the order.
    pub commit_until: u64,
    /// Unix seconds. Before it commitments are revealed; in the first block at or after it the lot is drawn.
    pub reveal_until: u64,
}

/// A lot that was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// The offers that it was drawn among, by id.
    pub among: Vec<BidId>,
    /// The sum of their weights.
    pub total: Uint128,
    /// Below `total`: the winner is the first offer up to which the weights sum to more.
    pub ticket: Uint128,
}

impl StakeWeighted {
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
        }
    }

    pub(super) fn fill(&self, wanted: &Wanted, offers: &[Offer]) -> Fill {
        let mut able: Vec<_> = offers.iter().filter(|o| o.units >= wanted.units).collect();
        able.sort_by_key(|o| o.id);
        // There is less bonded stake than 128 bits hold.
        let weights = able.iter().map(|o| o.weight);
        let total = weights.fold(Uint128::zero(), Uint128::saturating_add);
        // 256 bits over 128 at most: what the rest favours anybody by is below 2^-128.
        let ticket = Uint256::from_be_bytes(wanted.seed).checked_rem(Uint256::from(total));
        let Some(ticket) = ticket.ok().and_then(|t| Uint128::try_from(t).ok()) else {
            return Fill::default();
        };
        let mut sum = Uint128::zero();
        let won = able.iter().find(|o| {
            sum = sum.saturating_add(o.weight);
            ticket < sum
        });
        let award = won.map(|o| Award {
            id: o.id,
            units: wanted.units,
            rate: wanted.ceiling,
        });
        Fill {
            awards: award.into_iter().collect(),
            priced_by: None,
            draw: Some(Draw {
                among: able.iter().map(|o| o.id).collect(),
                total,
                ticket,
            }),
        }
    }
}

/// A seed with one more revealed salt in it: SHA-256 of [`DOMAIN`], the order id (8 bytes, big endian), the bid id (8) and
/// the salt (32), exclusive-or all others. The order of the reveals does not matter.
pub fn stir(seed: &Seed, order_id: OrderId, bid_id: BidId, salt: &[u8; 32]) -> Seed {
    let share: Seed = Sha256::new()
        .chain_update(DOMAIN)
        .chain_update(order_id.0.to_be_bytes())
        .chain_update(bid_id.0.to_be_bytes())
        .chain_update(salt)
        .finalize()
        .into();
    let mut stirred = *seed;
    for (s, byte) in stirred.iter_mut().zip(share) {
        *s ^= byte;
    }
    stirred
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        money::Rate,
        pricing::tests::{offer, wanted},
    };
    use proptest::prelude::*;

    const MODE: StakeWeighted = StakeWeighted {
        commit_until: 1,
        reveal_until: 2,
    };

    fn offers(weights: &[u128]) -> Vec<Offer> {
        let offer = |(i, weight): (usize, &u128)| Offer {
            weight: Uint128::new(*weight),
            ..offer(i as u64, 5, 1)
        };
        weights.iter().enumerate().map(offer).collect()
    }

    fn drawn(seed: Seed, weights: &[u128]) -> Option<u64> {
        let wanted = Wanted {
            seed,
            ..wanted(1, 9)
        };
        let fill = MODE.fill(&wanted, &offers(weights));
        assert!(
            fill.awards
                .iter()
                .all(|a| a.rate == Rate::new(9) && a.units == 1)
        );
        fill.awards.first().map(|a| a.id.0)
    }

    #[test]
    fn a_share_of_a_seed_is_this_hash() {
        // Computed apart, with Python's hashlib.
        let got = stir(&[0; 32], OrderId(7), BidId(9), &[5; 32]);
        let hex: String = got.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(
            hex,
            "5cda816f2c93be45ffc64fccf62b7a3e34bf7776a1010fa0a3487b52628ade87"
        );
        assert_eq!(stir(&got, OrderId(7), BidId(9), &[5; 32]), [0; 32]);
    }

    #[test]
    fn nobody_is_drawn_without_a_bond() {
        assert_eq!(drawn([7; 32], &[]), None);
        assert_eq!(drawn([7; 32], &[0, 0]), None);
        for seed in 0..=255 {
            assert_eq!(drawn([seed; 32], &[0, 3, 0]), Some(1));
        }
    }

    #[test]
    fn the_chances_are_as_the_bonds() {
        let weights = [1_000_000, 3_000_000, 6_000_000];
        let mut won = [0_u32; 3];
        let mut seed = [0; 32];
        for i in 0..10_000 {
            seed = stir(&seed, OrderId(1), BidId(i), &[1; 32]);
            won[drawn(seed, &weights).unwrap() as usize] += 1;
        }
        // Binomial: five standard deviations are 250 at most. The seeds are fixed, so this never changes.
        for (n, expected) in won.iter().zip([1_000, 3_000, 6_000]) {
            assert!(n.abs_diff(expected) < 250, "{won:?}");
        }
    }

    proptest! {
        #[test]
        fn the_order_of_reveals_does_not_matter(salts in prop::collection::vec(any::<[u8; 32]>(), 1..8), turn in 0usize..8) {
            let stir_all = |ids: &[usize]| ids.iter().fold([0; 32], |seed, i| {
                stir(&seed, OrderId(1), BidId(*i as u64), &salts[*i])
            });
            let ids: Vec<_> = (0..salts.len()).collect();
            let mut turned = ids.clone();
            turned.rotate_left(turn % ids.len());
            prop_assert_eq!(stir_all(&ids), stir_all(&turned));
        }

        /// One bond under many names is one bond: a share of the tickets is what counts.
        #[test]
        fn names_do_not_matter(mine in 1u128..1_000, other in 1u128..1_000, cut in 0u128..1_000, seed in any::<Seed>()) {
            let cut = cut % mine;
            let alone = drawn(seed, &[mine, other]) == Some(0);
            let split = drawn(seed, &[cut, mine - cut, other]) != Some(2);
            prop_assert_eq!(alone, split);
        }

        #[test]
        fn a_draw_can_be_done_again_from_what_it_says(weights in prop::collection::vec(0u128..1 << 100, 1..10), seed in any::<Seed>()) {
            let wanted = Wanted { seed, ..wanted(1, 9) };
            let all = offers(&weights);
            let fill = MODE.fill(&wanted, &all);
            prop_assert_eq!(fill.awards.is_empty(), weights.iter().all(|w| *w == 0));
            let Some(draw) = fill.draw else { return Ok(()) };
            prop_assert_eq!(draw.total.u128(), weights.iter().sum::<u128>());
            let before: u128 = all.iter().take_while(|o| o.id != fill.awards[0].id).map(|o| o.weight.u128()).sum();
            let own = all[fill.awards[0].id.0 as usize].weight.u128();
            prop_assert!((before..before + own).contains(&draw.ticket.u128()));
        }
    }
}
