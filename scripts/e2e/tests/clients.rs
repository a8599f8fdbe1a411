//! CosmJS, as it comes from npm, against the embedded chain.

use anyhow::{Result, ensure};
use ember_e2e::{
    books::Accounts,
    chain::{Chain, Engine},
    install::Install,
    party::Party,
};
use std::{path::PathBuf, process::Command};

#[test]
fn cosmjs_notices_nothing() -> Result<()> {
    let clients = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../clients");
    if !clients.join("node_modules").is_dir() {
        println!(
            "SKIP: cosmjs_notices_nothing: no node_modules in scripts/clients, run ./scripts/setup with Node.js installed"
        );
        return Ok(());
    }
    let install = Install::find()?;
    let dir = tempfile::tempdir()?;
    let alice = Party::new(&install, "alice", &dir.path().join("alice"))?;
    let bob = Party::new(&install, "bob", &dir.path().join("bob"))?;
    let mut chain = Chain::init(
        &install,
        Engine::Embedded,
        &dir.path().join("chain"),
        &[
            format!("{}:1000000000uember", alice.address),
            format!("{}:1uember", bob.address),
        ],
    )?;
    chain.start()?;
    let market = Accounts::read(&chain, &[])?.market;
    let out = Command::new("node")
        .arg("cosmjs.mjs")
        .args([&chain.node()])
        .arg(alice.mnemonic_file())
        .args([&bob.address, &market, "ember", "uember"])
        .current_dir(&clients)
        .output()?;
    let text = String::from_utf8_lossy(&out.stdout);
    println!("{text}");
    ensure!(
        out.status.success(),
        "cosmjs.mjs: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    assert!(text.contains("9 passed, 0 failed"));
    Ok(())
}
