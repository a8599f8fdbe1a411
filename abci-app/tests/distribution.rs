//! Fees, inflation and rewards through the application.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod app_support;

use app_support::*;
use cosmos_sdk_proto::cosmos::distribution::v1beta1::{
    QueryCommunityPoolRequest, QueryCommunityPoolResponse,
};
use ember_abci_app::codec::address;
use serde_json::{Value, json};

fn module(name: &str) -> String {
    address::encode("test", &address::module(name)).unwrap()
}

fn distribution() -> Value {
    json!({ "params": {
        "community_tax": "0.020000000000000000", "base_proposer_reward": "0.000000000000000000",
        "bonus_proposer_reward": "0.000000000000000000", "withdraw_addr_enabled": true
    } })
}

#[test]
fn what_no_validator_earns_is_the_communitys() {
    let (dir, alice) = (tempfile::tempdir().unwrap(), Wallet::new(1));
    let app = open(dir.path());
    let mut state = app_state(&[&alice]);
    state["distribution"] = distribution();
    init(&app, &state);
    block(&app, 1, &[]);
    let collector = module("fee_collector");
    let tx = Build::new(&alice, &collector, 0);
    assert_eq!(
        block(&app, 2, &[tx.bytes()])[0].code,
        0,
        "contracts pay stakers so"
    );
    assert_eq!(balance(&app, &collector), 5_010);
    let begun = finalize(&app, 3, &[]);
    let mode = begun
        .events
        .iter()
        .flat_map(|e| &e.attributes)
        .find(|a| a.key == "mode");
    assert_eq!(mode.unwrap().value, "BeginBlock");
    tendermint_abci::Application::commit(&app);
    assert_eq!(
        (
            balance(&app, &collector),
            balance(&app, &module("distribution"))
        ),
        (0, 5_010)
    );
    let pool: QueryCommunityPoolResponse = query(
        &app,
        "/cosmos.distribution.v1beta1.Query/CommunityPool",
        &QueryCommunityPoolRequest {},
    )
    .unwrap();
    assert_eq!(pool.pool[0].amount, "5010000000000000000000");
    let exported = app.export().unwrap();
    assert_eq!(
        exported["distribution"]["fee_pool"]["community_pool"][0]["amount"],
        "5010.000000000000000000"
    );
}

#[test]
fn modules_whose_records_would_not_know_of_it_cannot_be_sent_to() {
    let (dir, alice) = (tempfile::tempdir().unwrap(), Wallet::new(1));
    let app = open(dir.path());
    init(&app, &app_state(&[&alice]));
    block(&app, 1, &[]);
    for (i, name) in [
        "distribution",
        "mint",
        "bonded_tokens_pool",
        "not_bonded_tokens_pool",
    ]
    .into_iter()
    .enumerate()
    {
        let to = module(name);
        let sequence = u64::try_from(i).unwrap();
        let tx = Build::new(&alice, &to, sequence).bytes();
        let result = block(&app, 2 + i64::try_from(i).unwrap(), &[tx]).remove(0);
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
