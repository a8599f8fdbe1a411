//! Errors inside the module: the chain's error, and how a contract may see it.

use crate::error::AppError;
use cosmwasm_std::SystemError;
use std::fmt::Display;

/// The codespace of every code below.
pub const CODESPACE: &str = "wasm";

/// How an error travels through submessages and queries.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Only its codespace and code reach a contract.
    Plain,
    /// A contract's own words: shown whole to the contract that sent the message, lost when wrapped.
    Deterministic,
    /// Gas ran out in a meter: ends the transaction, or the submessage that set the limit. Never caught otherwise.
    OutOfGas,
    /// What the VM knows as a system error; queries hand it on as such.
    System(SystemError),
}

/// An error inside the module.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fail {
    /// What clients see.
    pub app: AppError,
    /// What contracts see.
    pub kind: Kind,
}

/// The module's result.
pub(super) type Res<T> = Result<T, Fail>;

impl Fail {
    /// An error with `detail` before the code's root text.
    pub fn new(code: Code, detail: impl Display) -> Self {
        let (number, root) = code.parts();
        AppError::new(CODESPACE, number, format!("{detail}: {root}")).into()
    }

    /// An error with nothing but the code's root text.
    pub fn bare(code: Code) -> Self {
        let (number, root) = code.parts();
        AppError::new(CODESPACE, number, root).into()
    }

    /// A contract's own error.
    pub fn contract(code: Code, detail: impl Display) -> Self {
        Self {
            kind: Kind::Deterministic,
            ..Self::new(code, detail)
        }
    }

    /// wasm/22.
    pub fn no_such_contract(addr: &str) -> Self {
        let kind = Kind::System(SystemError::NoSuchContract {
            addr: addr.to_owned(),
        });
        Self {
            kind,
            ..Self::new(Code::NoSuchContract, format_args!("address {addr}"))
        }
    }

    /// wasm/28.
    pub fn no_such_code(code_id: u64) -> Self {
        let kind = Kind::System(SystemError::NoSuchCode { code_id });
        Self {
            kind,
            ..Self::new(Code::NoSuchCode, format_args!("code id {code_id}"))
        }
    }

    /// A query this chain does not serve.
    pub fn unsupported(kind: impl Into<String>) -> Self {
        let kind = kind.into();
        let app = AppError::new(
            CODESPACE,
            Code::QueryFailed.parts().0,
            format!("Unsupported query type: {kind}"),
        );
        Self {
            app,
            kind: Kind::System(SystemError::UnsupportedRequest { kind }),
        }
    }

    /// Put `context` before the text. The error is no longer the contract's own word.
    pub fn wrap(mut self, context: impl Display) -> Self {
        match self.kind {
            Kind::OutOfGas => return self,
            Kind::Deterministic => self.kind = Kind::Plain,
            Kind::Plain | Kind::System(_) => {}
        }
        self.app.log = format!("{context}: {}", self.app.log);
        self
    }

    /// Whether a meter ran out.
    pub fn is_out_of_gas(&self) -> bool {
        self.kind == Kind::OutOfGas
    }

    /// The text a contract may put into its state: its callee's own words, else codespace and code.
    pub fn redacted(&self) -> String {
        match self.kind {
            Kind::Deterministic => self.app.log.clone(),
            _ => format!("codespace: {}, code: {}", self.app.codespace, self.app.code),
        }
    }
}

impl From<AppError> for Fail {
    fn from(app: AppError) -> Self {
        let kind = if app.is_out_of_gas() {
            Kind::OutOfGas
        } else {
            Kind::Plain
        };
        Self { app, kind }
    }
}

impl From<Fail> for AppError {
    fn from(fail: Fail) -> Self {
        fail.app
    }
}

/// wasmd's codes. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "wasmd's names")]
pub(super) enum Code {
    CreateFailed,
    AccountExists,
    InstantiateFailed,
    ExecuteFailed,
    InvalidGenesis,
    NotFound,
    QueryFailed,
    InvalidMsg,
    MigrationFailed,
    Empty,
    Limit,
    Invalid,
    Duplicate,
    PinContractFailed,
    UnknownMsg,
    InvalidEvent,
    NoSuchContract,
    QueryDepth,
    NoSuchCode,
    Vm,
    CallDepth,
}

impl Code {
    const fn parts(self) -> (u32, &'static str) {
        match self {
            Self::CreateFailed => (2, "create wasm contract failed"),
            Self::AccountExists => (3, "contract account already exists"),
            Self::InstantiateFailed => (4, "instantiate wasm contract failed"),
            Self::ExecuteFailed => (5, "execute wasm contract failed"),
            Self::InvalidGenesis => (7, "invalid genesis"),
            Self::NotFound => (8, "not found"),
            Self::QueryFailed => (9, "query wasm contract failed"),
            Self::InvalidMsg => (10, "invalid CosmosMsg from the contract"),
            Self::MigrationFailed => (11, "migrate wasm contract failed"),
            Self::Empty => (12, "empty"),
            Self::Limit => (13, "exceeds limit"),
            Self::Invalid => (14, "invalid"),
            Self::Duplicate => (15, "duplicate"),
            Self::PinContractFailed => (18, "pinning contract failed"),
            Self::UnknownMsg => (20, "unknown message from the contract"),
            Self::InvalidEvent => (21, "invalid event"),
            Self::NoSuchContract => (22, "no such contract"),
            Self::QueryDepth => (27, "max query stack size exceeded"),
            Self::NoSuchCode => (28, "no such code"),
            Self::Vm => (29, "wasmvm error"),
            Self::CallDepth => (30, "max call depth exceeded"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_hides_a_contracts_words_and_never_hides_out_of_gas() {
        let own = Fail::contract(Code::ExecuteFailed, "no funds");
        assert_eq!(own.redacted(), "no funds: execute wasm contract failed");
        let wrapped = own.wrap("dispatch");
        assert_eq!(
            wrapped.app.log,
            "dispatch: no funds: execute wasm contract failed"
        );
        assert_eq!(wrapped.redacted(), "codespace: wasm, code: 5");
        let gas: Fail = AppError::out_of_gas("x").into();
        assert!(gas.clone().wrap("reply").is_out_of_gas());
        assert_eq!(gas.clone().wrap("reply"), gas);
    }
}
