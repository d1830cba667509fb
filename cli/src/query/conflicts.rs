//! Conflicts: both values, whose they are, and what became of them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use domain::{FieldKey, Side, TicketId, Value};
use serde::Serialize;
use serde_json::Value as Json;
use stores::conflicts::{ConflictRow, ConflictState};
use stores::effects::Effect;
use stores::evidence::Evidence;
use stores::links::Link;
use stores::{Store, WorkKey};

use super::offers::{self, Offers};
use super::{Labels, json_of, time, word};
use crate::failure::Failed;

/// Digits of a conflict's id that are shown.
const SHOWN: usize = 6;

/// Clocks of the services and ours differ by less than this.
const SKEW_MS: i64 = 5_000;

/// A conflict.
#[derive(Clone, Debug, Serialize)]
pub struct ConflictView {
    /// What a person types: ticket and the beginning of its hash.
    pub id: String,
    /// The ticket.
    pub ticket: u64,
    /// Which field.
    pub field: String,
    /// `open`, `applied`, `dismissed`.
    pub state: String,
    /// Why the values did not become one.
    pub cause: String,
    /// The rule that decided.
    pub rule: String,
    /// Whose value stands; nobody's where each side keeps its own.
    pub winner: Option<Side>,
    /// When it was recorded.
    pub at: String,
    /// What both sides had before, in Zendesk's form.
    pub base: Json,
    /// Zendesk's value.
    pub zendesk: Json,
    /// ClickUp's value.
    pub clickup: Json,
    /// Whose kept value may go to both sides, as far as the state tells.
    pub can_apply: Vec<Side>,
    /// The same with what to do, for people.
    #[serde(skip)]
    pub offers: Offers,
    /// The rule, with names where it tells of people.
    #[serde(skip)]
    pub rule_shown: String,
    /// Both in one line, with names where they have ids.
    #[serde(skip)]
    pub shown: Shown,
    /// The base in one line.
    #[serde(skip)]
    pub before: String,
    /// Which value was asked for and is not applied yet.
    pub asked: Option<Side>,
    /// Why what was asked for last could not be done.
    pub answer: Option<String>,
    /// Who settled it, when, and with which value.
    pub settled: Option<SettledView>,
}

/// Values of both sides for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Zendesk's.
    pub zendesk: String,
    /// ClickUp's.
    pub clickup: String,
}

impl Shown {
    /// Two values of a field, in the form that suits these others of it too.
    pub fn of(
        labels: &Labels,
        field: &FieldKey,
        zendesk: &Value,
        clickup: &Value,
        others: &[&Value],
    ) -> Self {
        let mut values = vec![(Side::Zendesk, zendesk), (Side::Clickup, clickup)];
        values.extend(others.iter().map(|value| (Side::Zendesk, *value)));
        let mut lines = labels.lines(field, &values).into_iter();
        Self { zendesk: lines.next().unwrap_or_default(), clickup: lines.next().unwrap_or_default() }
    }
}

/// How a conflict was settled.
#[derive(Clone, Debug, Serialize)]
pub struct SettledView {
    /// Who.
    pub by: String,
    /// When.
    pub at: String,
    /// Which value was applied; none where it was dismissed.
    pub side: Option<Side>,
}

/// A conflict with everything that is known of both values.
#[derive(Clone, Debug, Serialize)]
pub struct ConflictDetails {
    /// The conflict.
    #[serde(flatten)]
    pub conflict: ConflictView,
    /// The task.
    pub task: Option<String>,
    /// Where the link stands.
    pub link: String,
    /// Who set Zendesk's value, and when.
    pub zendesk_set: Origin,
    /// Who set ClickUp's value, and when.
    pub clickup_set: Origin,
    /// What Zendesk holds now, as last seen.
    pub zendesk_now: Json,
    /// What ClickUp holds now, as last seen.
    pub clickup_now: Json,
    /// Both in one line, with names where they have ids.
    #[serde(skip)]
    pub now_shown: Shown,
}

/// Who set a value, and when, as far as an event proved it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// When; none where no event told.
    pub at: Option<String>,
    /// A user's number on that side, or `deskup`; none where no event told.
    pub by: Option<String>,
}

/// A row as a view.
pub fn view(row: &ConflictRow, link: Option<&Link>, labels: &Labels) -> ConflictView {
    let conflict = &row.conflict;
    let field = &conflict.field;
    let base = link.and_then(|link| link.fields.get(field)).cloned().unwrap_or_default();
    let before = (Side::Zendesk, &conflict.base);
    let kept = [(Side::Zendesk, &conflict.zendesk), (Side::Clickup, &conflict.clickup)];
    let now = [(Side::Zendesk, &base.z), (Side::Clickup, &base.c)];
    let mut lines = labels.lines(field, &[[before].as_slice(), &kept, &now].concat()).into_iter();
    let mut next = || lines.next().unwrap_or_default();
    let before = next();
    let shown = Shown { zendesk: next(), clickup: next() };
    let offers = offers::of(row, link);
    ConflictView {
        id: id(row, SHOWN),
        ticket: row.ticket.get(),
        field: conflict.field.to_string(),
        state: word(row.state).to_lowercase(),
        cause: word(conflict.cause),
        rule: conflict.rule.clone(),
        winner: conflict.winner,
        at: time(row.at_ms),
        base: json_of(&conflict.base),
        zendesk: json_of(&conflict.zendesk),
        clickup: json_of(&conflict.clickup),
        can_apply: offers.can.clone(),
        offers,
        rule_shown: labels.rule(&conflict.rule),
        shown,
        before,
        asked: row.ask.as_ref().map(|ask| ask.side),
        answer: row.answer.clone(),
        settled: row.settled.as_ref().filter(|_| row.state != ConflictState::Open).map(|settled| {
            SettledView { by: settled.by.clone(), at: time(settled.at_ms), side: settled.side }
        }),
    }
}

/// The hash that names a conflict within its ticket.
fn hash(row: &ConflictRow) -> &str {
    row.id.rsplit('#').next().unwrap_or_default()
}

fn id(row: &ConflictRow, digits: usize) -> String {
    format!("{}-{}", row.ticket, hash(row).get(..digits).unwrap_or(hash(row)))
}

/// Open conflicts, the oldest first; of one ticket also those that are settled.
pub async fn list(
    store: &Store,
    labels: &Labels,
    ticket: Option<TicketId>,
    limit: usize,
) -> anyhow::Result<Vec<ConflictView>> {
    let mut rows = match ticket {
        Some(ticket) => store.conflicts().list(ticket).await?,
        None => store.conflicts().list_open(limit).await?,
    };
    rows.sort_by_key(|row| (row.state, row.at_ms));
    let mut links: BTreeMap<TicketId, Option<Link>> = BTreeMap::new();
    for row in &rows {
        if let Entry::Vacant(place) = links.entry(row.ticket) {
            place.insert(store.links().get(row.ticket).await?);
        }
    }
    let link = |row: &ConflictRow| links.get(&row.ticket).and_then(Option::as_ref);
    Ok(rows.iter().map(|row| view(row, link(row), labels)).collect())
}

/// The conflict of an id such as `12-3fa9c1`.
pub async fn find(store: &Store, text: &str) -> anyhow::Result<ConflictRow> {
    let shown = crate::terminal::plain(text);
    let wrong = || {
        Failed::usage(format!(
            "`{shown}` is not a conflict's id such as 12-3fa9c1: `deskup conflicts` lists them"
        ))
    };
    let (ticket, digits) = text.trim().split_once('-').ok_or_else(wrong)?;
    let ticket: TicketId = ticket.parse().map_err(|_| wrong())?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let digits = digits.to_lowercase();
    let mut rows = store.conflicts().list(ticket).await?;
    rows.retain(|row| hash(row).starts_with(&digits));
    match rows.as_slice() {
        [] => Err(Failed::usage(format!("there is no conflict {shown}: `deskup conflicts` lists them"))),
        [_] => Ok(rows.remove(0)),
        several => {
            let whole = hash(&several[0]).len();
            let ids: Vec<String> = several.iter().map(|row| id(row, whole)).collect();
            Err(Failed::usage(format!("`{shown}` may mean {}: give more of it", ids.join(" or "))))
        }
    }
}

/// Everything that is known of a conflict.
pub async fn details(store: &Store, labels: &Labels, row: &ConflictRow) -> anyhow::Result<ConflictDetails> {
    let link = store.links().get(row.ticket).await?;
    let kept = &row.conflict;
    let field = &kept.field;
    let mut events = store.evidence().list(&WorkKey::Ticket(row.ticket)).await?;
    let task = link.as_ref().and_then(|link| link.task.clone());
    if let Some(task) = &task {
        events.extend(store.evidence().list(&WorkKey::Task(task.clone())).await?);
    }
    let effects = store.effects().list(row.ticket).await?;
    let told = Told { events: &events, effects: &effects, labels, field, at_ms: row.at_ms };
    let base = link.as_ref().and_then(|link| link.fields.get(field)).cloned().unwrap_or_default();
    Ok(ConflictDetails {
        task: task.map(|task| task.to_string()),
        link: link.as_ref().map_or("none".to_owned(), |link| word(link.state).to_lowercase()),
        zendesk_set: told.origin(Side::Zendesk, &row.conflict.zendesk),
        clickup_set: told.origin(Side::Clickup, &row.conflict.clickup),
        zendesk_now: json_of(&base.z),
        clickup_now: json_of(&base.c),
        now_shown: Shown::of(labels, field, &base.z, &base.c, &[&kept.zendesk, &kept.clickup, &kept.base]),
        conflict: view(row, link.as_ref(), labels),
    })
}

/// What events and our own writes tell of a field before a conflict.
struct Told<'a> {
    events: &'a [Evidence],
    effects: &'a [Effect],
    labels: &'a Labels,
    field: &'a FieldKey,
    at_ms: i64,
}

impl Told<'_> {
    /// Who set a value: the newest event before the conflict that proves it, or a write of ours. Zendesk's events
    /// tell that a field changed and not to what; then the newest change before the conflict is the one.
    fn origin(&self, side: Side, value: &Value) -> Origin {
        let stored = value.to_stored();
        let ours = self.effects.iter().rev().find(|effect| {
            effect.target == side
                && effect.sent_ms <= self.at_ms
                && effect.fields.get(self.field).is_some_and(|change| change.after.to_stored() == stored)
        });
        let theirs = self
            .events
            .iter()
            .filter(|event| event.provider == side && event.field.as_ref() == Some(self.field))
            .filter(|event| event.at_ms <= self.at_ms + SKEW_MS)
            .filter(|event| event.actor.is_none_or(|actor| !self.labels.is_me(side, actor)))
            .filter(|event| event.after.as_ref().is_none_or(|after| after.to_stored() == stored))
            .max_by_key(|event| event.at_ms);
        match (theirs, ours) {
            (Some(event), effect) if effect.is_none_or(|effect| effect.sent_ms < event.at_ms) => Origin {
                at: Some(time(event.at_ms)),
                by: event.actor.map(|actor| self.labels.person(side, actor)),
            },
            (_, Some(effect)) => Origin { at: Some(time(effect.sent_ms)), by: Some("deskup".to_owned()) },
            _ => Origin::default(),
        }
    }
}
