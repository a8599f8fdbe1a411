//! gRPC: every method by its path, messages as bytes.

use super::{descriptors, services::Services};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use bytes::{Buf, BufMut, Bytes};
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::{AsciiMetadataValue, MetadataMap},
};

/// Metadata of a request and of its answer: the height of the state.
const HEIGHT: &str = "x-cosmos-block-height";

/// Bytes as they are.
#[derive(Debug, Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, dst: &mut EncodeBuf<'_>) -> Result<(), Status> {
        dst.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, src: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(src.copy_to_bytes(src.remaining())))
    }
}

/// The gRPC routes.
///
/// # Errors
/// When the descriptors cannot be served by reflection.
pub fn routes(services: Services) -> Result<Router, tonic_reflection::server::Error> {
    let reflection = || {
        descriptors::SERVICES.iter().fold(
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(descriptors::BYTES),
            |b, name| b.with_service_name(*name),
        )
    };
    Ok(Router::new()
        .route_service(
            "/grpc.reflection.v1.ServerReflection/{*rest}",
            reflection().build_v1()?,
        )
        .route_service(
            "/grpc.reflection.v1alpha.ServerReflection/{*rest}",
            reflection().build_v1alpha()?,
        )
        .fallback(call)
        .with_state(services))
}

/// The height that a caller names; 0 is the last.
///
/// # Errors
/// `InvalidArgument` when it is no height.
pub fn height(metadata: &MetadataMap) -> Result<i64, Status> {
    let Some(value) = metadata.get(HEIGHT) else {
        return Ok(0);
    };
    let text = value.to_str().unwrap_or_default();
    text.parse().ok().filter(|h| *h >= 0).ok_or_else(|| {
        Status::invalid_argument(format!("{HEIGHT}: expected a height, got {text:?}"))
    })
}

async fn call(State(services): State<Services>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let service = tower::service_fn(move |request: tonic::Request<Bytes>| {
        let (services, path) = (services.clone(), path.clone());
        async move {
            let at = height(request.metadata())?;
            let answer = services
                .call(&path, request.into_inner().to_vec(), at)
                .await?;
            let mut response = tonic::Response::new(Bytes::from(answer.bytes));
            if answer.height > 0 {
                let value = AsciiMetadataValue::from(answer.height);
                response.metadata_mut().insert(HEIGHT, value);
            }
            Ok(response)
        }
    });
    let response = tonic::server::Grpc::new(Raw).unary(service, request).await;
    response.map(Body::new)
}
