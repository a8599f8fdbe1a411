//! Between the application's types and ABCI's.

use crate::{ctx::Event, error::AppError, tx::run::TxResult};
use tendermint_proto::v0_38::abci;

/// Every attribute is indexed: a client that searches for one that is not would wait for ever.
pub fn event(e: Event) -> abci::Event {
    let attributes = e
        .attributes
        .into_iter()
        .map(|(key, value)| abci::EventAttribute {
            key,
            value,
            index: true,
        })
        .collect();
    abci::Event {
        r#type: e.kind,
        attributes,
    }
}

fn parts(error: Option<AppError>) -> (u32, String, String) {
    error.map_or((0, String::new(), String::new()), |e| {
        (e.code, e.codespace.to_owned(), e.log)
    })
}

fn gas(v: u64) -> i64 {
    i64::try_from(v).unwrap_or(i64::MAX)
}

/// A result in a block.
pub fn exec_result(r: TxResult) -> abci::ExecTxResult {
    let (code, codespace, log) = parts(r.error);
    abci::ExecTxResult {
        code,
        data: r.data.into(),
        log,
        info: String::new(),
        gas_wanted: gas(r.gas_wanted),
        gas_used: gas(r.gas_used),
        events: r.events.into_iter().map(event).collect(),
        codespace,
    }
}

/// A result of CheckTx.
pub fn check_result(r: TxResult) -> abci::ResponseCheckTx {
    let (code, codespace, log) = parts(r.error);
    abci::ResponseCheckTx {
        code,
        data: r.data.into(),
        log,
        info: String::new(),
        gas_wanted: gas(r.gas_wanted),
        gas_used: gas(r.gas_used),
        events: r.events.into_iter().map(event).collect(),
        codespace,
    }
}
