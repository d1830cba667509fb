//! What both sides agree on after a write. A base is set from what the services returned, never from what
//! was sent: their normal form is learned from the reply of the write itself.

use crate::decide::with_own_moves;
use crate::decision::{Conflict, ConflictCause, Decision, FieldBase, LastWrite, LinkFields};
use crate::field::{FieldKey, Value};
use crate::ids::Side;
use crate::lens::Look;
use crate::lens::assignee::is_done;
use crate::mapping::{Mapped, Mapping};
use crate::patch::TaskWrite;
use crate::records::{Task, Ticket};

/// Takes over what needs no write: adopted values, and values that a recorded conflict leaves apart.
/// Record the decision's conflicts first.
pub fn adopt(fields: &mut LinkFields, decision: &Decision) {
    fields.extend(decision.bases.iter().map(|(key, base)| (key.clone(), base.clone())));
}

/// Sets the bases of the fields written on `side` from the fresh records (the reply of the write is the
/// record of that side), and adopts the rest of the decision. Where a field is written on both sides, the
/// second call sets its base. Returns conflicts for values that the service did not keep as they were
/// sent. Record the decision's conflicts first: bases say that they are known.
pub fn after_write(
    fields: &mut LinkFields,
    decision: &Decision,
    side: Side,
    ticket: &Ticket,
    task: &Task,
    mapping: &Mapping,
) -> Vec<Conflict> {
    adopt(fields, decision);
    let mut conflicts = Vec::new();
    for field in mapping.mapped() {
        let Some(sent) = decision.writes.get(&(side, field.key.clone())) else { continue };
        let old = fields.get(&field.key).cloned().unwrap_or_default();
        let (z, c) = (field.lens.zendesk(ticket), field.lens.clickup(task));
        let done = is_done(&ticket.status, &task.status_type);
        let look = Look { ticket, task, list: &task.list, base: &old, done };
        let same = field.lens.same(&z, &c, &look);
        let on_other = decision.writes.get(&(side.other(), field.key.clone()));
        let other_now = if side == Side::Zendesk { &c } else { &z };
        if on_other.is_some_and(|other| !same && other.to_stored() != other_now.to_stored()) {
            fields.extend(
                half_written(field, decision, side, sent, &old).map(|base| (field.key.clone(), base)),
            );
            continue;
        }
        let written = Written { field, decision, side, old: &old, both: on_other.is_some() };
        let base = written.base(&z, &c, same, task);
        if base.z == old.z && base.c == old.c && base.parted == old.parted {
            // A repeated call: what the first one remembers of the write stays.
            continue;
        }
        if base.parted {
            let kept = if side == Side::Zendesk { &z } else { &c };
            conflicts.extend(rest(field, decision, &old, ticket, task, sent != kept));
        }
        fields.insert(field.key.clone(), base);
    }
    conflicts
}

/// The base of a set whose other side is still to be written: what the task was given, and what was taken from it, both
/// sides agree on. Whoever undoes it on the ticket before that is written, too, is right.
fn half_written(
    field: &Mapped,
    decision: &Decision,
    side: Side,
    sent: &Value,
    old: &FieldBase,
) -> Option<FieldBase> {
    let (_, seen) = decision.seen.get(&field.key).filter(|_| side == Side::Clickup)?;
    let (z, c) = with_own_moves(field.lens.members()?, old, seen, sent);
    Some(FieldBase { z: z.to_stored(), c: c.to_stored(), ..old.clone() })
}

/// The service refused the writes to `side` for good: the fields stay apart, each with a conflict, and
/// are tried again when a side moves.
pub fn after_refusal(
    fields: &mut LinkFields,
    decision: &Decision,
    side: Side,
    ticket: &Ticket,
    task: &Task,
    mapping: &Mapping,
) -> Vec<Conflict> {
    adopt(fields, decision);
    let mut conflicts = Vec::new();
    for field in mapping.mapped() {
        if !decision.writes.contains_key(&(side, field.key.clone())) {
            continue;
        }
        let old = fields.get(&field.key).cloned().unwrap_or_default();
        let rule = format!("{side} refused the value");
        conflicts.push(left_over(field, &old, ticket, task, ConflictCause::Refused, rule));
        let (z, c) = (field.lens.zendesk(ticket), field.lens.clickup(task));
        let (z, c) = decision.seen.get(&field.key).cloned().unwrap_or((z.to_stored(), c.to_stored()));
        fields.insert(field.key.clone(), FieldBase { z, c, parted: true, held: None, ..old });
    }
    conflicts
}

/// The conflict that explains what is left between two sides after a write: unless the decision has one
/// for exactly these values.
fn rest(
    field: &Mapped,
    decision: &Decision,
    old: &FieldBase,
    ticket: &Ticket,
    task: &Task,
    changed: bool,
) -> Option<Conflict> {
    let told = decision.conflicts.iter().rev().find(|conflict| conflict.field == field.key);
    let (cause, rule) = match told {
        _ if changed => (ConflictCause::Refused, "another value is kept than was sent".to_owned()),
        Some(told) if told.winner.is_none() => (told.cause, told.rule.clone()),
        _ => (ConflictCause::NoCounterpart, "both sides hold what they can".to_owned()),
    };
    let left = left_over(field, old, ticket, task, cause, rule);
    let exact = |known: &Conflict| {
        known.field == left.field && known.zendesk == left.zendesk && known.clickup == left.clickup
    };
    (!decision.conflicts.iter().any(exact)).then_some(left)
}

fn left_over(
    field: &Mapped,
    old: &FieldBase,
    ticket: &Ticket,
    task: &Task,
    cause: ConflictCause,
    rule: String,
) -> Conflict {
    Conflict {
        field: field.key.clone(),
        cause,
        base: old.z.clone(),
        zendesk: field.lens.whole_zendesk(ticket),
        clickup: field.lens.whole_clickup(task),
        winner: None,
        rule,
    }
}

/// A field that was just written.
struct Written<'a> {
    field: &'a Mapped,
    decision: &'a Decision,
    side: Side,
    old: &'a FieldBase,
    both: bool,
}

impl Written<'_> {
    fn base(&self, z: &Value, c: &Value, same: bool, task: &Task) -> FieldBase {
        let (zs, cs) = (z.to_stored(), c.to_stored());
        let (seen_z, seen_c) =
            self.decision.seen.get(&self.field.key).cloned().unwrap_or_else(|| (zs.clone(), cs.clone()));
        // The side that was not written may have moved on meanwhile: only what was seen was mirrored.
        let (base_z, base_c) = match (self.both, self.side) {
            (true, _) => (zs.clone(), cs.clone()),
            (false, Side::Zendesk) => (zs.clone(), seen_c.clone()),
            (false, Side::Clickup) => (seen_z.clone(), cs.clone()),
        };
        let moved_on = base_z != zs || base_c != cs;
        let (source_seen, before) = match self.side {
            Side::Zendesk => (&seen_c, &self.old.z),
            Side::Clickup => (&seen_z, &self.old.c),
        };
        // What a person decides is no sign of two machines at work: it ends a freeze.
        let calm = self.both || self.decision.asked.is_some();
        let undos = if calm { 0 } else { self.old.undos(self.side.other(), source_seen) };
        let last = LastWrite { side: self.side, before: before.clone(), undos };
        FieldBase {
            z: base_z,
            c: base_c,
            parted: !same && !moved_on,
            rounds: undos / 2,
            added: self.added(task),
            last: (!calm).then_some(last),
            held: None,
        }
    }

    fn added(&self, task: &Task) -> std::collections::BTreeSet<crate::ids::UserId> {
        if self.field.key != FieldKey::Assignee {
            return std::collections::BTreeSet::new();
        }
        let mut added = &self.old.added | &self.decision.late_people;
        if self.side == Side::Clickup {
            for write in &self.decision.clickup {
                if let TaskWrite::Fields(patch) = write {
                    added.extend(patch.assignees_add.iter().copied());
                }
            }
        }
        added.intersection(&task.assignees).copied().collect()
    }
}
