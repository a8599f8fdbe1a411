//! Coins: amounts in micro-units, sorted by denom, none zero, none twice.

use crate::error::{AppError, Result};
use cosmos_sdk_proto::cosmos::base::v1beta1::Coin;

/// A valid set of coins: sorted by denom, positive, no denom twice.
pub type Coins = Vec<(String, u128)>;

/// Checks coins as they come in messages and genesis.
///
/// # Errors
/// sdk/10 with the first coin that is not one.
pub fn check(coins: &[Coin]) -> Result<Coins> {
    let mut out: Coins = Vec::with_capacity(coins.len());
    for coin in coins {
        let amount = amount(&coin.amount)?;
        check_denom(&coin.denom)?;
        if amount == 0 {
            return Err(AppError::invalid_coins(format_args!(
                "coin 0{} amount is not positive",
                coin.denom
            )));
        }
        if let Some((last, _)) = out.last()
            && *last >= coin.denom
        {
            return Err(AppError::invalid_coins(format_args!(
                "{}: denoms are not sorted, or one is there twice",
                coin.denom
            )));
        }
        out.push((coin.denom.clone(), amount));
    }
    Ok(out)
}

/// An amount: decimal digits, at most 128 bits.
///
/// # Errors
/// sdk/10.
pub fn amount(text: &str) -> Result<u128> {
    let digits = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    digits.then(|| text.parse().ok()).flatten().ok_or_else(|| {
        AppError::invalid_coins(format_args!(
            "amount: expected digits below 2^128, got \"{}\"",
            &text.chars().take(60).collect::<String>()
        ))
    })
}

/// The SDK's rule: `[a-zA-Z][a-zA-Z0-9/:._-]{2,127}`.
///
/// # Errors
/// sdk/10.
pub fn check_denom(denom: &str) -> Result<()> {
    let ok = (3..=128).contains(&denom.len())
        && denom.starts_with(|c: char| c.is_ascii_alphabetic())
        && denom
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/:._-".contains(&b));
    if ok {
        Ok(())
    } else {
        Err(AppError::invalid_coins(format_args!(
            "invalid denom: {}",
            denom.chars().take(130).collect::<String>()
        )))
    }
}

/// What is left of `have` without `less`; `None` when it has less of a denom.
pub fn minus(have: &[(String, u128)], less: &[(String, u128)]) -> Option<Coins> {
    let mut left = have.to_vec();
    for (denom, amount) in less {
        match left.iter_mut().find(|(d, _)| d == denom) {
            Some((_, have)) => *have = have.checked_sub(*amount)?,
            None if *amount > 0 => return None,
            None => {}
        }
    }
    left.retain(|(_, amount)| *amount > 0);
    Some(left)
}

/// As protobuf.
pub fn to_proto(coins: &[(String, u128)]) -> Vec<Coin> {
    coins
        .iter()
        .map(|(denom, amount)| Coin {
            denom: denom.clone(),
            amount: amount.to_string(),
        })
        .collect()
}

/// As in events: `5uatom,7uember`.
pub fn display(coins: &[(String, u128)]) -> String {
    coins
        .iter()
        .map(|(d, a)| format!("{a}{d}"))
        .collect::<Vec<_>>()
        .join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coin(denom: &str, amount: &str) -> Coin {
        Coin {
            denom: denom.into(),
            amount: amount.into(),
        }
    }

    #[test]
    fn coins_are_taken_away_by_denom() {
        let have = check(&[coin("uatom", "5"), coin("uember", "7")]).unwrap();
        let less = |d: &str, a: u128| minus(&have, &[(d.to_owned(), a)]);
        assert_eq!(less("uatom", 5), Some(vec![("uember".into(), 7)]));
        assert_eq!(less("uember", 8), None);
        assert_eq!(less("uusdc", 1), None);
        assert_eq!(minus(&have, &have), Some(vec![]));
    }

    #[test]
    fn sets_of_coins_are_sorted_positive_and_unique() {
        assert_eq!(
            check(&[coin("uatom", "5"), coin("uember", "7")]).unwrap(),
            [("uatom".into(), 5), ("uember".into(), 7)]
        );
        for bad in [
            vec![coin("uember", "0")],
            vec![coin("uember", "-1")],
            vec![coin("uember", "1e3")],
            vec![coin("uember", "007")],
            vec![coin("uember", "340282366920938463463374607431768211456")],
            vec![coin("u", "1")],
            vec![coin("1ember", "1")],
            vec![coin("uember", "1"), coin("uatom", "1")],
            vec![coin("uember", "1"), coin("uember", "1")],
        ] {
            assert_eq!(check(&bad).unwrap_err().code, 10, "{bad:?}");
        }
    }
}
