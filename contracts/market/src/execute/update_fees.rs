//! `UpdateFees`: by the authority. Running leases keep the schedule they opened with.

use super::unauthorized;
use crate::{error::ContractError, fees, funds, state::CONFIG};
use cosmwasm_std::{DepsMut, Event, MessageInfo, Response};
use ember_types::{
    events::{self, key},
    fees::DenomFees,
};

pub(crate) fn execute(
    deps: DepsMut,
    info: &MessageInfo,
    schedule: &[DenomFees],
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let authority = CONFIG.load(deps.storage)?.authority;
    if info.sender != authority {
        return unauthorized(format!("the authority {authority}"), &info.sender);
    }
    fees::replace(deps.storage, schedule)?;
    Ok(Response::new().add_events(schedule.iter().map(|f| {
        Event::new(events::FEES_UPDATED)
            .add_attribute(key::DENOM, &f.denom)
            .add_attribute(key::TAKE_BPS, f.take_bps.to_string())
            .add_attribute(key::RESERVATION_BPS, f.reservation_bps.to_string())
            .add_attribute(key::SESSION_FEE, f.session_fee)
    })))
}
