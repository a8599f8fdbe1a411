//! `RevokeCertificate`: by its owner, for ever.

use super::certificate_event;
use crate::{error::ContractError, funds, state::CERTIFICATES};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    fingerprint: String,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let Some(mut certificate) = CERTIFICATES.may_load(deps.storage, &fingerprint)? else {
        return Err(ContractError::NoCertificate { fingerprint });
    };
    if certificate.owner != info.sender {
        return Err(ContractError::NotCertificateOwner {
            fingerprint,
            owner: certificate.owner,
            sender: info.sender.clone(),
        });
    }
    if certificate.revoked_at.is_some() {
        return Err(ContractError::AlreadyRevoked { fingerprint });
    }
    certificate.revoked_at = Some(env.block.time);
    CERTIFICATES.save(deps.storage, &fingerprint, &certificate)?;
    Ok(Response::new().add_event(certificate_event("revoke", &info.sender, &fingerprint)))
}
