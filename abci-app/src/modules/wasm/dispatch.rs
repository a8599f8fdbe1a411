//! What a contract's answer asks for: events, messages, replies.

use super::{
    coins,
    contract::Answer,
    events,
    fail::{Code, Fail, Kind, Res},
    gas_register,
    keeper::Keeper,
    msg, rewards, staking, votes,
};
use crate::{
    ctx::{Ctx, Event},
    error::AppError,
    gas::GasMeter,
};
use cosmos_sdk_proto::{
    Any,
    cosmos::bank::v1beta1::MsgSend,
    cosmwasm::wasm::v1::{
        MsgClearAdmin, MsgExecuteContract, MsgInstantiateContract, MsgInstantiateContract2,
        MsgMigrateContract, MsgUpdateAdmin,
    },
};
use cosmwasm_std::{
    BankMsg, Binary, CosmosMsg, MsgResponse, Reply, ReplyOn, SubMsg, SubMsgResponse, SubMsgResult,
    WasmMsg,
};
use prost::Message;
use serde_json::Value;

/// The longest `Any` a contract may send.
const MAX_ANY: usize = 512 * 1024;

/// What a message gave back: its response's type and bytes; `None` for messages that are no message of the chain.
type Response = Option<(String, Vec<u8>)>;

impl Keeper {
    /// Emit an answer's events and run its messages; the data of the answer, or of the last reply that has some.
    ///
    /// # Errors
    /// wasm/21, /30, and those of messages whose failure no reply catches.
    pub fn handle_answer(
        &self,
        contract: &[u8],
        human: &str,
        answer: Answer,
    ) -> Res<Option<Vec<u8>>> {
        let gas = gas_register::events(&answer.attributes, &answer.events);
        self.ctx
            .consume_gas(gas, "Custom contract event attributes")?;
        events::emit_response(&self.ctx, human, &answer.attributes, &answer.events)?;
        let deeper = self.deeper_call()?;
        let mut data = answer.data.map(Vec::from);
        for msg in answer.messages {
            if let Some(replied) = deeper.submessage(contract, human, msg)? {
                data = Some(replied);
            }
        }
        Ok(data)
    }

    /// One message in a layer of its own, and the reply it wants; the reply's data.
    fn submessage(&self, contract: &[u8], human: &str, sub: SubMsg<Value>) -> Res<Option<Vec<u8>>> {
        let SubMsg {
            id,
            payload,
            msg,
            gas_limit,
            reply_on,
        } = sub;
        let is_wasm = matches!(msg, CosmosMsg::Wasm(_));
        let limit = gas_limit.filter(|limit| *limit < self.ctx.gas().left());
        let (result, emitted) = apart(&self.ctx, || match limit {
            Some(limit) => self.limited(limit, || self.message(contract, human, msg)),
            None => self.message(contract, human, msg),
        });
        let mut shown: Vec<Event> = emitted
            .into_iter()
            .filter(|e| e.kind != "message")
            .collect();
        if is_wasm {
            // wasmd sorts these in place, in what it emits too.
            for e in &mut shown {
                e.attributes.sort_by(|a, b| a.0.cmp(&b.0));
            }
        }
        for e in &shown {
            self.ctx.emit(e.clone());
        }
        let result = match (result, &reply_on) {
            (Err(e), _) if e.is_out_of_gas() => return Err(e),
            (Err(e), ReplyOn::Success | ReplyOn::Never) => return Err(e),
            (Ok(_), ReplyOn::Error | ReplyOn::Never) => return Ok(None),
            (Err(e), ReplyOn::Always | ReplyOn::Error) => SubMsgResult::Err(e.redacted()),
            (Ok(response), ReplyOn::Always | ReplyOn::Success) => {
                // What other modules emit may change with their version: contracts never see it.
                let shown = if is_wasm {
                    events::for_reply(shown)
                } else {
                    Vec::new()
                };
                SubMsgResult::Ok(success(shown, response))
            }
        };
        let reply = Reply {
            id,
            payload,
            gas_used: 0,
            result,
        };
        self.reply(contract, &reply).map_err(|e| e.wrap("reply"))
    }

    /// Run `f` on a meter of its own. Running out costs the whole limit and is an error like any other.
    fn limited<T>(&self, limit: u64, f: impl FnOnce() -> Res<T>) -> Res<T> {
        let outer = self.ctx.swap_gas(GasMeter::new(limit));
        let result = f();
        let spent = self.ctx.swap_gas(outer).used();
        match result {
            Err(e) if e.is_out_of_gas() => {
                self.ctx.consume_gas(limit, "Sub-Message OutOfGas panic")?;
                Err(Fail {
                    app: AppError::out_of_gas("SubMsg hit gas limit"),
                    kind: Kind::Plain,
                })
            }
            result => {
                self.ctx.consume_gas(spent, "From limited Sub-Message")?;
                result
            }
        }
    }

    /// Run one message as `contract`.
    fn message(&self, contract: &[u8], human: &str, msg: CosmosMsg<Value>) -> Res<Response> {
        match msg {
            CosmosMsg::Bank(msg) => self.bank(contract, human, msg),
            CosmosMsg::Wasm(msg) => {
                let (type_url, value) = encode_wasm(human, msg)?;
                msg::handle(self, type_url, &value).map(Some)
            }
            CosmosMsg::Any(any) => self.any(contract, &any.type_url, any.value.as_slice()),
            #[expect(deprecated, reason = "contracts of CosmWasm 1 send it")]
            CosmosMsg::Stargate { type_url, value } => {
                self.any(contract, &type_url, value.as_slice())
            }
            CosmosMsg::Custom(_) => {
                Err(Fail::new(Code::UnknownMsg, "custom variant not supported"))
            }
            CosmosMsg::Staking(msg) => self.routed(&staking::encode(human, msg)?),
            CosmosMsg::Distribution(msg) => self.routed(&rewards::encode(human, msg)?),
            CosmosMsg::Ibc(_) => Err(absent("ibc")),
            CosmosMsg::Gov(msg) => self.routed(&votes::encode(human, msg)?),
            _ => Err(Fail::new(Code::UnknownMsg, "unknown variant of CosmosMsg")),
        }
    }

    /// A message of another module that the contract signs.
    fn routed(&self, any: &Any) -> Res<Response> {
        let response = self.chain.handle(&self.ctx, &self.module(), any)?;
        Ok(Some((response.type_url, response.value)))
    }

    fn bank(&self, contract: &[u8], human: &str, msg: BankMsg) -> Res<Response> {
        match msg {
            BankMsg::Send { amount, .. } if amount.is_empty() => Ok(None),
            BankMsg::Send { to_address, amount } => {
                let amount = coins::from_contract(&amount)?;
                let from_address = human.to_owned();
                self.send(
                    contract,
                    &MsgSend {
                        from_address,
                        to_address,
                        amount,
                    },
                )
                .map(Some)
            }
            BankMsg::Burn { amount } => {
                let amount = coins::from_contract(&amount)?;
                if amount.is_empty() {
                    return Err(Fail::new(Code::Empty, "amount"));
                }
                self.chain.burn(&self.ctx, contract, &amount)?;
                Ok(None)
            }
            _ => Err(Fail::new(Code::UnknownMsg, "unknown variant of Bank")),
        }
    }

    fn send(&self, contract: &[u8], msg: &MsgSend) -> Res<(String, Vec<u8>)> {
        let to = self.addr(&msg.to_address)?;
        if msg.amount.is_empty() {
            return Err(AppError::invalid_coins("no coins to send").into());
        }
        coins::validate(&msg.amount)?;
        self.chain.send(&self.ctx, contract, &to, &msg.amount)?;
        Ok(("/cosmos.bank.v1beta1.MsgSendResponse".into(), Vec::new()))
    }

    /// A message of the chain that the contract encoded itself.
    fn any(&self, contract: &[u8], type_url: &str, value: &[u8]) -> Res<Response> {
        if value.len() > MAX_ANY {
            return Err(Fail::new(
                Code::Limit,
                format_args!("AnyMsg value size {} exceeds limit {MAX_ANY}", value.len()),
            ));
        }
        self.ctx
            .consume_gas(5 + value.len() as u64 / 1024, "unpacking AnyMsg")?;
        let unknown = || {
            Fail::new(
                Code::InvalidMsg,
                format_args!("Cannot unpack proto message with type URL: {type_url}"),
            )
        };
        let own = |signer: &str| -> Res<()> {
            if self.addr(signer)? == contract {
                return Ok(());
            }
            Err(AppError::unauthorized("contract doesn't have permission").into())
        };
        if type_url == "/cosmos.bank.v1beta1.MsgSend" {
            let send = MsgSend::decode(value).map_err(|_| unknown())?;
            own(&send.from_address)?;
            return self.send(contract, &send).map(Some);
        }
        let any = Any {
            type_url: type_url.to_owned(),
            value: value.to_vec(),
        };
        let module = self.module();
        let signers = self.chain.signers(&module, &any).map_err(|_| unknown())?;
        for signer in signers {
            own(&signer)?;
        }
        self.routed(&any)
    }
}

fn absent(what: &str) -> Fail {
    Fail::new(
        Code::UnknownMsg,
        format_args!("{what} messages are not served by this chain"),
    )
}

/// Run `f` in a layer of its own and take the events it emitted.
fn apart<T>(ctx: &Ctx, f: impl FnOnce() -> Res<T>) -> (Res<T>, Vec<Event>) {
    let outer = ctx.take_events();
    let result = ctx.atomically(|_| f());
    let inner = ctx.take_events();
    for e in outer {
        ctx.emit(e);
    }
    (result, inner)
}

#[expect(deprecated, reason = "contracts of CosmWasm 1 read `data`")]
fn success(events: Vec<cosmwasm_std::Event>, response: Response) -> SubMsgResponse {
    let data = response
        .as_ref()
        .map(|(_, value)| Binary::from(value.as_slice()));
    let msg_responses = response
        .map(|(type_url, value)| MsgResponse {
            type_url,
            value: value.into(),
        })
        .into_iter()
        .collect();
    SubMsgResponse {
        events,
        data,
        msg_responses,
    }
}

/// A contract's message to a contract, as the transaction message that says the same.
fn encode_wasm(sender: &str, msg: WasmMsg) -> Res<(&'static str, Vec<u8>)> {
    let sender = sender.to_owned();
    Ok(match msg {
        WasmMsg::Execute {
            contract_addr,
            msg,
            funds,
        } => (
            msg::EXECUTE,
            MsgExecuteContract {
                sender,
                contract: contract_addr,
                msg: msg.into(),
                funds: coins::from_contract(&funds)?,
            }
            .encode_to_vec(),
        ),
        WasmMsg::Instantiate {
            admin,
            code_id,
            msg,
            funds,
            label,
        } => (
            msg::INSTANTIATE,
            MsgInstantiateContract {
                sender,
                admin: admin.unwrap_or_default(),
                code_id,
                label,
                msg: msg.into(),
                funds: coins::from_contract(&funds)?,
            }
            .encode_to_vec(),
        ),
        WasmMsg::Instantiate2 {
            admin,
            code_id,
            label,
            msg,
            funds,
            salt,
        } => (
            msg::INSTANTIATE2,
            MsgInstantiateContract2 {
                sender,
                admin: admin.unwrap_or_default(),
                code_id,
                label,
                msg: msg.into(),
                funds: coins::from_contract(&funds)?,
                salt: salt.into(),
                fix_msg: false,
            }
            .encode_to_vec(),
        ),
        WasmMsg::Migrate {
            contract_addr,
            new_code_id,
            msg,
        } => (
            msg::MIGRATE,
            MsgMigrateContract {
                sender,
                contract: contract_addr,
                code_id: new_code_id,
                msg: msg.into(),
            }
            .encode_to_vec(),
        ),
        WasmMsg::UpdateAdmin {
            contract_addr,
            admin,
        } => (
            msg::UPDATE_ADMIN,
            MsgUpdateAdmin {
                sender,
                new_admin: admin,
                contract: contract_addr,
            }
            .encode_to_vec(),
        ),
        WasmMsg::ClearAdmin { contract_addr } => (
            msg::CLEAR_ADMIN,
            MsgClearAdmin {
                sender,
                contract: contract_addr,
            }
            .encode_to_vec(),
        ),
        _ => return Err(Fail::new(Code::UnknownMsg, "unknown variant of Wasm")),
    })
}
