//! gRPC over a real socket and REST through its router, on an application whose blocks are made by hand. What needs an
//! engine is tried by real clients in `scripts/e2e`.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod app_support;

use app_support::{Build, Wallet, app_state, block, init, open};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{Buf, BufMut, Bytes};
use cosmos_sdk_proto::cosmos::{
    bank::v1beta1::{QueryBalanceRequest, QueryBalanceResponse},
    tx::v1beta1::{SimulateRequest, SimulateResponse},
};
use ember_abci_app::{
    api::{Services, grpc, rest},
    metrics::Metrics,
};
use prost::Message;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tonic::{
    Code, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};
use tower::ServiceExt;

struct Chain {
    _dir: tempfile::TempDir,
    alice: Wallet,
    bob: Wallet,
    services: Services,
}

/// Alice has sent Bob ten in each of five blocks.
fn chain() -> Chain {
    let (dir, alice, bob) = (tempfile::tempdir().unwrap(), Wallet::new(1), Wallet::new(2));
    let app = open(dir.path());
    init(&app, &app_state(&[&alice]));
    for height in 1..=5i64 {
        let sequence = u64::try_from(height - 1).unwrap();
        block(
            &app,
            height,
            &[Build::new(&alice, &bob.address, sequence).bytes()],
        );
    }
    Chain {
        _dir: dir,
        alice,
        bob,
        services: Services::new(app, Metrics::default(), "http://127.0.0.1:9").unwrap(),
    }
}

async fn get(router: &Router, url: &str, height: Option<&str>) -> (StatusCode, Value) {
    let mut request = Request::get(url);
    if let Some(h) = height {
        request = request.header("x-cosmos-block-height", h);
    }
    let answer = router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn rest_answers_as_grpc_gateway_prints() {
    let c = chain();
    let router = rest::routes(c.services.clone());
    let balances = format!("/cosmos/bank/v1beta1/balances/{}", c.bob.address);
    assert_eq!(
        get(&router, &balances, None).await,
        (
            StatusCode::OK,
            json!({"balances": [{"denom": "utest", "amount": "50"}], "pagination": {"next_key": null, "total": "1"}})
        )
    );
    let (_, past) = get(&router, &balances, Some("4")).await;
    assert_eq!(past["balances"][0]["amount"], "40", "as of height 4");
    let account = format!("/cosmos/auth/v1beta1/accounts/{}", c.alice.address);
    let (_, account) = get(&router, &account, None).await;
    assert_eq!(
        account["account"]["@type"],
        "/cosmos.auth.v1beta1.BaseAccount"
    );
    assert_eq!(account["account"]["sequence"], "5");
    assert_eq!(
        account["account"]["pub_key"]["@type"],
        "/cosmos.crypto.secp256k1.PubKey"
    );

    for (url, height, status, code, words) in [
        (
            "/cosmos/auth/v1beta1/accounts/test1nobody",
            None,
            400,
            3,
            "decoding bech32 failed",
        ),
        (
            "/cosmos/bank/v1beta1/balances/test",
            None,
            400,
            3,
            "decoding bech32 failed",
        ),
        (
            "/cosmwasm/wasm/v1/contract/test/smart/test",
            None,
            400,
            3,
            "",
        ),
        (
            "/ibc/apps/transfer/v1/params",
            None,
            501,
            12,
            "Not Implemented",
        ),
        (
            "/cosmos/staking/v1beta1/validators",
            None,
            501,
            12,
            "Not Implemented",
        ),
        (balances.as_str(), Some("99"), 400, 3, "future"),
        (balances.as_str(), Some("soon"), 400, 3, "expected a height"),
        (
            "/cosmos/bank/v1beta1/supply?pagination.limit=many",
            None,
            400,
            3,
            "many",
        ),
    ] {
        let (got, body) = get(&router, url, height).await;
        assert_eq!(
            (got.as_u16(), &body["code"]),
            (status, &json!(code)),
            "{url}: {body}"
        );
        assert!(
            body["message"].as_str().unwrap().contains(words),
            "{url}: {body}"
        );
        assert_eq!(body["details"], json!([]));
    }
    let nobody = Wallet::new(9).address;
    let (got, body) = get(
        &router,
        &format!("/cosmos/auth/v1beta1/accounts/{nobody}"),
        None,
    )
    .await;
    assert_eq!((got.as_u16(), &body["code"]), (404, &json!(5)), "{body}");

    let (_, document) = get(&router, "/openapi.json", None).await;
    let parameters =
        &document["paths"]["/cosmos/bank/v1beta1/balances/{address}"]["get"]["parameters"];
    assert_eq!(
        parameters[0],
        json!({"name": "address", "in": "path", "required": true, "schema": {"type": "string"}})
    );
    assert!(
        parameters
            .as_array()
            .unwrap()
            .iter()
            .any(|p| p["name"] == "pagination.limit")
    );
}

async fn post(router: &Router, url: &str, body: Value) -> (StatusCode, Value) {
    let request = Request::post(url).body(Body::from(body.to_string()));
    let answer = router.clone().oneshot(request.unwrap()).await.unwrap();
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

/// A wallet that has no protobuf: what is printed can be sent back, and is the same transaction.
#[tokio::test]
async fn transactions_go_through_json_and_back() {
    let c = chain();
    let router = rest::routes(c.services.clone());
    let raw = Build::new(&c.alice, &c.bob.address, 5).bytes();
    let tx_bytes = BASE64_STANDARD.encode(&raw);
    let (_, decoded) = post(
        &router,
        "/cosmos/tx/v1beta1/decode",
        json!({"tx_bytes": tx_bytes}),
    )
    .await;
    let tx = &decoded["tx"];
    assert_eq!(
        tx["body"]["messages"][0]["@type"],
        "/cosmos.bank.v1beta1.MsgSend"
    );
    assert_eq!(tx["body"]["messages"][0]["to_address"], c.bob.address);
    let (_, encoded) = post(&router, "/cosmos/tx/v1beta1/encode", json!({"tx": tx})).await;
    assert_eq!(encoded["tx_bytes"], tx_bytes);
    let (status, simulated) = post(&router, "/cosmos/tx/v1beta1/simulate", json!({"tx": tx})).await;
    assert_eq!(status, StatusCode::OK, "{simulated}");
    assert!(
        simulated["gas_info"]["gas_used"]
            .as_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            > 20_000
    );

    for (url, body, words) in [
        ("decode", json!({}), "invalid empty tx bytes"),
        ("decode", json!({"tx_bytes": "AAAA"}), "tx parse error"),
        ("encode", json!({}), "invalid empty tx"),
        (
            "simulate",
            json!({"tx_bytes": ""}),
            "expected a fee, got none",
        ),
    ] {
        let (status, answer) =
            post(&router, &format!("/cosmos/tx/v1beta1/{url}"), body.clone()).await;
        assert!(!status.is_success(), "{url} {body}: {answer}");
        assert!(
            answer["message"].as_str().unwrap().contains(words),
            "{url} {body}: {answer}"
        );
    }
}

#[tokio::test]
async fn the_node_tells_its_price_and_answers_raw_queries_only_of_its_own_paths() {
    let c = chain();
    let router = rest::routes(c.services.clone());
    let (_, config) = get(&router, "/cosmos/base/node/v1beta1/config", None).await;
    assert_eq!(config["minimum_gas_price"], "0.025000000000000000utest");
    let query = "/cosmos/base/tendermint/v1beta1/abci_query";
    let (_, answer) = get(&router, &format!("{query}?path=/app/version"), None).await;
    assert_eq!(
        (&answer["code"], &answer["height"]),
        (&json!(0), &json!("5")),
        "{answer}"
    );
    let (_, proved) = get(
        &router,
        &format!("{query}?path=/store/bank/key&data=Ag==&prove=true"),
        None,
    )
    .await;
    assert_eq!(
        proved["proof_ops"]["ops"].as_array().unwrap().len(),
        2,
        "{proved}"
    );
    for (path, words) in [
        ("", "empty query path"),
        (
            "/cosmos.bank.v1beta1.Query/Params",
            "unsupported ABCI query path",
        ),
    ] {
        let (status, answer) = get(&router, &format!("{query}?path={path}"), None).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        assert!(
            answer["message"].as_str().unwrap().contains(words),
            "{answer}"
        );
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        Self
    }
    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;
    fn encode(&mut self, item: Bytes, dst: &mut EncodeBuf<'_>) -> Result<(), Status> {
        dst.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;
    fn decode(&mut self, src: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(src.copy_to_bytes(src.remaining())))
    }
}

async fn call<R: Message + Default>(
    channel: &Channel,
    path: &'static str,
    request: &impl Message,
    height: &'static str,
) -> Result<(R, Option<String>), Status> {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let mut request = tonic::Request::new(Bytes::from(request.encode_to_vec()));
    if !height.is_empty() {
        request
            .metadata_mut()
            .insert("x-cosmos-block-height", height.parse().unwrap());
    }
    let path = axum::http::uri::PathAndQuery::from_static(path);
    let answer = client.unary(request, path, Raw).await?;
    let height = answer
        .metadata()
        .get("x-cosmos-block-height")
        .map(|h| h.to_str().unwrap().to_owned());
    Ok((R::decode(answer.into_inner()).unwrap(), height))
}

#[tokio::test]
async fn grpc_answers_over_http2() {
    let c = chain();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = grpc::routes(c.services.clone()).unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let channel = Channel::from_shared(format!("http://{address}"))
        .unwrap()
        .connect()
        .await
        .unwrap();

    let path = "/cosmos.bank.v1beta1.Query/Balance";
    let request = QueryBalanceRequest {
        address: c.bob.address.clone(),
        denom: "utest".into(),
    };
    for (height, amount, seen) in [("", "50", "5"), ("3", "30", "3")] {
        let (answer, at): (QueryBalanceResponse, _) =
            call(&channel, path, &request, height).await.unwrap();
        assert_eq!(answer.balance.unwrap().amount, amount);
        assert_eq!(at.as_deref(), Some(seen));
    }
    let mut tx = Build::new(&c.alice, &c.bob.address, 5);
    tx.amount = 7;
    let simulate = SimulateRequest {
        tx_bytes: tx.bytes(),
        ..SimulateRequest::default()
    };
    let path = "/cosmos.tx.v1beta1.Service/Simulate";
    let (answer, _): (SimulateResponse, _) = call(&channel, path, &simulate, "").await.unwrap();
    assert!(answer.gas_info.unwrap().gas_used > 20_000);

    let bad = QueryBalanceRequest {
        address: "nobody".into(),
        denom: "utest".into(),
    };
    for (path, code) in [
        ("/cosmos.bank.v1beta1.Query/Balance", Code::InvalidArgument),
        ("/cosmos.staking.v1beta1.Query/Params", Code::Unimplemented),
        ("/nothing", Code::Unimplemented),
        // The engine is not there.
        (
            "/cosmos.base.tendermint.v1beta1.Service/GetLatestBlock",
            Code::Unavailable,
        ),
    ] {
        let refused = call::<QueryBalanceResponse>(&channel, path, &bad, "")
            .await
            .unwrap_err();
        assert_eq!(refused.code(), code, "{path}: {refused:?}");
    }
    server.abort();
}
