//! `/cosmwasm.wasm.v1.Query`.

use super::{
    fail::{Code, Fail, Res},
    keeper::Keeper,
    keys, msg, state,
};
use crate::{
    ctx::Ctx,
    error::AppError,
    gas::GasMeter,
    modules::page::{self, Pair},
    store::StoreKey,
};
use cosmos_sdk_proto::{
    cosmos::base::query::v1beta1::{PageRequest, PageResponse},
    cosmwasm::wasm::v1::{
        AccessConfig, CodeInfo, CodeInfoResponse, ContractCodeHistoryEntry, Model,
        QueryAllContractStateRequest, QueryAllContractStateResponse, QueryCodeRequest,
        QueryCodeResponse, QueryCodesRequest, QueryCodesResponse, QueryContractHistoryRequest,
        QueryContractHistoryResponse, QueryContractInfoRequest, QueryContractInfoResponse,
        QueryContractsByCodeRequest, QueryContractsByCodeResponse, QueryContractsByCreatorRequest,
        QueryContractsByCreatorResponse, QueryParamsResponse, QueryPinnedCodesRequest,
        QueryPinnedCodesResponse, QueryRawContractStateRequest, QueryRawContractStateResponse,
        QuerySmartContractStateRequest, QuerySmartContractStateResponse,
    },
};
use prost::Message;

/// Gas of a smart query from outside. The node's own choice: it is never part of the state.
const SMART_QUERY_GAS: u64 = 10_000_000;
/// The most entries on a page.
const MAX_PAGE: u64 = 100;

/// `QueryCodeInfoRequest`, which cosmos-sdk-proto does not have yet.
#[derive(Clone, PartialEq, Message)]
pub(super) struct QueryCodeInfoRequest {
    #[prost(uint64, tag = "1")]
    pub code_id: u64,
}

/// `QueryCodeInfoResponse`, which cosmos-sdk-proto does not have yet.
#[derive(Clone, PartialEq, Message)]
pub(super) struct QueryCodeInfoResponse {
    #[prost(uint64, tag = "1")]
    pub code_id: u64,
    #[prost(string, tag = "2")]
    pub creator: String,
    #[prost(bytes = "vec", tag = "3")]
    pub checksum: Vec<u8>,
    #[prost(message, optional, tag = "4")]
    pub instantiate_permission: Option<AccessConfig>,
}

fn decode<T: Message + Default>(data: &[u8]) -> Res<T> {
    T::decode(data).map_err(|e| AppError::tx_decode(e).into())
}

/// Answer the query `method`, the last part of its path.
///
/// # Errors
/// sdk/6 for unknown methods; what the query says.
pub(super) fn handle(k: &Keeper, method: &str, data: &[u8]) -> Res<Vec<u8>> {
    Ok(match method {
        "ContractInfo" => contract_info(k, &decode(data)?)?.encode_to_vec(),
        "ContractHistory" => contract_history(k, decode(data)?)?.encode_to_vec(),
        "ContractsByCode" => contracts_by_code(k, decode(data)?)?.encode_to_vec(),
        "ContractsByCreator" => contracts_by_creator(k, decode(data)?)?.encode_to_vec(),
        "AllContractState" => all_contract_state(k, decode(data)?)?.encode_to_vec(),
        "RawContractState" => raw_contract_state(k, &decode(data)?)?.encode_to_vec(),
        "SmartContractState" => smart_contract_state(k, &decode(data)?)?.encode_to_vec(),
        "Code" => code(k, &decode(data)?)?.encode_to_vec(),
        "CodeInfo" => code_info(k, &decode(data)?)?.encode_to_vec(),
        "Codes" => codes(k, decode(data)?)?.encode_to_vec(),
        "PinnedCodes" => pinned_codes(k, decode(data)?)?.encode_to_vec(),
        "Params" => QueryParamsResponse {
            params: Some(state::params(&k.ctx)?),
        }
        .encode_to_vec(),
        _ => {
            return Err(
                AppError::unknown_request(format_args!("unknown query path: {method}")).into(),
            );
        }
    })
}

/// The contract a query names.
fn existing(k: &Keeper, human: &str) -> Res<Vec<u8>> {
    let addr = k.addr(human)?;
    if state::has_contract(&k.ctx, &addr)? {
        Ok(addr)
    } else {
        Err(Fail::no_such_contract(&k.human(&addr)?))
    }
}

fn contract_info(k: &Keeper, q: &QueryContractInfoRequest) -> Res<QueryContractInfoResponse> {
    let addr = k.addr(&q.address)?;
    let address = k.human(&addr)?;
    let info = state::contract(&k.ctx, &addr)?.ok_or_else(|| Fail::no_such_contract(&address))?;
    Ok(QueryContractInfoResponse {
        address,
        contract_info: Some(info),
    })
}

fn contract_history(
    k: &Keeper,
    q: QueryContractHistoryRequest,
) -> Res<QueryContractHistoryResponse> {
    let (pairs, page) = paginate(
        &k.ctx,
        &keys::history_prefix(&k.addr(&q.address)?),
        q.pagination,
    )?;
    let entries: Res<Vec<_>> = pairs
        .into_iter()
        .filter(|(k, _)| k.len() == 8)
        .map(|(_, v)| decode::<ContractCodeHistoryEntry>(&v))
        .collect();
    Ok(QueryContractHistoryResponse {
        entries: entries?,
        pagination: Some(page),
    })
}

/// The addresses at the end of an index's keys.
fn indexed(k: &Keeper, pairs: Vec<Pair>) -> Res<Vec<String>> {
    pairs
        .iter()
        .map(|(key, _)| k.human(key.get(keys::POSITION_LEN..).unwrap_or_default()))
        .collect()
}

fn contracts_by_code(
    k: &Keeper,
    q: QueryContractsByCodeRequest,
) -> Res<QueryContractsByCodeResponse> {
    check_code_id(q.code_id)?;
    let (pairs, page) = paginate(&k.ctx, &keys::by_code_prefix(q.code_id), q.pagination)?;
    Ok(QueryContractsByCodeResponse {
        contracts: indexed(k, pairs)?,
        pagination: Some(page),
    })
}

fn contracts_by_creator(
    k: &Keeper,
    q: QueryContractsByCreatorRequest,
) -> Res<QueryContractsByCreatorResponse> {
    let prefix = keys::by_creator_prefix(&k.addr(&q.creator_address)?);
    let (pairs, page) = paginate(&k.ctx, &prefix, q.pagination)?;
    Ok(QueryContractsByCreatorResponse {
        contract_addresses: indexed(k, pairs)?,
        pagination: Some(page),
    })
}

fn all_contract_state(
    k: &Keeper,
    q: QueryAllContractStateRequest,
) -> Res<QueryAllContractStateResponse> {
    let prefix = keys::contract_store(&existing(k, &q.address)?);
    let (pairs, page) = paginate(&k.ctx, &prefix, q.pagination)?;
    let models = pairs
        .into_iter()
        .map(|(key, value)| Model { key, value })
        .collect();
    Ok(QueryAllContractStateResponse {
        models,
        pagination: Some(page),
    })
}

fn raw_contract_state(
    k: &Keeper,
    q: &QueryRawContractStateRequest,
) -> Res<QueryRawContractStateResponse> {
    let data = k.query_raw(&existing(k, &q.address)?, &q.query_data)?;
    Ok(QueryRawContractStateResponse { data })
}

fn smart_contract_state(
    k: &Keeper,
    q: &QuerySmartContractStateRequest,
) -> Res<QuerySmartContractStateResponse> {
    msg::check_json(&q.query_data).map_err(|_| {
        AppError::invalid_request("rpc error: code = InvalidArgument desc = invalid query data")
    })?;
    let contract = k.addr(&q.address)?;
    let outer = k.ctx.gas();
    let limit = outer.left().min(SMART_QUERY_GAS);
    k.ctx.swap_gas(GasMeter::new(limit));
    let answer = k.query_smart(&contract, &q.query_data);
    k.ctx.swap_gas(outer);
    Ok(QuerySmartContractStateResponse { data: answer? })
}

fn check_code_id(code_id: u64) -> Res<()> {
    if code_id == 0 {
        Err(Fail::new(Code::Invalid, "code id"))
    } else {
        Ok(())
    }
}

fn response(code_id: u64, info: CodeInfo) -> CodeInfoResponse {
    CodeInfoResponse {
        code_id,
        creator: info.creator,
        data_hash: info.code_hash,
        instantiate_permission: info.instantiate_config,
    }
}

fn code(k: &Keeper, q: &QueryCodeRequest) -> Res<QueryCodeResponse> {
    check_code_id(q.code_id)?;
    let info = state::must_code(&k.ctx, q.code_id)?;
    let data = k.vm.blob(&state::checksum(&info)?)?;
    Ok(QueryCodeResponse {
        code_info: Some(response(q.code_id, info)),
        data,
    })
}

fn code_info(k: &Keeper, q: &QueryCodeInfoRequest) -> Res<QueryCodeInfoResponse> {
    check_code_id(q.code_id)?;
    let info = state::must_code(&k.ctx, q.code_id)?;
    Ok(QueryCodeInfoResponse {
        code_id: q.code_id,
        creator: info.creator,
        checksum: info.code_hash,
        instantiate_permission: info.instantiate_config,
    })
}

fn codes(k: &Keeper, q: QueryCodesRequest) -> Res<QueryCodesResponse> {
    let (pairs, page) = paginate(&k.ctx, &[keys::CODE], q.pagination)?;
    let code_infos: Res<Vec<_>> = pairs
        .iter()
        .map(|(key, v)| Ok(response(state::tail_u64(key), decode(v)?)))
        .collect();
    Ok(QueryCodesResponse {
        code_infos: code_infos?,
        pagination: Some(page),
    })
}

fn pinned_codes(k: &Keeper, q: QueryPinnedCodesRequest) -> Res<QueryPinnedCodesResponse> {
    let (pairs, page) = paginate(&k.ctx, &[keys::PINNED], q.pagination)?;
    let code_ids = pairs.iter().map(|(key, _)| state::tail_u64(key)).collect();
    Ok(QueryPinnedCodesResponse {
        code_ids,
        pagination: Some(page),
    })
}

/// One page of what is below `prefix`, keys without it. The page response is always there: clients loop without.
fn paginate(
    ctx: &Ctx,
    prefix: &[u8],
    request: Option<PageRequest>,
) -> Res<(Vec<Pair>, PageResponse)> {
    let mut request = request.unwrap_or_default();
    if request.offset != 0 || request.count_total {
        return Err(AppError::invalid_request(
            "rpc error: code = InvalidArgument desc = offset and count queries not supported",
        )
        .into());
    }
    if request.limit == 0 || request.limit > MAX_PAGE {
        request.limit = MAX_PAGE;
    }
    Ok(page::paginate(ctx, StoreKey::Wasm, prefix, Some(request))?)
}
