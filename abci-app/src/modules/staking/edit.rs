//! Making a validator, and changing what it says of itself.

use super::{
    delegate::From,
    error,
    keeper::Keeper,
    msg::{Response, check_denom, operator, positive, response},
    params::Params,
    store,
    validator::{Commission, Status, Validator, check_description, edit_description, key_of},
};
use crate::{
    codec::{coins, dec::Dec, strict},
    ctx::Event,
    error::{AppError, Result},
    modules::consensus,
    store::merkle::sha256,
};
use cosmos_sdk_proto::cosmos::staking::v1beta1::{
    CommissionRates, Description, MsgCreateValidator, MsgCreateValidatorResponse, MsgEditValidator,
    MsgEditValidatorResponse,
};

fn min_self_delegation(text: &str) -> Result<u128> {
    let least = coins::amount(text).ok().filter(|n| *n > 0);
    least.ok_or_else(|| {
        AppError::invalid_request("minimum self delegation must be a positive integer")
    })
}

pub(super) fn create(k: &Keeper<'_>, params: &Params, value: &[u8]) -> Response {
    let m: MsgCreateValidator = strict("MsgCreateValidator", value)?;
    let owner = operator(k.ctx, "validator", &m.validator_address)?;
    if m.pubkey.is_none() {
        return Err(error::empty_pub_key());
    }
    let coin = positive(m.value, "invalid delegation amount")?;
    let description = m.description.unwrap_or_default();
    if description == Description::default() {
        return Err(AppError::invalid_request("empty description"));
    }
    let rates = m.commission.unwrap_or_default();
    if rates == CommissionRates::default() {
        return Err(AppError::invalid_request("empty commission"));
    }
    let commission = Commission {
        rate: Dec::from_proto(&rates.rate)?,
        max_rate: Dec::from_proto(&rates.max_rate)?,
        max_change_rate: Dec::from_proto(&rates.max_change_rate)?,
        updated_ns: k.ctx.block.time_ns,
    };
    commission.check()?;
    let least = min_self_delegation(&m.min_self_delegation)?;
    if coin.1 < least {
        return Err(error::self_delegation_below_minimum());
    }
    if commission.rate < params.min_commission_rate {
        return Err(AppError::new(
            "staking",
            40,
            format!(
                "cannot set validator commission to less than minimum rate of {}: commission cannot be less than min rate",
                params.min_commission_rate
            ),
        ));
    }
    if store::find_validator(k.ctx, &owner)?.is_some() {
        return Err(error::owner_exists());
    }
    let key = key_of(m.pubkey.as_ref())?;
    if store::validator_by_cons(k.ctx, &sha256(&key)[..20])?.is_some() {
        return Err(error::pub_key_exists());
    }
    check_denom(params, &coin.0)?;
    check_description(&description)?;
    if let Some(kinds) = consensus::get(k.ctx).validator.map(|v| v.pub_key_types)
        && !kinds.iter().any(|t| t == "ed25519")
    {
        return Err(AppError::new(
            "staking",
            6,
            format!(
                "got: ed25519, expected: [{}]: validator pubkey type is not supported",
                kinds.join(" ")
            ),
        ));
    }
    let mut v = Validator {
        operator: owner.clone(),
        name: m.validator_address.clone(),
        key,
        jailed: false,
        status: Status::Unbonded,
        tokens: 0,
        shares: Dec::zero(),
        description,
        unbonding_height: 0,
        unbonding_ns: 0,
        commission,
        min_self_delegation: least,
        unbonding_ids: Vec::new(),
    };
    k.create(&v)?;
    k.delegate(&owner, coin.1, From::Account, &mut v)?;
    k.ctx.emit(
        Event::new("create_validator")
            .attr("validator", m.validator_address)
            .attr("amount", coins::display(&[coin])),
    );
    response(&MsgCreateValidatorResponse {})
}

/// A commission as gogoproto's compact text, which the event has.
fn compact(c: &Commission) -> String {
    let at = super::validator::timestamp(c.updated_ns);
    let mut time = String::new();
    for (name, n) in [("seconds", at.seconds), ("nanos", i64::from(at.nanos))] {
        if n != 0 {
            time += &format!("{name}:{n} ");
        }
    }
    format!(
        "commission_rates:<rate:\"{}\" max_rate:\"{}\" max_change_rate:\"{}\" > update_time:<{time}> ",
        c.rate.to_proto(),
        c.max_rate.to_proto(),
        c.max_change_rate.to_proto()
    )
}

pub(super) fn edit(k: &Keeper<'_>, params: &Params, value: &[u8]) -> Response {
    let m: MsgEditValidator = strict("MsgEditValidator", value)?;
    let owner = operator(k.ctx, "validator", &m.validator_address)?;
    let description = m.description.unwrap_or_default();
    if description == Description::default() {
        return Err(AppError::invalid_request("empty description"));
    }
    // Empty is absent.
    let least = match m.min_self_delegation.as_str() {
        "" => None,
        text => Some(min_self_delegation(text)?),
    };
    let rate = match m.commission_rate.as_str() {
        "" => None,
        text => Some(Dec::from_proto(text)?),
    };
    if let Some(rate) = &rate {
        if *rate > Dec::one() || rate.is_negative() {
            return Err(AppError::invalid_request(
                "commission rate must be between 0 and 1 (inclusive)",
            ));
        }
        if *rate < params.min_commission_rate {
            return Err(AppError::invalid_request(format_args!(
                "commission rate cannot be less than the min commission rate {}",
                params.min_commission_rate
            )));
        }
    }
    let mut v = store::validator(k.ctx, &owner)?;
    v.description = edit_description(&v.description, description)?;
    if let Some(rate) = rate {
        let now = k.ctx.block.time_ns;
        v.commission.check_new_rate(&rate, now)?;
        v.commission.rate = rate;
        v.commission.updated_ns = now;
    }
    if let Some(least) = least {
        if least <= v.min_self_delegation {
            return Err(error::min_self_delegation_decreased());
        }
        if least > v.tokens {
            return Err(error::self_delegation_below_minimum());
        }
        v.min_self_delegation = least;
    }
    store::set_validator(k.ctx, &v)?;
    k.ctx.emit(
        Event::new("edit_validator")
            .attr("commission_rate", compact(&v.commission))
            .attr("min_self_delegation", v.min_self_delegation.to_string()),
    );
    response(&MsgEditValidatorResponse {})
}
