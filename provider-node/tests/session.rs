//! Sessions over real TLS on loopback: the right tenant is served, every wrong one is told why not.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod session_support;

use ember_provider_node::{
    identity::cert::{Identity, SERVER_NAME},
    session::{pb, shared::MAX_LEASE_CONNS},
    tenant::{TenantError, connect::Target, run::run_job},
};
use ember_types::lease::LeaseState;
use session_support::{MONTH, OTHER, PROVIDER, Stage, TENANT, copy_job, view};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use time::OffsetDateTime;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

fn at(offset_hours: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() + time::Duration::hours(offset_hours)
}

#[tokio::test]
async fn the_tenant_of_an_active_lease_is_served_and_nobody_else() {
    let tenant = Identity::generate(TENANT, MONTH).unwrap();
    let other = Identity::generate(OTHER, MONTH).unwrap();
    let unpublished = Identity::generate(TENANT, MONTH).unwrap();
    let revoked = Identity::generate(TENANT, MONTH).unwrap();
    let expired = Identity::valid(TENANT, at(-48), at(-24)).unwrap();
    let early = Identity::valid(TENANT, at(24), at(48)).unwrap();
    // Names the tenant, is registered by somebody else.
    let borrowed = Identity::generate(TENANT, MONTH).unwrap();
    let stage = Stage::new(&[
        (&tenant, TENANT, false),
        (&other, OTHER, false),
        (&revoked, TENANT, true),
        (&expired, TENANT, false),
        (&early, TENANT, false),
        (&borrowed, OTHER, false),
    ])
    .await;
    let status = stage.target(1, &tenant).status().await.unwrap();
    assert_eq!((status.state.as_str(), status.height), ("active", 7));

    let cases: [(&str, u64, &Identity, &str); 9] = [
        (
            "other tenant",
            1,
            &other,
            "expected a certificate of its tenant ember1tenant, got one of ember1other",
        ),
        (
            "other lease",
            2,
            &tenant,
            "expected a certificate of its tenant ember1other, got one of ember1tenant",
        ),
        (
            "no lease",
            9,
            &tenant,
            "expected a lease of this provider, got none at height 7",
        ),
        ("suspended", 3, &tenant, "suspended"),
        (
            "not published",
            1,
            &unpublished,
            "expected one that is published on chain",
        ),
        ("revoked", 1, &revoked, "revoked"),
        ("expired", 1, &expired, "expired at"),
        ("not yet valid", 1, &early, "not valid before"),
        (
            "right name, somebody else's registration",
            1,
            &borrowed,
            "got one of ember1other",
        ),
    ];
    for (name, lease, who, words) in cases {
        match stage.target(lease, who).status().await {
            Err(TenantError::Refused(reason)) => {
                assert!(reason.contains(words), "{name}: {reason}")
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(
        stage.target(1, &tenant).status().await.is_ok(),
        "wrong clients harm no right one"
    );
}

#[tokio::test]
async fn a_provider_that_has_not_seen_the_lease_yet_looks_before_it_refuses() {
    let tenant = Identity::generate(TENANT, MONTH).unwrap();
    let stage = Stage::new(&[(&tenant, TENANT, false)]).await;
    let early = stage.target_at(5, 8, &tenant);
    let asked = tokio::spawn(async move { early.status().await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!asked.is_finished(), "height 7 may not have lease 5 yet");
    stage.change(|r| {
        r.leases.insert(5, view(5, TENANT, LeaseState::Active));
    });
    assert_eq!(asked.await.unwrap().unwrap().height, 8);
    let refused = stage.target_at(6, 8, &tenant).status().await;
    assert!(
        matches!(refused, Err(TenantError::Refused(_))),
        "{refused:?}"
    );
}

/// A handshake with any client configuration, and what the first read says.
async fn handshake(addr: SocketAddr, config: rustls::ClientConfig) -> Result<(), String> {
    use tokio::io::AsyncReadExt;
    let stream = TcpStream::connect(addr).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from(SERVER_NAME).unwrap();
    let mut tls = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(|e| e.to_string())?;
    // In TLS 1.3 the server's verdict on the client arrives with the first read: an alert, or HTTP/2 settings.
    let mut first = [0; 1];
    match tls.read(&mut first).await {
        Ok(n) if n > 0 => Ok(()),
        Ok(_) => Err("closed".into()),
        Err(e) => Err(e.to_string()),
    }
}

/// Believes any server: these tests are about clients.
#[derive(Debug)]
struct AnyServer;

impl rustls::client::danger::ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn client(
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> rustls::ConfigBuilder<rustls::ClientConfig, rustls::client::WantsClientCert> {
    rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer))
}

fn chain(
    ids: &[&Identity],
    key: &[u8],
) -> (
    Vec<rustls::pki_types::CertificateDer<'static>>,
    rustls::pki_types::PrivateKeyDer<'static>,
) {
    let certs = ids.iter().map(|i| i.der().to_vec().into()).collect();
    (
        certs,
        rustls::pki_types::PrivatePkcs8KeyDer::from(key.to_vec()).into(),
    )
}

/// Shows one identity's certificate and signs with another's key.
#[derive(Debug)]
struct Stolen(Arc<rustls::sign::CertifiedKey>);

impl Stolen {
    fn new(shown: &Identity, signs: &Identity) -> Self {
        let (certs, key) = chain(&[shown], signs.pkcs8());
        let key = rustls::crypto::ring::sign::any_ecdsa_type(&key).unwrap();
        Self(Arc::new(rustls::sign::CertifiedKey::new(certs, key)))
    }
}

impl rustls::client::ResolvesClientCert for Stolen {
    fn resolve(
        &self,
        _: &[&[u8]],
        _: &[rustls::SignatureScheme],
    ) -> Option<Arc<rustls::sign::CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn what_is_no_tenant_at_all_fails_in_the_handshake() {
    use rustls::version::{TLS12, TLS13};
    let tenant = Identity::generate(TENANT, MONTH).unwrap();
    let other = Identity::generate(TENANT, MONTH).unwrap();
    let stage = Stage::new(&[(&tenant, TENANT, false)]).await;
    let addr = stage.addr;
    let with =
        |version: &'static rustls::SupportedProtocolVersion, ids: &[&Identity], key: &[u8]| {
            let (certs, key) = chain(ids, key);
            let mut c = client(&[version])
                .with_client_auth_cert(certs, key)
                .unwrap();
            c.alpn_protocols = vec![b"h2".to_vec()];
            c
        };
    assert_eq!(
        handshake(addr, with(&TLS13, &[&tenant], tenant.pkcs8())).await,
        Ok(())
    );

    let none = client(&[&TLS13]).with_no_client_auth();
    assert!(handshake(addr, none).await.is_err(), "no certificate");
    assert!(
        handshake(addr, with(&TLS12, &[&tenant], tenant.pkcs8()))
            .await
            .is_err(),
        "TLS 1.2"
    );
    assert!(
        handshake(addr, with(&TLS13, &[&tenant, &other], tenant.pkcs8()))
            .await
            .is_err(),
        "a chain"
    );
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let p384 = rcgen::CertificateParams::new(vec![])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let certs = vec![p384.der().clone()];
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let p384 = client(&[&TLS13]).with_client_auth_cert(certs, key).unwrap();
    assert!(handshake(addr, p384).await.is_err(), "P-384");

    let rsa = include_bytes!("session_support/rsa.cert.der").to_vec();
    let key = include_bytes!("session_support/rsa.key.der").to_vec();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key).into();
    let rsa = client(&[&TLS13])
        .with_client_auth_cert(vec![rsa.into()], key)
        .unwrap();
    assert!(handshake(addr, rsa).await.is_err(), "RSA");

    let stolen = Stolen::new(&tenant, &other);
    let stolen = client(&[&TLS13]).with_client_cert_resolver(Arc::new(stolen));
    assert!(
        handshake(addr, stolen).await.is_err(),
        "the tenant's certificate without its key"
    );
    for junk in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0x16, 3, 1, 0, 4, 1, 2, 3, 4],
        &[0; 64],
    ] {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut plain = TcpStream::connect(addr).await.unwrap();
        plain.write_all(junk).await.unwrap();
        let mut said = Vec::new();
        // Ended by the server; at most a TLS alert (record type 21) comes back.
        plain.read_to_end(&mut said).await.ok();
        assert!(said.first().is_none_or(|b| *b == 21), "{said:?}");
    }
    assert!(stage.target(1, &tenant).status().await.is_ok());
}

#[tokio::test]
async fn a_tenant_believes_no_server_but_the_providers() {
    let tenant = Identity::generate(TENANT, MONTH).unwrap();
    let stage = Stage::new(&[(&tenant, TENANT, false)]).await;
    let stranger = Identity::generate(PROVIDER, MONTH).unwrap();
    let target = Target::new(&stage.uri(), 1, 0, &tenant, vec![stranger.fingerprint()]).unwrap();
    // A job does not try again: nobody was away.
    let (job, out) = (copy_job(1), tempfile::tempdir().unwrap());
    let mut said = Vec::new();
    let expected = stage.expected();
    let run = run_job(
        &target,
        &job.manifest,
        &job.files,
        &expected,
        out.path(),
        &mut |h| said.push(h),
    )
    .await;
    for result in [target.status().await.map(|_| ()), run.map(|_| ())] {
        match result {
            Err(e @ TenantError::WrongServer { .. }) => {
                let words = e.to_string();
                assert!(words.contains(&stage.provider.fingerprint()), "{words}");
                assert!(words.contains("do not send it anything"), "{words}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(said, []);
    let gone = Target::new("https://127.0.0.1:9", 1, 0, &tenant, vec![]).unwrap();
    assert!(matches!(
        gone.status().await,
        Err(TenantError::Unreachable { .. })
    ));
}

#[tokio::test]
async fn live_connections_are_cut_when_rights_end() {
    let tenant = Identity::generate(TENANT, MONTH).unwrap();
    for end in ["closed", "revoked", "vanished"] {
        let stage = Stage::new(&[(&tenant, TENANT, false)]).await;
        let mut live = stage.target(1, &tenant).connect().await.unwrap();
        live.status(pb::StatusRequest {}).await.unwrap();
        stage.change(|r| match end {
            "closed" => r.leases.get_mut(&1).unwrap().state = LeaseState::Closed,
            "revoked" => r.certs.get_mut(&tenant.fingerprint()).unwrap().revoked = true,
            _ => drop(r.certs.remove(&tenant.fingerprint())),
        });
        let error = loop {
            match live.status(pb::StatusRequest {}).await {
                Ok(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(e) => break e,
            }
        };
        assert!(!error.message().is_empty(), "{end}");
        // It is the connection that ends, not this call: the next one finds no connection either.
        let next = loop {
            match live.status(pb::StatusRequest {}).await {
                Err(e) if e.code() == tonic::Code::PermissionDenied => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                other => break other,
            }
        };
        assert!(next.is_err(), "{end}");
        assert!(
            stage.target(1, &tenant).status().await.is_err(),
            "{end}: a new connection is refused too"
        );
    }
}

#[tokio::test]
async fn a_connection_is_for_one_lease_and_a_lease_has_few() {
    let tenant = Identity::generate(TENANT, MONTH).unwrap();
    let stage = Stage::new(&[(&tenant, TENANT, false)]).await;
    let mut live = stage.target(1, &tenant).connect().await.unwrap();
    live.status(pb::StatusRequest {}).await.unwrap();
    // The same connection, another lease of the same tenant.
    let mut other = tonic::Request::new(pb::StatusRequest {});
    let (four, mut raw) = ("4".parse().unwrap(), stage.channel(1, &tenant).await);
    raw.status(stage.for_lease(1)).await.unwrap();
    other.metadata_mut().insert("ember-lease-id", four);
    let said = raw.status(other).await.unwrap_err();
    assert!(
        said.message()
            .contains("expected calls for lease 1, got one for lease 4"),
        "{}",
        said.message()
    );
    for header in [None, Some(""), Some("x"), Some("-1"), Some("1 ")] {
        let mut bad = tonic::Request::new(pb::StatusRequest {});
        if let Some(text) = header {
            bad.metadata_mut()
                .insert("ember-lease-id", text.parse().unwrap());
        }
        let said = raw.status(bad).await;
        let trimmed = header.is_some_and(|h| h.trim() == "1");
        assert!(
            trimmed || said.is_err_and(|s| s.code() == tonic::Code::InvalidArgument),
            "{header:?}"
        );
    }
    // Two are open.
    let mut more = Vec::new();
    for _ in 2..MAX_LEASE_CONNS {
        let mut c = stage.target(1, &tenant).connect().await.unwrap();
        c.status(pb::StatusRequest {}).await.unwrap();
        more.push(c);
    }
    let said = stage.target(1, &tenant).status().await.unwrap_err();
    assert!(
        said.to_string().contains("at most 16 connections"),
        "{said}"
    );
    assert!(stage.target(4, &tenant).status().await.is_ok());
    // A place that is left is free again.
    more.pop();
    loop {
        match stage.target(1, &tenant).status().await {
            Ok(_) => break,
            Err(e) => assert!(e.to_string().contains("at most 16"), "{e}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_term_that_ends_while_the_chain_is_silent_is_not_served() {
    let tenant = Identity::generate(TENANT, MONTH).unwrap();
    let stage = Stage::new(&[(&tenant, TENANT, false)]).await;
    stage.change(|r| r.leases.get_mut(&1).unwrap().ends_at = 1_000);
    match stage.target(1, &tenant).status().await {
        Err(TenantError::Refused(why)) => assert!(why.contains("term ended at 1000"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn manifests_and_blobs_are_what_their_hashes_say() {
    let tenant = Identity::generate(TENANT, MONTH).unwrap();
    let stage = Stage::new(&[(&tenant, TENANT, false)]).await;
    let mut live = stage.target(1, &tenant).connect().await.unwrap();
    let hash = |b: &[u8]| blake3::hash(b).to_hex().to_string();
    let put = |data: &'static [u8], announced: &'static [u8], size: u64| pb::PutRequest {
        blob: Some(pb::BlobRef {
            hash: hash(announced),
            size,
        }),
        offset: 0,
        data: data.to_vec(),
    };
    let refused = |r: Result<tonic::Response<pb::PutResponse>, tonic::Status>| {
        r.unwrap_err().message().to_owned()
    };
    let forged = refused(
        live.put(tokio_stream::iter([put(b"evil", b"good", 4)]))
            .await,
    );
    assert!(forged.contains("expected bytes of hash"), "{forged}");
    let short = refused(
        live.put(tokio_stream::iter([put(b"goo", b"good", 4)]))
            .await,
    );
    assert!(short.contains("expected 4 bytes, got 3"), "{short}");
    let missing = pb::MissingRequest {
        blobs: vec![pb::BlobRef {
            hash: hash(b"good"),
            size: 4,
        }],
    };
    let gap = live
        .missing(missing.clone())
        .await
        .unwrap()
        .into_inner()
        .blobs;
    assert_eq!(gap[0].offset, 3, "what came is kept");
    let rest = pb::PutRequest {
        blob: Some(pb::BlobRef {
            hash: hash(b"good"),
            size: 4,
        }),
        offset: 3,
        data: b"d".to_vec(),
    };
    live.put(tokio_stream::iter([rest])).await.unwrap();
    assert!(
        live.missing(missing)
            .await
            .unwrap()
            .into_inner()
            .blobs
            .is_empty()
    );

    let wrong = pb::SubmitRequest {
        manifest: b"{}".to_vec(),
        hash: hash(b"else"),
    };
    let said = live.submit(wrong).await.unwrap_err();
    assert!(
        said.message().contains("manifest: expected bytes of hash"),
        "{}",
        said.message()
    );
    let junk = pb::SubmitRequest {
        manifest: b"{}".to_vec(),
        hash: hash(b"{}"),
    };
    assert!(
        live.submit(junk)
            .await
            .unwrap_err()
            .message()
            .contains("manifest")
    );
}
