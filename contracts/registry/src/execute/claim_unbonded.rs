//! `ClaimUnbonded`: by the owner of what is released.

use crate::{bonds, error::ContractError, funds, state::CONFIG};
use cosmwasm_std::{BankMsg, DepsMut, Env, MessageInfo, Response, coins};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let amount = bonds::claim(deps.storage, &info.sender, env.block.time)?;
    let bonded = bonds::bonded(deps.storage, &info.sender)?;
    Ok(Response::new()
        .add_event(bonds::event("claim", &info.sender, amount, bonded, bonded))
        .add_message(BankMsg::Send {
            to_address: info.sender.to_string(),
            amount: coins(amount.u128(), CONFIG.load(deps.storage)?.bond_denom),
        }))
}
