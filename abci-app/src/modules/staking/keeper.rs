//! What changes staking's records: a context and who is told. The files beside this one add to [`Keeper`].

use super::{
    error,
    hooks::Hooks,
    store,
    validator::{Status, Validator},
};
use crate::{
    codec::{address, dec::Dec},
    ctx::Ctx,
    error::Result,
    modules::bank,
};

/// The account of what is bonded.
pub const BONDED_POOL: &str = "bonded_tokens_pool";
/// The account of what is delegated and not bonded, and of what unbonds.
pub const NOT_BONDED_POOL: &str = "not_bonded_tokens_pool";

/// The module at work on a context.
#[derive(Clone, Copy)]
pub struct Keeper<'a> {
    /// The state.
    pub ctx: &'a Ctx,
    /// Who is told.
    pub hooks: &'a dyn Hooks,
}

/// The account of validators that stand so.
pub fn pool(status: Status) -> Vec<u8> {
    address::module(match status {
        Status::Bonded => BONDED_POOL,
        Status::Unbonding | Status::Unbonded => NOT_BONDED_POOL,
    })
}

/// An amount of the staking coin.
pub(super) fn coins(denom: &str, amount: u128) -> Vec<(String, u128)> {
    match amount {
        0 => Vec::new(),
        amount => vec![(denom.to_owned(), amount)],
    }
}

/// Goes on after an error that the SDK only logs, unless gas ran out.
///
/// # Errors
/// sdk/11.
pub(super) fn only_logged(result: Result<()>) -> Result<()> {
    match result {
        Err(e) if e.is_out_of_gas() => Err(e),
        Err(e) => {
            tracing::error!(error = %e, "a staking hook failed");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

impl Keeper<'_> {
    /// Nanoseconds of the block.
    pub(super) fn now(&self) -> u64 {
        self.ctx.block.time_ns
    }

    /// Moves the staking coin from the pool of one state to that of another.
    ///
    /// # Errors
    /// sdk/5 when the pool has less: a broken node.
    pub(super) fn between_pools(&self, from: Status, to: Status, amount: u128) -> Result<()> {
        if amount == 0 {
            return Ok(());
        }
        let denom = store::params(self.ctx)?.bond_denom;
        let coins = coins(&denom, amount);
        bank::keeper::send(self.ctx, &pool(from), &pool(to), &coins)
    }

    /// Destroys the staking coin of a pool.
    ///
    /// # Errors
    /// sdk/5 when the pool has less: a broken node.
    pub(super) fn burn(&self, from: Status, amount: u128) -> Result<()> {
        if amount == 0 {
            return Ok(());
        }
        let denom = store::params(self.ctx)?.bond_denom;
        bank::keeper::burn(self.ctx, &pool(from), &coins(&denom, amount))
    }

    /// Removes a validator that nobody delegates to.
    ///
    /// # Errors
    /// staking/8 when it is liable or has tokens.
    pub(super) fn remove_validator(&self, v: &Validator) -> Result<()> {
        let bad = |text| {
            crate::error::AppError::new("staking", 8, format!("{text}: failed to remove validator"))
        };
        if v.status != Status::Unbonded {
            return Err(bad(
                "cannot call RemoveValidator on bonded or unbonding validators",
            ));
        }
        if v.tokens > 0 {
            return Err(bad(
                "attempting to remove a validator which still contains tokens",
            ));
        }
        let key = super::keys::of(super::keys::VALIDATOR, &[&v.operator]);
        self.ctx.remove(store::STORE, &key)?;
        let key = super::keys::of(super::keys::BY_CONS, &[&v.cons()]);
        self.ctx.remove(store::STORE, &key)?;
        store::remove_by_power(self.ctx, v)?;
        only_logged(
            self.hooks
                .after_validator_removed(self.ctx, &v.cons(), &v.operator),
        )
    }

    /// Takes a validator out of the order of powers until it is unjailed.
    ///
    /// # Errors
    /// staking/7 when it is jailed.
    pub fn jail(&self, v: &mut Validator) -> Result<()> {
        if v.jailed {
            return Err(error::wrap(
                error::jailed(),
                "cannot jail already jailed validator",
            ));
        }
        v.jailed = true;
        store::set_validator(self.ctx, v)?;
        store::remove_by_power(self.ctx, v)
    }

    /// Puts a validator back into the order of powers.
    ///
    /// # Errors
    /// undefined/1 when it is not jailed.
    pub fn unjail(&self, v: &mut Validator) -> Result<()> {
        if !v.jailed {
            return Err(error::plain("cannot unjail already unjailed validator"));
        }
        v.jailed = false;
        store::set_validator(self.ctx, v)?;
        store::set_by_power(self.ctx, v)
    }

    /// Makes a validator that nobody delegates to yet.
    ///
    /// # Errors
    /// A hook's.
    pub fn create(&self, v: &Validator) -> Result<()> {
        store::set_validator(self.ctx, v)?;
        store::set_by_cons(self.ctx, v)?;
        store::set_by_power(self.ctx, v)?;
        self.hooks.after_validator_created(self.ctx, &v.operator)
    }

    /// The shares that an amount to be taken away has, at most the delegation's (`ValidateUnbondAmount`).
    ///
    /// # Errors
    /// staking/3, 19, 22; sdk/18 when the delegation has less.
    pub fn shares_to_take(&self, delegator: &[u8], operator: &[u8], amount: u128) -> Result<Dec> {
        let v = store::validator(self.ctx, operator)?;
        let has =
            store::delegation(self.ctx, delegator, operator)?.ok_or_else(error::no_delegation)?;
        let shares = v.shares_from_tokens(amount)?;
        if shares > has {
            return Err(crate::error::AppError::invalid_request(
                "invalid shares amount",
            ));
        }
        Ok(shares)
    }
}
