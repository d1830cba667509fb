//! One field at one moment: both values, what moved, and the plan that is made of it.

use super::sets;
use crate::decision::{Conflict, ConflictCause, Evidence, FieldBase, Landed};
use crate::field::Value;
use crate::ids::{Side, Timestamp};
use crate::lens::Look;
use crate::lens::assignee::person_of;
use crate::mapping::Mapped;
use crate::merge::{Choice, Rule, Times, choose};
use crate::settings::Direction;

/// What is planned for one field.
#[derive(Default)]
pub(super) struct Plan {
    pub zendesk: Option<Value>,
    pub clickup: Option<Value>,
    pub base: Option<FieldBase>,
    pub conflicts: Vec<Conflict>,
    pub why: String,
    pub note: Option<String>,
    /// The task is archived: all else about the field waits until it is back.
    pub held: bool,
}

impl Plan {
    pub fn quiet(why: impl Into<String>) -> Self {
        Plan { why: why.into(), ..Plan::default() }
    }

    pub fn write(&mut self, side: Side, value: Value) {
        match side {
            Side::Zendesk => self.zendesk = Some(value),
            Side::Clickup => self.clickup = Some(value),
        }
    }
}

/// One field at one moment.
pub(super) struct State<'a> {
    pub field: &'a Mapped,
    pub look: Look<'a>,
    pub z: Value,
    pub c: Value,
    /// Changed by somebody else than deskup since both agreed.
    pub z_moved: bool,
    pub c_moved: bool,
    /// Changed by somebody in a way that the other side does not show.
    pub z_unseen: bool,
    pub c_unseen: bool,
    /// A late arrival of a write of ours.
    pub z_ours: bool,
    pub c_ours: bool,
    /// What was there just before such a write, where that is known.
    pub z_before: Option<Value>,
    pub c_before: Option<Value>,
    /// Writes of ours that were carried out and are not in the base.
    pub landed: Vec<Landed>,
    times: Times,
}

impl<'a> State<'a> {
    pub fn new(field: &'a Mapped, look: Look<'a>, evidence: &Evidence) -> Self {
        let z = field.lens.zendesk(look.ticket);
        let c = field.lens.clickup(look.task);
        let (zs, cs) = (z.to_stored(), c.to_stored());
        let base = look.base;
        let own = |side: Side, value: &Value| {
            let key = &field.key;
            evidence.own.iter().any(|(s, k, v)| *s == side && k == key && v.to_stored() == *value)
        };
        let (z_new, c_new) = (zs != base.z, cs != base.c);
        let (z_ours, c_ours) = (z_new && own(Side::Zendesk, &zs), c_new && own(Side::Clickup, &cs));
        let (z_new, c_new) = (z_new && !z_ours, c_new && !c_ours);
        // A change that the other side cannot show (new to open, both "to do") beats nothing there.
        let shown = |agreed: &Value, same: bool| base.parted || matches!(agreed, Value::Hash(_)) || !same;
        let mut z_moved = z_new && shown(&base.c, field.lens.same(&z, &base.c, &look));
        let mut c_moved = c_new && shown(&base.z, field.lens.same(&base.z, &c, &look));
        if !z_moved && !c_moved {
            (z_moved, c_moved) = (z_new, c_new);
        }
        let at = |side| evidence.changed.get(&(side, field.key.clone())).copied();
        let before = |side| {
            let found = evidence.own_before.iter().rev().find(|(s, k, _)| *s == side && *k == field.key);
            found.map(|(_, _, value)| value.clone())
        };
        let (z_before, c_before) = (before(Side::Zendesk), before(Side::Clickup));
        let times = Times { zendesk: at(Side::Zendesk), clickup: at(Side::Clickup) };
        // Somebody changed it and put it back, after all that the other record has seen; where nothing tells when that
        // moved, after both were last looked at.
        let since = |side, now: &Value, updated: Timestamp| {
            let to = evidence.changed_to.get(&(side, field.key.clone()));
            let told = at(side).filter(|_| to.is_none_or(|to| to.to_stored() == *now));
            told.unwrap_or_else(|| evidence.looked.map_or(updated, |looked| looked.min(updated)))
        };
        // Or a write of ours changed it, of which we do not know yet, and somebody put it back.
        let after_ours = |side: Side| {
            let sent = evidence.own_sent.get(&(side, field.key.clone()));
            sent.is_some_and(|sent| at(side).is_some_and(|at| at > *sent))
        };
        let landed: Vec<Landed> =
            evidence.landed.iter().filter(|one| one.field == field.key).cloned().collect();
        let after_landed = |side| is_after_landed(landed.last(), field, side, (&z, &c), &look);
        let after = |side, t: Timestamp| at(side).is_some_and(|at| at > t);
        let z_put_back = c_new
            && zs == base.z
            && (after(Side::Zendesk, since(Side::Clickup, &cs, look.task.updated))
                || after_ours(Side::Zendesk)
                || after_landed(Side::Zendesk));
        let c_put_back = z_new
            && cs == base.c
            && (after(Side::Clickup, since(Side::Zendesk, &zs, look.ticket.updated))
                || after_ours(Side::Clickup)
                || after_landed(Side::Clickup));
        let (z_unseen, c_unseen) = (z_new && !z_moved || z_put_back, c_new && !c_moved || c_put_back);
        State {
            field,
            look,
            z,
            c,
            z_moved,
            c_moved,
            z_unseen,
            c_unseen,
            z_ours,
            c_ours,
            z_before,
            c_before,
            landed,
            times,
        }
    }

    pub fn base(&self) -> &FieldBase {
        self.look.base
    }

    pub fn value(&self, side: Side) -> &Value {
        match side {
            Side::Zendesk => &self.z,
            Side::Clickup => &self.c,
        }
    }

    /// Whether a write to this side replaces an edit that was not seen on the other. People who join a
    /// task are not replaced: they stay.
    pub fn replaces_unseen(&self, side: Side) -> bool {
        match side {
            // While the task was archived the ticket moved, and may have moved back to where it was.
            Side::Zendesk => self.z_unseen || self.base().held.is_some(),
            Side::Clickup => self.c_unseen && !matches!(self.c, Value::Set(_)),
        }
    }

    pub fn same(&self) -> bool {
        self.field.lens.same(&self.z, &self.c, &self.look)
    }

    /// Who wins; a field that goes one way belongs to the side it comes from.
    pub fn choice(&self) -> Choice {
        match self.field.direction {
            Direction::ToClickup => choose(Rule::Owner(Side::Zendesk), self.times),
            Direction::ToZendesk => choose(Rule::Owner(Side::Clickup), self.times),
            Direction::Both | Direction::Off => choose(self.field.rule, self.times),
        }
    }

    pub fn conflict(&self, cause: ConflictCause, winner: Option<Side>, rule: impl Into<String>) -> Conflict {
        Conflict {
            field: self.field.key.clone(),
            cause,
            base: self.base().z.clone(),
            zendesk: self.field.lens.whole_zendesk(self.look.ticket),
            clickup: self.field.lens.whole_clickup(self.look.task),
            winner,
            rule: rule.into(),
        }
    }

    /// Both sides' values are fine as they are.
    pub fn adopt(&self) -> Plan {
        let base = self.base();
        let (z, c) = (self.z.to_stored(), self.c.to_stored());
        if base.z == z && base.c == c && !base.parted && base.held.is_none() {
            return Plan::quiet("both sides hold what they last agreed on");
        }
        let mut agreed = FieldBase::agreed(z, c);
        agreed.added = self.still_added();
        // What a person made equal is no sign of two machines at work, so the last write is forgotten.
        Plan { base: Some(agreed), ..Plan::quiet("both sides hold the same") }
    }

    /// Each side keeps its own, and a conflict says so.
    pub fn apart(&self, cause: ConflictCause, rule: impl Into<String>, why: &str) -> Plan {
        let conflict = self.conflict(cause, None, rule);
        let why = format!("each side keeps its own: {why}");
        Plan { conflicts: vec![conflict], base: Some(self.parted()), ..Plan::quiet(why) }
    }

    pub fn parted(&self) -> FieldBase {
        FieldBase {
            z: self.z.to_stored(),
            c: self.c.to_stored(),
            parted: true,
            rounds: self.base().rounds,
            added: self.still_added(),
            last: self.base().last.clone(),
            held: None,
        }
    }

    fn still_added(&self) -> std::collections::BTreeSet<crate::ids::UserId> {
        self.base().added.intersection(&self.look.task.assignees).copied().collect()
    }

    /// The task is archived: said once, and written when it is back.
    pub fn hold(&self) -> Plan {
        let both = Value::Text(format!("{}{}", self.z.fingerprint(), self.c.fingerprint()));
        let mark = both.fingerprint();
        let why = "the task is archived; Zendesk's value is written when it is back";
        if self.base().held.as_ref() == Some(&mark) {
            return Plan { held: true, ..Plan::quiet(why) };
        }
        let conflict = self.conflict(ConflictCause::Refused, None, "the task is archived");
        let base = FieldBase { held: Some(mark), ..self.settled_late() };
        Plan { conflicts: vec![conflict], base: Some(base), held: true, ..Plan::quiet(why) }
    }

    /// The base, as if the reply of a late write to the task had come in time: once the write is too old
    /// to be remembered, its value must not look like a person's.
    fn settled_late(&self) -> FieldBase {
        let base = self.base().clone();
        if !self.c_ours {
            return base;
        }
        let (z, c) = match (self.field.lens.members(), &self.c_before) {
            (Some(members), Some(before)) => sets::with_own_moves(members, &base, before, &self.c),
            (Some(_), None) => (base.z.clone(), base.c.clone()),
            (None, _) => {
                let sent = self.field.lens.to_zendesk(&self.c, &self.z, &self.look);
                (sent.unwrap_or_else(|_| self.c.clone()), self.c.clone())
            }
        };
        FieldBase { z: z.to_stored(), c: c.to_stored(), ..base }
    }

    /// Both sides keep undoing each other: nobody is written any more until they agree.
    pub fn freeze(&self) -> Plan {
        let plan = self.apart(ConflictCause::Oscillation, "two rounds", "both keep undoing each other");
        let base = plan.base.map(|base| FieldBase { rounds: UNDO_ROUNDS, ..base });
        Plan { base, ..plan }
    }

    /// The plan of a frozen field.
    pub fn frozen(&self) -> Option<Plan> {
        let base = self.base();
        if base.rounds < UNDO_ROUNDS {
            return None;
        }
        let still = self.z.to_stored() == base.z && self.c.to_stored() == base.c;
        Some(if still { Plan::quiet("frozen: both sides kept undoing each other") } else { self.freeze() })
    }

    /// Whether mirroring this side now would be the last of two rounds of undoing.
    pub fn oscillates(&self, source: Side) -> bool {
        self.base().undos(source, &self.value(source).to_stored()) >= super::UNDOS_MAX
    }

    /// For sentences: a person or a value, never text.
    pub fn describe(&self, side: Side) -> String {
        let moved = match side {
            Side::Zendesk => self.z_moved,
            Side::Clickup => self.c_moved,
        };
        let who = match person_of(self.value(side)) {
            Some(id) if self.field.key == crate::field::FieldKey::Assignee => format!(" to {id}"),
            _ => String::new(),
        };
        if moved { format!("changed in {side}{who}") } else { format!("{side}'s value stands") }
    }
}

/// Whether a side holds something else than an answered write of ours left there, or than it had when that was written to
/// the other side.
fn is_after_landed(
    newest: Option<&Landed>,
    field: &Mapped,
    side: Side,
    (z, c): (&Value, &Value),
    look: &Look<'_>,
) -> bool {
    newest.is_some_and(|newest| match (newest.side, side) {
        (Side::Zendesk, Side::Clickup) => !field.lens.same(&newest.after, c, look),
        (Side::Clickup, Side::Zendesk) => !field.lens.same(z, &newest.after, look),
        (Side::Zendesk, Side::Zendesk) => newest.after.to_stored() != z.to_stored(),
        (Side::Clickup, Side::Clickup) => newest.after.to_stored() != c.to_stored(),
    })
}

const UNDO_ROUNDS: u8 = super::UNDOS_MAX / 2;
