//! Whether both users are deskup's own. What deskup wrote it must not take for news, so a user that people work
//! with too hides their edits. Both services are asked for a week; how far the look reached is part of the answer.

use clients::{ClickUp, TaskQuery, Zendesk};
use domain::{Timestamp, UserId, footer};
use serde::Serialize;

use clients::ApiResult;

/// How far back a look goes.
const DAYS: i64 = 7;
const DAY_MS: i64 = 86_400_000;
/// Pages of the event export, a thousand updates each: Zendesk gives ten a minute to everybody together.
const EVENT_PAGES_MAX: usize = 5;
/// Pages of tasks, a hundred each.
const TASK_PAGES_MAX: u32 = 10;
/// Records that are named.
const EXAMPLES_MAX: usize = 3;

/// What a look at one side found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Looked {
    /// Updates (Zendesk) or tasks (ClickUp) that were looked at.
    pub looked_at: usize,
    /// Whether there was more than a look takes.
    pub cut_short: bool,
    /// Since when, in RFC 3339.
    pub since: String,
    /// How many of them somebody made with deskup's user.
    pub foreign: usize,
    /// A few of them.
    pub examples: Vec<Example>,
}

/// A record that somebody touched with deskup's user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// A ticket's number or a task's id.
    pub record: String,
    /// When, in RFC 3339.
    pub at: String,
}

impl Looked {
    fn since(now_ms: i64) -> Self {
        Self { since: Timestamp(now_ms - DAYS * DAY_MS).to_rfc3339(), ..Self::default() }
    }

    fn add(&mut self, record: String, at: Timestamp) {
        self.foreign += 1;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(Example { record, at: at.to_rfc3339() });
        }
    }

    /// The look in words; `what` is what was looked at.
    pub fn words(&self, what: &str) -> String {
        let cut = if self.cut_short { " (there were more)" } else { "" };
        format!("{} {what} since {}{cut}", self.looked_at, &self.since[..10])
    }
}

/// Updates of the last days by our user that carry no mark of deskup. Also the real test of the right to export.
pub async fn on_zendesk(zendesk: &Zendesk, me: UserId, now_ms: i64) -> ApiResult<Looked> {
    let mut looked = Looked::since(now_ms);
    let mut start_s = (now_ms - DAYS * DAY_MS) / 1_000;
    for page in 1..=EVENT_PAGES_MAX {
        let events = zendesk.export_ticket_events(start_s).await?;
        looked.looked_at += events.events.len() + events.unreadable.len();
        for event in events.events.iter().filter(|event| event.updater == Some(me) && !event.is_ours()) {
            looked.add(event.ticket.to_string(), event.at);
        }
        if events.end_of_stream || events.end_time_s <= start_s {
            break;
        }
        start_s = events.end_time_s;
        looked.cut_short = page == EVENT_PAGES_MAX;
    }
    Ok(looked)
}

/// ClickUp names nobody who changed a task, only who made it: tasks of the last days that our user made and that
/// carry no marker of deskup.
pub async fn on_clickup(clickup: &ClickUp, me: UserId, now_ms: i64) -> ApiResult<Looked> {
    let mut looked = Looked::since(now_ms);
    for page in 0..TASK_PAGES_MAX {
        let query = TaskQuery {
            updated_gt: Some(now_ms - DAYS * DAY_MS),
            order_by_updated: true,
            page,
            ..TaskQuery::default()
        };
        let tasks = clickup.team_tasks(&query).await?;
        looked.looked_at += tasks.tasks.len() + tasks.unreadable.len();
        for task in &tasks.tasks {
            if task.creator == me && footer::parse(&task.description).is_none() {
                looked.add(task.id.to_string(), task.updated);
            }
        }
        if tasks.last_page {
            break;
        }
        looked.cut_short = page + 1 == TASK_PAGES_MAX;
    }
    Ok(looked)
}
