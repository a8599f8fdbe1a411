//! The books, checked by anyone: `deposited = paid + fees + refunded + held` of every order and of every denom, and
//! a bank balance that covers what the contract owes.

use crate::{
    error::ContractError,
    state::{ESCROWS, Escrow, LEDGERS, Ledger, ORDERS},
};
use cosmwasm_std::{BalanceResponse, BankQuery, Deps, Env, Order as Direction, StdResult, Uint128};
use cw_storage_plus::Bound;
use ember_types::{
    ids::OrderId,
    lean::Lean,
    market::{DenomInvariants, InvariantsResponse},
};

impl Escrow {
    /// Whether every micro-unit that ever came is somewhere.
    pub fn adds_up(&self) -> bool {
        let sum = || -> Result<Uint128, ContractError> {
            let out = self.paid.checked_add(self.fees)?;
            Ok(out.checked_add(self.refunded)?.checked_add(self.held()?)?)
        };
        sum().is_ok_and(|s| s == self.deposited)
    }
}

impl Ledger {
    /// What orders of the denom hold.
    ///
    /// # Errors
    /// When more left than came.
    pub fn held(&self) -> Result<Uint128, ContractError> {
        let out = self.paid.checked_add(self.fees)?;
        let out = out.checked_add(self.refunded)?;
        Ok(self.deposited.checked_sub(out)?)
    }
}

/// Checks one page of orders, and every denom.
pub(crate) fn check(
    deps: Deps,
    env: &Env,
    start_after: Option<OrderId>,
    limit: usize,
) -> Result<InvariantsResponse, ContractError> {
    let mut denoms = LEDGERS
        .range(deps.storage, None, None, Direction::Ascending)
        .map(|row| {
            let (denom, ledger) = row?;
            let liabilities = ledger.held()?.checked_add(ledger.bid_deposits)?;
            let question = BankQuery::Balance {
                address: env.contract.address.to_string(),
                denom: denom.clone(),
            };
            let Lean(bank): Lean<BalanceResponse> = deps.querier.query(&question.into())?;
            let balance = Uint128::try_from(bank.amount.amount).unwrap_or(Uint128::MAX);
            Ok(DenomInvariants {
                denom,
                held: ledger.held()?,
                held_by_orders: Uint128::zero(),
                liabilities,
                balance,
            })
        })
        .collect::<Result<Vec<_>, ContractError>>()?;
    let after = start_after.map(|id| Bound::exclusive(id.0));
    let ids = ESCROWS
        .keys(deps.storage, after, None, Direction::Ascending)
        .take(limit)
        .collect::<StdResult<Vec<_>>>()?;
    let mut broken = Vec::new();
    for id in &ids {
        let escrow = ESCROWS.load(deps.storage, *id)?;
        let order = ORDERS.load(deps.storage, *id)?;
        let denom = denoms.iter_mut().find(|d| d.denom == order.ceiling.denom);
        let (Some(denom), true) = (denom, escrow.adds_up()) else {
            broken.push(OrderId(*id));
            continue;
        };
        denom.held_by_orders = denom.held_by_orders.checked_add(escrow.held()?)?;
    }
    let next = ids.last().filter(|_| ids.len() == limit);
    let whole = start_after.is_none() && next.is_none();
    let covered = denoms
        .iter()
        .all(|d| d.balance >= d.liabilities && (!whole || d.held == d.held_by_orders));
    Ok(InvariantsResponse {
        ok: broken.is_empty() && covered,
        broken,
        next: next.map(|id| OrderId(*id)),
        denoms,
    })
}
