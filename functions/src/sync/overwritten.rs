//! What people did to a record that a write of ours overwrote without having seen it. ClickUp has no compare-and-set; its
//! deliveries tell of it afterwards, those of our own writes and those of people's edits, in any order. Zendesk's tells
//! seconds only; its audits tell of the rest.

use clients::{Audit, AuditChange};
use domain::history::{Member, zendesk_audit};
use domain::lost_update::members;
use domain::merge::set_value;
use domain::{Conflict, ConflictCause, FieldKey, Side, Value, lost_update};
use orchestration::ExecutionContext;
use planted::Bug;
use serde_json::Value as Json;
use stores::conflicts::ConflictRow;
use stores::effects::{Change, Effect, EffectState};
use stores::evidence::Evidence as Row;
use stores::links::Link;

use crate::sync::evidence::Known;
use crate::{Context, SyncError};

/// Clocks of the service and ours differ by less than this.
pub const SKEW_MS: i64 = 5_000;

/// What people did longer ago than this was told of when we wrote, or will never be.
const UNSEEN_MS: i64 = 120_000;

/// Confirms the writes whose own webhook came, and keeps what they overwrote. Returns how many values were lost and kept.
pub async fn keep(
    cx: &Context,
    run: &ExecutionContext,
    known: &Known,
    link: &Link,
) -> Result<u32, SyncError> {
    let mut kept = 0;
    let effects = cx.store.effects().told_of(link.ticket).await?;
    for effect in effects.iter().filter(|effect| effect.target == Side::Clickup) {
        let mut confirmed = false;
        for (row, field, change) in own_webhooks(known, effect) {
            confirmed = true;
            if !planted::is(Bug::OverwrittenNotKept) {
                let again = is_repeated(known, effect, &effects, row, field);
                // What was carried out once more replaced what somebody had made of it since.
                let expected = if again { &change.after } else { &change.before };
                kept += keep_before(cx, link, row, field, (expected, &change.after)).await?;
                kept += keep_put_back(cx, known, link, effect, row, field, change).await?;
            }
        }
        kept += keep_unheard(cx, run, known, link, effect).await?;
        kept += keep_members(cx, run, known, link, effect, &effects).await?;
        if confirmed && matches!(effect.state, EffectState::Done | EffectState::Unknown) {
            cx.store.effects().confirm(effect).await?;
        }
    }
    Ok(kept)
}

/// What writes of ours to the ticket overwrote, as its audits say: each carries the name of its effect. The reply says the
/// same, but replies get lost, and that of a repeated request tells only of the repetition.
pub fn on_ticket(cx: &Context, effects: &[&Effect], audits: &[Audit]) -> Vec<Conflict> {
    let mut lost = Vec::new();
    for audit in audits {
        let Some(effect) = effects.iter().find(|effect| audit.effect_id() == Some(&effect.id)) else {
            continue;
        };
        for change in &audit.changes {
            let Some((key, before)) = zendesk_audit(&change.field, &change.previous, &cx.mapping) else {
                continue;
            };
            let Some(sent) = effect.fields.get(&key) else { continue };
            if [&sent.before, &sent.after].into_iter().any(|known| is_told(known, &before)) {
                continue;
            }
            lost.push(Conflict {
                field: key,
                cause: ConflictCause::LostUpdate,
                base: sent.before.clone(),
                zendesk: before,
                clickup: sent.after.clone(),
                winner: Some(Side::Clickup),
                rule: "changed between our read and our write".to_owned(),
            });
        }
    }
    if planted::is(Bug::AuditIgnored) { Vec::new() } else { lost }
}

/// What people took out of a set again that a write of ours had put in, before we knew that it had: to the next decision
/// it would look as if it had never been there. `audits` are in order.
pub fn undone_on_ticket(cx: &Context, effects: &[&Effect], audits: &[Audit]) -> Vec<Conflict> {
    let set_of = |one: &AuditChange, value: &Json| {
        zendesk_audit(&one.field, value, &cx.mapping).and_then(|(key, value)| Some((key, members(&value)?)))
    };
    let mut undone = Vec::new();
    for (at, audit) in audits.iter().enumerate() {
        let effect = effects.iter().find(|effect| audit.effect_id() == Some(&effect.id));
        for (key, sent) in effect.into_iter().flat_map(|effect| &effect.fields) {
            let (Some(before), Some(after)) = (members(&sent.before), members(&sent.after)) else { continue };
            let of_people = audits[at + 1..].iter().filter(|later| later.effect_id().is_none());
            for change in of_people.flat_map(|later| &later.changes) {
                let (Some((of, had)), Some((_, has))) =
                    (set_of(change, &change.previous), set_of(change, &change.value))
                else {
                    continue;
                };
                let is_ours = |who: &&String| after.contains(*who) && !before.contains(*who);
                if of == *key && had.difference(&has).any(|who| is_ours(&who)) {
                    undone.push(Conflict {
                        field: of,
                        cause: ConflictCause::LostUpdate,
                        base: sent.after.clone(),
                        zendesk: set_value(has),
                        clickup: sent.after.clone(),
                        winner: Some(Side::Clickup),
                        rule: "undone before we knew of our write".to_owned(),
                    });
                }
            }
        }
    }
    undone
}

/// Whether an audit tells of this value; of a status it tells the category only.
fn is_told(known: &Value, told: &Value) -> bool {
    let category = match known {
        Value::Text(text) => text.split_once('#').map(|(category, _)| Value::Text(category.to_owned())),
        _ => None,
    };
    known.to_stored() == told.to_stored() || category.as_ref() == Some(told)
}

fn own_webhooks<'a>(
    known: &'a Known,
    effect: &'a Effect,
) -> impl Iterator<Item = (&'a Row, &'a FieldKey, &'a Change)> {
    known.rows.iter().filter_map(move |row| {
        let field = row.field.as_ref()?;
        let change = effect.fields.get(field)?;
        let is_it = row.provider == Side::Clickup
            && known.is_ours(row)
            && row.at_ms >= effect.sent_ms - SKEW_MS
            && row.at_ms <= effect.late_ms
            && row.after.as_ref().is_none_or(|after| *after == change.after);
        is_it.then_some((row, field, change))
    })
}

/// Whether the write was carried out before, and this tells of it once more: no later write of ours to the field is meant.
fn is_repeated(known: &Known, effect: &Effect, effects: &[Effect], row: &Row, field: &FieldKey) -> bool {
    let later = |other: &Effect| {
        other.target == effect.target
            && other.sent_ms > effect.sent_ms
            && other.sent_ms <= row.at_ms + SKEW_MS
            && other.fields.contains_key(field)
    };
    own_webhooks(known, effect).any(|(first, of, _)| of == field && first.at_ms < row.at_ms)
        && !effects.iter().any(later)
}

/// What our own delivery says was there before, where that is not what was read.
async fn keep_before(
    cx: &Context,
    link: &Link,
    own: &Row,
    field: &FieldKey,
    (expected, sent): (&Value, &Value),
) -> Result<u32, SyncError> {
    let Some(before) = &own.before else { return Ok(0) };
    let Some(conflict) = lost_update::clickup_lost(field, before, expected, sent) else {
        return Ok(0);
    };
    Ok(u32::from(cx.store.conflicts().record(link.ticket, &conflict).await?))
}

/// A value that somebody changed and put back after the ticket had last moved, and that was not told of when we wrote.
async fn keep_put_back(
    cx: &Context,
    known: &Known,
    link: &Link,
    effect: &Effect,
    own: &Row,
    field: &FieldKey,
    change: &Change,
) -> Result<u32, SyncError> {
    let of_people = known.rows.iter().filter(|row| {
        row.provider == Side::Clickup
            && !known.is_ours(row)
            && row.field.as_ref() == Some(field)
            && row.at_ms <= own.at_ms
    });
    let Some(last) = of_people.max_by_key(|row| row.at_ms) else { return Ok(0) };
    // The ticket may have moved since in other fields.
    let of_ticket = known.rows.iter().filter(|row| {
        row.provider == Side::Zendesk
            && !known.is_ours(row)
            && row.field.as_ref() == Some(field)
            && row.at_ms <= effect.sent_ms + SKEW_MS
    });
    let source_ms = of_ticket.map(|row| row.at_ms).max().unwrap_or(effect.source_ms);
    let is_as_read = match (&last.member, members(&change.before)) {
        (Some(Member::Came(who)), Some(read)) => read.contains(who),
        (Some(Member::Went(who)), Some(read)) => !read.contains(who),
        _ => last.after.as_ref().is_some_and(|after| after.to_stored() == change.before.to_stored()),
    };
    // Whoever decided could not know what was told only then; which edit was newer is nothing to it.
    let is_news = last.taken_ms > effect.sent_ms - SKEW_MS && last.at_ms > effect.sent_ms - UNSEEN_MS;
    let is_put_back = is_as_read
        && (last.member.is_some() || last.before != last.after)
        && (is_news || source_ms > 0 && last.at_ms > source_ms);
    if !is_put_back {
        return Ok(0);
    }
    if is_recorded(cx, link, last, &change.before).await? {
        return Ok(0);
    }
    let conflict = lost_update::clickup_put_back_unseen(field, &change.before, &change.after);
    Ok(u32::from(cx.store.conflicts().record(link.ticket, &conflict).await?))
}

/// A value that only the delivery of somebody's edit tells of: it came when we had written, and that of our own write,
/// which says what was there before, did not come.
async fn keep_unheard(
    cx: &Context,
    run: &ExecutionContext,
    known: &Known,
    link: &Link,
    effect: &Effect,
) -> Result<u32, SyncError> {
    let mut kept = 0;
    for (field, change) in &effect.fields {
        let is_told = own_webhooks(known, effect).any(|(row, of, _)| of == field && row.before.is_some());
        let of_people = known.rows.iter().filter(|row| {
            row.provider == Side::Clickup
                && !known.is_ours(row)
                && row.field.as_ref() == Some(field)
                && row.at_ms <= effect.sent_ms + SKEW_MS
        });
        let Some(last) = of_people.max_by_key(|row| row.at_ms).filter(|_| !is_told) else { continue };
        let is_news = last.taken_ms > effect.sent_ms - SKEW_MS && last.at_ms > effect.sent_ms - UNSEEN_MS;
        let Some(theirs) = last.after.as_ref().filter(|_| is_news && last.member.is_none()) else { continue };
        let Some(conflict) = lost_update::clickup_lost(field, theirs, &change.before, &change.after) else {
            continue;
        };
        if is_recorded(cx, link, last, theirs).await? || !shows(cx, run, link, field, &change.after).await? {
            continue;
        }
        kept += u32::from(cx.store.conflicts().record(link.ticket, &conflict).await?);
    }
    Ok(kept)
}

/// Whether whoever decided since an edit knew of it, or it is kept already.
async fn is_recorded(cx: &Context, link: &Link, edit: &Row, value: &Value) -> Result<bool, SyncError> {
    let rows = cx.store.conflicts().list(link.ticket).await?;
    let is_known = |one: &Conflict| {
        one.cause != ConflictCause::LostUpdate || one.clickup.to_stored() == value.to_stored()
    };
    let since = |row: &&ConflictRow| {
        edit.field.as_ref() == Some(&row.conflict.field) && row.at_ms >= edit.at_ms - SKEW_MS
    };
    Ok(rows.iter().filter(since).any(|row| is_known(&row.conflict)))
}

/// Whether the task has this value.
async fn shows(
    cx: &Context,
    run: &ExecutionContext,
    link: &Link,
    field: &FieldKey,
    value: &Value,
) -> Result<bool, SyncError> {
    let Some(id) = &link.task else { return Ok(false) };
    let task = cx.clickup(run).task(id).await?;
    let now = task.and_then(|task| cx.mapping.clickup_value(field, &task));
    Ok(now.is_some_and(|now| now.to_stored() == value.to_stored()))
}

/// Whom people took away or put on before a write of ours was carried out, for the first time or once more.
async fn keep_members(
    cx: &Context,
    run: &ExecutionContext,
    known: &Known,
    link: &Link,
    effect: &Effect,
    effects: &[Effect],
) -> Result<u32, SyncError> {
    let mut kept = 0;
    for (field, change) in &effect.fields {
        let later = effects.iter().filter(|other| {
            other.target == effect.target
                && other.sent_ms > effect.sent_ms
                && other.fields.contains_key(field)
        });
        let until_ms = later.map(|other| other.sent_ms).min().unwrap_or(effect.late_ms);
        let tells = |row: &&Row| {
            row.provider == Side::Clickup
                && row.field.as_ref() == Some(field)
                && (effect.sent_ms - SKEW_MS..=until_ms).contains(&row.at_ms)
        };
        let mut told: Vec<&Row> = known.rows.iter().filter(tells).collect();
        told.sort_by_key(|row| row.at_ms);
        let told: Vec<_> =
            told.iter().filter_map(|row| Some((row.member.clone()?, known.is_ours(row)))).collect();
        let forestalled = lost_update::clickup_forestalled(field, &told, &change.before, &change.after);
        if let Some(conflict) = forestalled {
            kept += u32::from(cx.store.conflicts().record(link.ticket, &conflict).await?);
        }
        let repeated = lost_update::clickup_repeated(&told, &change.after);
        let (Some(repeated), Some(task)) = (repeated, &link.task) else { continue };
        let Some(task) = cx.clickup(run).task(task).await? else { continue };
        let lost = lost_update::clickup_lost_members(field, &repeated, &change.after, &task, &cx.mapping);
        let Some(conflict) = lost else { continue };
        kept += u32::from(cx.store.conflicts().record(link.ticket, &conflict).await?);
    }
    Ok(kept)
}
