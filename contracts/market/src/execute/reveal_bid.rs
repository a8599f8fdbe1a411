//! `RevealBid`: by the bid's provider, in the reveal window.

use super::unauthorized;
use crate::{account::Account, bids, error::ContractError, funds, outbox::Outbox};
use cosmwasm_std::{Binary, DepsMut, Env, MessageInfo, Response};
use ember_types::{
    ids::BidId,
    lease::BidState,
    money::Rate,
    pricing::{
        sealed_tender::{bytes32, commitment},
        stake_weighted::stir,
    },
};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    bid_id: BidId,
    rate: Rate,
    salt: &Binary,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let bid = bids::load(deps.storage, bid_id)?;
    if info.sender != bid.provider {
        return unauthorized(format!("the bidder {}", bid.provider), &info.sender);
    }
    let bid = bids::load_in(deps.storage, bid_id, BidState::Sealed)?;
    let order_id = bid.order_id;
    let mut account = Account::load(deps.storage, order_id)?;
    let now = env.block.time.seconds();
    account.expect_auction(now)?;
    // Every order with sealed bids has such a time.
    let from = account.order.pricing.sealed_until().unwrap_or_default();
    if now < from {
        return Err(ContractError::RevealTooEarly {
            order_id,
            from,
            now,
        });
    }
    let ceiling = account.order.ceiling.rate;
    if rate > ceiling {
        return Err(ContractError::AboveCeiling {
            order_id,
            rate,
            ceiling,
        });
    }
    let salt = bytes32("salt", salt)?;
    let got = commitment(order_id, &bid.provider, rate, &salt);
    let expected = bid.commitment.unwrap_or_default();
    if expected.as_slice() != got {
        return Err(ContractError::WrongReveal {
            bid_id,
            expected: bids::hex(&expected),
            got: bids::hex(&got),
        });
    }
    let mut out = Outbox::default();
    bids::reveal(deps.storage, &mut out, bid_id, rate, &salt)?;
    if account.order.pricing.draws() {
        let seed = stir(&account.order.draws_with(), order_id, bid_id, &salt);
        account.order.seed = Some(seed.into());
        account.save(deps.storage)?;
    }
    Ok(out.into_response())
}
