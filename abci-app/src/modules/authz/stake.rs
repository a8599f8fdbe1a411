//! Delegating in another's name: to some validators or to all but some, and so much.

use crate::{
    codec::{coins, strict, type_url},
    ctx::Ctx,
    error::{AppError, Result},
};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        base::v1beta1::Coin,
        staking::v1beta1::{
            AuthorizationType, MsgBeginRedelegate, MsgCancelUnbondingDelegation, MsgDelegate,
            MsgUndelegate, StakeAuthorization, stake_authorization::Policy,
        },
    },
};

/// What the look at one validator costs.
const GAS_PER_VALIDATOR: u64 = 10;

/// The type of the messages that it is for; empty for none.
pub(super) fn message(a: &StakeAuthorization) -> String {
    match a.authorization_type() {
        AuthorizationType::Unspecified => String::new(),
        AuthorizationType::Delegate => type_url::<MsgDelegate>(),
        AuthorizationType::Undelegate => type_url::<MsgUndelegate>(),
        AuthorizationType::Redelegate => type_url::<MsgBeginRedelegate>(),
        AuthorizationType::CancelUnbondingDelegation => type_url::<MsgCancelUnbondingDelegation>(),
    }
}

/// Whether it makes sense.
///
/// # Errors
/// authz/12, authz/4.
pub(super) fn check(a: &StakeAuthorization) -> Result<()> {
    if let Some(max) = &a.max_tokens
        && coins::amount(&max.amount).is_err()
    {
        let log = format!(
            "negative coin amount: {}{}: max tokens should be positive",
            max.amount.chars().take(60).collect::<String>(),
            max.denom.chars().take(130).collect::<String>()
        );
        return Err(AppError::new("authz", 12, log));
    }
    if a.authorization_type() == AuthorizationType::Unspecified {
        return Err(AppError::new("authz", 4, "unknown authorization type"));
    }
    Ok(())
}

/// The validator and the amount of a message.
fn asked(msg: &Any) -> Result<(String, Coin)> {
    let (url, value) = (msg.type_url.as_str(), msg.value.as_slice());
    let (validator, amount) = if url == type_url::<MsgDelegate>() {
        let m: MsgDelegate = strict("MsgDelegate", value)?;
        (m.validator_address, m.amount)
    } else if url == type_url::<MsgUndelegate>() {
        let m: MsgUndelegate = strict("MsgUndelegate", value)?;
        (m.validator_address, m.amount)
    } else if url == type_url::<MsgBeginRedelegate>() {
        let m: MsgBeginRedelegate = strict("MsgBeginRedelegate", value)?;
        (m.validator_dst_address, m.amount)
    } else if url == type_url::<MsgCancelUnbondingDelegation>() {
        let m: MsgCancelUnbondingDelegation = strict("MsgCancelUnbondingDelegation", value)?;
        (m.validator_address, m.amount)
    } else {
        return Err(AppError::invalid_request("unknown msg type"));
    };
    Ok((validator, amount.unwrap_or_default()))
}

/// Uses it for one message; what is left of it, `None` when nothing is.
///
/// # Errors
/// sdk/4 for a validator that it is not for, undefined/1 when it is for less or for other coins, sdk/11.
pub(super) fn accept(
    ctx: &Ctx,
    a: &StakeAuthorization,
    msg: &Any,
) -> Result<Option<StakeAuthorization>> {
    let (validator, amount) = asked(msg)?;
    let (list, allows) = match &a.validators {
        Some(Policy::AllowList(v)) => (v.address.as_slice(), true),
        Some(Policy::DenyList(v)) => (v.address.as_slice(), false),
        None => (&[][..], false),
    };
    let place = list.iter().position(|v| *v == validator);
    let looked_at = place.map_or(list.len(), |i| i + 1) as u64;
    ctx.consume_gas(GAS_PER_VALIDATOR * looked_at, "stake authorization")?;
    // An empty list allows all.
    if !list.is_empty() && allows != place.is_some() {
        return Err(AppError::unauthorized(format_args!(
            "cannot delegate/undelegate to {validator} validator"
        )));
    }
    let Some(max) = &a.max_tokens else {
        return Ok(Some(a.clone()));
    };
    if max.denom != amount.denom {
        let log = format!("invalid coin denoms: {}, {}", max.denom, amount.denom);
        return Err(AppError::new("undefined", 1, log));
    }
    let (max_amount, amount) = (coins::amount(&max.amount)?, coins::amount(&amount.amount)?);
    let left = max_amount.checked_sub(amount).ok_or_else(|| {
        let over = amount - max_amount;
        let log = format!("negative coin amount: -{over}{}", max.denom);
        AppError::new("undefined", 1, log)
    })?;
    Ok((left > 0).then(|| StakeAuthorization {
        max_tokens: Some(Coin {
            denom: max.denom.clone(),
            amount: left.to_string(),
        }),
        ..a.clone()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ctx::{BlockInfo, Mode},
        gas::GasMeter,
        store::{Layers, kv::MemBase},
    };
    use cosmos_sdk_proto::cosmos::staking::v1beta1::stake_authorization::Validators;
    use prost::Message;
    use std::sync::Arc;

    fn coin(amount: u32) -> Option<Coin> {
        Some(Coin {
            denom: "uember".into(),
            amount: amount.to_string(),
        })
    }

    fn use_it(a: &StakeAuthorization, validator: &str, amount: u32) -> Result<Option<u32>, u32> {
        let block = BlockInfo {
            height: 1,
            time_ns: 0,
            chain_id: String::new(),
        };
        let layers = Layers::new(Arc::new(MemBase::default()));
        let ctx = Ctx::new(layers, GasMeter::new(1_000), block, Mode::Deliver);
        let msg = Any {
            type_url: type_url::<MsgDelegate>(),
            value: MsgDelegate {
                delegator_address: "d".into(),
                validator_address: validator.into(),
                amount: coin(amount),
            }
            .encode_to_vec(),
        };
        let left = accept(&ctx, a, &msg).map_err(|e| e.code)?;
        Ok(left.map(|a| a.max_tokens.map_or(0, |c| c.amount.parse().unwrap())))
    }

    #[test]
    fn it_is_for_so_much_and_for_its_validators() {
        let address = vec!["v".to_owned(), "w".to_owned()];
        let mut a = StakeAuthorization {
            max_tokens: coin(10),
            authorization_type: AuthorizationType::Delegate as i32,
            validators: Some(Policy::AllowList(Validators {
                address: address.clone(),
            })),
        };
        check(&a).unwrap();
        assert_eq!(message(&a), "/cosmos.staking.v1beta1.MsgDelegate");
        assert_eq!(use_it(&a, "w", 4), Ok(Some(6)));
        assert_eq!(
            (use_it(&a, "w", 10), use_it(&a, "w", 11)),
            (Ok(None), Err(1))
        );
        assert_eq!(use_it(&a, "x", 1), Err(4));
        a.validators = Some(Policy::DenyList(Validators { address }));
        assert_eq!(
            (use_it(&a, "v", 1), use_it(&a, "x", 1)),
            (Err(4), Ok(Some(9)))
        );
        a.max_tokens = None;
        assert_eq!(use_it(&a, "x", 1_000), Ok(Some(0)), "without bounds");
        a.max_tokens = Some(Coin {
            denom: "uusdc".into(),
            amount: "5".into(),
        });
        assert_eq!(use_it(&a, "x", 1), Err(1));
        a.max_tokens = Some(Coin {
            denom: "uember".into(),
            amount: "-5".into(),
        });
        assert_eq!(check(&a).unwrap_err().code, 12);
        a.max_tokens = None;
        a.authorization_type = 0;
        assert_eq!(check(&a).unwrap_err().code, 4);
        let other = Any {
            type_url: "/x".into(),
            value: vec![],
        };
        assert_eq!(asked(&other).unwrap_err().code, 18);
    }
}
