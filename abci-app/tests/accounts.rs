//! Vesting accounts, modules' accounts and what can be asked about accounts, through the application's ABCI surface.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod app_support;

use app_support::{
    signing::{Key, Tx, chain, coin, send},
    *,
};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        auth::v1beta1::*,
        bank::v1beta1::{
            QuerySpendableBalanceByDenomRequest, QuerySpendableBalanceByDenomResponse,
            QuerySpendableBalancesRequest, QuerySpendableBalancesResponse,
        },
        vesting::v1beta1::{
            ContinuousVestingAccount, MsgCreatePeriodicVestingAccount,
            MsgCreatePermanentLockedAccount, MsgCreateVestingAccount, Period,
        },
    },
};
use ember_abci_app::{app::App, codec::address};
use prost::{Message, Name};
use serde_json::json;

fn any<M: Message + Name>(m: &M) -> Any {
    Any {
        type_url: format!("/{}", M::full_name()),
        value: m.encode_to_vec(),
    }
}

/// What an account may spend, both ways of asking.
fn spendable(app: &App, who: &Key) -> u128 {
    let all = QuerySpendableBalancesRequest {
        address: who.address(),
        pagination: None,
    };
    let all: QuerySpendableBalancesResponse =
        query(app, "/cosmos.bank.v1beta1.Query/SpendableBalances", &all).unwrap();
    let one = QuerySpendableBalanceByDenomRequest {
        address: who.address(),
        denom: "utest".into(),
    };
    let path = "/cosmos.bank.v1beta1.Query/SpendableBalanceByDenom";
    let one: QuerySpendableBalanceByDenomResponse = query(app, path, &one).unwrap();
    assert_eq!(all.balances[0], one.balance.clone().unwrap());
    one.balance.unwrap().amount.parse().unwrap()
}

#[test]
fn locked_coins_can_be_had_but_not_spent() {
    let (alice, bob) = (Key::k1(1), Key::k1(99));
    let (_dir, app) = chain(&[&alice]);
    let mut sequence = 0;
    let mut height = 1;
    let mut run = |msg: Any, signer: Option<(Key, u64, u64)>| {
        let own = signer.is_none();
        let signer = signer.unwrap_or((alice.clone(), 0, sequence));
        sequence += u64::from(own);
        height += 1;
        let tx = Tx::new(vec![msg], vec![signer]);
        block(&app, height, &[tx.bytes()]).remove(0)
    };
    let vest = |to: &Key, end_time, delayed| {
        any(&MsgCreateVestingAccount {
            from_address: alice.address(),
            to_address: to.address(),
            amount: coin(20_000),
            end_time,
            delayed,
        })
    };
    let keys = [10, 11, 12, 13].map(Key::k1);
    let [even, late, steps, never] = &keys;
    // Made in block 2, at second 1,002; it ends ten seconds later.
    for msg in [
        vest(even, 1_012, false),
        vest(late, 1_012, true),
        any(&MsgCreatePeriodicVestingAccount {
            from_address: alice.address(),
            to_address: steps.address(),
            start_time: 1_000,
            vesting_periods: [(7, 8_000), (5, 12_000)]
                .map(|(length, n)| Period {
                    length,
                    amount: coin(n),
                })
                .to_vec(),
        }),
        any(&MsgCreatePermanentLockedAccount {
            from_address: alice.address(),
            to_address: never.address(),
            amount: coin(20_000),
        }),
    ] {
        let r = run(msg, None);
        assert_eq!(r.code, 0, "{}", r.log);
    }
    assert_eq!(
        keys.each_ref().map(|k| balance(&app, &k.address())),
        [20_000; 4]
    );
    assert_eq!(
        keys.each_ref().map(|k| spendable(&app, k)),
        [6_000, 0, 0, 0],
        "second 1,005"
    );
    for (msg, code, text) in [
        (
            vest(even, 1_100, false),
            18,
            "already exists: invalid request",
        ),
        (
            vest(&bob, 0, false),
            18,
            "invalid end time: invalid request",
        ),
        (
            vest(&bob, 1_000, false),
            18,
            "vesting start-time cannot be before end-time",
        ),
    ] {
        let r = run(msg, None);
        assert!(
            r.code == code && r.log.contains(text),
            "{} {}",
            r.code,
            r.log
        );
    }
    assert_eq!(
        keys.each_ref().map(|k| spendable(&app, k)),
        [12_000, 0, 8_000, 0],
        "second 1,008"
    );
    // Accounts got their numbers in the order in which they were made.
    let number = |k: &Key| {
        let req = QueryAccountInfoRequest {
            address: k.address(),
        };
        let info: QueryAccountInfoResponse =
            query(&app, "/cosmos.auth.v1beta1.Query/AccountInfo", &req).unwrap();
        info.info.unwrap().account_number
    };
    // The fee, 5,000, is free; locked coins do not pay it.
    let late_signs = Some((late.clone(), number(late), 0));
    let r = run(send(late, &bob), late_signs.clone());
    assert_eq!(r.code, 5, "{}", r.log);
    assert!(
        r.log
            .contains("spendable balance 0utest is smaller than 5000utest"),
        "{}",
        r.log
    );
    let r = run(send(even, &bob), Some((even.clone(), number(even), 0)));
    assert_eq!(r.code, 0, "{}", r.log);
    assert_eq!(
        spendable(&app, even),
        20_000 - 5_010 - 4_000,
        "second 1,010"
    );
    // The genesis goes both ways, and the account is what wallets know.
    let exported = app.export().unwrap();
    let accounts = exported["auth"]["accounts"].as_array().unwrap();
    let vesting = accounts.iter().find(|a| a["start_time"] == "1002").unwrap();
    assert_eq!(
        vesting["@type"],
        "/cosmos.vesting.v1beta1.ContinuousVestingAccount"
    );
    assert_eq!(vesting["base_vesting_account"]["end_time"], "1012");
    let answer: QueryAccountResponse = query(
        &app,
        "/cosmos.auth.v1beta1.Query/Account",
        &QueryAccountRequest {
            address: even.address(),
        },
    )
    .unwrap();
    let account =
        ContinuousVestingAccount::decode(answer.account.unwrap().value.as_slice()).unwrap();
    let base = account.base_vesting_account.unwrap().base_account.unwrap();
    assert_eq!(
        (base.sequence, base.pub_key.is_some()),
        (1, true),
        "it keeps being one when it signs"
    );
    let again_dir = tempfile::tempdir().unwrap();
    let again = open(again_dir.path());
    init(&again, &exported);
    block(&again, 1, &[]);
    assert_eq!(again.export().unwrap()["auth"], exported["auth"]);
    for _ in 0..2 {
        run(send(&alice, &bob), None);
    }
    assert_eq!(spendable(&app, late), 20_000);
    let r = run(send(late, &bob), late_signs);
    assert_eq!(r.code, 0, "{}", r.log);
    assert_eq!(
        (spendable(&app, steps), spendable(&app, never)),
        (20_000, 0)
    );
}

#[test]
fn accounts_answer_in_every_way() {
    let alice = Key::k1(1);
    let (_dir, app) = chain(&[&alice]);
    let path = |method: &str| format!("/cosmos.auth.v1beta1.Query/{method}");
    let prefix: Bech32PrefixResponse =
        query(&app, &path("Bech32Prefix"), &Bech32PrefixRequest {}).unwrap();
    assert_eq!(prefix.bech32_prefix, "test");
    let to_bytes = AddressStringToBytesRequest {
        address_string: alice.address(),
    };
    let bytes: AddressStringToBytesResponse =
        query(&app, &path("AddressStringToBytes"), &to_bytes).unwrap();
    assert_eq!(bytes.address_bytes, alice.public().address());
    let to_text = AddressBytesToStringRequest {
        address_bytes: bytes.address_bytes,
    };
    let text: AddressBytesToStringResponse =
        query(&app, &path("AddressBytesToString"), &to_text).unwrap();
    assert_eq!(text.address_string, alice.address());
    let by_id = |account_id| {
        let req = QueryAccountAddressByIdRequest {
            account_id,
            ..Default::default()
        };
        query::<QueryAccountAddressByIdResponse>(&app, &path("AccountAddressByID"), &req)
            .map(|a| a.account_address)
    };
    assert_eq!(by_id(0), Ok(alice.address()));
    let (code, log) = by_id(99).unwrap_err();
    assert!(
        code == 22
            && log.contains(
                "code = NotFound desc = account address not found with account number 99"
            ),
        "{code} {log}"
    );
    let modules: QueryModuleAccountsResponse = query(
        &app,
        &path("ModuleAccounts"),
        &QueryModuleAccountsRequest {},
    )
    .unwrap();
    let names = modules
        .accounts
        .iter()
        .map(|a| ModuleAccount::decode(a.value.as_slice()).unwrap().name);
    let names: Vec<_> = names.collect();
    assert!(names.contains(&"fee_collector".to_owned()), "{names:?}");
    let by_name = |name: &str| {
        let req = QueryModuleAccountByNameRequest { name: name.into() };
        query::<QueryModuleAccountByNameResponse>(&app, &path("ModuleAccountByName"), &req)
    };
    let collector = by_name("fee_collector").unwrap().account.unwrap();
    let collector = ModuleAccount::decode(collector.value.as_slice())
        .unwrap()
        .base_account
        .unwrap();
    let address = address::encode("test", &address::module("fee_collector")).unwrap();
    assert_eq!(collector.address, address);
    assert_eq!(by_name("nobody").unwrap_err().0, 22);
    // Only gov may change the parameters.
    let change = any(&MsgUpdateParams {
        authority: alice.address(),
        params: Some(Params::default()),
    });
    let r = block(
        &app,
        2,
        &[Tx::new(vec![change], vec![(alice.clone(), 0, 0)]).bytes()],
    )
    .remove(0);
    assert!(
        r.code == 1
            && r.log
                .contains("expected gov account as only signer for proposal message"),
        "{}",
        r.log
    );
}

#[test]
fn a_genesis_with_wrong_accounts_is_refused() {
    let alice = Key::k1(1);
    let with = |account: serde_json::Value| {
        let mut state = app_state(&[]);
        state["auth"]["accounts"] = json!([account]);
        App::validate_genesis(&state).map_err(|e| e.log)
    };
    let base = json!({ "address": alice.address(), "pub_key": null, "account_number": "0", "sequence": "0" });
    let delayed = |end: &str| {
        json!({ "@type": "/cosmos.vesting.v1beta1.DelayedVestingAccount", "base_vesting_account": {
            "base_account": base, "original_vesting": [{ "denom": "utest", "amount": "5" }],
            "delegated_free": [], "delegated_vesting": [], "end_time": end } })
    };
    assert_eq!(with(delayed("1000")), Ok(()));
    for (account, text) in [
        (delayed("-1"), "end time cannot be negative"),
        (
            json!({ "@type": "/cosmos.bank.v1beta1.MsgSend", "from_address": alice.address() }),
            "expected at least one account",
        ),
        (
            json!({ "@type": "/cosmos.bank.v1beta1.MsgSend", "address": alice.address() }),
            "@type \"/cosmos.bank.v1beta1.MsgSend\"",
        ),
        (json!({ "address": alice.address() }), "@type \"\""),
        (
            json!({ "@type": "/cosmos.auth.v1beta1.BaseAccount", "address": alice.address(), "sequence": "x" }),
            "accounts: @type",
        ),
        (
            json!({ "@type": "/cosmos.auth.v1beta1.BaseAccount", "address": alice.address(), "account_number": "18446744073709551615" }),
            "account_number",
        ),
    ] {
        let log = with(account).unwrap_err();
        assert!(log.contains(text), "{log}, not {text}");
    }
}
