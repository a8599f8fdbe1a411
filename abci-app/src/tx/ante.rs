//! The checks before the messages, in the SDK's order, with the SDK's codes, texts, gas and events.

use super::{
    fees::{self, GasPrice},
    sigs::{self, Verified},
};
use crate::{
    codec::{address, coins, tx::DecodedTx},
    ctx::{Ctx, Event, Mode},
    error::{AppError, Result},
    gas::cost,
    modules::{auth, bank},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        auth::v1beta1::BaseAccount,
        crypto::secp256k1::PubKey,
        tx::{
            signing::v1beta1::SignMode,
            v1beta1::{ModeInfo, mode_info},
        },
    },
};
use prost::Message;

/// Longest memo, bytes.
const MAX_MEMO: usize = 256;
/// What a signature and a fee add to the bytes of a simulated transaction, for each signer.
const UNSIGNED_BYTES: u64 = 120;
/// Most signers.
const MAX_SIGNERS: usize = 7;

/// What the ante looks at beside the transaction.
pub struct Ante<'a> {
    /// The node's least gas prices; looked at by CheckTx only.
    pub min_gas_prices: &'a [GasPrice],
    /// Signatures known to be good.
    pub verified: &'a Verified,
    /// Most gas of a block.
    pub max_block_gas: Option<u64>,
}

/// Checks a transaction, takes its fee and steps its signers' sequences. `signers` are the messages' signers, in
/// order, each once.
///
/// # Errors
/// The SDK's.
pub fn check(ctx: &Ctx, tx: &DecodedTx, signers: &[String], ante: &Ante<'_>) -> Result<()> {
    basics(ctx, tx, signers, ante)?;
    ctx.consume_gas(cost::TX_BYTE * tx.size as u64, "txSize")?;
    if ctx.mode == Mode::Simulate {
        // The signatures and the fee that the real transaction will carry.
        ctx.consume_gas(
            cost::TX_BYTE * UNSIGNED_BYTES * signers.len() as u64,
            "txSize",
        )?;
    }
    deduct_fee(ctx, tx, signers, ante)?;
    for (i, signer) in signers.iter().enumerate() {
        signature(ctx, tx, signer, i, ante)?;
    }
    Ok(())
}

fn basics(ctx: &Ctx, tx: &DecodedTx, signers: &[String], ante: &Ante<'_>) -> Result<()> {
    if tx.messages().is_empty() {
        return Err(AppError::invalid_request(
            "must contain at least one message",
        ));
    }
    if tx.fee.gas_limit == 0 && ctx.mode != Mode::Simulate {
        return Err(AppError::invalid_gas_limit("must provide positive gas"));
    }
    if let Some(max) = ante.max_block_gas
        && tx.fee.gas_limit > max
    {
        return Err(AppError::invalid_gas_limit(format_args!(
            "tx gas limit {} exceeds block max gas {max}",
            tx.fee.gas_limit
        )));
    }
    if tx.signatures.is_empty() {
        return Err(AppError::no_signatures("expected signatures, got none"));
    }
    if signers.len() > MAX_SIGNERS {
        return Err(AppError::too_many_signatures(format_args!(
            "signatures: {}, limit: {MAX_SIGNERS}",
            signers.len()
        )));
    }
    if tx.signatures.len() != signers.len() || tx.signers.len() != signers.len() {
        return Err(AppError::unauthorized(format_args!(
            "invalid number of signer;  expected: {}, got {}",
            signers.len(),
            tx.signatures.len()
        )));
    }
    let timeout = tx.body.timeout_height;
    if timeout != 0 && ctx.block.height > timeout {
        return Err(AppError::timeout_height(format_args!(
            "block height: {}, timeout height: {timeout}",
            ctx.block.height
        )));
    }
    if tx.body.memo.len() > MAX_MEMO {
        return Err(AppError::memo_too_large(format_args!(
            "maximum number of characters is {MAX_MEMO} but received {} characters",
            tx.body.memo.len()
        )));
    }
    Ok(())
}

fn deduct_fee(ctx: &Ctx, tx: &DecodedTx, signers: &[String], ante: &Ante<'_>) -> Result<()> {
    let fee = coins::check(&tx.fee.amount)?;
    if ctx.mode == Mode::Check {
        fees::check(ante.min_gas_prices, &fee, tx.fee.gas_limit)?;
    }
    if !tx.fee.granter.is_empty() {
        return Err(AppError::not_supported(
            "expected no fee granter, got one: fee grants are not enabled",
        ));
    }
    let first = signers.first().map(String::as_str).unwrap_or_default();
    if !tx.fee.payer.is_empty() && tx.fee.payer != first {
        return Err(AppError::not_supported(format_args!(
            "fee payer: expected the first signer {first}, got {}",
            tx.fee.payer
        )));
    }
    let payer = auth::keeper::addr(ctx, first)?;
    if auth::keeper::account(ctx, &payer)?.is_none() {
        return Err(AppError::unknown_address(format_args!(
            "fee payer address: {first} does not exist"
        )));
    }
    if ctx.mode == Mode::Simulate && fee.is_empty() {
        rehearse_fee(ctx, &payer)?;
    }
    if !fee.is_empty() {
        bank::keeper::send(ctx, &payer, &address::module("fee_collector"), &fee)?;
    }
    ctx.emit(
        Event::new("tx")
            .attr("fee", coins::display(&fee))
            .attr("fee_payer", first),
    );
    Ok(())
}

/// Wallets simulate without a fee and pay one afterwards: what taking it will cost has to be in the estimate.
fn rehearse_fee(ctx: &Ctx, payer: &[u8]) -> Result<()> {
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

fn signature(ctx: &Ctx, tx: &DecodedTx, signer: &str, i: usize, ante: &Ante<'_>) -> Result<()> {
    let addr = auth::keeper::addr(ctx, signer)?;
    let mut account = auth::keeper::account(ctx, &addr)?.ok_or_else(|| {
        AppError::unknown_address(format_args!("account {signer} does not exist"))
    })?;
    let info = &tx.signers[i];
    let simulate = ctx.mode == Mode::Simulate;
    let key = public_key(&account, info.public_key.as_ref(), &addr, signer, simulate)?;
    ctx.consume_gas(cost::SECP256K1, "ante verify: secp256k1")?;
    if info.sequence != account.sequence {
        return Err(AppError::wrong_sequence(format_args!(
            "account sequence mismatch, expected {}, got {}",
            account.sequence, info.sequence
        )));
    }
    if !simulate {
        direct(info.mode_info.as_ref())?;
    }
    // A recheck looks at what earlier transactions changed; a signature is not among that.
    if !simulate && ctx.mode != Mode::Recheck {
        let number = if ctx.block.height == 0 {
            0
        } else {
            account.account_number
        };
        let bytes = tx.sign_bytes(&ctx.block.chain_id, number);
        let ok = key
            .as_ref()
            .is_some_and(|k| ante.verified.verify(k, &bytes, &tx.signatures[i]));
        if !ok {
            return Err(AppError::unauthorized(format_args!(
                "signature verification failed; please verify account number ({}), sequence ({}) and chain-id ({})",
                account.account_number, account.sequence, ctx.block.chain_id
            )));
        }
    }
    ctx.emit(Event::new("tx").attr("acc_seq", format!("{signer}/{}", account.sequence)));
    ctx.emit(Event::new("tx").attr("signature", STANDARD.encode(&tx.signatures[i])));
    if let (None, Some(key)) = (&account.pub_key, key) {
        account.pub_key = Some(Any {
            type_url: sigs::SECP256K1.into(),
            value: PubKey { key }.encode_to_vec(),
        });
    }
    account.sequence += 1;
    auth::keeper::set_account(ctx, &addr, &account)
}

/// The signer's key: the one it brought, which must be the account's, or the one that is on record.
fn public_key(
    account: &BaseAccount,
    brought: Option<&Any>,
    addr: &[u8],
    signer: &str,
    simulate: bool,
) -> Result<Option<Vec<u8>>> {
    let decode = |any: &Any| -> Result<Vec<u8>> {
        if any.type_url != sigs::SECP256K1 {
            return Err(AppError::invalid_pubkey(format_args!(
                "expected {}, got {}",
                sigs::SECP256K1,
                any.type_url
            )));
        }
        Ok(PubKey::decode(any.value.as_slice())
            .map_err(AppError::invalid_pubkey)?
            .key)
    };
    let on_record = account.pub_key.as_ref().map(decode).transpose()?;
    match (brought, on_record) {
        // A simulation may bring an empty key.
        (Some(any), on_record) if !(simulate && any.value.is_empty()) => {
            let key = decode(any)?;
            if simulate && key.is_empty() {
                return Ok(on_record);
            }
            if sigs::address_of(&key) != addr {
                return Err(AppError::invalid_pubkey(format_args!(
                    "pubKey does not match signer address {signer}"
                )));
            }
            Ok(Some(key))
        }
        (_, Some(key)) => Ok(Some(key)),
        (_, None) if simulate => Ok(None),
        (_, None) => Err(AppError::invalid_pubkey(
            "account pubkey is not set, and the transaction brings none",
        )),
    }
}

fn direct(mode: Option<&ModeInfo>) -> Result<()> {
    let got = match mode.and_then(|m| m.sum.as_ref()) {
        Some(mode_info::Sum::Single(s)) if s.mode == SignMode::Direct as i32 => return Ok(()),
        Some(mode_info::Sum::Single(s)) => SignMode::try_from(s.mode)
            .map_or("unknown", |m| m.as_str_name())
            .to_owned(),
        Some(mode_info::Sum::Multi(_)) => "a multisignature".to_owned(),
        None => "none".to_owned(),
    };
    Err(AppError::not_supported(format_args!(
        "sign mode: expected SIGN_MODE_DIRECT, got {got}"
    )))
}
