//! `cosmos.gov.v1beta1.Query`: what `v1` answers, in the older form.

use super::{query as v1, query::invalid, store};
use crate::{
    codec::{dec::Dec, request},
    ctx::Ctx,
    error::{AppError, Result},
};
use cosmos_sdk_proto::{
    Any,
    cosmos::gov::{
        v1::{self as new, MsgExecLegacyContent},
        v1beta1 as old,
    },
};
use prost::{Message, Name};

/// Answers one method; `None` when it is not of this module.
///
/// # Errors
/// Those of `v1`; sdk/29 for a proposal of not exactly one message.
pub(super) fn query(ctx: &Ctx, method: &str, data: &[u8]) -> Option<Result<Vec<u8>>> {
    type Run = fn(&Ctx, &[u8]) -> Result<Vec<u8>>;
    let run: Run = match method.strip_prefix("/cosmos.gov.v1beta1.Query/")? {
        "Proposal" => proposal,
        "Proposals" => proposals,
        "Vote" => vote,
        "Votes" => votes,
        "Params" => params,
        "Deposit" => deposit,
        "Deposits" => deposits,
        "TallyResult" => tally_result,
        _ => return None,
    };
    Some(store::check_enabled(ctx).and_then(|()| run(ctx, data)))
}

fn old_tally(t: new::TallyResult) -> old::TallyResult {
    old::TallyResult {
        yes: t.yes_count,
        abstain: t.abstain_count,
        no: t.no_count,
        no_with_veto: t.no_with_veto_count,
    }
}

fn old_deposit(d: new::Deposit) -> old::Deposit {
    old::Deposit {
        proposal_id: d.proposal_id,
        depositor: d.depositor,
        amount: d.amount,
    }
}

fn old_vote(v: new::Vote) -> Result<old::Vote> {
    let options = v.options.into_iter().map(|o| {
        Ok(old::WeightedVoteOption {
            option: o.option,
            weight: o.weight.parse::<Dec>()?.to_proto(),
        })
    });
    Ok(old::Vote {
        proposal_id: v.proposal_id,
        voter: v.voter,
        options: options.collect::<Result<_>>()?,
        ..old::Vote::default()
    })
}

/// The content is the one that its message carries, or the message itself.
fn old_proposal(p: new::Proposal) -> Result<old::Proposal> {
    let [message] = p.messages.as_slice() else {
        let log = "can't convert a gov/v1 Proposal to gov/v1beta1 Proposal when amount of proposal messages not exactly one: invalid type";
        return Err(AppError::new("sdk", 29, log));
    };
    let content: Option<Any> =
        if message.type_url.strip_prefix('/') == Some(MsgExecLegacyContent::full_name().as_str()) {
            let exec = MsgExecLegacyContent::decode(message.value.as_slice());
            exec.map_err(AppError::tx_decode)?.content
        } else {
            Some(message.clone())
        };
    Ok(old::Proposal {
        proposal_id: p.id,
        content,
        status: p.status,
        final_tally_result: p.final_tally_result.map(old_tally),
        submit_time: p.submit_time,
        deposit_end_time: p.deposit_end_time,
        total_deposit: p.total_deposit,
        voting_start_time: p.voting_start_time,
        voting_end_time: p.voting_end_time,
    })
}

fn proposal(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let found = v1::proposal(ctx, request(data)?)?.proposal;
    let proposal = found.map(old_proposal).transpose()?;
    Ok(old::QueryProposalResponse { proposal }.encode_to_vec())
}

fn proposals(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let found = v1::proposals(ctx, request(data)?)?;
    let proposals = found.proposals.into_iter().map(old_proposal);
    Ok(old::QueryProposalsResponse {
        proposals: proposals.collect::<Result<_>>()?,
        pagination: found.pagination,
    }
    .encode_to_vec())
}

fn vote(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let found = v1::vote(ctx, request(data)?)?.vote;
    let vote = found.map(old_vote).transpose()?;
    Ok(old::QueryVoteResponse { vote }.encode_to_vec())
}

fn votes(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let found = v1::votes(ctx, request(data)?)?;
    let votes = found.votes.into_iter().map(old_vote);
    Ok(old::QueryVotesResponse {
        votes: votes.collect::<Result<_>>()?,
        pagination: found.pagination,
    }
    .encode_to_vec())
}

#[allow(deprecated, reason = "the SDK answers them still")]
fn params(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: new::QueryParamsRequest = request(data)?;
    let kind = req.params_type.clone();
    let found = v1::params(ctx, req)?;
    let fraction =
        |text: &str| -> Result<Vec<u8>> { Ok(text.parse::<Dec>()?.to_proto().into_bytes()) };
    let mut answer = old::QueryParamsResponse {
        // The SDK gives what was not asked for too, empty.
        voting_params: Some(old::VotingParams {
            voting_period: Some(Default::default()),
        }),
        deposit_params: Some(old::DepositParams {
            min_deposit: Vec::new(),
            max_deposit_period: Some(Default::default()),
        }),
        tally_params: Some(old::TallyParams {
            quorum: b"0".to_vec(),
            threshold: b"0".to_vec(),
            veto_threshold: b"0".to_vec(),
        }),
    };
    if let Some(p) = found.deposit_params {
        answer.deposit_params = Some(old::DepositParams {
            min_deposit: p.min_deposit,
            max_deposit_period: p.max_deposit_period,
        });
    } else if let Some(p) = found.voting_params {
        answer.voting_params = Some(old::VotingParams {
            voting_period: p.voting_period,
        });
    } else if let Some(p) = found.tally_params {
        answer.tally_params = Some(old::TallyParams {
            quorum: fraction(&p.quorum)?,
            threshold: fraction(&p.threshold)?,
            veto_threshold: fraction(&p.veto_threshold)?,
        });
    } else {
        return Err(invalid(format_args!(
            "{kind} is not a valid parameter type"
        )));
    }
    Ok(answer.encode_to_vec())
}

fn deposit(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let deposit = v1::deposit(ctx, request(data)?)?.deposit.map(old_deposit);
    Ok(old::QueryDepositResponse { deposit }.encode_to_vec())
}

fn deposits(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let found = v1::deposits(ctx, request(data)?)?;
    Ok(old::QueryDepositsResponse {
        deposits: found.deposits.into_iter().map(old_deposit).collect(),
        pagination: found.pagination,
    }
    .encode_to_vec())
}

fn tally_result(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let tally = v1::tally_result(ctx, request(data)?)?.tally.map(old_tally);
    Ok(old::QueryTallyResultResponse { tally }.encode_to_vec())
}
