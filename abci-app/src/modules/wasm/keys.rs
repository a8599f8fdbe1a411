//! Keys of the wasm store, with wasmd's prefixes.

/// `0x01 | code id` -> `CodeInfo`.
pub(super) const CODE: u8 = 0x01;
/// `0x02 | address` -> `ContractInfo`.
pub(super) const CONTRACT: u8 = 0x02;
/// `0x03 | address | key` -> a contract's own state.
pub(super) const CONTRACT_STORE: u8 = 0x03;
/// `0x05 | address | position` -> `ContractCodeHistoryEntry`.
const HISTORY: u8 = 0x05;
/// `0x06 | code id | height | tx index | address` -> empty.
const BY_CODE: u8 = 0x06;
/// `0x07 | code id` -> 1.
pub(super) const PINNED: u8 = 0x07;
/// `0x09 | address length | creator | height | tx index | address` -> empty.
const BY_CREATOR: u8 = 0x09;
/// -> `Params`.
pub(super) const PARAMS: &[u8] = &[0x10];
/// -> the next code id, big endian.
pub(super) const SEQ_CODE: &[u8] = b"\x04lastCodeId";
/// -> the next instance id, big endian.
pub(super) const SEQ_INSTANCE: &[u8] = b"\x04lastContractId";
/// Length of `height | tx index`.
pub(super) const POSITION_LEN: usize = 16;

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// A code.
pub(super) fn code(id: u64) -> Vec<u8> {
    join(&[&[CODE], &id.to_be_bytes()])
}

/// A contract.
pub(super) fn contract(addr: &[u8]) -> Vec<u8> {
    join(&[&[CONTRACT], addr])
}

/// What precedes the keys of a contract's own state.
pub(super) fn contract_store(addr: &[u8]) -> Vec<u8> {
    join(&[&[CONTRACT_STORE], addr])
}

/// What precedes a contract's history.
pub(super) fn history_prefix(addr: &[u8]) -> Vec<u8> {
    join(&[&[HISTORY], addr])
}

/// One entry of a contract's history.
pub(super) fn history(addr: &[u8], position: u64) -> Vec<u8> {
    join(&[&[HISTORY], addr, &position.to_be_bytes()])
}

/// What precedes a code's contracts.
pub(super) fn by_code_prefix(code_id: u64) -> Vec<u8> {
    join(&[&[BY_CODE], &code_id.to_be_bytes()])
}

/// One of a code's contracts.
pub(super) fn by_code(code_id: u64, height: u64, tx_index: u64, addr: &[u8]) -> Vec<u8> {
    join(&[
        &[BY_CODE],
        &code_id.to_be_bytes(),
        &height.to_be_bytes(),
        &tx_index.to_be_bytes(),
        addr,
    ])
}

/// What precedes a creator's contracts. Addresses are at most 255 bytes.
pub(super) fn by_creator_prefix(creator: &[u8]) -> Vec<u8> {
    join(&[
        &[BY_CREATOR, u8::try_from(creator.len()).unwrap_or(u8::MAX)],
        creator,
    ])
}

/// One of a creator's contracts.
pub(super) fn by_creator(creator: &[u8], height: u64, tx_index: u64, addr: &[u8]) -> Vec<u8> {
    join(&[
        &by_creator_prefix(creator),
        &height.to_be_bytes(),
        &tx_index.to_be_bytes(),
        addr,
    ])
}

/// The mark of a code that is pinned on chain.
pub(super) fn pinned(code_id: u64) -> Vec<u8> {
    join(&[&[PINNED], &code_id.to_be_bytes()])
}
