//! Both contracts on cw-multi-test's mock chain.

use anyhow::{Context, Result, ensure};
use cosmwasm_std::{Addr, Coin, StdResult, Uint128, coin, from_json};
use cw_multi_test::{
    App, AppResponse, BankSudo, ContractWrapper, Executor, IntoAddr, SudoMsg as ChainSudo,
};
use ember_types::{
    fees::DenomFees,
    ids::{AskId, BidId, LeaseId, OrderId},
    market::{
        self, Ceiling, CreateOrderResponse, EscrowResponse, LeaseResponse, LedgerResponse,
        OrderResponse,
    },
    money::Rate,
    pricing::{PricingMode, market::Market, reverse_auction::ReverseAuction},
    registry::{self, Attribute},
    resources::{Device, GpuSpec, ResourceSpec, VulkanProfile},
    sudo::SudoMsg,
};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// The native token.
pub const NATIVE: &str = "uember";
/// The stablecoin.
pub const USDC: &str = "uusdc";

/// What both contracts are set up with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// One entry a denom.
    pub fees: Vec<DenomFees>,
    /// Seconds that a suspended lease waits.
    pub grace_secs: u64,
    /// Most live bids of an order.
    pub max_bids_per_order: u32,
    /// Least bond of a provider, micro-units.
    pub min_bond: u128,
    /// Seconds of an unbonding.
    pub unbonding_secs: u64,
}

impl Default for Settings {
    /// The fees of genesis: 20 % and 0.25 % in USDC, 4 % and nothing in the native token.
    fn default() -> Self {
        let fees = |denom: &str, take_bps, reservation_bps| DenomFees {
            denom: denom.into(),
            take_bps,
            reservation_bps,
            min_deposit: Uint128::new(1_000),
            bid_deposit: Uint128::new(500),
        };
        Self {
            fees: vec![fees(USDC, 2_000, 25), fees(NATIVE, 400, 0)],
            grace_secs: 600,
            max_bids_per_order: 5,
            min_bond: 1_000_000,
            unbonding_secs: 1_000,
        }
    }
}

/// A mock chain with both contracts.
pub struct Suite {
    /// The mock chain.
    pub app: App,
    /// The registry's address.
    pub registry: Addr,
    /// The market's address.
    pub market: Addr,
    /// Who may change the fees.
    pub authority: Addr,
    /// Where fees go.
    pub fee_collector: Addr,
}

/// A device of the name, `mesa/lavapipe` with 2 GiB.
pub fn device(id: &str) -> Device {
    Device {
        id: id.into(),
        model: "mesa/lavapipe".into(),
        vram_mib: 2_048,
        profile: VulkanProfile::Portable1,
        driver: "llvmpipe 22.3.6".into(),
    }
}

/// What takes any device, `units` of them.
pub fn any_gpu(units: u32) -> ResourceSpec {
    ResourceSpec {
        units,
        gpu: GpuSpec {
            model: None,
            min_vram_mib: 0,
            profile: VulkanProfile::Portable1,
            region: None,
            min_bond: Uint128::zero(),
        },
    }
}

impl Default for Suite {
    fn default() -> Self {
        Self::new()
    }
}

impl Suite {
    /// With the default settings.
    ///
    /// # Panics
    /// When a contract refuses them.
    pub fn new() -> Self {
        Self::with(&Settings::default())
    }

    /// With these settings.
    ///
    /// # Panics
    /// When a contract refuses them.
    pub fn with(settings: &Settings) -> Self {
        Self::try_with(settings).unwrap_or_else(|e| panic!("suite: {e:#}"))
    }

    /// With these settings.
    ///
    /// # Errors
    /// When a contract refuses them.
    pub fn try_with(settings: &Settings) -> Result<Self> {
        let mut app = App::default();
        let (authority, fee_collector) = ("authority".into_addr(), "fee_collector".into_addr());
        let registry_code = app.store_code(Box::new(
            ContractWrapper::new(
                ember_registry::contract::execute,
                ember_registry::contract::instantiate,
                ember_registry::contract::query,
            )
            .with_sudo(ember_registry::contract::sudo)
            .with_migrate(ember_registry::contract::migrate),
        ));
        let market_code = app.store_code(Box::new(
            ContractWrapper::new(
                ember_market::contract::execute,
                ember_market::contract::instantiate,
                ember_market::contract::query,
            )
            .with_sudo(ember_market::contract::sudo)
            .with_migrate(ember_market::contract::migrate),
        ));
        let admin = Some(authority.to_string());
        let registry = app
            .instantiate_contract(
                registry_code,
                authority.clone(),
                &registry::InstantiateMsg {
                    authority: authority.to_string(),
                    bond_denom: NATIVE.into(),
                    unbonding_secs: settings.unbonding_secs,
                    min_bond: Uint128::new(settings.min_bond),
                },
                &[],
                "registry",
                admin.clone(),
            )
            .map_err(|e| anyhow::anyhow!("registry: {e}"))?;
        let market = app
            .instantiate_contract(
                market_code,
                authority.clone(),
                &market::InstantiateMsg {
                    authority: authority.to_string(),
                    registry: registry.to_string(),
                    fee_collector: fee_collector.to_string(),
                    fees: settings.fees.clone(),
                    grace_secs: settings.grace_secs,
                    max_bids_per_order: settings.max_bids_per_order,
                },
                &[],
                "market",
                admin,
            )
            .map_err(|e| anyhow::anyhow!("market: {e}"))?;
        Ok(Self {
            app,
            registry,
            market,
            authority,
            fee_collector,
        })
    }

    /// The address of a name.
    pub fn account(&self, name: &str) -> Addr {
        name.into_addr()
    }

    /// An account with `amount` of both denoms.
    ///
    /// # Panics
    /// When the mock bank refuses.
    pub fn rich(&mut self, name: &str, amount: u128) -> Addr {
        let addr = self.account(name);
        self.mint(&addr, amount, NATIVE);
        self.mint(&addr, amount, USDC);
        addr
    }

    /// Makes coins.
    ///
    /// # Panics
    /// When the mock bank refuses.
    pub fn mint(&mut self, to: &Addr, amount: u128, denom: &str) {
        self.app
            .sudo(ChainSudo::Bank(BankSudo::Mint {
                to_address: to.to_string(),
                amount: vec![coin(amount, denom)],
            }))
            .unwrap_or_else(|e| panic!("mint: {e}"));
    }

    /// A balance in micro-units.
    ///
    /// # Panics
    /// When it exceeds 128 bits.
    pub fn balance(&self, who: &Addr, denom: &str) -> u128 {
        let coin = self.app.wrap().query_balance(who, denom);
        let amount = coin.unwrap_or_else(|e| panic!("balance: {e}")).amount;
        Uint128::try_from(amount)
            .unwrap_or_else(|e| panic!("balance: {e}"))
            .u128()
    }

    /// Block time in unix seconds.
    pub fn now(&self) -> u64 {
        self.app.block_info().time.seconds()
    }

    /// Lets time pass without the end-block hook, as if the chain had missed it.
    pub fn pass(&mut self, secs: u64) {
        self.app.update_block(|b| {
            b.height += 1;
            b.time = b.time.plus_seconds(secs);
        });
    }

    /// The end-block hook of both contracts.
    ///
    /// # Panics
    /// When a contract refuses it.
    pub fn end_block(&mut self) -> AppResponse {
        let msg = SudoMsg::EndBlock {};
        let refused = |e| panic!("end_block: {e}");
        let registry = self.registry.clone();
        self.app.wasm_sudo(registry, &msg).unwrap_or_else(refused);
        let market = self.market.clone();
        self.app.wasm_sudo(market, &msg).unwrap_or_else(refused)
    }

    /// Lets time pass, then runs the hook.
    pub fn wait(&mut self, secs: u64) -> AppResponse {
        self.pass(secs);
        self.end_block()
    }

    /// A message to the market.
    ///
    /// # Errors
    /// The contract's refusal.
    pub fn market(
        &mut self,
        sender: &Addr,
        msg: &market::ExecuteMsg,
        funds: &[Coin],
    ) -> Result<AppResponse> {
        let contract = self.market.clone();
        self.execute(sender, contract, msg, funds)
    }

    /// A message to the registry.
    ///
    /// # Errors
    /// The contract's refusal.
    pub fn registry(
        &mut self,
        sender: &Addr,
        msg: &registry::ExecuteMsg,
        funds: &[Coin],
    ) -> Result<AppResponse> {
        let contract = self.registry.clone();
        self.execute(sender, contract, msg, funds)
    }

    fn execute<M: Serialize + Debug>(
        &mut self,
        sender: &Addr,
        contract: Addr,
        msg: &M,
        funds: &[Coin],
    ) -> Result<AppResponse> {
        let answer = text(
            self.app
                .execute_contract(sender.clone(), contract, msg, funds),
        )?;
        for attribute in answer.events.iter().flat_map(|e| &e.attributes) {
            let full = !attribute.key.is_empty() && !attribute.value.is_empty();
            ensure!(full, "empty attribute {attribute:?} after {msg:?}");
        }
        Ok(answer)
    }

    /// A query of the market.
    ///
    /// # Errors
    /// The contract's refusal.
    pub fn ask_market<T: DeserializeOwned>(&self, msg: &market::QueryMsg) -> Result<T> {
        text(self.app.wrap().query_wasm_smart(&self.market, msg))
    }

    /// A query of the registry.
    ///
    /// # Errors
    /// The contract's refusal.
    pub fn ask_registry<T: DeserializeOwned>(&self, msg: &registry::QueryMsg) -> Result<T> {
        text(self.app.wrap().query_wasm_smart(&self.registry, msg))
    }

    /// A rich account that is a provider in region `eu` with `devices` devices and three times the least bond.
    ///
    /// # Panics
    /// When the registry refuses.
    pub fn provider(&mut self, name: &str, devices: usize) -> Addr {
        let addr = self.rich(name, 1_000_000_000);
        let msg = registry::ExecuteMsg::RegisterProvider {
            host_uri: "https://gpu.example.org:8443".into(),
            devices: (0..devices).map(|i| device(&format!("gpu-{i}"))).collect(),
            attributes: vec![Attribute {
                key: "region".into(),
                value: "eu".into(),
            }],
        };
        self.registry(&addr, &msg, &[coin(3_000_000, NATIVE)])
            .unwrap_or_else(|e| panic!("provider: {e:#}"));
        addr
    }

    /// Creates an order.
    ///
    /// # Errors
    /// The contract's refusal.
    pub fn create_order(
        &mut self,
        tenant: &Addr,
        resources: ResourceSpec,
        pricing: PricingMode,
        ceiling: (u128, &str),
        max_duration_secs: u64,
        funds: &[Coin],
    ) -> Result<CreateOrderResponse> {
        let msg = market::ExecuteMsg::CreateOrder {
            resources,
            pricing,
            ceiling: Ceiling {
                denom: ceiling.1.into(),
                rate: Rate::new(ceiling.0),
            },
            max_duration_secs,
        };
        let answer = self.market(tenant, &msg, funds)?;
        text(from_json(answer.data.context("no data")?))
    }

    /// An auction for one device, an hour's lease, closing in 100 seconds, at a ceiling of 10 micro-units a second.
    ///
    /// # Panics
    /// When the market refuses.
    pub fn auction(&mut self, tenant: &Addr, deposit: u128, denom: &str) -> OrderId {
        let closes_at = self.now() + 100;
        self.create_order(
            tenant,
            any_gpu(1),
            PricingMode::ReverseAuction(ReverseAuction { closes_at }),
            (10_000_000, denom),
            3_600,
            &[coin(deposit, denom)],
        )
        .unwrap_or_else(|e| panic!("auction: {e:#}"))
        .order_id
    }

    /// A market order for `units` devices, an hour's lease, at a ceiling of 10 micro-units a second.
    ///
    /// # Errors
    /// The contract's refusal.
    pub fn buy(
        &mut self,
        tenant: &Addr,
        units: u32,
        deposit: u128,
        denom: &str,
    ) -> Result<CreateOrderResponse> {
        self.create_order(
            tenant,
            any_gpu(units),
            PricingMode::Market(Market {}),
            (10_000_000, denom),
            3_600,
            &[coin(deposit, denom)],
        )
    }

    /// Places a bid with the deposit of the current schedule.
    ///
    /// # Errors
    /// The contract's refusal.
    pub fn bid(&mut self, provider: &Addr, order_id: OrderId, rate: u128) -> Result<BidId> {
        let denom = self.order(order_id)?.ceiling.denom;
        let config: market::InstantiateMsg = self.ask_market(&market::QueryMsg::Config {})?;
        let fees = config.fees.iter().find(|f| f.denom == denom);
        let funds: Vec<_> = fees
            .filter(|f| !f.bid_deposit.is_zero())
            .map(|f| coin(f.bid_deposit.u128(), &f.denom))
            .into_iter()
            .collect();
        let rate = Rate::new(rate);
        let msg = market::ExecuteMsg::PlaceBid { order_id, rate };
        let answer = self.market(provider, &msg, &funds)?;
        Ok(BidId(attribute(&answer, "wasm-bid_placed", "bid_id")?))
    }

    /// Posts an ask of the provider's first device.
    ///
    /// # Errors
    /// The contract's refusal.
    pub fn ask(&mut self, provider: &Addr, units: u32, denom: &str, rate: u128) -> Result<AskId> {
        let msg = market::ExecuteMsg::PlaceAsk {
            device: "gpu-0".into(),
            units,
            denom: denom.into(),
            rate: Rate::new(rate),
        };
        let answer = self.market(provider, &msg, &[])?;
        Ok(AskId(attribute(&answer, "wasm-ask_placed", "ask_id")?))
    }

    /// A lease of `rate` that `provider` won by an accepted bid on an order with `deposit`.
    ///
    /// # Panics
    /// When the market refuses.
    pub fn lease_of(
        &mut self,
        tenant: &Addr,
        provider: &Addr,
        deposit: u128,
        denom: &str,
        rate: u128,
    ) -> (OrderId, LeaseId) {
        let order_id = self.auction(tenant, deposit, denom);
        let lease = self.bid(provider, order_id, rate).and_then(|bid_id| {
            self.market(tenant, &market::ExecuteMsg::AcceptBid { bid_id }, &[])?;
            self.order(order_id)?.lease_id.context("no lease")
        });
        let lease_id = lease.unwrap_or_else(|e| panic!("lease: {e:#}"));
        (order_id, lease_id)
    }

    /// An order.
    ///
    /// # Errors
    /// When there is none.
    pub fn order(&self, order_id: OrderId) -> Result<OrderResponse> {
        self.ask_market(&market::QueryMsg::Order { order_id })
    }

    /// A lease.
    ///
    /// # Panics
    /// When there is none.
    pub fn lease(&self, lease_id: LeaseId) -> LeaseResponse {
        self.ask_market(&market::QueryMsg::Lease { lease_id })
            .unwrap_or_else(|e| panic!("lease: {e:#}"))
    }

    /// An escrow account.
    ///
    /// # Panics
    /// When there is none.
    pub fn escrow(&self, order_id: OrderId) -> EscrowResponse {
        self.ask_market(&market::QueryMsg::Escrow { order_id })
            .unwrap_or_else(|e| panic!("escrow: {e:#}"))
    }

    /// A denom's totals.
    ///
    /// # Panics
    /// When the market does not know it.
    pub fn ledger(&self, denom: &str) -> LedgerResponse {
        let denom = denom.into();
        self.ask_market(&market::QueryMsg::Ledger { denom })
            .unwrap_or_else(|e| panic!("ledger: {e:#}"))
    }

    /// Every micro-unit is accounted for: per order, per denom, and against the contract's bank balance.
    ///
    /// # Errors
    /// What does not add up.
    pub fn check_books(&self) -> Result<()> {
        for denom in [NATIVE, USDC] {
            let l = self.ledger(denom);
            let held = Uint128::new(self.balance(&self.market, denom));
            ensure!(
                held == l.held + l.bid_deposits,
                "the market has {held}{denom}, its ledger says {l:?}"
            );
            let mut sums = [Uint128::zero(); 5];
            for order in self.orders()? {
                let e = self.escrow(order.id);
                ensure!(
                    e.deposited == e.paid + e.fees + e.refunded + e.held,
                    "order {}: {e:?}",
                    order.id
                );
                ensure!(
                    e.payable + e.fees_due <= e.held,
                    "order {}: {e:?}",
                    order.id
                );
                if e.denom == denom {
                    let parts = [e.deposited, e.paid, e.fees, e.refunded, e.held];
                    sums.iter_mut().zip(parts).for_each(|(s, p)| *s += p);
                }
            }
            let totals = [l.deposited, l.paid, l.fees, l.refunded, l.held];
            ensure!(
                sums == totals,
                "{denom}: orders {sums:?}, ledger {totals:?}"
            );
            ensure!(l.deposited == l.paid + l.fees + l.refunded + l.held);
        }
        Ok(())
    }

    /// Every order, page by page.
    ///
    /// # Errors
    /// When a page is refused.
    pub fn orders(&self) -> Result<Vec<OrderResponse>> {
        let mut all: Vec<OrderResponse> = Vec::new();
        loop {
            let page: market::OrdersResponse = self.ask_market(&market::QueryMsg::Orders {
                tenant: None,
                state: None,
                start_after: all.last().map(|o| o.id),
                limit: Some(100),
            })?;
            if page.orders.is_empty() {
                return Ok(all);
            }
            all.extend(page.orders);
        }
    }
}

/// The value of an attribute, parsed.
///
/// # Errors
/// When the event or the attribute is not there or has another form.
pub fn attribute<T: std::str::FromStr>(answer: &AppResponse, event: &str, key: &str) -> Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let event = answer
        .events
        .iter()
        .rfind(|e| e.ty == event)
        .with_context(|| format!("no event {event} in {:?}", answer.events))?;
    let found = event.attributes.iter().find(|a| a.key == key);
    Ok(found
        .with_context(|| format!("no attribute {key} in {event:?}"))?
        .value
        .parse()?)
}

/// Asserts that something was refused, with a text that says so.
///
/// # Panics
/// When it was not, or the text says something else.
#[track_caller]
pub fn refused<T: Debug>(result: Result<T>, text: &str) {
    match result {
        Ok(ok) => panic!("expected a refusal with \"{text}\", got {ok:?}"),
        Err(e) => assert!(
            format!("{e:#}").contains(text),
            "expected a refusal with \"{text}\", got \"{e:#}\""
        ),
    }
}

fn text<T>(result: StdResult<T>) -> Result<T> {
    result.map_err(|e| anyhow::anyhow!("{e}"))
}
