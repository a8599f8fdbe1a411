//! Allowances for fees and grants of authority, through the application's ABCI surface.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod app_support;

use app_support::{
    signing::{Key, Tx, chain, coin, send},
    *,
};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        authz::v1beta1::{
            GenericAuthorization, Grant, MsgExec, MsgGrant, MsgRevoke, QueryGranteeGrantsRequest,
            QueryGranteeGrantsResponse, QueryGranterGrantsRequest, QueryGranterGrantsResponse,
            QueryGrantsRequest, QueryGrantsResponse,
        },
        bank::v1beta1::SendAuthorization,
        feegrant::v1beta1::{
            AllowedMsgAllowance, BasicAllowance, MsgGrantAllowance, MsgPruneAllowances,
            MsgRevokeAllowance, QueryAllowanceRequest, QueryAllowanceResponse,
            QueryAllowancesByGranterRequest, QueryAllowancesByGranterResponse,
            QueryAllowancesRequest, QueryAllowancesResponse,
        },
    },
};
use ember_abci_app::app::App;
use prost::{Message, Name};
use tendermint_proto::{google::protobuf::Timestamp, v0_38::abci::ExecTxResult};

const SEND: &str = "/cosmos.bank.v1beta1.MsgSend";

fn any<M: Message + Name>(m: &M) -> Any {
    Any {
        type_url: format!("/{}", M::full_name()),
        value: m.encode_to_vec(),
    }
}

/// A chain whose blocks follow each other by themselves.
struct World {
    app: App,
    height: i64,
    sequences: Vec<(String, u64, u64)>,
    _dir: tempfile::TempDir,
}

impl World {
    fn new(keys: &[&Key]) -> Self {
        let (dir, app) = chain(keys);
        let numbered = (0..).zip(keys);
        Self {
            app,
            height: 1,
            sequences: numbered.map(|(n, k)| (k.address(), n, 0)).collect(),
            _dir: dir,
        }
    }

    fn run_with(&mut self, key: &Key, msg: Any, change: impl FnOnce(&mut Tx)) -> ExecTxResult {
        let who = key.address();
        let (_, number, sequence) = self.sequences.iter_mut().find(|(a, ..)| *a == who).unwrap();
        let tx = Tx::new(vec![msg], vec![(key.clone(), *number, *sequence)]).with(change);
        self.height += 1;
        let result = block(&self.app, self.height, &[tx.bytes()]).remove(0);
        // A transaction that fails in its messages has used its sequence.
        *sequence = account(&self.app, &who).unwrap().sequence;
        result
    }

    fn run(&mut self, key: &Key, msg: Any) -> ExecTxResult {
        self.run_with(key, msg, |_| {})
    }

    fn ok(&mut self, key: &Key, msg: Any) -> ExecTxResult {
        let result = self.run(key, msg);
        assert_eq!(result.code, 0, "{}", result.log);
        result
    }

    fn refused(&mut self, key: &Key, msg: Any, code: u32, text: &str) {
        let r = self.run(key, msg);
        assert!(
            r.code == code && r.log.contains(text),
            "{} {}, not {code} {text}",
            r.code,
            r.log
        );
    }
}

/// The block after the next `blocks` ones is later than this.
fn after(world: &World, blocks: i64) -> Option<Timestamp> {
    Some(Timestamp {
        seconds: 1_000 + world.height + blocks,
        nanos: 0,
    })
}

fn kinds(r: &ExecTxResult) -> Vec<&str> {
    r.events.iter().map(|e| e.r#type.as_str()).collect()
}

#[test]
fn another_pays_the_fee_within_the_allowance() {
    let (alice, carol, bob) = (Key::k1(1), Key::k1(2), Key::k1(99));
    let mut w = World::new(&[&alice, &carol]);
    let allow = |allowance: Any| {
        any(&MsgGrantAllowance {
            granter: carol.address(),
            grantee: alice.address(),
            allowance: Some(allowance),
        })
    };
    let basic = BasicAllowance {
        spend_limit: coin(12_000),
        expiration: None,
    };
    let granted = |t: &mut Tx| t.fee.granter = carol.address();
    let r = w.run_with(&alice, send(&alice, &bob), granted);
    assert_eq!((r.code, r.codespace.as_str()), (38, "sdk"), "{}", r.log);
    assert!(
        r.log.contains("does not allow to pay fees for"),
        "{}",
        r.log
    );

    let for_sends = AllowedMsgAllowance {
        allowance: Some(any(&basic)),
        allowed_messages: vec![SEND.into()],
    };
    let r = w.ok(&carol, allow(any(&for_sends)));
    assert!(kinds(&r).contains(&"set_feegrant"));
    w.refused(
        &carol,
        allow(any(&basic)),
        18,
        "fee allowance already exists: invalid request",
    );
    let before = balance(&w.app, &carol.address());
    let r = w.run_with(&alice, send(&alice, &bob), granted);
    assert_eq!(r.code, 0, "{}", r.log);
    assert_eq!(kinds(&r)[..2], ["use_feegrant", "update_feegrant"]);
    assert_eq!(
        (
            balance(&w.app, &carol.address()),
            balance(&w.app, &alice.address())
        ),
        (before - 5_000, 999_990)
    );
    let other = any(&MsgRevokeAllowance {
        granter: alice.address(),
        grantee: bob.address(),
    });
    let r = w.run_with(&alice, other, granted);
    assert_eq!((r.code, r.codespace.as_str()), (7, "feegrant"), "{}", r.log);
    let request = QueryAllowanceRequest {
        granter: carol.address(),
        grantee: alice.address(),
    };
    let path = "/cosmos.feegrant.v1beta1.Query/Allowance";
    let left: QueryAllowanceResponse = query(&w.app, path, &request).unwrap();
    let left = left.allowance.unwrap().allowance.unwrap();
    let left = AllowedMsgAllowance::decode(left.value.as_slice())
        .unwrap()
        .allowance
        .unwrap();
    assert_eq!(
        BasicAllowance::decode(left.value.as_slice())
            .unwrap()
            .spend_limit,
        coin(7_000)
    );
    let r = w.run_with(&alice, send(&alice, &bob), |t| {
        granted(t);
        t.fee.amount = coin(7_001);
    });
    assert_eq!((r.code, r.codespace.as_str()), (2, "feegrant"), "{}", r.log);
    let r = w.run_with(&alice, send(&alice, &bob), |t| {
        granted(t);
        t.fee.amount = coin(7_000);
    });
    assert_eq!(r.code, 0, "{}", r.log);
    assert_eq!(
        kinds(&r)[..2],
        ["revoke_feegrant", "use_feegrant"],
        "nothing is left of it"
    );
    assert_eq!(
        query::<QueryAllowanceResponse>(&w.app, path, &request)
            .unwrap_err()
            .0,
        38
    );
}

#[test]
fn allowances_end_are_taken_back_and_listed() {
    let (alice, carol, bob) = (Key::k1(1), Key::k1(2), Key::k1(99));
    let mut w = World::new(&[&alice, &carol]);
    let allow = |grantee: &Key, expiration| {
        any(&MsgGrantAllowance {
            granter: carol.address(),
            grantee: grantee.address(),
            allowance: Some(any(&BasicAllowance {
                spend_limit: vec![],
                expiration,
            })),
        })
    };
    let revoke = |grantee: &Key| {
        any(&MsgRevokeAllowance {
            granter: carol.address(),
            grantee: grantee.address(),
        })
    };
    let listed = |w: &World| {
        let request = QueryAllowancesByGranterRequest {
            granter: carol.address(),
            pagination: None,
        };
        let all: QueryAllowancesByGranterResponse = query(
            &w.app,
            "/cosmos.feegrant.v1beta1.Query/AllowancesByGranter",
            &request,
        )
        .unwrap();
        let request = QueryAllowancesRequest {
            grantee: alice.address(),
            pagination: None,
        };
        let his: QueryAllowancesResponse = query(
            &w.app,
            "/cosmos.feegrant.v1beta1.Query/Allowances",
            &request,
        )
        .unwrap();
        (all.allowances.len(), his.allowances.len())
    };
    w.refused(
        &carol,
        allow(&carol, None),
        7,
        "cannot self-grant fee authorization",
    );
    w.refused(
        &carol,
        allow(&alice, after(&w, -1)),
        18,
        "expiration is before current block time",
    );
    w.refused(&carol, revoke(&alice), 38, "fee-grant not found: not found");
    let soon = after(&w, 3);
    w.ok(&carol, allow(&alice, soon));
    w.ok(&carol, allow(&bob, None));
    assert!(
        account(&w.app, &bob.address()).is_ok(),
        "the grantee has an account now"
    );
    assert_eq!(listed(&w), (2, 1));
    let exported = w.app.export().unwrap();
    let grants = exported["feegrant"]["allowances"].as_array().unwrap();
    assert!(
        grants
            .iter()
            .any(|g| g["allowance"]["expiration"] == "1970-01-01T00:16:47Z"),
        "{grants:?}"
    );
    // One in its place that never ends must not end with it.
    w.ok(&carol, revoke(&alice));
    w.ok(&carol, allow(&alice, None));
    for _ in 0..3 {
        w.ok(
            &carol,
            any(&MsgPruneAllowances {
                pruner: carol.address(),
            }),
        );
    }
    assert_eq!(listed(&w), (2, 1));
    w.ok(&carol, revoke(&alice));
    let ends = after(&w, 2);
    w.ok(&carol, allow(&alice, ends));
    assert_eq!(listed(&w), (2, 1));
    w.height += 1;
    block(&w.app, w.height, &[]);
    w.height += 1;
    block(&w.app, w.height, &[]);
    assert_eq!(listed(&w), (1, 0), "it ended by itself");
    // The genesis goes both ways.
    let exported = w.app.export().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let again = open(dir.path());
    init(&again, &exported);
    block(&again, 1, &[]);
    assert_eq!(again.export().unwrap()["feegrant"], exported["feegrant"]);
}

fn authorize(
    granter: &Key,
    grantee: &Key,
    authorization: Any,
    expiration: Option<Timestamp>,
) -> Any {
    any(&MsgGrant {
        granter: granter.address(),
        grantee: grantee.address(),
        grant: Some(Grant {
            authorization: Some(authorization),
            expiration,
        }),
    })
}

fn exec(grantee: &Key, msgs: Vec<Any>) -> Any {
    any(&MsgExec {
        grantee: grantee.address(),
        msgs,
    })
}

#[test]
fn another_sends_in_ones_name_within_the_grant() {
    let (alice, carol, bob) = (Key::k1(1), Key::k1(2), Key::k1(99));
    let mut w = World::new(&[&alice, &carol]);
    let theft = exec(&alice, vec![send(&carol, &bob)]);
    w.refused(
        &alice,
        theft.clone(),
        2,
        "failed to get grant with given granter",
    );
    let limited = SendAuthorization {
        spend_limit: coin(25),
        allow_list: vec![bob.address()],
    };
    let r = w.ok(&carol, authorize(&carol, &alice, any(&limited), None));
    let event = r
        .events
        .iter()
        .find(|e| e.r#type == "cosmos.authz.v1beta1.EventGrant")
        .unwrap();
    let attributes: Vec<_> = event
        .attributes
        .iter()
        .map(|a| (a.key.as_str(), a.value.clone()))
        .collect();
    assert_eq!(attributes[2], ("msg_type_url", format!("\"{SEND}\"")));
    let r = w.ok(
        &alice,
        exec(&alice, vec![send(&carol, &bob), send(&alice, &bob)]),
    );
    let transfers = r.events.iter().filter(|e| e.r#type == "transfer");
    let indices: Vec<_> = transfers
        .filter_map(|e| e.attributes.iter().find(|a| a.key == "authz_msg_index"))
        .map(|a| a.value.as_str())
        .collect();
    assert_eq!(indices, ["0", "1"]);
    assert_eq!(balance(&w.app, &bob.address()), 20);
    // Another recipient, and more than is left: 15.
    w.refused(
        &alice,
        exec(&alice, vec![send(&carol, &alice)]),
        4,
        "cannot send to",
    );
    w.refused(
        &alice,
        exec(&alice, vec![send(&carol, &bob), send(&carol, &bob)]),
        5,
        "requested amount is more than spend limit",
    );
    assert_eq!(balance(&w.app, &bob.address()), 20, "all or nothing");
    w.ok(&alice, exec(&alice, vec![send(&carol, &bob)]));
    w.refused(&alice, theft.clone(), 5, "more than spend limit");
    // Any message of a type; messages in messages.
    let generic = any(&GenericAuthorization { msg: SEND.into() });
    let soon = after(&w, 4);
    w.ok(&carol, authorize(&carol, &alice, generic.clone(), soon));
    w.ok(&alice, theft.clone());
    w.ok(
        &alice,
        exec(&alice, vec![exec(&alice, vec![send(&carol, &bob)])]),
    );
    let mut deep = send(&carol, &bob);
    for _ in 0..12 {
        deep = exec(&alice, vec![deep]);
    }
    w.refused(&alice, deep, 18, "messages at most 10 deep");
    w.refused(&alice, theft.clone(), 2, "authorization not found");
    w.refused(
        &carol,
        authorize(&carol, &carol, generic.clone(), None),
        7,
        "grantee and granter should be different",
    );
    w.refused(
        &carol,
        authorize(&carol, &alice, generic.clone(), after(&w, 0)),
        3,
        "expiration must be after the current block time",
    );
    let unknown = any(&GenericAuthorization {
        msg: "/no.Msg".into(),
    });
    w.refused(
        &carol,
        authorize(&carol, &alice, unknown, None),
        29,
        "/no.Msg doesn't exist.",
    );
    w.refused(&alice, exec(&alice, vec![]), 18, "messages cannot be empty");
    w.refused(
        &alice,
        exec(&alice, vec![exec(&carol, vec![send(&carol, &bob)])]),
        2,
        "authorization not found",
    );
    w.ok(&carol, authorize(&carol, &alice, generic, None));
    let revoke = any(&MsgRevoke {
        granter: carol.address(),
        grantee: alice.address(),
        msg_type_url: SEND.into(),
    });
    let r = w.ok(&carol, revoke.clone());
    assert!(kinds(&r).contains(&"cosmos.authz.v1beta1.EventRevoke"));
    w.refused(&carol, revoke, 2, "failed to delete grant");
    w.refused(&alice, theft, 2, "authorization not found");
}

#[test]
fn grants_end_are_replaced_and_listed() {
    let (alice, carol, bob) = (Key::k1(1), Key::k1(2), Key::k1(99));
    let mut w = World::new(&[&alice, &carol]);
    let generic = |msg: &str| any(&GenericAuthorization { msg: msg.into() });
    let soon = after(&w, 6);
    w.ok(&carol, authorize(&carol, &alice, generic(SEND), soon));
    w.ok(
        &carol,
        authorize(
            &carol,
            &alice,
            generic("/cosmos.bank.v1beta1.MsgMultiSend"),
            soon,
        ),
    );
    w.ok(&carol, authorize(&carol, &bob, generic(SEND), soon));
    let counts = |w: &World| {
        let (granter, grantee) = (carol.address(), alice.address());
        let pair = QueryGrantsRequest {
            granter: granter.clone(),
            grantee: grantee.clone(),
            ..Default::default()
        };
        let pair: QueryGrantsResponse =
            query(&w.app, "/cosmos.authz.v1beta1.Query/Grants", &pair).unwrap();
        let given = QueryGranterGrantsRequest {
            granter,
            pagination: None,
        };
        let given: QueryGranterGrantsResponse =
            query(&w.app, "/cosmos.authz.v1beta1.Query/GranterGrants", &given).unwrap();
        let got = QueryGranteeGrantsRequest {
            grantee,
            pagination: None,
        };
        let got: QueryGranteeGrantsResponse =
            query(&w.app, "/cosmos.authz.v1beta1.Query/GranteeGrants", &got).unwrap();
        assert!(given.grants.iter().all(|g| g.granter == carol.address()));
        assert!(got.grants.iter().all(|g| g.grantee == alice.address()));
        [pair.grants.len(), given.grants.len(), got.grants.len()]
    };
    assert_eq!(counts(&w), [2, 3, 2]);
    let one = QueryGrantsRequest {
        granter: carol.address(),
        grantee: alice.address(),
        msg_type_url: "/x".into(),
        pagination: None,
    };
    let missing = query::<QueryGrantsResponse>(&w.app, "/cosmos.authz.v1beta1.Query/Grants", &one)
        .unwrap_err();
    assert_eq!(
        missing,
        (
            2,
            "authorization not found for /x type: authorization not found".into()
        )
    );
    // One that is given anew without an end stays.
    w.ok(&carol, authorize(&carol, &alice, generic(SEND), None));
    let exported = w.app.export().unwrap();
    assert_eq!(
        exported["authz"]["authorization"].as_array().unwrap().len(),
        3
    );
    for _ in 0..4 {
        w.height += 1;
        block(&w.app, w.height, &[]);
    }
    assert_eq!(counts(&w), [1, 1, 1]);
    let dir = tempfile::tempdir().unwrap();
    let again = open(dir.path());
    init(&again, &exported);
    block(&again, 1, &[]);
    assert_eq!(again.export().unwrap()["authz"], exported["authz"]);
}
