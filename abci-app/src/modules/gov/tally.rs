//! Counting: everyone votes with what they have delegated to bonded validators; a validator's vote counts for those of
//! its delegators that did not vote.

use super::store;
use crate::{
    codec::{address, dec::Dec},
    ctx::Ctx,
    error::{AppError, Result},
    modules::{
        bank, stakes,
        staking::{self, validator::Status},
    },
};
use cosmos_sdk_proto::cosmos::gov::v1::{
    Params, Proposal, TallyResult, VoteOption, WeightedVoteOption,
};
use std::collections::BTreeMap;

/// What the votes make of a proposal.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Whether its messages are executed.
    pub passes: bool,
    /// Whether its deposits are burnt.
    pub burn: bool,
    /// The votes, in micro-units of the staking coin.
    pub tally: TallyResult,
}

struct Validator {
    tokens: u128,
    shares: Dec,
    /// The shares of those that voted themselves.
    deducted: Dec,
    vote: Vec<WeightedVoteOption>,
}

impl Validator {
    fn power(&self, shares: &Dec) -> Result<Dec> {
        shares.mul_int(self.tokens).quo(&self.shares)
    }
}

/// Votes by option, and all of them.
#[derive(Default)]
struct Count {
    by: BTreeMap<i32, Dec>,
    total: Dec,
}

impl Count {
    fn add(&mut self, power: &Dec, options: &[WeightedVoteOption]) -> Result<()> {
        for o in options {
            let part = power.mul(&o.weight.parse()?);
            *self.by.entry(o.option).or_default() += &part;
        }
        self.total += power;
        Ok(())
    }

    fn of(&self, option: VoteOption) -> Dec {
        self.by.get(&(option as i32)).cloned().unwrap_or_default()
    }

    fn result(&self) -> TallyResult {
        let whole = |option| self.of(option).truncate_int().to_string();
        TallyResult {
            yes_count: whole(VoteOption::Yes),
            abstain_count: whole(VoteOption::Abstain),
            no_count: whole(VoteOption::No),
            no_with_veto_count: whole(VoteOption::NoWithVeto),
        }
    }
}

/// The bonded validators of the order of powers, by operator.
fn bonded(ctx: &Ctx) -> Result<BTreeMap<Vec<u8>, Validator>> {
    let most = staking::store::params(ctx)?.max_validators;
    let mut out = BTreeMap::new();
    let mut seen = 0;
    staking::store::by_power(ctx, |v| {
        if seen == most {
            return Ok(false);
        }
        if v.status == Status::Bonded {
            seen += 1;
            let validator = Validator {
                tokens: v.tokens,
                shares: v.shares,
                deducted: Dec::zero(),
                vote: Vec::new(),
            };
            out.insert(v.operator, validator);
        }
        Ok(true)
    })?;
    Ok(out)
}

fn count(ctx: &Ctx, id: u64) -> Result<Count> {
    let mut validators = bonded(ctx)?;
    let mut count = Count::default();
    for (voter, vote) in store::votes(ctx, id)? {
        if let Some(v) = validators.get_mut(&voter) {
            v.vote.clone_from(&vote.options);
        }
        for d in stakes::delegations(ctx, &voter)? {
            if let Some(v) = validators.get_mut(&d.operator) {
                v.deducted += &d.shares;
                count.add(&v.power(&d.shares)?, &vote.options)?;
            }
        }
    }
    for v in validators.values().filter(|v| !v.vote.is_empty()) {
        count.add(&v.power(&(&v.shares - &v.deducted))?, &v.vote)?;
    }
    Ok(count)
}

/// Counts the votes on a proposal; they stay.
///
/// # Errors
/// When the records are broken.
pub fn tally(ctx: &Ctx, proposal: &Proposal) -> Result<Outcome> {
    let count = count(ctx, proposal.id)?;
    let pool = address::module("bonded_tokens_pool");
    let all = bank::keeper::balance(ctx, &pool, &stakes::bond_denom(ctx)?)?;
    let (passes, burn) = decide(&store::params(ctx)?, proposal.expedited, &count, all)?;
    Ok(Outcome {
        passes,
        burn,
        tally: count.result(),
    })
}

/// Whether a proposal passes, and whether its deposits are burnt.
fn decide(p: &Params, expedited: bool, count: &Count, bonded: u128) -> Result<(bool, bool)> {
    let fraction = |text: &str| text.parse::<Dec>();
    if bonded == 0 {
        return Ok((false, false));
    }
    if count.total.quo(&Dec::from_int(bonded))? < fraction(&p.quorum)? {
        return Ok((false, p.burn_vote_quorum));
    }
    let decided = &count.total - &count.of(VoteOption::Abstain);
    if decided.is_zero() {
        return Ok((false, false));
    }
    let veto = count.of(VoteOption::NoWithVeto).quo(&count.total)?;
    if veto > fraction(&p.veto_threshold)? {
        return Ok((false, p.burn_vote_veto));
    }
    let threshold = if expedited {
        &p.expedited_threshold
    } else {
        &p.threshold
    };
    let yes = count.of(VoteOption::Yes).quo(&decided)?;
    Ok((yes > fraction(threshold)?, false))
}

/// Counts the votes on a proposal, and removes them.
///
/// # Errors
/// When the records are broken.
pub(super) fn close(ctx: &Ctx, proposal: &Proposal) -> Result<Outcome> {
    let outcome = tally(ctx, proposal)?;
    store::remove_votes(ctx, proposal.id)?;
    Ok::<_, AppError>(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Yes, abstain, no and veto of 1,000 bonded; whether they pass, expedited or not, and whether deposits burn.
    #[test]
    fn thresholds_are_exceeded_and_the_quorum_is_reached() {
        let p = Params {
            burn_vote_quorum: true,
            ..super::super::params::default("stake")
        };
        for ([yes, abstain, no, veto], passes, expedited, burn) in [
            ([333, 0, 0, 0], false, false, true),
            ([334, 0, 0, 0], true, true, false),
            ([0, 334, 0, 0], false, false, false),
            ([1, 333, 0, 0], true, true, false),
            ([200, 0, 200, 0], false, false, false),
            ([201, 0, 200, 0], true, false, false),
            ([667, 0, 333, 0], true, false, false),
            ([668, 0, 332, 0], true, true, false),
            ([666, 0, 0, 334], true, false, false),
            ([665, 0, 0, 335], false, false, true),
            ([332, 333, 0, 335], false, false, true),
        ] {
            let mut count = Count::default();
            for (option, n) in [
                (VoteOption::Yes, yes),
                (VoteOption::Abstain, abstain),
                (VoteOption::No, no),
                (VoteOption::NoWithVeto, veto),
            ] {
                count.by.insert(option as i32, Dec::from_int(n));
                count.total += &Dec::from_int(n);
            }
            let of = |expedited| decide(&p, expedited, &count, 1_000).unwrap();
            let name = format!("{yes} {abstain} {no} {veto}");
            assert_eq!(of(false), (passes, burn), "{name}");
            assert_eq!(of(true), (expedited, burn), "{name} expedited");
            let none = decide(&p, false, &count, 0).unwrap();
            assert_eq!(none, (false, false), "nobody stakes");
        }
    }
}
