//! Draws what happens next: mostly what may succeed, by the one who may; now and then anything by anybody.

use crate::world::{DENOMS, IBC, Op, World};
use cosmwasm_std::{Addr, Coin, Uint128};
use ember_market::state::{FEES, Order};
use ember_testing::dice::Dice;
use ember_testing::suite::{NATIVE, any_gpu, device};
use ember_types::{
    fees::{DenomFees, Step},
    ids::{AskId, BidId, LeaseId, OrderId},
    market::{Ceiling, ExecuteMsg, Terms},
    money::Rate,
    pricing::{
        PricingMode,
        cluster::{Cluster, ClusterPricing},
        market::Market,
        performance::Performance,
        reverse_auction::ReverseAuction,
        sealed_tender::{PriceRule, SealedTender, commitment},
        stake_weighted::StakeWeighted,
    },
    registry,
};

const SALT: [u8; 32] = [7; 32];
const EDGES: [u128; 6] = [0, 1, 999_999, 1_000_000, u64::MAX as u128, u128::MAX];

impl World {
    pub fn draw(&mut self) -> Op {
        let mut op = match self.dice.weighted(&[
            8, 9, 15, 2, 8, 6, 2, 11, 9, 6, 6, 2, 1, 3, 4, 9, 3, 4, 8, 6, 3,
        ]) {
            0 => self.create(true),
            1 => self.create(false),
            2 => self.bid_on(),
            3 => self.of_bid(|bid_id| ExecuteMsg::WithdrawBid { bid_id }, false),
            4 => self.of_bid(|bid_id| ExecuteMsg::AcceptBid { bid_id }, true),
            5 => self.post_ask(),
            6 => self.take_ask_back(),
            7 => self.deposit(),
            8 => self.of_lease(|lease_id| ExecuteMsg::Settle { lease_id }, 0),
            9 => self.of_lease(|lease_id| ExecuteMsg::Withdraw { lease_id }, 100),
            10 => self.of_lease(|lease_id| ExecuteMsg::CloseLease { lease_id }, 50),
            11 => self.close_order(),
            12 => self.new_fees(),
            13 => self.at_the_registry(),
            14 => Op::Pass(self.secs()),
            15 => Op::Block(self.secs()),
            16 => self.of_lease(|lease_id| ExecuteMsg::GiveNotice { lease_id }, 95),
            17 => self.tender(),
            18 => self.commit(),
            19 => self.reveal(),
            _ => self.measure(),
        };
        if self.dice.percent(3) {
            self.spoil(&mut op);
        }
        op
    }

    /// Another sender, or other coins.
    fn spoil(&mut self, op: &mut Op) {
        let (Op::Market(sender, _, funds) | Op::Registry(sender, _, funds)) = op else {
            return;
        };
        match self.dice.below(4) {
            0 => *sender = self.anyone(),
            1 => funds.clear(),
            2 => {
                let denom = self.denom();
                let amount = self.amount();
                funds.push(Coin::new(amount, denom));
            }
            _ => {
                for coin in funds {
                    coin.denom = self.dice.of(&DENOMS).unwrap_or(IBC).into();
                }
            }
        }
    }

    fn anyone(&mut self) -> Addr {
        self.dice.of(&self.people).unwrap()
    }

    fn denom(&mut self) -> &'static str {
        if self.dice.percent(1) {
            "unknown"
        } else {
            self.dice.of(&DENOMS).unwrap_or(NATIVE)
        }
    }

    fn secs(&mut self) -> u64 {
        match self.dice.below(20) {
            0 => 0,
            1 => self.dice.within(1_000, 50_000),
            2..8 => self.dice.within(100, 1_000),
            _ => self.dice.within(1, 100),
        }
    }

    fn edge(&mut self) -> Option<u128> {
        let odds = if self.hostile { 15 } else { 1 };
        if self.dice.percent(odds) {
            self.dice.of(&EDGES)
        } else {
            None
        }
    }

    fn amount(&mut self) -> u128 {
        if let Some(edge) = self.edge() {
            return edge;
        }
        u128::from(match self.dice.below(4) {
            0 => self.dice.within(1, 5_000),
            1 => self.dice.within(100_000, 5_000_000),
            _ => self.dice.within(1_000, 100_000),
        })
    }

    fn rate(&mut self) -> Rate {
        let rate = match self.edge() {
            Some(edge) => edge,
            None => u128::from(self.dice.within(1, 20_000_000)),
        };
        Rate::new(rate)
    }

    fn create(&mut self, auction: bool) -> Op {
        let denom = self.denom();
        let amount = self.amount();
        let mut ceiling = self.rate();
        let pricing = if auction {
            let closes_at = self.bare.now() + self.dice.within(0, 3_000);
            if self.dice.percent(25) {
                let measure_secs = self.dice.within(0, 1_000);
                PricingMode::Performance(Performance {
                    closes_at,
                    benchmark: "points".into(),
                    measure_secs,
                })
            } else {
                PricingMode::ReverseAuction(ReverseAuction { closes_at })
            }
        } else {
            // Asks are dear as often as not: let most cross.
            if self.dice.percent(80) {
                ceiling = Rate::new(20_000_000);
            }
            PricingMode::Market(Market {
                partial: self.dice.percent(40),
            })
        };
        let (pricing, units) = self.clustered(pricing);
        let most = if self.dice.percent(10) {
            31_536_001
        } else {
            5_000
        };
        let msg = ExecuteMsg::CreateOrder {
            resources: any_gpu(units),
            pricing,
            ceiling: Ceiling {
                denom: denom.into(),
                rate: ceiling,
            },
            max_duration_secs: self.dice.within(1, most),
            terms: self.terms(),
        };
        let tenant = self.dice.of(&self.tenants).unwrap();
        Op::Market(tenant, msg, vec![Coin::new(amount, denom)])
    }

    /// Now and then a cluster of the mode, and units for it.
    fn clustered(&mut self, mode: PricingMode) -> (PricingMode, u32) {
        let of = match &mode {
            PricingMode::ReverseAuction(m) => ClusterPricing::ReverseAuction(m.clone()),
            PricingMode::SealedTender(m) => ClusterPricing::SealedTender(m.clone()),
            PricingMode::Market(m) => ClusterPricing::Market(m.clone()),
            _ => return (mode, self.dice.within(1, 3) as u32),
        };
        let (is_cluster, parts) = (self.dice.percent(30), self.dice.within(1, 8) as u32);
        match mode {
            _ if is_cluster => (PricingMode::Cluster(Cluster { of }), parts),
            PricingMode::Market(Market { partial: true }) => (mode, parts),
            _ => (mode, self.dice.within(1, 3) as u32),
        }
    }

    /// What a bid on the order offers.
    fn units_of(&mut self, id: u64) -> Option<u32> {
        let wanted = u64::from(self.order(id)?.resources.units);
        let takes_parts = self.order(id)?.pricing.takes_parts();
        let odds = if takes_parts { 80 } else { 3 };
        self.dice
            .percent(odds)
            .then(|| self.dice.within(0, wanted + 1) as u32)
    }

    fn terms(&mut self) -> Terms {
        let most = if self.dice.percent(3) { 721 } else { 2 };
        Terms {
            notice_hours: if self.dice.percent(30) {
                self.dice.within(0, most) as u16
            } else {
                0
            },
            relist: self.dice.percent(50),
        }
    }

    fn bid_on(&mut self) -> Op {
        let last = self.orders.iter().max().copied().unwrap_or_default();
        let id = self.dice.id(&self.open, last);
        let provider = self.dice.of(&self.providers).unwrap();
        let mut rate = self.rate();
        let (mut funds, mut score) = (vec![], None);
        if let Some(order) = self.order(id) {
            let ceiling = order.ceiling.rate.0.u128();
            if rate.0.u128() > ceiling && self.dice.percent(90) {
                rate = Rate::new(u128::from(self.dice.next()) % ceiling.saturating_add(1).max(1));
            }
            if order.pricing.performance().is_some() == self.dice.percent(97) {
                // Devices reached 100.
                let points = self.dice.within(0, 104);
                score = Some(points);
                rate = Rate::new(rate.0.u128() / u128::from(points.max(1)));
            }
            let fees = FEES
                .may_load(self.store(), &order.fees.denom)
                .unwrap()
                .map_or(order.fees, |listed| listed.0);
            if !fees.bid_deposit.is_zero() {
                funds.push(Coin::new(fees.bid_deposit.u128(), fees.denom));
            }
        }
        let msg = ExecuteMsg::PlaceBid {
            order_id: OrderId(id),
            rate,
            units: self.units_of(id),
            score,
        };
        Op::Market(provider, msg, funds)
    }

    /// An auction's order, priced by a sealed tender.
    fn tender(&mut self) -> Op {
        let mut op = self.create(true);
        let (commit, reveal) = (self.dice.within(0, 1_000), self.dice.within(0, 1_000));
        let second = self.dice.percent(50);
        if let Op::Market(_, ExecuteMsg::CreateOrder { pricing, .. }, _) = &mut op {
            let commit_until = self.bare.now() + commit;
            let tender = SealedTender {
                commit_until,
                reveal_until: commit_until + reveal,
                rule: if second {
                    PriceRule::SecondPrice
                } else {
                    PriceRule::FirstPrice
                },
            };
            *pricing = match pricing {
                PricingMode::Cluster(_) => PricingMode::Cluster(Cluster {
                    of: ClusterPricing::SealedTender(tender),
                }),
                _ if self.dice.percent(50) => PricingMode::StakeWeighted(StakeWeighted {
                    commit_until,
                    reveal_until: commit_until + reveal,
                }),
                _ => PricingMode::SealedTender(tender),
            };
        }
        op
    }

    fn commit(&mut self) -> Op {
        let op = self.bid_on();
        let Op::Market(
            provider,
            ExecuteMsg::PlaceBid {
                order_id, units, ..
            },
            funds,
        ) = op
        else {
            return op;
        };
        let rate = sealed_rate(order_id, self.order(order_id.0));
        let mut hash = commitment(order_id, &provider, rate, &SALT).to_vec();
        if self.dice.percent(2) {
            hash.pop();
        }
        let commitment = hash.into();
        let msg = ExecuteMsg::CommitBid {
            order_id,
            commitment,
            units,
        };
        Op::Market(provider, msg, funds)
    }

    fn reveal(&mut self) -> Op {
        let last = self.bids.iter().max().copied().unwrap_or_default();
        let id = self.dice.id(&self.bids, last);
        let bid = self.bid(id);
        let mut rate = Rate::new(0);
        if let Some(bid) = &bid {
            rate = sealed_rate(bid.order_id, self.order(bid.order_id.0));
        }
        if self.dice.percent(5) {
            rate = self.rate();
        }
        let msg = ExecuteMsg::RevealBid {
            bid_id: BidId(id),
            rate,
            salt: SALT.into(),
        };
        let sender = self.mostly(bid.map(|b| b.provider));
        Op::Market(sender, msg, vec![])
    }

    fn measure(&mut self) -> Op {
        let score = self.dice.within(0, 150);
        let mut op = self.of_lease(|lease_id| ExecuteMsg::ReportScore { lease_id, score }, 95);
        if self.dice.percent(40)
            && let Op::Market(who, ..) = &mut op
        {
            *who = self.bare.authority.clone();
        }
        op
    }

    fn of_bid(&mut self, msg: impl Fn(BidId) -> ExecuteMsg, by_tenant: bool) -> Op {
        let last = self.bids.iter().max().copied().unwrap_or_default();
        let id = self.dice.id(&self.bids, last);
        let bid = self.bid(id);
        let right = match by_tenant {
            true => bid.and_then(|b| self.order(b.order_id.0)).map(|o| o.tenant),
            false => bid.map(|b| b.provider),
        };
        let sender = self.mostly(right);
        Op::Market(sender, msg(BidId(id)), vec![])
    }

    fn mostly(&mut self, right: Option<Addr>) -> Addr {
        match right {
            Some(right) if self.dice.percent(95) => right,
            _ => self.anyone(),
        }
    }

    /// `by_provider` times in a hundred by the provider, else by the tenant.
    fn of_lease(&mut self, msg: impl Fn(LeaseId) -> ExecuteMsg, by_provider: u64) -> Op {
        let last = self.leases.iter().max().copied().unwrap_or_default();
        let id = self.dice.id(&self.leases, last);
        let by_provider = self.dice.percent(by_provider);
        let right = self
            .lease(id)
            .map(|l| if by_provider { l.provider } else { l.tenant });
        let sender = self.mostly(right);
        Op::Market(sender, msg(LeaseId(id)), vec![])
    }

    fn post_ask(&mut self) -> Op {
        let msg = ExecuteMsg::PlaceAsk {
            device: "gpu-0".into(),
            units: self.dice.within(0, 6) as u32,
            denom: self.denom().into(),
            rate: self.rate(),
            assurance: Default::default(),
        };
        Op::Market(self.dice.of(&self.providers).unwrap(), msg, vec![])
    }

    fn take_ask_back(&mut self) -> Op {
        let last = self.asks.iter().max().copied().unwrap_or_default();
        let id = self.dice.id(&self.asks, last);
        let right = self.ask(id).map(|a| a.provider);
        Op::Market(
            self.mostly(right),
            ExecuteMsg::WithdrawAsk { ask_id: AskId(id) },
            vec![],
        )
    }

    fn deposit(&mut self) -> Op {
        let last = self.orders.iter().max().copied().unwrap_or_default();
        let id = self.dice.id(&self.orders, last);
        let denom = self.order(id).map_or(NATIVE.into(), |o| o.ceiling.denom);
        let amount = self.amount();
        let order_id = OrderId(id);
        Op::Market(
            self.anyone(),
            ExecuteMsg::Deposit { order_id },
            vec![Coin::new(amount, denom)],
        )
    }

    fn close_order(&mut self) -> Op {
        let last = self.orders.iter().max().copied().unwrap_or_default();
        let id = self.dice.id(&self.open, last);
        let right = self.order(id).map(|o| o.tenant);
        Op::Market(
            self.mostly(right),
            ExecuteMsg::CloseOrder {
                order_id: OrderId(id),
            },
            vec![],
        )
    }

    fn new_fees(&mut self) -> Op {
        let mut fees = vec![];
        for denom in DENOMS {
            // A denom leaves now and then, and comes back.
            if self.dice.percent(93) {
                fees.push(schedule(&mut self.dice, denom));
            }
        }
        Op::Market(
            self.mostly(Some(self.bare.authority.clone())),
            ExecuteMsg::UpdateFees { fees },
            vec![],
        )
    }

    fn at_the_registry(&mut self) -> Op {
        let provider = self.dice.of(&self.providers).unwrap();
        let native = |amount: u64| vec![Coin::new(u128::from(amount), NATIVE)];
        let devices = |n: u64| (0..n).map(|i| device(&format!("gpu-{i}"))).collect();
        let n = if self.dice.percent(10) {
            0
        } else {
            self.dice.within(2, 6)
        };
        let amount = self.dice.within(1, 2_000_000);
        let (msg, funds) = match self.dice.weighted(&[8, 1, 3, 4, 3, 2, 1]) {
            0 => (
                registry::ExecuteMsg::RegisterProvider {
                    host_uri: "https://gpu.example.org:8443".into(),
                    devices: devices(n),
                    attributes: vec![],
                    assurances: vec![],
                },
                native(amount + 1_000_000),
            ),
            1 => (registry::ExecuteMsg::UnregisterProvider {}, vec![]),
            2 => (
                registry::ExecuteMsg::UpdateProvider {
                    host_uri: None,
                    devices: Some(devices(n)),
                    attributes: None,
                    assurances: None,
                },
                vec![],
            ),
            3 => (registry::ExecuteMsg::Bond {}, native(amount)),
            4 => (
                registry::ExecuteMsg::Unbond {
                    amount: amount.into(),
                },
                vec![],
            ),
            5 => (registry::ExecuteMsg::ClaimUnbonded {}, vec![]),
            _ => {
                let (owner, reason) = (provider.to_string(), "caught".into());
                let msg = registry::ExecuteMsg::Slash {
                    owner,
                    amount: Uint128::from(amount / 4 + 1),
                    reason,
                };
                return Op::Registry(self.bare.authority.clone(), msg, vec![]);
            }
        };
        Op::Registry(provider, msg, funds)
    }
}

/// What everybody commits to on an order: known again when it is revealed.
fn sealed_rate(id: OrderId, order: Option<Order>) -> Rate {
    let ceiling = order.map_or(0, |o| o.ceiling.rate.0.u128());
    Rate::new(ceiling / u128::from(id.0 % 4 + 1))
}

fn bps(dice: &mut Dice, usual: u64) -> u16 {
    let most = if dice.percent(10) { 10_000 } else { usual };
    dice.within(0, most) as u16
}

fn steps(dice: &mut Dice, most: u64, bps: (u64, u64)) -> Vec<Step> {
    let mut from = 0;
    (0..dice.below(4))
        .map(|_| {
            from += u128::from(dice.within(1, most));
            Step {
                from: from.into(),
                bps: dice.within(bps.0, bps.1) as u16,
            }
        })
        .collect()
}

fn schedule(dice: &mut Dice, denom: &str) -> DenomFees {
    let reservation_bps = bps(dice, 100);
    let min_deposit = dice.within(0, 2_000);
    let left = min_deposit - min_deposit * u64::from(reservation_bps) / 10_000;
    DenomFees {
        denom: denom.into(),
        take_bps: bps(dice, 3_000),
        reservation_bps,
        min_deposit: min_deposit.into(),
        bid_deposit: if dice.percent(20) { 0u128 } else { 500 }.into(),
        tiers: steps(dice, 30_000, (50, 500)),
        // Now and then a unit too much, which is refused.
        session_fee: dice.within(0, left + 1).into(),
        bond_rebates: steps(dice, 3_000_000, (0, 3_000)),
    }
}
