//! Accounts in the store. Layout as the SDK's: `0x01 address -> Any`, and `accountNumber number -> address`.

pub use super::account::Account;
use super::account::Kind;
use crate::{
    codec::{address, coins::Coins},
    ctx::Ctx,
    error::{AppError, Result},
    store::StoreKey,
};
use cosmos_sdk_proto::{Any, cosmos::auth::v1beta1::Params};
use prost::Message;

const STORE: StoreKey = StoreKey::Auth;
const PARAMS: &[u8] = &[0x00];
const ACCOUNT: u8 = 0x01;
const BY_NUMBER: &[u8] = b"accountNumber";
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

/// Whether `authority` is the gov module, which alone may change most modules' parameters.
///
/// # Errors
/// gov/13 when it is not.
pub fn check_gov(ctx: &Ctx, authority: &str) -> Result<()> {
    let gov = human(ctx, &address::module("gov"))?;
    if authority == gov {
        return Ok(());
    }
    let log = format!(
        "invalid authority; expected {gov}, got {authority}: expected gov account as only signer for proposal message"
    );
    Err(AppError::new("gov", 13, log))
}

/// The account at `addr`.
///
/// # Errors
/// sdk/11.
pub fn account(ctx: &Ctx, addr: &[u8]) -> Result<Option<Account>> {
    ctx.get(STORE, &key(addr))?
        .map(|bytes| decode(&bytes))
        .transpose()
}

/// Decodes a stored account.
///
/// # Errors
/// sdk/2 when the store holds something else: a broken node.
pub(super) fn decode(bytes: &[u8]) -> Result<Account> {
    Account::from_any(&Any::decode(bytes).map_err(AppError::tx_decode)?)
}

/// Store an account.
///
/// # Errors
/// sdk/11.
pub fn set_account(ctx: &Ctx, addr: &[u8], account: &Account) -> Result<()> {
    ctx.set(STORE, &key(addr), account.to_any().encode_to_vec())
}

fn by_number(number: u64) -> Vec<u8> {
    [BY_NUMBER, &number.to_be_bytes()].concat()
}

/// Note whose number it is. Free of gas: it is paid for with the account.
pub(super) fn index(ctx: &Ctx, number: u64, addr: &[u8]) {
    ctx.with_layers(|l| l.set(STORE, &by_number(number), addr.to_vec()));
}

/// Whose account has a number.
///
/// # Errors
/// sdk/11.
pub fn address_of_number(ctx: &Ctx, number: u64) -> Result<Option<Vec<u8>>> {
    ctx.get(STORE, &by_number(number))
}

/// The block's time, seconds since the Unix epoch.
pub fn now(ctx: &Ctx) -> i64 {
    i64::try_from(ctx.block.time_ns / 1_000_000_000).unwrap_or(i64::MAX)
}

/// What an account may not spend now. Free of gas: every transfer asks for it, and only vesting accounts have any.
///
/// # Errors
/// When the account is broken.
pub fn locked(ctx: &Ctx, addr: &[u8]) -> Result<Coins> {
    let Some(bytes) = ctx.with_layers(|l| l.get(STORE, &key(addr))) else {
        return Ok(Coins::new());
    };
    let any = Any::decode(bytes.as_slice()).map_err(AppError::tx_decode)?;
    if !any.type_url.starts_with("/cosmos.vesting.") {
        return Ok(Coins::new());
    }
    match Account::from_any(&any)?.kind {
        Kind::Vesting(vesting) => vesting.locked(now(ctx)),
        _ => Ok(Coins::new()),
    }
}

/// Notes that an account delegates coins, of a balance it had before; they may be locked ones.
///
/// # Errors
/// sdk/9 when there is no account, sdk/5, sdk/11.
pub fn track_delegation(
    ctx: &Ctx,
    addr: &[u8],
    balance: &[(String, u128)],
    amount: &[(String, u128)],
) -> Result<()> {
    let mut account = tracked(ctx, addr)?;
    if let Kind::Vesting(vesting) = &mut account.kind {
        vesting.delegate(now(ctx), balance, amount)?;
        set_account(ctx, addr, &account)?;
    }
    Ok(())
}

/// Notes that an account's coins are delegated no more.
///
/// # Errors
/// sdk/9 when there is no account, sdk/11.
pub fn track_undelegation(ctx: &Ctx, addr: &[u8], amount: &[(String, u128)]) -> Result<()> {
    let mut account = tracked(ctx, addr)?;
    if let Kind::Vesting(vesting) = &mut account.kind {
        vesting.undelegate(amount);
        set_account(ctx, addr, &account)?;
    }
    Ok(())
}

fn tracked(ctx: &Ctx, addr: &[u8]) -> Result<Account> {
    if let Some(account) = account(ctx, addr)? {
        return Ok(account);
    }
    let text = human(ctx, addr)?;
    Err(AppError::unknown_address(format_args!(
        "account {text} does not exist"
    )))
}

/// The account at `addr`, made if there is none.
///
/// # Errors
/// sdk/11.
pub fn ensure_account(ctx: &Ctx, addr: &[u8]) -> Result<Account> {
    if let Some(account) = account(ctx, addr)? {
        return Ok(account);
    }
    let number = next_number(ctx)?;
    let account = Account::new(addr, human(ctx, addr)?, number);
    set_account(ctx, addr, &account)?;
    index(ctx, number, addr);
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
        let next = number.checked_add(1).ok_or_else(|| {
            AppError::invalid_request(format_args!("account_number: expected less, got {number}"))
        })?;
        ctx.set(STORE, NEXT_NUMBER, next.to_be_bytes().to_vec())?;
    }
    Ok(())
}
