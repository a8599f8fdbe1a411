//! Sessions over real TLS on loopback: the right tenant is served, every wrong one is told why not.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use ember_provider_node::{
    identity::{
        cert::{Identity, SERVER_NAME},
        rights::{CertView, LeaseView, Rights},
    },
    session::{host::HostConfig, pb, server::SessionServer},
    tenant::{TenantError, connect::Target},
};
use ember_types::lease::LeaseState;
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};
use time::OffsetDateTime;
use tokio::{net::TcpStream, sync::watch};
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

const TENANT: &str = "ember1tenant";
const OTHER: &str = "ember1other";
const PROVIDER: &str = "ember1provider";

struct Stage {
    server: SessionServer,
    rights: watch::Sender<Arc<Rights>>,
    provider: Identity,
    _dir: tempfile::TempDir,
}

fn view(lease_id: u64, tenant: &str, state: LeaseState) -> LeaseView {
    LeaseView {
        lease_id,
        device: 0,
        tenant: tenant.into(),
        provider: PROVIDER.into(),
        state,
        ends_at: u64::MAX,
    }
}

fn config(data: &Path, provider: &Identity) -> HostConfig {
    HostConfig {
        data: data.into(),
        exe: "/nonexistent/ember".into(),
        wall_cap: Duration::from_secs(60),
        chain_id: "test-1".into(),
        pkcs8: Zeroizing::new(provider.pkcs8().to_vec()),
    }
}

impl Stage {
    async fn new(known: &[(&Identity, &str, bool)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let provider = Identity::generate(PROVIDER, 30).unwrap();
        let leases = [
            view(1, TENANT, LeaseState::Active),
            view(2, OTHER, LeaseState::Active),
            view(3, TENANT, LeaseState::Suspended),
        ];
        let rights = Rights {
            height: 7,
            leases: leases.into_iter().map(|v| (v.lease_id, v)).collect(),
            certs: known
                .iter()
                .map(|(id, owner, revoked)| {
                    (
                        id.fingerprint(),
                        CertView {
                            owner: (*owner).into(),
                            revoked: *revoked,
                        },
                    )
                })
                .collect(),
        };
        let (tx, rx) = watch::channel(Arc::new(rights));
        let addr: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let server = SessionServer::bind(addr, &provider, config(dir.path(), &provider), rx)
            .await
            .unwrap();
        Self {
            server,
            rights: tx,
            provider,
            _dir: dir,
        }
    }

    fn target(&self, lease: u64, who: &Identity) -> Target {
        let uri = format!("https://{}", self.server.addr);
        Target::new(&uri, lease, who, vec![self.provider.fingerprint()]).unwrap()
    }

    fn change(&self, f: impl FnOnce(&mut Rights)) {
        let mut next = (**self.rights.borrow()).clone();
        next.height += 1;
        f(&mut next);
        self.rights.send(Arc::new(next)).unwrap();
    }
}

fn at(offset_hours: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() + time::Duration::hours(offset_hours)
}

#[tokio::test]
async fn the_tenant_of_an_active_lease_is_served_and_nobody_else() {
    let tenant = Identity::generate(TENANT, 30).unwrap();
    let other = Identity::generate(OTHER, 30).unwrap();
    let unpublished = Identity::generate(TENANT, 30).unwrap();
    let revoked = Identity::generate(TENANT, 30).unwrap();
    let expired = Identity::valid(TENANT, at(-48), at(-24)).unwrap();
    let early = Identity::valid(TENANT, at(24), at(48)).unwrap();
    // Names the tenant, is registered by somebody else.
    let borrowed = Identity::generate(TENANT, 30).unwrap();
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

#[tokio::test]
async fn what_is_no_tenant_at_all_fails_in_the_handshake() {
    use rustls::version::{TLS12, TLS13};
    let tenant = Identity::generate(TENANT, 30).unwrap();
    let other = Identity::generate(TENANT, 30).unwrap();
    let stage = Stage::new(&[(&tenant, TENANT, false)]).await;
    let addr = stage.server.addr;
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
    assert!(stage.target(1, &tenant).status().await.is_ok());
}

#[tokio::test]
async fn a_tenant_believes_no_server_but_the_providers() {
    let tenant = Identity::generate(TENANT, 30).unwrap();
    let stage = Stage::new(&[(&tenant, TENANT, false)]).await;
    let uri = format!("https://{}", stage.server.addr);
    let stranger = Identity::generate(PROVIDER, 30).unwrap();
    let target = Target::new(&uri, 1, &tenant, vec![stranger.fingerprint()]).unwrap();
    match target.status().await {
        Err(TenantError::Unreachable { reason, .. }) => {
            assert!(reason.contains("has published"), "{reason}")
        }
        other => panic!("{other:?}"),
    }
    let gone = Target::new("https://127.0.0.1:9", 1, &tenant, vec![]).unwrap();
    assert!(matches!(
        gone.status().await,
        Err(TenantError::Unreachable { .. })
    ));
}

#[tokio::test]
async fn live_connections_are_cut_when_rights_end() {
    let tenant = Identity::generate(TENANT, 30).unwrap();
    for end in ["closed", "revoked"] {
        let stage = Stage::new(&[(&tenant, TENANT, false)]).await;
        let mut live = stage.target(1, &tenant).connect().await.unwrap();
        live.status(pb::StatusRequest {}).await.unwrap();
        stage.change(|r| match end {
            "closed" => r.leases.get_mut(&1).unwrap().state = LeaseState::Closed,
            _ => r.certs.get_mut(&tenant.fingerprint()).unwrap().revoked = true,
        });
        let error = loop {
            match live.status(pb::StatusRequest {}).await {
                Ok(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(e) => break e,
            }
        };
        let words = error.message().to_lowercase();
        assert!(!words.is_empty(), "{end}");
        assert!(
            stage.target(1, &tenant).status().await.is_err(),
            "{end}: a new connection is refused too"
        );
    }
}

#[tokio::test]
async fn manifests_and_blobs_are_what_their_hashes_say() {
    let tenant = Identity::generate(TENANT, 30).unwrap();
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
