//! Refusals as gRPC and grpc-gateway say them.

use axum::http::StatusCode;
use tendermint_proto::v0_38::abci::ResponseQuery;
use tonic::{Code, Status};

/// The status of an ABCI query that was refused, as the SDK's gRPC server maps codes (`client/query.go`).
pub fn of_query(answer: &ResponseQuery) -> Status {
    let code = match (answer.codespace.as_str(), answer.code) {
        ("sdk", 4) => Code::Unauthenticated,
        ("sdk", 6) => Code::Unimplemented,
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
