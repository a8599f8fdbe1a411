//! `cosmos.gov.v1beta1.Msg`, and the one message of `v1` that executes its contents. Texts are the only content here: they execute
//! nothing.

use super::{
    error::{invalid_content, invalid_signer, no_handler},
    msg, store,
};
use crate::{
    codec::{dec::Dec, response, strict, type_url},
    ctx::Ctx,
    error::Result,
    modules::router::Router,
};
use cosmos_sdk_proto::{
    Any,
    cosmos::gov::{
        v1::{self, MsgExecLegacyContent, MsgExecLegacyContentResponse},
        v1beta1::{
            MsgDeposit, MsgDepositResponse, MsgSubmitProposal, MsgSubmitProposalResponse, MsgVote,
            MsgVoteResponse, MsgVoteWeighted, MsgVoteWeightedResponse, TextProposal,
        },
    },
};
use prost::Message;

const V1BETA1: &str = "/cosmos.gov.v1beta1.";
/// Most characters of a content's title.
const MAX_TITLE: usize = 140;
/// Most characters of a content's description.
const MAX_DESCRIPTION: usize = 10_000;

/// Who must sign a message; `None` when it is not of `v1beta1`.
///
/// # Errors
/// sdk/2.
pub(super) fn signers(type_url: &str, value: &[u8]) -> Option<Result<Vec<String>>> {
    let name = type_url.strip_prefix(V1BETA1)?;
    let signer = match name {
        "MsgSubmitProposal" => strict::<MsgSubmitProposal>(name, value).map(|m| m.proposer),
        "MsgDeposit" => strict::<MsgDeposit>(name, value).map(|m| m.depositor),
        "MsgVote" => strict::<MsgVote>(name, value).map(|m| m.voter),
        "MsgVoteWeighted" => strict::<MsgVoteWeighted>(name, value).map(|m| m.voter),
        _ => return None,
    };
    Some(signer.map(|s| vec![s]))
}

/// Executes a message; `None` when it is not of `v1beta1`.
///
/// # Errors
/// Those of the messages of `v1`.
pub(super) fn handle(
    ctx: &Ctx,
    router: &dyn Router,
    url: &str,
    value: &[u8],
) -> Option<Result<(String, Vec<u8>)>> {
    let name = url.strip_prefix(V1BETA1)?;
    let run = || match name {
        "MsgSubmitProposal" => submit(ctx, router, strict(name, value)?),
        "MsgDeposit" => {
            let m: MsgDeposit = strict(name, value)?;
            msg::add_deposit(ctx, m.proposal_id, &m.depositor, &m.amount)?;
            Ok(response(&MsgDepositResponse {}))
        }
        "MsgVote" => {
            let m: MsgVote = strict(name, value)?;
            let vote = v1::MsgVote {
                proposal_id: m.proposal_id,
                voter: m.voter,
                option: m.option,
                metadata: String::new(),
            };
            msg::vote(ctx, vote)?;
            Ok(response(&MsgVoteResponse {}))
        }
        _ => {
            let m: MsgVoteWeighted = strict(name, value)?;
            let options = m.options.iter().map(|o| {
                Ok(v1::WeightedVoteOption {
                    option: o.option,
                    weight: Dec::from_proto(&o.weight)?.to_string(),
                })
            });
            let vote = v1::MsgVoteWeighted {
                proposal_id: m.proposal_id,
                voter: m.voter,
                options: options.collect::<Result<_>>()?,
                metadata: String::new(),
            };
            msg::vote_weighted(ctx, vote)?;
            Ok(response(&MsgVoteWeightedResponse {}))
        }
    };
    let known = signers(url, value)?;
    let ready = known.and_then(|_| store::check_enabled(ctx));
    Some(ready.and_then(|()| run()))
}

/// A text, when the content is one.
fn text(content: Option<&Any>) -> Result<TextProposal> {
    let content = content.ok_or_else(|| invalid_content("missing content"))?;
    if content.type_url != type_url::<TextProposal>() {
        let shown: String = content.type_url.chars().take(128).collect();
        return Err(no_handler(shown));
    }
    strict("TextProposal", &content.value)
}

fn submit(ctx: &Ctx, router: &dyn Router, m: MsgSubmitProposal) -> Result<(String, Vec<u8>)> {
    let text = text(m.content.as_ref())?;
    let long = |what: &str, s: &str, most: usize| {
        if s.trim().is_empty() {
            Err(invalid_content(format_args!(
                "proposal {what} cannot be blank"
            )))
        } else if s.len() > most {
            Err(invalid_content(format_args!(
                "proposal {what} is longer than max length of {most}"
            )))
        } else {
            Ok(())
        }
    };
    long("title", &text.title, MAX_TITLE)?;
    long("description", &text.description, MAX_DESCRIPTION)?;
    let exec = MsgExecLegacyContent {
        content: m.content,
        authority: store::account_name(ctx)?,
    };
    let proposal = v1::MsgSubmitProposal {
        messages: vec![Any {
            type_url: type_url::<MsgExecLegacyContent>(),
            value: exec.encode_to_vec(),
        }],
        initial_deposit: m.initial_deposit,
        proposer: m.proposer,
        metadata: String::new(),
        title: text.title,
        summary: text.description,
        expedited: false,
    };
    let proposal_id = msg::submit(ctx, router, proposal)?;
    Ok(response(&MsgSubmitProposalResponse { proposal_id }))
}

/// Who signs `MsgExecLegacyContent`.
///
/// # Errors
/// sdk/2.
pub(super) fn authority(value: &[u8]) -> Result<String> {
    strict::<MsgExecLegacyContent>("MsgExecLegacyContent", value).map(|m| m.authority)
}

/// Executes a content.
///
/// # Errors
/// gov/13 when the sender is not the gov module; gov/9 for anything but a text.
pub(super) fn exec(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgExecLegacyContent = strict("MsgExecLegacyContent", value)?;
    let gov = store::account_name(ctx)?;
    if m.authority != gov {
        return Err(invalid_signer(format_args!(
            "expected {gov} got {}",
            m.authority
        )));
    }
    text(m.content.as_ref())?;
    Ok(response(&MsgExecLegacyContentResponse {}))
}

/// Whether a content that is proposed can be executed; other messages may fail later.
///
/// # Errors
/// gov/9 when it cannot.
pub(super) fn check_proposed(ctx: &Ctx, msg: &Any) -> Result<()> {
    if msg.type_url == type_url::<MsgExecLegacyContent>() {
        exec(ctx, &msg.value)?;
    }
    Ok(())
}
