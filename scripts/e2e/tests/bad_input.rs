//! Mistakes that people make, with the real binaries: one clear line, a non-zero exit, and nothing lost.

use anyhow::{Context, Result};
use ember_e2e::{
    books::{Accounts, Snapshot, number},
    chain::{Chain, Engine},
    install::Install,
    party::Party,
    process::{Daemon, wait_for},
};
use std::{fs, path::Path, process::Command, time::Duration};

/// Runs a command that must fail: its exit code and its one line.
fn refusal(mut c: Command) -> Result<(i32, String)> {
    let out = c.output()?;
    let text = String::from_utf8_lossy(&out.stderr).trim().to_owned();
    assert!(
        !out.status.success(),
        "{c:?} succeeded: {}",
        String::from_utf8_lossy(&out.stdout)
    );
    assert!(!text.contains("panicked"), "{text}");
    Ok((out.status.code().context("killed by a signal")?, text))
}

/// `text` is one line that holds every one of `words`.
fn says(text: &str, words: &[&str]) {
    assert_eq!(text.lines().count(), 1, "one line expected: {text}");
    for word in words {
        assert!(text.contains(word), "expected {word:?} in: {text}");
    }
}

#[test]
fn mistakes_without_a_chain() -> Result<()> {
    let install = Install::find()?;
    let dir = tempfile::tempdir()?;
    let mut p = Party::new(&install, "alice", dir.path())?;
    p.set_node_url("http://127.0.0.1:9");

    let (code, _) = refusal(p.command(&["order", "create", "--no-such-flag"]))?;
    assert_eq!(code, 2, "usage errors exit with 2");
    let (code, text) = refusal(p.command(&["order", "list"]))?;
    assert_eq!(code, 1);
    says(&text, &["127.0.0.1:9"]);
    let (_, text) = refusal(p.command(&["lease", "run", "no/such/job", "--lease", "1"]))?;
    says(&text, &["no/such/job"]);

    let mut emberd = Command::new(&install.emberd);
    emberd.args([
        "--home".as_ref(),
        dir.path().join("none").as_os_str(),
        "start".as_ref(),
        "--embedded".as_ref(),
    ]);
    let (code, text) = refusal(emberd)?;
    assert_eq!(code, 1);
    says(&text, &["emberd init"]);
    Ok(())
}

struct Market {
    chain: Chain,
    provider: Party,
    tenant: Party,
    other: Party,
    daemon: Daemon,
    accounts: Accounts,
}

fn market(install: &Install, dir: &Path) -> Result<Market> {
    let mut provider = Party::new(install, "provider", &dir.join("provider"))?;
    let mut tenant = Party::new(install, "tenant", &dir.join("tenant"))?;
    let mut other = Party::new(install, "other", &dir.join("other"))?;
    let fund = |p: &Party| format!("{}:1000000000uember,1000000000uusdc", p.address);
    let mut chain = Chain::init(
        install,
        Engine::Embedded,
        &dir.join("chain"),
        &[fund(&provider), fund(&tenant), fund(&other)],
    )?;
    chain.start()?;
    for p in [&mut provider, &mut tenant, &mut other] {
        p.set_node(&chain);
    }
    provider.publish_certificate()?;
    tenant.publish_certificate()?;
    let port = ember_e2e::chain::free_port()?;
    let uri = format!("https://127.0.0.1:{port}");
    provider.ember(&[
        "provider",
        "register",
        "--host-uri",
        &uri,
        "--bond",
        "100000000uember",
    ])?;
    let daemon = provider.daemon(&["provider", "run", "--listen", &format!("127.0.0.1:{port}")])?;
    let accounts = Accounts::read(
        &chain,
        &[
            ("tenant", &tenant),
            ("provider", &provider),
            ("other", &other),
        ],
    )?;
    Ok(Market {
        chain,
        provider,
        tenant,
        other,
        daemon,
        accounts,
    })
}

fn order<'a>(denom: &'a str, deposit: &'a str, duration: &'a str) -> Vec<&'a str> {
    vec![
        "order",
        "create",
        "--units",
        "1",
        "--mode",
        "reverse_auction",
        "--closes-in",
        "300s",
        "--denom",
        denom,
        "--max-price",
        "2.5",
        "--deposit",
        deposit,
        "--duration",
        duration,
    ]
}

#[test]
fn mistakes_in_a_market_lose_nothing() -> Result<()> {
    let install = Install::find()?;
    let dir = tempfile::tempdir()?;
    let mut m = market(&install, dir.path())?;

    // Orders and bids.
    let before = Snapshot::read(&m.chain, &m.accounts)?;
    let (_, text) = refusal(m.tenant.command(&order("uluna", "1000000uluna", "60s")))?;
    says(&text, &["uluna"]);
    let (_, text) = refusal(m.tenant.command(&order("uusdc", "1000000uember", "60s")))?;
    says(&text, &["uusdc"]);
    let (_, text) = refusal(m.tenant.command(&order("uusdc", "1000000usdc!", "60s")))?;
    says(&text, &["usdc!"]);
    let after = Snapshot::read(&m.chain, &m.accounts)?;
    assert_eq!(
        uusdc(&before),
        uusdc(&after),
        "refused orders keep no deposit"
    );

    let made = m.tenant.ember(&order("uusdc", "1000000uusdc", "300s"))?;
    let order_id = number(&made["order_id"])?.to_string();
    let (_, text) = refusal(m.other.command(&["order", "close", &order_id]))?;
    says(&text, &["tenant"]);
    let (_, text) = refusal(
        m.provider
            .command(&["provider", "bid", &order_id, "--price", "2.6"]),
    )?;
    says(&text, &["ceiling"]);
    let bid = wait_for("the daemon's bid", Duration::from_secs(30), || {
        m.daemon.check()?;
        let bids = m.tenant.ember(&["order", "bids", &order_id])?;
        Ok(bids["bids"]
            .as_array()
            .and_then(|b| b.iter().find(|b| b["state"] == "open"))
            .cloned())
    })?;
    let bid_id = number(&bid["id"])?.to_string();
    let (_, text) = refusal(m.other.command(&["order", "accept", &bid_id]))?;
    says(&text, &["tenant"]);
    let accepted = m.tenant.ember(&["order", "accept", &bid_id])?;
    let lease = number(&accepted["lease_id"])?.to_string();

    // Certificates: none, somebody else's, not published.
    let (_, text) = refusal(
        m.other
            .command(&["lease", "run", "digits", "--lease", &lease]),
    )?;
    says(&text, &["cert"]);
    m.other.ember(&["cert", "generate"])?;
    let (_, text) = refusal(m.other.command(&["lease", "status", &lease]))?;
    says(&text, &[]);
    m.other.ember(&["cert", "publish"])?;
    let (_, text) = refusal(m.other.command(&["lease", "status", &lease]))?;
    says(&text, &["tenant"]);

    // An expired certificate; the one that it replaced is still good, so its bearer goes on.
    let files = ["cert.pem", "key.pem"].map(|n| m.tenant.home().join(n));
    let kept = files.each_ref().map(fs::read);
    m.tenant
        .ember(&["cert", "generate", "--force", "--valid-for", "6s"])?;
    m.tenant.ember(&["cert", "publish"])?;
    m.tenant.ember(&["lease", "status", &lease])?;
    std::thread::sleep(Duration::from_secs(7));
    let (_, text) = refusal(m.tenant.command(&["lease", "status", &lease]))?;
    says(&text, &["expired", "cert generate"]);
    for (file, bytes) in files.iter().zip(kept) {
        fs::write(file, bytes?)?;
    }
    m.tenant.ember(&["lease", "status", &lease])?;

    // Jobs that are wrong. Each leaves the lease open and the daemon serving.
    let broken = dir.path().join("broken");
    copy_dir(&install.jobs.join("digits"), &broken)?;
    let kernel = fs::read_dir(broken.join("kernels"))?
        .next()
        .context("no kernel")??
        .path();
    let good = fs::read_to_string(&kernel)?;
    fs::write(&kernel, "fn main( {")?;
    let (_, text) = refusal(m.tenant.command(&[
        "lease",
        "run",
        broken.to_str().context("path")?,
        "--lease",
        &lease,
    ]))?;
    says(&text, &["parse"]);
    fs::write(&kernel, good)?;
    let manifest = fs::read_to_string(broken.join("job.json"))?;
    fs::write(
        broken.join("job.json"),
        manifest.replacen("\"version\"", "\"versoin\"", 1),
    )?;
    let (_, text) = refusal(m.tenant.command(&[
        "lease",
        "run",
        broken.to_str().context("path")?,
        "--lease",
        &lease,
    ]))?;
    says(&text, &["versoin"]);
    fs::write(broken.join("job.json"), &manifest)?;
    let blob = fs::read_dir(broken.join("data"))?
        .filter_map(|e| e.ok().map(|e| e.path()))
        .find(|p| {
            manifest.contains(
                &p.file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
            )
        })
        .context("no blob")?;
    // Pinned: a download that broke off is found before a byte is sent.
    let whole = fs::read(&blob)?;
    fs::write(&blob, &whole[..whole.len() / 2])?;
    let (_, text) = refusal(m.tenant.command(&[
        "lease",
        "run",
        broken.to_str().context("path")?,
        "--lease",
        &lease,
    ]))?;
    says(
        &text,
        &["blake3", "cut short", &(whole.len() / 2).to_string()],
    );
    // Not pinned: it no longer fills what the kernels need, or the job is another one, and its hash says so.
    let unpinned = manifest
        .lines()
        .map(|l| match l.split_once(", \"blake3\"") {
            Some((head, tail)) => {
                format!("{head} }}{}", if tail.ends_with(',') { "," } else { "" })
            }
            None => l.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("\n");
    fs::write(broken.join("job.json"), unpinned)?;
    let hash = "00".repeat(32);
    let (_, text) = refusal(m.tenant.command(&[
        "lease",
        "run",
        broken.to_str().context("path")?,
        "--lease",
        &lease,
        "--manifest-hash",
        &hash,
    ]))?;
    says(&text, &[&hash, "expected", "got"]);
    fs::write(broken.join("job.json"), &manifest)?;
    fs::remove_file(&blob)?;
    let (_, text) = refusal(m.tenant.command(&[
        "lease",
        "run",
        broken.to_str().context("path")?,
        "--lease",
        &lease,
    ]))?;
    says(
        &text,
        &[&blob.file_name().unwrap_or_default().to_string_lossy()],
    );

    // A device that is not there.
    let (code, text) = refusal(m.provider.command(&["provider", "run", "--device", "99"]))?;
    assert_eq!(code, 1);
    says(&text, &["99"]);

    // After all of it the honest job runs, and the close pays out everything.
    let out = dir.path().join("out");
    let ran = m.tenant.ember(&[
        "lease",
        "run",
        "digits",
        "--lease",
        &lease,
        "--out",
        out.to_str().context("path")?,
    ])?;
    // What it left can be fetched again, by its hash or as the only one, and is the same.
    let again = dir.path().join("again");
    let again_arg = again.to_str().context("path")?;
    m.tenant
        .ember(&["lease", "fetch", &lease, "--out", again_arg])?;
    for entry in fs::read_dir(&out)? {
        let name = entry?.file_name();
        assert_eq!(fs::read(out.join(&name))?, fs::read(again.join(&name))?);
    }
    let (_, text) = refusal(m.tenant.command(&[
        "lease",
        "fetch",
        &lease,
        "--manifest-hash",
        &hash,
        "--out",
        again_arg,
    ]))?;
    says(&text, &[&hash]);
    assert_eq!(
        ran["outputs"]
            .as_array()
            .into_iter()
            .flatten()
            .find_map(|o| o["value"].as_str()),
        Some("352/360 = 0.978")
    );
    m.daemon.check()?;
    m.tenant.ember(&["lease", "close", &lease])?;
    let end = Snapshot::read(&m.chain, &m.accounts)?;
    let total = |s: &Snapshot| uusdc(s).iter().map(|(_, a)| a).sum::<u128>();
    assert_eq!(total(&before), total(&end));
    assert_eq!(
        uusdc(&end)
            .iter()
            .find(|(n, _)| n == "market contract")
            .map(|(_, a)| *a),
        Some(0),
        "nothing is stranded"
    );
    Ok(())
}

fn uusdc(s: &Snapshot) -> Vec<(String, u128)> {
    s.0.iter()
        .map(|(n, c)| (n.clone(), c.get("uusdc").copied().unwrap_or(0)))
        .collect()
}

fn copy_dir(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let dest = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_dir(&entry.path(), &dest)?
        } else {
            fs::copy(entry.path(), dest).map(drop)?
        }
    }
    Ok(())
}
