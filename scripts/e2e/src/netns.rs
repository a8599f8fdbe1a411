//! A network of our own inside this machine: one Linux network namespace a node, one bridge between them, and cuts.

use anyhow::{Context, Result, ensure};
use std::{
    path::Path,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

/// The kernel names interfaces in at most 15 characters: networks of one process are told apart by number.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Nodes' namespaces. Dropping it removes them; end what runs inside first.
#[derive(Debug)]
pub struct Network {
    name: String,
    subnet: String,
    nodes: usize,
}

impl Network {
    /// A namespace each for `nodes` nodes, and a bridge on which this process reaches all of them.
    ///
    /// # Errors
    /// When the kernel or our rights do not permit it, with what `ip` said.
    pub fn new(nodes: usize) -> Result<Self> {
        ensure!(
            (1..200).contains(&nodes),
            "expected 1 to 199 nodes, got {nodes}"
        );
        let (pid, n) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let network = Self {
            name: format!("em{:x}{n:x}", pid & 0xffff),
            subnet: format!("10.{}.{}", 128 + (pid >> 8) % 64, (pid + n) % 250),
            nodes,
        };
        // From here on a failure drops `network`, which clears up.
        let bridge = &network.name;
        ip(&format!("link add {bridge} type bridge"))?;
        ip(&format!("addr add {}.254/24 dev {bridge}", network.subnet))?;
        ip(&format!("link set {bridge} up"))?;
        for i in 0..nodes {
            let (ns, link) = (network.namespace(i), format!("{bridge}v{i}"));
            ip(&format!("netns add {ns}"))?;
            ip(&format!(
                "link add {link} type veth peer name eth0 netns {ns}"
            ))?;
            ip(&format!("link set {link} master {bridge} up"))?;
            ip(&format!("-n {ns} addr add {}/24 dev eth0", network.host(i)))?;
            ip(&format!("-n {ns} link set eth0 up"))?;
            ip(&format!("-n {ns} link set lo up"))?;
        }
        Ok(network)
    }

    /// The address of node `i`.
    pub fn host(&self, i: usize) -> String {
        format!("{}.{}", self.subnet, i + 1)
    }

    /// The namespace of node `i`.
    pub fn namespace(&self, i: usize) -> String {
        format!("{}n{i}", self.name)
    }

    /// Lets nothing through between nodes of different sides. This process still reaches all.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub fn part(&self, sides: &[&[usize]]) -> Result<()> {
        self.cuts(sides, "add")
    }

    /// Takes [`Self::part`] back.
    ///
    /// # Errors
    /// When they were not parted so.
    pub fn heal(&self, sides: &[&[usize]]) -> Result<()> {
        self.cuts(sides, "del")
    }

    /// A route that swallows packets, on both sides of every pair.
    fn cuts(&self, sides: &[&[usize]], what: &str) -> Result<()> {
        for (side, nodes) in sides.iter().enumerate() {
            let others = sides.iter().enumerate().filter(|(s, _)| *s != side);
            for other in others.flat_map(|(_, nodes)| *nodes) {
                for node in *nodes {
                    ip(&format!(
                        "-n {} route {what} blackhole {}/32",
                        self.namespace(*node),
                        self.host(*other)
                    ))?;
                }
            }
        }
        Ok(())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // What was not made yet cannot be removed.
        for i in 0..self.nodes {
            ip(&format!("link del {}v{i}", self.name)).ok();
            ip(&format!("netns del {}", self.namespace(i))).ok();
        }
        ip(&format!("link del {}", self.name)).ok();
    }
}

/// A command that runs `program` inside `namespace`, under its own process id.
pub fn inside(namespace: &str, program: &Path) -> Command {
    let mut command = Command::new("ip");
    command
        .args(["netns", "exec", namespace])
        .arg(program.as_os_str());
    command
}

fn ip(arguments: &str) -> Result<()> {
    let out = Command::new("ip")
        .args(arguments.split_whitespace())
        .output()
        .context("expected the program ip (package iproute2), found none")?;
    ensure!(
        out.status.success(),
        "ip {arguments}: {}",
        String::from_utf8_lossy(&out.stderr).trim()
    );
    Ok(())
}
