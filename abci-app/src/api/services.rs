//! What answers a gRPC method: the application, for the modules' queries; the node's RPC, for what only the engine
//! knows (transactions in blocks, blocks, broadcasting).

use super::{descriptors, engine::EngineRpc, status};
use crate::{
    app::App,
    metrics::{Metered, Metrics},
};
use std::sync::Arc;
use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::RequestQuery;
use tokio::sync::Semaphore;
use tonic::Status;

/// Most queries that run at once; the rest wait.
const MAX_CALLS: usize = 32;

/// The methods of one node. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    app: Metered<App>,
    engine: EngineRpc,
    calls: Arc<Semaphore>,
}

/// An answer, and the height whose state it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The encoded message.
    pub bytes: Vec<u8>,
    /// The height.
    pub height: i64,
}

impl Services {
    /// The application's queries, and the engine behind the RPC at `rpc`.
    ///
    /// # Errors
    /// When `rpc` is not a URL.
    pub fn new(app: App, metrics: Metrics, rpc: &str) -> Result<Self, ember_client::Error> {
        Ok(Self {
            engine: EngineRpc::new(rpc, app.clone())?,
            app: Metered::new(app, metrics, descriptors::service),
            calls: Arc::new(Semaphore::new(MAX_CALLS)),
        })
    }

    /// Calls `/package.Service/Method`; `height` 0 is the last.
    ///
    /// # Errors
    /// As the SDK's gRPC server refuses.
    pub async fn call(&self, path: &str, request: Vec<u8>, height: i64) -> Result<Answer, Status> {
        if descriptors::method(path).is_none() {
            return Err(Status::unimplemented(format!("unknown method {path}")));
        }
        if let Some(answer) = self.engine.call(path, &request).await {
            return answer.map(|bytes| Answer { bytes, height: 0 });
        }
        let permit = Arc::clone(&self.calls).acquire_owned().await;
        let permit = permit.map_err(|_| Status::unavailable("the node is stopping"))?;
        let app = self.app.clone();
        let query = RequestQuery {
            path: path.to_owned(),
            data: request.into(),
            height,
            prove: false,
        };
        // Queries may run contracts: not on a thread of the runtime.
        let answer = tokio::task::spawn_blocking(move || {
            let answer = app.query(query);
            drop(permit);
            answer
        })
        .await
        .map_err(|_| Status::internal("the query panicked"))?;
        if answer.code != 0 {
            return Err(status::of_query(&answer));
        }
        Ok(Answer {
            bytes: answer.value.to_vec(),
            height: answer.height,
        })
    }
}
