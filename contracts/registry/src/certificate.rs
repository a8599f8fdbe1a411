//! What a certificate must be: one self-signed ECDSA P-256 X.509 certificate in DER, with the sender's address as
//! its common name, valid now and for at most 366 days, made for signing in a TLS handshake.

use crate::{
    error::CertificateError,
    x509::{self, Algorithm, Certificate},
};
use cosmwasm_std::{Api, Binary};
use der::{
    Tag, Tagged,
    asn1::{AnyRef, ObjectIdentifier},
};
use sha2::{Digest, Sha256};

/// Largest certificate in bytes.
pub const MAX_DER: usize = 4_096;
/// Longest validity in seconds: 366 days.
pub const MAX_VALIDITY_SECS: u64 = 366 * 24 * 3_600;
/// How far the publisher's clock may run ahead of the chain's, in seconds.
pub const SKEW_SECS: u64 = 3_600;

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

/// What the registry keeps of a certificate that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// SHA-256 of the DER, lower-case hex.
    pub fingerprint: String,
    /// SEC1 uncompressed P-256 key.
    pub public_key: Binary,
    /// Unix seconds.
    pub not_before: u64,
    /// Unix seconds.
    pub not_after: u64,
}

/// Checks everything; `now` is the block time in unix seconds.
///
/// # Errors
/// The first rule that the certificate breaks.
pub fn check(
    api: &dyn Api,
    der: &[u8],
    owner: &str,
    now: u64,
) -> Result<Checked, CertificateError> {
    if der.len() > MAX_DER {
        return Err(CertificateError::TooLarge {
            max: MAX_DER,
            got: der.len(),
        });
    }
    let cert = x509::parse(der).map_err(|part| CertificateError::NotACertificate { part })?;
    let public_key = public_key(&cert)?;
    verify(api, &cert, public_key)?;
    name("subject", &cert.subject, owner)?;
    name("issuer", &cert.issuer, owner)?;
    usage(&cert)?;
    dates(cert.not_before, cert.not_after, now)?;
    Ok(Checked {
        fingerprint: hex::encode(Sha256::digest(der)),
        public_key: Binary::from(public_key),
        not_before: cert.not_before,
        not_after: cert.not_after,
    })
}

fn public_key<'a>(cert: &Certificate<'a>) -> Result<&'a [u8], CertificateError> {
    let Algorithm { oid, parameters } = cert.key_algorithm;
    let curve = parameters.and_then(|p| p.decode_as::<ObjectIdentifier>().ok());
    if oid != EC_PUBLIC_KEY || curve != Some(P256) {
        return Err(CertificateError::Algorithm {
            what: "public key",
            expected: "ECDSA P-256",
            got: curve.unwrap_or(oid).to_string(),
        });
    }
    let key = cert.key.unwrap_or_default();
    if key.len() != 65 || key.first() != Some(&4) {
        return Err(CertificateError::KeyForm { got: key.len() });
    }
    Ok(key)
}

/// The signature covers the bytes that came, not what a parser would write back.
fn verify(
    api: &dyn Api,
    cert: &Certificate<'_>,
    public_key: &[u8],
) -> Result<(), CertificateError> {
    for a in cert.algorithms {
        if a.oid != ECDSA_SHA256 || a.parameters.is_some() {
            return Err(CertificateError::Algorithm {
                what: "signature",
                expected: "ecdsa-with-SHA256",
                got: a.oid.to_string(),
            });
        }
    }
    let signature = cert
        .signature
        .and_then(x509::compact)
        .ok_or(CertificateError::BadSignature)?;
    match api.secp256r1_verify(&Sha256::digest(cert.tbs), &signature, public_key) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(CertificateError::BadSignature),
    }
}

fn name(field: &'static str, names: &[AnyRef<'_>], owner: &str) -> Result<(), CertificateError> {
    let [name] = names else {
        return Err(CertificateError::CommonNames {
            field,
            got: names.len(),
        });
    };
    let is_text = matches!(
        name.tag(),
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String
    );
    if is_text && name.value() == owner.as_bytes() {
        return Ok(());
    }
    Err(CertificateError::WrongName {
        field,
        expected: owner.to_owned(),
        got: String::from_utf8_lossy(name.value())
            .chars()
            .take(128)
            .collect(),
    })
}

fn usage(cert: &Certificate<'_>) -> Result<(), CertificateError> {
    if cert.digital_signature != Some(true) {
        return Err(CertificateError::Usage {
            extension: "key usage",
            expected: "digitalSignature",
        });
    }
    let tls =
        |oids: &Vec<ObjectIdentifier>| oids.contains(&SERVER_AUTH) || oids.contains(&CLIENT_AUTH);
    if !cert.extended_usage.as_ref().is_some_and(tls) {
        return Err(CertificateError::Usage {
            extension: "extended key usage",
            expected: "clientAuth or serverAuth",
        });
    }
    Ok(())
}

fn dates(not_before: u64, not_after: u64, now: u64) -> Result<(), CertificateError> {
    let length = not_after.checked_sub(not_before).filter(|l| *l > 0);
    if length.is_none_or(|l| l > MAX_VALIDITY_SECS) {
        return Err(CertificateError::Validity {
            max: MAX_VALIDITY_SECS,
            not_before,
            not_after,
        });
    }
    if not_before > now.saturating_add(SKEW_SECS) {
        return Err(CertificateError::NotYetValid { not_before, now });
    }
    if not_after <= now {
        return Err(CertificateError::Expired { not_after, now });
    }
    Ok(())
}
