//! `ember ledger`.

use crate::{chain::ChainClient, config::Global};
use anyhow::Result;
use clap::Args;
use ember_types::market::{LedgerResponse, QueryMsg};
use serde_json::{Value, json};

/// What the market took in and paid out.
#[derive(Debug, Args)]
pub struct Ledger {
    /// Only this denom [default: every denom the market takes]
    denom: Option<String>,
}

impl Ledger {
    pub async fn run(self, g: &Global) -> Result<Value> {
        let chain = g.chain()?;
        if let Some(denom) = self.denom {
            let one: LedgerResponse = chain.ask_market(&QueryMsg::Ledger { denom }).await?;
            return Ok(serde_json::to_value(one)?);
        }
        let mut ledgers: Vec<LedgerResponse> = Vec::new();
        for fees in chain.market_config().await?.fees {
            match chain
                .ask_market(&QueryMsg::Ledger { denom: fees.denom })
                .await
            {
                Ok(l) => ledgers.push(l),
                // A denom in which nothing was deposited yet has no ledger.
                Err(crate::chain::Error::Query { log, .. }) if log.contains("no ledger of") => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(json!({ "ledgers": ledgers }))
    }
}
