//! `cosmos.distribution.v1beta1.Query`. Rewards are worked out as if they were withdrawn now; what that writes is
//! dropped with the query.

use super::{delegation, keys, store, validator::increment_period};
use crate::{
    codec::{dec_coins::DecCoins, request},
    ctx::Ctx,
    error::{AppError, Result},
    modules::{
        auth::keeper::{addr, human},
        page::paginate_if,
        stakes::{self, Delegation},
    },
};
use cosmos_sdk_proto::cosmos::distribution::v1beta1::{
    DelegationDelegatorReward, QueryCommunityPoolResponse, QueryDelegationRewardsRequest,
    QueryDelegationRewardsResponse, QueryDelegationTotalRewardsRequest,
    QueryDelegationTotalRewardsResponse, QueryDelegatorValidatorsRequest,
    QueryDelegatorValidatorsResponse, QueryDelegatorWithdrawAddressRequest,
    QueryDelegatorWithdrawAddressResponse, QueryParamsResponse, QueryValidatorCommissionRequest,
    QueryValidatorCommissionResponse, QueryValidatorDistributionInfoRequest,
    QueryValidatorDistributionInfoResponse, QueryValidatorOutstandingRewardsRequest,
    QueryValidatorOutstandingRewardsResponse, QueryValidatorSlashesRequest,
    QueryValidatorSlashesResponse, ValidatorAccumulatedCommission, ValidatorOutstandingRewards,
    ValidatorSlashEvent,
};
use prost::Message;

/// Answers one method; `None` when it is not of this module.
///
/// # Errors
/// sdk/18 for a request that is not one, staking/3 and staking/19 for what is not there, sdk/37 on a chain without
/// the module.
pub fn query(ctx: &Ctx, method: &str, data: &[u8]) -> Option<Result<Vec<u8>>> {
    let run = match method.strip_prefix("/cosmos.distribution.v1beta1.Query/")? {
        "Params" => params,
        "ValidatorDistributionInfo" => validator_info,
        "ValidatorOutstandingRewards" => outstanding,
        "ValidatorCommission" => commission,
        "ValidatorSlashes" => slashes,
        "DelegationRewards" => rewards,
        "DelegationTotalRewards" => total_rewards,
        "DelegatorValidators" => validators,
        "DelegatorWithdrawAddress" => withdraw_address,
        "CommunityPool" => community_pool,
        _ => return None,
    };
    Some(store::params(ctx).and_then(|_| run(ctx, data)))
}

fn invalid(what: impl std::fmt::Display) -> AppError {
    AppError::invalid_request(format_args!(
        "rpc error: code = InvalidArgument desc = {what}"
    ))
}

fn delegator(ctx: &Ctx, text: &str) -> Result<Vec<u8>> {
    if text.is_empty() {
        return Err(invalid("empty delegator address"));
    }
    addr(ctx, text)
}

fn operator(ctx: &Ctx, text: &str) -> Result<Vec<u8>> {
    if text.is_empty() {
        return Err(invalid("empty validator address"));
    }
    stakes::operator(ctx, text)
}

/// What a delegation would be paid now.
fn earned(ctx: &Ctx, del: &Delegation) -> Result<DecCoins> {
    let validator = stakes::validator(ctx, &del.operator)?;
    let ending = increment_period(ctx, &validator)?;
    delegation::rewards(ctx, &validator, del, ending)
}

fn params(ctx: &Ctx, _: &[u8]) -> Result<Vec<u8>> {
    let params = Some(store::params(ctx)?.to_proto());
    Ok(QueryParamsResponse { params }.encode_to_vec())
}

fn validator_info(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryValidatorDistributionInfoRequest = request(data)?;
    let val = operator(ctx, &req.validator_address)?;
    stakes::validator(ctx, &val)?;
    let own = earned(ctx, &stakes::delegation(ctx, &val, &val)?)?;
    Ok(QueryValidatorDistributionInfoResponse {
        operator_address: human(ctx, &val)?,
        self_bond_rewards: own.to_proto(),
        commission: store::commission(ctx, &val)?.to_proto(),
    }
    .encode_to_vec())
}

fn outstanding(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryValidatorOutstandingRewardsRequest = request(data)?;
    let val = operator(ctx, &req.validator_address)?;
    stakes::validator(ctx, &val)?;
    let rewards = store::outstanding(ctx, &val)?.to_proto();
    Ok(QueryValidatorOutstandingRewardsResponse {
        rewards: Some(ValidatorOutstandingRewards { rewards }),
    }
    .encode_to_vec())
}

fn commission(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryValidatorCommissionRequest = request(data)?;
    let val = operator(ctx, &req.validator_address)?;
    stakes::validator(ctx, &val)?;
    let commission = store::commission(ctx, &val)?.to_proto();
    Ok(QueryValidatorCommissionResponse {
        commission: Some(ValidatorAccumulatedCommission { commission }),
    }
    .encode_to_vec())
}

/// As in the SDK the bounds are called heights and are compared with periods.
fn slashes(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryValidatorSlashesRequest = request(data)?;
    if req.validator_address.is_empty() {
        return Err(invalid("empty validator address"));
    }
    if req.ending_height < req.starting_height {
        return Err(invalid(format_args!(
            "starting height greater than ending height ({} > {})",
            req.starting_height, req.ending_height
        )));
    }
    let val = stakes::operator(ctx, &req.validator_address)
        .map_err(|_| invalid("invalid validator address"))?;
    let decode = |b: &[u8]| ValidatorSlashEvent::decode(b).map_err(AppError::tx_decode);
    let prefix = keys::of(keys::SLASH, &val);
    let range = req.starting_height..=req.ending_height;
    let (page, pagination) = paginate_if(ctx, store::STORE, &prefix, req.pagination, |value| {
        Ok(range.contains(&decode(value)?.validator_period))
    })?;
    let slashes = page.iter().map(|(_, value)| decode(value));
    Ok(QueryValidatorSlashesResponse {
        slashes: slashes.collect::<Result<_>>()?,
        pagination: Some(pagination),
    }
    .encode_to_vec())
}

fn rewards(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryDelegationRewardsRequest = request(data)?;
    if req.delegator_address.is_empty() {
        return Err(invalid("empty delegator address"));
    }
    let val = operator(ctx, &req.validator_address)?;
    stakes::validator(ctx, &val)?;
    let del = delegator(ctx, &req.delegator_address)?;
    let rewards = earned(ctx, &stakes::delegation(ctx, &del, &val)?)?.to_proto();
    Ok(QueryDelegationRewardsResponse { rewards }.encode_to_vec())
}

fn total_rewards(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryDelegationTotalRewardsRequest = request(data)?;
    let del = delegator(ctx, &req.delegator_address)?;
    let (mut rewards, mut total) = (Vec::new(), DecCoins::default());
    for d in stakes::delegations(ctx, &del)? {
        let reward = earned(ctx, &d)?;
        total.add(&reward);
        rewards.push(DelegationDelegatorReward {
            validator_address: d.validator_name,
            reward: reward.to_proto(),
        });
    }
    let total = total.to_proto();
    Ok(QueryDelegationTotalRewardsResponse { rewards, total }.encode_to_vec())
}

fn validators(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryDelegatorValidatorsRequest = request(data)?;
    let del = delegator(ctx, &req.delegator_address)?;
    let delegations = stakes::delegations(ctx, &del)?;
    let validators = delegations.into_iter().map(|d| d.validator_name).collect();
    Ok(QueryDelegatorValidatorsResponse { validators }.encode_to_vec())
}

fn withdraw_address(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryDelegatorWithdrawAddressRequest = request(data)?;
    let del = delegator(ctx, &req.delegator_address)?;
    let withdraw_address = human(ctx, &store::withdraw_addr(ctx, &del)?)?;
    Ok(QueryDelegatorWithdrawAddressResponse { withdraw_address }.encode_to_vec())
}

fn community_pool(ctx: &Ctx, _: &[u8]) -> Result<Vec<u8>> {
    let pool = store::community_pool(ctx)?.to_proto();
    Ok(QueryCommunityPoolResponse { pool }.encode_to_vec())
}
