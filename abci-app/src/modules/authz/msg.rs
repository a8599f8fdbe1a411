//! `cosmos.authz.v1beta1.Msg`.

use super::{authorization::Authorization, keeper};
use crate::{
    codec::{response, strict, times},
    ctx::Ctx,
    error::{AppError, Result},
    modules::{auth, router::Router},
};
use cosmos_sdk_proto::{
    Any,
    cosmos::authz::v1beta1::{
        MsgExec, MsgExecResponse, MsgGrant, MsgGrantResponse, MsgRevoke, MsgRevokeResponse,
    },
};

const GRANT: &str = "/cosmos.authz.v1beta1.MsgGrant";
const REVOKE: &str = "/cosmos.authz.v1beta1.MsgRevoke";
const EXEC: &str = "/cosmos.authz.v1beta1.MsgExec";

/// Who must sign a message; `None` when it is not of this module.
///
/// # Errors
/// sdk/2.
pub fn signers(type_url: &str, value: &[u8]) -> Option<Result<Vec<String>>> {
    Some(match type_url {
        GRANT => strict::<MsgGrant>("MsgGrant", value).map(|m| vec![m.granter]),
        REVOKE => strict::<MsgRevoke>("MsgRevoke", value).map(|m| vec![m.granter]),
        EXEC => strict::<MsgExec>("MsgExec", value).map(|m| vec![m.grantee]),
        _ => return None,
    })
}

/// Executes a message, and those in it through `router`: the response's type URL and bytes; `None` when it is not of
/// this module.
///
/// # Errors
/// Those of the keeper, and of the messages in it.
pub fn handle(
    ctx: &Ctx,
    router: &dyn Router,
    type_url: &str,
    value: &[u8],
) -> Option<Result<(String, Vec<u8>)>> {
    Some(match type_url {
        GRANT => grant(ctx, router, value),
        REVOKE => revoke(ctx, value),
        EXEC => exec(ctx, router, value),
        _ => return None,
    })
}

fn address(ctx: &Ctx, who: &str, text: &str) -> Result<Vec<u8>> {
    auth::keeper::addr(ctx, text).map_err(|e| {
        let log = e.log.trim_end_matches(": invalid address");
        AppError::invalid_address(format_args!("invalid {who} address: {log}"))
    })
}

fn different(granter: &str, grantee: &str) -> Result<()> {
    if granter.eq_ignore_ascii_case(grantee) {
        let log = "grantee and granter should be different";
        return Err(AppError::new("authz", 7, log));
    }
    Ok(())
}

fn grant(ctx: &Ctx, router: &dyn Router, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgGrant = strict("MsgGrant", value)?;
    different(&m.granter, &m.grantee)?;
    let grantee = address(ctx, "grantee", &m.grantee)?;
    let granter = address(ctx, "granter", &m.granter)?;
    let grant = m.grant.unwrap_or_default();
    let authorization = Authorization::decode(grant.authorization.as_ref())?;
    authorization.check(ctx)?;
    auth::keeper::ensure_account(ctx, &grantee)?;
    let empty = Any {
        type_url: authorization.message(),
        value: Vec::new(),
    };
    if router.signers(&empty).is_err() {
        let log = format!("{} doesn't exist.: invalid type", empty.type_url);
        return Err(AppError::new("sdk", 29, log));
    }
    let expiration = grant.expiration.as_ref().map(times::nanos);
    keeper::save(ctx, &granter, &grantee, &authorization, expiration)?;
    Ok(response(&MsgGrantResponse {}))
}

fn revoke(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgRevoke = strict("MsgRevoke", value)?;
    different(&m.granter, &m.grantee)?;
    let grantee = address(ctx, "grantee", &m.grantee)?;
    let granter = address(ctx, "granter", &m.granter)?;
    if m.msg_type_url.is_empty() {
        return Err(AppError::invalid_request("missing msg method name"));
    }
    keeper::delete(ctx, &granter, &grantee, &m.msg_type_url)?;
    Ok(response(&MsgRevokeResponse {}))
}

fn exec(ctx: &Ctx, router: &dyn Router, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgExec = strict("MsgExec", value)?;
    let grantee = address(ctx, "grantee", &m.grantee)?;
    if m.msgs.is_empty() {
        return Err(AppError::invalid_request("messages cannot be empty"));
    }
    let results = keeper::dispatch(ctx, router, &grantee, &m.msgs)?;
    Ok(response(&MsgExecResponse { results }))
}
