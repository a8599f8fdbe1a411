//! Refusals as gRPC and grpc-gateway say them.

use axum::http::StatusCode;
use tendermint_proto::v0_38::abci::ResponseQuery;
use tonic::{Code, Status};

/// The status of an ABCI query that was refused. A log that carries a gRPC status of its own, which is how the SDK's
/// keepers refuse, says it: `rpc error: code = NotFound desc = ...`, wrapped in the root text of its ABCI code
/// (`client/query.go`).
pub fn of_query(answer: &ResponseQuery) -> Status {
    if let Some((name, text)) = answer
        .log
        .strip_prefix("rpc error: code = ")
        .and_then(|rest| rest.split_once(" desc = "))
    {
        let (code, root) = match name {
            "InvalidArgument" => (Code::InvalidArgument, ": invalid request"),
            "NotFound" => (Code::NotFound, ": key not found"),
            "Unauthenticated" => (Code::Unauthenticated, ": unauthorized"),
            _ => (Code::Unknown, ": unknown request"),
        };
        return Status::new(code, text.strip_suffix(root).unwrap_or(text));
    }
    let code = match (answer.codespace.as_str(), answer.code) {
        ("sdk", 4) => Code::Unauthenticated,
        // What this chain does not have, such as a module that its genesis left out.
        ("sdk", 6 | 37) => Code::Unimplemented,
        ("sdk", 7 | 18 | 26) => Code::InvalidArgument,
        ("sdk", 22 | 38) | ("wasm", 22 | 28) => Code::NotFound,
        _ => Code::Unknown,
    };
    Status::new(code, answer.log.clone())
}

/// What grpc-gateway makes of a gRPC code. Wallets probe for features by 400 and 501.
pub const fn http(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => {
            StatusCode::BAD_REQUEST
        }
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Cancelled => StatusCode::REQUEST_TIMEOUT,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_in_the_log_is_said_without_its_wrapping() {
        let of = |codespace: &str, code, log: &str| {
            let status = of_query(&ResponseQuery {
                codespace: codespace.into(),
                code,
                log: log.into(),
                ..ResponseQuery::default()
            });
            (status.code(), status.message().to_owned())
        };
        let log = "rpc error: code = NotFound desc = account a not found: key not found";
        assert_eq!(
            of("sdk", 22, log),
            (Code::NotFound, "account a not found".into())
        );
        assert_eq!(
            of("wasm", 22, "no such contract: a"),
            (Code::NotFound, "no such contract: a".into())
        );
        assert_eq!(
            of("wasm", 9, "Config: query wasm contract failed").0,
            Code::Unknown
        );
        assert_eq!(http(Code::NotFound).as_u16(), 404);
    }
}
