//! What is set aside, grouped by what is behind it.

use std::collections::BTreeMap;

use serde::Serialize;
use stores::Store;
use stores::quarantine::Quarantined;

use super::time;

/// Records that failed alike.
#[derive(Clone, Debug, Serialize)]
pub struct GroupView {
    /// The cause's fixed name.
    pub cause: String,
    /// What they have in common beyond the cause: service, code and call.
    pub fingerprint: String,
    /// How many.
    pub count: usize,
    /// What was attempted where, and what the service said: of the newest that knows.
    pub what: Option<String>,
    /// When the first of them was set aside.
    pub since: String,
    /// When the newest was set aside.
    pub last: String,
    /// What to do.
    pub advice: &'static str,
    /// The records, the newest first.
    pub records: Vec<RecordView>,
}

impl GroupView {
    /// Whether all its records are of this kind.
    pub fn is_of(&self, kind: &str) -> bool {
        self.records.iter().all(|record| record.record.starts_with(kind))
    }
}

/// A record that is set aside.
#[derive(Clone, Debug, Serialize)]
pub struct RecordView {
    /// `ticket 12` or `task 868f9p6ad`.
    pub record: String,
    /// Which part of it, where it is not the whole.
    pub part: Option<String>,
    /// The cause's fixed name.
    pub cause: String,
    /// What it has in common with others.
    pub fingerprint: String,
    /// What was attempted where, and what the service said, where it is known.
    pub what: Option<String>,
    /// Failed attempts before.
    pub attempts: u32,
    /// When it was set aside.
    pub at: String,
    /// What to do.
    pub advice: &'static str,
}

/// A row as a view.
pub fn view(row: &Quarantined) -> RecordView {
    RecordView {
        record: match &row.record {
            stores::WorkKey::Ticket(ticket) => format!("ticket {ticket}"),
            stores::WorkKey::Task(task) => format!("task {task}"),
        },
        part: row.part.clone(),
        cause: row.cause.clone(),
        fingerprint: row.fingerprint.clone(),
        what: row.what.as_deref().map(crate::terminal::plain),
        attempts: row.attempts,
        at: time(row.at_ms),
        advice: advice(&row.cause),
    }
}

/// All groups, the largest first.
pub async fn groups(store: &Store, limit: usize) -> anyhow::Result<Vec<GroupView>> {
    let mut rows = store.quarantine().list(limit).await?;
    rows.sort_by_key(|row| std::cmp::Reverse(row.at_ms));
    let mut by: BTreeMap<(String, String), Vec<Quarantined>> = BTreeMap::new();
    for row in rows {
        by.entry((row.cause.clone(), row.fingerprint.clone())).or_default().push(row);
    }
    let mut groups: Vec<GroupView> = by
        .into_iter()
        .map(|((cause, fingerprint), rows)| GroupView {
            advice: advice(&cause),
            count: rows.len(),
            what: rows.iter().find_map(|row| row.what.as_deref().map(crate::terminal::plain)),
            since: rows.last().map(|row| time(row.at_ms)).unwrap_or_default(),
            last: rows.first().map(|row| time(row.at_ms)).unwrap_or_default(),
            records: rows.iter().map(view).collect(),
            cause,
            fingerprint,
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    Ok(groups)
}

/// What to do about a cause. The names are those of `SyncError::cause`: the service with its code or status.
pub fn advice(cause: &str) -> &'static str {
    let has = |part: &str| cause.contains(part);
    match cause {
        "clickup_no_status" => {
            "give the list this status again, or name another in [status] of deskup.toml, then retry the group"
        }
        "clickup_no_list" => {
            "share the list with deskup's user, restore it, or route its tickets elsewhere, then retry the group"
        }
        "clickup_no_field" => {
            "give the list this field again, or take it out of deskup.toml, then retry the group"
        }
        "clickup_no_person" => {
            "invite this person again, or assign the tickets to somebody else, then retry the group"
        }
        "clickup_subcat_900" => "the list is full: archive tasks or route to another list, then retry",
        "store" => "the state could not be written or read: look at the log, make room, then retry",
        "create_unanswered" => {
            "ClickUp never said whether it made the task, and none was found: retry once it answers"
        }
        "busy" => "the record kept moving for over an hour: retry when it is calm",
        "bad_key" => "a row of the state is damaged: report it with the log",
        _ if has("_401") || has("oauth_0") || has("_403") || has("team_0") => {
            "deskup's user may not do this: check its role and token (`deskup check`), then retry"
        }
        _ if has("_404") => {
            "a list, field or person is gone: compare the mapping (`deskup check`), then retry"
        }
        _ if has("_422") || has("recordinvalid") || has("_400") => {
            "the service refused the record as it is: look at it there (required fields, triggers), then retry"
        }
        _ if has("_429") => "the service was busy for over an hour: retry later",
        _ if has("_5") || has("_failed") => {
            "the service failed for over an hour: see its status page, then retry"
        }
        _ => "look at the log for this record, mend what it names, then retry",
    }
}
