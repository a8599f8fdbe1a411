//! Lists: pages up and down, and every filter against a plain one.

use cosmwasm_std::{Addr, coin};
use ember_testing::{
    Suite,
    pages::{List, filters, fits},
    suite::{NATIVE, any_gpu, device},
};
use ember_types::{
    ids::OrderId,
    list::MAX_LOOKED_AT,
    market::{ExecuteMsg, QueryMsg},
    pricing::{PricingMode, reverse_auction::ReverseAuction},
    registry,
};
use serde_json::{Value, json};

const ORDERS: List = List {
    query: "orders",
    entries: "orders",
};
const BIDS: List = List {
    query: "bids",
    entries: "bids",
};
const ASKS: List = List {
    query: "asks",
    entries: "asks",
};
const LEASES: List = List {
    query: "leases",
    entries: "leases",
};

/// Asks as a client does: in JSON.
fn ask(suite: &Suite) -> impl Fn(Value) -> Value + '_ {
    |query| {
        let query: QueryMsg = serde_json::from_value(query).unwrap();
        suite.ask_market(&query).unwrap()
    }
}

fn auction_of(suite: &mut Suite, tenant: &Addr, deposit: u128, model: Option<&str>) -> u64 {
    let closes_at = suite.now() + 100;
    let mut resources = any_gpu(1);
    resources.gpu.model = model.map(Into::into);
    let pricing = PricingMode::ReverseAuction(ReverseAuction { closes_at });
    let (ceiling, funds) = ((10_000_000, NATIVE), [coin(deposit, NATIVE)]);
    let answer = suite.create_order(tenant, resources, pricing, ceiling, 3_600, &funds);
    answer.unwrap().order_id.0
}

/// Two tenants, two providers of two models, and everything in every state.
fn world() -> (Suite, Vec<Value>, Vec<Value>) {
    let mut suite = Suite::new();
    let tenants = [suite.rich("t0", 10_000_000), suite.rich("t1", 10_000_000)];
    let providers = [suite.provider("p0", 2), suite.provider("p1", 2)];
    for p in &providers {
        let mut other = device("gpu-1");
        other.model = "nvidia/h200".into();
        let update = registry::ExecuteMsg::UpdateProvider {
            host_uri: None,
            devices: Some(vec![device("gpu-0"), other]),
            attributes: None,
            assurances: None,
        };
        suite.registry(p, &update, &[]).unwrap();
    }
    let models = [None, Some("mesa/lavapipe"), Some("nvidia/h200")];
    for i in 0..24usize {
        let (t, p) = (&tenants[i % 2], &providers[i / 2 % 2]);
        let deposit = if i % 3 == 0 { 1_000 } else { 50_000 };
        let order_id = auction_of(&mut suite, t, deposit, models[i / 4 % 3]);
        let order_id = OrderId(order_id);
        // The other provider loses, or goes before.
        let loser = suite.bid(&providers[(i / 2 + 1) % 2], order_id, 10_000_000);
        if i % 4 == 0 {
            let bid_id = loser.unwrap();
            let gone = ExecuteMsg::WithdrawBid { bid_id };
            suite
                .market(&providers[(i / 2 + 1) % 2], &gone, &[])
                .unwrap();
        }
        let bid_id = suite.bid(p, order_id, 9_000_000).unwrap();
        if i >= 20 {
            continue;
        }
        suite
            .market(t, &ExecuteMsg::AcceptBid { bid_id }, &[])
            .unwrap();
        if i % 3 == 1 {
            let lease_id = suite.order(order_id).unwrap().lease_id.unwrap();
            suite
                .market(t, &ExecuteMsg::CloseLease { lease_id }, &[])
                .unwrap();
        }
    }
    // Long enough for the small deposits to run dry, and for no auction to close.
    suite.wait(90);
    suite.wait(30 * 24 * 3_600);
    for t in &tenants {
        let order_id = OrderId(auction_of(&mut suite, t, 1_000, models[1]));
        suite.bid(&providers[0], order_id, 5).unwrap();
        suite.lease_of(t, &providers[1], 1_000, NATIVE, 10_000_000);
        suite.lease_of(t, &providers[1], 50_000, NATIVE, 10_000_000);
    }
    suite.wait(101);
    for (i, p) in providers.iter().enumerate() {
        for d in ["gpu-0", "gpu-1", "gpu-0"] {
            let ask = ExecuteMsg::PlaceAsk {
                device: d.into(),
                units: 1,
                denom: NATIVE.into(),
                rate: ember_types::money::Rate::new(7 + i as u128),
                assurance: Default::default(),
            };
            suite.market(p, &ask, &[]).unwrap();
        }
    }
    suite.buy(&tenants[0], 1, 1_000, NATIVE).unwrap();
    for t in &tenants {
        let order_id = OrderId(auction_of(&mut suite, t, 1_000, models[2]));
        suite.bid(&providers[0], order_id, 5).unwrap();
    }
    let names = |all: &[Addr]| all.iter().map(|a| json!(a)).chain([Value::Null]).collect();
    (suite, names(&tenants), names(&providers))
}

fn some_of_each(all: &[Value], field: &str, values: &[&str]) -> Vec<Value> {
    for v in values {
        assert!(
            all.iter().any(|e| e[field] == *v),
            "no entry is {field} {v}"
        );
    }
    values
        .iter()
        .map(|v| json!(v))
        .chain([Value::Null])
        .collect()
}

#[test]
fn filters_agree_with_plain_ones_and_pages_with_each_other_in_both_directions() {
    let (suite, tenants, providers) = world();
    let ask = ask(&suite);
    let none = json!({});
    let model = || {
        vec![
            json!("mesa/lavapipe"),
            json!("nvidia/h200"),
            json!("x/y"),
            Value::Null,
        ]
    };

    let all = ORDERS.walk(&ask, &none);
    let state = some_of_each(&all, "state", &["open", "leased", "closed"]);
    for f in filters(&[
        ("tenant", tenants.clone()),
        ("state", state),
        ("model", model()),
    ]) {
        let expected: Vec<_> = all
            .iter()
            .filter(|o| {
                ["tenant", "state"].iter().all(|k| fits(&f, k, &o[*k]))
                    && fits(&f, "model", &o["resources"]["gpu"]["model"])
            })
            .cloned()
            .collect();
        assert_eq!(ORDERS.walk(&ask, &f), expected, "{f}");
    }

    let all = LEASES.walk(&ask, &none);
    let state = some_of_each(&all, "state", &["active", "suspended", "closed"]);
    for f in filters(&[
        ("tenant", tenants),
        ("provider", providers.clone()),
        ("state", state),
        ("model", model()),
    ]) {
        let expected: Vec<_> = all
            .iter()
            .filter(|l| {
                let same = |k: &&str| fits(&f, k, &l[*k]);
                ["tenant", "provider", "state"].iter().all(same)
                    && fits(&f, "model", &l["resources"]["gpu"]["model"])
            })
            .cloned()
            .collect();
        assert_eq!(LEASES.walk(&ask, &f), expected, "{f}");
    }

    let all = BIDS.walk(&ask, &none);
    let state = some_of_each(&all, "state", &["open", "won", "lost", "withdrawn"]);
    let order_id = vec![json!(1), json!(5), json!(999), Value::Null];
    for f in filters(&[
        ("order_id", order_id),
        ("provider", providers.clone()),
        ("state", state),
    ]) {
        let same = |b: &&Value| {
            ["order_id", "provider", "state"]
                .iter()
                .all(|k| fits(&f, k, &b[*k]))
        };
        let expected: Vec<_> = all.iter().filter(same).cloned().collect();
        assert_eq!(BIDS.walk(&ask, &f), expected, "{f}");
    }

    let all = ASKS.walk(&ask, &none);
    let for_sale = vec![json!(true), json!(false), Value::Null];
    for v in [true, false] {
        assert!(all.iter().any(|a| (a["units"] != json!(0)) == v));
    }
    let of_model = |a: &Value| match a["device"].as_str() {
        Some("gpu-0") => json!("mesa/lavapipe"),
        _ => json!("nvidia/h200"),
    };
    for f in filters(&[
        ("provider", providers),
        ("model", model()),
        ("for_sale", for_sale),
    ]) {
        let same = |a: &&Value| {
            fits(&f, "provider", &a["provider"])
                && fits(&f, "model", &of_model(a))
                && fits(&f, "for_sale", &json!(a["units"] != json!(0)))
        };
        let expected: Vec<_> = all.iter().filter(same).cloned().collect();
        assert_eq!(ASKS.walk(&ask, &f), expected, "{f}");
    }
}

#[test]
fn queries_of_clients_that_know_neither_direction_nor_the_new_filters_still_work() {
    let (suite, _, _) = world();
    let ask = ask(&suite);
    let ids = |list: List, query: Value| -> Vec<u64> {
        let answer = ask(json!({ (list.query): query }));
        let entries = answer[list.entries].as_array().unwrap();
        entries.iter().map(|e| e["id"].as_u64().unwrap()).collect()
    };
    assert_eq!(
        ids(ORDERS, json!({"start_after": 2, "limit": 3})),
        [3, 4, 5]
    );
    assert_eq!(
        ids(
            ORDERS,
            json!({"tenant": null, "state": null, "start_after": null, "limit": 2})
        ),
        [1, 2]
    );
    assert_eq!(ids(LEASES, json!({"limit": 2})), [1, 2]);
    assert_eq!(ids(BIDS, json!({"order_id": 2})), [3, 4]);
    assert_eq!(
        ids(
            ASKS,
            json!({"provider": null, "start_after": 1, "limit": 1})
        ),
        [2]
    );
}

#[test]
fn a_page_has_thirty_entries_unless_asked_and_one_to_a_hundred() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    for _ in 0..105 {
        suite.auction(&tenant, 1_000, NATIVE);
    }
    let page = |limit: Option<u32>| -> (usize, Value) {
        let answer = ask(&suite)(json!({"orders": {"limit": limit}}));
        (
            answer["orders"].as_array().unwrap().len(),
            answer["next"].clone(),
        )
    };
    assert_eq!(page(None), (30, json!(30)));
    assert_eq!(page(Some(0)), (1, json!(1)));
    assert_eq!(page(Some(u32::MAX)), (100, json!(100)));
    let end = ask(&suite)(json!({"orders": {"start_after": 75}}));
    assert_eq!(end["orders"].as_array().unwrap().len(), 30);
    assert_eq!(end["next"], Value::Null, "the last page knows that it is");
}

#[test]
fn a_filter_without_an_index_passes_over_many_rows_a_bounded_number_a_query() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 10_000_000);
    let rows = MAX_LOOKED_AT + 20;
    for i in 0..rows {
        let model = (i % 260 == 259).then_some("nvidia/h200");
        auction_of(&mut suite, &tenant, 1_000, model);
    }
    let ask = ask(&suite);
    for (filter, expected) in [
        (json!({"model": "nvidia/h200"}), vec![260, 520]),
        (
            json!({"model": "nvidia/h200", "tenant": tenant}),
            vec![260, 520],
        ),
        (
            json!({"model": "nvidia/h200", "state": "open"}),
            vec![260, 520],
        ),
        (json!({"model": "x/y"}), vec![]),
    ] {
        for descending in [false, true] {
            let pages = ORDERS.pages(&ask, &filter, descending, 2);
            assert_eq!(pages.len(), 2, "{filter}: {pages:?}");
            let mut ids: Vec<_> = pages
                .concat()
                .iter()
                .map(|o| o["id"].as_u64().unwrap())
                .collect();
            ids.sort_unstable();
            assert_eq!(ids, expected, "{filter}");
        }
    }
}
