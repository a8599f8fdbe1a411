//! Proposals and votes: made, changed, taken back.

use super::{
    deposit,
    error::{
        inactive, invalid_proposal, invalid_proposer, invalid_signer, invalid_vote,
        metadata_too_long, summary_too_long, voting_ended,
    },
    keys, store,
};
use crate::{
    codec::{dec::Dec, times},
    ctx::{Ctx, Event},
    error::{AppError, Result},
    modules::{
        auth::keeper::{account, addr, human},
        router::Router,
    },
};
use cosmos_sdk_proto::cosmos::gov::v1::{
    MsgSubmitProposal, Proposal, ProposalStatus, TallyResult, Vote, VoteOption, WeightedVoteOption,
};
use std::fmt::Write;
use tendermint_proto::google::protobuf::Duration;

/// Most bytes of metadata and titles (`Config.MaxMetadataLen`).
const MAX_METADATA: usize = 255;
/// Most bytes of summaries.
const MAX_SUMMARY: usize = 40 * MAX_METADATA;

fn check_metadata(text: &str) -> Result<()> {
    if text.len() > MAX_METADATA {
        return Err(metadata_too_long(format_args!(
            "got metadata with length {}",
            text.len()
        )));
    }
    Ok(())
}

/// A tally of nothing.
pub fn no_votes() -> TallyResult {
    let zero = || "0".to_owned();
    TallyResult {
        yes_count: zero(),
        abstain_count: zero(),
        no_count: zero(),
        no_with_veto_count: zero(),
    }
}

/// Makes a proposal of a message whose texts and first deposit the caller has checked; it has no deposit yet.
///
/// # Errors
/// gov/13 when not the module's account alone signs one of the messages; gov/15, gov/22; sdk/2 for a message that is
/// none of this chain.
pub fn submit(
    ctx: &Ctx,
    router: &dyn Router,
    proposer: &[u8],
    m: MsgSubmitProposal,
) -> Result<Proposal> {
    check_metadata(&m.metadata)?;
    if m.summary.len() > MAX_SUMMARY {
        return Err(summary_too_long(format_args!(
            "got summary with length {}",
            m.summary.len()
        )));
    }
    check_metadata(&m.title)?;
    let mut types = String::new();
    for msg in &m.messages {
        let _ = write!(types, ",{}", msg.type_url);
        let signers = router.signers(msg)?;
        let [signer] = signers.as_slice() else {
            let text = "expected gov account as only signer for proposal message";
            return Err(AppError::new("gov", 13, text));
        };
        account(ctx, &store::account())?;
        if addr(ctx, signer)? != store::account() {
            return Err(invalid_signer(signer));
        }
        super::legacy::check_proposed(ctx, msg)?;
    }
    let id = store::next_id(ctx)?;
    let next = id
        .checked_add(1)
        .ok_or_else(|| AppError::invalid_request("gov: no number is left for a proposal"))?;
    store::set_next_id(ctx, next)?;
    let params = store::params(ctx)?;
    let now = i128::from(ctx.block.time_ns);
    let end = times::stamp(now + length(params.max_deposit_period.as_ref()));
    let proposal = Proposal {
        id,
        messages: m.messages,
        status: ProposalStatus::DepositPeriod as i32,
        final_tally_result: Some(no_votes()),
        submit_time: Some(times::stamp(now)),
        deposit_end_time: Some(end),
        metadata: m.metadata,
        title: m.title,
        summary: m.summary,
        proposer: human(ctx, proposer)?,
        expedited: m.expedited,
        ..Proposal::default()
    };
    store::set_proposal(ctx, &proposal)?;
    store::queue(ctx, keys::INACTIVE, Some(&end), id)?;
    ctx.emit(
        Event::new("submit_proposal")
            .attr("proposal_id", id.to_string())
            .attr("proposal_proposer", proposal.proposer.clone())
            .attr("proposal_messages", types),
    );
    Ok(proposal)
}

pub(super) fn length(d: Option<&Duration>) -> i128 {
    d.map_or(0, times::duration)
}

/// From now on a proposal is voted on.
///
/// # Errors
/// sdk/11.
pub(super) fn begin_voting(ctx: &Ctx, mut p: Proposal) -> Result<()> {
    let params = store::params(ctx)?;
    let period = if p.expedited {
        &params.expedited_voting_period
    } else {
        &params.voting_period
    };
    let now = i128::from(ctx.block.time_ns);
    p.voting_start_time = Some(times::stamp(now));
    p.voting_end_time = Some(times::stamp(now + length(period.as_ref())));
    p.status = ProposalStatus::VotingPeriod as i32;
    store::set_proposal(ctx, &p)?;
    store::unqueue(ctx, keys::INACTIVE, p.deposit_end_time.as_ref(), p.id)?;
    store::queue(ctx, keys::ACTIVE, p.voting_end_time.as_ref(), p.id)
}

/// The proposer takes a proposal back.
///
/// # Errors
/// undefined/1 when there is none; gov/18, gov/20, gov/21.
pub fn cancel(ctx: &Ctx, id: u64, proposer: &str) -> Result<()> {
    let p = store::proposal(ctx, id)?;
    if p.proposer.is_empty() {
        return Err(invalid_proposal(format_args!(
            "proposal {id} doesn't have proposer {proposer}, so cannot be canceled"
        )));
    }
    if p.proposer != proposer {
        return Err(invalid_proposer(format_args!(
            "invalid proposer {proposer}"
        )));
    }
    let open = [
        ProposalStatus::DepositPeriod as i32,
        ProposalStatus::VotingPeriod as i32,
    ];
    if !open.contains(&p.status) {
        return Err(invalid_proposal(
            "proposal should be in the deposit or voting period",
        ));
    }
    let now = i128::from(ctx.block.time_ns);
    let ends = p.voting_end_time.as_ref().map(times::nanos);
    if ends.is_some_and(|end| end < now) {
        return Err(voting_ended(format_args!(
            "voting period is already ended for this proposal {id}"
        )));
    }
    deposit::charge(ctx, &p, &store::params(ctx)?)?;
    if p.voting_start_time.is_some() {
        store::remove_votes(ctx, id)?;
    }
    store::delete_proposal(ctx, id)
}

/// The name of an option, or its number.
pub(super) fn option_name(option: i32) -> String {
    VoteOption::try_from(option).map_or_else(|_| option.to_string(), |o| o.as_str_name().into())
}

/// Whether an option can be voted for.
pub(super) fn is_option(option: i32) -> bool {
    VoteOption::try_from(option).is_ok_and(|o| o != VoteOption::Unspecified)
}

/// The weight of an option that can be voted for.
///
/// # Errors
/// gov/7.
pub(super) fn weight(o: &WeightedVoteOption) -> Result<Dec> {
    let weight = o.weight.parse::<Dec>().ok();
    weight
        .filter(|w| w.is_positive() && *w <= Dec::one() && is_option(o.option))
        .ok_or_else(|| {
            invalid_vote(format_args!(
                "option:{} weight:\"{}\" ",
                option_name(o.option),
                o.weight
            ))
        })
}

/// As the SDK's events have them.
fn display(options: &[WeightedVoteOption]) -> String {
    let one = |o: &WeightedVoteOption| {
        let weight = serde_json::Value::from(o.weight.as_str());
        format!("{{\"option\":{},\"weight\":{weight}}}", o.option)
    };
    let list: Vec<_> = options.iter().map(one).collect();
    format!("[{}]", list.join(","))
}

/// Votes, in the place of an earlier vote.
///
/// # Errors
/// gov/3 when the proposal is not voted on; gov/7, gov/15.
pub fn vote(
    ctx: &Ctx,
    id: u64,
    who: &[u8],
    options: Vec<WeightedVoteOption>,
    metadata: String,
) -> Result<()> {
    if !store::is_voted_on(ctx, id)? {
        return Err(inactive(id));
    }
    check_metadata(&metadata)?;
    for option in &options {
        weight(option)?;
    }
    let voter = human(ctx, who)?;
    let shown = display(&options);
    let vote = Vote {
        proposal_id: id,
        voter: voter.clone(),
        options,
        metadata,
    };
    store::set_vote(ctx, who, &vote)?;
    ctx.emit(
        Event::new("proposal_vote")
            .attr("voter", voter)
            .attr("option", shown)
            .attr("proposal_id", id.to_string()),
    );
    Ok(())
}
