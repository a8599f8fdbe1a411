//! Audits, trust, reputation.

use super::{Rows, limits};
use crate::{
    error::ContractError,
    state::{AUDITS, AUDITS_BY_SIGNER, Audit, REPUTATION, TRUST, Trust},
    validate::address,
};
use cosmwasm_std::{Addr, Deps, Env, Timestamp};
use cw_storage_plus::Bound;
use ember_types::{
    list::{Page, fill},
    standing::{AuditResponse, AuditsResponse, Reputation, TrustResponse, TrustsResponse},
};

pub(crate) fn audits(
    deps: Deps,
    env: &Env,
    (provider, signer): (Option<&str>, Option<&str>),
    in_force: Option<bool>,
    page: Page<(String, String)>,
) -> Result<AuditsResponse, ContractError> {
    let addr = |field, a: &str| address(deps.api, field, a);
    let provider = provider.map(|a| addr("provider", a)).transpose()?;
    let signer = signer.map(|a| addr("signer", a)).transpose()?;
    let order = page.order();
    let after = page
        .start_after
        .map(|(p, s)| Ok::<_, ContractError>((addr("start_after", &p)?, addr("start_after", &s)?)))
        .transpose()?;
    let (p_after, s_after) = match &after {
        Some((p, s)) => (Some(Bound::exclusive(p)), Some(Bound::exclusive(s))),
        None => (None, None),
    };
    let storage = deps.storage;
    let mut rows: Rows<(Addr, Addr), Audit> = match (&provider, &signer) {
        (Some(p), Some(s)) => {
            let found = AUDITS.may_load(storage, (p, s))?;
            let found = found.filter(|_| after.is_none());
            Box::new(found.map(|a| Ok(((p.clone(), s.clone()), a))).into_iter())
        }
        (Some(p), None) => {
            let (min, max, order) = limits(s_after, order);
            let rows = AUDITS.prefix(p).range(storage, min, max, order);
            Box::new(rows.map(|row| row.map(|(s, a)| ((p.clone(), s), a))))
        }
        (None, Some(s)) => {
            let (min, max, order) = limits(p_after, order);
            let providers = AUDITS_BY_SIGNER.prefix(s);
            Box::new(providers.keys(storage, min, max, order).map(|p| {
                let p = p?;
                let audit = AUDITS.load(storage, (&p, s))?;
                Ok(((p, s.clone()), audit))
            }))
        }
        (None, None) => {
            let after = after.as_ref().map(|(p, s)| Bound::exclusive((p, s)));
            let (min, max, order) = limits(after, order);
            Box::new(AUDITS.range(storage, min, max, order))
        }
    };
    let now = env.block.time.seconds();
    let (found, next) = fill(&mut rows, page.limit, |a| {
        in_force.is_none_or(|wanted| (a.expires_at > now) == wanted)
    })?;
    let response = |((provider, signer), a)| audit(provider, signer, a);
    Ok(AuditsResponse {
        audits: found.into_iter().map(response).collect(),
        next: next.map(|(p, s)| (p.into_string(), s.into_string())),
    })
}

fn audit(provider: Addr, signer: Addr, a: Audit) -> AuditResponse {
    AuditResponse {
        provider,
        signer,
        statement: a.statement,
        revision: a.revision,
        signed_at: Timestamp::from_seconds(a.signed_at),
        expires_at: Timestamp::from_seconds(a.expires_at),
    }
}

pub(crate) fn trust(
    deps: Deps,
    env: &Env,
    provider: &str,
    in_force: Option<bool>,
    page: &Page<String>,
) -> Result<TrustsResponse, ContractError> {
    let provider = address(deps.api, "provider", provider)?;
    let after = page.start_after.as_deref().map(Bound::exclusive);
    let (min, max, order) = limits(after, page.order());
    let levels = TRUST.prefix(&provider);
    let mut rows = levels.range(deps.storage, min, max, order);
    let now = env.block.time.seconds();
    let (found, next) = fill(&mut rows, page.limit, |t| {
        in_force.is_none_or(|wanted| (t.expires_at > now) == wanted)
    })?;
    let response = |(device, t): (String, Trust)| TrustResponse {
        device: (!device.is_empty()).then_some(device),
        level: t.level,
        revision: t.revision,
        set_by: t.set_by,
        set_at: Timestamp::from_seconds(t.set_at),
        expires_at: Timestamp::from_seconds(t.expires_at),
    };
    Ok(TrustsResponse {
        levels: found.into_iter().map(response).collect(),
        next,
    })
}

pub(crate) fn reputation(deps: Deps, account: &str) -> Result<Reputation, ContractError> {
    let account = address(deps.api, "address", account)?;
    let found = REPUTATION.may_load(deps.storage, &account)?;
    Ok(found.unwrap_or_default())
}
