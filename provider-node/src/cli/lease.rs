//! `ember lease`.

use super::lease_run;
use crate::{chain::ChainClient, config::Global};
use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use ember_types::{
    ids::LeaseId,
    lease::LeaseState,
    market::{EscrowResponse, ExecuteMsg, LeaseResponse, LeasesResponse, QueryMsg},
};
use serde_json::{Value, json};

/// Use what was leased.
#[derive(Debug, Subcommand)]
pub enum Lease {
    /// Run a job on a lease and fetch its verified outputs; a job that is done answers at once
    Run(lease_run::Run),
    /// Fetch the verified outputs and the receipt of a job that has finished
    Fetch(lease_run::Fetch),
    /// What the provider holds for a lease
    Status {
        /// Which
        lease: LeaseId,
    },
    /// What a lease's jobs have logged
    Logs {
        /// Which
        lease: LeaseId,
        /// Only this job's: its manifest's hash
        #[arg(long, default_value = "", hide_default_value = true)]
        job: String,
    },
    /// End a lease now: what has accrued is paid, the rest refunded
    Close {
        /// Which
        lease: LeaseId,
    },
    /// List leases
    List(List),
    /// Show a lease and its escrow
    Show {
        /// Which
        lease: LeaseId,
    },
}

#[derive(Debug, Args)]
pub struct List {
    /// Only this tenant's
    #[arg(long, value_name = "ADDRESS")]
    tenant: Option<String>,
    /// Only this provider's
    #[arg(long, value_name = "ADDRESS")]
    provider: Option<String>,
    /// Only in this state
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Only those whose order asks for this model by name
    #[arg(long)]
    model: Option<String>,
    /// Continue after this lease
    #[arg(long, value_name = "LEASE")]
    after: Option<LeaseId>,
    /// Newest first
    #[arg(long)]
    descending: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    Active,
    Suspended,
    Closed,
}

impl Lease {
    pub async fn run(self, g: &Global) -> Result<Value> {
        Ok(match self {
            Self::Run(r) => r.run(g).await?,
            Self::Fetch(f) => f.run(g).await?,
            Self::Status { lease } => lease_run::status(g, lease).await?,
            Self::Logs { lease, job } => lease_run::logs(g, lease, &job).await?,
            Self::Close { lease } => {
                let chain = g.signing_chain()?;
                let tx = chain
                    .market(ExecuteMsg::CloseLease { lease_id: lease }, Vec::new())
                    .await?;
                json!({"lease_id": lease, "tx_hash": tx.hash})
            }
            Self::List(l) => {
                let q = QueryMsg::Leases {
                    tenant: l.tenant,
                    provider: l.provider,
                    state: l.state.map(|s| match s {
                        State::Active => LeaseState::Active,
                        State::Suspended => LeaseState::Suspended,
                        State::Closed => LeaseState::Closed,
                    }),
                    start_after: l.after,
                    limit: Some(100),
                    model: l.model,
                    descending: Some(l.descending),
                };
                serde_json::to_value(g.chain()?.ask_market::<LeasesResponse>(&q).await?)?
            }
            Self::Show { lease } => {
                let chain = g.chain()?;
                let l: LeaseResponse = chain
                    .ask_market(&QueryMsg::Lease { lease_id: lease })
                    .await?;
                let q = QueryMsg::Escrow {
                    order_id: l.order_id,
                };
                let e: EscrowResponse = chain.ask_market(&q).await?;
                json!({"lease": l, "escrow": e})
            }
        })
    }
}
