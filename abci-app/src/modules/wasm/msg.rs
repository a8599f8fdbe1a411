//! The module's transaction messages.

use super::{
    coins,
    contract::{Naming, NewContract},
    fail::{Code, Fail, Res},
    keeper::Keeper,
    msg_gov,
};
use crate::{codec::strict, error::AppError, modules::access::MAX_WASM};
use cosmos_sdk_proto::{
    cosmos::base::v1beta1::Coin,
    cosmwasm::wasm::v1::{
        MsgClearAdmin, MsgClearAdminResponse, MsgExecuteContract, MsgExecuteContractResponse,
        MsgInstantiateContract, MsgInstantiateContract2, MsgInstantiateContract2Response,
        MsgInstantiateContractResponse, MsgMigrateContract, MsgMigrateContractResponse,
        MsgStoreCode, MsgStoreCodeResponse, MsgUpdateAdmin, MsgUpdateAdminResponse,
    },
};
use prost::Message;
use serde::de::IgnoredAny;

/// `MsgStoreCode`.
pub(super) const STORE: &str = "/cosmwasm.wasm.v1.MsgStoreCode";
/// `MsgInstantiateContract`.
pub(super) const INSTANTIATE: &str = "/cosmwasm.wasm.v1.MsgInstantiateContract";
/// `MsgInstantiateContract2`.
pub(super) const INSTANTIATE2: &str = "/cosmwasm.wasm.v1.MsgInstantiateContract2";
/// `MsgExecuteContract`.
pub(super) const EXECUTE: &str = "/cosmwasm.wasm.v1.MsgExecuteContract";
/// `MsgMigrateContract`.
pub(super) const MIGRATE: &str = "/cosmwasm.wasm.v1.MsgMigrateContract";
/// `MsgUpdateAdmin`.
pub(super) const UPDATE_ADMIN: &str = "/cosmwasm.wasm.v1.MsgUpdateAdmin";
/// `MsgClearAdmin`.
pub(super) const CLEAR_ADMIN: &str = "/cosmwasm.wasm.v1.MsgClearAdmin";

/// The longest label.
const MAX_LABEL: usize = 128;
/// The longest salt.
const MAX_SALT: usize = 64;

/// Strict: what is signed has one encoding and no field that this chain does not know.
pub(super) fn decode<T: Message + Default>(value: &[u8]) -> Res<T> {
    Ok(strict("message", value)?)
}

fn unknown(type_url: &str) -> Fail {
    AppError::unknown_request(format_args!("unrecognized message route: {type_url}")).into()
}

/// Who must sign a message.
///
/// # Errors
/// sdk/2; sdk/6 for messages of other modules.
pub(super) fn signers(type_url: &str, value: &[u8]) -> Res<Vec<String>> {
    if let Some(signer) = msg_gov::signer(type_url, value) {
        return Ok(vec![signer?]);
    }
    Ok(vec![match type_url {
        STORE => decode::<MsgStoreCode>(value)?.sender,
        INSTANTIATE => decode::<MsgInstantiateContract>(value)?.sender,
        INSTANTIATE2 => decode::<MsgInstantiateContract2>(value)?.sender,
        EXECUTE => decode::<MsgExecuteContract>(value)?.sender,
        MIGRATE => decode::<MsgMigrateContract>(value)?.sender,
        UPDATE_ADMIN => decode::<MsgUpdateAdmin>(value)?.sender,
        CLEAR_ADMIN => decode::<MsgClearAdmin>(value)?.sender,
        _ => return Err(unknown(type_url)),
    }])
}

/// Run a message; its response's type and bytes. The caller has checked the signer.
///
/// # Errors
/// What the message's checks and the contract say; sdk/6 for messages of other modules.
pub(super) fn handle(k: &Keeper, type_url: &str, value: &[u8]) -> Res<(String, Vec<u8>)> {
    if let Some(response) = msg_gov::handle(k, type_url, value) {
        return Ok((format!("{type_url}Response"), response?));
    }
    let response = match type_url {
        STORE => store(k, decode(value)?)?,
        INSTANTIATE => {
            let m: MsgInstantiateContract = decode(value)?;
            let (address, data) = instantiate(
                k,
                &m.sender,
                &m.admin,
                m.code_id,
                &m.label,
                &m.msg,
                &m.funds,
                Naming::Classic,
            )?;
            MsgInstantiateContractResponse { address, data }.encode_to_vec()
        }
        INSTANTIATE2 => {
            let m: MsgInstantiateContract2 = decode(value)?;
            check_salt(&m.salt).map_err(|e| e.wrap("salt"))?;
            let naming = Naming::Predictable {
                salt: &m.salt,
                fixed: m.fix_msg.then_some(m.msg.as_slice()),
            };
            let (address, data) = instantiate(
                k, &m.sender, &m.admin, m.code_id, &m.label, &m.msg, &m.funds, naming,
            )?;
            MsgInstantiateContract2Response { address, data }.encode_to_vec()
        }
        EXECUTE => {
            let m: MsgExecuteContract = decode(value)?;
            let (sender, contract) = parties(k, &m.sender, &m.contract)?;
            coins::validate(&m.funds).map_err(|e| e.wrap("funds"))?;
            check_json(&m.msg)?;
            let data = k
                .execute(&contract, &sender, &m.msg, &m.funds)?
                .unwrap_or_default();
            MsgExecuteContractResponse { data }.encode_to_vec()
        }
        MIGRATE => {
            let m: MsgMigrateContract = decode(value)?;
            check_code_id(m.code_id)?;
            let (sender, contract) = parties(k, &m.sender, &m.contract)?;
            check_json(&m.msg)?;
            let data = k
                .migrate(&contract, &sender, m.code_id, &m.msg)?
                .unwrap_or_default();
            MsgMigrateContractResponse { data }.encode_to_vec()
        }
        UPDATE_ADMIN => {
            let m: MsgUpdateAdmin = decode(value)?;
            let (sender, contract) = parties(k, &m.sender, &m.contract)?;
            let admin = k.addr(&m.new_admin).map_err(|e| e.wrap("new admin"))?;
            if admin == sender {
                return Err(Fail::new(Code::Invalid, "new admin is the same as the old"));
            }
            k.set_admin(&contract, &sender, &k.human(&admin)?)?;
            MsgUpdateAdminResponse {}.encode_to_vec()
        }
        CLEAR_ADMIN => {
            let m: MsgClearAdmin = decode(value)?;
            let (sender, contract) = parties(k, &m.sender, &m.contract)?;
            k.set_admin(&contract, &sender, "")?;
            MsgClearAdminResponse {}.encode_to_vec()
        }
        _ => return Err(unknown(type_url)),
    };
    Ok((format!("{type_url}Response"), response))
}

fn store(k: &Keeper, m: MsgStoreCode) -> Res<Vec<u8>> {
    let sender = k.addr(&m.sender).map_err(|e| e.wrap("sender"))?;
    check_wasm(&m.wasm_byte_code)?;
    if let Some(permission) = &m.instantiate_permission {
        k.check_access(permission)
            .map_err(|e| e.wrap("instantiate permission"))?;
    }
    let (code_id, checksum) = k.store_code(&sender, &m.wasm_byte_code, m.instantiate_permission)?;
    Ok(MsgStoreCodeResponse { code_id, checksum }.encode_to_vec())
}

#[expect(clippy::too_many_arguments, reason = "the fields two messages share")]
fn instantiate(
    k: &Keeper,
    sender: &str,
    admin: &str,
    code_id: u64,
    label: &str,
    msg: &[u8],
    funds: &[Coin],
    naming: Naming<'_>,
) -> Res<(String, Vec<u8>)> {
    let creator = k.addr(sender).map_err(|e| e.wrap("sender"))?;
    check_code_id(code_id)?;
    check_label(label).map_err(|e| e.wrap("label"))?;
    coins::validate(funds).map_err(|e| e.wrap("funds"))?;
    let admin = optional(k, admin).map_err(|e| e.wrap("admin"))?;
    check_json(msg)?;
    let new = NewContract {
        code_id,
        creator: &creator,
        admin: &admin,
        label,
        msg,
        funds,
        naming,
    };
    let (addr, data) = k.instantiate(&new)?;
    Ok((k.human(&addr)?, data.unwrap_or_default()))
}

/// An address that may be left out, as the chain writes it.
pub(super) fn optional(k: &Keeper, address: &str) -> Res<String> {
    match address {
        "" => Ok(String::new()),
        address => k.human(&k.addr(address)?),
    }
}

/// Code is there and not too large.
pub(super) fn check_wasm(wasm: &[u8]) -> Res<()> {
    match wasm.len() {
        0 => Err(AppError::invalid_request("code bytes is required: empty").into()),
        n if n > MAX_WASM => Err(AppError::invalid_request(format_args!(
            "code bytes cannot be longer than {MAX_WASM} bytes, got {n}: exceeds limit"
        ))
        .into()),
        _ => Ok(()),
    }
}

/// The addresses of a sender and a contract.
pub(super) fn parties(k: &Keeper, sender: &str, contract: &str) -> Res<(Vec<u8>, Vec<u8>)> {
    let sender = k.addr(sender).map_err(|e| e.wrap("sender"))?;
    let contract = k.addr(contract).map_err(|e| e.wrap("contract"))?;
    Ok((sender, contract))
}

/// A code is named.
pub(super) fn check_code_id(code_id: u64) -> Res<()> {
    if code_id == 0 {
        return Err(AppError::invalid_request("code id is required").into());
    }
    Ok(())
}

/// A message to a contract is JSON.
///
/// # Errors
/// wasm/14.
pub(super) fn check_json(msg: &[u8]) -> Res<()> {
    serde_json::from_slice::<IgnoredAny>(msg)
        .map(|_| ())
        .map_err(|_| Fail::bare(Code::Invalid).wrap("payload msg"))
}

/// A label is one line of printable text.
///
/// # Errors
/// wasm/12, /13, /14.
pub(super) fn check_label(label: &str) -> Res<()> {
    if label.is_empty() {
        return Err(Fail::new(Code::Empty, "is required"));
    }
    if label.len() > MAX_LABEL {
        return Err(Fail::new(
            Code::Limit,
            format_args!("cannot be longer than {MAX_LABEL} characters"),
        ));
    }
    if label != label.trim() {
        return Err(Fail::new(
            Code::Invalid,
            "label must not start/end with whitespaces",
        ));
    }
    if !label
        .chars()
        .all(|c| c == ' ' || !c.is_control() && !c.is_whitespace())
    {
        return Err(Fail::new(
            Code::Invalid,
            "label must have printable characters only",
        ));
    }
    Ok(())
}

fn check_salt(salt: &[u8]) -> Res<()> {
    match salt.len() {
        0 => Err(Fail::new(Code::Empty, "is required")),
        n if n > MAX_SALT => Err(Fail::new(
            Code::Limit,
            format_args!("cannot be longer than {MAX_SALT} characters"),
        )),
        _ => Ok(()),
    }
}
