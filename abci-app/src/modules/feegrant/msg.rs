//! `cosmos.feegrant.v1beta1.Msg`.

use super::{allowance::Allowance, keeper};
use crate::{
    codec::{response, strict},
    ctx::{Ctx, Event},
    error::{AppError, Result},
    modules::auth::keeper::addr,
};
use cosmos_sdk_proto::cosmos::feegrant::v1beta1::{
    MsgGrantAllowance, MsgGrantAllowanceResponse, MsgPruneAllowances, MsgPruneAllowancesResponse,
    MsgRevokeAllowance, MsgRevokeAllowanceResponse,
};

const GRANT: &str = "/cosmos.feegrant.v1beta1.MsgGrantAllowance";
const REVOKE: &str = "/cosmos.feegrant.v1beta1.MsgRevokeAllowance";
const PRUNE: &str = "/cosmos.feegrant.v1beta1.MsgPruneAllowances";
/// Most allowances that one message removes.
const MAX_PRUNED: usize = 75;

/// Who must sign a message; `None` when it is not of this module.
///
/// # Errors
/// sdk/2.
pub fn signers(type_url: &str, value: &[u8]) -> Option<Result<Vec<String>>> {
    Some(match type_url {
        GRANT => strict::<MsgGrantAllowance>("MsgGrantAllowance", value).map(|m| vec![m.granter]),
        REVOKE => {
            strict::<MsgRevokeAllowance>("MsgRevokeAllowance", value).map(|m| vec![m.granter])
        }
        PRUNE => strict::<MsgPruneAllowances>("MsgPruneAllowances", value).map(|m| vec![m.pruner]),
        _ => return None,
    })
}

/// Executes a message: the response's type URL and bytes; `None` when it is not of this module.
///
/// # Errors
/// Those of the keeper.
pub fn handle(ctx: &Ctx, type_url: &str, value: &[u8]) -> Option<Result<(String, Vec<u8>)>> {
    Some(match type_url {
        GRANT => grant(ctx, value),
        REVOKE => revoke(ctx, value),
        PRUNE => prune(ctx, value),
        _ => return None,
    })
}

fn grant(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgGrantAllowance = strict("MsgGrantAllowance", value)?;
    if m.grantee.eq_ignore_ascii_case(&m.granter) {
        return Err(AppError::invalid_address(
            "cannot self-grant fee authorization",
        ));
    }
    let (grantee, granter) = (addr(ctx, &m.grantee)?, addr(ctx, &m.granter)?);
    match keeper::grant_of(ctx, &granter, &grantee) {
        Ok(_) => {
            return Err(AppError::invalid_request("fee allowance already exists"));
        }
        Err(e) if e.is_out_of_gas() => return Err(e),
        Err(_) => {}
    }
    let allowance = Allowance::decode(m.allowance.as_ref())?;
    allowance.check()?;
    keeper::grant(ctx, &granter, &grantee, &allowance)?;
    Ok(response(&MsgGrantAllowanceResponse {}))
}

fn revoke(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgRevokeAllowance = strict("MsgRevokeAllowance", value)?;
    if m.grantee == m.granter {
        return Err(AppError::invalid_address("addresses must be different"));
    }
    let (grantee, granter) = (addr(ctx, &m.grantee)?, addr(ctx, &m.granter)?);
    keeper::revoke(ctx, &granter, &grantee)?;
    Ok(response(&MsgRevokeAllowanceResponse {}))
}

fn prune(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgPruneAllowances = strict("MsgPruneAllowances", value)?;
    keeper::prune(ctx, MAX_PRUNED)?;
    ctx.emit(Event::new("prune_feegrant").attr("pruner", m.pruner));
    Ok(response(&MsgPruneAllowancesResponse {}))
}
