//! A chain of two validators, three delegators and a payer. After every block the books of rewards are looked at.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use crate::app_support::*;
use base64::{Engine, prelude::BASE64_STANDARD};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        bank::v1beta1::{
            MsgSend, QueryAllBalancesRequest, QueryAllBalancesResponse, QueryBalanceRequest,
            QueryBalanceResponse,
        },
        base::v1beta1::{Coin, DecCoin},
        distribution::v1beta1 as dist,
        staking::v1beta1 as staking,
    },
    cosmwasm::wasm::v1::MsgExecuteContract,
};
use ed25519_consensus::SigningKey;
use ember_abci_app::{
    app::App,
    cli::genesis::{Contracts, Spec},
    codec::{address, dec::Dec},
};
use prost::{Message, Name};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use tendermint_abci::Application;
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::abci::{
        CommitInfo, Event, ExecTxResult, Misbehavior, MisbehaviorType, RequestFinalizeBlock,
        Validator, ValidatorUpdate, VoteInfo,
    },
    v0_38::crypto::public_key::Sum,
};

pub const DENOMS: [&str; 4] = ["uatom", "uember", "utest", "uusdc"];
const EACH: u128 = 100_000_000;

pub fn module(name: &str) -> String {
    address::encode("test", &address::module(name)).unwrap()
}

pub fn coins(list: &[(&str, u128)]) -> Vec<Coin> {
    let coin = |(denom, amount): &(&str, u128)| Coin {
        denom: (*denom).into(),
        amount: amount.to_string(),
    };
    list.iter().map(coin).collect()
}

/// The first two wallets are the validators' operators, the next three delegators, the last pays.
pub struct StakeChain {
    _dir: tempfile::TempDir,
    pub app: App,
    pub wallets: Vec<Wallet>,
    keys: Vec<SigningKey>,
    height: i64,
    secs: i64,
    powers: BTreeMap<Vec<u8>, i64>,
    /// The validator that does not sign.
    pub absent: Option<usize>,
    /// What the last block said, outside of its transactions.
    pub events: Vec<Event>,
    /// Sequences of what is signed and not yet in a block.
    signed: RefCell<BTreeMap<String, u64>>,
}

impl StakeChain {
    /// The chain, with a genesis that `change` has changed; `None`, which is said, where it has no staking.
    pub fn new(change: impl FnOnce(&mut Value)) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let wallets: Vec<_> = (1..=6).map(Wallet::new).collect();
        let keys: Vec<_> = (1u8..=2).map(|n| SigningKey::from([n; 32])).collect();
        let mut state = app_state(&wallets.iter().collect::<Vec<_>>());
        let coin = |d: &str, a: u128| json!({ "denom": d, "amount": a.to_string() });
        for b in state["bank"]["balances"].as_array_mut().unwrap() {
            b["coins"] = DENOMS.map(|d| coin(d, EACH)).into_iter().collect();
        }
        let stakes = [10_000_000u128, 10_000_000];
        let bonded = json!({ "address": module("bonded_tokens_pool"), "coins": [coin("uember", stakes.iter().sum())] });
        state["bank"]["balances"]
            .as_array_mut()
            .unwrap()
            .push(bonded);
        let decimal = |n: u128| format!("{n}.000000000000000000");
        let validators: Vec<_> = (0..2).map(|i| json!({
            "operator_address": valoper(&wallets[i]),
            "consensus_pubkey": { "@type": "/cosmos.crypto.ed25519.PubKey", "key": BASE64_STANDARD.encode(keys[i].verification_key()) },
            "jailed": false, "status": "BOND_STATUS_BONDED",
            "tokens": stakes[i].to_string(), "delegator_shares": decimal(stakes[i]),
            "description": { "moniker": format!("v{i}"), "identity": "", "website": "", "security_contact": "", "details": "" },
            "unbonding_height": "0", "unbonding_time": "1970-01-01T00:00:00Z",
            "commission": { "commission_rates": { "rate": "0.100000000000000000", "max_rate": "0.200000000000000000", "max_change_rate": "0.010000000000000000" }, "update_time": "1970-01-01T00:00:00Z" },
            "min_self_delegation": "1", "unbonding_on_hold_ref_count": "0", "unbonding_ids": []
        })).collect();
        let delegations: Vec<_> = (0..2).map(|i| json!({ "delegator_address": wallets[i].address, "validator_address": valoper(&wallets[i]), "shares": decimal(stakes[i]) })).collect();
        state["staking"] = json!({
            "params": { "unbonding_time": "10s", "max_validators": 100, "max_entries": 7, "historical_entries": 10, "bond_denom": "uember", "min_commission_rate": "0.000000000000000000" },
            "last_total_power": "0", "last_validator_powers": [], "validators": validators, "delegations": delegations,
            "unbonding_delegations": [], "redelegations": [], "exported": false
        });
        state["slashing"] = json!({
            "params": { "signed_blocks_window": "100", "min_signed_per_window": "0.500000000000000000", "downtime_jail_duration": "600s",
                "slash_fraction_double_sign": "0.050000000000000000", "slash_fraction_downtime": "0.010000000000000000" },
            "signing_infos": [], "missed_blocks": []
        });
        state["distribution"] = json!({ "params": {
            "community_tax": "0.020000000000000000", "base_proposer_reward": "0.000000000000000000",
            "bonus_proposer_reward": "0.000000000000000000", "withdraw_addr_enabled": true
        } });
        change(&mut state);
        if let Err(e) = App::validate_genesis(&state)
            && e.log.contains("a module that this chain does not have")
        {
            eprintln!("SKIP: {e}");
            return None;
        }
        let app = open(dir.path());
        let begun = init(&app, &state);
        let mut chain = Self {
            _dir: dir,
            app,
            wallets,
            keys,
            height: 0,
            secs: 1_000,
            powers: BTreeMap::new(),
            absent: None,
            events: Vec::new(),
            signed: RefCell::default(),
        };
        chain.update(begun.validators);
        assert_eq!(chain.powers.len(), 2, "both validators of the genesis vote");
        Some(chain)
    }

    fn update(&mut self, updates: Vec<ValidatorUpdate>) {
        for u in updates {
            let Some(Sum::Ed25519(key)) = u.pub_key.and_then(|k| k.sum) else {
                panic!("an ed25519 key")
            };
            let cons = Sha256::digest(key)[..20].to_vec();
            if u.power == 0 {
                self.powers.remove(&cons);
            } else {
                self.powers.insert(cons, u.power);
            }
        }
    }

    fn cons(&self, v: usize) -> Vec<u8> {
        Sha256::digest(self.keys[v].verification_key())[..20].to_vec()
    }

    fn run(&mut self, txs: &[Vec<u8>], misbehavior: Vec<Misbehavior>) -> Vec<ExecTxResult> {
        self.height += 1;
        self.secs += 1;
        self.signed.borrow_mut().clear();
        let time = Some(Timestamp {
            seconds: self.secs,
            nanos: 0,
        });
        let votes = self.powers.iter().map(|(cons, power)| VoteInfo {
            validator: Some(Validator {
                address: cons.clone().into(),
                power: *power,
            }),
            block_id_flag: match self.absent {
                Some(v) if *cons == self.cons(v) => 1,
                _ => 2,
            },
        });
        let done = self.app.finalize_block(RequestFinalizeBlock {
            height: self.height,
            txs: txs.iter().map(|t| t.clone().into()).collect(),
            time,
            decided_last_commit: (self.height > 1).then(|| CommitInfo {
                round: 0,
                votes: votes.collect(),
            }),
            proposer_address: self.cons(0).into(),
            misbehavior,
            ..RequestFinalizeBlock::default()
        });
        self.app.commit();
        self.events = done.events;
        self.update(done.validator_updates);
        self.check();
        done.tx_results
    }

    pub fn block(&mut self, txs: &[Vec<u8>]) -> Vec<ExecTxResult> {
        self.run(txs, Vec::new())
    }

    /// A validator's power, and all.
    pub fn power(&self, v: usize) -> (u128, u128) {
        let own = u128::try_from(self.powers[&self.cons(v)]).unwrap();
        let all = self.powers.values().sum::<i64>();
        (own, u128::try_from(all).unwrap())
    }

    /// Unix seconds of the last block.
    pub fn now(&self) -> i64 {
        self.secs
    }

    /// The next block is so much later.
    pub fn wait(&mut self, secs: i64) {
        self.secs += secs;
    }

    /// A block of transactions that all succeed.
    pub fn ok(&mut self, txs: &[Vec<u8>]) {
        for r in self.block(txs) {
            assert_eq!(r.code, 0, "{}", r.log);
        }
    }

    /// A block with the evidence that a validator signed two blocks of the last height.
    pub fn misbehave(&mut self, v: usize) {
        let evidence = Misbehavior {
            r#type: MisbehaviorType::DuplicateVote as i32,
            validator: Some(Validator {
                address: self.cons(v).into(),
                power: self.powers.get(&self.cons(v)).copied().unwrap_or(0),
            }),
            height: self.height,
            time: Some(Timestamp {
                seconds: self.secs,
                nanos: 0,
            }),
            total_voting_power: self.powers.values().sum(),
        };
        self.run(&[], vec![evidence]);
    }

    /// A transaction of one message.
    pub fn tx<M: Message + Name>(&self, who: usize, fee: u128, m: &M) -> Vec<u8> {
        let wallet = &self.wallets[who];
        let account = account(&self.app, &wallet.address).unwrap();
        let mut signed = self.signed.borrow_mut();
        let sequence = signed
            .entry(wallet.address.clone())
            .or_insert(account.sequence);
        let build = Build {
            number: account.account_number,
            fee,
            gas: 1_000_000,
            ..Build::new(wallet, "", *sequence)
        };
        *sequence += 1;
        build
            .of(vec![Any {
                type_url: M::type_url(),
                value: m.encode_to_vec(),
            }])
            .encode_to_vec()
    }

    pub fn valoper(&self, v: usize) -> String {
        valoper(&self.wallets[v])
    }

    pub fn delegate(&self, who: usize, v: usize, amount: u128) -> Vec<u8> {
        let m = staking::MsgDelegate {
            delegator_address: self.wallets[who].address.clone(),
            validator_address: self.valoper(v),
            amount: coins(&[("uember", amount)]).pop(),
        };
        self.tx(who, 25_000, &m)
    }

    pub fn undelegate(&self, who: usize, v: usize, amount: u128) -> Vec<u8> {
        let m = staking::MsgUndelegate {
            delegator_address: self.wallets[who].address.clone(),
            validator_address: self.valoper(v),
            amount: coins(&[("uember", amount)]).pop(),
        };
        self.tx(who, 25_000, &m)
    }

    pub fn redelegate(&self, who: usize, from: usize, to: usize, amount: u128) -> Vec<u8> {
        let m = staking::MsgBeginRedelegate {
            delegator_address: self.wallets[who].address.clone(),
            validator_src_address: self.valoper(from),
            validator_dst_address: self.valoper(to),
            amount: coins(&[("uember", amount)]).pop(),
        };
        self.tx(who, 25_000, &m)
    }

    pub fn withdraw(&self, who: usize, v: usize) -> Vec<u8> {
        let m = dist::MsgWithdrawDelegatorReward {
            delegator_address: self.wallets[who].address.clone(),
            validator_address: self.valoper(v),
        };
        self.tx(who, 25_000, &m)
    }

    pub fn withdraw_commission(&self, v: usize) -> Vec<u8> {
        let validator_address = self.valoper(v);
        let m = dist::MsgWithdrawValidatorCommission { validator_address };
        self.tx(v, 25_000, &m)
    }

    pub fn fund(&self, who: usize, amount: &[Coin]) -> Vec<u8> {
        let m = dist::MsgFundCommunityPool {
            amount: amount.to_vec(),
            depositor: self.wallets[who].address.clone(),
        };
        self.tx(who, 25_000, &m)
    }

    pub fn redirect(&self, who: usize, to: usize) -> Vec<u8> {
        let m = dist::MsgSetWithdrawAddress {
            delegator_address: self.wallets[who].address.clone(),
            withdraw_address: self.wallets[to].address.clone(),
        };
        self.tx(who, 25_000, &m)
    }

    pub fn send(&self, who: usize, to: &str, amount: &[Coin]) -> Vec<u8> {
        let m = MsgSend {
            from_address: self.wallets[who].address.clone(),
            to_address: to.into(),
            amount: amount.to_vec(),
        };
        self.tx(who, 25_000, &m)
    }

    pub fn execute(&self, who: usize, contract: &str, msg: &Value, funds: &[Coin]) -> Vec<u8> {
        let m = MsgExecuteContract {
            sender: self.wallets[who].address.clone(),
            contract: contract.into(),
            msg: msg.to_string().into_bytes(),
            funds: funds.to_vec(),
        };
        self.tx(who, 25_000, &m)
    }

    pub fn balance_of(&self, who: usize, denom: &str) -> u128 {
        let req = QueryBalanceRequest {
            address: self.wallets[who].address.clone(),
            denom: denom.into(),
        };
        let answer: QueryBalanceResponse =
            query(&self.app, "/cosmos.bank.v1beta1.Query/Balance", &req).unwrap();
        answer.balance.unwrap().amount.parse().unwrap()
    }

    /// What a delegation would be paid now, in 10^-18 of each denom.
    pub fn rewards(&self, who: usize, v: usize) -> BTreeMap<String, u128> {
        let req = dist::QueryDelegationRewardsRequest {
            delegator_address: self.wallets[who].address.clone(),
            validator_address: self.valoper(v),
        };
        let path = "/cosmos.distribution.v1beta1.Query/DelegationRewards";
        let answer: dist::QueryDelegationRewardsResponse = query(&self.app, path, &req).unwrap();
        sum([answer.rewards])
    }

    /// The pools hold to the micro-unit what validators and unbondings say, and shares are those of the delegations.
    fn check_pools(&self) {
        let state = self.app.export().unwrap();
        let state = &state["staking"];
        let number = |v: &Value| v.as_str().unwrap().parse::<u128>().unwrap();
        let list = |v: &Value| v.as_array().unwrap().clone();
        let (mut bonded, mut not_bonded) = (0, 0);
        for v in list(&state["validators"]) {
            match v["status"].as_str().unwrap() {
                "BOND_STATUS_BONDED" => bonded += number(&v["tokens"]),
                _ => not_bonded += number(&v["tokens"]),
            }
            let mut shares = Dec::zero();
            for d in list(&state["delegations"]) {
                if d["validator_address"] == v["operator_address"] {
                    shares += &d["shares"].as_str().unwrap().parse::<Dec>().unwrap();
                }
            }
            assert_eq!(shares.to_string(), v["delegator_shares"].as_str().unwrap());
        }
        for u in list(&state["unbonding_delegations"]) {
            for e in list(&u["entries"]) {
                not_bonded += number(&e["balance"]);
            }
        }
        for (name, sum) in [
            ("bonded_tokens_pool", bonded),
            ("not_bonded_tokens_pool", not_bonded),
        ] {
            assert_eq!(
                held(&self.app, &module(name)),
                sum,
                "{name} at {}",
                self.height
            );
        }
        let powers: BTreeMap<_, _> = list(&state["last_validator_powers"])
            .into_iter()
            .map(|p| (p["address"].clone().to_string(), number(&p["power"])))
            .collect();
        let told: u128 = self
            .powers
            .values()
            .map(|p| u128::try_from(*p).unwrap())
            .sum();
        assert_eq!(
            powers.values().sum::<u128>(),
            told,
            "CometBFT knows every power"
        );
    }

    /// The module's account holds to the micro-unit what the records say.
    fn check(&self) {
        self.check_pools();
        let mut records = Vec::new();
        for v in 0..self.wallets.len() {
            let req = dist::QueryValidatorOutstandingRewardsRequest {
                validator_address: self.valoper(v),
            };
            let path = "/cosmos.distribution.v1beta1.Query/ValidatorOutstandingRewards";
            let answer: Result<dist::QueryValidatorOutstandingRewardsResponse, _> =
                query(&self.app, path, &req);
            // A test may make validators of the other wallets.
            match answer {
                Ok(of) => records.push(of.rewards.unwrap().rewards),
                Err(e) => assert!(v > 1, "{e:?}"),
            }
        }
        let path = "/cosmos.distribution.v1beta1.Query/CommunityPool";
        let pool: dist::QueryCommunityPoolResponse =
            query(&self.app, path, &dist::QueryCommunityPoolRequest {}).unwrap();
        records.push(pool.pool);
        let req = QueryAllBalancesRequest {
            address: module("distribution"),
            ..QueryAllBalancesRequest::default()
        };
        let held: QueryAllBalancesResponse =
            query(&self.app, "/cosmos.bank.v1beta1.Query/AllBalances", &req).unwrap();
        let held: BTreeMap<_, _> = held
            .balances
            .into_iter()
            .map(|c| (c.denom, c.amount.parse::<u128>().unwrap() * ONE))
            .collect();
        assert_eq!(sum(records), held, "height {}", self.height);
    }
}

/// The units of one in the protobuf of decimals.
pub const ONE: u128 = 1_000_000_000_000_000_000;

fn sum(sets: impl IntoIterator<Item = Vec<DecCoin>>) -> BTreeMap<String, u128> {
    let mut out = BTreeMap::new();
    for c in sets.into_iter().flatten() {
        *out.entry(c.denom).or_default() += c.amount.parse::<u128>().unwrap();
    }
    out
}

fn valoper(w: &Wallet) -> String {
    let addr = address::decode("test", &w.address).unwrap();
    address::encode("testvaloper", &addr).unwrap()
}

/// What a bid carries.
pub const BID_DEPOSIT: u128 = 500;

/// Where the optimised contracts lie, if they were built.
pub fn contracts_dir() -> Option<PathBuf> {
    let built = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    );
    let dir =
        std::env::var_os("EMBER_CONTRACTS_DIR").map_or(built.join("contracts"), PathBuf::from);
    dir.join("market.wasm").is_file().then_some(dir)
}

/// Puts the registry and the market of `emberd init` into a genesis.
pub fn with_contracts(state: &mut Value, dir: &Path) {
    let contracts = Contracts {
        dir: dir.to_owned(),
        unbonding_secs: 60,
        grace_secs: 600,
        min_bond: 1_000_000,
        bid_deposit: BID_DEPOSIT,
        min_deposit: 1_000,
        max_bids: 50,
    };
    let genesis = Spec {
        chain_id: CHAIN,
        prefix: "test",
        denom: "uember",
        stable_denom: "uusdc",
        authority: &module("gov"),
        accounts: &[],
        contracts: Some(&contracts),
        validators: &[],
        time: String::new(),
    }
    .build()
    .unwrap();
    for name in ["wasm", "hooks"] {
        state[name] = genesis["app_state"][name].clone();
    }
}

/// What lies in the fee collector.
pub fn collected(app: &App, denom: &str) -> u128 {
    let req = QueryBalanceRequest {
        address: module("fee_collector"),
        denom: denom.into(),
    };
    let answer: QueryBalanceResponse =
        query(app, "/cosmos.bank.v1beta1.Query/Balance", &req).unwrap();
    answer.balance.unwrap().amount.parse().unwrap()
}

/// What an account holds of the staking coin.
pub fn held(app: &App, address: &str) -> u128 {
    let req = QueryBalanceRequest {
        address: address.into(),
        denom: "uember".into(),
    };
    let answer: QueryBalanceResponse =
        query(app, "/cosmos.bank.v1beta1.Query/Balance", &req).unwrap();
    answer.balance.unwrap().amount.parse().unwrap()
}
