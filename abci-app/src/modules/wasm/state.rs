//! The module's records in the wasm store: codes, contracts, their history and indexes, sequences, parameters.

use super::{
    fail::{Code, Fail, Res},
    keys,
};
use crate::{
    ctx::Ctx,
    store::{Order, StoreKey, prefix_end},
};
use cosmos_sdk_proto::cosmwasm::wasm::v1::{
    AbsoluteTxPosition, AccessConfig, AccessType, CodeInfo, ContractCodeHistoryEntry, ContractInfo,
    Params,
};
use cosmwasm_std::Checksum;
use prost::Message;

const STORE: StoreKey = StoreKey::Wasm;

/// A record this module wrote and cannot read: the store is not this chain's.
fn corrupt(what: &str, e: impl std::fmt::Display) -> Fail {
    Fail::new(Code::Invalid, format_args!("stored {what}: {e}"))
}

fn read<T: Message + Default>(ctx: &Ctx, key: &[u8], what: &str) -> Res<Option<T>> {
    match ctx.get(STORE, key)? {
        Some(bytes) => T::decode(bytes.as_slice())
            .map(Some)
            .map_err(|e| corrupt(what, e)),
        None => Ok(None),
    }
}

/// A code.
pub(super) fn code(ctx: &Ctx, id: u64) -> Res<Option<CodeInfo>> {
    read(ctx, &keys::code(id), "code info")
}

/// A code that must be there.
///
/// # Errors
/// wasm/28.
pub(super) fn must_code(ctx: &Ctx, id: u64) -> Res<CodeInfo> {
    code(ctx, id)?.ok_or_else(|| Fail::no_such_code(id))
}

/// Store a code.
pub(super) fn set_code(ctx: &Ctx, id: u64, info: &CodeInfo) -> Res<()> {
    Ok(ctx.set(STORE, &keys::code(id), info.encode_to_vec())?)
}

/// The checksum of a code.
pub(super) fn checksum(info: &CodeInfo) -> Res<Checksum> {
    Checksum::try_from(info.code_hash.as_slice()).map_err(|e| corrupt("code hash", e))
}

/// A contract.
pub(super) fn contract(ctx: &Ctx, addr: &[u8]) -> Res<Option<ContractInfo>> {
    read(ctx, &keys::contract(addr), "contract info")
}

/// Whether there is a contract.
pub(super) fn has_contract(ctx: &Ctx, addr: &[u8]) -> Res<bool> {
    Ok(ctx.has(STORE, &keys::contract(addr))?)
}

/// Store a contract.
pub(super) fn set_contract(ctx: &Ctx, addr: &[u8], info: &ContractInfo) -> Res<()> {
    Ok(ctx.set(STORE, &keys::contract(addr), info.encode_to_vec())?)
}

fn position(entry: &ContractCodeHistoryEntry) -> (u64, u64) {
    entry
        .updated
        .as_ref()
        .map_or((0, 0), |p| (p.block_height, p.tx_index))
}

/// List a contract under its code.
pub(super) fn add_by_code(ctx: &Ctx, addr: &[u8], entry: &ContractCodeHistoryEntry) -> Res<()> {
    let (height, index) = position(entry);
    Ok(ctx.set(
        STORE,
        &keys::by_code(entry.code_id, height, index, addr),
        Vec::new(),
    )?)
}

/// Take a contract off its code's list.
pub(super) fn remove_by_code(ctx: &Ctx, addr: &[u8], entry: &ContractCodeHistoryEntry) -> Res<()> {
    let (height, index) = position(entry);
    Ok(ctx.remove(STORE, &keys::by_code(entry.code_id, height, index, addr))?)
}

/// List a contract under its creator.
pub(super) fn add_by_creator(
    ctx: &Ctx,
    creator: &[u8],
    addr: &[u8],
    entry: &ContractCodeHistoryEntry,
) -> Res<()> {
    let (height, index) = position(entry);
    Ok(ctx.set(
        STORE,
        &keys::by_creator(creator, height, index, addr),
        Vec::new(),
    )?)
}

/// The newest entry of a contract's history and its position.
pub(super) fn last_history(ctx: &Ctx, addr: &[u8]) -> Res<Option<(u64, ContractCodeHistoryEntry)>> {
    let prefix = keys::history_prefix(addr);
    let (mut to, want) = (prefix_end(&prefix), prefix.len() + 8);
    // Addresses have several lengths: a longer one that starts like this one is not this one.
    while let Some((key, value)) = ctx.seek(STORE, &prefix, to.as_deref(), Order::Descending)? {
        if key.len() == want {
            let entry = ContractCodeHistoryEntry::decode(value.as_slice())
                .map_err(|e| corrupt("contract history", e))?;
            return Ok(Some((tail_u64(&key), entry)));
        }
        to = Some(key);
    }
    Ok(None)
}

/// Add to a contract's history.
pub(super) fn append_history(ctx: &Ctx, addr: &[u8], entry: &ContractCodeHistoryEntry) -> Res<()> {
    let last = last_history(ctx, addr)?.map_or(0, |(position, _)| position);
    Ok(ctx.set(
        STORE,
        &keys::history(addr, last.saturating_add(1)),
        entry.encode_to_vec(),
    )?)
}

/// The number in a key's last eight bytes.
pub(super) fn tail_u64(key: &[u8]) -> u64 {
    key.last_chunk::<8>().map_or(0, |b| u64::from_be_bytes(*b))
}

/// The next number of a sequence, which is not taken.
pub(super) fn peek_sequence(ctx: &Ctx, key: &[u8]) -> Res<u64> {
    match ctx.get(STORE, key)? {
        Some(bytes) => <[u8; 8]>::try_from(bytes.as_slice())
            .map(u64::from_be_bytes)
            .map_err(|_| {
                corrupt(
                    "sequence",
                    format_args!("expected 8 bytes, got {}", bytes.len()),
                )
            }),
        None => Ok(1),
    }
}

/// Set the next number of a sequence.
pub(super) fn set_sequence(ctx: &Ctx, key: &[u8], next: u64) -> Res<()> {
    Ok(ctx.set(STORE, key, next.to_be_bytes().to_vec())?)
}

/// Take the next number of a sequence.
pub(super) fn next_sequence(ctx: &Ctx, key: &[u8]) -> Res<u64> {
    let id = peek_sequence(ctx, key)?;
    let next = id
        .checked_add(1)
        .ok_or_else(|| Fail::new(Code::Limit, "sequence"))?;
    set_sequence(ctx, key, next)?;
    Ok(id)
}

/// Whether a code is pinned on chain. What a node keeps in memory is another matter.
pub(super) fn is_pinned(ctx: &Ctx, code_id: u64) -> Res<bool> {
    Ok(ctx.has(STORE, &keys::pinned(code_id))?)
}

/// Pin a code on chain.
pub(super) fn set_pinned(ctx: &Ctx, code_id: u64) -> Res<()> {
    Ok(ctx.set(STORE, &keys::pinned(code_id), vec![1])?)
}

/// Unpin a code on chain.
pub(super) fn remove_pinned(ctx: &Ctx, code_id: u64) -> Res<()> {
    Ok(ctx.remove(STORE, &keys::pinned(code_id))?)
}

/// The parameters; wasmd's defaults before genesis.
pub(super) fn params(ctx: &Ctx) -> Res<Params> {
    Ok(
        read(ctx, keys::PARAMS, "params")?.unwrap_or_else(|| Params {
            code_upload_access: Some(AccessConfig {
                permission: AccessType::Everybody as i32,
                addresses: Vec::new(),
            }),
            instantiate_default_permission: AccessType::Everybody as i32,
        }),
    )
}

/// Set the parameters.
pub(super) fn set_params(ctx: &Ctx, params: &Params) -> Res<()> {
    Ok(ctx.set(STORE, keys::PARAMS, params.encode_to_vec())?)
}

/// Where the chain is. The second number orders what happens inside a block, as wasmd's does (gas there, which is
/// no transaction's number either): here it is the transaction's place.
pub(super) fn now(ctx: &Ctx) -> AbsoluteTxPosition {
    let tx_index = ctx.tx.as_ref().map_or(0, |tx| u64::from(tx.index));
    AbsoluteTxPosition {
        block_height: ctx.block.height,
        tx_index,
    }
}
