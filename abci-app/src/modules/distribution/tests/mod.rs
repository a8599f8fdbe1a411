//! The module over a small staking of its own, which calls the hooks as the SDK's does.

mod genesis;
mod messages;
mod property;
mod rewards;

use super::{
    allocation::{self, Vote},
    delegation, genesis as import_export, hooks, keeper, keys, msg, query, store, validator,
};
use crate::{
    codec::{address, dec::Dec, dec_coins::DecCoins},
    ctx::{BlockInfo, Ctx, Mode},
    error::AppError,
    gas::GasMeter,
    modules::{auth, bank, stakes},
    store::{Layers, StoreKey, kv::MemBase},
};
use cosmos_sdk_proto::cosmos::{
    distribution::v1beta1 as proto,
    staking::v1beta1::{self as staking, Commission, CommissionRates},
};

use prost::Message;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

const ALICE: [u8; 20] = [21; 20];
const BOB: [u8; 20] = [22; 20];
const CAROL: [u8; 20] = [23; 20];
const RICH: u128 = 1_000_000_000_000;

fn d(s: &str) -> Dec {
    s.parse().unwrap()
}

fn coins(s: &[(&str, &str)]) -> DecCoins {
    s.iter().map(|(c, a)| ((*c).into(), d(a))).collect()
}

fn text(addr: &[u8]) -> String {
    address::encode("test", addr).unwrap()
}

fn valoper(n: u8) -> String {
    address::encode("testvaloper", &[n; 20]).unwrap()
}

struct Val {
    tokens: u128,
    shares: Dec,
    rate: Dec,
}

/// A chain: validators are numbers, whose operators' and keys' addresses repeat them.
struct World {
    ctx: Ctx,
    vals: BTreeMap<u8, Val>,
    dels: BTreeMap<(Vec<u8>, u8), Dec>,
}

impl World {
    fn new(distribution: Value) -> Self {
        let block = BlockInfo {
            height: 1,
            time_ns: 0,
            chain_id: "c".into(),
        };
        let ctx = Ctx::new(
            Layers::new(Arc::new(MemBase::default())),
            GasMeter::new(u64::MAX),
            block,
            Mode::Deliver,
        );
        let rich = |a: &[u8]| {
            json!({ "address": text(a), "coins": [
            { "denom": "uatom", "amount": RICH.to_string() }, { "denom": "uember", "amount": RICH.to_string() }] })
        };
        let state = json!({
            "auth": { "accounts": [] },
            "bank": { "balances": [rich(&ALICE), rich(&BOB), rich(&CAROL)] },
            "distribution": distribution,
        });
        auth::genesis::import(&ctx, &state).unwrap();
        bank::genesis::import(&ctx, &state).unwrap();
        let params = staking::Params {
            bond_denom: "uember".into(),
            ..staking::Params::default()
        };
        ctx.with_layers(|l| l.set(StoreKey::Staking, &[0x51], params.encode_to_vec()));
        import_export::import(&ctx, &state).unwrap();
        Self {
            ctx,
            vals: BTreeMap::new(),
            dels: BTreeMap::new(),
        }
    }

    fn at(&mut self, height: u64) {
        self.ctx.block = Arc::new(BlockInfo {
            height,
            ..(*self.ctx.block).clone()
        });
    }

    fn next(&mut self) {
        self.at(self.ctx.block.height + 1);
    }

    fn save(&self, n: u8) {
        let v = &self.vals[&n];
        let rates = CommissionRates {
            rate: v.rate.to_proto(),
            ..CommissionRates::default()
        };
        let record = staking::Validator {
            operator_address: valoper(n),
            tokens: v.tokens.to_string(),
            delegator_shares: v.shares.to_proto(),
            commission: Some(Commission {
                commission_rates: Some(rates),
                update_time: None,
            }),
            ..staking::Validator::default()
        };
        self.ctx.with_layers(|l| {
            l.set(
                StoreKey::Staking,
                &keys::of(0x21, &[n; 20]),
                record.encode_to_vec(),
            );
            l.set(StoreKey::Staking, &keys::of(0x22, &[n; 20]), vec![n; 20]);
        });
    }

    fn save_delegation(&self, who: &[u8], n: u8) {
        let key = [keys::of(0x31, who), keys::of(0, &[n; 20])[1..].to_vec()].concat();
        let shares = self.dels.get(&(who.to_vec(), n));
        let record = shares.map(|s| staking::Delegation {
            delegator_address: text(who),
            validator_address: valoper(n),
            shares: s.to_proto(),
        });
        self.ctx.with_layers(|l| match record {
            Some(r) => l.set(StoreKey::Staking, &key, r.encode_to_vec()),
            None => l.remove(StoreKey::Staking, &key),
        });
    }

    /// A validator with a delegation of its operator.
    fn create(&mut self, n: u8, tokens: u128, rate: &str) {
        let (shares, rate) = (Dec::zero(), d(rate));
        let tokens_now = 0;
        self.vals.insert(
            n,
            Val {
                tokens: tokens_now,
                shares,
                rate,
            },
        );
        self.save(n);
        hooks::after_validator_created(&self.ctx, &[n; 20]).unwrap();
        self.delegate(&[n; 20], n, tokens).unwrap();
    }

    fn delegate(&mut self, who: &[u8], n: u8, amount: u128) -> Result<(), AppError> {
        let key = (who.to_vec(), n);
        let v = &self.vals[&n];
        let new = if v.shares.is_zero() {
            Dec::from_int(amount)
        } else if v.tokens == 0 {
            return Err(AppError::invalid_request("no exchange rate"));
        } else {
            v.shares.mul_int(amount).quo_int(v.tokens)?
        };
        if self.dels.contains_key(&key) {
            hooks::before_delegation_shares_modified(&self.ctx, who, &[n; 20])?;
        } else {
            hooks::before_delegation_created(&self.ctx, &[n; 20])?;
        }
        let v = self.vals.get_mut(&n).unwrap();
        v.tokens += amount;
        v.shares += &new;
        *self.dels.entry(key).or_default() += &new;
        self.save(n);
        self.save_delegation(who, n);
        hooks::after_delegation_modified(&self.ctx, who, &[n; 20])
    }

    /// Takes a part of a delegation out, given in percent.
    fn undelegate(&mut self, who: &[u8], n: u8, percent: u32) -> Result<(), AppError> {
        let key = (who.to_vec(), n);
        hooks::before_delegation_shares_modified(&self.ctx, who, &[n; 20])?;
        let held = self.dels[&key].clone();
        let out = held.mul_truncate(&Dec::with_places(percent, 2));
        let left = &held - &out;
        if left.is_zero() {
            self.dels.remove(&key);
            self.save_delegation(who, n);
        } else {
            self.dels.insert(key, left);
            self.save_delegation(who, n);
            hooks::after_delegation_modified(&self.ctx, who, &[n; 20])?;
        }
        let v = self.vals.get_mut(&n).unwrap();
        let rest = &v.shares - &out;
        let tokens = if rest.is_zero() {
            v.tokens
        } else {
            out.mul_int(v.tokens).quo(&v.shares)?.truncate_u128()?
        };
        v.tokens -= tokens;
        v.shares = rest;
        self.save(n);
        Ok(())
    }

    fn slash(&mut self, n: u8, fraction: &Dec) {
        let tokens = self.vals[&n].tokens;
        let burn = Dec::from_int(tokens).mul(fraction).truncate_u128().unwrap();
        if tokens > 0 {
            let effective = Dec::from_int(burn).quo_round_up(&Dec::from_int(tokens));
            let effective = effective.unwrap().min(Dec::one());
            hooks::before_validator_slashed(&self.ctx, &[n; 20], &effective).unwrap();
        }
        self.vals.get_mut(&n).unwrap().tokens -= burn;
        self.save(n);
    }

    /// Rewards for a validator, from Alice's pocket.
    fn reward(&self, n: u8, amount: u128) {
        let coins = [("uember".to_owned(), amount)];
        bank::keeper::send(&self.ctx, &ALICE, &store::account(), &coins).unwrap();
        let val = stakes::validator(&self.ctx, &[n; 20]).unwrap();
        allocation::to_validator(&self.ctx, &val, &DecCoins::from_coins(&coins)).unwrap();
    }

    fn earned(&self, who: &[u8], n: u8) -> DecCoins {
        // As a query does: what this writes is dropped.
        let mut out = None;
        let dropped = self.ctx.atomically(|ctx| {
            let val = stakes::validator(ctx, &[n; 20]).unwrap();
            let del = stakes::delegation(ctx, who, &[n; 20]).unwrap();
            let ending = validator::increment_period(ctx, &val).unwrap();
            out = Some(delegation::rewards(ctx, &val, &del, ending).unwrap());
            Err::<(), ()>(())
        });
        assert!(dropped.is_err());
        out.unwrap()
    }

    fn references(&self) -> u32 {
        store::scan(&self.ctx, &[keys::HISTORICAL])
            .unwrap()
            .iter()
            .map(|(_, v)| {
                proto::ValidatorHistoricalRewards::decode(v.as_slice())
                    .unwrap()
                    .reference_count
            })
            .sum()
    }

    fn collect(&self, amounts: &[(&str, u128)]) {
        let coins: Vec<_> = amounts.iter().map(|(d, a)| ((*d).to_owned(), *a)).collect();
        bank::keeper::send(&self.ctx, &ALICE, &address::module("fee_collector"), &coins).unwrap();
    }

    fn begin(&self, powers: &[(u8, i64)]) {
        let votes: Vec<_> = powers
            .iter()
            .map(|(n, power)| Vote {
                cons: vec![*n; 20],
                power: *power,
            })
            .collect();
        allocation::begin_block(&self.ctx, &votes, &[1; 20]).unwrap();
    }

    /// What must hold always: the account holds to the micro-unit what the records say; every validator's records
    /// cover its commission and every delegation; every reference to a period is counted.
    fn check(&self) {
        let mut records = store::community_pool(&self.ctx).unwrap();
        for (key, _) in store::scan(&self.ctx, &[keys::OUTSTANDING]).unwrap() {
            records.add(&store::outstanding(&self.ctx, keys::split(&key).0).unwrap());
        }
        let held = bank::keeper::all_balances(&self.ctx, &store::account()).unwrap();
        assert_eq!(DecCoins::from_coins(&held), records);
        for n in self.vals.keys() {
            let mut owed = store::commission(&self.ctx, &[*n; 20]).unwrap();
            for (who, _) in self.dels.keys().filter(|(_, m)| m == n) {
                owed.add(&self.earned(who, *n));
            }
            let there = store::outstanding(&self.ctx, &[*n; 20]).unwrap();
            assert!(there.checked_sub(&owed).is_some(), "{there} cover {owed}");
        }
        let slashes = store::scan(&self.ctx, &[keys::SLASH]).unwrap().len();
        let records = self.vals.len() + self.dels.len() + slashes;
        assert_eq!(self.references() as usize, records);
    }
}

fn params() -> Value {
    json!({ "community_tax": "0.020000000000000000", "base_proposer_reward": "0.000000000000000000",
        "bonus_proposer_reward": "0.000000000000000000", "withdraw_addr_enabled": true })
}

fn world() -> World {
    World::new(json!({ "params": params() }))
}
