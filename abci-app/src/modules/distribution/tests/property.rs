//! Whatever happens, the books are right.

use super::*;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Op {
    Delegate(usize, u8, u128),
    Undelegate(usize, u8, u32),
    Withdraw(usize, u8),
    Commission(u8),
    Slash(u8, u32),
    Fees(u128, u128),
    Block,
}

fn op() -> impl Strategy<Value = Op> {
    let val = 1u8..=2;
    prop_oneof![
        3 => (0usize..3, val.clone(), 1u128..1_000_000).prop_map(|(a, b, c)| Op::Delegate(a, b, c)),
        2 => (0usize..3, val.clone(), prop_oneof![Just(100u32), 1u32..100]).prop_map(|(a, b, c)| Op::Undelegate(a, b, c)),
        2 => (0usize..3, val.clone()).prop_map(|(a, b)| Op::Withdraw(a, b)),
        1 => val.clone().prop_map(Op::Commission),
        2 => (val, 1u32..=10_000).prop_map(|(a, b)| Op::Slash(a, b)),
        3 => (0u128..1_000_000, 1u128..1_000_000_000).prop_map(|(a, b)| Op::Fees(a, b)),
        4 => Just(Op::Block),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever happens, nothing is lost and nothing is paid that is not there.
    #[test]
    fn the_account_holds_what_the_records_say(ops in prop::collection::vec(op(), 1..60)) {
        let mut w = world();
        w.create(1, 1_000_000, "0.1");
        w.create(2, 77_777, "0.333333333333333333");
        let people = [ALICE, BOB, CAROL];
        for op in ops {
            match op {
                Op::Delegate(who, n, amount) => {
                    let who = people[who];
                    let _ = w.delegate(&who, n, amount);
                }
                Op::Undelegate(who, n, percent) if w.dels.contains_key(&(people[who].to_vec(), n)) => {
                    w.undelegate(&people[who], n, percent).unwrap();
                }
                Op::Withdraw(who, n) if w.dels.contains_key(&(people[who].to_vec(), n)) => {
                    keeper::withdraw_rewards(&w.ctx, &people[who], &[n; 20]).unwrap();
                }
                Op::Commission(n) => drop(keeper::withdraw_commission(&w.ctx, &[n; 20])),
                Op::Slash(n, bp) => w.slash(n, &Dec::with_places(bp, 4)),
                Op::Fees(atom, ember) => w.collect(&[("uatom", atom), ("uember", ember)]),
                Op::Block => {
                    w.next();
                    let power = |n| i64::try_from(w.vals[&n].tokens / 1_000).unwrap();
                    w.begin(&[(1, power(1)), (2, power(2))]);
                }
                _ => {}
            }
            w.check();
        }
    }
}
