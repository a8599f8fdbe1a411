//! Where records lie, byte for byte as in the SDK (`x/staking/types/keys.go`), so that clients with proofs find them.

use crate::codec::times;

/// A validator's last power, by operator.
pub const LAST_POWER: u8 = 0x11;
/// The sum of the last powers.
pub const LAST_TOTAL_POWER: &[u8] = &[0x12];
/// Validators by operator.
pub const VALIDATOR: u8 = 0x21;
/// Operators by their key's address.
pub const BY_CONS: u8 = 0x22;
/// Operators by power.
pub const BY_POWER: u8 = 0x23;
/// Delegations by delegator and operator.
pub const DELEGATION: u8 = 0x31;
/// Unbonding delegations by delegator and operator.
pub const UNBONDING: u8 = 0x32;
/// The same by operator and delegator; no value.
pub const UNBONDING_BY_VALIDATOR: u8 = 0x33;
/// Redelegations by delegator, source and destination.
pub const REDELEGATION: u8 = 0x34;
/// The same by source, delegator and destination; no value.
pub const REDELEGATION_BY_SOURCE: u8 = 0x35;
/// The same by destination, delegator and source; no value.
pub const REDELEGATION_BY_DESTINATION: u8 = 0x36;
/// The last id of something that unbonds.
pub const UNBONDING_ID: &[u8] = &[0x37];
/// What unbonds, by id: its key.
pub const UNBONDING_INDEX: u8 = 0x38;
/// What kind of thing unbonds, by id.
pub const UNBONDING_TYPE: u8 = 0x39;
/// Unbonding delegations by the time they are due.
pub const UNBONDING_QUEUE: u8 = 0x41;
/// Redelegations by the time they are due.
pub const REDELEGATION_QUEUE: u8 = 0x42;
/// Unbonding validators by time and height.
pub const VALIDATOR_QUEUE: u8 = 0x43;
/// What is kept of a height.
pub const HISTORY: u8 = 0x50;
/// The parameters.
pub const PARAMS: &[u8] = &[0x51];
/// Delegators by operator; no value.
pub const DELEGATION_BY_VALIDATOR: u8 = 0x71;

/// A prefix and addresses, each with its length.
pub fn of(prefix: u8, addresses: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![prefix];
    for address in addresses {
        // Addresses are 20 or 32 bytes.
        key.push(address.len().to_le_bytes()[0]);
        key.extend_from_slice(address);
    }
    key
}

/// The addresses of a key that [`of`] made; fewer when it was not.
pub fn addresses(key: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut out) = (key.get(1..).unwrap_or_default(), Vec::new());
    while let Some((len, tail)) = rest.split_first() {
        let Some((address, left)) = tail.split_at_checked(usize::from(*len)) else {
            break;
        };
        out.push(address.to_vec());
        rest = left;
    }
    out
}

/// A delegator in the index by validator: it stands without its length.
pub fn delegation_by_validator(operator: &[u8], delegator: &[u8]) -> Vec<u8> {
    [
        of(DELEGATION_BY_VALIDATOR, &[operator]).as_slice(),
        delegator,
    ]
    .concat()
}

/// The place of a power: of equals the smaller operator comes last, and the index is read from its end.
pub fn by_power(power: u64, operator: &[u8]) -> Vec<u8> {
    let inverted: Vec<u8> = operator.iter().map(|b| !b).collect();
    let mut key = vec![BY_POWER];
    key.extend_from_slice(&power.to_be_bytes());
    key.push(operator.len().to_le_bytes()[0]);
    key.extend_from_slice(&inverted);
    key
}

/// A prefix and a number.
pub fn number(prefix: u8, n: u64) -> Vec<u8> {
    [&[prefix], n.to_be_bytes().as_slice()].concat()
}

/// A prefix and a time, as the SDK writes times that sort: `2006-01-02T15:04:05.000000000`.
pub fn time(prefix: u8, time_ns: u64) -> Vec<u8> {
    [&[prefix], sortable(time_ns).as_bytes()].concat()
}

/// The place in the queue of validators.
pub fn validator_queue(time_ns: u64, height: u64) -> Vec<u8> {
    let time = sortable(time_ns);
    let mut key = vec![VALIDATOR_QUEUE];
    key.extend_from_slice(&(time.len() as u64).to_be_bytes());
    key.extend_from_slice(time.as_bytes());
    key.extend_from_slice(&height.to_be_bytes());
    key
}

/// The time of a place in the queue of validators, and its height. `None` for another key.
pub fn parse_validator_queue(key: &[u8]) -> Option<(String, u64)> {
    let (time, height) = key.get(9..)?.split_at_checked(29)?;
    let height = u64::from_be_bytes(height.try_into().ok()?);
    Some((String::from_utf8(time.to_vec()).ok()?, height))
}

/// A time that sorts as text.
pub fn sortable(time_ns: u64) -> String {
    // Every `u64` of nanoseconds is before the year 9999.
    let text = times::sortable(i128::from(time_ns)).unwrap_or_default();
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_sdks() {
        assert_eq!(
            sortable(1_700_000_000_000_000_001),
            "2023-11-14T22:13:20.000000001"
        );
        let queued = validator_queue(1_700_000_000_000_000_001, 7);
        assert_eq!(queued[..9], [0x43, 0, 0, 0, 0, 0, 0, 0, 29]);
        assert_eq!(
            parse_validator_queue(&queued),
            Some(("2023-11-14T22:13:20.000000001".into(), 7))
        );
        assert_eq!(
            by_power(258, &[0, 255]),
            [0x23, 0, 0, 0, 0, 0, 0, 1, 2, 2, 255, 0]
        );
        assert!(
            by_power(1, &[1]) > by_power(1, &[2]),
            "of equals the smaller operator is found first"
        );
        assert_eq!(
            addresses(&of(DELEGATION, &[&[1, 2], &[3]])),
            [vec![1, 2], vec![3]]
        );
    }
}
