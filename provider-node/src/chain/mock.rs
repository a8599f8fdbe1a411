//! A chain in memory, for tests: it answers what it is told to and notes what it is asked to do.

use super::{ChainClient, Coin, Error, Head, TxOutcome};
use ember_types::lease::LeaseState;
use ember_types::{
    eligibility::Ineligible,
    ids::{LeaseId, OrderId},
    market::{self, AskResponse, BidResponse, ExecuteMsg, LeaseResponse, OrderResponse},
    registry::{self, CertificateResponse, ProviderResponse},
    resources::ResourceSpec,
};
use parking_lot::Mutex;

/// What the mock answers.
#[derive(Debug, Clone)]
pub struct State {
    pub down: bool,
    pub time: u64,
    /// What is said of the next message, once.
    pub refusal: Option<String>,
    pub provider: Option<ProviderResponse>,
    pub orders: Vec<OrderResponse>,
    pub bids: Vec<BidResponse>,
    pub leases: Vec<LeaseResponse>,
    pub asks: Vec<AskResponse>,
    pub certificates: Vec<CertificateResponse>,
    pub config: market::InstantiateMsg,
    pub sent: Vec<(ExecuteMsg, Vec<Coin>)>,
    pub touches: u32,
    pub lacks: Option<Ineligible>,
}

/// The mock.
#[derive(Debug)]
pub struct MockChain {
    pub address: String,
    pub state: Mutex<State>,
}

impl MockChain {
    fn read<T>(&self, f: impl FnOnce(&mut State) -> T) -> Result<T, Error> {
        let mut state = self.state.lock();
        if state.down {
            return Err(Error::Unreachable {
                url: "mock".into(),
                reason: "down".into(),
            });
        }
        Ok(f(&mut state))
    }
}

impl ChainClient for MockChain {
    fn address(&self) -> &str {
        &self.address
    }
    async fn head(&self) -> Result<Head, Error> {
        self.read(|s| Head {
            height: 1,
            time: s.time,
        })
    }
    async fn provider(&self) -> Result<Option<ProviderResponse>, Error> {
        self.read(|s| s.provider.clone())
    }
    async fn lacks(&self, _: &ResourceSpec) -> Result<Option<Ineligible>, Error> {
        self.read(|s| s.lacks.clone())
    }
    async fn open_orders(&self) -> Result<Vec<OrderResponse>, Error> {
        self.read(|s| s.orders.clone())
    }
    async fn bids(&self, order: OrderId) -> Result<Vec<BidResponse>, Error> {
        self.read(|s| {
            s.bids
                .iter()
                .filter(|b| b.order_id == order)
                .cloned()
                .collect()
        })
    }
    async fn leases(&self) -> Result<Vec<LeaseResponse>, Error> {
        self.read(|s| {
            let live = s.leases.iter().filter(|l| l.state != LeaseState::Closed);
            live.cloned().collect()
        })
    }
    async fn lease(&self, id: LeaseId) -> Result<Option<LeaseResponse>, Error> {
        self.read(|s| s.leases.iter().find(|l| l.id == id).cloned())
    }
    async fn asks(&self) -> Result<Vec<AskResponse>, Error> {
        self.read(|s| s.asks.clone())
    }
    async fn certificates(&self, owner: &str) -> Result<Vec<CertificateResponse>, Error> {
        self.read(|s| {
            let mine = s.certificates.iter().filter(|c| c.owner.as_str() == owner);
            mine.cloned().collect()
        })
    }
    async fn market_config(&self) -> Result<market::InstantiateMsg, Error> {
        self.read(|s| s.config.clone())
    }
    async fn market(&self, msg: ExecuteMsg, funds: Vec<Coin>) -> Result<TxOutcome, Error> {
        self.read(|s| {
            s.sent.push((msg, funds));
            match s.refusal.take() {
                Some(log) => Err(Error::Query { code: 5, log }),
                None => Ok(outcome()),
            }
        })?
    }
    async fn registry(&self, msg: registry::ExecuteMsg) -> Result<TxOutcome, Error> {
        assert_eq!(msg, registry::ExecuteMsg::Touch {});
        self.read(|s| {
            s.touches += 1;
            outcome()
        })
    }
}

fn outcome() -> TxOutcome {
    TxOutcome {
        hash: "00".into(),
        height: 1,
        gas_used: 1,
        data: Vec::new(),
        events: Vec::new(),
    }
}
