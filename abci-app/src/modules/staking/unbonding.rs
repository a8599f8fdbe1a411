//! What unbonds: delegations and redelegations, their queues, and taking an unbonding back.

use super::{
    delegate::From,
    error,
    keeper::{Keeper, coins, pool},
    keys,
    store::{self, Kind},
    validator::{Status, nanos, timestamp},
};
use crate::{
    codec::dec::Dec,
    ctx::Event,
    error::{AppError, Result},
    modules::{auth, bank, stakes},
    store::prefix_end,
};
use cosmos_sdk_proto::cosmos::staking::v1beta1::{
    DvPair, DvPairs, DvvTriplet, DvvTriplets, Redelegation, RedelegationEntry, UnbondingDelegation,
    UnbondingDelegationEntry,
};

/// An amount of a record.
pub(super) fn amount(text: &str) -> Result<u128> {
    crate::codec::coins::amount(text)
}

impl Keeper<'_> {
    fn find_unbonding(
        &self,
        delegator: &[u8],
        operator: &[u8],
    ) -> Result<Option<UnbondingDelegation>> {
        store::get(self.ctx, &keys::of(keys::UNBONDING, &[delegator, operator]))
    }

    /// Stores an unbonding delegation, or removes it when nothing of it is left.
    pub(super) fn set_unbonding(&self, u: &UnbondingDelegation) -> Result<()> {
        let delegator = auth::keeper::addr(self.ctx, &u.delegator_address)?;
        let operator = stakes::operator(self.ctx, &u.validator_address)?;
        let key = keys::of(keys::UNBONDING, &[&delegator, &operator]);
        let index = keys::of(keys::UNBONDING_BY_VALIDATOR, &[&operator, &delegator]);
        if u.entries.is_empty() {
            self.ctx.remove(store::STORE, &key)?;
            return self.ctx.remove(store::STORE, &index);
        }
        store::set(self.ctx, &key, u)?;
        self.ctx.set(store::STORE, &index, Vec::new())
    }

    fn find_redelegation(
        &self,
        delegator: &[u8],
        from: &[u8],
        to: &[u8],
    ) -> Result<Option<Redelegation>> {
        store::get(
            self.ctx,
            &keys::of(keys::REDELEGATION, &[delegator, from, to]),
        )
    }

    /// Stores a redelegation, or removes it when nothing of it is left.
    pub(super) fn set_redelegation(&self, r: &Redelegation) -> Result<()> {
        let delegator = auth::keeper::addr(self.ctx, &r.delegator_address)?;
        let from = stakes::operator(self.ctx, &r.validator_src_address)?;
        let to = stakes::operator(self.ctx, &r.validator_dst_address)?;
        let key = keys::of(keys::REDELEGATION, &[&delegator, &from, &to]);
        let indexes = [
            keys::of(keys::REDELEGATION_BY_SOURCE, &[&from, &delegator, &to]),
            keys::of(keys::REDELEGATION_BY_DESTINATION, &[&to, &delegator, &from]),
        ];
        if r.entries.is_empty() {
            self.ctx.remove(store::STORE, &key)?;
            for index in indexes {
                self.ctx.remove(store::STORE, &index)?;
            }
            return Ok(());
        }
        store::set(self.ctx, &key, r)?;
        for index in indexes {
            self.ctx.set(store::STORE, &index, Vec::new())?;
        }
        Ok(())
    }

    /// Puts an unbonding delegation into the queue.
    pub(super) fn queue_unbonding(&self, u: &UnbondingDelegation, due_ns: u64) -> Result<()> {
        let key = keys::time(keys::UNBONDING_QUEUE, due_ns);
        let mut slice: DvPairs = store::get(self.ctx, &key)?.unwrap_or_default();
        slice.pairs.push(DvPair {
            delegator_address: u.delegator_address.clone(),
            validator_address: u.validator_address.clone(),
        });
        store::set(self.ctx, &key, &slice)
    }

    /// Puts a redelegation into the queue.
    pub(super) fn queue_redelegation(&self, r: &Redelegation, due_ns: u64) -> Result<()> {
        let key = keys::time(keys::REDELEGATION_QUEUE, due_ns);
        let mut slice: DvvTriplets = store::get(self.ctx, &key)?.unwrap_or_default();
        slice.triplets.push(DvvTriplet {
            delegator_address: r.delegator_address.clone(),
            validator_src_address: r.validator_src_address.clone(),
            validator_dst_address: r.validator_dst_address.clone(),
        });
        store::set(self.ctx, &key, &slice)
    }

    /// Begins to unbond shares; when they are due, nanoseconds, and the tokens that they are.
    ///
    /// # Errors
    /// staking/3, 21, 24, 27.
    pub fn undelegate(
        &self,
        delegator: &[u8],
        operator: &[u8],
        shares: &Dec,
    ) -> Result<(u64, u128)> {
        let v = store::validator(self.ctx, operator)?;
        let params = store::params(self.ctx)?;
        let running = self.find_unbonding(delegator, operator)?;
        let entries = running.as_ref().map_or(0, |u| u.entries.len());
        if entries >= params.max_entries as usize {
            return Err(error::max_unbonding_entries());
        }
        let tokens = self.take(delegator, operator, shares)?;
        if v.status == Status::Bonded {
            self.between_pools(Status::Bonded, Status::Unbonding, tokens)?;
        }
        let due = self.now().saturating_add(params.unbonding_ns);
        let id = store::next_unbonding_id(self.ctx)?;
        let mut u = running.unwrap_or(UnbondingDelegation {
            delegator_address: auth::keeper::human(self.ctx, delegator)?,
            validator_address: v.name,
            entries: Vec::new(),
        });
        let height = i64::try_from(self.ctx.block.height).unwrap_or(i64::MAX);
        let same = u
            .entries
            .iter_mut()
            .find(|e| e.creation_height == height && nanos(e.completion_time) == due);
        let is_new = same.is_none();
        match same {
            // Those of one block are one entry.
            Some(e) => {
                e.balance = (amount(&e.balance)? + tokens).to_string();
                e.initial_balance = (amount(&e.initial_balance)? + tokens).to_string();
            }
            None => u.entries.push(UnbondingDelegationEntry {
                creation_height: height,
                completion_time: Some(timestamp(due)),
                initial_balance: tokens.to_string(),
                balance: tokens.to_string(),
                unbonding_id: id,
                unbonding_on_hold_ref_count: 0,
            }),
        }
        self.set_unbonding(&u)?;
        if is_new {
            let key = keys::of(keys::UNBONDING, &[delegator, operator]);
            store::set_unbonding(self.ctx, id, key, Kind::Delegation)?;
        }
        self.queue_unbonding(&u, due)?;
        Ok((due, tokens))
    }

    /// Moves shares from one validator to another; when the source is no longer liable for them, nanoseconds.
    ///
    /// # Errors
    /// staking/21, 24, 29 to 34, 44.
    pub fn redelegate(
        &self,
        delegator: &[u8],
        from: &[u8],
        to: &[u8],
        shares: &Dec,
    ) -> Result<u64> {
        if from == to {
            return Err(error::self_redelegation());
        }
        let mut target = store::find_validator(self.ctx, to)?.ok_or_else(error::bad_destination)?;
        let source = store::find_validator(self.ctx, from)?.ok_or_else(error::bad_source)?;
        let receiving = keys::of(keys::REDELEGATION_BY_DESTINATION, &[from, delegator]);
        if !store::scan(self.ctx, &receiving)?.is_empty() {
            return Err(error::transitive_redelegation());
        }
        let params = store::params(self.ctx)?;
        let running = self.find_redelegation(delegator, from, to)?;
        let entries = running.as_ref().map_or(0, |r| r.entries.len());
        if entries >= params.max_entries as usize {
            return Err(error::max_redelegation_entries());
        }
        let tokens = self.take(delegator, from, shares)?;
        if tokens == 0 {
            return Err(error::tiny_redelegation());
        }
        let issued = self.delegate(delegator, tokens, From::Pool(source.status), &mut target)?;
        // The source as it is now: it is gone when these were its last shares and it was not liable.
        let Some(left) = store::find_validator(self.ctx, from)? else {
            return Err(error::no_validator());
        };
        let (due, height) = match left.status {
            Status::Bonded => (
                self.now().saturating_add(params.unbonding_ns),
                self.ctx.block.height,
            ),
            Status::Unbonding => (left.unbonding_ns, left.unbonding_height),
            // Nothing is at stake any more.
            Status::Unbonded => return Ok(0),
        };
        let id = store::next_unbonding_id(self.ctx)?;
        let mut r = running.unwrap_or(Redelegation {
            delegator_address: auth::keeper::human(self.ctx, delegator)?,
            validator_src_address: source.name,
            validator_dst_address: target.name,
            entries: Vec::new(),
        });
        r.entries.push(RedelegationEntry {
            creation_height: i64::try_from(height).unwrap_or(i64::MAX),
            completion_time: Some(timestamp(due)),
            initial_balance: tokens.to_string(),
            shares_dst: issued.to_proto(),
            unbonding_id: id,
            unbonding_on_hold_ref_count: 0,
        });
        self.set_redelegation(&r)?;
        let key = keys::of(keys::REDELEGATION, &[delegator, from, to]);
        store::set_unbonding(self.ctx, id, key, Kind::Redelegation)?;
        self.queue_redelegation(&r, due)?;
        Ok(due)
    }

    /// Delegates again what unbonds since a height.
    ///
    /// # Errors
    /// staking/3, 7, 34; sdk/18 when it is less or due; sdk/38, sdk/22 when nothing unbonds.
    pub fn cancel(
        &self,
        delegator: &[u8],
        operator: &[u8],
        tokens: u128,
        height: i64,
    ) -> Result<()> {
        let mut v = store::validator(self.ctx, operator)?;
        if v.has_bad_exchange_rate() {
            return Err(error::bad_exchange_rate());
        }
        if v.jailed {
            return Err(error::jailed());
        }
        let Some(mut u) = self.find_unbonding(delegator, operator)? else {
            return Err(AppError::key_not_found(format_args!(
                "rpc error: code = NotFound desc = unbonding delegation with delegator {} not found for validator {}",
                auth::keeper::human(self.ctx, delegator)?,
                v.name
            )));
        };
        let at = u.entries.iter().position(|e| e.creation_height == height);
        let Some(at) = at else {
            return Err(AppError::not_found(format_args!(
                "unbonding delegation entry is not found at block height {height}"
            )));
        };
        let entry = u.entries[at].clone();
        let left = amount(&entry.balance)?.checked_sub(tokens).ok_or_else(|| {
            AppError::invalid_request(
                "amount is greater than the unbonding delegation entry balance",
            )
        })?;
        if nanos(entry.completion_time) < self.now() {
            return Err(AppError::invalid_request(
                "unbonding delegation is already processed",
            ));
        }
        self.delegate(delegator, tokens, From::Pool(Status::Unbonding), &mut v)?;
        if left == 0 {
            u.entries.remove(at);
        } else {
            let initial = amount(&entry.initial_balance)?.saturating_sub(tokens);
            u.entries[at].balance = left.to_string();
            u.entries[at].initial_balance = initial.to_string();
        }
        self.set_unbonding(&u)
    }

    /// What is due of the queue below `prefix`, taken out of it.
    fn due(&self, prefix: u8) -> Result<Vec<Vec<u8>>> {
        let last = keys::time(prefix, self.now());
        let slices = store::between(self.ctx, &[prefix], prefix_end(&last).as_deref())?;
        let mut out = Vec::new();
        for (key, value) in slices {
            self.ctx.remove(store::STORE, &key)?;
            out.push(value);
        }
        Ok(out)
    }

    /// Pays out what has unbonded, and ends redelegations whose time is over. In every block.
    ///
    /// # Errors
    /// When the state is broken.
    pub(super) fn complete(&self) -> Result<()> {
        let denom = store::params(self.ctx)?.bond_denom;
        let mut pairs = Vec::new();
        for slice in self.due(keys::UNBONDING_QUEUE)? {
            let slice: DvPairs =
                prost::Message::decode(slice.as_slice()).map_err(AppError::tx_decode)?;
            pairs.extend(slice.pairs);
        }
        for pair in pairs {
            // A pair stands in the queue once for each of its entries: the first completes all.
            let Some(paid) = self.complete_unbonding(&pair, &denom)? else {
                continue;
            };
            self.ctx.emit(
                Event::new("complete_unbonding")
                    .attr("amount", crate::codec::coins::display(&coins(&denom, paid)))
                    .attr("validator", pair.validator_address)
                    .attr("delegator", pair.delegator_address),
            );
        }
        let mut triplets = Vec::new();
        for slice in self.due(keys::REDELEGATION_QUEUE)? {
            let slice: DvvTriplets =
                prost::Message::decode(slice.as_slice()).map_err(AppError::tx_decode)?;
            triplets.extend(slice.triplets);
        }
        for t in triplets {
            let Some(ended) = self.complete_redelegation(&t)? else {
                continue;
            };
            self.ctx.emit(
                Event::new("complete_redelegation")
                    .attr(
                        "amount",
                        crate::codec::coins::display(&coins(&denom, ended)),
                    )
                    .attr("delegator", t.delegator_address)
                    .attr("source_validator", t.validator_src_address)
                    .attr("destination_validator", t.validator_dst_address),
            );
        }
        Ok(())
    }

    fn complete_unbonding(&self, pair: &DvPair, denom: &str) -> Result<Option<u128>> {
        let delegator = auth::keeper::addr(self.ctx, &pair.delegator_address)?;
        let operator = stakes::operator(self.ctx, &pair.validator_address)?;
        let Some(mut u) = self.find_unbonding(&delegator, &operator)? else {
            return Ok(None);
        };
        let (done, left) = u
            .entries
            .into_iter()
            .partition(|e| nanos(e.completion_time) <= self.now());
        u.entries = left;
        let mut paid = 0;
        for e in done as Vec<UnbondingDelegationEntry> {
            store::remove_unbonding(self.ctx, e.unbonding_id)?;
            let balance = amount(&e.balance)?;
            if balance > 0 {
                let from = pool(Status::Unbonding);
                bank::keeper::undelegate(self.ctx, &from, &delegator, &coins(denom, balance))?;
                paid += balance;
            }
        }
        self.set_unbonding(&u)?;
        Ok(Some(paid))
    }

    fn complete_redelegation(&self, t: &DvvTriplet) -> Result<Option<u128>> {
        let delegator = auth::keeper::addr(self.ctx, &t.delegator_address)?;
        let from = stakes::operator(self.ctx, &t.validator_src_address)?;
        let to = stakes::operator(self.ctx, &t.validator_dst_address)?;
        let Some(mut r) = self.find_redelegation(&delegator, &from, &to)? else {
            return Ok(None);
        };
        let (done, left) = r
            .entries
            .into_iter()
            .partition(|e| nanos(e.completion_time) <= self.now());
        r.entries = left;
        let mut ended = 0;
        for e in done as Vec<RedelegationEntry> {
            store::remove_unbonding(self.ctx, e.unbonding_id)?;
            ended += amount(&e.initial_balance)?;
        }
        self.set_redelegation(&r)?;
        Ok(Some(ended))
    }
}
