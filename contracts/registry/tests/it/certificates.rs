//! `PublishCertificate`, `RevokeCertificate`, and lists. Certificates are made by rcgen and signed by ring.

use cosmwasm_std::{Addr, Binary, coin};
use ember_testing::{
    Suite,
    suite::{NATIVE, refused},
};
use ember_types::registry::{CertificateResponse, CertificatesResponse, ExecuteMsg, QueryMsg};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
};
use time::{Duration, OffsetDateTime};

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

fn named(cn: &str) -> DistinguishedName {
    let mut dn = DistinguishedName::new();
    dn.push(DnType::CommonName, cn);
    dn
}

/// What passes: 90 days from now, for both ends of a session.
pub fn params(suite: &Suite, cn: &str) -> CertificateParams {
    let now = OffsetDateTime::from_unix_timestamp(suite.now() as i64).unwrap();
    let mut p = CertificateParams::new(Vec::<String>::new()).unwrap();
    p.distinguished_name = named(cn);
    p.not_before = now;
    p.not_after = now + Duration::days(90);
    p.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    p.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::ServerAuth,
    ];
    p
}

pub fn der(p: &CertificateParams) -> Vec<u8> {
    p.self_signed(&key()).unwrap().der().to_vec()
}

pub fn publish(suite: &mut Suite, who: &Addr, der: &[u8]) -> anyhow::Result<String> {
    let msg = ExecuteMsg::PublishCertificate {
        der: Binary::from(der),
    };
    let answer = suite.registry(who, &msg, &[])?;
    ember_testing::suite::attribute(&answer, "wasm-certificate", "fingerprint")
}

fn get(suite: &Suite, fingerprint: &str) -> anyhow::Result<CertificateResponse> {
    suite.ask_registry(&QueryMsg::Certificate {
        fingerprint: fingerprint.into(),
    })
}

#[test]
fn a_good_certificate_is_stored_as_it_came() {
    let mut suite = Suite::new();
    let alice = suite.account("alice");
    let (pair, p) = (key(), params(&suite, alice.as_str()));
    let cert = p.self_signed(&pair).unwrap();
    let fingerprint = publish(&mut suite, &alice, cert.der()).unwrap();
    let c = get(&suite, &fingerprint).unwrap();
    assert_eq!(c.owner, alice);
    assert_eq!(c.der.as_slice(), &cert.der()[..]);
    assert_eq!(c.public_key.as_slice(), pair.public_key_raw());
    assert_eq!(c.not_before, suite.now());
    assert_eq!(c.not_after, suite.now() + 90 * 86_400);
    assert_eq!(c.revoked_at, None);
    assert_eq!(fingerprint.len(), 64);
}

#[test]
fn every_signature_that_ring_makes_is_verified() {
    // Half of them have a high s, some a short r or s.
    let mut suite = Suite::new();
    let alice = suite.account("alice");
    for _ in 0..64 {
        let der = der(&params(&suite, alice.as_str()));
        publish(&mut suite, &alice, &der).unwrap();
    }
}

#[test]
fn the_same_certificate_twice_is_refused_and_two_overlap() {
    let mut suite = Suite::new();
    let alice = suite.account("alice");
    let one = der(&params(&suite, alice.as_str()));
    let two = der(&params(&suite, alice.as_str()));
    publish(&mut suite, &alice, &one).unwrap();
    refused(publish(&mut suite, &alice, &one), "is published already");
    publish(&mut suite, &alice, &two).unwrap();
}

#[test]
fn only_the_senders_own_name_passes() {
    let mut suite = Suite::new();
    let (alice, bob) = (suite.account("alice"), suite.account("bob"));
    let cert = der(&params(&suite, alice.as_str()));
    refused(
        publish(&mut suite, &bob, &cert),
        "subject common name: expected the sender",
    );

    let mut two_names = params(&suite, alice.as_str());
    two_names
        .distinguished_name
        .push(DnType::CustomDnType(vec![2, 5, 4, 10]), "an organisation");
    publish(&mut suite, &alice, &der(&two_names)).unwrap();

    let mut nameless = params(&suite, "");
    nameless.distinguished_name = DistinguishedName::new();
    refused(
        publish(&mut suite, &alice, &der(&nameless)),
        "subject: expected one common name, got 0",
    );
}

#[test]
fn a_certificate_signed_by_another_key_is_refused() {
    let mut suite = Suite::new();
    let alice = suite.account("alice");
    let p = params(&suite, alice.as_str());
    let mut ca = params(&suite, alice.as_str());
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = Issuer::new(ca, key());
    let cert = p.signed_by(&key(), &issuer).unwrap();
    refused(
        publish(&mut suite, &alice, cert.der()),
        "not made by the certificate's own key",
    );
}

#[test]
fn another_issuer_name_is_refused() {
    let mut suite = Suite::new();
    let alice = suite.account("alice");
    let pair = key();
    let p = params(&suite, alice.as_str());
    let issuer = Issuer::new(params(&suite, "somebody"), &pair);
    let cert = p.signed_by(&pair, &issuer).unwrap();
    refused(
        publish(&mut suite, &alice, cert.der()),
        "issuer common name",
    );
}

#[test]
fn other_algorithms_are_refused() {
    let mut suite = Suite::new();
    let alice = suite.account("alice");
    let p = params(&suite, alice.as_str());
    for (algorithm, oid) in [
        (&PKCS_ECDSA_P384_SHA384, "1.3.132.0.34"),
        (&PKCS_ED25519, "1.3.101.112"),
    ] {
        let pair = KeyPair::generate_for(algorithm).unwrap();
        let cert = p.self_signed(&pair).unwrap();
        refused(
            publish(&mut suite, &alice, cert.der()),
            &format!("public key: expected ECDSA P-256, got {oid}"),
        );
    }
}

#[test]
fn dates_are_checked_against_block_time() {
    let mut suite = Suite::new();
    let alice = suite.account("alice");
    let base = params(&suite, alice.as_str());
    let now = base.not_before;
    let hour = Duration::hours(1);
    for (from, until, text) in [
        (now + hour, now + hour * 2, ""),
        (now + hour + Duration::SECOND, now + hour * 2, "valid from"),
        (now - hour, now + Duration::SECOND, ""),
        (now - hour, now, "valid until"),
        (now, now + Duration::days(366), ""),
        (
            now,
            now + Duration::days(366) + Duration::SECOND,
            "expected a validity",
        ),
        (now, now, "expected a validity"),
        (now + hour, now, "expected a validity"),
    ] {
        let mut p = base.clone();
        (p.not_before, p.not_after) = (from, until);
        let result = publish(&mut suite, &alice, &der(&p));
        if text.is_empty() {
            result.unwrap();
        } else {
            refused(result, text);
        }
    }
}

#[test]
fn usages_are_required() {
    let mut suite = Suite::new();
    let alice = suite.account("alice");
    let base = params(&suite, alice.as_str());
    let with = |usage: &[KeyUsagePurpose], extended: &[ExtendedKeyUsagePurpose]| {
        let mut p = base.clone();
        p.key_usages = usage.to_vec();
        p.extended_key_usages = extended.to_vec();
        der(&p)
    };
    let sign = KeyUsagePurpose::DigitalSignature;
    let (client, server) = (
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::ServerAuth,
    );
    publish(
        &mut suite,
        &alice,
        &with(std::slice::from_ref(&sign), std::slice::from_ref(&client)),
    )
    .unwrap();
    publish(
        &mut suite,
        &alice,
        &with(std::slice::from_ref(&sign), &[server]),
    )
    .unwrap();
    for (cert, text) in [
        (
            with(&[], std::slice::from_ref(&client)),
            "key usage: expected digitalSignature",
        ),
        (
            with(&[KeyUsagePurpose::KeyCertSign], &[client]),
            "key usage: expected digitalSignature",
        ),
        (
            with(std::slice::from_ref(&sign), &[]),
            "clientAuth or serverAuth",
        ),
        (
            with(&[sign], &[ExtendedKeyUsagePurpose::CodeSigning]),
            "clientAuth or serverAuth",
        ),
    ] {
        refused(publish(&mut suite, &alice, &cert), text);
    }
}

#[test]
fn what_is_not_one_certificate_is_refused() {
    let mut suite = Suite::new();
    let alice = suite.account("alice");
    let good = der(&params(&suite, alice.as_str()));
    refused(
        publish(&mut suite, &alice, &[]),
        "expected exactly one X.509 certificate",
    );
    refused(
        publish(&mut suite, &alice, &vec![0x30; 4_097]),
        "at most 4096 bytes, got 4097",
    );
    let two = [good.clone(), good.clone()].concat();
    refused(
        publish(&mut suite, &alice, &two),
        "expected exactly one X.509 certificate",
    );
    let pem = "-----BEGIN CERTIFICATE-----";
    refused(
        publish(&mut suite, &alice, pem.as_bytes()),
        "expected exactly one X.509 certificate",
    );
    // No cut and no flipped bit survives.
    for at in 0..good.len() {
        let mut flipped = good.clone();
        flipped[at] ^= 1;
        assert!(
            publish(&mut suite, &alice, &flipped).is_err(),
            "bit at {at}"
        );
        assert!(
            publish(&mut suite, &alice, &good[..at]).is_err(),
            "cut at {at}"
        );
    }
    publish(&mut suite, &alice, &good).unwrap();
}

#[test]
fn revocation_is_the_owners_and_final() {
    let mut suite = Suite::new();
    let (alice, bob) = (suite.account("alice"), suite.account("bob"));
    let cert = der(&params(&suite, alice.as_str()));
    let fingerprint = publish(&mut suite, &alice, &cert).unwrap();
    let revoke = ExecuteMsg::RevokeCertificate {
        fingerprint: fingerprint.clone(),
    };
    refused(suite.registry(&bob, &revoke, &[]), "belongs to");
    suite.pass(10);
    suite.registry(&alice, &revoke, &[]).unwrap();
    let revoked_at = get(&suite, &fingerprint).unwrap().revoked_at;
    assert_eq!(revoked_at.map(|t| t.seconds()), Some(suite.now()));
    refused(suite.registry(&alice, &revoke, &[]), "is revoked already");
    refused(publish(&mut suite, &alice, &cert), "is published already");
    let unknown = ExecuteMsg::RevokeCertificate {
        fingerprint: "00".into(),
    };
    refused(suite.registry(&alice, &unknown, &[]), "no certificate 00");
    refused(get(&suite, "00"), "no certificate 00");
}

#[test]
fn certificates_take_no_funds() {
    let mut suite = Suite::new();
    let alice = suite.rich("alice", 10);
    let msg = ExecuteMsg::PublishCertificate {
        der: Binary::from(der(&params(&suite, alice.as_str()))),
    };
    refused(
        suite.registry(&alice, &msg, &[coin(1, NATIVE)]),
        "expected no funds",
    );
}

#[test]
fn pages_walk_through_one_owners_certificates() {
    let mut suite = Suite::new();
    let (alice, bob) = (suite.account("alice"), suite.account("bob"));
    let mut all = Vec::new();
    for _ in 0..5 {
        let cert = der(&params(&suite, alice.as_str()));
        all.push(publish(&mut suite, &alice, &cert).unwrap());
        let cert = der(&params(&suite, bob.as_str()));
        publish(&mut suite, &bob, &cert).unwrap();
    }
    all.sort();
    let page = |start_after: Option<&String>, limit| -> Vec<String> {
        let answer: CertificatesResponse = suite
            .ask_registry(&QueryMsg::Certificates {
                owner: Some(alice.to_string()),
                start_after: start_after.cloned(),
                limit,
                in_force: None,
                descending: None,
            })
            .unwrap();
        let certificates = answer.certificates.into_iter();
        certificates.map(|c| c.fingerprint).collect()
    };
    assert_eq!(page(None, None), all);
    assert_eq!(page(Some(&all[1]), Some(2)), all[2..4]);
}
