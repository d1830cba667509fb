//! One request's changes, collected before anything is committed.

use serde_json::{Value, json};

use super::events;
use super::options::ZendeskOptions;
use super::rows::*;
use super::state::{Line, Op, State};
use crate::changes::Change;
use crate::faults::Dice;

/// Collects what one request changes. It reads the state as it is and writes nothing; `finish` gives the line.
pub(super) struct Tx<'a> {
    pub state: &'a State,
    pub options: &'a ZendeskOptions,
    pub now_ms: i64,
    pub actor: i64,
    edit: Option<Box<str>>,
    next_id: u64,
    dice: &'a Dice,
    ops: Vec<Op>,
    changes: Vec<Change>,
}

/// One event of an update as webhooks tell it: its type and its `event` member.
pub(super) type Told = (&'static str, Value);

impl<'a> Tx<'a> {
    pub(super) fn new(
        state: &'a State,
        options: &'a ZendeskOptions,
        dice: &'a Dice,
        actor: i64,
        edit: Option<&str>,
    ) -> Self {
        Self {
            state,
            options,
            now_ms: (options.clock)(),
            actor,
            edit: edit.map(Into::into),
            next_id: state.next_id,
            dice,
            ops: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// The id of a new record. Ids are not consecutive, as in recordings.
    pub(super) fn id(&mut self) -> u64 {
        self.next_id += 128;
        self.next_id
    }

    /// A new unguessable text of this many letters and digits. It follows from the seed and the last id, so that a
    /// seed replays it and a reopened account never repeats one.
    pub(super) fn secret(&mut self, letters: usize) -> String {
        let seed = self.options.faults.seed ^ self.id().wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut random = fastrand::Rng::with_seed(seed);
        std::iter::repeat_with(|| random.alphanumeric()).take(letters).collect()
    }

    /// A new UUID, by the same rule.
    pub(super) fn uuid(&mut self) -> String {
        let seed = self.options.faults.seed ^ self.id().wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut random = fastrand::Rng::with_seed(seed);
        let (high, low) = (random.u64(..), random.u64(..));
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            (low >> 48) & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff
        )
    }

    /// A new ULID: 26 characters, the time first.
    pub(super) fn ulid(&mut self) -> String {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let time = u128::try_from(self.now_ms).unwrap_or_default() << 80;
        let mut value = time | u128::from(self.id()) << 16;
        let mut letters = [0_u8; 26];
        for letter in letters.iter_mut().rev() {
            *letter = ALPHABET[usize::try_from(value & 31).unwrap_or_default()];
            value >>= 5;
        }
        letters.iter().map(|&letter| char::from(letter)).collect()
    }

    /// The id of a new ticket: tickets are counted from 1.
    pub(super) fn ticket_id(&self) -> u64 {
        let pending = self.ops.iter().filter_map(|op| match op {
            Op::Ticket(row) => Some(row.id),
            _ => None,
        });
        let last = self.state.tickets.last_key_value().map_or(0, |(id, _)| *id);
        pending.fold(last, u64::max) + 1
    }

    pub(super) fn push(&mut self, op: Op) {
        self.ops.push(op);
    }

    /// Notes one changed field for the log.
    pub(super) fn note(&mut self, ticket: u64, field: impl Into<String>, before: Value, after: Value) {
        self.changes.push(Change {
            seq: 0,
            at_ms: self.now_ms,
            actor: self.actor,
            record: ticket.to_string(),
            field: field.into(),
            before,
            after,
            edit: self.edit.as_deref().map(Into::into),
        });
    }

    /// Takes in a changed ticket with its new audit and tells the webhooks.
    pub(super) fn save_ticket(&mut self, row: TicketRow, audit: Option<AuditRow>, told: Vec<Told>) {
        if !told.is_empty() {
            self.tell(&row, audit.as_ref(), told);
        }
        let ticket = row.id;
        self.ops.push(Op::Ticket(Box::new(row)));
        if let Some(audit) = audit {
            self.ops.push(Op::Audit { ticket, audit });
        }
    }

    /// Queues a delivery of each event to each webhook that subscribed to it.
    fn tell(&mut self, row: &TicketRow, audit: Option<&AuditRow>, told: Vec<Told>) {
        let subscribed: Vec<_> = self.state.webhooks.values().filter(|webhook| webhook.active).collect();
        if subscribed.is_empty() {
            return;
        }
        let detail = events::detail(self.state, row, audit, self.actor);
        let sequence = self.id().to_string();
        for (position, (name, mut event)) in (1..).zip(told) {
            let kind = format!("zen:event-type:{name}");
            let mut listeners =
                subscribed.iter().filter(|webhook| webhook.subscriptions.iter().any(|s| **s == *kind));
            let Some(first) = listeners.next() else { continue };
            event["meta"] = json!({"sequence": {"id": sequence, "position": position}});
            let event_id = self.uuid();
            let body =
                events::body(self.options.account_id, &kind, &event_id, self.now_ms, row.id, &detail, &event);
            for webhook in std::iter::once(first).chain(listeners) {
                self.queue(&webhook.id, &body);
            }
        }
    }

    fn queue(&mut self, webhook: &str, body: &str) {
        let faults = &self.options.faults;
        if self.dice.roll(faults.webhook_drop) {
            return;
        }
        let copies = if self.dice.roll(faults.webhook_duplicate) { 2 } else { 1 };
        for _ in 0..copies {
            let delay = i64::try_from(self.dice.between(faults.webhook_delay_ms)).unwrap_or(i64::MAX);
            let row = DeliveryRow {
                id: self.id(),
                webhook: webhook.into(),
                invocation: self.ulid().into(),
                body: body.into(),
                due_ms: self.now_ms.saturating_add(delay),
            };
            self.ops.push(Op::Delivery(row));
        }
    }

    /// The line to commit; `None` when nothing changed.
    pub(super) fn finish(self) -> Option<Line> {
        let empty = self.ops.is_empty() && self.changes.is_empty();
        (!empty).then_some(Line { next_id: self.next_id, changes: self.changes, ops: self.ops })
    }
}
