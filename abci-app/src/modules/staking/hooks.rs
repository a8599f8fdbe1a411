//! Whom staking tells what it does (`StakingHooks`): the application composes them of distribution and slashing.

use crate::{codec::dec::Dec, ctx::Ctx, error::Result};

/// What is told. Everything may be left out.
#[allow(unused_variables, reason = "an empty default needs none of them")]
pub trait Hooks {
    /// A validator was created.
    ///
    /// # Errors
    /// Fails the message.
    fn after_validator_created(&self, ctx: &Ctx, operator: &[u8]) -> Result<()> {
        Ok(())
    }

    /// A validator was removed: nobody delegates to it.
    ///
    /// # Errors
    /// Is logged.
    fn after_validator_removed(&self, ctx: &Ctx, cons: &[u8], operator: &[u8]) -> Result<()> {
        Ok(())
    }

    /// A validator joins the set.
    ///
    /// # Errors
    /// Stops the node.
    fn after_validator_bonded(&self, ctx: &Ctx, cons: &[u8], operator: &[u8]) -> Result<()> {
        Ok(())
    }

    /// A delegation is about to be made.
    ///
    /// # Errors
    /// Fails the message.
    fn before_delegation_created(
        &self,
        ctx: &Ctx,
        delegator: &[u8],
        operator: &[u8],
    ) -> Result<()> {
        Ok(())
    }

    /// A delegation is about to get other shares, or to end.
    ///
    /// # Errors
    /// Fails the message.
    fn before_delegation_shares_modified(
        &self,
        ctx: &Ctx,
        delegator: &[u8],
        operator: &[u8],
    ) -> Result<()> {
        Ok(())
    }

    /// A delegation was made, or has other shares.
    ///
    /// # Errors
    /// Fails the message.
    fn after_delegation_modified(
        &self,
        ctx: &Ctx,
        delegator: &[u8],
        operator: &[u8],
    ) -> Result<()> {
        Ok(())
    }

    /// A validator is about to lose a fraction of its tokens.
    ///
    /// # Errors
    /// Is logged.
    fn before_validator_slashed(&self, ctx: &Ctx, operator: &[u8], fraction: &Dec) -> Result<()> {
        Ok(())
    }
}

/// Nobody is told.
#[derive(Debug, Clone, Copy)]
pub struct NoHooks;

impl Hooks for NoHooks {}
