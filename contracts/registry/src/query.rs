//! What anyone may read.

use crate::{
    bonds,
    error::ContractError,
    state::{
        CERTIFICATES, CERTIFICATES_BY_OWNER, CONFIG, Certificate, Config, PROVIDERS, Provider,
        UNBONDINGS,
    },
    validate,
};
use cosmwasm_std::{Addr, Deps, Order, Storage};
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
    } = CONFIG.load(deps.storage)?;
    Ok(InstantiateMsg {
        authority: authority.into_string(),
        bond_denom,
        unbonding_secs,
        min_bond,
        fee_collector: fee_collector.map(Addr::into_string),
        court: court.map(Addr::into_string),
    })
}

pub(crate) fn provider(deps: Deps, address: &str) -> Result<ProviderResponse, ContractError> {
    let address = validate::address(deps.api, "address", address)?;
    match PROVIDERS.may_load(deps.storage, &address)? {
        Some(p) => provider_response(deps.storage, address, p),
        None => Err(ContractError::NotRegistered { address }),
    }
}

pub(crate) fn providers(
    deps: Deps,
    start_after: Option<&str>,
    limit: Option<u32>,
) -> Result<ProvidersResponse, ContractError> {
    let after = start_after
        .map(|a| validate::address(deps.api, "start_after", a))
        .transpose()?;
    let providers = PROVIDERS
        .range(
            deps.storage,
            after.as_ref().map(Bound::exclusive),
            None,
            Order::Ascending,
        )
        .take(page(limit))
        .map(|row| {
            let (address, provider) = row?;
            provider_response(deps.storage, address, provider)
        })
        .collect::<Result<_, _>>()?;
    Ok(ProvidersResponse { providers })
}

fn provider_response(
    storage: &dyn Storage,
    address: Addr,
    p: Provider,
) -> Result<ProviderResponse, ContractError> {
    let bonded = bonds::bonded(storage, &address)?;
    Ok(ProviderResponse {
        may_bid: bonded >= CONFIG.load(storage)?.min_bond,
        address,
        host_uri: p.host_uri,
        devices: p.devices,
        attributes: p.attributes,
        bonded,
        registered_at: p.registered_at,
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
