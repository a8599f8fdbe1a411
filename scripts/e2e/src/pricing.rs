//! The ways in which the story's orders find their price, and what each takes.

use clap::ValueEnum;

/// The benchmark that is paid for by performance. The story makes its scores up: nothing of it measures them.
const BENCHMARK: &str = "story-points";
/// What the provider's device is registered with.
pub const PROMISED: &str = "400";
/// What the provider says, once the lease is open, that it really reaches.
pub const MEASURED: &str = "360";
/// How long bids or commitments are taken where the tenant waits for the end of it, and how long reveals.
const WINDOW: &str = "5s";

/// How the story's orders find their price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pricing {
    /// Providers bid each other down; the tenant accepts a bid
    #[value(alias = "reverse_auction")]
    ReverseAuction,
    /// Providers commit to sealed bids and reveal them; the cheapest wins
    #[value(alias = "sealed_tender")]
    SealedTender,
    /// The order crosses a standing ask at once
    Market,
    /// A rate for each point of a score; the score turns out lower, and so does the pay
    Performance,
    /// The ceiling is paid; the provider is drawn by lot, its bond being its chance
    #[value(alias = "stake_weighted")]
    StakeWeighted,
    /// Two GPUs of two providers, or none
    Cluster,
}

impl Pricing {
    /// How many providers take part.
    pub const fn providers(self) -> u64 {
        match self {
            Self::SealedTender | Self::StakeWeighted | Self::Cluster => 2,
            Self::ReverseAuction | Self::Market | Self::Performance => 1,
        }
    }

    /// How many GPUs an order wants.
    pub const fn gpus(self) -> u64 {
        match self {
            Self::Cluster => 2,
            _ => 1,
        }
    }

    /// What the providers' devices are registered with.
    pub fn profile(self) -> Vec<String> {
        match self {
            Self::Performance => vec!["--score".into(), format!("{BENCHMARK}={PROMISED}")],
            _ => Vec::new(),
        }
    }

    /// What `order create` says for it.
    pub const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::ReverseAuction => &["--mode", "reverse-auction", "--closes-in", "60s"],
            Self::SealedTender => &[
                "--mode",
                "sealed-tender",
                "--closes-in",
                WINDOW,
                "--reveal-in",
                WINDOW,
            ],
            Self::Market => &["--mode", "market"],
            Self::Performance => &[
                "--mode",
                "performance",
                "--benchmark",
                BENCHMARK,
                "--closes-in",
                "60s",
                "--measure-for",
                "5s",
            ],
            Self::StakeWeighted => &[
                "--mode",
                "stake-weighted",
                "--closes-in",
                WINDOW,
                "--reveal-in",
                WINDOW,
            ],
            Self::Cluster => &["--mode", "cluster", "--units", "2", "--closes-in", WINDOW],
        }
    }
}
