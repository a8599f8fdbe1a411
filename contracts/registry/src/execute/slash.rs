//! `Slash`: by the court. What is taken goes to the fee collector, and a dispute counts as lost.

use super::only;
use crate::{
    bonds,
    error::ContractError,
    funds, presence,
    state::{CONFIG, REPUTATION},
    validate,
};
use cosmwasm_std::{BankMsg, DepsMut, Env, MessageInfo, Response, Uint128, coins, to_json_binary};
use ember_types::events::key;

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    owner: &str,
    amount: Uint128,
    reason: &str,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let config = CONFIG.load(deps.storage)?;
    let court = config.court.ok_or(NO_COURT)?;
    only("the court", &court, &info.sender)?;
    let collector = config.fee_collector.ok_or(NO_COLLECTOR)?;
    validate::text("reason", reason)?;
    if amount.is_zero() {
        return Err(ContractError::ZeroAmount);
    }
    let owner = validate::address(deps.api, "owner", owner)?;
    let before = bonds::bonded(deps.storage, &owner)?;
    let taken = bonds::slash(deps.storage, &owner, amount, env.block.time)?;
    let after = bonds::bonded(deps.storage, &owner)?;
    presence::refresh(deps.storage, &owner, None, false, env.block.time.seconds())?;
    let mut r = REPUTATION
        .may_load(deps.storage, &owner)?
        .unwrap_or_default();
    r.disputes_lost = r.disputes_lost.saturating_add(1);
    REPUTATION.save(deps.storage, &owner, &r)?;
    // At most `amount`, so it fits.
    let sum = taken.from_bond.saturating_add(taken.from_unbonding);
    Ok(Response::new()
        .add_event(
            bonds::event("slash", &owner, sum, before, after)
                .add_attribute(key::FROM_UNBONDING, taken.from_unbonding)
                .add_attribute(key::RECIPIENT, &collector)
                .add_attribute(key::REASON, reason),
        )
        .add_message(BankMsg::Send {
            to_address: collector.into_string(),
            amount: coins(sum.u128(), config.bond_denom),
        })
        .set_data(to_json_binary(&taken)?))
}

const NO_COURT: ContractError = ContractError::NotConfigured { what: "court" };
const NO_COLLECTOR: ContractError = ContractError::NotConfigured {
    what: "fee_collector",
};
