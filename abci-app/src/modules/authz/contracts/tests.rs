//! Grants of contracts' messages, used and used up.

use super::{super::limits::any, *};
use crate::{
    ctx::{BlockInfo, Mode},
    gas::GasMeter,
    modules::{auth, authz::authorization::Authorization},
    store::{Layers, kv::MemBase},
};
use cosmos_sdk_proto::cosmwasm::wasm::v1::{
    AcceptedMessageKeysFilter, AcceptedMessagesFilter, AccessConfig, AccessType,
    AllowAllMessagesFilter, CombinedLimit, ContractExecutionAuthorization,
    ContractMigrationAuthorization, MaxCallsLimit, MaxFundsLimit,
};
use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use std::{io::Write, sync::Arc};

fn text(n: u8) -> String {
    crate::codec::address::encode("test", &[n; 32]).unwrap()
}

fn ctx() -> Ctx {
    let block = BlockInfo {
        height: 1,
        time_ns: 0,
        chain_id: String::new(),
    };
    let layers = Layers::new(Arc::new(MemBase::default()));
    let ctx = Ctx::new(layers, GasMeter::new(1_000_000), block, Mode::Deliver);
    let account = json!({"@type": "/cosmos.auth.v1beta1.BaseAccount", "address": text(1),
        "pub_key": null, "account_number": "0", "sequence": "0"});
    auth::genesis::import(&ctx, &json!({"auth": {"accounts": [account]}})).unwrap();
    ctx
}

fn coins_of(amount: u32) -> Vec<Coin> {
    match amount {
        0 => vec![],
        n => vec![Coin {
            denom: "utest".into(),
            amount: n.to_string(),
        }],
    }
}

fn calls(remaining: u64) -> Any {
    any(&MaxCallsLimit { remaining })
}

fn funds(amount: u32) -> Any {
    let amounts = coins_of(amount);
    any(&MaxFundsLimit { amounts })
}

fn both(calls_remaining: u64, amount: u32) -> Any {
    let amounts = coins_of(amount);
    any(&CombinedLimit {
        calls_remaining,
        amounts,
    })
}

fn all() -> Any {
    any(&AllowAllMessagesFilter {})
}

fn keys(keys: &[&str]) -> Any {
    let keys = keys.iter().map(|k| (*k).into()).collect();
    any(&AcceptedMessageKeysFilter { keys })
}

fn grant(contract: u8, limit: Any, filter: Any) -> ContractGrant {
    ContractGrant {
        contract: text(contract),
        limit: Some(limit),
        filter: Some(filter),
    }
}

fn execution(grants: Vec<ContractGrant>) -> Authorization {
    Authorization::Execution(ContractExecutionAuthorization { grants })
}

fn execute(contract: u8, msg: &str, amount: u32) -> Any {
    any(&MsgExecuteContract {
        sender: text(1),
        contract: text(contract),
        msg: msg.as_bytes().to_vec(),
        funds: coins_of(amount),
    })
}

/// What is left of one grant's limit.
fn left(limit: Any, amount: u32) -> Result<Used, (u32, String)> {
    let used = execution(vec![grant(7, limit, all())]);
    used.accept(&ctx(), &execute(7, "{}", amount))
        .map_err(|e| (e.code, e.log))
}

fn changed(limit: Any) -> Result<Used, (u32, String)> {
    Ok(Used::Changed(execution(vec![grant(7, limit, all())])))
}

#[test]
fn limits_shrink_and_end() {
    let no = || Err((4, "unauthorized".to_owned()));
    assert_eq!(left(calls(2), 0), changed(calls(1)));
    assert_eq!(left(calls(1), 0), Ok(Used::Spent));
    assert_eq!(left(calls(2), 1), no(), "calls only");
    assert_eq!(left(funds(9), 0), Ok(Used::Same));
    assert_eq!(left(funds(9), 4), changed(funds(5)));
    assert_eq!(left(funds(9), 9), Ok(Used::Spent));
    assert_eq!(left(funds(9), 10), no());
    assert_eq!(left(both(3, 9), 4), changed(both(2, 5)));
    assert_eq!(left(both(3, 9), 0), changed(both(2, 9)));
    assert_eq!(left(both(3, 9), 9), Ok(Used::Spent));
    assert_eq!(left(both(1, 9), 4), Ok(Used::Spent));
    assert_eq!(left(both(3, 9), 10), no());
    let spent = left(calls(0), 0).unwrap_err();
    assert_eq!(spent, (4, "limit: no calls left: unauthorized".into()));
}

#[test]
fn the_first_grant_that_takes_a_message_is_used() {
    let grants = vec![
        grant(6, calls(1), all()),
        grant(7, calls(1), keys(&["a"])),
        grant(7, funds(5), keys(&["a", "b"])),
    ];
    let used = |msg: &str, amount| {
        let result = execution(grants.clone()).accept(&ctx(), &execute(7, msg, amount));
        result.map_err(|e| e.log)
    };
    let without = |i: usize| {
        let mut rest = grants.clone();
        rest.remove(i);
        Ok(Used::Changed(execution(rest)))
    };
    assert_eq!(used(r#"{"a":1}"#, 0), without(1));
    assert_eq!(used(r#"{"b":1}"#, 0), Ok(Used::Same));
    assert_eq!(used(r#"{"a":{}}"#, 5), without(2));
    for refused in [r#"{"a":1,"b":2}"#, r#"{"c":1}"#, r#""a""#, "{}"] {
        assert_eq!(used(refused, 0), Err("unauthorized".into()), "{refused}");
    }
    let bad = used("{", 0).unwrap_err();
    assert_eq!(bad, "payload msg: invalid");
    assert_eq!(
        execution(grants)
            .accept(&ctx(), &execute(8, "{}", 0))
            .unwrap_err()
            .code,
        4
    );
}

#[test]
fn messages_may_be_given_whole_and_migrations_are_like_executions() {
    let messages = vec![br#"{"x":1}"#.to_vec()];
    let filter = any(&AcceptedMessagesFilter { messages });
    let a = Authorization::Migration(ContractMigrationAuthorization {
        grants: vec![grant(7, calls(1), filter)],
    });
    a.check(&ctx()).unwrap();
    assert_eq!(a.message(), "/cosmwasm.wasm.v1.MsgMigrateContract");
    let migrate = |code_id, msg: &str| {
        let m = MsgMigrateContract {
            sender: text(1),
            contract: text(7),
            code_id,
            msg: msg.as_bytes().to_vec(),
        };
        a.accept(&ctx(), &any(&m)).map_err(|e| e.code)
    };
    assert_eq!(migrate(2, r#"{"x":1}"#), Ok(Used::Spent));
    assert_eq!(migrate(2, r#"{"x": 1}"#), Err(4), "other bytes");
    assert_eq!(migrate(0, r#"{"x":1}"#), Err(18));
    assert_eq!(migrate(2, ""), Err(29));
    assert_eq!(a.accept(&ctx(), &execute(7, "{}", 0)).unwrap_err().code, 29);
}

#[test]
fn codes_are_known_by_their_hash() {
    let wasm = b"\0asm\x01\0\0\0".to_vec();
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&wasm).unwrap();
    let packed = packed.finish().unwrap();
    let only = |permission: AccessType| AccessConfig {
        permission: permission as i32,
        addresses: vec![],
    };
    let code = |code_hash: &[u8], instantiate_permission| CodeGrant {
        code_hash: code_hash.to_vec(),
        instantiate_permission,
    };
    let may = |grants: Vec<CodeGrant>, wasm: &[u8], instantiate_permission| {
        let msg = any(&MsgStoreCode {
            sender: text(1),
            wasm_byte_code: wasm.to_vec(),
            instantiate_permission,
        });
        let a = Authorization::Code(StoreCodeAuthorization { grants });
        a.check(&ctx()).unwrap();
        a.accept(&ctx(), &msg).map_err(|e| e.code)
    };
    let hash = Sha256::digest(&wasm).to_vec();
    assert_eq!(may(vec![code(&hash, None)], &wasm, None), Ok(Used::Same));
    assert_eq!(may(vec![code(&hash, None)], &packed, None), Ok(Used::Same));
    assert_eq!(may(vec![code(&[1; 32], None)], &wasm, None), Err(4));
    let nobody = || vec![code(b"*", Some(only(AccessType::Nobody)))];
    assert_eq!(may(nobody(), &wasm, None), Err(4));
    assert_eq!(
        may(nobody(), &wasm, Some(only(AccessType::Everybody))),
        Err(4)
    );
    assert_eq!(
        may(nobody(), &wasm, Some(only(AccessType::Nobody))),
        Ok(Used::Same)
    );
    assert_eq!(may(nobody(), b"text", None), Err(18));
    assert_eq!(may(nobody(), &packed[..9], None), Err(18));

    let log = |grants: Vec<CodeGrant>| check_codes(&ctx(), &grants).unwrap_err().log;
    assert_eq!(log(vec![]), "grants: empty");
    assert_eq!(log(vec![code(b"", None)]), "position 0: code hash: empty");
    assert_eq!(
        log(vec![code(&hash, None), code(&hash, None)]),
        "cannot have multiple grants with same code hash: invalid request"
    );
    assert!(log(vec![code(&hash, None), code(b"*", None)]).contains("wildcard"));
}

#[test]
fn what_makes_no_sense_is_not_granted() {
    let log = |g: ContractGrant| check(&ctx(), &[g]).unwrap_err().log;
    assert_eq!(check(&ctx(), &[]).unwrap_err().log, "grants: empty");
    assert_eq!(
        log(grant(7, calls(0), all())),
        "position 0: limit: remaining calls: empty"
    );
    assert_eq!(
        log(grant(7, funds(0), all())),
        "position 0: limit: amounts: empty"
    );
    assert_eq!(
        log(grant(7, both(0, 1), all())),
        "position 0: limit: remaining calls: empty"
    );
    for (names, expected) in [
        (&[][..], "keys: empty"),
        (&[""], "key: empty"),
        (&[" a"], "key \" a\" contains whitespaces: invalid"),
        (&["a", "a"], "key \"a\": duplicate"),
    ] {
        let expected = format!("position 0: filter: {expected}");
        assert_eq!(log(grant(7, calls(1), keys(names))), expected);
    }
    for (messages, expected) in [
        (vec![], "messages: empty"),
        (vec![vec![]], "message: empty"),
        (vec![b"{".to_vec()], "invalid"),
        (vec![b"{}".to_vec(), b"{}".to_vec()], "message: duplicate"),
    ] {
        let expected = format!("position 0: filter: {expected}");
        let filter = any(&AcceptedMessagesFilter { messages });
        assert_eq!(log(grant(7, calls(1), filter)), expected);
    }
    let undefined = ContractGrant {
        limit: None,
        ..grant(7, calls(1), all())
    };
    assert_eq!(
        log(undefined),
        "position 0: limit: undefined limit: invalid type"
    );
    let strange = grant(7, all(), all());
    assert_eq!(known(&[strange]).unwrap_err().code, 2);
    let nowhere = ContractGrant {
        contract: "x".into(),
        ..grant(7, calls(1), all())
    };
    assert!(log(nowhere).starts_with("position 0: contract: "));
}
