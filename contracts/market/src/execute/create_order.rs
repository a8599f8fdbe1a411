//! `CreateOrder`: by anyone, with the first deposit.

use crate::{
    account::Account,
    error::ContractError,
    escrow, fees, funds, matching,
    outbox::Outbox,
    providers::{MAX_PROVIDERS_SEEN, feasible},
    state::{CONFIG, Config, Escrow, LAST_ORDER, Order, next_id},
};
use cosmwasm_std::{Deps, DepsMut, Env, Event, MessageInfo, Response, to_json_binary};
use ember_types::{
    eligibility::{Scope, Stopped},
    error::ValidationError,
    events::{self, key},
    ids::OrderId,
    lease::OrderState,
    market::{Ceiling, CreateOrderResponse, Terms},
    pricing::{MatchAt, PricingMode},
    resources::ResourceSpec,
};

/// Longest lease in seconds: 365 days.
pub const MAX_DURATION_SECS: u64 = 31_536_000;

#[allow(clippy::too_many_arguments, reason = "the fields of the message")]
pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    resources: ResourceSpec,
    pricing: PricingMode,
    ceiling: Ceiling,
    max_duration_secs: u64,
    terms: Terms,
) -> Result<Response, ContractError> {
    let schedule = fees::of(deps.storage, &ceiling.denom)?;
    let amount = funds::one(info, &ceiling.denom)?;
    if amount < schedule.min_deposit {
        return Err(ContractError::DepositTooSmall {
            least: schedule.min_deposit,
            got: amount,
            denom: ceiling.denom,
        });
    }
    resources.validate()?;
    terms.validate()?;
    pricing.validate(env.block.time.seconds())?;
    if let (Some(mode), Some(least)) = (pricing.performance(), &resources.gpu.min_score)
        && mode.benchmark != least.name
    {
        let field = "resources.gpu.min_score.name";
        return Err(ValidationError::range(field, &mode.benchmark, &least.name).into());
    }
    if max_duration_secs == 0 || max_duration_secs > MAX_DURATION_SECS {
        let expected = format!("1 to {MAX_DURATION_SECS}");
        return Err(
            ValidationError::range("max_duration_secs", expected, max_duration_secs).into(),
        );
    }
    let id = OrderId(next_id(deps.storage, &LAST_ORDER)?);
    let mut account = Account {
        id,
        order: Order {
            tenant: info.sender.clone(),
            resources,
            pricing,
            ceiling,
            max_duration_secs,
            state: OrderState::Open,
            created_at: env.block.time,
            open_bids: 0,
            terms,
            lease_id: None,
            more_leases: vec![],
            missing: 0,
            past_leases: vec![],
            relists: 0,
            relisted_at: None,
            seed: None,
            fees: schedule,
            due_at: None,
        },
        escrow: Escrow::default(),
        leases: vec![],
    };
    let mut out = Outbox::default();
    out.emit(created(&account));
    escrow::deposit(deps.storage, &mut out, &mut account, &info.sender, amount)?;
    if account.order.pricing.match_at() == MatchAt::Creation {
        let units = account.order.resources.units;
        matching::cross(
            deps.storage,
            deps.querier,
            &mut out,
            &mut account,
            units,
            env,
        )?;
    }
    let stopped = match account.order.state {
        OrderState::Open => {
            let config = CONFIG.load(deps.storage)?;
            nobody(deps.as_ref(), &config, &account.order)
        }
        OrderState::Leased | OrderState::Closed => None,
    };
    if stopped.is_some() {
        out.emit(
            Event::new(events::ORDER_INFEASIBLE)
                .add_attribute(key::ORDER_ID, id.to_string())
                .add_attribute(key::FEASIBLE, "false"),
        );
    }
    let data = CreateOrderResponse {
        order_id: id,
        lease_id: account.order.lease_id,
        more_leases: account.order.more_leases.clone(),
        feasible: stopped.is_none(),
        stopped: stopped.unwrap_or_default(),
    };
    account.save(deps.storage)?;
    Ok(out.into_response().set_data(to_json_binary(&data)?))
}

/// What stops every live provider, when none of them can serve. The registry is asked about one, then about the others:
/// mostly the first can. A registry that does not answer stops no order. Where several may fill an order, one unit counts.
fn nobody(deps: Deps, config: &Config, order: &Order) -> Option<Vec<Stopped>> {
    let whole = order.resources.units;
    let units = if order.pricing.takes_parts() {
        1
    } else {
        whole
    };
    for limit in [1, MAX_PROVIDERS_SEEN] {
        let wanted = order.part(units, None);
        let page = feasible(deps.querier, config, wanted, Scope::Live, None, Some(limit)).ok()?;
        if page.able > 0 {
            return None;
        }
        if page.next.is_none() {
            return Some(page.stopped);
        }
    }
    None
}

fn created(account: &Account) -> Event {
    let o = &account.order;
    Event::new(events::ORDER_CREATED)
        .add_attribute(key::ORDER_ID, account.id.to_string())
        .add_attribute(key::TENANT, &o.tenant)
        .add_attribute(key::MODE, o.pricing.name())
        .add_attribute(key::DENOM, &o.ceiling.denom)
        .add_attribute(key::RATE, o.ceiling.rate.to_string())
        .add_attribute(key::UNITS, o.resources.units.to_string())
}
