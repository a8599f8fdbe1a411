//! Keys, as the SDK's collections have them; numbers are big-endian, times sortable texts:
//! `0x00 id -> Proposal`, `0x01 end id -> id` (those voted on), `0x02 end id -> id` (those that need deposits),
//! `0x03 -> next id`, `0x04 id -> 1` (those voted on), `0x10 id len(address) address -> Deposit`,
//! `0x20 id len(address) address -> Vote`, `0x30 -> Params`, `0x31 -> constitution`.

use crate::{codec::times, error::Result};

use super::error::plain;

pub(super) const PROPOSAL: u8 = 0x00;
pub(super) const ACTIVE: u8 = 0x01;
pub(super) const INACTIVE: u8 = 0x02;
pub(super) const NEXT_ID: &[u8] = &[0x03];
pub(super) const VOTED_ON: u8 = 0x04;
pub(super) const DEPOSIT: u8 = 0x10;
pub(super) const VOTE: u8 = 0x20;
pub(super) const PARAMS: &[u8] = &[0x30];
pub(super) const CONSTITUTION: &[u8] = &[0x31];

/// What belongs to a proposal: its own record, and the beginning of its deposits' and votes'.
pub(super) fn of(prefix: u8, id: u64) -> Vec<u8> {
    [&[prefix][..], &id.to_be_bytes()].concat()
}

/// A deposit's or vote's record.
pub(super) fn by(prefix: u8, id: u64, who: &[u8]) -> Vec<u8> {
    // Addresses are 20 or 32 bytes.
    [&of(prefix, id)[..], &[who.len().to_le_bytes()[0]], who].concat()
}

/// The address at the end of such a key, after what [`of`] gives.
pub(super) fn who(key: &[u8]) -> &[u8] {
    key.get(10..).unwrap_or_default()
}

/// The beginning of a queue's entries of a time.
///
/// # Errors
/// undefined/1 when the time is beyond what keys can say.
pub(super) fn until(queue: u8, end: i128) -> Result<Vec<u8>> {
    let time = times::sortable(end)
        .ok_or_else(|| plain("gov: expected a time in the years 0 to 9999, got another"))?;
    Ok([&[queue][..], &time].concat())
}

/// An entry of a queue.
///
/// # Errors
/// undefined/1 when the time is beyond what keys can say.
pub(super) fn queued(queue: u8, end: i128, id: u64) -> Result<Vec<u8>> {
    Ok([until(queue, end)?.as_slice(), &id.to_be_bytes()].concat())
}
