//! Which of the SDK's and wasmd's messages and methods this chain has, as a table in Markdown; with `--write` into
//! `README.md`: `cargo run --release -p ember-abci-app --example compat -- --write`.

#[path = "../tests/compat_support/mod.rs"]
mod compat_support;

use anyhow::{Result, bail};

#[tokio::main]
async fn main() -> Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let (dir, old) = (tempfile::tempdir()?, std::fs::read_to_string(path)?);
    let new = compat_support::readme(dir.path(), &old).await?;
    match std::env::args().nth(1).as_deref() {
        None => println!("{new}"),
        Some("--write") => std::fs::write(path, new)?,
        Some(other) => bail!("expected --write or nothing, got {other}"),
    }
    Ok(())
}
