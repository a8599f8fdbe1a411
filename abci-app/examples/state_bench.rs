//! What the size of the state costs: blocks of 1,000 bank sends with 10,000 accounts and with 1,000,000.
//!
//! `cargo run --release -p ember-abci-app --example state_bench`. Each size is filled through the disk, in parts, and
//! measured in a process of its own, so that memory is the application's.

use anyhow::{Context, Result, ensure};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        auth::v1beta1::{BaseAccount, QueryAccountRequest, QueryAccountResponse},
        bank::v1beta1::MsgSend,
        base::v1beta1::Coin,
        crypto::secp256k1::PubKey,
        tx::{
            signing::v1beta1::SignMode,
            v1beta1::{AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw, mode_info},
        },
    },
};
use ember_abci_app::{
    app::{App, AppOptions, sync::SnapshotOptions},
    codec::address,
    ctx::{BlockInfo, Ctx, Mode},
    gas::GasMeter,
    modules::{auth, bank},
    store::{Layers, disk::Disk, pruning::Pruning},
    tx::sigs::address_of,
};
use k256::ecdsa::{Signature, SigningKey, signature::Signer};
use prost::Message;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};
use tendermint_abci::Application;
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::abci::{
        CheckTxType, RequestCheckTx, RequestFinalizeBlock, RequestInitChain, RequestQuery,
    },
};

const CHAIN: &str = "bench-1";
const PREFIX: &str = "bench";
const DENOM: &str = "ubench";
/// Sends of a block.
const SENDS: u64 = 1_000;
/// Blocks that are measured, after [`WARM`] that are not.
const BLOCKS: u64 = 15;
const WARM: u64 = 2;
/// Accounts that one commit adds while the state is filled.
const BATCH: u64 = 20_000;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => table(),
        ["fill", dir, accounts] => fill(Path::new(dir), accounts.parse()?),
        ["run", dir, accounts] => {
            println!("{}", run(Path::new(dir), accounts.parse()?)?);
            Ok(())
        }
        _ => anyhow::bail!("usage: state_bench, got {args:?}"),
    }
}

fn table() -> Result<()> {
    let mut rows = Vec::new();
    println!(
        "accounts    finalize    commit      block       memory      file    file growth a block"
    );
    for accounts in [10_000u64, 1_000_000] {
        let dir = tempfile::tempdir()?;
        child(&[
            "fill",
            &dir.path().display().to_string(),
            &accounts.to_string(),
        ])?;
        let said = child(&[
            "run",
            &dir.path().display().to_string(),
            &accounts.to_string(),
        ])?;
        let row: Value = serde_json::from_str(&said)?;
        let ms = |key: &str| row[key].as_f64().unwrap_or_default();
        println!(
            "{accounts:>9} {:>8.1} ms {:>6.1} ms {:>7.1} ms {:>8} MiB {:>5} MiB {:>9} KiB",
            ms("finalize_ms"),
            ms("commit_ms"),
            ms("block_ms"),
            row["memory_mib"],
            row["file_mib"],
            row["growth_kib"]
        );
        rows.push(row);
    }
    let time = |i: usize| rows[i]["block_ms"].as_f64().unwrap_or_default();
    println!(
        "a block with 1,000,000 accounts takes {:.2} times as long as with 10,000",
        time(1) / time(0)
    );
    Ok(())
}

fn child(args: &[&str]) -> Result<String> {
    let out = Command::new(std::env::current_exe()?).args(args).output()?;
    ensure!(
        out.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    Ok(String::from_utf8(out.stdout)?)
}

fn open(dir: &Path) -> Result<App> {
    Ok(App::open(AppOptions {
        home: dir.into(),
        min_gas_prices: Vec::new(),
        query_gas_limit: 50_000_000,
        pruning: Pruning::KeepRecent(100),
        snapshots: SnapshotOptions::default(),
    })?)
}

/// The key of a sender: every `step`th account is one.
fn key(n: u64) -> Result<SigningKey> {
    Ok(SigningKey::from_slice(&Sha256::digest(n.to_be_bytes()))?)
}

fn bytes(accounts: u64, n: u64) -> Result<Vec<u8>> {
    if n.is_multiple_of(step(accounts)) && n / step(accounts) < SENDS * (WARM + BLOCKS) {
        return Ok(address_of(&key(n)?.verifying_key().to_sec1_bytes()));
    }
    Ok(Sha256::digest([&b"nobody"[..], &n.to_be_bytes()].concat())[..20].to_vec())
}

/// Senders of all blocks, spread over the accounts; where there are fewer accounts, they come again.
fn step(accounts: u64) -> u64 {
    (accounts / (SENDS * (WARM + BLOCKS))).max(1)
}

fn fill(dir: &Path, accounts: u64) -> Result<()> {
    let app = open(dir)?;
    let first = address::encode(PREFIX, &bytes(accounts, 0)?).context("address")?;
    let state = json!({
        "auth": { "accounts": [{ "@type": "/cosmos.auth.v1beta1.BaseAccount", "address": first, "pub_key": null, "account_number": "0", "sequence": "0" }] },
        "bank": { "balances": [{ "address": first, "coins": [{ "denom": DENOM, "amount": "1000000000" }] }], "supply": [] },
        "genutil": { "gen_txs": [] },
        "wasm": { "params": { "code_upload_access": { "permission": "Everybody", "addresses": [] }, "instantiate_default_permission": "Everybody" }, "codes": [], "contracts": [], "sequences": [] },
    });
    app.init_chain(RequestInitChain {
        chain_id: CHAIN.into(),
        app_state_bytes: serde_json::to_vec(&state)?.into(),
        initial_height: 1,
        time: time(0),
        ..RequestInitChain::default()
    });
    block(&app, 1, &[]);
    drop(app);
    let disk = Disk::open(&dir.join("data/application.db"), Pruning::KeepRecent(2))?;
    let mut height = 1;
    for from in (1..accounts).step_by(usize::try_from(BATCH)?) {
        let info = BlockInfo {
            height,
            time_ns: 0,
            chain_id: CHAIN.into(),
        };
        let layers = Layers::new(disk.snapshot()?);
        let ctx = Ctx::new(layers, GasMeter::new(u64::MAX), info, Mode::Deliver);
        for n in from..(from + BATCH).min(accounts) {
            let address = bytes(accounts, n)?;
            auth::keeper::ensure_account(&ctx, &address)?;
            bank::keeper::mint_coins(&ctx, &address, &[(DENOM.into(), 1_000_000_000)])?;
        }
        ctx.take_events();
        height += 1;
        disk.commit(&disk.prepare(height, ctx.with_layers(Layers::take))?)?;
    }
    Ok(())
}

fn time(height: i64) -> Option<Timestamp> {
    Some(Timestamp {
        seconds: 1_000 + height,
        nanos: 0,
    })
}

/// Executes and commits a block; how long each took.
fn block(app: &App, height: u64, txs: &[Vec<u8>]) -> (Duration, Duration) {
    let height = i64::try_from(height).unwrap_or(i64::MAX);
    let req = RequestFinalizeBlock {
        height,
        time: time(height),
        txs: txs.iter().map(|t| t.clone().into()).collect(),
        ..RequestFinalizeBlock::default()
    };
    let begin = Instant::now();
    let done = app.finalize_block(req);
    let executed = begin.elapsed();
    app.commit();
    let whole = begin.elapsed();
    for result in &done.tx_results {
        assert_eq!(result.code, 0, "{}", result.log);
    }
    (executed, whole - executed)
}

fn account(app: &App, address: &str) -> Result<BaseAccount> {
    let req = QueryAccountRequest {
        address: address.into(),
    };
    let answer = app.query(RequestQuery {
        path: "/cosmos.auth.v1beta1.Query/Account".into(),
        data: req.encode_to_vec().into(),
        ..RequestQuery::default()
    });
    let account = QueryAccountResponse::decode(answer.value)?.account;
    Ok(BaseAccount::decode(
        account.context("no account")?.value.as_slice(),
    )?)
}

fn send(app: &App, accounts: u64, (from, to): (u64, u64)) -> Result<Vec<u8>> {
    let key = key(from)?;
    let public = key.verifying_key().to_sec1_bytes();
    let text = |bytes: &[u8]| address::encode(PREFIX, bytes).context("address");
    let coin = |amount: u64| {
        vec![Coin {
            denom: DENOM.into(),
            amount: amount.to_string(),
        }]
    };
    let message = MsgSend {
        from_address: text(&address_of(&public))?,
        to_address: text(&bytes(accounts, to)?)?,
        amount: coin(7),
    };
    let sender = account(app, &message.from_address)?;
    let body = TxBody {
        messages: vec![Any {
            type_url: "/cosmos.bank.v1beta1.MsgSend".into(),
            value: message.encode_to_vec(),
        }],
        ..TxBody::default()
    };
    let public = PubKey {
        key: public.to_vec(),
    };
    let single = mode_info::Single {
        mode: SignMode::Direct as i32,
    };
    let auth = AuthInfo {
        signer_infos: vec![SignerInfo {
            public_key: Some(Any {
                type_url: "/cosmos.crypto.secp256k1.PubKey".into(),
                value: public.encode_to_vec(),
            }),
            mode_info: Some(ModeInfo {
                sum: Some(mode_info::Sum::Single(single)),
            }),
            sequence: sender.sequence,
        }],
        fee: Some(Fee {
            amount: coin(100),
            gas_limit: 200_000,
            ..Fee::default()
        }),
        ..AuthInfo::default()
    };
    let doc = SignDoc {
        body_bytes: body.encode_to_vec(),
        auth_info_bytes: auth.encode_to_vec(),
        chain_id: CHAIN.into(),
        account_number: sender.account_number,
    };
    let signature: Signature = key.sign(&doc.encode_to_vec());
    let raw = TxRaw {
        body_bytes: doc.body_bytes,
        auth_info_bytes: doc.auth_info_bytes,
        signatures: vec![signature.to_vec()],
    };
    Ok(raw.encode_to_vec())
}

fn run(dir: &Path, accounts: u64) -> Result<Value> {
    let app = open(dir)?;
    let file = dir.join("data/application.db");
    let size = || fs::metadata(&file).map(|m| m.len());
    let mut height = app.last_height();
    let (mut finalize, mut commit, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    let mut before = 0;
    for n in 0..WARM + BLOCKS {
        let txs = (0..SENDS).map(|i| {
            let place = n * SENDS + i;
            let number = place * step(accounts) % accounts;
            let to = (place.wrapping_mul(7_919) + 13) % accounts;
            send(&app, accounts, (number, to))
        });
        let txs: Vec<_> = txs.collect::<Result<_>>()?;
        // As in a node: the mempool has verified the signatures.
        for tx in &txs {
            let checked = app.check_tx(RequestCheckTx {
                tx: tx.clone().into(),
                r#type: CheckTxType::New as i32,
            });
            ensure!(checked.code == 0, "{}", checked.log);
        }
        height += 1;
        if n == WARM {
            before = size()?;
        }
        let (executed, committed) = block(&app, height, &txs);
        if n >= WARM {
            finalize.push(executed);
            commit.push(committed);
            whole.push(executed + committed);
        }
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let peak: u64 = peak
        .and_then(|l| l.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or_default();
    Ok(json!({
        "finalize_ms": median(finalize),
        "commit_ms": median(commit),
        "block_ms": median(whole),
        "memory_mib": peak / 1024,
        "file_mib": size()? >> 20,
        "growth_kib": (size()? - before) / BLOCKS / 1024,
    }))
}

/// Milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times
        .get(times.len() / 2)
        .map_or(0.0, |t| t.as_secs_f64() * 1_000.0)
}
