//! Both contracts on plain maps, with a bank that is one map: messages a hundred times faster than on the mock chain
//! of [`crate::Suite`], and every key that they change is seen.

use crate::{
    Settings,
    events::Seen,
    store::{Change, Store},
    suite::NATIVE,
};
use cosmwasm_std::{
    Addr, BalanceResponse, BankMsg, BankQuery, Binary, Coin, ContractResult, CosmosMsg, Deps,
    DepsMut, Env, MessageInfo, Querier, QuerierResult, QuerierWrapper, QueryRequest, Reply,
    ReplyOn, Response, SubMsg, SubMsgResult, SystemError, SystemResult, Uint128, WasmMsg,
    WasmQuery, from_json,
    testing::{MockApi, mock_env},
    to_json_binary,
};
use ember_market::contract as market;
use ember_registry::contract as registry;
use ember_types::{events::Emitter, market as market_msg, registry as registry_msg, sudo::SudoMsg};
use serde::de::DeserializeOwned;
use std::{
    collections::BTreeMap,
    fmt::{self, Debug, Display},
};

/// Balances by account and denom, micro-units.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Bank(BTreeMap<(Addr, String), u128>);

impl Bank {
    /// What `who` has.
    pub fn balance(&self, who: &Addr, denom: &str) -> u128 {
        let key = (who.clone(), denom.to_owned());
        self.0.get(&key).copied().unwrap_or_default()
    }

    /// Everything there is of a denom.
    pub fn supply(&self, denom: &str) -> u128 {
        self.0
            .iter()
            .filter(|((_, d), _)| d == denom)
            .map(|(_, v)| v)
            .sum()
    }

    /// Makes coins.
    ///
    /// # Panics
    /// When the balance leaves 128 bits.
    pub fn mint(&mut self, to: &Addr, amount: u128, denom: &str) {
        let balance = self.0.entry((to.clone(), denom.into())).or_default();
        *balance = balance
            .checked_add(amount)
            .unwrap_or_else(|| panic!("mint: {to} has too much {denom}"));
    }

    fn send(&mut self, from: &Addr, to: &Addr, coins: &[Coin]) -> Result<(), String> {
        for (i, coin) in coins.iter().enumerate() {
            let amount = Uint128::try_from(coin.amount).map_or(u128::MAX, |a| a.u128());
            let had = self.balance(from, &coin.denom);
            let Some(left) = had.checked_sub(amount) else {
                // What went already comes back: a transfer is whole or not at all.
                let _ = coins.get(..i).map(|done| self.send(to, from, done));
                return Err(format!("{from} has {had}{}, needs {amount}", coin.denom));
            };
            self.0.insert((from.clone(), coin.denom.clone()), left);
            self.mint(to, amount, &coin.denom);
        }
        Ok(())
    }
}

/// Why a message did not go through.
#[derive(Debug)]
pub enum Refusal<E> {
    /// The sender has not the coins.
    Bank(String),
    /// The contract's reason.
    Contract(E),
}

impl<E: Display> Display for Refusal<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bank(e) => Display::fmt(e, f),
            Self::Contract(e) => Display::fmt(e, f),
        }
    }
}

/// What a message that went through did.
#[derive(Debug)]
pub struct Done {
    /// The contract's answer.
    pub response: Response,
    /// The storage keys of that contract that it changed.
    pub changes: Vec<Change>,
    /// What the contract paid, in order: to whom, how much, which denom.
    pub paid: Vec<(Addr, u128, String)>,
}

impl Done {
    /// Whether nothing changed and nothing was paid.
    pub fn is_nothing(&self) -> bool {
        self.changes.is_empty() && self.paid.is_empty()
    }
}

/// Both contracts, set up.
#[derive(Clone)]
pub struct Bare {
    api: MockApi,
    /// Block height and time; the contract's address is set for each call.
    pub env: Env,
    /// The balances of everybody.
    pub bank: Bank,
    /// The market's address.
    pub market: Addr,
    /// The registry's address.
    pub registry: Addr,
    /// Who may change the fees, and the court that may slash.
    pub authority: Addr,
    /// Where fees go.
    pub fee_collector: Addr,
    /// The market's storage.
    pub market_store: Store,
    /// The registry's storage.
    pub registry_store: Store,
    /// The events that both emitted, each held against the table.
    pub seen: Seen,
}

/// What a contract may ask of the rest of the chain.
struct Others<'a> {
    world: (&'a MockApi, &'a Env, &'a Bank),
    registry: Option<(&'a Addr, &'a Store)>,
}

impl Querier for Others<'_> {
    fn raw_query(&self, request: &[u8]) -> QuerierResult {
        let (api, env, bank) = self.world;
        let answer = match (from_json::<QueryRequest>(request), self.registry) {
            (
                Ok(QueryRequest::Wasm(WasmQuery::Smart { contract_addr, msg })),
                Some((address, storage)),
            ) if contract_addr == address.as_str() => {
                let deps = Deps {
                    storage,
                    api,
                    querier: QuerierWrapper::new(&NO_QUERIER),
                };
                let env = at(env, address);
                from_json(&msg)
                    .map_err(|e| e.to_string())
                    .and_then(|msg| registry::query(deps, env, msg).map_err(|e| e.to_string()))
            }
            (Ok(QueryRequest::Bank(BankQuery::Balance { address, denom })), _) => {
                let amount = bank.balance(&Addr::unchecked(address), &denom);
                let coin = Coin::new(amount, denom);
                to_json_binary(&BalanceResponse::new(coin)).map_err(|e| e.to_string())
            }
            (request, _) => {
                return SystemResult::Err(SystemError::UnsupportedRequest {
                    kind: format!("{request:?}"),
                });
            }
        };
        SystemResult::Ok(ContractResult::from(answer))
    }
}

struct NoQuerier;
const NO_QUERIER: NoQuerier = NoQuerier;

impl Querier for NoQuerier {
    fn raw_query(&self, _: &[u8]) -> QuerierResult {
        SystemResult::Err(SystemError::Unknown {})
    }
}

fn at(env: &Env, contract: &Addr) -> Env {
    let mut env = env.clone();
    env.contract.address = contract.clone();
    env
}

impl Bare {
    /// With these settings; the authority is the court too.
    ///
    /// # Panics
    /// When a contract refuses them.
    pub fn new(settings: &Settings) -> Self {
        let api = MockApi::default();
        let addr = |name: &str| api.addr_make(name);
        let mut bare = Self {
            env: mock_env(),
            bank: Bank::default(),
            market: addr("market"),
            registry: addr("registry"),
            authority: addr("authority"),
            fee_collector: addr("fee_collector"),
            market_store: Store::default(),
            registry_store: Store::default(),
            seen: Seen::default(),
            api,
        };
        let sender = bare.authority.clone();
        let msg = registry_msg::InstantiateMsg {
            market: Some(bare.market.to_string()),
            ..settings.registry(&bare.authority, &bare.fee_collector, &bare.authority)
        };
        let made = bare.call(false, |deps, env| {
            registry::instantiate(deps, env, message(&sender, &[]), msg)
        });
        made.unwrap_or_else(|e| panic!("registry: {e}"));
        let msg = settings.market(&bare.authority, &bare.registry, &bare.fee_collector);
        let made = bare.call(true, |deps, env| {
            market::instantiate(deps, env, message(&sender, &[]), msg)
        });
        made.unwrap_or_else(|e| panic!("market: {e}"));
        bare
    }

    /// The address of a name.
    pub fn account(&self, name: &str) -> Addr {
        self.api.addr_make(name)
    }

    /// Block time in unix seconds.
    pub fn now(&self) -> u64 {
        self.env.block.time.seconds()
    }

    /// The next block, `secs` later, without its hook.
    pub fn pass(&mut self, secs: u64) {
        self.env.block.height += 1;
        self.env.block.time = self.env.block.time.plus_seconds(secs);
    }

    /// A message to the market.
    ///
    /// # Errors
    /// Why it, or the bank, refuses; nothing has changed then.
    pub fn market(
        &mut self,
        sender: &Addr,
        msg: market_msg::ExecuteMsg,
        funds: &[Coin],
    ) -> Result<Done, Refusal<ember_market::ContractError>> {
        let contract = self.market.clone();
        self.bank
            .send(sender, &contract, funds)
            .map_err(Refusal::Bank)?;
        let info = message(sender, funds);
        let done = self.call(true, |deps, env| market::execute(deps, env, info, msg));
        self.settle_funds(done, sender, &contract, funds)
    }

    /// A message to the registry.
    ///
    /// # Errors
    /// Why it, or the bank, refuses; nothing has changed then.
    pub fn registry(
        &mut self,
        sender: &Addr,
        msg: registry_msg::ExecuteMsg,
        funds: &[Coin],
    ) -> Result<Done, Refusal<ember_registry::ContractError>> {
        let contract = self.registry.clone();
        self.bank
            .send(sender, &contract, funds)
            .map_err(Refusal::Bank)?;
        let info = message(sender, funds);
        let done = self.call(false, |deps, env| registry::execute(deps, env, info, msg));
        self.settle_funds(done, sender, &contract, funds)
    }

    /// The end-block hook of the market, once.
    ///
    /// # Panics
    /// When it is refused: nobody could mend the chain then.
    pub fn hook(&mut self) -> Done {
        let msg = SudoMsg::EndBlock {};
        self.call(true, |deps, env| market::sudo(deps, env, msg))
            .unwrap_or_else(|e| panic!("end_block: {e}"))
    }

    /// A query of the market.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn ask<T: DeserializeOwned>(&self, msg: market_msg::QueryMsg) -> Result<T, String> {
        let answer = self.ask_raw(msg).map_err(|e| e.to_string())?;
        from_json(answer).map_err(|e| e.to_string())
    }

    /// A query of the market, its answer as JSON.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn ask_raw(
        &self,
        msg: market_msg::QueryMsg,
    ) -> Result<Binary, ember_market::ContractError> {
        let others = Others {
            world: (&self.api, &self.env, &self.bank),
            registry: Some((&self.registry, &self.registry_store)),
        };
        let deps = Deps {
            storage: &self.market_store,
            api: &self.api,
            querier: QuerierWrapper::new(&others),
        };
        market::query(deps, at(&self.env, &self.market), msg)
    }

    /// A query of the registry, its answer as JSON.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn ask_registry(&self, msg: registry_msg::QueryMsg) -> Result<Binary, String> {
        let deps = Deps {
            storage: &self.registry_store,
            api: &self.api,
            querier: QuerierWrapper::new(&NO_QUERIER),
        };
        registry::query(deps, at(&self.env, &self.registry), msg).map_err(|e| e.to_string())
    }

    /// The end-block hook of the registry.
    ///
    /// # Panics
    /// When it is refused.
    pub fn registry_hook(&mut self) -> Done {
        let msg = SudoMsg::EndBlock {};
        self.call(false, |deps, env| registry::sudo(deps, env, msg))
            .unwrap_or_else(|e| panic!("end_block: {e}"))
    }

    fn settle_funds<E>(
        &mut self,
        done: Result<Done, E>,
        sender: &Addr,
        contract: &Addr,
        funds: &[Coin],
    ) -> Result<Done, Refusal<E>> {
        if done.is_err() {
            let back = self.bank.send(contract, sender, funds);
            back.unwrap_or_else(|e| panic!("the contract spent what it refused: {e}"));
        }
        done.map_err(Refusal::Contract)
    }

    /// One call: whole, or nothing.
    fn call<E>(
        &mut self,
        to_market: bool,
        entry: impl FnOnce(DepsMut, Env) -> Result<Response, E>,
    ) -> Result<Done, E> {
        let contract = if to_market {
            &self.market
        } else {
            &self.registry
        }
        .clone();
        let world = (&self.api, &self.env, &self.bank);
        let (storage, registry) = if to_market {
            (
                &mut self.market_store,
                Some((&self.registry, &self.registry_store)),
            )
        } else {
            (&mut self.registry_store, None)
        };
        let others = Others { world, registry };
        let deps = DepsMut {
            storage: &mut *storage,
            api: &self.api,
            querier: QuerierWrapper::new(&others),
        };
        let response = match entry(deps, at(&self.env, &contract)) {
            Ok(response) => response,
            Err(e) => {
                storage.roll_back();
                return Err(e);
            }
        };
        let changes = storage.commit();
        let by = if to_market {
            Emitter::Market
        } else {
            Emitter::Registry
        };
        assert!(
            response.attributes.is_empty(),
            "every attribute is an event's"
        );
        for event in &response.events {
            let said = self.seen.event(by, event);
            said.unwrap_or_else(|e| panic!("{e}"));
        }
        let mut paid = Vec::new();
        for sub in &response.messages {
            let (to_address, amount) = match &sub.msg {
                CosmosMsg::Bank(BankMsg::Send { to_address, amount }) => (to_address, amount),
                CosmosMsg::Wasm(WasmMsg::Execute {
                    contract_addr, msg, ..
                }) if to_market && *contract_addr == self.registry.as_str() => {
                    self.told(sub, msg);
                    continue;
                }
                other => panic!("a message that no contract of ours sends: {other:?}"),
            };
            let to = Addr::unchecked(to_address);
            self.bank
                .send(&contract, &to, amount)
                .unwrap_or_else(|e| panic!("the contract cannot pay: {e}"));
            for coin in amount {
                let sent = Uint128::try_from(coin.amount).map_or(u128::MAX, |a| a.u128());
                assert!(sent > 0, "the bank refuses to send nothing");
                paid.push((to.clone(), sent, coin.denom.clone()));
            }
        }
        Ok(Done {
            response,
            changes,
            paid,
        })
    }

    /// What the market tells the registry. It must not fail the market: an error goes to its `reply`.
    fn told(&mut self, sub: &SubMsg, msg: &Binary) {
        assert_eq!(sub.reply_on, ReplyOn::Error, "{sub:?}");
        let info = message(&self.market.clone(), &[]);
        let sent = from_json(msg).unwrap_or_else(|e| panic!("not a message: {e}"));
        let done = self.call(false, |deps, env| registry::execute(deps, env, info, sent));
        let Err(reason) = done else { return };
        let reply = Reply {
            id: sub.id,
            payload: sub.payload.clone(),
            gas_used: 0,
            result: SubMsgResult::Err(reason.to_string()),
        };
        self.call(true, |deps, env| market::reply(deps, env, reply))
            .unwrap_or_else(|e| panic!("reply: {e}"));
    }

    /// Registers a provider with `devices` devices like [`crate::suite::device`] and a bond.
    ///
    /// # Errors
    /// The registry's refusal.
    pub fn register(
        &mut self,
        provider: &Addr,
        devices: usize,
        bond: u128,
    ) -> Result<Done, Refusal<ember_registry::ContractError>> {
        let msg = registry_msg::ExecuteMsg::RegisterProvider {
            host_uri: "https://gpu.example.org:8443".into(),
            devices: (0..devices)
                .map(|i| crate::suite::device(&format!("gpu-{i}")))
                .collect(),
            attributes: vec![],
            assurances: vec![],
        };
        let funds = [Coin::new(bond, NATIVE)];
        self.registry(provider, msg, if bond == 0 { &[] } else { &funds })
    }
}

fn message(sender: &Addr, funds: &[Coin]) -> MessageInfo {
    MessageInfo {
        sender: sender.clone(),
        funds: funds.to_vec(),
    }
}
