//! Supply, and who could serve.

use super::{Rows, limits};
use crate::{
    error::ContractError,
    presence, serving,
    state::{LIVE, PROVIDERS, SUPPLY, Supply},
    validate::address,
};
use cosmwasm_std::{Addr, Deps, Env, Order, StdResult};
use cw_storage_plus::Bound;
use ember_types::{
    eligibility::{CanServeResponse, FeasibleResponse, Like, Scope, Stopped},
    list::{self, Page, fill},
    resources::ResourceSpec,
    supply::{ModelSupply, SupplyResponse},
};

pub(crate) fn supply(
    deps: Deps,
    env: &Env,
    model: Option<&str>,
    page: &Page<String>,
) -> Result<SupplyResponse, ContractError> {
    let after = page.start_after.as_deref();
    let order = page.order();
    let mut rows: Rows<String, Supply> = match model {
        Some(m) => {
            let past = after.is_some_and(|after| match order {
                Order::Ascending => m <= after,
                Order::Descending => m >= after,
            });
            let found = SUPPLY.may_load(deps.storage, m)?.filter(|_| !past);
            Box::new(found.map(|s| Ok((m.into(), s))).into_iter())
        }
        None => {
            let (min, max, order) = limits(after.map(Bound::exclusive), order);
            Box::new(SUPPLY.range(deps.storage, min, max, order))
        }
    };
    let (found, next) = fill(&mut rows, page.limit, |_| true)?;
    let entry = |(model, s): (String, Supply)| ModelSupply {
        model,
        providers: s.providers,
        devices: s.devices,
        in_use: s.in_use,
        free: s.devices.saturating_sub(s.in_use),
    };
    Ok(SupplyResponse {
        models: found.into_iter().map(entry).collect(),
        next,
        behind: presence::behind(deps.storage, env.block.time.seconds())?,
    })
}

pub(crate) fn can_serve(
    deps: Deps,
    env: &Env,
    provider: &str,
    wanted: &ResourceSpec,
    like: Option<&Like>,
) -> Result<CanServeResponse, ContractError> {
    let provider = address(deps.api, "provider", provider)?;
    let now = env.block.time.seconds();
    serving::can_serve(deps.storage, &provider, wanted, like, now)
}

pub(crate) fn feasible(
    deps: Deps,
    env: &Env,
    wanted: &ResourceSpec,
    scope: Scope,
    start_after: Option<&str>,
    limit: Option<u32>,
) -> Result<FeasibleResponse, ContractError> {
    wanted.validate()?;
    let after = start_after
        .map(|a| address(deps.api, "start_after", a))
        .transpose()?;
    let min = after.as_ref().map(Bound::exclusive);
    let (storage, up) = (deps.storage, Order::Ascending);
    let now = env.block.time.seconds();
    let mut addresses: Box<dyn Iterator<Item = StdResult<Addr>>> = match scope {
        Scope::All => Box::new(PROVIDERS.keys(storage, min, None, up)),
        Scope::Live => {
            let model = wanted.gpu.model.as_deref().unwrap_or_default();
            Box::new(LIVE.prefix(model).keys(storage, min, None, up))
        }
    };
    let mut answer = FeasibleResponse {
        looked_at: 0,
        able: 0,
        unseen: 0,
        stopped: Vec::new(),
        next: None,
    };
    let mut last = after.clone();
    for provider in addresses.by_ref().take(list::size(limit)) {
        let provider = provider?;
        answer.looked_at = answer.looked_at.saturating_add(1);
        match serving::can_serve(storage, &provider, wanted, None, now)?.lacks {
            None => {
                answer.able = answer.able.saturating_add(1);
                let until = presence::load(storage, &provider)?.until;
                let unseen = until.is_none_or(|until| until <= now);
                answer.unseen = answer.unseen.saturating_add(u32::from(unseen));
            }
            Some(lack) => match answer.stopped.iter_mut().find(|s| s.reason == lack.name()) {
                Some(s) => s.providers = s.providers.saturating_add(1),
                None => answer.stopped.push(Stopped {
                    reason: lack.name().into(),
                    providers: 1,
                    example: format!("{provider}: {lack}"),
                }),
            },
        }
        last = Some(provider);
    }
    if addresses.next().is_some() {
        answer.next = last.map(Addr::into_string);
    }
    Ok(answer)
}
