//! `cosmos.staking.v1beta1.Query`.

use super::{
    error,
    keeper::pool,
    keys,
    store::{self, STORE},
    validator::{Status, Validator},
};
use crate::{
    codec::{dec::Dec, request},
    ctx::Ctx,
    error::{AppError, Result},
    modules::{
        auth::keeper::addr,
        bank,
        page::{paginate, paginate_if},
        stakes,
    },
};
use cosmos_sdk_proto::cosmos::{
    base::v1beta1::Coin,
    staking::v1beta1::{
        self as proto, Delegation, DelegationResponse, Pool, QueryDelegationRequest,
        QueryDelegationResponse, QueryDelegatorDelegationsRequest,
        QueryDelegatorDelegationsResponse, QueryDelegatorUnbondingDelegationsRequest,
        QueryDelegatorUnbondingDelegationsResponse, QueryDelegatorValidatorRequest,
        QueryDelegatorValidatorResponse, QueryDelegatorValidatorsRequest,
        QueryDelegatorValidatorsResponse, QueryHistoricalInfoRequest, QueryHistoricalInfoResponse,
        QueryParamsResponse, QueryPoolResponse, QueryRedelegationsRequest,
        QueryRedelegationsResponse, QueryUnbondingDelegationRequest,
        QueryUnbondingDelegationResponse, QueryValidatorDelegationsRequest,
        QueryValidatorDelegationsResponse, QueryValidatorRequest, QueryValidatorResponse,
        QueryValidatorUnbondingDelegationsRequest, QueryValidatorUnbondingDelegationsResponse,
        QueryValidatorsRequest, QueryValidatorsResponse, Redelegation, RedelegationEntryResponse,
        RedelegationResponse, UnbondingDelegation,
    },
};
use prost::Message;

/// Answers one method; `None` when it is not of this module.
///
/// # Errors
/// sdk/22 for what is not there, sdk/18 for a request that is not one, sdk/37 on a chain without staking.
pub fn query(ctx: &Ctx, method: &str, data: &[u8]) -> Option<Result<Vec<u8>>> {
    let run = match method.strip_prefix("/cosmos.staking.v1beta1.Query/")? {
        "Validators" => validators,
        "Validator" => validator,
        "ValidatorDelegations" => validator_delegations,
        "ValidatorUnbondingDelegations" => validator_unbondings,
        "Delegation" => delegation,
        "UnbondingDelegation" => unbonding,
        "DelegatorDelegations" => delegator_delegations,
        "DelegatorUnbondingDelegations" => delegator_unbondings,
        "Redelegations" => redelegations,
        "DelegatorValidators" => delegator_validators,
        "DelegatorValidator" => delegator_validator,
        "HistoricalInfo" => historical,
        "Pool" => pools,
        "Params" => params,
        _ => return None,
    };
    Some(store::params(ctx).and_then(|_| run(ctx, data)))
}

type Answer = Result<Vec<u8>>;

fn not_found(text: impl std::fmt::Display) -> AppError {
    AppError::key_not_found(format_args!("rpc error: code = NotFound desc = {text}"))
}

fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M> {
    M::decode(bytes).map_err(AppError::tx_decode)
}

/// A validator that is asked for, as the SDK's answer when there is none.
fn asked(ctx: &Ctx, text: &str) -> Result<Validator> {
    let operator = stakes::operator(ctx, text)?;
    store::find_validator(ctx, &operator)?
        .ok_or_else(|| not_found(format_args!("validator {text} not found")))
}

fn validators(ctx: &Ctx, data: &[u8]) -> Answer {
    let req: QueryValidatorsRequest = request(data)?;
    let status = match req.status.as_str() {
        "" => None,
        "BOND_STATUS_BONDED" => Some(Status::Bonded),
        "BOND_STATUS_UNBONDED" => Some(Status::Unbonded),
        "BOND_STATUS_UNBONDING" => Some(Status::Unbonding),
        other => {
            return Err(AppError::invalid_request(format_args!(
                "rpc error: code = InvalidArgument desc = invalid validator status {other}"
            )));
        }
    };
    let (rows, page) = paginate_if(ctx, STORE, &[keys::VALIDATOR], req.pagination, |bytes| {
        let v = Validator::from_proto(ctx, decode(bytes)?)?;
        Ok(status.is_none_or(|s| s == v.status))
    })?;
    let validators = rows.iter().map(|(_, bytes)| decode(bytes));
    Ok(QueryValidatorsResponse {
        validators: validators.collect::<Result<_>>()?,
        pagination: Some(page),
    }
    .encode_to_vec())
}

fn validator(ctx: &Ctx, data: &[u8]) -> Answer {
    let req: QueryValidatorRequest = request(data)?;
    Ok(QueryValidatorResponse {
        validator: Some(asked(ctx, &req.validator_addr)?.to_proto()),
    }
    .encode_to_vec())
}

/// A delegation with what it is worth.
fn with_balance(ctx: &Ctx, delegation: Delegation) -> Result<DelegationResponse> {
    let operator = stakes::operator(ctx, &delegation.validator_address)?;
    let v = store::validator(ctx, &operator)?;
    let tokens = v.tokens_from_shares(&Dec::from_proto(&delegation.shares)?)?;
    Ok(DelegationResponse {
        balance: Some(Coin {
            denom: store::params(ctx)?.bond_denom,
            amount: tokens.truncate_u128()?.to_string(),
        }),
        delegation: Some(delegation),
    })
}

fn find_delegation(ctx: &Ctx, delegator: &[u8], operator: &[u8]) -> Result<Option<Delegation>> {
    store::get(ctx, &keys::of(keys::DELEGATION, &[delegator, operator]))
}

fn validator_delegations(ctx: &Ctx, data: &[u8]) -> Answer {
    let req: QueryValidatorDelegationsRequest = request(data)?;
    let operator = stakes::operator(ctx, &req.validator_addr)?;
    let prefix = keys::of(keys::DELEGATION_BY_VALIDATOR, &[&operator]);
    let (rows, page) = paginate(ctx, STORE, &prefix, req.pagination)?;
    let mut out = Vec::new();
    for (delegator, _) in rows {
        if let Some(d) = find_delegation(ctx, &delegator, &operator)? {
            out.push(with_balance(ctx, d)?);
        }
    }
    Ok(QueryValidatorDelegationsResponse {
        delegation_responses: out,
        pagination: Some(page),
    }
    .encode_to_vec())
}

fn validator_unbondings(ctx: &Ctx, data: &[u8]) -> Answer {
    let req: QueryValidatorUnbondingDelegationsRequest = request(data)?;
    let operator = stakes::operator(ctx, &req.validator_addr)?;
    let prefix = keys::of(keys::UNBONDING_BY_VALIDATOR, &[&operator]);
    let (rows, page) = paginate(ctx, STORE, &prefix, req.pagination)?;
    let mut out = Vec::new();
    for (delegator, _) in rows {
        // The key goes on with the delegator's length.
        let delegator = delegator.get(1..).unwrap_or_default();
        let key = keys::of(keys::UNBONDING, &[delegator, &operator]);
        out.extend(store::get::<UnbondingDelegation>(ctx, &key)?);
    }
    Ok(QueryValidatorUnbondingDelegationsResponse {
        unbonding_responses: out,
        pagination: Some(page),
    }
    .encode_to_vec())
}

fn delegation(ctx: &Ctx, data: &[u8]) -> Answer {
    let req: QueryDelegationRequest = request(data)?;
    let delegator = addr(ctx, &req.delegator_addr)?;
    let operator = stakes::operator(ctx, &req.validator_addr)?;
    let found = find_delegation(ctx, &delegator, &operator)?.ok_or_else(|| {
        not_found(format_args!(
            "delegation with delegator {} not found for validator {}",
            req.delegator_addr, req.validator_addr
        ))
    })?;
    Ok(QueryDelegationResponse {
        delegation_response: Some(with_balance(ctx, found)?),
    }
    .encode_to_vec())
}

fn unbonding(ctx: &Ctx, data: &[u8]) -> Answer {
    let req: QueryUnbondingDelegationRequest = request(data)?;
    let delegator = addr(ctx, &req.delegator_addr)?;
    let operator = stakes::operator(ctx, &req.validator_addr)?;
    let found = store::get(ctx, &keys::of(keys::UNBONDING, &[&delegator, &operator]))?;
    let found: UnbondingDelegation = found.ok_or_else(|| {
        not_found(format_args!(
            "unbonding delegation with delegator {} not found for validator {}",
            req.delegator_addr, req.validator_addr
        ))
    })?;
    Ok(QueryUnbondingDelegationResponse {
        unbond: Some(found),
    }
    .encode_to_vec())
}

fn delegator_delegations(ctx: &Ctx, data: &[u8]) -> Answer {
    let req: QueryDelegatorDelegationsRequest = request(data)?;
    let delegator = addr(ctx, &req.delegator_addr)?;
    let prefix = keys::of(keys::DELEGATION, &[&delegator]);
    let (rows, page) = paginate(ctx, STORE, &prefix, req.pagination)?;
    let responses = rows.iter().map(|(_, b)| with_balance(ctx, decode(b)?));
    Ok(QueryDelegatorDelegationsResponse {
        delegation_responses: responses.collect::<Result<_>>()?,
        pagination: Some(page),
    }
    .encode_to_vec())
}

fn delegator_unbondings(ctx: &Ctx, data: &[u8]) -> Answer {
    let req: QueryDelegatorUnbondingDelegationsRequest = request(data)?;
    let delegator = addr(ctx, &req.delegator_addr)?;
    let prefix = keys::of(keys::UNBONDING, &[&delegator]);
    let (rows, page) = paginate(ctx, STORE, &prefix, req.pagination)?;
    let unbondings = rows.iter().map(|(_, b)| decode(b));
    Ok(QueryDelegatorUnbondingDelegationsResponse {
        unbonding_responses: unbondings.collect::<Result<_>>()?,
        pagination: Some(page),
    }
    .encode_to_vec())
}

fn redelegations(ctx: &Ctx, data: &[u8]) -> Answer {
    let req: QueryRedelegationsRequest = request(data)?;
    let (mut found, mut page) = (Vec::new(), None);
    if !req.delegator_addr.is_empty()
        && !req.src_validator_addr.is_empty()
        && !req.dst_validator_addr.is_empty()
    {
        let key = keys::of(
            keys::REDELEGATION,
            &[
                &addr(ctx, &req.delegator_addr)?,
                &stakes::operator(ctx, &req.src_validator_addr)?,
                &stakes::operator(ctx, &req.dst_validator_addr)?,
            ],
        );
        let one: Option<Redelegation> = store::get(ctx, &key)?;
        found.push(one.ok_or_else(|| {
            not_found(format_args!(
                "redelegation not found for delegator address {} from validator address {}",
                req.delegator_addr, req.src_validator_addr
            ))
        })?);
    } else if req.delegator_addr.is_empty() && !req.src_validator_addr.is_empty() {
        let from = stakes::operator(ctx, &req.src_validator_addr)?;
        let prefix = keys::of(keys::REDELEGATION_BY_SOURCE, &[&from]);
        let (rows, next) = paginate(ctx, STORE, &prefix, req.pagination)?;
        for (rest, _) in rows {
            let rest = keys::addresses(&[&[0], rest.as_slice()].concat());
            if let [delegator, to] = rest.as_slice() {
                let key = keys::of(keys::REDELEGATION, &[delegator, &from, to]);
                found.extend(store::get::<Redelegation>(ctx, &key)?);
            }
        }
        page = Some(next);
    } else {
        let delegator = addr(ctx, &req.delegator_addr)?;
        let prefix = keys::of(keys::REDELEGATION, &[&delegator]);
        let (rows, next) = paginate(ctx, STORE, &prefix, req.pagination)?;
        for (_, bytes) in rows {
            found.push(decode(&bytes)?);
        }
        page = Some(next);
    }
    let responses = found.into_iter().map(|r| redelegation(ctx, r));
    Ok(QueryRedelegationsResponse {
        redelegation_responses: responses.collect::<Result<_>>()?,
        pagination: page,
    }
    .encode_to_vec())
}

/// A redelegation with what its shares are worth now.
fn redelegation(ctx: &Ctx, mut r: Redelegation) -> Result<RedelegationResponse> {
    let to = stakes::operator(ctx, &r.validator_dst_address)?;
    let v = store::validator(ctx, &to)?;
    let mut entries = Vec::new();
    for e in std::mem::take(&mut r.entries) {
        let worth = v.tokens_from_shares(&Dec::from_proto(&e.shares_dst)?)?;
        entries.push(RedelegationEntryResponse {
            balance: worth.truncate_u128()?.to_string(),
            redelegation_entry: Some(e),
        });
    }
    Ok(RedelegationResponse {
        redelegation: Some(r),
        entries,
    })
}

fn delegator_validators(ctx: &Ctx, data: &[u8]) -> Answer {
    let req: QueryDelegatorValidatorsRequest = request(data)?;
    let delegator = addr(ctx, &req.delegator_addr)?;
    let prefix = keys::of(keys::DELEGATION, &[&delegator]);
    let (rows, page) = paginate(ctx, STORE, &prefix, req.pagination)?;
    let mut validators = Vec::new();
    for (_, bytes) in rows {
        let d: Delegation = decode(&bytes)?;
        let operator = stakes::operator(ctx, &d.validator_address)?;
        validators.push(store::validator(ctx, &operator)?.to_proto());
    }
    Ok(QueryDelegatorValidatorsResponse {
        validators,
        pagination: Some(page),
    }
    .encode_to_vec())
}

fn delegator_validator(ctx: &Ctx, data: &[u8]) -> Answer {
    let req: QueryDelegatorValidatorRequest = request(data)?;
    let delegator = addr(ctx, &req.delegator_addr)?;
    let operator = stakes::operator(ctx, &req.validator_addr)?;
    find_delegation(ctx, &delegator, &operator)?.ok_or_else(error::no_delegation)?;
    let validator = store::validator(ctx, &operator)?.to_proto();
    Ok(QueryDelegatorValidatorResponse {
        validator: Some(validator),
    }
    .encode_to_vec())
}

fn pools(ctx: &Ctx, _: &[u8]) -> Answer {
    let denom = store::params(ctx)?.bond_denom;
    let of = |status| bank::keeper::balance(ctx, &pool(status), &denom);
    Ok(QueryPoolResponse {
        pool: Some(Pool {
            not_bonded_tokens: of(Status::Unbonding)?.to_string(),
            bonded_tokens: of(Status::Bonded)?.to_string(),
        }),
    }
    .encode_to_vec())
}

fn params(ctx: &Ctx, _: &[u8]) -> Answer {
    let params: Option<proto::Params> = store::get(ctx, keys::PARAMS)?;
    Ok(QueryParamsResponse { params }.encode_to_vec())
}

fn historical(ctx: &Ctx, data: &[u8]) -> Answer {
    let req: QueryHistoricalInfoRequest = request(data)?;
    let height = u64::try_from(req.height).map_err(|_| {
        AppError::invalid_request(
            "rpc error: code = InvalidArgument desc = height cannot be negative",
        )
    })?;
    let hist = super::history::get(ctx, height)?.ok_or_else(|| {
        not_found(format_args!(
            "historical info for height {height} not found"
        ))
    })?;
    Ok(QueryHistoricalInfoResponse { hist: Some(hist) }.encode_to_vec())
}
