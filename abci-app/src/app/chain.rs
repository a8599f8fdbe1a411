//! What the wasm module needs of the modules below it.

use super::router::Modules;
use crate::{
    codec::{address, coins},
    ctx::Ctx,
    error::{AppError, Result},
    modules::{
        auth, bank, distribution,
        router::Router,
        wasm::{Account, Chain, WasmModule},
    },
};
use cosmos_sdk_proto::{
    Any,
    cosmos::{bank::v1beta1::Metadata, base::v1beta1::Coin},
};

/// The chain's own auth and bank.
#[derive(Debug, Clone, Copy)]
pub struct Below;

fn coin(denom: &str, amount: u128) -> Coin {
    Coin {
        denom: denom.to_owned(),
        amount: amount.to_string(),
    }
}

impl Chain for Below {
    fn prefix(&self, ctx: &Ctx) -> Result<String> {
        auth::keeper::prefix(ctx)
    }

    fn account(&self, ctx: &Ctx, addr: &[u8]) -> Result<Account> {
        Ok(match auth::keeper::account(ctx, addr)? {
            None => Account::Absent,
            Some(a) if a.pub_key.is_none() && a.sequence == 0 => Account::Unused,
            Some(_) => Account::Claimed,
        })
    }

    fn create_account(&self, ctx: &Ctx, addr: &[u8]) -> Result<()> {
        auth::keeper::ensure_account(ctx, addr).map(drop)
    }

    fn send(&self, ctx: &Ctx, from: &[u8], to: &[u8], coins: &[Coin]) -> Result<()> {
        let coins = coins::check(coins)?;
        if coins.is_empty() {
            return Err(AppError::invalid_coins("expected coins, got none"));
        }
        bank::enabled::check(ctx, &coins)?;
        bank::keeper::check_recipient(ctx, to)?;
        bank::keeper::send(ctx, from, to, &coins)
    }

    fn burn(&self, ctx: &Ctx, from: &[u8], coins: &[Coin]) -> Result<()> {
        bank::keeper::burn(ctx, from, &coins::check(coins)?)
    }

    fn balance(&self, ctx: &Ctx, addr: &[u8], denom: &str) -> Result<Coin> {
        Ok(coin(denom, bank::keeper::balance(ctx, addr, denom)?))
    }

    fn all_balances(&self, ctx: &Ctx, addr: &[u8]) -> Result<Vec<Coin>> {
        Ok(coins::to_proto(&bank::keeper::all_balances(ctx, addr)?))
    }

    fn supply(&self, ctx: &Ctx, denom: &str) -> Result<Coin> {
        Ok(coin(denom, bank::keeper::supply_of(ctx, denom)?))
    }

    fn denom_metadata(&self, ctx: &Ctx, denom: &str) -> Result<Option<Metadata>> {
        bank::query::find_metadata(ctx, denom)
    }

    fn ask(&self, ctx: &Ctx, path: &str, data: &[u8]) -> Result<Vec<u8>> {
        distribution::query::query(ctx, path, data).unwrap_or_else(|| {
            Err(AppError::unknown_request(format_args!(
                "unknown query path: {path}"
            )))
        })
    }

    fn signers(&self, wasm: &WasmModule, msg: &Any) -> Result<Vec<String>> {
        Modules { wasm }.signers(msg)
    }

    fn handle(&self, ctx: &Ctx, wasm: &WasmModule, msg: &Any) -> Result<Any> {
        Modules { wasm }.handle(ctx, msg)
    }
}

/// The account that fees go to.
pub fn fee_collector() -> Vec<u8> {
    address::module("fee_collector")
}
