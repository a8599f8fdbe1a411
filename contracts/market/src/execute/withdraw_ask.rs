//! `WithdrawAsk`: by its provider; by anyone once the provider may not bid or has not the devices any more, so that
//! dead asks cannot crowd the book.

use crate::{asks, error::ContractError, funds, outbox::Outbox, providers, state::CONFIG};
use cosmwasm_std::{DepsMut, MessageInfo, Response};
use ember_types::ids::AskId;

pub(crate) fn execute(
    deps: DepsMut,
    info: &MessageInfo,
    ask_id: AskId,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let ask = asks::load(deps.storage, ask_id)?;
    if info.sender != ask.provider {
        let config = CONFIG.load(deps.storage)?;
        let units = ask.units;
        let (owner, device) = (&ask.provider, &ask.device);
        if providers::can_sell(deps.querier, &config, owner, device, units, None).is_ok() {
            return Err(ContractError::NotAskOwner {
                ask_id,
                provider: ask.provider,
                sender: info.sender.clone(),
            });
        }
    }
    let mut out = Outbox::default();
    asks::withdraw(deps.storage, &mut out, ask_id)?;
    Ok(out.into_response())
}
