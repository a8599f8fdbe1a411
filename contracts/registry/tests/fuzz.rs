//! Hostile messages: the corpus of `fuzz/corpus`, each number of it at its edges, and random mutations of it. Nothing
//! panics, and every stake is in the bank. `EMBER_FUZZ=n` runs n rounds of mutations.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use cosmwasm_std::{
    Addr, MessageInfo, Response, from_json,
    testing::{mock_dependencies, mock_env},
};
use ember_registry::{ContractError, contract};
use ember_testing::{
    Bare, Settings,
    fuzz::{self, Input, Outcome, Target},
    suite::NATIVE,
};
use ember_types::{
    registry::{BondResponse, ExecuteMsg, InstantiateMsg, MigrateMsg, QueryMsg},
    sudo::SudoMsg,
};
use std::{collections::BTreeMap, path::Path};

const PEOPLE: [&str; 4] = ["t0", "t1", "p0", "p1"];

/// Two accounts, and two providers of which the second can claim an unbonding.
fn base() -> (Bare, Vec<Addr>) {
    let mut world = Bare::new(&Settings::default());
    let mut people = PEOPLE.map(|n| world.account(n)).to_vec();
    people.push(world.authority.clone());
    people.push(world.market.clone());
    for who in &people {
        world.bank.mint(who, u128::MAX / 16, NATIVE);
    }
    for provider in [&people[2], &people[3]] {
        world.register(provider, 2, 3_000_000).unwrap();
    }
    let unbond = ExecuteMsg::Unbond {
        amount: 1_000u128.into(),
    };
    world.registry(&people[3], unbond, &[]).unwrap();
    let (provider, expires_at) = (people[2].to_string(), world.now() + 100_000);
    let audit = ExecuteMsg::SignAudit {
        provider: provider.clone(),
        revision: 1,
        statement: "seen".into(),
        expires_at,
    };
    world.registry(&people[0], audit, &[]).unwrap();
    let trust = ExecuteMsg::SetTrust {
        provider,
        device: Some("gpu-1".into()),
        level: 1,
        revision: 1,
        expires_at,
    };
    world.registry(&people[4], trust, &[]).unwrap();
    world.pass(1_000);
    (world, people)
}

fn run(world: &mut Bare, input: &Input) -> Outcome {
    let Input {
        kind,
        bytes,
        sender,
        funds,
    } = input;
    let supply = world.bank.supply(NATIVE);
    let result = match kind.as_str() {
        "execute" => {
            fuzz::outcome(fuzz::decode(bytes).map(|msg| world.registry(sender, msg, funds)))
        }
        "query" => fuzz::outcome(fuzz::decode(bytes).map(|msg| world.ask_registry(msg))),
        "sudo" => fuzz::outcome(
            fuzz::decode::<SudoMsg>(bytes).map(|_| Ok::<_, String>(world.registry_hook())),
        ),
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
    assert_eq!(supply, world.bank.supply(NATIVE), "made or lost");
    if kind == "execute" && result == Outcome::Taken {
        check(world);
    }
    result
}

/// Every stake, bonded or on its way out, is in the bank, and nothing else is.
fn check(world: &mut Bare) {
    world.registry_hook();
    let names = PEOPLE.map(|n| world.account(n)).to_vec();
    let stakes = names
        .iter()
        .chain([&world.authority, &world.market])
        .map(|who| {
            let address = who.to_string();
            let bond: BondResponse =
                from_json(world.ask_registry(QueryMsg::Bond { address }).unwrap()).unwrap();
            let unbonding: u128 = bond.unbonding.iter().map(|u| u.amount.u128()).sum();
            bond.bonded.u128() + unbonding
        });
    assert_eq!(
        stakes.sum::<u128>(),
        world.bank.balance(&world.registry, NATIVE)
    );
    for msg in [
        QueryMsg::Providers {
            model: None,
            start_after: None,
            limit: Some(100),
            live: None,
            descending: None,
        },
        QueryMsg::Supply {
            model: None,
            start_after: None,
            limit: Some(100),
            descending: None,
        },
        QueryMsg::Audits {
            provider: None,
            signer: None,
            start_after: None,
            limit: Some(100),
            in_force: None,
            descending: None,
        },
    ] {
        world.ask_registry(msg).unwrap();
    }
}

fn target() -> Target<'static> {
    let (base, people) = base();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut corpus = fuzz::corpus(&dir);
    let names = BTreeMap::from([
        ("authority", base.authority.to_string()),
        ("collector", base.fee_collector.to_string()),
        ("t0", people[0].to_string()),
        ("p0", people[2].to_string()),
    ]);
    fuzz::fill(&mut corpus, &names);
    Target {
        base,
        people,
        denoms: vec![NATIVE],
        corpus,
        run,
    }
}

#[test]
fn the_corpus_has_every_message_and_somebody_gets_each_through() {
    let mut target = target();
    // What can be revoked must be published first.
    let certificate = ["execute.revoke_certificate", "query.certificate"];
    let outcomes = target.as_it_is();
    fuzz::expect_entries(
        &outcomes,
        "execute",
        cosmwasm_schema::schema_for!(ExecuteMsg),
    );
    fuzz::expect_entries(&outcomes, "query", cosmwasm_schema::schema_for!(QueryMsg));
    for (name, outcome) in &outcomes {
        let expected = if certificate.contains(&name.as_str()) {
            Outcome::Refused
        } else {
            Outcome::Taken
        };
        assert_eq!(*outcome, expected, "{name}");
    }
    let publish = from_json(target.corpus["execute.publish_certificate"].to_string()).unwrap();
    target
        .base
        .registry(&target.people[0].clone(), publish, &[])
        .unwrap();
    let outcomes = target.as_it_is();
    for name in certificate {
        assert_eq!(outcomes[name], Outcome::Taken, "{name}");
    }
}

#[test]
fn numbers_at_their_edges_break_nothing() {
    assert!(target().at_the_edges() > 0);
}

#[test]
fn mutated_messages_break_nothing() {
    let seen = target().mutated(2, fuzz::rounds(20_000));
    println!("{seen:?}");
    assert_eq!(seen.len(), 3, "{seen:?}");
}
