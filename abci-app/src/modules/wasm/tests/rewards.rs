//! A contract that has delegated: it asks what it earned, withdraws, and gives to the community. Over the chain's own
//! bank and distribution; the delegation is written by hand.

use super::*;
use crate::{
    app::chain::Below,
    codec::{address, dec_coins::DecCoins},
    modules::{
        auth, bank,
        distribution::{allocation, genesis, hooks, store},
        stakes,
    },
};
use cosmos_sdk_proto::cosmos::staking::v1beta1 as staking;

const OPERATOR: [u8; 20] = [9; 20];

fn valoper() -> String {
    address::encode("embervaloper", &OPERATOR).unwrap()
}

fn at(node: &mut Node, height: u64) {
    node.ctx.block = Arc::new(BlockInfo {
        height,
        ..(*node.ctx.block).clone()
    });
}

/// One validator, all of whose 100 tokens the contract has delegated; 10 were earned, and it holds 5.
fn world() -> (Node, String) {
    let mut node = Node::new();
    node.module = WasmModule::open(&node.dir.path().join("below"), Arc::new(Below)).unwrap();
    at(&mut node, 3);
    let state = json!({
        "auth": { "accounts": [] },
        "bank": { "balances": [{ "address": human(&ALICE), "coins": [{ "denom": "uember", "amount": "1000" }] }] },
        "distribution": { "params": { "community_tax": "0.02", "base_proposer_reward": "0.0", "bonus_proposer_reward": "0.0", "withdraw_addr_enabled": true } },
    });
    auth::genesis::import(&node.ctx, &state).unwrap();
    bank::genesis::import(&node.ctx, &state).unwrap();
    genesis::import(&node.ctx, &state).unwrap();
    node.store(echo_wasm());
    let contract = node.echo(&nothing());
    let delegator = auth::keeper::addr(&node.ctx, &contract).unwrap();

    let validator = staking::Validator {
        operator_address: valoper(),
        tokens: "100".into(),
        delegator_shares: "100000000000000000000".into(),
        ..staking::Validator::default()
    };
    let delegation = staking::Delegation {
        delegator_address: contract.clone(),
        validator_address: valoper(),
        shares: "100000000000000000000".into(),
    };
    let sized = |addr: &[u8]| [&[addr.len().to_le_bytes()[0]], addr].concat();
    let of = |prefix: u8, rest: &[u8]| [&[prefix], rest].concat();
    let pair = [sized(&delegator), sized(&OPERATOR)].concat();
    let params = staking::Params {
        bond_denom: "uember".into(),
        ..staking::Params::default()
    };
    node.ctx.with_layers(|l| {
        l.set(
            StoreKey::Staking,
            &of(0x21, &sized(&OPERATOR)),
            validator.encode_to_vec(),
        );
        l.set(
            StoreKey::Staking,
            &of(0x31, &pair),
            delegation.encode_to_vec(),
        );
        l.set(StoreKey::Staking, &[0x51], params.encode_to_vec());
    });
    hooks::after_validator_created(&node.ctx, &OPERATOR).unwrap();
    hooks::before_delegation_created(&node.ctx, &OPERATOR).unwrap();
    hooks::after_delegation_modified(&node.ctx, &delegator, &OPERATOR).unwrap();
    at(&mut node, 7);
    let ten = [("uember".to_owned(), 10)];
    bank::keeper::send(&node.ctx, &ALICE, &store::account(), &ten).unwrap();
    let val = stakes::validator(&node.ctx, &OPERATOR).unwrap();
    allocation::to_validator(&node.ctx, &val, &DecCoins::from_coins(&ten)).unwrap();
    bank::keeper::send(&node.ctx, &ALICE, &delegator, &[("uember".into(), 5)]).unwrap();
    (node, contract)
}

#[test]
fn a_contract_asks_withdraws_and_gives() {
    let (node, contract) = world();
    let ask = |what: &str, fields: Value| {
        node.smart(&contract, &json!({ "distribution": { what: fields } }))
            .unwrap()
    };
    let own = json!({ "delegator_address": contract });
    let ten = json!([{ "amount": "10.000000000000000000", "denom": "uember" }]);
    assert_eq!(
        ask(
            "delegation_rewards",
            json!({ "delegator_address": contract, "validator_address": valoper() })
        ),
        json!({ "rewards": ten })
    );
    assert_eq!(
        ask("delegation_total_rewards", own.clone()),
        json!({ "rewards": [{ "reward": ten, "validator_address": valoper() }], "total": ten })
    );
    assert_eq!(
        ask("delegator_validators", own.clone()),
        json!({ "validators": [valoper()] })
    );

    let say = |msg: Value| {
        node.execute(
            &contract,
            &submessage(json!({ "distribution": msg }), "never", None),
        )
    };
    say(json!({ "set_withdraw_address": { "address": human(&BOB) } })).unwrap();
    assert_eq!(
        ask("delegator_withdraw_address", own),
        json!({ "withdraw_address": human(&BOB) })
    );
    say(json!({ "withdraw_delegator_reward": { "validator": valoper() } })).unwrap();
    say(json!({ "fund_community_pool": { "amount": [{ "denom": "uember", "amount": "4" }] } }))
        .unwrap();
    let balance = |addr: &[u8]| bank::keeper::balance(&node.ctx, addr, "uember").unwrap();
    let delegator = auth::keeper::addr(&node.ctx, &contract).unwrap();
    assert_eq!(
        (
            balance(&BOB),
            balance(&delegator),
            balance(&store::account())
        ),
        (10, 1, 4)
    );
    assert_eq!(
        store::community_pool(&node.ctx).unwrap(),
        DecCoins::from_coins(&[("uember".into(), 4)])
    );
    let e =
        say(json!({ "fund_community_pool": { "amount": [{ "denom": "uember", "amount": "2" }] } }))
            .unwrap_err();
    assert_eq!((e.codespace, e.code), ("sdk", 5), "{}", e.log);
    let e = say(json!({ "withdraw_delegator_reward": { "validator": human(&BOB) } })).unwrap_err();
    assert_eq!((e.codespace, e.code), ("sdk", 7), "{}", e.log);
}
