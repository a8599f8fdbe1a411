//! What people do on the market, in one call each, and the check of its books.

use crate::suite::{NATIVE, Suite, USDC, any_gpu, attribute, text};
use anyhow::{Context, Result, ensure};
use cosmwasm_std::{Addr, Coin, Uint128, coin, from_json};
use ember_types::{
    assurance::Assurance,
    ids::{AskId, BidId, LeaseId, OrderId},
    market::{
        self, Ceiling, CreateOrderResponse, EscrowResponse, InvariantsResponse, LeaseResponse,
        LedgerResponse, OrderResponse,
    },
    money::Rate,
    pricing::{PricingMode, market::Market, reverse_auction::ReverseAuction},
    resources::ResourceSpec,
};
use std::collections::BTreeMap;

impl Suite {
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
            terms: market::Terms::default(),
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
            PricingMode::Market(Market::default()),
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
        let msg = market::ExecuteMsg::PlaceBid {
            order_id,
            rate,
            units: None,
            score: None,
        };
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
            assurance: Assurance::None,
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

    /// Every micro-unit is accounted for: per order, per denom, and against the contract's bank balance. Asks the
    /// contract, and does not believe it.
    ///
    /// # Errors
    /// What does not add up.
    pub fn check_books(&self) -> Result<()> {
        let mut start_after = None;
        let mut by_orders: BTreeMap<String, Uint128> = BTreeMap::new();
        loop {
            let limit = Some(100);
            let page: InvariantsResponse =
                self.ask_market(&market::QueryMsg::Invariants { start_after, limit })?;
            ensure!(page.ok, "{page:?}");
            for d in &page.denoms {
                *by_orders.entry(d.denom.clone()).or_default() += d.held_by_orders;
                ensure!(d.balance == d.liabilities, "{d:?}");
            }
            start_after = page.next;
            if start_after.is_none() {
                break;
            }
        }
        for denom in [NATIVE, USDC] {
            let l = self.ledger(denom);
            let balance = Uint128::new(self.balance(&self.market, denom));
            ensure!(
                balance == l.held + l.bid_deposits,
                "the market has {balance}{denom}, its ledger says {l:?}"
            );
            let mut sums = [Uint128::zero(); 5];
            for order in self.orders()? {
                let e = self.escrow(order.id);
                let id = order.id;
                let out = e.paid + e.fees + e.refunded;
                ensure!(e.deposited == out + e.held, "order {id}: {e:?}");
                let left: Uint128 = e.deposits.iter().map(|d| d.left).sum();
                ensure!(e.held == left + e.payable + e.fees_due, "order {id}: {e:?}");
                for l in &e.leases {
                    ensure!(l.accrued == l.fee + l.paid + l.payable, "order {id}: {e:?}");
                }
                let owed: Uint128 = e.leases.iter().map(|l| l.paid).sum();
                ensure!(owed == e.paid, "order {id}: {e:?}");
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
            let held = by_orders.get(denom).copied().unwrap_or_default();
            ensure!(held == l.held, "{denom}: orders hold {held}, ledger {l:?}");
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
                model: None,
                descending: None,
            })?;
            if page.orders.is_empty() {
                return Ok(all);
            }
            all.extend(page.orders);
        }
    }
}
