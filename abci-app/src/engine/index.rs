//! Searches over the event index.

use super::{
    error::Result,
    filter::{Condition, Filter, Op, Operand},
    store::{BLOCK_EVENTS, Store, TX_EVENTS},
};
use std::collections::BTreeSet;

impl Store {
    /// Transactions up to `newest` for which every condition holds, as (height, index), ascending.
    ///
    /// # Errors
    /// When the file does not read.
    pub fn search_txs(&self, filter: &Filter, newest: u64) -> Result<Vec<(u64, u32)>> {
        let (bounds, rest) = split(filter, "tx.height");
        let (from, to) = (bounds.0, bounds.1.min(newest));
        if from > to {
            return Ok(Vec::new());
        }
        let mut found: Option<BTreeSet<(u64, u32)>> = None;
        for condition in rest {
            let hits = match (&*condition.key, &condition.operand) {
                ("tm.event", _) => {
                    if condition.holds("Tx") {
                        continue;
                    }
                    return Ok(Vec::new());
                }
                ("tx.hash", Operand::Text(hash)) => {
                    let hash = hex::decode(hash).unwrap_or_default();
                    self.tx(&hash)?.into_iter().collect()
                }
                _ => self.tx_hits(condition)?,
            };
            found = Some(match found {
                None => hits,
                Some(before) => before.intersection(&hits).copied().collect(),
            });
        }
        Ok(match found {
            None => self.txs_between(from, to)?,
            Some(hits) => hits
                .into_iter()
                .filter(|(h, _)| (from..=to).contains(h))
                .collect(),
        })
    }

    /// Heights up to `newest` whose block events fulfil every condition, ascending.
    ///
    /// # Errors
    /// When the file does not read.
    pub fn search_blocks(&self, filter: &Filter, oldest: u64, newest: u64) -> Result<Vec<u64>> {
        let (bounds, rest) = split(filter, "block.height");
        let (from, to) = (bounds.0.max(oldest), bounds.1.min(newest));
        if from > to {
            return Ok(Vec::new());
        }
        let mut found: Option<BTreeSet<u64>> = None;
        for condition in rest {
            let hits = self.block_hits(condition)?;
            found = Some(match found {
                None => hits,
                Some(before) => before.intersection(&hits).copied().collect(),
            });
        }
        Ok(match found {
            None => (from..=to).collect(),
            Some(hits) => hits
                .into_iter()
                .filter(|h| (from..=to).contains(h))
                .collect(),
        })
    }

    fn tx_hits(&self, c: &Condition) -> Result<BTreeSet<(u64, u32)>> {
        self.read(|tx| {
            let table = tx.open_table(TX_EVENTS)?;
            let key = c.key.as_str();
            let mut hits = BTreeSet::new();
            if let (Op::Equal, Operand::Text(value)) = (&c.op, &c.operand) {
                let range = (key, value.as_str(), 0, 0)..=(key, value.as_str(), u64::MAX, u32::MAX);
                for hit in table.range(range)? {
                    let (_, _, height, index) = hit?.0.value();
                    hits.insert((height, index));
                }
                return Ok(hits);
            }
            for hit in table.range((key, "", 0, 0)..)? {
                let entry = hit?.0;
                let (k, value, height, index) = entry.value();
                if k != key {
                    break;
                }
                if c.holds(value) {
                    hits.insert((height, index));
                }
            }
            Ok(hits)
        })
    }

    fn block_hits(&self, c: &Condition) -> Result<BTreeSet<u64>> {
        self.read(|tx| {
            let table = tx.open_table(BLOCK_EVENTS)?;
            let mut hits = BTreeSet::new();
            for hit in table.range((c.key.as_str(), "", 0)..)? {
                let entry = hit?.0;
                let (k, value, height) = entry.value();
                if k != c.key {
                    break;
                }
                if c.holds(value) {
                    hits.insert(height);
                }
            }
            Ok(hits)
        })
    }
}

/// The bounds that the conditions on `height_key` mean together, and the other conditions.
fn split<'a>(filter: &'a Filter, height_key: &str) -> ((u64, u64), Vec<&'a Condition>) {
    let mut bounds = (0, u64::MAX);
    let mut rest = Vec::new();
    for c in &filter.conditions {
        if c.key != height_key {
            rest.push(c);
        } else if let Some((from, to)) = c.bounds() {
            bounds = (bounds.0.max(from), bounds.1.min(to));
        } else if c.op != Op::Exists {
            // `tx.height='x'` and the like hold for nothing.
            bounds = (1, 0);
        }
    }
    (bounds, rest)
}
