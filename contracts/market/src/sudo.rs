//! The end-block hook: due items from the time index, a bounded number a block; the rest waits for the next.

use crate::{
    account::Account, error::ContractError, lifecycle, matching, outbox::Outbox, state::DUE,
};
use cosmwasm_std::{DepsMut, Env, Response};
use ember_types::{ids::OrderId, lease::OrderState, pricing::MatchAt};

/// Most orders that one block looks at.
pub const MAX_ITEMS: usize = 100;
/// No further order is looked at once this many payments wait to be sent.
pub const MAX_MESSAGES: usize = 500;
/// No further order is looked at once the registry was asked so often who can serve: each time it reads a whole provider.
pub const MAX_ASKED: usize = 200;

pub(crate) fn end_block(deps: DepsMut, env: &Env) -> Result<Response, ContractError> {
    let now = env.block.time.seconds();
    let mut out = Outbox::default();
    for _ in 0..MAX_ITEMS {
        if out.messages() >= MAX_MESSAGES || out.asked() >= MAX_ASKED {
            break;
        }
        let Some(((due, id), _)) = DUE.first(deps.storage)? else {
            break;
        };
        if due > now {
            break;
        }
        let mut account = Account::load(deps.storage, OrderId(id))?;
        match account.order.state {
            OrderState::Open => match account.order.pricing.match_at() {
                MatchAt::Time(_) => {
                    matching::close_auction(
                        deps.storage,
                        deps.querier,
                        &mut out,
                        &mut account,
                        now,
                    )?;
                }
                MatchAt::Creation => {
                    matching::cross_again(deps.storage, deps.querier, &mut out, &mut account, env)?;
                }
            },
            OrderState::Leased | OrderState::Closed => {
                lifecycle::catch_up(deps.storage, &mut out, &mut account, now)?;
                matching::cross_missing(deps.storage, deps.querier, &mut out, &mut account, env)?;
            }
        }
        account.save(deps.storage)?;
    }
    Ok(out.into_response())
}
