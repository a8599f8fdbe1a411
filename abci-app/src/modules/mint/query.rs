//! `cosmos.mint.v1beta1.Query`.

use super::keeper;
use crate::{
    ctx::Ctx,
    error::{AppError, Result},
};
use cosmos_sdk_proto::cosmos::mint::v1beta1::{
    QueryAnnualProvisionsResponse, QueryInflationResponse, QueryParamsResponse,
};
use prost::Message;

/// Answers one method; `None` when it is not of this module.
///
/// # Errors
/// sdk/22 on a chain without inflation.
pub fn query(ctx: &Ctx, method: &str) -> Option<Result<Vec<u8>>> {
    Some(match method.strip_prefix("/cosmos.mint.v1beta1.Query/")? {
        "Params" => params(ctx),
        "Inflation" => minter(ctx).map(|m| {
            let inflation = m.inflation.to_proto().into_bytes();
            QueryInflationResponse { inflation }.encode_to_vec()
        }),
        "AnnualProvisions" => minter(ctx).map(|m| {
            let annual_provisions = m.annual_provisions.to_proto().into_bytes();
            QueryAnnualProvisionsResponse { annual_provisions }.encode_to_vec()
        }),
        _ => return None,
    })
}

fn absent() -> AppError {
    AppError::key_not_found("rpc error: code = NotFound desc = mint: this chain has no inflation")
}

fn params(ctx: &Ctx) -> Result<Vec<u8>> {
    let params = keeper::params(ctx)?.ok_or_else(absent)?.to_proto();
    Ok(QueryParamsResponse {
        params: Some(params),
    }
    .encode_to_vec())
}

fn minter(ctx: &Ctx) -> Result<super::params::Minter> {
    keeper::minter(ctx)?.ok_or_else(absent)
}
