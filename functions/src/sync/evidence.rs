//! What the accepted events prove: who changed a field and when, and whether our own writes overwrote
//! anything.

use std::collections::{BTreeMap, BTreeSet};

use domain::history::zendesk_audit;
use domain::{Evidence, FieldKey, Side, Timestamp, Value, lost_update};
use orchestration::ExecutionContext;
use stores::effects::{Effect, EffectState};
use stores::evidence::Evidence as Row;
use stores::links::Link;
use stores::{Store, WorkKey};

use crate::sync::pair::Pair;
use crate::{Context, SyncError};

/// Events older than this say nothing about the present.
const HORIZON_MS: i64 = 24 * 3_600_000;

/// Clocks of the service and ours differ by less than this.
const SKEW_MS: i64 = 5_000;

/// The events known of a pair.
#[derive(Debug, Default)]
pub struct Known {
    rows: Vec<Row>,
    me: [i64; 2],
    /// Our writes of unknown outcome, oldest first; read when they matter.
    open: Option<Vec<Effect>>,
    /// Fields of the ticket that a person changed last, as its audits say; read when they matter.
    theirs: Option<BTreeSet<FieldKey>>,
}

impl Known {
    /// Reads the events of both records.
    pub async fn load(cx: &Context, link: &Link) -> Result<Known, SyncError> {
        let mut rows = rows_of(&cx.store, &WorkKey::Ticket(link.ticket)).await?;
        if let Some(task) = &link.task {
            rows.extend(rows_of(&cx.store, &WorkKey::Task(task.clone())).await?);
        }
        Ok(Known { rows, me: [cx.zendesk_me().0, cx.clickup_me().0], open: None, theirs: None })
    }

    /// Reads which writes of ours may still land: those without an answer, and those whose sender died before
    /// it could say so. Whoever holds the record's lease is the only one who writes. False if they were known.
    pub async fn with_open_writes(&mut self, cx: &Context, link: &Link) -> Result<bool, SyncError> {
        if self.open.is_some() {
            return Ok(false);
        }
        let open = self.open.insert(cx.store.effects().open(link.ticket).await?);
        Ok(!open.is_empty())
    }

    /// Asks the ticket's audits who changed a field last whose value looks like a write of ours that landed late: its
    /// event may be under way still, or lost. False if nothing had to be asked.
    pub async fn ask_audits(
        &mut self,
        cx: &Context,
        run: &ExecutionContext,
        link: &Link,
        pair: &Pair,
        evidence: &Evidence,
    ) -> Result<bool, SyncError> {
        let looks_like_ours = |(side, key, value): &(Side, FieldKey, Value)| {
            let now =
                cx.mapping.values(key, &pair.ticket, &pair.task).map(|(zendesk, _)| zendesk.to_stored());
            let base = link.fields.get(key).map(|base| &base.z);
            *side == Side::Zendesk && now.as_ref() == Some(value) && base != Some(value)
        };
        if self.theirs.is_some() || !evidence.own.iter().any(looks_like_ours) {
            return Ok(false);
        }
        let mut audits = cx.zendesk(run).audits(link.ticket).await?;
        audits.sort_by_key(|audit| (audit.created, audit.id));
        let mut last: BTreeMap<FieldKey, bool> = BTreeMap::new();
        for audit in audits {
            let is_ours = audit.author_id == Some(cx.zendesk_me());
            let changes = audit.changes.iter();
            let keys = changes.filter_map(|change| zendesk_audit(&change.field, &change.value, &cx.mapping));
            last.extend(keys.map(|(key, _)| (key, !is_ours)));
        }
        self.theirs = Some(last.into_iter().filter(|(_, theirs)| *theirs).map(|(key, _)| key).collect());
        Ok(true)
    }

    /// What `decide` may know: times of people's changes, and values of ours still in flight.
    pub fn for_decision(&self, link: &Link, now_ms: i64) -> Evidence {
        let mut evidence = Evidence::default();
        for row in self.rows.iter().filter(|row| !self.is_ours(row) && row.at_ms > now_ms - HORIZON_MS) {
            let Some(field) = &row.field else { continue };
            let newest =
                evidence.changed.entry((row.provider, field.clone())).or_insert(Timestamp(row.at_ms));
            *newest = (*newest).max(Timestamp(row.at_ms));
        }
        evidence.placed.clone_from(&link.list);
        evidence.own = link
            .own
            .iter()
            .filter(|own| own.until_ms > now_ms && !self.proven_a_persons(own.side, &own.field, &own.value))
            .map(|own| (own.side, own.field.clone(), own.value.clone()))
            .collect();
        for effect in self.open.iter().flatten().filter(|effect| effect.late_ms > now_ms) {
            for (field, change) in &effect.fields {
                if self.proven_a_persons(effect.target, field, &change.after) {
                    continue;
                }
                evidence.own.push((effect.target, field.clone(), change.after.clone()));
                evidence.own_before.push((effect.target, field.clone(), change.before.clone()));
            }
        }
        evidence
    }

    /// The newest time at which a person moved the ticket, as its events say.
    pub fn newest_zendesk_ms(&self) -> i64 {
        let theirs = self.rows.iter().filter(|row| row.provider == Side::Zendesk && !self.is_ours(row));
        theirs.map(|row| row.at_ms).max().unwrap_or(0)
    }

    fn is_ours(&self, row: &Row) -> bool {
        let me = match row.provider {
            Side::Zendesk => self.me[0],
            Side::Clickup => self.me[1],
        };
        row.actor == Some(me)
    }

    /// A value equal to ours may still be a person's, if an event says so.
    fn proven_a_persons(&self, side: Side, field: &FieldKey, value: &Value) -> bool {
        if side == Side::Zendesk && self.theirs.as_ref().is_some_and(|theirs| theirs.contains(field)) {
            return true;
        }
        self.rows.iter().any(|row| {
            row.provider == side
                && !self.is_ours(row)
                && row.field.as_ref() == Some(field)
                && row.after.as_ref().map(Value::to_stored).as_ref() == Some(value)
        })
    }

    /// Confirms the writes whose own webhook came, and keeps what they overwrote. Returns how many
    /// values were lost and kept.
    pub async fn confirm(&self, cx: &Context, run: &ExecutionContext, link: &Link) -> Result<u32, SyncError> {
        let mut kept = 0;
        let effects = cx.store.effects().told_of(link.ticket).await?;
        for effect in &effects {
            if effect.target != Side::Clickup {
                continue;
            }
            let mut confirmed = false;
            for row in self.own_webhooks(effect) {
                confirmed = true;
                kept += self.keep_lost(cx, link, effect, row).await?;
            }
            kept += self.keep_lost_members(cx, run, link, effect, &effects).await?;
            if confirmed && matches!(effect.state, EffectState::Done | EffectState::Unknown) {
                cx.store.effects().confirm(effect).await?;
            }
        }
        Ok(kept)
    }

    fn own_webhooks<'a>(&'a self, effect: &'a Effect) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| {
            row.provider == Side::Clickup
                && self.is_ours(row)
                && row.at_ms >= effect.sent_ms - SKEW_MS
                && row.at_ms <= effect.late_ms
                && row.field.as_ref().is_some_and(|field| {
                    effect
                        .fields
                        .get(field)
                        .is_some_and(|change| row.after.as_ref().is_none_or(|after| *after == change.after))
                })
        })
    }

    async fn keep_lost(
        &self,
        cx: &Context,
        link: &Link,
        effect: &Effect,
        row: &Row,
    ) -> Result<u32, SyncError> {
        let (Some(field), Some(before)) = (&row.field, &row.before) else { return Ok(0) };
        let Some(change) = effect.fields.get(field) else { return Ok(0) };
        let Some(conflict) = lost_update::clickup_lost(field, before, &change.before, &change.after) else {
            return Ok(0);
        };
        Ok(u32::from(cx.store.conflicts().record(link.ticket, &conflict).await?))
    }

    /// What people took away before a write of ours that had added it was carried out once more.
    async fn keep_lost_members(
        &self,
        cx: &Context,
        run: &ExecutionContext,
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
            let mut told: Vec<&Row> = self.rows.iter().filter(tells).collect();
            told.sort_by_key(|row| row.at_ms);
            let told: Vec<_> =
                told.iter().filter_map(|row| Some((row.member.clone()?, self.is_ours(row)))).collect();
            let put_back = lost_update::clickup_put_back(&told, &change.after);
            let (Some(who), Some(task)) = (put_back, &link.task) else { continue };
            let Some(task) = cx.clickup(run).task(task).await? else { continue };
            let lost = lost_update::clickup_lost_member(field, &who, &change.after, &task, &cx.mapping);
            let Some(conflict) = lost else { continue };
            kept += u32::from(cx.store.conflicts().record(link.ticket, &conflict).await?);
        }
        Ok(kept)
    }
}

async fn rows_of(store: &Store, key: &WorkKey) -> Result<Vec<Row>, SyncError> {
    Ok(store.evidence().list(key).await?)
}
