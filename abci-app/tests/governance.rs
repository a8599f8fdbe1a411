//! What governance decides, through the application's ABCI surface. A genesis grants Alice the authority of the gov
//! module, so that she stands for a proposal that has passed.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod app_support;
mod common;

use app_support::{
    signing::{Key, Tx, coin, send},
    *,
};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        authz::v1beta1::{GenericAuthorization, GrantAuthorization, MsgExec},
        bank::v1beta1::{
            self as bank, MsgMultiSend, MsgSetSendEnabled, QueryDenomOwnersRequest,
            QueryDenomOwnersResponse, QueryParamsRequest, QueryParamsResponse,
            QuerySendEnabledRequest, QuerySendEnabledResponse, SendEnabled,
        },
        base::query::v1beta1::PageRequest,
        tx::signing::v1beta1::SignMode,
        upgrade::v1beta1 as upgrade,
    },
};
use ember_abci_app::{
    app::App,
    codec::{address, json},
    engine::{Node, Options, chain as blocks, keys},
    modules::{
        consensus::msg::{MsgUpdateParams, UPDATE_PARAMS},
        upgrade::keeper::Upgrades,
    },
};
use prost::{Message, Name};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};
use tendermint_proto::{
    google::protobuf,
    v0_38::{
        abci::{ExecTxResult, ResponseFinalizeBlock},
        types::{BlockParams, ConsensusParams, EvidenceParams, ValidatorParams},
    },
};

fn gov() -> String {
    address::encode("test", &address::module("gov")).unwrap()
}

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

/// A genesis in which Alice may send these messages for governance.
fn genesis(messages: &[&str]) -> Value {
    let mut state = app_state(&[]);
    let keys = [alice(), bob()];
    let accounts = keys.iter().map(|k| {
        json!({ "@type": "/cosmos.auth.v1beta1.BaseAccount",
        "address": k.address(), "pub_key": null, "account_number": "0", "sequence": "0" })
    });
    state["auth"]["accounts"] = accounts.collect();
    let coins =
        json!([{ "denom": "ugold", "amount": "500" }, { "denom": "utest", "amount": "1000000" }]);
    let balances = keys
        .iter()
        .map(|k| json!({ "address": k.address(), "coins": coins }));
    state["bank"]["balances"] = balances.collect();
    let grants = messages.iter().map(|msg| {
        let grant = GrantAuthorization {
            granter: gov(),
            grantee: alice().address(),
            authorization: Some(any(&GenericAuthorization { msg: (*msg).into() })),
            expiration: None,
        };
        json::print(&GrantAuthorization::full_name(), &grant.encode_to_vec()).unwrap()
    });
    state["authz"]["authorization"] = grants.collect();
    state
}

struct World {
    app: App,
    height: i64,
    sequences: [u64; 2],
    dir: tempfile::TempDir,
}

impl World {
    fn of(state: &Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let app = open(dir.path());
        init(&app, state);
        block(&app, 1, &[]);
        Self {
            app,
            height: 1,
            sequences: [0; 2],
            dir,
        }
    }

    fn tx(&mut self, who: usize, msg: Any) -> Vec<u8> {
        let key = [alice(), bob()][who].clone();
        let sequence = self.sequences[who];
        self.sequences[who] += 1;
        let tx = Tx::new(vec![msg], vec![(key, who as u64, sequence)]);
        tx.with(|t| t.mode = SignMode::Direct).bytes()
    }

    fn block(&mut self, txs: &[Vec<u8>]) -> ResponseFinalizeBlock {
        self.height += 1;
        let response = finalize(&self.app, self.height, txs);
        tendermint_abci::Application::commit(&self.app);
        response
    }

    fn run(&mut self, who: usize, msg: Any) -> ExecTxResult {
        let tx = self.tx(who, msg);
        self.block(&[tx]).tx_results.remove(0)
    }

    /// What governance does.
    fn decide(&mut self, msg: Any) -> ExecTxResult {
        self.run(0, exec(msg))
    }
}

fn exec(msg: Any) -> Any {
    any(&MsgExec {
        grantee: alice().address(),
        msgs: vec![msg],
    })
}

#[allow(deprecated, reason = "the field is part of the message")]
fn default_enabled(on: bool) -> bank::MsgUpdateParams {
    bank::MsgUpdateParams {
        authority: gov(),
        params: Some(bank::Params {
            send_enabled: vec![],
            default_send_enabled: on,
        }),
    }
}

fn enable(entries: &[(&str, bool)], default: &[&str]) -> MsgSetSendEnabled {
    let entry = |(denom, enabled): &(&str, bool)| SendEnabled {
        denom: (*denom).into(),
        enabled: *enabled,
    };
    MsgSetSendEnabled {
        authority: gov(),
        send_enabled: entries.iter().map(entry).collect(),
        use_default_for: default.iter().map(|d| (*d).into()).collect(),
    }
}

#[test]
fn governance_says_which_denoms_may_be_sent() {
    let urls = [
        "/cosmos.bank.v1beta1.MsgUpdateParams",
        "/cosmos.bank.v1beta1.MsgSetSendEnabled",
    ];
    let mut state = genesis(&urls);
    state["bank"]["params"] = json!({ "send_enabled": [], "default_send_enabled": false });
    state["bank"]["send_enabled"] = json!([{ "denom": "ugold", "enabled": true }]);
    let mut w = World::of(&state);
    let sent = |w: &mut World| w.run(1, send(&bob(), &alice()));
    let r = sent(&mut w);
    assert_eq!((r.codespace.as_str(), r.code), ("bank", 5));
    assert!(
        r.log
            .contains("utest transfers are currently disabled: send transactions are disabled"),
        "{}",
        r.log
    );
    let many = |denom: &str| {
        let coins = vec![cosmos_sdk_proto::cosmos::base::v1beta1::Coin {
            denom: denom.into(),
            amount: "10".into(),
        }];
        any(&MsgMultiSend {
            inputs: vec![bank::Input {
                address: bob().address(),
                coins: coins.clone(),
            }],
            outputs: vec![bank::Output {
                address: alice().address(),
                coins,
            }],
        })
    };
    assert_eq!(w.run(1, many("utest")).code, 5);
    assert_eq!(w.run(1, many("ugold")).code, 0);

    // Fees are paid all the while.
    let stranger = MsgSetSendEnabled {
        authority: bob().address(),
        ..enable(&[("utest", true)], &[])
    };
    let r = w.run(1, any(&stranger));
    assert_eq!((r.codespace.as_str(), r.code), ("gov", 13));
    let twice = enable(&[("utest", true), ("utest", false)], &[]);
    assert_eq!(w.decide(any(&twice)).code, 18);
    let bad = w.decide(any(&enable(&[("1x", true)], &[])));
    assert!(
        bad.log.contains("invalid SendEnabled denom \"1x\""),
        "{}",
        bad.log
    );
    assert_eq!(sent(&mut w).code, 5);
    let r = w.decide(any(&enable(&[("utest", true)], &["ugold"])));
    assert_eq!(r.code, 0, "{}", r.log);
    assert_eq!(sent(&mut w).code, 0);
    assert_eq!(w.run(1, many("ugold")).code, 5);

    let asked = |w: &World, denoms: &[&str]| {
        let req = QuerySendEnabledRequest {
            denoms: denoms.iter().map(|d| (*d).into()).collect(),
            pagination: None,
        };
        let answer: QuerySendEnabledResponse =
            query(&w.app, "/cosmos.bank.v1beta1.Query/SendEnabled", &req).unwrap();
        let entries = answer
            .send_enabled
            .into_iter()
            .map(|e| (e.denom, e.enabled));
        (entries.collect::<Vec<_>>(), answer.pagination.is_some())
    };
    let utest = vec![("utest".to_owned(), true)];
    assert_eq!(asked(&w, &[]), (utest.clone(), true));
    assert_eq!(asked(&w, &["ugold", "utest"]), (utest, false));
    let params = |w: &World| -> QueryParamsResponse {
        query(
            &w.app,
            "/cosmos.bank.v1beta1.Query/Params",
            &QueryParamsRequest {},
        )
        .unwrap()
    };
    assert!(!params(&w).params.unwrap().default_send_enabled);

    // Exported, it is the same chain.
    let export = w.app.export().unwrap();
    assert_eq!(
        export["bank"]["send_enabled"],
        json!([{ "denom": "utest", "enabled": true }])
    );
    assert_eq!(export["bank"]["params"]["default_send_enabled"], false);
    let again = World::of(&export);
    assert_eq!(again.app.export().unwrap()["bank"], export["bank"]);

    assert_eq!(w.decide(any(&default_enabled(true))).code, 0);
    assert!(params(&w).params.unwrap().default_send_enabled);
    assert_eq!(w.run(1, many("ugold")).code, 0);
    let mut wrong = default_enabled(true);
    #[allow(deprecated, reason = "the field is part of the message")]
    let list = &mut wrong.params.as_mut().unwrap().send_enabled;
    list.push(SendEnabled::default());
    assert_eq!(w.decide(any(&wrong)).code, 1);
}

#[test]
fn a_genesis_that_says_twice_what_may_be_sent_is_refused() {
    let refused = |change: fn(&mut Value)| {
        let mut state = genesis(&[]);
        change(&mut state["bank"]);
        App::validate_genesis(&state).unwrap_err().log
    };
    let twice = refused(|b| {
        let entry = json!({ "denom": "utest", "enabled": true });
        b["send_enabled"] = json!([entry, entry]);
    });
    assert!(
        twice.contains("duplicate send enabled found: 'utest'"),
        "{twice}"
    );
    let old = refused(|b| {
        b["params"] = json!({ "send_enabled": [{ "denom": "utest", "enabled": true }] });
    });
    assert!(old.contains("no longer supported"), "{old}");
    let text = refused(|b| b["params"] = json!({ "default_send_enabled": "yes" }));
    assert!(
        text.contains("default_send_enabled: expected true or false"),
        "{text}"
    );
}

#[test]
fn owners_of_a_denom_come_in_pages() {
    let w = World::of(&genesis(&[]));
    let ask = |path: &str,
               denom: &str,
               limit,
               key: Vec<u8>|
     -> Result<QueryDenomOwnersResponse, (u32, String)> {
        let req = QueryDenomOwnersRequest {
            denom: denom.into(),
            pagination: Some(PageRequest {
                limit,
                key,
                ..PageRequest::default()
            }),
        };
        query(&w.app, &format!("/cosmos.bank.v1beta1.Query/{path}"), &req)
    };
    let first = ask("DenomOwners", "ugold", 1, vec![]).unwrap();
    let next = first.pagination.unwrap().next_key;
    let second = ask("DenomOwnersByQuery", "ugold", 5, next).unwrap();
    let mut owners: Vec<_> = first
        .denom_owners
        .into_iter()
        .chain(second.denom_owners)
        .collect();
    assert!(second.pagination.unwrap().next_key.is_empty());
    owners.sort_by_key(|o| o.address != alice().address());
    assert_eq!(owners.len(), 2);
    for (owner, key) in owners.into_iter().zip([alice(), bob()]) {
        assert_eq!(owner.address, key.address());
        let balance = owner.balance.unwrap();
        assert_eq!(
            (balance.denom.as_str(), balance.amount.as_str()),
            ("ugold", "500")
        );
    }
    // A denom whose name ends another's.
    assert!(
        ask("DenomOwners", "old", 5, vec![])
            .unwrap()
            .denom_owners
            .is_empty()
    );
    assert_eq!(ask("DenomOwners", "1x", 5, vec![]).unwrap_err().0, 10);
}

fn limits(max_bytes: i64, max_gas: i64) -> MsgUpdateParams {
    MsgUpdateParams {
        authority: gov(),
        block: Some(BlockParams { max_bytes, max_gas }),
        evidence: Some(EvidenceParams {
            max_age_num_blocks: 10,
            max_age_duration: Some(protobuf::Duration {
                seconds: 60,
                nanos: 0,
            }),
            max_bytes: 100,
        }),
        validator: Some(ValidatorParams {
            pub_key_types: vec!["ed25519".into()],
        }),
        abci: None,
    }
}

fn consensus(m: &MsgUpdateParams) -> Any {
    Any {
        type_url: UPDATE_PARAMS.into(),
        value: m.encode_to_vec(),
    }
}

#[test]
fn governance_changes_the_consensus_parameters_and_cometbft_hears_of_it_once() {
    let mut w = World::of(&genesis(&[UPDATE_PARAMS]));
    let refused = w.tx(0, exec(consensus(&limits(0, 1))));
    let response = w.block(&[refused]);
    assert_eq!(response.tx_results[0].code, 1);
    assert_eq!(response.consensus_param_updates, None);
    let tx = w.tx(0, exec(consensus(&limits(1_000_000, 200_000))));
    let response = w.block(&[tx]);
    assert_eq!(
        response.tx_results[0].code, 0,
        "{}",
        response.tx_results[0].log
    );
    let told = response.consensus_param_updates.unwrap();
    assert_eq!(told.block, limits(1_000_000, 200_000).block);
    assert_eq!(told.evidence, limits(1, 1).evidence);
    assert_eq!(told.validator, limits(1, 1).validator);
    assert_eq!(w.block(&[]).consensus_param_updates, None);

    // One transaction fits, the next finds the block's gas used up; so it is after a restart.
    let World {
        app,
        height,
        sequences,
        dir,
    } = w;
    drop(app);
    let mut w = World {
        app: open(dir.path()),
        height,
        sequences,
        dir,
    };
    let txs: Vec<_> = (0..12).map(|_| w.tx(1, send(&bob(), &alice()))).collect();
    let codes: Vec<_> = w.block(&txs).tx_results.iter().map(|r| r.code).collect();
    assert_eq!(codes[0], 0);
    assert_eq!(codes[11], 11, "{codes:?}");
    let answer: ConsensusQuery =
        query(&w.app, "/cosmos.consensus.v1.Query/Params", &coin(1)[0]).unwrap();
    assert_eq!(answer.params.unwrap(), told);
}

#[derive(Clone, PartialEq, Message)]
struct ConsensusQuery {
    #[prost(message, optional, tag = "1")]
    params: Option<ConsensusParams>,
}

/// A node of one validator over the real application.
fn node(home: &Path, state: &Value) -> std::sync::Arc<Node<App>> {
    let config = home.join("config");
    std::fs::create_dir_all(&config).unwrap();
    let key = keys::Key::generate();
    key.save_validator(&config.join("priv_validator_key.json"))
        .unwrap();
    let mut doc = common::genesis(&key);
    doc["chain_id"] = CHAIN.into();
    doc["consensus_params"]["block"] = json!({ "max_bytes": "200000", "max_gas": "-1" });
    doc["app_state"] = state.clone();
    std::fs::write(config.join("genesis.json"), doc.to_string()).unwrap();
    let options = Options {
        empty_block_interval: Duration::from_secs(3600),
        ..Options::new(home)
    };
    Node::open(open(home), options).unwrap()
}

#[test]
fn the_embedded_engine_obeys_the_consensus_parameters() {
    let dir = tempfile::tempdir().unwrap();
    let node = node(dir.path(), &genesis(&[UPDATE_PARAMS]));
    node.make_block().unwrap();
    let tx = |key: &Key, number, sequence, msg| {
        let tx = Tx::new(vec![msg], vec![(key.clone(), number, sequence)]);
        tx.with(|t| t.mode = SignMode::Direct).bytes()
    };
    // Room for one transaction: the rest of a block takes some too.
    let decided = tx(&alice(), 0, 0, exec(consensus(&limits(4_700, 450_000))));
    assert_eq!(node.broadcast(decided.into()).unwrap().code, 0);
    node.make_block().unwrap();
    assert_eq!(node.state().params.block, limits(4_700, 450_000).block);
    assert_eq!(node.state().params.evidence, limits(1, 1).evidence);
    for sequence in 0..2 {
        let sent = tx(&bob(), 1, sequence, send(&bob(), &alice()));
        assert_eq!(node.broadcast(sent.into()).unwrap().code, 0);
    }
    for _ in 0..2 {
        let height = node.make_block().unwrap();
        let block = node.store().block(height.cast_unsigned()).unwrap().unwrap();
        assert_eq!(block.data.as_ref().unwrap().txs.len(), 1);
        assert!(block.encoded_len() <= 4_700);
        assert_eq!(
            block.header.unwrap().consensus_hash,
            blocks::params_hash(&node.state().params)
        );
    }
}

const UPGRADE: &str = "/cosmos.upgrade.v1beta1.MsgSoftwareUpgrade";
const CANCEL: &str = "/cosmos.upgrade.v1beta1.MsgCancelUpgrade";

fn plan(name: &str, height: i64) -> upgrade::Plan {
    upgrade::Plan {
        name: name.into(),
        height,
        info: "see there".into(),
        ..upgrade::Plan::default()
    }
}

fn scheduled(plan: upgrade::Plan) -> Any {
    any(&upgrade::MsgSoftwareUpgrade {
        authority: gov(),
        plan: Some(plan),
    })
}

fn current(w: &World) -> Option<upgrade::Plan> {
    let path = "/cosmos.upgrade.v1beta1.Query/CurrentPlan";
    let req = upgrade::QueryCurrentPlanRequest {};
    let answer: upgrade::QueryCurrentPlanResponse = query(&w.app, path, &req).unwrap();
    answer.plan
}

/// Why the next block is not made.
fn stopped(w: &World) -> String {
    let next = || finalize(&w.app, w.height + 1, &[]);
    let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(next));
    *end.unwrap_err().downcast::<String>().unwrap()
}

fn knows(w: &World, names: &[&str], skip: &[u64]) {
    w.app.set_upgrades(Upgrades {
        known: names.iter().map(|n| (*n).to_owned()).collect(),
        skip: skip.iter().copied().collect(),
    });
}

#[test]
#[allow(deprecated, reason = "the field is part of the message")]
fn a_plan_stops_the_chain_until_a_binary_that_knows_it() {
    let mut w = World::of(&genesis(&[UPGRADE, CANCEL]));
    let r = w.run(
        1,
        any(&upgrade::MsgCancelUpgrade {
            authority: bob().address(),
        }),
    );
    assert_eq!((r.codespace.as_str(), r.code), ("upgrade", 6), "{}", r.log);
    for (bad, expected) in [
        (plan("", 9), "name cannot be empty"),
        (plan("v2", 0), "height must be greater than 0"),
        (plan("v2", 1), "upgrade cannot be scheduled in the past"),
        (
            upgrade::Plan {
                time: Some(protobuf::Timestamp::default()),
                ..plan("v2", 9)
            },
            "time-based upgrades have been deprecated in the SDK",
        ),
    ] {
        let r = w.decide(scheduled(bad));
        assert_eq!(r.code, 18);
        assert!(r.log.contains(expected), "{}", r.log);
    }
    // Dropped by governance, then set again.
    let at = w.height + 5;
    assert_eq!(w.decide(scheduled(plan("v2", at))).code, 0);
    assert_eq!(current(&w).unwrap().name, "v2");
    let cancel = any(&upgrade::MsgCancelUpgrade { authority: gov() });
    assert_eq!(w.decide(cancel).code, 0);
    assert_eq!(current(&w), None);
    assert_eq!(w.decide(scheduled(plan("v2", at))).code, 0);

    // A binary that knows it comes too early before its height.
    knows(&w, &["v2"], &[]);
    assert!(stopped(&w).contains("BINARY UPDATED BEFORE TRIGGER! UPGRADE \"v2\""));
    knows(&w, &[], &[]);
    while w.height < at - 1 {
        w.block(&[]);
    }
    let text = format!("UPGRADE \"v2\" NEEDED at height: {at}: see there");
    assert_eq!(stopped(&w), text);
    assert_eq!(stopped(&w), text, "as often as it is started");
    let info = std::fs::read_to_string(w.dir.path().join("data/upgrade-info.json")).unwrap();
    let info: Value = serde_json::from_str(&info).unwrap();
    assert_eq!((&info["name"], &info["height"]), (&json!("v2"), &json!(at)));

    // The next binary takes the state over and makes the block.
    let World {
        app,
        height,
        sequences,
        dir,
    } = w;
    drop(app);
    let mut w = World {
        app: open(dir.path()),
        height,
        sequences,
        dir,
    };
    knows(&w, &["v2"], &[]);
    w.block(&[]);
    assert_eq!(current(&w), None);
    let applied = |w: &World, name: &str| {
        let req = upgrade::QueryAppliedPlanRequest { name: name.into() };
        let path = "/cosmos.upgrade.v1beta1.Query/AppliedPlan";
        let answer: upgrade::QueryAppliedPlanResponse = query(&w.app, path, &req).unwrap();
        answer.height
    };
    assert_eq!((applied(&w, "v2"), applied(&w, "v3")), (at, 0));
    assert_eq!(
        w.decide(scheduled(plan("v2", at + 9))).code,
        18,
        "it is done"
    );
    // The old one does not go on from there.
    knows(&w, &[], &[]);
    assert_eq!(
        stopped(&w),
        "wrong app version 1, upgrade handler is missing for v2 upgrade plan"
    );

    // All operators drop another.
    knows(&w, &["v2"], &[]);
    let next = w.height + 2;
    assert_eq!(w.decide(scheduled(plan("v3", next))).code, 0);
    assert!(stopped(&w).contains("UPGRADE \"v3\" NEEDED"));
    knows(&w, &["v2"], &[next.cast_unsigned()]);
    w.block(&[]);
    assert_eq!((current(&w), applied(&w, "v3")), (None, 0));

    let authority: upgrade::QueryAuthorityResponse = query(
        &w.app,
        "/cosmos.upgrade.v1beta1.Query/Authority",
        &upgrade::QueryAuthorityRequest {},
    )
    .unwrap();
    assert_eq!(authority.address, gov());
    let versions = |name: &str| -> Result<upgrade::QueryModuleVersionsResponse, (u32, String)> {
        let req = upgrade::QueryModuleVersionsRequest {
            module_name: name.into(),
        };
        query(&w.app, "/cosmos.upgrade.v1beta1.Query/ModuleVersions", &req)
    };
    assert_eq!(versions("wasm").unwrap().module_versions[0].version, 4);
    assert!(versions("").unwrap().module_versions.len() > 10);
    assert_eq!(versions("x").unwrap_err().0, 2);
    assert_eq!(w.app.export().unwrap()["upgrade"], json!({}));
}
