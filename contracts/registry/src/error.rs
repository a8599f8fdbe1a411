//! Every reason for which the registry refuses a message.

use cosmwasm_std::{Addr, StdError, Timestamp, Uint128, Uint256};
use ember_types::error::ValidationError;
use thiserror::Error;

/// A refusal. The texts say what was expected and what came.
#[derive(Debug, Error)]
pub enum ContractError {
    /// Storage or serialization failed, or an address is not one.
    #[error("{0}")]
    Std(StdError),
    /// A field of the message is out of its range or not of its form.
    #[error(transparent)]
    Invalid(#[from] ValidationError),
    /// The sender may not do this.
    #[error("only {expected} may do this, got {sender}")]
    Unauthorized {
        /// Who may.
        expected: String,
        /// Who asked.
        sender: Addr,
    },
    /// A part of the configuration that the message needs was never given.
    #[error("no {what} is configured: the authority must name one with update_config")]
    NotConfigured {
        /// The field.
        what: &'static str,
    },
    /// There is no stake to take.
    #[error("{owner}: expected a stake to slash, got none bonded and none unbonding")]
    NothingToSlash {
        /// Whose stake.
        owner: Addr,
    },
    /// `update_config` names nothing.
    #[error("update_config names nothing to change: give at least one field")]
    EmptyConfigUpdate,
    /// Somebody vouches for a record that has changed since.
    #[error("revision: expected {expected}, the provider's now, got {got}: look at it again")]
    StaleRevision {
        /// The provider's revision.
        expected: u64,
        /// What was looked at.
        got: u64,
    },
    /// A provider audits itself.
    #[error("{address} cannot audit itself: expected another signer")]
    OwnAudit {
        /// The sender.
        address: Addr,
    },
    /// No such audit.
    #[error("{signer} has signed no audit of {provider}")]
    NoAudit {
        /// Whom it would be about.
        provider: Addr,
        /// The sender.
        signer: Addr,
    },
    /// No such trust level.
    #[error("{provider} has no trust level for {device}")]
    NoTrust {
        /// Whose.
        provider: Addr,
        /// Of which device.
        device: String,
    },
    /// No such device.
    #[error("{provider} has no device \"{id}\"")]
    NoDevice {
        /// Whose.
        provider: Addr,
        /// The id.
        id: String,
    },
    /// The sender is registered already.
    #[error("{address} is a provider already: use update_provider")]
    AlreadyRegistered {
        /// The sender.
        address: Addr,
    },
    /// The sender is not a provider.
    #[error("{address} is not a provider: register_provider first")]
    NotRegistered {
        /// The sender.
        address: Addr,
    },
    /// The message changes nothing.
    #[error(
        "update_provider names nothing to change: give host_uri, devices, attributes or assurances"
    )]
    NothingToUpdate,
    /// More of a thing than a provider may have.
    #[error("{what}: expected at most {max}, got {got}")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// The most there may be.
        max: usize,
        /// What came.
        got: usize,
    },
    /// Two things of one provider share a name.
    #[error("{what} \"{name}\" is given twice")]
    Duplicate {
        /// The kind of thing.
        what: &'static str,
        /// The shared name.
        name: String,
    },
    /// Coins came where none are expected.
    #[error("expected no funds, got {got}")]
    UnexpectedFunds {
        /// What came.
        got: String,
    },
    /// Not exactly one coin of the bond denom.
    #[error("expected one coin of {denom}, got {got}")]
    WrongFunds {
        /// The bond denom.
        denom: String,
        /// What came; `nothing` when no coin did.
        got: String,
    },
    /// A coin that does not fit 128 bits.
    #[error("amount {amount} does not fit 128 bits")]
    AmountTooLarge {
        /// What came.
        amount: Uint256,
    },
    /// Zero where a positive amount is expected.
    #[error("amount: expected more than zero")]
    ZeroAmount,
    /// More than what is bonded.
    #[error("cannot unbond {asked}: only {bonded} is bonded")]
    InsufficientBond {
        /// What was asked, micro-units.
        asked: Uint128,
        /// What is bonded, micro-units.
        bonded: Uint128,
    },
    /// The bond would not fit 128 bits.
    #[error("the bond of {bonded} plus {added} does not fit 128 bits")]
    BondOverflow {
        /// What is bonded, micro-units.
        bonded: Uint128,
        /// What came, micro-units.
        added: Uint128,
    },
    /// Too many unbondings wait.
    #[error("{max} unbondings are waiting already: claim or wait for the first at {first_release}")]
    UnbondingQueueFull {
        /// The most there may be.
        max: usize,
        /// When the first is released.
        first_release: Timestamp,
    },
    /// Nothing to pay out.
    #[error("nothing to claim: {waiting} unbondings are waiting, none is released yet")]
    NothingToClaim {
        /// How many wait.
        waiting: usize,
    },
    /// The certificate is not what it must be.
    #[error("certificate: {0}")]
    Certificate(#[from] CertificateError),
    /// This certificate was published before.
    #[error("certificate {fingerprint} is published already")]
    CertificateExists {
        /// Its fingerprint.
        fingerprint: String,
    },
    /// No such certificate.
    #[error("no certificate {fingerprint}")]
    NoCertificate {
        /// What was asked for.
        fingerprint: String,
    },
    /// Somebody else's certificate.
    #[error("certificate {fingerprint} belongs to {owner}, not to {sender}")]
    NotCertificateOwner {
        /// Its fingerprint.
        fingerprint: String,
        /// Whose it is.
        owner: Addr,
        /// Who asked.
        sender: Addr,
    },
    /// Revoked before; revocation is final.
    #[error("certificate {fingerprint} is revoked already")]
    AlreadyRevoked {
        /// Its fingerprint.
        fingerprint: String,
    },
    /// The stored state is another contract's.
    #[error("expected the state of contract {expected}, got {got}")]
    WrongContract {
        /// This contract's name.
        expected: &'static str,
        /// The stored name.
        got: String,
    },
    /// The stored state is of a version that this code cannot upgrade.
    #[error(
        "cannot migrate from version {got} to {expected}: expected an older or the same version"
    )]
    WrongVersion {
        /// This code's version.
        expected: &'static str,
        /// The stored version.
        got: String,
    },
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// Too many bytes.
    #[error("expected at most {max} bytes, got {got}")]
    TooLarge {
        /// The most there may be.
        max: usize,
        /// What came.
        got: usize,
    },
    /// Not one DER certificate and nothing else.
    #[error(
        "expected exactly one X.509 certificate in DER, got something else: look at its {part}"
    )]
    NotACertificate {
        /// The part that is not as it must be.
        part: &'static str,
    },
    /// Key or signature of another algorithm.
    #[error("{what}: expected {expected}, got {got}")]
    Algorithm {
        /// Key or signature.
        what: &'static str,
        /// The algorithm's name.
        expected: &'static str,
        /// The OID that came.
        got: String,
    },
    /// The public key is not an uncompressed point.
    #[error("expected a public key of 65 bytes, uncompressed, got {got} bytes")]
    KeyForm {
        /// How many bytes came.
        got: usize,
    },
    /// Not signed by its own key.
    #[error("the signature is not made by the certificate's own key")]
    BadSignature,
    /// Not exactly one common name.
    #[error("{field}: expected one common name, got {got}")]
    CommonNames {
        /// Subject or issuer.
        field: &'static str,
        /// How many came.
        got: usize,
    },
    /// Another's name.
    #[error("{field} common name: expected the sender {expected}, got \"{got}\"")]
    WrongName {
        /// Subject or issuer.
        field: &'static str,
        /// The sender.
        expected: String,
        /// What came.
        got: String,
    },
    /// An extension that must be there is not, or lacks a bit.
    #[error("{extension}: expected {expected}")]
    Usage {
        /// The extension.
        extension: &'static str,
        /// What it must say.
        expected: &'static str,
    },
    /// Not valid yet.
    #[error("valid from {not_before}, but it is {now} now (an hour of skew is allowed)")]
    NotYetValid {
        /// Unix seconds.
        not_before: u64,
        /// Unix seconds.
        now: u64,
    },
    /// Not valid any more.
    #[error("valid until {not_after}, but it is {now} now")]
    Expired {
        /// Unix seconds.
        not_after: u64,
        /// Unix seconds.
        now: u64,
    },
    /// Valid for too long, or never.
    #[error("expected a validity of 1 to {max} s, got {not_before} to {not_after}")]
    Validity {
        /// Longest, seconds.
        max: u64,
        /// Unix seconds.
        not_before: u64,
        /// Unix seconds.
        not_after: u64,
    },
}

// `StdError` is not an `Error`, so that `#[from]` cannot be used.
impl From<StdError> for ContractError {
    fn from(e: StdError) -> Self {
        Self::Std(e)
    }
}
