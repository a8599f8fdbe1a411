use super::*;
use crate::{
    chain::mock::{MockChain, State},
    compute::{FloatControls, Limits},
    daemon::{
        decide::tests::{bid, lease, me, order, prices},
        price::Strategy,
    },
};
use cosmwasm_std::Uint128;
use ember_types::{fees::DenomFees, market::ExecuteMsg, money::Rate, resources::VulkanProfile};
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
    assert!(d.refused.contains_key(&OrderId(1)));
}
