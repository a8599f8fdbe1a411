//! What anyone may see of the money without moving it: the `Escrow` view and the `Invariants` query.

use cosmwasm_std::{
    Deps, Uint128, coin, from_json,
    testing::{message_info, mock_dependencies, mock_env},
};
use ember_market::contract;
use ember_testing::{
    Settings, Suite,
    suite::{NATIVE, USDC, any_gpu},
};
use ember_types::{
    ids::OrderId,
    market::{Ceiling, ExecuteMsg, InstantiateMsg, InvariantsResponse, QueryMsg, Terms},
    money::Rate,
    pricing::{PricingMode, reverse_auction::ReverseAuction},
};

#[test]
fn every_party_sees_what_is_its_own_without_settling() {
    let mut suite = Suite::new();
    let (tenant, friend) = (suite.rich("tenant", 1_000_000), suite.rich("friend", 1_000));
    let provider = suite.provider("p", 1);
    let (order_id, lease_id) = suite.lease_of(&tenant, &provider, 4_000, NATIVE, 10_000_000);
    let deposit = ExecuteMsg::Deposit { order_id };
    suite
        .market(&friend, &deposit, &[coin(1_000, NATIVE)])
        .unwrap();
    suite.pass(100);
    suite
        .market(&provider, &ExecuteMsg::Withdraw { lease_id }, &[])
        .unwrap();
    suite.pass(320);
    // 4200 earned: 168 fee, 4032 the provider's, of which 960 are paid.
    let e = suite.escrow(order_id);
    let l = &e.leases[0];
    let parts = [l.accrued, l.fee, l.paid, l.payable].map(|v| v.u128());
    assert_eq!(
        (l.lease_id, &l.provider, parts),
        (lease_id, &provider, [4_200, 168, 960, 3_072])
    );
    assert_eq!(
        (e.held.u128(), e.fees.u128(), e.fees_due.u128()),
        (4_000, 40, 128)
    );
    let left: Vec<_> = e
        .deposits
        .iter()
        .map(|d| (&d.depositor, d.left.u128()))
        .collect();
    assert_eq!(left, [(&friend, 800)]);
    // What was seen is what comes.
    suite
        .market(&tenant, &ExecuteMsg::CloseLease { lease_id }, &[])
        .unwrap();
    assert_eq!(suite.balance(&friend, NATIVE), 800);
    let after = suite.escrow(order_id);
    assert_eq!((after.paid.u128(), after.fees.u128()), (4_032, 168));
    assert!(after.deposits.is_empty());
    suite.check_books().unwrap();
}

#[test]
fn anyone_may_check_the_books_page_by_page() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let orders: Vec<_> = (0..5)
        .map(|_| suite.auction(&tenant, 1_000, NATIVE))
        .collect();
    suite.auction(&tenant, 2_000, USDC);
    let ask = |suite: &Suite, start_after, limit| -> InvariantsResponse {
        suite
            .ask_market(&QueryMsg::Invariants { start_after, limit })
            .unwrap()
    };
    let all = ask(&suite, None, None);
    assert!(all.ok && all.broken.is_empty() && all.next.is_none());
    let held: Vec<_> = all
        .denoms
        .iter()
        .map(|d| (d.denom.as_str(), d.held.u128(), d.held_by_orders.u128()))
        .collect();
    assert_eq!(held, [(NATIVE, 5_000, 5_000), (USDC, 1_995, 1_995)]);
    let page = ask(&suite, None, Some(2));
    assert_eq!(
        (page.ok, page.next, page.denoms[0].held_by_orders.u128()),
        (true, Some(orders[1]), 2_000)
    );
    let rest = ask(&suite, page.next, Some(10));
    assert_eq!(
        (rest.ok, rest.next, rest.denoms[0].held_by_orders.u128()),
        (true, None, 3_000)
    );
    // A gift is nobody's, and breaks nothing.
    let market = suite.market.clone();
    suite.mint(&market, 7, NATIVE);
    let gifted = ask(&suite, None, None);
    assert!(gifted.ok);
    assert_eq!(
        gifted.denoms[0].balance - gifted.denoms[0].liabilities,
        Uint128::new(7)
    );
}

#[test]
fn broken_books_are_found() {
    use ember_market::state::{ESCROWS, LEDGERS};
    let mut deps = mock_dependencies();
    let addr = |s: &str| deps.api.addr_make(s);
    let (authority, tenant) = (addr("authority"), addr("tenant"));
    let env = mock_env();
    let start = InstantiateMsg {
        authority: authority.to_string(),
        registry: authority.to_string(),
        fee_collector: authority.to_string(),
        fees: Settings::default().fees,
        grace_secs: 600,
        max_bids_per_order: 5,
    };
    contract::instantiate(
        deps.as_mut(),
        env.clone(),
        message_info(&authority, &[]),
        start,
    )
    .unwrap();
    let create = ExecuteMsg::CreateOrder {
        resources: any_gpu(1),
        pricing: PricingMode::ReverseAuction(ReverseAuction {
            closes_at: env.block.time.seconds() + 100,
        }),
        ceiling: Ceiling {
            denom: NATIVE.into(),
            rate: Rate::new(1),
        },
        max_duration_secs: 60,
        terms: Terms::default(),
    };
    let info = message_info(&tenant, &[coin(1_000, NATIVE)]);
    contract::execute(deps.as_mut(), env.clone(), info, create).unwrap();
    let ask = |deps: Deps| -> InvariantsResponse {
        let msg = QueryMsg::Invariants {
            start_after: None,
            limit: None,
        };
        from_json(contract::query(deps, env.clone(), msg).unwrap()).unwrap()
    };
    // The bank has nothing yet.
    assert!(!ask(deps.as_ref()).ok);
    deps.querier
        .bank
        .update_balance(env.contract.address.clone(), vec![coin(1_000, NATIVE)]);
    assert!(ask(deps.as_ref()).ok);
    let (good, ledger) = (
        ESCROWS.load(&deps.storage, 1).unwrap(),
        LEDGERS.load(&deps.storage, NATIVE).unwrap(),
    );
    let mut bad = good.clone();
    bad.paid = Uint128::one();
    ESCROWS.save(&mut deps.storage, 1, &bad).unwrap();
    let found = ask(deps.as_ref());
    assert_eq!((found.ok, found.broken), (false, vec![OrderId(1)]));
    // Adds up by itself, but not with the ledger.
    (bad.paid, bad.deposited) = (Uint128::zero(), good.deposited - Uint128::one());
    bad.deposits[0].left -= Uint128::one();
    ESCROWS.save(&mut deps.storage, 1, &bad).unwrap();
    let found = ask(deps.as_ref());
    assert_eq!((found.ok, found.broken), (false, vec![]));
    ESCROWS.save(&mut deps.storage, 1, &good).unwrap();
    let mut short = ledger.clone();
    short.bid_deposits = Uint128::one();
    LEDGERS.save(&mut deps.storage, NATIVE, &short).unwrap();
    assert!(!ask(deps.as_ref()).ok);
    LEDGERS.save(&mut deps.storage, NATIVE, &ledger).unwrap();
    assert!(ask(deps.as_ref()).ok);
}
