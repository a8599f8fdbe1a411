//! Entry points.

use crate::{
    error::ContractError,
    execute, presence, query as q,
    state::{CONFIG, Config},
    sudo as s, validate,
};
use cosmwasm_std::{Binary, Deps, DepsMut, Env, MessageInfo, Response, to_json_binary};
use ember_types::{
    fees::validate_denom,
    list::Page,
    registry::{ExecuteMsg, InstantiateMsg, MigrateMsg, QueryMsg, SEEN_SECS},
    sudo::SudoMsg,
};

/// The name that cw2 stores.
pub const NAME: &str = "crate:ember-registry";
/// The version that cw2 stores.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Most providers of a version without presences that a migration indexes.
pub const MAX_ADOPTED: usize = 1_000;

/// Sets the contract up.
///
/// # Errors
/// When an address is not one, the bond denom not a denom, or the unbonding period out of its range.
pub fn instantiate(
    deps: DepsMut,
    _env: Env,
    info: MessageInfo,
    msg: InstantiateMsg,
) -> Result<Response, ContractError> {
    crate::funds::none(&info)?;
    validate_denom("bond_denom", &msg.bond_denom)?;
    validate::unbonding_secs(msg.unbonding_secs)?;
    let seen_secs = msg.seen_secs.unwrap_or(SEEN_SECS);
    validate::seen_secs(seen_secs)?;
    let addr = |field, text: &str| validate::address(deps.api, field, text);
    let optional = |field, text: Option<String>| text.map(|t| addr(field, &t)).transpose();
    cw2::set_contract_version(deps.storage, NAME, VERSION)?;
    CONFIG.save(
        deps.storage,
        &Config {
            authority: addr("authority", &msg.authority)?,
            bond_denom: msg.bond_denom,
            unbonding_secs: msg.unbonding_secs,
            min_bond: msg.min_bond,
            fee_collector: optional("fee_collector", msg.fee_collector)?,
            court: optional("court", msg.court)?,
            market: optional("market", msg.market)?,
            trust_setters: validate::trust_setters(deps.api, &msg.trust_setters)?,
            seen_secs,
        },
    )?;
    Ok(Response::new())
}

/// What an account asks.
///
/// # Errors
/// The reason of the refusal.
pub fn execute(
    deps: DepsMut,
    env: Env,
    info: MessageInfo,
    msg: ExecuteMsg,
) -> Result<Response, ContractError> {
    match msg {
        ExecuteMsg::RegisterProvider {
            host_uri,
            devices,
            attributes,
            assurances,
        } => execute::register_provider::execute(
            deps, &env, &info, host_uri, devices, attributes, assurances,
        ),
        ExecuteMsg::UpdateProvider {
            host_uri,
            devices,
            attributes,
            assurances,
        } => execute::update_provider::execute(
            deps, &env, &info, host_uri, devices, attributes, assurances,
        ),
        ExecuteMsg::Touch {} => execute::touch::execute(deps, &env, &info),
        ExecuteMsg::UnregisterProvider {} => {
            execute::unregister_provider::execute(deps, &env, &info)
        }
        ExecuteMsg::Bond {} => execute::bond::execute(deps, &env, &info),
        ExecuteMsg::Unbond { amount } => execute::unbond::execute(deps, &env, &info, amount),
        ExecuteMsg::ClaimUnbonded {} => execute::claim_unbonded::execute(deps, &env, &info),
        ExecuteMsg::Slash {
            owner,
            amount,
            reason,
        } => execute::slash::execute(deps, &env, &info, &owner, amount, &reason),
        ExecuteMsg::UpdateConfig(update) => execute::update_config::execute(deps, &info, &update),
        ExecuteMsg::SignAudit {
            provider,
            revision,
            statement,
            expires_at,
        } => execute::sign_audit::execute(
            deps, &env, &info, &provider, revision, statement, expires_at,
        ),
        ExecuteMsg::RevokeAudit { provider } => {
            execute::revoke_audit::execute(deps, &info, &provider)
        }
        ExecuteMsg::SetTrust {
            provider,
            device,
            level,
            revision,
            expires_at,
        } => execute::set_trust::execute(
            deps,
            &env,
            &info,
            &provider,
            device,
            level,
            (revision, expires_at),
        ),
        ExecuteMsg::ClearTrust { provider, device } => {
            execute::clear_trust::execute(deps, &info, &provider, device)
        }
        ExecuteMsg::ReportLease {
            lease_id,
            provider,
            report,
        } => execute::report_lease::execute(deps, &env, &info, lease_id, &provider, report),
        ExecuteMsg::PublishCertificate { der } => {
            execute::publish_certificate::execute(deps, &env, &info, der)
        }
        ExecuteMsg::RevokeCertificate { fingerprint } => {
            execute::revoke_certificate::execute(deps, &env, &info, fingerprint)
        }
    }
}

/// What anyone may read.
///
/// # Errors
/// When what is asked for does not exist.
pub fn query(deps: Deps, env: Env, msg: QueryMsg) -> Result<Binary, ContractError> {
    let answer = match msg {
        QueryMsg::Config {} => to_json_binary(&q::config(deps)?),
        QueryMsg::Provider { address } => to_json_binary(&q::provider(deps, &env, &address)?),
        QueryMsg::Providers {
            model,
            live,
            start_after,
            limit,
            descending,
        } => {
            let page = Page::new(start_after, limit, descending);
            to_json_binary(&q::providers(deps, &env, model.as_deref(), live, &page)?)
        }
        QueryMsg::Certificate { fingerprint } => {
            to_json_binary(&q::certificate(deps, fingerprint)?)
        }
        QueryMsg::Certificates {
            owner,
            in_force,
            start_after,
            limit,
            descending,
        } => {
            let page = Page::new(start_after, limit, descending);
            let owner = owner.as_deref();
            to_json_binary(&q::certificates(deps, &env, owner, in_force, &page)?)
        }
        QueryMsg::Bond { address } => to_json_binary(&q::bond(deps, &address)?),
        QueryMsg::Audits {
            provider,
            signer,
            in_force,
            start_after,
            limit,
            descending,
        } => {
            let page = Page::new(start_after, limit, descending);
            let parties = (provider.as_deref(), signer.as_deref());
            to_json_binary(&q::standing::audits(deps, &env, parties, in_force, page)?)
        }
        QueryMsg::Trust {
            provider,
            in_force,
            start_after,
            limit,
            descending,
        } => {
            let page = Page::new(start_after, limit, descending);
            to_json_binary(&q::standing::trust(deps, &env, &provider, in_force, &page)?)
        }
        QueryMsg::Reputation { address } => {
            to_json_binary(&q::standing::reputation(deps, &address)?)
        }
        QueryMsg::Supply {
            model,
            start_after,
            limit,
            descending,
        } => {
            let page = Page::new(start_after, limit, descending);
            to_json_binary(&q::supply::supply(deps, &env, model.as_deref(), &page)?)
        }
        QueryMsg::CanServe {
            provider,
            resources,
            like,
        } => to_json_binary(&q::supply::can_serve(
            deps,
            &env,
            &provider,
            &resources,
            like.as_ref(),
        )?),
        QueryMsg::Feasible {
            resources,
            scope,
            start_after,
            limit,
        } => to_json_binary(&q::supply::feasible(
            deps,
            &env,
            &resources,
            scope,
            start_after.as_deref(),
            limit,
        )?),
    };
    Ok(answer?)
}

/// What the chain itself sends.
///
/// # Errors
/// When the storage is broken.
pub fn sudo(deps: DepsMut, env: Env, msg: SudoMsg) -> Result<Response, ContractError> {
    match msg {
        SudoMsg::EndBlock {} => s::end_block(deps, &env),
    }
}

/// Takes over the state of the same contract in an older or the same version.
///
/// # Errors
/// When the state is another contract's or newer than this code.
pub fn migrate(deps: DepsMut, env: Env, _msg: MigrateMsg) -> Result<Response, ContractError> {
    let stored = cw2::get_contract_version(deps.storage)?;
    if stored.contract != NAME {
        return Err(ContractError::WrongContract {
            expected: NAME,
            got: stored.contract,
        });
    }
    if version(&stored.version).is_none_or(|v| Some(v) > version(VERSION)) {
        return Err(ContractError::WrongVersion {
            expected: VERSION,
            got: stored.version,
        });
    }
    cw2::set_contract_version(deps.storage, NAME, VERSION)?;
    presence::adopt(deps.storage, MAX_ADOPTED, env.block.time.seconds())?;
    Ok(Response::new())
}

/// `major.minor.patch`.
fn version(text: &str) -> Option<[u64; 3]> {
    let mut parts = text.split('.').map(|p| p.parse().ok());
    let version = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}
