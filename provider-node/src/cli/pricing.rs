//! How an order finds its price, as people type it.

use super::args;
use clap::{Args, ValueEnum};
use ember_types::{
    market::Terms,
    pricing::{
        PricingMode,
        cluster::{Cluster, ClusterPricing},
        market::Market,
        performance::Performance,
        reverse_auction::ReverseAuction,
        sealed_tender::{PriceRule, SealedTender},
        stake_weighted::StakeWeighted,
    },
};
use std::time::Duration;

/// The mode and its parameters.
#[derive(Debug, Args)]
pub struct Pricing {
    /// How the price is found
    #[arg(long, alias = "pricing", value_enum, default_value = "reverse-auction")]
    mode: Mode,
    /// What a cluster is priced by
    #[arg(
        long,
        value_enum,
        default_value = "reverse-auction",
        value_name = "MODE"
    )]
    of: ClusterMode,
    /// How long an auction takes bids, or a tender or draw takes commitments, for example 60s
    #[arg(long, value_parser = args::duration, default_value = "60s")]
    closes_in: Duration,
    /// How long a tender or draw takes reveals after that
    #[arg(long, value_parser = args::duration, default_value = "60s")]
    reveal_in: Duration,
    /// A tender pays its winner the next cheapest rate instead of its own
    #[arg(long)]
    second_price: bool,
    /// A market order takes several asks, and fewer units than it wants when there are no more
    #[arg(long)]
    partial: bool,
    /// The benchmark whose score is paid for by performance
    #[arg(long, value_name = "NAME", required_if_eq("mode", "performance"))]
    benchmark: Option<String>,
    /// How long after its opening a lease by performance may be measured; nothing is paid before
    #[arg(long, value_parser = args::duration, default_value = "60s", value_name = "DURATION")]
    measure_for: Duration,
}

/// [`PricingMode`] as people type it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Providers bid each other down
    #[value(alias = "reverse_auction")]
    ReverseAuction,
    /// Cross the standing asks at once
    Market,
    /// Providers commit to sealed bids, then reveal them
    #[value(alias = "sealed_tender")]
    SealedTender,
    /// Providers bid a rate for each point of a benchmark's score
    Performance,
    /// The ceiling is paid, and the provider is drawn by lot, with its bond as its chance
    #[value(alias = "stake_weighted")]
    StakeWeighted,
    /// All units together, from several providers, or none
    Cluster,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ClusterMode {
    /// Providers bid each other down
    #[value(alias = "reverse_auction")]
    ReverseAuction,
    /// Providers commit to sealed bids, then reveal them
    #[value(alias = "sealed_tender")]
    SealedTender,
    /// Cross the standing asks at once
    Market,
}

impl Pricing {
    /// Whether the mode has times, which the chain's clock decides.
    pub fn needs_clock(&self) -> bool {
        !matches!(
            (self.mode, self.of),
            (Mode::Market, _) | (Mode::Cluster, ClusterMode::Market)
        )
    }

    /// In the market's words; `now` is the chain's time in unix seconds.
    pub fn mode(self, now: u64) -> PricingMode {
        let closes_at = now.saturating_add(self.closes_in.as_secs());
        let reveal_until = closes_at.saturating_add(self.reveal_in.as_secs());
        let auction = ReverseAuction { closes_at };
        let tender = SealedTender {
            commit_until: closes_at,
            reveal_until,
            rule: if self.second_price {
                PriceRule::SecondPrice
            } else {
                PriceRule::FirstPrice
            },
        };
        let market = Market {
            partial: self.partial,
        };
        match self.mode {
            Mode::ReverseAuction => PricingMode::ReverseAuction(auction),
            Mode::Market => PricingMode::Market(market),
            Mode::SealedTender => PricingMode::SealedTender(tender),
            Mode::Performance => PricingMode::Performance(Performance {
                closes_at,
                benchmark: self.benchmark.unwrap_or_default(),
                measure_secs: self.measure_for.as_secs(),
            }),
            Mode::StakeWeighted => PricingMode::StakeWeighted(StakeWeighted {
                commit_until: closes_at,
                reveal_until,
            }),
            Mode::Cluster => PricingMode::Cluster(Cluster {
                of: match self.of {
                    ClusterMode::ReverseAuction => ClusterPricing::ReverseAuction(auction),
                    ClusterMode::SealedTender => ClusterPricing::SealedTender(tender),
                    ClusterMode::Market => ClusterPricing::Market(market),
                },
            }),
        }
    }
}

/// What the provider must keep to.
#[derive(Debug, Args)]
pub struct Conditions {
    /// Hours of notice that the provider gives before it leaves, paid through them, 1 to 720
    #[arg(
        long,
        default_value_t = 0,
        value_name = "HOURS",
        hide_default_value = true
    )]
    notice_hours: u16,
    /// When the provider leaves early, ask again for the rest of the term with what the escrow has left
    #[arg(long)]
    relist: bool,
}

impl Conditions {
    /// In the market's words, checked.
    pub fn terms(&self) -> anyhow::Result<Terms> {
        let terms = Terms {
            notice_hours: self.notice_hours,
            relist: self.relist,
        };
        terms.validate()?;
        Ok(terms)
    }
}
