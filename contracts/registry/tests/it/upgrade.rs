//! `instantiate`, `migrate`, and the hook.

use cosmwasm_std::{
    Uint128,
    testing::{message_info, mock_dependencies, mock_env},
};
use ember_registry::{ContractError, contract};
use ember_testing::{Suite, suite::NATIVE};
use ember_types::registry::{InstantiateMsg, MigrateMsg, QueryMsg};

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

#[test]
fn nothing_happens_by_itself() {
    let mut suite = Suite::new();
    suite.provider("alice", 1);
    suite.wait(10_000_000);
}
