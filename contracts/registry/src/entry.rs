//! The wasm's exports: [`contract`], with messages read as [`Lean`] does.

use crate::{contract, error::ContractError};
use cosmwasm_std::{Binary, Deps, DepsMut, Env, MessageInfo, Response, entry_point};
use ember_types::{
    lean::Lean,
    registry::{ExecuteMsg, InstantiateMsg, MigrateMsg, QueryMsg},
    sudo::SudoMsg,
};

type Answer = Result<Response, ContractError>;

#[entry_point]
fn instantiate(deps: DepsMut, env: Env, info: MessageInfo, msg: Lean<InstantiateMsg>) -> Answer {
    contract::instantiate(deps, env, info, msg.0)
}

#[entry_point]
fn execute(deps: DepsMut, env: Env, info: MessageInfo, msg: Lean<ExecuteMsg>) -> Answer {
    contract::execute(deps, env, info, msg.0)
}

#[entry_point]
fn query(deps: Deps, env: Env, msg: Lean<QueryMsg>) -> Result<Binary, ContractError> {
    contract::query(deps, env, msg.0)
}

#[entry_point]
fn sudo(deps: DepsMut, env: Env, msg: Lean<SudoMsg>) -> Answer {
    contract::sudo(deps, env, msg.0)
}

#[entry_point]
fn migrate(deps: DepsMut, env: Env, msg: Lean<MigrateMsg>) -> Answer {
    contract::migrate(deps, env, msg.0)
}
