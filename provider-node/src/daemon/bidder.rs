//! Carries out what was decided: a message to the market each, and on disk what a sealed bid is opened with.

use super::{
    decide::{Action, Market, Offer},
    openings::{Opening, Openings},
};
use crate::chain::{ChainClient, Coin, Error};
use cosmwasm_std::Binary;
use ember_types::{
    ids::{BidId, OrderId},
    market::{BidResponse, ExecuteMsg},
    pricing::MatchAt,
    resources::ResourceSpec,
};
use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    time::Duration,
};
use tokio::time::Instant;
use tracing::{info, warn};

/// An order whose bid was refused is left alone this long.
const AFTER_REFUSAL: Duration = Duration::from_secs(30);
/// Between two attempts to reveal a bid: windows may be short.
const REVEAL_AGAIN: Duration = Duration::from_secs(1);

/// Whoever bids for the daemon.
#[derive(Debug)]
pub struct Bidder {
    openings: Openings,
    /// Orders whose bid was refused, and when to try again.
    refused: BTreeMap<OrderId, Instant>,
    /// Bids whose reveal did not succeed, and when to try again.
    unrevealed: BTreeMap<BidId, Instant>,
}

impl Bidder {
    /// One that keeps what opens its sealed bids in `openings`.
    pub const fn new(openings: Openings) -> Self {
        Self {
            openings,
            refused: BTreeMap::new(),
            unrevealed: BTreeMap::new(),
        }
    }

    /// Orders that get no bid for now: one was refused a while ago.
    pub fn left_alone(&mut self) -> BTreeSet<OrderId> {
        let now = Instant::now();
        self.refused.retain(|_, until| *until > now);
        self.unrevealed.retain(|_, until| *until > now);
        self.refused.keys().copied().collect()
    }

    /// As if long enough had passed since every refusal.
    #[cfg(test)]
    pub fn pauses_are_over(&mut self) {
        (self.refused, self.unrevealed) = Default::default();
    }

    /// Sends what was decided. A refusal is logged and stops nothing else.
    ///
    /// # Errors
    /// When the chain does not answer.
    pub async fn act(
        &mut self,
        chain: &impl ChainClient,
        action: Action,
        market: &Market,
    ) -> Result<(), Error> {
        match action {
            Action::Reveal { bid_id } => self.reveal(chain, bid_id, market).await,
            Action::Forfeit { bid_id } => {
                if let Entry::Vacant(place) = self.unrevealed.entry(bid_id) {
                    warn!(
                        "bid {bid_id} is not revealed: no device for it; its deposit is forfeited"
                    );
                    place.insert(Instant::now() + AFTER_REFUSAL);
                }
                Ok(())
            }
            Action::Withdraw { bid_id } => {
                let done = chain.market(ExecuteMsg::WithdrawBid { bid_id }, Vec::new());
                match done.await {
                    Ok(_) => info!("bid {bid_id} withdrawn: no device for it"),
                    Err(e) if e.is_outage() => return Err(e),
                    Err(e) => warn!("bid {bid_id}: {e}"),
                }
                Ok(())
            }
            Action::Bid(offer) if self.fits(chain, &offer, market).await? => {
                let msg = ExecuteMsg::PlaceBid {
                    order_id: offer.order_id,
                    rate: offer.rate,
                    units: offer.units,
                    score: offer.score,
                };
                let said = format!("bid {}", offer.rate);
                self.place(chain, &offer, msg, &said).await
            }
            Action::Commit(offer) if self.fits(chain, &offer, market).await? => {
                let Some(msg) = self.commitment(&offer, market) else {
                    self.leave(offer.order_id);
                    return Ok(());
                };
                // Nothing of what is sealed goes into the log.
                self.place(chain, &offer, msg, "committed to a sealed bid")
                    .await
            }
            Action::Bid(_) | Action::Commit(_) => Ok(()),
        }
    }

    /// Whether the registry lets this provider serve what it would bid on: it knows of audits and trust, which are not
    /// looked at here. An order that does not fit is left alone for a while.
    async fn fits(
        &mut self,
        chain: &impl ChainClient,
        offer: &Offer,
        market: &Market,
    ) -> Result<bool, Error> {
        let Some(order) = market.orders.iter().find(|o| o.id == offer.order_id) else {
            return Ok(true);
        };
        let mut wanted = ResourceSpec {
            units: offer.units.unwrap_or(order.resources.units),
            ..order.resources.clone()
        };
        if let Some((mode, score)) = order.pricing.performance().zip(offer.score) {
            wanted.gpu.min_score = Some(mode.score(score));
        }
        let Some(lack) = chain.lacks(&wanted).await? else {
            return Ok(true);
        };
        info!("order {} is not for this provider: {lack}", order.id);
        self.leave(order.id);
        Ok(false)
    }

    async fn place(
        &mut self,
        chain: &impl ChainClient,
        offer: &Offer,
        msg: ExecuteMsg,
        said: &str,
    ) -> Result<(), Error> {
        let order_id = offer.order_id;
        let funds = bid_deposit(chain, &offer.denom).await?;
        match chain.market(msg, funds).await {
            Ok(tx) => info!("{said} on order {order_id}, {}", tx.hash),
            Err(e) if e.is_outage() => return Err(e),
            Err(e) => {
                warn!("order {order_id}: {e}");
                self.leave(order_id);
            }
        }
        Ok(())
    }

    /// The message that commits to an offer, once what opens it is on disk.
    fn commitment(&self, offer: &Offer, market: &Market) -> Option<ExecuteMsg> {
        let order = market.orders.iter().find(|o| o.id == offer.order_id)?;
        let MatchAt::Time(until) = order.pricing.match_at() else {
            return None;
        };
        let opening = Opening::new(order.id, offer.rate, until);
        let hash = self.openings.keep(&opening);
        let hash = hash.inspect_err(|e| warn!("order {}: no sealed bid: {e}", order.id));
        Some(ExecuteMsg::CommitBid {
            order_id: order.id,
            commitment: Binary::from(hash.ok()?),
            units: offer.units,
        })
    }

    async fn reveal(
        &mut self,
        chain: &impl ChainClient,
        bid_id: BidId,
        market: &Market,
    ) -> Result<(), Error> {
        let bid = market.bids.iter().find(|b| b.id == bid_id);
        if self.unrevealed.contains_key(&bid_id) {
            return Ok(());
        }
        let Some((bid, opening)) = bid.and_then(|b| Some((b, self.opening(b)?))) else {
            self.unrevealed
                .insert(bid_id, Instant::now() + AFTER_REFUSAL);
            return Ok(());
        };
        let msg = ExecuteMsg::RevealBid {
            bid_id,
            rate: opening.rate,
            salt: Binary::from(opening.salt().as_slice()),
        };
        match chain.market(msg, Vec::new()).await {
            Ok(tx) => info!(
                "revealed {} on order {}, {}",
                opening.rate, bid.order_id, tx.hash
            ),
            Err(e) if e.is_outage() => return Err(e),
            Err(e) => {
                warn!("reveal of bid {bid_id}: {e}");
                self.unrevealed
                    .insert(bid_id, Instant::now() + REVEAL_AGAIN);
            }
        }
        Ok(())
    }

    fn opening(&self, bid: &BidResponse) -> Option<Opening> {
        let hash = bid.commitment.clone().unwrap_or_default();
        match self.openings.find(&hash) {
            Ok(Some(opening)) => return Some(opening),
            Ok(None) => warn!(
                "bid {} was committed to elsewhere; reveal it with `ember provider reveal`",
                bid.id
            ),
            Err(e) => warn!("bid {}: {e}", bid.id),
        }
        None
    }

    fn leave(&mut self, order: OrderId) {
        self.refused.insert(order, Instant::now() + AFTER_REFUSAL);
    }
}

/// The coins that a bid in `denom` carries.
///
/// # Errors
/// When the chain does not answer.
pub async fn bid_deposit(chain: &impl ChainClient, denom: &str) -> Result<Vec<Coin>, Error> {
    let config = chain.market_config().await?;
    let fees = config.fees.into_iter().find(|f| f.denom == denom);
    Ok(fees
        .filter(|f| !f.bid_deposit.is_zero())
        .map(|f| Coin {
            amount: f.bid_deposit.u128(),
            denom: f.denom,
        })
        .into_iter()
        .collect())
}
