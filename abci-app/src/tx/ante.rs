//! The checks before the messages, in the SDK's order, with the SDK's codes, texts, gas and events.

use super::{deduct, fees::GasPrice, signers, sigs::Verified};
use crate::{
    codec::tx::DecodedTx,
    ctx::{Ctx, Mode},
    error::{AppError, Result},
    modules::auth,
};
use cosmos_sdk_proto::cosmos::auth::v1beta1::Params;

/// What the ante looks at beside the transaction.
pub struct Ante<'a> {
    /// The node's least gas prices; looked at by CheckTx only.
    pub min_gas_prices: &'a [GasPrice],
    /// Signatures known to be good.
    pub verified: &'a Verified,
    /// Most gas of a block.
    pub max_block_gas: Option<u64>,
}

/// Checks a transaction, takes its fee and steps its signers' sequences. `signers` are the messages' signers and the
/// fee's payer, in order, each once.
///
/// # Errors
/// The SDK's.
pub fn check(ctx: &Ctx, tx: &DecodedTx, signers: &[String], ante: &Ante<'_>) -> Result<()> {
    let params = auth::keeper::params(ctx)?;
    basics(ctx, tx, ante)?;
    timeouts(ctx, tx)?;
    memo(tx, &params)?;
    ctx.consume_gas(
        params.tx_size_cost_per_byte.saturating_mul(tx.size as u64),
        "txSize",
    )?;
    // Bounds what comes next: nobody pays for the signatures of others.
    if tx.signatures.len() != signers.len() || tx.signers.len() != signers.len() {
        return Err(AppError::unauthorized(format_args!(
            "invalid number of signer;  expected: {}, got {}",
            signers.len(),
            tx.signatures.len()
        )));
    }
    let mut signers = signers::load(ctx, tx, signers)?;
    if ctx.mode == Mode::Simulate {
        signers::size_gas(ctx, &signers, &params)?;
    }
    deduct::fee(ctx, tx, &signers, ante.min_gas_prices)?;
    signers::check(ctx, tx, &mut signers, &params, ante.verified)
}

fn basics(ctx: &Ctx, tx: &DecodedTx, ante: &Ante<'_>) -> Result<()> {
    if tx.messages().is_empty() {
        return Err(AppError::invalid_request(
            "must contain at least one message",
        ));
    }
    if let Some(max) = ante.max_block_gas
        && tx.fee.gas_limit > max
    {
        return Err(AppError::invalid_gas_limit(format_args!(
            "tx gas limit {} exceeds block max gas {max}",
            tx.fee.gas_limit
        )));
    }
    if !tx.body.extension_options.is_empty() {
        return Err(AppError::new("sdk", 31, "unknown extension options"));
    }
    if tx.fee.gas_limit > i64::MAX as u64 {
        return Err(AppError::invalid_request(format_args!(
            "invalid gas supplied; {} > {}",
            tx.fee.gas_limit,
            i64::MAX
        )));
    }
    if let Some(coin) = tx.fee.amount.iter().find(|c| c.amount.starts_with('-')) {
        return Err(AppError::insufficient_fee(format_args!(
            "invalid fee provided: {}{}",
            coin.amount.chars().take(60).collect::<String>(),
            coin.denom.chars().take(130).collect::<String>()
        )));
    }
    if tx.signatures.is_empty() {
        return Err(AppError::new("sdk", 15, "no signatures supplied"));
    }
    if tx.body.unordered {
        return Err(AppError::not_supported(
            "unordered transactions are not enabled",
        ));
    }
    if tx.fee.gas_limit == 0 && ctx.mode != Mode::Simulate {
        return Err(AppError::invalid_gas_limit("must provide positive gas"));
    }
    Ok(())
}

fn timeouts(ctx: &Ctx, tx: &DecodedTx) -> Result<()> {
    let timeout = tx.body.timeout_height;
    if timeout != 0 && ctx.block.height > timeout {
        return Err(AppError::timeout_height(format_args!(
            "block height: {}, timeout height: {timeout}",
            ctx.block.height
        )));
    }
    let Some(timeout) = &tx.body.timeout_timestamp else {
        return Ok(());
    };
    let last = i128::from(timeout.seconds) * 1_000_000_000 + i128::from(timeout.nanos);
    if timeout.seconds != 0 && last < i128::from(ctx.block.time_ns) {
        return Err(AppError::timeout(format_args!(
            "block time: {}, timeout timestamp: {}",
            go_time(i128::from(ctx.block.time_ns)),
            go_time(last)
        )));
    }
    Ok(())
}

/// A time as Go prints it.
fn go_time(nanos: i128) -> String {
    let Ok(t) = time::OffsetDateTime::from_unix_timestamp_nanos(nanos) else {
        return format!("{nanos} ns since 1970");
    };
    let (date, clock) = (t.date(), t.time());
    let fraction = match t.nanosecond() {
        0 => String::new(),
        n => format!(".{n:09}").trim_end_matches('0').to_owned(),
    };
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}{fraction} +0000 UTC",
        date.year(),
        u8::from(date.month()),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second()
    )
}

fn memo(tx: &DecodedTx, params: &Params) -> Result<()> {
    let length = tx.body.memo.len();
    if length as u64 > params.max_memo_characters {
        return Err(AppError::memo_too_large(format_args!(
            "maximum number of characters is {} but received {length} characters",
            params.max_memo_characters
        )));
    }
    Ok(())
}
