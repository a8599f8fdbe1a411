//! Certificates of tenants and providers: X.509, ECDSA P-256, self-signed, CN = the account.

use ::time::OffsetDateTime;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};
use thiserror::Error;
use x509_parser::{certificate::X509Certificate, oid_registry, prelude::FromDer};
use zeroize::Zeroizing;

/// The DNS name in every certificate. Trust comes from the registered fingerprint, never from a name.
pub const SERVER_NAME: &str = "lease.ember.invalid";

/// Longest validity: what the registry takes, less a day for clocks that differ.
pub const MAX_VALIDITY: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Why a certificate was not made or read.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// Too long a validity.
    #[error("certificate validity: expected 1 second to 365 days, got {} seconds", .0.as_secs())]
    Validity(Duration),
    /// Not there.
    #[error("no certificate in {0}: make one with ember cert generate")]
    Absent(PathBuf),
    /// There already.
    #[error("{0} exists: expected no certificate there; --force replaces it")]
    Exists(PathBuf),
    /// Not of its form.
    #[error("{path}: expected {expected}, got something else: {reason}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
        /// Why it is not.
        reason: String,
    },
    /// A file that cannot be read or written.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The certificate could not be made.
    #[error("certificate: {0}")]
    Generate(#[from] rcgen::Error),
}

/// A certificate with its private key. Its `Debug` shows no key.
pub struct Identity {
    der: Vec<u8>,
    pkcs8: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

/// SHA-256 of a certificate's DER, lower-case hex: its name on chain.
pub fn fingerprint(der: &[u8]) -> String {
    hex::encode(Sha256::digest(der))
}

impl Identity {
    /// A new certificate of `account`, valid from an hour ago (clocks differ) until `valid_for` from now.
    ///
    /// # Errors
    /// When `valid_for` is out of range.
    pub fn generate(account: &str, valid_for: Duration) -> Result<Self, IdentityError> {
        if valid_for.is_zero() || valid_for > MAX_VALIDITY {
            return Err(IdentityError::Validity(valid_for));
        }
        let now = OffsetDateTime::now_utc();
        Self::valid(account, now - Duration::from_secs(3_600), now + valid_for)
    }

    /// A certificate of `account` with any validity.
    ///
    /// # Errors
    /// When the generator refuses.
    pub fn valid(
        account: &str,
        from: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<Self, IdentityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new(vec![SERVER_NAME.to_owned()])?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, account);
        params.not_before = from;
        params.not_after = until;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ClientAuth,
            ExtendedKeyUsagePurpose::ServerAuth,
        ];
        let cert = params.self_signed(&key)?;
        Ok(Self {
            der: cert.der().to_vec(),
            pkcs8: Zeroizing::new(key.serialize_der()),
        })
    }

    /// The certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The private key, PKCS#8 DER.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// Its name on chain.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.der)
    }

    /// Writes `cert.pem` and `key.pem` (mode 0600) into `dir`.
    ///
    /// # Errors
    /// When they are there already and `force` is false, or cannot be written.
    pub fn save(&self, dir: &Path, force: bool) -> Result<(), IdentityError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |error| IdentityError::Io { path, error }
        };
        fs::create_dir_all(dir).map_err(io(dir))?;
        let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
        if cert.exists() && !force {
            return Err(IdentityError::Exists(cert));
        }
        for (path, label, bytes) in [
            (&key, "PRIVATE KEY", self.pkcs8.as_slice()),
            (&cert, "CERTIFICATE", &self.der),
        ] {
            let next = path.with_extension("pem.new");
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&next)
                .map_err(io(&next))?;
            file.write_all(pem(label, bytes).as_bytes())
                .and_then(|()| file.sync_all())
                .map_err(io(&next))?;
            fs::rename(&next, path).map_err(io(path))?;
        }
        Ok(())
    }

    /// Reads what [`Self::save`] wrote.
    ///
    /// # Errors
    /// When there is none, or it is not of its form.
    pub fn load(dir: &Path) -> Result<Self, IdentityError> {
        let read = |name: &str, expected| {
            let path = dir.join(name);
            let bytes = match fs::read(&path) {
                Ok(bytes) => Zeroizing::new(bytes),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                    return Err(IdentityError::Absent(dir.to_owned()));
                }
                Err(error) => return Err(IdentityError::Io { path, error }),
            };
            x509_parser::pem::parse_x509_pem(&bytes)
                .map(|(_, pem)| pem.contents)
                .map_err(|e| IdentityError::Malformed {
                    path,
                    expected,
                    reason: e.to_string(),
                })
        };
        Ok(Self {
            der: read("cert.pem", "a certificate in PEM")?,
            pkcs8: Zeroizing::new(read("key.pem", "a private key in PEM")?),
        })
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// What a certificate says of itself. Nothing of it is true before the chain says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Its common name.
    pub account: String,
    /// Its name on chain.
    pub fingerprint: String,
    /// Unix seconds.
    pub not_before: i64,
    /// Unix seconds.
    pub not_after: i64,
    /// SEC1 point.
    pub public_key: Vec<u8>,
}

/// Why a certificate is none of ours, whatever the chain says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadCertificate {
    /// Not X.509.
    #[error("expected an X.509 certificate, got something else: {0}")]
    Malformed(String),
    /// RSA, another curve.
    #[error("expected an ECDSA P-256 key, got another kind")]
    KeyType,
    /// No name.
    #[error("expected one common name, got {0}")]
    CommonName(usize),
}

impl Claims {
    /// Reads a certificate.
    ///
    /// # Errors
    /// When it is not one of ours.
    pub fn read(der: &[u8]) -> Result<Self, BadCertificate> {
        let (rest, cert) =
            X509Certificate::from_der(der).map_err(|e| BadCertificate::Malformed(e.to_string()))?;
        if !rest.is_empty() {
            return Err(BadCertificate::Malformed("bytes after its end".into()));
        }
        let spki = cert.public_key();
        let curve = spki
            .algorithm
            .parameters
            .as_ref()
            .and_then(|p| p.as_oid().ok());
        if spki.algorithm.algorithm != oid_registry::OID_KEY_TYPE_EC_PUBLIC_KEY
            || curve != Some(oid_registry::OID_EC_P256)
        {
            return Err(BadCertificate::KeyType);
        }
        let names: Vec<_> = cert
            .subject()
            .iter_common_name()
            .filter_map(|n| n.as_str().ok())
            .collect();
        let [account] = names.as_slice() else {
            return Err(BadCertificate::CommonName(names.len()));
        };
        Ok(Self {
            account: (*account).to_owned(),
            fingerprint: fingerprint(der),
            not_before: cert.validity().not_before.timestamp(),
            not_after: cert.validity().not_after.timestamp(),
            public_key: spki.subject_public_key.data.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_says_whose_it_is_and_survives_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let made = Identity::generate("ember1abc", MAX_VALIDITY).unwrap();
        made.save(dir.path(), false).unwrap();
        assert!(matches!(
            made.save(dir.path(), false),
            Err(IdentityError::Exists(_))
        ));
        let read = Identity::load(dir.path()).unwrap();
        assert_eq!((read.der(), read.pkcs8()), (made.der(), made.pkcs8()));
        let claims = Claims::read(read.der()).unwrap();
        assert_eq!(
            (claims.account.as_str(), claims.fingerprint),
            ("ember1abc", made.fingerprint())
        );
        assert!(!format!("{made:?}").contains("pkcs8"));
    }

    #[test]
    fn what_is_not_ours_is_named() {
        for bad in [Duration::ZERO, MAX_VALIDITY + Duration::from_secs(1)] {
            assert!(matches!(
                Identity::generate("a", bad),
                Err(IdentityError::Validity(got)) if got == bad
            ));
        }
        assert!(matches!(
            Identity::load(Path::new("/nowhere")),
            Err(IdentityError::Absent(_))
        ));
        assert!(matches!(
            Claims::read(b"junk"),
            Err(BadCertificate::Malformed(_))
        ));
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        let der = CertificateParams::new(vec![])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        assert_eq!(Claims::read(der.der()), Err(BadCertificate::KeyType));
    }
}
