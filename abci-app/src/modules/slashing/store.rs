//! The module's records: parameters, what is known of who signs, and which blocks of the window were missed.

use super::params::Params;
use crate::{
    codec::address,
    ctx::Ctx,
    error::{AppError, Result},
    modules::auth,
    store::{Order, StoreKey, prefix_end},
};
use cosmos_sdk_proto::cosmos::slashing::v1beta1::{
    self as proto, MissedBlock, ValidatorSigningInfo,
};
use prost::Message;

/// The module's store.
pub const STORE: StoreKey = StoreKey::Slashing;
const PARAMS: &[u8] = &[0x00];
/// What is known of a validator, by its key's address.
pub const INFO: u8 = 0x01;
const BITMAP: u8 = 0x02;
const PUB_KEY: u8 = 0x03;
/// Blocks of one record.
const CHUNK: u64 = 1_024;
/// A record: its length in bits, and sixteen words.
const CHUNK_BYTES: usize = 8 + 128;

fn key(prefix: u8, cons: &[u8]) -> Vec<u8> {
    // Addresses are 20 bytes.
    [&[prefix, cons.len().to_le_bytes()[0]], cons].concat()
}

/// The text of a key's address.
///
/// # Errors
/// sdk/7.
pub fn cons_name(ctx: &Ctx, cons: &[u8]) -> Result<String> {
    address::encode(&format!("{}valcons", auth::keeper::prefix(ctx)?), cons)
}

/// The key's address of a text.
///
/// # Errors
/// sdk/7.
pub fn cons(ctx: &Ctx, text: &str) -> Result<Vec<u8>> {
    address::decode(&format!("{}valcons", auth::keeper::prefix(ctx)?), text)
}

/// The parameters.
///
/// # Errors
/// sdk/37 on a chain without staking.
pub fn params(ctx: &Ctx) -> Result<Params> {
    let bytes = ctx.get(STORE, PARAMS)?.ok_or_else(|| {
        AppError::not_supported(
            "slashing: expected app_state.staking in this chain's genesis, got none",
        )
    })?;
    let params = proto::Params::decode(bytes.as_slice()).map_err(AppError::tx_decode)?;
    Params::from_proto(&params)
}

/// Stores the parameters.
///
/// # Errors
/// sdk/11.
pub fn set_params(ctx: &Ctx, params: &Params) -> Result<()> {
    ctx.set(STORE, PARAMS, params.to_proto().encode_to_vec())
}

/// What is known of who signs; `None` before it is first in the set.
///
/// # Errors
/// sdk/11.
pub fn info(ctx: &Ctx, cons: &[u8]) -> Result<Option<ValidatorSigningInfo>> {
    let bytes = ctx.get(STORE, &key(INFO, cons))?;
    bytes
        .map(|b| Message::decode(b.as_slice()).map_err(AppError::tx_decode))
        .transpose()
}

/// Stores what is known of who signs.
///
/// # Errors
/// sdk/11.
pub fn set_info(ctx: &Ctx, cons: &[u8], info: &ValidatorSigningInfo) -> Result<()> {
    ctx.set(STORE, &key(INFO, cons), info.encode_to_vec())
}

/// Makes a validator's key findable by its address.
///
/// # Errors
/// sdk/11.
pub fn set_pub_key(ctx: &Ctx, cons: &[u8], any: &cosmos_sdk_proto::Any) -> Result<()> {
    ctx.set(STORE, &key(PUB_KEY, cons), any.encode_to_vec())
}

/// Whether the key of an address is known.
///
/// # Errors
/// sdk/11.
pub fn has_pub_key(ctx: &Ctx, cons: &[u8]) -> Result<bool> {
    ctx.has(STORE, &key(PUB_KEY, cons))
}

/// Forgets a key.
///
/// # Errors
/// sdk/11.
pub fn remove_pub_key(ctx: &Ctx, cons: &[u8]) -> Result<()> {
    ctx.remove(STORE, &key(PUB_KEY, cons))
}

fn chunk_key(cons: &[u8], index: u64) -> Vec<u8> {
    let mut key = key(BITMAP, cons);
    key.extend_from_slice(&(index / CHUNK).to_le_bytes());
    key
}

/// The byte of a bit in a record, and its mask: words are big-endian, bits count from the least.
fn bit(index: u64) -> (usize, u8) {
    // Below 1024.
    let bit = usize::try_from(index % CHUNK).unwrap_or(0);
    (8 + bit / 64 * 8 + 7 - bit % 64 / 8, 1 << (bit % 8))
}

fn chunk(ctx: &Ctx, cons: &[u8], index: u64) -> Result<Vec<u8>> {
    let chunk = ctx.get(STORE, &chunk_key(cons, index))?.unwrap_or_else(|| {
        let mut empty = vec![0; CHUNK_BYTES];
        empty[..8].copy_from_slice(&CHUNK.to_be_bytes());
        empty
    });
    if chunk.len() == CHUNK_BYTES {
        return Ok(chunk);
    }
    Err(AppError::tx_decode(format_args!(
        "bitmap: expected {CHUNK_BYTES} bytes, got {}",
        chunk.len()
    )))
}

/// Whether a block of the window was missed.
///
/// # Errors
/// sdk/11.
pub fn missed(ctx: &Ctx, cons: &[u8], index: u64) -> Result<bool> {
    let (at, mask) = bit(index);
    Ok(chunk(ctx, cons, index)?[at] & mask != 0)
}

/// Notes whether a block of the window was missed.
///
/// # Errors
/// sdk/11.
pub fn set_missed(ctx: &Ctx, cons: &[u8], index: u64, missed: bool) -> Result<()> {
    let (at, mask) = bit(index);
    let mut chunk = chunk(ctx, cons, index)?;
    if missed {
        chunk[at] |= mask;
    } else {
        chunk[at] &= !mask;
    }
    ctx.set(STORE, &chunk_key(cons, index), chunk)
}

fn chunks(ctx: &Ctx, cons: &[u8]) -> Result<Vec<Vec<u8>>> {
    let prefix = key(BITMAP, cons);
    let (mut from, end) = (prefix.clone(), prefix_end(&prefix));
    let mut keys = Vec::new();
    while let Some((key, _)) = ctx.seek(STORE, &from, end.as_deref(), Order::Ascending)? {
        from = [key.as_slice(), &[0]].concat();
        keys.push(key);
    }
    Ok(keys)
}

/// Forgets which blocks were missed.
///
/// # Errors
/// sdk/11.
pub fn clear_missed(ctx: &Ctx, cons: &[u8]) -> Result<()> {
    for key in chunks(ctx, cons)? {
        ctx.remove(STORE, &key)?;
    }
    Ok(())
}

/// The blocks of the window that were missed.
///
/// # Errors
/// sdk/11.
pub fn all_missed(ctx: &Ctx, cons: &[u8]) -> Result<Vec<MissedBlock>> {
    let mut out = Vec::new();
    for key in chunks(ctx, cons)? {
        let number = key.get(key.len() - 8..).and_then(|n| n.try_into().ok());
        let first = number.map_or(0, u64::from_le_bytes).saturating_mul(CHUNK);
        for index in first..first + CHUNK {
            if missed(ctx, cons, index)? {
                out.push(MissedBlock {
                    index: i64::try_from(index).unwrap_or(i64::MAX),
                    missed: true,
                });
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_lie_as_in_the_sdk() {
        // `bitset.BitSet.MarshalBinary`: words of 64, big-endian.
        assert_eq!(bit(0), (15, 1));
        assert_eq!(bit(9), (14, 2));
        assert_eq!(bit(64), (23, 1));
        assert_eq!(bit(1_023), (128, 128));
        assert_eq!(bit(1_024), (15, 1));
    }
}
