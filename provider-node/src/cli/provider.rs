//! `ember provider`.

use super::{args, demands::Assured, provider_run, sealed};
use crate::{
    chain::{ChainClient, Coin},
    config::Global,
    daemon::{assign::device_id, bidder::bid_deposit},
};
use anyhow::Result;
use clap::{Args, Subcommand};
use cosmwasm_std::Uint128;
use ember_types::{
    ids::{AskId, BidId, LeaseId, OrderId},
    market::{self, OrderResponse},
    money::Rate,
    registry::{Attribute, BondResponse, ExecuteMsg},
    resources::{Device, Score},
};
use serde_json::{Value, json};

/// Offer GPUs.
#[derive(Debug, Subcommand)]
pub enum Provider {
    /// Become a provider with the devices of this machine
    Register(Register),
    /// Change what is registered
    Update(Update),
    /// Add to the bond
    Bond {
        /// How much, for example 100000000uember
        amount: Coin,
    },
    /// Take out of the bond; released after the unbonding period
    Unbond {
        /// Micro-units
        amount: u128,
    },
    /// Pay out what was unbonded and is released
    Claim,
    /// Show a provider and its bond
    Show {
        /// Its account [default: the key's]
        address: Option<String>,
    },
    /// List the devices of this machine
    Devices,
    /// Bid on an order
    Bid {
        /// Which
        order: OrderId,
        /// Whole coins an hour for each GPU
        #[arg(long, value_parser = args::price, value_name = "COINS")]
        price: Rate,
        /// Units offered, where the order takes parts [default: all that it wants]
        #[arg(long)]
        units: Option<u32>,
        /// The score that each GPU promises, where the order pays for one; the price is for a GPU that reaches it
        #[arg(long, value_name = "POINTS", value_parser = clap::value_parser!(u64).range(1..))]
        score: Option<u64>,
    },
    /// Commit to a sealed bid; what opens it is kept in the home, for `reveal` and `run`
    Commit {
        /// Which
        order: OrderId,
        /// Whole coins an hour for each GPU
        #[arg(long, value_parser = args::price, value_name = "COINS")]
        price: Rate,
        /// Units offered, where the order takes parts; seen by all [default: all that it wants]
        #[arg(long)]
        units: Option<u32>,
    },
    /// Reveal a sealed bid once commitments are not taken any more; who does not forfeits the bid deposit
    Reveal {
        /// Which
        bid: BidId,
        /// The price that was committed to, where it was from another home
        #[arg(long, value_parser = args::price, value_name = "COINS", requires = "salt")]
        price: Option<Rate>,
        /// The salt that `commit` answered there
        #[arg(long, value_name = "HEX", requires = "price")]
        salt: Option<String>,
    },
    /// Say that one is there, so that one's devices count as supply; `provider run` does so every hour
    Touch,
    /// Post a standing ask
    Ask {
        /// Id of a registered device; every unit is one like it
        #[arg(long, default_value = "gpu-0")]
        device: String,
        /// Units for sale
        #[arg(long, default_value_t = 1)]
        units: u32,
        /// What it is priced in
        #[arg(long)]
        denom: String,
        /// Whole coins an hour for each GPU
        #[arg(long, value_parser = args::price, value_name = "COINS")]
        price: Rate,
        /// What the price pays for beside the device
        #[arg(long, value_enum, default_value = "none")]
        assurance: Assured,
    },
    /// Take back a standing ask
    Unask {
        /// Which
        ask: AskId,
    },
    /// Bid, serve sessions, and go on until stopped
    Run(provider_run::Run),
    /// List one's leases that are not closed
    Leases,
    /// Say that one will leave a lease whose order asks for notice
    Notice {
        /// Which
        lease: LeaseId,
    },
    /// Say what score was measured on a lease that is paid by performance, while it may be measured
    ReportScore {
        /// Which
        lease: LeaseId,
        /// What a unit of it reached
        #[arg(long, value_name = "POINTS")]
        score: u64,
    },
    /// Settle a lease and pay out what it earned so far
    Withdraw {
        /// Which
        lease: LeaseId,
    },
}

/// What is registered.
#[derive(Debug, Args)]
pub struct Register {
    /// Where sessions are served, https://host:port
    #[arg(long, value_name = "URI")]
    host_uri: String,
    /// The first bond, for example 100000000uember
    #[arg(long, value_name = "COIN")]
    bond: Option<Coin>,
    /// Only these devices, by number [default: all that Vulkan finds]
    #[arg(long, value_name = "N")]
    device: Vec<u32>,
    /// Attributes; orders match on region
    #[arg(long, value_parser = args::attribute, value_name = "KEY=VALUE")]
    attribute: Vec<Attribute>,
    /// Assurances it offers beyond none; part of what it bids
    #[arg(long, value_enum, value_name = "ASSURANCE")]
    assurance: Vec<Assured>,
    #[command(flatten)]
    profile: HardwareProfile,
}

/// What is changed; what is not named stays.
#[derive(Debug, Args)]
pub struct Update {
    /// Where sessions are served
    #[arg(long, value_name = "URI")]
    host_uri: Option<String>,
    /// Look for this machine's devices again
    #[arg(long)]
    devices: bool,
    /// Register only these devices, by number
    #[arg(long, value_name = "N")]
    device: Vec<u32>,
    /// All attributes anew
    #[arg(long, value_parser = args::attribute, value_name = "KEY=VALUE")]
    attribute: Vec<Attribute>,
    /// All assurances anew
    #[arg(long, value_enum, value_name = "ASSURANCE")]
    assurance: Vec<Assured>,
    #[command(flatten)]
    profile: HardwareProfile,
}

/// What was measured of the devices. The same for each of those that are registered together.
#[derive(Debug, Args)]
pub struct HardwareProfile {
    /// What each device reached in a benchmark, for example gemm-f16-gflops=900
    #[arg(long, value_parser = args::score, value_name = "NAME=VALUE")]
    score: Vec<Score>,
    /// BLAKE3 of what each device answered to the known-answer jobs, 64 hex digits
    #[arg(long, value_name = "HEX")]
    known_answer: Option<String>,
}

impl Provider {
    pub async fn run(self, g: &Global) -> Result<Value> {
        Ok(match self {
            Self::Register(r) => {
                let chain = g.signing_chain()?;
                let devices = registered(r.device, &r.profile).await?;
                let m = ExecuteMsg::RegisterProvider {
                    host_uri: r.host_uri,
                    devices: devices.clone(),
                    attributes: r.attribute,
                    assurances: r.assurance.into_iter().map(Into::into).collect(),
                };
                let funds: Vec<Coin> = r.bond.into_iter().collect();
                let tx = chain.tell_registry(&m, &funds).await?;
                json!({"address": chain.address(), "devices": devices, "tx_hash": tx.hash})
            }
            Self::Update(u) => {
                let profile = !u.profile.score.is_empty() || u.profile.known_answer.is_some();
                let devices = if u.devices || !u.device.is_empty() || profile {
                    Some(registered(u.device, &u.profile).await?)
                } else {
                    None
                };
                let m = ExecuteMsg::UpdateProvider {
                    host_uri: u.host_uri,
                    devices,
                    attributes: (!u.attribute.is_empty()).then_some(u.attribute),
                    assurances: (!u.assurance.is_empty())
                        .then(|| u.assurance.into_iter().map(Into::into).collect()),
                };
                tell_registry(g, m, &[]).await?
            }
            Self::Bond { amount } => tell_registry(g, ExecuteMsg::Bond {}, &[amount]).await?,
            Self::Unbond { amount } => {
                let amount = Uint128::new(amount);
                tell_registry(g, ExecuteMsg::Unbond { amount }, &[]).await?
            }
            Self::Claim => tell_registry(g, ExecuteMsg::ClaimUnbonded {}, &[]).await?,
            Self::Touch => tell_registry(g, ExecuteMsg::Touch {}, &[]).await?,
            Self::Show { address } => show(g, address).await?,
            Self::Devices => {
                json!({"devices": provider_run::find_devices(Vec::new()).await?})
            }
            Self::Bid {
                order,
                price,
                units,
                score,
            } => {
                let chain = g.signing_chain()?;
                let q = market::QueryMsg::Order { order_id: order };
                let o: OrderResponse = chain.ask_market(&q).await?;
                let funds = bid_deposit(&chain, &o.ceiling.denom).await?;
                let m = market::ExecuteMsg::PlaceBid {
                    order_id: order,
                    rate: score.map_or(price, |s| a_point(price, s)),
                    units,
                    score,
                };
                let tx = chain.tell_market(&m, &funds).await?;
                let bid = tx
                    .attribute("wasm-bid_placed", "bid_id")
                    .and_then(|b| b.parse::<u64>().ok());
                json!({"bid_id": bid, "tx_hash": tx.hash})
            }
            Self::Commit {
                order,
                price,
                units,
            } => sealed::commit(g, order, price, units).await?,
            Self::Reveal { bid, price, salt } => sealed::reveal(g, bid, price.zip(salt)).await?,
            Self::Ask {
                device,
                units,
                denom,
                price,
                assurance,
            } => {
                let m = market::ExecuteMsg::PlaceAsk {
                    device,
                    units,
                    denom,
                    rate: price,
                    assurance: assurance.into(),
                };
                let tx = g.signing_chain()?.tell_market(&m, &[]).await?;
                let ask = tx
                    .attribute("wasm-ask_placed", "ask_id")
                    .and_then(|b| b.parse::<u64>().ok());
                json!({"ask_id": ask, "tx_hash": tx.hash})
            }
            Self::Unask { ask } => {
                tell_market(g, market::ExecuteMsg::WithdrawAsk { ask_id: ask }).await?
            }
            Self::Run(r) => r.run(g).await?,
            Self::Notice { lease } => {
                tell_market(g, market::ExecuteMsg::GiveNotice { lease_id: lease }).await?
            }
            Self::ReportScore { lease, score } => {
                let lease_id = lease;
                tell_market(g, market::ExecuteMsg::ReportScore { lease_id, score }).await?
            }
            Self::Leases => json!({"leases": g.signing_chain()?.leases().await?}),
            Self::Withdraw { lease } => {
                tell_market(g, market::ExecuteMsg::Withdraw { lease_id: lease }).await?
            }
        })
    }
}

/// The rate a point of a GPU that costs `price` at `score` points, rounded down: never more than was said.
fn a_point(price: Rate, score: u64) -> Rate {
    Rate::new(price.0.u128() / u128::from(score.max(1)))
}

async fn tell_registry(g: &Global, m: ExecuteMsg, funds: &[Coin]) -> Result<Value> {
    let tx = g.signing_chain()?.tell_registry(&m, funds).await?;
    Ok(json!({"tx_hash": tx.hash}))
}

async fn tell_market(g: &Global, m: market::ExecuteMsg) -> Result<Value> {
    let tx = g.signing_chain()?.tell_market(&m, &[]).await?;
    Ok(json!({"tx_hash": tx.hash}))
}

async fn show(g: &Global, address: Option<String>) -> Result<Value> {
    use ember_types::{
        registry::{ProviderResponse, QueryMsg},
        standing::Reputation,
    };
    let address = match address {
        Some(a) => a,
        None => g.key()?.address,
    };
    let chain = g.chain()?;
    let q = QueryMsg::Provider {
        address: address.clone(),
    };
    let provider: ProviderResponse = chain.ask_registry(&q).await?;
    let q = QueryMsg::Bond {
        address: address.clone(),
    };
    let bond: BondResponse = chain.ask_registry(&q).await?;
    let reputation: Reputation = chain
        .ask_registry(&QueryMsg::Reputation { address })
        .await?;
    Ok(json!({"provider": provider, "bond": bond, "reputation": reputation}))
}

/// Devices of this machine in the registry's words.
async fn registered(selected: Vec<u32>, profile: &HardwareProfile) -> Result<Vec<Device>> {
    let found = provider_run::find_devices(selected).await?;
    Ok(found
        .iter()
        .map(|d| Device {
            scores: profile.score.clone(),
            known_answer: profile.known_answer.clone(),
            ..d.to_chain(device_id(d.index))
        })
        .collect())
}
