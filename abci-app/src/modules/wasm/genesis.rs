//! Genesis: import and export. What is exported, imported again, is the same state.

use super::{
    code::{MAX_KEPT, unpack},
    fail::{Code, Fail, Res},
    genesis_json::{self as json, GenMsg, Genesis, Operation, Position},
    keeper::Keeper,
    keys, msg, state,
};
use crate::{
    codec::gzip::is_gzip,
    ctx::Event,
    modules::access::MAX_WASM,
    store::{Order, StoreKey, prefix_end},
};
use cosmos_sdk_proto::{
    cosmos::base::v1beta1::Coin,
    cosmwasm::wasm::v1::{
        AbsoluteTxPosition, CodeInfo, ContractCodeHistoryEntry, ContractCodeHistoryOperationType,
        ContractInfo, MsgExecuteContract, MsgInstantiateContract, MsgStoreCode, Params,
    },
};
use prost::Message;

/// The largest code in a genesis: wasmd's limit for what governance stores.
const MAX_GENESIS_WASM: usize = 3 * 1024 * 1024;

fn invalid(detail: impl std::fmt::Display) -> Fail {
    Fail::new(Code::InvalidGenesis, detail)
}

/// Put a genesis into the empty store, then run its messages. The caller has lifted the gas limit.
///
/// # Errors
/// wasm/7, /13, /14, /15, and those of the messages.
pub(super) fn init(k: &Keeper, genesis: Genesis) -> Res<()> {
    let ctx = &k.ctx;
    let access: cosmos_sdk_proto::cosmwasm::wasm::v1::AccessConfig =
        genesis.params.code_upload_access.into();
    k.check_access(&access)
        .map_err(|e| e.wrap("params: code_upload_access"))?;
    let default: cosmos_sdk_proto::cosmwasm::wasm::v1::AccessType =
        genesis.params.instantiate_default_permission.into();
    let params = Params {
        code_upload_access: Some(access),
        instantiate_default_permission: default as i32,
    };
    state::set_params(ctx, &params)?;
    let mut last_code = 0;
    for (i, code) in genesis.codes.into_iter().enumerate() {
        last_code = last_code.max(code.code_id);
        import_code(k, code).map_err(|e| e.wrap(format_args!("code {i}")))?;
    }
    for (i, contract) in genesis.contracts.into_iter().enumerate() {
        import_contract(k, contract).map_err(|e| e.wrap(format_args!("contract {i}")))?;
    }
    for s in genesis.sequences {
        if s.id_key != keys::SEQ_CODE && s.id_key != keys::SEQ_INSTANCE {
            return Err(invalid(format_args!(
                "sequence: expected {} or {}, got {}",
                hex::encode(keys::SEQ_CODE),
                hex::encode(keys::SEQ_INSTANCE),
                hex::encode(&s.id_key)
            )));
        }
        if ctx.has(StoreKey::Wasm, &s.id_key)? {
            return Err(Fail::new(Code::Duplicate, "sequence"));
        }
        state::set_sequence(ctx, &s.id_key, s.value)?;
    }
    let next_code = state::peek_sequence(ctx, keys::SEQ_CODE)?;
    if next_code <= last_code {
        return Err(invalid(format_args!(
            "sequence lastCodeId: expected more than {last_code}, got {next_code}"
        )));
    }
    let next = state::peek_sequence(ctx, keys::SEQ_INSTANCE)?;
    if state::has_contract(ctx, &super::address::classic(next_code, next))? {
        return Err(invalid(format_args!(
            "sequence lastContractId: {next} was used already"
        )));
    }
    for (i, m) in genesis.gen_msgs.into_iter().enumerate() {
        run(k, m).map_err(|e| e.wrap(format_args!("gen_msgs {i}")))?;
    }
    Ok(())
}

fn import_code(k: &Keeper, code: json::Code) -> Res<()> {
    if code.code_id == 0 {
        return Err(Fail::new(Code::Empty, "code id"));
    }
    if code.code_bytes.len() > MAX_GENESIS_WASM {
        return Err(Fail::new(
            Code::Limit,
            format_args!("code bytes: max {MAX_GENESIS_WASM}"),
        ));
    }
    if state::code(&k.ctx, code.code_id)?.is_some() {
        return Err(Fail::new(
            Code::Duplicate,
            format_args!("duplicate code: {}", code.code_id),
        ));
    }
    let wasm = if is_gzip(&code.code_bytes) {
        unpack(&code.code_bytes, MAX_GENESIS_WASM.max(MAX_WASM))?
    } else {
        code.code_bytes
    };
    let checksum = k.vm.store(&wasm, true)?;
    if code.code_info.code_hash != checksum.as_slice() {
        return Err(Fail::new(
            Code::Invalid,
            format_args!(
                "code hashes not same: expected {}, got {checksum}",
                hex::encode(&code.code_info.code_hash)
            ),
        ));
    }
    k.addr(&code.code_info.creator)?;
    let info = CodeInfo {
        code_hash: code.code_info.code_hash,
        creator: code.code_info.creator,
        instantiate_config: Some(code.code_info.instantiate_config.into()),
    };
    state::set_code(&k.ctx, code.code_id, &info)?;
    if code.pinned {
        state::set_pinned(&k.ctx, code.code_id)?;
        k.ctx
            .emit(Event::new("pin_code").attr("code_id", code.code_id.to_string()));
    }
    if code.pinned || code.code_id <= MAX_KEPT {
        k.vm.pin(&checksum)?;
    }
    Ok(())
}

fn import_contract(k: &Keeper, c: json::Contract) -> Res<()> {
    let ctx = &k.ctx;
    let addr = k.addr(&c.contract_address)?;
    state::must_code(ctx, c.contract_info.code_id)?;
    if state::has_contract(ctx, &addr)? {
        return Err(Fail::new(
            Code::Duplicate,
            format_args!("contract: {}", c.contract_address),
        ));
    }
    let creator = k.addr(&c.contract_info.creator)?;
    if !c.contract_info.admin.is_empty() {
        k.addr(&c.contract_info.admin)?;
    }
    msg::check_label(&c.contract_info.label).map_err(|e| e.wrap("label"))?;
    let history: Vec<ContractCodeHistoryEntry> =
        c.contract_code_history.into_iter().map(entry).collect();
    let (Some(first), Some(last)) = (history.first(), history.last()) else {
        return Err(Fail::new(Code::Empty, "contract history"));
    };
    for e in &history {
        state::append_history(ctx, &addr, e)?;
    }
    let info = ContractInfo {
        code_id: c.contract_info.code_id,
        creator: c.contract_info.creator,
        admin: c.contract_info.admin,
        label: c.contract_info.label,
        created: Some(c.contract_info.created.into()),
        ibc_port_id: c.contract_info.ibc_port_id,
        extension: None,
    };
    state::set_contract(ctx, &addr, &info)?;
    state::add_by_code(ctx, &addr, last)?;
    state::add_by_creator(ctx, &creator, &addr, first)?;
    let prefix = keys::contract_store(&addr);
    for m in c.contract_state {
        let key = [prefix.as_slice(), &m.key].concat();
        if ctx.has(StoreKey::Wasm, &key)? {
            return Err(Fail::new(
                Code::Duplicate,
                format_args!("duplicate key: {}", hex::encode(&m.key)),
            ));
        }
        ctx.set(StoreKey::Wasm, &key, m.value)?;
    }
    Ok(())
}

fn entry(h: json::History) -> ContractCodeHistoryEntry {
    let operation = match h.operation {
        Operation::Init => ContractCodeHistoryOperationType::Init,
        Operation::Migrate => ContractCodeHistoryOperationType::Migrate,
        Operation::Genesis => ContractCodeHistoryOperationType::Genesis,
    };
    ContractCodeHistoryEntry {
        operation: operation as i32,
        code_id: h.code_id,
        updated: Some(AbsoluteTxPosition::from(h.updated)),
        msg: h.msg,
    }
}

fn run(k: &Keeper, m: GenMsg) -> Res<()> {
    let coins = |c: Vec<json::Coin>| {
        c.into_iter()
            .map(|c| Coin {
                denom: c.denom,
                amount: c.amount,
            })
            .collect::<Vec<_>>()
    };
    let (type_url, value) = match m {
        GenMsg::StoreCode {
            sender,
            wasm_byte_code,
            instantiate_permission,
        } => {
            let instantiate_permission = instantiate_permission.map(Into::into);
            (
                msg::STORE,
                MsgStoreCode {
                    sender,
                    wasm_byte_code,
                    instantiate_permission,
                }
                .encode_to_vec(),
            )
        }
        GenMsg::InstantiateContract {
            sender,
            admin,
            code_id,
            label,
            msg,
            funds,
        } => {
            let funds = coins(funds);
            (
                msg::INSTANTIATE,
                MsgInstantiateContract {
                    sender,
                    admin,
                    code_id,
                    label,
                    msg,
                    funds,
                }
                .encode_to_vec(),
            )
        }
        GenMsg::ExecuteContract {
            sender,
            contract,
            msg,
            funds,
        } => {
            let funds = coins(funds);
            (
                msg::EXECUTE,
                MsgExecuteContract {
                    sender,
                    contract,
                    msg,
                    funds,
                }
                .encode_to_vec(),
            )
        }
    };
    msg::handle(k, type_url, &value).map(|_| ())
}

/// The whole state of the module.
///
/// # Errors
/// wasm/8 when this node lacks a blob.
pub(super) fn export(k: &Keeper) -> Res<Genesis> {
    let ctx = &k.ctx;
    let params = state::params(ctx)?;
    let access = params.code_upload_access.unwrap_or_default();
    let mut genesis = Genesis {
        params: json::Params {
            code_upload_access: access.into(),
            instantiate_default_permission: json::AccessType::from_proto(
                params.instantiate_default_permission,
            ),
        },
        codes: Vec::new(),
        contracts: Vec::new(),
        sequences: Vec::new(),
        gen_msgs: Vec::new(),
    };
    for (key, _) in scan(k, &[keys::CODE])? {
        let code_id = state::tail_u64(&key);
        let info = state::must_code(ctx, code_id)?;
        genesis.codes.push(json::Code {
            code_id,
            code_bytes: k.vm.blob(&state::checksum(&info)?)?,
            code_info: json::CodeInfo {
                code_hash: info.code_hash,
                creator: info.creator,
                instantiate_config: info.instantiate_config.unwrap_or_default().into(),
            },
            pinned: state::is_pinned(ctx, code_id)?,
        });
    }
    for (addr, _) in scan(k, &[keys::CONTRACT])? {
        genesis.contracts.push(export_contract(k, &addr)?);
    }
    for key in [keys::SEQ_CODE, keys::SEQ_INSTANCE] {
        genesis.sequences.push(json::Sequence {
            id_key: key.to_vec(),
            value: state::peek_sequence(ctx, key)?,
        });
    }
    Ok(genesis)
}

fn export_contract(k: &Keeper, addr: &[u8]) -> Res<json::Contract> {
    let contract_address = k.human(addr)?;
    let info =
        state::contract(&k.ctx, addr)?.ok_or_else(|| Fail::no_such_contract(&contract_address))?;
    let mut contract_code_history = Vec::new();
    for (position, value) in scan(k, &keys::history_prefix(addr))? {
        if position.len() != 8 {
            continue;
        }
        let e = ContractCodeHistoryEntry::decode(value.as_slice()).map_err(invalid)?;
        let operation = match e.operation() {
            ContractCodeHistoryOperationType::Migrate => Operation::Migrate,
            ContractCodeHistoryOperationType::Genesis => Operation::Genesis,
            _ => Operation::Init,
        };
        contract_code_history.push(json::History {
            operation,
            code_id: e.code_id,
            updated: Position::from(e.updated),
            msg: e.msg,
        });
    }
    let contract_state = scan(k, &keys::contract_store(addr))?
        .into_iter()
        .map(|(key, value)| json::Model { key, value })
        .collect();
    Ok(json::Contract {
        contract_address,
        contract_info: json::ContractInfo {
            code_id: info.code_id,
            creator: info.creator,
            admin: info.admin,
            label: info.label,
            created: Position::from(info.created),
            ibc_port_id: info.ibc_port_id,
            extension: None,
        },
        contract_state,
        contract_code_history,
    })
}

/// Everything below `prefix`, keys without it.
pub(super) fn scan(k: &Keeper, prefix: &[u8]) -> Res<Vec<(Vec<u8>, Vec<u8>)>> {
    let (mut from, to, mut out) = (prefix.to_vec(), prefix_end(prefix), Vec::new());
    while let Some((key, value)) =
        k.ctx
            .seek(StoreKey::Wasm, &from, to.as_deref(), Order::Ascending)?
    {
        out.push((key.get(prefix.len()..).unwrap_or_default().to_vec(), value));
        from = key;
        from.push(0);
    }
    Ok(out)
}
