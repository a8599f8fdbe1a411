//! `emberd replay`: whether a chain is what its blocks say. Every block that a node serves is executed again, in a state
//! of its own that begins with the genesis, and app hash and results must be those of the next block's header.

use super::{
    output::{Format, print},
    query::Node,
};
use crate::{
    app::{App, AppOptions, sync::SnapshotOptions},
    engine::{
        chain::results_hash,
        handshake::{GenesisFile, finalize_request, init_request},
    },
    store::pruning::Pruning,
};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tendermint::{block::Height, evidence::Evidence};
use tendermint_abci::Application;
use tendermint_proto::v0_38::{
    abci::{Misbehavior, MisbehaviorType, RequestFinalizeBlock, Validator as AbciValidator},
    types::{Block as WireBlock, ValidatorSet},
};
use tendermint_rpc::{
    Client as _, HttpClient, Paging, client::CompatMode, endpoint::block::Response as BlockResponse,
};

/// Options of `replay`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    node: Node,
    /// Where the fresh state is made. It must not exist, or be empty.
    #[arg(long)]
    dir: PathBuf,
    /// Last height whose result is checked; by default the one before the node's last.
    #[arg(long)]
    to: Option<u64>,
}

/// Run it.
///
/// # Errors
/// At the first difference, or when the node does not serve all blocks from the first on.
pub fn run(home: &Path, args: &Args, out: Format) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let urls = args.node.client(home)?;
    let url = urls.urls().first().context("no node")?;
    let source = Source {
        runtime,
        client: HttpClient::builder(url.as_str().try_into()?)
            .compat_mode(CompatMode::V0_38)
            .build()?,
    };
    let empty = fs::read_dir(&args.dir).map_or(true, |mut entries| entries.next().is_none());
    ensure!(
        empty,
        "{}: expected no folder, or an empty one: choose another --dir",
        args.dir.display()
    );
    let top = source.top().with_context(|| url.clone())?;
    let to = args.to.unwrap_or(top.saturating_sub(1));
    ensure!(
        (1..top).contains(&to),
        "--to: expected a height below the node's last, which is {top}, got {to}"
    );
    fs::create_dir_all(&args.dir).with_context(|| args.dir.display().to_string())?;
    let genesis = source.genesis(&args.dir)?;
    let app = App::open(AppOptions {
        home: args.dir.clone(),
        min_gas_prices: Vec::new(),
        query_gas_limit: 50_000_000,
        pruning: Pruning::KeepRecent(1),
        snapshots: SnapshotOptions::default(),
    })?;
    let done = execute(&source, &app, &genesis, to)?;
    print(
        out,
        &json!({
            "chain_id": genesis.doc.chain_id.to_string(),
            "from": done.from,
            "to": to,
            "txs": done.txs,
            "app_hash": hex::encode_upper(done.app_hash),
        }),
    )
}

struct Done {
    from: u64,
    txs: usize,
    app_hash: Vec<u8>,
}

/// Executes blocks up to `to` and looks at the header of the one after.
fn execute(source: &Source, app: &App, genesis: &GenesisFile, to: u64) -> Result<Done> {
    let request = init_request(genesis)?;
    let from = u64::try_from(request.initial_height)?;
    let mut done = Done {
        from,
        txs: 0,
        app_hash: app.init_chain(request).app_hash.to_vec(),
    };
    // The results of no transactions are what the first header names.
    let mut results = results_hash(&[]);
    for height in from..=to + 1 {
        let response = source.block(height)?;
        let header = &response.block.header;
        let theirs = header.app_hash.as_bytes();
        ensure!(
            theirs == done.app_hash,
            "block {height}: expected the app hash that execution gave, {}, got {}: another version of emberd made it, or execution is not deterministic",
            hex::encode_upper(&done.app_hash),
            hex::encode_upper(theirs)
        );
        let theirs = header.last_results_hash.unwrap_or_default();
        ensure!(
            theirs.as_bytes() == results,
            "block {height}: expected results with hash {}, got {theirs}",
            hex::encode_upper(&results)
        );
        if height > to {
            break;
        }
        let request = source.request(response)?;
        done.txs += request.txs.len();
        let answer = app.finalize_block(request);
        app.commit();
        done.app_hash = answer.app_hash.to_vec();
        results = results_hash(&answer.tx_results);
        if height % 1_000 == 0 {
            eprintln!("{height} of {to}");
        }
    }
    Ok(done)
}

/// A node that serves blocks.
struct Source {
    runtime: tokio::runtime::Runtime,
    client: HttpClient,
}

impl Source {
    fn top(&self) -> Result<u64> {
        let status = self.runtime.block_on(self.client.status())?;
        Ok(status.sync_info.latest_block_height.value())
    }

    /// Left in the folder as `genesis.json`.
    fn genesis(&self, dir: &Path) -> Result<GenesisFile> {
        let doc = self.runtime.block_on(self.client.genesis::<Value>())?;
        let file = dir.join("genesis.json");
        fs::write(&file, serde_json::to_vec(&doc)?).with_context(|| file.display().to_string())?;
        Ok(GenesisFile::load(&file)?)
    }

    fn block(&self, height: u64) -> Result<BlockResponse> {
        let at = Height::try_from(height)?;
        self.runtime
            .block_on(self.client.block(at))
            .with_context(|| format!("block {height}"))
    }

    /// What the engine told the application of a block.
    fn request(&self, response: BlockResponse) -> Result<RequestFinalizeBlock> {
        let height = response.block.header.height;
        let misbehavior = misbehavior(response.block.evidence.iter())?;
        // Who voted for the block before.
        let voters = match &response.block.last_commit {
            None => Vec::new(),
            Some(commit) => self
                .runtime
                .block_on(self.client.validators(commit.height, Paging::All))
                .with_context(|| format!("validators of height {}", commit.height))?
                .validators
                .into_iter()
                .map(Into::into)
                .collect(),
        };
        let voters = ValidatorSet {
            validators: voters,
            ..ValidatorSet::default()
        };
        let hash = response.block_id.hash;
        let block = WireBlock::from(response.block);
        let mut request = finalize_request(&block, hash.as_bytes(), &voters);
        ensure!(
            request.height == height.value() as i64,
            "block {height}: expected this height, got {}",
            request.height
        );
        request.decided_last_commit.get_or_insert_default();
        request.misbehavior = misbehavior;
        Ok(request)
    }
}

fn misbehavior<'a>(evidence: impl Iterator<Item = &'a Evidence>) -> Result<Vec<Misbehavior>> {
    evidence
        .map(|e| match e {
            Evidence::DuplicateVote(e) => Ok(Misbehavior {
                r#type: MisbehaviorType::DuplicateVote as i32,
                validator: Some(AbciValidator {
                    address: e.vote_a.validator_address.as_bytes().to_vec().into(),
                    power: e.validator_power.into(),
                }),
                height: e.vote_a.height.into(),
                time: Some(e.timestamp.into()),
                total_voting_power: e.total_voting_power.into(),
            }),
            Evidence::LightClientAttack(_) => {
                bail!("a block with evidence of a light client attack cannot be replayed")
            }
        })
        .collect()
}
