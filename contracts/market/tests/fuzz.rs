//! Hostile messages: the corpus of `fuzz/corpus`, each number of it at its edges, and random mutations of it. Nothing
//! panics, and the books stay whole. `EMBER_FUZZ=n` runs n rounds of mutations.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "fuzz/base.rs"]
mod base;

use cosmwasm_std::{
    MessageInfo, Response, Timestamp,
    testing::{mock_dependencies, mock_env},
};
use ember_market::{ContractError, contract};
use ember_testing::{
    Bare, Settings,
    fuzz::{self, Input, Outcome, Target},
    suite::{NATIVE, USDC},
};
use ember_types::{
    market::{
        ExecuteMsg, InstantiateMsg, InvariantsResponse, LeasesResponse, MigrateMsg, OrdersResponse,
        QueryMsg,
    },
    sudo::SudoMsg,
};
use std::{collections::BTreeMap, path::Path};

fn run(world: &mut Bare, input: &Input) -> Outcome {
    let Input {
        kind,
        bytes,
        sender,
        funds,
    } = input;
    let supply = [NATIVE, USDC].map(|d| world.bank.supply(d));
    let result = match kind.as_str() {
        "execute" => fuzz::outcome(fuzz::decode(bytes).map(|msg| world.market(sender, msg, funds))),
        "query" => fuzz::outcome(fuzz::decode(bytes).map(|msg| world.ask_raw(msg))),
        "sudo" => {
            fuzz::outcome(fuzz::decode::<SudoMsg>(bytes).map(|_| Ok::<_, String>(world.hook())))
        }
        "instantiate" => fuzz::outcome(fuzz::decode::<InstantiateMsg>(bytes).map(|msg| {
            let mut deps = mock_dependencies();
            let info = MessageInfo {
                sender: sender.clone(),
                funds: funds.clone(),
            };
            contract::instantiate(deps.as_mut(), mock_env(), info, msg)
        })),
        "migrate" => fuzz::outcome(fuzz::decode::<MigrateMsg>(bytes).map(
            |msg| -> Result<Response, ContractError> {
                let mut deps = mock_dependencies();
                cw2::set_contract_version(
                    deps.as_mut().storage,
                    contract::NAME,
                    contract::VERSION,
                )?;
                contract::migrate(deps.as_mut(), mock_env(), msg)
            },
        )),
        other => {
            panic!("corpus: expected execute, query, sudo, instantiate or migrate, got {other}")
        }
    };
    assert_eq!(
        supply,
        [NATIVE, USDC].map(|d| world.bank.supply(d)),
        "made or lost"
    );
    if kind == "execute" && result == Outcome::Taken {
        check(world);
    }
    result
}

fn check(world: &mut Bare) {
    world.hook();
    let (start_after, limit) = (None, Some(100));
    let books: InvariantsResponse = world
        .ask(QueryMsg::Invariants { start_after, limit })
        .unwrap();
    assert!(
        books.ok && books.denoms.iter().all(|d| d.balance == d.liabilities),
        "{books:?}"
    );
    let orders: OrdersResponse = world
        .ask(QueryMsg::Orders {
            tenant: None,
            state: None,
            start_after: None,
            limit,
            model: None,
            descending: None,
        })
        .unwrap();
    for order in orders.orders {
        world
            .ask_raw(QueryMsg::Escrow { order_id: order.id })
            .unwrap();
        world
            .ask_raw(QueryMsg::Bids {
                order_id: Some(order.id),
                start_after: None,
                limit,
                provider: None,
                state: None,
                descending: None,
            })
            .unwrap();
    }
    let leases = QueryMsg::Leases {
        tenant: None,
        provider: None,
        state: None,
        start_after: None,
        limit,
        model: None,
        descending: None,
    };
    world.ask::<LeasesResponse>(leases).unwrap();
}

fn target() -> Target<'static> {
    let (base, people) = base::base(&Settings::default());
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut corpus = fuzz::corpus(&dir);
    let names = BTreeMap::from([
        ("authority", base.authority.to_string()),
        ("registry", base.registry.to_string()),
        ("collector", base.fee_collector.to_string()),
        ("t0", people[0].to_string()),
        ("p0", people[2].to_string()),
    ]);
    fuzz::fill(&mut corpus, &names);
    Target {
        base,
        people,
        denoms: vec![USDC, NATIVE],
        corpus,
        run,
    }
}

#[test]
fn the_corpus_has_every_message_and_somebody_gets_each_through() {
    let outcomes = target().as_it_is();
    fuzz::expect_entries(
        &outcomes,
        "execute",
        cosmwasm_schema::schema_for!(ExecuteMsg),
    );
    fuzz::expect_entries(&outcomes, "query", cosmwasm_schema::schema_for!(QueryMsg));
    for (name, outcome) in &outcomes {
        // No device of the test world is a Hopper.
        let expected = if name == "execute.create_order.market" {
            Outcome::Refused
        } else {
            Outcome::Taken
        };
        assert_eq!(*outcome, expected, "{name}");
    }
}

#[test]
fn numbers_at_their_edges_break_nothing() {
    assert!(target().at_the_edges() > 0);
}

#[test]
fn mutated_messages_break_nothing() {
    let seen = target().mutated(1, fuzz::rounds(20_000));
    println!("{seen:?}");
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[test]
fn the_end_of_time_breaks_nothing() {
    let mut target = target();
    target.base.env.block.time = Timestamp::from_nanos(u64::MAX);
    target.as_it_is();
    let mut world = target.base.clone();
    check(&mut world);
    // All is over but the auction, which has just become a lease.
    assert_eq!(world.bank.balance(&world.market, USDC), 39_900);
}
