//! The chain as a provider and a tenant see it: typed questions and messages, over RPC or, in tests, a mock.

pub mod rpc;
#[cfg(test)]
pub(crate) mod mock;

pub use ember_client::{Coin, Error, TxOutcome};
pub use rpc::RpcChain;

use ember_types::{
    eligibility::Ineligible,
    ids::{LeaseId, OrderId},
    market::{self, AskResponse, BidResponse, LeaseResponse, OrderResponse},
    registry::{self, CertificateResponse, ProviderResponse},
    resources::ResourceSpec,
};

/// The chain's last block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its height.
    pub height: u64,
    /// Its time, unix seconds.
    pub time: u64,
}

/// What the daemon asks of the chain. Every answer is the state after the last block.
pub trait ChainClient: Send + Sync {
    /// The account that signs.
    fn address(&self) -> &str;

    /// The last block.
    fn head(&self) -> impl Future<Output = Result<Head, Error>> + Send;

    /// The signer as a provider; `None` when it is not registered.
    fn provider(&self) -> impl Future<Output = Result<Option<ProviderResponse>, Error>> + Send;

    /// The first thing that the signer lacks for `wanted`, as the registry sees it; `None` when it can serve.
    fn lacks(
        &self,
        wanted: &ResourceSpec,
    ) -> impl Future<Output = Result<Option<Ineligible>, Error>> + Send;

    /// Every open order, oldest first.
    fn open_orders(&self) -> impl Future<Output = Result<Vec<OrderResponse>, Error>> + Send;

    /// Every bid on an order, whatever its state, oldest first.
    fn bids(&self, order: OrderId) -> impl Future<Output = Result<Vec<BidResponse>, Error>> + Send;

    /// The signer's leases that are not closed, oldest first.
    fn leases(&self) -> impl Future<Output = Result<Vec<LeaseResponse>, Error>> + Send;

    /// One lease, whatever its state; `None` when there is none of that id.
    fn lease(
        &self,
        id: LeaseId,
    ) -> impl Future<Output = Result<Option<LeaseResponse>, Error>> + Send;

    /// The signer's standing asks.
    fn asks(&self) -> impl Future<Output = Result<Vec<AskResponse>, Error>> + Send;

    /// Every certificate of an account, revoked ones too.
    fn certificates(
        &self,
        owner: &str,
    ) -> impl Future<Output = Result<Vec<CertificateResponse>, Error>> + Send;

    /// The market's configuration, with the fee schedule.
    fn market_config(&self) -> impl Future<Output = Result<market::InstantiateMsg, Error>> + Send;

    /// Sends a message to the market and waits for its block.
    fn market(
        &self,
        msg: market::ExecuteMsg,
        funds: Vec<Coin>,
    ) -> impl Future<Output = Result<TxOutcome, Error>> + Send;

    /// Sends a message without coins to the registry and waits for its block.
    fn registry(
        &self,
        msg: registry::ExecuteMsg,
    ) -> impl Future<Output = Result<TxOutcome, Error>> + Send;
}
