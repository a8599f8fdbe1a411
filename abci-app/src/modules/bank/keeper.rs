//! Balances in the store: `0x02 len(address) address denom -> amount`; supply: `0x00 denom -> amount`. Amounts are
//! decimal texts, as the SDK writes them.

use crate::{
    codec::{
        address,
        coins::{self, Coins},
    },
    ctx::{Ctx, Event},
    error::{AppError, Result},
    modules::auth,
    store::{Order, StoreKey, prefix_end},
};

const STORE: StoreKey = StoreKey::Bank;
const SUPPLY: u8 = 0x00;
const METADATA: u8 = 0x01;
const BALANCE: u8 = 0x02;

pub(super) fn balances_of(addr: &[u8]) -> Vec<u8> {
    // Addresses are 20 or 32 bytes.
    [&[BALANCE, addr.len().to_le_bytes()[0]], addr].concat()
}

pub(super) const ALL_BALANCES: [u8; 1] = [BALANCE];
pub(super) const ALL_SUPPLY: [u8; 1] = [SUPPLY];
pub(super) const ALL_METADATA: [u8; 1] = [METADATA];

pub(super) fn metadata_key(denom: &str) -> Vec<u8> {
    [&[METADATA], denom.as_bytes()].concat()
}

pub(super) fn parse(bytes: Option<Vec<u8>>) -> Result<u128> {
    match bytes {
        None => Ok(0),
        Some(b) => coins::amount(&String::from_utf8_lossy(&b)),
    }
}

/// One balance.
///
/// # Errors
/// sdk/11.
pub fn balance(ctx: &Ctx, addr: &[u8], denom: &str) -> Result<u128> {
    parse(ctx.get(STORE, &[&balances_of(addr), denom.as_bytes()].concat())?)
}

/// Every balance of an account, by denom.
///
/// # Errors
/// sdk/11.
pub fn all_balances(ctx: &Ctx, addr: &[u8]) -> Result<Coins> {
    let prefix = balances_of(addr);
    let (mut from, end) = (prefix.clone(), prefix_end(&prefix));
    let mut out = Coins::new();
    while let Some((key, value)) = ctx.seek(STORE, &from, end.as_deref(), Order::Ascending)? {
        out.push((
            String::from_utf8_lossy(&key[prefix.len()..]).into_owned(),
            parse(Some(value))?,
        ));
        from = [key.as_slice(), &[0]].concat();
    }
    Ok(out)
}

fn set_balance(ctx: &Ctx, addr: &[u8], denom: &str, amount: u128) -> Result<()> {
    let key = [&balances_of(addr), denom.as_bytes()].concat();
    if amount == 0 {
        ctx.remove(STORE, &key)
    } else {
        ctx.set(STORE, &key, amount.to_string().into_bytes())
    }
}

/// The supply of a denom.
///
/// # Errors
/// sdk/11.
pub fn supply_of(ctx: &Ctx, denom: &str) -> Result<u128> {
    parse(ctx.get(STORE, &[&[SUPPLY], denom.as_bytes()].concat())?)
}

fn set_supply(ctx: &Ctx, denom: &str, amount: u128) -> Result<()> {
    let key = [&[SUPPLY], denom.as_bytes()].concat();
    if amount == 0 {
        ctx.remove(STORE, &key)
    } else {
        ctx.set(STORE, &key, amount.to_string().into_bytes())
    }
}

/// Takes coins that may be spent.
fn subtract(ctx: &Ctx, addr: &[u8], coins: &[(String, u128)]) -> Result<()> {
    let locked = auth::keeper::locked(ctx, addr)?;
    for (denom, amount) in coins {
        let have = balance(ctx, addr, denom)?;
        let locked = locked
            .iter()
            .find(|(d, _)| d == denom)
            .map_or(0, |(_, a)| *a);
        let spendable = have.checked_sub(locked).ok_or_else(|| {
            AppError::insufficient_funds(format_args!(
                "locked amount exceeds account balance funds: {locked}{denom} > {have}{denom}"
            ))
        })?;
        if spendable < *amount {
            return Err(AppError::insufficient_funds(format_args!(
                "spendable balance {spendable}{denom} is smaller than {amount}{denom}"
            )));
        }
        set_balance(ctx, addr, denom, have - amount)?;
    }
    spent(ctx, addr, coins)
}

fn spent(ctx: &Ctx, addr: &[u8], coins: &[(String, u128)]) -> Result<()> {
    ctx.emit(
        Event::new("coin_spent")
            .attr("spender", auth::keeper::human(ctx, addr)?)
            .attr("amount", coins::display(coins)),
    );
    Ok(())
}

fn add(ctx: &Ctx, addr: &[u8], coins: &[(String, u128)]) -> Result<()> {
    for (denom, amount) in coins {
        let sum = balance(ctx, addr, denom)?
            .checked_add(*amount)
            .ok_or_else(|| {
                AppError::invalid_coins(format_args!("{denom}: a balance above 2^128"))
            })?;
        set_balance(ctx, addr, denom, sum)?;
    }
    ctx.emit(
        Event::new("coin_received")
            .attr("receiver", auth::keeper::human(ctx, addr)?)
            .attr("amount", coins::display(coins)),
    );
    Ok(())
}

/// The modules whose accounts nobody may send to: their records would not know of it. The fee collector takes what
/// contracts give to stakers, and gov deposits.
const BLOCKED: [&str; 4] = [
    "bonded_tokens_pool",
    "distribution",
    "mint",
    "not_bonded_tokens_pool",
];

/// Whether an account may not be sent to (`BlockedAddr`).
pub fn is_blocked(addr: &[u8]) -> bool {
    BLOCKED.iter().any(|name| address::module(name) == addr)
}

/// Whether a message may send to an account.
///
/// # Errors
/// sdk/4 for the account of a module that must not be sent to.
pub fn check_recipient(ctx: &Ctx, to: &[u8]) -> Result<()> {
    if is_blocked(to) {
        return Err(AppError::unauthorized(format_args!(
            "{} is not allowed to receive funds",
            auth::keeper::human(ctx, to)?
        )));
    }
    Ok(())
}

/// Moves coins, and makes the recipient's account if there is none. The caller has checked who signed.
///
/// # Errors
/// sdk/5 when the balance is too small, sdk/11.
pub fn send(ctx: &Ctx, from: &[u8], to: &[u8], coins: &[(String, u128)]) -> Result<()> {
    subtract(ctx, from, coins)?;
    add(ctx, to, coins)?;
    auth::keeper::ensure_account(ctx, to)?;
    let sender = auth::keeper::human(ctx, from)?;
    ctx.emit(
        Event::new("transfer")
            .attr("recipient", auth::keeper::human(ctx, to)?)
            .attr("sender", sender.clone())
            .attr("amount", coins::display(coins)),
    );
    ctx.emit(Event::new("message").attr("sender", sender));
    Ok(())
}

/// Moves coins to the module that holds delegations; locked ones may be delegated too (`DelegateCoins`).
///
/// # Errors
/// sdk/5 when the balance is too small, sdk/9 when there is no account, sdk/11.
pub fn delegate(ctx: &Ctx, from: &[u8], module: &[u8], coins: &[(String, u128)]) -> Result<()> {
    let mut had = Coins::new();
    for (denom, amount) in coins {
        let have = balance(ctx, from, denom)?;
        let left = have.checked_sub(*amount).ok_or_else(|| {
            AppError::insufficient_funds(format_args!(
                "failed to delegate; {have}{denom} is smaller than {amount}{denom}"
            ))
        })?;
        had.push((denom.clone(), have));
        set_balance(ctx, from, denom, left)?;
    }
    auth::keeper::track_delegation(ctx, from, &had, coins)?;
    spent(ctx, from, coins)?;
    add(ctx, module, coins)
}

/// Moves coins back from the module that holds delegations (`UndelegateCoins`).
///
/// # Errors
/// sdk/5 when the module has too few, sdk/9 when there is no account, sdk/11.
pub fn undelegate(ctx: &Ctx, module: &[u8], to: &[u8], coins: &[(String, u128)]) -> Result<()> {
    subtract(ctx, module, coins)?;
    auth::keeper::track_undelegation(ctx, to, coins)?;
    add(ctx, to, coins)
}

/// What an account may spend now, by denom.
///
/// # Errors
/// sdk/11.
pub fn spendable(ctx: &Ctx, addr: &[u8]) -> Result<Coins> {
    let (all, locked) = (all_balances(ctx, addr)?, auth::keeper::locked(ctx, addr)?);
    Ok(coins::minus(&all, &locked).unwrap_or_default())
}

/// Destroys coins.
///
/// # Errors
/// sdk/5 when the balance is too small, sdk/11.
pub fn burn(ctx: &Ctx, from: &[u8], coins: &[(String, u128)]) -> Result<()> {
    subtract(ctx, from, coins)?;
    for (denom, amount) in coins {
        let left = supply_of(ctx, denom)?.checked_sub(*amount).ok_or_else(|| {
            AppError::insufficient_funds(format_args!("supply of {denom} is smaller than {amount}"))
        })?;
        set_supply(ctx, denom, left)?;
    }
    ctx.emit(
        Event::new("burn")
            .attr("burner", auth::keeper::human(ctx, from)?)
            .attr("amount", coins::display(coins)),
    );
    Ok(())
}

/// Makes coins for a module's account (`MintCoins`).
///
/// # Errors
/// sdk/10 when a sum exceeds 128 bits.
pub fn mint_coins(ctx: &Ctx, to: &[u8], coins: &[(String, u128)]) -> Result<()> {
    mint(ctx, to, coins)?;
    let (minter, amount) = (auth::keeper::human(ctx, to)?, coins::display(coins));
    ctx.emit(
        Event::new("coin_received")
            .attr("receiver", minter.clone())
            .attr("amount", amount.clone()),
    );
    ctx.emit(
        Event::new("coinbase")
            .attr("minter", minter)
            .attr("amount", amount),
    );
    Ok(())
}

/// Makes coins, without events. Genesis, and [`mint_coins`].
///
/// # Errors
/// sdk/10 when a sum exceeds 128 bits.
pub(super) fn mint(ctx: &Ctx, to: &[u8], coins: &[(String, u128)]) -> Result<()> {
    for (denom, amount) in coins {
        let overflow = || AppError::invalid_coins(format_args!("{denom}: a sum above 2^128"));
        let balance = balance(ctx, to, denom)?
            .checked_add(*amount)
            .ok_or_else(overflow)?;
        let supply = supply_of(ctx, denom)?
            .checked_add(*amount)
            .ok_or_else(overflow)?;
        set_balance(ctx, to, denom, balance)?;
        set_supply(ctx, denom, supply)?;
    }
    Ok(())
}
