//! The incremental exports: the backbone of polling. They list by the time a ticket was generated, so the
//! same content may come twice, and the last minute is never in them.

use futures::stream::{self, Stream};

use super::convert;
use super::{EventsPage, ExportFrom, ExportPage, Zendesk};
use crate::call::Call;
use crate::error::ApiResult;
use crate::pace::Api;
use crate::wire::zendesk as wire;

/// Zendesk's own maximum.
const PER_PAGE_MAX: u32 = 1_000;

impl Zendesk {
    /// One page of the cursor export with people, groups and organizations.
    pub async fn export_tickets(&self, from: ExportFrom, per_page: u32) -> ApiResult<ExportPage> {
        let call = self
            .exporting("/incremental/tickets/cursor", "/api/v2/incremental/tickets/cursor")
            .query("per_page", per_page.clamp(1, PER_PAGE_MAX))
            .query("include", "users,groups,organizations")
            // Without it tickets that an AI agent handles are left out.
            .query("support_type_scope", "all");
        let call = match from {
            ExportFrom::Start(seconds) => call.query("start_time", seconds),
            ExportFrom::Cursor(cursor) => call.query("cursor", cursor),
        };
        let reply = self.send(&call).await?;
        let (page, mut unreadable): (wire::Tickets, _) = reply.page::<_, wire::Ticket>(&call, "tickets")?;
        let tickets = convert::tickets(page.tickets.into_items(), &mut unreadable);
        if !unreadable.is_empty() {
            tracing::warn!(ids = unreadable.join(" "), "tickets of an export could not be read");
        }
        Ok(ExportPage {
            tickets,
            people: page.users.into_items().into_iter().map(convert::person).collect(),
            groups: convert::named(page.groups.into_items()),
            organizations: convert::named(page.organizations.into_items()),
            after_cursor: page.after_cursor.take(),
            end_of_stream: page.end_of_stream.get().copied().unwrap_or(false),
            unreadable,
        })
    }

    /// The pages of the cursor export up to its end. Each page's cursor is what to go on from later.
    pub fn export_stream(
        &self,
        from: ExportFrom,
        per_page: u32,
    ) -> impl Stream<Item = ApiResult<ExportPage>> + Send + use<> {
        let client = self.clone();
        stream::try_unfold(Some(from), move |from| {
            let client = client.clone();
            async move {
                let Some(from) = from else { return Ok(None) };
                let page = client.export_tickets(from.clone(), per_page).await?;
                let next = page.after_cursor.clone().map(ExportFrom::Cursor);
                // A cursor that does not move would ask for the same page for ever.
                let next = next.filter(|next| !page.end_of_stream && *next != from);
                Ok(Some((page, next)))
            }
        })
    }

    /// One page of the event export with the comments in full. Entries of one second stay together, and
    /// at the end of the stream the next page repeats the last ones.
    pub async fn export_ticket_events(&self, start_s: i64) -> ApiResult<EventsPage> {
        let call = self
            .exporting("/incremental/ticket_events", "/api/v2/incremental/ticket_events")
            .query("start_time", start_s)
            .query("include", "comment_events")
            .query("support_type_scope", "all");
        let reply = self.send(&call).await?;
        let (page, mut unreadable): (wire::TicketEvents, _) =
            reply.page::<_, wire::TicketEvent>(&call, "ticket_events")?;
        let mut events = Vec::new();
        for wire in page.ticket_events.into_items() {
            let id = wire.id.written();
            match convert::ticket_event(wire) {
                Some(event) => events.push(event),
                None => unreadable.push(id.unwrap_or_else(|| "?".to_owned())),
            }
        }
        if !unreadable.is_empty() {
            tracing::warn!(ids = unreadable.join(" "), "ticket events of an export could not be read");
        }
        Ok(EventsPage {
            events,
            end_time_s: page.end_time.number().unwrap_or(start_s),
            end_of_stream: page.end_of_stream.get().copied().unwrap_or(false),
            unreadable,
        })
    }

    fn exporting(&self, template: &'static str, path: &str) -> Call {
        // These answers carry no account headers; what they carry speaks of the exports.
        Call::get(Api::Zendesk, template, path).spends([self.limits.account(), self.limits.incremental()])
    }
}
