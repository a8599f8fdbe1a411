//! `cosmos.bank.v1beta1.Query`.

use super::keeper;
use crate::{
    codec::{coins, request},
    ctx::Ctx,
    error::{AppError, Result},
    modules::auth::keeper::addr,
    modules::page::paginate,
    store::{StoreKey, prefix_end},
};
use cosmos_sdk_proto::cosmos::{
    bank::v1beta1::{
        Metadata, Params, QueryAllBalancesRequest, QueryAllBalancesResponse, QueryBalanceRequest,
        QueryBalanceResponse, QueryDenomMetadataRequest, QueryDenomMetadataResponse,
        QueryDenomsMetadataResponse, QueryParamsResponse, QuerySpendableBalanceByDenomRequest,
        QuerySpendableBalanceByDenomResponse, QuerySpendableBalancesRequest,
        QuerySpendableBalancesResponse, QuerySupplyOfRequest, QuerySupplyOfResponse,
        QueryTotalSupplyRequest, QueryTotalSupplyResponse,
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
        "DenomsMetadata" => all_metadata(ctx),
        "Params" => Ok(QueryParamsResponse {
            params: Some(params()),
        }
        .encode_to_vec()),
        _ => return None,
    })
}

#[allow(deprecated, reason = "the field is part of the message")]
fn params() -> Params {
    Params {
        send_enabled: Vec::new(),
        default_send_enabled: true,
    }
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
    let found = find_metadata(ctx, &req.denom)?;
    let metadata = found.ok_or_else(|| {
        AppError::key_not_found(format_args!(
            "rpc error: code = NotFound desc = client metadata for denom {}",
            req.denom
        ))
    })?;
    Ok(QueryDenomMetadataResponse {
        metadata: Some(metadata),
    }
    .encode_to_vec())
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
