//! `cosmos.base.tendermint.v1beta1.Service` and the node's own: blocks, validators, how far it is.

use super::{EngineRpc, PAGE, bytes, decode, number, text};
use crate::{app::services::node_info, codec::address};
use cosmos_sdk_proto::Any;
use cosmos_sdk_proto::cosmos::{
    base::{
        node::v1beta1::StatusResponse,
        query::v1beta1::{PageRequest, PageResponse},
        tendermint::v1beta1::{
            GetBlockByHeightRequest, GetLatestValidatorSetRequest, GetLatestValidatorSetResponse,
            GetNodeInfoResponse, GetSyncingResponse, GetValidatorSetByHeightRequest, Validator,
        },
    },
    crypto::ed25519::PubKey,
};
use prost::Message;
use serde_json::{Value, json};
use tendermint_proto::v0_38::p2p::{DefaultNodeInfo, DefaultNodeInfoOther, ProtocolVersion};
use tonic::Status;

impl EngineRpc {
    pub(super) async fn node_info(&self) -> Result<Vec<u8>, Status> {
        let status = self.ask("status", json!({})).await?;
        let node = &status["node_info"];
        let versions = &node["protocol_version"];
        Ok(GetNodeInfoResponse {
            default_node_info: Some(DefaultNodeInfo {
                protocol_version: Some(ProtocolVersion {
                    p2p: number(&versions["p2p"]),
                    block: number(&versions["block"]),
                    app: number(&versions["app"]),
                }),
                default_node_id: text(&node["id"]),
                listen_addr: text(&node["listen_addr"]),
                network: text(&node["network"]),
                version: text(&node["version"]),
                channels: hex::decode(text(&node["channels"])).unwrap_or_default(),
                moniker: text(&node["moniker"]),
                other: Some(DefaultNodeInfoOther {
                    tx_index: text(&node["other"]["tx_index"]),
                    rpc_address: text(&node["other"]["rpc_address"]),
                }),
            }),
            ..node_info()
        }
        .encode_to_vec())
    }

    pub(super) async fn syncing(&self) -> Result<Vec<u8>, Status> {
        let status = self.ask("status", json!({})).await?;
        Ok(GetSyncingResponse {
            syncing: status["sync_info"]["catching_up"]
                .as_bool()
                .unwrap_or(false),
        }
        .encode_to_vec())
    }

    pub(super) async fn status(&self) -> Result<Vec<u8>, Status> {
        let status = self.ask("status", json!({})).await?;
        let sync = &status["sync_info"];
        Ok(StatusResponse {
            earliest_store_height: number(&sync["earliest_block_height"]),
            height: number(&sync["latest_block_height"]),
            app_hash: hex::decode(text(&sync["latest_app_hash"])).unwrap_or_default(),
            ..StatusResponse::default()
        }
        .encode_to_vec())
    }

    pub(super) async fn latest(&self) -> Result<Vec<u8>, Status> {
        self.block(json!({})).await
    }

    pub(super) async fn at_height(&self, request: &[u8]) -> Result<Vec<u8>, Status> {
        let request: GetBlockByHeightRequest = decode(request)?;
        let current = i64::try_from(self.app.last_height()).unwrap_or(i64::MAX);
        if request.height > current {
            return Err(Status::invalid_argument(
                "requested block height is bigger then the chain length",
            ));
        }
        self.block(json!({"height": request.height.to_string()}))
            .await
    }

    async fn block(&self, params: Value) -> Result<Vec<u8>, Status> {
        let v = self.ask("block", params).await?;
        super::super::block::response(&v, &self.app.prefix())
            .map_err(|e| Status::internal(format!("block: {e}")))
    }

    pub(super) async fn latest_validators(&self, request: &[u8]) -> Result<Vec<u8>, Status> {
        let request: GetLatestValidatorSetRequest = decode(request)?;
        self.validators(json!({}), request.pagination).await
    }

    pub(super) async fn validators_at(&self, request: &[u8]) -> Result<Vec<u8>, Status> {
        let request: GetValidatorSetByHeightRequest = decode(request)?;
        let current = i64::try_from(self.app.last_height()).unwrap_or(i64::MAX);
        if request.height > current {
            return Err(Status::invalid_argument(
                "requested block height is bigger then the chain length",
            ));
        }
        let params = json!({"height": request.height.to_string()});
        self.validators(params, request.pagination).await
    }

    async fn validators(
        &self,
        mut params: Value,
        page: Option<PageRequest>,
    ) -> Result<Vec<u8>, Status> {
        let page = page.unwrap_or_default();
        let limit = if page.limit == 0 { PAGE } else { page.limit };
        params["page"] = (page.offset / limit + 1).to_string().into();
        params["per_page"] = limit.to_string().into();
        let v = self.ask("validators", params).await?;
        let prefix = format!("{}valcons", self.app.prefix());
        let mut validators = Vec::new();
        for one in v["validators"].as_array().into_iter().flatten() {
            let broken = || Status::internal(format!("validator of the engine: {one}"));
            let address = hex::decode(text(&one["address"])).map_err(|_| broken())?;
            validators.push(Validator {
                address: address::encode(&prefix, &address).map_err(|_| broken())?,
                pub_key: Some(Any {
                    type_url: "/cosmos.crypto.ed25519.PubKey".into(),
                    value: PubKey {
                        key: bytes(&one["pub_key"]["value"]),
                    }
                    .encode_to_vec(),
                }),
                voting_power: number(&one["voting_power"]),
                proposer_priority: number(&one["proposer_priority"]),
            });
        }
        // The answer by height is the same message.
        Ok(GetLatestValidatorSetResponse {
            block_height: number(&v["block_height"]),
            validators,
            pagination: Some(PageResponse {
                total: number(&v["total"]),
                ..PageResponse::default()
            }),
        }
        .encode_to_vec())
    }
}
