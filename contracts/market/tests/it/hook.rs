//! The end-block hook does a bounded number of due items a block, by time and id.

use cosmwasm_std::coin;
use ember_testing::{
    Suite,
    suite::{NATIVE, any_gpu},
};
use ember_types::{
    lease::OrderState,
    pricing::{PricingMode, reverse_auction::ReverseAuction},
};

fn open(suite: &Suite) -> Vec<u64> {
    suite
        .orders()
        .unwrap()
        .into_iter()
        .filter(|o| o.state == OrderState::Open)
        .map(|o| o.id.0)
        .collect()
}

#[test]
fn the_rest_waits_for_the_next_block() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let now = suite.now();
    // Later orders close earlier, in pairs.
    for i in 0..250u64 {
        let closes_at = now + 1_000 - i / 2;
        let mode = PricingMode::ReverseAuction(ReverseAuction { closes_at });
        let funds = [coin(1_000, NATIVE)];
        suite
            .create_order(&tenant, any_gpu(1), mode, (100, NATIVE), 60, &funds)
            .unwrap();
    }
    suite.wait(874);
    assert_eq!(open(&suite).len(), 250);
    suite.wait(1_000);
    assert_eq!(open(&suite), (1..=150).collect::<Vec<_>>());
    suite.check_books().unwrap();
    suite.end_block();
    assert_eq!(open(&suite), (1..=50).collect::<Vec<_>>());
    suite.end_block();
    assert_eq!(open(&suite), Vec::<u64>::new());
    assert_eq!(suite.balance(&tenant, NATIVE), 1_000_000);
    suite.check_books().unwrap();
}

#[test]
fn among_equal_times_the_smaller_id_goes_first() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    for _ in 0..101 {
        suite.auction(&tenant, 1_000, NATIVE);
    }
    suite.wait(100);
    assert_eq!(open(&suite), [101]);
}

#[test]
fn a_block_with_nothing_due_does_nothing() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    suite.auction(&tenant, 1_000, NATIVE);
    let answer = suite.wait(99);
    assert!(
        answer.events.iter().all(|e| !e.ty.starts_with("wasm-")),
        "{answer:?}"
    );
}
