//! The judge: computes from the services' own contents and logs whether both sides say the same, whether
//! anything was lost, doubled or leaked, and what it cost. It reads deskup's conflict rows, because a row
//! that a person can see is the one excuse; deskup's counters it never looks at.

pub mod calls;
pub mod canon;
pub mod converged;
pub mod edits;
mod fate;
pub mod history;
pub mod leaks;
pub mod pairs;
pub mod records;
pub mod rules;
pub mod talk;
pub mod testimony;
pub mod verdict;
pub mod writes;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod planted;

use domain::Side;

pub use rules::Rules;
pub use testimony::{Mark, Testimony};
pub use verdict::{Details, Exempted, Verdict};

use edits::{Fate, Judged};
use history::History;
use pairs::Pairs;

/// Judges a world.
pub fn judge(testimony: &Testimony) -> (Verdict, Details) {
    let pairs = Pairs::read(testimony);
    let history = History::read(&testimony.rules, &testimony.zendesk_changes, &testimony.clickup_changes);
    let convergence = converged::compare(testimony, &pairs);
    let judged = edits::judge(testimony, &pairs, &history);
    let copied_twice = talk::copied_twice(testimony, &pairs);
    let leaks = leaks::find(testimony, &pairs);
    let writes = writes::attribute(testimony, &pairs, &judged);
    let spent = calls::spent(testimony);
    let tickets = pairs.tickets.len() as u64;
    let ours = |id: &&String| pairs.tasks.get(*id).is_some_and(|task| !task.archived);
    let count = |fate: Fate| judged.iter().filter(|case| case.fate == fate).count() as u64;
    let verdict = Verdict {
        tickets,
        tasks: pairs.ticket_of.keys().filter(ours).count() as u64 + pairs.duplicates.len() as u64,
        linked: linked(testimony, &pairs),
        converged_percent: percent(convergence.converged, tickets),
        duplicates: (pairs.duplicates.len() + copied_twice.len() + pairs.adopted.len()) as u64,
        twins_seen: pairs.seconds_ever,
        lost: count(Fate::Lost),
        unprovable: count(Fate::Unprovable),
        unmirrorable: judged.iter().filter(|case| case.unmirrorable.is_some()).count() as u64,
        leaked_internal: leaks.len() as u64,
        conflicts: testimony.kept.conflicts.len() as u64,
        edits: judged.len() as u64,
        writes: writes.total,
        writes_per_edit: round(writes.per_edit()),
        silence: writes.after_settled.len() as u64,
        calls_per_new_ticket: round(per(spent.backfill, tickets)),
        least_calls_per_new_ticket: round(calls::least_per_new_ticket(tickets)),
        talk_calls: spent.talk,
        prepare_calls: spent.prepare,
        live_calls: spent.live,
        api_calls: spent.all.clone(),
        touched_foreign: foreign_writes(testimony, &pairs).len() as u64,
        quarantined: testimony.kept.quarantined.len() as u64,
        transitions: testimony.effort.transitions_total(),
        executions: testimony.effort.executions_total(),
        state_file: testimony.state_file.clone(),
        seed: testimony.seed,
    };
    let details = Details {
        exempted: judged.iter().filter_map(exempted).collect(),
        lost: judged.iter().filter(|case| case.fate == Fate::Lost).map(|case| case.edit.clone()).collect(),
        differences: convergence.differences,
        duplicate_tasks: pairs.duplicates.clone(),
        adopted: pairs.adopted.clone(),
        copied_twice,
        leaks,
        foreign_writes: foreign_writes(testimony, &pairs),
        fields_explained: convergence.explained,
        judged,
        writes,
    };
    (verdict, details)
}

/// Tickets whose link names a task that deskup made for them and that is still there.
fn linked(testimony: &Testimony, pairs: &Pairs) -> u64 {
    let links = &testimony.kept.links;
    let holds = |(ticket, link): (&domain::TicketId, &crate::deskup::LinkSeen)| {
        pairs.task_of.get(&ticket.to_string()).is_some_and(|task| task == link.task.as_str())
            && pairs.tasks.contains_key(link.task.as_str())
    };
    links.iter().filter(|entry| holds(*entry)).count() as u64
}

/// Tasks that deskup did not make and yet changed.
fn foreign_writes(testimony: &Testimony, pairs: &Pairs) -> Vec<String> {
    let sync = testimony.rules.sync_user(Side::Clickup);
    let made: std::collections::BTreeSet<&str> = testimony
        .clickup_changes
        .iter()
        .filter(|change| change.field == "created" && change.actor == sync && !pairs::is_copy(&change.after))
        .map(|change| change.record.as_str())
        .collect();
    testimony
        .clickup_changes
        .iter()
        .filter(|change| change.actor == sync && change.field != "created")
        .filter(|change| {
            !made.contains(change.record.as_str()) && !pairs.ticket_of.contains_key(&change.record)
        })
        .map(|change| format!("{} {}", change.record, change.field))
        .collect()
}

fn exempted(case: &Judged) -> Option<Exempted> {
    let (class, why) = match (case.fate, case.unmirrorable) {
        (Fate::Lost, _) => return None,
        (_, Some(why)) => ("unmirrorable", why),
        (Fate::Kept, None) => ("kept", "both sides changed it; a conflict row holds this value"),
        (Fate::Superseded, None) => ("superseded", "a person changed it again on the same side"),
        (Fate::NotWanted, None) => ("not_wanted", "the mapping keeps internal notes in Zendesk"),
        (Fate::Unprovable, None) if case.refused > 0 => {
            ("unprovable", "overwritten by a write whose webhook came only while deskup was down")
        }
        (Fate::Unprovable, None) => {
            ("unprovable", "overwritten by a write whose webhook was never delivered")
        }
        (Fate::NoCounterpart, None) => ("no_counterpart", "one of the two was deleted"),
        (Fate::Mirrored, None) => return None,
    };
    let edit = &case.edit;
    Some(Exempted {
        id: edit.id.clone(),
        class,
        why: why.to_owned(),
        ticket: edit.ticket.clone(),
        field: edit.field.key(),
        side: edit.side,
    })
}

/// Rounded down: 100 means all.
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 100.0 } else { (part as f64 * 10_000.0 / whole as f64).floor() / 100.0 }
}

fn per(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn round(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}
