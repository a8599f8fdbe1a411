//! Accounts in the store. Layout as the SDK's: `0x01 address -> Any(BaseAccount)`.

use crate::{
    codec::{address, type_url},
    ctx::Ctx,
    error::{AppError, Result},
    store::StoreKey,
};
use cosmos_sdk_proto::{
    Any,
    cosmos::auth::v1beta1::{BaseAccount, Params},
};
use prost::Message;

/// An account.
pub type Account = BaseAccount;

const STORE: StoreKey = StoreKey::Auth;
const PARAMS: &[u8] = &[0x00];
const ACCOUNT: u8 = 0x01;
const NEXT_NUMBER: &[u8] = b"globalAccountNumber";
const PREFIX: &[u8] = b"bech32Prefix";

/// The first byte of an account's key, for scans.
pub(super) const ACCOUNT_PREFIX: [u8; 1] = [ACCOUNT];

fn key(addr: &[u8]) -> Vec<u8> {
    [&[ACCOUNT], addr].concat()
}

/// The chain's bech32 prefix. Free of gas: in the SDK it is compiled in.
///
/// # Errors
/// sdk/7 before genesis.
pub fn prefix(ctx: &Ctx) -> Result<String> {
    ctx.with_layers(|l| l.get(STORE, PREFIX))
        .and_then(|b| String::from_utf8(b).ok())
        .ok_or_else(|| {
            AppError::invalid_address("the chain has no address prefix: expected a genesis")
        })
}

/// The SDK's parameters, for a chain whose genesis says nothing.
pub const fn default_params() -> Params {
    Params {
        max_memo_characters: 256,
        tx_sig_limit: 7,
        tx_size_cost_per_byte: 10,
        sig_verify_cost_ed25519: 590,
        sig_verify_cost_secp256k1: 1_000,
    }
}

/// The parameters. Free of gas: every transaction looks at them.
///
/// # Errors
/// sdk/2 when the store holds something else: a broken node.
pub fn params(ctx: &Ctx) -> Result<Params> {
    match ctx.with_layers(|l| l.get(STORE, PARAMS)) {
        None => Ok(default_params()),
        Some(bytes) => Params::decode(bytes.as_slice()).map_err(AppError::tx_decode),
    }
}

/// Set the parameters. The caller has checked who may.
///
/// # Errors
/// sdk/18 when one is not in its range, sdk/11.
pub fn set_params(ctx: &Ctx, params: &Params) -> Result<()> {
    for (name, value) in [
        ("tx signature limit", params.tx_sig_limit),
        (
            "SECK256k1 signature verification cost",
            params.sig_verify_cost_secp256k1,
        ),
        (
            "ED25519 signature verification cost",
            params.sig_verify_cost_ed25519,
        ),
        ("max memo characters", params.max_memo_characters),
        ("tx size cost per byte", params.tx_size_cost_per_byte),
    ] {
        if value == 0 {
            return Err(AppError::invalid_request(format_args!(
                "invalid {name}: {value}"
            )));
        }
    }
    ctx.set(STORE, PARAMS, params.encode_to_vec())
}

/// Set the prefix. Genesis only.
pub(super) fn set_prefix(ctx: &Ctx, prefix: &str) {
    ctx.with_layers(|l| l.set(STORE, PREFIX, prefix.as_bytes().to_vec()));
}

/// The bytes of an address of this chain.
///
/// # Errors
/// sdk/7.
pub fn addr(ctx: &Ctx, text: &str) -> Result<Vec<u8>> {
    address::decode(&prefix(ctx)?, text)
}

/// The text of an address.
///
/// # Errors
/// sdk/7.
pub fn human(ctx: &Ctx, addr: &[u8]) -> Result<String> {
    address::encode(&prefix(ctx)?, addr)
}

/// The account at `addr`.
///
/// # Errors
/// sdk/11.
pub fn account(ctx: &Ctx, addr: &[u8]) -> Result<Option<BaseAccount>> {
    ctx.get(STORE, &key(addr))?
        .map(|bytes| decode(&bytes))
        .transpose()
}

/// Decodes a stored account.
///
/// # Errors
/// sdk/2 when the store holds something else: a broken node.
pub(super) fn decode(bytes: &[u8]) -> Result<BaseAccount> {
    let any = Any::decode(bytes).map_err(AppError::tx_decode)?;
    BaseAccount::decode(any.value.as_slice()).map_err(AppError::tx_decode)
}

/// As the `Any` that clients unpack.
pub fn to_any(account: &BaseAccount) -> Any {
    Any {
        type_url: type_url::<BaseAccount>(),
        value: account.encode_to_vec(),
    }
}

/// Store an account.
///
/// # Errors
/// sdk/11.
pub fn set_account(ctx: &Ctx, addr: &[u8], account: &BaseAccount) -> Result<()> {
    ctx.set(STORE, &key(addr), to_any(account).encode_to_vec())
}

/// The account at `addr`, made if there is none.
///
/// # Errors
/// sdk/11.
pub fn ensure_account(ctx: &Ctx, addr: &[u8]) -> Result<BaseAccount> {
    if let Some(account) = account(ctx, addr)? {
        return Ok(account);
    }
    let number = next_number(ctx)?;
    let account = BaseAccount {
        address: human(ctx, addr)?,
        pub_key: None,
        account_number: number,
        sequence: 0,
    };
    set_account(ctx, addr, &account)?;
    Ok(account)
}

fn next_number(ctx: &Ctx) -> Result<u64> {
    let next = ctx
        .get(STORE, NEXT_NUMBER)?
        .and_then(|b| b.try_into().ok())
        .map_or(0, u64::from_be_bytes);
    ctx.set(STORE, NEXT_NUMBER, (next + 1).to_be_bytes().to_vec())?;
    Ok(next)
}

/// See that numbers given from now on are above `number`. Genesis only.
///
/// # Errors
/// sdk/11.
pub(super) fn reserve_number(ctx: &Ctx, number: u64) -> Result<()> {
    let next = ctx
        .get(STORE, NEXT_NUMBER)?
        .and_then(|b| b.try_into().ok())
        .map_or(0, u64::from_be_bytes);
    if number >= next {
        ctx.set(STORE, NEXT_NUMBER, (number + 1).to_be_bytes().to_vec())?;
    }
    Ok(())
}
