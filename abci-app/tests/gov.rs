//! Governance through the application: proposals, deposits, votes, what passes and what does not.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod app_support;
mod stake_support;

use app_support::*;
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        bank::v1beta1::MsgSend,
        base::v1beta1::Coin,
        gov::{
            v1::{self as gov, ProposalStatus, VoteOption},
            v1beta1 as old,
        },
        slashing::v1beta1 as slashing,
    },
};
use ember_abci_app::app::App;
use prost::{Message, Name};
use serde_json::{Value, json};
use stake_support::*;
use tendermint_proto::{
    google::protobuf::Duration,
    v0_38::abci::{Event, ExecTxResult},
};

const YES: i32 = VoteOption::Yes as i32;
const NO: i32 = VoteOption::No as i32;
const VETO: i32 = VoteOption::NoWithVeto as i32;
const ABSTAIN: i32 = VoteOption::Abstain as i32;

fn state() -> Value {
    let coin = |amount: &str| json!([{ "denom": "uember", "amount": amount }]);
    json!({
        "starting_proposal_id": "1", "deposits": [], "votes": [], "proposals": [],
        "deposit_params": null, "voting_params": null, "tally_params": null,
        "params": {
            "min_deposit": coin("1000"), "max_deposit_period": "100s", "voting_period": "200s",
            "quorum": "0.334000000000000000", "threshold": "0.500000000000000000", "veto_threshold": "0.334000000000000000",
            "min_initial_deposit_ratio": "0.000000000000000000", "proposal_cancel_ratio": "0.500000000000000000",
            "proposal_cancel_dest": "", "expedited_voting_period": "50s", "expedited_threshold": "0.667000000000000000",
            "expedited_min_deposit": coin("5000"), "burn_vote_quorum": false, "burn_proposal_deposit_prevote": false,
            "burn_vote_veto": true, "min_deposit_ratio": "0.010000000000000000"
        },
        "constitution": "be kind"
    })
}

fn chain_with(change: impl FnOnce(&mut Value)) -> StakeChain {
    let mut c = StakeChain::new(|s| {
        s["gov"] = state();
        change(&mut s["gov"]);
    })
    .unwrap();
    c.block(&[]);
    c
}

fn chain() -> StakeChain {
    chain_with(|_| {})
}

fn any<M: Message + Name>(m: &M) -> Any {
    Any {
        type_url: format!("/{}", M::full_name()),
        value: m.encode_to_vec(),
    }
}

/// Another window of blocks that validators are looked at in.
fn window(signed_blocks_window: i64) -> Any {
    any(&slashing::MsgUpdateParams {
        authority: module("gov"),
        params: Some(slashing::Params {
            signed_blocks_window,
            min_signed_per_window: b"500000000000000000".to_vec(),
            downtime_jail_duration: Some(Duration {
                seconds: 600,
                nanos: 0,
            }),
            slash_fraction_double_sign: b"50000000000000000".to_vec(),
            slash_fraction_downtime: b"10000000000000000".to_vec(),
        }),
    })
}

fn window_now(c: &StakeChain) -> i64 {
    let path = "/cosmos.slashing.v1beta1.Query/Params";
    let answer: slashing::QueryParamsResponse =
        query(&c.app, path, &slashing::QueryParamsRequest {}).unwrap();
    answer.params.unwrap().signed_blocks_window
}

fn proposing(c: &StakeChain, messages: Vec<Any>, deposit: u128) -> gov::MsgSubmitProposal {
    gov::MsgSubmitProposal {
        messages,
        initial_deposit: coins(&[("uember", deposit)]),
        proposer: c.wallets[2].address.clone(),
        metadata: String::new(),
        title: "a title".into(),
        summary: "a summary".into(),
        expedited: false,
    }
}

/// Wallet 2 proposes.
fn propose(c: &mut StakeChain, messages: Vec<Any>, deposit: u128) {
    c.ok(&[c.tx(2, 25_000, &proposing(c, messages, deposit))]);
}

fn vote(c: &StakeChain, who: usize, proposal_id: u64, option: i32) -> Vec<u8> {
    let m = gov::MsgVote {
        proposal_id,
        voter: c.wallets[who].address.clone(),
        option,
        metadata: String::new(),
    };
    c.tx(who, 25_000, &m)
}

fn deposit(c: &StakeChain, who: usize, proposal_id: u64, amount: u128) -> Vec<u8> {
    let m = gov::MsgDeposit {
        proposal_id,
        depositor: c.wallets[who].address.clone(),
        amount: coins(&[("uember", amount)]),
    };
    c.tx(who, 25_000, &m)
}

fn cancel(c: &StakeChain, who: usize, proposal_id: u64) -> Vec<u8> {
    let m = gov::MsgCancelProposal {
        proposal_id,
        proposer: c.wallets[who].address.clone(),
    };
    c.tx(who, 25_000, &m)
}

fn find(c: &StakeChain, proposal_id: u64) -> Result<gov::Proposal, (u32, String)> {
    let req = gov::QueryProposalRequest { proposal_id };
    let path = "/cosmos.gov.v1.Query/Proposal";
    query::<gov::QueryProposalResponse>(&c.app, path, &req).map(|a| a.proposal.unwrap())
}

fn tally(c: &StakeChain, proposal_id: u64) -> [String; 4] {
    let req = gov::QueryTallyResultRequest { proposal_id };
    let path = "/cosmos.gov.v1.Query/TallyResult";
    let t = query::<gov::QueryTallyResultResponse>(&c.app, path, &req);
    let t = t.unwrap().tally.unwrap();
    [
        t.yes_count,
        t.abstain_count,
        t.no_count,
        t.no_with_veto_count,
    ]
}

fn votes(c: &StakeChain, proposal_id: u64) -> Vec<gov::Vote> {
    let req = gov::QueryVotesRequest {
        proposal_id,
        pagination: None,
    };
    let path = "/cosmos.gov.v1.Query/Votes";
    let answer: gov::QueryVotesResponse = query(&c.app, path, &req).unwrap();
    answer.votes
}

fn attr<'a>(events: &'a [Event], kind: &str, key: &str) -> Option<&'a str> {
    let found = events.iter().filter(|e| e.r#type == kind);
    let mut found = found.flat_map(|e| &e.attributes).filter(|a| a.key == key);
    found.next().map(|a| a.value.as_str())
}

/// The only transaction of a block fails so.
fn fails(mut block: Vec<ExecTxResult>, codespace: &str, code: u32, text: &str) {
    let r = block.remove(0);
    assert_eq!(
        (r.codespace.as_str(), r.code),
        (codespace, code),
        "{}",
        r.log
    );
    assert!(r.log.contains(text), "{}", r.log);
}

fn locked(c: &StakeChain) -> u128 {
    held(&c.app, &module("gov"))
}

fn supply(c: &StakeChain) -> u128 {
    let state = c.app.export().unwrap();
    let list = state["bank"]["supply"].as_array().unwrap().clone();
    let coin = list.into_iter().find(|s| s["denom"] == "uember").unwrap();
    coin["amount"].as_str().unwrap().parse().unwrap()
}

#[test]
fn what_passes_is_executed_and_validators_vote_for_those_who_do_not() {
    let mut c = chain();
    c.ok(&[
        c.delegate(2, 0, 3_000_000),
        c.delegate(3, 0, 6_000_000),
        c.delegate(4, 1, 2_000_000),
    ]);
    let before = c.balance_of(2, "uember");
    let tx = c.tx(2, 25_000, &proposing(&c, vec![window(77)], 1_000));
    let r = c.block(&[tx]).remove(0);
    assert_eq!(r.code, 0, "{}", r.log);
    let said = |key: &str| attr(&r.events, "submit_proposal", key);
    assert_eq!(said("proposal_id"), Some("1"));
    assert_eq!(
        said("proposal_messages"),
        Some(",/cosmos.slashing.v1beta1.MsgUpdateParams")
    );
    assert_eq!(said("voting_period_start"), Some("1"));
    assert_eq!(
        attr(&r.events, "proposal_deposit", "amount"),
        Some("1000uember")
    );
    assert_eq!(locked(&c), 1_000);
    let p = find(&c, 1).unwrap();
    assert_eq!(p.status(), ProposalStatus::VotingPeriod);
    assert_eq!(p.voting_end_time.unwrap().seconds, c.now() + 200);
    let split = gov::MsgVoteWeighted {
        proposal_id: 1,
        voter: c.wallets[4].address.clone(),
        options: [YES, ABSTAIN]
            .map(|option| gov::WeightedVoteOption {
                option,
                weight: "0.5".into(),
            })
            .to_vec(),
        metadata: String::new(),
    };
    // The third delegator does not vote: its validator does for it. The last vote of one counts.
    c.ok(&[
        vote(&c, 0, 1, YES),
        vote(&c, 1, 1, NO),
        vote(&c, 2, 1, NO),
        c.tx(4, 25_000, &split),
    ]);
    let r = c.block(&[vote(&c, 2, 1, YES)]).remove(0);
    assert_eq!(
        attr(&r.events, "proposal_vote", "option"),
        Some(r#"[{"option":1,"weight":"1.000000000000000000"}]"#)
    );
    // Yes: 10 and 6 of the first validator, 3, and half of 2.
    let counted = ["20000000", "1000000", "10000000", "0"].map(String::from);
    assert_eq!(tally(&c, 1), counted);
    assert_eq!(votes(&c, 1).len(), 4);
    assert_eq!(window_now(&c), 100);
    c.wait(200);
    c.block(&[]);
    assert_eq!(window_now(&c), 77);
    let p = find(&c, 1).unwrap();
    assert_eq!(p.status(), ProposalStatus::Passed);
    assert_eq!(p.failed_reason, "");
    assert_eq!(tally(&c, 1), counted);
    assert!(votes(&c, 1).is_empty());
    assert_eq!((locked(&c), c.balance_of(2, "uember")), (0, before));
    let said = |key: &str| attr(&c.events, "active_proposal", key);
    assert_eq!(said("proposal_result"), Some("proposal_passed"));
    assert_eq!(said("proposal_log"), Some("passed"));
    assert_eq!(said("mode"), Some("EndBlock"));
    c.wait(200);
    c.block(&[]);
    assert_eq!(attr(&c.events, "active_proposal", "proposal_id"), None);
}

#[test]
fn a_veto_burns_and_too_few_votes_do_not() {
    let mut c = chain();
    let all = supply(&c);
    propose(&mut c, vec![window(77)], 1_000);
    propose(&mut c, vec![window(77)], 1_000);
    // A half vetoes the first, which is more than a third; nobody votes on the second.
    c.ok(&[vote(&c, 0, 1, VETO), vote(&c, 1, 1, YES)]);
    c.ok(&[deposit(&c, 3, 1, 500)]);
    c.wait(200);
    c.block(&[]);
    let p = find(&c, 1).unwrap();
    assert_eq!(p.status(), ProposalStatus::Rejected);
    assert_eq!(p.failed_reason, "proposal did not get enough votes to pass");
    assert_eq!(
        attr(&c.events, "active_proposal", "proposal_result"),
        Some("proposal_rejected")
    );
    assert_eq!(attr(&c.events, "burn", "amount"), Some("1500uember"));
    assert_eq!((locked(&c), supply(&c)), (0, all - 1_500));
    assert_eq!(find(&c, 2).unwrap().status(), ProposalStatus::Rejected);
    assert_eq!(window_now(&c), 100);
}

#[test]
fn a_message_that_fails_undoes_those_before_it() {
    let mut c = chain();
    let send = any(&MsgSend {
        from_address: module("gov"),
        to_address: c.wallets[3].address.clone(),
        amount: coins(&[("uember", 5_000)]),
    });
    propose(&mut c, vec![window(77), send], 1_000);
    c.ok(&[vote(&c, 0, 1, YES), vote(&c, 1, 1, YES)]);
    c.wait(200);
    c.block(&[]);
    let p = find(&c, 1).unwrap();
    assert_eq!(p.status(), ProposalStatus::Failed);
    let why = "spendable balance 0uember is smaller than 5000uember: insufficient funds";
    assert_eq!(p.failed_reason, why);
    assert_eq!(window_now(&c), 100);
    let log =
        format!("passed, but msg 1 (/cosmos.bank.v1beta1.MsgSend) failed on execution: {why}");
    let said = |key: &str| attr(&c.events, "active_proposal", key);
    assert_eq!(said("proposal_result"), Some("proposal_failed"));
    assert_eq!(said("proposal_log"), Some(log.as_str()));
    assert_eq!(locked(&c), 0, "the deposit came back");
}

#[test]
fn deposits_that_do_not_suffice_come_back_or_are_burnt() {
    for burnt in [false, true] {
        let mut c = chain_with(|g| {
            g["params"]["burn_proposal_deposit_prevote"] = burnt.into();
        });
        let (all, had) = (supply(&c), c.balance_of(2, "uember"));
        propose(&mut c, vec![window(77)], 600);
        propose(&mut c, vec![window(77)], 600);
        c.ok(&[deposit(&c, 3, 1, 399), deposit(&c, 3, 2, 400)]);
        assert_eq!(find(&c, 1).unwrap().status(), ProposalStatus::DepositPeriod);
        assert_eq!(find(&c, 2).unwrap().status(), ProposalStatus::VotingPeriod);
        fails(
            c.block(&[vote(&c, 0, 1, YES)]),
            "gov",
            3,
            "1: inactive proposal",
        );
        c.wait(100);
        c.block(&[]);
        let (code, log) = find(&c, 1).unwrap_err();
        assert_eq!(code, 22, "{log}");
        assert!(log.contains("proposal 1 doesn't exist"), "{log}");
        let said = |key: &str| attr(&c.events, "inactive_proposal", key);
        assert_eq!(said("proposal_id"), Some("1"));
        assert_eq!(said("proposal_result"), Some("proposal_dropped"));
        assert_eq!(locked(&c), 1_000, "the other is voted on");
        let (gone, mine) = if burnt { (999, 1_200) } else { (0, 600) };
        assert_eq!(supply(&c), all - gone);
        assert_eq!(c.balance_of(2, "uember"), had - mine);
        fails(
            c.block(&[deposit(&c, 3, 1, 400)]),
            "undefined",
            1,
            "collections: not found: key '1'",
        );
    }
}

#[test]
fn what_is_expedited_and_fails_is_voted_on_again() {
    let mut c = chain();
    c.ok(&[c.delegate(3, 0, 2_000_000)]);
    let m = gov::MsgSubmitProposal {
        expedited: true,
        ..proposing(&c, vec![window(77)], 5_000)
    };
    c.ok(&[c.tx(2, 25_000, &m)]);
    let begun = c.now();
    let p = find(&c, 1).unwrap();
    assert_eq!(p.voting_end_time.unwrap().seconds, begun + 50);
    // 12 of 22: more than a half, less than two thirds.
    c.ok(&[vote(&c, 0, 1, YES), vote(&c, 1, 1, NO)]);
    c.wait(50);
    c.block(&[]);
    let said = |key: &str| attr(&c.events, "active_proposal", key);
    assert_eq!(said("proposal_result"), Some("expedited_proposal_rejected"));
    assert_eq!(
        said("proposal_log"),
        Some("expedited proposal converted to regular")
    );
    let p = find(&c, 1).unwrap();
    assert_eq!(
        (p.status(), p.expedited),
        (ProposalStatus::VotingPeriod, false)
    );
    assert_eq!(p.voting_end_time.unwrap().seconds, begun + 200);
    assert_eq!(locked(&c), 5_000);
    assert!(votes(&c, 1).is_empty(), "everyone votes anew");
    c.ok(&[vote(&c, 0, 1, YES), vote(&c, 1, 1, NO)]);
    c.wait(150);
    c.block(&[]);
    assert_eq!(find(&c, 1).unwrap().status(), ProposalStatus::Passed);
    assert_eq!((window_now(&c), locked(&c)), (77, 0));
}

#[test]
fn who_takes_a_proposal_back_pays_for_it() {
    let mut c = chain();
    let (all, had) = (supply(&c), c.balance_of(2, "uember"));
    propose(&mut c, vec![window(77)], 1_001);
    c.ok(&[vote(&c, 0, 1, YES)]);
    fails(c.block(&[cancel(&c, 3, 1)]), "gov", 18, "invalid proposer");
    c.ok(&[cancel(&c, 2, 1)]);
    assert!(find(&c, 1).is_err());
    assert!(votes(&c, 1).is_empty());
    // Half, rounded down, is burnt.
    assert_eq!((supply(&c), locked(&c)), (all - 500, 0));
    assert_eq!(c.balance_of(2, "uember"), had - 500);
    c.wait(300);
    c.block(&[]);
    assert_eq!(attr(&c.events, "active_proposal", "proposal_id"), None);

    for to in [module("distribution"), Wallet::new(6).address] {
        let mut c = chain_with(|g| {
            g["params"]["proposal_cancel_dest"] = to.clone().into();
        });
        let (all, had) = (supply(&c), held(&c.app, &to));
        propose(&mut c, vec![window(77)], 1_000);
        c.ok(&[cancel(&c, 2, 1)]);
        assert_eq!(supply(&c), all);
        assert_eq!(held(&c.app, &to), had + 500);
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut c = chain_with(|g| {
        g["params"]["min_initial_deposit_ratio"] = "0.500000000000000000".into();
    });
    let good = proposing(&c, vec![window(77)], 1_000);
    let send = |from: &str| {
        any(&MsgSend {
            from_address: from.into(),
            to_address: module("gov"),
            amount: coins(&[("uember", 1)]),
        })
    };
    let own = send(&c.wallets[2].address);
    let with = |change: &dyn Fn(&mut gov::MsgSubmitProposal)| {
        let mut m = good.clone();
        change(&mut m);
        m
    };
    let paying = |denom: &str, amount| coins(&[(denom, amount)]);
    let described = |text: &str| text.to_owned();
    type Case<'a> = (gov::MsgSubmitProposal, &'a str, u32, &'a str);
    let cases: Vec<Case> = vec![
        (
            with(&|m| m.title.clear()),
            "sdk",
            18,
            "proposal title cannot be empty",
        ),
        (
            with(&|m| m.summary.clear()),
            "sdk",
            18,
            "proposal summary cannot be empty",
        ),
        (
            with(&|m| m.messages.clear()),
            "gov",
            11,
            "either metadata or Msgs length must be non-nil",
        ),
        (
            with(&|m| m.messages = vec![own.clone()]),
            "gov",
            13,
            "expected gov account as only signer",
        ),
        (
            with(&|m| m.messages[0].type_url = "/a.b.Msg".into()),
            "sdk",
            2,
            "unable to resolve type URL",
        ),
        (
            with(&|m| m.metadata = "x".repeat(256)),
            "gov",
            15,
            "got metadata with length 256",
        ),
        (
            with(&|m| m.title = "x".repeat(256)),
            "gov",
            15,
            "got metadata with length 256",
        ),
        (
            with(&|m| m.summary = "x".repeat(10_201)),
            "gov",
            22,
            "got summary with length 10201",
        ),
        (
            with(&|m| m.metadata = described(r#"{"title":"other"}"#)),
            "gov",
            5,
            "metadata title 'other' must equal proposal title 'a title'",
        ),
        (
            with(&|m| m.metadata = described(r#"{"Title":"a title","summary":""}"#)),
            "gov",
            5,
            "metadata summary '' must equal",
        ),
        (
            with(&|m| m.initial_deposit = paying("uember", 499)),
            "gov",
            16,
            "was (499uember), need (500uember)",
        ),
        (
            with(&|m| m.initial_deposit.push(paying("uusdc", 5).remove(0))),
            "gov",
            23,
            "gov accepts only the following denom(s): [uember]",
        ),
        (
            with(&|m| m.initial_deposit.push(paying("uember", 5).remove(0))),
            "sdk",
            10,
            "1000uember,5uember: invalid coins",
        ),
        (
            with(&|m| m.expedited = true),
            "gov",
            16,
            "need (2500uember)",
        ),
    ];
    for (m, codespace, code, text) in cases {
        let tx = c.tx(2, 25_000, &m);
        fails(c.block(&[tx]), codespace, code, text);
    }
    // Metadata of another form says nothing of the title.
    c.ok(&[c.tx(2, 25_000, &with(&|m| m.metadata = described("ipfs://CID")))]);
    assert_eq!(
        find(&c, 1).unwrap().metadata,
        "ipfs://CID",
        "none before was kept"
    );
    fails(
        c.block(&[vote(&c, 0, 1, 9)]),
        "gov",
        7,
        "9: invalid vote option",
    );
    fails(
        c.block(&[vote(&c, 0, 1, 0)]),
        "gov",
        7,
        "VOTE_OPTION_UNSPECIFIED",
    );
    for (weights, text) in [
        (vec![(YES, "0.5")], "total weight lower than 1.00"),
        (vec![(YES, "0.5"), (YES, "0.5")], "duplicated vote option"),
        (
            vec![(YES, "0.5"), (NO, "0.6")],
            "total weight overflow 1.00",
        ),
        (vec![(YES, "1.5")], "option:VOTE_OPTION_YES weight:\"1.5\""),
        (vec![(YES, "x")], "weight:\"x\""),
    ] {
        let options = weights
            .iter()
            .map(|(option, weight)| gov::WeightedVoteOption {
                option: *option,
                weight: (*weight).into(),
            });
        let m = gov::MsgVoteWeighted {
            proposal_id: 1,
            voter: c.wallets[0].address.clone(),
            options: options.collect(),
            metadata: String::new(),
        };
        let tx = c.tx(0, 25_000, &m);
        fails(c.block(&[tx]), "gov", 7, text);
    }
    fails(
        c.block(&[deposit(&c, 3, 1, 9)]),
        "gov",
        16,
        "received 9uember but need at least one of the following: 10uember",
    );
    let m = gov::MsgUpdateParams {
        authority: c.wallets[3].address.clone(),
        params: None,
    };
    let tx = c.tx(3, 25_000, &m);
    fails(c.block(&[tx]), "gov", 13, "invalid authority; expected");
    assert_eq!(locked(&c), 1_000);
}

#[test]
fn governance_changes_its_own_rules() {
    let mut c = chain();
    let params = |c: &StakeChain| {
        let req = gov::QueryParamsRequest::default();
        let path = "/cosmos.gov.v1.Query/Params";
        query::<gov::QueryParamsResponse>(&c.app, path, &req)
            .unwrap()
            .params
            .unwrap()
    };
    let update = |params| {
        any(&gov::MsgUpdateParams {
            authority: module("gov"),
            params: Some(params),
        })
    };
    let quorum = "0.400000000000000000";
    let good = gov::Params {
        quorum: quorum.into(),
        ..params(&c)
    };
    let bad = gov::Params {
        threshold: "0.700000000000000000".into(),
        ..params(&c)
    };
    propose(&mut c, vec![update(good)], 1_000);
    propose(&mut c, vec![update(bad)], 1_000);
    c.ok(&[vote(&c, 0, 1, YES), vote(&c, 0, 2, YES)]);
    c.wait(200);
    c.block(&[]);
    assert_eq!(params(&c).quorum, quorum);
    let p = find(&c, 2).unwrap();
    assert_eq!(
        p.failed_reason,
        "expedited vote threshold 0.667000000000000000, must be greater than the regular threshold 0.700000000000000000"
    );
}

#[test]
fn lists_are_filtered() {
    let mut c = chain();
    for amount in [1_000, 100, 1_000] {
        propose(&mut c, vec![window(77)], amount);
    }
    c.ok(&[vote(&c, 0, 1, YES), deposit(&c, 3, 3, 10)]);
    let list = |req: gov::QueryProposalsRequest| -> Vec<u64> {
        let path = "/cosmos.gov.v1.Query/Proposals";
        let answer: gov::QueryProposalsResponse = query(&c.app, path, &req).unwrap();
        answer.proposals.iter().map(|p| p.id).collect()
    };
    let req = gov::QueryProposalsRequest::default;
    assert_eq!(list(req()), [1, 2, 3]);
    let waiting = gov::QueryProposalsRequest {
        proposal_status: ProposalStatus::DepositPeriod as i32,
        ..req()
    };
    assert_eq!(list(waiting), [2]);
    let voter = c.wallets[0].address.clone();
    assert_eq!(list(gov::QueryProposalsRequest { voter, ..req() }), [1]);
    let depositor = c.wallets[3].address.clone();
    assert_eq!(list(gov::QueryProposalsRequest { depositor, ..req() }), [3]);
    let ask = gov::QueryDepositsRequest {
        proposal_id: 3,
        pagination: None,
    };
    let all: gov::QueryDepositsResponse =
        query(&c.app, "/cosmos.gov.v1.Query/Deposits", &ask).unwrap();
    let sum = |c: &Coin| c.amount.parse::<u128>().unwrap();
    let amounts = all.deposits.iter().flat_map(|d| &d.amount).map(sum);
    assert_eq!(amounts.sum::<u128>(), 1_010);
    let ask = gov::QueryVoteRequest {
        proposal_id: 1,
        voter: c.wallets[1].address.clone(),
    };
    let none = query::<gov::QueryVoteResponse>(&c.app, "/cosmos.gov.v1.Query/Vote", &ask);
    assert_eq!(none.unwrap_err().0, 18);
    let told: gov::QueryConstitutionResponse = query(
        &c.app,
        "/cosmos.gov.v1.Query/Constitution",
        &gov::QueryConstitutionRequest {},
    )
    .unwrap();
    assert_eq!(told.constitution, "be kind");
}

#[test]
fn what_the_chain_exports_it_takes_again() {
    let mut c = chain();
    propose(&mut c, vec![window(77)], 1_000);
    propose(&mut c, vec![window(88)], 100);
    propose(&mut c, vec![window(99)], 1_000);
    c.ok(&[
        vote(&c, 0, 1, YES),
        vote(&c, 1, 1, NO),
        deposit(&c, 3, 1, 50),
    ]);
    let out = c.app.export().unwrap();
    assert_eq!(out["gov"]["votes"].as_array().unwrap().len(), 2);
    assert_eq!(out["gov"]["deposits"].as_array().unwrap().len(), 4);
    assert_eq!(out["gov"]["starting_proposal_id"], "4");
    let of = &out["gov"]["proposals"][1]["messages"][0];
    assert_eq!(of["params"]["signed_blocks_window"], "88");
    App::validate_genesis(&out).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let again = open(dir.path());
    init(&again, &out);
    block(&again, 1, &[]);
    assert_eq!(again.export().unwrap()["gov"], out["gov"]);

    let refused = |change: &dyn Fn(&mut Value), text: &str| {
        let mut state = out.clone();
        change(&mut state["gov"]);
        let e = App::validate_genesis(&state).unwrap_err();
        assert!(e.log.contains(text), "{}", e.log);
    };
    refused(
        &|g| g["starting_proposal_id"] = "0".into(),
        "starting proposal id must be greater than 0",
    );
    refused(&|g| g["params"] = Value::Null, "params");
    refused(
        &|g| g["deposits"][0]["amount"][0]["amount"] = "1".into(),
        "expected module account was 2150uember but we got",
    );
    refused(
        &|g| g["deposits"][0]["proposal_id"] = "9".into(),
        "non-existent proposal id: 9",
    );
    refused(&|g| g["votes"][1] = g["votes"][0].clone(), "duplicate vote");
    refused(
        &|g| g["proposals"][1] = g["proposals"][0].clone(),
        "duplicate proposal id: 1",
    );
    refused(
        &|g| g["params"]["quorum"] = "1.100000000000000000".into(),
        "quorom too large",
    );
}

#[test]
fn the_older_messages_and_queries_are_answered() {
    let mut c = chain();
    let content = |url: &str| {
        let text = old::TextProposal {
            title: "hear".into(),
            description: "hear this".into(),
        };
        Some(Any {
            type_url: url.into(),
            value: text.encode_to_vec(),
        })
    };
    let submit = |c: &StakeChain, content| {
        let m = old::MsgSubmitProposal {
            content,
            initial_deposit: coins(&[("uember", 1_000)]),
            proposer: c.wallets[2].address.clone(),
        };
        c.tx(2, 25_000, &m)
    };
    let other = content("/cosmos.params.v1beta1.ParameterChangeProposal");
    let tx = submit(&c, other);
    fails(
        c.block(&[tx]),
        "gov",
        9,
        "no handler exists for proposal type",
    );
    c.ok(&[submit(&c, content("/cosmos.gov.v1beta1.TextProposal"))]);
    let option = |option, weight: &str| old::WeightedVoteOption {
        option,
        weight: weight.into(),
    };
    let split = old::MsgVoteWeighted {
        proposal_id: 1,
        voter: c.wallets[1].address.clone(),
        options: vec![
            option(YES, "700000000000000000"),
            option(VETO, "300000000000000000"),
        ],
    };
    let whole = old::MsgVote {
        proposal_id: 1,
        voter: c.wallets[0].address.clone(),
        option: YES,
    };
    c.ok(&[c.tx(0, 25_000, &whole), c.tx(1, 25_000, &split)]);
    let ask = old::QueryVoteRequest {
        proposal_id: 1,
        voter: c.wallets[1].address.clone(),
    };
    let got: old::QueryVoteResponse =
        query(&c.app, "/cosmos.gov.v1beta1.Query/Vote", &ask).unwrap();
    assert_eq!(got.vote.unwrap().options, split.options);
    assert_eq!(
        tally(&c, 1),
        ["17000000", "0", "0", "3000000"].map(String::from)
    );
    c.wait(200);
    c.block(&[]);
    let ask = old::QueryProposalRequest { proposal_id: 1 };
    let path = "/cosmos.gov.v1beta1.Query/Proposal";
    let got: old::QueryProposalResponse = query(&c.app, path, &ask).unwrap();
    let p = got.proposal.unwrap();
    assert_eq!(p.status, ProposalStatus::Passed as i32);
    assert_eq!(p.content, content("/cosmos.gov.v1beta1.TextProposal"));
    let ask = old::QueryParamsRequest {
        params_type: "tallying".into(),
    };
    let path = "/cosmos.gov.v1beta1.Query/Params";
    let got: old::QueryParamsResponse = query(&c.app, path, &ask).unwrap();
    assert_eq!(got.tally_params.unwrap().quorum, b"334000000000000000");
}

#[test]
fn a_chain_without_staking_has_no_governance() {
    let dir = tempfile::tempdir().unwrap();
    let app = open(dir.path());
    let wallet = Wallet::new(1);
    let mut state = app_state(&[&wallet]);
    init(&app, &state);
    let m = gov::MsgVote {
        proposal_id: 1,
        voter: wallet.address.clone(),
        option: YES,
        metadata: String::new(),
    };
    let tx = Build::new(&wallet, "", 0).of(vec![any(&m)]);
    let r = block(&app, 1, &[tx.encode_to_vec()]).remove(0);
    assert_eq!((r.codespace.as_str(), r.code), ("sdk", 37), "{}", r.log);
    let ask = gov::QueryParamsRequest::default();
    let no = query::<gov::QueryParamsResponse>(&app, "/cosmos.gov.v1.Query/Params", &ask);
    assert_eq!(no.unwrap_err().0, 37);
    assert_eq!(app.export().unwrap()["gov"], Value::Null);
    state["gov"] = self::state();
    let e = App::validate_genesis(&state).unwrap_err();
    assert!(
        e.log.contains("app_state.gov: expected app_state.staking"),
        "{}",
        e.log
    );
}
