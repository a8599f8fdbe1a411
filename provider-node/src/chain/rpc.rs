//! The chain over a node's RPC.

use super::{ChainClient, Coin, Error, Head, TxOutcome};
use ember_client::{Client, Key, TxOptions, msg};
use ember_types::{
    eligibility::{CanServeResponse, Ineligible},
    ids::{LeaseId, OrderId},
    lease::{LeaseState, OrderState},
    market::{
        self, AskResponse, AsksResponse, BidResponse, BidsResponse, LeaseResponse, LeasesResponse,
        OrderResponse, OrdersResponse,
    },
    registry::{self, CertificateResponse, CertificatesResponse, ProviderResponse},
    resources::ResourceSpec,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::OnceCell;

/// Code ids that genesis gives the contracts.
const REGISTRY_CODE: u64 = 1;
const MARKET_CODE: u64 = 2;
/// The contracts' largest page.
const PAGE: u32 = 100;

/// Reads pages to the end of the list. `$after` is where the next one goes on.
macro_rules! pages {
    ($page:ty, $items:ident, |$after:ident| $ask:expr) => {{
        let mut all = Vec::new();
        let mut $after = None;
        loop {
            let page: $page = $ask?;
            all.extend(page.$items);
            $after = page.next;
            if $after.is_none() {
                break Ok(all);
            }
        }
    }};
}

/// A chain, and the key that signs, if there is one.
#[derive(Debug)]
pub struct RpcChain {
    client: Client,
    key: Option<Key>,
    opts: TxOptions,
    registry: OnceCell<String>,
    market: OnceCell<String>,
}

impl RpcChain {
    /// Asks nothing yet.
    pub fn new(client: Client, key: Option<Key>, opts: TxOptions) -> Self {
        Self {
            client,
            key,
            opts,
            registry: OnceCell::new(),
            market: OnceCell::new(),
        }
    }

    /// The node's client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The registry's address.
    ///
    /// # Errors
    /// When no node answers or the chain has no registry.
    pub async fn registry_address(&self) -> Result<&str, Error> {
        self.contract(&self.registry, REGISTRY_CODE, "registry")
            .await
    }

    /// The market's address.
    ///
    /// # Errors
    /// When no node answers or the chain has no market.
    pub async fn market_address(&self) -> Result<&str, Error> {
        self.contract(&self.market, MARKET_CODE, "market").await
    }

    async fn contract<'a>(
        &self,
        cell: &'a OnceCell<String>,
        code: u64,
        name: &str,
    ) -> Result<&'a str, Error> {
        cell.get_or_try_init(|| async {
            let found = self.client.contracts_by_code(code).await?;
            found.into_iter().next().ok_or_else(|| Error::Query {
                code: 5,
                log: format!("expected the {name} contract as code {code}, found none: is this an Ember chain?"),
            })
        })
        .await
        .map(String::as_str)
    }

    /// Asks the market.
    ///
    /// # Errors
    /// When no node answers or the contract refuses.
    pub async fn ask_market<T: DeserializeOwned>(&self, q: &market::QueryMsg) -> Result<T, Error> {
        self.client.smart(self.market_address().await?, q).await
    }

    /// Asks the registry.
    ///
    /// # Errors
    /// When no node answers or the contract refuses.
    pub async fn ask_registry<T: DeserializeOwned>(
        &self,
        q: &registry::QueryMsg,
    ) -> Result<T, Error> {
        self.client.smart(self.registry_address().await?, q).await
    }

    /// Sends a message to the registry and waits for its block.
    ///
    /// # Errors
    /// What the chain said, or that it did not answer.
    pub async fn tell_registry(
        &self,
        m: &registry::ExecuteMsg,
        funds: &[Coin],
    ) -> Result<TxOutcome, Error> {
        self.execute(self.registry_address().await?, m, funds).await
    }

    /// Sends a message to the market and waits for its block.
    ///
    /// # Errors
    /// What the chain said, or that it did not answer.
    pub async fn tell_market(
        &self,
        m: &market::ExecuteMsg,
        funds: &[Coin],
    ) -> Result<TxOutcome, Error> {
        self.execute(self.market_address().await?, m, funds).await
    }

    async fn execute(
        &self,
        contract: &str,
        m: &impl Serialize,
        funds: &[Coin],
    ) -> Result<TxOutcome, Error> {
        let key = self.key.as_ref().ok_or_else(no_key)?;
        let msg = msg::execute(&key.address, contract, m, funds)?;
        self.client.send(key, vec![msg], &self.opts).await
    }

    async fn leases_in(&self, state: LeaseState) -> Result<Vec<LeaseResponse>, Error> {
        pages!(LeasesResponse, leases, |after| self
            .ask_market(&market::QueryMsg::Leases {
                tenant: None,
                provider: Some(self.address().into()),
                state: Some(state),
                start_after: after,
                limit: Some(PAGE),
                model: None,
                descending: None,
            })
            .await)
    }
}

fn no_key() -> Error {
    Error::Malformed {
        what: "--from",
        expected: "a key of the keyring",
        got: "none".into(),
    }
}

impl ChainClient for RpcChain {
    fn address(&self) -> &str {
        self.key.as_ref().map_or("", |k| &k.address)
    }

    async fn head(&self) -> Result<Head, Error> {
        let status = self.client.status().await?;
        Ok(Head {
            height: status.height,
            time: status.unix_seconds()?,
        })
    }

    async fn provider(&self) -> Result<Option<ProviderResponse>, Error> {
        let q = registry::QueryMsg::Provider {
            address: self.address().into(),
        };
        match self.ask_registry(&q).await {
            Ok(p) => Ok(Some(p)),
            // The contract's sentence for an account that never registered.
            Err(Error::Query { log, .. }) if log.contains("is not a provider") => Ok(None),
            Err(e) => Err(e),
        }
    }

    async fn lacks(&self, wanted: &ResourceSpec) -> Result<Option<Ineligible>, Error> {
        let q = registry::QueryMsg::CanServe {
            provider: self.address().into(),
            resources: wanted.clone(),
            like: None,
        };
        Ok(self.ask_registry::<CanServeResponse>(&q).await?.lacks)
    }

    async fn open_orders(&self) -> Result<Vec<OrderResponse>, Error> {
        pages!(OrdersResponse, orders, |after| self
            .ask_market(&market::QueryMsg::Orders {
                tenant: None,
                state: Some(OrderState::Open),
                start_after: after,
                limit: Some(PAGE),
                model: None,
                descending: None,
            })
            .await)
    }

    async fn bids(&self, order_id: OrderId) -> Result<Vec<BidResponse>, Error> {
        pages!(BidsResponse, bids, |after| self
            .ask_market(&market::QueryMsg::Bids {
                order_id: Some(order_id),
                start_after: after,
                limit: Some(PAGE),
                provider: None,
                state: None,
                descending: None,
            })
            .await)
    }

    async fn leases(&self) -> Result<Vec<LeaseResponse>, Error> {
        let mut all = self.leases_in(LeaseState::Active).await?;
        all.extend(self.leases_in(LeaseState::Suspended).await?);
        all.sort_by_key(|l| l.id);
        all.dedup_by_key(|l| l.id);
        Ok(all)
    }

    async fn lease(&self, lease_id: LeaseId) -> Result<Option<LeaseResponse>, Error> {
        match self.ask_market(&market::QueryMsg::Lease { lease_id }).await {
            Ok(l) => Ok(Some(l)),
            Err(Error::Query { log, .. }) if log.contains("no lease") => Ok(None),
            Err(e) => Err(e),
        }
    }

    async fn asks(&self) -> Result<Vec<AskResponse>, Error> {
        pages!(AsksResponse, asks, |after| self
            .ask_market(&market::QueryMsg::Asks {
                provider: Some(self.address().into()),
                start_after: after,
                limit: Some(PAGE),
                model: None,
                for_sale: None,
                descending: None,
            })
            .await)
    }

    async fn certificates(&self, owner: &str) -> Result<Vec<CertificateResponse>, Error> {
        pages!(CertificatesResponse, certificates, |after| self
            .ask_registry(&registry::QueryMsg::Certificates {
                owner: Some(owner.into()),
                start_after: after,
                limit: Some(PAGE),
                in_force: None,
                descending: None,
            })
            .await)
    }

    async fn market_config(&self) -> Result<market::InstantiateMsg, Error> {
        self.ask_market(&market::QueryMsg::Config {}).await
    }

    async fn market(&self, msg: market::ExecuteMsg, funds: Vec<Coin>) -> Result<TxOutcome, Error> {
        self.tell_market(&msg, &funds).await
    }

    async fn registry(&self, msg: registry::ExecuteMsg) -> Result<TxOutcome, Error> {
        self.tell_registry(&msg, &[]).await
    }
}
