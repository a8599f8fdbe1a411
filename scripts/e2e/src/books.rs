//! The books: who had what, who has what, and whether every micro-unit is accounted for.

use crate::{chain::Chain, party::Party};
use anyhow::{Context, Result, ensure};
use ember_types::{
    ids::OrderId,
    market::{self, EscrowResponse, LeaseResponse, LedgerResponse},
};
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

/// Micro-units by denom.
pub type Coins = BTreeMap<String, u128>;

/// Everyone who can hold coins on a demo chain, and the two contracts.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// Name and address, in the order of the printed table.
    pub named: Vec<(String, String)>,
    /// The market's address.
    pub market: String,
}

impl Accounts {
    /// The parties and what the chain's own configuration names.
    ///
    /// # Errors
    /// When the chain does not answer.
    pub fn read(chain: &Chain, parties: &[(&str, &Party)]) -> Result<Self> {
        let contract = |code: u64| -> Result<String> {
            let list = chain.ask(async |c| c.contracts_by_code(code).await)?;
            list.into_iter()
                .next()
                .with_context(|| format!("no contract of code {code}"))
        };
        let (registry, market) = (contract(1)?, contract(2)?);
        let config: market::InstantiateMsg = chain.smart(&market, &market::QueryMsg::Config {})?;
        let mut named: Vec<_> = parties
            .iter()
            .map(|(n, p)| ((*n).to_owned(), p.address.clone()))
            .collect();
        named.push(("fee collector".into(), config.fee_collector));
        named.push(("market contract".into(), market.clone()));
        named.push(("registry contract".into(), registry));
        Ok(Self { named, market })
    }
}

/// Everybody's balances at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(pub Vec<(String, Coins)>);

impl Snapshot {
    /// Reads them.
    ///
    /// # Errors
    /// When the chain does not answer.
    pub fn read(chain: &Chain, accounts: &Accounts) -> Result<Self> {
        accounts
            .named
            .iter()
            .map(|(name, addr)| Ok((name.clone(), balances(chain, addr)?)))
            .collect::<Result<_>>()
            .map(Self)
    }

    fn of(&self, name: &str, denom: &str) -> u128 {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .and_then(|(_, c)| c.get(denom))
            .copied()
            .unwrap_or(0)
    }

    fn total(&self, denom: &str) -> u128 {
        self.0.iter().filter_map(|(_, c)| c.get(denom)).sum()
    }
}

fn balances(chain: &Chain, address: &str) -> Result<Coins> {
    let coins = chain.ask(async |c| c.balances(address).await)?;
    Ok(coins.into_iter().map(|c| (c.denom, c.amount)).collect())
}

/// The leases of one order at their end: what the market says they moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The job it ran.
    pub job: String,
    /// What it was paid in.
    pub denom: String,
    /// Of each lease, for all its units: 10^-6 micro-units a second.
    pub rates: Vec<u128>,
    /// Seconds that each is paid for.
    pub seconds: u64,
    /// Ever put into the escrow.
    pub deposited: u128,
    /// Received by the providers.
    pub paid: u128,
    /// Received by the fee collector.
    pub fees: u128,
    /// Returned to the tenant.
    pub refunded: u128,
    /// Left in the contract.
    pub held: u128,
}

impl Line {
    /// Reads the escrow of `leases`, which are all of one order and closed.
    ///
    /// # Errors
    /// When the chain does not answer, or they did not run from and to the same second.
    pub fn read(chain: &Chain, market: &str, job: &str, leases: &[LeaseResponse]) -> Result<Self> {
        let lease = leases.first().context("no lease")?;
        let e: EscrowResponse = chain.smart(
            market,
            &market::QueryMsg::Escrow {
                order_id: OrderId(lease.order_id.0),
            },
        )?;
        let closed = lease.closed_at.context("the lease is not closed")?;
        for l in leases {
            ensure!(
                (l.order_id, l.opened_at, l.closed_at)
                    == (lease.order_id, lease.opened_at, lease.closed_at),
                "leases {} and {}: not of one order and one time",
                lease.id,
                l.id
            );
        }
        let rate = |l: &LeaseResponse| l.rate.0.u128() * u128::from(l.resources.units);
        Ok(Self {
            job: job.into(),
            denom: lease.denom.clone(),
            rates: leases.iter().map(rate).collect(),
            seconds: closed.seconds() - lease.opened_at.seconds(),
            deposited: e.deposited.u128(),
            paid: e.paid.u128(),
            fees: e.fees.u128(),
            refunded: e.refunded.u128(),
            held: e.held.u128(),
        })
    }
}

/// The whole account of a run.
#[derive(Debug, Clone)]
pub struct Books {
    /// One an order.
    pub lines: Vec<Line>,
    before: Snapshot,
    after: Snapshot,
    ledgers: Vec<LedgerResponse>,
    native: String,
}

impl Books {
    /// Closes the books.
    ///
    /// # Errors
    /// When the chain does not answer.
    pub fn close(
        chain: &Chain,
        accounts: &Accounts,
        before: Snapshot,
        lines: Vec<Line>,
        native: &str,
    ) -> Result<Self> {
        let after = Snapshot::read(chain, accounts)?;
        let mut denoms: Vec<_> = lines.iter().map(|l| l.denom.clone()).collect();
        denoms.dedup();
        let ledgers = denoms
            .into_iter()
            .map(|denom| chain.smart(&accounts.market, &market::QueryMsg::Ledger { denom }))
            .collect::<Result<_>>()?;
        Ok(Self {
            lines,
            before,
            after,
            ledgers,
            native: native.into(),
        })
    }

    /// Whether every micro-unit is where it should be.
    ///
    /// # Errors
    /// Names the first sum that does not add up.
    pub fn audit(&self) -> Result<()> {
        for l in &self.lines {
            ensure!(
                l.deposited == l.paid + l.fees + l.refunded + l.held,
                "{}: deposited {} is not paid {} + fees {} + refunded {} + held {}",
                l.job,
                l.deposited,
                l.paid,
                l.fees,
                l.refunded,
                l.held
            );
            ensure!(
                l.held == 0,
                "{}: {} {} stranded in the escrow of a closed lease",
                l.job,
                l.held,
                l.denom
            );
            ensure!(l.paid > 0, "{}: the provider was paid nothing", l.job);
        }
        for ledger in &self.ledgers {
            let sum = |f: fn(&Line) -> u128| {
                self.lines
                    .iter()
                    .filter(|l| l.denom == ledger.denom)
                    .map(f)
                    .sum::<u128>()
            };
            for (what, contract, lines) in [
                ("deposited", ledger.deposited.u128(), sum(|l| l.deposited)),
                ("paid", ledger.paid.u128(), sum(|l| l.paid)),
                ("fees", ledger.fees.u128(), sum(|l| l.fees)),
                ("refunded", ledger.refunded.u128(), sum(|l| l.refunded)),
                ("held", ledger.held.u128(), 0),
                ("bid deposits", ledger.bid_deposits.u128(), 0),
            ] {
                ensure!(
                    contract == lines,
                    "{} {what}: the contract's ledger says {contract}, its leases sum to {lines}",
                    ledger.denom
                );
            }
            let d = ledger.denom.as_str();
            ensure!(
                self.before.total(d) == self.after.total(d),
                "{d}: all accounts held {} before and {} after",
                self.before.total(d),
                self.after.total(d)
            );
            ensure!(
                self.after.of("market contract", d) == 0,
                "{d}: the market contract keeps {}",
                self.after.of("market contract", d)
            );
            // Gas is paid in the native token, so only other denoms show the market's movements bare.
            if d != self.native {
                let got =
                    |who: &str| self.after.of(who, d) as i128 - self.before.of(who, d) as i128;
                let providers = self.after.0.iter().map(|(name, _)| name.as_str());
                let earned: i128 = providers
                    .filter(|n| n.starts_with("provider"))
                    .map(got)
                    .sum();
                ensure!(
                    earned == sum(|l| l.paid) as i128,
                    "{d}: the providers' balances moved by {earned}"
                );
                ensure!(
                    got("fee collector") == sum(|l| l.fees) as i128,
                    "{d}: the fee collector's balance moved by {}",
                    got("fee collector")
                );
                ensure!(
                    -got("tenant") == (sum(|l| l.paid) + sum(|l| l.fees)) as i128,
                    "{d}: the tenant's balance moved by {}",
                    got("tenant")
                );
            }
        }
        Ok(())
    }
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        writeln!(out, "Orders and their leases, in micro-units")?;
        writeln!(
            out,
            "  {:<8} {:<7} {:>7} {:>12} {:>12} {:>10} {:>12} {:>6}",
            "job", "denom", "seconds", "deposited", "paid", "fees", "refunded", "held"
        )?;
        for l in &self.lines {
            writeln!(
                out,
                "  {:<8} {:<7} {:>7} {:>12} {:>12} {:>10} {:>12} {:>6}",
                l.job, l.denom, l.seconds, l.deposited, l.paid, l.fees, l.refunded, l.held
            )?;
        }
        let denoms: Vec<_> = self.ledgers.iter().map(|l| l.denom.as_str()).collect();
        for denom in denoms {
            writeln!(out, "\nBalances, in {denom}")?;
            writeln!(
                out,
                "  {:<18} {:>20} {:>20} {:>16}",
                "who", "before", "after", "change"
            )?;
            for (name, _) in &self.after.0 {
                let (b, a) = (self.before.of(name, denom), self.after.of(name, denom));
                writeln!(
                    out,
                    "  {name:<18} {b:>20} {a:>20} {:>+16}",
                    a as i128 - b as i128
                )?;
            }
            let (b, a) = (self.before.total(denom), self.after.total(denom));
            writeln!(
                out,
                "  {:<18} {b:>20} {a:>20} {:>+16}",
                "all",
                a as i128 - b as i128
            )?;
        }
        f.write_str(&out)
    }
}

/// A lease, typed.
///
/// # Errors
/// When the chain does not answer.
pub fn lease(chain: &Chain, market: &str, id: u64) -> Result<LeaseResponse> {
    chain.smart(
        market,
        &market::QueryMsg::Lease {
            lease_id: ember_types::ids::LeaseId(id),
        },
    )
}

/// A JSON number or string as a u64.
///
/// # Errors
/// When it is neither.
pub fn number(v: &Value) -> Result<u64> {
    v.as_u64()
        .or_else(|| v.as_str().and_then(|s| s.parse().ok()))
        .with_context(|| format!("expected a number, got {v}"))
}
