//! The compatibility table of `README.md` is what the chain answers to.

mod compat_support;

use anyhow::{Result, ensure};

#[tokio::test]
async fn the_compatibility_table_is_todays() -> Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let (dir, old) = (tempfile::tempdir()?, std::fs::read_to_string(path)?);
    let new = compat_support::readme(dir.path(), &old).await?;
    ensure!(
        old == new,
        "abci-app/README.md: the table is stale: cargo run --release -p ember-abci-app --example compat -- --write"
    );
    Ok(())
}
