//! Audits, trust, reputation.

use super::page;
use crate::{
    error::ContractError,
    state::{AUDITS, AUDITS_BY_SIGNER, Audit, REPUTATION, TRUST},
    validate::address,
};
use cosmwasm_std::{Addr, Deps, Order, StdResult, Timestamp};
use cw_storage_plus::Bound;
use ember_types::standing::{
    AuditResponse, AuditsResponse, Reputation, TrustResponse, TrustsResponse,
};

type Row = StdResult<((Addr, Addr), Audit)>;

pub(crate) fn audits(
    deps: Deps,
    provider: Option<&str>,
    signer: Option<&str>,
    start_after: Option<(String, String)>,
    limit: Option<u32>,
) -> Result<AuditsResponse, ContractError> {
    let addr = |field, a: &str| address(deps.api, field, a);
    let provider = provider.map(|a| addr("provider", a)).transpose()?;
    let signer = signer.map(|a| addr("signer", a)).transpose()?;
    let after = start_after
        .map(|(p, s)| Ok::<_, ContractError>((addr("start_after", &p)?, addr("start_after", &s)?)))
        .transpose()?;
    let (p_after, s_after) = match &after {
        Some((p, s)) => (Some(Bound::exclusive(p)), Some(Bound::exclusive(s))),
        None => (None, None),
    };
    let (storage, up) = (deps.storage, Order::Ascending);
    let rows: Box<dyn Iterator<Item = Row> + '_> = match (&provider, &signer) {
        (Some(p), Some(s)) => {
            let found = AUDITS.may_load(storage, (p, s))?;
            let found = found.filter(|_| after.is_none());
            Box::new(found.map(|a| Ok(((p.clone(), s.clone()), a))).into_iter())
        }
        (Some(p), None) => Box::new(
            AUDITS
                .prefix(p)
                .range(storage, s_after, None, up)
                .map(|row| row.map(|(s, a)| ((p.clone(), s), a))),
        ),
        (None, Some(s)) => Box::new(
            AUDITS_BY_SIGNER
                .prefix(s)
                .keys(storage, p_after, None, up)
                .map(|p| {
                    let p = p?;
                    let audit = AUDITS.load(storage, (&p, s))?;
                    Ok(((p, s.clone()), audit))
                }),
        ),
        (None, None) => {
            let min = after.as_ref().map(|(p, s)| Bound::exclusive((p, s)));
            Box::new(AUDITS.range(storage, min, None, up))
        }
    };
    let audits = rows
        .take(page(limit))
        .map(|row| row.map(|((provider, signer), a)| audit(provider, signer, a)))
        .collect::<StdResult<_>>()?;
    Ok(AuditsResponse { audits })
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
    provider: &str,
    start_after: Option<&str>,
    limit: Option<u32>,
) -> Result<TrustsResponse, ContractError> {
    let provider = address(deps.api, "provider", provider)?;
    let levels = TRUST
        .prefix(&provider)
        .range(
            deps.storage,
            start_after.map(Bound::exclusive),
            None,
            Order::Ascending,
        )
        .take(page(limit))
        .map(|row| {
            let (device, t) = row?;
            Ok(TrustResponse {
                device: (!device.is_empty()).then_some(device),
                level: t.level,
                revision: t.revision,
                set_by: t.set_by,
                set_at: Timestamp::from_seconds(t.set_at),
                expires_at: Timestamp::from_seconds(t.expires_at),
            })
        })
        .collect::<StdResult<_>>()?;
    Ok(TrustsResponse { levels })
}

pub(crate) fn reputation(deps: Deps, account: &str) -> Result<Reputation, ContractError> {
    let account = address(deps.api, "address", account)?;
    let found = REPUTATION.may_load(deps.storage, &account)?;
    Ok(found.unwrap_or_default())
}
