//! `cosmos.evidence.v1beta1.Msg`. As in the SDK, no kind of proof is taken from accounts: CometBFT brings those of
//! double signing.

use super::keeper::{self, EQUIVOCATION};
use crate::{
    codec::strict,
    ctx::Ctx,
    error::{AppError, Result},
    modules::auth::keeper::addr,
};
use cosmos_sdk_proto::cosmos::evidence::v1beta1::{Equivocation, MsgSubmitEvidence};

const SUBMIT: &str = "/cosmos.evidence.v1beta1.MsgSubmitEvidence";

/// Who must sign a message; `None` when it is not of this module.
///
/// # Errors
/// sdk/2.
pub fn signers(type_url: &str, value: &[u8]) -> Option<Result<Vec<String>>> {
    (type_url == SUBMIT)
        .then(|| strict::<MsgSubmitEvidence>("MsgSubmitEvidence", value).map(|m| vec![m.submitter]))
}

/// Executes a message; `None` when it is not of this module.
///
/// # Errors
/// evidence/2, 3, 5; sdk/7.
pub fn handle(ctx: &Ctx, type_url: &str, value: &[u8]) -> Option<Result<(String, Vec<u8>)>> {
    (type_url == SUBMIT).then(|| submit(ctx, value))
}

fn invalid(what: impl std::fmt::Display) -> AppError {
    AppError::new("evidence", 3, format!("{what}: invalid evidence"))
}

/// Whether a proof can be one (`ValidateBasic`).
///
/// # Errors
/// The SDK's text.
pub fn check(e: &Equivocation) -> std::result::Result<(), String> {
    let time = e.time.unwrap_or_default().seconds;
    if time <= 0 {
        return Err(format!("invalid equivocation time: {time}"));
    }
    if e.height < 1 {
        return Err(format!("invalid equivocation height: {}", e.height));
    }
    if e.power < 1 {
        return Err(format!("invalid equivocation validator power: {}", e.power));
    }
    if e.consensus_address.is_empty() {
        return Err("invalid equivocation validator consensus address: ".into());
    }
    Ok(())
}

fn submit(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgSubmitEvidence = strict("MsgSubmitEvidence", value)?;
    addr(ctx, &m.submitter).map_err(|e| {
        AppError::invalid_address(format_args!("invalid submitter address: {}", e.log))
    })?;
    let any = m.evidence.ok_or_else(|| invalid("missing evidence"))?;
    if any.type_url != EQUIVOCATION {
        return Err(AppError::tx_decode(format_args!(
            "evidence: expected {EQUIVOCATION}, got {}",
            any.type_url.chars().take(128).collect::<String>()
        )));
    }
    let proof: Equivocation = strict("Equivocation", &any.value)?;
    check(&proof).map_err(|e| invalid(format_args!("failed basic validation: {e}")))?;
    let hash = keeper::hash(&proof);
    if keeper::get(ctx, &hash)?.is_some() {
        return Err(AppError::new(
            "evidence",
            5,
            format!("{}: evidence already exists", hex::encode_upper(hash)),
        ));
    }
    Err(AppError::new(
        "evidence",
        2,
        "equivocation: unregistered handler for evidence type",
    ))
}
