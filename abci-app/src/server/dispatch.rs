//! From a request to the application and back.

use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::{
    Request, Response, ResponseException, ResponseFlush, request::Value as Ask,
    response::Value as Answer,
};

/// Let the application answer. A request of a kind that nobody knows is answered with an exception.
pub fn dispatch(app: &impl Application, request: Request) -> Response {
    let value = match request.value {
        Some(Ask::Echo(r)) => Answer::Echo(app.echo(r)),
        Some(Ask::Flush(_)) => Answer::Flush(ResponseFlush {}),
        Some(Ask::Info(r)) => Answer::Info(app.info(r)),
        Some(Ask::InitChain(r)) => Answer::InitChain(app.init_chain(r)),
        Some(Ask::Query(r)) => Answer::Query(app.query(r)),
        Some(Ask::CheckTx(r)) => Answer::CheckTx(app.check_tx(r)),
        Some(Ask::Commit(_)) => Answer::Commit(app.commit()),
        Some(Ask::ListSnapshots(_)) => Answer::ListSnapshots(app.list_snapshots()),
        Some(Ask::OfferSnapshot(r)) => Answer::OfferSnapshot(app.offer_snapshot(r)),
        Some(Ask::LoadSnapshotChunk(r)) => Answer::LoadSnapshotChunk(app.load_snapshot_chunk(r)),
        Some(Ask::ApplySnapshotChunk(r)) => Answer::ApplySnapshotChunk(app.apply_snapshot_chunk(r)),
        Some(Ask::PrepareProposal(r)) => Answer::PrepareProposal(app.prepare_proposal(r)),
        Some(Ask::ProcessProposal(r)) => Answer::ProcessProposal(app.process_proposal(r)),
        Some(Ask::ExtendVote(r)) => Answer::ExtendVote(app.extend_vote(r)),
        Some(Ask::VerifyVoteExtension(r)) => {
            Answer::VerifyVoteExtension(app.verify_vote_extension(r))
        }
        Some(Ask::FinalizeBlock(r)) => Answer::FinalizeBlock(app.finalize_block(r)),
        None => Answer::Exception(ResponseException {
            error: "expected a request of ABCI 2.0, got one of an unknown kind".into(),
        }),
    };
    Response { value: Some(value) }
}
