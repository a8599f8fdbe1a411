//! Messages and queries.

use super::*;

fn send(w: &World, name: &str, m: &impl Message) -> Result<(), AppError> {
    let answer = msg::handle(
        &w.ctx,
        &format!("{}{name}", msg::PREFIX),
        &m.encode_to_vec(),
    );
    let (url, _) = answer.unwrap()?;
    assert_eq!(url, format!("{}{name}Response", msg::PREFIX));
    Ok(())
}

fn coin(amount: &str) -> Vec<cosmos_sdk_proto::cosmos::base::v1beta1::Coin> {
    vec![cosmos_sdk_proto::cosmos::base::v1beta1::Coin {
        denom: "uember".into(),
        amount: amount.into(),
    }]
}

#[test]
#[allow(deprecated, reason = "the fields are part of the message")]
fn messages_move_coins_and_refuse_in_the_sdks_words() {
    let mut w = world();
    w.create(1, 100, "0.1");
    w.next();
    let gov = text(&address::module("gov"));
    let fund = |amount: &str| proto::MsgFundCommunityPool {
        amount: coin(amount),
        depositor: text(&BOB),
    };
    send(&w, "MsgFundCommunityPool", &fund("100")).unwrap();
    let refused =
        |r: Result<(), AppError>| r.map_err(|e| (e.codespace, e.code, e.log)).unwrap_err();
    assert_eq!(
        refused(send(&w, "MsgFundCommunityPool", &fund("-1"))),
        ("sdk", 10, "-1uember: invalid coins".into())
    );
    let none = proto::MsgFundCommunityPool {
        amount: vec![],
        ..fund("1")
    };
    assert_eq!(
        refused(send(&w, "MsgFundCommunityPool", &none)),
        ("sdk", 10, "amount cannot be nil: invalid coins".into())
    );
    let spend = |authority: &str, to: &[u8], amount: &str| proto::MsgCommunityPoolSpend {
        authority: authority.into(),
        recipient: text(to),
        amount: coin(amount),
    };
    assert_eq!(
        refused(send(
            &w,
            "MsgCommunityPoolSpend",
            &spend(&text(&BOB), &BOB, "1")
        )),
        (
            "gov",
            13,
            format!(
                "invalid authority; expected {gov}, got {}: expected gov account as only signer for proposal message",
                text(&BOB)
            )
        )
    );
    assert_eq!(
        refused(send(&w, "MsgCommunityPoolSpend", &spend(&gov, &BOB, "101"))),
        (
            "distribution",
            9,
            "community pool does not have sufficient coins to distribute".into()
        )
    );
    let blocked = address::module("distribution");
    assert_eq!(
        refused(send(
            &w,
            "MsgCommunityPoolSpend",
            &spend(&gov, &blocked, "1")
        )),
        (
            "sdk",
            4,
            format!(
                "{} is not allowed to receive external funds: unauthorized",
                text(&blocked)
            )
        )
    );
    send(&w, "MsgCommunityPoolSpend", &spend(&gov, &CAROL, "40")).unwrap();
    assert_eq!(
        store::community_pool(&w.ctx).unwrap(),
        coins(&[("uember", "60")])
    );
    assert_eq!(
        bank::keeper::balance(&w.ctx, &CAROL, "uember").unwrap(),
        RICH + 40
    );

    let deposit = |n: u8| proto::MsgDepositValidatorRewardsPool {
        depositor: text(&BOB),
        validator_address: valoper(n),
        amount: coin("50"),
    };
    send(&w, "MsgDepositValidatorRewardsPool", &deposit(1)).unwrap();
    assert_eq!(
        refused(w.ctx.clone().atomically(|_| send(
            &w,
            "MsgDepositValidatorRewardsPool",
            &deposit(9)
        ))),
        ("staking", 3, "validator does not exist".into())
    );
    let redirect = proto::MsgSetWithdrawAddress {
        delegator_address: text(&[1; 20]),
        withdraw_address: text(&[77; 20]),
    };
    send(&w, "MsgSetWithdrawAddress", &redirect).unwrap();
    let withdraw = |who: &[u8], n: u8| proto::MsgWithdrawDelegatorReward {
        delegator_address: text(who),
        validator_address: valoper(n),
    };
    send(&w, "MsgWithdrawDelegatorReward", &withdraw(&[1; 20], 1)).unwrap();
    let own = proto::MsgWithdrawValidatorCommission {
        validator_address: valoper(1),
    };
    send(&w, "MsgWithdrawValidatorCommission", &own).unwrap();
    assert_eq!(
        bank::keeper::balance(&w.ctx, &[77; 20], "uember").unwrap(),
        50
    );
    assert_eq!(
        refused(send(&w, "MsgWithdrawDelegatorReward", &withdraw(&CAROL, 1))),
        (
            "staking",
            19,
            "no delegation for (address, validator) tuple".into()
        )
    );
    let bad = proto::MsgWithdrawDelegatorReward {
        validator_address: text(&BOB),
        ..withdraw(&BOB, 1)
    };
    let e = refused(send(&w, "MsgWithdrawDelegatorReward", &bad));
    assert!(
        e.1 == 7 && e.2.starts_with("invalid validator address: "),
        "{e:?}"
    );
    w.check();

    let update = |p: proto::Params| proto::MsgUpdateParams {
        authority: gov.clone(),
        params: Some(p),
    };
    let mut p = store::params(&w.ctx).unwrap().to_proto();
    p.community_tax = d("1.1").to_proto();
    assert_eq!(
        refused(send(&w, "MsgUpdateParams", &update(p.clone()))),
        (
            "undefined",
            1,
            "community tax too large: 1.100000000000000000".into()
        )
    );
    p.base_proposer_reward = "1".into();
    assert_eq!(
        refused(send(&w, "MsgUpdateParams", &update(p.clone()))).1,
        18
    );
    p = proto::Params {
        community_tax: "0".into(),
        base_proposer_reward: "0".into(),
        bonus_proposer_reward: "0".into(),
        withdraw_addr_enabled: false,
    };
    send(&w, "MsgUpdateParams", &update(p)).unwrap();
    assert_eq!(
        refused(send(&w, "MsgSetWithdrawAddress", &redirect)),
        ("distribution", 8, "set withdraw address disabled".into())
    );
}

#[test]
fn signers_are_accounts_also_where_a_validator_signs() {
    let m = proto::MsgWithdrawValidatorCommission {
        validator_address: valoper(1),
    };
    let url = format!("{}MsgWithdrawValidatorCommission", msg::PREFIX);
    let signers = msg::signers(&url, &m.encode_to_vec()).unwrap().unwrap();
    assert_eq!(signers, [text(&[1; 20])]);
    let m = proto::MsgWithdrawValidatorCommission {
        validator_address: text(&[1; 20]),
    };
    assert_eq!(
        msg::signers(&url, &m.encode_to_vec())
            .unwrap()
            .unwrap_err()
            .code,
        7
    );
    assert!(msg::signers("/cosmos.distribution.v1beta1.MsgOther", &[]).is_none());
}

pub(super) fn ask<R: Message + Default>(
    w: &World,
    method: &str,
    req: &impl Message,
) -> Result<R, AppError> {
    let path = format!("/cosmos.distribution.v1beta1.Query/{method}");
    let mut out = None;
    let dropped = w.ctx.atomically(|ctx| {
        out = query::query(ctx, &path, &req.encode_to_vec());
        Err::<(), ()>(())
    });
    assert!(dropped.is_err());
    out.unwrap().map(|b| R::decode(b.as_slice()).unwrap())
}

#[test]
fn every_query_answers() {
    let mut w = world();
    w.create(1, 100, "0.1");
    w.create(2, 100, "0");
    w.delegate(&BOB, 1, 100).unwrap();
    w.delegate(&BOB, 2, 300).unwrap();
    w.at(4);
    w.reward(1, 20);
    w.reward(2, 40);
    for height in 5..10 {
        w.at(height);
        w.slash(1, &d("0.01"));
    }
    let u = |a| coins(&[("uember", a)]).to_proto();
    let of = |n: u8| proto::QueryValidatorDistributionInfoRequest {
        validator_address: valoper(n),
    };
    let info: proto::QueryValidatorDistributionInfoResponse =
        ask(&w, "ValidatorDistributionInfo", &of(1)).unwrap();
    assert_eq!(
        (
            info.operator_address,
            info.self_bond_rewards,
            info.commission
        ),
        (text(&[1; 20]), u("9"), u("2"))
    );
    let out: proto::QueryValidatorOutstandingRewardsResponse =
        ask(&w, "ValidatorOutstandingRewards", &of(2)).unwrap();
    assert_eq!(out.rewards.unwrap().rewards, u("40"));
    let com: proto::QueryValidatorCommissionResponse =
        ask(&w, "ValidatorCommission", &of(1)).unwrap();
    assert_eq!(com.commission.unwrap().commission, u("2"));
    let e = ask::<proto::QueryValidatorCommissionResponse>(&w, "ValidatorCommission", &of(9))
        .unwrap_err();
    assert_eq!((e.codespace, e.code), ("staking", 3));
    let pair = proto::QueryDelegationRewardsRequest {
        delegator_address: text(&BOB),
        validator_address: valoper(2),
    };
    let one: proto::QueryDelegationRewardsResponse = ask(&w, "DelegationRewards", &pair).unwrap();
    assert_eq!(one.rewards, u("30"));
    let bob = proto::QueryDelegatorValidatorsRequest {
        delegator_address: text(&BOB),
    };
    let total: proto::QueryDelegationTotalRewardsResponse =
        ask(&w, "DelegationTotalRewards", &bob).unwrap();
    assert_eq!((total.rewards.len(), total.total), (2, u("39")));
    let vals: proto::QueryDelegatorValidatorsResponse =
        ask(&w, "DelegatorValidators", &bob).unwrap();
    assert_eq!(vals.validators, [valoper(1), valoper(2)]);
    let to: proto::QueryDelegatorWithdrawAddressResponse =
        ask(&w, "DelegatorWithdrawAddress", &bob).unwrap();
    assert_eq!(to.withdraw_address, text(&BOB));
    let nobody = proto::QueryDelegatorValidatorsRequest::default();
    let e = ask::<proto::QueryDelegatorValidatorsResponse>(&w, "DelegatorValidators", &nobody)
        .unwrap_err();
    assert_eq!(
        e.log,
        "rpc error: code = InvalidArgument desc = empty delegator address: invalid request"
    );
    let pool: proto::QueryCommunityPoolResponse = ask(&w, "CommunityPool", &nobody).unwrap();
    assert!(pool.pool.is_empty());
    let p: proto::QueryParamsResponse = ask(&w, "Params", &nobody).unwrap();
    assert_eq!(p.params.unwrap().community_tax, "20000000000000000");

    let slashes = |from, to, limit| {
        let req = proto::QueryValidatorSlashesRequest {
            validator_address: valoper(1),
            starting_height: from,
            ending_height: to,
            pagination: Some(
                cosmos_sdk_proto::cosmos::base::query::v1beta1::PageRequest {
                    limit,
                    ..Default::default()
                },
            ),
        };
        ask::<proto::QueryValidatorSlashesResponse>(&w, "ValidatorSlashes", &req)
    };
    let all = slashes(0, 100, 0).unwrap();
    let periods: Vec<_> = all.slashes.iter().map(|s| s.validator_period).collect();
    assert_eq!(
        (periods, all.pagination.unwrap().total),
        (vec![3, 4, 5, 6, 7], 5)
    );
    let some = slashes(4, 6, 2).unwrap();
    let periods: Vec<_> = some.slashes.iter().map(|s| s.validator_period).collect();
    assert_eq!(periods, [4, 5]);
    assert!(!some.pagination.unwrap().next_key.is_empty());
    assert!(
        slashes(2, 1, 0)
            .unwrap_err()
            .log
            .contains("starting height greater than ending height (2 > 1)")
    );
}
