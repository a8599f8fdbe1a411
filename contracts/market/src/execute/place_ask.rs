//! `PlaceAsk`: by a provider who may bid and has the devices. No funds.

use crate::{
    asks,
    error::ContractError,
    fees, funds,
    outbox::Outbox,
    providers,
    state::{Ask, CONFIG},
};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};
use ember_types::{
    assurance::Assurance,
    error::ValidationError,
    money::Rate,
    resources::{MAX_UNITS, ResourceSpec},
};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    device: &str,
    units: u32,
    (denom, rate): (String, Rate),
    assurance: Assurance,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    fees::of(deps.storage, &denom)?;
    if units == 0 || units > MAX_UNITS {
        let expected = format!("1 to {MAX_UNITS}");
        return Err(ValidationError::range("units", expected, units).into());
    }
    let config = CONFIG.load(deps.storage)?;
    let wanted = ResourceSpec {
        units,
        assurance,
        ..ResourceSpec::default()
    };
    let device = providers::device(deps.querier, &config, &info.sender, device, wanted)
        .map_err(|reason| providers::refuse(&info.sender, reason))?;
    let mut out = Outbox::default();
    asks::place(
        deps.storage,
        &mut out,
        &Ask {
            provider: info.sender.clone(),
            device,
            assurance,
            units,
            denom,
            rate,
            placed_at: env.block.time,
        },
    )?;
    Ok(out.into_response())
}
