//! The signers: their keys, how many they are, what checking them costs, their sequences and signatures.

use super::{
    keys::PublicKey,
    sigs::{self, SigData, Verified},
};
use crate::{
    codec::tx::DecodedTx,
    ctx::{Ctx, Event, Mode},
    error::{AppError, Result},
    modules::auth::{self, keeper::Account},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use cosmos_sdk_proto::cosmos::{auth::v1beta1::Params, tx::signing::v1beta1::SignMode};
use prost::encoding::encoded_len_varint;

/// One signer of a transaction.
pub(super) struct Signer {
    /// The address, in text.
    pub text: String,
    /// The address.
    pub addr: Vec<u8>,
    /// The account, where there is one.
    pub account: Option<Account>,
    /// The key that the transaction brings.
    brought: Option<PublicKey>,
    /// The account's key.
    on_record: Option<PublicKey>,
    sequence: u64,
    sig: SigData,
}

/// The signers of a transaction; there are as many signatures as signers.
///
/// # Errors
/// sdk/2 and sdk/8 for keys that are none, sdk/4 for signatures that are none.
pub(super) fn load(ctx: &Ctx, tx: &DecodedTx, signers: &[String]) -> Result<Vec<Signer>> {
    let infos = tx.signers.iter().zip(&tx.signatures);
    let signers = signers.iter().zip(infos);
    signers
        .map(|(text, (info, signature))| {
            let addr = auth::keeper::addr(ctx, text)?;
            let account = auth::keeper::account(ctx, &addr)?;
            let on_record = account.as_ref().and_then(|a| a.pub_key.as_ref());
            // A simulation may bring an empty key.
            let brought = info
                .public_key
                .as_ref()
                .filter(|k| ctx.mode != Mode::Simulate || !k.value.is_empty());
            let sig = SigData::decode(info.mode_info.as_ref(), signature);
            Ok(Signer {
                brought: brought.map(PublicKey::decode).transpose()?,
                on_record: on_record.map(PublicKey::decode).transpose()?,
                sequence: info.sequence,
                sig: match sig {
                    Ok(sig) => sig,
                    // A simulation may leave the mode out.
                    Err(_) if ctx.mode == Mode::Simulate && info.mode_info.is_none() => {
                        SigData::Single {
                            mode: 0,
                            bytes: signature.clone(),
                        }
                    }
                    Err(e) => return Err(AppError::tx_decode(e)),
                },
                text: text.clone(),
                addr,
                account,
            })
        })
        .collect()
}

/// Takes the gas for the bytes that a simulated transaction lacks: its signatures, as amino has them, and its fee.
///
/// # Errors
/// sdk/11.
pub(super) fn size_gas(ctx: &Ctx, signers: &[Signer], params: &Params) -> Result<()> {
    /// A signature of 64 bytes with its tag and length, what the SDK adds, and the fee.
    const REST: usize = 66 + 6 + 8;
    for signer in signers.iter().filter(|s| s.sig.incomplete()) {
        let key = signer.on_record.as_ref().or(signer.brought.as_ref());
        let amino = key.map_or(38, |k| k.amino().len());
        let bytes = (1 + encoded_len_varint(amino as u64) + amino + REST) as u64;
        let many = matches!(key, Some(PublicKey::Multisig { .. }));
        let times = if many { params.tx_sig_limit } else { 1 };
        let gas = bytes.saturating_mul(times);
        ctx.consume_gas(gas.saturating_mul(params.tx_size_cost_per_byte), "txSize")?;
    }
    Ok(())
}

/// Checks keys, their number, sequences and signatures; records new keys and steps sequences.
///
/// # Errors
/// sdk/9, sdk/8, sdk/14, sdk/11, sdk/32, sdk/4, in this order.
pub(super) fn check(
    ctx: &Ctx,
    tx: &DecodedTx,
    signers: &mut [Signer],
    params: &Params,
    verified: &Verified,
) -> Result<()> {
    let simulate = ctx.mode == Mode::Simulate;
    for (i, signer) in signers.iter_mut().enumerate() {
        signer.set_key(i, simulate)?;
    }
    for signer in signers.iter() {
        let (text, sequence) = (&signer.text, signer.sequence);
        ctx.emit(Event::new("tx").attr("acc_seq", format!("{text}/{sequence}")));
        for bytes in signer.sig.bytes() {
            ctx.emit(Event::new("tx").attr("signature", STANDARD.encode(bytes)));
        }
    }
    count(signers, params)?;
    for signer in signers.iter() {
        if let Some(key) = &signer.on_record {
            gas(ctx, key, &signer.sig, params)?;
        } else {
            ctx.consume_gas(params.sig_verify_cost_secp256k1, "ante verify: secp256k1")?;
        }
    }
    for signer in signers.iter() {
        signer.verify(ctx, tx, verified)?;
    }
    for signer in signers {
        let account = signer.account()?;
        let mut account = account.clone();
        account.sequence += 1;
        auth::keeper::set_account(ctx, &signer.addr, &account)?;
    }
    Ok(())
}

/// Verifies a transaction's signatures ahead of its turn, as far as the state before the block lets it: what is good is
/// remembered in `verified`, and everything else is left to [`check`], which decides. `ctx` is for reading only.
pub fn foresee(ctx: &Ctx, tx: &DecodedTx, signers: &[String], verified: &Verified) {
    if tx.signatures.len() != signers.len() || tx.signers.len() != signers.len() {
        return;
    }
    let (Ok(mut signers), Ok(params)) = (load(ctx, tx, signers), auth::keeper::params(ctx)) else {
        return;
    };
    // Nobody's signatures are verified that the ante would not count.
    if count(&signers, &params).is_err() {
        return;
    }
    for (i, signer) in signers.iter_mut().enumerate() {
        if signer.set_key(i, false).is_ok() && signer.good(ctx, tx, verified).is_err() {
            return;
        }
    }
}

/// Most keys of a transaction.
fn count(signers: &[Signer], params: &Params) -> Result<()> {
    let mut count: u64 = 0;
    for key in signers
        .iter()
        .filter_map(|s| s.brought.as_ref().or(s.on_record.as_ref()))
    {
        count = count.saturating_add(key.count());
        if count > params.tx_sig_limit {
            return Err(AppError::too_many_signatures(format_args!(
                "signatures: {count}, limit: {}",
                params.tx_sig_limit
            )));
        }
    }
    Ok(())
}

/// Takes the gas for checking a signature: of a multisignature, that of the keys that signed.
fn gas(ctx: &Ctx, key: &PublicKey, sig: &SigData, params: &Params) -> Result<()> {
    match (key, sig) {
        (PublicKey::Secp256k1(_), _) => {
            ctx.consume_gas(params.sig_verify_cost_secp256k1, "ante verify: secp256k1")
        }
        (PublicKey::Secp256r1(_), _) => ctx.consume_gas(
            params.sig_verify_cost_secp256k1 / 2,
            "ante verify: secp256r1",
        ),
        (PublicKey::Ed25519(_), _) => {
            ctx.consume_gas(params.sig_verify_cost_ed25519, "ante verify: ed25519")
        }
        (PublicKey::Multisig { keys, .. }, SigData::Multi { signed, sigs })
            if signed.len() == keys.len() =>
        {
            let signers = keys.iter().zip(signed).filter(|(_, signed)| **signed);
            for ((key, _), sig) in signers.zip(sigs) {
                gas(ctx, key, sig, params)?;
            }
            Ok(())
        }
        // A simulation that does not know yet who will sign.
        (PublicKey::Multisig { threshold, .. }, _) => ctx.consume_gas(
            params
                .sig_verify_cost_secp256k1
                .saturating_mul(u64::from(*threshold)),
            "ante verify: secp256k1",
        ),
    }
}

impl Signer {
    fn account(&self) -> Result<&Account> {
        self.account.as_ref().ok_or_else(|| {
            AppError::unknown_address(format_args!("account {} does not exist", self.text))
        })
    }

    /// Puts the key that the transaction brings on record, if there is none yet.
    fn set_key(&mut self, index: usize, simulate: bool) -> Result<()> {
        self.account()?;
        let Some(key) = &self.brought else {
            if self.on_record.is_none() && !simulate {
                return Err(AppError::invalid_pubkey("pubkey on account is not set"));
            }
            if let (None, Some(account)) = (&self.on_record, &mut self.account) {
                // What the real transaction will write.
                account.pub_key = Some(PublicKey::Secp256k1(vec![2; 33]).to_any());
            }
            return Ok(());
        };
        if !simulate && key.address() != self.addr {
            return Err(AppError::invalid_pubkey(format_args!(
                "pubKey does not match signer address {} with signer index: {index}",
                self.text
            )));
        }
        if self.on_record.is_none() {
            self.on_record = Some(key.clone());
            if let Some(account) = &mut self.account {
                account.pub_key = Some(key.to_any());
            }
        }
        Ok(())
    }

    fn verify(&self, ctx: &Ctx, tx: &DecodedTx, verified: &Verified) -> Result<()> {
        let account = self.account()?;
        if self.sequence != account.sequence {
            return Err(AppError::wrong_sequence(format_args!(
                "account sequence mismatch, expected {}, got {}",
                account.sequence, self.sequence
            )));
        }
        self.good(ctx, tx, verified)
    }

    /// Whether the signature is the account's.
    fn good(&self, ctx: &Ctx, tx: &DecodedTx, verified: &Verified) -> Result<()> {
        let account = self.account()?;
        // A recheck looks at what earlier transactions changed; a signature is not among that.
        if matches!(ctx.mode, Mode::Simulate | Mode::Recheck) {
            return Ok(());
        }
        let Some(key) = &self.on_record else {
            return Err(AppError::invalid_pubkey("pubkey on account is not set"));
        };
        let (chain, number) = (&ctx.block.chain_id, account.account_number);
        let number = if ctx.block.height == 0 { 0 } else { number };
        // A multisignature's parts sign the same bytes: they are made once.
        let (mut direct, mut amino) = (None, None);
        let mut sign_bytes = |mode: i32| match SignMode::try_from(mode) {
            Ok(SignMode::Direct) => Ok(direct
                .get_or_insert_with(|| tx.sign_bytes(chain, number))
                .clone()),
            Ok(SignMode::LegacyAminoJson) => amino
                .get_or_insert_with(|| tx.amino_sign_bytes(chain, number, self.sequence))
                .clone()
                .map_err(|e| e.to_string()),
            Ok(mode) => Err(format!("unsupported sign mode {}", mode.as_str_name())),
            Err(_) => Err(format!("unsupported sign mode {mode}")),
        };
        sigs::check(verified, key, &self.sig, &mut sign_bytes).map_err(|e| {
            let sequence = account.sequence;
            if self.sig.only_amino() {
                return AppError::unauthorized(format_args!(
                    "signature verification failed; please verify account number ({number}), sequence ({sequence}) and chain-id ({chain})"
                ));
            }
            AppError::unauthorized(format_args!(
                "signature verification failed; please verify account number ({number}) and chain-id ({chain}): ({e})"
            ))
        })
    }
}
