//! What contracts say to governance: votes.

use super::{
    fail::{Code, Fail, Res},
    rewards::any,
};
use crate::codec::dec::Dec;
use cosmos_sdk_proto::{
    Any,
    cosmos::gov::v1::{MsgVote, MsgVoteWeighted, VoteOption as Proto, WeightedVoteOption},
};
use cosmwasm_std::{GovMsg, VoteOption};

fn option(option: &VoteOption) -> i32 {
    let option = match option {
        VoteOption::Yes => Proto::Yes,
        VoteOption::No => Proto::No,
        VoteOption::Abstain => Proto::Abstain,
        VoteOption::NoWithVeto => Proto::NoWithVeto,
    };
    option as i32
}

/// The chain's message for a contract's; the contract at `human` signs it.
///
/// # Errors
/// sdk/18 for a weight that is none; wasm/20 for a message of a later CosmWasm.
pub(super) fn encode(human: &str, msg: GovMsg) -> Res<Any> {
    let voter = human.to_owned();
    Ok(match msg {
        GovMsg::Vote {
            proposal_id,
            option: o,
        } => any(&MsgVote {
            proposal_id,
            voter,
            option: option(&o),
            metadata: String::new(),
        }),
        GovMsg::VoteWeighted {
            proposal_id,
            options,
        } => {
            let options = options.iter().map(|o| {
                Ok(WeightedVoteOption {
                    option: option(&o.option),
                    weight: o.weight.to_string().parse::<Dec>()?.to_string(),
                })
            });
            any(&MsgVoteWeighted {
                proposal_id,
                voter,
                options: options.collect::<Res<_>>()?,
                metadata: String::new(),
            })
        }
        _ => return Err(Fail::new(Code::UnknownMsg, "unknown variant of gov")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;

    fn read(json: &str) -> Any {
        encode("me", serde_json::from_str(json).unwrap()).unwrap()
    }

    #[test]
    fn votes_are_the_chains() {
        let vote = read(r#"{"vote":{"proposal_id":7,"option":"no_with_veto"}}"#);
        assert_eq!(vote.type_url, "/cosmos.gov.v1.MsgVote");
        let vote = MsgVote::decode(vote.value.as_slice()).unwrap();
        assert_eq!((vote.proposal_id, vote.option), (7, 4));
        assert_eq!((vote.voter.as_str(), vote.metadata.as_str()), ("me", ""));
        let vote = read(
            r#"{"vote_weighted":{"proposal_id":7,"options":[{"option":"yes","weight":"0.25"},{"option":"abstain","weight":"0.75"}]}}"#,
        );
        assert_eq!(vote.type_url, "/cosmos.gov.v1.MsgVoteWeighted");
        let vote = MsgVoteWeighted::decode(vote.value.as_slice()).unwrap();
        let options: Vec<_> = vote
            .options
            .iter()
            .map(|o| (o.option, o.weight.as_str()))
            .collect();
        assert_eq!(
            options,
            [(1, "0.250000000000000000"), (2, "0.750000000000000000")]
        );
        let no = read(r#"{"vote":{"proposal_id":1,"option":"no"}}"#);
        assert_eq!(MsgVote::decode(no.value.as_slice()).unwrap().option, 3);
    }
}
