//! Why each field of a pair has its value.

use domain::{FieldKey, Side, TicketId};
use serde::Serialize;
use serde_json::Value as Json;
use stores::effects::{Change, Effect};
use stores::evidence::Evidence;
use stores::links::Link;
use stores::{Store, WorkKey};

use super::conflicts::{self, ConflictView, Shown};
use super::{Labels, causes, json_of, time, word};
use crate::failure::Failed;

/// Everything `explain` shows.
#[derive(Debug, Serialize)]
pub struct ExplainView {
    /// The ticket.
    pub ticket: u64,
    /// Its task.
    pub task: Option<String>,
    /// Where the link stands.
    pub state: String,
    /// The list of the task.
    pub list: Option<String>,
    /// The same with its name.
    #[serde(skip)]
    pub list_shown: Option<String>,
    /// What made the link.
    pub origin: String,
    /// Field by field.
    pub fields: Vec<FieldView>,
    /// Comments that were copied or left out.
    pub comments: u64,
    /// Files that were copied or left out.
    pub attachments: u64,
    /// Why the record is set aside, if it is.
    pub quarantine: Option<String>,
}

/// Why one field has its value.
#[derive(Debug, Serialize)]
pub struct FieldView {
    /// Which field.
    pub field: String,
    /// As Zendesk last returned it.
    pub zendesk: Json,
    /// As ClickUp last returned it.
    pub clickup: Json,
    /// Both in one line, with names where they have ids.
    #[serde(skip)]
    pub shown: Shown,
    /// What deskup wrote, the oldest first.
    pub writes: Vec<WriteView>,
    /// What people changed, as far as events told, the oldest first.
    pub changes: Vec<ChangeView>,
    /// Values that did not win.
    pub conflicts: Vec<ConflictView>,
    /// One sentence.
    pub why: String,
}

/// A write of ours.
#[derive(Debug, Serialize)]
pub struct WriteView {
    /// When.
    pub at: String,
    /// To which side.
    pub to: Side,
    /// What was there.
    pub before: Json,
    /// What was sent.
    pub after: Json,
    /// Both in one line, with names where they have ids.
    #[serde(skip)]
    pub shown: (String, String),
    /// Which execution.
    pub cause: String,
    /// Who wanted it, where it was a person and not the other side's change.
    pub rule: String,
    /// How it ended.
    pub state: String,
}

/// A change that an event told of.
#[derive(Debug, Serialize)]
pub struct ChangeView {
    /// When.
    pub at: String,
    /// On which side.
    pub on: Side,
    /// A user's number on that side; none where the event does not say.
    pub by: Option<String>,
    /// To what, where the event says.
    pub to: Option<Json>,
    /// The same in one line, with names where it has ids.
    #[serde(skip)]
    pub shown: Option<String>,
}

/// Why a field has its value that nothing happened to.
pub const UNMOVED: &str = "as it was when the task was made";

/// Explains a ticket.
pub async fn explain(
    store: &Store,
    labels: &Labels,
    ticket: TicketId,
    only: Option<&str>,
) -> anyhow::Result<ExplainView> {
    let Some(link) = store.links().get(ticket).await? else {
        return Err(Failed::usage(format!("ticket {ticket} is not linked")));
    };
    let mut fields = fields(store, &link, labels).await?;
    if let Some(only) = only {
        let known: Vec<String> = fields.iter().map(|field| field.field.clone()).collect();
        fields.retain(|field| field.field == only);
        if fields.is_empty() {
            return Err(Failed::usage(format!(
                "ticket {ticket} has no field `{}` that is kept in step; it has {}",
                crate::terminal::plain(only),
                known.join(", ")
            )));
        }
    }
    let quarantine = store.quarantine().get(&WorkKey::Ticket(ticket)).await?;
    Ok(ExplainView {
        ticket: ticket.get(),
        task: link.task.as_ref().map(ToString::to_string),
        list: link.list.as_ref().map(ToString::to_string),
        list_shown: link.list.as_ref().map(|list| labels.list(list.as_str())),
        state: word(link.state).to_lowercase(),
        origin: link.origin.clone(),
        fields,
        comments: store.comments().list(ticket).await?.len() as u64,
        attachments: store.attachments().list(ticket).await?.len() as u64,
        quarantine: quarantine.map(|row| row.cause),
    })
}

async fn fields(store: &Store, link: &Link, labels: &Labels) -> anyhow::Result<Vec<FieldView>> {
    let effects = store.effects().list(link.ticket).await?;
    let mut conflicts = store.conflicts().list(link.ticket).await?;
    conflicts.sort_by_key(|row| row.at_ms);
    let mut events = store.evidence().list(&WorkKey::Ticket(link.ticket)).await?;
    if let Some(task) = &link.task {
        events.extend(store.evidence().list(&WorkKey::Task(task.clone())).await?);
    }
    events.sort_by_key(|event| event.at_ms);
    let mut views = Vec::new();
    for (field, base) in &link.fields {
        let writes: Vec<WriteView> = effects
            .iter()
            .filter_map(|effect| Some(write(effect, field, effect.fields.get(field)?, labels)))
            .collect();
        let kept: Vec<ConflictView> = conflicts
            .iter()
            .filter(|row| row.conflict.field == *field)
            .map(|row| conflicts::view(row, Some(link), labels))
            .collect();
        let told = events.iter().filter(|event| event.field.as_ref() == Some(field));
        views.push(FieldView {
            field: field.to_string(),
            zendesk: json_of(&base.z),
            clickup: json_of(&base.c),
            shown: Shown::of(labels, field, &base.z, &base.c, &[]),
            why: why(base.parted, &writes, &kept),
            writes,
            changes: told.map(|event| change(event, field, labels)).collect(),
            conflicts: kept,
        });
    }
    Ok(views)
}

fn write(effect: &Effect, field: &FieldKey, change: &Change, labels: &Labels) -> WriteView {
    let line = |value| labels.line(field, effect.target, value);
    WriteView {
        at: time(effect.sent_ms),
        to: effect.target,
        before: json_of(&change.before),
        after: json_of(&change.after),
        shown: (line(&change.before), line(&change.after)),
        cause: effect.cause.clone(),
        rule: effect.rule.clone(),
        state: word(effect.state).to_lowercase(),
    }
}

fn change(event: &Evidence, field: &FieldKey, labels: &Labels) -> ChangeView {
    let by = |actor| match labels.is_me(event.provider, actor) {
        true => "deskup".to_owned(),
        false => labels.person(event.provider, actor),
    };
    ChangeView {
        at: time(event.at_ms),
        on: event.provider,
        by: event.actor.map(by),
        to: event.after.as_ref().map(json_of),
        shown: event.after.as_ref().map(|value| labels.line(field, event.provider, value)),
    }
}

fn cause(conflict: &ConflictView) -> &str {
    causes::words(&conflict.cause)
}

fn why(parted: bool, writes: &[WriteView], conflicts: &[ConflictView]) -> String {
    let settled = |conflict: &ConflictView| match &conflict.settled {
        Some(settled) => match settled.side {
            Some(side) => format!("{}: {side}'s value, applied by {}", settled.at, settled.by),
            None => format!("{}: {} (dismissed by {})", conflict.at, cause(conflict), settled.by),
        },
        None => format!("{}: {} ({})", conflict.at, cause(conflict), conflict.rule_shown),
    };
    match (parted, writes.last(), conflicts.last()) {
        (true, _, Some(conflict)) => {
            format!("both sides keep their own value: {} ({})", cause(conflict), conflict.rule_shown)
        }
        (_, Some(write), Some(conflict)) if conflict.at >= write.at || conflict.settled.is_some() => {
            settled(conflict)
        }
        (_, Some(write), _) if !write.rule.is_empty() => format!("{}: {}", write.at, write.rule),
        (_, Some(write), _) => {
            format!("{1}: written to {0}, {2} had changed", write.to, write.at, write.to.other())
        }
        (_, None, Some(conflict)) => settled(conflict),
        (_, None, None) => UNMOVED.to_owned(),
    }
}
