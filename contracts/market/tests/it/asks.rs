//! `PlaceAsk`, `WithdrawAsk`, and orders that cross at once.

use cosmwasm_std::{Addr, Uint128, coin};
use ember_testing::{
    Suite,
    suite::{NATIVE, USDC, any_gpu, device, refused},
};
use ember_types::{
    assurance::Assurance,
    ids::AskId,
    lease::{BidState, OrderState},
    market::{AsksResponse, BidsResponse, ExecuteMsg, QueryMsg},
    money::Rate,
    pricing::{PricingMode, market::Market},
    registry,
    resources::VulkanProfile,
};

fn asks(suite: &Suite, provider: Option<&Addr>) -> Vec<(u64, u32)> {
    let answer: AsksResponse = suite
        .ask_market(&QueryMsg::Asks {
            provider: provider.map(ToString::to_string),
            start_after: None,
            limit: None,
            model: None,
            for_sale: None,
            descending: None,
        })
        .unwrap();
    answer.asks.into_iter().map(|a| (a.id.0, a.units)).collect()
}

#[test]
fn an_order_crosses_the_best_ask_then_the_oldest() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let (a, b, c) = (
        suite.provider("a", 1),
        suite.provider("b", 1),
        suite.provider("c", 1),
    );
    suite.ask(&a, 1, USDC, 9_000_000).unwrap();
    suite.ask(&b, 1, USDC, 5_000_000).unwrap();
    suite.ask(&c, 1, USDC, 5_000_000).unwrap();
    for expected in [&b, &c, &a] {
        let answer = suite.buy(&tenant, 1, 50_000, USDC).unwrap();
        let lease = suite.lease(answer.lease_id.unwrap());
        assert_eq!(&lease.provider, expected);
        let o = suite.order(answer.order_id).unwrap();
        assert_eq!(o.state, OrderState::Leased);
        // The crossed ask became a bid that won.
        let bids: BidsResponse = suite
            .ask_market(&QueryMsg::Bids {
                order_id: Some(o.id),
                start_after: None,
                limit: None,
                provider: None,
                state: None,
                descending: None,
            })
            .unwrap();
        assert_eq!(bids.bids.len(), 1);
        assert_eq!(bids.bids[0].state, BidState::Won);
        assert_eq!(bids.bids[0].rate, lease.rate);
    }
    let before = suite.balance(&tenant, USDC);
    refused(
        suite.buy(&tenant, 1, 50_000, USDC),
        "no standing ask in uusdc admits the order at or below 10000000: looked at 0",
    );
    assert_eq!(suite.balance(&tenant, USDC), before);
    suite.check_books().unwrap();
}

#[test]
fn what_is_too_dear_too_small_of_another_denom_or_kind_is_not_crossed() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let provider = suite.provider("p", 2);
    suite.ask(&provider, 2, USDC, 10_000_001).unwrap();
    suite.ask(&provider, 1, NATIVE, 1).unwrap();
    refused(
        suite.buy(&tenant, 1, 50_000, USDC),
        "no standing ask in uusdc",
    );
    refused(
        suite.buy(&tenant, 2, 50_000, NATIVE),
        "no standing ask in uember admits the order at or below 10000000: looked at 1",
    );
    let mut spec = any_gpu(1);
    spec.gpu.profile = VulkanProfile::NvHopper1;
    let mode = || PricingMode::Market(Market::default());
    let funds = [coin(1_000, NATIVE)];
    refused(
        suite.create_order(&tenant, spec, mode(), (100, NATIVE), 60, &funds),
        "looked at 1",
    );
    let mut spec = any_gpu(1);
    spec.gpu.region = Some("us".into());
    refused(
        suite.create_order(&tenant, spec.clone(), mode(), (100, NATIVE), 60, &funds),
        "looked at 1",
    );
    spec.gpu.region = Some("eu".into());
    suite
        .create_order(&tenant, spec, mode(), (100, NATIVE), 60, &funds)
        .unwrap();
}

#[test]
fn asks_of_a_provider_that_left_are_passed_over() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let (a, b) = (suite.provider("a", 1), suite.provider("b", 1));
    let dead = suite.ask(&a, 1, USDC, 1).unwrap();
    suite.ask(&b, 1, USDC, 2).unwrap();
    let withdraw = ExecuteMsg::WithdrawAsk { ask_id: dead };
    refused(
        suite.market(&tenant, &withdraw, &[]),
        "only they may withdraw it",
    );
    let leave = registry::ExecuteMsg::UnregisterProvider {};
    suite.registry(&a, &leave, &[]).unwrap();
    let answer = suite.buy(&tenant, 1, 50_000, USDC).unwrap();
    assert_eq!(suite.lease(answer.lease_id.unwrap()).provider, b);
    // Anyone may sweep a dead ask.
    suite.market(&tenant, &withdraw, &[]).unwrap();
    assert_eq!(asks(&suite, Some(&a)), []);
}

#[test]
fn units_leave_with_a_lease_and_come_back_with_its_end() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let provider = suite.provider("p", 3);
    let ask_id = suite.ask(&provider, 3, USDC, 1_000_000).unwrap();
    let two = suite.buy(&tenant, 2, 50_000, USDC).unwrap();
    assert_eq!(asks(&suite, None), [(ask_id.0, 1)]);
    refused(suite.buy(&tenant, 2, 50_000, USDC), "no standing ask");
    let one = suite.buy(&tenant, 1, 50_000, USDC).unwrap();
    assert_eq!(asks(&suite, Some(&provider)), [(ask_id.0, 0)]);
    refused(suite.buy(&tenant, 1, 50_000, USDC), "no standing ask");

    let close = |lease_id| ExecuteMsg::CloseLease { lease_id };
    suite
        .market(&tenant, &close(two.lease_id.unwrap()), &[])
        .unwrap();
    assert_eq!(asks(&suite, None), [(ask_id.0, 2)]);
    let again = suite.buy(&tenant, 2, 50_000, USDC).unwrap();
    // By the hook, too.
    suite.wait(3_600);
    assert_eq!(asks(&suite, None), [(ask_id.0, 3)]);
    for order in [one, again] {
        assert_eq!(
            suite.order(order.order_id).unwrap().state,
            OrderState::Closed
        );
    }
    suite.check_books().unwrap();
}

#[test]
fn a_withdrawn_ask_takes_no_units_back() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let provider = suite.provider("p", 1);
    let ask_id = suite.ask(&provider, 1, USDC, 1_000_000).unwrap();
    let lease_id = suite
        .buy(&tenant, 1, 50_000, USDC)
        .unwrap()
        .lease_id
        .unwrap();
    let withdraw = ExecuteMsg::WithdrawAsk { ask_id };
    suite.market(&provider, &withdraw, &[]).unwrap();
    suite
        .market(&provider, &ExecuteMsg::CloseLease { lease_id }, &[])
        .unwrap();
    assert_eq!(asks(&suite, None), []);
    refused(
        suite.market(&provider, &withdraw, &[]),
        "no ask 1: never posted, or withdrawn",
    );
}

#[test]
fn an_ask_needs_a_provider_with_that_many_devices_alike() {
    let mut suite = Suite::new();
    let (stranger, provider) = (suite.rich("stranger", 1_000), suite.provider("p", 2));
    refused(
        suite.ask(&stranger, 1, USDC, 1),
        "not a registered provider",
    );
    refused(
        suite.ask(&provider, 0, USDC, 1),
        "units: expected 1 to 1024, got 0",
    );
    refused(
        suite.ask(&provider, 3, USDC, 1),
        "3 matching devices are needed, it has 2",
    );
    refused(suite.ask(&provider, 1, "uother", 1), "unknown denom uother");
    let ask = |device: &str| ExecuteMsg::PlaceAsk {
        device: device.into(),
        units: 1,
        denom: USDC.into(),
        rate: Rate::new(1),
        assurance: Assurance::None,
    };
    refused(
        suite.market(&provider, &ask("gpu-9"), &[]),
        "it has no device \"gpu-9\"",
    );
    refused(
        suite.market(&provider, &ask("gpu-1"), &[coin(1, USDC)]),
        "expected no funds",
    );
    suite.market(&provider, &ask("gpu-1"), &[]).unwrap();
    let unbond = registry::ExecuteMsg::Unbond {
        amount: Uint128::new(2_000_001),
    };
    suite.registry(&provider, &unbond, &[]).unwrap();
    refused(
        suite.ask(&provider, 1, USDC, 1),
        "below the registry's least bond",
    );
}

#[test]
fn an_ask_whose_device_is_gone_is_passed_over() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let provider = suite.provider("p", 1);
    let ask_id: AskId = suite.ask(&provider, 1, USDC, 1).unwrap();
    let update = |id: &str| registry::ExecuteMsg::UpdateProvider {
        host_uri: None,
        devices: Some(vec![device(id)]),
        attributes: None,
        assurances: None,
    };
    suite.registry(&provider, &update("other"), &[]).unwrap();
    refused(suite.buy(&tenant, 1, 50_000, USDC), "looked at 1");
    suite.registry(&provider, &update("gpu-0"), &[]).unwrap();
    suite.buy(&tenant, 1, 50_000, USDC).unwrap();
    assert_eq!(asks(&suite, None), [(ask_id.0, 0)]);
}
