//! An application in a folder, wallets, and blocks made by hand.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

pub mod signing;

use cosmos_sdk_proto::{
    Any,
    cosmos::{
        auth::v1beta1::{BaseAccount, QueryAccountRequest, QueryAccountResponse},
        bank::v1beta1::{MsgSend, QueryBalanceRequest, QueryBalanceResponse},
        base::v1beta1::Coin,
        crypto::secp256k1::PubKey,
        tx::{
            signing::v1beta1::SignMode,
            v1beta1::{AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw, mode_info},
        },
    },
};
use ember_abci_app::{
    app::{App, AppOptions, sync::SnapshotOptions},
    codec::address,
    store::pruning::Pruning,
    tx::sigs::address_of,
};
use k256::ecdsa::{Signature, SigningKey, signature::Signer};
use prost::Message;
use serde_json::{Value, json};
use std::path::Path;
use tendermint_abci::Application;
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::abci::{
        CheckTxType, ExecTxResult, RequestCheckTx, RequestFinalizeBlock, RequestInitChain,
        RequestQuery, ResponseCheckTx, ResponseFinalizeBlock, ResponseInitChain,
    },
};

pub const CHAIN: &str = "test-1";

pub struct Wallet {
    pub key: SigningKey,
    pub address: String,
}

impl Wallet {
    pub fn new(seed: u8) -> Self {
        let key = SigningKey::from_slice(&[seed; 32]).unwrap();
        let address =
            address::encode("test", &address_of(&key.verifying_key().to_sec1_bytes())).unwrap();
        Self { key, address }
    }
}

/// A transaction in the making; every field can be got wrong.
pub struct Build<'a> {
    pub from: &'a Wallet,
    pub to: &'a str,
    pub amount: u128,
    pub number: u64,
    pub sequence: u64,
    pub fee: u128,
    pub gas: u64,
    pub memo: String,
    pub chain: &'a str,
    pub timeout: u64,
    pub mode: SignMode,
}

impl<'a> Build<'a> {
    pub fn new(from: &'a Wallet, to: &'a str, sequence: u64) -> Self {
        let (fee, gas, memo) = (5_000, 200_000, String::new());
        Self {
            from,
            to,
            amount: 10,
            number: 0,
            sequence,
            fee,
            gas,
            memo,
            chain: CHAIN,
            timeout: 0,
            mode: SignMode::Direct,
        }
    }

    pub fn raw(&self) -> TxRaw {
        self.of(vec![self.send()])
    }

    fn send(&self) -> Any {
        let send = MsgSend {
            from_address: self.from.address.clone(),
            to_address: self.to.into(),
            amount: vec![Coin {
                denom: "utest".into(),
                amount: self.amount.to_string(),
            }],
        };
        Any {
            type_url: "/cosmos.bank.v1beta1.MsgSend".into(),
            value: send.encode_to_vec(),
        }
    }

    /// The same of other messages.
    pub fn of(&self, messages: Vec<Any>) -> TxRaw {
        let body = TxBody {
            messages,
            memo: self.memo.clone(),
            timeout_height: self.timeout,
            ..TxBody::default()
        };
        let public = PubKey {
            key: self.from.key.verifying_key().to_sec1_bytes().to_vec(),
        };
        let single = mode_info::Single {
            mode: self.mode as i32,
        };
        let auth = AuthInfo {
            signer_infos: vec![SignerInfo {
                public_key: Some(Any {
                    type_url: "/cosmos.crypto.secp256k1.PubKey".into(),
                    value: public.encode_to_vec(),
                }),
                mode_info: Some(ModeInfo {
                    sum: Some(mode_info::Sum::Single(single)),
                }),
                sequence: self.sequence,
            }],
            fee: Some(Fee {
                amount: vec![Coin {
                    denom: "utest".into(),
                    amount: self.fee.to_string(),
                }],
                gas_limit: self.gas,
                ..Fee::default()
            }),
            ..AuthInfo::default()
        };
        let doc = SignDoc {
            body_bytes: body.encode_to_vec(),
            auth_info_bytes: auth.encode_to_vec(),
            chain_id: self.chain.into(),
            account_number: self.number,
        };
        let signature: Signature = self.from.key.sign(&doc.encode_to_vec());
        TxRaw {
            body_bytes: doc.body_bytes,
            auth_info_bytes: doc.auth_info_bytes,
            signatures: vec![signature.to_vec()],
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.raw().encode_to_vec()
    }
}

pub fn open(home: &Path) -> App {
    App::open(AppOptions {
        home: home.into(),
        min_gas_prices: vec!["0.025utest".parse().unwrap()],
        query_gas_limit: 50_000_000,
        pruning: Pruning::KeepRecent(3),
        snapshots: SnapshotOptions::default(),
    })
    .unwrap()
}

pub fn app_state(accounts: &[&Wallet]) -> Value {
    let account = |w: &&Wallet| json!({ "@type": "/cosmos.auth.v1beta1.BaseAccount", "address": w.address, "pub_key": null, "account_number": "0", "sequence": "0" });
    let balance = |w: &&Wallet| json!({ "address": w.address, "coins": [{ "denom": "utest", "amount": "1000000" }] });
    json!({
        "auth": { "accounts": accounts.iter().map(account).collect::<Vec<_>>() },
        "bank": { "balances": accounts.iter().map(balance).collect::<Vec<_>>(), "supply": [] },
        "genutil": { "gen_txs": [] },
        "hooks": { "end_block": [] },
        "wasm": {
            "params": { "code_upload_access": { "permission": "Everybody", "addresses": [] }, "instantiate_default_permission": "Everybody" },
            "codes": [], "contracts": [], "sequences": [], "gen_msgs": []
        }
    })
}

pub fn init(app: &App, state: &Value) -> ResponseInitChain {
    let req = RequestInitChain {
        chain_id: CHAIN.into(),
        app_state_bytes: serde_json::to_vec(state).unwrap().into(),
        initial_height: 1,
        time: Some(Timestamp {
            seconds: 1_000,
            nanos: 0,
        }),
        ..RequestInitChain::default()
    };
    app.init_chain(req)
}

pub fn finalize(app: &App, height: i64, txs: &[Vec<u8>]) -> ResponseFinalizeBlock {
    app.finalize_block(RequestFinalizeBlock {
        height,
        txs: txs.iter().map(|t| t.clone().into()).collect(),
        time: Some(Timestamp {
            seconds: 1_000 + height,
            nanos: 0,
        }),
        ..RequestFinalizeBlock::default()
    })
}

pub fn block(app: &App, height: i64, txs: &[Vec<u8>]) -> Vec<ExecTxResult> {
    let results = finalize(app, height, txs).tx_results;
    app.commit();
    results
}

pub fn check(app: &App, tx: Vec<u8>) -> ResponseCheckTx {
    app.check_tx(RequestCheckTx {
        tx: tx.into(),
        r#type: CheckTxType::New as i32,
    })
}

pub fn query<R: Message + Default>(
    app: &App,
    path: &str,
    req: &impl Message,
) -> Result<R, (u32, String)> {
    let answer = app.query(RequestQuery {
        path: path.into(),
        data: req.encode_to_vec().into(),
        ..RequestQuery::default()
    });
    assert!(answer.height > 0, "CosmJS takes height 0 for a failure");
    if answer.code == 0 {
        Ok(R::decode(answer.value).unwrap())
    } else {
        Err((answer.code, answer.log))
    }
}

pub fn balance(app: &App, who: &str) -> u128 {
    let req = QueryBalanceRequest {
        address: who.into(),
        denom: "utest".into(),
    };
    let answer: QueryBalanceResponse =
        query(app, "/cosmos.bank.v1beta1.Query/Balance", &req).unwrap();
    answer.balance.unwrap().amount.parse().unwrap()
}

pub fn account(app: &App, who: &str) -> Result<BaseAccount, (u32, String)> {
    let req = QueryAccountRequest {
        address: who.into(),
    };
    let answer: QueryAccountResponse = query(app, "/cosmos.auth.v1beta1.Query/Account", &req)?;
    Ok(BaseAccount::decode(answer.account.unwrap().value.as_slice()).unwrap())
}
