//! Random histories: whatever accounts, time and a forgetful chain do, every micro-unit is accounted for, leases
//! take legal steps only, and when or how often anybody settles changes nobody's money.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use cosmwasm_std::{Addr, coin};
use ember_testing::{
    Settings, Suite,
    suite::{NATIVE, USDC, any_gpu},
};
use ember_types::{
    fees::DenomFees,
    ids::{AskId, BidId, LeaseId, OrderId},
    lease::{LeaseState, OrderState},
    market::{ExecuteMsg, LeasesResponse, QueryMsg},
    pricing::{PricingMode, market::Market, reverse_auction::ReverseAuction},
    registry,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const TENANTS: usize = 2;
const PROVIDERS: usize = 3;

/// Something that happens. Numbers are taken modulo what exists, so that most steps hit something.
#[derive(Debug, Clone)]
enum Step {
    Auction {
        tenant: usize,
        denom: usize,
        deposit: u128,
        rate: u128,
        units: u32,
        open: u64,
        term: u64,
    },
    Buy {
        tenant: usize,
        denom: usize,
        deposit: u128,
        rate: u128,
        units: u32,
        term: u64,
    },
    Bid {
        provider: usize,
        order: u64,
        rate: u128,
    },
    WithdrawBid {
        bid: u64,
    },
    Accept {
        bid: u64,
    },
    Ask {
        provider: usize,
        denom: usize,
        units: u32,
        rate: u128,
    },
    WithdrawAsk {
        ask: u64,
    },
    Deposit {
        who: usize,
        order: u64,
        amount: u128,
    },
    Settle {
        lease: u64,
    },
    Withdraw {
        lease: u64,
    },
    CloseLease {
        lease: u64,
        by_tenant: bool,
    },
    CloseOrder {
        order: u64,
    },
    Fees {
        take: u16,
        reservation: u16,
    },
    Leave {
        provider: usize,
    },
    Return {
        provider: usize,
    },
    /// Time without the hook: the chain forgot it.
    Pass {
        secs: u64,
    },
    Wait {
        secs: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let rate = || prop_oneof![Just(0u128), 1..20_000_000u128, Just(u128::MAX)];
    let amount = || prop_oneof![1..5_000u128, 5_000..200_000u128];
    let (denom, units, id) = (|| 0..2usize, || 1..4u32, || 1..30u64);
    let (tenant, provider, who) = (0..TENANTS, || 0..PROVIDERS, 0..TENANTS + PROVIDERS);
    prop_oneof![
        4 => (tenant.clone(), denom(), amount(), rate(), units(), 1..400u64, 1..3_000u64).prop_map(
            |(tenant, denom, deposit, rate, units, open, term)| Step::Auction { tenant, denom, deposit, rate, units, open, term }
        ),
        4 => (tenant, denom(), amount(), rate(), units(), 1..3_000u64).prop_map(
            |(tenant, denom, deposit, rate, units, term)| Step::Buy { tenant, denom, deposit, rate, units, term }
        ),
        6 => (provider(), id(), rate()).prop_map(|(provider, order, rate)| Step::Bid { provider, order, rate }),
        1 => id().prop_map(|bid| Step::WithdrawBid { bid }),
        4 => id().prop_map(|bid| Step::Accept { bid }),
        4 => (provider(), denom(), units(), rate()).prop_map(|(provider, denom, units, rate)| Step::Ask { provider, denom, units, rate }),
        1 => id().prop_map(|ask| Step::WithdrawAsk { ask }),
        4 => (who, id(), amount()).prop_map(|(who, order, amount)| Step::Deposit { who, order, amount }),
        4 => id().prop_map(|lease| Step::Settle { lease }),
        3 => id().prop_map(|lease| Step::Withdraw { lease }),
        2 => (id(), any::<bool>()).prop_map(|(lease, by_tenant)| Step::CloseLease { lease, by_tenant }),
        1 => id().prop_map(|order| Step::CloseOrder { order }),
        1 => (0..=10_000u16, 0..=10_000u16).prop_map(|(take, reservation)| Step::Fees { take, reservation }),
        1 => provider().prop_map(|provider| Step::Leave { provider }),
        1 => provider().prop_map(|provider| Step::Return { provider }),
        3 => (0..800u64).prop_map(|secs| Step::Pass { secs }),
        4 => (0..800u64).prop_map(|secs| Step::Wait { secs }),
    ]
}

fn settings() -> Settings {
    Settings {
        grace_secs: 300,
        max_bids_per_order: 2,
        ..Settings::default()
    }
}

/// A suite and everyone in it.
struct World {
    suite: Suite,
    tenants: Vec<Addr>,
    providers: Vec<Addr>,
    /// What was minted, by denom: nothing is ever made or lost.
    supply: BTreeMap<&'static str, u128>,
    leases: BTreeMap<u64, LeaseState>,
    done: usize,
}

impl World {
    fn new() -> Self {
        let mut suite = Suite::with(&settings());
        let tenants = (0..TENANTS).map(|i| suite.rich(&format!("t{i}"), 1_000_000_000));
        let tenants: Vec<_> = tenants.collect();
        let providers = (0..PROVIDERS).map(|i| suite.provider(&format!("p{i}"), i + 1));
        let providers = providers.collect();
        let mut world = Self {
            suite,
            tenants,
            providers,
            supply: BTreeMap::new(),
            leases: BTreeMap::new(),
            done: 0,
        };
        world.supply = [NATIVE, USDC].map(|d| (d, world.total(d))).into();
        world
    }

    fn everyone(&self) -> Vec<&Addr> {
        let s = &self.suite;
        let contracts = [&s.market, &s.registry, &s.fee_collector];
        self.tenants
            .iter()
            .chain(&self.providers)
            .chain(contracts)
            .collect()
    }

    fn total(&self, denom: &str) -> u128 {
        let all = self.everyone();
        all.into_iter().map(|a| self.suite.balance(a, denom)).sum()
    }

    /// Does it; a refusal is fine, and leaves the books as they were.
    fn take(&mut self, step: &Step) -> bool {
        let denoms = [NATIVE, USDC];
        let s = &mut self.suite;
        let result = match step.clone() {
            Step::Auction {
                tenant,
                denom,
                deposit,
                rate,
                units,
                open,
                term,
            } => {
                let mode = PricingMode::ReverseAuction(ReverseAuction {
                    closes_at: s.now() + open,
                });
                let (denom, who) = (denoms[denom], &self.tenants[tenant]);
                let funds = [coin(deposit, denom)];
                s.create_order(who, any_gpu(units), mode, (rate, denom), term, &funds)
                    .map(drop)
            }
            Step::Buy {
                tenant,
                denom,
                deposit,
                rate,
                units,
                term,
            } => {
                let (denom, who) = (denoms[denom], &self.tenants[tenant]);
                let (mode, funds) = (
                    PricingMode::Market(Market::default()),
                    [coin(deposit, denom)],
                );
                s.create_order(who, any_gpu(units), mode, (rate, denom), term, &funds)
                    .map(drop)
            }
            Step::Bid {
                provider,
                order,
                rate,
            } => s
                .bid(&self.providers[provider], OrderId(order), rate)
                .map(drop),
            Step::WithdrawBid { bid } => {
                let bid_id = BidId(bid);
                let msg = ExecuteMsg::WithdrawBid { bid_id };
                let mut sent = self
                    .providers
                    .iter()
                    .map(|p| s.market(p, &msg, &[]).map(drop));
                sent.find(Result::is_ok).unwrap_or(Ok(()))
            }
            Step::Accept { bid } => {
                let bid_id = BidId(bid);
                let msg = ExecuteMsg::AcceptBid { bid_id };
                let mut sent = self
                    .tenants
                    .iter()
                    .map(|t| s.market(t, &msg, &[]).map(drop));
                sent.find(Result::is_ok).unwrap_or(Ok(()))
            }
            Step::Ask {
                provider,
                denom,
                units,
                rate,
            } => s
                .ask(&self.providers[provider], units, denoms[denom], rate)
                .map(drop),
            Step::WithdrawAsk { ask } => {
                let ask_id = AskId(ask);
                let msg = ExecuteMsg::WithdrawAsk { ask_id };
                s.market(&self.providers[ask as usize % PROVIDERS], &msg, &[])
                    .map(drop)
            }
            Step::Deposit { who, order, amount } => {
                let who = self.tenants.iter().chain(&self.providers).nth(who).unwrap();
                let order_id = OrderId(order);
                s.order(order_id).and_then(|o| {
                    let funds = [coin(amount, o.ceiling.denom)];
                    s.market(who, &ExecuteMsg::Deposit { order_id }, &funds)
                        .map(drop)
                })
            }
            Step::Settle { lease } => {
                let lease_id = LeaseId(lease);
                s.market(&self.tenants[0], &ExecuteMsg::Settle { lease_id }, &[])
                    .map(drop)
            }
            Step::Withdraw { lease } => {
                let msg = ExecuteMsg::Withdraw {
                    lease_id: LeaseId(lease),
                };
                let mut sent = self
                    .providers
                    .iter()
                    .map(|p| s.market(p, &msg, &[]).map(drop));
                sent.find(Result::is_ok).unwrap_or(Ok(()))
            }
            Step::CloseLease { lease, by_tenant } => {
                let msg = ExecuteMsg::CloseLease {
                    lease_id: LeaseId(lease),
                };
                let sides = if by_tenant {
                    &self.tenants
                } else {
                    &self.providers
                };
                let mut sent = sides.iter().map(|p| s.market(p, &msg, &[]).map(drop));
                sent.find(Result::is_ok).unwrap_or(Ok(()))
            }
            Step::CloseOrder { order } => {
                let msg = ExecuteMsg::CloseOrder {
                    order_id: OrderId(order),
                };
                let mut sent = self
                    .tenants
                    .iter()
                    .map(|t| s.market(t, &msg, &[]).map(drop));
                sent.find(Result::is_ok).unwrap_or(Ok(()))
            }
            Step::Fees { take, reservation } => {
                let fees = settings().fees.into_iter().map(|f| DenomFees {
                    take_bps: take,
                    reservation_bps: reservation,
                    ..f
                });
                let msg = ExecuteMsg::UpdateFees {
                    fees: fees.collect(),
                };
                s.market(&s.authority.clone(), &msg, &[]).map(drop)
            }
            Step::Leave { provider } => {
                let msg = registry::ExecuteMsg::UnregisterProvider {};
                s.registry(&self.providers[provider], &msg, &[]).map(drop)
            }
            Step::Return { provider } => {
                let msg = registry::ExecuteMsg::RegisterProvider {
                    host_uri: "https://gpu.example.org:8443".into(),
                    devices: (0..3)
                        .map(|i| ember_testing::suite::device(&format!("gpu-{i}")))
                        .collect(),
                    attributes: vec![],
                    assurances: vec![],
                };
                let bond = [coin(1_000_000, NATIVE)];
                s.registry(&self.providers[provider], &msg, &bond).map(drop)
            }
            Step::Pass { secs } => {
                s.pass(secs);
                Ok(())
            }
            Step::Wait { secs } => {
                s.wait(secs);
                Ok(())
            }
        };
        result.is_ok()
    }

    fn check(&mut self) {
        self.suite.check_books().unwrap();
        for denom in [NATIVE, USDC] {
            assert_eq!(
                self.total(denom),
                self.supply[denom],
                "{denom} made or lost"
            );
        }
        let page: LeasesResponse = self
            .suite
            .ask_market(&QueryMsg::Leases {
                tenant: None,
                provider: None,
                state: None,
                start_after: None,
                limit: Some(100),
                model: None,
                descending: None,
            })
            .unwrap();
        for l in page.leases {
            if let Some(before) = self.leases.insert(l.id.0, l.state) {
                // Suspended and revived, or suspended and closed, within one message are two legal steps.
                let legal = before == l.state || before.may_become(l.state);
                assert!(legal, "lease {} from {before:?} to {:?}", l.id, l.state);
            }
            let closed = l.state == LeaseState::Closed;
            assert_eq!(
                (l.closed_at.is_some(), l.close_reason.is_some()),
                (closed, closed)
            );
            assert_eq!(l.suspended_at.is_some(), l.state == LeaseState::Suspended);
            assert!(l.settled_at <= l.ends_at && l.settled_at >= l.opened_at);
            let order = self.suite.order(l.order_id).unwrap();
            let expected = if closed {
                OrderState::Closed
            } else {
                OrderState::Leased
            };
            assert_eq!(order.state, expected, "order {}", order.id);
        }
    }

    /// Lets everything end: nothing stays in the market.
    fn drain(&mut self) {
        for _ in 0..5 {
            self.suite.wait(100_000);
            self.check();
        }
        for denom in [NATIVE, USDC] {
            assert_eq!(
                self.suite.balance(&self.suite.market, denom),
                0,
                "{denom} left behind"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_micro_unit_is_accounted_for(steps in prop::collection::vec(step(), 1..90)) {
        let mut world = World::new();
        for step in &steps {
            if world.take(step) {
                world.done += 1;
            }
            world.check();
        }
        world.drain();
    }

    /// The same lease with the same deposits, settled and withdrawn at any moments or never.
    #[test]
    fn settling_is_invisible_in_the_end(
        rate in 1..30_000_000u128,
        deposit in 1_000..60_000u128,
        top_ups in prop::collection::vec((0..4_000u64, 1..9_000u128), 0..5),
        settles in prop::collection::vec((0..4_500u64, any::<bool>()), 0..40),
        misses in any::<bool>(),
        usdc in any::<bool>(),
    ) {
        let denom = if usdc { USDC } else { NATIVE };
        let run = |settles: &[(u64, bool)], misses: bool| {
            let mut suite = Suite::with(&settings());
            let (tenant, provider) = (suite.rich("t", 1_000_000), suite.provider("p", 1));
            let (order_id, lease_id) =
                suite.lease_of(&tenant, &provider, deposit, denom, rate.min(10_000_000));
            let start = suite.now();
            let mut events: Vec<_> = top_ups.iter().map(|(t, amount)| (*t, 1, *amount)).collect();
            events.extend(settles.iter().map(|(t, pay)| (*t, 0, u128::from(*pay))));
            events.sort();
            for (at, kind, value) in events {
                let secs = start + at - suite.now();
                if misses { suite.pass(secs) } else { suite.wait(secs); }
                // Refusals are those of a lease that is over.
                let _ = match (kind, value) {
                    (1, amount) => suite.market(&tenant, &ExecuteMsg::Deposit { order_id }, &[coin(amount, denom)]),
                    (_, 0) => suite.market(&tenant, &ExecuteMsg::Settle { lease_id }, &[]),
                    _ => suite.market(&provider, &ExecuteMsg::Withdraw { lease_id }, &[]),
                };
            }
            suite.wait(10_000);
            suite.check_books().unwrap();
            let l = suite.lease(lease_id);
            let collector = suite.fee_collector.clone();
            let money = [&tenant, &provider, &collector].map(|a| suite.balance(a, denom));
            (money, l.closed_at, l.close_reason, l.state)
        };
        prop_assert_eq!(run(&settles, misses), run(&[], false));
    }
}

#[test]
fn the_generator_reaches_every_state() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(step(), 60..90);
    let (mut done, mut seen) = (0, BTreeMap::new());
    for _ in 0..20 {
        let mut world = World::new();
        for step in strategy.new_tree(&mut runner).unwrap().current() {
            done += usize::from(world.take(&step));
            world.check();
            for state in world.leases.values() {
                *seen.entry(format!("{state:?}")).or_insert(0) += 1;
            }
        }
    }
    assert!(done > 200, "only {done} steps were not refused");
    assert_eq!(seen.len(), 3, "{seen:?}");
}
