//! One task per ticket, whatever happens: intent with a nonce, create with a marker, pointer, link.
//! Every outcome that is not certain becomes a probe; see `probe.rs`.

use domain::plan::Write;
use domain::{
    Comment, Conflict, LinkFields, ListId, Marker, NewTask, NewTaskPlan, Routing, Task, Ticket,
    bases_after_adoption, bases_after_create, bases_as_sent, new_task,
};
use orchestration::ExecutionContext;
use planted::Bug;
use stores::Intended;
use stores::links::{Link, LinkState, LinkedAs, Sent};

use crate::sync::recognised::{self, Verdict};
use crate::sync::{link_back, look_at_both, masked, misfit, pilot};
use crate::{Context, SyncError};

/// How long an intent of a running execution is left alone before its outcome counts as unknown.
pub const INTENT_PATIENCE_MS: i64 = 120_000;

/// `probe_ms` of a link whose create was certainly never sent: no need to look for it.
pub const NEVER_SENT: i64 = -1;

/// The wait for a create without an answer is doubled so often at most.
const DOUBLED_MAX: usize = 4;

/// What became of a ticket that should have a task.
#[derive(Debug)]
pub enum Made {
    /// It has one now, made by this call; with the ticket's comments, which were read for it.
    Created(Box<Link>, Box<Task>, Vec<Comment>),
    /// It had one all along.
    Linked(Box<Link>),
    /// The mapping leaves it out.
    Filtered(String),
    /// The outcome of a create is not known yet: look again at this time.
    Probe(Box<Link>),
}

/// Makes sure that the ticket has its one task.
pub async fn ensure_task(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    link: Option<Link>,
    fence: u64,
) -> Result<Made, SyncError> {
    let Some(link) = link else {
        return intend(cx, run, ticket, fence).await;
    };
    match link.state {
        LinkState::Intent => doubt(cx, run, link).await,
        LinkState::Probe if link.probe_ms == NEVER_SENT => again(cx, run, ticket, link).await,
        LinkState::Probe => Ok(Made::Probe(Box::new(link))),
        LinkState::Linked | LinkState::Closed | LinkState::Suspended | LinkState::Unlinked => {
            Ok(Made::Linked(Box::new(link)))
        }
    }
}

/// Sends the create again under a new nonce, after a probe found nothing.
pub async fn again(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    link: Link,
) -> Result<Made, SyncError> {
    let existing = match recognised::verdict(cx, run, ticket).await? {
        Verdict::Free => None,
        Verdict::Link(task) => Some(task),
        Verdict::Leave(why) => return Ok(Made::Filtered(why)),
    };
    let nonce = cx.nonce(run);
    if let Some(task) = existing {
        let none = Sent::default();
        let link = cx.store.links().renew_intent(&link, &nonce, &sender(cx, run), &none).await?;
        return recognised::link(cx, run, ticket, &task, &link).await;
    }
    let (ticket, comments) = &masked::for_clickup(cx, run, ticket).await?;
    let mut plan = match plan(cx, ticket, &nonce)? {
        Planned::Task(plan) => plan,
        Planned::Filtered(why) => return Ok(Made::Filtered(why)),
    };
    if planted::is(Bug::MarkerLeftOut) {
        plan.task.description = domain::footer::strip(&plan.task.description).into_owned();
    }
    cx.permit_all(ticket.id, &[Write::create(&plan.list, &plan.task)])?;
    let sent = as_sent(cx, ticket, &plan);
    cx.check_paused(run.lane).await?;
    let link = cx.store.links().renew_intent(&link, &nonce, &sender(cx, run), &sent).await?;
    create(cx, run, ticket, link, plan, comments).await
}

/// Links a task whose create had no reply. People may have edited and commented on both sides since, and
/// nothing of theirs was looked at: a work row does that, put first so that it outlives this process.
pub async fn adopt(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    task: &Task,
    link: &Link,
    marker: &Marker,
) -> Result<Link, SyncError> {
    look_at_both(cx, ticket.id).await?;
    let bases = if marker.nonce == link.nonce {
        bases_after_adoption(&link.fields, ticket, task, &cx.mapping)
    } else {
        // An earlier attempt: what it sent is not known any more, and differences are kept as conflicts.
        bases_after_create(ticket, task, &cx.mapping)
    };
    // Where a person has moved it since is no place that deskup chose.
    let list = Some(link.list.clone().unwrap_or_else(|| task.list.clone()));
    link_task(cx, run, ticket, task, link, As { nonce: &marker.nonce, bases, list, rule: "adopted" }).await
}

/// How a task came to its link.
pub(super) struct As<'a> {
    /// The nonce in its marker.
    pub nonce: &'a str,
    /// What both sides agree on, and what is to be recorded first.
    pub bases: (LinkFields, Vec<Conflict>),
    /// The list that deskup chose for it, if it did.
    pub list: Option<ListId>,
    /// For the link's origin.
    pub rule: &'a str,
}

/// Writes the link of a task that exists, for the ticket as ClickUp may see it: the pointer first, so that a
/// crash in between is repaired without a search.
pub(super) async fn link_task(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    task: &Task,
    link: &Link,
    As { nonce, bases: (fields, conflicts), list, rule }: As<'_>,
) -> Result<Link, SyncError> {
    cx.store.links().put_pointer(&task.id, ticket.id, nonce).await?;
    for conflict in &conflicts {
        cx.store.conflicts().record(ticket.id, conflict).await?;
    }
    let linked = LinkedAs {
        task: task.id.clone(),
        list,
        routes: cx.mapping.routes_version().to_owned(),
        fields,
        z_stamp: ticket.updated_stamp.clone(),
        c_updated: task.updated.ms(),
        cz: None,
        cc: None,
        origin: format!("{} {rule}", run.execution),
    };
    let link = cx.store.links().linked(link, linked).await?;
    link_back::ask(cx, run, &link).await?;
    Ok(link)
}

fn as_sent(cx: &Context, ticket: &Ticket, plan: &NewTaskPlan) -> Sent {
    Sent { list: Some(plan.list.clone()), fields: bases_as_sent(ticket, plan, &cx.mapping) }
}

enum Planned {
    Task(Box<NewTaskPlan>),
    Filtered(String),
}

fn plan(cx: &Context, ticket: &Ticket, nonce: &str) -> Result<Planned, SyncError> {
    match cx.mapping.route(ticket) {
        Routing::Filtered(why) => Ok(Planned::Filtered(why)),
        Routing::List(_) => {
            Ok(Planned::Task(Box::new(new_task(ticket, &cx.mapping, nonce, &cx.ticket_url(ticket.id)))))
        }
    }
}

async fn intend(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    fence: u64,
) -> Result<Made, SyncError> {
    if let Routing::Filtered(why) = cx.mapping.route(ticket) {
        return Ok(Made::Filtered(why));
    }
    let existing = match recognised::verdict(cx, run, ticket).await? {
        Verdict::Free => None,
        Verdict::Link(task) => Some(task),
        Verdict::Leave(why) => return Ok(Made::Filtered(why)),
    };
    if !pilot::admit(cx, &[ticket.id]).await?.contains(&ticket.id) {
        return Ok(Made::Filtered(pilot::FULL.to_owned()));
    }
    let nonce = cx.nonce(run);
    if let Some(task) = existing {
        let none = Sent::default();
        return match cx.store.links().intend(ticket.id, &nonce, fence, &sender(cx, run), &none).await? {
            Intended::New(link) => recognised::link(cx, run, ticket, &task, &link).await,
            Intended::Existing(link) => other(cx, run, link).await,
        };
    }
    let (ticket, comments) = &masked::for_clickup(cx, run, ticket).await?;
    let plan = match plan(cx, ticket, &nonce)? {
        Planned::Task(plan) => plan,
        Planned::Filtered(why) => return Ok(Made::Filtered(why)),
    };
    cx.permit_all(ticket.id, &[Write::create(&plan.list, &plan.task)])?;
    let sent = as_sent(cx, ticket, &plan);
    // Before the intent, which would leave a doubt behind.
    cx.check_paused(run.lane).await?;
    match cx.store.links().intend(ticket.id, &nonce, fence, &sender(cx, run), &sent).await? {
        Intended::New(link) => create(cx, run, ticket, link, plan, comments).await,
        Intended::Existing(link) => other(cx, run, link).await,
    }
}

/// Somebody else was first.
async fn other(cx: &Context, run: &ExecutionContext, link: Link) -> Result<Made, SyncError> {
    match link.state {
        LinkState::Intent => doubt(cx, run, link).await,
        LinkState::Probe => Ok(Made::Probe(Box::new(link))),
        _ => Ok(Made::Linked(Box::new(link))),
    }
}

/// An intent that is not ours: its sender is at work, or died with it.
async fn doubt(cx: &Context, run: &ExecutionContext, link: Link) -> Result<Made, SyncError> {
    let same_process = !left_behind(cx, &link);
    let waited_ms = run.now_ms() - link.intent_ms;
    if same_process && waited_ms < INTENT_PATIENCE_MS {
        return Err(SyncError::Later("the task is being created by another execution"));
    }
    let probe_ms = (link.intent_ms + cx.options.visibility_delay_ms).max(run.now_ms());
    let link = cx.store.links().mark_probe(&link, probe_ms).await?;
    Ok(Made::Probe(Box::new(link)))
}

async fn create(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    link: Link,
    plan: Box<NewTaskPlan>,
    comments: &[Comment],
) -> Result<Made, SyncError> {
    let pass = cx.permit(ticket.id, &Write::create(&plan.list, &plan.task))?;
    match send(cx, run, &plan.list, &plan.task).await {
        Ok(task) => {
            pass.used();
            let bases = bases_after_create(ticket, &task, &cx.mapping);
            let list = Some(link.list.clone().unwrap_or_else(|| task.list.clone()));
            let how = As { nonce: &link.nonce, bases, list, rule: "created" };
            let link = link_task(cx, run, ticket, &task, &link, how).await?;
            Ok(Made::Created(Box::new(link), Box::new(task), comments.to_vec()))
        }
        Err(error) if error.kind.may_have_happened() => {
            // Looking for it reads all that was made since: each further attempt is left alone for longer.
            let delay_ms = cx.options.visibility_delay_ms << link.nonces.len().min(DOUBLED_MAX);
            let link = cx.store.links().mark_probe(&link, run.now_ms() + delay_ms).await?;
            Ok(Made::Probe(Box::new(link)))
        }
        Err(error) => {
            // It certainly did not happen: whoever comes next creates without looking.
            cx.store.links().mark_probe(&link, NEVER_SENT).await?;
            Err(misfit::of(cx, run, &plan, error).await)
        }
    }
}

async fn send(
    cx: &Context,
    run: &ExecutionContext,
    list: &ListId,
    task: &NewTask,
) -> clients::ApiResult<Task> {
    cx.clickup(run).create_task(list, task).await
}

/// Who sent a create: the process first, so that a successor knows it for dead.
fn sender(cx: &Context, run: &ExecutionContext) -> String {
    format!("{}{}", process(cx), run.execution)
}

/// Whether the process that made a link is not this one: what it had begun may be unfinished.
pub fn left_behind(cx: &Context, link: &Link) -> bool {
    !link.sent_by.starts_with(&process(cx))
}

fn process(cx: &Context) -> String {
    format!("{}/", cx.options.incarnation)
}
