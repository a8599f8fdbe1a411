use super::allowance::Allowance;
use crate::{
    codec::times,
    ctx::{BlockInfo, Ctx, Mode},
    gas::GasMeter,
    store::{Layers, kv::MemBase},
};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        base::v1beta1::Coin,
        feegrant::v1beta1::{BasicAllowance, PeriodicAllowance},
    },
};
use std::sync::Arc;
use tendermint_proto::google::protobuf::Duration;

const DAY: i128 = 86_400_000_000_000;

fn at(now: i128) -> Ctx {
    let block = BlockInfo {
        height: 1,
        time_ns: u64::try_from(now).unwrap(),
        chain_id: String::new(),
    };
    let layers = Layers::new(Arc::new(MemBase::default()));
    Ctx::new(layers, GasMeter::new(1_000_000), block, Mode::Deliver)
}

fn coins(amount: u128) -> Vec<Coin> {
    vec![Coin {
        denom: "uember".into(),
        amount: amount.to_string(),
    }]
}

fn spend(a: &mut Allowance, now: i128, amount: u128) -> Result<bool, u32> {
    a.accept(&at(now), &[("uember".into(), amount)], &["/a", "/b"])
        .map_err(|e| e.code)
}

fn basic(limit: Vec<Coin>, ends: Option<i128>) -> Allowance {
    Allowance::Basic(BasicAllowance {
        spend_limit: limit,
        expiration: ends.map(times::stamp),
    })
}

#[test]
fn a_basic_allowance_is_spent_or_ends() {
    let mut a = basic(coins(10), Some(DAY));
    a.check().unwrap();
    assert_eq!(spend(&mut a, 0, 4), Ok(false));
    assert_eq!(spend(&mut a, 0, 7), Err(2));
    assert_eq!(spend(&mut a, DAY + 1, 1), Err(3));
    assert_eq!(spend(&mut a, DAY, 6), Ok(true), "nothing is left");
    let mut other = basic(coins(10), None);
    let fee = [("uusdc".into(), 1)];
    assert_eq!(other.accept(&at(0), &fee, &[]).unwrap_err().code, 2);
    assert_eq!(spend(&mut basic(vec![], None), 0, u128::MAX), Ok(false));
    assert_eq!(basic(coins(0), None).check().unwrap_err().code, 10);
    assert_eq!(basic(vec![], Some(-DAY)).check().unwrap_err().code, 4);
    assert_eq!(a.expires(), Some(DAY));
}

fn periodic(limit: Vec<Coin>) -> PeriodicAllowance {
    PeriodicAllowance {
        basic: Some(BasicAllowance {
            spend_limit: limit,
            expiration: None,
        }),
        period: Some(Duration {
            seconds: 86_400,
            nanos: 0,
        }),
        period_spend_limit: coins(10),
        period_can_spend: vec![],
        period_reset: Some(times::stamp(0)),
    }
}

#[test]
fn a_periodic_allowance_starts_anew_in_step() {
    let boxed = |a| Allowance::Periodic(Box::new(a));
    let mut a = boxed(periodic(coins(35)));
    a.check().unwrap();
    let reset = |a: &Allowance| match a {
        Allowance::Periodic(p) => times::nanos(p.period_reset.as_ref().unwrap()),
        _ => unreachable!(),
    };
    assert_eq!(spend(&mut a, DAY / 2, 10), Ok(false));
    assert_eq!(reset(&a), DAY, "in step with the first");
    assert_eq!(spend(&mut a, DAY - 1, 1), Err(2), "this period's is spent");
    let mut a = boxed(match a {
        Allowance::Periodic(p) => *p,
        _ => unreachable!(),
    });
    if let Allowance::Periodic(p) = &mut a {
        // What a failed spend did is dropped with the transaction.
        p.period_reset = Some(times::stamp(DAY));
        p.basic = Some(BasicAllowance {
            spend_limit: coins(25),
            expiration: None,
        });
    }
    assert_eq!(spend(&mut a, DAY, 10), Ok(false));
    assert_eq!(reset(&a), 2 * DAY);
    assert_eq!(spend(&mut a, 5 * DAY + 5, 10), Ok(false));
    assert_eq!(reset(&a), 6 * DAY + 5, "after a pause, a period from now");
    // 5 are left of all: less than a period's.
    assert_eq!(spend(&mut a, 7 * DAY, 5), Ok(true));

    let mut other = periodic(coins(5));
    other.period_spend_limit[0].denom = "uusdc".into();
    assert_eq!(boxed(other).check().unwrap_err().code, 10);
    let mut back = periodic(vec![]);
    back.period = Some(Duration {
        seconds: -1,
        nanos: 0,
    });
    assert_eq!(boxed(back).check().unwrap_err().code, 4);
    let mut none = periodic(vec![]);
    none.period_spend_limit.clear();
    assert_eq!(boxed(none).check().unwrap_err().code, 10);
}

#[test]
fn an_allowance_may_be_for_some_messages_and_not_nest_without_end() {
    let for_messages = |messages: &[&str]| {
        let messages = messages.iter().map(|m| (*m).to_owned()).collect();
        Allowance::Messages(Box::new(basic(coins(10), Some(DAY))), messages)
    };
    let mut a = for_messages(&["/a", "/b", "/c"]);
    assert_eq!(Allowance::decode(Some(&a.to_any())).unwrap(), a);
    assert_eq!((spend(&mut a, 0, 4), a.expires()), (Ok(false), Some(DAY)));
    assert_eq!(spend(&mut for_messages(&["/a"]), 0, 4), Err(7));
    assert_eq!(for_messages(&[]).check().unwrap_err().code, 6);
    let mut deep = basic(vec![], None);
    for _ in 0..5 {
        deep = Allowance::Messages(Box::new(deep), vec!["/a".into()]);
    }
    assert_eq!(Allowance::decode(Some(&deep.to_any())).unwrap_err().code, 5);
    assert_eq!(Allowance::decode(None).unwrap_err().code, 5);
    let other = Any {
        type_url: "/x".into(),
        value: vec![],
    };
    assert_eq!(Allowance::decode(Some(&other)).unwrap_err().code, 2);
}
