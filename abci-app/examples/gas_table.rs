//! SDK gas of every message of the contracts, on a chain with few orders and on one with many: a table in Markdown.
//!
//! `cargo run --release -p ember-abci-app --example gas_table -- [--orders N] [--leases N] [--asks N] [--providers N]
//! [--write]`. With `--write` it replaces the table in `contracts/README.md`. The contracts lie in `EMBER_CONTRACTS_DIR`.
//! Gas is without what a transaction costs around its message: its bytes, its signature, its fee.

#[path = "../tests/costs_support/mod.rs"]
mod costs_support;

use anyhow::{Context, Result, bail};
use costs_support::{
    fill::{Size, filled},
    hook, market, registry,
    world::contracts_dir,
};
use ember_abci_app::modules::hooks;
use std::{fmt::Write, fs, path::Path, time::Instant};

const BEGIN: &str = "<!-- gas: begin -->";
const END: &str = "<!-- gas: end -->";
const FEW: Size = Size {
    orders: 10,
    leases: 10,
    asks: 10,
    providers: 10,
};

/// Name, then gas with few and with many.
type Row = (String, u64, u64);

struct Report {
    registry: Vec<Row>,
    market: Vec<Row>,
    idle: Vec<Row>,
    due: Vec<(&'static str, Vec<u64>)>,
}

fn main() -> Result<()> {
    let (mut many, mut write) = (
        Size {
            orders: 100_000,
            leases: 10_000,
            asks: 10_000,
            providers: 1_000,
        },
        false,
    );
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || -> Result<u64> {
            let text = args
                .next()
                .with_context(|| format!("{arg}: expected a number"))?;
            text.parse().with_context(|| format!("{arg} {text}"))
        };
        match arg.as_str() {
            "--orders" => many.orders = number()?,
            "--leases" => many.leases = number()?,
            "--asks" => many.asks = number()?,
            "--providers" => many.providers = number()?,
            "--write" => write = true,
            _ => bail!("expected --orders, --leases, --asks, --providers or --write, got {arg}"),
        }
    }
    let contracts = contracts_dir()
        .context("no contracts: run ./scripts/build-contracts or set EMBER_CONTRACTS_DIR")?;
    let table = render(many, &measure(&contracts, many)?)?;
    print!("{table}");
    if write {
        replace(&table)?;
    }
    Ok(())
}

fn measure(contracts: &Path, many: Size) -> Result<Report> {
    let mut worlds = Vec::new();
    for size in [FEW, many] {
        let start = Instant::now();
        worlds.push(filled(contracts, size)?);
        eprintln!("{size:?}: {:.0} s", start.elapsed().as_secs_f64());
    }
    let (mut idle, mut registry, mut market) = (Vec::new(), Vec::new(), Vec::new());
    for world in &mut worlds {
        let [registry, market] = hook::idle(world)?;
        idle.push(vec![
            ("end-block hook of the registry, nothing due", registry),
            ("end-block hook of the market, nothing due", market),
        ]);
    }
    for world in &mut worlds {
        market.push(market::costs(world)?);
        registry.push(registry::costs(world)?);
    }
    let mut due = Vec::new();
    for (text, full) in hook::WORST {
        due.push((text, hook::due(contracts, full)?));
    }
    Ok(Report {
        registry: pair(registry),
        market: pair(market),
        idle: pair(idle),
        due,
    })
}

fn pair(columns: Vec<Vec<(&str, u64)>>) -> Vec<Row> {
    let mut columns = columns.into_iter();
    let (few, many) = (
        columns.next().unwrap_or_default(),
        columns.next().unwrap_or_default(),
    );
    few.into_iter()
        .zip(many)
        .map(|((name, few), (_, many))| (name.to_owned(), few, many))
        .collect()
}

fn render(many: Size, report: &Report) -> Result<String> {
    let mut out = String::new();
    let head = |s: Size| {
        format!(
            "{} orders, {} leases, {} asks, {} providers",
            thousands(s.orders),
            thousands(s.leases),
            thousands(s.asks),
            thousands(s.providers)
        )
    };
    writeln!(
        out,
        "| SDK gas | {} | {} | ratio |\n|---|---:|---:|---:|",
        head(FEW),
        head(many)
    )?;
    for (contract, rows) in [
        ("registry", &report.registry),
        ("market", &report.market),
        ("", &report.idle),
    ] {
        for (name, few, many) in rows {
            let name = if contract.is_empty() {
                name.clone()
            } else {
                format!("{contract}: {name}")
            };
            let ratio = *many as f64 / *few as f64;
            writeln!(
                out,
                "| {name} | {} | {} | {ratio:.3} |",
                thousands(*few),
                thousands(*many)
            )?;
        }
    }
    writeln!(
        out,
        "\n| 150 auctions of 50 bids end in one block; limit {} | blocks | largest | all |\n|---|---:|---:|---:|",
        thousands(hooks::MAX_GAS)
    )?;
    for (text, gas) in &report.due {
        let (largest, all) = (
            gas.iter().max().copied().unwrap_or_default(),
            gas.iter().sum(),
        );
        writeln!(
            out,
            "| {text} | {} | {} | {} |",
            gas.len(),
            thousands(largest),
            thousands(all)
        )?;
    }
    Ok(out)
}

fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Puts the table between its marks.
fn replace(table: &str) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/README.md");
    let text = fs::read_to_string(&path)?;
    let (before, rest) = text
        .split_once(BEGIN)
        .context("contracts/README.md: no begin mark")?;
    let (_, after) = rest
        .split_once(END)
        .context("contracts/README.md: no end mark")?;
    fs::write(&path, format!("{before}{BEGIN}\n{table}{END}{after}"))?;
    Ok(())
}
