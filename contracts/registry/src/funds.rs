//! What a message may carry.

use crate::error::ContractError;
use cosmwasm_std::{Coin, MessageInfo, Uint128};

/// # Errors
/// When the message carries coins.
pub fn none(info: &MessageInfo) -> Result<(), ContractError> {
    if info.funds.is_empty() {
        return Ok(());
    }
    Err(ContractError::UnexpectedFunds {
        got: text(&info.funds),
    })
}

/// The amount of the one coin, which is of `denom`.
///
/// # Errors
/// When another number of coins or another denom came, or the amount is zero or does not fit 128 bits.
pub fn one(info: &MessageInfo, denom: &str) -> Result<Uint128, ContractError> {
    match info.funds.as_slice() {
        [coin] if coin.denom == denom => {
            let amount =
                Uint128::try_from(coin.amount).map_err(|_| ContractError::AmountTooLarge {
                    amount: coin.amount,
                })?;
            if amount.is_zero() {
                return Err(ContractError::ZeroAmount);
            }
            Ok(amount)
        }
        _ => Err(ContractError::WrongFunds {
            denom: denom.to_owned(),
            got: text(&info.funds),
        }),
    }
}

/// Like [`one`], or zero when no coin came.
///
/// # Errors
/// As [`one`].
pub fn at_most_one(info: &MessageInfo, denom: &str) -> Result<Uint128, ContractError> {
    if info.funds.is_empty() {
        return Ok(Uint128::zero());
    }
    one(info, denom)
}

fn text(coins: &[Coin]) -> String {
    if coins.is_empty() {
        return "nothing".into();
    }
    coins
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}
