//! Keys of the store, laid out as the SDK's. Addresses stand behind their length.

/// The community pool.
pub(super) const FEE_POOL: &[u8] = &[0x00];
/// The last proposer's key address.
pub(super) const PROPOSER: &[u8] = &[0x01];
/// `validator ->` what its delegators and it have not withdrawn.
pub(super) const OUTSTANDING: u8 = 0x02;
/// `delegator ->` where its rewards go.
pub(super) const WITHDRAW_ADDR: u8 = 0x03;
/// `validator delegator ->` since when.
pub(super) const STARTING_INFO: u8 = 0x04;
/// `validator period ->` rewards for one token up to the end of the period. The period is little endian.
pub(super) const HISTORICAL: u8 = 0x05;
/// `validator ->` the rewards of the running period.
pub(super) const CURRENT: u8 = 0x06;
/// `validator ->` the commission that it has not withdrawn.
pub(super) const COMMISSION: u8 = 0x07;
/// `validator height period ->` a slash. Big endian.
pub(super) const SLASH: u8 = 0x08;
/// The parameters.
pub(super) const PARAMS: &[u8] = &[0x09];

/// A key of one address.
pub(super) fn of(prefix: u8, addr: &[u8]) -> Vec<u8> {
    // Addresses are 20 or 32 bytes.
    [&[prefix, addr.len().to_le_bytes()[0]], addr].concat()
}

/// Since when a delegation earns.
pub(super) fn starting_info(val: &[u8], del: &[u8]) -> Vec<u8> {
    let mut key = of(STARTING_INFO, val);
    key.push(del.len().to_le_bytes()[0]);
    key.extend_from_slice(del);
    key
}

/// A period of a validator.
pub(super) fn historical(val: &[u8], period: u64) -> Vec<u8> {
    [of(HISTORICAL, val), period.to_le_bytes().to_vec()].concat()
}

/// The slashes of a validator at a height.
pub(super) fn slashes_at(val: &[u8], height: u64) -> Vec<u8> {
    [of(SLASH, val), height.to_be_bytes().to_vec()].concat()
}

/// A slash.
pub(super) fn slash(val: &[u8], height: u64, period: u64) -> Vec<u8> {
    [slashes_at(val, height), period.to_be_bytes().to_vec()].concat()
}

/// The address of a key, and what follows it. Both are empty in a broken store.
pub(super) fn split(key: &[u8]) -> (&[u8], &[u8]) {
    let len = usize::from(key.get(1).copied().unwrap_or(0));
    key.get(2..)
        .and_then(|rest| rest.split_at_checked(len))
        .unwrap_or_default()
}
