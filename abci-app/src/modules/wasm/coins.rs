//! Coins as messages and contracts carry them.

use super::fail::Res;
use crate::error::AppError;
use cosmos_sdk_proto::cosmos::base::v1beta1::Coin;
use cosmwasm_std::Uint256;
use std::{collections::BTreeMap, str::FromStr};

/// The SDK's rule: a letter, then 2 to 127 of letters, digits and `/:._-`.
fn is_denom(denom: &str) -> bool {
    (3..=128).contains(&denom.len())
        && denom.starts_with(|c: char| c.is_ascii_alphabetic())
        && denom
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/:._-".contains(c))
}

/// The amount of `coin`.
///
/// # Errors
/// sdk/10.
fn amount(coin: &Coin) -> Res<Uint256> {
    let digits = !coin.amount.is_empty() && coin.amount.bytes().all(|b| b.is_ascii_digit());
    Uint256::from_str(&coin.amount)
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| {
            AppError::invalid_coins(format_args!("{}{}", coin.amount, coin.denom)).into()
        })
}

/// The SDK's `Coins.Validate`: denoms valid and ascending, amounts positive.
///
/// # Errors
/// sdk/10.
pub(super) fn validate(coins: &[Coin]) -> Res<()> {
    let mut before: Option<&str> = None;
    for coin in coins {
        if !is_denom(&coin.denom) {
            return Err(
                AppError::invalid_coins(format_args!("invalid denom: {}", coin.denom)).into(),
            );
        }
        if amount(coin)?.is_zero() {
            return Err(AppError::invalid_coins(format_args!(
                "coin {} amount is not positive",
                coin.denom
            ))
            .into());
        }
        match before {
            Some(b) if b == coin.denom => {
                return Err(
                    AppError::invalid_coins(format_args!("duplicate denomination {b}")).into(),
                );
            }
            Some(b) if b > coin.denom.as_str() => {
                return Err(AppError::invalid_coins(format_args!(
                    "denomination {} is not sorted",
                    coin.denom
                ))
                .into());
            }
            _ => before = Some(&coin.denom),
        }
    }
    Ok(())
}

/// What a contract sends: sums by denom, zeros left out.
///
/// # Errors
/// sdk/10.
pub(super) fn from_contract(coins: &[cosmwasm_std::Coin]) -> Res<Vec<Coin>> {
    let mut sums: BTreeMap<&str, Uint256> = BTreeMap::new();
    for coin in coins {
        if !is_denom(&coin.denom) {
            return Err(
                AppError::invalid_coins(format_args!("invalid denom: {}", coin.denom)).into(),
            );
        }
        let sum = sums.entry(&coin.denom).or_default();
        *sum = sum.checked_add(coin.amount).map_err(|_| {
            AppError::invalid_coins(format_args!("{} of {} overflow", coin.amount, coin.denom))
        })?;
    }
    Ok(sums
        .into_iter()
        .filter(|(_, amount)| !amount.is_zero())
        .map(|(denom, amount)| Coin {
            denom: denom.to_owned(),
            amount: amount.to_string(),
        })
        .collect())
}

/// One coin that a contract sends; it may be none of it.
///
/// # Errors
/// sdk/10.
pub(super) fn one_from_contract(coin: &cosmwasm_std::Coin) -> Res<Coin> {
    if !is_denom(&coin.denom) {
        return Err(AppError::invalid_coins(format_args!("invalid denom: {}", coin.denom)).into());
    }
    Ok(Coin {
        denom: coin.denom.clone(),
        amount: coin.amount.to_string(),
    })
}

/// The chain's coins as a contract sees them.
///
/// # Errors
/// sdk/10.
pub(super) fn for_contract(coins: &[Coin]) -> Res<Vec<cosmwasm_std::Coin>> {
    coins
        .iter()
        .map(|c| {
            Ok(cosmwasm_std::Coin {
                denom: c.denom.clone(),
                amount: amount(c)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coin(amount: &str, denom: &str) -> Coin {
        Coin {
            denom: denom.into(),
            amount: amount.into(),
        }
    }

    #[test]
    fn validates_as_the_sdk_does() {
        assert!(validate(&[]).is_ok());
        assert!(
            validate(&[
                coin("1", "aaa"),
                coin("2", "ibc/27394FB092D2ECCD56123C74F36E4C1F92")
            ])
            .is_ok()
        );
        for bad in [
            vec![coin("0", "aaa")],
            vec![coin("-1", "aaa")],
            vec![coin("+1", "aaa")],
            vec![coin("", "aaa")],
            vec![coin("1", "a")],
            vec![coin("1", "1aa")],
            vec![coin("1", "bbb"), coin("1", "aaa")],
            vec![coin("1", "aaa"), coin("1", "aaa")],
        ] {
            assert_eq!(validate(&bad).unwrap_err().app.code, 10, "{bad:?}");
        }
    }

    #[test]
    fn contract_coins_are_merged_and_sorted() {
        let got = from_contract(&cosmwasm_std::coins(2, "bbb")).unwrap();
        assert_eq!(got, [coin("2", "bbb")]);
        let mixed = [
            cosmwasm_std::coin(1, "bbb"),
            cosmwasm_std::coin(0, "ccc"),
            cosmwasm_std::coin(3, "aaa"),
            cosmwasm_std::coin(1, "bbb"),
        ];
        assert_eq!(
            from_contract(&mixed).unwrap(),
            [coin("3", "aaa"), coin("2", "bbb")]
        );
        let max = cosmwasm_std::Coin {
            denom: "aaa".into(),
            amount: Uint256::MAX,
        };
        assert!(from_contract(&[max.clone(), max]).is_err());
    }
}
