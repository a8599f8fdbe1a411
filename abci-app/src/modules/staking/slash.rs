//! Slashing: a fraction of what was at stake at the infraction is burned, wherever it is now.

use super::{
    error,
    keeper::{Keeper, only_logged},
    keys, store,
    unbonding::amount,
    validator::{POWER_REDUCTION, Status, nanos},
};
use crate::{
    codec::dec::Dec,
    error::{AppError, Result},
    modules::{auth, stakes},
};
use cosmos_sdk_proto::cosmos::staking::v1beta1::{Redelegation, UnbondingDelegation};
use prost::Message;

impl Keeper<'_> {
    /// Slashes the validator of a key's address for what it did at a height with a power: what was burned of its own
    /// tokens. What unbonds or was redelegated from it since is slashed too.
    ///
    /// # Errors
    /// undefined/1 for a negative fraction, a height that is not yet, or a validator that is not liable.
    pub fn slash(&self, cons: &[u8], height: u64, power: u64, fraction: &Dec) -> Result<u128> {
        if fraction.is_negative() {
            return Err(error::plain(format_args!(
                "attempted to slash with a negative slash factor: {fraction}"
            )));
        }
        let at_stake = u128::from(power) * POWER_REDUCTION;
        let mut left = Dec::from_int(at_stake).mul(fraction).truncate_u128()?;
        let Some(mut v) = store::validator_by_cons(self.ctx, cons)? else {
            tracing::error!("ignored attempt to slash a nonexistent validator");
            return Ok(0);
        };
        if v.status == Status::Unbonded {
            return Err(error::plain(format_args!(
                "should not be slashing unbonded validator: {}",
                v.name
            )));
        }
        let now = self.ctx.block.height;
        if height > now {
            return Err(error::plain(format_args!(
                "impossible attempt to slash future infraction at height {height} but we are at height {now}"
            )));
        }
        if height < now {
            for u in self.unbondings_from(&v.operator)? {
                left = left.saturating_sub(self.slash_unbonding(u, height, fraction)?);
            }
            for r in self.redelegations_from(&v.operator)? {
                left = left.saturating_sub(self.slash_redelegation(&r, height, fraction)?);
            }
            // A redelegation back, slashed just now, may have changed it.
            v = store::validator(self.ctx, &v.operator)?;
        }
        let burned = left.min(v.tokens);
        if burned == 0 {
            return Ok(0);
        }
        let effective = Dec::from_int(burned).quo_round_up(&Dec::from_int(v.tokens))?;
        let effective = effective.min(Dec::one());
        only_logged(
            self.hooks
                .before_validator_slashed(self.ctx, &v.operator, &effective),
        )?;
        store::change_tokens(self.ctx, &mut v, |v| {
            v.tokens -= burned;
            Ok(())
        })?;
        self.burn(v.status, burned)?;
        Ok(burned)
    }

    fn unbondings_from(&self, operator: &[u8]) -> Result<Vec<UnbondingDelegation>> {
        let mut out = Vec::new();
        for (key, _) in store::scan(
            self.ctx,
            &keys::of(keys::UNBONDING_BY_VALIDATOR, &[operator]),
        )? {
            if let [validator, delegator] = keys::addresses(&key).as_slice() {
                let key = keys::of(keys::UNBONDING, &[delegator, validator]);
                out.extend(store::get::<UnbondingDelegation>(self.ctx, &key)?);
            }
        }
        Ok(out)
    }

    fn redelegations_from(&self, operator: &[u8]) -> Result<Vec<Redelegation>> {
        let mut out = Vec::new();
        for (key, _) in store::scan(
            self.ctx,
            &keys::of(keys::REDELEGATION_BY_SOURCE, &[operator]),
        )? {
            if let [from, delegator, to] = keys::addresses(&key).as_slice() {
                let key = keys::of(keys::REDELEGATION, &[delegator, from, to]);
                let bytes = self.ctx.get(store::STORE, &key)?;
                let record = bytes.map(|b| Redelegation::decode(b.as_slice()));
                out.extend(record.transpose().map_err(AppError::tx_decode)?);
            }
        }
        Ok(out)
    }

    /// Whether an entry was at stake at the infraction and still is liable.
    fn is_liable(&self, created: i64, due_ns: u64, infraction: u64) -> bool {
        u64::try_from(created).is_ok_and(|c| c >= infraction) && due_ns > self.now()
    }

    fn slash_unbonding(
        &self,
        mut u: UnbondingDelegation,
        infraction: u64,
        fraction: &Dec,
    ) -> Result<u128> {
        let (mut total, mut burned) = (0u128, 0u128);
        for e in &mut u.entries {
            if !self.is_liable(e.creation_height, nanos(e.completion_time), infraction) {
                continue;
            }
            let share = fraction
                .mul_int(amount(&e.initial_balance)?)
                .truncate_u128()?;
            total += share;
            let balance = amount(&e.balance)?;
            let gone = share.min(balance);
            burned += gone;
            e.balance = (balance - gone).to_string();
        }
        if burned > 0 {
            self.set_unbonding(&u)?;
        }
        self.burn(Status::Unbonding, burned)?;
        Ok(total)
    }

    fn slash_redelegation(
        &self,
        r: &Redelegation,
        infraction: u64,
        fraction: &Dec,
    ) -> Result<u128> {
        let delegator = auth::keeper::addr(self.ctx, &r.delegator_address)?;
        let to = stakes::operator(self.ctx, &r.validator_dst_address)?;
        let (mut total, mut bonded, mut unbonding) = (0u128, 0u128, 0u128);
        for e in &r.entries {
            if !self.is_liable(e.creation_height, nanos(e.completion_time), infraction) {
                continue;
            }
            let mut share = fraction
                .mul_int(amount(&e.initial_balance)?)
                .truncate_u128()?;
            total += share;
            // What was redelegated may unbond from its new validator by now.
            let key = keys::of(keys::UNBONDING, &[&delegator, &to]);
            if let Some(mut u) = store::get::<UnbondingDelegation>(self.ctx, &key)? {
                for e in &mut u.entries {
                    if !self.is_liable(e.creation_height, nanos(e.completion_time), infraction) {
                        continue;
                    }
                    let balance = amount(&e.balance)?;
                    let gone = share.min(balance);
                    share -= gone;
                    unbonding += gone;
                    e.balance = (balance - gone).to_string();
                }
                self.set_unbonding(&u)?;
            }
            let shares = fraction.mul(&Dec::from_proto(&e.shares_dst)?);
            if shares.is_zero() || share == 0 {
                continue;
            }
            let Some(has) = store::delegation(self.ctx, &delegator, &to)? else {
                continue;
            };
            let tokens = self.take(&delegator, &to, &shares.min(has))?;
            match store::validator(self.ctx, &to)?.status {
                Status::Bonded => bonded += tokens,
                Status::Unbonding | Status::Unbonded => unbonding += tokens,
            }
        }
        self.burn(Status::Bonded, bonded)?;
        self.burn(Status::Unbonding, unbonding)?;
        Ok(total)
    }
}
