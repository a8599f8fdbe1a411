//! Out and in again, and chains without the module.

use super::*;

#[test]
fn genesis_goes_out_and_in_again() {
    let mut w = world();
    w.create(1, 100, "0.1");
    w.delegate(&BOB, 1, 33).unwrap();
    w.at(4);
    w.collect(&[("uatom", 17), ("uember", 101)]);
    w.begin(&[(1, 1)]);
    w.slash(1, &d("0.05"));
    keeper::set_withdraw_addr(&w.ctx, &BOB, &CAROL).unwrap();
    let out = import_export::export(&w.ctx).unwrap();
    for list in [
        "delegator_withdraw_infos",
        "outstanding_rewards",
        "validator_accumulated_commissions",
        "validator_historical_rewards",
        "validator_current_rewards",
        "delegator_starting_infos",
        "validator_slash_events",
    ] {
        assert!(!out[list].as_array().unwrap().is_empty(), "{list}");
    }
    assert_eq!(out["validator_slash_events"][0]["height"], "4");
    // Into an empty chain whose account holds the same.
    let other = world();
    let held = bank::keeper::all_balances(&w.ctx, &store::account()).unwrap();
    let state = json!({ "distribution": out });
    let e = import_export::import(&other.ctx, &state).unwrap_err();
    assert!(
        e.log.contains(
            "distribution module balance does not match the module holdings:  <-> 17uatom,101uember"
        ),
        "{}",
        e.log
    );
    bank::keeper::send(&other.ctx, &ALICE, &store::account(), &held).unwrap();
    import_export::import(&other.ctx, &state).unwrap();
    assert_eq!(
        import_export::export(&other.ctx).unwrap(),
        state["distribution"]
    );
}

#[test]
fn a_chain_without_the_module_distributes_nothing() {
    let mut w = World::new(Value::Null);
    w.create(1, 100, "0.1");
    w.next();
    w.collect(&[("uember", 100)]);
    w.begin(&[(1, 1)]);
    w.slash(1, &d("0.05"));
    w.undelegate(&[1; 20], 1, 100).unwrap();
    hooks::after_validator_removed(&w.ctx, &[1; 20]).unwrap();
    let fees = bank::keeper::balance(&w.ctx, &address::module("fee_collector"), "uember").unwrap();
    assert_eq!(fees, 100);
    assert_eq!(import_export::export(&w.ctx).unwrap(), Value::Null);
    assert_eq!(store::scan(&w.ctx, &[]).unwrap(), []);
    let e = super::messages::ask::<proto::QueryParamsResponse>(
        &w,
        "Params",
        &proto::QueryParamsRequest {},
    )
    .unwrap_err();
    assert_eq!(e.code, 37);
}
