//! Fees, inflation and rewards through the application: validators, delegators, several denoms, slashes.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod app_support;
mod stake_support;

use app_support::*;
use cosmos_sdk_proto::cosmos::mint::v1beta1::{QueryInflationRequest, QueryInflationResponse};
use ember_abci_app::app::App;
use ember_abci_app::cli::genesis::contract_address;
use proptest::prelude::*;
use serde_json::json;
use stake_support::*;
use std::collections::BTreeMap;

#[test]
fn fees_of_several_denoms_reach_delegators_through_a_slash() {
    let Some(mut c) = StakeChain::new(|_| {}) else {
        return;
    };
    let [a, b, d] = [2, 3, 4];
    c.block(&[]);
    c.ok(&[
        c.delegate(a, 0, 3_000_000),
        c.delegate(b, 0, 2_000_000),
        c.delegate(b, 1, 1_000_000),
        c.delegate(d, 1, 2_500_000),
    ]);
    // What a contract or anybody sends to the fee collector in one block…
    let fees = coins(&[("uatom", 1_000_000), ("uember", 500_000), ("uusdc", 7)]);
    c.ok(&[c.send(5, &module("fee_collector"), &fees)]);
    assert!(
        !c.rewards(a, 0).contains_key("uatom"),
        "nothing is allocated before the next block"
    );
    // …is the delegators' in the next.
    c.block(&[]);
    let (of_0, total) = c.power(0);
    let share = 1_000_000 * 98 / 100 * of_0 / total;
    let expect = share * 90 / 100 * 3 / 15;
    let got = c.rewards(a, 0);
    let whole =
        |coins: &BTreeMap<String, u128>, denom: &str| coins.get(denom).copied().unwrap_or(0) / ONE;
    let expect = {
        let got = whole(&got, "uatom");
        assert!(got.abs_diff(expect) <= 1, "{got} of {expect}");
        got
    };
    let before = c.balance_of(a, "uatom");
    c.ok(&[c.withdraw(a, 0)]);
    assert_eq!(c.balance_of(a, "uatom") - before, expect);
    assert_eq!(whole(&c.rewards(a, 0), "uatom"), 0);

    // A validator that signed twice loses a part of everybody's stake; what was earned before stays.
    let earned = whole(&c.rewards(b, 0), "uatom");
    c.misbehave(0);
    assert_eq!(whole(&c.rewards(b, 0), "uatom"), earned);
    c.ok(&[c.send(5, &module("fee_collector"), &coins(&[("uatom", 10_000)]))]);
    c.block(&[]);
    let before = c.balance_of(b, "uatom");
    c.ok(&[c.withdraw(b, 0), c.withdraw(b, 1), c.withdraw_commission(1)]);
    assert!(c.balance_of(b, "uatom") > before + earned);
    c.ok(&[c.undelegate(b, 0, 1_000_000), c.undelegate(d, 1, 2_500_000)]);
    for _ in 0..3 {
        c.block(&[]);
    }
}

#[test]
fn inflation_is_earned_by_stakers() {
    let begun = StakeChain::new(|state| {
        state["mint"] = json!({
            "minter": { "inflation": "0.130000000000000000", "annual_provisions": "0.000000000000000000" },
            "params": { "mint_denom": "uember", "inflation_rate_change": "0.130000000000000000", "inflation_max": "0.200000000000000000",
                "inflation_min": "0.070000000000000000", "goal_bonded": "0.670000000000000000", "blocks_per_year": "100" }
        });
    });
    let Some(mut c) = begun else { return };
    c.block(&[]);
    c.block(&[]);
    let q: QueryInflationResponse = query(
        &c.app,
        "/cosmos.mint.v1beta1.Query/Inflation",
        &QueryInflationRequest {},
    )
    .unwrap();
    let inflation: u128 = String::from_utf8(q.inflation).unwrap().parse().unwrap();
    assert!(
        inflation > 130_000_000_000_000_000,
        "little is bonded: {inflation}"
    );
    let before = c.balance_of(0, "uember");
    c.ok(&[c.withdraw(0, 0), c.withdraw_commission(0)]);
    assert!(c.balance_of(0, "uember") > before);
    let exported = c.app.export().unwrap();
    assert_eq!(exported["mint"]["params"]["blocks_per_year"], "100");
}

#[test]
fn what_the_chain_exports_it_takes_again() {
    let Some(mut c) = StakeChain::new(|_| {}) else {
        return;
    };
    c.block(&[]);
    c.ok(&[c.delegate(2, 0, 3_000_000), c.delegate(3, 1, 1)]);
    c.ok(&[c.send(
        5,
        &module("fee_collector"),
        &coins(&[("uatom", 1_000_003), ("uusdc", 7)]),
    )]);
    c.block(&[]);
    c.misbehave(1);
    c.ok(&[c.redirect(2, 5)]);
    let out = c.app.export().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let again = open(dir.path());
    init(&again, &out);
    let other = again.export().unwrap();
    assert_eq!(other["distribution"], out["distribution"]);
    assert!(
        !out["distribution"]["validator_slash_events"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[derive(Debug, Clone)]
enum Op {
    Delegate(usize, usize, u128),
    Undelegate(usize, usize, u128),
    Redelegate(usize, usize, u128),
    Withdraw(usize, usize),
    Commission(usize),
    Fees(u128, u128),
    Fund(usize, u128),
    Misbehave(usize),
    Block,
}

fn op() -> impl Strategy<Value = Op> {
    let (who, val) = (2usize..5, 0usize..2);
    prop_oneof![
        3 => (who.clone(), val.clone(), 1u128..4_000_000).prop_map(|(a, b, c)| Op::Delegate(a, b, c)),
        2 => (who.clone(), val.clone(), 1u128..4_000_000).prop_map(|(a, b, c)| Op::Undelegate(a, b, c)),
        1 => (who.clone(), val.clone(), 1u128..4_000_000).prop_map(|(a, b, c)| Op::Redelegate(a, b, c)),
        2 => (who.clone(), val.clone()).prop_map(|(a, b)| Op::Withdraw(a, b)),
        1 => val.clone().prop_map(Op::Commission),
        3 => (1u128..1_000_000, 1u128..1_000_000).prop_map(|(a, b)| Op::Fees(a, b)),
        1 => (who, 1u128..1_000).prop_map(|(a, b)| Op::Fund(a, b)),
        1 => val.prop_map(Op::Misbehave),
        2 => Just(Op::Block),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// At every height the module's account holds to the micro-unit what the validators' records and the community
    /// pool say: `StakeChain` looks after each block.
    #[test]
    fn nothing_is_lost_and_nothing_made(ops in prop::collection::vec(op(), 1..40)) {
        let Some(mut c) = StakeChain::new(|_| {}) else { return Ok(()) };
        c.block(&[]);
        let mut slashed = [false; 2];
        for op in ops {
            let tx = match op {
                Op::Delegate(a, v, n) => c.delegate(a, v, n),
                Op::Undelegate(a, v, n) => c.undelegate(a, v, n),
                Op::Redelegate(a, v, n) => c.redelegate(a, v, 1 - v, n),
                Op::Withdraw(a, v) => c.withdraw(a, v),
                Op::Commission(v) => c.withdraw_commission(v),
                Op::Fees(x, y) => c.send(5, &module("fee_collector"), &coins(&[("uatom", x), ("uusdc", y)])),
                Op::Fund(a, n) => c.fund(a, &coins(&[("uember", n)])),
                Op::Misbehave(v) if !slashed[1 - v] => {
                    slashed[v] = true;
                    c.misbehave(v);
                    continue;
                }
                _ => {
                    c.block(&[]);
                    continue;
                }
            };
            // Some are refused; what they leave is looked at as well.
            c.block(&[tx]);
        }
    }
}

/// Without validators' records the first votes would stop the chain.
#[test]
fn rewards_need_staking() {
    for name in ["distribution", "mint"] {
        let mut state = app_state(&[&Wallet::new(1)]);
        state[name] = json!({});
        let e = App::validate_genesis(&state).unwrap_err();
        let log =
            format!("genesis: app_state.{name}: expected app_state.staking beside it, got none");
        assert_eq!((e.code, e.log), (18, format!("{log}: invalid request")));
    }
}

#[test]
fn modules_whose_records_would_not_know_of_it_cannot_be_sent_to() {
    let (dir, alice) = (tempfile::tempdir().unwrap(), Wallet::new(1));
    let app = open(dir.path());
    init(&app, &app_state(&[&alice]));
    block(&app, 1, &[]);
    let names = [
        "distribution",
        "mint",
        "bonded_tokens_pool",
        "not_bonded_tokens_pool",
    ];
    for (sequence, name) in (0u64..).zip(names) {
        let to = module(name);
        let tx = Build::new(&alice, &to, sequence).bytes();
        let height = 2 + i64::try_from(sequence).unwrap();
        let result = block(&app, height, &[tx]).remove(0);
        assert_eq!(
            (result.code, result.log),
            (
                4,
                format!(
                    "failed to execute message; message index: 0: {to} is not allowed to receive funds: unauthorized"
                )
            )
        );
        assert_eq!(balance(&app, &to), 0);
    }
}

/// What the market takes of what tenants pay, sent to the fee collector by the contract, is its stakers' by the next
/// block.
#[test]
fn the_markets_fees_reach_stakers() {
    let Some(contracts) = contracts_dir() else {
        eprintln!("SKIP: no contracts: run scripts/build-contracts or set EMBER_CONTRACTS_DIR");
        return;
    };
    let Some(mut c) = StakeChain::new(|state| with_contracts(state, &contracts)) else {
        return;
    };
    c.block(&[]);
    c.ok(&[c.delegate(2, 0, 1_000_000)]);
    let (provider, tenant) = (3, 4);
    let [registry, market] = [1, 2].map(|n| contract_address("test", n, n).unwrap());
    let register = json!({ "register_provider": {
        "host_uri": "https://provider.example:8443",
        "devices": [{ "id": "gpu-0", "model": "nvidia/rtx-4090", "vram_mib": 24_576, "profile": "nv_hopper1",
            "driver": "NVIDIA 550.54.14", "scores": [] }],
        "attributes": [],
    } });
    c.ok(&[c.execute(
        provider,
        &registry,
        &register,
        &coins(&[("uember", 5_000_000)]),
    )]);
    let order = json!({ "create_order": {
        "resources": { "units": 1, "gpu": { "model": "nvidia/rtx-4090", "min_vram_mib": 16_384, "profile": "portable1", "min_bond": "1000000" } },
        "pricing": { "reverse_auction": { "closes_at": c.now() + 1_000 } },
        "ceiling": { "denom": "uusdc", "rate": "20000000000" }, "max_duration_secs": 10_000,
        "terms": { "notice_hours": 1, "relist": false },
    } });
    c.ok(&[c.execute(tenant, &market, &order, &coins(&[("uusdc", 5_000_000)]))]);
    let bid = json!({ "place_bid": { "order_id": 1, "rate": "10000000000" } });
    c.ok(&[c.execute(provider, &market, &bid, &coins(&[("uusdc", BID_DEPOSIT)]))]);
    c.ok(&[c.execute(
        tenant,
        &market,
        &json!({ "accept_bid": { "bid_id": 1 } }),
        &[],
    )]);
    c.block(&[]);
    let before = c.rewards(2, 0).get("uusdc").copied().unwrap_or(0);
    c.wait(100);
    c.ok(&[c.execute(5, &market, &json!({ "settle": { "lease_id": 1 } }), &[])]);
    let collected = collected(&c.app, "uusdc");
    assert!(collected > 0, "the market takes its part");
    c.block(&[]);
    let earned = (c.rewards(2, 0)["uusdc"] - before) / ONE;
    // One of 21 millions that vote, less a tax of 2% and a commission of 10%.
    let expect = collected * 98 / 100 / 21 * 90 / 100;
    assert!(earned.abs_diff(expect) <= 2, "{earned} of {collected}");
    let held = c.balance_of(2, "uusdc");
    c.ok(&[c.withdraw(2, 0)]);
    assert!(c.balance_of(2, "uusdc") - held >= earned);
}
