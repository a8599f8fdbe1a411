//! The messages that change what the chain, a code's creator or an admin laid down: most are for governance alone.

use super::{
    contract::{Naming, NewContract},
    fail::{Code, Fail, Res},
    keeper::Keeper,
    msg::{check_code_id, check_json, check_label, check_wasm, decode, optional, parties},
    policy, state,
};
use crate::{ctx::Event, error::AppError, modules::access};
use cosmos_sdk_proto::cosmwasm::wasm::v1::{
    AccessConfig, AccessType, MsgAddCodeUploadParamsAddresses,
    MsgAddCodeUploadParamsAddressesResponse, MsgPinCodesResponse,
    MsgRemoveCodeUploadParamsAddresses, MsgRemoveCodeUploadParamsAddressesResponse,
    MsgStoreAndInstantiateContract, MsgStoreAndInstantiateContractResponse,
    MsgStoreAndMigrateContract, MsgStoreAndMigrateContractResponse, MsgSudoContract,
    MsgSudoContractResponse, MsgUnpinCodesResponse, MsgUpdateContractLabel,
    MsgUpdateContractLabelResponse, MsgUpdateInstantiateConfig, MsgUpdateInstantiateConfigResponse,
    MsgUpdateParams, MsgUpdateParamsResponse, Params,
};
use prost::Message;
use std::collections::BTreeSet;

/// `MsgUpdateParams`.
pub(super) const UPDATE_PARAMS: &str = "/cosmwasm.wasm.v1.MsgUpdateParams";
/// `MsgSudoContract`.
pub(super) const SUDO: &str = "/cosmwasm.wasm.v1.MsgSudoContract";
/// `MsgPinCodes`.
pub(super) const PIN: &str = "/cosmwasm.wasm.v1.MsgPinCodes";
/// `MsgUnpinCodes`.
pub(super) const UNPIN: &str = "/cosmwasm.wasm.v1.MsgUnpinCodes";
/// `MsgAddCodeUploadParamsAddresses`.
pub(super) const ADD_UPLOADERS: &str = "/cosmwasm.wasm.v1.MsgAddCodeUploadParamsAddresses";
/// `MsgRemoveCodeUploadParamsAddresses`.
pub(super) const REMOVE_UPLOADERS: &str = "/cosmwasm.wasm.v1.MsgRemoveCodeUploadParamsAddresses";
/// `MsgUpdateInstantiateConfig`.
pub(super) const CONFIGURE: &str = "/cosmwasm.wasm.v1.MsgUpdateInstantiateConfig";
/// `MsgUpdateContractLabel`.
pub(super) const LABEL: &str = "/cosmwasm.wasm.v1.MsgUpdateContractLabel";
/// `MsgStoreAndInstantiateContract`.
pub(super) const STORE_INSTANTIATE: &str = "/cosmwasm.wasm.v1.MsgStoreAndInstantiateContract";
/// `MsgStoreAndMigrateContract`.
pub(super) const STORE_MIGRATE: &str = "/cosmwasm.wasm.v1.MsgStoreAndMigrateContract";

/// The most codes of one message.
const MAX_CODES: usize = 50;

/// `MsgPinCodes` and `MsgUnpinCodes`: cosmos-sdk-proto's do not pack the list, as the chain and its clients do.
#[derive(Clone, PartialEq, Message)]
pub(super) struct PinCodes {
    /// Governance.
    #[prost(string, tag = "1")]
    pub authority: String,
    /// Which.
    #[prost(uint64, repeated, tag = "2")]
    pub code_ids: Vec<u64>,
}

/// Who must sign a message; `None` when it is none of these.
///
/// # Errors
/// sdk/2.
pub(super) fn signer(type_url: &str, value: &[u8]) -> Option<Res<String>> {
    Some(match type_url {
        UPDATE_PARAMS => decode::<MsgUpdateParams>(value).map(|m| m.authority),
        SUDO => decode::<MsgSudoContract>(value).map(|m| m.authority),
        PIN | UNPIN => decode::<PinCodes>(value).map(|m| m.authority),
        ADD_UPLOADERS => decode::<MsgAddCodeUploadParamsAddresses>(value).map(|m| m.authority),
        REMOVE_UPLOADERS => {
            decode::<MsgRemoveCodeUploadParamsAddresses>(value).map(|m| m.authority)
        }
        CONFIGURE => decode::<MsgUpdateInstantiateConfig>(value).map(|m| m.sender),
        LABEL => decode::<MsgUpdateContractLabel>(value).map(|m| m.sender),
        STORE_INSTANTIATE => decode::<MsgStoreAndInstantiateContract>(value).map(|m| m.authority),
        STORE_MIGRATE => decode::<MsgStoreAndMigrateContract>(value).map(|m| m.authority),
        _ => return None,
    })
}

/// Run a message; its response's bytes, `None` when it is none of these.
///
/// # Errors
/// The message's.
pub(super) fn handle(k: &Keeper, type_url: &str, value: &[u8]) -> Option<Res<Vec<u8>>> {
    Some(match type_url {
        UPDATE_PARAMS => update_params(k, value),
        SUDO => sudo(k, value),
        PIN => pin(k, value, |id| k.pin_code(id)).map(|()| MsgPinCodesResponse {}.encode_to_vec()),
        UNPIN => {
            pin(k, value, |id| k.unpin_code(id)).map(|()| MsgUnpinCodesResponse {}.encode_to_vec())
        }
        ADD_UPLOADERS => add_uploaders(k, value),
        REMOVE_UPLOADERS => remove_uploaders(k, value),
        CONFIGURE => configure(k, value),
        LABEL => label(k, value),
        STORE_INSTANTIATE => store_and_instantiate(k, value),
        STORE_MIGRATE => store_and_migrate(k, value),
        _ => return None,
    })
}

/// The text of an authority is an address.
fn check_address(k: &Keeper, authority: &str) -> Res<Vec<u8>> {
    k.addr(authority).map_err(|e| e.wrap("authority"))
}

/// Only governance may.
///
/// # Errors
/// wasm/14.
fn check_gov(k: &Keeper, authority: &str) -> Res<()> {
    let gov = k.human(&policy::gov())?;
    if authority == gov {
        return Ok(());
    }
    Err(Fail::new(
        Code::Invalid,
        format_args!("invalid authority; expected {gov}, got {authority}"),
    ))
}

fn update_params(k: &Keeper, value: &[u8]) -> Res<Vec<u8>> {
    let m: MsgUpdateParams = decode(value)?;
    check_address(k, &m.authority)?;
    let params = m.params.unwrap_or_default();
    access::known(params.instantiate_default_permission)
        .map_err(|e| Fail::from(e).wrap("instantiate default permission"))?;
    let upload = params.code_upload_access.clone().unwrap_or_default();
    k.check_access(&upload)
        .map_err(|e| e.wrap("upload access"))?;
    check_gov(k, &m.authority)?;
    state::set_params(&k.ctx, &params)?;
    Ok(MsgUpdateParamsResponse {}.encode_to_vec())
}

fn sudo(k: &Keeper, value: &[u8]) -> Res<Vec<u8>> {
    let m: MsgSudoContract = decode(value)?;
    check_address(k, &m.authority)?;
    let contract = k.addr(&m.contract).map_err(|e| e.wrap("contract"))?;
    check_json(&m.msg)?;
    check_gov(k, &m.authority)?;
    let data = k.sudo(&contract, &m.msg)?.unwrap_or_default();
    Ok(MsgSudoContractResponse { data }.encode_to_vec())
}

fn pin(k: &Keeper, value: &[u8], each: impl Fn(u64) -> Res<()>) -> Res<()> {
    let m: PinCodes = decode(value)?;
    check_address(k, &m.authority)?;
    let refuse = |text: &dyn std::fmt::Display| Err(AppError::invalid_request(text).into());
    match m.code_ids.len() {
        0 => return refuse(&"empty code ids"),
        n if n > MAX_CODES => {
            return refuse(&format_args!(
                "total number of code ids is greater than {MAX_CODES}"
            ));
        }
        n if n != m.code_ids.iter().collect::<BTreeSet<_>>().len() => {
            return refuse(&"duplicate code ids");
        }
        _ => {}
    }
    check_gov(k, &m.authority)?;
    m.code_ids.into_iter().try_for_each(each)
}

/// The parameters, and who may upload; only a list can be changed one by one.
fn uploaders(k: &Keeper, authority: &str, addresses: &[String]) -> Res<(Params, AccessConfig)> {
    check_address(k, authority)?;
    access::check_addresses(addresses, |a| Ok(k.addr(a).map(drop)?))?;
    check_gov(k, authority)?;
    let params = state::params(&k.ctx)?;
    let upload = params.code_upload_access.clone().unwrap_or_default();
    if access::kind(upload.permission) != AccessType::AnyOfAddresses {
        return Err(Fail::new(Code::Invalid, "permission"));
    }
    Ok((params, upload))
}

fn set_uploaders(k: &Keeper, params: Params, upload: AccessConfig) -> Res<()> {
    let code_upload_access = Some(upload);
    state::set_params(
        &k.ctx,
        &Params {
            code_upload_access,
            ..params
        },
    )
}

fn add_uploaders(k: &Keeper, value: &[u8]) -> Res<Vec<u8>> {
    let m: MsgAddCodeUploadParamsAddresses = decode(value)?;
    let (params, mut upload) = uploaders(k, &m.authority, &m.addresses)?;
    for a in m.addresses {
        if !upload.addresses.contains(&a) {
            upload.addresses.push(a);
        }
    }
    set_uploaders(k, params, upload)?;
    Ok(MsgAddCodeUploadParamsAddressesResponse {}.encode_to_vec())
}

fn remove_uploaders(k: &Keeper, value: &[u8]) -> Res<Vec<u8>> {
    let m: MsgRemoveCodeUploadParamsAddresses = decode(value)?;
    let (params, mut upload) = uploaders(k, &m.authority, &m.addresses)?;
    upload.addresses.retain(|a| !m.addresses.contains(a));
    set_uploaders(k, params, upload)?;
    Ok(MsgRemoveCodeUploadParamsAddressesResponse {}.encode_to_vec())
}

fn configure(k: &Keeper, value: &[u8]) -> Res<Vec<u8>> {
    let m: MsgUpdateInstantiateConfig = decode(value)?;
    let sender = k.addr(&m.sender).map_err(|e| e.wrap("sender"))?;
    check_code_id(m.code_id)?;
    let new = m
        .new_instantiate_permission
        .ok_or_else(|| AppError::invalid_request("instantiate permission is required"))?;
    k.check_access(&new)
        .map_err(|e| e.wrap("instantiate permission"))?;
    let mut info = state::must_code(&k.ctx, m.code_id)?;
    let default = state::params(&k.ctx)?.instantiate_default_permission;
    let narrower = access::is_narrower(new.permission, default);
    let creator = k.addr(&info.creator)?;
    if !k.policy(&sender).may_configure(&creator, &sender, narrower) {
        return Err(AppError::unauthorized("can not modify code access config").into());
    }
    let kind = access::kind(new.permission);
    let name = match kind {
        AccessType::Nobody => "Nobody",
        AccessType::AnyOfAddresses => "AnyOfAddresses",
        AccessType::Everybody => "Everybody",
        AccessType::Unspecified => "Unspecified",
    };
    let mut event = Event::new("update_code_access_config")
        .attr("code_permission", name)
        .attr("code_id", m.code_id.to_string());
    if kind == AccessType::AnyOfAddresses {
        event = event.attr("authorized_addresses", new.addresses.join(","));
    }
    info.instantiate_config = Some(new);
    state::set_code(&k.ctx, m.code_id, &info)?;
    k.ctx.emit(event);
    Ok(MsgUpdateInstantiateConfigResponse {}.encode_to_vec())
}

fn label(k: &Keeper, value: &[u8]) -> Res<Vec<u8>> {
    let m: MsgUpdateContractLabel = decode(value)?;
    let sender = k.addr(&m.sender).map_err(|e| e.wrap("sender"))?;
    check_label(&m.new_label).map_err(|e| e.wrap("label"))?;
    let contract = k.addr(&m.contract).map_err(|e| e.wrap("contract"))?;
    k.set_label(&contract, &sender, &m.new_label)?;
    Ok(MsgUpdateContractLabelResponse {}.encode_to_vec())
}

fn check_permission(k: &Keeper, permission: Option<&AccessConfig>) -> Res<()> {
    permission.map_or(Ok(()), |p| {
        k.check_access(p)
            .map_err(|e| e.wrap("instantiate permission"))
    })
}

fn store_and_instantiate(k: &Keeper, value: &[u8]) -> Res<Vec<u8>> {
    let m: MsgStoreAndInstantiateContract = decode(value)?;
    let sender = check_address(k, &m.authority)?;
    check_label(&m.label).map_err(|e| e.wrap("label"))?;
    super::coins::validate(&m.funds).map_err(|e| e.wrap("funds"))?;
    let admin = optional(k, &m.admin).map_err(|e| e.wrap("admin"))?;
    if !(m.source.is_empty() && m.builder.is_empty() && m.code_hash.is_empty()) {
        return Err(AppError::not_supported(
            "code verification info: expected none, got source, builder or code hash",
        )
        .into());
    }
    check_json(&m.msg)?;
    check_wasm(&m.wasm_byte_code)?;
    check_permission(k, m.instantiate_permission.as_ref())?;
    let (code_id, _) = k.store_code(&sender, &m.wasm_byte_code, m.instantiate_permission)?;
    let (addr, data) = k.instantiate(&NewContract {
        code_id,
        creator: &sender,
        admin: &admin,
        label: &m.label,
        msg: &m.msg,
        funds: &m.funds,
        naming: Naming::Classic,
    })?;
    let address = k.human(&addr)?;
    let data = data.unwrap_or_default();
    Ok(MsgStoreAndInstantiateContractResponse { address, data }.encode_to_vec())
}

fn store_and_migrate(k: &Keeper, value: &[u8]) -> Res<Vec<u8>> {
    let m: MsgStoreAndMigrateContract = decode(value)?;
    check_address(k, &m.authority)?;
    let (sender, contract) = parties(k, &m.authority, &m.contract)?;
    check_json(&m.msg)?;
    check_wasm(&m.wasm_byte_code)?;
    check_permission(k, m.instantiate_permission.as_ref())?;
    let (code_id, checksum) = k.store_code(&sender, &m.wasm_byte_code, m.instantiate_permission)?;
    let data = k
        .migrate(&contract, &sender, code_id, &m.msg)?
        .unwrap_or_default();
    let response = MsgStoreAndMigrateContractResponse {
        code_id,
        checksum,
        data,
    };
    Ok(response.encode_to_vec())
}
