//! Contracts' life: instantiate, execute, migrate, sudo, reply, query, and their admin.

use super::{
    address, coins,
    events::CONTRACT,
    fail::{Code, Fail, Res},
    gas_register,
    keeper::{Keeper, Loaded},
    keys,
    ports::Account,
    state,
};
use crate::{ctx::Event, error::AppError};
use cosmos_sdk_proto::{
    cosmos::base::v1beta1::Coin,
    cosmwasm::wasm::v1::{
        ContractCodeHistoryEntry, ContractCodeHistoryOperationType, ContractInfo,
    },
};
use cosmwasm_std::{Addr, Binary, ContractResult, MessageInfo, MigrateInfo, Reply, Response};
use serde_json::Value;

/// A contract's answer. Custom messages are read as any JSON, so that they are refused one by one.
pub(super) type Answer = Response<Value>;

/// How a new contract gets its address.
pub(super) enum Naming<'a> {
    /// From counters.
    Classic,
    /// From the creator's salt, and the message where the creator fixed it.
    Predictable {
        salt: &'a [u8],
        fixed: Option<&'a [u8]>,
    },
}

/// What is instantiated.
pub(super) struct NewContract<'a> {
    pub code_id: u64,
    pub creator: &'a [u8],
    /// Empty for none.
    pub admin: &'a str,
    pub label: &'a str,
    pub msg: &'a [u8],
    pub funds: &'a [Coin],
    pub naming: Naming<'a>,
}

impl Keeper {
    fn info(&self, sender: &[u8], funds: &[Coin]) -> Res<Vec<u8>> {
        let info = MessageInfo {
            sender: Addr::unchecked(self.human(sender)?),
            funds: coins::for_contract(funds)?,
        };
        cosmwasm_vm::to_vec(&info).map_err(|e| super::vm::vm_error(&e))
    }

    /// Make a contract; its address and data.
    ///
    /// # Errors
    /// wasm/3, /4, /15, /28, /29, sdk/4, and those of its messages.
    pub fn instantiate(&self, new: &NewContract<'_>) -> Res<(Vec<u8>, Option<Vec<u8>>)> {
        let ctx = &self.ctx;
        let code = state::must_code(ctx, new.code_id)?;
        let checksum = state::checksum(&code)?;
        self.charge_setup(
            &checksum,
            new.code_id,
            "Loading CosmWasm module: instantiate",
        )?;
        let creator = self.human(new.creator)?;
        let policy = self.policy(new.creator);
        if !policy.may_instantiate(code.instantiate_config.as_ref(), &creator) {
            return Err(AppError::unauthorized("can not instantiate").into());
        }
        let addr = match new.naming {
            Naming::Classic => {
                address::classic(new.code_id, state::next_sequence(ctx, keys::SEQ_INSTANCE)?)
            }
            Naming::Predictable { salt, fixed } => address::predictable(
                checksum.as_slice(),
                new.creator,
                salt,
                fixed.unwrap_or_default(),
            ),
        };
        if state::has_contract(ctx, &addr)? {
            return Err(Fail::new(
                Code::Duplicate,
                "contract address already exists, try a different combination of creator, checksum and salt",
            ));
        }
        match self.chain.account(ctx, &addr)? {
            Account::Claimed => {
                return Err(Fail::new(
                    Code::AccountExists,
                    "address is claimed by external account",
                ));
            }
            Account::Unused => {}
            Account::Absent => self.chain.create_account(ctx, &addr)?,
        }
        if !new.funds.is_empty() {
            self.chain.send(ctx, new.creator, &addr, new.funds)?;
        }
        let human = self.human(&addr)?;
        let info = self.info(new.creator, new.funds)?;
        let answer = self.run::<Answer>(&checksum, &addr, &human, |instance, env| {
            cosmwasm_vm::call_instantiate_raw(instance, env, &info, new.msg)
        })?;
        let answer = accept(answer, Code::InstantiateFailed)?;

        let now = state::now(ctx);
        let entry = ContractCodeHistoryEntry {
            operation: ContractCodeHistoryOperationType::Init as i32,
            code_id: new.code_id,
            updated: Some(now.clone()),
            msg: new.msg.to_vec(),
        };
        // The record stands before its messages run, so that they can call back.
        state::add_by_code(ctx, &addr, &entry)?;
        state::add_by_creator(ctx, new.creator, &addr, &entry)?;
        state::append_history(ctx, &addr, &entry)?;
        let record = ContractInfo {
            code_id: new.code_id,
            creator,
            admin: new.admin.to_owned(),
            label: new.label.to_owned(),
            created: Some(now),
            ibc_port_id: String::new(),
            extension: None,
        };
        state::set_contract(ctx, &addr, &record)?;
        ctx.emit(
            Event::new("instantiate")
                .attr(CONTRACT, &human)
                .attr("code_id", new.code_id.to_string()),
        );
        let data = self
            .below(policy.of_instantiated())
            .handle_answer(&addr, &human, answer)
            .map_err(|e| e.wrap("dispatch"))?;
        Ok((addr, data))
    }

    /// Execute a contract; its data.
    ///
    /// # Errors
    /// wasm/5, /22, /29, and those of the transfer and of its messages.
    pub fn execute(
        &self,
        contract: &[u8],
        sender: &[u8],
        msg: &[u8],
        funds: &[Coin],
    ) -> Res<Option<Vec<u8>>> {
        let c = self.load(contract)?;
        self.charge_setup(
            &c.checksum,
            c.info.code_id,
            "Loading CosmWasm module: execute",
        )?;
        if !funds.is_empty() {
            self.chain.send(&self.ctx, sender, contract, funds)?;
        }
        let info = self.info(sender, funds)?;
        let answer = self.call(&c, Code::ExecuteFailed, |instance, env| {
            cosmwasm_vm::call_execute_raw(instance, env, &info, msg)
        })?;
        self.ctx
            .emit(Event::new("execute").attr(CONTRACT, &c.human));
        self.handle_answer(contract, &c.human, answer)
    }

    /// Call a contract with the chain's own authority; its data. No transaction can reach this.
    ///
    /// # Errors
    /// wasm/5, /22, /29, and those of its messages.
    pub fn sudo(&self, contract: &[u8], msg: &[u8]) -> Res<Option<Vec<u8>>> {
        let c = self.load(contract)?;
        self.charge_setup(&c.checksum, c.info.code_id, "Loading CosmWasm module: sudo")?;
        let answer = self.call(&c, Code::ExecuteFailed, |instance, env| {
            cosmwasm_vm::call_sudo_raw(instance, env, msg)
        })?;
        self.ctx.emit(Event::new("sudo").attr(CONTRACT, &c.human));
        self.handle_answer(contract, &c.human, answer)
            .map_err(|e| e.wrap("dispatch"))
    }

    /// Tell a contract how its submessage ended; its data.
    ///
    /// # Errors
    /// wasm/5, /22, /29, and those of its messages.
    pub fn reply(&self, contract: &[u8], reply: &Reply) -> Res<Option<Vec<u8>>> {
        let c = self.load(contract)?;
        self.ctx
            .consume_gas(gas_register::reply(reply), "Loading CosmWasm module: reply")?;
        let msg = cosmwasm_vm::to_vec(reply).map_err(|e| super::vm::vm_error(&e))?;
        let answer = self.call(&c, Code::ExecuteFailed, |instance, env| {
            cosmwasm_vm::call_reply_raw(instance, env, &msg)
        })?;
        self.ctx.emit(Event::new("reply").attr(CONTRACT, &c.human));
        self.handle_answer(contract, &c.human, answer)
            .map_err(|e| e.wrap("dispatch"))
    }

    /// Ask a contract.
    ///
    /// # Errors
    /// wasm/9, /22, /27, /29.
    pub fn query_smart(&self, contract: &[u8], msg: &[u8]) -> Res<Vec<u8>> {
        let deeper = self.deeper_query()?;
        let c = deeper.load(contract)?;
        deeper.charge_setup(
            &c.checksum,
            c.info.code_id,
            "Loading CosmWasm module: query",
        )?;
        let answer = deeper.run::<Binary>(&c.checksum, contract, &c.human, |instance, env| {
            cosmwasm_vm::call_query_raw(instance, env, msg)
        })?;
        match answer {
            ContractResult::Ok(data) => Ok(data.into()),
            ContractResult::Err(e) => Err(Fail::contract(Code::QueryFailed, e)),
        }
    }

    /// Give a contract new code; its data.
    ///
    /// # Errors
    /// sdk/4, sdk/18, wasm/11, /29, and those of its messages.
    pub fn migrate(
        &self,
        contract: &[u8],
        sender: &[u8],
        code_id: u64,
        msg: &[u8],
    ) -> Res<Option<Vec<u8>>> {
        let ctx = &self.ctx;
        let mut info = self.owned(contract, sender, "can not migrate")?;
        let code =
            state::code(ctx, code_id)?.ok_or_else(|| AppError::invalid_request("unknown code"))?;
        let policy = self.policy(sender);
        let sender = self.human(sender)?;
        if !policy.may_instantiate(code.instantiate_config.as_ref(), &sender) {
            return Err(AppError::unauthorized("to use new code").into());
        }
        let checksum = state::checksum(&code)?;
        let human = self.human(contract)?;
        let old = state::checksum(&state::must_code(ctx, info.code_id)?)?;
        let old_version = self.vm.analyze(&old)?.contract_migrate_version;
        let new_version = self.vm.analyze(&checksum)?.contract_migrate_version;
        // Two codes that say they have the same state need no migration.
        let answer = if new_version.is_none() || new_version != old_version {
            self.charge_setup(&checksum, code_id, "Loading CosmWasm module: migrate")?;
            let by = MigrateInfo {
                sender: Addr::unchecked(&sender),
                old_migrate_version: old_version,
            };
            let by = cosmwasm_vm::to_vec(&by).map_err(|e| super::vm::vm_error(&e))?;
            let answer = self.run::<Answer>(&checksum, contract, &human, |instance, env| {
                cosmwasm_vm::call_migrate_with_info_raw(instance, env, msg, &by)
            })?;
            Some(accept(answer, Code::MigrationFailed)?)
        } else {
            None
        };
        let (_, last) = state::last_history(ctx, contract)?
            .ok_or_else(|| Fail::new(Code::NotFound, "contract history"))?;
        state::remove_by_code(ctx, contract, &last)?;
        let entry = ContractCodeHistoryEntry {
            operation: ContractCodeHistoryOperationType::Migrate as i32,
            code_id,
            updated: Some(state::now(ctx)),
            msg: msg.to_vec(),
        };
        state::append_history(ctx, contract, &entry)?;
        state::add_by_code(ctx, contract, &entry)?;
        info.code_id = code_id;
        state::set_contract(ctx, contract, &info)?;
        ctx.emit(
            Event::new("migrate")
                .attr("code_id", code_id.to_string())
                .attr(CONTRACT, &human),
        );
        match answer {
            Some(answer) => self
                .below(policy.of_migrated())
                .handle_answer(contract, &human, answer)
                .map_err(|e| e.wrap("dispatch")),
            None => Ok(None),
        }
    }

    /// Set a contract's admin; empty for none.
    ///
    /// # Errors
    /// sdk/4, sdk/18.
    pub fn set_admin(&self, contract: &[u8], sender: &[u8], admin: &str) -> Res<()> {
        let mut info = self.owned(contract, sender, "can not modify contract")?;
        info.admin = admin.to_owned();
        state::set_contract(&self.ctx, contract, &info)?;
        let event = Event::new("update_contract_admin").attr(CONTRACT, self.human(contract)?);
        self.ctx.emit(event.attr("new_admin_address", admin));
        Ok(())
    }

    /// Set a contract's label.
    ///
    /// # Errors
    /// sdk/4, sdk/18.
    pub fn set_label(&self, contract: &[u8], sender: &[u8], label: &str) -> Res<()> {
        let mut info = self.owned(contract, sender, "can not modify contract")?;
        info.label = label.to_owned();
        state::set_contract(&self.ctx, contract, &info)?;
        let event = Event::new("update_contract_label").attr(CONTRACT, self.human(contract)?);
        self.ctx.emit(event.attr("new_label", label));
        Ok(())
    }

    /// A contract that `sender` administers: governance does every one.
    fn owned(&self, contract: &[u8], sender: &[u8], refusal: &str) -> Res<ContractInfo> {
        let info = state::contract(&self.ctx, contract)?
            .ok_or_else(|| AppError::invalid_request("unknown contract"))?;
        let admin = match info.admin.as_str() {
            "" => None,
            admin => Some(self.addr(admin)?),
        };
        if !self.policy(sender).may_modify(admin.as_deref(), sender) {
            return Err(AppError::unauthorized(refusal).into());
        }
        Ok(info)
    }

    fn call(
        &self,
        c: &Loaded,
        code: Code,
        entry: impl FnOnce(&mut super::vm::ContractInstance, &[u8]) -> cosmwasm_vm::VmResult<Vec<u8>>,
    ) -> Res<Answer> {
        accept(
            self.run::<Answer>(&c.checksum, &c.address, &c.human, entry)?,
            code,
        )
    }
}

fn accept(answer: ContractResult<Answer>, code: Code) -> Res<Answer> {
    match answer {
        ContractResult::Ok(answer) => Ok(answer),
        ContractResult::Err(e) => Err(Fail::contract(code, e)),
    }
}
