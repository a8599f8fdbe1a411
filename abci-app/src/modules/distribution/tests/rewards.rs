//! What fees, slashes and withdrawals come to.

use super::*;

/// The SDK's TestAllocateTokensToManyValidators and ...Truncation.
#[test]
fn fees_go_by_votes_less_tax_and_commission() {
    let mut w = world();
    w.create(1, 100, "0.5");
    w.create(2, 100, "0");
    w.next();
    w.collect(&[("uember", 100)]);
    w.begin(&[(1, 100), (2, 100)]);
    let of =
        |f: fn(&Ctx, &[u8]) -> crate::error::Result<DecCoins>, n: u8| f(&w.ctx, &[n; 20]).unwrap();
    let u = |a| coins(&[("uember", a)]);
    assert_eq!(store::community_pool(&w.ctx).unwrap(), u("2"));
    assert_eq!(
        (of(store::outstanding, 1), of(store::outstanding, 2)),
        (u("49"), u("49"))
    );
    assert_eq!(
        (of(store::commission, 1), of(store::commission, 2)),
        (u("24.5"), u("0"))
    );
    assert_eq!(store::current(&w.ctx, &[1; 20]).unwrap().0, u("24.5"));
    assert_eq!(store::current(&w.ctx, &[2; 20]).unwrap().0, u("49"));
    w.check();
    w.create(3, 100, "0.1");
    w.next();
    w.collect(&[("uatom", 7), ("uember", 634_195_840)]);
    w.begin(&[(1, 11), (2, 10), (3, 10)]);
    w.check();
    let fees = bank::keeper::all_balances(&w.ctx, &address::module("fee_collector")).unwrap();
    assert_eq!(fees, []);
    assert_eq!(store::previous_proposer(&w.ctx).unwrap(), [1; 20]);
}

#[test]
fn without_votes_all_is_the_communitys_and_the_first_block_distributes_nothing() {
    let mut w = world();
    w.collect(&[("uember", 5)]);
    w.begin(&[]);
    assert!(store::community_pool(&w.ctx).unwrap().is_empty());
    w.next();
    w.begin(&[]);
    assert_eq!(
        store::community_pool(&w.ctx).unwrap(),
        coins(&[("uember", "5")])
    );
    w.check();
}

/// The SDK's TestCalculateRewardsMultiDelegatorMultWithdraw.
#[test]
fn two_delegators_and_a_commission_withdraw_again_and_again() {
    let mut w = world();
    w.create(1, 100, "0.5");
    w.next();
    w.reward(1, 20);
    assert_eq!(w.references(), 2);
    w.delegate(&BOB, 1, 100).unwrap();
    assert_eq!(w.references(), 3);
    w.next();
    w.reward(1, 20);
    let u = |a: u128| vec![("uember".to_owned(), a)];
    let withdraw = |w: &World, who: &[u8]| keeper::withdraw_rewards(&w.ctx, who, &[1; 20]).unwrap();
    assert_eq!(withdraw(&w, &[1; 20]), u(15));
    assert_eq!(withdraw(&w, &BOB), u(5));
    assert_eq!(w.references(), 3);
    assert_eq!(
        keeper::withdraw_commission(&w.ctx, &[1; 20]).unwrap(),
        u(20)
    );
    assert!(w.earned(&[1; 20], 1).is_empty() && w.earned(&BOB, 1).is_empty());
    let e = keeper::withdraw_commission(&w.ctx, &[1; 20]).unwrap_err();
    assert_eq!(
        (e.codespace, e.code, e.log.as_str()),
        ("distribution", 7, "no validator commission to withdraw")
    );
    w.next();
    w.reward(1, 20);
    assert_eq!(withdraw(&w, &[1; 20]), u(5));
    assert_eq!(w.earned(&BOB, 1), coins(&[("uember", "5")]));
    w.next();
    assert_eq!(withdraw(&w, &[1; 20]), u(0), "the SDK answers with a zero");
    w.check();
    let balance = |a: &[u8]| bank::keeper::balance(&w.ctx, a, "uember").unwrap();
    assert_eq!((balance(&[1; 20]), balance(&BOB)), (40, RICH + 5));
}

/// The SDK's TestCalculateRewardsAfterManySlashes and ...InSameBlock.
#[test]
fn slashes_lower_what_later_rewards_are_for() {
    let ten = 10_000_000;
    let mut w = world();
    w.create(1, 100_000_000, "0.5");
    w.at(5);
    w.slash(1, &d("0.5"));
    w.at(8);
    w.reward(1, ten);
    w.slash(1, &d("0.5"));
    w.at(11);
    w.reward(1, ten);
    assert_eq!(w.earned(&[1; 20], 1), coins(&[("uember", "10000000")]));
    assert_eq!(
        store::commission(&w.ctx, &[1; 20]).unwrap(),
        coins(&[("uember", "10000000")])
    );
    w.check();
    // A delegator who came later has no part of what was before, and a slash of both takes alike.
    w.delegate(&BOB, 1, 25_000_000).unwrap();
    w.at(14);
    w.reward(1, ten);
    w.slash(1, &d("0.1"));
    w.slash(1, &d("0.1"));
    w.at(15);
    w.reward(1, ten);
    // Of what one of 40,500,000 tokens earned, 18 digits are kept.
    let half = coins(&[("uember", "4999999.9999999999975")]);
    assert_eq!(w.earned(&BOB, 1), half);
    w.check();
}

#[test]
fn a_removed_validator_gets_its_commission_and_leaves_nothing() {
    let mut w = world();
    w.create(1, 3, "0.5");
    w.next();
    w.reward(1, 11);
    w.slash(1, &d("0.1"));
    w.next();
    w.undelegate(&[1; 20], 1, 100).unwrap();
    assert!(w.dels.is_empty());
    hooks::after_validator_removed(&w.ctx, &[1; 20]).unwrap();
    w.vals.clear();
    w.check();
    assert_eq!(
        bank::keeper::balance(&w.ctx, &[1; 20], "uember").unwrap(),
        10
    );
    assert_eq!(
        store::community_pool(&w.ctx).unwrap(),
        coins(&[("uember", "1")])
    );
    for prefix in 2..=8 {
        assert_eq!(store::scan(&w.ctx, &[prefix]).unwrap(), [], "{prefix}");
    }
}
