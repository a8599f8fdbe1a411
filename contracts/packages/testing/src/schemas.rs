//! The contracts' JSON schemas (CosmWasm IDL), as `schemas/<contract>/<contract>.json` must hold them.

use anyhow::{Context, Result};
use cosmwasm_schema::generate_api;
use ember_types::{market, registry, sudo::SudoMsg};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The repository's `schemas/`.
pub fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../schemas")
}

/// Every schema file, by its path below [`dir`].
///
/// # Errors
/// When a schema cannot be encoded.
pub fn render() -> Result<BTreeMap<PathBuf, String>> {
    let registry = generate_api! {
        name: "registry",
        version: "1.0.0",
        instantiate: registry::InstantiateMsg,
        execute: registry::ExecuteMsg,
        query: registry::QueryMsg,
        migrate: registry::MigrateMsg,
        sudo: SudoMsg,
    };
    let market = generate_api! {
        name: "market",
        version: "1.0.0",
        instantiate: market::InstantiateMsg,
        execute: market::ExecuteMsg,
        query: market::QueryMsg,
        migrate: market::MigrateMsg,
        sudo: SudoMsg,
    };
    [("registry", registry), ("market", market)]
        .into_iter()
        .map(|(name, api)| {
            let text = api.render().to_string()? + "\n";
            Ok((Path::new(name).join(format!("{name}.json")), text))
        })
        .collect()
}

/// Every file below `dir`, by its path below it.
///
/// # Errors
/// When the folder cannot be read.
pub fn stored(dir: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(dir)?.into(), fs::read_to_string(&path)?);
            }
        }
    }
    Ok(found)
}

/// Writes every schema that differs and removes every file that belongs to none.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir)?;
    let (wanted, stored) = (render()?, stored(dir)?);
    for orphan in stored.keys().filter(|p| !wanted.contains_key(*p)) {
        fs::remove_file(dir.join(orphan))?;
    }
    for (path, text) in wanted.iter().filter(|(p, t)| stored.get(*p) != Some(t)) {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap_or(dir))?;
        fs::write(path, text)?;
    }
    Ok(())
}
