//! `ember cert`.

use super::args;
use crate::{chain::ChainClient, config::Global, identity::cert::Identity};
use anyhow::Result;
use clap::Subcommand;
use cosmwasm_std::Binary;
use ember_types::registry::{CertificateResponse, ExecuteMsg, QueryMsg};
use serde_json::{Value, json};
use std::time::Duration;

/// Certificates that sessions are opened with.
#[derive(Debug, Subcommand)]
pub enum Cert {
    /// Make a certificate for this home's key
    Generate {
        /// Replace the one that is there
        #[arg(long)]
        force: bool,
        /// How long it is valid: 90s, 15m, 2h, 30d; at most 365d
        #[arg(long, value_name = "DURATION", default_value = "365d", value_parser = args::duration)]
        valid_for: Duration,
    },
    /// Publish the certificate of this home on the chain
    Publish,
    /// Revoke a certificate for ever
    Revoke {
        /// Its fingerprint, SHA-256 of its DER in hex
        fingerprint: String,
    },
    /// Show one certificate as the chain has it
    Show {
        /// Its fingerprint, SHA-256 of its DER in hex
        fingerprint: String,
    },
    /// List certificates on the chain
    List {
        /// Whose [default: the key's]
        owner: Option<String>,
    },
}

impl Cert {
    pub async fn run(self, g: &Global) -> Result<Value> {
        Ok(match self {
            Self::Generate { force, valid_for } => {
                let key = g.key()?;
                let id = Identity::generate(&key.address, valid_for)?;
                id.save(&g.home()?, force)?;
                json!({"address": key.address, "fingerprint": id.fingerprint()})
            }
            Self::Publish => {
                let id = Identity::load(&g.home()?)?;
                let fingerprint = id.fingerprint();
                let m = ExecuteMsg::PublishCertificate {
                    der: Binary::new(id.der().to_vec()),
                };
                let tx = g.signing_chain()?.tell_registry(&m, &[]).await?;
                json!({"fingerprint": fingerprint, "tx_hash": tx.hash})
            }
            Self::Revoke { fingerprint } => {
                let m = ExecuteMsg::RevokeCertificate { fingerprint };
                let tx = g.signing_chain()?.tell_registry(&m, &[]).await?;
                json!({"tx_hash": tx.hash})
            }
            Self::Show { fingerprint } => {
                let q = QueryMsg::Certificate { fingerprint };
                serde_json::to_value(g.chain()?.ask_registry::<CertificateResponse>(&q).await?)?
            }
            Self::List { owner } => {
                let owner = match owner {
                    Some(o) => o,
                    None => g.key()?.address,
                };
                json!({"certificates": g.chain()?.certificates(&owner).await?})
            }
        })
    }
}
