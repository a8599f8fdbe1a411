//! Transactions that wait for a block: in order of arrival, checked by the application, without duplicates.

use super::chain::tx_hash;
use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use std::collections::{HashSet, VecDeque};
use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::{CheckTxType, RequestCheckTx, ResponseCheckTx};
use thiserror::Error;

/// Bounds of the mempool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most transactions.
    pub max_txs: usize,
    /// Most bytes of all together.
    pub max_bytes: usize,
    /// Most bytes of one.
    pub max_tx_bytes: usize,
    /// Hashes remembered, so that a transaction is not taken twice.
    pub cache: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_txs: 5_000,
            max_bytes: 64 << 20,
            max_tx_bytes: 1 << 20,
            cache: 10_000,
        }
    }
}

/// Why a transaction did not reach the application. The texts are CometBFT's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// Seen before, pending or committed.
    #[error("tx already exists in cache")]
    InCache,
    /// Over the limit of one.
    #[error("Tx too large. Max size is {max}, but got {got}")]
    TooLarge {
        /// The limit.
        max: usize,
        /// What came.
        got: usize,
    },
    /// No block has room for its gas.
    #[error("gas wanted {got} is greater than max gas {max}")]
    Gas {
        /// The block's limit.
        max: i64,
        /// What it wants.
        got: i64,
    },
    /// No room.
    #[error(
        "mempool is full: number of txs {txs} (max: {max_txs}), total txs bytes {bytes} (max: {max_bytes})"
    )]
    Full {
        /// Transactions in it.
        txs: usize,
        /// Limit of transactions.
        max_txs: usize,
        /// Bytes in it.
        bytes: usize,
        /// Limit of bytes.
        max_bytes: usize,
    },
}

struct Entry {
    hash: [u8; 32],
    tx: Bytes,
    gas_wanted: i64,
}

#[derive(Default)]
struct Inner {
    txs: VecDeque<Entry>,
    bytes: usize,
    seen: HashSet<[u8; 32]>,
    seen_order: VecDeque<[u8; 32]>,
}

/// The mempool. One lock orders checks, so that the order in the pool is the order in which the application saw
/// the transactions.
pub struct Mempool {
    inner: Mutex<Inner>,
    limits: Limits,
}

/// The mempool while a block is committed: no check runs.
pub struct Locked<'a>(MutexGuard<'a, Inner>);

impl Mempool {
    /// An empty one.
    pub fn new(limits: Limits) -> Self {
        Self {
            inner: Mutex::default(),
            limits,
        }
    }

    /// Let the application check `tx`, and keep it when the answer's code is 0. `max_gas` of a block; -1: any.
    ///
    /// # Errors
    /// When it is refused without regard to the application.
    pub fn check(
        &self,
        app: &impl Application,
        tx: Bytes,
        max_gas: i64,
    ) -> Result<ResponseCheckTx, Refused> {
        let limits = &self.limits;
        if tx.len() > limits.max_tx_bytes {
            return Err(Refused::TooLarge {
                max: limits.max_tx_bytes,
                got: tx.len(),
            });
        }
        let hash = tx_hash(&tx);
        let mut inner = self.inner.lock();
        if inner.txs.len() >= limits.max_txs || inner.bytes + tx.len() > limits.max_bytes {
            return Err(Refused::Full {
                txs: inner.txs.len(),
                max_txs: limits.max_txs,
                bytes: inner.bytes,
                max_bytes: limits.max_bytes,
            });
        }
        if inner.seen.contains(&hash) {
            return Err(Refused::InCache);
        }
        let answer = app.check_tx(RequestCheckTx {
            tx: tx.clone(),
            r#type: CheckTxType::New as i32,
        });
        if answer.code == 0 {
            if max_gas >= 0 && answer.gas_wanted > max_gas {
                return Err(Refused::Gas {
                    max: max_gas,
                    got: answer.gas_wanted,
                });
            }
            inner.remember(hash, limits.cache);
            inner.bytes += tx.len();
            inner.txs.push_back(Entry {
                hash,
                tx,
                gas_wanted: answer.gas_wanted,
            });
        }
        Ok(answer)
    }

    /// The first transactions that fit in `max_bytes` (with their framing in a block) and `max_gas` (-1: any).
    pub fn reap(&self, max_bytes: usize, max_gas: i64) -> Vec<Bytes> {
        let (mut bytes, mut gas, mut out) = (0usize, 0i64, Vec::new());
        for entry in &self.inner.lock().txs {
            // Tag and length of a repeated bytes field.
            bytes += entry.tx.len() + 1 + prost::length_delimiter_len(entry.tx.len());
            gas = gas.saturating_add(entry.gas_wanted.max(0));
            if bytes > max_bytes || (max_gas >= 0 && gas > max_gas) {
                break;
            }
            out.push(entry.tx.clone());
        }
        out
    }

    /// The first `limit` transactions.
    pub fn peek(&self, limit: usize) -> Vec<Bytes> {
        let inner = self.inner.lock();
        inner.txs.iter().take(limit).map(|e| e.tx.clone()).collect()
    }

    /// Transactions and bytes in it.
    pub fn size(&self) -> (usize, usize) {
        let inner = self.inner.lock();
        (inner.txs.len(), inner.bytes)
    }

    /// Stop checks until the guard is dropped.
    pub fn lock(&self) -> Locked<'_> {
        Locked(self.inner.lock())
    }

    /// Remember transactions that are in blocks already, for after a restart.
    pub fn committed<'a>(&self, txs: impl Iterator<Item = &'a [u8]>) {
        let mut inner = self.inner.lock();
        for tx in txs {
            inner.remember(tx_hash(tx), self.limits.cache);
        }
    }

    /// After a commit: drop what is in the block, let the application look again at the rest, drop what it refuses.
    pub fn update(
        &self,
        locked: &mut Locked<'_>,
        app: &impl Application,
        block: &[Vec<u8>],
        results: &[u32],
    ) {
        let inner = &mut *locked.0;
        let mut gone = HashSet::new();
        for (tx, code) in block.iter().zip(results) {
            let hash = tx_hash(tx);
            gone.insert(hash);
            if *code == 0 {
                inner.remember(hash, self.limits.cache);
            } else {
                // It may be sent again, as in CometBFT.
                inner.seen.remove(&hash);
            }
        }
        for entry in std::mem::take(&mut inner.txs) {
            let keep = !gone.contains(&entry.hash)
                && app
                    .check_tx(RequestCheckTx {
                        tx: entry.tx.clone(),
                        r#type: CheckTxType::Recheck as i32,
                    })
                    .code
                    == 0;
            if keep {
                inner.txs.push_back(entry);
            } else {
                inner.bytes -= entry.tx.len();
                if !gone.contains(&entry.hash) {
                    inner.seen.remove(&entry.hash);
                }
            }
        }
    }
}

impl Inner {
    fn remember(&mut self, hash: [u8; 32], most: usize) {
        if self.seen.insert(hash) {
            self.seen_order.push_back(hash);
            while self.seen_order.len() > most
                && let Some(old) = self.seen_order.pop_front()
            {
                self.seen.remove(&old);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Refuses what begins with `x`, and on a second look what begins with `y`. Gas is the first byte.
    #[derive(Clone)]
    struct Picky;

    impl Application for Picky {
        fn check_tx(&self, r: RequestCheckTx) -> ResponseCheckTx {
            let bad =
                r.tx[0] == b'x' || (r.tx[0] == b'y' && r.r#type == CheckTxType::Recheck as i32);
            ResponseCheckTx {
                code: u32::from(bad),
                gas_wanted: i64::from(r.tx[0]),
                ..ResponseCheckTx::default()
            }
        }
    }

    fn tx(s: &'static str) -> Bytes {
        Bytes::from_static(s.as_bytes())
    }

    #[test]
    fn order_duplicates_and_limits() {
        let pool = Mempool::new(Limits {
            max_txs: 3,
            max_tx_bytes: 4,
            ..Limits::default()
        });
        assert_eq!(pool.check(&Picky, tx("a1"), 200).unwrap().code, 0);
        assert_eq!(
            pool.check(&Picky, tx("a1"), 200).unwrap_err(),
            Refused::InCache
        );
        assert_eq!(pool.check(&Picky, tx("x1"), 200).unwrap().code, 1);
        assert_eq!(
            pool.check(&Picky, tx("x1"), 200).unwrap().code,
            1,
            "an invalid one is not remembered"
        );
        assert_eq!(
            pool.check(&Picky, tx("12345"), 200).unwrap_err(),
            Refused::TooLarge { max: 4, got: 5 }
        );
        let gas = pool.check(&Picky, tx("d0"), 99).unwrap_err();
        assert_eq!(gas, Refused::Gas { max: 99, got: 100 });
        pool.check(&Picky, tx("b1"), 200).unwrap();
        pool.check(&Picky, tx("c1"), 200).unwrap();
        assert!(matches!(
            pool.check(&Picky, tx("d1"), 200),
            Err(Refused::Full { txs: 3, .. })
        ));
        assert_eq!(pool.reap(usize::MAX, -1), [tx("a1"), tx("b1"), tx("c1")]);
        assert_eq!(
            pool.reap(8, -1),
            [tx("a1"), tx("b1")],
            "two bytes of framing each"
        );
        assert_eq!(pool.reap(usize::MAX, 97 + 98), [tx("a1"), tx("b1")]);
    }

    #[test]
    fn a_commit_drops_and_rechecks() {
        let pool = Mempool::new(Limits::default());
        for t in ["a1", "y1", "b1", "c1"] {
            pool.check(&Picky, tx(t), 200).unwrap();
        }
        pool.update(
            &mut pool.lock(),
            &Picky,
            &[b"a1".to_vec(), b"c1".to_vec()],
            &[0, 5],
        );
        assert_eq!(pool.reap(usize::MAX, -1), [tx("b1")]);
        assert_eq!(pool.size(), (1, 2));
        assert_eq!(
            pool.check(&Picky, tx("a1"), 200).unwrap_err(),
            Refused::InCache,
            "committed"
        );
        assert_eq!(
            pool.check(&Picky, tx("c1"), 200).unwrap().code,
            0,
            "failed in its block: may be sent again"
        );
    }
}
