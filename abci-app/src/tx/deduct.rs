//! The fee: whether it is enough for this node, who pays it, and taking it. Allowances are feegrant's.

use super::{
    fees::{self, GasPrice},
    signers::Signer,
};
use crate::{
    codec::{
        address,
        coins::{self, Coins},
        tx::DecodedTx,
    },
    ctx::{Ctx, Event, Mode},
    error::{AppError, Result},
    modules::{auth, bank, feegrant},
};

/// Takes the fee of a transaction from its payer: the one it names, who is among its signers, or its first signer.
///
/// # Errors
/// sdk/13 when it is less than this node asks for or no coins at all, sdk/5 when the payer has too little, sdk/9 when
/// there is no such account.
pub(super) fn fee(
    ctx: &Ctx,
    tx: &DecodedTx,
    signers: &[Signer],
    prices: &[GasPrice],
) -> Result<()> {
    let fee = parse(tx)?;
    if ctx.mode == Mode::Check {
        fees::check(prices, &fee, tx.fee.gas_limit)?;
    }
    let payer = signers
        .iter()
        .find(|s| tx.fee.payer.is_empty() || s.text == tx.fee.payer)
        .ok_or_else(|| AppError::unauthorized("fee payer: expected a signer"))?;
    let (mut from, mut name) = (payer.addr.clone(), payer.text.clone());
    let mut exists = payer.account.is_some();
    if !tx.fee.granter.is_empty() && tx.fee.granter != name {
        let granter = auth::keeper::addr(ctx, &tx.fee.granter)?;
        let messages: Vec<_> = tx.messages().iter().map(|m| m.type_url.as_str()).collect();
        feegrant::keeper::use_fees(ctx, &granter, &from, &fee, &messages).map_err(|e| {
            if e.is_out_of_gas() {
                return e;
            }
            let log = format!(
                "{} does not allow to pay fees for {name}: {}",
                tx.fee.granter, e.log
            );
            AppError { log, ..e }
        })?;
        exists = auth::keeper::account(ctx, &granter)?.is_some();
        (from, name) = (granter, tx.fee.granter.clone());
    }
    if !exists {
        return Err(AppError::unknown_address(format_args!(
            "fee payer address: {name} does not exist"
        )));
    }
    if ctx.mode == Mode::Simulate && fee.is_empty() {
        rehearse(ctx, &from)?;
    }
    take(ctx, &from, &fee)?;
    ctx.emit(
        Event::new("tx")
            .attr("fee", coins::display(&fee))
            .attr("fee_payer", name),
    );
    Ok(())
}

/// The fee's coins. Coins of nothing are no fee: wallets at a gas price of zero send them.
fn parse(tx: &DecodedTx) -> Result<Coins> {
    if tx.fee.amount.iter().all(|c| c.amount == "0") {
        return Ok(Coins::new());
    }
    coins::check(&tx.fee.amount)
        .map_err(|e| AppError::insufficient_fee(format_args!("invalid fee amount: {e}")))
}

fn take(ctx: &Ctx, from: &[u8], fee: &Coins) -> Result<()> {
    if fee.is_empty() {
        return Ok(());
    }
    bank::keeper::send(ctx, from, &address::module("fee_collector"), fee).map_err(|e| {
        if e.is_out_of_gas() {
            e
        } else {
            AppError::insufficient_funds(e)
        }
    })
}

/// Wallets simulate without a fee and pay one afterwards: what taking it will cost has to be in the estimate.
fn rehearse(ctx: &Ctx, payer: &[u8]) -> Result<()> {
    let Some((denom, _)) = bank::keeper::all_balances(ctx, payer)?.into_iter().next() else {
        return Ok(());
    };
    let rehearsal: Result<(), Option<AppError>> = ctx.atomically(|ctx| {
        // Whatever comes of it is dropped; only its gas counts.
        Err(bank::keeper::send(ctx, payer, &address::module("fee_collector"), &[(denom, 1)]).err())
    });
    match rehearsal {
        Err(Some(e)) if e.is_out_of_gas() => Err(e),
        _ => Ok(()),
    }
}
