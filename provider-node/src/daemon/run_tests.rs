use super::*;
use crate::{
    chain::mock::{MockChain, State},
    compute::{FloatControls, Limits},
    daemon::{
        decide::tests::{bid, commitment, lease, me, order, prices, tender},
        price::Strategy,
    },
};
use cosmwasm_std::Uint128;
use ember_types::{
    fees::DenomFees, ids::OrderId, market::ExecuteMsg, money::Rate, resources::VulkanProfile,
};
use parking_lot::Mutex;

fn device(index: u32) -> DeviceInfo {
    DeviceInfo {
        index,
        model: "mesa/lavapipe".into(),
        name: "llvmpipe".into(),
        driver: "x".into(),
        uuid: "0".repeat(32),
        vram_mib: 2_048,
        profile: VulkanProfile::Portable1,
        api: "1.3".into(),
        software: true,
        float_controls: FloatControls::default(),
        limits: Limits {
            storage_buffer_bytes: 1,
            uniform_buffer_bytes: 1,
            groups: [1; 3],
            workgroup_invocations: 1,
            shared_bytes: 1,
            subgroup_size: 1,
            silent_loop_limit: None,
        },
    }
}

fn daemon(found: u32) -> (Daemon<MockChain>, watch::Receiver<Arc<Rights>>) {
    daemon_at(found, std::path::Path::new("/nonexistent"))
}

fn daemon_at(
    found: u32,
    home: &std::path::Path,
) -> (Daemon<MockChain>, watch::Receiver<Arc<Rights>>) {
    let config = market::InstantiateMsg {
        authority: String::new(),
        registry: String::new(),
        fee_collector: String::new(),
        fees: vec![DenomFees {
            denom: "uusdc".into(),
            take_bps: 0,
            reservation_bps: 0,
            min_deposit: Uint128::zero(),
            bid_deposit: Uint128::new(7),
            ..DenomFees::default()
        }],
        grace_secs: 1,
        max_bids_per_order: 8,
    };
    let chain = MockChain {
        address: "me".into(),
        state: Mutex::new(State {
            down: false,
            time: 0,
            refusal: None,
            provider: Some(me()),
            orders: vec![order(1, 1)],
            bids: vec![],
            leases: vec![],
            asks: vec![],
            certificates: vec![],
            config,
            sent: vec![],
            touches: 0,
            lacks: None,
        }),
    };
    let (tx, rx) = watch::channel(Arc::default());
    let found = (0..found).map(device).collect();
    (
        Daemon::new(
            chain,
            found,
            prices(Strategy::Fixed),
            Openings::open(home, "me"),
            tx,
            vec![LeaseId(5), LeaseId(6)],
        ),
        rx,
    )
}

#[tokio::test]
async fn it_bids_once_with_the_deposit_and_knows_its_bid_after_a_restart() {
    let (mut d, _rx) = daemon(1);
    assert!(d.tick().await.unwrap());
    let sent = d.chain.state.lock().sent.clone();
    assert_eq!(sent.len(), 1);
    assert_eq!(
        sent[0].0,
        ExecuteMsg::PlaceBid {
            order_id: OrderId(1),
            rate: Rate::new(400),
            units: None,
            score: None
        }
    );
    assert_eq!(sent[0].1[0].to_string(), "7uusdc");

    let (mut again, _rx) = daemon(1);
    {
        let mut s = again.chain.state.lock();
        s.orders[0].open_bids = 1;
        s.bids = vec![bid(1, 1, "me", 400)];
    }
    again.tick().await.unwrap();
    assert!(again.chain.state.lock().sent.is_empty());
}

#[tokio::test]
async fn a_lease_that_ended_meanwhile_is_told_once_as_closed() {
    let (mut d, rx) = daemon(2);
    let mut over = lease(5, 1);
    over.state = LeaseState::Closed;
    d.chain.state.lock().leases = vec![lease(1, 1), over];
    d.tick().await.unwrap();
    let states: Vec<_> = rx
        .borrow()
        .leases
        .values()
        .map(|l| (l.lease_id, l.state))
        .collect();
    assert_eq!(states, [(1, LeaseState::Active), (5, LeaseState::Closed)]);
    d.tick().await.unwrap();
    assert!(rx.borrow().leases.keys().eq([&1]));
}

#[tokio::test]
async fn a_lease_that_is_gone_from_the_list_is_told_as_closed_only_when_it_is() {
    let (mut d, rx) = daemon(2);
    // 5 has data on disk, and asks for more devices than there are: not served, and not over.
    d.chain.state.lock().leases = vec![lease(1, 1), lease(5, 9)];
    for _ in 0..2 {
        d.tick().await.unwrap();
        assert!(rx.borrow().leases.keys().eq([&1]));
        assert_eq!(d.leftovers, [LeaseId(5)]);
    }
    d.chain.state.lock().leases[1].state = LeaseState::Closed;
    d.chain.state.lock().leases[0].state = LeaseState::Closed;
    d.tick().await.unwrap();
    let closed = |rx: &watch::Receiver<Arc<Rights>>| {
        let all = rx.borrow();
        (
            all.leases.len(),
            all.leases.values().all(|l| l.state == LeaseState::Closed),
        )
    };
    assert_eq!(closed(&rx), (2, true));
    d.tick().await.unwrap();
    assert_eq!((closed(&rx).0, d.leftovers.len()), (0, 0), "told once");
}

#[tokio::test]
async fn an_outage_keeps_the_rights_and_sends_nothing() {
    let (mut d, rx) = daemon(2);
    d.chain.state.lock().leases = vec![lease(1, 1)];
    d.tick().await.unwrap();
    assert_eq!(rx.borrow().leases[&1].tenant, "tenant");
    assert_eq!(rx.borrow().height, 1);
    let before = rx.borrow().clone();
    let sent = d.chain.state.lock().sent.len();
    d.chain.state.lock().down = true;
    assert!(d.tick().await.unwrap_err().is_outage());
    assert_eq!(*rx.borrow(), before);
    assert_eq!(d.chain.state.lock().sent.len(), sent);
}

#[tokio::test]
async fn devices_that_are_not_here_are_not_sold_and_strangers_are_told() {
    let (mut d, _rx) = daemon(0);
    assert!(d.tick().await.unwrap());
    assert!(d.chain.state.lock().sent.is_empty());
    d.chain.state.lock().provider = None;
    assert!(
        d.run()
            .await
            .unwrap_err()
            .to_string()
            .contains("provider register")
    );
}

#[tokio::test]
async fn a_sign_of_life_is_sent_when_an_hour_has_passed_and_not_at_every_look() {
    let (mut d, _rx) = daemon(1);
    // The mock was last seen in 1970.
    d.tick().await.unwrap();
    d.tick().await.unwrap();
    assert_eq!(d.chain.state.lock().touches, 1);

    let (mut d, _rx) = daemon(1);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut seen = me();
    seen.seen_at = cosmwasm_std::Timestamp::from_seconds(now.as_secs());
    d.chain.state.lock().provider = Some(seen);
    d.tick().await.unwrap();
    assert_eq!(d.chain.state.lock().touches, 0);
}

#[tokio::test]
async fn an_order_that_the_registry_says_is_not_for_us_is_not_bid_on() {
    let (mut d, _rx) = daemon(1);
    d.chain.state.lock().lacks = Some(ember_types::eligibility::Ineligible::Trust {
        level: 2,
        expected: 1,
        got: 0,
    });
    d.tick().await.unwrap();
    assert!(d.chain.state.lock().sent.is_empty());
    assert!(d.bidder.left_alone().contains(&OrderId(1)));
}

/// What was sent since the last call.
fn sent(d: &Daemon<MockChain>) -> Vec<ExecuteMsg> {
    let mut state = d.chain.state.lock();
    std::mem::take(&mut state.sent)
        .into_iter()
        .map(|(m, _)| m)
        .collect()
}

/// The chain as it is once `hash` was committed to, at `time`.
fn committed(d: &Daemon<MockChain>, hash: &cosmwasm_std::Binary, time: u64) {
    let mut s = d.chain.state.lock();
    s.time = time;
    s.orders = vec![tender(1, 1)];
    s.orders[0].open_bids = 1;
    s.bids = vec![commitment(1, 1, "me")];
    s.bids[0].commitment = Some(hash.clone());
}

#[tokio::test]
async fn a_sealed_bid_is_revealed_by_a_daemon_that_only_has_the_home_and_other_prices() {
    let home = tempfile::tempdir().unwrap();
    let (mut d, _rx) = daemon_at(1, home.path());
    d.chain.state.lock().orders = vec![tender(1, 1)];
    d.tick().await.unwrap();
    let coins = d.chain.state.lock().sent[0].1[0].to_string();
    assert_eq!(coins, "7uusdc");
    let [
        ExecuteMsg::CommitBid {
            order_id: OrderId(1),
            commitment: hash,
            units: None,
        },
    ] = &sent(&d)[..]
    else {
        panic!("expected a commitment");
    };
    let hash = hash.clone();
    drop(d);

    let (mut again, _rx) = daemon_at(1, home.path());
    again.prices.otherwise = Some(Rate::new(1));
    committed(&again, &hash, 99);
    again.tick().await.unwrap();
    assert_eq!(sent(&again), [], "too early");
    committed(&again, &hash, 100);
    again.tick().await.unwrap();
    let [ExecuteMsg::RevealBid { bid_id, rate, salt }] = &sent(&again)[..] else {
        panic!("expected a reveal");
    };
    assert_eq!((bid_id.0, *rate), (1, Rate::new(400)));
    let salt = salt.as_slice().try_into().unwrap();
    let me = cosmwasm_std::Addr::unchecked("me");
    let made = ember_types::pricing::sealed_tender::commitment(OrderId(1), &me, *rate, &salt);
    assert_eq!(hash.as_slice(), made);
}

#[tokio::test]
async fn a_commitment_that_cannot_be_kept_is_not_sent() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("sealed"), "not a folder").unwrap();
    let (mut d, _rx) = daemon_at(1, home.path());
    d.chain.state.lock().orders = vec![tender(1, 1)];
    d.tick().await.unwrap();
    assert_eq!(sent(&d), []);
    assert!(d.bidder.left_alone().contains(&OrderId(1)));
}

#[tokio::test]
async fn a_refused_bid_waits_and_a_refused_reveal_is_tried_again_soon() {
    let home = tempfile::tempdir().unwrap();
    let (mut d, _rx) = daemon_at(1, home.path());
    {
        let mut s = d.chain.state.lock();
        (s.orders, s.refusal) = (vec![tender(1, 1)], Some("full".into()));
    }
    d.tick().await.unwrap();
    let [
        ExecuteMsg::CommitBid {
            commitment: hash, ..
        },
    ] = &sent(&d)[..]
    else {
        panic!("expected a commitment");
    };
    d.tick().await.unwrap();
    assert_eq!(sent(&d), [], "left alone");
    // It went in after all, and the pause of the order does not hold up its reveal.
    committed(&d, hash, 100);
    d.chain.state.lock().refusal = Some("not now".into());
    for reveals in [1, 0] {
        d.tick().await.unwrap();
        assert_eq!(sent(&d).len(), reveals);
    }
    d.bidder.pauses_are_over();
    d.tick().await.unwrap();
    assert!(matches!(sent(&d)[..], [ExecuteMsg::RevealBid { .. }]));
}

#[tokio::test]
async fn what_was_committed_elsewhere_is_not_guessed_at() {
    let home = tempfile::tempdir().unwrap();
    let (mut d, _rx) = daemon_at(1, home.path());
    committed(&d, &[9; 32].into(), 150);
    d.tick().await.unwrap();
    assert_eq!(sent(&d), []);
}
