//! `cosmos.upgrade.v1beta1.Msg`.

use super::keeper;
use crate::{
    codec::{address, response, strict},
    ctx::Ctx,
    error::{AppError, Result},
    modules::auth::keeper::human,
};
use cosmos_sdk_proto::cosmos::upgrade::v1beta1::{
    MsgCancelUpgrade, MsgCancelUpgradeResponse, MsgSoftwareUpgrade, MsgSoftwareUpgradeResponse,
};

/// `MsgSoftwareUpgrade`.
pub const UPGRADE: &str = "/cosmos.upgrade.v1beta1.MsgSoftwareUpgrade";
/// `MsgCancelUpgrade`.
pub const CANCEL: &str = "/cosmos.upgrade.v1beta1.MsgCancelUpgrade";

/// Who must sign a message; `None` when it is not of this module.
///
/// # Errors
/// sdk/2.
pub fn signers(type_url: &str, value: &[u8]) -> Option<Result<Vec<String>>> {
    Some(match type_url {
        UPGRADE => {
            strict::<MsgSoftwareUpgrade>("MsgSoftwareUpgrade", value).map(|m| vec![m.authority])
        }
        CANCEL => strict::<MsgCancelUpgrade>("MsgCancelUpgrade", value).map(|m| vec![m.authority]),
        _ => return None,
    })
}

/// Executes a message: the response's type URL and bytes; `None` when it is not of this module.
///
/// # Errors
/// upgrade/6 when the sender is not the gov module; sdk/18 for a plan that makes no sense.
pub fn handle(ctx: &Ctx, type_url: &str, value: &[u8]) -> Option<Result<(String, Vec<u8>)>> {
    Some(match type_url {
        UPGRADE => upgrade(ctx, value),
        CANCEL => cancel(ctx, value),
        _ => return None,
    })
}

/// Who may: the gov module.
///
/// # Errors
/// Before genesis has set the address prefix.
pub(super) fn authority(ctx: &Ctx) -> Result<String> {
    human(ctx, &address::module("gov"))
}

fn check(ctx: &Ctx, signer: &str) -> Result<()> {
    let gov = authority(ctx)?;
    if signer == gov {
        return Ok(());
    }
    let log = format!(
        "expected {gov} got {signer}: expected authority account as only signer for proposal message"
    );
    Err(AppError::new("upgrade", 6, log))
}

fn upgrade(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgSoftwareUpgrade = strict("MsgSoftwareUpgrade", value)?;
    check(ctx, &m.authority)?;
    keeper::schedule(ctx, m.plan.unwrap_or_default())?;
    Ok(response(&MsgSoftwareUpgradeResponse {}))
}

fn cancel(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgCancelUpgrade = strict("MsgCancelUpgrade", value)?;
    check(ctx, &m.authority)?;
    keeper::cancel(ctx)?;
    Ok(response(&MsgCancelUpgradeResponse {}))
}
