//! `cosmos.feegrant.v1beta1.Query`.

use super::keeper::{self, STORE};
use crate::{
    codec::request,
    ctx::Ctx,
    error::{AppError, Result},
    modules::{
        auth::keeper::addr,
        page::{paginate, paginate_if},
    },
};
use cosmos_sdk_proto::cosmos::feegrant::v1beta1::{
    Grant, QueryAllowanceRequest, QueryAllowanceResponse, QueryAllowancesByGranterRequest,
    QueryAllowancesByGranterResponse, QueryAllowancesRequest, QueryAllowancesResponse,
};
use prost::Message;

/// Answers one method; `None` when it is not of this module.
///
/// # Errors
/// sdk/38 for what is not there, sdk/7 for addresses that are none.
pub fn query(ctx: &Ctx, method: &str, data: &[u8]) -> Option<Result<Vec<u8>>> {
    Some(match method {
        "/cosmos.feegrant.v1beta1.Query/Allowance" => allowance(ctx, data),
        "/cosmos.feegrant.v1beta1.Query/Allowances" => allowances(ctx, data),
        "/cosmos.feegrant.v1beta1.Query/AllowancesByGranter" => by_granter(ctx, data),
        _ => return None,
    })
}

fn decode(bytes: &[u8]) -> Result<Grant> {
    Grant::decode(bytes).map_err(AppError::tx_decode)
}

fn allowance(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryAllowanceRequest = request(data)?;
    let (granter, grantee) = (addr(ctx, &req.granter)?, addr(ctx, &req.grantee)?);
    let grant = keeper::grant_of(ctx, &granter, &grantee)?;
    let allowance = Some(grant);
    Ok(QueryAllowanceResponse { allowance }.encode_to_vec())
}

fn allowances(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryAllowancesRequest = request(data)?;
    let prefix = keeper::of_grantee(&addr(ctx, &req.grantee)?);
    let (pairs, page) = paginate(ctx, STORE, &prefix, req.pagination)?;
    let allowances = pairs
        .iter()
        .map(|(_, v)| decode(v))
        .collect::<Result<_>>()?;
    Ok(QueryAllowancesResponse {
        allowances,
        pagination: Some(page),
    }
    .encode_to_vec())
}

fn by_granter(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryAllowancesByGranterRequest = request(data)?;
    addr(ctx, &req.granter)?;
    let wanted = |v: &[u8]| Ok(decode(v)?.granter == req.granter);
    let (pairs, page) = paginate_if(
        ctx,
        STORE,
        &[keeper::ALLOWANCE],
        req.pagination.clone(),
        wanted,
    )?;
    let allowances = pairs
        .iter()
        .map(|(_, v)| decode(v))
        .collect::<Result<_>>()?;
    Ok(QueryAllowancesByGranterResponse {
        allowances,
        pagination: Some(page),
    }
    .encode_to_vec())
}
