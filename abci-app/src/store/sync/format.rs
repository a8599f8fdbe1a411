//! Format 1: the state as one stream of bytes, cut into chunks.
//!
//! A record is a byte that says its kind, then its fields, each a length of four bytes, big-endian, and as many bytes.
//! Stores come in the order of their names, their pairs in the order of their keys, then the wasm blobs in the order of
//! their checksums, then the end. The same state gives the same bytes on every node: CometBFT asks peers for chunks of
//! one hash. Nothing is packed, because that would depend on a library's version.

use crate::store::StoreKey;
use tendermint_proto::v0_38::abci;

/// The number of this format.
pub(super) const FORMAT: u32 = 1;
/// Bytes of a chunk, but for the last. CometBFT's messages with chunks hold 16 MiB.
pub(super) const CHUNK: usize = 10 << 20;
/// Longest key.
const MAX_KEY: usize = 1 << 16;
/// Longest value or blob.
const MAX_VALUE: usize = 64 << 20;

const END: u8 = 0;
const STORE: u8 = 1;
const PAIR: u8 = 2;
const BLOB: u8 = 3;

/// What stands in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// The pairs that follow are of this store.
    Store(StoreKey),
    /// A key and its value.
    Pair(Vec<u8>, Vec<u8>),
    /// A contract's code.
    Blob(Vec<u8>),
    /// Nothing follows.
    End,
}

/// Metadata of a snapshot, as the SDK's: the SHA-256 of every chunk.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Metadata {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub chunk_hashes: Vec<Vec<u8>>,
}

/// What CometBFT knows a snapshot by. Its hash is over its chunks' hashes.
pub(super) fn described(height: u64, chunk_hashes: Vec<Vec<u8>>) -> abci::Snapshot {
    let hash = crate::store::merkle::sha256(chunk_hashes.concat());
    abci::Snapshot {
        height,
        format: FORMAT,
        chunks: u32::try_from(chunk_hashes.len()).unwrap_or(u32::MAX),
        hash: hash.to_vec().into(),
        metadata: prost::Message::encode_to_vec(&Metadata { chunk_hashes }).into(),
    }
}

fn field(out: &mut Vec<u8>, bytes: &[u8]) {
    // Keys and values are far shorter than 4 GiB: gas, and the VM, see to that.
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(bytes);
}

pub(super) fn put(out: &mut Vec<u8>, item: &Item) {
    match item {
        Item::End => out.push(END),
        Item::Store(store) => {
            out.push(STORE);
            field(out, store.name().as_bytes());
        }
        Item::Pair(key, value) => {
            out.push(PAIR);
            field(out, key);
            field(out, value);
        }
        Item::Blob(bytes) => {
            out.push(BLOB);
            field(out, bytes);
        }
    }
}

/// Reads the stream as it comes.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    bytes: Vec<u8>,
    at: usize,
}

impl Decoder {
    /// More of the stream.
    pub(super) fn feed(&mut self, chunk: &[u8]) {
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(chunk);
    }

    /// Whether everything was read.
    pub(super) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// The next record; `None` when it is not there whole.
    ///
    /// # Errors
    /// What is wrong with the stream.
    pub(super) fn next(&mut self) -> Result<Option<Item>, String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some((kind, mut rest)) = rest.split_first() else {
            return Ok(None);
        };
        let before = rest.len();
        let mut take = |most: usize, what: &str| -> Result<Option<&[u8]>, String> {
            let Some((len, tail)) = rest.split_first_chunk::<4>() else {
                return Ok(None);
            };
            let len = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
            if len > most {
                return Err(format!(
                    "expected a {what} of at most {most} bytes, got {len}"
                ));
            }
            let Some((bytes, tail)) = tail.split_at_checked(len) else {
                return Ok(None);
            };
            rest = tail;
            Ok(Some(bytes))
        };
        let item = match *kind {
            END => Some(Item::End),
            STORE => match take(MAX_KEY, "store's name")? {
                None => None,
                Some(name) => {
                    let known = StoreKey::ALL.iter().find(|s| s.name().as_bytes() == name);
                    let known = known.ok_or("expected a store of this chain, got another")?;
                    Some(Item::Store(*known))
                }
            },
            PAIR => match take(MAX_KEY, "key")?.map(<[u8]>::to_vec) {
                None => None,
                Some(key) => take(MAX_VALUE, "value")?.map(|v| Item::Pair(key, v.to_vec())),
            },
            BLOB => take(MAX_VALUE, "wasm blob")?.map(|b| Item::Blob(b.to_vec())),
            other => return Err(format!("expected a record, got one of kind {other}")),
        };
        if item.is_some() {
            self.at += 1 + before - rest.len();
        }
        Ok(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn items() -> impl Strategy<Value = Vec<Item>> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..40);
        prop::collection::vec(
            prop_oneof![
                (0..StoreKey::ALL.len()).prop_map(|i| Item::Store(StoreKey::ALL[i])),
                (bytes(), bytes()).prop_map(|(k, v)| Item::Pair(k, v)),
                bytes().prop_map(Item::Blob),
                Just(Item::End),
            ],
            0..20,
        )
    }

    proptest! {
        #[test]
        fn the_stream_reads_back_however_it_is_cut(items in items(), cut in 1usize..50) {
            let (mut bytes, mut decoder, mut got) = (Vec::new(), Decoder::default(), Vec::new());
            items.iter().for_each(|i| put(&mut bytes, i));
            for chunk in bytes.chunks(cut) {
                decoder.feed(chunk);
                while let Some(item) = decoder.next().unwrap() {
                    got.push(item);
                }
            }
            prop_assert_eq!(got, items);
            prop_assert!(decoder.is_empty());
        }

        #[test]
        fn whatever_comes_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut decoder = Decoder::default();
            decoder.feed(&bytes);
            while let Ok(Some(_)) = decoder.next() {}
        }
    }

    #[test]
    fn a_length_that_lies_is_refused_before_it_is_waited_for() {
        let mut decoder = Decoder::default();
        decoder.feed(&[BLOB, 0xff, 0xff, 0xff, 0xff]);
        assert!(decoder.next().unwrap_err().contains("at most"));
    }
}
