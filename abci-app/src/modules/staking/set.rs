//! The validator set: who is in it, and what CometBFT is told of changes. In every block.

use super::{
    error,
    keeper::Keeper,
    keys,
    store::{self, Kind},
    validator::{Status, Validator},
};
use crate::{
    error::{AppError, Result},
    modules::stakes,
    store::prefix_end,
};
use cosmos_sdk_proto::cosmos::staking::v1beta1::ValAddresses;
use std::collections::BTreeMap;
use tendermint_proto::v0_38::abci::ValidatorUpdate;

impl Keeper<'_> {
    /// After a block's transactions: the changes of the set, and what is due.
    ///
    /// # Errors
    /// When the state is broken: the node must stop.
    pub fn end_block(&self) -> Result<Vec<ValidatorUpdate>> {
        let updates = self.update_set()?;
        self.complete_validators()?;
        self.complete()?;
        Ok(updates)
    }

    /// Sees that the greatest powers are the set (`ApplyAndReturnValidatorSetUpdates`): what changed.
    ///
    /// # Errors
    /// When the state is broken.
    pub fn update_set(&self) -> Result<Vec<ValidatorUpdate>> {
        let max = store::params(self.ctx)?.max_validators;
        let mut last: BTreeMap<Vec<u8>, u64> = store::last_powers(self.ctx)?.into_iter().collect();
        let mut chosen = Vec::new();
        store::by_power(self.ctx, |v| {
            if v.potential_power() == 0 || chosen.len() >= max as usize {
                return Ok(false);
            }
            chosen.push(v);
            Ok(true)
        })?;
        let (mut updates, mut total) = (Vec::new(), 0u128);
        let (mut joined, mut left) = (0u128, 0u128);
        for mut v in chosen {
            if v.jailed {
                return Err(error::plain(
                    "should never retrieve a jailed validator from the power store",
                ));
            }
            if v.status != Status::Bonded {
                self.bond(&mut v)?;
                joined += v.tokens;
            }
            let power = v.power();
            if last.remove(&v.operator) != Some(power) {
                updates.push(v.update(power));
                store::set_last_power(self.ctx, &v.operator, Some(power))?;
            }
            total += u128::from(power);
        }
        // In the order of their operators: every node must say the same.
        for operator in last.into_keys() {
            let mut v = store::validator(self.ctx, &operator)?;
            self.begin_unbonding(&mut v)?;
            left += v.tokens;
            store::set_last_power(self.ctx, &operator, None)?;
            updates.push(v.update(0));
        }
        let (unbonding, bonded) = (Status::Unbonding, Status::Bonded);
        if joined > left {
            self.between_pools(unbonding, bonded, joined - left)?;
        } else {
            self.between_pools(bonded, unbonding, left - joined)?;
        }
        if !updates.is_empty() {
            store::set_last_total_power(self.ctx, &total.to_string())?;
        }
        Ok(updates)
    }

    fn bond(&self, v: &mut Validator) -> Result<()> {
        v.status = Status::Bonded;
        store::set_validator(self.ctx, v)?;
        store::set_by_power(self.ctx, v)?;
        self.unqueue(v)?;
        self.hooks
            .after_validator_bonded(self.ctx, &v.cons(), &v.operator)
    }

    fn begin_unbonding(&self, v: &mut Validator) -> Result<()> {
        if v.status != Status::Bonded {
            return Err(error::plain(format_args!(
                "bad state transition bondedToUnbonding, validator: {}",
                v.name
            )));
        }
        let params = store::params(self.ctx)?;
        let id = store::next_unbonding_id(self.ctx)?;
        v.status = Status::Unbonding;
        v.unbonding_ns = self.now().saturating_add(params.unbonding_ns);
        v.unbonding_height = self.ctx.block.height;
        v.unbonding_ids.push(id);
        store::set_validator(self.ctx, v)?;
        self.queue(v)?;
        let key = keys::of(keys::VALIDATOR, &[&v.operator]);
        store::set_unbonding(self.ctx, id, key, Kind::Validator)
    }

    /// Puts a validator into the queue of those that unbond.
    pub(super) fn queue(&self, v: &Validator) -> Result<()> {
        let key = keys::validator_queue(v.unbonding_ns, v.unbonding_height);
        let mut slice: ValAddresses = store::get(self.ctx, &key)?.unwrap_or_default();
        slice.addresses.push(v.name.clone());
        store::set(self.ctx, &key, &slice)
    }

    /// Takes a validator out of the queue of those that unbond.
    fn unqueue(&self, v: &Validator) -> Result<()> {
        let key = keys::validator_queue(v.unbonding_ns, v.unbonding_height);
        let mut slice: ValAddresses = store::get(self.ctx, &key)?.unwrap_or_default();
        slice.addresses.retain(|name| *name != v.name);
        if slice.addresses.is_empty() {
            return self.ctx.remove(store::STORE, &key);
        }
        store::set(self.ctx, &key, &slice)
    }

    /// Validators that are no longer liable (`UnbondAllMatureValidators`).
    fn complete_validators(&self) -> Result<()> {
        let (now, height) = (keys::sortable(self.now()), self.ctx.block.height);
        let end = prefix_end(&keys::validator_queue(self.now(), height));
        for (key, slice) in store::between(self.ctx, &[keys::VALIDATOR_QUEUE], end.as_deref())? {
            let due = keys::parse_validator_queue(&key);
            if !due.is_some_and(|(at, since)| at <= now && since <= height) {
                continue;
            }
            let slice: ValAddresses =
                prost::Message::decode(slice.as_slice()).map_err(AppError::tx_decode)?;
            for name in slice.addresses {
                let operator = stakes::operator(self.ctx, &name)?;
                let mut v = store::find_validator(self.ctx, &operator)?.ok_or_else(|| {
                    error::wrap(
                        error::no_validator(),
                        "validator in the unbonding queue was not found",
                    )
                })?;
                if v.status != Status::Unbonding {
                    return Err(error::plain(
                        "unexpected validator in unbonding queue; status was not unbonding",
                    ));
                }
                for id in &v.unbonding_ids {
                    store::remove_unbonding(self.ctx, *id)?;
                }
                v.status = Status::Unbonded;
                v.unbonding_ids.clear();
                store::set_validator(self.ctx, &v)?;
                if v.shares.is_zero() {
                    self.remove_validator(&v)?;
                }
                self.unqueue(&v)?;
            }
        }
        Ok(())
    }
}
