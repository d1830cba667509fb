//! Edits of people that were overwritten between our read and our write. Neither service compares and
//! sets; both tell afterwards what was there before: Zendesk in the audit of the reply, ClickUp in the
//! webhook of our own write.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::decision::{Conflict, ConflictCause, Decision};
use crate::field::{FieldKey, Value};
use crate::history::{Member, zendesk_audit};
use crate::ids::Side;
use crate::mapping::Mapping;
use crate::merge::set_value;
use crate::patch::TaskWrite;
use crate::records::{Task, Ticket};

/// Compares what an audit says was there before our write (`field_name`, `previous_value`) with the ticket
/// as it was read for the decision. What differs was somebody's edit, and nobody else will tell of it.
pub fn zendesk_lost(
    read: &Ticket,
    decision: &Decision,
    previous: &[(String, Json)],
    mapping: &Mapping,
) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    for (name, value) in previous {
        let Some((key, before)) = zendesk_audit(name, value, mapping) else { continue };
        let Some(written) = decision.writes.get(&(Side::Zendesk, key.clone())) else { continue };
        let Some(field) = mapping.field(&key) else { continue };
        let seen = field.lens.zendesk(read);
        if [&seen, written].into_iter().any(|known| alike(known, &before)) {
            continue;
        }
        conflicts.push(Conflict {
            field: key,
            cause: ConflictCause::LostUpdate,
            base: seen,
            zendesk: before,
            clickup: written.clone(),
            winner: Some(Side::Clickup),
            rule: BETWEEN.to_owned(),
        });
    }
    conflicts
}

/// Audits tell a status by its category only.
fn alike(known: &Value, before: &Value) -> bool {
    let category = match known {
        Value::Text(text) => text.split_once('#').map(|(category, _)| Value::Text(category.to_owned())),
        _ => None,
    };
    known.to_stored() == before.to_stored() || category.as_ref() == Some(before)
}

/// Why most are lost.
const BETWEEN: &str = "changed between our read and our write";

/// A value on the task that a write of ours replaced: it was read as `read`, and had become `lost`.
fn replaced(field: FieldKey, read: Value, written: Value, lost: Value, rule: &str) -> Conflict {
    Conflict {
        field,
        cause: ConflictCause::LostUpdate,
        base: read,
        zendesk: written,
        clickup: lost,
        winner: Some(Side::Zendesk),
        rule: rule.to_owned(),
    }
}

/// A set's members; nothing for what is no set.
pub fn members(value: &Value) -> Option<BTreeSet<String>> {
    match value {
        Value::Set(members) => Some(members.clone()),
        Value::Null => Some(BTreeSet::new()),
        _ => None,
    }
}

/// Members that came and went again when a write of ours was carried out once more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repeated {
    /// Whom somebody had taken away since the first time.
    pub came: BTreeSet<String>,
    /// Whom somebody had put back since.
    pub went: BTreeSet<String>,
}

/// What a write of ours adds comes once, and what it takes away goes once, unless somebody undid it and another sending
/// of the write came late. `told` are the members that came and went, and whether by us, the first one first; `written`
/// is what was sent. `None` where nothing was repeated.
pub fn clickup_repeated(told: &[(Member, bool)], written: &Value) -> Option<Repeated> {
    let sent = members(written)?;
    let mut repeated = Repeated::default();
    let (mut added, mut removed) = (BTreeSet::new(), BTreeSet::new());
    for (member, _) in told.iter().filter(|(_, is_ours)| *is_ours) {
        match member {
            Member::Came(who) => {
                removed.remove(who);
                if sent.contains(who) && !added.insert(who) {
                    repeated.came.insert(who.clone());
                }
            }
            Member::Went(who) => {
                added.remove(who);
                if !sent.contains(who) && !removed.insert(who) {
                    repeated.went.insert(who.clone());
                }
            }
        }
    }
    (repeated != Repeated::default()).then_some(repeated)
}

/// A value that somebody changed and put back, so that `read` looked as if nobody had touched it; `written` replaced it.
pub fn clickup_put_back_unseen(field: &FieldKey, read: &Value, written: &Value) -> Conflict {
    replaced(
        field.clone(),
        read.clone(),
        written.clone(),
        read.clone(),
        "changed and put back before our write",
    )
}

/// What people did between our read and our write, as the deliveries of both tell: whom they took away or put on as the
/// write wanted, so that it had nothing to do, and whom they put on besides. `told` as above; the set was read as `read`.
pub fn clickup_forestalled(
    field: &FieldKey,
    told: &[(Member, bool)],
    read: &Value,
    written: &Value,
) -> Option<Conflict> {
    let (read_set, sent) = (members(read)?, members(written)?);
    let ours = told.iter().position(|(_, is_ours)| *is_ours)?;
    let by_us = |member: &Member| told.iter().any(|(one, is_ours)| *is_ours && one == member);
    let mut before = read_set.clone();
    for (member, is_ours) in told {
        match member {
            Member::Went(who) if !is_ours && !sent.contains(who) && !by_us(member) => before.remove(who),
            Member::Came(who) if !is_ours && sent.contains(who) && !by_us(member) => {
                before.insert(who.clone())
            }
            _ => false,
        };
    }
    for (member, _) in &told[..ours] {
        match member {
            Member::Came(who) if !sent.contains(who) || read_set.contains(who) => before.insert(who.clone()),
            Member::Went(who) if !read_set.contains(who) || sent.contains(who) => before.remove(who),
            _ => false,
        };
    }
    if before == read_set || before == sent {
        return None;
    }
    Some(replaced(field.clone(), read.clone(), written.clone(), set_value(before), BETWEEN))
}

/// What the task had before our write was carried out once more.
pub fn clickup_lost_members(
    field: &FieldKey,
    repeated: &Repeated,
    written: &Value,
    task: &Task,
    mapping: &Mapping,
) -> Option<Conflict> {
    let mut before = members(&mapping.field(field)?.lens.clickup(task))?;
    before.retain(|who| !repeated.came.contains(who));
    before.extend(repeated.went.iter().cloned());
    Some(replaced(
        field.clone(),
        written.clone(),
        written.clone(),
        set_value(before),
        "undone before our write came late",
    ))
}

/// Whom people put on the task, or took off it, between our read (`read`) and our write, as its reply (`reply`) shows:
/// people are added and removed one by one, so nobody was overwritten, and nobody else will tell of it.
pub fn clickup_people_moved(
    read: &Task,
    decision: &Decision,
    reply: &Task,
    mapping: &Mapping,
) -> Option<Conflict> {
    let written = decision.writes.get(&(Side::Clickup, FieldKey::Assignee))?;
    let lens = &mapping.field(&FieldKey::Assignee)?.lens;
    let mut before = reply.assignees.clone();
    for write in &decision.clickup {
        let TaskWrite::Fields(patch) = write else { continue };
        before.retain(|who| !patch.assignees_add.contains(who) || read.assignees.contains(who));
        before.extend(patch.assignees_rem.iter().filter(|who| read.assignees.contains(who)));
    }
    if before == read.assignees {
        return None;
    }
    Some(replaced(
        FieldKey::Assignee,
        lens.clickup(read),
        written.clone(),
        lens.clickup(&Task { assignees: before, ..read.clone() }),
        BETWEEN,
    ))
}

/// Compares what the webhook of our own write says was there before (`before`) with what was read just
/// before writing (`read`); `written` is what was sent. All in ClickUp's form, stored or whole.
pub fn clickup_lost(field: &FieldKey, before: &Value, read: &Value, written: &Value) -> Option<Conflict> {
    if before.to_stored() == read.to_stored() || before.to_stored() == written.to_stored() {
        return None;
    }
    Some(replaced(field.clone(), read.clone(), written.clone(), before.clone(), BETWEEN))
}
