//! `cosmos.gov.v1.Msg`. Those of `v1beta1` are in [`super::legacy`].

use super::{
    deposit,
    error::{invalid_content, invalid_vote, no_messages},
    keeper, legacy,
    params::{self, shown},
    store,
};
use crate::{
    codec::{coins, dec::Dec, response, strict, times},
    ctx::{Ctx, Event},
    error::{AppError, Result},
    gas::cost,
    modules::{
        auth::keeper::{addr, check_gov},
        router::Router,
    },
};
use cosmos_sdk_proto::cosmos::{
    base::v1beta1::Coin,
    gov::v1::{
        MsgCancelProposal, MsgCancelProposalResponse, MsgDeposit, MsgDepositResponse,
        MsgSubmitProposal, MsgSubmitProposalResponse, MsgUpdateParams, MsgUpdateParamsResponse,
        MsgVote, MsgVoteResponse, MsgVoteWeighted, MsgVoteWeightedResponse, WeightedVoteOption,
    },
};
use prost::Message;
use serde_json::Value;

const V1: &str = "/cosmos.gov.v1.";

/// Who must sign a message; `None` when it is not of this module.
///
/// # Errors
/// sdk/2.
pub fn signers(type_url: &str, value: &[u8]) -> Option<Result<Vec<String>>> {
    let Some(name) = type_url.strip_prefix(V1) else {
        return legacy::signers(type_url, value);
    };
    let signer = match name {
        "MsgSubmitProposal" => strict::<MsgSubmitProposal>(name, value).map(|m| m.proposer),
        "MsgDeposit" => strict::<MsgDeposit>(name, value).map(|m| m.depositor),
        "MsgVote" => strict::<MsgVote>(name, value).map(|m| m.voter),
        "MsgVoteWeighted" => strict::<MsgVoteWeighted>(name, value).map(|m| m.voter),
        "MsgCancelProposal" => strict::<MsgCancelProposal>(name, value).map(|m| m.proposer),
        "MsgUpdateParams" => strict::<MsgUpdateParams>(name, value).map(|m| m.authority),
        "MsgExecLegacyContent" => legacy::authority(value),
        _ => return None,
    };
    Some(signer.map(|s| vec![s]))
}

/// Executes a message: the response's type URL and bytes; `None` when it is not of this module. The messages that are
/// proposed must be `router`'s.
///
/// # Errors
/// Those of the keeper; sdk/37 on a chain without staking.
pub fn handle(
    ctx: &Ctx,
    router: &dyn Router,
    type_url: &str,
    value: &[u8],
) -> Option<Result<(String, Vec<u8>)>> {
    let Some(name) = type_url.strip_prefix(V1) else {
        return legacy::handle(ctx, router, type_url, value);
    };
    let run = || match name {
        "MsgSubmitProposal" => {
            let proposal_id = submit(ctx, router, strict(name, value)?)?;
            Ok(response(&MsgSubmitProposalResponse { proposal_id }))
        }
        "MsgDeposit" => {
            let m: MsgDeposit = strict(name, value)?;
            add_deposit(ctx, m.proposal_id, &m.depositor, &m.amount)?;
            Ok(response(&MsgDepositResponse {}))
        }
        "MsgVote" => {
            let m: MsgVote = strict(name, value)?;
            vote(ctx, m)?;
            Ok(response(&MsgVoteResponse {}))
        }
        "MsgVoteWeighted" => {
            vote_weighted(ctx, strict(name, value)?)?;
            Ok(response(&MsgVoteWeightedResponse {}))
        }
        "MsgCancelProposal" => cancel(ctx, &strict(name, value)?),
        "MsgUpdateParams" => update_params(ctx, strict(name, value)?),
        _ => legacy::exec(ctx, value),
    };
    let known = signers(type_url, value)?;
    let ready = known.and_then(|_| store::check_enabled(ctx));
    Some(ready.and_then(|()| run()))
}

fn address(ctx: &Ctx, who: &str, text: &str) -> Result<Vec<u8>> {
    addr(ctx, text).map_err(|e| {
        let log = e.log.trim_end_matches(": invalid address");
        AppError::invalid_address(format_args!("invalid {who} address: {log}"))
    })
}

/// Title and summary of metadata in the recommended form; `None` for metadata of another.
fn described(metadata: &str) -> Option<(String, String)> {
    let Ok(Value::Object(fields)) = serde_json::from_str(metadata) else {
        let nothing = matches!(serde_json::from_str(metadata), Ok(Value::Null));
        return nothing.then(Default::default);
    };
    let is_text = |v: &Value| v.is_string() || v.is_null();
    let (mut title, mut summary) = (String::new(), String::new());
    for (key, value) in &fields {
        // Go finds fields whatever their case.
        let text = match key.to_ascii_lowercase().as_str() {
            "title" => Some(&mut title),
            "summary" => Some(&mut summary),
            "details" | "proposal_forum_url" | "vote_option_context" => None,
            "authors" => match value {
                Value::Null => continue,
                Value::Array(list) if list.iter().all(is_text) => continue,
                _ => return None,
            },
            _ => continue,
        };
        if !is_text(value) {
            return None;
        }
        if let (Some(text), Some(value)) = (text, value.as_str()) {
            value.clone_into(text);
        }
    }
    Some((title, summary))
}

/// Makes a proposal with its first deposit; its number.
///
/// # Errors
/// Those of the keeper; gov/5, gov/11, gov/16, gov/23; sdk/10, sdk/18.
pub(super) fn submit(ctx: &Ctx, router: &dyn Router, m: MsgSubmitProposal) -> Result<u64> {
    if m.title.is_empty() {
        return Err(AppError::invalid_request("proposal title cannot be empty"));
    }
    if m.summary.is_empty() {
        return Err(AppError::invalid_request(
            "proposal summary cannot be empty",
        ));
    }
    let proposer = address(ctx, "proposer", &m.proposer)?;
    if m.messages.is_empty() && m.metadata.is_empty() {
        return Err(no_messages(
            "either metadata or Msgs length must be non-nil",
        ));
    }
    if !m.metadata.is_empty()
        && let Some((title, summary)) = described(&m.metadata)
    {
        for (what, said, is) in [("title", title, &m.title), ("summary", summary, &m.summary)] {
            if said != *is {
                return Err(invalid_content(format_args!(
                    "metadata {what} '{said}' must equal proposal {what} '{is}'"
                )));
            }
        }
    }
    let params = store::params(ctx)?;
    let amount = deposit::check(&m.initial_deposit)?;
    deposit::check_initial(&params, &amount, m.expedited)?;
    let proposal = keeper::submit(ctx, router, &proposer, m)?;
    let bytes = proposal.encoded_len() as u64;
    ctx.consume_gas(3 * cost::WRITE_BYTE * bytes, "submit proposal")?;
    let id = proposal.id;
    if deposit::add(ctx, id, &proposer, &amount)? {
        ctx.emit(Event::new("submit_proposal").attr("voting_period_start", id.to_string()));
    }
    Ok(id)
}

/// Adds a deposit.
///
/// # Errors
/// Those of [`deposit::add`]; sdk/10.
pub(super) fn add_deposit(ctx: &Ctx, id: u64, depositor: &str, amount: &[Coin]) -> Result<()> {
    let who = address(ctx, "depositor", depositor)?;
    let checked = coins::check(amount).ok().filter(|c| !c.is_empty());
    let amount = checked.ok_or_else(|| AppError::invalid_coins(shown(amount)))?;
    if deposit::add(ctx, id, &who, &amount)? {
        ctx.emit(Event::new("proposal_deposit").attr("voting_period_start", id.to_string()));
    }
    Ok(())
}

/// Votes for one option.
///
/// # Errors
/// Those of [`keeper::vote`].
pub(super) fn vote(ctx: &Ctx, m: MsgVote) -> Result<()> {
    let who = address(ctx, "voter", &m.voter)?;
    if !keeper::is_option(m.option) {
        return Err(invalid_vote(keeper::option_name(m.option)));
    }
    let whole = WeightedVoteOption {
        option: m.option,
        weight: Dec::one().to_string(),
    };
    keeper::vote(ctx, m.proposal_id, &who, vec![whole], m.metadata)
}

/// Votes for several options, each with a fraction; their sum is one.
///
/// # Errors
/// Those of [`keeper::vote`].
pub(super) fn vote_weighted(ctx: &Ctx, m: MsgVoteWeighted) -> Result<()> {
    let who = address(ctx, "voter", &m.voter)?;
    if m.options.is_empty() {
        return Err(AppError::invalid_request("null"));
    }
    let (mut total, mut used) = (Dec::zero(), Vec::new());
    for o in &m.options {
        total += &keeper::weight(o)?;
        if used.contains(&o.option) {
            return Err(invalid_vote("duplicated vote option"));
        }
        used.push(o.option);
    }
    if total > Dec::one() {
        return Err(invalid_vote("total weight overflow 1.00"));
    }
    if total < Dec::one() {
        return Err(invalid_vote("total weight lower than 1.00"));
    }
    keeper::vote(ctx, m.proposal_id, &who, m.options, m.metadata)
}

fn cancel(ctx: &Ctx, m: &MsgCancelProposal) -> Result<(String, Vec<u8>)> {
    address(ctx, "proposer", &m.proposer)?;
    keeper::cancel(ctx, m.proposal_id, &m.proposer)?;
    ctx.emit(
        Event::new("cancel_proposal")
            .attr("sender", m.proposer.clone())
            .attr("proposal_id", m.proposal_id.to_string()),
    );
    Ok(response(&MsgCancelProposalResponse {
        proposal_id: m.proposal_id,
        canceled_time: Some(times::stamp(i128::from(ctx.block.time_ns))),
        canceled_height: ctx.block.height,
    }))
}

fn update_params(ctx: &Ctx, m: MsgUpdateParams) -> Result<(String, Vec<u8>)> {
    check_gov(ctx, &m.authority)?;
    let params = m.params.unwrap_or_default();
    params::check(ctx, &params)?;
    store::set_params(ctx, &params)?;
    Ok(response(&MsgUpdateParamsResponse {}))
}

#[cfg(test)]
mod tests {
    use super::described;

    #[test]
    fn only_metadata_of_the_recommended_form_says_a_title() {
        let is = |title: &str, summary: &str| Some((title.to_owned(), summary.to_owned()));
        for (metadata, said) in [
            (
                r#"{"title":"a","summary":"b","authors":["c"],"else":1}"#,
                is("a", "b"),
            ),
            (r#"{"TITLE":"a","authors":null}"#, is("a", "")),
            ("null", is("", "")),
            ("{}", is("", "")),
            (r#"{"title":1}"#, None),
            (r#"{"title":"a","authors":"c"}"#, None),
            (r#"["a"]"#, None),
            ("ipfs://a", None),
        ] {
            assert_eq!(described(metadata), said, "{metadata}");
        }
    }
}
