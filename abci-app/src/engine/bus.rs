//! What happened, for subscribers.

use super::{chain::tx_hash, filter::Events};
use std::sync::Arc;
use tendermint_proto::v0_38::{
    abci::{Event as AbciEvent, ResponseFinalizeBlock},
    types::{Block, BlockId},
};

/// A committed height.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The block.
    pub block: Block,
    /// Its id.
    pub id: BlockId,
    /// What the application answered.
    pub results: ResponseFinalizeBlock,
}

/// What kind of event it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole block.
    NewBlock,
    /// Its header.
    NewBlockHeader,
    /// Its block events.
    NewBlockEvents,
    /// One transaction of it.
    Tx(usize),
}

/// One event of the bus.
#[derive(Debug, Clone)]
pub struct Event {
    /// What it tells.
    pub kind: Kind,
    /// The height that it is about.
    pub committed: Arc<Committed>,
    /// What queries are matched with.
    pub events: Events,
}

/// The events of one height, in CometBFT's order.
pub fn events_of(committed: &Arc<Committed>) -> Vec<Event> {
    let event = |kind, events| Event {
        kind,
        committed: Arc::clone(committed),
        events,
    };
    let height = committed.block.header.as_ref().map_or(0, |h| h.height);
    let tagged = |abci: &[AbciEvent], tags: &[(&str, String)]| {
        let mut out = flatten(abci);
        for (key, value) in tags {
            out.entry((*key).into()).or_default().push(value.clone());
        }
        out
    };
    let block_events = &committed.results.events;
    let tm = |name: &str| ("tm.event", name.to_owned());
    let mut out = vec![
        event(Kind::NewBlock, tagged(block_events, &[tm("NewBlock")])),
        event(Kind::NewBlockHeader, tagged(&[], &[tm("NewBlockHeader")])),
        event(
            Kind::NewBlockEvents,
            tagged(
                block_events,
                &[tm("NewBlockEvents"), ("block.height", height.to_string())],
            ),
        ),
    ];
    let txs = committed.block.data.iter().flat_map(|d| &d.txs);
    for (i, (tx, result)) in txs.zip(&committed.results.tx_results).enumerate() {
        out.push(event(
            Kind::Tx(i),
            tagged(
                &result.events,
                &[
                    tm("Tx"),
                    ("tx.hash", hex::encode_upper(tx_hash(tx))),
                    ("tx.height", height.to_string()),
                ],
            ),
        ));
    }
    out
}

fn flatten(events: &[AbciEvent]) -> Events {
    let mut out = Events::new();
    for e in events.iter().filter(|e| !e.r#type.is_empty()) {
        for a in e.attributes.iter().filter(|a| !a.key.is_empty()) {
            out.entry(format!("{}.{}", e.r#type, a.key))
                .or_default()
                .push(a.value.clone());
        }
    }
    out
}
