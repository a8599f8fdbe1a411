//! Records as the first version stored them still read, and their money still adds up.

use cosmwasm_std::{
    Addr, BankMsg, CosmosMsg, OwnedDeps, Storage, coin, coins, from_json,
    testing::{MockApi, MockQuerier, MockStorage, message_info, mock_dependencies, mock_env},
};
use ember_market::contract;
use ember_testing::{Settings, suite::USDC};
use ember_types::{
    ids::{LeaseId, OrderId},
    market::{EscrowResponse, ExecuteMsg, InvariantsResponse, MigrateMsg, QueryMsg},
};

const RESOURCES: &str = r#"{"units":1,"gpu":{"model":null,"min_vram_mib":0,"profile":"portable1","region":null,"min_bond":"0"}}"#;
const FEES: &str = r#"{"denom":"uusdc","take_bps":2000,"reservation_bps":25,"min_deposit":"1000","bid_deposit":"500"}"#;

fn key(namespace: &str, id: &[u8]) -> Vec<u8> {
    let len = u16::try_from(namespace.len()).unwrap().to_be_bytes();
    [&len[..], namespace.as_bytes(), id].concat()
}

fn put(storage: &mut dyn Storage, namespace: &str, id: &[u8], json: &str) {
    storage.set(&key(namespace, id), json.as_bytes());
}

/// Order 1, leased since 100 s at 10 micro-units a second, of which ten seconds are booked and nothing is paid.
fn first_version() -> (OwnedDeps<MockStorage, MockApi, MockQuerier>, Addr, Addr) {
    let mut deps = mock_dependencies();
    let (tenant, provider) = (deps.api.addr_make("t"), deps.api.addr_make("p"));
    let start = Settings::default().market(&tenant, &tenant, &tenant);
    let info = message_info(&tenant, &[]);
    contract::instantiate(deps.as_mut(), mock_env(), info, start).unwrap();
    let env = mock_env();
    deps.querier
        .bank
        .update_balance(env.contract.address, vec![coin(9_955, USDC)]);
    let opened = env.block.time.seconds() - 100;
    let (ends, nanos) = (opened + 3_600, opened * 1_000_000_000);
    let one = 1u64.to_be_bytes();
    let s = &mut deps.storage;
    cw2::set_contract_version(s, contract::NAME, "0.1.0").unwrap();
    put(s, "fees", USDC.as_bytes(), FEES);
    let pricing = format!(r#"{{"reverse_auction":{{"closes_at":{opened}}}}}"#);
    put(
        s,
        "orders",
        &one,
        &format!(
            r#"{{"tenant":"{tenant}","resources":{RESOURCES},"pricing":{pricing},"ceiling":{{"denom":"uusdc","rate":"10000000"}},"max_duration_secs":3600,"state":"leased","created_at":"{nanos}","open_bids":0,"lease_id":1,"fees":{FEES},"due_at":null}}"#
        ),
    );
    put(
        s,
        "escrows",
        &one,
        &format!(
            r#"{{"deposits":[{{"depositor":"{tenant}","left":"9875"}}],"deposited":"10000","paid":"0","fees":"45","refunded":"0","payable":"80"}}"#
        ),
    );
    put(
        s,
        "leases",
        &one,
        &format!(
            r#"{{"order_id":1,"tenant":"{tenant}","provider":"{provider}","resources":{RESOURCES},"denom":"uusdc","rate":"10000000","take_bps":2000,"ask":null,"state":"active","opened_at":{opened},"ends_at":{ends},"settled_at":{opened},"suspended_at":null,"closed_at":null,"close_reason":null,"active_secs":0,"active_since":{opened},"gross":"100","fee":"20"}}"#
        ),
    );
    put(
        s,
        "ledgers",
        USDC.as_bytes(),
        r#"{"deposited":"10000","paid":"0","fees":"45","refunded":"0","bid_deposits":"0"}"#,
    );
    (deps, tenant, provider)
}

#[test]
fn a_lease_of_the_first_version_goes_on_and_is_paid() {
    let (mut deps, tenant, provider) = first_version();
    contract::migrate(deps.as_mut(), mock_env(), MigrateMsg {}).unwrap();
    let stored = cw2::get_contract_version(&deps.storage).unwrap();
    assert_eq!(stored.version, contract::VERSION);
    let order_id = OrderId(1);
    let escrow = QueryMsg::Escrow { order_id };
    let answer = contract::query(deps.as_ref(), mock_env(), escrow).unwrap();
    let e: EscrowResponse = from_json(answer).unwrap();
    assert_eq!((e.payable.u128(), e.fees_due.u128()), (800, 180));
    assert_eq!(e.leases[0].payable.u128(), 800);
    let books = QueryMsg::Invariants {
        start_after: None,
        limit: None,
    };
    let answer = contract::query(deps.as_ref(), mock_env(), books).unwrap();
    assert!(from_json::<InvariantsResponse>(answer).unwrap().ok);
    let lease_id = LeaseId(1);
    let msg = ExecuteMsg::CloseLease { lease_id };
    let info = message_info(&tenant, &[]);
    let answer = contract::execute(deps.as_mut(), mock_env(), info, msg).unwrap();
    let sent: Vec<_> = answer.messages.into_iter().map(|m| m.msg).collect();
    let expected = [(&tenant, 180), (&provider, 800), (&tenant, 8_975)].map(|(to, amount)| {
        CosmosMsg::from(BankMsg::Send {
            to_address: to.to_string(),
            amount: coins(amount, USDC),
        })
    });
    // The registry is told last.
    assert_eq!(sent[..3], expected);
    assert_eq!(sent.len(), 4);
}
