//! Trust, audits, assurance and scores in matching; feasibility; what the registry is told of leases.

use cosmwasm_std::{Addr, coin};
use ember_testing::{
    Suite,
    suite::{USDC, any_gpu, attribute, device, refused},
};
use ember_types::{
    assurance::{Assurance, AuditRule},
    eligibility::FeasibleResponse,
    ids::AskId,
    lease::CloseReason,
    market::{CreateOrderResponse, ExecuteMsg, QueryMsg},
    money::Rate,
    pricing::{PricingMode, market::Market, reverse_auction::ReverseAuction},
    registry::{self, ConfigUpdate, ProviderResponse},
    resources::{Device, GpuSpec, ResourceSpec, Score},
    standing::Reputation,
    supply::SupplyResponse,
};

fn auction(suite: &mut Suite, tenant: &Addr, resources: ResourceSpec) -> CreateOrderResponse {
    let closes_at = suite.now() + 100;
    let mode = PricingMode::ReverseAuction(ReverseAuction { closes_at });
    let funds = [coin(10_000, USDC)];
    suite
        .create_order(tenant, resources, mode, (10_000_000, USDC), 3_600, &funds)
        .unwrap()
}

fn revision(suite: &Suite, provider: &Addr) -> u64 {
    let address = provider.to_string();
    let msg = registry::QueryMsg::Provider { address };
    let p: ProviderResponse = suite.ask_registry(&msg).unwrap();
    p.revision
}

fn reputation(suite: &Suite, who: &Addr) -> Reputation {
    let address = who.to_string();
    suite
        .ask_registry(&registry::QueryMsg::Reputation { address })
        .unwrap()
}

/// Devices and devices in use.
fn supply(suite: &Suite) -> (u32, u32) {
    let s: SupplyResponse = suite
        .ask_registry(&registry::QueryMsg::Supply {
            model: None,
            start_after: None,
            limit: None,
            descending: None,
        })
        .unwrap();
    let m = &s.models[0];
    (m.devices, m.in_use)
}

fn offer(suite: &mut Suite, provider: &Addr, assurances: Vec<Assurance>, devices: Vec<Device>) {
    let msg = registry::ExecuteMsg::UpdateProvider {
        host_uri: None,
        devices: Some(devices),
        attributes: None,
        assurances: Some(assurances),
    };
    suite.registry(provider, &msg, &[]).unwrap();
}

#[test]
fn only_who_is_audited_trusted_fast_and_assuring_enough_may_bid() {
    let mut suite = Suite::new();
    let (tenant, p) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let (auditor, setter) = (suite.account("auditor"), suite.trust_setter.clone());
    let wanted = ResourceSpec {
        units: 1,
        gpu: GpuSpec {
            min_score: Some(Score {
                name: "gemm-f16".into(),
                value: 900,
            }),
            min_trust: 2,
            audits: AuditRule {
                all_of: vec![auditor.to_string()],
                any_of: vec![],
            },
            ..GpuSpec::default()
        },
        assurance: Assurance::Exact,
    };
    let made = auction(&mut suite, &tenant, wanted.clone());
    let id = made.order_id;
    assert_eq!(suite.order(id).unwrap().resources, wanted);
    assert!(!made.feasible);
    assert_eq!(made.stopped[0].reason, "assurance");

    refused(
        suite.bid(&p, id, 1),
        "the order asks for assurance \"exact\", it offers none",
    );
    let slow = vec![device("gpu-0")];
    offer(&mut suite, &p, vec![Assurance::Exact], slow);
    refused(
        suite.bid(&p, id, 1),
        &format!("the order asks for an audit by {auditor}, there is none in force"),
    );
    let sign = |suite: &mut Suite| {
        let msg = registry::ExecuteMsg::SignAudit {
            provider: p.to_string(),
            revision: revision(suite, &p),
            statement: "s".into(),
            expires_at: suite.now() + 1_000,
        };
        suite.registry(&auditor, &msg, &[]).unwrap();
    };
    sign(&mut suite);
    refused(
        suite.bid(&p, id, 1),
        "1 matching devices are needed, it has 0",
    );
    let fast = Device {
        scores: vec![Score {
            name: "gemm-f16".into(),
            value: 900,
        }],
        ..device("gpu-0")
    };
    offer(&mut suite, &p, vec![Assurance::Exact], vec![fast]);
    refused(
        suite.bid(&p, id, 1),
        "the audits asked for cover 0 of 1 units",
    );
    sign(&mut suite);
    refused(
        suite.bid(&p, id, 1),
        "1 units of trust level 2 are needed, it has 0",
    );
    let msg = registry::ExecuteMsg::SetTrust {
        provider: p.to_string(),
        device: Some("gpu-0".into()),
        level: 2,
        revision: revision(&suite, &p),
        expires_at: suite.now() + 50,
    };
    suite.registry(&setter, &msg, &[]).unwrap();
    suite.bid(&p, id, 1).unwrap();
    assert!(auction(&mut suite, &tenant, wanted).feasible);

    // What lapses before the close does not win.
    suite.wait(100);
    assert_eq!(suite.order(id).unwrap().lease_id, None);
    suite.check_books().unwrap();
}

#[test]
fn an_ask_serves_its_assurance_and_none() {
    let mut suite = Suite::new();
    let (tenant, p) = (suite.rich("tenant", 100_000), suite.provider("p", 2));
    let ask = |assurance| ExecuteMsg::PlaceAsk {
        device: "gpu-0".into(),
        units: 1,
        denom: USDC.into(),
        rate: Rate::new(5),
        assurance,
    };
    refused(
        suite.market(&p, &ask(Assurance::Sampled), &[]),
        "the order asks for assurance \"sampled\", it offers none",
    );
    let devices = vec![device("gpu-0"), device("gpu-1")];
    offer(&mut suite, &p, vec![Assurance::Sampled], devices);
    suite.market(&p, &ask(Assurance::None), &[]).unwrap();
    let answer = suite.market(&p, &ask(Assurance::Sampled), &[]).unwrap();
    let sampled: u64 = attribute(&answer, "wasm-ask_placed", "ask_id").unwrap();
    let mut buy = |assurance| {
        let resources = ResourceSpec {
            assurance,
            ..any_gpu(1)
        };
        let (mode, funds) = (PricingMode::Market(Market::default()), [coin(10_000, USDC)]);
        suite.create_order(&tenant, resources, mode, (10, USDC), 60, &funds)
    };
    refused(buy(Assurance::Exact), "no standing ask in uusdc admits");
    assert!(buy(Assurance::Sampled).unwrap().feasible);
    refused(buy(Assurance::Sampled), "no standing ask in uusdc admits");
    buy(Assurance::None).unwrap();
    refused(buy(Assurance::None), "no standing ask in uusdc admits");
    assert_eq!(AskId(sampled), AskId(2));
}

#[test]
fn the_registry_hears_of_every_lease() {
    let mut suite = Suite::new();
    let (tenant, p) = (suite.rich("tenant", 1_000_000), suite.provider("p", 3));
    assert_eq!(supply(&suite), (3, 0));
    let (_, by_provider) = suite.lease_of(&tenant, &p, 100_000, USDC, 1_000_000);
    let (_, by_tenant) = suite.lease_of(&tenant, &p, 100_000, USDC, 1_000_000);
    suite.lease_of(&tenant, &p, 100_000, USDC, 1_000_000);
    assert_eq!(supply(&suite), (3, 3));
    suite.pass(10);
    for (who, lease_id) in [(&p, by_provider), (&tenant, by_tenant)] {
        suite
            .market(who, &ExecuteMsg::CloseLease { lease_id }, &[])
            .unwrap();
    }
    assert_eq!(supply(&suite), (3, 1));
    suite.wait(3_590);
    assert_eq!(supply(&suite), (3, 0));
    let expected = Reputation {
        opened: 3,
        completed: 1,
        closed_by_provider: 1,
        closed_by_tenant: 1,
        left_with_notice: 0,
        exhausted: 0,
        ended_with_cluster: 0,
        paid_secs: 3_620,
        disputes_lost: 0,
    };
    assert_eq!(reputation(&suite, &p), expected);
}

#[test]
fn a_registry_that_refuses_the_report_strands_no_money() {
    let mut suite = Suite::new();
    let (tenant, p) = (suite.rich("tenant", 1_000_000), suite.provider("p", 2));
    let (authority, other) = (suite.authority.clone(), suite.account("other"));
    let msg = registry::ExecuteMsg::UpdateConfig(ConfigUpdate {
        market: Some(other.to_string()),
        ..ConfigUpdate::default()
    });
    suite.registry(&authority, &msg, &[]).unwrap();
    let (order, lease_id) = suite.lease_of(&tenant, &p, 100_000, USDC, 1_000_000);
    let (_, left_alone) = suite.lease_of(&tenant, &p, 100_000, USDC, 1_000_000);
    suite.pass(10);
    let answer = suite
        .market(&tenant, &ExecuteMsg::CloseLease { lease_id }, &[])
        .unwrap();
    let reason: String = attribute(&answer, "wasm-report_failed", "reason").unwrap();
    assert!(!reason.is_empty());
    assert_eq!(
        suite.lease(lease_id).close_reason,
        Some(CloseReason::Tenant)
    );
    assert_eq!(suite.escrow(order).held.u128(), 0);
    suite.wait(10_000);
    assert_eq!(
        suite.lease(left_alone).close_reason,
        Some(CloseReason::EndOfTerm)
    );
    suite.check_books().unwrap();
    assert_eq!(reputation(&suite, &p), Reputation::default());
}

#[test]
fn an_order_is_told_whether_anybody_can_serve_it() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let made = auction(&mut suite, &tenant, any_gpu(1));
    assert!(!made.feasible);
    assert_eq!(made.stopped, []);
    let p = suite.provider("p", 1);
    assert!(auction(&mut suite, &tenant, any_gpu(1)).feasible);
    let made = auction(&mut suite, &tenant, any_gpu(2));
    assert!(!made.feasible);
    assert_eq!((made.stopped.len(), made.stopped[0].providers), (1, 1));
    assert_eq!(
        made.stopped[0].example,
        format!("{p}: 2 matching devices are needed, it has 1")
    );

    // It is told, not refused: who comes later may bid.
    let later = suite.provider("later", 2);
    suite.bid(&later, made.order_id, 1).unwrap();

    // Twenty are tried; when there are more, nobody knows.
    for i in 0..18 {
        suite.provider(&format!("p{i}"), 1);
    }
    let made = auction(&mut suite, &tenant, any_gpu(3));
    assert!(!made.feasible);
    let stopped: u32 = made.stopped.iter().map(|s| s.providers).sum();
    assert_eq!(stopped, 20);
    suite.provider("one more", 1);
    let made = auction(&mut suite, &tenant, any_gpu(3));
    assert!(made.feasible && made.stopped.is_empty());
}

#[test]
fn an_infeasible_order_is_an_event() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let closes_at = suite.now() + 100;
    let msg = ExecuteMsg::CreateOrder {
        resources: any_gpu(1),
        pricing: PricingMode::ReverseAuction(ReverseAuction { closes_at }),
        ceiling: ember_types::market::Ceiling {
            denom: USDC.into(),
            rate: Rate::new(5),
        },
        max_duration_secs: 60,
        terms: ember_types::market::Terms::default(),
    };
    let funds = [coin(10_000, USDC)];
    let answer = suite.market(&tenant, &msg, &funds).unwrap();
    let said: String = attribute(&answer, "wasm-order_infeasible", "feasible").unwrap();
    assert_eq!(said, "false");
    suite.provider("p", 1);
    let answer = suite.market(&tenant, &msg, &funds).unwrap();
    assert!(attribute::<u64>(&answer, "wasm-order_infeasible", "order_id").is_err());
}

#[test]
fn a_dry_run_counts_those_who_could_bid() {
    let mut suite = Suite::new();
    let (p, q) = (suite.provider("p", 1), suite.provider("q", 2));
    let ask = |resources, start_after: Option<&Addr>, limit| {
        suite.ask_market::<FeasibleResponse>(&QueryMsg::CanFill {
            resources,
            start_after: start_after.map(ToString::to_string),
            limit,
        })
    };
    let all = ask(any_gpu(2), None, None).unwrap();
    assert_eq!((all.looked_at, all.able), (2, 1));
    assert_eq!(all.stopped[0].reason, "devices");
    let first = ask(any_gpu(1), None, Some(1)).unwrap();
    assert_eq!(
        (first.able, first.next),
        (1, Some(p.clone().min(q.clone()).into_string()))
    );
    let rest = ask(any_gpu(1), Some(&p.min(q)), None).unwrap();
    assert_eq!((rest.able, rest.next), (1, None));
    refused(
        ask(any_gpu(0), None, None),
        "resources.units: expected 1 to 1024",
    );
}
