//! What a certificate must be: one self-signed ECDSA P-256 X.509 certificate in DER, with the sender's address as
//! its common name, valid now and for at most 366 days, made for signing in a TLS handshake.

use crate::error::CertificateError;
use cosmwasm_std::{Api, Binary};
use der::{
    Decode, Reader, SliceReader, Tag, Tagged,
    asn1::{ObjectIdentifier, UintRef},
};
use sha2::{Digest, Sha256};
use x509_cert::{
    Certificate,
    ext::pkix::{ExtendedKeyUsage, KeyUsage},
    name::Name,
    spki::AlgorithmIdentifierOwned,
};

/// Largest certificate in bytes.
pub const MAX_DER: usize = 4_096;
/// Longest validity in seconds: 366 days.
pub const MAX_VALIDITY_SECS: u64 = 366 * 24 * 3_600;
/// How far the publisher's clock may run ahead of the chain's, in seconds.
pub const SKEW_SECS: u64 = 3_600;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
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
    let cert = Certificate::from_der(der).map_err(not_a_certificate)?;
    let public_key = public_key(&cert)?;
    verify(api, der, &cert, public_key)?;
    let tbs = &cert.tbs_certificate;
    name("subject", &tbs.subject, owner)?;
    name("issuer", &tbs.issuer, owner)?;
    usage(&cert)?;
    let not_before = tbs.validity.not_before.to_unix_duration().as_secs();
    let not_after = tbs.validity.not_after.to_unix_duration().as_secs();
    dates(not_before, not_after, now)?;
    Ok(Checked {
        fingerprint: hex::encode(Sha256::digest(der)),
        public_key: Binary::from(public_key),
        not_before,
        not_after,
    })
}

fn not_a_certificate(e: der::Error) -> CertificateError {
    CertificateError::NotACertificate {
        reason: e.to_string(),
    }
}

fn public_key(cert: &Certificate) -> Result<&[u8], CertificateError> {
    let spki = &cert.tbs_certificate.subject_public_key_info;
    let curve = spki
        .algorithm
        .parameters
        .as_ref()
        .and_then(|p| p.decode_as::<ObjectIdentifier>().ok());
    if spki.algorithm.oid != EC_PUBLIC_KEY || curve != Some(P256) {
        return Err(CertificateError::Algorithm {
            what: "public key",
            expected: "ECDSA P-256",
            got: curve.unwrap_or(spki.algorithm.oid).to_string(),
        });
    }
    let key = spki.subject_public_key.as_bytes().unwrap_or_default();
    if key.len() != 65 || key.first() != Some(&4) {
        return Err(CertificateError::KeyForm { got: key.len() });
    }
    Ok(key)
}

/// The signature covers the bytes that came, not what a parser would write back.
fn verify(
    api: &dyn Api,
    der: &[u8],
    cert: &Certificate,
    public_key: &[u8],
) -> Result<(), CertificateError> {
    for algorithm in [&cert.signature_algorithm, &cert.tbs_certificate.signature] {
        expect_ecdsa_sha256(algorithm)?;
    }
    let tbs = SliceReader::new(der)
        .and_then(|mut r| {
            r.sequence(|body| {
                let tbs = body.tlv_bytes()?;
                // The algorithm and the signature: parsed above already.
                body.tlv_bytes()?;
                body.tlv_bytes()?;
                Ok(tbs)
            })
        })
        .map_err(not_a_certificate)?;
    let signature = cert
        .signature
        .as_bytes()
        .and_then(compact)
        .ok_or(CertificateError::BadSignature)?;
    match api.secp256r1_verify(&Sha256::digest(tbs), &signature, public_key) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(CertificateError::BadSignature),
    }
}

fn expect_ecdsa_sha256(a: &AlgorithmIdentifierOwned) -> Result<(), CertificateError> {
    if a.oid == ECDSA_SHA256 && a.parameters.is_none() {
        return Ok(());
    }
    Err(CertificateError::Algorithm {
        what: "signature",
        expected: "ecdsa-with-SHA256",
        got: a.oid.to_string(),
    })
}

/// `SEQUENCE { r INTEGER, s INTEGER }` as 32 + 32 bytes.
fn compact(signature: &[u8]) -> Option<[u8; 64]> {
    let mut reader = SliceReader::new(signature).ok()?;
    let (r, s) = reader
        .sequence(|body| Ok((UintRef::decode(body)?, UintRef::decode(body)?)))
        .ok()?;
    reader.finish(()).ok()?;
    let mut out = [0u8; 64];
    for (half, number) in out.chunks_mut(32).zip([r, s]) {
        let bytes = number.as_bytes();
        let start = half.len().checked_sub(bytes.len())?;
        half[start..].copy_from_slice(bytes);
    }
    Some(out)
}

fn name(field: &'static str, name: &Name, owner: &str) -> Result<(), CertificateError> {
    let mut names = name
        .0
        .iter()
        .flat_map(|rdn| rdn.0.iter())
        .filter(|a| a.oid == COMMON_NAME);
    let (Some(first), 0) = (names.next(), names.count()) else {
        let got = name.0.iter().flat_map(|rdn| rdn.0.iter());
        return Err(CertificateError::CommonNames {
            field,
            got: got.filter(|a| a.oid == COMMON_NAME).count(),
        });
    };
    let is_text = matches!(
        first.value.tag(),
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String
    );
    if is_text && first.value.value() == owner.as_bytes() {
        return Ok(());
    }
    Err(CertificateError::WrongName {
        field,
        expected: owner.to_owned(),
        got: String::from_utf8_lossy(first.value.value())
            .chars()
            .take(128)
            .collect(),
    })
}

fn usage(cert: &Certificate) -> Result<(), CertificateError> {
    let tbs = &cert.tbs_certificate;
    let key_usage = tbs.get::<KeyUsage>().map_err(not_a_certificate)?;
    if !key_usage.is_some_and(|(_, u)| u.digital_signature()) {
        return Err(CertificateError::Usage {
            extension: "key usage",
            expected: "digitalSignature",
        });
    }
    let extended = tbs.get::<ExtendedKeyUsage>().map_err(not_a_certificate)?;
    if !extended.is_some_and(|(_, u)| u.0.contains(&SERVER_AUTH) || u.0.contains(&CLIENT_AUTH)) {
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
