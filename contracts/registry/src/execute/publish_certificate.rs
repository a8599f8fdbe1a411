//! `PublishCertificate`: by anyone, for themselves.

use super::certificate_event;
use crate::{
    certificate,
    error::ContractError,
    funds,
    state::{CERTIFICATES, CERTIFICATES_BY_OWNER, Certificate},
};
use cosmwasm_std::{Binary, DepsMut, Empty, Env, MessageInfo, Response};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    der: Binary,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let checked = certificate::check(
        deps.api,
        &der,
        info.sender.as_str(),
        env.block.time.seconds(),
    )?;
    let fingerprint = checked.fingerprint;
    if CERTIFICATES.has(deps.storage, &fingerprint) {
        return Err(ContractError::CertificateExists { fingerprint });
    }
    CERTIFICATES.save(
        deps.storage,
        &fingerprint,
        &Certificate {
            owner: info.sender.clone(),
            public_key: checked.public_key,
            not_before: checked.not_before,
            not_after: checked.not_after,
            revoked_at: None,
            der,
        },
    )?;
    CERTIFICATES_BY_OWNER.save(deps.storage, (&info.sender, &fingerprint), &Empty {})?;
    Ok(Response::new().add_event(certificate_event("publish", &info.sender, &fingerprint)))
}
