//! Consensus parameters: what CometBFT is told at genesis and governance changes, kept so that they can be queried and
//! enforced.

pub mod msg;

use crate::{ctx::Ctx, error::Result, store::StoreKey};
use prost::Message;
use tendermint_proto::v0_38::types::ConsensusParams;

/// `cosmos.consensus.v1.QueryParamsResponse`, which cosmos-sdk-proto does not have.
#[derive(Clone, PartialEq, Message)]
struct QueryParamsResponse {
    #[prost(message, optional, tag = "1")]
    params: Option<ConsensusParams>,
}

const KEY: &[u8] = b"Consensus";

/// Keep parameters.
pub fn set(ctx: &Ctx, params: &ConsensusParams) {
    ctx.with_layers(|l| l.set(StoreKey::Consensus, KEY, params.encode_to_vec()));
}

/// The parameters; the protocol's defaults before genesis.
pub fn get(ctx: &Ctx) -> ConsensusParams {
    ctx.with_layers(|l| l.get(StoreKey::Consensus, KEY))
        .and_then(|b| ConsensusParams::decode(b.as_slice()).ok())
        .unwrap_or_default()
}

/// Most gas of a block; `None` when it has no limit.
pub fn max_gas(ctx: &Ctx) -> Option<u64> {
    get(ctx).block.and_then(|b| u64::try_from(b.max_gas).ok())
}

/// Answers one method of `cosmos.consensus.v1.Query`; `None` when it is not of this module.
pub fn query(ctx: &Ctx, method: &str) -> Option<Result<Vec<u8>>> {
    (method == "/cosmos.consensus.v1.Query/Params").then(|| {
        Ok(QueryParamsResponse {
            params: Some(get(ctx)),
        }
        .encode_to_vec())
    })
}
