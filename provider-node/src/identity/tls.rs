//! TLS 1.3 with a mandatory client certificate.
//!
//! The handshake proves that the peer holds the key of a well-formed P-256 certificate. Whose it is, and whether it
//! may do what it asks, is decided after it, so that a refusal can be told in words (`docs/adr-002-mtls.md`).

use super::cert::{Claims, Identity, fingerprint};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error,
    PeerIncompatible, ServerConfig, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
    version::TLS13,
};
use std::sync::Arc;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn one_p256(
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
) -> Result<Claims, Error> {
    if !intermediates.is_empty() {
        return Err(Error::General(format!(
            "expected one certificate, got a chain of {}",
            intermediates.len() + 1
        )));
    }
    Claims::read(end_entity).map_err(|e| {
        Error::InvalidCertificate(CertificateError::Other(rustls::OtherError(Arc::new(e))))
    })
}

macro_rules! tls13_signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered))
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls13_signature(
                message,
                cert,
                signature,
                &self.crypto.signature_verification_algorithms,
            )
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ECDSA_NISTP256_SHA256]
        }
    };
}

/// Takes any well-formed P-256 client certificate whose key the client holds.
#[derive(Debug)]
struct AnyTenant {
    crypto: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AnyTenant {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        one_p256(end_entity, intermediates).map(|_| ClientCertVerified::assertion())
    }

    tls13_signatures!();
}

/// Takes the certificates that the provider has published on chain, and no other.
#[derive(Debug)]
struct Pinned {
    crypto: Arc<CryptoProvider>,
    fingerprints: Vec<String>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let claims = one_p256(end_entity, intermediates)?;
        let got = fingerprint(end_entity);
        if !self.fingerprints.contains(&got) {
            return Err(Error::General(format!(
                "certificate {got}, which is not one that the lease's provider has published"
            )));
        }
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if now > claims.not_after || now < claims.not_before {
            return Err(Error::General(format!(
                "certificate {got}, valid from {} to {}, and now is {now}",
                claims.not_before, claims.not_after
            )));
        }
        Ok(ServerCertVerified::assertion())
    }

    tls13_signatures!();
}

fn own(identity: &Identity) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let key = PrivatePkcs8KeyDer::from(identity.pkcs8().to_vec());
    (
        vec![CertificateDer::from(identity.der().to_vec())],
        key.into(),
    )
}

/// The provider's side.
///
/// # Errors
/// When the identity's key is not one.
pub fn server(identity: &Identity) -> Result<Arc<ServerConfig>, Error> {
    let (chain, key) = own(identity);
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(Arc::new(AnyTenant { crypto: provider() }))
        .with_single_cert(chain, key)?;
    // A resumed session would carry rights from before; every connection shows its certificate.
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

/// The tenant's side: `fingerprints` are what the lease's provider has published.
///
/// # Errors
/// When the identity's key is not one.
pub fn client(identity: &Identity, fingerprints: Vec<String>) -> Result<Arc<ClientConfig>, Error> {
    let (chain, key) = own(identity);
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned {
            crypto: provider(),
            fingerprints,
        }))
        .with_client_auth_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}
