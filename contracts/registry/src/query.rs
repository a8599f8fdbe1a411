//! What anyone may read.

pub(crate) mod standing;
pub(crate) mod supply;

use crate::{
    bonds,
    error::ContractError,
    presence,
    state::{
        BY_MODEL, CERTIFICATES, CERTIFICATES_BY_OWNER, CONFIG, Certificate, Config, LIVE,
        PROVIDERS, Provider, UNBONDINGS,
    },
    validate, vouching,
};
use cosmwasm_std::{Addr, Deps, Env, Order, StdResult, Storage, Timestamp};
use cw_storage_plus::Bound;
use ember_types::{
    list::{Page, fill},
    registry::{
        BondResponse, CertificateResponse, CertificatesResponse, InstantiateMsg, ProviderResponse,
        ProvidersResponse,
    },
};

type Rows<'a, K, T> = Box<dyn Iterator<Item = StdResult<(K, T)>> + 'a>;

/// The start of a page, as a bound of a range that runs in its direction.
fn limits<B>(after: Option<B>, order: Order) -> (Option<B>, Option<B>, Order) {
    match order {
        Order::Ascending => (after, None, order),
        Order::Descending => (None, after, order),
    }
}

pub(crate) fn config(deps: Deps) -> Result<InstantiateMsg, ContractError> {
    let Config {
        authority,
        bond_denom,
        unbonding_secs,
        min_bond,
        fee_collector,
        court,
        market,
        trust_setters,
        seen_secs,
    } = CONFIG.load(deps.storage)?;
    Ok(InstantiateMsg {
        authority: authority.into_string(),
        bond_denom,
        unbonding_secs,
        min_bond,
        fee_collector: fee_collector.map(Addr::into_string),
        court: court.map(Addr::into_string),
        market: market.map(Addr::into_string),
        trust_setters: trust_setters.into_iter().map(Addr::into_string).collect(),
        seen_secs: Some(seen_secs),
    })
}

pub(crate) fn provider(
    deps: Deps,
    env: &Env,
    address: &str,
) -> Result<ProviderResponse, ContractError> {
    let address = validate::address(deps.api, "address", address)?;
    match PROVIDERS.may_load(deps.storage, &address)? {
        Some(p) => provider_response(deps.storage, env, address, p),
        None => Err(ContractError::NotRegistered { address }),
    }
}

pub(crate) fn providers(
    deps: Deps,
    env: &Env,
    model: Option<&str>,
    live: Option<bool>,
    page: &Page<String>,
) -> Result<ProvidersResponse, ContractError> {
    let after = page.start_after.as_deref();
    let after = after
        .map(|a| validate::address(deps.api, "start_after", a))
        .transpose()?;
    let (min, max, order) = limits(after.as_ref().map(Bound::exclusive), page.order());
    let storage = deps.storage;
    let addresses: Box<dyn Iterator<Item = StdResult<Addr>>> = match (live, model) {
        // Of all models under the empty one.
        (Some(true), m) => {
            let live = LIVE.prefix(m.unwrap_or_default());
            Box::new(live.keys(storage, min, max, order))
        }
        (_, Some(m)) => Box::new(BY_MODEL.prefix(m).keys(storage, min, max, order)),
        (_, None) => Box::new(PROVIDERS.keys(storage, min, max, order)),
    };
    let mut rows = addresses.map(|address| {
        let address = address?;
        let presence = presence::load(storage, &address)?;
        Ok::<_, ContractError>((address, presence))
    });
    let now = env.block.time.seconds();
    let (found, next) = fill(&mut rows, page.limit, |p| {
        live.is_none_or(|wanted| p.live(now) == wanted)
    })?;
    let providers = found
        .into_iter()
        .map(|(address, _)| {
            let provider = PROVIDERS.load(storage, &address)?;
            provider_response(storage, env, address, provider)
        })
        .collect::<Result<_, ContractError>>()?;
    Ok(ProvidersResponse {
        providers,
        next: next.map(Addr::into_string),
    })
}

fn provider_response(
    storage: &dyn Storage,
    env: &Env,
    address: Addr,
    p: Provider,
) -> Result<ProviderResponse, ContractError> {
    let bonded = bonds::bonded(storage, &address)?;
    let now = env.block.time.seconds();
    let presence = presence::load(storage, &address)?;
    let trust = vouching::trust(storage, &address, "", now)?;
    Ok(ProviderResponse {
        may_bid: bonded >= CONFIG.load(storage)?.min_bond,
        address,
        host_uri: p.host_uri,
        devices: p.devices,
        attributes: p.attributes,
        bonded,
        registered_at: p.registered_at,
        assurances: p.assurances,
        revision: p.revision,
        trust: trust.map(|t| t.level).unwrap_or_default(),
        seen_at: Timestamp::from_seconds(presence.seen_at),
        live: presence.live(now),
    })
}

pub(crate) fn certificate(
    deps: Deps,
    fingerprint: String,
) -> Result<CertificateResponse, ContractError> {
    match CERTIFICATES.may_load(deps.storage, &fingerprint)? {
        Some(c) => Ok(certificate_response(fingerprint, c)),
        None => Err(ContractError::NoCertificate { fingerprint }),
    }
}

pub(crate) fn certificates(
    deps: Deps,
    env: &Env,
    owner: Option<&str>,
    in_force: Option<bool>,
    page: &Page<String>,
) -> Result<CertificatesResponse, ContractError> {
    let owner = owner
        .map(|a| validate::address(deps.api, "owner", a))
        .transpose()?;
    let after = page.start_after.as_deref().map(Bound::exclusive);
    let (min, max, order) = limits(after, page.order());
    let storage = deps.storage;
    let mut rows: Rows<String, Certificate> = match &owner {
        Some(owner) => {
            let keys = CERTIFICATES_BY_OWNER.prefix(owner);
            Box::new(keys.keys(storage, min, max, order).map(|fingerprint| {
                let fingerprint = fingerprint?;
                let c = CERTIFICATES.load(storage, &fingerprint)?;
                Ok((fingerprint, c))
            }))
        }
        None => Box::new(CERTIFICATES.range(storage, min, max, order)),
    };
    let now = env.block.time.seconds();
    let (found, next) = fill(&mut rows, page.limit, |c| {
        let valid = c.revoked_at.is_none() && (c.not_before..=c.not_after).contains(&now);
        in_force.is_none_or(|wanted| valid == wanted)
    })?;
    let response = |(fingerprint, c)| certificate_response(fingerprint, c);
    Ok(CertificatesResponse {
        certificates: found.into_iter().map(response).collect(),
        next,
    })
}

fn certificate_response(fingerprint: String, c: Certificate) -> CertificateResponse {
    CertificateResponse {
        owner: c.owner,
        fingerprint,
        public_key: c.public_key,
        not_before: c.not_before,
        not_after: c.not_after,
        revoked_at: c.revoked_at,
        der: c.der,
    }
}

pub(crate) fn bond(deps: Deps, address: &str) -> Result<BondResponse, ContractError> {
    let address = validate::address(deps.api, "address", address)?;
    Ok(BondResponse {
        bonded: bonds::bonded(deps.storage, &address)?,
        unbonding: UNBONDINGS
            .may_load(deps.storage, &address)?
            .unwrap_or_default(),
    })
}
