//! Amounts at the ends of their ranges are refused or add up; they never panic.

use cosmwasm_std::coin;
use ember_testing::{
    Settings, Suite,
    suite::{NATIVE, USDC, any_gpu, refused},
};
use ember_types::{
    lease::LeaseState,
    market::ExecuteMsg,
    pricing::{PricingMode, market::Market, reverse_auction::ReverseAuction},
};

const EDGES: [u128; 6] = [0, 1, 999_999, 1_000_000, u128::MAX - 1, u128::MAX];

fn free_settings() -> Settings {
    let mut settings = Settings::default();
    for f in &mut settings.fees {
        f.min_deposit = 0u128.into();
        f.bid_deposit = 0u128.into();
    }
    settings
}

#[test]
fn every_pair_of_rate_and_deposit_adds_up() {
    for rate in EDGES {
        for deposit in EDGES.into_iter().filter(|d| *d > 0) {
            let mut suite = Suite::with(&free_settings());
            let (tenant, provider) = (suite.account("tenant"), suite.provider("p", 3));
            let most = u128::MAX - suite.balance(&provider, USDC);
            let deposit = deposit.min(most);
            suite.mint(&tenant, deposit, USDC);
            suite.ask(&provider, 3, USDC, rate).unwrap();
            let mode = PricingMode::Market(Market::default());
            let answer = suite
                .create_order(
                    &tenant,
                    any_gpu(3),
                    mode,
                    (rate, USDC),
                    31_536_000,
                    &[coin(deposit, USDC)],
                )
                .unwrap();
            let lease_id = answer.lease_id.unwrap();
            suite.check_books().unwrap();
            suite.wait(1);
            suite.check_books().unwrap();
            if suite.lease(lease_id).state == LeaseState::Active {
                suite
                    .market(&provider, &ExecuteMsg::Withdraw { lease_id }, &[])
                    .unwrap();
            }
            suite.wait(40_000_000);
            suite.check_books().unwrap();
            assert_eq!(suite.lease(lease_id).state, LeaseState::Closed);
            assert_eq!(
                suite.balance(&suite.market, USDC),
                0,
                "rate {rate}, deposit {deposit}"
            );
        }
    }
}

#[test]
fn a_deposit_whose_total_would_overflow_is_refused() {
    let mut suite = Suite::with(&free_settings());
    let tenant = suite.account("tenant");
    suite.mint(&tenant, u128::MAX, NATIVE);
    let closes_at = suite.now() + 100;
    let mode = PricingMode::ReverseAuction(ReverseAuction { closes_at });
    suite
        .create_order(
            &tenant,
            any_gpu(1),
            mode.clone(),
            (1, NATIVE),
            60,
            &[coin(u128::MAX, NATIVE)],
        )
        .unwrap();
    suite.wait(100);
    assert_eq!(suite.balance(&tenant, NATIVE), u128::MAX);
    // The ledger counts for ever: the same money once more leaves 128 bits.
    let closes_at = suite.now() + 100;
    let mode = PricingMode::ReverseAuction(ReverseAuction { closes_at });
    refused(
        suite.create_order(
            &tenant,
            any_gpu(1),
            mode,
            (1, NATIVE),
            60,
            &[coin(1, NATIVE)],
        ),
        "amount out of range",
    );
    suite.check_books().unwrap();
}

#[test]
fn a_free_lease_runs_to_its_end() {
    let mut suite = Suite::with(&free_settings());
    let (tenant, provider) = (suite.rich("tenant", 10), suite.provider("p", 1));
    let (order_id, lease_id) = suite.lease_of(&tenant, &provider, 1, NATIVE, 0);
    assert_eq!(suite.escrow(order_id).exhausted_at, None);
    suite.wait(3_599);
    assert_eq!(suite.lease(lease_id).state, LeaseState::Active);
    suite.wait(1);
    assert_eq!(suite.lease(lease_id).state, LeaseState::Closed);
    assert_eq!(suite.balance(&tenant, NATIVE), 10);
}
