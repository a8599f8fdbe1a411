//! The few fields of an X.509 certificate that the registry looks at, read with `der`'s primitives.
//!
//! `x509-cert` reads the whole of one and takes 77 KB of wasm for it, a sixth of what a contract may have; here it is
//! only a witness of the tests: whatever this reads, `x509-cert` reads the same way. What no certificate of ours has is
//! refused, not skipped: versions before 3, unique identifiers, names with several attributes in one RDN.

use der::{
    Choice, Decode, DecodeValue, Reader, SliceReader, Tag, TagNumber, Tagged,
    asn1::{
        AnyRef, BitStringRef, GeneralizedTime, ObjectIdentifier, OctetStringRef, UintRef, UtcTime,
    },
};

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");

/// An algorithm and its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Algorithm<'a> {
    /// Which.
    pub oid: ObjectIdentifier,
    /// Its parameters.
    pub parameters: Option<AnyRef<'a>>,
}

/// What the registry looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// The bytes that are signed.
    pub tbs: &'a [u8],
    /// The signature's algorithm as the signed part says, and as the outer part says.
    pub algorithms: [Algorithm<'a>; 2],
    /// The signature; `None` when it does not end on a byte.
    pub signature: Option<&'a [u8]>,
    /// Common names of the issuer.
    pub issuer: Vec<AnyRef<'a>>,
    /// Common names of the subject.
    pub subject: Vec<AnyRef<'a>>,
    /// Unix seconds.
    pub not_before: u64,
    /// Unix seconds.
    pub not_after: u64,
    /// What the public key is for.
    pub key_algorithm: Algorithm<'a>,
    /// The public key; `None` when it does not end on a byte.
    pub key: Option<&'a [u8]>,
    /// The key usage extension's `digitalSignature`; `None` without the extension.
    pub digital_signature: Option<bool>,
    /// The extended key usage extension; `None` without it.
    pub extended_usage: Option<Vec<ObjectIdentifier>>,
}

/// The part that is not as it must be.
type Part<T> = Result<T, &'static str>;

/// The values of one constructed value, in turn.
struct Fields<'a>(SliceReader<'a>, &'static str);

impl<'a> Fields<'a> {
    fn of(bytes: &'a [u8], part: &'static str) -> Part<Self> {
        Ok(Self(SliceReader::new(bytes).map_err(|_| part)?, part))
    }

    /// The values inside the next one, which has this tag.
    fn inside(&mut self, tag: Tag, part: &'static str) -> Part<Self> {
        Self::open(self.next()?, tag, part)
    }

    fn open(value: AnyRef<'a>, tag: Tag, part: &'static str) -> Part<Self> {
        if value.tag() != tag {
            return Err(part);
        }
        // The reader takes no empty input, and an empty value has no fields.
        Self::of(value.value(), part)
    }

    fn next(&mut self) -> Part<AnyRef<'a>> {
        AnyRef::decode(&mut self.0).map_err(|_| self.1)
    }

    fn value<T: Choice<'a> + DecodeValue<'a>>(&mut self) -> Part<T> {
        self.next()?.decode_as().map_err(|_| self.1)
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }

    fn finish(self) -> Part<()> {
        if self.is_finished() {
            return Ok(());
        }
        Err(self.1)
    }

    fn algorithm(&mut self) -> Part<Algorithm<'a>> {
        let mut fields = self.inside(Tag::Sequence, "algorithm")?;
        let oid = fields.value()?;
        let parameters = if fields.is_finished() {
            None
        } else {
            Some(fields.next()?)
        };
        fields.finish()?;
        Ok(Algorithm { oid, parameters })
    }

    /// The common names of a name.
    fn common_names(&mut self, part: &'static str) -> Part<Vec<AnyRef<'a>>> {
        let name = self.next()?;
        let mut found = Vec::new();
        if name.tag() == Tag::Sequence && name.value().is_empty() {
            return Ok(found);
        }
        let mut rdns = Self::open(name, Tag::Sequence, part)?;
        while !rdns.is_finished() {
            let mut set = rdns.inside(Tag::Set, part)?;
            let mut attribute = set.inside(Tag::Sequence, part)?;
            set.finish()?;
            let oid: ObjectIdentifier = attribute.value()?;
            let value = attribute.next()?;
            attribute.finish()?;
            if oid == COMMON_NAME {
                found.push(value);
            }
        }
        Ok(found)
    }

    fn time(&mut self) -> Part<u64> {
        let value = self.next()?;
        let time = if value.tag() == Tag::UtcTime {
            let time = value.decode_as::<UtcTime>();
            time.map(|t| t.to_unix_duration())
        } else {
            let time = value.decode_as::<GeneralizedTime>();
            time.map(|t| t.to_unix_duration())
        };
        Ok(time.map_err(|_| self.1)?.as_secs())
    }
}

/// An explicit tag.
const fn context(number: TagNumber) -> Tag {
    Tag::ContextSpecific {
        constructed: true,
        number,
    }
}

/// Reads exactly one certificate.
///
/// # Errors
/// The name of the part that is not as it must be.
pub fn parse(der: &[u8]) -> Part<Certificate<'_>> {
    let mut whole = Fields::of(der, "certificate")?;
    let mut outer = whole.inside(Tag::Sequence, "certificate")?;
    whole.finish()?;
    let tbs = outer.0.tlv_bytes().map_err(|_| "tbsCertificate")?;
    let outer_algorithm = outer.algorithm()?;
    let signature = outer.value::<BitStringRef<'_>>()?.as_bytes();
    outer.finish()?;

    let mut f = Fields::of(tbs, "tbsCertificate")?.inside(Tag::Sequence, "tbsCertificate")?;
    let mut version = f.inside(context(TagNumber::N0), "version")?;
    if version.value::<u8>()? != 2 {
        return Err("version");
    }
    version.finish()?;
    let serial = f.next()?;
    if serial.tag() != Tag::Integer || !is_serial(serial.value()) {
        return Err("serialNumber");
    }
    let algorithm = f.algorithm()?;
    let issuer = f.common_names("issuer")?;
    let mut validity = f.inside(Tag::Sequence, "validity")?;
    let (not_before, not_after) = (validity.time()?, validity.time()?);
    validity.finish()?;
    let subject = f.common_names("subject")?;
    let mut spki = f.inside(Tag::Sequence, "subjectPublicKeyInfo")?;
    let key_algorithm = spki.algorithm()?;
    let key = spki.value::<BitStringRef<'_>>()?.as_bytes();
    spki.finish()?;
    let mut certificate = Certificate {
        tbs,
        algorithms: [algorithm, outer_algorithm],
        signature,
        issuer,
        subject,
        not_before,
        not_after,
        key_algorithm,
        key,
        digital_signature: None,
        extended_usage: None,
    };
    if !f.is_finished() {
        let mut explicit = f.inside(context(TagNumber::N3), "extensions")?;
        let list = explicit.inside(Tag::Sequence, "extensions")?;
        explicit.finish()?;
        extensions(list, &mut certificate)?;
    }
    f.finish()?;
    Ok(certificate)
}

/// 1 to 20 bytes, none of them needless.
fn is_serial(bytes: &[u8]) -> bool {
    let needless = match bytes {
        [0, second, ..] => *second < 0x80,
        [0xff, second, ..] => *second >= 0x80,
        _ => false,
    };
    (1..=20).contains(&bytes.len()) && !needless
}

fn extensions<'a>(mut list: Fields<'a>, certificate: &mut Certificate<'a>) -> Part<()> {
    while !list.is_finished() {
        let mut extension = list.inside(Tag::Sequence, "extension")?;
        let oid: ObjectIdentifier = extension.value()?;
        let mut value = extension.next()?;
        if value.tag() == Tag::Boolean {
            value.decode_as::<bool>().map_err(|_| "extension")?;
            value = extension.next()?;
        }
        extension.finish()?;
        let bytes: OctetStringRef<'_> = value.decode_as().map_err(|_| "extension")?;
        if oid == KEY_USAGE {
            let mut fields = Fields::of(bytes.as_bytes(), "keyUsage")?;
            let bits: BitStringRef<'_> = fields.value()?;
            fields.finish()?;
            let first = bits.raw_bytes().first().copied().unwrap_or_default();
            once(
                &mut certificate.digital_signature,
                first & 0x80 != 0,
                "keyUsage",
            )?;
        } else if oid == EXTENDED_KEY_USAGE {
            let mut fields = Fields::of(bytes.as_bytes(), "extKeyUsage")?;
            let mut usages = fields.inside(Tag::Sequence, "extKeyUsage")?;
            fields.finish()?;
            let mut found = Vec::new();
            while !usages.is_finished() {
                found.push(usages.value()?);
            }
            once(&mut certificate.extended_usage, found, "extKeyUsage")?;
        }
    }
    Ok(())
}

fn once<T>(place: &mut Option<T>, value: T, part: &'static str) -> Part<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(part),
    }
}

/// `SEQUENCE { r INTEGER, s INTEGER }` as 32 + 32 bytes.
pub fn compact(signature: &[u8]) -> Option<[u8; 64]> {
    let mut whole = Fields::of(signature, "signature").ok()?;
    let mut numbers = whole.inside(Tag::Sequence, "signature").ok()?;
    whole.finish().ok()?;
    let mut out = [0u8; 64];
    for half in out.chunks_mut(32) {
        let number: UintRef<'_> = numbers.value().ok()?;
        let start = half.len().checked_sub(number.as_bytes().len())?;
        half[start..].copy_from_slice(number.as_bytes());
    }
    numbers.finish().ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use der::Encode;
    use proptest::prelude::*;
    use rcgen::{
        CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
        PKCS_ECDSA_P256_SHA256,
    };
    use x509_cert::ext::pkix::{ExtendedKeyUsage, KeyUsage};

    fn sample(usages: bool) -> Vec<u8> {
        let mut p = CertificateParams::new(vec!["localhost".to_string()]).unwrap();
        p.distinguished_name.push(DnType::CommonName, "ember1abc");
        p.distinguished_name.push(DnType::OrganizationName, "o");
        if usages {
            p.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            p.extended_key_usages = vec![
                ExtendedKeyUsagePurpose::ClientAuth,
                ExtendedKeyUsagePurpose::ServerAuth,
            ];
        }
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        p.self_signed(&key).unwrap().der().to_vec()
    }

    /// Whatever is read here, `x509-cert` reads, and finds the same in it.
    fn agrees(bytes: &[u8]) -> bool {
        let Ok(ours) = parse(bytes) else {
            return false;
        };
        let theirs = x509_cert::Certificate::from_der(bytes).unwrap();
        let tbs = &theirs.tbs_certificate;
        assert_eq!(ours.tbs, tbs.to_der().unwrap());
        let algorithms = [&tbs.signature, &theirs.signature_algorithm];
        for (a, b) in ours.algorithms.iter().zip(algorithms) {
            assert_eq!(a.oid, b.oid);
            assert_eq!(a.parameters.is_none(), b.parameters.is_none());
        }
        assert_eq!(ours.signature, theirs.signature.as_bytes());
        for (ours, theirs) in [(&ours.issuer, &tbs.issuer), (&ours.subject, &tbs.subject)] {
            let all = theirs.0.iter().flat_map(|rdn| rdn.0.iter());
            let names: Vec<_> = all
                .filter(|a| a.oid == COMMON_NAME)
                .map(|a| (a.value.tag(), a.value.value()))
                .collect();
            let got: Vec<_> = ours.iter().map(|a| (a.tag(), a.value())).collect();
            assert_eq!(got, names);
        }
        let v = &tbs.validity;
        assert_eq!(ours.not_before, v.not_before.to_unix_duration().as_secs());
        assert_eq!(ours.not_after, v.not_after.to_unix_duration().as_secs());
        let spki = &tbs.subject_public_key_info;
        assert_eq!(ours.key_algorithm.oid, spki.algorithm.oid);
        assert_eq!(ours.key, spki.subject_public_key.as_bytes());
        // Bits of key usage that nobody has defined stop `x509-cert`, and are nothing here.
        if let Ok(usage) = tbs.get::<KeyUsage>() {
            let theirs = usage.map(|(_, u)| u.digital_signature());
            assert_eq!(ours.digital_signature, theirs);
        }
        let usage = tbs.get::<ExtendedKeyUsage>().unwrap();
        assert_eq!(ours.extended_usage, usage.map(|(_, u)| u.0));
        true
    }

    #[test]
    fn what_rcgen_makes_is_read() {
        assert!(agrees(&sample(true)));
        assert!(agrees(&sample(false)));
    }

    #[test]
    fn every_bit_and_every_cut_is_read_alike() {
        let good = sample(true);
        let mut read = 0;
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bytes = good.clone();
                bytes[at] ^= 1 << bit;
                read += usize::from(agrees(&bytes));
            }
            assert!(!agrees(&good[..at]), "cut at {at}");
        }
        // Most flips are in the key, the names and the signature, where every byte is as good.
        assert!(read > good.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]
        #[test]
        fn mutations_are_read_alike(
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..4),
        ) {
            use std::sync::OnceLock;
            static GOOD: OnceLock<Vec<u8>> = OnceLock::new();
            let mut bytes = GOOD.get_or_init(|| sample(true)).clone();
            for (at, byte, kind) in edits {
                let at = at.index(bytes.len());
                match kind {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    _ => { bytes.remove(at); }
                }
            }
            agrees(&bytes);
        }
    }
}
