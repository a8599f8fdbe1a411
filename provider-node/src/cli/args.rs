//! Arguments as people type them.

use crate::daemon::parse_price;
use ember_types::{money::Rate, registry::Attribute, resources::Score};
use std::time::Duration;

/// A number and one of s, m, h, d; a bare number is seconds. At least one second.
pub fn duration(s: &str) -> Result<Duration, String> {
    let err = || format!("expected a duration like 90s, 15m, 2h or 7d, got {s:?}");
    let at = s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
    let (number, unit) = s.split_at(at);
    let scale = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(err()),
    };
    let secs = number
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(scale));
    secs.filter(|n| *n > 0)
        .map(Duration::from_secs)
        .ok_or_else(err)
}

/// Coins an hour.
pub fn price(s: &str) -> Result<Rate, String> {
    parse_price(s)
}

/// Coins an hour, with or without a denom behind.
pub fn price_in(s: &str) -> Result<(Option<String>, Rate), String> {
    let at = s.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(s.len());
    let (number, denom) = s.split_at(at);
    let rate = parse_price(number)?;
    if denom.is_empty() {
        return Ok((None, rate));
    }
    ember_types::fees::validate_denom("price", denom).map_err(|e| e.to_string())?;
    Ok((Some(denom.into()), rate))
}

/// `key=value`.
pub fn attribute(s: &str) -> Result<Attribute, String> {
    let (key, value) = s
        .split_once('=')
        .ok_or_else(|| format!("expected key=value, got {s:?}"))?;
    Ok(Attribute {
        key: key.into(),
        value: value.into(),
    })
}

/// `name=value`.
pub fn score(s: &str) -> Result<Score, String> {
    let err = || format!("expected name=value, for example gemm-f16-gflops=900, got {s:?}");
    let (name, value) = s.split_once('=').ok_or_else(err)?;
    let value = value.parse().map_err(|_| err())?;
    ember_types::resources::validate_slug("score", name).map_err(|e| e.to_string())?;
    Ok(Score {
        name: name.into(),
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, secs) in [
            ("12s", 12),
            ("12", 12),
            ("2m", 120),
            ("1h", 3_600),
            ("7d", 604_800),
        ] {
            assert_eq!(duration(text).unwrap().as_secs(), secs, "{text}");
        }
        for bad in ["", "s", "0s", "-1s", "1w", "1.5h", "18446744073709551615d"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn scores_have_a_name_and_a_number() {
        assert_eq!(
            score("gemm-f16=900").unwrap(),
            Score {
                name: "gemm-f16".into(),
                value: 900
            }
        );
        for bad in ["", "a", "a=", "=1", "A=1", "a=-1", "a=1.5", "a=1=2"] {
            assert!(score(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn prices_may_name_their_denom() {
        assert_eq!(
            price_in("2.5uusdc").unwrap(),
            (Some("uusdc".into()), price("2.5").unwrap())
        );
        assert_eq!(price_in("2").unwrap(), (None, price("2").unwrap()));
        assert!(price_in("2u").is_err() && price_in("uusdc").is_err());
    }
}
