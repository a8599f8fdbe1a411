//! `ember registry`: what is known of providers, and vouching for them.

use super::args;
use crate::config::Global;
use anyhow::Result;
use clap::Subcommand;
use ember_types::{
    registry::{ExecuteMsg, ProviderResponse, ProvidersResponse, QueryMsg},
    standing::{AuditsResponse, Reputation, TrustsResponse},
    supply::SupplyResponse,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;

/// Look at providers, and vouch for them.
#[derive(Debug, Subcommand)]
pub enum Registry {
    /// Devices and free units by model, of providers who are bonded and were seen recently
    Supply {
        /// Only this model
        #[arg(long)]
        model: Option<String>,
        /// Continue after this model
        #[arg(long, value_name = "MODEL")]
        after: Option<String>,
        /// From the last model to the first
        #[arg(long)]
        descending: bool,
    },
    /// List providers
    Providers {
        /// Only those with a device of this model
        #[arg(long)]
        model: Option<String>,
        /// Only those who are bonded and were seen recently
        #[arg(long)]
        live: bool,
        /// Continue after this provider
        #[arg(long, value_name = "ADDRESS")]
        after: Option<String>,
        /// From the last address to the first
        #[arg(long)]
        descending: bool,
    },
    /// What the market and the court saw of a provider
    Reputation {
        /// Its account
        address: String,
    },
    /// List audits
    Audits {
        /// Only of this provider
        #[arg(long, value_name = "ADDRESS")]
        provider: Option<String>,
        /// Only by this signer
        #[arg(long, value_name = "ADDRESS")]
        signer: Option<String>,
    },
    /// Vouch for a provider's devices and attributes as they are now
    SignAudit {
        /// Whom
        provider: String,
        /// What was found
        #[arg(long)]
        statement: String,
        /// How long it holds, for example 90d
        #[arg(long, value_parser = args::duration)]
        valid: Duration,
        /// The provider's revision that was looked at; refused when it has changed since
        #[arg(long)]
        revision: Option<u64>,
    },
    /// Take one's audit back
    RevokeAudit {
        /// Whom it is about
        provider: String,
    },
    /// List the trust levels of a provider
    Trust {
        /// Its account
        provider: String,
    },
    /// Set a trust level; for the authority and trust setters
    SetTrust {
        /// Whose
        provider: String,
        /// One device; without, all that have no level of their own
        #[arg(long)]
        device: Option<String>,
        /// 0 to 4
        #[arg(long)]
        level: u8,
        /// How long it holds, for example 90d
        #[arg(long, value_parser = args::duration)]
        valid: Duration,
        /// The provider's revision that was looked at; refused when it has changed since
        #[arg(long)]
        revision: Option<u64>,
    },
    /// Take a trust level away; for the authority and trust setters
    ClearTrust {
        /// Whose
        provider: String,
        /// One device; without, the provider's own
        #[arg(long)]
        device: Option<String>,
    },
}

impl Registry {
    pub async fn run(self, g: &Global) -> Result<Value> {
        let limit = Some(100);
        match self {
            Self::Supply {
                model,
                after,
                descending,
            } => {
                let q = QueryMsg::Supply {
                    model,
                    start_after: after,
                    limit,
                    descending: Some(descending),
                };
                ask::<SupplyResponse>(g, q).await
            }
            Self::Providers {
                model,
                live,
                after,
                descending,
            } => {
                let q = QueryMsg::Providers {
                    model,
                    start_after: after,
                    limit,
                    live: live.then_some(true),
                    descending: Some(descending),
                };
                ask::<ProvidersResponse>(g, q).await
            }
            Self::Reputation { address } => {
                ask::<Reputation>(g, QueryMsg::Reputation { address }).await
            }
            Self::Audits { provider, signer } => {
                let q = QueryMsg::Audits {
                    provider,
                    signer,
                    start_after: None,
                    limit,
                    in_force: None,
                    descending: None,
                };
                ask::<AuditsResponse>(g, q).await
            }
            Self::Trust { provider } => {
                let q = QueryMsg::Trust {
                    provider,
                    start_after: None,
                    limit,
                    in_force: None,
                    descending: None,
                };
                ask::<TrustsResponse>(g, q).await
            }
            Self::SignAudit {
                provider,
                statement,
                valid,
                revision,
            } => {
                let (revision, expires_at) = vouch(g, &provider, revision, valid).await?;
                let m = ExecuteMsg::SignAudit {
                    provider,
                    revision,
                    statement,
                    expires_at,
                };
                tell(g, &m).await
            }
            Self::SetTrust {
                provider,
                device,
                level,
                valid,
                revision,
            } => {
                let (revision, expires_at) = vouch(g, &provider, revision, valid).await?;
                let m = ExecuteMsg::SetTrust {
                    provider,
                    device,
                    level,
                    revision,
                    expires_at,
                };
                tell(g, &m).await
            }
            Self::RevokeAudit { provider } => tell(g, &ExecuteMsg::RevokeAudit { provider }).await,
            Self::ClearTrust { provider, device } => {
                tell(g, &ExecuteMsg::ClearTrust { provider, device }).await
            }
        }
    }
}

async fn ask<T: DeserializeOwned + serde::Serialize>(g: &Global, q: QueryMsg) -> Result<Value> {
    Ok(serde_json::to_value(
        g.chain()?.ask_registry::<T>(&q).await?,
    )?)
}

async fn tell(g: &Global, m: &ExecuteMsg) -> Result<Value> {
    let tx = g.signing_chain()?.tell_registry(m, &[]).await?;
    Ok(json!({"tx_hash": tx.hash}))
}

/// The revision that is vouched for, the provider's now unless one is given, and the end by the chain's clock.
async fn vouch(
    g: &Global,
    provider: &str,
    revision: Option<u64>,
    valid: Duration,
) -> Result<(u64, u64)> {
    let chain = g.chain()?;
    let revision = match revision {
        Some(r) => r,
        None => {
            let address = provider.to_owned();
            let q = QueryMsg::Provider { address };
            chain.ask_registry::<ProviderResponse>(&q).await?.revision
        }
    };
    let now = chain.client().status().await?.unix_seconds()?;
    Ok((revision, now.saturating_add(valid.as_secs())))
}
