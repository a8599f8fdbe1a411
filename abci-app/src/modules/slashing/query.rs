//! `cosmos.slashing.v1beta1.Query`.

use super::store;
use crate::{
    codec::request,
    ctx::Ctx,
    error::{AppError, Result},
    modules::page::paginate,
};
use cosmos_sdk_proto::cosmos::slashing::v1beta1::{
    QueryParamsResponse, QuerySigningInfoRequest, QuerySigningInfoResponse,
    QuerySigningInfosRequest, QuerySigningInfosResponse, ValidatorSigningInfo,
};
use prost::Message;

/// Answers one method; `None` when it is not of this module.
///
/// # Errors
/// sdk/22 for what is not there, sdk/18 for a request that is not one, sdk/37 on a chain without staking.
pub fn query(ctx: &Ctx, method: &str, data: &[u8]) -> Option<Result<Vec<u8>>> {
    let run = match method.strip_prefix("/cosmos.slashing.v1beta1.Query/")? {
        "Params" => params,
        "SigningInfo" => info,
        "SigningInfos" => infos,
        _ => return None,
    };
    Some(store::params(ctx).and_then(|_| run(ctx, data)))
}

fn params(ctx: &Ctx, _: &[u8]) -> Result<Vec<u8>> {
    let params = Some(store::params(ctx)?.to_proto());
    Ok(QueryParamsResponse { params }.encode_to_vec())
}

fn info(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QuerySigningInfoRequest = request(data)?;
    if req.cons_address.is_empty() {
        return Err(AppError::invalid_request(
            "rpc error: code = InvalidArgument desc = invalid request",
        ));
    }
    let found = store::info(ctx, &store::cons(ctx, &req.cons_address)?)?;
    let found = found.ok_or_else(|| {
        AppError::key_not_found(format_args!(
            "rpc error: code = NotFound desc = SigningInfo not found for validator {}",
            req.cons_address
        ))
    })?;
    Ok(QuerySigningInfoResponse {
        val_signing_info: Some(found),
    }
    .encode_to_vec())
}

fn infos(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QuerySigningInfosRequest = request(data)?;
    let (pairs, page) = paginate(ctx, store::STORE, &[store::INFO], req.pagination)?;
    let info = pairs
        .iter()
        .map(|(_, v)| ValidatorSigningInfo::decode(v.as_slice()).map_err(AppError::tx_decode))
        .collect::<Result<_>>()?;
    Ok(QuerySigningInfosResponse {
        info,
        pagination: Some(page),
    }
    .encode_to_vec())
}
