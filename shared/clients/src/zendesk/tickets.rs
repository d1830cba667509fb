//! Tickets: reads, writes, bulk jobs, comments and history.

use domain::{Comment, Ticket, TicketId, TicketPatch};
use futures::stream::{Stream, StreamExt};
use http::{HeaderValue, Method};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::convert::{self, Names};
use super::{
    Audit, BatchEntry, Continued, JobStatus, MANY_MAX, NewTicket, Updated, Zendesk, ZendeskLimits, body,
    incomplete,
};
use crate::call::Call;
use crate::error::{ApiError, ApiResult, ErrorKind};
use crate::pace::Api;
use crate::pages::{self, More};
use crate::retry::Effect;
use crate::wire::zendesk as wire;

/// The place of a page on our own host: the first call, or a cursor into it.
#[derive(Clone)]
enum Place {
    First,
    Cursor(String),
    Path(String),
}

impl Zendesk {
    /// One ticket, without comments. `None` if it is gone or not visible.
    pub async fn ticket(&self, id: TicketId) -> ApiResult<Option<Ticket>> {
        let call = self.get("/tickets/{id}", format!("/api/v2/tickets/{id}")).about(id);
        let answer: wire::OneTicket = match self.read(&call).await {
            Err(error) if error.is_not_found() => return Ok(None),
            other => other?,
        };
        let ticket = answer.ticket.take().and_then(convert::ticket);
        ticket.map(Some).ok_or_else(|| incomplete(&call))
    }

    /// Many tickets, a hundred a call; missing ones are left out.
    pub async fn tickets(&self, ids: &[TicketId]) -> ApiResult<Vec<Ticket>> {
        let mut all = Vec::with_capacity(ids.len());
        for some in ids.chunks(MANY_MAX) {
            let list: Vec<String> = some.iter().map(TicketId::to_string).collect();
            let call = self
                .get("/tickets/show_many", "/api/v2/tickets/show_many")
                .query("ids", list.join(","))
                .about(format!("{} tickets", some.len()));
            let page: wire::Tickets = self.read(&call).await?;
            let mut unreadable = Vec::new();
            all.extend(convert::tickets(page.tickets.into_items(), &mut unreadable));
            if !unreadable.is_empty() {
                return Err(incomplete(&call));
            }
        }
        Ok(all)
    }

    /// Creates a ticket once: the same key and content within two hours gives the first answer again.
    pub async fn create_ticket(&self, new: &NewTicket, key: &str) -> ApiResult<Updated> {
        let mut call = Call::write(
            Api::Zendesk,
            Method::POST,
            "/tickets",
            "/api/v2/tickets",
            // The key makes it repeatable.
            Effect::Repeatable,
        )
        .json(&body::create(new, key))
        .spends([self.limits.account()]);
        let header = HeaderValue::try_from(key).ok().filter(|_| !key.is_empty() && key.len() <= 255);
        call.idempotency_key = Some(header.ok_or_else(|| refused(&call, "BadIdempotencyKey"))?);
        self.written(&call).await
    }

    /// Changes fields and adds at most one comment. With a stamp the write fails with `Conflict` if
    /// the ticket moved since.
    ///
    /// Fields alone may be repeated after a lost reply, a comment never: then the error is `Unknown`
    /// and the effect id in the ticket's audits tells. A conflict that follows a lost reply is
    /// `Unknown` too, since our own first attempt may be what it conflicts with.
    pub async fn update_ticket(
        &self,
        id: TicketId,
        patch: &TicketPatch,
        effect_id: &str,
        updated_stamp: Option<&str>,
    ) -> ApiResult<Updated> {
        let effect = if patch.comment.is_some() { Effect::Once } else { Effect::Repeatable };
        let path = format!("/api/v2/tickets/{id}");
        let call = Call::write(Api::Zendesk, Method::PUT, "/tickets/{id}", path, effect)
            .json(&body::update(patch, effect_id, updated_stamp))
            .spends([self.limits.account(), self.limits.tickets_update(), ZendeskLimits::ticket(id)])
            .about(id);
        self.written(&call).await
    }

    async fn written(&self, call: &Call) -> ApiResult<Updated> {
        let answer: wire::OneTicket = self.read(call).await?;
        let ticket = answer.ticket.take().and_then(convert::ticket).ok_or_else(|| incomplete(call))?;
        let audit = answer.audit.take().map(convert::audit).unwrap_or_default();
        Ok(Updated { ticket, audit })
    }

    /// Different fields of up to a hundred tickets in one job; comments are refused, because a lost job
    /// could not be repeated. Returns the job's id.
    pub async fn update_many(&self, batch: &[BatchEntry]) -> ApiResult<String> {
        let path = "/api/v2/tickets/update_many";
        let entries: Vec<_> = batch.iter().map(body::batch_entry).collect();
        let call = Call::write(Api::Zendesk, Method::PUT, "/tickets/update_many", path, Effect::Once)
            .json(&json!({ "tickets": entries }))
            .spends([self.limits.account(), self.limits.tickets_update()])
            .about(format!("{} tickets", batch.len()));
        if batch.is_empty() || batch.len() > MANY_MAX {
            return Err(refused(&call, "TooManyValues"));
        }
        if batch.iter().any(|entry| entry.patch.comment.is_some()) {
            return Err(refused(&call, "CommentInBatch"));
        }
        let answer: wire::OneJob = self.read(&call).await?;
        let job = answer.job_status.take().and_then(convert::job);
        job.map(|job| job.id).ok_or_else(|| incomplete(&call))
    }

    /// How far a job is.
    pub async fn job(&self, id: &str) -> ApiResult<JobStatus> {
        let path = format!("/api/v2/job_statuses/{}", crate::hosts::encode(id));
        let call = self.get("/job_statuses/{id}", path);
        let answer: wire::OneJob = self.read(&call).await?;
        answer.job_status.take().and_then(convert::job).ok_or_else(|| incomplete(&call))
    }

    /// How far several jobs are, a hundred a call; what Zendesk no longer knows is left out.
    pub async fn jobs(&self, ids: &[String]) -> ApiResult<Vec<JobStatus>> {
        let mut all = Vec::with_capacity(ids.len());
        for some in ids.chunks(MANY_MAX) {
            let call = self
                .get("/job_statuses/show_many", "/api/v2/job_statuses/show_many")
                .query("ids", some.join(","));
            let page: wire::Jobs = self.read(&call).await?;
            all.extend(page.job_statuses.into_items().into_iter().filter_map(convert::job));
        }
        Ok(all)
    }

    /// All comments of a ticket, oldest first.
    pub async fn comments(&self, ticket: TicketId) -> ApiResult<Vec<Comment>> {
        pages::collect(self.comment_stream(ticket)).await
    }

    /// The comments of a ticket, oldest first, page by page.
    pub fn comment_stream(&self, ticket: TicketId) -> impl Stream<Item = ApiResult<Comment>> + Send + use<> {
        let call = self
            .get_paged("/tickets/{id}/comments", format!("/api/v2/tickets/{ticket}/comments"))
            .query("include", "users")
            .about(ticket);
        let odd = call.clone();
        self.stream(call, |page: wire::Comments| {
            let names: Names = convert::names(page.users.items());
            let comments = page.comments.into_items();
            let comments: Vec<_> = comments.into_iter().map(|one| convert::comment(one, &names)).collect();
            (comments, Continued { meta: page.meta, links: page.links })
        })
        .map(move |comment| comment.and_then(|comment| comment.ok_or_else(|| incomplete(&odd))))
    }

    /// The whole history of a ticket, oldest first.
    pub async fn audits(&self, ticket: TicketId) -> ApiResult<Vec<Audit>> {
        let path = format!("/api/v2/tickets/{ticket}/audits");
        let call = self.get_paged("/tickets/{id}/audits", path).about(ticket);
        self.all(call, |page: wire::Audits| {
            let audits = page.audits.into_items().into_iter().map(convert::audit).collect();
            (audits, Continued { meta: page.meta, links: page.links })
        })
        .await
    }

    /// The entries of a list read by cursor.
    pub(super) fn stream<P, T>(
        &self,
        call: Call,
        part: fn(P) -> (Vec<T>, Continued),
    ) -> impl Stream<Item = ApiResult<T>> + Send + use<P, T>
    where
        P: DeserializeOwned + Send + 'static,
        T: Send + 'static,
    {
        let client = self.clone();
        pages::entries(Place::First, move |place| {
            let client = client.clone();
            let call = at(&call, place);
            async move {
                let page: P = client.read(&call).await?;
                let (entries, continued) = part(page);
                let next = client.next_place(continued);
                Ok((entries, next))
            }
        })
    }

    /// Only `has_more` tells: an empty page is no end, and a link may be there at the end. Without a
    /// cursor the link is followed, but only its path, on our own host.
    fn next_place(&self, continued: Continued) -> More<Place> {
        let Some(meta) = continued.meta.take() else { return More::No };
        if meta.has_more.get() != Some(&true) {
            return More::No;
        }
        if let Some(cursor) = meta.after_cursor.take() {
            return More::From(Place::Cursor(cursor));
        }
        let link = continued.links.take().and_then(|links| links.next.take());
        match link.and_then(|link| self.core.base.paging(&link).ok()) {
            Some(path) => More::From(Place::Path(path)),
            None => More::No,
        }
    }
}

fn at(call: &Call, place: Place) -> Call {
    let mut call = call.clone();
    match place {
        Place::First => {}
        Place::Cursor(cursor) => call.query.push(("page[after]", cursor)),
        Place::Path(path) => {
            call.path = path;
            call.query.clear();
        }
    }
    call
}

fn refused(call: &Call, code: &str) -> ApiError {
    call.error(ErrorKind::Refused).with_code(code)
}
