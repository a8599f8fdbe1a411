//! `UpdateConfig`: by the authority.

use super::only;
use crate::{error::ContractError, funds, state::CONFIG, validate};
use cosmwasm_std::{DepsMut, Event, MessageInfo, Response};
use ember_types::{
    events::{self, key},
    registry::ConfigUpdate,
};

pub(crate) fn execute(
    deps: DepsMut,
    info: &MessageInfo,
    update: &ConfigUpdate,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let mut config = CONFIG.load(deps.storage)?;
    only("the authority", &config.authority, &info.sender)?;
    if *update == ConfigUpdate::default() {
        return Err(ContractError::EmptyConfigUpdate);
    }
    let addr = |field, text: &str| validate::address(deps.api, field, text);
    if let Some(authority) = &update.authority {
        config.authority = addr("authority", authority)?;
    }
    if let Some(secs) = update.unbonding_secs {
        validate::unbonding_secs(secs)?;
        config.unbonding_secs = secs;
    }
    if let Some(least) = update.min_bond {
        config.min_bond = least;
    }
    if let Some(collector) = &update.fee_collector {
        config.fee_collector = Some(addr("fee_collector", collector)?);
    }
    if let Some(court) = &update.court {
        config.court = Some(addr("court", court)?);
    }
    if let Some(market) = &update.market {
        config.market = Some(addr("market", market)?);
    }
    if let Some(setters) = &update.trust_setters {
        config.trust_setters = validate::trust_setters(deps.api, setters)?;
    }
    if let Some(secs) = update.seen_secs {
        validate::seen_secs(secs)?;
        config.seen_secs = secs;
    }
    CONFIG.save(deps.storage, &config)?;
    Ok(Response::new().add_event(
        Event::new(events::CONFIG_UPDATED).add_attribute(key::AUTHORITY, config.authority),
    ))
}
