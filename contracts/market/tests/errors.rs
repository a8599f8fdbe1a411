//! Every refusal that the market can give is given here, each by its own reason.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "fuzz/base.rs"]
mod base;

use cosmwasm_std::{
    Addr, Coin, Uint128, Uint256, coin, from_json,
    testing::{message_info, mock_dependencies, mock_env},
};
use ember_market::{ContractError, contract, state};
use ember_testing::{
    Bare, Settings,
    bare::Refusal,
    suite::{NATIVE, USDC, any_gpu, device},
};
use ember_types::{
    assurance::Assurance,
    error::ValidationError,
    fees::DenomFees,
    ids::{AskId, BidId, LeaseId, OrderId},
    lease::OrderState,
    market::{Ceiling, CreateOrderResponse, ExecuteMsg, MigrateMsg, QueryMsg, Terms},
    money::Rate,
    pricing::{
        PricingMode,
        market::Market,
        performance::Performance,
        reverse_auction::ReverseAuction,
        sealed_tender::{PriceRule, SealedTender},
    },
    registry,
    resources::{Device, ResourceSpec},
};
use std::collections::BTreeSet;

/// Names of the variants of an enum, read from its source: a new one cannot be forgotten here.
fn declared(source: &str, name: &str) -> BTreeSet<String> {
    let start = source.find(&format!("pub enum {name} {{")).unwrap();
    let body = &source[start..];
    let body = &body[..body.find("\n}\n").unwrap()];
    let variants = body.lines().filter_map(|l| l.strip_prefix("    "));
    let names = variants.filter(|l| l.starts_with(|c: char| c.is_ascii_uppercase()));
    names.map(word).collect()
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect()
}

#[derive(Default)]
struct Reached {
    refusals: BTreeSet<String>,
    reasons: BTreeSet<String>,
    values: BTreeSet<String>,
}

impl Reached {
    /// `error` is what was expected: the name of the refusal.
    fn expect(&mut self, name: &str, error: ContractError) {
        let text = error.to_string();
        assert!(!text.is_empty() && !text.contains('\n'), "one line: {text}");
        assert_eq!(word(&format!("{error:?}")), name, "{text}");
        self.refusals.insert(name.into());
        match error {
            ContractError::Ineligible { reason, .. } => {
                self.reasons.insert(word(&format!("{reason:?}")));
            }
            ContractError::Invalid(value) => {
                self.values.insert(word(&format!("{value:?}")));
            }
            _ => {}
        }
    }
}

struct World {
    bare: Bare,
    people: Vec<Addr>,
    reached: Reached,
}

impl World {
    /// The message is refused with this refusal, by the `who`-th of t0, t1, p0, p1, authority, and nothing is lost.
    fn refuses(&mut self, name: &str, who: usize, msg: ExecuteMsg, funds: &[Coin]) {
        let sender = self.people[who].clone();
        self.refuses_to(name, &sender, msg, funds);
    }

    fn refuses_to(&mut self, name: &str, sender: &Addr, msg: ExecuteMsg, funds: &[Coin]) {
        let (bank, store) = (self.bare.bank.clone(), self.bare.market_store.clone());
        match self.bare.market(sender, msg, funds) {
            Err(Refusal::Contract(e)) => self.reached.expect(name, e),
            other => panic!("expected {name}, got {other:?}"),
        }
        assert_eq!(self.bare.market_store, store);
        for denom in [NATIVE, USDC] {
            assert_eq!(
                self.bare.bank.balance(sender, denom),
                bank.balance(sender, denom)
            );
        }
    }
}

fn create(
    now: u64,
    change: impl FnOnce(&mut ResourceSpec, &mut PricingMode, &mut Ceiling, &mut u64),
) -> ExecuteMsg {
    let mut resources = any_gpu(1);
    let mut pricing = PricingMode::ReverseAuction(ReverseAuction {
        closes_at: now + 500,
    });
    let mut ceiling = Ceiling {
        denom: USDC.into(),
        rate: Rate::new(10_000_000),
    };
    let mut max_duration_secs = 3_600;
    change(
        &mut resources,
        &mut pricing,
        &mut ceiling,
        &mut max_duration_secs,
    );
    ExecuteMsg::CreateOrder {
        terms: Terms::default(),
        resources,
        pricing,
        ceiling,
        max_duration_secs,
    }
}

fn bid(order: u64, rate: u128) -> ExecuteMsg {
    ExecuteMsg::PlaceBid {
        order_id: OrderId(order),
        rate: Rate::new(rate),
        units: None,
        score: None,
    }
}

#[test]
fn every_refusal_is_reached() {
    let settings = Settings {
        max_bids_per_order: 2,
        ..Settings::default()
    };
    let (bare, people) = base::base(&settings);
    let mut w = World {
        bare,
        people,
        reached: Reached::default(),
    };
    let (t0, t1, p0, authority) = (0, 1, 2, 4);
    let usdc = |amount: u128| [coin(amount, USDC)];
    let now = w.bare.now();
    let (order_id, lease_id) = (OrderId(1), LeaseId(1));

    // Creating.
    w.refuses("WrongFunds", t0, create(now, |_, _, _, _| ()), &[]);
    w.refuses(
        "UnknownDenom",
        t0,
        create(now, |_, _, c, _| c.denom = "unknown".into()),
        &usdc(1_000),
    );
    w.refuses(
        "DepositTooSmall",
        t0,
        create(now, |_, _, _, _| ()),
        &usdc(999),
    );
    w.refuses(
        "Invalid",
        t0,
        create(now, |_, _, _, secs| *secs = 0),
        &usdc(1_000),
    );
    w.refuses(
        "Invalid",
        t0,
        create(now, |r, _, _, _| r.gpu.model = Some("no vendor".into())),
        &usdc(1_000),
    );
    let cheap = create(now, |_, p, c, _| {
        *p = PricingMode::Market(Market::default());
        c.rate = Rate::new(0);
    });
    w.refuses("NothingAdmits", t0, cheap, &usdc(1_000));

    // What is not there.
    w.refuses(
        "NoOrder",
        t0,
        ExecuteMsg::CloseOrder {
            order_id: OrderId(99),
        },
        &[],
    );
    w.refuses(
        "NoBid",
        t0,
        ExecuteMsg::AcceptBid { bid_id: BidId(99) },
        &[],
    );
    w.refuses(
        "NoAsk",
        p0,
        ExecuteMsg::WithdrawAsk { ask_id: AskId(99) },
        &[],
    );
    w.refuses(
        "NoLease",
        t0,
        ExecuteMsg::Settle {
            lease_id: LeaseId(99),
        },
        &[],
    );

    // What is somebody else's, and what nobody needs.
    w.refuses("Unauthorized", t1, ExecuteMsg::CloseOrder { order_id }, &[]);
    w.refuses(
        "NotAskOwner",
        t0,
        ExecuteMsg::WithdrawAsk { ask_id: AskId(1) },
        &[],
    );
    w.refuses(
        "UnexpectedFunds",
        t0,
        ExecuteMsg::Settle { lease_id },
        &usdc(1),
    );

    // What is over, or not yet.
    w.refuses(
        "OrderState",
        t0,
        ExecuteMsg::CloseOrder {
            order_id: OrderId(2),
        },
        &[],
    );
    w.refuses(
        "BidState",
        p0,
        ExecuteMsg::WithdrawBid { bid_id: BidId(3) },
        &[],
    );

    // Bids.
    let stranger = w.bare.account("stranger");
    let poor = w.bare.account("poor");
    let third = w.bare.account("third");
    for who in [&stranger, &poor, &third] {
        for denom in [NATIVE, USDC] {
            w.bare.bank.mint(who, 10_000_000, denom);
        }
    }
    w.bare.register(&poor, 1, 1).unwrap();
    w.bare.register(&third, 1, 1_000_000).unwrap();
    w.refuses("WrongBidDeposit", p0, bid(1, 1), &usdc(499));
    w.refuses("AboveCeiling", p0, bid(1, 10_000_001), &usdc(500));
    w.refuses_to("BookFull", &third, bid(1, 9_000_000), &usdc(500));
    w.refuses_to("Ineligible", &stranger, bid(1, 1), &usdc(500));
    w.refuses_to("Ineligible", &poor, bid(1, 1), &usdc(500));
    for (order, msg) in [
        (
            9,
            create(now, |r, _, _, _| r.gpu.min_bond = Uint128::new(9_000_000)),
        ),
        (
            10,
            create(now, |r, _, _, _| r.gpu.region = Some("eu".into())),
        ),
        (11, create(now, |r, _, _, _| r.units = 4)),
    ] {
        w.bare
            .market(&w.people[t0].clone(), msg, &usdc(1_000))
            .unwrap();
        w.refuses("Ineligible", p0, bid(order, 1), &usdc(500));
    }
    let device = "gpu-9".into();
    let ask = ExecuteMsg::PlaceAsk {
        device,
        units: 1,
        denom: USDC.into(),
        rate: Rate::new(1),
        assurance: Assurance::None,
    };
    w.refuses("Ineligible", p0, ask, &[]);
    vouched_for(&mut w, now);

    scores(&mut w, now);
    let now = w.bare.now();
    tenders(&mut w, now);

    // Deposits.
    for i in 0..31 {
        let friend = w.bare.account(&format!("friend{i}"));
        w.bare.bank.mint(&friend, 1_000, USDC);
        w.bare
            .market(&friend, ExecuteMsg::Deposit { order_id }, &usdc(1_000))
            .unwrap();
    }
    w.refuses_to(
        "TooManyDepositors",
        &stranger,
        ExecuteMsg::Deposit { order_id },
        &usdc(1_000),
    );

    // Notice: the provider of lease 1 owes an hour of it, that of lease 3 none.
    let p1 = 3;
    w.refuses(
        "NoNotice",
        p1,
        ExecuteMsg::GiveNotice {
            lease_id: LeaseId(3),
        },
        &[],
    );
    w.refuses("NoticeFirst", p0, ExecuteMsg::CloseLease { lease_id }, &[]);
    w.bare
        .market(
            &w.people[p0].clone(),
            ExecuteMsg::GiveNotice { lease_id },
            &[],
        )
        .unwrap();
    w.refuses("NoticeGiven", p0, ExecuteMsg::GiveNotice { lease_id }, &[]);
    w.refuses("NoticeFirst", p0, ExecuteMsg::CloseLease { lease_id }, &[]);

    // Fees.
    let twice = vec![settings.fees[0].clone(), settings.fees[0].clone()];
    w.refuses(
        "DuplicateDenom",
        authority,
        ExecuteMsg::UpdateFees { fees: twice },
        &[],
    );

    // Late.
    w.bare.pass(2_000);
    w.refuses("AuctionOver", p0, bid(1, 1), &usdc(500));
    w.bare
        .market(
            &w.people[t0].clone(),
            ExecuteMsg::CloseLease { lease_id },
            &[],
        )
        .unwrap();
    w.refuses("LeaseClosed", t0, ExecuteMsg::Settle { lease_id }, &[]);

    left(&mut w);
    broken_state(&mut w);
    queries(&mut w);
    let Reached {
        refusals,
        reasons,
        values,
    } = without_a_chain(w.reached);

    let source = include_str!("../src/error.rs");
    assert_eq!(declared(source, "ContractError"), refusals);
    let source = include_str!("../../packages/types/src/eligibility.rs");
    assert_eq!(declared(source, "Ineligible"), reasons);
    assert_eq!(
        declared(
            include_str!("../../packages/types/src/error.rs"),
            "ValidationError"
        ),
        values
    );
}

/// Assurance, audits and trust.
fn vouched_for(w: &mut World, now: u64) {
    let (t0, p0, auditor) = (
        w.people[0].clone(),
        w.people[2].clone(),
        w.people[1].clone(),
    );
    let funds = [coin(1_000, USDC)];
    let demand = |w: &mut World, change: &dyn Fn(&mut ResourceSpec)| {
        let msg = create(now, |r, _, _, _| change(r));
        let made = w.bare.market(&t0, msg, &funds).unwrap();
        let data: CreateOrderResponse = from_json(made.response.data.unwrap()).unwrap();
        let msg = bid(data.order_id.0, 1);
        w.refuses("Ineligible", 2, msg, &[coin(500, USDC)]);
    };
    demand(w, &|r| r.assurance = Assurance::Exact);
    demand(w, &|r| r.gpu.min_trust = 1);
    demand(w, &|r| r.gpu.audits.all_of = vec![auditor.to_string()]);
    let audit = registry::ExecuteMsg::SignAudit {
        provider: p0.to_string(),
        revision: 1,
        statement: "s".into(),
        expires_at: w.bare.now() + 10_000,
    };
    w.bare.registry(&auditor, audit, &[]).unwrap();
    let changed = (0..4).map(|i| Device {
        driver: "newer".into(),
        ..device(&format!("gpu-{i}"))
    });
    let update = registry::ExecuteMsg::UpdateProvider {
        host_uri: None,
        devices: Some(changed.collect()),
        attributes: None,
        assurances: None,
    };
    w.bare.registry(&p0, update, &[]).unwrap();
    demand(w, &|r| r.gpu.audits.all_of = vec![auditor.to_string()]);
}

/// A lease that is paid by performance, and is measured too late.
fn scores(w: &mut World, now: u64) {
    let msg = create(now, |_, p, _, _| {
        *p = PricingMode::Performance(Performance {
            closes_at: now + 300,
            benchmark: "points".into(),
            measure_secs: 10,
        });
    });
    let (t0, p0) = (w.people[0].clone(), w.people[2].clone());
    let usdc = |amount: u128| [coin(amount, USDC)];
    w.bare.market(&t0, msg, &usdc(1_000)).unwrap();
    let store = &w.bare.market_store;
    let order_id = OrderId(state::LAST_ORDER.load(store).unwrap());
    let bid = |score| ExecuteMsg::PlaceBid {
        order_id,
        rate: Rate::new(1),
        units: None,
        score,
    };
    for score in [None, Some(0)] {
        w.refuses("Invalid", 2, bid(score), &usdc(500));
    }
    w.refuses("Ineligible", 2, bid(Some(101)), &usdc(500));
    w.bare.market(&p0, bid(Some(100)), &usdc(500)).unwrap();
    let bid_id = BidId(state::LAST_BID.load(&w.bare.market_store).unwrap());
    let accept = ExecuteMsg::AcceptBid { bid_id };
    w.bare.market(&t0, accept, &[]).unwrap();
    let lease_id = LeaseId(state::LAST_LEASE.load(&w.bare.market_store).unwrap());
    let report = ExecuteMsg::ReportScore { lease_id, score: 1 };
    w.refuses("Unauthorized", 0, report.clone(), &[]);
    w.bare.pass(10);
    w.refuses("MeasuredLate", 2, report, &[]);
}

/// Sealed bids: the last order, with room for two of them.
fn tenders(w: &mut World, now: u64) {
    let usdc = |amount: u128| [coin(amount, USDC)];
    let msg = create(now, |_, p, _, _| {
        *p = PricingMode::SealedTender(SealedTender {
            commit_until: now + 300,
            reveal_until: now + 600,
            rule: PriceRule::FirstPrice,
        });
    });
    let t0 = w.people[0].clone();
    w.bare.market(&t0, msg, &usdc(1_000)).unwrap();
    let store = &w.bare.market_store;
    let order_id = OrderId(state::LAST_ORDER.load(store).unwrap());
    let commit = |bytes: usize| ExecuteMsg::CommitBid {
        order_id,
        commitment: vec![1; bytes].into(),
        units: None,
    };
    w.refuses("Invalid", 2, commit(31), &usdc(500));
    for i in [2, 3] {
        let provider = w.people[i].clone();
        w.bare.market(&provider, commit(32), &usdc(500)).unwrap();
    }
    let last = state::LAST_BID.load(&w.bare.market_store).unwrap();
    let reveal = ExecuteMsg::RevealBid {
        bid_id: BidId(last),
        rate: Rate::new(1),
        salt: vec![1; 32].into(),
    };
    w.refuses("RevealTooEarly", 3, reveal.clone(), &[]);
    let third = w.bare.account("third");
    w.refuses_to("TenderFull", &third, commit(32), &usdc(500));
    let snapshot = w.bare.now();
    w.bare.pass(300 - (snapshot - now));
    w.refuses("CommitsOver", 2, commit(32), &usdc(500));
    w.refuses("WrongReveal", 3, reveal, &[]);
}

/// What no message can bring about, reached by breaking the store.
fn broken_state(w: &mut World) {
    let store = &mut w.bare.market_store;
    // Two leases of one order, of which one is suspended and the other has nothing left.
    let mut order = state::ORDERS.load(store, 5).unwrap();
    order.more_leases.push(LeaseId(2));
    state::ORDERS.save(store, 5, &order).unwrap();
    let mut escrow = state::ESCROWS.load(store, 5).unwrap();
    escrow.deposits.clear();
    state::ESCROWS.save(store, 5, &escrow).unwrap();
    let mut lease = state::LEASES.load(store, 3).unwrap();
    lease.rate = Rate::new(u128::MAX);
    state::LEASES.save(store, 3, &lease).unwrap();
    let mut order = state::ORDERS.load(store, 4).unwrap();
    (order.state, order.pricing) = (OrderState::Open, PricingMode::Market(Market::default()));
    state::ORDERS.save(store, 4, &order).unwrap();
    store.commit();
    let funds = [coin(500, USDC)];
    w.refuses(
        "IllegalStep",
        0,
        ExecuteMsg::CloseLease {
            lease_id: LeaseId(3),
        },
        &[],
    );
    w.refuses("Mode", 2, bid(4, 1), &funds);
    let (all, now) = (u64::MAX, w.bare.now());
    state::LAST_ORDER
        .save(&mut w.bare.market_store, &all)
        .unwrap();
    w.bare.market_store.commit();
    w.refuses(
        "Invalid",
        0,
        create(now, |_, _, _, _| ()),
        &[coin(1_000, USDC)],
    );
    state::LAST_ORDER
        .save(&mut w.bare.market_store, &1_000)
        .unwrap();
    let mut ledger = state::LEDGERS.load(&w.bare.market_store, USDC).unwrap();
    ledger.deposited = Uint128::MAX;
    state::LEDGERS
        .save(&mut w.bare.market_store, USDC, &ledger)
        .unwrap();
    w.bare.market_store.commit();
    w.refuses(
        "Overflow",
        0,
        create(now, |_, _, _, _| ()),
        &[coin(1_000, USDC)],
    );
}

/// A provider that left an order does not get it again.
fn left(w: &mut World) {
    let terms = Terms {
        relist: true,
        ..Terms::default()
    };
    let mut msg = create(w.bare.now(), |_, _, _, _| ());
    if let ExecuteMsg::CreateOrder { terms: t, .. } = &mut msg {
        *t = terms;
    }
    let (t0, p0) = (w.people[0].clone(), w.people[2].clone());
    let funds = [coin(500, USDC)];
    let done = w.bare.market(&t0, msg, &[coin(1_000, USDC)]).unwrap();
    let id = done.changes.iter().find_map(|c| c.id_in("orders")).unwrap();
    w.bare.market(&p0, bid(id, 1), &funds).unwrap();
    let bid_id = BidId(state::LAST_BID.load(&w.bare.market_store).unwrap());
    w.bare
        .market(&t0, ExecuteMsg::AcceptBid { bid_id }, &[])
        .unwrap();
    let lease_id = LeaseId(state::LAST_LEASE.load(&w.bare.market_store).unwrap());
    w.bare
        .market(&p0, ExecuteMsg::CloseLease { lease_id }, &[])
        .unwrap();
    w.refuses("Ineligible", 2, bid(id, 1), &funds);
}

fn queries(w: &mut World) {
    let (tenant, state, start_after, limit) = (Some("nobody".into()), None, None, None);
    let error = w
        .bare
        .ask_raw(QueryMsg::Orders {
            tenant,
            state,
            start_after,
            limit,
            model: None,
            descending: None,
        })
        .unwrap_err();
    w.reached.expect("Std", error);
}

/// What the bank or the chain would refuse before the contract does.
fn without_a_chain(mut reached: Reached) -> Reached {
    let mut deps = mock_dependencies();
    let sender = deps.api.addr_make("sender");
    let start = Settings::default().market(&sender, &sender, &sender);
    contract::instantiate(deps.as_mut(), mock_env(), message_info(&sender, &[]), start).unwrap();
    let funds = [Coin {
        denom: USDC.into(),
        amount: Uint256::MAX,
    }];
    let msg = create(mock_env().block.time.seconds(), |_, _, _, _| ());
    let error = contract::execute(
        deps.as_mut(),
        mock_env(),
        message_info(&sender, &funds),
        msg,
    )
    .unwrap_err();
    reached.expect("AmountTooLarge", error);
    for (name, contract, version) in [
        ("WrongContract", "crate:other", contract::VERSION),
        ("WrongVersion", contract::NAME, "99.0.0"),
    ] {
        cw2::set_contract_version(deps.as_mut().storage, contract, version).unwrap();
        reached.expect(
            name,
            contract::migrate(deps.as_mut(), mock_env(), MigrateMsg {}).unwrap_err(),
        );
    }
    reached
}

#[test]
fn a_value_that_does_not_fit_says_so() {
    let error = Rate::per_hour(u128::MAX).unwrap_err();
    assert_eq!(error, ValidationError::Overflow { what: "rate" });
    assert!(DenomFees::default().validate().is_err());
}
