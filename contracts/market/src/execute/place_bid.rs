//! `PlaceBid`: by a provider who can serve the order, with the bid deposit.

use crate::{
    account::Account,
    bids::{self, NewBid, Price},
    error::{ContractError, Ineligible},
    escrow, funds,
    outbox::Outbox,
    providers,
    state::{CONFIG, Config, LIVE_BID},
};
use cosmwasm_std::{Addr, Deps, DepsMut, Env, MessageInfo, Response, Uint128};
use ember_types::{
    error::ValidationError,
    ids::{BidId, OrderId},
    lease::BidState,
    money::Rate,
    pricing::performance::unit_rate,
};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    order_id: OrderId,
    rate: Rate,
    (units, score): (Option<u32>, Option<u64>),
) -> Result<Response, ContractError> {
    let config = CONFIG.load(deps.storage)?;
    let mut account = Account::load(deps.storage, order_id)?;
    account.expect_auction(env.block.time.seconds())?;
    if !account.order.pricing.takes_bids() {
        return Err(ContractError::Mode {
            order_id,
            mode: account.order.pricing.name(),
            refuses: "takes no bids",
        });
    }
    let units = bids::units(&account, units)?;
    let deposit = bid_deposit(&deps, info, &account)?;
    let per_unit = match (account.order.pricing.performance(), score) {
        (None, None) => rate,
        (Some(_), Some(score)) if score > 0 => unit_rate(rate, score)?,
        (mode, got) => {
            let expected = if mode.is_some() { "1 or more" } else { "none" };
            let got = got.map_or("none".to_owned(), |s| s.to_string());
            return Err(ValidationError::range("score", expected, got).into());
        }
    };
    let ceiling = account.order.ceiling.rate;
    if per_unit > ceiling {
        return Err(ContractError::AboveCeiling {
            order_id,
            rate: per_unit,
            ceiling,
        });
    }
    let weight = admit(
        deps.as_ref(),
        &config,
        &account,
        &info.sender,
        (units, score),
    )?;
    let mut out = Outbox::default();
    if let Some(own) = LIVE_BID.may_load(deps.storage, (order_id.0, &info.sender))? {
        let (id, state) = (BidId(own), BidState::Withdrawn);
        bids::end(deps.storage, &mut out, &mut account, id, state, "replaced")?;
    }
    if account.order.open_bids >= config.max_bids_per_order
        && let Some((worst, id)) = bids::worst(deps.storage, order_id)?
    {
        if rate >= worst {
            return Err(ContractError::BookFull {
                order_id,
                max: config.max_bids_per_order,
                worst,
                rate,
            });
        }
        let state = BidState::Lost;
        bids::end(deps.storage, &mut out, &mut account, id, state, "outbid")?;
    }
    let new = NewBid {
        provider: info.sender.clone(),
        units,
        price: Price::Open(rate),
        weight,
        score,
        deposit,
        placed_at: env.block.time,
    };
    bids::place(deps.storage, &mut out, &mut account, new)?;
    account.save(deps.storage)?;
    Ok(out.into_response())
}

/// Whether the account may bid so many units of such a score. Answers its bond.
pub(super) fn admit(
    deps: Deps,
    config: &Config,
    account: &Account,
    who: &Addr,
    (units, score): (u32, Option<u64>),
) -> Result<Uint128, ContractError> {
    let bonded = providers::can_serve(deps.querier, config, who, account.order.part(units, score))
        .map_err(|reason| providers::refuse(who, reason))?;
    if account.was_left_by(deps.storage, who)? {
        return Err(providers::refuse(who, Ineligible::Left {}));
    }
    Ok(bonded)
}

/// Exactly the schedule's deposit, or nothing where it asks for none.
pub(super) fn bid_deposit(
    deps: &DepsMut,
    info: &MessageInfo,
    account: &Account,
) -> Result<Uint128, ContractError> {
    let schedule = escrow::schedule(deps.storage, account)?;
    let expected = schedule.bid_deposit;
    if expected.is_zero() {
        funds::none(info)?;
        return Ok(expected);
    }
    let got = funds::one(info, &schedule.denom)?;
    if got != expected {
        return Err(ContractError::WrongBidDeposit {
            expected,
            got,
            denom: schedule.denom,
        });
    }
    Ok(got)
}
