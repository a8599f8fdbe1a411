//! The parameters. They are kept as they came; fractions are decimal texts.

use super::error::plain;
use crate::{
    codec::{coins, dec::Dec, times},
    ctx::Ctx,
    error::Result,
    modules::auth,
};
use cosmos_sdk_proto::cosmos::{base::v1beta1::Coin, gov::v1::Params};
use tendermint_proto::google::protobuf::Duration;

const DAY: i64 = 86_400;

/// The SDK's, with deposits in `denom`.
pub fn default(denom: &str) -> Params {
    let coin = |amount: u64| {
        vec![Coin {
            denom: denom.to_owned(),
            amount: amount.to_string(),
        }]
    };
    let days = |n: i64| {
        Some(Duration {
            seconds: n * DAY,
            nanos: 0,
        })
    };
    let fraction = |n: u64, places| Dec::with_places(n, places).to_string();
    Params {
        min_deposit: coin(10_000_000),
        max_deposit_period: days(2),
        voting_period: days(2),
        quorum: fraction(334, 3),
        threshold: fraction(5, 1),
        veto_threshold: fraction(334, 3),
        min_initial_deposit_ratio: fraction(0, 0),
        proposal_cancel_ratio: fraction(5, 1),
        proposal_cancel_dest: String::new(),
        expedited_voting_period: days(1),
        expedited_threshold: fraction(667, 3),
        expedited_min_deposit: coin(50_000_000),
        burn_vote_quorum: false,
        burn_proposal_deposit_prevote: false,
        burn_vote_veto: true,
        min_deposit_ratio: fraction(1, 2),
    }
}

/// Coins as the SDK's texts have them, valid or not.
pub fn shown(coins: &[Coin]) -> String {
    let list = coins.iter().map(|c| format!("{}{}", c.amount, c.denom));
    list.collect::<Vec<_>>().join(",")
}

fn amounts(what: &str, list: &[Coin]) -> Result<coins::Coins> {
    coins::check(list)
        .ok()
        .filter(|c| !c.is_empty())
        .ok_or_else(|| plain(format_args!("invalid {what} deposit: {}", shown(list))))
}

fn period(name: &str, d: Option<&Duration>) -> Result<i128> {
    let d = d.ok_or_else(|| plain(format_args!("{name} must not be nil: 0")))?;
    let ns = times::duration(d);
    if ns <= 0 {
        return Err(plain(format_args!("{name} must be positive: {ns}ns")));
    }
    Ok(ns)
}

fn fraction(unreadable: &str, name: &str, text: &str, zero: Option<&str>) -> Result<Dec> {
    let value: Dec = text
        .parse()
        .map_err(|e: crate::error::AppError| plain(format_args!("{unreadable}: {}", e.log)))?;
    match zero {
        Some(negative) if value.is_negative() => {
            return Err(plain(format_args!("{name} {negative}: {value}")));
        }
        None if !value.is_positive() => {
            return Err(plain(format_args!("{name} must be positive: {value}")));
        }
        _ => {}
    }
    if value > Dec::one() {
        return Err(plain(format_args!("{name} too large: {value}")));
    }
    Ok(value)
}

/// Whether parameters make sense.
///
/// # Errors
/// undefined/1 with the SDK's text.
pub fn check(ctx: &Ctx, p: &Params) -> Result<()> {
    let min = amounts("minimum", &p.min_deposit)?;
    let expedited = amounts("expedited minimum", &p.expedited_min_deposit)?;
    if is_all_gte(&min, &expedited) {
        return Err(plain(format_args!(
            "expedited minimum deposit must be greater than minimum deposit: {}",
            coins::display(&expedited)
        )));
    }
    period("maximum deposit period", p.max_deposit_period.as_ref())?;
    let negative = Some("cannot be negative");
    fraction("invalid quorum string", "quorom", &p.quorum, negative)?;
    let threshold = fraction(
        "invalid threshold string",
        "vote threshold",
        &p.threshold,
        None,
    )?;
    let higher = fraction(
        "invalid expedited threshold string",
        "expedited vote threshold",
        &p.expedited_threshold,
        None,
    )?;
    if higher <= threshold {
        return Err(plain(format_args!(
            "expedited vote threshold {higher}, must be greater than the regular threshold {threshold}"
        )));
    }
    let veto = "invalid vetoThreshold string";
    fraction(veto, "veto threshold", &p.veto_threshold, None)?;
    let voting = period("voting period", p.voting_period.as_ref())?;
    let short = period(
        "expedited voting period",
        p.expedited_voting_period.as_ref(),
    )?;
    if short >= voting {
        return Err(plain(format_args!(
            "expedited voting period {short}ns must be strictly less that the regular voting period {voting}ns"
        )));
    }
    let positive = Some("must be positive");
    fraction(
        "invalid mininum initial deposit ratio of proposal",
        "mininum initial deposit ratio of proposal",
        &p.min_initial_deposit_ratio,
        positive,
    )?;
    fraction(
        "invalid burn rate of cancel proposal",
        "burn rate of cancel proposal",
        &p.proposal_cancel_ratio,
        positive,
    )?;
    let to = &p.proposal_cancel_dest;
    if !to.is_empty() && auth::keeper::addr(ctx, to).is_err() {
        return Err(plain(format_args!(
            "deposits destination address is invalid: {to}"
        )));
    }
    Ok(())
}

/// Whether there is at least as much of every coin (`IsAllGTE`).
pub fn is_all_gte(have: &[(String, u128)], least: &[(String, u128)]) -> bool {
    let of = |denom: &str| have.iter().find(|(d, _)| d == denom).map_or(0, |(_, a)| *a);
    least.is_empty() || (!have.is_empty() && least.iter().all(|(d, a)| of(d) >= *a))
}
