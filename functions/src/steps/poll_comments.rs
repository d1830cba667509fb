//! Reads the ticket event export with its comments and hints tickets that have one we did not write and do
//! not know.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::{Side, TicketId};
use futures::FutureExt;
use futures::future::BoxFuture;
use orchestration::{ExecutionContext, StepExecutor, StepFailure};
use planted::Bug;
use statemachines::steps::{POLL_COMMENTS, PollCommentsInput, PollOutput};
use stores::work::Hint;
use stores::{Lane, WorkKey};

use crate::sync::{broken, wants};
use crate::{Context, SyncError};

/// The stream of the export's time, in unix seconds.
pub const STREAM: &str = "ticket-events";

/// Pages one poll takes at most.
const PAGES_MAX: usize = 5;

/// The export refuses a start within the last minute.
const MINUTE_S: i64 = 60;

/// The step.
pub struct PollComments(pub Arc<Context>);

impl StepExecutor for PollComments {
    type Input = PollCommentsInput;
    type Output = PollOutput;
    const NAME: &'static str = POLL_COMMENTS.name();

    fn run<'a>(
        &'a self,
        _input: PollCommentsInput,
        run: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<PollOutput, StepFailure>> {
        poll(&self.0, run).map(|result| result.map_err(StepFailure::from)).boxed()
    }
}

async fn poll(cx: &Context, run: &ExecutionContext) -> Result<PollOutput, SyncError> {
    let mut output = PollOutput { hinted: 0, caught_up: false };
    let mut cursor = cx.checkpoints.cursor(STREAM).await?;
    let mut found = 0;
    for _ in 0..PAGES_MAX {
        let latest_s = run.now_ms() / 1_000 - MINUTE_S - 1;
        let start_s = cursor.as_ref().and_then(|c| c.text.parse().ok()).unwrap_or(latest_s - MINUTE_S);
        if start_s > latest_s {
            output.caught_up = true;
            cx.store.pulses().looked(STREAM).await?;
            break;
        }
        let page = cx.zendesk(run).export_ticket_events(start_s).await?;
        let next = page.end_time_s.max(start_s).to_string();
        if planted::is(Bug::CursorFirst) {
            broken::step_on(cx, STREAM, &mut cursor, &next).await?;
        }
        let mut tickets: BTreeSet<TicketId> = BTreeSet::new();
        for event in &page.events {
            let mut unknown = false;
            for comment in event.comments.iter().filter(|c| c.author.id != cx.zendesk_me()) {
                let row = cx.store.comments().get(event.ticket, Side::Zendesk, &comment.id).await?;
                unknown |= row.is_none();
            }
            if unknown {
                tickets.insert(event.ticket);
            }
        }
        // One that has no task yet brings its comments along when it gets one.
        let asked: Vec<TicketId> = tickets.into_iter().collect();
        for ticket in cx.store.links().get_many(&asked).await?.into_keys() {
            let hint = Hint {
                lane: Lane::Reconcile,
                delay_ms: cx.options.debounce_ms,
                wants: &[wants::ZENDESK_COMMENTS],
                event_ms: 0,
                queue: None,
            };
            found += u32::from(cx.store.work().hint(&WorkKey::Ticket(ticket), hint).await?);
            output.hinted += 1;
        }
        if cursor.as_ref().map(|cursor| &cursor.text) != Some(&next) {
            cursor = Some(cx.checkpoints.advance(STREAM, cursor.as_ref(), &next).await?);
        }
        if page.end_of_stream {
            output.caught_up = true;
            cx.store.pulses().looked(STREAM).await?;
            break;
        }
    }
    cx.store.pulses().found(Side::Zendesk, found).await?;
    Ok(output)
}
