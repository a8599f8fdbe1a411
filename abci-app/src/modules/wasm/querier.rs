//! What a contract may ask the chain: bank balances and other contracts, under the gas it has left.

use super::{
    coins,
    fail::{Code, Fail, Kind, Res},
    gas_register::{MULTIPLIER, to_vm},
    keeper::Keeper,
    msg, rewards, staking, state,
};
use crate::{error::AppError, gas::GasMeter};
use cosmos_sdk_proto::cosmos::{
    bank::v1beta1::{Metadata, QueryBalanceRequest, QueryBalanceResponse},
    base::v1beta1::Coin,
};
use cosmwasm_std::{
    Addr, BalanceResponse, Binary, CodeInfoResponse, ContractInfoResponse, ContractResult,
    DenomMetadata, DenomMetadataResponse, DenomUnit, DistributionQuery, StakingQuery,
    SupplyResponse, SystemError, SystemResult, WasmQuery,
};
use cosmwasm_vm::{BackendError, BackendResult, GasInfo, Querier};
use prost::Message;
use serde::{Deserialize, Serialize, de::IgnoredAny};

/// The one query of the chain that a contract may send encoded.
const BANK_BALANCE: &str = "/cosmos.bank.v1beta1.Query/Balance";

/// The querier of one running contract.
pub(super) struct ChainQuerier {
    keeper: Keeper,
}

/// A contract's query. What the chain does not serve is read as far as its name.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    Bank(Bank),
    Wasm(WasmQuery),
    Grpc { path: String, data: Binary },
    Stargate { path: String, data: Binary },
    Custom(IgnoredAny),
    Staking(StakingQuery),
    Distribution(DistributionQuery),
    Ibc(IgnoredAny),
}

/// `AllBalances` is of CosmWasm 1 and 2; the standard library of 3 has dropped it.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Bank {
    Balance { address: String, denom: String },
    AllBalances { address: String },
    Supply { denom: String },
    DenomMetadata { denom: String },
    AllDenomMetadata(IgnoredAny),
}

#[derive(Serialize)]
struct AllBalancesResponse {
    amount: Vec<cosmwasm_std::Coin>,
}

impl ChainQuerier {
    /// Queries of a contract that runs on `keeper`.
    pub fn new(keeper: Keeper) -> Self {
        Self { keeper }
    }

    fn answer(&self, request: Request) -> Res<Vec<u8>> {
        match request {
            Request::Bank(q) => self.bank(q),
            Request::Wasm(q) => self.wasm(q),
            Request::Grpc { path, data } => self.grpc(&path, data.as_slice()),
            Request::Stargate { path, data } => self.grpc(&path, data.as_slice()),
            Request::Custom(_) => Err(Fail::unsupported("custom")),
            Request::Staking(q) => staking::answer(&self.keeper, q),
            Request::Distribution(q) => rewards::answer(&self.keeper, q),
            Request::Ibc(_) => Err(Fail::unsupported(
                "ibc queries are not served by this chain",
            )),
        }
    }

    /// The bytes of an address in a query.
    fn addr(&self, human: &str) -> Res<Vec<u8>> {
        self.keeper
            .api
            .decode(human)
            .map_err(|_| AppError::invalid_address(human).into())
    }

    fn bank(&self, q: Bank) -> Res<Vec<u8>> {
        let (chain, ctx) = (&self.keeper.chain, &self.keeper.ctx);
        match q {
            Bank::Balance { address, denom } => json(&BalanceResponse::new(one(chain.balance(
                ctx,
                &self.addr(&address)?,
                &denom,
            )?)?)),
            Bank::AllBalances { address } => {
                let amount = coins::for_contract(&chain.all_balances(ctx, &self.addr(&address)?)?)?;
                json(&AllBalancesResponse { amount })
            }
            Bank::Supply { denom } => json(&SupplyResponse::new(one(chain.supply(ctx, &denom)?)?)),
            Bank::DenomMetadata { denom } => {
                let found = chain
                    .denom_metadata(ctx, &denom)?
                    .ok_or_else(|| AppError::not_found(&denom))?;
                json(&DenomMetadataResponse::new(metadata(found)))
            }
            Bank::AllDenomMetadata(_) => Err(Fail::unsupported(
                "all denom metadata: ask for one denom's metadata",
            )),
        }
    }

    fn wasm(&self, q: WasmQuery) -> Res<Vec<u8>> {
        let (k, ctx) = (&self.keeper, &self.keeper.ctx);
        match q {
            WasmQuery::Smart { contract_addr, msg } => {
                let contract = self.addr(&contract_addr)?;
                msg::check_json(msg.as_slice()).map_err(|e| e.wrap("json msg"))?;
                k.query_smart(&contract, msg.as_slice())
            }
            WasmQuery::Raw { contract_addr, key } => {
                k.query_raw(&self.addr(&contract_addr)?, key.as_slice())
            }
            WasmQuery::ContractInfo { contract_addr } => {
                let info = state::contract(ctx, &self.addr(&contract_addr)?)?
                    .ok_or_else(|| Fail::no_such_contract(&contract_addr))?;
                let admin = (!info.admin.is_empty()).then(|| Addr::unchecked(&info.admin));
                let pinned = state::is_pinned(ctx, info.code_id)?;
                json(&ContractInfoResponse::new(
                    info.code_id,
                    Addr::unchecked(&info.creator),
                    admin,
                    pinned,
                    None,
                    None,
                ))
            }
            WasmQuery::CodeInfo { code_id: 0 } => Err(Fail::new(Code::Empty, "code id")),
            WasmQuery::CodeInfo { code_id } => {
                let info = state::must_code(ctx, code_id)?;
                let checksum = state::checksum(&info)?;
                json(&CodeInfoResponse::new(
                    code_id,
                    Addr::unchecked(&info.creator),
                    checksum,
                ))
            }
            _ => Err(Fail::unsupported("unknown WasmQuery variant")),
        }
    }

    fn grpc(&self, path: &str, data: &[u8]) -> Res<Vec<u8>> {
        if path != BANK_BALANCE {
            return Err(Fail::unsupported(format!(
                "'{path}' path is not allowed from the contract"
            )));
        }
        let q = QueryBalanceRequest::decode(data).map_err(AppError::tx_decode)?;
        let balance =
            self.keeper
                .chain
                .balance(&self.keeper.ctx, &self.addr(&q.address)?, &q.denom)?;
        Ok(QueryBalanceResponse {
            balance: Some(balance),
        }
        .encode_to_vec())
    }
}

impl Keeper {
    /// A value of a contract's own state; empty when there is none.
    ///
    /// # Errors
    /// sdk/11.
    pub fn query_raw(&self, contract: &[u8], key: &[u8]) -> Res<Vec<u8>> {
        let key = [&super::keys::contract_store(contract), key].concat();
        Ok(self
            .ctx
            .get(crate::store::StoreKey::Wasm, &key)?
            .unwrap_or_default())
    }
}

impl Querier for ChainQuerier {
    fn query_raw(
        &self,
        request: &[u8],
        gas_limit: u64,
    ) -> BackendResult<SystemResult<ContractResult<Binary>>> {
        let request: Request = match serde_json::from_slice(request) {
            Ok(r) => r,
            Err(e) => {
                let error = SystemError::InvalidRequest {
                    error: e.to_string(),
                    request: request.into(),
                };
                return (Ok(SystemResult::Err(error)), GasInfo::free());
            }
        };
        let ctx = &self.keeper.ctx;
        let outer = ctx.swap_gas(GasMeter::new(gas_limit / MULTIPLIER));
        let mut answer = Err(Fail::unsupported(""));
        // A query writes nothing: its layer is dropped whatever it says.
        let _dropped = ctx.atomically(|_| {
            answer = self.answer(request);
            Err::<(), ()>(())
        });
        let spent = ctx.swap_gas(outer).used();
        let charged = ctx.consume_gas(spent, "contract sub-query");
        let gas = GasInfo::with_externally_used(to_vm(spent));
        let result = match answer {
            _ if charged.is_err() => Err(BackendError::out_of_gas()),
            Ok(data) => Ok(SystemResult::Ok(ContractResult::Ok(data.into()))),
            Err(Fail {
                kind: Kind::OutOfGas,
                ..
            }) => Err(BackendError::out_of_gas()),
            Err(Fail {
                kind: Kind::System(e),
                ..
            }) => Ok(SystemResult::Err(e)),
            Err(e) => Ok(SystemResult::Ok(ContractResult::Err(e.redacted()))),
        };
        (result, gas)
    }
}

fn json<T: Serialize>(value: &T) -> Res<Vec<u8>> {
    cosmwasm_std::to_json_vec(value).map_err(|e| Fail::new(Code::QueryFailed, e))
}

fn one(coin: Coin) -> Res<cosmwasm_std::Coin> {
    coins::for_contract(std::slice::from_ref(&coin))?
        .pop()
        .ok_or_else(|| {
            AppError::invalid_coins(format_args!("{}{}", coin.amount, coin.denom)).into()
        })
}

fn metadata(m: Metadata) -> DenomMetadata {
    DenomMetadata {
        description: m.description,
        denom_units: m
            .denom_units
            .into_iter()
            .map(|u| DenomUnit {
                denom: u.denom,
                exponent: u.exponent,
                aliases: u.aliases,
            })
            .collect(),
        base: m.base,
        display: m.display,
        name: m.name,
        symbol: m.symbol,
        uri: m.uri,
        uri_hash: m.uri_hash,
    }
}
