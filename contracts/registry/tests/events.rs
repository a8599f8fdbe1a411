//! Every event of the registry that is documented is emitted here; [`Bare`] holds each against the table.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use cosmwasm_std::{Addr, Binary, Coin, Uint128, from_json};
use ember_testing::{Bare, Settings, suite::NATIVE};
use ember_types::{
    events::Emitter,
    registry::{CertificatesResponse, ConfigUpdate, ExecuteMsg, QueryMsg},
};

fn tell(world: &mut Bare, sender: &Addr, msg: ExecuteMsg) {
    world.registry(sender, msg, &[]).unwrap();
}

fn certificate(world: &Bare, owner: &Addr) -> Binary {
    let mut p = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
    p.distinguished_name = rcgen::DistinguishedName::new();
    p.distinguished_name
        .push(rcgen::DnType::CommonName, owner.as_str());
    p.not_before = time::OffsetDateTime::from_unix_timestamp(world.now() as i64).unwrap();
    p.not_after = p.not_before + time::Duration::days(90);
    p.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    p.extended_key_usages = vec![
        rcgen::ExtendedKeyUsagePurpose::ClientAuth,
        rcgen::ExtendedKeyUsagePurpose::ServerAuth,
    ];
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    Binary::from(p.self_signed(&key).unwrap().der().to_vec())
}

#[test]
fn every_documented_event_is_emitted() {
    let mut world = Bare::new(&Settings::default());
    let (p, authority) = (world.account("p"), world.authority.clone());
    world.bank.mint(&p, 10_000_000, NATIVE);
    world.register(&p, 2, 3_000_000).unwrap();
    let more = [Coin::new(5u128, NATIVE)];
    world.registry(&p, ExecuteMsg::Bond {}, &more).unwrap();
    let update = ExecuteMsg::UpdateProvider {
        host_uri: None,
        devices: None,
        attributes: Some(vec![]),
        assurances: None,
    };
    tell(&mut world, &p, update);
    tell(&mut world, &p, ExecuteMsg::Touch {});

    let provider = p.to_string();
    let expires_at = world.now() + 100_000;
    for device in [None, Some("gpu-1".to_owned())] {
        let set = ExecuteMsg::SetTrust {
            provider: provider.clone(),
            device: device.clone(),
            level: 1,
            revision: 1,
            expires_at,
        };
        tell(&mut world, &authority, set);
        let provider = provider.clone();
        tell(
            &mut world,
            &authority,
            ExecuteMsg::ClearTrust { provider, device },
        );
    }
    let audit = ExecuteMsg::SignAudit {
        provider: provider.clone(),
        revision: 1,
        statement: "seen it run".into(),
        expires_at,
    };
    tell(&mut world, &authority, audit);
    let revoke = ExecuteMsg::RevokeAudit {
        provider: provider.clone(),
    };
    tell(&mut world, &authority, revoke);

    let der = certificate(&world, &p);
    tell(&mut world, &p, ExecuteMsg::PublishCertificate { der });
    let all = QueryMsg::Certificates {
        owner: Some(provider.clone()),
        in_force: Some(true),
        start_after: None,
        limit: None,
        descending: None,
    };
    let all: CertificatesResponse = from_json(world.ask_registry(all).unwrap()).unwrap();
    let fingerprint = all.certificates[0].fingerprint.clone();
    tell(
        &mut world,
        &p,
        ExecuteMsg::RevokeCertificate { fingerprint },
    );

    let amount = Uint128::new(1_000);
    tell(&mut world, &p, ExecuteMsg::Unbond { amount });
    let slash = ExecuteMsg::Slash {
        owner: provider,
        amount,
        reason: "a wrong result".into(),
    };
    tell(&mut world, &authority, slash);
    tell(&mut world, &p, ExecuteMsg::UnregisterProvider {});
    world.pass(Settings::default().unbonding_secs);
    tell(&mut world, &p, ExecuteMsg::ClaimUnbonded {});
    let config = ConfigUpdate {
        min_bond: Some(amount),
        ..ConfigUpdate::default()
    };
    tell(&mut world, &authority, ExecuteMsg::UpdateConfig(config));

    let missing = world.seen.missing(Emitter::Registry);
    assert!(
        missing.is_empty(),
        "documented, and never emitted: {missing:#?}"
    );
}
