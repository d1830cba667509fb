//! What the accepted events prove: who changed a field and when, and which values are late writes of ours.

use std::collections::BTreeMap;

use domain::history::{Member, zendesk_audit};
use domain::{Conflict, Decision, Evidence, FieldKey, Landed, Side, Timestamp, Value, lost_update};
use orchestration::ExecutionContext;
use planted::Bug;
use stores::effects::{Effect, EffectState};
use stores::evidence::Evidence as Row;
use stores::links::{Link, OwnValue};
use stores::{Store, WorkKey};

use crate::sync::effect::LATE_MS;
use crate::sync::overwritten::{self, SKEW_MS};
use crate::sync::pair::Pair;
use crate::{Context, SyncError};

/// Events older than this say nothing about the present.
const HORIZON_MS: i64 = 24 * 3_600_000;

/// Events that were read longer ago are read again before anything is written: both records may have been waited for.
const OLD_MS: i64 = 2_000;

/// The events known of a pair.
#[derive(Debug, Default)]
pub struct Known {
    pub(super) rows: Vec<Row>,
    read_ms: i64,
    me: [i64; 2],
    /// Our writes of unknown outcome, oldest first; read when they matter.
    open: Option<Vec<Effect>>,
    /// Fields of the ticket that a person changed last, when and to what, as its audits say; read when they matter.
    theirs: Option<BTreeMap<FieldKey, (Timestamp, Value)>>,
    /// What the audits say that open writes of ours overwrote.
    pub(super) lost: Vec<Conflict>,
}

impl Known {
    /// Reads the events of both records.
    pub async fn load(cx: &Context, run: &ExecutionContext, link: &Link) -> Result<Known, SyncError> {
        let read_ms = run.now_ms();
        Ok(Known {
            rows: rows_of_both(&cx.store, link).await?,
            read_ms,
            me: [cx.zendesk_me().0, cx.clickup_me().0],
            open: None,
            theirs: None,
            lost: Vec::new(),
        })
    }

    /// Reads the events again where that was long ago. False if there is nothing new.
    pub async fn has_news(
        &mut self,
        cx: &Context,
        run: &ExecutionContext,
        link: &Link,
    ) -> Result<bool, SyncError> {
        let read_ms = run.now_ms();
        if read_ms - self.read_ms <= OLD_MS {
            return Ok(false);
        }
        let rows = rows_of_both(&cx.store, link).await?;
        self.read_ms = read_ms;
        Ok(std::mem::replace(&mut self.rows, rows) != self.rows)
    }

    /// Reads which writes of ours may still land: those without an answer, those whose sender died before it could
    /// say so, and those that were answered and are not in the link, because their sender died then. Whoever holds the record's lease is the only one who writes. False if they were known.
    pub async fn with_open_writes(&mut self, cx: &Context, link: &Link) -> Result<bool, SyncError> {
        if self.open.is_some() {
            return Ok(false);
        }
        let open = self.open.insert(cx.store.effects().not_in(link.ticket, link.fence).await?);
        Ok(!open.is_empty())
    }

    /// Asks the ticket's audits who changed a field last, where what is about to be done may be wrong otherwise: a value
    /// looks like a write of ours that landed late, or the ticket moved and a field that is about to be written looks
    /// as if nobody had touched it. Its event may be under way still, or lost. Each reading of the ticket asks anew: who
    /// makes us read again may have done this, too. False if nothing had to be asked.
    pub async fn ask_audits(
        &mut self,
        cx: &Context,
        run: &ExecutionContext,
        link: &Link,
        pair: &Pair,
        decision: &Decision,
    ) -> Result<bool, SyncError> {
        let now = |key: &FieldKey| {
            cx.mapping.values(key, &pair.ticket, &pair.task).map(|(zendesk, _)| zendesk.to_stored())
        };
        let base = |key: &FieldKey| link.fields.get(key).map(|base| base.z.clone());
        let looks_like_ours = |(side, key, value): &(Side, FieldKey, Value)| {
            *side == Side::Zendesk && now(key).as_ref() == Some(value) && base(key).as_ref() != Some(value)
        };
        let own = self.for_decision(link, run.now_ms()).own;
        let may_be_put_back = || {
            let own_open = own.iter().any(|(side, ..)| *side == Side::Zendesk);
            let moved = own_open || link.z_stamp != pair.ticket.updated_stamp;
            let written = decision.writes.keys().filter(|(side, _)| *side == Side::Zendesk);
            moved && written.map(|(_, key)| key).any(|key| now(key) == base(key))
        };
        let may_be_undone = |(side, key, value): &(Side, FieldKey, Value)| {
            let missing = |now: &Value, sent: &Value| match (lost_update::members(now), sent) {
                (Some(now), Value::Set(sent)) => !sent.is_subset(&now),
                _ => false,
            };
            *side == Side::Zendesk && now(key).is_some_and(|now| missing(&now, value))
        };
        let is_doubtful = |own: &(Side, FieldKey, Value)| looks_like_ours(own) || may_be_undone(own);
        if !(own.iter().any(is_doubtful) || may_be_put_back()) {
            return Ok(false);
        }
        let mut audits = cx.zendesk(run).audits(link.ticket).await?;
        audits.sort_by_key(|audit| (audit.created, audit.id));
        let open: Vec<&Effect> = self.open.iter().flatten().collect();
        self.lost = overwritten::on_ticket(cx, &open, &audits);
        self.lost.extend(overwritten::undone_on_ticket(cx, &open, &audits));
        let mut last: BTreeMap<FieldKey, Option<(Timestamp, Value)>> = BTreeMap::new();
        for audit in audits {
            let is_ours = audit.author_id == Some(cx.zendesk_me());
            let changes = audit.changes.iter();
            let keys = changes.filter_map(|change| zendesk_audit(&change.field, &change.value, &cx.mapping));
            last.extend(keys.map(|(key, to)| (key, (!is_ours).then_some((audit.created, to)))));
        }
        self.theirs = Some(last.into_iter().filter_map(|(key, at)| Some((key, at?))).collect());
        Ok(true)
    }

    /// What `decide` may know: times of people's changes, and values of ours still in flight.
    pub fn for_decision(&self, link: &Link, now_ms: i64) -> Evidence {
        let mut evidence = Evidence::default();
        if planted::is(Bug::OwnLateMirrored) {
            return evidence;
        }
        for row in self.rows.iter().filter(|row| !self.is_ours(row) && row.at_ms > now_ms - HORIZON_MS) {
            let Some(field) = &row.field else { continue };
            changed(&mut evidence, (row.provider, field), Timestamp(row.at_ms), row.after.as_ref());
        }
        for (field, (at, to)) in
            self.theirs.iter().flatten().filter(|(_, (at, _))| at.ms() > now_ms - HORIZON_MS)
        {
            changed(&mut evidence, (Side::Zendesk, field), *at, Some(to));
        }
        evidence.placed.clone_from(&link.list);
        evidence.looked = last_look(link);
        for own in link.own.iter().filter(|own| own.until_ms > now_ms) {
            sent(&mut evidence, (own.side, &own.field), own.until_ms - LATE_MS);
        }
        evidence.own = link
            .own
            .iter()
            .filter(|own| own.until_ms > now_ms && !self.proven(own))
            .map(|own| (own.side, own.field.clone(), own.value.clone()))
            .collect();
        evidence.own.extend(
            self.last_ours(link).map(|(field, value)| (Side::Clickup, field.clone(), value.to_stored())),
        );
        for effect in self.open.iter().flatten().filter(|effect| effect.late_ms > now_ms) {
            for (field, change) in &effect.fields {
                sent(&mut evidence, (effect.target, field), effect.sent_ms);
                if matches!(effect.state, EffectState::Done | EffectState::Confirmed) {
                    evidence.landed.push(Landed {
                        side: effect.target,
                        field: field.clone(),
                        before: change.before.clone(),
                        after: change.after.clone(),
                    });
                }
                if self.proven_a_persons(effect.target, field, &change.after, effect.sent_ms) {
                    continue;
                }
                evidence.own.push((effect.target, field.clone(), change.after.clone()));
                evidence.own_before.push((effect.target, field.clone(), change.before.clone()));
            }
        }
        evidence
    }

    /// Fields of the task of which the newest event tells that we changed them, and to what: it may have been a request
    /// that was carried out late. What happened before the task was last seen explains nothing that it shows since.
    fn last_ours(&self, link: &Link) -> impl Iterator<Item = (&FieldKey, &Value)> {
        let seen_ms = link.c_updated;
        let mut last: BTreeMap<&FieldKey, &Row> = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.provider == Side::Clickup) {
            let Some(field) = &row.field else { continue };
            if last.get(field).is_none_or(|newest| newest.at_ms <= row.at_ms) {
                last.insert(field, row);
            }
        }
        let ours = last.into_iter().filter(move |(_, row)| self.is_ours(row) && row.at_ms > seen_ms);
        ours.filter_map(|(field, row)| Some((field, row.after.as_ref()?)))
    }

    /// Whether a write of ours has landed on the task that the link knows nothing of, or no longer.
    pub fn landed_late(&self, link: &Link) -> bool {
        self.last_ours(link)
            .any(|(field, value)| link.fields.get(field).is_some_and(|base| base.c != value.to_stored()))
    }

    /// The newest time at which a person moved the ticket, as its events say.
    pub fn newest_zendesk_ms(&self) -> i64 {
        let theirs = self.rows.iter().filter(|row| row.provider == Side::Zendesk && !self.is_ours(row));
        theirs.map(|row| row.at_ms).max().unwrap_or(0)
    }

    pub(super) fn is_ours(&self, row: &Row) -> bool {
        let me = match row.provider {
            Side::Zendesk => self.me[0],
            Side::Clickup => self.me[1],
        };
        row.actor == Some(me)
    }

    fn proven(&self, own: &OwnValue) -> bool {
        self.proven_a_persons(own.side, &own.field, &own.value, own.until_ms - LATE_MS)
    }

    /// A value equal to ours may still be a person's, if an event says so. Of a set events tell who came and went: then
    /// the last of them since ours was sent has to lead to the value.
    fn proven_a_persons(&self, side: Side, field: &FieldKey, value: &Value, sent_ms: i64) -> bool {
        if side == Side::Zendesk && self.theirs.as_ref().is_some_and(|theirs| theirs.contains_key(field)) {
            return true;
        }
        let of_people =
            |row: &&Row| row.provider == side && !self.is_ours(row) && row.field.as_ref() == Some(field);
        let mut theirs = self.rows.iter().filter(of_people);
        if theirs.clone().any(|row| row.after.as_ref().map(Value::to_stored).as_ref() == Some(value)) {
            return true;
        }
        let last_ms = theirs.clone().filter(|row| row.member.is_some()).map(|row| row.at_ms).max();
        last_ms.is_some_and(|ms| ms >= sent_ms - SKEW_MS)
            && theirs.any(|row| Some(row.at_ms) == last_ms && leads_to(row.member.as_ref(), value))
    }
}

/// Both records were last seen no earlier than this. Zendesk tells seconds: what happened in one that was seen in part
/// counts as seen.
fn last_look(link: &Link) -> Option<Timestamp> {
    let ticket = Timestamp::parse_rfc3339(&link.z_stamp)?;
    Some(Timestamp((ticket.ms() + 999).max(link.c_updated)))
}

/// Whether who came is in a set, or who went is not.
fn leads_to(member: Option<&Member>, value: &Value) -> bool {
    match (member, value) {
        (Some(Member::Came(who)), Value::Set(all)) => all.contains(who),
        (Some(Member::Went(who)), Value::Set(all)) => !all.contains(who),
        (Some(Member::Went(_)), Value::Null) => true,
        _ => false,
    }
}

/// Notes a change by a person; the newest of a field counts.
fn changed(evidence: &mut Evidence, (side, field): (Side, &FieldKey), at: Timestamp, to: Option<&Value>) {
    let key = (side, field.clone());
    if evidence.changed.get(&key).is_some_and(|newest| *newest > at) {
        return;
    }
    evidence.changed.insert(key.clone(), at);
    match to {
        Some(to) => evidence.changed_to.insert(key, to.clone()),
        None => evidence.changed_to.remove(&key),
    };
}

/// Notes a write of ours of unknown outcome; the newest of a field counts. The clocks may be a little apart.
fn sent(evidence: &mut Evidence, (side, field): (Side, &FieldKey), sent_ms: i64) {
    let newest = evidence.own_sent.entry((side, field.clone())).or_insert(Timestamp(i64::MIN));
    *newest = (*newest).max(Timestamp(sent_ms - SKEW_MS));
}

async fn rows_of_both(store: &Store, link: &Link) -> Result<Vec<Row>, SyncError> {
    let mut rows = rows_of(store, &WorkKey::Ticket(link.ticket)).await?;
    if let Some(task) = &link.task {
        rows.extend(rows_of(store, &WorkKey::Task(task.clone())).await?);
    }
    Ok(rows)
}

async fn rows_of(store: &Store, key: &WorkKey) -> Result<Vec<Row>, SyncError> {
    Ok(store.evidence().list(key).await?)
}
