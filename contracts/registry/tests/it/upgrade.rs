//! `instantiate`, `migrate`, and the hook.

use cosmwasm_std::{
    Deps, Uint128, from_json,
    testing::{message_info, mock_dependencies, mock_env},
};
use ember_registry::{ContractError, contract};
use ember_testing::{
    Suite,
    suite::{NATIVE, device},
};
use ember_types::{
    registry::{
        BondResponse, ExecuteMsg, InstantiateMsg, MigrateMsg, ProviderResponse, ProvidersResponse,
        QueryMsg, SEEN_SECS,
    },
    resources::Device,
    supply::SupplyResponse,
};

#[test]
fn the_configuration_is_what_was_given() {
    let suite = Suite::new();
    let config: InstantiateMsg = suite.ask_registry(&QueryMsg::Config {}).unwrap();
    assert_eq!(
        config,
        InstantiateMsg {
            authority: suite.authority.to_string(),
            bond_denom: NATIVE.into(),
            unbonding_secs: 1_000,
            min_bond: Uint128::new(1_000_000),
            fee_collector: Some(suite.fee_collector.to_string()),
            court: Some(suite.court.to_string()),
            market: Some(suite.market.to_string()),
            trust_setters: vec![suite.trust_setter.to_string()],
            seen_secs: Some(SEEN_SECS),
        }
    );
}

#[test]
fn a_bond_denom_is_a_denom() {
    let mut deps = mock_dependencies();
    let sender = deps.api.addr_make("sender");
    let msg = InstantiateMsg {
        authority: sender.to_string(),
        bond_denom: "1x".into(),
        unbonding_secs: 1,
        min_bond: Uint128::zero(),
        fee_collector: None,
        court: None,
        market: None,
        trust_setters: vec![],
        seen_secs: None,
    };
    let result = contract::instantiate(deps.as_mut(), mock_env(), message_info(&sender, &[]), msg);
    assert!(
        matches!(result, Err(ContractError::Invalid(_))),
        "{result:?}"
    );
}

#[test]
fn migration_checks_name_and_version() {
    let mut deps = mock_dependencies();
    for (name, version, ok) in [
        (contract::NAME, contract::VERSION, true),
        (contract::NAME, "0.0.9", true),
        (contract::NAME, "99.0.0", false),
        (contract::NAME, "nonsense", false),
        ("crate:other", contract::VERSION, false),
    ] {
        cw2::set_contract_version(deps.as_mut().storage, name, version).unwrap();
        let result = contract::migrate(deps.as_mut(), mock_env(), MigrateMsg {});
        assert_eq!(result.is_ok(), ok, "{name} {version}: {result:?}");
    }
}

/// What version 0.1.0 stored, byte for byte.
#[test]
fn the_state_of_the_first_version_is_taken_over() {
    let mut deps = mock_dependencies();
    let (authority, alice) = (deps.api.addr_make("authority"), deps.api.addr_make("alice"));
    let storage = deps.as_mut().storage;
    cw2::set_contract_version(storage, contract::NAME, "0.1.0").unwrap();
    let config = format!(
        r#"{{"authority":"{authority}","bond_denom":"uember","unbonding_secs":1000,"min_bond":"1000000"}}"#
    );
    storage.set(b"config", config.as_bytes());
    let key = |map: &str| {
        let mut key = vec![0, map.len() as u8];
        key.extend(map.as_bytes());
        key.extend(alice.as_bytes());
        key
    };
    storage.set(&key("bonds"), br#""3000000""#);
    storage.set(&key("unbondings"), br#"[{"amount":"7","release_at":"9"}]"#);
    storage.set(
        &key("providers"),
        br#"{"host_uri":"https://a:1","devices":[{"id":"gpu-0","model":"mesa/lavapipe","vram_mib":2048,"profile":"portable1","driver":"llvmpipe 22.3.6"}],"attributes":[{"key":"region","value":"eu"}],"registered_at":"1500000000000000000"}"#,
    );
    contract::migrate(deps.as_mut(), mock_env(), MigrateMsg {}).unwrap();
    let stored = cw2::get_contract_version(&deps.storage).unwrap();
    assert_eq!(stored.version, contract::VERSION);
    let ask = |msg| contract::query(deps.as_ref(), mock_env(), msg).unwrap();
    let config: InstantiateMsg = from_json(ask(QueryMsg::Config {})).unwrap();
    assert_eq!(config.authority, authority.as_str());
    assert_eq!((config.court, config.fee_collector), (None, None));
    let address = alice.to_string();
    let p: ProviderResponse = from_json(ask(QueryMsg::Provider { address })).unwrap();
    assert!(p.may_bid);
    let old = Device {
        scores: vec![],
        ..device("gpu-0")
    };
    assert_eq!(p.devices, [old]);
    let address = alice.to_string();
    let b: BondResponse = from_json(ask(QueryMsg::Bond { address })).unwrap();
    assert_eq!(b.unbonding.len(), 1);

    // Of the new: nobody has said anything of it yet, and it is found by its model.
    assert_eq!((config.market, config.trust_setters.len()), (None, 0));
    assert_eq!(config.seen_secs, Some(SEEN_SECS));
    assert_eq!((p.revision, p.trust, p.live), (0, 0, false));
    assert_eq!(p.seen_at, p.registered_at);
    let model = Some("mesa/lavapipe".to_string());
    let found: ProvidersResponse = from_json(ask(QueryMsg::Providers {
        model: model.clone(),
        start_after: None,
        limit: None,
        live: None,
        descending: None,
    }))
    .unwrap();
    assert_eq!(found.providers.len(), 1);
    let supply = |deps: Deps| -> SupplyResponse {
        let msg = QueryMsg::Supply {
            model: None,
            start_after: None,
            limit: None,
            descending: None,
        };
        from_json(contract::query(deps, mock_env(), msg).unwrap()).unwrap()
    };
    assert_eq!(supply(deps.as_ref()).models, []);
    let mut later = mock_env();
    later.block.time = later.block.time.plus_seconds(10 * SEEN_SECS);
    let info = message_info(&alice, &[]);
    contract::execute(deps.as_mut(), later, info, ExecuteMsg::Touch {}).unwrap();
    assert_eq!(supply(deps.as_ref()).models[0].devices, 1);
}

/// A provider that no migration has indexed is as soon as it says something, or leaves without a trace.
#[test]
fn a_provider_of_the_first_version_may_leave_at_once() {
    let mut suite = Suite::new();
    let alice = suite.provider("alice", 2);
    for map in ["presence", "live", "supply", "by_model", "expires"] {
        let mut storage = suite.app.contract_storage_mut(&suite.registry);
        let keys: Vec<_> = storage
            .range(None, None, cosmwasm_std::Order::Ascending)
            .map(|(k, _)| k)
            .filter(|k| k.len() > 2 && k[2..].starts_with(map.as_bytes()))
            .collect();
        assert!(!keys.is_empty(), "{map}");
        keys.iter().for_each(|k| storage.remove(k));
    }
    suite
        .registry(&alice, &ExecuteMsg::UnregisterProvider {}, &[])
        .unwrap();
    let supply: SupplyResponse = suite
        .ask_registry(&QueryMsg::Supply {
            model: None,
            start_after: None,
            limit: None,
            descending: None,
        })
        .unwrap();
    assert_eq!(supply.models, []);
}

#[test]
fn nothing_happens_by_itself() {
    let mut suite = Suite::new();
    suite.provider("alice", 1);
    suite.wait(10_000_000);
}
