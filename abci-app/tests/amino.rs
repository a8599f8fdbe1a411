//! What is signed in SIGN_MODE_LEGACY_AMINO_JSON, against what CosmJS and the SDK's own code sign.
#![allow(clippy::unwrap_used, reason = "tests")]

use base64::{Engine, prelude::BASE64_STANDARD};
use cosmos_sdk_proto::cosmos::{base::v1beta1::Coin, tx::v1beta1::Fee};
use ember_abci_app::codec::{amino::SignDoc, tx::TxBody};
use prost::Message;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    name: String,
    body: String,
    fee: GoldenFee,
    /// `None`: CosmJS has no form of it.
    sign_bytes: Option<String>,
}

#[derive(Deserialize)]
struct GoldenFee {
    amount: Vec<GoldenCoin>,
    gas: String,
    #[serde(default)]
    granter: String,
    #[serde(default)]
    payer: String,
}

#[derive(Deserialize)]
struct GoldenCoin {
    denom: String,
    amount: String,
}

/// What the chain signs for a golden case.
fn signed(g: &Golden) -> String {
    let body = TxBody::decode(BASE64_STANDARD.decode(&g.body).unwrap().as_slice()).unwrap();
    let amount = g.fee.amount.iter();
    let fee = Fee {
        amount: amount
            .map(|c| Coin {
                denom: c.denom.clone(),
                amount: c.amount.clone(),
            })
            .collect(),
        gas_limit: g.fee.gas.parse().unwrap(),
        granter: g.fee.granter.clone(),
        payer: g.fee.payer.clone(),
    };
    let doc = SignDoc {
        chain_id: "ember-1",
        account_number: 7,
        sequence: 42,
        fee: &fee,
        memo: &body.memo,
        messages: &body.messages,
        timeout_height: body.timeout_height,
        timeout_timestamp: body.timeout_timestamp.map(|t| (t.seconds, t.nanos)),
    };
    let bytes = doc.bytes();
    String::from_utf8(bytes.unwrap_or_else(|e| e.to_string().into_bytes())).unwrap()
}

/// CosmJS 0.38 signs these otherwise than SDK 0.53, which refuses its signatures of them, and so does this chain: an
/// enum by its name, empty texts, a long name, a false, written out.
const COSMJS_IS_OTHER: [&str; 5] = [
    "store code for some",
    "edit validator",
    "withdraw commission",
    "vesting account",
    "create validator",
];

fn cases(golden: &str) -> Vec<Golden> {
    serde_json::from_str(golden).unwrap()
}

fn wrong(cases: &[Golden]) -> Vec<String> {
    cases
        .iter()
        .filter_map(|g| Some((g, g.sign_bytes.as_ref()?, signed(g))))
        .filter(|(_, want, got)| *want != got)
        .map(|(g, want, got)| format!("{}\n want {want}\n got  {got}", g.name))
        .collect()
}

#[test]
fn the_sdk_signs_the_same() {
    let cases = cases(include_str!("data/amino_sdk.json"));
    assert!(cases.len() >= 45 && cases.iter().all(|c| c.sign_bytes.is_some()));
    let wrong = wrong(&cases);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn cosmjs_signs_the_same_but_where_the_sdk_would_refuse_it() {
    let mut cases = cases(include_str!("data/amino_cosmjs.json"));
    cases.retain(|c| c.sign_bytes.is_some());
    assert!(cases.len() >= 31, "{}", cases.len());
    let (other, same): (Vec<_>, Vec<_>) = cases
        .into_iter()
        .partition(|c| COSMJS_IS_OTHER.contains(&c.name.as_str()));
    let (other, same) = (wrong(&other), wrong(&same));
    assert!(same.is_empty(), "{}", same.join("\n"));
    assert_eq!(other.len(), COSMJS_IS_OTHER.len(), "a newer CosmJS?");
}
