//! What anyone may read.

pub(crate) mod standing;
pub(crate) mod supply;

use crate::{
    bonds,
    error::ContractError,
    presence,
    state::{
        BY_MODEL, CERTIFICATES, CERTIFICATES_BY_OWNER, CONFIG, Certificate, Config, PROVIDERS,
        Provider, UNBONDINGS,
    },
    validate, vouching,
};
use cosmwasm_std::{Addr, Deps, Env, Order, StdResult, Storage, Timestamp};
use cw_storage_plus::Bound;
use ember_types::registry::{
    BondResponse, CertificateResponse, CertificatesResponse, InstantiateMsg, ProviderResponse,
    ProvidersResponse,
};

const DEFAULT_LIMIT: u32 = 30;
const MAX_LIMIT: u32 = 100;

fn page(limit: Option<u32>) -> usize {
    limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT) as usize
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
    start_after: Option<&str>,
    limit: Option<u32>,
) -> Result<ProvidersResponse, ContractError> {
    let after = start_after
        .map(|a| validate::address(deps.api, "start_after", a))
        .transpose()?;
    let min = after.as_ref().map(Bound::exclusive);
    let up = Order::Ascending;
    let addresses: Box<dyn Iterator<Item = StdResult<Addr>>> = match model {
        Some(m) => Box::new(BY_MODEL.prefix(m).keys(deps.storage, min, None, up)),
        None => Box::new(PROVIDERS.keys(deps.storage, min, None, up)),
    };
    let providers = addresses
        .take(page(limit))
        .map(|address| {
            let address = address?;
            let provider = PROVIDERS.load(deps.storage, &address)?;
            provider_response(deps.storage, env, address, provider)
        })
        .collect::<Result<_, ContractError>>()?;
    Ok(ProvidersResponse { providers })
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
        live: presence.until.is_some_and(|until| until > now),
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
    owner: &str,
    start_after: Option<&str>,
    limit: Option<u32>,
) -> Result<CertificatesResponse, ContractError> {
    let owner = validate::address(deps.api, "owner", owner)?;
    let certificates = CERTIFICATES_BY_OWNER
        .prefix(&owner)
        .keys(
            deps.storage,
            start_after.map(Bound::exclusive),
            None,
            Order::Ascending,
        )
        .take(page(limit))
        .map(|fingerprint| {
            let fingerprint = fingerprint?;
            let c = CERTIFICATES.load(deps.storage, &fingerprint)?;
            Ok(certificate_response(fingerprint, c))
        })
        .collect::<Result<_, ContractError>>()?;
    Ok(CertificatesResponse { certificates })
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
