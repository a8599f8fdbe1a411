//! `cosmos.evidence.v1beta1.Query`.

use super::keeper::{self, EVIDENCE, STORE};
use crate::{
    codec::request,
    ctx::Ctx,
    error::{AppError, Result},
    modules::page::paginate,
};
use cosmos_sdk_proto::{
    Any,
    cosmos::evidence::v1beta1::{
        QueryAllEvidenceRequest, QueryAllEvidenceResponse, QueryEvidenceRequest,
        QueryEvidenceResponse,
    },
};
use prost::Message;

/// Answers one method; `None` when it is not of this module.
///
/// # Errors
/// sdk/22 for what is not there, sdk/18 for a request that is not one.
pub fn query(ctx: &Ctx, method: &str, data: &[u8]) -> Option<Result<Vec<u8>>> {
    Some(match method {
        "/cosmos.evidence.v1beta1.Query/Evidence" => one(ctx, data),
        "/cosmos.evidence.v1beta1.Query/AllEvidence" => all(ctx, data),
        _ => return None,
    })
}

fn one(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryEvidenceRequest = request(data)?;
    if req.hash.is_empty() {
        return Err(AppError::invalid_request(
            "rpc error: code = InvalidArgument desc = invalid request; hash is empty",
        ));
    }
    let hash = hex::decode(&req.hash)
        .map_err(|e| AppError::invalid_request(format_args!("invalid evidence hash: {e}")))?;
    let evidence = keeper::get(ctx, &hash)?.ok_or_else(|| {
        AppError::key_not_found(format_args!(
            "rpc error: code = NotFound desc = evidence {} not found",
            req.hash
        ))
    })?;
    Ok(QueryEvidenceResponse {
        evidence: Some(evidence),
    }
    .encode_to_vec())
}

fn all(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryAllEvidenceRequest = request(data)?;
    let (pairs, page) = paginate(ctx, STORE, &[EVIDENCE], req.pagination)?;
    let evidence = pairs
        .iter()
        .map(|(_, v)| Any::decode(v.as_slice()).map_err(AppError::tx_decode))
        .collect::<Result<_>>()?;
    Ok(QueryAllEvidenceResponse {
        evidence,
        pagination: Some(page),
    }
    .encode_to_vec())
}
