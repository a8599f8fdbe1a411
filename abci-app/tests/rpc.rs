//! The RPC as clients see it: tendermint-rs must read every answer, CosmJS's and cosmpy's habits must work.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Kv, home, open};
use ember_abci_app::{
    engine::Node,
    metrics::Metrics,
    rpc::{Api, Options, serve},
};
use futures::StreamExt;
use serde_json::{Value, json};
use std::sync::Arc;
use tendermint_rpc::{
    Client, HttpClient, Order, Paging, SubscriptionClient, WebSocketClient,
    event::EventData,
    query::{EventType, Query},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

struct Chain {
    node: Arc<Node<Kv>>,
    addr: String,
    _dir: tempfile::TempDir,
    thread: Option<std::thread::JoinHandle<ember_abci_app::engine::Result<()>>>,
}

impl Chain {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        home(dir.path());
        let node = open(&Kv::default(), dir.path());
        let thread = node.spawn().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap().to_string();
        let api = Api::new(
            Arc::clone(&node),
            "test".into(),
            "00".repeat(20),
            format!("tcp://{addr}"),
        );
        tokio::spawn(serve(
            api,
            listener,
            Options::default(),
            Metrics::default(),
            std::future::pending(),
        ));
        Self {
            node,
            addr,
            _dir: dir,
            thread: Some(thread),
        }
    }

    fn http(&self) -> HttpClient {
        HttpClient::new(format!("http://{}", self.addr).as_str()).unwrap()
    }

    /// A raw HTTP exchange: status and body.
    async fn raw(&self, head: &str, body: &str) -> (u16, String) {
        let mut tcp = TcpStream::connect(&self.addr).await.unwrap();
        let text = format!(
            "{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        // Who sends too much may be answered and cut off before all of it is sent.
        tcp.write_all(text.as_bytes()).await.ok();
        let mut answer = Vec::new();
        tcp.read_to_end(&mut answer).await.ok();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), body.to_owned())
    }

    async fn post(&self, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let (status, text) = self.raw("POST /", &body.to_string()).await;
        assert_eq!(status, 200);
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["id"], 7);
        answer
    }

    async fn commit(&self, tx: &str) -> tendermint_rpc::endpoint::broadcast::tx_commit::Response {
        self.http()
            .broadcast_tx_commit(tx.as_bytes().to_vec())
            .await
            .unwrap()
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        self.node.stop();
        self.thread.take().unwrap().join().unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tendermint_rs_reads_every_answer() {
    let chain = Chain::start().await;
    let c = chain.http();
    c.health().await.unwrap();
    let sent = chain.commit("a=1").await;
    assert!(sent.check_tx.code.is_ok() && sent.tx_result.code.is_ok());
    let height = sent.height;
    let status = c.status().await.unwrap();
    assert_eq!(status.node_info.network.as_str(), "kv-1");
    assert!(
        status.node_info.version.to_string().starts_with("0.38."),
        "what CosmJS looks for"
    );
    assert!(status.sync_info.latest_block_height >= height);
    assert_eq!(status.validator_info.power(), 10);
    assert_eq!(c.abci_info().await.unwrap().data, "kv");
    let q = c
        .abci_query(Some("/x".into()), "a", None, false)
        .await
        .unwrap();
    assert_eq!(
        (q.value.as_slice(), q.height > 0u32.into()),
        (&b"1"[..], true)
    );
    assert_eq!(
        u32::from(
            c.abci_query(None, "absent", None, false)
                .await
                .unwrap()
                .code
        ),
        22
    );
    let block = c.block(height).await.unwrap();
    assert_eq!(block.block.data, [b"a=1".to_vec()]);
    assert_eq!(block.block.header.hash(), block.block_id.hash);
    assert_eq!(
        c.block_by_hash(block.block_id.hash).await.unwrap().block_id,
        block.block_id
    );
    let first = c.block(1u32).await.unwrap();
    assert_eq!(first.block.header.last_block_id, None);
    let header = c.header(height).await.unwrap();
    assert_eq!(header.header.hash(), block.block_id.hash);
    let results = c.block_results(height).await.unwrap();
    assert_eq!(results.txs_results.unwrap().len(), 1);
    assert_eq!(results.finalize_block_events[0].kind, "ended");
    let commit = c.commit(height).await.unwrap();
    assert_eq!(commit.signed_header.commit.block_id, block.block_id);
    c.latest_commit().await.unwrap();
    let validators = c.validators(height, Paging::All).await.unwrap();
    assert_eq!(
        tendermint::validator::Set::new(validators.validators, None).hash(),
        header.header.validators_hash
    );
    assert_eq!(
        c.consensus_params(height)
            .await
            .unwrap()
            .consensus_params
            .block
            .max_gas,
        1000
    );
    assert_eq!(
        c.genesis::<Value>().await.unwrap().chain_id.as_str(),
        "kv-1"
    );
    assert_eq!(c.net_info().await.unwrap().n_peers, 0);
    let metas = c.blockchain(1u32.into(), height).await.unwrap().block_metas;
    assert_eq!(metas.last().unwrap().header.height.value(), 1);
    let tx = c.tx(sent.hash, true).await.unwrap();
    assert_eq!(
        (tx.height, tx.index, tx.tx.as_slice()),
        (height, 0, &b"a=1"[..])
    );
    let proof = tx.proof.unwrap();
    assert_eq!(Some(proof.root_hash), block.block.header.data_hash);
    let blocks = c
        .block_search(Query::eq("ended.even", "no"), 1, 10, Order::Ascending)
        .await
        .unwrap();
    assert!(
        blocks
            .blocks
            .iter()
            .all(|b| b.block.header.height.value() % 2 == 1)
    );
    let refused = c.broadcast_tx_sync(b"bad".to_vec()).await.unwrap();
    assert_eq!(
        (refused.code.value(), refused.codespace.as_str()),
        (7, "kv")
    );
    let later = c.broadcast_tx_async(b"later=1".to_vec()).await.unwrap();
    assert_eq!(
        later.hash.as_bytes(),
        ember_abci_app::engine::chain::tx_hash(b"later=1")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches() {
    let chain = Chain::start().await;
    let c = chain.http();
    for i in 0..5 {
        chain.commit(&format!("k{i}={}", "x".repeat(i))).await;
    }
    chain.commit("fail=1").await;
    let search = async |q: &str, order: Order, page: u32, per: u8| {
        let q: Query = q.parse().unwrap();
        let found = c.tx_search(q, false, page, per, order).await.unwrap();
        let txs: Vec<_> = found
            .txs
            .iter()
            .map(|t| String::from_utf8(t.tx.clone()).unwrap())
            .collect();
        (found.total_count, txs.join(" "))
    };
    assert_eq!(
        search("kv.key = 'k3'", Order::Ascending, 1, 30).await,
        (1, "k3=xxx".into())
    );
    assert_eq!(
        search("kv.size > 2", Order::Descending, 1, 30).await,
        (2, "k4=xxxx k3=xxx".into())
    );
    assert_eq!(
        search("kv.size > 2 AND kv.key = 'k4'", Order::Descending, 1, 30)
            .await
            .0,
        1
    );
    assert_eq!(
        search("kv.key EXISTS", Order::Ascending, 2, 4).await,
        (6, "k4=xxxx fail=1".into()),
        "a failed one has events too"
    );
    assert_eq!(
        search("tx.height > 0", Order::Ascending, 1, 2).await,
        (6, "k0= k1=x".into())
    );
    assert_eq!(
        search("kv.key = 'nobody'", Order::Ascending, 1, 2).await,
        (0, String::new())
    );
    let hash = hex::encode_upper(ember_abci_app::engine::chain::tx_hash(b"k1=x"));
    assert_eq!(
        search(&format!("tx.hash = '{hash}'"), Order::Ascending, 1, 2).await,
        (1, "k1=x".into())
    );
    // CosmJS leaves `prove` away and sends pages as texts.
    let found = chain
        .post(
            "tx_search",
            json!({ "query": format!("tx.hash='{hash}'"), "page": "1" }),
        )
        .await;
    assert_eq!(
        (
            &found["result"]["total_count"],
            &found["result"]["txs"][0]["hash"]
        ),
        (&json!("1"), &json!(hash))
    );
    let beyond = chain
        .post(
            "tx_search",
            json!({ "query": "kv.key EXISTS", "page": "9", "per_page": "4" }),
        )
        .await;
    assert_eq!(
        beyond["error"]["data"],
        "page should be within [1, 2] range, given 9"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shapes_that_clients_rely_on() {
    let chain = Chain::start().await;
    chain.commit("a=1").await;
    // The first block's last commit, which CosmJS reads.
    let first = chain.post("block", json!({ "height": "1" })).await;
    let commit = &first["result"]["block"]["last_commit"];
    assert_eq!(
        (&commit["signatures"], &commit["height"]),
        (&json!([]), &json!("0"))
    );
    let missing = chain.post("tx", json!({ "hash": "AAAA" })).await;
    assert_eq!(
        missing["error"],
        json!({ "code": -32603, "message": "Internal error", "data": "tx (000000) not found" })
    );
    let twice = chain
        .post("broadcast_tx_sync", json!({ "tx": "YT0x" }))
        .await;
    assert_eq!(twice["error"]["data"], "tx already exists in cache");
    let high = chain.post("block", json!({ "height": "999" })).await;
    assert!(
        high["error"]["data"]
            .as_str()
            .unwrap()
            .starts_with("height 999 must be less than or equal to")
    );
    assert_eq!(
        chain.post("nonsense", json!({})).await["error"]["code"],
        -32601
    );
    assert_eq!(
        chain.post("block", json!({ "height": "x" })).await["error"]["code"],
        -32602
    );
    let listed = chain
        .post("abci_query", json!(["/x", "61", "0", false]))
        .await;
    assert_eq!(listed["result"]["response"]["value"], "MQ==");
    // URI calls.
    let (status, text) = chain
        .raw("GET /tx_search?query=%22kv.key='a'%22&per_page=1", "")
        .await;
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (status, &found["result"]["total_count"], &found["id"]),
        (200, &json!("1"), &json!(-1))
    );
    let (status, _) = chain.raw("GET /block?height=999", "").await;
    assert_eq!(status, 500);
    assert_eq!(chain.raw("GET /nonsense", "").await.0, 404);
    let (_, sent) = chain.raw("GET /broadcast_tx_sync?tx=%22b=2%22", "").await;
    assert!(
        sent.contains(&hex::encode_upper(ember_abci_app::engine::chain::tx_hash(
            b"b=2"
        )))
    );
    // A batch, a notification, garbage, and too much.
    let (_, batch) = chain.raw("POST /", r#"[{"jsonrpc":"2.0","id":1,"method":"health"},{"jsonrpc":"2.0","id":"x","method":"health"}]"#).await;
    assert_eq!(
        batch,
        r#"[{"id":1,"jsonrpc":"2.0","result":{}},{"id":"x","jsonrpc":"2.0","result":{}}]"#
    );
    assert_eq!(
        chain
            .raw("POST /", r#"{"jsonrpc":"2.0","method":"health"}"#)
            .await,
        (200, String::new())
    );
    assert!(chain.raw("POST /", "{").await.1.contains("-32700"));
    assert_eq!(chain.raw("POST /", &"x".repeat(5 << 20)).await.0, 413);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions() {
    let chain = Chain::start().await;
    let (ws, driver) = WebSocketClient::new(format!("ws://{}/websocket", chain.addr).as_str())
        .await
        .unwrap();
    let driver = tokio::spawn(driver.run());
    let mut blocks = ws.subscribe(EventType::NewBlock.into()).await.unwrap();
    let mut txs = ws
        .subscribe(Query::from(EventType::Tx).and_eq("kv.key", "k2"))
        .await
        .unwrap();
    assert_eq!(
        ws.status().await.unwrap().node_info.network.as_str(),
        "kv-1",
        "methods work on it too"
    );
    for i in 0..3 {
        chain.commit(&format!("k{i}=v")).await;
    }
    let event = txs.next().await.unwrap().unwrap();
    let EventData::Tx { tx_result } = &event.data else {
        panic!("a transaction")
    };
    assert_eq!(tx_result.tx, b"k2=v");
    assert_eq!(event.events.unwrap()["kv.key"], ["k2"]);
    // The subscription may have begun before the first, empty block.
    loop {
        let event = blocks.next().await.unwrap().unwrap();
        let EventData::NewBlock {
            block,
            result_finalize_block,
            ..
        } = event.data
        else {
            panic!("a block")
        };
        assert_eq!(result_finalize_block.unwrap().events[0].kind, "ended");
        let txs = block.unwrap().data;
        if !txs.is_empty() {
            assert_eq!(txs, [b"k0=v".to_vec()]);
            break;
        }
    }
    ws.close().unwrap();
    driver.await.unwrap().unwrap();
}

/// A client that is not answered takes the connection for broken, and connects again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_that_is_closed_is_closed_from_both_sides() {
    const NORMAL: [u8; 2] = 1_000u16.to_be_bytes();
    let chain = Chain::start().await;
    let mut tcp = TcpStream::connect(&chain.addr).await.unwrap();
    let upgrade = "GET /websocket HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    tcp.write_all(upgrade.as_bytes()).await.unwrap();
    // A close frame of two bytes, masked with zeros.
    let close = [&[0x88, 0x82, 0, 0, 0, 0][..], &NORMAL].concat();
    tcp.write_all(&close).await.unwrap();
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 101"));
    assert!(
        answer.ends_with(&[&[0x88, 2][..], &NORMAL].concat()),
        "{answer:?}"
    );
}
