//! ABCI queries: gRPC methods as paths, and raw keys.

use super::App;
use crate::{
    ctx::Ctx,
    error::{AppError, Result},
    modules::{
        auth, authz, bank, consensus, distribution, evidence, feegrant, gov, mint, slashing,
        staking, upgrade,
    },
    store::{Base, StoreKey, error::StoreError, snapshot::Snapshot},
};
use ics23::CommitmentProof;
use prost::Message;
use std::sync::Arc;
use tendermint_proto::v0_38::{
    abci::{RequestQuery, ResponseQuery},
    crypto::{ProofOp, ProofOps},
};

impl App {
    /// Answers a query at the last committed height, or at an earlier one that is kept. The height in the answer is
    /// never 0: CosmJS takes that for a failure.
    pub(super) fn answer(&self, req: &RequestQuery) -> ResponseQuery {
        let last = self.last_height();
        let height = u64::try_from(req.height)
            .ok()
            .filter(|h| *h > 0)
            .unwrap_or(last);
        let answer = self.at(height, last).and_then(|past| {
            if req.prove {
                return self.prove(req, height, past);
            }
            let ctx = past.map_or_else(|| self.read_ctx(), |p| self.past_ctx(&p));
            let value = self.dispatch(&ctx, &req.path, &req.data)?;
            Ok((value, None))
        });
        let height = i64::try_from(height).unwrap_or(i64::MAX).max(1);
        match answer {
            Ok((value, proof_ops)) => ResponseQuery {
                value: value.into(),
                key: req.data.clone(),
                height,
                proof_ops,
                ..ResponseQuery::default()
            },
            Err(e) => ResponseQuery {
                code: e.code,
                codespace: e.codespace.to_owned(),
                log: e.log,
                height,
                ..ResponseQuery::default()
            },
        }
    }

    /// The state at a height; `None` for the newest, which may be a genesis that no block has committed yet.
    fn at(&self, height: u64, last: u64) -> Result<Option<Arc<Snapshot>>> {
        if height > last {
            return Err(AppError::invalid_height(
                "cannot query with height in the future; please provide a valid height",
            ));
        }
        if height == last {
            return Ok(None);
        }
        let broken = |e: StoreError| AppError::new("sdk", 1, e.to_string());
        let disk = self.disk();
        if let Some(past) = disk.at(height).map_err(broken)? {
            return Ok(Some(past));
        }
        let oldest = disk.oldest().map_err(broken)?;
        Err(AppError::not_found(format_args!(
            "failed to load state at height {height}; version does not exist, kept are {oldest} to {last} (latest height: {last})"
        )))
    }

    /// A raw key's value with ICS-23 proofs up to the app hash, which the next block's header carries.
    fn prove(
        &self,
        req: &RequestQuery,
        height: u64,
        past: Option<Arc<Snapshot>>,
    ) -> Result<(Vec<u8>, Option<ProofOps>)> {
        if height <= 1 {
            return Err(AppError::invalid_request(
                "cannot query with proof when height <= 1; please provide a valid height",
            ));
        }
        let store = store_of(&req.path).ok_or_else(|| {
            AppError::invalid_request(format_args!(
                "query with proof: expected the path /store/<name>/key, got {}",
                req.path
            ))
        })??;
        let snapshot = past.unwrap_or_else(|| self.newest());
        let value = snapshot.get(store, &req.data);
        let proof = snapshot
            .prove(store, &req.data)
            .map_err(|e| AppError::new("sdk", 1, e.to_string()))?
            .ok_or_else(|| {
                AppError::invalid_request(format_args!(
                    "query with proof: store {} is empty, and ICS-23 proves nothing of an empty store",
                    store.name()
                ))
            })?;
        let op = |kind: &str, key: &[u8], proof: &CommitmentProof| ProofOp {
            r#type: kind.into(),
            key: key.to_vec(),
            data: proof.encode_to_vec(),
        };
        let ops = vec![
            op("ics23:jmt", &req.data, &proof.in_store),
            op("ics23:simple", store.name().as_bytes(), &proof.of_store),
        ];
        Ok((value.unwrap_or_default(), Some(ProofOps { ops })))
    }

    fn dispatch(&self, ctx: &Ctx, path: &str, data: &[u8]) -> Result<Vec<u8>> {
        if let Some(store) = store_of(path) {
            let store = store?;
            return Ok(ctx.with_layers(|l| l.get(store, data)).unwrap_or_default());
        }
        if matches!(path, "/app/version" | "app/version") {
            return Ok(env!("CARGO_PKG_VERSION").as_bytes().to_vec());
        }
        self.service(path, data)
            .or_else(|| auth::query::query(ctx, path, data))
            .or_else(|| authz::query::query(ctx, path, data))
            .or_else(|| bank::query::query(ctx, path, data))
            .or_else(|| consensus::query(ctx, path))
            .or_else(|| distribution::query::query(ctx, path, data))
            .or_else(|| feegrant::query::query(ctx, path, data))
            .or_else(|| evidence::query::query(ctx, path, data))
            .or_else(|| gov::query::query(ctx, path, data))
            .or_else(|| mint::query::query(ctx, path))
            .or_else(|| slashing::query::query(ctx, path, data))
            .or_else(|| staking::query::query(ctx, path, data))
            .or_else(|| upgrade::query::query(ctx, path, data))
            .or_else(|| {
                path.starts_with("/cosmwasm.wasm.v1.Query/")
                    .then(|| self.inner.wasm.query(ctx, path, data))
            })
            .unwrap_or_else(|| {
                Err(AppError::unknown_request(format_args!(
                    "unknown query path: {path}"
                )))
            })
    }
}

/// The store of a path `/store/<name>/key`. `None`: another kind of path.
fn store_of(path: &str) -> Option<Result<StoreKey>> {
    let path = path.trim_start_matches('/').strip_prefix("store/")?;
    let store = path
        .strip_suffix("/key")
        .and_then(|name| StoreKey::ALL.into_iter().find(|s| s.name() == name));
    Some(store.ok_or_else(|| {
        AppError::unknown_request(format_args!(
            "store path: expected store/<name>/key, got store/{path}"
        ))
    }))
}
