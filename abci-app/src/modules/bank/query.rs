//! `cosmos.bank.v1beta1.Query`.

use super::{enabled, keeper};
use crate::{
    codec::{coins, request},
    ctx::Ctx,
    error::{AppError, Result},
    modules::auth::keeper::{addr, human},
    modules::page::{paginate, paginate_keys},
    store::{StoreKey, prefix_end},
};
use cosmos_sdk_proto::cosmos::{
    bank::v1beta1::{
        DenomOwner, Metadata, QueryAllBalancesRequest, QueryAllBalancesResponse,
        QueryBalanceRequest, QueryBalanceResponse, QueryDenomMetadataByQueryStringRequest,
        QueryDenomMetadataByQueryStringResponse, QueryDenomMetadataRequest,
        QueryDenomMetadataResponse, QueryDenomOwnersRequest, QueryDenomOwnersResponse,
        QueryDenomsMetadataResponse, QueryParamsResponse, QuerySendEnabledRequest,
        QuerySendEnabledResponse, QuerySpendableBalanceByDenomRequest,
        QuerySpendableBalanceByDenomResponse, QuerySpendableBalancesRequest,
        QuerySpendableBalancesResponse, QuerySupplyOfRequest, QuerySupplyOfResponse,
        QueryTotalSupplyRequest, QueryTotalSupplyResponse, SendEnabled,
    },
    base::{
        query::v1beta1::{PageRequest, PageResponse},
        v1beta1::Coin,
    },
};
use prost::Message;

/// Answers one method; `None` when it is not of this module.
///
/// # Errors
/// sdk/18 for a request that is not one, sdk/22 for what is not there.
pub fn query(ctx: &Ctx, method: &str, data: &[u8]) -> Option<Result<Vec<u8>>> {
    Some(match method.strip_prefix("/cosmos.bank.v1beta1.Query/")? {
        "Balance" => balance(ctx, data),
        "AllBalances" => all_balances(ctx, data),
        "SpendableBalances" => spendable(ctx, data),
        "SpendableBalanceByDenom" => spendable_of(ctx, data),
        "TotalSupply" => total_supply(ctx, data),
        "SupplyOf" => supply_of(ctx, data),
        "DenomMetadata" => metadata(ctx, data),
        "DenomMetadataByQueryString" => metadata_by_text(ctx, data),
        "DenomsMetadata" => all_metadata(ctx),
        // The two differ in how REST asks them; as messages they are the same.
        "DenomOwners" | "DenomOwnersByQuery" => owners(ctx, data),
        "SendEnabled" => send_enabled(ctx, data),
        "Params" => enabled::params(ctx).map(|params| {
            QueryParamsResponse {
                params: Some(params),
            }
            .encode_to_vec()
        }),
        _ => return None,
    })
}

fn balance(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryBalanceRequest = request(data)?;
    coins::check_denom(&req.denom)?;
    let amount = keeper::balance(ctx, &addr(ctx, &req.address)?, &req.denom)?;
    Ok(QueryBalanceResponse {
        balance: Some(Coin {
            denom: req.denom,
            amount: amount.to_string(),
        }),
    }
    .encode_to_vec())
}

/// One page of the amounts below `prefix`, keyed by denom.
fn page(
    ctx: &Ctx,
    prefix: &[u8],
    req: Option<PageRequest>,
) -> Result<(Vec<Coin>, Option<PageResponse>)> {
    let (entries, response) = paginate(ctx, StoreKey::Bank, prefix, req)?;
    let coins = entries.into_iter().map(|(denom, value)| {
        Ok(Coin {
            denom: String::from_utf8_lossy(&denom).into_owned(),
            amount: keeper::parse(Some(value))?.to_string(),
        })
    });
    Ok((coins.collect::<Result<_>>()?, Some(response)))
}

fn all_balances(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryAllBalancesRequest = request(data)?;
    let (balances, pagination) = page(
        ctx,
        &keeper::balances_of(&addr(ctx, &req.address)?),
        req.pagination,
    )?;
    Ok(QueryAllBalancesResponse {
        balances,
        pagination,
    }
    .encode_to_vec())
}

/// A page of balances, each less what of it is locked.
fn spendable(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QuerySpendableBalancesRequest = request(data)?;
    let addr = addr(ctx, &req.address)?;
    let (mut balances, pagination) = page(ctx, &keeper::balances_of(&addr), req.pagination)?;
    let spendable = keeper::spendable(ctx, &addr)?;
    for coin in &mut balances {
        let amount = spendable.iter().find(|(denom, _)| *denom == coin.denom);
        coin.amount = amount.map_or(0, |(_, amount)| *amount).to_string();
    }
    Ok(QuerySpendableBalancesResponse {
        balances,
        pagination,
    }
    .encode_to_vec())
}

fn spendable_of(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QuerySpendableBalanceByDenomRequest = request(data)?;
    let spendable = keeper::spendable(ctx, &addr(ctx, &req.address)?)?;
    let amount = spendable.iter().find(|(denom, _)| *denom == req.denom);
    let amount = amount.map_or(0, |(_, amount)| *amount).to_string();
    let balance = Some(Coin {
        denom: req.denom,
        amount,
    });
    Ok(QuerySpendableBalanceByDenomResponse { balance }.encode_to_vec())
}

fn total_supply(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryTotalSupplyRequest = request(data)?;
    let (supply, pagination) = page(ctx, &keeper::ALL_SUPPLY, req.pagination)?;
    Ok(QueryTotalSupplyResponse { supply, pagination }.encode_to_vec())
}

fn supply_of(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QuerySupplyOfRequest = request(data)?;
    coins::check_denom(&req.denom)?;
    let amount = keeper::supply_of(ctx, &req.denom)?.to_string();
    Ok(QuerySupplyOfResponse {
        amount: Some(Coin {
            denom: req.denom,
            amount,
        }),
    }
    .encode_to_vec())
}

fn metadata(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryDenomMetadataRequest = request(data)?;
    let metadata = Some(must_metadata(ctx, &req.denom)?);
    Ok(QueryDenomMetadataResponse { metadata }.encode_to_vec())
}

fn metadata_by_text(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryDenomMetadataByQueryStringRequest = request(data)?;
    let metadata = Some(must_metadata(ctx, &req.denom)?);
    Ok(QueryDenomMetadataByQueryStringResponse { metadata }.encode_to_vec())
}

fn must_metadata(ctx: &Ctx, denom: &str) -> Result<Metadata> {
    find_metadata(ctx, denom)?.ok_or_else(|| {
        AppError::key_not_found(format_args!(
            "rpc error: code = NotFound desc = client metadata for denom {denom}"
        ))
    })
}

/// Who has of a denom. There is no index by denom: every balance is looked at, within the gas of a query.
fn owners(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryDenomOwnersRequest = request(data)?;
    coins::check_denom(&req.denom)?;
    // The key is the length of an address, the address and the denom.
    let split = |key: &[u8]| {
        let (len, rest) = key.split_first()?;
        let (addr, denom) = rest.split_at_checked(usize::from(*len))?;
        (denom == req.denom.as_bytes()).then(|| addr.to_vec())
    };
    let wanted = |key: &[u8], _: &[u8]| Ok(split(key).is_some());
    let (entries, pagination) = paginate_keys(
        ctx,
        StoreKey::Bank,
        &keeper::ALL_BALANCES,
        req.pagination.clone(),
        wanted,
    )?;
    let owner = |(key, value): (Vec<u8>, Vec<u8>)| {
        Ok(DenomOwner {
            address: human(ctx, &split(&key).unwrap_or_default())?,
            balance: Some(Coin {
                denom: req.denom.clone(),
                amount: keeper::parse(Some(value))?.to_string(),
            }),
        })
    };
    let denom_owners = entries.into_iter().map(owner).collect::<Result<_>>()?;
    let pagination = Some(pagination);
    Ok(QueryDenomOwnersResponse {
        denom_owners,
        pagination,
    }
    .encode_to_vec())
}

/// What is said of the denoms asked for, or a page of all of which something is said.
fn send_enabled(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QuerySendEnabledRequest = request(data)?;
    let mut answer = QuerySendEnabledResponse::default();
    for denom in &req.denoms {
        if let Some(enabled) = enabled::of(ctx, denom)? {
            let denom = denom.clone();
            answer.send_enabled.push(SendEnabled { denom, enabled });
        }
    }
    if req.denoms.is_empty() {
        let (entries, page) = paginate(ctx, StoreKey::Bank, &enabled::ALL_ENABLED, req.pagination)?;
        let entry = |(denom, value): (Vec<u8>, Vec<u8>)| SendEnabled {
            denom: String::from_utf8_lossy(&denom).into_owned(),
            enabled: enabled::flag(&value),
        };
        answer.send_enabled = entries.into_iter().map(entry).collect();
        answer.pagination = Some(page);
    }
    Ok(answer.encode_to_vec())
}

/// The metadata of a denom.
///
/// # Errors
/// sdk/11.
pub fn find_metadata(ctx: &Ctx, denom: &str) -> Result<Option<Metadata>> {
    let bytes = ctx.get(StoreKey::Bank, &keeper::metadata_key(denom))?;
    bytes
        .map(|b| Metadata::decode(b.as_slice()).map_err(AppError::tx_decode))
        .transpose()
}

fn all_metadata(ctx: &Ctx) -> Result<Vec<u8>> {
    let end = prefix_end(&keeper::ALL_METADATA);
    let pairs = ctx.with_layers(|l| l.scan(StoreKey::Bank, &keeper::ALL_METADATA, end.as_deref()));
    let metadatas = pairs
        .into_iter()
        .map(|(_, v)| Metadata::decode(v.as_slice()).map_err(AppError::tx_decode))
        .collect::<Result<_>>()?;
    Ok(QueryDenomsMetadataResponse {
        metadatas,
        pagination: Some(PageResponse::default()),
    }
    .encode_to_vec())
}
