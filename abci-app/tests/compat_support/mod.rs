//! Which of the SDK's and wasmd's messages and methods this chain has: asked of the chain itself.

use anyhow::{Context, Result};
use cosmos_sdk_proto::Any;
use ember_abci_app::{
    api::{Services, descriptors},
    app::{App, AppOptions, chain::Below, router::Modules, sync::SnapshotOptions},
    codec::descriptors::pool,
    metrics::Metrics,
    modules::{router::Router, wasm::WasmModule},
    store::pruning::Pruning,
};
use std::{fmt::Write, path::Path, sync::Arc};
use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::RequestQuery;
use tonic::Code;

/// Where the table begins in `README.md`.
pub const BEGIN: &str = "<!-- compatibility: begin -->";
/// Where it ends.
pub const END: &str = "<!-- compatibility: end -->";

/// The README with today's table in it.
///
/// # Errors
/// When the chain cannot be opened below `dir`, or the README has no place for the table.
pub async fn readme(dir: &Path, old: &str) -> Result<String> {
    let (head, rest) = old.split_once(BEGIN).context("README.md: no begin")?;
    let (_, tail) = rest.split_once(END).context("README.md: no end")?;
    Ok(format!("{head}{BEGIN}\n{}{END}{tail}", table(dir).await?))
}

async fn answers(services: &Services, path: &str) -> bool {
    let answer = services.call(path, Vec::new(), 0).await;
    !matches!(answer, Err(e) if e.code() == Code::Unimplemented)
}

async fn table(dir: &Path) -> Result<String> {
    let wasm = WasmModule::open(&dir.join("vm"), Arc::new(Below))?;
    let router = Modules { wasm: &wasm };
    let app = App::open(AppOptions {
        home: dir.join("home"),
        min_gas_prices: Vec::new(),
        query_gas_limit: 1_000_000,
        pruning: Pruning::KeepRecent(1),
        snapshots: SnapshotOptions::default(),
    })?;
    // Nobody listens there: what needs the engine says so, which is an answer.
    let services = Services::new(app.clone(), Metrics::default(), "http://127.0.0.1:9")?;
    let mut out = String::from("| service | yes | no |\n|---|---|---|\n");
    let mut all: Vec<_> = pool().services().collect();
    all.sort_by(|a, b| a.full_name().cmp(b.full_name()));
    for service in all {
        let name = service.full_name();
        // CometBFT's own, which is not served over gRPC.
        if name.starts_with("tendermint.") {
            continue;
        }
        let (mut yes, mut no) = (Vec::new(), Vec::new());
        for method in service.methods() {
            let there = if service.name() == "Msg" {
                let msg = Any {
                    type_url: format!("/{}", method.input().full_name()),
                    value: Vec::new(),
                };
                // An empty message is refused for what it lacks, one that nobody knows for its type.
                !matches!(router.signers(&msg), Err(e) if e.log.contains("resolve type URL") || e.log.contains("unrecognized message"))
            } else {
                let path = format!("/{name}/{}", method.name());
                // A method may need the engine, or a module that only a genesis brings: that is an answer.
                let asked = app.query(RequestQuery {
                    path: path.clone(),
                    ..RequestQuery::default()
                });
                let known = (asked.codespace.as_str(), asked.code) != ("sdk", 6);
                descriptors::method(&path).is_some() && (known || answers(&services, &path).await)
            };
            if there { &mut yes } else { &mut no }.push(method.name().to_owned());
        }
        let list = |names: &[String]| match names {
            [] => "-".to_owned(),
            names => names.join(", "),
        };
        writeln!(out, "| `{name}` | {} | {} |", list(&yes), list(&no))?;
    }
    Ok(out)
}
