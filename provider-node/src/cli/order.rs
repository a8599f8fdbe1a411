//! `ember order`.

use super::{
    args,
    demands::Demands,
    pricing::{Conditions, Pricing},
};
use crate::{
    chain::{ChainClient, Coin},
    config::Global,
};
use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};
use ember_client::msg::execute_answer;
use ember_types::{
    eligibility::FeasibleResponse,
    events::{self, key},
    ids::{BidId, OrderId},
    lease::OrderState,
    market::{
        Ceiling, CreateOrderResponse, EscrowResponse, ExecuteMsg, OrderResponse, OrdersResponse,
        QueryMsg,
    },
    money::Rate,
};
use serde_json::{Value, json};
use std::time::Duration;

/// Ask for GPUs.
#[derive(Debug, Subcommand)]
pub enum Order {
    /// Ask for GPUs; the deposit goes into escrow
    Create(Box<Create>),
    /// How many registered providers could bid on such an order now, and what stops the others
    CanFill {
        #[command(flatten)]
        demands: Box<Demands>,
        /// Continue after this provider
        #[arg(long, value_name = "ADDRESS")]
        after: Option<String>,
    },
    /// List orders
    List(List),
    /// Show an order and its escrow
    Show {
        /// Which
        order: OrderId,
    },
    /// List the bids on an order
    Bids {
        /// Which
        order: OrderId,
    },
    /// End the auction: this bid wins
    Accept {
        /// Which
        bid: BidId,
    },
    /// Take back an open order; its escrow is refunded
    Close {
        /// Which
        order: OrderId,
    },
    /// Add coins to an order's escrow; revives a suspended lease
    Deposit {
        /// Which
        order: OrderId,
        /// How much, for example 1000000uusdc
        amount: Coin,
    },
}

/// What is asked for.
#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    demands: Demands,
    #[command(flatten)]
    pricing: Pricing,
    /// What it is priced and paid in
    #[arg(long)]
    denom: String,
    /// The most a GPU may cost, in whole coins an hour
    #[arg(long, value_parser = args::price, value_name = "COINS")]
    max_price: Rate,
    /// The escrow, for example 2000000uusdc
    #[arg(long, value_name = "COIN")]
    deposit: Coin,
    /// Longest lease, for example 2h
    #[arg(long, value_parser = args::duration)]
    duration: Duration,
    #[command(flatten)]
    conditions: Conditions,
}

#[derive(Debug, Args)]
pub struct List {
    /// Only this tenant's
    #[arg(long, value_name = "ADDRESS")]
    tenant: Option<String>,
    /// Only in this state
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Only those that ask for this model by name
    #[arg(long)]
    model: Option<String>,
    /// Continue after this order
    #[arg(long, value_name = "ORDER")]
    after: Option<OrderId>,
    /// Newest first
    #[arg(long)]
    descending: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    Open,
    Leased,
    Closed,
}

impl Order {
    pub async fn run(self, g: &Global) -> Result<Value> {
        Ok(match self {
            Self::Create(c) => c.run(g).await?,
            Self::CanFill { demands, after } => {
                let q = QueryMsg::CanFill {
                    resources: demands.resources()?,
                    start_after: after,
                    limit: Some(100),
                };
                serde_json::to_value(g.chain()?.ask_market::<FeasibleResponse>(&q).await?)?
            }
            Self::List(l) => {
                let state = l.state.map(|s| match s {
                    State::Open => OrderState::Open,
                    State::Leased => OrderState::Leased,
                    State::Closed => OrderState::Closed,
                });
                let q = QueryMsg::Orders {
                    tenant: l.tenant,
                    state,
                    start_after: l.after,
                    limit: Some(100),
                    model: l.model,
                    descending: Some(l.descending),
                };
                serde_json::to_value(g.chain()?.ask_market::<OrdersResponse>(&q).await?)?
            }
            Self::Show { order } => {
                let chain = g.chain()?;
                let o: OrderResponse = chain
                    .ask_market(&QueryMsg::Order { order_id: order })
                    .await?;
                let e: EscrowResponse = chain
                    .ask_market(&QueryMsg::Escrow { order_id: order })
                    .await?;
                json!({"order": o, "escrow": e})
            }
            Self::Bids { order } => {
                let bids = g.chain()?.bids(order).await?;
                json!({"bids": bids})
            }
            Self::Accept { bid } => {
                let tx = g
                    .signing_chain()?
                    .tell_market(&ExecuteMsg::AcceptBid { bid_id: bid }, &[])
                    .await?;
                let lease = tx
                    .attribute(&format!("wasm-{}", events::LEASE_OPENED), key::LEASE_ID)
                    .context(
                        "the chain accepted the bid but named no lease; see `ember lease list`",
                    )?;
                json!({"lease_id": lease.parse::<u64>()?, "tx_hash": tx.hash})
            }
            Self::Close { order } => {
                let m = ExecuteMsg::CloseOrder { order_id: order };
                let tx = g.signing_chain()?.tell_market(&m, &[]).await?;
                json!({"order_id": order, "tx_hash": tx.hash})
            }
            Self::Deposit { order, amount } => {
                let m = ExecuteMsg::Deposit { order_id: order };
                let tx = g.signing_chain()?.tell_market(&m, &[amount]).await?;
                json!({"order_id": order, "tx_hash": tx.hash})
            }
        })
    }
}

impl Create {
    async fn run(self, g: &Global) -> Result<Value> {
        ember_types::fees::validate_denom("--denom", &self.denom)?;
        let resources = self.demands.resources()?;
        let chain = g.signing_chain()?;
        let terms = self.conditions.terms()?;
        // The chain's clock decides, so the chain's clock is asked.
        let now = if self.pricing.needs_clock() {
            chain.client().status().await?.unix_seconds()?
        } else {
            0
        };
        let m = ExecuteMsg::CreateOrder {
            resources,
            pricing: self.pricing.mode(now),
            ceiling: Ceiling {
                denom: self.denom,
                rate: self.max_price,
            },
            max_duration_secs: self.duration.as_secs(),
            terms,
        };
        let tx = chain.tell_market(&m, &[self.deposit]).await?;
        let made: CreateOrderResponse = serde_json::from_slice(&execute_answer(&tx, 0)?)?;
        let mut answer = json!({
            "order_id": made.order_id, "lease_id": made.lease_id, "more_leases": made.more_leases, "feasible": made.feasible, "tx_hash": tx.hash
        });
        if !made.feasible {
            answer["stopped"] = json!(made.stopped);
        }
        Ok(answer)
    }
}
