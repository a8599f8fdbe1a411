//! `cosmos.distribution.v1beta1.Msg`.

use super::{allocation, keeper, params::Params, store};
use crate::{
    codec::{
        address,
        coins::{self, Coins},
        dec_coins::DecCoins,
        strict,
    },
    ctx::Ctx,
    error::{AppError, Result},
    modules::{
        auth::keeper::{addr, check_gov},
        bank, stakes,
    },
};
use cosmos_sdk_proto::cosmos::{
    base::v1beta1::Coin,
    distribution::v1beta1::{
        MsgCommunityPoolSpend, MsgCommunityPoolSpendResponse, MsgDepositValidatorRewardsPool,
        MsgDepositValidatorRewardsPoolResponse, MsgFundCommunityPool, MsgFundCommunityPoolResponse,
        MsgSetWithdrawAddress, MsgSetWithdrawAddressResponse, MsgUpdateParams,
        MsgUpdateParamsResponse, MsgWithdrawDelegatorReward, MsgWithdrawDelegatorRewardResponse,
        MsgWithdrawValidatorCommission, MsgWithdrawValidatorCommissionResponse,
    },
};
use prost::{Message, Name};

/// The type URLs of this module's messages start so.
pub const PREFIX: &str = "/cosmos.distribution.v1beta1.";

/// Who must sign a message; `None` when it is not of this module.
///
/// # Errors
/// sdk/2; sdk/7 for a validator that is no address.
pub fn signers(type_url: &str, value: &[u8]) -> Option<Result<Vec<String>>> {
    let signer = match type_url.strip_prefix(PREFIX)? {
        "MsgSetWithdrawAddress" => strict("MsgSetWithdrawAddress", value)
            .map(|m: MsgSetWithdrawAddress| m.delegator_address),
        "MsgWithdrawDelegatorReward" => strict("MsgWithdrawDelegatorReward", value)
            .map(|m: MsgWithdrawDelegatorReward| m.delegator_address),
        "MsgWithdrawValidatorCommission" => strict("MsgWithdrawValidatorCommission", value)
            .and_then(|m: MsgWithdrawValidatorCommission| {
                address::of_operator(&m.validator_address)
            }),
        "MsgFundCommunityPool" => {
            strict("MsgFundCommunityPool", value).map(|m: MsgFundCommunityPool| m.depositor)
        }
        "MsgUpdateParams" => strict("MsgUpdateParams", value).map(|m: MsgUpdateParams| m.authority),
        "MsgCommunityPoolSpend" => {
            strict("MsgCommunityPoolSpend", value).map(|m: MsgCommunityPoolSpend| m.authority)
        }
        "MsgDepositValidatorRewardsPool" => strict("MsgDepositValidatorRewardsPool", value)
            .map(|m: MsgDepositValidatorRewardsPool| m.depositor),
        _ => return None,
    };
    Some(signer.map(|s| vec![s]))
}

/// Executes a message: the response's type URL and bytes; `None` when it is not of this module.
///
/// # Errors
/// Those of the keeper; sdk/37 on a chain without the module.
pub fn handle(ctx: &Ctx, type_url: &str, value: &[u8]) -> Option<Result<(String, Vec<u8>)>> {
    let run = match type_url.strip_prefix(PREFIX)? {
        "MsgSetWithdrawAddress" => set_withdraw_address,
        "MsgWithdrawDelegatorReward" => withdraw_reward,
        "MsgWithdrawValidatorCommission" => withdraw_commission,
        "MsgFundCommunityPool" => fund,
        "MsgUpdateParams" => update_params,
        "MsgCommunityPoolSpend" => spend,
        "MsgDepositValidatorRewardsPool" => deposit,
        _ => return None,
    };
    Some(store::params(ctx).and_then(|_| run(ctx, value)))
}

type Response = Result<(String, Vec<u8>)>;

fn response<M: Message + Name>(m: &M) -> Response {
    Ok(crate::codec::response(m))
}

/// An address of an account, with the SDK's word for whose it is.
fn account(ctx: &Ctx, whose: &str, text: &str) -> Result<Vec<u8>> {
    addr(ctx, text)
        .map_err(|e| AppError::invalid_address(format_args!("invalid {whose} address: {}", e.log)))
}

fn validator(ctx: &Ctx, text: &str) -> Result<Vec<u8>> {
    stakes::operator(ctx, text).map_err(|e| {
        AppError::invalid_address(format_args!("invalid validator address: {}", e.log))
    })
}

/// Coins that a message moves.
fn amount(coins: &[Coin]) -> Result<Coins> {
    if coins.is_empty() {
        return Err(AppError::invalid_coins("amount cannot be nil"));
    }
    coins::check(coins).map_err(|_| {
        let shown: Vec<_> = coins
            .iter()
            .map(|c| format!("{}{}", c.amount, c.denom))
            .collect();
        AppError::invalid_coins(shown.join(","))
    })
}

fn authority(ctx: &Ctx, text: &str) -> Result<()> {
    account(ctx, "authority", text)?;
    check_gov(ctx, text)
}

fn set_withdraw_address(ctx: &Ctx, value: &[u8]) -> Response {
    let m: MsgSetWithdrawAddress = strict("MsgSetWithdrawAddress", value)?;
    let delegator = account(ctx, "delegator", &m.delegator_address)?;
    let to = account(ctx, "withdraw", &m.withdraw_address)?;
    keeper::set_withdraw_addr(ctx, &delegator, &to)?;
    response(&MsgSetWithdrawAddressResponse {})
}

fn withdraw_reward(ctx: &Ctx, value: &[u8]) -> Response {
    let m: MsgWithdrawDelegatorReward = strict("MsgWithdrawDelegatorReward", value)?;
    let operator = validator(ctx, &m.validator_address)?;
    let delegator = account(ctx, "delegator", &m.delegator_address)?;
    let coins = keeper::withdraw_rewards(ctx, &delegator, &operator)?;
    let amount = coins::to_proto(&coins);
    response(&MsgWithdrawDelegatorRewardResponse { amount })
}

fn withdraw_commission(ctx: &Ctx, value: &[u8]) -> Response {
    let m: MsgWithdrawValidatorCommission = strict("MsgWithdrawValidatorCommission", value)?;
    let operator = validator(ctx, &m.validator_address)?;
    let amount = coins::to_proto(&keeper::withdraw_commission(ctx, &operator)?);
    response(&MsgWithdrawValidatorCommissionResponse { amount })
}

fn fund(ctx: &Ctx, value: &[u8]) -> Response {
    let m: MsgFundCommunityPool = strict("MsgFundCommunityPool", value)?;
    let depositor = account(ctx, "depositor", &m.depositor)?;
    keeper::fund_community_pool(ctx, &depositor, &amount(&m.amount)?)?;
    response(&MsgFundCommunityPoolResponse {})
}

fn update_params(ctx: &Ctx, value: &[u8]) -> Response {
    let m: MsgUpdateParams = strict("MsgUpdateParams", value)?;
    authority(ctx, &m.authority)?;
    let params = Params::from_proto(&m.params.unwrap_or_default())?;
    if !params.base_proposer_reward.is_zero() || !params.bonus_proposer_reward.is_zero() {
        return Err(AppError::invalid_request(
            "cannot update base or bonus proposer reward because these are deprecated fields",
        ));
    }
    params.check()?;
    store::set_params(ctx, &params)?;
    response(&MsgUpdateParamsResponse {})
}

fn spend(ctx: &Ctx, value: &[u8]) -> Response {
    let m: MsgCommunityPoolSpend = strict("MsgCommunityPoolSpend", value)?;
    authority(ctx, &m.authority)?;
    let coins = amount(&m.amount)?;
    let recipient = addr(ctx, &m.recipient)?;
    if bank::keeper::is_blocked(&recipient) {
        return Err(AppError::unauthorized(format_args!(
            "{} is not allowed to receive external funds",
            m.recipient
        )));
    }
    keeper::spend_community_pool(ctx, &recipient, &coins)?;
    response(&MsgCommunityPoolSpendResponse {})
}

/// The SDK goes on to see that the sum does not exceed its decimals' bits; amounts of 128 bits cannot.
fn deposit(ctx: &Ctx, value: &[u8]) -> Response {
    let m: MsgDepositValidatorRewardsPool = strict("MsgDepositValidatorRewardsPool", value)?;
    let depositor = addr(ctx, &m.depositor)?;
    let coins = coins::check(&m.amount)?;
    bank::keeper::send(ctx, &depositor, &store::account(), &coins)?;
    let validator = stakes::validator(ctx, &stakes::operator(ctx, &m.validator_address)?)?;
    allocation::to_validator(ctx, &validator, &DecCoins::from_coins(&coins))?;
    response(&MsgDepositValidatorRewardsPoolResponse {})
}
