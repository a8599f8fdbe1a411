//! The daemon's loop: look at the chain, publish rights, bid; then look again.

use super::{
    assign::{Assignment, Local, match_devices},
    bidder::Bidder,
    decide::{Market, decide, takes_any_bids},
    openings::Openings,
    price::Prices,
};
use crate::{
    chain::{ChainClient, Error, Head},
    compute::DeviceInfo,
    identity::rights::{CertView, LeaseView, Rights},
};
use ember_types::{
    ids::LeaseId,
    lease::{BidState, LeaseState},
    market,
    registry::{self, ProviderResponse},
};
use std::{
    collections::{BTreeSet, btree_map::Entry},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tracing::{info, warn};

/// Time between two looks at the chain.
pub const POLL: Duration = Duration::from_millis(300);
/// Between two signs of life to the registry, seconds by the chain's clock; it counts devices for some hours after one.
const HEARTBEAT_SECS: u64 = 3_600;
/// Between two attempts at one.
const HEARTBEAT_RETRY: Duration = Duration::from_secs(300);

/// The daemon of one provider.
#[derive(Debug)]
pub struct Daemon<C> {
    chain: C,
    found: Vec<DeviceInfo>,
    prices: Prices,
    rights: watch::Sender<Arc<Rights>>,
    assignment: Assignment,
    bidder: Bidder,
    /// When a sign of life was last attempted.
    beat: Option<Instant>,
    /// Leases that have data on disk and are not served: the chain is asked for each until it is served or closed.
    leftovers: Vec<LeaseId>,
    said: Said,
}

/// What was logged last: a line is written when it changes, not at every look.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    outage: bool,
    may_bid: Option<bool>,
    missing: Vec<String>,
    leases: Vec<(u64, String)>,
}

impl<C: ChainClient> Daemon<C> {
    /// A daemon that serves `found` devices and tells `rights` to whoever listens. Data of the leases `leftovers` lies on
    /// disk: those that ended while the daemon was down are told once as closed, so that it is removed. What opens its
    /// sealed bids is in `openings`.
    pub fn new(
        chain: C,
        found: Vec<DeviceInfo>,
        prices: Prices,
        openings: Openings,
        rights: watch::Sender<Arc<Rights>>,
        leftovers: Vec<LeaseId>,
    ) -> Self {
        Self {
            chain,
            found,
            prices,
            rights,
            assignment: Assignment::default(),
            bidder: Bidder::new(openings),
            beat: None,
            leftovers,
            said: Said::default(),
        }
    }

    /// Looks and acts for ever. An outage of the chain is waited out; leases are never closed because of one.
    ///
    /// # Errors
    /// [`NotRegistered`] when the chain answers that this account is no provider.
    pub async fn run(&mut self) -> Result<std::convert::Infallible, NotRegistered> {
        loop {
            match self.tick().await {
                Ok(true) => {
                    if std::mem::take(&mut self.said.outage) {
                        info!("the chain answers again");
                    }
                }
                Ok(false) => {
                    return Err(NotRegistered {
                        address: self.chain.address().into(),
                    });
                }
                Err(e) => {
                    if !std::mem::replace(&mut self.said.outage, true) {
                        warn!("{e}; sessions of known leases go on, trying again");
                    }
                }
            }
            sleep(POLL).await;
        }
    }

    /// One look at the chain and what follows from it. `false`: not a provider.
    ///
    /// # Errors
    /// When the chain does not answer or refuses a question.
    pub async fn tick(&mut self) -> Result<bool, Error> {
        let Some(me) = self.chain.provider().await? else {
            return Ok(false);
        };
        self.heartbeat(&me).await?;
        let head = self.chain.head().await?;
        let local = self.local(&me);
        let leases = self.chain.leases().await?;
        let rights = self.rights(head.height, &leases, &local).await?;
        self.publish(rights);
        let market = self.look(head, me, leases).await?;
        let devices: Vec<_> = local.into_iter().map(|l| l.device).collect();
        for action in decide(&market, &devices, &self.prices) {
            self.bidder.act(&self.chain, action, &market).await?;
        }
        Ok(true)
    }

    /// Tells the registry about once an hour that this provider is there. A refusal stops nothing else.
    async fn heartbeat(&mut self, me: &ProviderResponse) -> Result<(), Error> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| d.as_secs());
        let due = me.seen_at.seconds().saturating_add(HEARTBEAT_SECS) <= now;
        if !due || self.beat.is_some_and(|at| at.elapsed() < HEARTBEAT_RETRY) {
            return Ok(());
        }
        self.beat = Some(Instant::now());
        match self.chain.registry(registry::ExecuteMsg::Touch {}).await {
            Ok(tx) => info!("told the registry that this provider is here, {}", tx.hash),
            Err(e) if e.is_outage() => return Err(e),
            Err(e) => warn!("sign of life: {e}"),
        }
        Ok(())
    }

    /// Who may open sessions: tenants of leases that have a device here, with any certificate of theirs.
    async fn rights(
        &mut self,
        height: u64,
        leases: &[market::LeaseResponse],
        local: &[Local],
    ) -> Result<Rights, Error> {
        let assigned = self.assignment.update(leases, local);
        let mut rights = Rights {
            height,
            ..Rights::default()
        };
        for l in leases {
            if let Some(devices) = assigned.get(&l.id) {
                rights.leases.insert(l.id.0, view(l, devices));
            }
        }
        let tenants: BTreeSet<String> = rights.leases.values().map(|v| v.tenant.clone()).collect();
        for tenant in tenants {
            for c in self.chain.certificates(&tenant).await? {
                let view = CertView {
                    owner: c.owner.into_string(),
                    revoked: c.revoked_at.is_some(),
                };
                rights.certs.insert(c.fingerprint, view);
            }
        }
        // Leases that the last look had and this one has not may have ended, or only have changed between two pages.
        let before = self.rights.borrow().clone();
        let live = before
            .leases
            .values()
            .filter(|v| v.state != LeaseState::Closed);
        for id in live.map(|v| LeaseId(v.lease_id)) {
            if !rights.leases.contains_key(&id.0) && !self.leftovers.contains(&id) {
                self.leftovers.push(id);
            }
        }
        let mut at = 0;
        while let Some(id) = self.leftovers.get(at).copied() {
            if let Entry::Vacant(place) = rights.leases.entry(id.0) {
                match self.chain.lease(id).await? {
                    Some(l) if l.state == LeaseState::Closed => drop(place.insert(view(&l, &[]))),
                    Some(_) => {
                        at += 1;
                        continue;
                    }
                    None => {}
                }
            }
            self.leftovers.swap_remove(at);
        }
        Ok(rights)
    }

    fn local(&mut self, me: &ProviderResponse) -> Vec<Local> {
        let (local, missing) = match_devices(&me.devices, &self.found);
        if missing != self.said.missing {
            warn!(
                "registered devices that are not here: {}; run `ember provider update --devices`",
                missing.join(", ")
            );
            self.said.missing = missing;
        }
        if self.said.may_bid != Some(me.may_bid) {
            if me.may_bid {
                info!("bonded {}; bidding with {} devices", me.bonded, local.len());
            } else {
                warn!(
                    "the bond of {} is too small to bid; run `ember provider bond`",
                    me.bonded
                );
            }
            self.said.may_bid = Some(me.may_bid);
        }
        local
    }

    fn publish(&mut self, rights: Rights) {
        let leases: Vec<_> = rights
            .leases
            .values()
            .map(|l| (l.lease_id, format!("{:?}", l.state)))
            .collect();
        if leases != self.said.leases {
            let list: Vec<_> = leases
                .iter()
                .map(|(id, state)| format!("{id} {state}"))
                .collect();
            info!(
                "leases: {}",
                if list.is_empty() {
                    "none".into()
                } else {
                    list.join(", ")
                }
            );
            self.said.leases = leases;
        }
        self.rights.send_replace(Arc::new(rights));
    }

    async fn look(
        &mut self,
        head: Head,
        me: ProviderResponse,
        leases: Vec<market::LeaseResponse>,
    ) -> Result<Market, Error> {
        let mut orders = self.chain.open_orders().await?;
        orders.retain(takes_any_bids);
        let mut bids = Vec::new();
        for order in orders.iter().filter(|o| o.open_bids > 0) {
            let all = self.chain.bids(order.id).await?;
            bids.extend(
                all.into_iter()
                    .filter(|b| matches!(b.state, BidState::Open | BidState::Sealed)),
            );
        }
        Ok(Market {
            now: head.time,
            me,
            orders,
            bids,
            leases,
            asks: self.chain.asks().await?,
            left_alone: self.bidder.left_alone(),
        })
    }
}

fn view(l: &market::LeaseResponse, devices: &[u32]) -> LeaseView {
    LeaseView {
        lease_id: l.id.0,
        devices: devices.to_vec(),
        tenant: l.tenant.to_string(),
        provider: l.provider.to_string(),
        state: l.state,
        ends_at: l.ends_at.seconds(),
    }
}

/// The account is no provider.
#[derive(Debug, thiserror::Error)]
#[error("{address} is not a registered provider; run `ember provider register` first")]
pub struct NotRegistered {
    /// Which account.
    pub address: String,
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
