//! The start: genesis, InitChain, and the replay of blocks that the application has not committed.

use super::{
    chain::{State, commit_info, ed25519, merkle, results_hash, update_params, update_validators},
    error::{Error, Result},
    keys::Key,
    store::Store,
};
use sha2::{Digest, Sha256};
use std::path::Path;
use tendermint::Genesis;
use tendermint_abci::Application;
use tendermint_proto::v0_38::{
    abci::{RequestFinalizeBlock, RequestInfo, RequestInitChain, ValidatorUpdate},
    types::{Block, ValidatorSet},
};

/// A genesis file.
#[derive(Debug, Clone)]
pub struct GenesisFile {
    /// As it is written.
    pub json: serde_json::Value,
    /// As it is meant.
    pub doc: Genesis,
    /// SHA-256 of the file.
    pub hash: [u8; 32],
}

impl GenesisFile {
    /// Read it.
    ///
    /// # Errors
    /// When it is missing or not a CometBFT genesis.
    pub fn load(path: &Path) -> Result<Self> {
        const EXPECTED: &str = "a CometBFT genesis file (emberd init writes one)";
        let wrong = |e: &dyn std::fmt::Display| Error::file(path, EXPECTED, e);
        let bytes = std::fs::read(path).map_err(|e| wrong(&e))?;
        let json: serde_json::Value = serde_json::from_slice(&bytes).map_err(|e| wrong(&e))?;
        let doc: Genesis = serde_json::from_value(json.clone()).map_err(|e| wrong(&e))?;
        if doc.initial_height < 1 && doc.initial_height != 0 {
            return Err(wrong(&"a negative initial_height"));
        }
        Ok(Self {
            json,
            doc,
            hash: Sha256::digest(&bytes).into(),
        })
    }

    fn validators(&self) -> Vec<ValidatorUpdate> {
        let updates = self.doc.validators.iter();
        updates
            .map(|v| ValidatorUpdate {
                pub_key: Some(ed25519(&v.pub_key.to_bytes())),
                power: i64::try_from(v.power.value()).unwrap_or(i64::MAX),
            })
            .collect()
    }
}

/// Bring the application to the store's height and return the state after it.
///
/// # Errors
/// When application, store, genesis and key do not fit together.
pub fn handshake(
    app: &impl Application,
    store: &Store,
    genesis: &GenesisFile,
    key: &Key,
) -> Result<State> {
    let info = app.info(RequestInfo {
        version: super::node::COMETBFT_VERSION.into(),
        block_version: 11,
        p2p_version: 8,
        abci_version: "2.0.0".into(),
    });
    let saved = store.state()?;
    if let Some((_, hash)) = &saved
        && hash != &genesis.hash
    {
        return Err(Error::Handshake {
            expected: format!(
                "the genesis.json that this chain began with (SHA-256 {})",
                hex::encode(hash)
            ),
            got: format!("another one ({})", hex::encode(genesis.hash)),
        });
    }
    let app_height = info.last_block_height;
    let store_height = saved.as_ref().map_or(0, |(s, _)| s.height);
    if app_height > store_height || app_height < 0 {
        return Err(Error::Handshake {
            expected: format!(
                "an application at most at height {store_height}, as the block store"
            ),
            got: format!(
                "one at {app_height}: data/blocks.db is missing or older, or CometBFT made these blocks"
            ),
        });
    }
    let fresh = if app_height == 0 {
        Some(init_chain(app, genesis, info.app_version)?)
    } else {
        None
    };
    let state = match saved {
        Some((state, _)) => {
            replay(app, store, app_height, &state)?;
            if app_height == store_height && info.last_block_app_hash != state.app_hash {
                return Err(Error::Handshake {
                    expected: format!(
                        "app hash {} at height {store_height}",
                        hex::encode_upper(&state.app_hash)
                    ),
                    got: hex::encode_upper(&info.last_block_app_hash),
                });
            }
            state
        }
        None => fresh.ok_or_else(|| Error::corrupt("a state", "none"))?,
    };
    can_decide(&state.validators, key)?;
    Ok(state)
}

/// Whether the local key alone has the two thirds that a block needs.
///
/// # Errors
/// When it has not: then more than one validator is needed, and CometBFT is the engine.
pub fn can_decide(set: &ValidatorSet, key: &Key) -> Result<()> {
    let own = set
        .validators
        .iter()
        .find(|v| v.address == key.address())
        .map_or(0, |v| v.voting_power);
    let total: i64 = set.validators.iter().map(|v| v.voting_power).sum();
    if i128::from(own) * 3 > i128::from(total) * 2 {
        return Ok(());
    }
    Err(Error::Handshake {
        expected: "config/priv_validator_key.json to hold more than two thirds of the voting power"
            .into(),
        got: format!(
            "{own} of {total}: run these validators under CometBFT (emberd start without --embedded)"
        ),
    })
}

/// The request that begins the chain.
///
/// # Errors
/// When the app_state cannot be written as JSON.
pub fn init_request(genesis: &GenesisFile) -> Result<RequestInitChain> {
    let doc = &genesis.doc;
    Ok(RequestInitChain {
        time: Some(doc.genesis_time.into()),
        chain_id: doc.chain_id.to_string(),
        consensus_params: Some(doc.consensus_params.clone().into()),
        validators: genesis.validators(),
        app_state_bytes: serde_json::to_vec(&doc.app_state)
            .map_err(|e| Error::corrupt("an app_state", e))?
            .into(),
        initial_height: doc.initial_height.max(1),
    })
}

fn init_chain(app: &impl Application, genesis: &GenesisFile, app_version: u64) -> Result<State> {
    let doc = &genesis.doc;
    let params =
        tendermint_proto::v0_38::types::ConsensusParams::from(doc.consensus_params.clone());
    let initial_height = doc.initial_height.max(1);
    let time = tendermint_proto::google::protobuf::Timestamp::from(doc.genesis_time);
    let validators = genesis.validators();
    let answer = app.init_chain(init_request(genesis)?);
    let chosen = if answer.validators.is_empty() {
        &validators
    } else {
        &answer.validators
    };
    let set =
        update_validators(&ValidatorSet::default(), chosen).map_err(|got| Error::Application {
            height: 0,
            expected: "a validator set".into(),
            got,
        })?;
    let params = update_params(&params, answer.consensus_params.as_ref());
    let app_hash = if answer.app_hash.is_empty() {
        doc.app_hash.as_bytes().to_vec()
    } else {
        answer.app_hash.to_vec()
    };
    Ok(State {
        chain_id: doc.chain_id.to_string(),
        initial_height,
        height: 0,
        last_block_id: None,
        last_time: Some(time),
        app_hash,
        last_results_hash: merkle::<&[u8]>(&[]),
        last_validators: ValidatorSet::default(),
        validators: set.clone(),
        next_validators: set,
        app_version: params
            .version
            .map_or(app_version, |v| v.app.max(app_version)),
        params,
    })
}

/// Give the application the blocks after `app_height`, and hold what it answers against what was saved.
fn replay(app: &impl Application, store: &Store, app_height: i64, state: &State) -> Result<()> {
    let first = if app_height == 0 {
        state.initial_height
    } else {
        app_height + 1
    };
    for height in first..=state.height {
        let at = u64::try_from(height).unwrap_or_default();
        let missing = || Error::corrupt(format!("block {height}"), "none");
        let block = store.block(at)?.ok_or_else(missing)?;
        let saved = store.results(at)?.ok_or_else(missing)?;
        let hash = store
            .commit(at)?
            .and_then(|c| c.block_id)
            .ok_or_else(missing)?
            .hash;
        let last = store.validators(at.saturating_sub(1))?.unwrap_or_default();
        tracing::info!(height, "replaying a block that the application lacks");
        let answer = app.finalize_block(finalize_request(&block, &hash, &last));
        if answer.app_hash != saved.app_hash
            || results_hash(&answer.tx_results) != results_hash(&saved.tx_results)
        {
            return Err(Error::Application {
                height,
                expected: format!(
                    "app hash {} and the saved results",
                    hex::encode_upper(&saved.app_hash)
                ),
                got: format!(
                    "app hash {} with results {}: the application is not deterministic or another version",
                    hex::encode_upper(&answer.app_hash),
                    hex::encode_upper(results_hash(&answer.tx_results))
                ),
            });
        }
        app.commit();
    }
    Ok(())
}

/// The request that executes `block`.
pub fn finalize_request(block: &Block, hash: &[u8], last: &ValidatorSet) -> RequestFinalizeBlock {
    let header = block.header.clone().unwrap_or_default();
    RequestFinalizeBlock {
        txs: block
            .data
            .iter()
            .flat_map(|d| &d.txs)
            .map(|t| t.clone().into())
            .collect(),
        decided_last_commit: block.last_commit.as_ref().map(|c| commit_info(c, last)),
        misbehavior: Vec::new(),
        hash: hash.to_vec().into(),
        height: header.height,
        time: header.time,
        next_validators_hash: header.next_validators_hash.into(),
        proposer_address: header.proposer_address.into(),
    }
}
