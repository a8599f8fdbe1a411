//! A market with everyone in it, and what is alive there.

use crate::rules;
use cosmwasm_std::{Addr, Coin, Storage, Uint256};
use ember_market::{fees, state};
use ember_testing::{
    Bare, Settings,
    bare::Done,
    dice::Dice,
    suite::{NATIVE, USDC},
};
use ember_types::{fees::DenomFees, market::ExecuteMsg, registry};
use std::collections::BTreeMap;

/// A denom of another chain.
pub const IBC: &str = "ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2";
pub const DENOMS: [&str; 3] = [NATIVE, USDC, IBC];
pub const TENANTS: usize = 4;
pub const PROVIDERS: usize = 6;

/// Something that happens.
#[derive(Debug, Clone)]
pub enum Op {
    Market(Addr, ExecuteMsg, Vec<Coin>),
    Registry(Addr, registry::ExecuteMsg, Vec<Coin>),
    /// A block goes by; the chain forgets the hook.
    Pass(u64),
    /// A block goes by, with the hook at its end.
    Block(u64),
}

impl Op {
    /// The message's name, as in its JSON.
    pub fn kind(&self) -> String {
        let name = |json: Result<serde_json::Value, _>| match json {
            Ok(serde_json::Value::Object(o)) => o.keys().next().cloned().unwrap_or_default(),
            other => panic!("{other:?}"),
        };
        match self {
            Self::Market(_, msg, _) => name(serde_json::to_value(msg)),
            Self::Registry(_, msg, _) => format!("registry.{}", name(serde_json::to_value(msg))),
            Self::Pass(_) => "time without the hook".into(),
            Self::Block(_) => "end_block".into(),
        }
    }
}

/// How often each kind of message was taken and refused.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Totals(pub BTreeMap<String, (u64, u64)>);

impl Totals {
    pub fn add(&mut self, other: &Self) {
        for (kind, (taken, refused)) in &other.0 {
            let sum = self.0.entry(kind.clone()).or_default();
            *sum = (sum.0 + taken, sum.1 + refused);
        }
    }

    pub fn all(&self) -> u64 {
        self.0.values().map(|(t, r)| t + r).sum()
    }
}

pub struct World {
    pub bare: Bare,
    pub dice: Dice,
    pub tenants: Vec<Addr>,
    pub providers: Vec<Addr>,
    /// Tenants, providers, the authority and a stranger.
    pub people: Vec<Addr>,
    /// What was minted: nothing is made or lost.
    pub supply: BTreeMap<&'static str, u128>,
    /// Ids of what is alive.
    pub orders: Vec<u64>,
    /// Of the orders: those that wait for a match.
    pub open: Vec<u64>,
    pub leases: Vec<u64>,
    pub bids: Vec<u64>,
    pub asks: Vec<u64>,
    /// By denom: what the orders hold, and the deposits of live bids.
    pub held: BTreeMap<String, u128>,
    pub bid_deposits: BTreeMap<String, u128>,
    /// The schedule before the message.
    pub fees: BTreeMap<String, DenomFees>,
    /// By order: the sum of every deposit times its reservation share.
    pub reservations: BTreeMap<u64, Uint256>,
    /// Whether amounts at the ends of their range are drawn, by accounts that own as much.
    pub hostile: bool,
    pub totals: Totals,
}

pub fn settings() -> Settings {
    let mut settings = Settings {
        grace_secs: 300,
        max_bids_per_order: 3,
        ..Settings::default()
    };
    let third = DenomFees {
        denom: IBC.into(),
        ..settings.fees[0].clone()
    };
    settings.fees.push(third);
    settings
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut bare = Bare::new(&settings());
        let names = |who: &str, n: usize| (0..n).map(|i| format!("{who}{i}")).collect::<Vec<_>>();
        let accounts = |names: Vec<String>| names.iter().map(|n| bare.account(n)).collect();
        let (tenants, providers): (Vec<_>, Vec<_>) = (
            accounts(names("t", TENANTS)),
            accounts(names("p", PROVIDERS)),
        );
        let mut people = [tenants.clone(), providers.clone()].concat();
        people.extend([bare.authority.clone(), bare.account("stranger")]);
        let mut dice = Dice::new(seed);
        let hostile = dice.percent(20);
        let each = if hostile {
            u128::MAX / 16
        } else {
            1_000_000_000_000
        };
        for who in &people {
            for denom in DENOMS {
                bare.bank.mint(who, each, denom);
            }
        }
        for (i, provider) in providers.iter().enumerate() {
            bare.register(provider, i + 1, 1_000_000 * (i as u128 + 1))
                .unwrap();
        }
        let supply = DENOMS.map(|d| (d, bare.bank.supply(d))).into();
        Self {
            bare,
            dice,
            tenants,
            providers,
            people,
            supply,
            orders: vec![],
            open: vec![],
            leases: vec![],
            bids: vec![],
            asks: vec![],
            held: BTreeMap::new(),
            bid_deposits: BTreeMap::new(),
            fees: BTreeMap::new(),
            reservations: BTreeMap::new(),
            hostile,
            totals: Totals::default(),
        }
    }

    pub fn store(&self) -> &dyn Storage {
        &self.bare.market_store
    }

    pub fn order(&self, id: u64) -> Option<state::Order> {
        state::ORDERS.may_load(self.store(), id).unwrap()
    }

    pub fn lease(&self, id: u64) -> Option<state::Lease> {
        state::LEASES.may_load(self.store(), id).unwrap()
    }

    pub fn bid(&self, id: u64) -> Option<state::Bid> {
        state::BIDS.may_load(self.store(), id).unwrap()
    }

    pub fn ask(&self, id: u64) -> Option<state::Ask> {
        state::ASKS.may_load(self.store(), id).unwrap()
    }

    /// Does it and checks what it did; false when it was refused.
    pub fn take(&mut self, op: &Op) -> bool {
        let view = rules::view_before(self, op);
        if matches!(
            op,
            Op::Market(
                _,
                ExecuteMsg::Deposit { .. } | ExecuteMsg::CreateOrder { .. },
                _
            )
        ) {
            let all = fees::all(self.store()).unwrap();
            self.fees = all.into_iter().map(|f| (f.denom.clone(), f)).collect();
        }
        let done: Option<Done> = match op {
            Op::Market(sender, msg, funds) => self.bare.market(sender, msg.clone(), funds).ok(),
            Op::Registry(sender, msg, funds) => self.bare.registry(sender, msg.clone(), funds).ok(),
            Op::Pass(secs) => {
                self.bare.pass(*secs);
                None
            }
            Op::Block(secs) => {
                self.bare.pass(*secs);
                self.run_hook(op);
                None
            }
        };
        let taken = done.is_some() || matches!(op, Op::Pass(_) | Op::Block(_));
        let (t, r) = self.totals.0.entry(op.kind()).or_default();
        if taken {
            *t += 1
        } else {
            *r += 1
        }
        if let (Some(done), Op::Market(..)) = (&done, op) {
            rules::after(self, op, done);
            rules::view_after(self, op, view);
        }
        taken
    }

    /// The hook does a bounded number of items a block; blocks of the same second do the rest. Once nothing is due it
    /// changes nothing, however often it comes.
    fn run_hook(&mut self, op: &Op) {
        for round in 0.. {
            let done = self.bare.hook();
            rules::after(self, op, &done);
            let first = state::DUE.first(self.store()).unwrap();
            if first.is_none_or(|((due, _), _)| due > self.bare.now()) {
                break;
            }
            assert!(round < 1_000, "the hook makes no headway");
        }
        let replay = self.bare.hook();
        assert!(replay.is_nothing(), "a replayed hook did {replay:?}");
    }
}
