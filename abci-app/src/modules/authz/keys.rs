//! Keys, as the SDK has them: `0x01 len(granter) granter len(grantee) grantee type -> Grant`, and the queue of their
//! ends: `0x02 time len(granter) granter len(grantee) grantee -> GrantQueueItem`.

use crate::{
    codec::times,
    error::{AppError, Result},
};

/// What the keys of grants begin with.
pub(super) const GRANT: u8 = 0x01;
/// What the keys of the queue begin with.
pub(super) const QUEUE: u8 = 0x02;
/// Bytes of a time in a key.
const TIME: usize = 29;

/// An address with its length before it; addresses are 20 or 32 bytes.
fn prefixed(addr: &[u8]) -> Vec<u8> {
    [&[addr.len().to_le_bytes()[0]], addr].concat()
}

/// What the keys of a granter's grants begin with.
pub(super) fn of_granter(granter: &[u8]) -> Vec<u8> {
    [&[GRANT][..], &prefixed(granter)].concat()
}

/// What the keys of one's grants to another begin with.
pub(super) fn of_pair(granter: &[u8], grantee: &[u8]) -> Vec<u8> {
    [of_granter(granter), prefixed(grantee)].concat()
}

/// The key of a grant.
pub(super) fn grant(granter: &[u8], grantee: &[u8], message: &str) -> Vec<u8> {
    [of_pair(granter, grantee).as_slice(), message.as_bytes()].concat()
}

/// Granter, grantee and the rest of a key, its first byte not counted.
pub(super) fn parts(key: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    fn address(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
        let (length, rest) = bytes.split_first()?;
        rest.split_at_checked(usize::from(*length))
    }
    let (granter, rest) = address(key)?;
    let (grantee, rest) = address(rest)?;
    Some((granter, grantee, rest))
}

/// The key of the queue of what ends at a time.
///
/// # Errors
/// sdk/18 when the time is beyond what keys can say.
pub(super) fn queue(ends: i128, granter: &[u8], grantee: &[u8]) -> Result<Vec<u8>> {
    let time = times::sortable(ends).ok_or_else(|| {
        AppError::invalid_request("expiration: expected a time in the years 0 to 9999")
    })?;
    Ok([&[QUEUE][..], &time, &of_pair(granter, grantee)[1..]].concat())
}

/// The granter and the grantee in a key of the queue.
pub(super) fn queued(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let (granter, grantee, _) = parts(key.get(1 + TIME..)?)?;
    Some((granter, grantee))
}
