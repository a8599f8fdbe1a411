//! A bank for tests: balances in the bank store, moved and checked as the SDK's does, without its parameters.

use super::super::{Account, Chain, WasmModule};
use crate::{
    ctx::{Ctx, Event},
    error::{AppError, Result},
    store::{StoreKey, prefix_end},
};
use cosmos_sdk_proto::{
    Any,
    cosmos::{bank::v1beta1::Metadata, base::v1beta1::Coin},
};

pub struct TestChain;

fn key(addr: &[u8], denom: &str) -> Vec<u8> {
    [addr, b"/", denom.as_bytes()].concat()
}

fn amount(ctx: &Ctx, addr: &[u8], denom: &str) -> Result<u128> {
    Ok(ctx
        .get(StoreKey::Bank, &key(addr, denom))?
        .map_or(0, |b| u128::from_be_bytes(b.try_into().unwrap())))
}

pub fn set(ctx: &Ctx, addr: &[u8], denom: &str, amount: u128) -> Result<()> {
    ctx.set(
        StoreKey::Bank,
        &key(addr, denom),
        amount.to_be_bytes().to_vec(),
    )
}

fn take(ctx: &Ctx, from: &[u8], c: &Coin) -> Result<u128> {
    let (n, have) = (c.amount.parse().unwrap(), amount(ctx, from, &c.denom)?);
    let left = have.checked_sub(n).ok_or_else(|| {
        AppError::insufficient_funds(format_args!(
            "spendable balance {have}{} is smaller than {n}",
            c.denom
        ))
    })?;
    set(ctx, from, &c.denom, left)?;
    Ok(n)
}

impl Chain for TestChain {
    fn prefix(&self, _: &Ctx) -> Result<String> {
        Ok("ember".into())
    }

    fn account(&self, ctx: &Ctx, addr: &[u8]) -> Result<Account> {
        Ok(match ctx.get(StoreKey::Auth, addr)?.as_deref() {
            None => Account::Absent,
            Some(b"claimed") => Account::Claimed,
            Some(_) => Account::Unused,
        })
    }

    fn create_account(&self, ctx: &Ctx, addr: &[u8]) -> Result<()> {
        ctx.set(StoreKey::Auth, addr, b"unused".to_vec())
    }

    fn send(&self, ctx: &Ctx, from: &[u8], to: &[u8], coins: &[Coin]) -> Result<()> {
        for c in coins {
            let n = take(ctx, from, c)?;
            set(ctx, to, &c.denom, amount(ctx, to, &c.denom)? + n)?;
            ctx.emit(Event::new("transfer").attr("amount", format!("{n}{}", c.denom)));
            ctx.emit(Event::new("message").attr("sender", "somebody"));
        }
        Ok(())
    }

    fn burn(&self, ctx: &Ctx, from: &[u8], coins: &[Coin]) -> Result<()> {
        coins
            .iter()
            .try_for_each(|c| take(ctx, from, c).map(|_| ()))
    }

    fn balance(&self, ctx: &Ctx, addr: &[u8], denom: &str) -> Result<Coin> {
        Ok(super::coin(amount(ctx, addr, denom)?, denom))
    }

    fn all_balances(&self, ctx: &Ctx, addr: &[u8]) -> Result<Vec<Coin>> {
        let prefix = key(addr, "");
        let end = prefix_end(&prefix);
        let pairs = ctx.with_layers(|l| l.scan(StoreKey::Bank, &prefix, end.as_deref()));
        pairs
            .into_iter()
            .map(|(k, _)| self.balance(ctx, addr, std::str::from_utf8(&k[prefix.len()..]).unwrap()))
            .collect()
    }

    fn supply(&self, _: &Ctx, denom: &str) -> Result<Coin> {
        Ok(super::coin(1000, denom))
    }

    fn denom_metadata(&self, _: &Ctx, _: &str) -> Result<Option<Metadata>> {
        Ok(None)
    }

    fn ask(&self, _: &Ctx, path: &str, _: &[u8]) -> Result<Vec<u8>> {
        Err(AppError::unknown_request(path))
    }

    fn signers(&self, wasm: &WasmModule, msg: &Any) -> Result<Vec<String>> {
        wasm.signers(&msg.type_url, &msg.value)
    }

    fn handle(&self, ctx: &Ctx, wasm: &WasmModule, msg: &Any) -> Result<Any> {
        let (type_url, value) = wasm.handle_msg(ctx, &msg.type_url, &msg.value)?;
        Ok(Any { type_url, value })
    }
}
