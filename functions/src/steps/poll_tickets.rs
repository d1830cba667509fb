//! Reads the ticket export from its cursor on and hints every ticket that differs from what its link knows.

use std::sync::Arc;

use clients::ExportFrom;
use domain::{Routing, Side, Ticket, TicketId};
use futures::FutureExt;
use futures::future::BoxFuture;
use orchestration::{ExecutionContext, StepExecutor, StepFailure};
use planted::Bug;
use statemachines::steps::{POLL_TICKETS, PollOutput, PollTicketsInput};
use stores::links::{Link, LinkState};
use stores::work::Hint;
use stores::{Lane, WorkKey};

use crate::sync::{broken, compare, wants};
use crate::{Context, SyncError, queue};

/// The stream of the export's cursor.
pub const STREAM: &str = "tickets";

/// Pages one poll takes at most.
const PAGES_MAX: usize = 5;

/// The export leaves out the last minute.
const MINUTE_S: i64 = 60;

/// The step.
pub struct PollTickets(pub Arc<Context>);

impl StepExecutor for PollTickets {
    type Input = PollTicketsInput;
    type Output = PollOutput;
    const NAME: &'static str = POLL_TICKETS.name();

    fn run<'a>(
        &'a self,
        _input: PollTicketsInput,
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
        let from = match &cursor {
            Some(cursor) if planted::is(Bug::CursorByTime) => broken::export_from(&cursor.text),
            Some(cursor) => ExportFrom::Cursor(cursor.text.clone()),
            None => ExportFrom::Start((run.now_ms() / 1_000 - 2 * MINUTE_S).max(0)),
        };
        let page = cx.zendesk(run).export_tickets(from, cx.options.page_size).await?;
        let after = match &page.after_cursor {
            _ if planted::is(Bug::CursorByTime) => broken::after(&page),
            after => after.clone(),
        };
        if let (true, Some(after)) = (planted::is(Bug::CursorFirst), &after) {
            broken::step_on(cx, STREAM, &mut cursor, after).await?;
        }
        let ids: Vec<TicketId> = page.tickets.iter().map(|ticket| ticket.id).collect();
        let links = cx.store.links().get_many(&ids).await?;
        for ticket in &page.tickets {
            let link = links.get(&ticket.id);
            if moved(cx, ticket, link) {
                found += u32::from(hint(cx, ticket, link).await?);
                output.hinted += 1;
            }
        }
        // Only after all of the page is hinted.
        if let Some(after) = &after
            && cursor.as_ref().map(|cursor| &cursor.text) != Some(after)
        {
            cursor = Some(cx.checkpoints.advance(STREAM, cursor.as_ref(), after).await?);
        }
        if page.end_of_stream {
            output.caught_up = true;
            cx.store.pulses().looked(STREAM).await?;
            break;
        }
    }
    cx.store.pulses().found(Side::Zendesk, found).await?;
    cx.activity.polled(Side::Zendesk, cx.now_ms());
    Ok(output)
}

/// Whether the link does not know the ticket as it is.
fn moved(cx: &Context, ticket: &Ticket, link: Option<&Link>) -> bool {
    let Some(link) = link else { return matches!(cx.mapping.route(ticket), Routing::List(_)) };
    match link.state {
        LinkState::Unlinked | LinkState::Closed => false,
        LinkState::Intent | LinkState::Probe => true,
        LinkState::Suspended => !ticket.is_deleted(),
        // Its time tells seconds only: somebody may have changed it in the second in which we did.
        LinkState::Linked => ticket.is_deleted() || compare::ticket_differs(cx, link, ticket),
    }
}

/// True where nothing had told of it before.
async fn hint(cx: &Context, ticket: &Ticket, link: Option<&Link>) -> Result<bool, SyncError> {
    // A ticket that has no task yet brings its comments along, also when its first attempt is cut short.
    let linked = link.is_some_and(|link| link.task.is_some());
    let wants: &[&str] = if linked { &[wants::ZENDESK] } else { &[wants::ZENDESK, wants::ZENDESK_COMMENTS] };
    let queue = queue::of_group(ticket.group);
    let hint = Hint {
        lane: Lane::Reconcile,
        delay_ms: cx.options.debounce_ms,
        wants,
        event_ms: ticket.updated.ms(),
        queue: queue.as_deref(),
    };
    Ok(cx.store.work().hint(&WorkKey::Ticket(ticket.id), hint).await?)
}
