//! The wasm's exports: [`contract`], with messages read as [`Lean`] does.

use crate::{contract, error::ContractError};
use cosmwasm_std::{Binary, Deps, DepsMut, Env, MessageInfo, Response, do_sudo, entry_point};
use ember_types::{
    lean::Lean,
    market::{ExecuteMsg, InstantiateMsg, MigrateMsg, QueryMsg},
    sudo::SudoMsg,
};
use serde::{Deserialize, de::IgnoredAny};

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

/// What is read of a [`cosmwasm_std::Reply`]: all of its types are 5 KB.
#[derive(Deserialize)]
struct Failure {
    result: Outcome,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Ok(IgnoredAny),
    Error(String),
}

/// A reply is handed over as a message of the chain is: the environment, and one value. `cosmwasm_std::do_reply` would
/// read it whole.
#[unsafe(no_mangle)]
extern "C" fn reply(env: u32, reply: u32) -> u32 {
    do_sudo(&failed, env, reply)
}

fn failed(_: DepsMut, _: Env, reply: Lean<Failure>) -> Answer {
    Ok(contract::report_failed(match reply.0.result {
        Outcome::Ok(_) => String::new(),
        Outcome::Error(reason) => reason,
    }))
}

#[entry_point]
fn sudo(deps: DepsMut, env: Env, msg: Lean<SudoMsg>) -> Answer {
    contract::sudo(deps, env, msg.0)
}

#[entry_point]
fn migrate(deps: DepsMut, env: Env, msg: Lean<MigrateMsg>) -> Answer {
    contract::migrate(deps, env, msg.0)
}
