//! `cosmos.gov.v1.Query`.

use super::{keeper, keys, store, tally};
use crate::{
    codec::request,
    ctx::Ctx,
    error::{AppError, Result},
    modules::{
        auth::keeper::addr,
        page::{paginate, paginate_if},
    },
};
use cosmos_sdk_proto::cosmos::gov::v1::{
    Deposit, DepositParams, Proposal, ProposalStatus, QueryConstitutionResponse,
    QueryDepositRequest, QueryDepositResponse, QueryDepositsRequest, QueryDepositsResponse,
    QueryParamsRequest, QueryParamsResponse, QueryProposalRequest, QueryProposalResponse,
    QueryProposalsRequest, QueryProposalsResponse, QueryTallyResultRequest,
    QueryTallyResultResponse, QueryVoteRequest, QueryVoteResponse, QueryVotesRequest,
    QueryVotesResponse, TallyParams, TallyResult, Vote, VotingParams,
};
use prost::Message;
use std::fmt::Display;

/// Answers one method; `None` when it is not of this module.
///
/// # Errors
/// sdk/22 for what is not there, sdk/18 for a request that is not one, sdk/37 on a chain without staking.
pub fn query(ctx: &Ctx, method: &str, data: &[u8]) -> Option<Result<Vec<u8>>> {
    let Some(name) = method.strip_prefix("/cosmos.gov.v1.Query/") else {
        return super::query_legacy::query(ctx, method, data);
    };
    type Run = fn(&Ctx, &[u8]) -> Result<Vec<u8>>;
    let run: Run = match name {
        "Constitution" => constitution,
        "Proposal" => |ctx, data| Ok(proposal(ctx, request(data)?)?.encode_to_vec()),
        "Proposals" => |ctx, data| Ok(proposals(ctx, request(data)?)?.encode_to_vec()),
        "Vote" => |ctx, data| Ok(vote(ctx, request(data)?)?.encode_to_vec()),
        "Votes" => |ctx, data| Ok(votes(ctx, request(data)?)?.encode_to_vec()),
        "Params" => |ctx, data| Ok(params(ctx, request(data)?)?.encode_to_vec()),
        "Deposit" => |ctx, data| Ok(deposit(ctx, request(data)?)?.encode_to_vec()),
        "Deposits" => |ctx, data| Ok(deposits(ctx, request(data)?)?.encode_to_vec()),
        "TallyResult" => |ctx, data| Ok(tally_result(ctx, request(data)?)?.encode_to_vec()),
        _ => return None,
    };
    Some(store::check_enabled(ctx).and_then(|()| run(ctx, data)))
}

pub(super) fn invalid(text: impl Display) -> AppError {
    AppError::invalid_request(format_args!(
        "rpc error: code = InvalidArgument desc = {text}"
    ))
}

fn not_found(text: impl Display) -> AppError {
    AppError::key_not_found(format_args!("rpc error: code = NotFound desc = {text}"))
}

fn check_id(id: u64) -> Result<()> {
    if id == 0 {
        return Err(invalid("proposal id can not be 0"));
    }
    Ok(())
}

fn decode<M: Message + Default>(pairs: Vec<(Vec<u8>, Vec<u8>)>) -> Result<Vec<M>> {
    let read = |(_, v): (Vec<u8>, Vec<u8>)| M::decode(v.as_slice()).map_err(AppError::tx_decode);
    pairs.into_iter().map(read).collect()
}

fn constitution(ctx: &Ctx, _: &[u8]) -> Result<Vec<u8>> {
    let constitution = store::constitution(ctx)?;
    Ok(QueryConstitutionResponse { constitution }.encode_to_vec())
}

fn found(ctx: &Ctx, id: u64) -> Result<Proposal> {
    check_id(id)?;
    let found = store::find(ctx, id)?;
    found.ok_or_else(|| not_found(format_args!("proposal {id} doesn't exist")))
}

pub(super) fn proposal(ctx: &Ctx, req: QueryProposalRequest) -> Result<QueryProposalResponse> {
    let proposal = Some(found(ctx, req.proposal_id)?);
    Ok(QueryProposalResponse { proposal })
}

pub(super) fn proposals(ctx: &Ctx, req: QueryProposalsRequest) -> Result<QueryProposalsResponse> {
    let address = |text: &str| -> Result<Option<Vec<u8>>> {
        Some(text)
            .filter(|t| !t.is_empty())
            .map(|t| addr(ctx, t))
            .transpose()
    };
    let (voter, depositor) = (address(&req.voter)?, address(&req.depositor)?);
    let status = ProposalStatus::try_from(req.proposal_status)
        .ok()
        .filter(|s| *s != ProposalStatus::Unspecified)
        .map(|s| s as i32);
    let wanted = |bytes: &[u8]| {
        let p = Proposal::decode(bytes).map_err(AppError::tx_decode)?;
        if status.is_some_and(|s| s != p.status) {
            return Ok(false);
        }
        if let Some(who) = &voter
            && store::vote(ctx, p.id, who)?.is_none()
        {
            return Ok(false);
        }
        Ok(match &depositor {
            Some(who) => store::deposit(ctx, p.id, who)?.is_some(),
            None => true,
        })
    };
    let (pairs, page) = paginate_if(ctx, store::STORE, &[keys::PROPOSAL], req.pagination, wanted)?;
    Ok(QueryProposalsResponse {
        proposals: decode(pairs)?,
        pagination: Some(page),
    })
}

pub(super) fn vote(ctx: &Ctx, req: QueryVoteRequest) -> Result<QueryVoteResponse> {
    let QueryVoteRequest { proposal_id, voter } = req;
    check_id(proposal_id)?;
    if voter.is_empty() {
        return Err(invalid("empty voter address"));
    }
    let vote = store::vote(ctx, proposal_id, &addr(ctx, &voter)?)?;
    let missing = || {
        invalid(format_args!(
            "voter: {voter} not found for proposal: {proposal_id}"
        ))
    };
    let vote = Some(vote.ok_or_else(missing)?);
    Ok(QueryVoteResponse { vote })
}

pub(super) fn votes(ctx: &Ctx, req: QueryVotesRequest) -> Result<QueryVotesResponse> {
    check_id(req.proposal_id)?;
    let prefix = keys::of(keys::VOTE, req.proposal_id);
    let (pairs, page) = paginate(ctx, store::STORE, &prefix, req.pagination)?;
    Ok(QueryVotesResponse {
        votes: decode::<Vote>(pairs)?,
        pagination: Some(page),
    })
}

#[allow(deprecated, reason = "the SDK answers them still")]
pub(super) fn params(ctx: &Ctx, req: QueryParamsRequest) -> Result<QueryParamsResponse> {
    let p = store::params(ctx)?;
    let mut answer = QueryParamsResponse::default();
    match req.params_type.as_str() {
        "deposit" => {
            answer.deposit_params = Some(DepositParams {
                min_deposit: p.min_deposit.clone(),
                max_deposit_period: p.max_deposit_period,
            });
        }
        "voting" => {
            let voting_period = p.voting_period;
            answer.voting_params = Some(VotingParams { voting_period });
        }
        "tallying" => {
            answer.tally_params = Some(TallyParams {
                quorum: p.quorum.clone(),
                threshold: p.threshold.clone(),
                veto_threshold: p.veto_threshold.clone(),
            });
        }
        "" => {}
        other => return Err(invalid(format_args!("unknown params type: {other}"))),
    }
    answer.params = Some(p);
    Ok(answer)
}

pub(super) fn deposit(ctx: &Ctx, req: QueryDepositRequest) -> Result<QueryDepositResponse> {
    let QueryDepositRequest {
        proposal_id,
        depositor,
    } = req;
    check_id(proposal_id)?;
    if depositor.is_empty() {
        return Err(invalid("empty depositor address"));
    }
    let deposit = store::deposit(ctx, proposal_id, &addr(ctx, &depositor)?)?;
    let missing = || {
        let key = format!("({proposal_id}, {depositor})");
        not_found(super::error::missing(key, "Deposit"))
    };
    let deposit = Some(deposit.ok_or_else(missing)?);
    Ok(QueryDepositResponse { deposit })
}

pub(super) fn deposits(ctx: &Ctx, req: QueryDepositsRequest) -> Result<QueryDepositsResponse> {
    check_id(req.proposal_id)?;
    let prefix = keys::of(keys::DEPOSIT, req.proposal_id);
    let (pairs, page) = paginate(ctx, store::STORE, &prefix, req.pagination)?;
    Ok(QueryDepositsResponse {
        deposits: decode::<Deposit>(pairs)?,
        pagination: Some(page),
    })
}

pub(super) fn tally_result(
    ctx: &Ctx,
    req: QueryTallyResultRequest,
) -> Result<QueryTallyResultResponse> {
    let p = found(ctx, req.proposal_id)?;
    let tally: TallyResult = match ProposalStatus::try_from(p.status) {
        Ok(ProposalStatus::DepositPeriod) => keeper::no_votes(),
        Ok(ProposalStatus::Passed | ProposalStatus::Rejected | ProposalStatus::Failed) => {
            p.final_tally_result.unwrap_or_else(keeper::no_votes)
        }
        _ => tally::tally(ctx, &p)?.tally,
    };
    Ok(QueryTallyResultResponse { tally: Some(tally) })
}
