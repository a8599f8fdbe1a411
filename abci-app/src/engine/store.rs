//! Blocks, commits, results and their index, in one redb file; a height is one durable write.

use super::{
    chain::{State, tx_hash},
    error::{Error, Result},
};
use prost::Message;
use redb::{Database, ReadableDatabase, TableDefinition};
use std::path::{Path, PathBuf};
use tendermint_proto::v0_38::{
    abci::{Event, ResponseFinalizeBlock},
    types::{Block, Commit, ConsensusParams, ValidatorSet},
};

const BLOCKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("blocks");
const COMMITS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("commits");
const RESULTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("results");
/// From the first height at which it holds.
const VALIDATORS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("validators");
/// From the first height at which it holds.
const PARAMS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("params");
const HASHES: TableDefinition<'_, &[u8], u64> = TableDefinition::new("hashes");
const TXS: TableDefinition<'_, &[u8], (u64, u32)> = TableDefinition::new("txs");
const TX_ORDER: TableDefinition<'_, (u64, u32), ()> = TableDefinition::new("tx_order");
/// (`type.attribute`, value, height, index).
pub(super) const TX_EVENTS: TableDefinition<'_, (&str, &str, u64, u32), ()> =
    TableDefinition::new("tx_events");
/// (`type.attribute`, value, height).
pub(super) const BLOCK_EVENTS: TableDefinition<'_, (&str, &str, u64), ()> =
    TableDefinition::new("block_events");
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// The block store.
#[derive(Debug)]
pub struct Store {
    db: Database,
    path: PathBuf,
}

/// All that one height adds.
#[derive(Debug)]
pub struct Record<'a> {
    /// The block.
    pub block: &'a Block,
    /// The votes on it, with its id.
    pub commit: &'a Commit,
    /// What the application answered.
    pub results: &'a ResponseFinalizeBlock,
    /// The state before it.
    pub before: &'a State,
    /// The state after it.
    pub after: &'a State,
    /// SHA-256 of the genesis file.
    pub genesis_hash: [u8; 32],
}

impl Store {
    /// Open or create the file.
    ///
    /// # Errors
    /// When it cannot be opened, for example because another process has it.
    pub fn open(path: &Path) -> Result<Self> {
        let wrap = |e: redb::Error| Error::store(path, e);
        let db = Database::create(path).map_err(|e| wrap(e.into()))?;
        let tx = db.begin_write().map_err(|e| wrap(e.into()))?;
        create_tables(&tx).map_err(wrap)?;
        tx.commit().map_err(|e| wrap(e.into()))?;
        Ok(Self {
            db,
            path: path.into(),
        })
    }

    /// Save one height, durably, all or nothing.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save(&self, record: &Record<'_>) -> Result<()> {
        self.try_save(record).map_err(|e| self.wrap(e))
    }

    fn try_save(&self, r: &Record<'_>) -> Result<(), redb::Error> {
        let height = u64::try_from(r.after.height).unwrap_or_default();
        let tx = self.db.begin_write()?;
        {
            tx.open_table(BLOCKS)?
                .insert(height, &*r.block.encode_to_vec())?;
            tx.open_table(COMMITS)?
                .insert(height, &*r.commit.encode_to_vec())?;
            tx.open_table(RESULTS)?
                .insert(height, &*r.results.encode_to_vec())?;
            if let Some(id) = &r.commit.block_id {
                tx.open_table(HASHES)?.insert(&*id.hash, height)?;
            }
            let mut meta = tx.open_table(META)?;
            meta.insert("state", &*r.after.encode_to_vec())?;
            meta.insert("genesis_hash", r.genesis_hash.as_slice())?;
            let first = r.before.height == 0;
            let mut validators = tx.open_table(VALIDATORS)?;
            if first {
                validators.insert(height, &*r.before.validators.encode_to_vec())?;
            }
            if first || r.before.next_validators != r.after.next_validators {
                validators.insert(height + 1, &*r.after.validators.encode_to_vec())?;
                validators.insert(height + 2, &*r.after.next_validators.encode_to_vec())?;
            }
            let mut params = tx.open_table(PARAMS)?;
            if first {
                params.insert(height, &*r.before.params.encode_to_vec())?;
            }
            if first || r.before.params != r.after.params {
                params.insert(height + 1, &*r.after.params.encode_to_vec())?;
            }
            let mut txs = tx.open_table(TXS)?;
            let mut order = tx.open_table(TX_ORDER)?;
            let mut events = tx.open_table(TX_EVENTS)?;
            let data = r.block.data.iter().flat_map(|d| &d.txs);
            for (i, (raw, result)) in (0u32..).zip(data.zip(&r.results.tx_results)) {
                txs.insert(&*tx_hash(raw).to_vec(), (height, i))?;
                order.insert((height, i), ())?;
                for (key, value) in indexed(&result.events) {
                    events.insert((&*key, value, height, i), ())?;
                }
            }
            let mut block_events = tx.open_table(BLOCK_EVENTS)?;
            for (key, value) in indexed(&r.results.events) {
                block_events.insert((&*key, value, height), ())?;
            }
        }
        tx.commit()?;
        Ok(())
    }

    /// The state after the last saved height, with the hash of the genesis file that it began with.
    ///
    /// # Errors
    /// When it does not read or decode.
    pub fn state(&self) -> Result<Option<(State, Vec<u8>)>> {
        let meta = |key: &str| {
            self.read(|tx| Ok(tx.open_table(META)?.get(key)?.map(|v| v.value().to_vec())))
        };
        let Some(bytes) = meta("state")? else {
            return Ok(None);
        };
        let state = State::decode(&*bytes).map_err(|e| Error::corrupt("a state", e))?;
        Ok(Some((state, meta("genesis_hash")?.unwrap_or_default())))
    }

    /// The block of a height.
    ///
    /// # Errors
    /// When the file does not read or decode.
    pub fn block(&self, height: u64) -> Result<Option<Block>> {
        self.message(BLOCKS, height)
    }

    /// The votes on the block of a height.
    ///
    /// # Errors
    /// When the file does not read or decode.
    pub fn commit(&self, height: u64) -> Result<Option<Commit>> {
        self.message(COMMITS, height)
    }

    /// What the application answered to a height.
    ///
    /// # Errors
    /// When the file does not read or decode.
    pub fn results(&self, height: u64) -> Result<Option<ResponseFinalizeBlock>> {
        self.message(RESULTS, height)
    }

    /// The validators of a height.
    ///
    /// # Errors
    /// When the file does not read or decode.
    pub fn validators(&self, height: u64) -> Result<Option<ValidatorSet>> {
        self.last_before(VALIDATORS, height)
    }

    /// The consensus parameters of a height.
    ///
    /// # Errors
    /// When the file does not read or decode.
    pub fn params(&self, height: u64) -> Result<Option<ConsensusParams>> {
        self.last_before(PARAMS, height)
    }

    /// The height of the block with this hash.
    ///
    /// # Errors
    /// When the file does not read.
    pub fn height_of(&self, hash: &[u8]) -> Result<Option<u64>> {
        self.read(|tx| Ok(tx.open_table(HASHES)?.get(hash)?.map(|v| v.value())))
    }

    /// Where the transaction with this hash is.
    ///
    /// # Errors
    /// When the file does not read.
    pub fn tx(&self, hash: &[u8]) -> Result<Option<(u64, u32)>> {
        self.read(|tx| Ok(tx.open_table(TXS)?.get(hash)?.map(|v| v.value())))
    }

    /// Every transaction in a range of heights, both ends included.
    ///
    /// # Errors
    /// When the file does not read.
    pub fn txs_between(&self, from: u64, to: u64) -> Result<Vec<(u64, u32)>> {
        self.read(|tx| {
            tx.open_table(TX_ORDER)?
                .range((from, 0)..=(to, u32::MAX))?
                .map(|r| Ok(r?.0.value()))
                .collect()
        })
    }

    /// Run `f` in a read transaction.
    pub(super) fn read<T>(
        &self,
        f: impl FnOnce(&redb::ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T> {
        let run = || f(&self.db.begin_read()?);
        run().map_err(|e| self.wrap(e))
    }

    fn message<M: Message + Default>(
        &self,
        table: TableDefinition<'_, u64, &[u8]>,
        height: u64,
    ) -> Result<Option<M>> {
        let bytes = self.read(|tx| {
            Ok(tx
                .open_table(table)?
                .get(height)?
                .map(|v| v.value().to_vec()))
        })?;
        decode(bytes)
    }

    fn last_before<M: Message + Default>(
        &self,
        table: TableDefinition<'_, u64, &[u8]>,
        height: u64,
    ) -> Result<Option<M>> {
        let bytes = self.read(|tx| {
            let table = tx.open_table(table)?;
            let last = table.range(..=height)?.next_back().transpose()?;
            Ok(last.map(|(_, v)| v.value().to_vec()))
        })?;
        decode(bytes)
    }

    fn wrap(&self, e: redb::Error) -> Error {
        Error::store(&self.path, e)
    }
}

fn create_tables(tx: &redb::WriteTransaction) -> Result<(), redb::Error> {
    for table in [BLOCKS, COMMITS, RESULTS, VALIDATORS, PARAMS] {
        tx.open_table(table)?;
    }
    tx.open_table(HASHES)?;
    tx.open_table(TXS)?;
    tx.open_table(TX_ORDER)?;
    tx.open_table(TX_EVENTS)?;
    tx.open_table(BLOCK_EVENTS)?;
    tx.open_table(META)?;
    Ok(())
}

fn decode<M: Message + Default>(bytes: Option<Vec<u8>>) -> Result<Option<M>> {
    bytes
        .map(|b| M::decode(&*b).map_err(|e| Error::corrupt("a record that decodes", e)))
        .transpose()
}

/// The attributes that the application wants found.
fn indexed(events: &[Event]) -> impl Iterator<Item = (String, &str)> {
    events
        .iter()
        .filter(|e| !e.r#type.is_empty())
        .flat_map(|e| {
            e.attributes
                .iter()
                .filter(|a| a.index && !a.key.is_empty())
                .map(move |a| (format!("{}.{}", e.r#type, a.key), a.value.as_str()))
        })
}
