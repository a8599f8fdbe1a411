//! `emberd testnet`: the homes of several validators that share one genesis, each ready for its own `emberd` and
//! CometBFT: on this machine with ports of their own, or on machines of their own with the usual ports.

use super::{
    comet::P2p,
    genesis::{Validator, contract_address},
    new_chain::{ChainArgs, NodeKeys, write_home},
    output::{Format, print},
};
use crate::config::{Config, abci_addr, absolute};
use anyhow::{Context, Result, bail, ensure};
use clap::builder::RangedU64ValueParser;
use ember_client::{Key, Keyring};
use rand_core::RngCore;
use serde_json::json;
use std::{
    fs,
    net::{Ipv6Addr, TcpListener},
    path::PathBuf,
};

/// Most validators: each keeps a connection to every other.
const MAX_VALIDATORS: u64 = 50;
/// Ports that a node may use on a machine that it shares, from its first on.
const STRIDE: u16 = 10;
/// Free ports are looked for in here: below what Linux gives to outgoing connections, above what services have.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// Options of `testnet`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many validators.
    #[arg(long, default_value_t = 4, value_parser = RangedU64ValueParser::<u64>::new().range(1..=MAX_VALIDATORS))]
    validators: u64,
    /// Where the homes node0, node1, … are made. It must not exist, or be empty.
    #[arg(long, default_value = "testnet")]
    dir: PathBuf,
    /// All on this machine: node I has ten ports from here + 10 x I on (P2P, RPC, gRPC, REST, metrics, ABCI). 0 takes free ones.
    #[arg(long, default_value_t = 0, conflicts_with = "hosts")]
    first_port: u16,
    /// Each on a machine of its own, with the usual ports: their addresses, as many as validators, comma-separated.
    /// P2P is then open to the network; RPC, gRPC and REST stay on loopback.
    #[arg(long, value_delimiter = ',')]
    hosts: Vec<String>,
    #[command(flatten)]
    chain: ChainArgs,
}

/// One node's addresses, `HOST:PORT` each.
struct Place {
    p2p: String,
    /// Where the others find it.
    peer: String,
    rpc: String,
    grpc: String,
    api: String,
    metrics: String,
    /// Taken when the home's path is too long for a unix socket.
    abci: String,
}

impl Place {
    /// All on loopback, from `first` on.
    fn local(first: u16) -> Self {
        let at = |n| format!("127.0.0.1:{}", first + n);
        Self {
            p2p: at(0),
            peer: at(0),
            rpc: at(1),
            grpc: at(2),
            api: at(3),
            metrics: at(4),
            abci: at(5),
        }
    }

    /// The usual ports of a machine of its own.
    fn machine(host: &str) -> Self {
        let host = match host.contains(':') {
            true => format!("[{host}]"),
            false => host.to_owned(),
        };
        Self {
            p2p: "0.0.0.0:26656".into(),
            peer: format!("{host}:26656"),
            rpc: "127.0.0.1:26657".into(),
            grpc: "127.0.0.1:9090".into(),
            api: "127.0.0.1:1317".into(),
            metrics: "127.0.0.1:26660".into(),
            abci: "127.0.0.1:26658".into(),
        }
    }
}

/// Run it.
///
/// # Errors
/// When an argument is not usable or a port is taken, and nothing is written then; or when a file cannot be written.
pub fn run(args: &Args, out: Format) -> Result<()> {
    let (dir, chain) = (&args.dir, &args.chain);
    let empty = match fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_none(),
        Err(e) => e.kind() == std::io::ErrorKind::NotFound,
    };
    ensure!(
        empty,
        "{}: expected no folder, or an empty one: choose another --dir",
        dir.display()
    );
    let count = usize::try_from(args.validators)?;
    let places = places(args, count)?;
    let homes: Vec<_> = (0..count).map(|i| dir.join(format!("node{i}"))).collect();
    let names: Vec<_> = (0..count).map(|i| format!("validator{i}")).collect();
    let keys: Vec<_> = (0..count).map(|_| NodeKeys::generate()).collect();

    let new_key = |name| Key::generate(name, &chain.prefix);
    let operators = (0..count)
        .map(|_| new_key("validator"))
        .collect::<Result<Vec<_>, _>>()?;
    let mut accounts = chain.accounts()?;
    let user = accounts.is_empty().then(|| new_key("user")).transpose()?;
    let made = operators.iter().chain(&user);
    accounts.extend(made.map(|(key, _)| (key.address.clone(), chain.funds())));
    let validators: Vec<_> = keys
        .iter()
        .zip(&names)
        .map(|(k, name)| Validator {
            public: k.validator.public(),
            moniker: name.clone(),
        })
        .collect();
    let genesis = chain.genesis(&accounts, &validators)?;

    // From here on files are written.
    for (home, (key, words)) in homes.iter().zip(&operators) {
        fs::create_dir_all(home).with_context(|| home.display().to_string())?;
        Keyring::open(home.join("keyring"), &chain.prefix).recover(&key.name, words)?;
    }
    if let Some((key, words)) = &user {
        Keyring::open(homes[0].join("keyring"), &chain.prefix).recover(&key.name, words)?;
    }
    let ids: Vec<_> = keys.iter().map(|k| hex::encode(k.node.address())).collect();
    let mut nodes = Vec::new();
    for (i, home) in homes.iter().enumerate() {
        let place = &places[i];
        let peers = (0..count)
            .filter(|other| *other != i)
            .map(|other| format!("{}@{}", ids[other], places[other].peer))
            .collect();
        let mut app = Config::new(&names[i], &chain.prefix, &chain.denom);
        app.rpc_laddr = format!("tcp://{}", place.rpc);
        app.grpc_laddr = format!("tcp://{}", place.grpc);
        app.api_laddr = format!("tcp://{}", place.api);
        app.metrics_laddr = format!("tcp://{}", place.metrics);
        if abci_addr(home, &app.abci_laddr).is_err() {
            app.abci_laddr = format!("tcp://{}", place.abci);
        }
        let p2p = P2p {
            laddr: format!("tcp://{}", place.p2p),
            peers,
        };
        write_home(home, &keys[i], &app, &p2p, &genesis)?;
        nodes.push(json!({
            "home": absolute(home),
            "moniker": names[i],
            "id": ids[i],
            "validator": hex::encode_upper(keys[i].validator.address()),
            "operator": operators[i].0.address,
            "p2p": place.peer,
            "rpc": format!("http://{}", place.rpc),
            "grpc": format!("http://{}", place.grpc),
            "api": format!("http://{}", place.api),
            "metrics": format!("http://{}/metrics", place.metrics),
            "abci": abci_addr(home, &app.abci_laddr)?.to_string(),
        }));
    }
    let mut result = json!({
        "dir": absolute(dir),
        "chain_id": chain.chain_id,
        "authority": chain.authority()?,
        "nodes": nodes,
        "next": "for each home: emberd --home HOME start --with-cometbft",
    });
    if !chain.no_contracts {
        result["registry"] = contract_address(&chain.prefix, 1, 1)?.into();
        result["market"] = contract_address(&chain.prefix, 2, 2)?.into();
    }
    if let Some((key, words)) = &user {
        result["user"] = json!({
            "name": key.name,
            "address": key.address,
            "mnemonic": **words,
            "home": absolute(&homes[0]),
        });
    }
    print(out, &result)
}

fn places(args: &Args, count: usize) -> Result<Vec<Place>> {
    if !args.hosts.is_empty() {
        ensure!(
            args.hosts.len() == count,
            "--hosts: expected {count} addresses, one a validator, got {}",
            args.hosts.len()
        );
        return args
            .hosts
            .iter()
            .map(|h| {
                let name =
                    !h.is_empty() && h.chars().all(|c| c.is_alphanumeric() || ".-".contains(c));
                let fine = name || h.parse::<Ipv6Addr>().is_ok();
                ensure!(
                    fine,
                    "--hosts: expected names or IP addresses without ports, got {h:?}"
                );
                Ok(Place::machine(h))
            })
            .collect();
    }
    let span = u16::try_from(count)? * STRIDE;
    let first = match args.first_port {
        0 => free_ports(span)?,
        first => {
            ensure!(
                first.checked_add(span).is_some(),
                "--first-port: expected at most {}, for {count} nodes take {span} ports, got {first}",
                u16::MAX - span
            );
            if let Err(port) = all_free(first, span) {
                bail!(
                    "port {port} is in use: choose another --first-port, or leave it out for free ones"
                );
            }
            first
        }
    };
    let step = |i| first + i * STRIDE;
    Ok((0..u16::try_from(count)?)
        .map(|i| Place::local(step(i)))
        .collect())
}

/// The first of `span` ports in a row that nobody listens on.
fn free_ports(span: u16) -> Result<u16> {
    for _ in 0..100 {
        let room = u32::from(PORTS.end - span - PORTS.start);
        let first = PORTS.start + u16::try_from(rand_core::OsRng.next_u32() % room)?;
        if all_free(first, span).is_ok() {
            return Ok(first);
        }
    }
    bail!(
        "no {span} free ports in a row between {} and {}: choose --first-port",
        PORTS.start,
        PORTS.end
    )
}

/// Nothing, or a port that is taken.
fn all_free(first: u16, span: u16) -> Result<(), u16> {
    let taken = (first..first + span).find(|p| TcpListener::bind(("127.0.0.1", *p)).is_err());
    taken.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use serde_json::Value;
    use std::{collections::BTreeSet, path::Path};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn testnet(dir: &Path, more: &[&str]) -> Result<()> {
        let dir = dir.to_str().context("path")?;
        let line = ["testnet", "--no-contracts", "--dir", dir];
        let args = Line::try_parse_from(line.iter().chain(more))?.args;
        run(&args, Format::Json)
    }

    fn text(path: PathBuf) -> String {
        fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    #[test]
    fn homes_share_a_genesis_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        testnet(dir.path(), &["--validators", "3"]).unwrap();
        let home = |i| dir.path().join(format!("node{i}"));
        let genesis = text(home(0).join("config/genesis.json"));
        let parsed: Value = serde_json::from_str(&genesis).unwrap();
        assert_eq!(parsed["validators"].as_array().unwrap().len(), 3);
        let mut laddrs = BTreeSet::new();
        for i in 0..3 {
            assert_eq!(text(home(i).join("config/genesis.json")), genesis);
            let app = Config::load(&home(i)).unwrap();
            let comet: toml::Table =
                toml::from_str(&text(home(i).join("config/config.toml"))).unwrap();
            let p2p = comet["p2p"]["laddr"].as_str().unwrap().to_owned();
            assert_eq!(comet["rpc"]["laddr"].as_str(), Some(app.rpc_laddr.as_str()));
            for laddr in [
                p2p,
                app.rpc_laddr,
                app.grpc_laddr,
                app.api_laddr,
                app.metrics_laddr,
            ] {
                assert!(laddr.starts_with("tcp://127.0.0.1:"), "{laddr}");
                assert!(laddrs.insert(laddr.clone()), "{laddr} twice");
            }
            let peers = comet["p2p"]["persistent_peers"].as_str().unwrap();
            assert_eq!(peers.split(',').count(), 2, "{peers}");
            for other in (0..3).filter(|o| *o != i) {
                let key = crate::engine::keys::Key::load(&home(other).join("config/node_key.json"))
                    .unwrap();
                assert!(peers.contains(&hex::encode(key.address())), "{peers}");
            }
        }
        // Every account of the genesis is somebody's: three validators and a user.
        let accounts = parsed["app_state"]["auth"]["accounts"].as_array().unwrap();
        assert_eq!(accounts.len(), 4);
        assert!(
            testnet(dir.path(), &[])
                .unwrap_err()
                .to_string()
                .contains("--dir"),
            "a folder in use is left alone"
        );
    }

    #[test]
    fn machines_of_their_own_have_the_usual_ports() {
        let dir = tempfile::tempdir().unwrap();
        testnet(
            dir.path(),
            &["--validators", "2", "--hosts", "a.example,10.0.0.2"],
        )
        .unwrap();
        let config = text(dir.path().join("node0/config/config.toml"));
        assert!(config.contains("@10.0.0.2:26656\""), "{config}");
        assert!(config.contains("laddr = \"tcp://0.0.0.0:26656\""));
        assert!(config.contains("laddr = \"tcp://127.0.0.1:26657\""));
    }

    #[test]
    fn wrong_arguments_leave_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let busy = (0..)
            .map(|_| free_ports(STRIDE).unwrap())
            .find_map(|p| Some((p, TcpListener::bind(("127.0.0.1", p + 3)).ok()?)))
            .unwrap();
        let first = busy.0.to_string();
        for (line, says) in [
            (vec!["--validators", "0"], "1..=50"),
            (vec!["--validators", "51"], "1..=50"),
            (vec!["--validators", "many"], "many"),
            (vec!["--validators", "1", "--first-port", &first], "in use"),
            (vec!["--first-port", "65530"], "--first-port"),
            (vec!["--hosts", "a,b"], "expected 4"),
            (vec!["--validators", "1", "--hosts", "a:1"], "without ports"),
            (vec!["--account", "nobody"], "ADDR:COINS"),
            (vec!["--chain-id", ""], "--chain-id"),
        ] {
            let target = dir.path().join("net");
            let error = format!("{:#}", testnet(&target, &line).unwrap_err());
            assert!(error.contains(says), "{line:?}: {error}");
            assert!(!target.exists(), "{line:?}");
        }
    }
}
