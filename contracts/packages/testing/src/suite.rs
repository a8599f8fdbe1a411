//! Both contracts on cw-multi-test's mock chain.

use crate::events::Seen;
use anyhow::{Context, Result, ensure};
use cosmwasm_std::{Addr, Coin, Event, StdResult, Uint128, coin};
use cw_multi_test::{
    App, AppResponse, BankSudo, ContractWrapper, Executor, IntoAddr, SudoMsg as ChainSudo,
};
use ember_types::{
    events::Emitter,
    fees::DenomFees,
    market,
    registry::{self, Attribute},
    resources::{Device, ResourceSpec, Score, VulkanProfile},
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
            ..DenomFees::default()
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

impl Settings {
    /// What the registry is set up with.
    pub fn registry(
        &self,
        authority: &Addr,
        fee_collector: &Addr,
        court: &Addr,
    ) -> registry::InstantiateMsg {
        registry::InstantiateMsg {
            authority: authority.to_string(),
            bond_denom: NATIVE.into(),
            unbonding_secs: self.unbonding_secs,
            min_bond: Uint128::new(self.min_bond),
            fee_collector: Some(fee_collector.to_string()),
            court: Some(court.to_string()),
            market: None,
            trust_setters: vec!["trust_setter".into_addr().to_string()],
            seen_secs: None,
        }
    }

    /// What the market is set up with.
    pub fn market(
        &self,
        authority: &Addr,
        registry: &Addr,
        fee_collector: &Addr,
    ) -> market::InstantiateMsg {
        market::InstantiateMsg {
            authority: authority.to_string(),
            registry: registry.to_string(),
            fee_collector: fee_collector.to_string(),
            fees: self.fees.clone(),
            grace_secs: self.grace_secs,
            max_bids_per_order: self.max_bids_per_order,
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
    /// Who may slash.
    pub court: Addr,
    /// Who may set trust levels.
    pub trust_setter: Addr,
}

/// A device of the name, `mesa/lavapipe` with 2 GiB, that reached 100 in the benchmark `points`.
pub fn device(id: &str) -> Device {
    Device {
        id: id.into(),
        model: "mesa/lavapipe".into(),
        vram_mib: 2_048,
        profile: VulkanProfile::Portable1,
        driver: "llvmpipe 22.3.6".into(),
        scores: vec![Score {
            name: "points".into(),
            value: 100,
        }],
        known_answer: None,
    }
}

/// What takes any device, `units` of them.
pub fn any_gpu(units: u32) -> ResourceSpec {
    ResourceSpec {
        units,
        ..ResourceSpec::default()
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
        let (court, trust_setter) = ("court".into_addr(), "trust_setter".into_addr());
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
            .with_reply(ember_market::contract::reply)
            .with_migrate(ember_market::contract::migrate),
        ));
        let admin = Some(authority.to_string());
        let registry = app
            .instantiate_contract(
                registry_code,
                authority.clone(),
                &settings.registry(&authority, &fee_collector, &court),
                &[],
                "registry",
                admin.clone(),
            )
            .map_err(|e| anyhow::anyhow!("registry: {e}"))?;
        let market = app
            .instantiate_contract(
                market_code,
                authority.clone(),
                &settings.market(&authority, &registry, &fee_collector),
                &[],
                "market",
                admin,
            )
            .map_err(|e| anyhow::anyhow!("market: {e}"))?;
        let update = registry::ConfigUpdate {
            market: Some(market.to_string()),
            ..registry::ConfigUpdate::default()
        };
        text(app.execute_contract(
            authority.clone(),
            registry.clone(),
            &registry::ExecuteMsg::UpdateConfig(update),
            &[],
        ))?;
        Ok(Self {
            app,
            registry,
            market,
            authority,
            fee_collector,
            court,
            trust_setter,
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
        let answer = self.app.wasm_sudo(registry, &msg).unwrap_or_else(refused);
        self.documented(&answer);
        let market = self.market.clone();
        let answer = self.app.wasm_sudo(market, &msg).unwrap_or_else(refused);
        self.documented(&answer);
        answer
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
        self.documented(&answer);
        Ok(answer)
    }

    /// Every event of the contracts is as the table of the vocabulary says.
    fn documented(&self, answer: &AppResponse) {
        for event in &answer.events {
            assert_ne!(event.ty, "wasm", "every attribute is an event's");
            let Some(name) = event.ty.strip_prefix("wasm-") else {
                continue;
            };
            let (address, said): (Vec<_>, Vec<_>) = event
                .attributes
                .iter()
                .cloned()
                .partition(|a| a.key == "_contract_address");
            let by = match address.first() {
                Some(a) if a.value == self.market.as_str() => Emitter::Market,
                Some(a) if a.value == self.registry.as_str() => Emitter::Registry,
                _ => continue,
            };
            let event = Event::new(name).add_attributes(said);
            let said = Seen::default().event(by, &event);
            said.unwrap_or_else(|e| panic!("{e}"));
        }
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
            assurances: vec![],
        };
        self.registry(&addr, &msg, &[coin(3_000_000, NATIVE)])
            .unwrap_or_else(|e| panic!("provider: {e:#}"));
        addr
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

pub(crate) fn text<T>(result: StdResult<T>) -> Result<T> {
    result.map_err(|e| anyhow::anyhow!("{e}"))
}
