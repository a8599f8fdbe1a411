//! After a block's transactions: what found no deposits ends, and what was voted on is decided.

use super::{deposit, keeper, keys, store, tally};
use crate::{
    codec::times,
    ctx::{Ctx, Event},
    error::Result,
    modules::router::Router,
};
use cosmos_sdk_proto::{
    Any,
    cosmos::gov::v1::{Proposal, ProposalStatus},
};

/// Ends what is due. On a chain without governance nothing is.
///
/// # Errors
/// When the records are broken: the node must stop.
pub fn end_block(ctx: &Ctx, router: &dyn Router) -> Result<()> {
    if store::check_enabled(ctx).is_err() {
        return Ok(());
    }
    for id in store::due(ctx, keys::INACTIVE)? {
        drop_proposal(ctx, id)?;
    }
    for id in store::due(ctx, keys::ACTIVE)? {
        // A proposal that passed just now may have taken this one back.
        if let Some(proposal) = store::find(ctx, id)? {
            decide(ctx, router, proposal)?;
        }
    }
    Ok(())
}

fn drop_proposal(ctx: &Ctx, id: u64) -> Result<()> {
    store::delete_proposal(ctx, id)?;
    if store::params(ctx)?.burn_proposal_deposit_prevote {
        deposit::burn(ctx, id)?;
    } else {
        deposit::refund(ctx, id)?;
    }
    ctx.emit(
        Event::new("inactive_proposal")
            .attr("proposal_id", id.to_string())
            .attr("proposal_result", "proposal_dropped"),
    );
    Ok(())
}

fn decide(ctx: &Ctx, router: &dyn Router, mut p: Proposal) -> Result<()> {
    let outcome = tally::close(ctx, &p)?;
    // The deposits of an expedited proposal that fails stay for the regular vote.
    if !p.expedited || outcome.passes {
        if outcome.burn {
            deposit::burn(ctx, p.id)?;
        } else {
            deposit::refund(ctx, p.id)?;
        }
    }
    store::unqueue(ctx, keys::ACTIVE, p.voting_end_time.as_ref(), p.id)?;
    let (result, log) = if outcome.passes {
        match execute(ctx, router, &p.messages) {
            Ok(()) => {
                p.status = ProposalStatus::Passed as i32;
                ("proposal_passed", "passed".to_owned())
            }
            Err((i, url, why)) => {
                p.status = ProposalStatus::Failed as i32;
                p.failed_reason.clone_from(&why);
                let log = format!("passed, but msg {i} ({url}) failed on execution: {why}");
                ("proposal_failed", log)
            }
        }
    } else if p.expedited {
        p.expedited = false;
        let period = store::params(ctx)?.voting_period;
        let start = p.voting_start_time.as_ref().map_or(0, times::nanos);
        p.voting_end_time = Some(times::stamp(start + keeper::length(period.as_ref())));
        store::queue(ctx, keys::ACTIVE, p.voting_end_time.as_ref(), p.id)?;
        let log = "expedited proposal converted to regular";
        ("expedited_proposal_rejected", log.to_owned())
    } else {
        p.status = ProposalStatus::Rejected as i32;
        p.failed_reason = "proposal did not get enough votes to pass".to_owned();
        ("proposal_rejected", "rejected".to_owned())
    };
    p.final_tally_result = Some(outcome.tally);
    store::set_proposal(ctx, &p)?;
    ctx.emit(
        Event::new("active_proposal")
            .attr("proposal_id", p.id.to_string())
            .attr("proposal_result", result)
            .attr("proposal_log", log),
    );
    Ok(())
}

/// Runs a proposal's messages: all of them, or nothing of them stays. Which one failed, and why.
fn execute(
    ctx: &Ctx,
    router: &dyn Router,
    messages: &[Any],
) -> std::result::Result<(), (usize, String, String)> {
    ctx.atomically(|ctx| {
        for (i, msg) in messages.iter().enumerate() {
            router
                .handle(ctx, msg)
                .map_err(|e| (i, msg.type_url.clone(), e.log))?;
        }
        Ok(())
    })
}
