//! One file per step.

pub mod backfill_page;
pub mod claim_work;
pub mod compare_links;
pub mod finish_backfill;
pub mod poll_comments;
pub mod poll_tasks;
pub mod poll_tickets;
pub mod settle_effects;
pub mod sync_records;

use std::sync::Arc;

use orchestration::Registry;

use crate::Context;

/// All steps over one context.
pub fn registry(cx: &Arc<Context>) -> Registry {
    Registry::new()
        .keeping((*cx.checkpoints).clone())
        .with(backfill_page::BackfillPage(cx.clone()))
        .with(finish_backfill::FinishBackfill(cx.clone()))
        .with(claim_work::ClaimWork(cx.clone()))
        .with(sync_records::SyncRecords(cx.clone()))
        .with(poll_tickets::PollTickets(cx.clone()))
        .with(poll_comments::PollComments(cx.clone()))
        .with(poll_tasks::PollTasks(cx.clone()))
        .with(settle_effects::SettleEffects(cx.clone()))
        .with(compare_links::CompareLinks(cx.clone()))
}
