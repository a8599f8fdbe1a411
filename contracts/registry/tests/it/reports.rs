//! `ReportLease`: reputation and units in use.

use cosmwasm_std::{
    Addr, Uint128, coin,
    testing::{message_info, mock_dependencies, mock_env},
};
use ember_registry::{ContractError, contract};
use ember_testing::{
    Suite,
    suite::{NATIVE, refused},
};
use ember_types::{
    ids::LeaseId,
    lease::CloseReason,
    registry::{ExecuteMsg, InstantiateMsg, QueryMsg},
    standing::{LeaseReport, Reputation},
    supply::SupplyResponse,
};

pub fn opened(id: u64, p: &Addr, units: u32, model: Option<String>) -> ExecuteMsg {
    ExecuteMsg::ReportLease {
        lease_id: LeaseId(id),
        provider: p.to_string(),
        report: LeaseReport::Opened { units, model },
    }
}

pub fn ended(id: u64, p: &Addr) -> ExecuteMsg {
    because(id, p, CloseReason::EndOfTerm, 7)
}

fn because(id: u64, p: &Addr, reason: CloseReason, paid_secs: u64) -> ExecuteMsg {
    ExecuteMsg::ReportLease {
        lease_id: LeaseId(id),
        provider: p.to_string(),
        report: LeaseReport::Ended { reason, paid_secs },
    }
}

fn reputation(suite: &Suite, who: &Addr) -> Reputation {
    let address = who.to_string();
    suite
        .ask_registry(&QueryMsg::Reputation { address })
        .unwrap()
}

fn in_use(suite: &Suite) -> Vec<(String, u32, u32)> {
    let s: SupplyResponse = suite
        .ask_registry(&QueryMsg::Supply {
            model: None,
            start_after: None,
            limit: None,
            descending: None,
        })
        .unwrap();
    let rows = s.models.into_iter();
    rows.map(|m| (m.model, m.in_use, m.free)).collect()
}

#[test]
fn every_end_has_its_counter_and_nothing_is_forgotten() {
    let mut suite = Suite::new();
    let (p, market, court) = (
        suite.provider("p", 4),
        suite.market.clone(),
        suite.court.clone(),
    );
    assert_eq!(reputation(&suite, &p), Reputation::default());
    let reasons = [
        CloseReason::EndOfTerm,
        CloseReason::Provider,
        CloseReason::Provider,
        CloseReason::Tenant,
        CloseReason::Exhausted,
    ];
    for (id, reason) in (1..).zip(reasons) {
        suite
            .registry(&market, &opened(id, &p, 1, None), &[])
            .unwrap();
        suite
            .registry(&market, &because(id, &p, reason, 10 * id), &[])
            .unwrap();
    }
    let slash = ExecuteMsg::Slash {
        owner: p.to_string(),
        amount: Uint128::one(),
        reason: "r".into(),
    };
    suite.registry(&court, &slash, &[]).unwrap();
    suite
        .registry(&p, &ExecuteMsg::UnregisterProvider {}, &[])
        .unwrap();
    let expected = Reputation {
        opened: 5,
        completed: 1,
        closed_by_provider: 2,
        closed_by_tenant: 1,
        left_with_notice: 0,
        exhausted: 1,
        ended_with_cluster: 0,
        paid_secs: 150,
        disputes_lost: 1,
    };
    assert_eq!(reputation(&suite, &p), expected);
}

#[test]
fn counters_do_not_overflow() {
    let mut suite = Suite::new();
    let (p, market) = (suite.provider("p", 1), suite.market.clone());
    for id in 1..4 {
        suite
            .registry(&market, &opened(id, &p, u32::MAX, None), &[])
            .unwrap();
    }
    assert_eq!(in_use(&suite), [("mesa/lavapipe".into(), 1, 0)]);
    for id in 1..4 {
        suite
            .registry(
                &market,
                &because(id, &p, CloseReason::Tenant, u64::MAX),
                &[],
            )
            .unwrap();
    }
    assert_eq!(reputation(&suite, &p).paid_secs, u64::MAX);
    assert_eq!(in_use(&suite), [("mesa/lavapipe".into(), 0, 1)]);
}

#[test]
fn units_are_in_use_while_a_lease_runs() {
    let mut suite = Suite::new();
    let (p, market) = (suite.provider("p", 3), suite.market.clone());
    let row = |used, free| [("mesa/lavapipe".to_string(), used, free)];
    suite
        .registry(
            &market,
            &opened(1, &p, 2, Some("mesa/lavapipe".into())),
            &[],
        )
        .unwrap();
    suite
        .registry(&market, &opened(2, &p, 1, None), &[])
        .unwrap();
    assert_eq!(in_use(&suite), row(3, 0));
    suite.registry(&market, &ended(1, &p), &[]).unwrap();
    assert_eq!(in_use(&suite), row(1, 2));
    // The end of a lease whose opening was never heard of, or a second end, frees nothing.
    for id in [1, 9] {
        suite.registry(&market, &ended(id, &p), &[]).unwrap();
    }
    assert_eq!(in_use(&suite), row(1, 2));
    // A provider that leaves and comes back still serves its lease.
    suite
        .registry(&p, &ExecuteMsg::UnregisterProvider {}, &[])
        .unwrap();
    suite.provider("p", 3);
    assert_eq!(in_use(&suite), row(1, 2));
    suite.registry(&market, &ended(2, &p), &[]).unwrap();
    assert_eq!(in_use(&suite), row(0, 3));
}

#[test]
fn nobody_but_the_market_reports() {
    let mut suite = Suite::new();
    let (p, market, authority) = (
        suite.provider("p", 1),
        suite.market.clone(),
        suite.authority.clone(),
    );
    for who in [
        &p,
        &authority,
        &suite.court.clone(),
        &suite.registry.clone(),
    ] {
        refused(
            suite.registry(who, &ended(1, &p), &[]),
            &format!("only the market {market} may do this, got {who}"),
        );
    }
    suite.mint(&market, 1, NATIVE);
    refused(
        suite.registry(&market, &ended(1, &p), &[coin(1, NATIVE)]),
        "expected no funds",
    );
    let bad = ExecuteMsg::ReportLease {
        lease_id: LeaseId(1),
        provider: "x".into(),
        report: LeaseReport::Opened {
            units: 1,
            model: None,
        },
    };
    refused(
        suite.registry(&market, &bad, &[]),
        "provider: expected an address of this chain, got \"x\"",
    );
    assert_eq!(reputation(&suite, &p), Reputation::default());

    let mut deps = mock_dependencies();
    let sender = deps.api.addr_make("sender");
    let info = message_info(&sender, &[]);
    let msg = InstantiateMsg {
        authority: sender.to_string(),
        bond_denom: NATIVE.into(),
        unbonding_secs: 1,
        min_bond: Uint128::zero(),
        fee_collector: None,
        court: None,
        market: None,
        trust_setters: vec![],
        seen_secs: None,
    };
    contract::instantiate(deps.as_mut(), mock_env(), info.clone(), msg).unwrap();
    let result = contract::execute(deps.as_mut(), mock_env(), info, ended(1, &sender));
    assert!(
        matches!(result, Err(ContractError::NotConfigured { what: "market" })),
        "{result:?}"
    );
}
