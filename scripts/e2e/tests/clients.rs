//! The clients that people use, as their registries ship them, against both engines.

use anyhow::{Result, ensure};
use ember_e2e::{
    books::Accounts,
    chain::{Chain, Engine, run},
    install::Install,
    party::Party,
};
use std::{path::PathBuf, process::Command};

/// A chain with somebody rich and somebody poor on it.
struct Stage {
    chain: Chain,
    alice: Party,
    bob: Party,
    market: String,
    _dir: tempfile::TempDir,
}

impl Stage {
    fn new(install: &Install, engine: Engine) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("ember-").tempdir()?;
        let alice = Party::new(install, "alice", &dir.path().join("alice"))?;
        let bob = Party::new(install, "bob", &dir.path().join("bob"))?;
        let funds = [
            format!("{}:1000000000uember", alice.address),
            format!("{}:1uember", bob.address),
        ];
        let mut chain = Chain::init(install, engine, &dir.path().join("chain"), &funds)?;
        chain.start()?;
        let market = Accounts::read(&chain, &[])?.market;
        Ok(Self {
            chain,
            alice,
            bob,
            market,
            _dir: dir,
        })
    }
}

fn clients() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../clients")
}

/// The engines that are installed; what is not is named.
fn engines(install: &Install, test: &str) -> Vec<Engine> {
    let mut engines = vec![Engine::Embedded];
    if install.cometbft.is_some() {
        engines.push(Engine::CometBft);
    } else {
        println!("SKIP: {test} under CometBFT: it is not installed");
    }
    engines
}

/// Runs a client's script and expects that all its checks pass.
fn passes(mut script: Command, checks: u32) -> Result<()> {
    let out = script.current_dir(clients()).output()?;
    let (text, errors) = (
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr),
    );
    println!("{text}");
    ensure!(out.status.success(), "{script:?}: {text}{errors}");
    assert!(text.contains(&format!("{checks} passed, 0 failed")));
    Ok(())
}

#[test]
fn cosmjs_notices_nothing() -> Result<()> {
    if !clients().join("node_modules").is_dir() {
        println!(
            "SKIP: cosmjs_notices_nothing: no node_modules in scripts/clients, run ./scripts/setup with Node.js installed"
        );
        return Ok(());
    }
    let install = Install::find()?;
    for engine in engines(&install, "cosmjs_notices_nothing") {
        let s = Stage::new(&install, engine)?;
        let mut script = Command::new("node");
        script
            .args(["cosmjs.mjs", &s.chain.node()])
            .arg(s.alice.mnemonic_file())
            .args([&s.bob.address, &s.market, "ember", "uember"]);
        passes(script, 12)?;
        let mut script = Command::new("node");
        script.args(["cosmjs_wasm.mjs", &s.chain.node()]);
        script.arg(s.alice.mnemonic_file()).arg(&s.bob.address);
        script.arg(install.contracts.join("registry.wasm"));
        script.args(["ember", "uember"]);
        passes(script, 9)?;
    }
    Ok(())
}

/// A wallet that knows of the chain what `emberd chain-suggest` says, and speaks REST.
#[test]
fn a_wallet_over_rest_notices_nothing() -> Result<()> {
    let test = "a_wallet_over_rest_notices_nothing";
    if !clients().join("node_modules").is_dir() {
        println!(
            "SKIP: {test}: no node_modules in scripts/clients, run ./scripts/setup with Node.js installed"
        );
        return Ok(());
    }
    let install = Install::find()?;
    for engine in engines(&install, test) {
        let s = Stage::new(&install, engine)?;
        let mut suggest = Command::new(&install.emberd);
        suggest
            .arg("chain-suggest")
            .arg("--home")
            .arg(s.chain.home());
        suggest.arg("--rpc").arg(s.chain.node());
        suggest.arg("--rest");
        suggest.arg(format!("http://{}", s.chain.address("api")?));
        let file = s.chain.home().join("chain.json");
        std::fs::write(&file, run(suggest)?)?;
        let mut script = Command::new("node");
        script.arg("wallet_rest.mjs").arg(file);
        script.arg(s.alice.mnemonic_file());
        script.args([&s.bob.address, &s.market]);
        passes(script, 10)?;
    }
    Ok(())
}

/// The clients that `@cosmwasm/ts-codegen` makes of `schemas/`, type-checked, and a dApp on them.
#[test]
fn a_dapp_on_generated_clients_trades_and_reads_its_history() -> Result<()> {
    let test = "a_dapp_on_generated_clients_trades_and_reads_its_history";
    if !clients().join("node_modules/@cosmwasm/ts-codegen").is_dir() {
        println!(
            "SKIP: {test}: no ts-codegen in scripts/clients/node_modules, run ./scripts/setup with Node.js installed"
        );
        return Ok(());
    }
    for args in [&["generate.mjs"][..], &["node_modules/typescript/bin/tsc"]] {
        let out = Command::new("node")
            .args(args)
            .current_dir(clients())
            .output()?;
        let text = String::from_utf8_lossy(&out.stdout);
        let errors = String::from_utf8_lossy(&out.stderr);
        ensure!(out.status.success(), "node {args:?}: {text}{errors}");
    }
    let install = Install::find()?;
    for engine in engines(&install, test) {
        let s = Stage::new(&install, engine)?;
        let mut script = Command::new("node");
        script
            .args(["build/dapp.js", &s.chain.node()])
            .arg(s.alice.mnemonic_file())
            .args([&s.market, "ember", "uember"]);
        passes(script, 11)?;
    }
    Ok(())
}

#[test]
fn cosmpy_notices_nothing_over_grpc_and_rest() -> Result<()> {
    let python = clients().join(".venv/bin/python");
    if !clients().join(".venv/installed").is_file() {
        println!(
            "SKIP: cosmpy_notices_nothing_over_grpc_and_rest: no .venv in scripts/clients, run ./scripts/setup with python3-venv installed"
        );
        return Ok(());
    }
    let install = Install::find()?;
    for engine in engines(&install, "cosmpy_notices_nothing_over_grpc_and_rest") {
        let s = Stage::new(&install, engine)?;
        for (scheme, name) in [("grpc+http", "grpc"), ("rest+http", "api")] {
            let mut script = Command::new(&python);
            script
                .arg("cosmpy_client.py")
                .args([
                    &format!("{scheme}://{}", s.chain.address(name)?),
                    "ember-demo-1",
                ])
                .arg(s.alice.mnemonic_file())
                .args([&s.bob.address, &s.market, "ember", "uember"]);
            passes(script, 8)?;
        }
    }
    Ok(())
}
