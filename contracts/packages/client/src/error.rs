//! What can go wrong between a key and a block. Every message is one line.

use thiserror::Error;

/// Why something was not signed, not asked or not included.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// No node answered.
    #[error("cannot reach {url}: {reason}; is the node running, is --node right?")]
    Unreachable {
        /// The addresses tried, comma-separated.
        url: String,
        /// What the last one did.
        reason: String,
    },
    /// The chain refused a transaction.
    #[error("refused by the chain ({codespace} {code}): {log}")]
    Rejected {
        /// The module that refused.
        codespace: String,
        /// Its error number.
        code: u32,
        /// What it said.
        log: String,
    },
    /// The transaction was accepted but no block held it in time. It may still come.
    #[error(
        "transaction {hash} was sent but no block held it in time; look for it before you send it again"
    )]
    NotIncluded {
        /// Transaction hash, upper-case hex.
        hash: String,
    },
    /// The chain answered a query with an error.
    #[error("the chain answered {code}: {log}")]
    Query {
        /// Its error number.
        code: u32,
        /// What it said.
        log: String,
    },
    /// The node answered something that is not in its protocol.
    #[error("unexpected answer of {what}: {got}")]
    Protocol {
        /// What was asked.
        what: String,
        /// What came, shortened.
        got: String,
    },
    /// An argument that is not of its form.
    #[error("{what}: expected {expected}, got {got:?}")]
    Malformed {
        /// Which argument.
        what: &'static str,
        /// Its form.
        expected: &'static str,
        /// What came.
        got: String,
    },
    /// A key that is not there.
    #[error("no key {name:?} in {dir}; keys there: {have}")]
    NoKey {
        /// The name asked for.
        name: String,
        /// The keyring's folder.
        dir: String,
        /// Names that are there.
        have: String,
    },
    /// A key that would be overwritten.
    #[error("key {name:?} exists already; choose another name or delete it first")]
    KeyExists {
        /// The name.
        name: String,
    },
    /// A file of the keyring.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: String,
        /// What the system or the parser said.
        reason: String,
    },
}

impl Error {
    /// [`Error::File`] from anything that has a text.
    pub(crate) fn file(path: &std::path::Path, reason: impl ToString) -> Self {
        Self::File {
            path: path.display().to_string(),
            reason: reason.to_string(),
        }
    }

    /// [`Error::Protocol`] with the answer cut to 200 characters.
    pub(crate) fn protocol(what: impl Into<String>, got: impl ToString) -> Self {
        Self::Protocol {
            what: what.into(),
            got: one_line(&got.to_string()).chars().take(200).collect(),
        }
    }

    /// Whether asking again later may help without any other change.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// Whether the chain refused because the account's sequence moved on.
    pub fn is_sequence_mismatch(&self) -> bool {
        match self {
            Self::Rejected {
                codespace, code, ..
            } => codespace == "sdk" && *code == 32,
            Self::Query { code, log } => *code == 32 || log.contains("account sequence mismatch"),
            _ => false,
        }
    }
}

/// `text` with every run of white space made one space.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
