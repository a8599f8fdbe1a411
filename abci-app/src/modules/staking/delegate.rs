//! Delegating, and taking shares away.

use super::{
    error,
    keeper::{Keeper, coins, pool},
    keys, store,
    validator::{Status, Validator},
};
use crate::{
    codec::dec::Dec,
    error::{AppError, Result},
    modules::{auth, bank},
};
use cosmos_sdk_proto::cosmos::staking::v1beta1::Delegation;

/// Where delegated tokens come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// The delegator's account.
    Account,
    /// The pool of a state: a redelegation, or an unbonding that was cancelled.
    Pool(Status),
}

impl Keeper<'_> {
    /// Delegates; the shares issued. `v` is changed as its record is.
    ///
    /// # Errors
    /// staking/34, sdk/5, a hook's.
    pub fn delegate(
        &self,
        delegator: &[u8],
        amount: u128,
        from: From,
        v: &mut Validator,
    ) -> Result<Dec> {
        if v.has_bad_exchange_rate() {
            return Err(error::bad_exchange_rate());
        }
        let had = store::delegation(self.ctx, delegator, &v.operator)?;
        match had {
            Some(_) => {
                self.hooks
                    .before_delegation_shares_modified(self.ctx, delegator, &v.operator)?
            }
            None => self
                .hooks
                .before_delegation_created(self.ctx, delegator, &v.operator)?,
        }
        let liable = |s| s == Status::Bonded;
        match from {
            From::Account => {
                let denom = store::params(self.ctx)?.bond_denom;
                let coins = coins(&denom, amount);
                bank::keeper::delegate(self.ctx, delegator, &pool(v.status), &coins)?;
            }
            From::Pool(status) if liable(status) != liable(v.status) => {
                self.between_pools(status, v.status, amount)?;
            }
            From::Pool(_) => {}
        }
        let issued = store::change_tokens(self.ctx, v, |v| v.add_tokens(amount))?;
        let shares = &had.unwrap_or_default() + &issued;
        self.set_delegation(delegator, v, &shares)?;
        self.hooks
            .after_delegation_modified(self.ctx, delegator, &v.operator)?;
        Ok(issued)
    }

    fn set_delegation(&self, delegator: &[u8], v: &Validator, shares: &Dec) -> Result<()> {
        let record = Delegation {
            delegator_address: auth::keeper::human(self.ctx, delegator)?,
            validator_address: v.name.clone(),
            shares: shares.to_proto(),
        };
        let key = keys::of(keys::DELEGATION, &[delegator, &v.operator]);
        store::set(self.ctx, &key, &record)?;
        let key = keys::delegation_by_validator(&v.operator, delegator);
        self.ctx.set(store::STORE, &key, Vec::new())
    }

    /// Takes shares away; the tokens that went with them, which stay in the pool (`Unbond`).
    ///
    /// # Errors
    /// staking/3, 21, 24, a hook's.
    pub(super) fn take(&self, delegator: &[u8], operator: &[u8], shares: &Dec) -> Result<u128> {
        let has =
            store::delegation(self.ctx, delegator, operator)?.ok_or_else(error::no_delegator)?;
        self.hooks
            .before_delegation_shares_modified(self.ctx, delegator, operator)?;
        if has < *shares {
            return Err(AppError::new(
                "staking",
                24,
                format!("{has}: not enough delegation shares"),
            ));
        }
        let mut v = store::validator(self.ctx, operator)?;
        let left = &has - shares;
        if delegator == operator
            && !v.jailed
            && v.tokens_from_shares(&left)?.truncate_u128()? < v.min_self_delegation
        {
            self.jail(&mut v)?;
        }
        if left.is_zero() {
            let key = keys::of(keys::DELEGATION, &[delegator, operator]);
            self.ctx.remove(store::STORE, &key)?;
            let key = keys::delegation_by_validator(operator, delegator);
            self.ctx.remove(store::STORE, &key)?;
        } else {
            self.set_delegation(delegator, &v, &left)?;
            self.hooks
                .after_delegation_modified(self.ctx, delegator, operator)?;
        }
        let tokens = store::change_tokens(self.ctx, &mut v, |v| v.remove_shares(shares))?;
        if v.shares.is_zero() && v.status == Status::Unbonded {
            self.remove_validator(&v)?;
        }
        Ok(tokens)
    }
}
