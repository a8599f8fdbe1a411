//! Who is told what staking does: distribution first, then slashing, as in the SDK's simapp.

use crate::{
    codec::dec::Dec,
    ctx::Ctx,
    error::Result,
    modules::{distribution::hooks, slashing, staking::hooks::Hooks},
};

/// Every module that wants to know.
#[derive(Debug, Clone, Copy)]
pub struct Told;

impl Hooks for Told {
    fn after_validator_created(&self, ctx: &Ctx, operator: &[u8]) -> Result<()> {
        hooks::after_validator_created(ctx, operator)?;
        slashing::keeper::after_validator_created(ctx, operator)
    }

    fn after_validator_removed(&self, ctx: &Ctx, cons: &[u8], operator: &[u8]) -> Result<()> {
        hooks::after_validator_removed(ctx, operator)?;
        slashing::keeper::after_validator_removed(ctx, cons)
    }

    fn after_validator_bonded(&self, ctx: &Ctx, cons: &[u8], _: &[u8]) -> Result<()> {
        slashing::keeper::after_validator_bonded(ctx, cons)
    }

    fn before_delegation_created(&self, ctx: &Ctx, _: &[u8], operator: &[u8]) -> Result<()> {
        hooks::before_delegation_created(ctx, operator)
    }

    fn before_delegation_shares_modified(
        &self,
        ctx: &Ctx,
        delegator: &[u8],
        operator: &[u8],
    ) -> Result<()> {
        hooks::before_delegation_shares_modified(ctx, delegator, operator)
    }

    fn after_delegation_modified(
        &self,
        ctx: &Ctx,
        delegator: &[u8],
        operator: &[u8],
    ) -> Result<()> {
        hooks::after_delegation_modified(ctx, delegator, operator)
    }

    fn before_validator_slashed(&self, ctx: &Ctx, operator: &[u8], fraction: &Dec) -> Result<()> {
        hooks::before_validator_slashed(ctx, operator, fraction)
    }
}
