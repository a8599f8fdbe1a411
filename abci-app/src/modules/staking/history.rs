//! Headers and sets of the last blocks, which the SDK keeps for IBC: as many as the parameters say.

use super::{keys, store};
use crate::{ctx::Ctx, error::Result};
use cosmos_sdk_proto::cosmos::staking::v1beta1::HistoricalInfo;
use tendermint_proto::types::Header;

fn key(height: u64) -> Vec<u8> {
    keys::number(keys::HISTORY, height)
}

/// What is kept of a height; `None` when nothing is.
///
/// # Errors
/// sdk/11.
pub fn get(ctx: &Ctx, height: u64) -> Result<Option<HistoricalInfo>> {
    store::get(ctx, &key(height))
}

/// Keeps a block's header and set, and drops those that are too old (`TrackHistoricalInfo`). `hash` of the next set and
/// `proposer` are the header's, as far as the application is told.
///
/// # Errors
/// When the state is broken.
pub fn track(ctx: &Ctx, next_validators_hash: &[u8], proposer: &[u8]) -> Result<()> {
    let keep = u64::from(store::params(ctx)?.historical_entries);
    let now = ctx.block.height;
    let mut old = now.checked_sub(keep);
    while let Some(height) = old {
        if get(ctx, height)?.is_none() {
            break;
        }
        ctx.remove(store::STORE, &key(height))?;
        old = height.checked_sub(1);
    }
    if keep == 0 {
        return Ok(());
    }
    let mut set = Vec::new();
    for (operator, _) in store::last_powers(ctx)? {
        set.push(store::validator(ctx, &operator)?);
    }
    // Of equal powers the smaller address comes first, as in CometBFT's sets.
    set.sort_by_cached_key(|v| (std::cmp::Reverse(v.potential_power()), v.cons()));
    let header = Header {
        chain_id: ctx.block.chain_id.clone(),
        height: i64::try_from(now).unwrap_or(i64::MAX),
        time: Some(super::validator::timestamp(ctx.block.time_ns)),
        next_validators_hash: next_validators_hash.to_vec(),
        proposer_address: proposer.to_vec(),
        ..Header::default()
    };
    let info = HistoricalInfo {
        header: Some(header),
        valset: set
            .iter()
            .map(super::validator::Validator::to_proto)
            .collect(),
    };
    store::set(ctx, &key(now), &info)
}
