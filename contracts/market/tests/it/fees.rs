//! `instantiate`, `UpdateFees`, `migrate`.

use cosmwasm_std::{
    Addr, Uint128, coin,
    testing::{message_info, mock_dependencies, mock_env},
};
use ember_market::{ContractError, contract};
use ember_testing::{
    Settings, Suite,
    suite::{NATIVE, USDC, any_gpu, refused},
};
use ember_types::{
    fees::{DenomFees, Step},
    market::{ExecuteMsg, InstantiateMsg, MigrateMsg, QueryMsg},
    pricing::{PricingMode, market::Market, reverse_auction::ReverseAuction},
    registry,
};

fn fee(denom: &str, take_bps: u16, reservation_bps: u16) -> DenomFees {
    DenomFees {
        denom: denom.into(),
        take_bps,
        reservation_bps,
        min_deposit: Uint128::new(10),
        bid_deposit: Uint128::new(20),
        ..DenomFees::default()
    }
}

#[test]
fn only_the_authority_changes_fees() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let fees = vec![fee(USDC, 1, 2)];
    let msg = ExecuteMsg::UpdateFees { fees: fees.clone() };
    refused(suite.market(&tenant, &msg, &[]), "only the authority");
    let authority = suite.authority.clone();
    suite.market(&authority, &msg, &[]).unwrap();
    let config: InstantiateMsg = suite.ask_market(&QueryMsg::Config {}).unwrap();
    assert_eq!(config.fees, fees);
    let closes_at = suite.now() + 1;
    let mode = PricingMode::ReverseAuction(ReverseAuction { closes_at });
    refused(
        suite.create_order(
            &tenant,
            any_gpu(1),
            mode,
            (1, NATIVE),
            60,
            &[coin(100, NATIVE)],
        ),
        "unknown denom uember: expected one of uusdc",
    );
}

#[test]
fn a_running_lease_keeps_the_fees_it_opened_with() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 1_000_000), suite.provider("p", 1));
    let had = suite.balance(&provider, USDC);
    let (order_id, lease_id) = suite.lease_of(&tenant, &provider, 40_000, USDC, 10_000_000);
    let waiting = suite.auction(&tenant, 10_000, USDC);
    let authority = suite.authority.clone();
    // USDC leaves the schedule altogether.
    let fees = vec![fee(NATIVE, 9_999, 9_999)];
    suite
        .market(&authority, &ExecuteMsg::UpdateFees { fees }, &[])
        .unwrap();
    suite.pass(1_000);
    suite
        .market(
            &tenant,
            &ExecuteMsg::Deposit { order_id },
            &[coin(4_000, USDC)],
        )
        .unwrap();
    suite
        .market(&tenant, &ExecuteMsg::CloseLease { lease_id }, &[])
        .unwrap();
    // 10000 earned at 20 %, 44000 deposited at 0.25 %, and the waiting order's 25.
    assert_eq!(suite.balance(&provider, USDC), had + 8_000);
    assert_eq!(suite.balance(&suite.fee_collector, USDC), 2_000 + 110 + 25);
    // The order that waits in a denom that left still ends by itself.
    suite.end_block();
    assert_eq!(suite.escrow(waiting).held, Uint128::zero());
    suite.check_books().unwrap();
}

#[test]
fn an_open_order_takes_the_fees_of_its_leases_opening() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 1_000_000), suite.provider("p", 1));
    let had = suite.balance(&provider, USDC);
    let order_id = suite.auction(&tenant, 40_000, USDC);
    let authority = suite.authority.clone();
    let fees = vec![fee(USDC, 5_000, 0), fee(NATIVE, 0, 0)];
    suite
        .market(&authority, &ExecuteMsg::UpdateFees { fees }, &[])
        .unwrap();
    suite.bid(&provider, order_id, 10_000_000).unwrap();
    suite.wait(100);
    suite.wait(3_600);
    assert_eq!(suite.balance(&provider, USDC), had + 18_000);
    suite.check_books().unwrap();
}

#[test]
fn a_schedule_is_checked() {
    let mut suite = Suite::new();
    let authority = suite.authority.clone();
    for (fees, text) in [
        (vec![], "fees: expected 1 to 32 entries, got 0"),
        (
            vec![fee(USDC, 10_001, 0)],
            "take_bps: expected 0 to 10000, got 10001",
        ),
        (vec![fee(USDC, 0, 10_001)], "reservation_bps"),
        (vec![fee("u", 0, 0)], "denom: expected a bank denom"),
        (
            vec![fee(USDC, 0, 0), fee(USDC, 1, 1)],
            "denom uusdc is given twice",
        ),
        (
            (0..33).map(|i| fee(&format!("denom{i}"), 0, 0)).collect(),
            "got 33",
        ),
    ] {
        refused(
            suite.market(&authority, &ExecuteMsg::UpdateFees { fees }, &[]),
            text,
        );
    }
}

#[test]
fn fees_of_nothing_and_of_all_add_up() {
    for bps in [0, 10_000] {
        let mut settings = Settings::default();
        for f in &mut settings.fees {
            (f.take_bps, f.reservation_bps) = (bps, 0);
        }
        let mut suite = Suite::with(&settings);
        let (tenant, provider) = (suite.rich("tenant", 1_000_000), suite.provider("p", 1));
        let had = suite.balance(&provider, USDC);
        suite.lease_of(&tenant, &provider, 40_000, USDC, 10_000_000);
        suite.wait(3_600);
        let fees = 36_000 * u128::from(bps) / 10_000;
        assert_eq!(suite.balance(&suite.fee_collector, USDC), fees);
        assert_eq!(suite.balance(&provider, USDC), had + 36_000 - fees);
        suite.check_books().unwrap();
    }
}

#[test]
fn a_deposit_that_is_all_fee_leaves_nothing_to_lease_on() {
    let mut settings = Settings::default();
    settings.fees[0].reservation_bps = 10_000;
    let mut suite = Suite::with(&settings);
    let (tenant, provider) = (suite.rich("tenant", 1_000_000), suite.provider("p", 1));
    let (order_id, _) = suite.lease_of(&tenant, &provider, 40_000, USDC, 10_000_000);
    let e = suite.escrow(order_id);
    assert_eq!(e.exhausted_at.unwrap().seconds(), suite.now());
    suite.end_block();
    suite.wait(600);
    assert_eq!(suite.balance(&suite.fee_collector, USDC), 40_000);
    suite.check_books().unwrap();
}

fn step(from: u128, bps: u16) -> Step {
    Step {
        from: Uint128::new(from),
        bps,
    }
}

/// A market whose USDC schedule is changed by `change`, a tenant and a provider.
fn with_fees(change: impl Fn(&mut DenomFees)) -> (Suite, Addr, Addr) {
    let mut settings = Settings::default();
    change(&mut settings.fees[0]);
    let mut suite = Suite::with(&settings);
    let tenant = suite.rich("tenant", 1_000_000);
    let provider = suite.provider("p", 1);
    (suite, tenant, provider)
}

#[test]
fn tiers_take_less_of_what_lies_above_them() {
    let (mut suite, tenant, provider) = with_fees(|f| {
        f.tiers = vec![step(10_000, 500), step(20_000, 50)];
    });
    let had = suite.balance(&provider, USDC);
    let (_, lease_id) = suite.lease_of(&tenant, &provider, 40_100, USDC, 10_000_000);
    let reserved = 100;
    // Whoever settles in between, the totals decide.
    for _ in 0..7 {
        suite.pass(300);
        suite
            .market(&tenant, &ExecuteMsg::Settle { lease_id }, &[])
            .unwrap();
    }
    suite.wait(3_600);
    let fee = 2_000 + 500 + 16_000 * 50 / 10_000;
    assert_eq!(suite.balance(&suite.fee_collector, USDC), reserved + fee);
    assert_eq!(suite.balance(&provider, USDC), had + 36_000 - fee);
    suite.check_books().unwrap();
}

#[test]
fn a_session_fee_leaves_the_escrow_once_when_the_lease_opens() {
    let (mut suite, tenant, provider) = with_fees(|f| f.session_fee = Uint128::new(900));
    let had = suite.balance(&provider, USDC);
    let (order_id, lease_id) = suite.lease_of(&tenant, &provider, 40_000, USDC, 10_000_000);
    assert_eq!(suite.balance(&suite.fee_collector, USDC), 100 + 900);
    assert_eq!(suite.escrow(order_id).held.u128(), 39_000);
    for _ in 0..3 {
        suite.pass(10);
        suite
            .market(&tenant, &ExecuteMsg::Settle { lease_id }, &[])
            .unwrap();
    }
    suite
        .market(&tenant, &ExecuteMsg::CloseLease { lease_id }, &[])
        .unwrap();
    assert_eq!(suite.balance(&suite.fee_collector, USDC), 1_000 + 60);
    assert_eq!(suite.balance(&provider, USDC), had + 240);
    assert_eq!(suite.balance(&tenant, USDC), 1_000_000 - 1_300);
    suite.check_books().unwrap();
}

#[test]
fn a_session_fee_that_grew_takes_no_more_than_the_escrow_has() {
    let (mut suite, tenant, provider) = with_fees(|_| ());
    let order_id = suite.auction(&tenant, 1_000, USDC);
    let mut dear = fee(USDC, 0, 0);
    (dear.min_deposit, dear.session_fee) = (Uint128::new(5_000), Uint128::new(5_000));
    let authority = suite.authority.clone();
    let msg = ExecuteMsg::UpdateFees {
        fees: vec![dear, fee(NATIVE, 0, 0)],
    };
    suite.market(&authority, &msg, &[]).unwrap();
    suite.bid(&provider, order_id, 1_000_000).unwrap();
    suite.wait(100);
    assert_eq!(suite.escrow(order_id).fees.u128(), 1_000);
    assert_eq!(suite.escrow(order_id).held.u128(), 0);
    suite.check_books().unwrap();
    suite.wait(600);
    assert_eq!(suite.balance(&suite.market, USDC), 0);
}

#[test]
fn a_bond_at_the_opening_takes_basis_points_off() {
    let (mut suite, tenant, provider) = with_fees(|f| {
        f.bond_rebates = vec![step(3_000_000, 500), step(4_000_000, 1_000)];
    });
    let had = suite.balance(&provider, USDC);
    let lease = |suite: &mut Suite| {
        let (_, lease_id) = suite.lease_of(&tenant, &provider, 40_000, USDC, 10_000_000);
        lease_id
    };
    let first = lease(&mut suite);
    suite.mint(&provider, 1_000_000, NATIVE);
    let bond = registry::ExecuteMsg::Bond {};
    let funds = [coin(1_000_000, NATIVE)];
    suite.registry(&provider, &bond, &funds).unwrap();
    let second = lease(&mut suite);
    // An ask crossed pays the same.
    suite.ask(&provider, 1, USDC, 10_000_000).unwrap();
    let mode = PricingMode::Market(Market::default());
    let funds = [coin(40_000, USDC)];
    suite
        .create_order(&tenant, any_gpu(1), mode, (10_000_000, USDC), 100, &funds)
        .unwrap();
    suite.wait(100);
    for lease_id in [first, second] {
        suite
            .market(&tenant, &ExecuteMsg::CloseLease { lease_id }, &[])
            .unwrap();
    }
    assert_eq!(suite.balance(&provider, USDC), had + 850 + 900 + 900);
    suite.check_books().unwrap();
}

#[test]
fn many_small_deposits_reserve_what_a_single_one_reserves() {
    let (mut suite, tenant, _) = with_fees(|_| ());
    let order_id = suite.auction(&tenant, 1_000, USDC);
    for _ in 0..400 {
        let msg = ExecuteMsg::Deposit { order_id };
        suite.market(&tenant, &msg, &[coin(1, USDC)]).unwrap();
    }
    // 25 basis points of 1400, rounded down once.
    assert_eq!(suite.balance(&suite.fee_collector, USDC), 3);
    suite.check_books().unwrap();
}

#[test]
fn the_configuration_is_what_was_given_and_in_range() {
    let settings = Settings::default();
    let suite = Suite::with(&settings);
    let config: InstantiateMsg = suite.ask_market(&QueryMsg::Config {}).unwrap();
    assert_eq!(config.registry, suite.registry.to_string());
    assert_eq!(config.fee_collector, suite.fee_collector.to_string());
    assert_eq!(config.fees.len(), 2);
    let mut deps = mock_dependencies();
    let sender = deps.api.addr_make("sender");
    for (grace_secs, max_bids, ok) in [
        (0, 1, true),
        (600, 250, true),
        (600, 0, false),
        (600, 251, false),
        (30 * 86_400 + 1, 1, false),
    ] {
        let msg = InstantiateMsg {
            authority: sender.to_string(),
            registry: sender.to_string(),
            fee_collector: sender.to_string(),
            fees: vec![fee(USDC, 1, 1)],
            grace_secs,
            max_bids_per_order: max_bids,
        };
        let info = message_info(&sender, &[]);
        let result = contract::instantiate(deps.as_mut(), mock_env(), info, msg);
        assert_eq!(result.is_ok(), ok, "{grace_secs} {max_bids}: {result:?}");
    }
}

#[test]
fn migration_checks_name_and_version() {
    let mut deps = mock_dependencies();
    for (name, version, ok) in [
        (contract::NAME, contract::VERSION, true),
        (contract::NAME, "0.0.9", true),
        (contract::NAME, "99.0.0", false),
        ("crate:other", contract::VERSION, false),
    ] {
        cw2::set_contract_version(deps.as_mut().storage, name, version).unwrap();
        let result = contract::migrate(deps.as_mut(), mock_env(), MigrateMsg {});
        assert_eq!(result.is_ok(), ok, "{name} {version}: {result:?}");
        if let Err(e) = result {
            assert!(matches!(
                e,
                ContractError::WrongContract { .. } | ContractError::WrongVersion { .. }
            ));
        }
    }
}
