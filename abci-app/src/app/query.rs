//! ABCI queries: gRPC methods as paths, and raw keys.

use super::App;
use crate::{
    codec::{
        request,
        tx::{DecodedTx, encode_tx},
    },
    error::{AppError, Result},
    modules::{auth, bank, consensus},
    store::StoreKey,
    tx::{ante::Ante, run},
};
use cosmos_sdk_proto::cosmos::{
    base::{
        abci::v1beta1::{GasInfo, Result as SdkResult},
        tendermint::v1beta1::{GetNodeInfoResponse, VersionInfo},
    },
    tx::v1beta1::{SimulateRequest, SimulateResponse},
};
use prost::Message;
use tendermint_proto::v0_38::abci::{RequestQuery, ResponseQuery};

impl App {
    /// Answers a query at the last committed height. The height in the answer is never 0: CosmJS takes that for a
    /// failure.
    pub(super) fn answer(&self, req: &RequestQuery) -> ResponseQuery {
        let last = i64::try_from(self.last_height()).unwrap_or(i64::MAX);
        let height = last.max(1);
        let answer = if req.height != 0 && req.height != last {
            Err(AppError::invalid_request(format_args!(
                "cannot query at height {}: this node keeps the state of its last height {last} only",
                req.height
            )))
        } else if req.prove {
            Err(AppError::invalid_request(
                "query with proof: proofs are not served yet; ask again without prove",
            ))
        } else {
            self.dispatch(&req.path, &req.data)
        };
        match answer {
            Ok(value) => ResponseQuery {
                value: value.into(),
                key: req.data.clone(),
                height,
                ..ResponseQuery::default()
            },
            Err(e) => ResponseQuery {
                code: e.code,
                codespace: e.codespace.to_owned(),
                log: e.log,
                height,
                ..ResponseQuery::default()
            },
        }
    }

    fn dispatch(&self, path: &str, data: &[u8]) -> Result<Vec<u8>> {
        if let Some(store) = path.trim_start_matches('/').strip_prefix("store/") {
            return self.raw_key(store, data);
        }
        match path {
            "/cosmos.tx.v1beta1.Service/Simulate" => return self.simulate(data),
            "/cosmos.base.tendermint.v1beta1.Service/GetNodeInfo" => {
                return Ok(node_info().encode_to_vec());
            }
            "/app/version" | "app/version" => {
                return Ok(env!("CARGO_PKG_VERSION").as_bytes().to_vec());
            }
            _ => {}
        }
        let ctx = self
            .read_ctx()
            .map_err(|e| AppError::new("sdk", 1, e.to_string()))?;
        auth::query::query(&ctx, path, data)
            .or_else(|| bank::query::query(&ctx, path, data))
            .or_else(|| consensus::query(&ctx, path))
            .or_else(|| {
                path.starts_with("/cosmwasm.wasm.v1.Query/")
                    .then(|| self.inner.wasm.query(&ctx, path, data))
            })
            .unwrap_or_else(|| {
                Err(AppError::unknown_request(format_args!(
                    "unknown query path: {path}"
                )))
            })
    }

    fn raw_key(&self, path: &str, key: &[u8]) -> Result<Vec<u8>> {
        let store = path
            .strip_suffix("/key")
            .and_then(|name| StoreKey::ALL.into_iter().find(|s| s.name() == name))
            .ok_or_else(|| {
                AppError::unknown_request(format_args!(
                    "store path: expected store/<name>/key, got store/{path}"
                ))
            })?;
        let ctx = self
            .read_ctx()
            .map_err(|e| AppError::new("sdk", 1, e.to_string()))?;
        Ok(ctx.with_layers(|l| l.get(store, key)).unwrap_or_default())
    }

    #[allow(
        deprecated,
        reason = "cosmpy still sends the transaction in the deprecated field"
    )]
    fn simulate(&self, data: &[u8]) -> Result<Vec<u8>> {
        let req: SimulateRequest = request(data)?;
        let raw = match req.tx {
            Some(tx) if req.tx_bytes.is_empty() => encode_tx(&tx),
            _ => req.tx_bytes,
        };
        let tx = DecodedTx::decode(&raw)?;
        let ctx = self.simulate_ctx();
        let ante = Ante {
            min_gas_prices: &[],
            verified: &self.inner.verified,
            max_block_gas: None,
        };
        let result = run::run(&ctx, &tx, &self.inner.wasm, &ante);
        if let Some(e) = result.error {
            return Err(e);
        }
        let events = result
            .events
            .into_iter()
            .map(|e| cosmos_sdk_proto::tendermint::abci::Event {
                r#type: e.kind,
                attributes: e
                    .attributes
                    .into_iter()
                    .map(
                        |(key, value)| cosmos_sdk_proto::tendermint::abci::EventAttribute {
                            key,
                            value,
                            index: true,
                        },
                    )
                    .collect(),
            })
            .collect();
        Ok(SimulateResponse {
            gas_info: Some(GasInfo {
                gas_wanted: result.gas_wanted,
                gas_used: result.gas_used,
            }),
            result: Some(SdkResult {
                data: result.data,
                events,
                ..SdkResult::default()
            }),
        }
        .encode_to_vec())
    }
}

/// What clients choose their dialect by: the versions that this chain imitates.
fn node_info() -> GetNodeInfoResponse {
    GetNodeInfoResponse {
        application_version: Some(VersionInfo {
            name: "ember".into(),
            app_name: "emberd".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            cosmos_sdk_version: "v0.53.6".into(),
            ..VersionInfo::default()
        }),
        ..GetNodeInfoResponse::default()
    }
}
