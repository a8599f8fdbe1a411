//! `cosmos.auth.v1beta1.Query`.

use super::keeper;
use crate::{
    codec::{request, type_url},
    ctx::Ctx,
    error::{AppError, Result},
    store::{Order, StoreKey},
};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        auth::v1beta1::{
            ModuleAccount, QueryAccountRequest, QueryAccountResponse, QueryAccountsRequest,
            QueryAccountsResponse, QueryModuleAccountByNameRequest,
            QueryModuleAccountByNameResponse, QueryParamsResponse,
        },
        base::query::v1beta1::PageResponse,
    },
};
use prost::Message;

/// Answers one method; `None` when it is not of this module.
///
/// # Errors
/// sdk/22 for what is not there, sdk/18 for a request that is not one.
pub fn query(ctx: &Ctx, method: &str, data: &[u8]) -> Option<Result<Vec<u8>>> {
    Some(match method {
        "/cosmos.auth.v1beta1.Query/Account" => account(ctx, data),
        "/cosmos.auth.v1beta1.Query/Accounts" => accounts(ctx, data),
        "/cosmos.auth.v1beta1.Query/ModuleAccountByName" => module_account(ctx, data),
        "/cosmos.auth.v1beta1.Query/Params" => keeper::params(ctx).map(|params| {
            let params = Some(params);
            QueryParamsResponse { params }.encode_to_vec()
        }),
        _ => return None,
    })
}

fn account(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryAccountRequest = request(data)?;
    let addr = keeper::addr(ctx, &req.address)?;
    let account = keeper::account(ctx, &addr)?.ok_or_else(|| {
        // CosmJS knows a missing account by this text alone.
        AppError::key_not_found(format_args!(
            "rpc error: code = NotFound desc = account {} not found",
            req.address
        ))
    })?;
    Ok(QueryAccountResponse {
        account: Some(keeper::to_any(&account)),
    }
    .encode_to_vec())
}

fn accounts(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryAccountsRequest = request(data)?;
    let page = req.pagination.unwrap_or_default();
    let limit = if page.limit == 0 {
        100
    } else {
        page.limit.min(1_000)
    };
    let end = [keeper::ACCOUNT_PREFIX[0] + 1];
    let mut from = [&keeper::ACCOUNT_PREFIX, page.key.as_slice()].concat();
    let mut accounts = Vec::new();
    let mut next_key = Vec::new();
    while let Some((key, value)) = ctx.seek(StoreKey::Auth, &from, Some(&end), Order::Ascending)? {
        if accounts.len() as u64 == limit {
            next_key = key[1..].to_vec();
            break;
        }
        accounts.push(keeper::to_any(&keeper::decode(&value)?));
        from = [key.as_slice(), &[0]].concat();
    }
    Ok(QueryAccountsResponse {
        accounts,
        pagination: Some(PageResponse { next_key, total: 0 }),
    }
    .encode_to_vec())
}

fn module_account(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryModuleAccountByNameRequest = request(data)?;
    let addr = crate::codec::address::module(&req.name);
    let base = keeper::account(ctx, &addr)?.ok_or_else(|| {
        AppError::key_not_found(format_args!(
            "rpc error: code = NotFound desc = account {} not found",
            req.name
        ))
    })?;
    let account = ModuleAccount {
        base_account: Some(base),
        name: req.name,
        permissions: Vec::new(),
    };
    let any = Any {
        type_url: type_url::<ModuleAccount>(),
        value: account.encode_to_vec(),
    };
    Ok(QueryModuleAccountByNameResponse { account: Some(any) }.encode_to_vec())
}
