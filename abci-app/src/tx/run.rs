//! One transaction, whole: decode, ante, messages, result.

use super::{
    ante::{self, Ante},
    signers,
    sigs::Verified,
};
use crate::{
    codec::tx::DecodedTx,
    ctx::{Ctx, Event, Mode},
    error::{AppError, Result},
    gas::GasMeter,
    modules::router::Router,
};
use cosmos_sdk_proto::cosmos::base::abci::v1beta1::TxMsgData;
use prost::Message;

/// What became of a transaction.
#[derive(Debug, Clone, Default)]
pub struct TxResult {
    /// Why it failed, if it did.
    pub error: Option<AppError>,
    /// `TxMsgData` of the responses; empty when it failed.
    pub data: Vec<u8>,
    /// Those of the ante, and, when it succeeded, of the messages.
    pub events: Vec<Event>,
    /// Its limit.
    pub gas_wanted: u64,
    /// What it used.
    pub gas_used: u64,
}

impl TxResult {
    /// A transaction that was refused before gas counted.
    pub fn refused(error: AppError) -> Self {
        Self {
            error: Some(error),
            ..Self::default()
        }
    }
}

/// Transactions for which threads are not worth their start.
const FEW: usize = 8;

/// Runs a transaction on `ctx`. In `Check` and `Recheck` the messages are not run. State: the ante's when it passed,
/// the messages' when all of them did.
pub fn run(ctx: &Ctx, tx: &DecodedTx, router: &dyn Router, ante: &Ante<'_>) -> TxResult {
    let limit = if ctx.mode == Mode::Simulate {
        ctx.gas().limit()
    } else {
        tx.fee.gas_limit
    };
    let ctx = &ctx.for_tx(tx.hash);
    let outer = ctx.swap_gas(GasMeter::new(limit));
    ctx.take_events();
    let checked =
        signers_of(tx, router).and_then(|s| ctx.atomically(|ctx| ante::check(ctx, tx, &s, ante)));
    let mut events = ctx.take_events();
    let outcome = match checked {
        Err(e) => Err(e),
        Ok(()) if matches!(ctx.mode, Mode::Check | Mode::Recheck) => Ok(Vec::new()),
        Ok(()) => ctx
            .atomically(|ctx| messages(ctx, tx, router))
            .map(|(data, message_events)| {
                events.extend(message_events);
                data
            }),
    };
    let used = ctx.swap_gas(outer).used();
    let (error, data) = match outcome {
        Ok(data) => (None, data),
        Err(e) => (Some(e), Vec::new()),
    };
    TxResult {
        error,
        data,
        events,
        gas_wanted: tx.fee.gas_limit,
        gas_used: used,
    }
}

/// Verifies the signatures of a block's transactions, on every core, before the block runs one after the other. It
/// changes no result: what is verified here is only found faster later. Those that CheckTx has seen are known already.
pub fn foresee(
    ctx: &(dyn Fn() -> Ctx + Sync),
    txs: &[Result<DecodedTx>],
    router: &(dyn Router + Sync),
    verified: &Verified,
) {
    let unknown: Vec<&DecodedTx> = txs
        .iter()
        .flatten()
        .filter(|tx| !verified.knows(&tx.hash))
        .collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if unknown.len() < FEW || cores < 2 {
        return;
    }
    std::thread::scope(|scope| {
        for part in unknown.chunks(unknown.len().div_ceil(cores)) {
            scope.spawn(move || {
                let ctx = ctx();
                for tx in part {
                    if let Ok(of) = signers_of(tx, router) {
                        signers::foresee(&ctx, tx, &of, verified);
                    }
                }
            });
        }
    });
}

/// The messages' signers and the fee's payer, in order, each once.
fn signers_of(tx: &DecodedTx, router: &dyn Router) -> Result<Vec<String>> {
    let mut out: Vec<String> = Vec::new();
    let mut add = |signer: String| {
        if !out.contains(&signer) {
            out.push(signer);
        }
    };
    for msg in tx.messages() {
        router.signers(msg)?.into_iter().for_each(&mut add);
    }
    if !tx.fee.payer.is_empty() {
        add(tx.fee.payer.clone());
    }
    Ok(out)
}

fn messages(ctx: &Ctx, tx: &DecodedTx, router: &dyn Router) -> Result<(Vec<u8>, Vec<Event>)> {
    let mut data = TxMsgData::default();
    let mut events = Vec::new();
    for (i, msg) in tx.messages().iter().enumerate() {
        let sender = router.signers(msg)?.into_iter().next().unwrap_or_default();
        let response = router.handle(ctx, msg).map_err(|e| AppError {
            log: format!("failed to execute message; message index: {i}: {}", e.log),
            ..e
        })?;
        data.msg_responses.push(response);
        let action = Event::new("message")
            .attr("action", msg.type_url.clone())
            .attr("sender", sender)
            .attr("module", module_of(&msg.type_url));
        for event in std::iter::once(action).chain(ctx.take_events()) {
            events.push(event.attr("msg_index", i.to_string()));
        }
    }
    Ok((data.encode_to_vec(), events))
}

/// `/cosmos.bank.v1beta1.MsgSend` is of `bank`.
fn module_of(type_url: &str) -> &str {
    type_url.split('.').nth(1).unwrap_or_default()
}
