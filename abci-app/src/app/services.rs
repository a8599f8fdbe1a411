//! The SDK's services of the node itself: simulation, transactions' encodings, what the node is.

use super::App;
use crate::{
    codec::{
        request,
        tx::{DecodedTx, encode_tx},
    },
    error::{AppError, Result},
    tx::{ante::Ante, run},
};
use cosmos_sdk_proto::cosmos::{
    base::{
        abci::v1beta1::{GasInfo, Result as SdkResult},
        node::v1beta1::ConfigResponse,
        tendermint::v1beta1::{
            AbciQueryRequest, AbciQueryResponse, GetNodeInfoResponse, ProofOp, ProofOps,
            VersionInfo,
        },
    },
    tx::v1beta1::{SimulateRequest, SimulateResponse, TxDecodeRequest, TxEncodeResponse, TxRaw},
};
use prost::Message;
use tendermint_proto::v0_38::abci::RequestQuery;

/// A message whose first field is a `Tx`, as the bytes that it came in: no field is lost that the library does not
/// know. `TxEncodeRequest` and `TxDecodeResponse` are such.
#[derive(Clone, PartialEq, Message)]
struct WithTx {
    #[prost(bytes = "vec", optional, tag = "1")]
    tx: Option<Vec<u8>>,
}

impl App {
    /// Answers one method of the node's own services; `None` when it is of none of them.
    pub(super) fn service(&self, path: &str, data: &[u8]) -> Option<Result<Vec<u8>>> {
        Some(match path {
            "/cosmos.tx.v1beta1.Service/Simulate" => self.simulate(data),
            "/cosmos.tx.v1beta1.Service/TxEncode" => encode(data),
            "/cosmos.tx.v1beta1.Service/TxDecode" => decode(data),
            "/cosmos.base.tendermint.v1beta1.Service/GetNodeInfo" => {
                Ok(node_info().encode_to_vec())
            }
            "/cosmos.base.tendermint.v1beta1.Service/ABCIQuery" => self.abci_query(data),
            "/cosmos.base.node.v1beta1.Service/Config" => Ok(self.config().encode_to_vec()),
            _ => return None,
        })
    }

    fn config(&self) -> ConfigResponse {
        let prices = self.inner.min_gas_prices.iter().map(ToString::to_string);
        ConfigResponse {
            minimum_gas_price: prices.collect::<Vec<_>>().join(","),
            ..ConfigResponse::default()
        }
    }

    /// A query of the application's own paths: gRPC methods have theirs.
    fn abci_query(&self, data: &[u8]) -> Result<Vec<u8>> {
        let req: AbciQueryRequest = request(data)?;
        let refuse = |text: String| {
            AppError::invalid_request(format_args!(
                "rpc error: code = InvalidArgument desc = {text}"
            ))
        };
        if req.path.is_empty() {
            return Err(refuse("empty query path".into()));
        }
        let first = req.path.trim_start_matches('/').split('/').next();
        if !matches!(first, Some("app" | "store" | "p2p" | "custom")) {
            return Err(refuse(format!("unsupported ABCI query path: {}", req.path)));
        }
        let answer = self.answer(&RequestQuery {
            data: req.data.into(),
            path: req.path,
            height: req.height,
            prove: req.prove,
        });
        let op = |o: tendermint_proto::v0_38::crypto::ProofOp| ProofOp {
            r#type: o.r#type,
            key: o.key,
            data: o.data,
        };
        Ok(AbciQueryResponse {
            code: answer.code,
            log: answer.log,
            info: answer.info,
            index: answer.index,
            key: answer.key.to_vec(),
            value: answer.value.to_vec(),
            proof_ops: answer.proof_ops.map(|p| ProofOps {
                ops: p.ops.into_iter().map(op).collect(),
            }),
            height: answer.height,
            codespace: answer.codespace,
        }
        .encode_to_vec())
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
        let result = run::run(&ctx, &tx, &self.router(), &ante);
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

/// `Tx` and `TxRaw` have one encoding; what is sent back is the canonical one.
fn encode(data: &[u8]) -> Result<Vec<u8>> {
    let req: WithTx = request(data)?;
    let tx = req.tx.ok_or_else(|| {
        AppError::invalid_request("rpc error: code = InvalidArgument desc = invalid empty tx")
    })?;
    let tx_bytes = TxRaw::decode(tx.as_slice())
        .map_err(AppError::tx_decode)?
        .encode_to_vec();
    Ok(TxEncodeResponse { tx_bytes }.encode_to_vec())
}

fn decode(data: &[u8]) -> Result<Vec<u8>> {
    let req: TxDecodeRequest = request(data)?;
    if req.tx_bytes.is_empty() {
        return Err(AppError::invalid_request(
            "rpc error: code = InvalidArgument desc = invalid empty tx bytes",
        ));
    }
    DecodedTx::decode(&req.tx_bytes)?;
    let tx = Some(req.tx_bytes);
    Ok(WithTx { tx }.encode_to_vec())
}

/// What clients choose their dialect by: the versions that this chain imitates. The engine's part is the engine's to add.
pub fn node_info() -> GetNodeInfoResponse {
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
