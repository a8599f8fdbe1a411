//! The whole story on both engines, undisturbed and with SIGKILLs in the middle: the books come out the same.

use anyhow::{Context, Result};
use clap::ValueEnum;
use ember_e2e::{
    books::{Line, lease},
    chain::Engine,
    install::Install,
    opening,
    pricing::Pricing,
    process::wait_for,
    story::{Outcome, tell},
    verify::Digits,
    world::{self, CHAPTERS, Chapter, World},
};
use std::{
    fs,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

const AUCTION: Pricing = Pricing::ReverseAuction;

/// Two cores carry one story at a time.
static STAGE: Mutex<()> = Mutex::new(());

fn stage() -> MutexGuard<'static, ()> {
    STAGE.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// Longer terms than the demo's: what is killed has to come back and finish its job within them.
fn chapters() -> Vec<Chapter> {
    CHAPTERS
        .iter()
        .map(|c| Chapter {
            seconds: 40,
            ..c.clone()
        })
        .collect()
}

fn play(
    name: &str,
    engine: Engine,
    chapters: &[Chapter],
    pricing: Pricing,
    mut disturb: impl FnMut(&mut World, &Chapter) -> Result<()>,
) -> Result<(Outcome, tempfile::TempDir)> {
    let install = Install::find()?;
    let dir = tempfile::Builder::new().prefix("ember-").tempdir()?;
    let mut say = |line: &str| println!("{name}: {line}");
    match tell(
        &install,
        engine,
        dir.path(),
        chapters,
        pricing,
        &mut say,
        &mut disturb,
    ) {
        Ok(outcome) => Ok((outcome, dir)),
        Err(e) => {
            let kept = dir.keep();
            Err(e.context(format!(
                "{name}: homes and logs are kept in {}",
                kept.display()
            )))
        }
    }
}

/// What a lease must have moved, from its rate and term alone.
fn check(lines: &[Line], chapters: &[Chapter]) {
    assert_eq!(lines.len(), chapters.len());
    for (line, chapter) in lines.iter().zip(chapters) {
        assert_eq!(line.seconds, chapter.seconds, "{}", line.job);
        let (take_bps, reservation_bps) = if chapter.denom == "uusdc" {
            (2_000, 25)
        } else {
            (400, 0)
        };
        let reservation = line.deposited * reservation_bps / 10_000;
        let gross: Vec<u128> = line
            .rates
            .iter()
            .map(|rate| rate * u128::from(chapter.seconds) / 1_000_000)
            .collect();
        let take: u128 = gross.iter().map(|g| g * take_bps / 10_000).sum();
        let gross: u128 = gross.iter().sum();
        assert_eq!(
            line.paid,
            gross - take,
            "{}: rate x seconds less the take",
            line.job
        );
        assert_eq!(
            line.fees,
            take + reservation,
            "{}: take and reservation",
            line.job
        );
        assert_eq!(
            line.refunded,
            line.deposited - gross - reservation,
            "{}: the rest",
            line.job
        );
    }
}

/// The job is really running: its log shows a step done.
fn job_is_running(world: &World, chapter: &Chapter) -> Result<()> {
    let log = world
        .tenant
        .home()
        .join("../out")
        .join(chapter.job)
        .join("run.log");
    wait_for("the job's first line", Duration::from_secs(20), || {
        Ok(fs::read_to_string(&log)
            .is_ok_and(|t| !t.trim().is_empty())
            .then_some(()))
    })
}

fn outputs_are_there(outcome: &Outcome) -> Result<()> {
    let install = Install::find()?;
    assert!(outcome.jobs.len() >= outcome.books.lines.len());
    for done in &outcome.jobs {
        assert!(done.out.join("receipt.json").is_file());
        if done.job == "digits" {
            let accuracy = Digits::check(&install, &done.out)?;
            assert!(accuracy.ratio() >= 0.95, "digits: {accuracy}");
        } else {
            let png = fs::read(done.out.join("image.png"))?;
            assert_eq!(&png[1..4], b"PNG");
        }
    }
    Ok(())
}

#[test]
fn on_the_embedded_chain_the_books_add_up() -> Result<()> {
    let _stage = stage();
    let (outcome, _dir) = play("embedded", Engine::Embedded, &CHAPTERS, AUCTION, |_, _| {
        Ok(())
    })?;
    outcome.books.audit()?;
    check(&outcome.books.lines, &CHAPTERS);
    outputs_are_there(&outcome)
}

/// Every other way to find a price, with the short job alone.
#[test]
fn whatever_the_pricing_the_books_add_up() -> Result<()> {
    let _stage = stage();
    for pricing in Pricing::value_variants() {
        if *pricing == AUCTION {
            continue;
        }
        let chapters = &world::chapters(*pricing)[..1];
        let name = format!("{pricing:?}");
        let (outcome, _dir) = play(&name, Engine::Embedded, chapters, *pricing, |_, _| Ok(()))?;
        outcome.books.audit()?;
        check(&outcome.books.lines, chapters);
        outputs_are_there(&outcome)?;
        assert_eq!(outcome.jobs.len() as u64, pricing.gpus());
    }
    Ok(())
}

/// SIGKILL between a sealed bid's commitment and its reveal, and other prices afterwards: what was committed to is revealed
/// all the same, and nothing is forfeited.
#[test]
fn killing_the_bidder_forfeits_no_sealed_bid() -> Result<()> {
    let _stage = stage();
    let install = Install::find()?;
    let dir = tempfile::Builder::new().prefix("ember-").tempdir()?;
    let mut say = |line: &str| println!("kill bidder: {line}");
    let (chapter, pricing) = (&CHAPTERS[0], Pricing::SealedTender);
    let (mut world, _) = World::begin(&install, Engine::Embedded, dir.path(), pricing, &mut say)?;
    let order = opening::order(&world, chapter, pricing, &mut say)?;
    let sealed = opening::bids(&mut world, order, "sealed", pricing)?;
    assert!(sealed.iter().all(|b| b["rate"] == "0"), "{sealed:?}");
    world.provider.kill()?;
    let kept = fs::read_dir(world.provider.party.home().join("sealed"))?
        .map(|f| Ok(fs::read_to_string(f?.path())?))
        .collect::<Result<Vec<_>>>()?;
    let [kept] = kept.as_slice() else {
        panic!("expected one commitment, got {kept:?}");
    };
    let kept: serde_json::Value = serde_json::from_str(kept)?;
    world.provider.start(&["--price", "0.5"])?;
    let revealed = opening::bids(&mut world, order, "open", pricing)?;
    let own = |b: &&serde_json::Value| b["provider"] == world.provider.party.address;
    let own = revealed.iter().find(own).context("it revealed nothing")?;
    assert_eq!(own["rate"], kept["rate"]);
    let leases = opening::leases(&mut world, order, &mut say)?;
    let lease = lease(&world.chain, &world.accounts.market, leases[0])?;
    assert_eq!(serde_json::to_value(lease.rate)?, kept["rate"]);
    let said = fs::read_to_string(world.provider.party.home().join("daemon.log"))?;
    let salt = kept["salt"].as_str().context("no salt")?;
    // Whether it came to say that it had committed depends on when it was killed.
    assert!(said.contains("revealed") && !said.contains(salt), "{said}");
    Ok(())
}

#[test]
fn under_cometbft_the_books_add_up() -> Result<()> {
    let _stage = stage();
    if Install::find()?.cometbft.is_none() {
        println!(
            "SKIP: under_cometbft_the_books_add_up: no CometBFT, run ./scripts/setup with Go installed"
        );
        return Ok(());
    }
    let (outcome, _dir) = play("cometbft", Engine::CometBft, &CHAPTERS, AUCTION, |_, _| {
        Ok(())
    })?;
    outcome.books.audit()?;
    check(&outcome.books.lines, &CHAPTERS);
    outputs_are_there(&outcome)
}

#[test]
fn killing_the_chain_changes_no_book() -> Result<()> {
    let _stage = stage();
    let mut engines = vec![Engine::Embedded];
    if Install::find()?.cometbft.is_some() {
        engines.push(Engine::CometBft);
    } else {
        println!("SKIP: killing_the_chain_changes_no_book under CometBFT: it is not installed");
    }
    for engine in engines {
        let chapters = chapters();
        let (outcome, _dir) = play(
            &format!("kill emberd, {engine:?}"),
            engine,
            &chapters,
            AUCTION,
            |world, chapter| {
                job_is_running(world, chapter)?;
                world.chain.kill()?;
                world.chain.start()
            },
        )?;
        outcome.books.audit()?;
        check(&outcome.books.lines, &chapters);
        outputs_are_there(&outcome)?;
    }
    Ok(())
}

#[test]
fn killing_the_provider_changes_no_book() -> Result<()> {
    let _stage = stage();
    let chapters = chapters();
    let (outcome, _dir) = play(
        "kill provider",
        Engine::Embedded,
        &chapters,
        AUCTION,
        |world, chapter| {
            job_is_running(world, chapter)?;
            world.provider.kill()?;
            world.provider.start(&[])
        },
    )?;
    outcome.books.audit()?;
    check(&outcome.books.lines, &chapters);
    outputs_are_there(&outcome)
}

#[test]
fn killing_the_worker_changes_no_book() -> Result<()> {
    let _stage = stage();
    let chapters = chapters();
    let mut killed = 0;
    let (outcome, _dir) = play(
        "kill worker",
        Engine::Embedded,
        &chapters,
        AUCTION,
        |world, chapter| {
            job_is_running(world, chapter)?;
            let daemon = world.provider.daemon.as_ref().context("no daemon")?;
            for pid in daemon.children()? {
                let pid =
                    rustix::process::Pid::from_raw(pid.cast_signed()).context("a process id")?;
                if rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok() {
                    killed += 1;
                }
            }
            Ok(())
        },
    )?;
    assert!(killed > 0, "no worker was there to be killed");
    outcome.books.audit()?;
    check(&outcome.books.lines, &chapters);
    outputs_are_there(&outcome)
}
