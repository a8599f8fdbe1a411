//! `cosmos.auth.v1beta1.Query`.

use super::{
    account::{Account, Kind, MODULES},
    keeper,
};
use crate::{
    codec::{address, request},
    ctx::Ctx,
    error::{AppError, Result},
    store::{Order, StoreKey},
};
use cosmos_sdk_proto::cosmos::{
    auth::v1beta1::{
        AddressBytesToStringRequest, AddressBytesToStringResponse, AddressStringToBytesRequest,
        AddressStringToBytesResponse, Bech32PrefixResponse, QueryAccountAddressByIdRequest,
        QueryAccountAddressByIdResponse, QueryAccountInfoRequest, QueryAccountInfoResponse,
        QueryAccountRequest, QueryAccountResponse, QueryAccountsRequest, QueryAccountsResponse,
        QueryModuleAccountByNameRequest, QueryModuleAccountByNameResponse,
        QueryModuleAccountsResponse, QueryParamsResponse,
    },
    base::query::v1beta1::PageResponse,
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
        "/cosmos.auth.v1beta1.Query/ModuleAccounts" => module_accounts(ctx),
        "/cosmos.auth.v1beta1.Query/AccountInfo" => info(ctx, data),
        "/cosmos.auth.v1beta1.Query/AccountAddressByID" => address_by_id(ctx, data),
        "/cosmos.auth.v1beta1.Query/Bech32Prefix" => keeper::prefix(ctx)
            .map(|bech32_prefix| Bech32PrefixResponse { bech32_prefix }.encode_to_vec()),
        "/cosmos.auth.v1beta1.Query/AddressBytesToString" => to_text(ctx, data),
        "/cosmos.auth.v1beta1.Query/AddressStringToBytes" => to_bytes(ctx, data),
        _ => return None,
    })
}

fn invalid(detail: &str) -> AppError {
    AppError::invalid_request(format_args!(
        "rpc error: code = InvalidArgument desc = {detail}"
    ))
}

fn missing(detail: impl std::fmt::Display) -> AppError {
    // CosmJS knows a missing account by this text alone.
    AppError::key_not_found(format_args!("rpc error: code = NotFound desc = {detail}"))
}

fn find(ctx: &Ctx, address: &str) -> Result<Account> {
    let found = keeper::account(ctx, &keeper::addr(ctx, address)?)?;
    found.ok_or_else(|| missing(format_args!("account {address} not found")))
}

fn info(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryAccountInfoRequest = request(data)?;
    if req.address.is_empty() {
        return Err(invalid("address cannot be empty"));
    }
    let info = Some(find(ctx, &req.address)?.base);
    Ok(QueryAccountInfoResponse { info }.encode_to_vec())
}

#[allow(deprecated, reason = "what asks by the deprecated field is refused")]
fn address_by_id(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryAccountAddressByIdRequest = request(data)?;
    if req.id != 0 {
        return Err(invalid(
            "requesting with id isn't supported, try to request using account-id",
        ));
    }
    let found = keeper::address_of_number(ctx, req.account_id)?.ok_or_else(|| {
        missing(format_args!(
            "account address not found with account number {}",
            req.account_id
        ))
    })?;
    let account_address = keeper::human(ctx, &found)?;
    Ok(QueryAccountAddressByIdResponse { account_address }.encode_to_vec())
}

fn to_text(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: AddressBytesToStringRequest = request(data)?;
    if req.address_bytes.is_empty() {
        return Err(invalid("empty address bytes is not allowed"));
    }
    let address_string = keeper::human(ctx, &req.address_bytes)?;
    Ok(AddressBytesToStringResponse { address_string }.encode_to_vec())
}

fn to_bytes(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: AddressStringToBytesRequest = request(data)?;
    if req.address_string.is_empty() {
        return Err(invalid("empty address string is not allowed"));
    }
    let address_bytes = keeper::addr(ctx, &req.address_string)?;
    Ok(AddressStringToBytesResponse { address_bytes }.encode_to_vec())
}

/// The accounts of modules that have been used.
fn module_accounts(ctx: &Ctx) -> Result<Vec<u8>> {
    let mut accounts = Vec::new();
    for (name, _) in MODULES {
        if let Some(account) = keeper::account(ctx, &address::module(name))? {
            accounts.push(account.to_any());
        }
    }
    Ok(QueryModuleAccountsResponse { accounts }.encode_to_vec())
}

fn account(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryAccountRequest = request(data)?;
    if req.address.is_empty() {
        return Err(invalid("Address cannot be empty"));
    }
    let account = Some(find(ctx, &req.address)?.to_any());
    Ok(QueryAccountResponse { account }.encode_to_vec())
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
        accounts.push(keeper::decode(&value)?.to_any());
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
    if req.name.is_empty() {
        return Err(invalid("module name is empty"));
    }
    let found = keeper::account(ctx, &address::module(&req.name))?;
    let is_one = |a: &Account| matches!(a.kind, Kind::Module { .. });
    let account = found
        .filter(is_one)
        .ok_or_else(|| missing(format_args!("account {} not found", req.name)))?;
    let account = Some(account.to_any());
    Ok(QueryModuleAccountByNameResponse { account }.encode_to_vec())
}
