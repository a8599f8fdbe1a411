//! Allowances in the store, as the SDK has them: `0x00 len(grantee) grantee len(granter) granter -> Grant`, and the
//! queue of their ends: `0x01 time len(grantee) grantee len(granter) granter -> nothing`.

use super::allowance::Allowance;
use crate::{
    codec::times,
    ctx::{Ctx, Event},
    error::{AppError, Result},
    modules::auth::{self, keeper::human},
    store::{Order, StoreKey},
};
use cosmos_sdk_proto::cosmos::feegrant::v1beta1::Grant;
use prost::Message;

pub(super) const STORE: StoreKey = StoreKey::Feegrant;
pub(super) const ALLOWANCE: u8 = 0x00;
const QUEUE: u8 = 0x01;
/// Bytes of a time in a key.
const TIME: usize = 29;
/// Most allowances that end in one block; the rest end in the next.
const MAX_ENDS: usize = 200;

/// An address with its length before it; addresses are 20 or 32 bytes.
fn prefixed(addr: &[u8]) -> Vec<u8> {
    [&[addr.len().to_le_bytes()[0]], addr].concat()
}

/// What the keys of a grantee's allowances begin with.
pub(super) fn of_grantee(grantee: &[u8]) -> Vec<u8> {
    [&[ALLOWANCE][..], &prefixed(grantee)].concat()
}

fn key(granter: &[u8], grantee: &[u8]) -> Vec<u8> {
    [of_grantee(grantee), prefixed(granter)].concat()
}

fn queue_key(ends: i128, granter: &[u8], grantee: &[u8]) -> Result<Vec<u8>> {
    let time = times::sortable(ends).ok_or_else(|| {
        AppError::invalid_request("expiration: expected a time in the years 0 to 9999")
    })?;
    Ok([&[QUEUE][..], &time, &key(granter, grantee)[1..]].concat())
}

/// The grant of an allowance.
///
/// # Errors
/// sdk/38 when there is none, sdk/11.
pub fn grant_of(ctx: &Ctx, granter: &[u8], grantee: &[u8]) -> Result<Grant> {
    let bytes = ctx.get(STORE, &key(granter, grantee))?;
    let bytes = bytes.ok_or_else(|| AppError::not_found("fee-grant not found"))?;
    Grant::decode(bytes.as_slice()).map_err(AppError::tx_decode)
}

fn emit(ctx: &Ctx, kind: &str, granter: &[u8], grantee: &[u8]) -> Result<()> {
    let (granter, grantee) = (human(ctx, granter)?, human(ctx, grantee)?);
    let event = Event::new(kind).attr("granter", granter);
    ctx.emit(event.attr("grantee", grantee));
    Ok(())
}

fn store(ctx: &Ctx, granter: &[u8], grantee: &[u8], allowance: &Allowance) -> Result<()> {
    let grant = Grant {
        granter: human(ctx, granter)?,
        grantee: human(ctx, grantee)?,
        allowance: Some(allowance.to_any()),
    };
    ctx.set(STORE, &key(granter, grantee), grant.encode_to_vec())
}

/// Grants an allowance, which the caller has checked; there is none yet.
///
/// # Errors
/// sdk/18 when its end has passed, sdk/11.
pub fn grant(ctx: &Ctx, granter: &[u8], grantee: &[u8], allowance: &Allowance) -> Result<()> {
    auth::keeper::ensure_account(ctx, grantee)?;
    if let Some(ends) = allowance.expires() {
        if ends < i128::from(ctx.block.time_ns) {
            return Err(AppError::invalid_request(
                "expiration is before current block time",
            ));
        }
        ctx.set(STORE, &queue_key(ends, granter, grantee)?, Vec::new())?;
    }
    store(ctx, granter, grantee, allowance)?;
    emit(ctx, "set_feegrant", granter, grantee)
}

/// Takes an allowance back. Unlike the SDK, which looks for it under the wrong key, this takes it from the queue too:
/// a later one between the two must not end with it.
///
/// # Errors
/// sdk/38 when there is none, sdk/11.
pub fn revoke(ctx: &Ctx, granter: &[u8], grantee: &[u8]) -> Result<()> {
    let grant = grant_of(ctx, granter, grantee)?;
    ctx.remove(STORE, &key(granter, grantee))?;
    if let Some(ends) = Allowance::decode(grant.allowance.as_ref())?.expires() {
        ctx.remove(STORE, &queue_key(ends, granter, grantee)?)?;
    }
    emit(ctx, "revoke_feegrant", granter, grantee)
}

/// Spends a fee from the granter's allowance to the grantee, on messages of these types. The caller takes the coins.
///
/// # Errors
/// sdk/38 when there is no allowance, feegrant's when it does not allow this, sdk/11.
pub fn use_fees(
    ctx: &Ctx,
    granter: &[u8],
    grantee: &[u8],
    fee: &[(String, u128)],
    messages: &[&str],
) -> Result<()> {
    let grant = grant_of(ctx, granter, grantee)?;
    let mut allowance = Allowance::decode(grant.allowance.as_ref())?;
    let spent = allowance.accept(ctx, fee, messages)?;
    if spent {
        revoke(ctx, granter, grantee)?;
        return emit(ctx, "use_feegrant", granter, grantee);
    }
    emit(ctx, "use_feegrant", granter, grantee)?;
    store(ctx, granter, grantee, &allowance)?;
    emit(ctx, "update_feegrant", granter, grantee)
}

/// Removes at most `most` allowances that have ended.
///
/// # Errors
/// sdk/11.
pub fn prune(ctx: &Ctx, most: usize) -> Result<()> {
    let now = times::sortable(i128::from(ctx.block.time_ns)).unwrap_or_default();
    // The end is included.
    let end = [&[QUEUE][..], &now, &[0xff]].concat();
    for _ in 0..most {
        let Some((queued, _)) = ctx.seek(STORE, &[QUEUE], Some(&end), Order::Ascending)? else {
            break;
        };
        ctx.remove(STORE, &queued)?;
        let addresses = queued.get(1 + TIME..).unwrap_or_default();
        ctx.remove(STORE, &[&[ALLOWANCE], addresses].concat())?;
    }
    Ok(())
}

/// Removes what has ended, after a block's transactions.
///
/// # Errors
/// When the store is broken.
pub fn end_block(ctx: &Ctx) -> Result<()> {
    prune(ctx, MAX_ENDS)
}
