//! A contract's messages in another's name: granted, used, used up, and exported with the chain.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod app_support;

use app_support::{
    signing::{Key, Tx, coin},
    *,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        authz::v1beta1::{Grant, MsgExec, MsgGrant, QueryGrantsRequest, QueryGrantsResponse},
        tx::signing::v1beta1::SignMode,
    },
    cosmwasm::wasm::v1::{
        AcceptedMessageKeysFilter, AcceptedMessagesFilter, CombinedLimit,
        ContractExecutionAuthorization, ContractGrant, MaxCallsLimit, MsgExecuteContract,
    },
};
use ember_abci_app::{app::App, cli::genesis::contract_address};
use prost::{Message, Name};
use serde_json::json;
use tendermint_proto::v0_38::abci::ExecTxResult;

fn any<M: Message + Name>(m: &M) -> Any {
    Any {
        type_url: format!("/{}", M::full_name()),
        value: m.encode_to_vec(),
    }
}

fn alice() -> Key {
    Key::k1(1)
}

fn bob() -> Key {
    Key::k1(2)
}

struct World {
    app: App,
    height: i64,
    sequences: [u64; 2],
    echo: String,
    _dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let app = open(dir.path());
        let code = wat::parse_str(include_str!("../src/modules/wasm/tests/echo.wat")).unwrap();
        let mut state = app_state(&[&Wallet::new(1), &Wallet::new(2)]);
        let sender = alice().address();
        state["wasm"]["gen_msgs"] = json!([
            { "store_code": { "sender": sender, "wasm_byte_code": BASE64_STANDARD.encode(code), "instantiate_permission": null } },
            { "instantiate_contract": { "sender": sender, "admin": "", "code_id": "1", "label": "echo", "msg": {}, "funds": [] } },
        ]);
        init(&app, &state);
        block(&app, 1, &[]);
        Self {
            app,
            height: 1,
            sequences: [0; 2],
            echo: contract_address("test", 1, 1).unwrap(),
            _dir: dir,
        }
    }

    /// Signed directly: amino has no JSON for a list of whole messages, in the SDK neither.
    fn run(&mut self, who: usize, msg: Any) -> ExecTxResult {
        let key = [alice(), bob()][who].clone();
        let sequence = self.sequences[who];
        self.sequences[who] += 1;
        let tx = Tx::new(vec![msg], vec![(key, who as u64, sequence)]);
        let tx = tx.with(|t| {
            t.mode = SignMode::Direct;
            t.fee.gas_limit = 400_000;
            t.fee.amount = coin(10_000);
        });
        self.height += 1;
        block(&self.app, self.height, &[tx.bytes()]).remove(0)
    }

    fn grant(&self, grants: Vec<ContractGrant>) -> Any {
        any(&MsgGrant {
            granter: alice().address(),
            grantee: bob().address(),
            grant: Some(Grant {
                authorization: Some(any(&ContractExecutionAuthorization { grants })),
                expiration: None,
            }),
        })
    }

    /// Bob executes in Alice's name.
    fn exec(&mut self, msg: &str, amount: u128) -> ExecTxResult {
        let execute = MsgExecuteContract {
            sender: alice().address(),
            contract: self.echo.clone(),
            msg: msg.as_bytes().to_vec(),
            funds: match amount {
                0 => vec![],
                n => coin(n),
            },
        };
        let exec = MsgExec {
            grantee: bob().address(),
            msgs: vec![any(&execute)],
        };
        self.run(1, any(&exec))
    }

    fn grants(&self) -> Vec<ContractGrant> {
        let req = QueryGrantsRequest {
            granter: alice().address(),
            grantee: bob().address(),
            msg_type_url: String::new(),
            pagination: None,
        };
        let answer: QueryGrantsResponse =
            query(&self.app, "/cosmos.authz.v1beta1.Query/Grants", &req).unwrap();
        let Some(grant) = answer.grants.into_iter().next() else {
            return vec![];
        };
        let any = grant.authorization.unwrap();
        assert_eq!(
            any.type_url,
            "/cosmwasm.wasm.v1.ContractExecutionAuthorization"
        );
        ContractExecutionAuthorization::decode(any.value.as_slice())
            .unwrap()
            .grants
    }
}

#[test]
fn a_contract_is_executed_in_anothers_name_within_the_grant() {
    const OK: &str = r#"{"ok":{"messages":[],"attributes":[],"events":[]}}"#;
    let mut w = World::new();
    let one = |limit: Any, filter: Any| ContractGrant {
        contract: w.echo.clone(),
        limit: Some(limit),
        filter: Some(filter),
    };
    let both = CombinedLimit {
        calls_remaining: 3,
        amounts: coin(100),
    };
    let keys = AcceptedMessageKeysFilter {
        keys: vec!["ok".into()],
    };
    let whole = AcceptedMessagesFilter {
        messages: vec![br#"{"error":"told so"}"#.to_vec()],
    };
    let empty = one(any(&MaxCallsLimit { remaining: 0 }), any(&keys));
    let calls = one(any(&MaxCallsLimit { remaining: 1 }), any(&whole));
    let grants = vec![one(any(&both), any(&keys)), calls.clone()];
    let r = w.run(0, w.grant(vec![empty]));
    assert_eq!((r.codespace.as_str(), r.code), ("wasm", 12), "{}", r.log);
    let r = w.run(0, w.grant(grants.clone()));
    assert_eq!(r.code, 0, "{}", r.log);
    assert_eq!(w.grants(), grants);

    let before = balance(&w.app, &alice().address());
    let r = w.exec(OK, 60);
    assert_eq!(r.code, 0, "{}", r.log);
    assert_eq!(balance(&w.app, &w.echo), 60);
    assert_eq!(balance(&w.app, &alice().address()), before - 60);
    let left = CombinedLimit {
        calls_remaining: 2,
        amounts: coin(40),
    };
    assert_eq!(w.grants()[0].limit, Some(any(&left)));
    let r = w.exec(OK, 41);
    assert_eq!((r.codespace.as_str(), r.code), ("sdk", 4), "{}", r.log);
    assert_eq!(w.exec(r#"{"no":1}"#, 0).code, 4);
    // What fails in the contract has used nothing.
    let r = w.exec(r#"{"error":"told so"}"#, 0);
    assert_eq!((r.codespace.as_str(), r.code), ("wasm", 5), "{}", r.log);
    assert_eq!(w.grants().len(), 2);

    // The chain that is exported here goes on elsewhere.
    let state = w.app.export().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let app = open(dir.path());
    init(&app, &state);
    assert_eq!(app.export().unwrap()["authz"], state["authz"]);

    assert_eq!(w.exec(OK, 40).code, 0);
    assert_eq!(w.grants(), [calls], "the money is used up");
    assert_eq!(w.exec(OK, 0).code, 4);
}
