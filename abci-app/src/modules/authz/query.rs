//! `cosmos.authz.v1beta1.Query`.

use super::{
    keeper::{self, STORE, not_found},
    keys,
};
use crate::{
    codec::request,
    ctx::Ctx,
    error::{AppError, Result},
    modules::{
        auth::keeper::{addr, human},
        page::{paginate, paginate_keys},
    },
};
use cosmos_sdk_proto::cosmos::authz::v1beta1::{
    Grant, GrantAuthorization, QueryGranteeGrantsRequest, QueryGranteeGrantsResponse,
    QueryGranterGrantsRequest, QueryGranterGrantsResponse, QueryGrantsRequest, QueryGrantsResponse,
};
use prost::Message;

/// Answers one method; `None` when it is not of this module.
///
/// # Errors
/// authz/2 for what is not there, sdk/7 for addresses that are none.
pub fn query(ctx: &Ctx, method: &str, data: &[u8]) -> Option<Result<Vec<u8>>> {
    Some(match method {
        "/cosmos.authz.v1beta1.Query/Grants" => grants(ctx, data),
        "/cosmos.authz.v1beta1.Query/GranterGrants" => of_granter(ctx, data),
        "/cosmos.authz.v1beta1.Query/GranteeGrants" => of_grantee(ctx, data),
        _ => return None,
    })
}

fn decode(bytes: &[u8]) -> Result<Grant> {
    Grant::decode(bytes).map_err(AppError::tx_decode)
}

fn grants(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryGrantsRequest = request(data)?;
    let (granter, grantee) = (addr(ctx, &req.granter)?, addr(ctx, &req.grantee)?);
    if !req.msg_type_url.is_empty() {
        let found = keeper::grant(ctx, &granter, &grantee, &req.msg_type_url)?;
        let url = &req.msg_type_url;
        let missing = || not_found(format_args!("authorization not found for {url} type"));
        return Ok(QueryGrantsResponse {
            grants: vec![found.ok_or_else(missing)?],
            pagination: None,
        }
        .encode_to_vec());
    }
    let prefix = keys::of_pair(&granter, &grantee);
    let (pairs, page) = paginate(ctx, STORE, &prefix, req.pagination)?;
    Ok(QueryGrantsResponse {
        grants: pairs
            .iter()
            .map(|(_, v)| decode(v))
            .collect::<Result<_>>()?,
        pagination: Some(page),
    }
    .encode_to_vec())
}

/// A grant with its parties; `key` is without its first byte.
pub(super) fn with_parties(ctx: &Ctx, key: &[u8], value: &[u8]) -> Result<GrantAuthorization> {
    let (granter, grantee, _) =
        keys::parts(key).ok_or_else(|| AppError::tx_decode("authz: a broken key"))?;
    let grant = decode(value)?;
    Ok(GrantAuthorization {
        granter: human(ctx, granter)?,
        grantee: human(ctx, grantee)?,
        authorization: grant.authorization,
        expiration: grant.expiration,
    })
}

fn of_granter(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryGranterGrantsRequest = request(data)?;
    let prefix = keys::of_granter(&addr(ctx, &req.granter)?);
    let (pairs, page) = paginate(ctx, STORE, &prefix, req.pagination)?;
    let whole = |k: &[u8]| [&prefix[1..], k].concat();
    let grants = pairs.iter().map(|(k, v)| with_parties(ctx, &whole(k), v));
    Ok(QueryGranterGrantsResponse {
        grants: grants.collect::<Result<_>>()?,
        pagination: Some(page),
    }
    .encode_to_vec())
}

fn of_grantee(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryGranteeGrantsRequest = request(data)?;
    let wanted = addr(ctx, &req.grantee)?;
    let is_his = |k: &[u8]| keys::parts(k).is_some_and(|(_, grantee, _)| grantee == wanted);
    let (pairs, page) = paginate_keys(ctx, STORE, &[keys::GRANT], req.pagination, |k, _| {
        Ok(is_his(k))
    })?;
    let grants = pairs.iter().map(|(k, v)| with_parties(ctx, k, v));
    Ok(QueryGranteeGrantsResponse {
        grants: grants.collect::<Result<_>>()?,
        pagination: Some(page),
    }
    .encode_to_vec())
}
