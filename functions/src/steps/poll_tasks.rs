//! Reads tasks that moved since the watermark and hints those that differ from what their link knows.
//! ClickUp has no export and no cursor: the watermark overlaps, and what repeats is compared and dropped.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clients::TaskQuery;
use domain::{Side, Task, TaskId, TicketId, footer, task_moved};
use futures::FutureExt;
use futures::future::BoxFuture;
use orchestration::{ExecutionContext, StepExecutor, StepFailure};
use planted::Bug;
use statemachines::steps::{POLL_TASKS, PollOutput, PollTasksInput};
use stores::links::{Link, LinkState};
use stores::work::Hint;
use stores::{Lane, WorkKey};

use crate::sync::{broken, wants};
use crate::{Context, SyncError, queue};

/// The stream of the watermark, in unix milliseconds.
pub const STREAM: &str = "tasks";

/// How far each poll reaches back behind the watermark: lists show a change late.
const OVERLAP_MS: i64 = 5 * 60_000;

/// Pages one poll takes at most.
const PAGES_MAX: u32 = 10;

/// Tasks that polls of this process have found in step, by when they were changed: while they stay within the overlap
/// each poll lists them again, and nothing more need be asked of them.
#[derive(Debug, Default)]
pub struct Agreed(Mutex<BTreeMap<TaskId, i64>>);

impl Agreed {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<TaskId, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, task: &Task) -> bool {
        self.lock().get(&task.id) == Some(&task.updated.ms())
    }

    fn add(&self, task: &Task) {
        self.lock().insert(task.id.clone(), task.updated.ms());
    }

    fn forget_before(&self, ms: i64) {
        self.lock().retain(|_, updated_ms| *updated_ms >= ms);
    }
}

/// The step.
pub struct PollTasks(pub Arc<Context>);

impl StepExecutor for PollTasks {
    type Input = PollTasksInput;
    type Output = PollOutput;
    const NAME: &'static str = POLL_TASKS.name();

    fn run<'a>(
        &'a self,
        _input: PollTasksInput,
        run: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<PollOutput, StepFailure>> {
        poll(&self.0, run).map(|result| result.map_err(StepFailure::from)).boxed()
    }
}

async fn poll(cx: &Context, run: &ExecutionContext) -> Result<PollOutput, SyncError> {
    let mut output = PollOutput { hinted: 0, caught_up: false };
    let mut cursor = cx.checkpoints.cursor(STREAM).await?;
    let watermark_ms =
        cursor.as_ref().and_then(|c| c.text.parse::<i64>().ok()).unwrap_or_else(|| run.now_ms());
    let mut query = TaskQuery {
        updated_gt: Some(watermark_ms - OVERLAP_MS - 1),
        order_by_updated: true,
        reverse: true,
        lists: cx.mapping.lists(),
        ..TaskQuery::default()
    };
    let begun_ms = run.now_ms();
    let mut newest_ms = watermark_ms - OVERLAP_MS;
    for page in 0..PAGES_MAX {
        query.page = page;
        let tasks = cx.clickup(run).team_tasks(&query).await?;
        newest_ms = tasks.tasks.iter().map(|task| task.updated.ms()).fold(newest_ms, i64::max);
        if planted::is(Bug::CursorFirst) {
            broken::step_on(cx, STREAM, &mut cursor, &newest_ms.max(watermark_ms).to_string()).await?;
        }
        let fresh: Vec<&Task> = tasks.tasks.iter().filter(|task| !cx.agreed.has(task)).collect();
        output.hinted += hint_moved(cx, &fresh).await?;
        if tasks.last_page {
            output.caught_up = true;
            cx.store.pulses().looked(STREAM).await?;
            break;
        }
    }
    // Pages run from the oldest change on, so a poll that ended early has seen all before its newest: the next one goes on
    // there, as far as nothing is shown late any more. What lies within the overlap may be more than a poll takes.
    let next_ms = match output.caught_up {
        true => newest_ms.max(watermark_ms),
        false => (newest_ms + OVERLAP_MS).min(begun_ms).max(watermark_ms),
    };
    cx.agreed.forget_before(next_ms - OVERLAP_MS);
    let next = next_ms.to_string();
    if cursor.as_ref().map(|cursor| &cursor.text) != Some(&next) {
        cx.checkpoints.advance(STREAM, cursor.as_ref(), &next).await?;
    }
    cx.activity.polled(Side::Clickup, cx.now_ms());
    Ok(output)
}

async fn hint_moved(cx: &Context, tasks: &[&Task]) -> Result<u32, SyncError> {
    let mut owners: BTreeMap<&str, TicketId> = BTreeMap::new();
    for task in tasks {
        if let Some(pointer) = cx.store.links().pointer(&task.id).await? {
            owners.insert(task.id.as_str(), pointer.ticket);
        }
    }
    let tickets: Vec<TicketId> = owners.values().copied().collect();
    let links = cx.store.links().get_many(&tickets).await?;
    let (mut hinted, mut found) = (0, 0);
    for task in tasks {
        let asked: &[&str] = match owners.get(task.id.as_str()).and_then(|ticket| links.get(ticket)) {
            Some(link) if moved(cx, link, task) => &[wants::CLICKUP],
            Some(link) => {
                if link.state == LinkState::Linked {
                    cx.agreed.add(task);
                }
                continue;
            }
            // Ours by its marker, and nobody points to it: a create whose reply was lost.
            None if task.creator == cx.clickup_me() && footer::parse(&task.description).is_some() => {
                &[wants::TWIN]
            }
            None => continue,
        };
        let queue = queue::of_list(task.list.as_str());
        let hint = Hint {
            lane: Lane::Reconcile,
            delay_ms: cx.options.debounce_ms,
            wants: asked,
            event_ms: task.updated.ms(),
            queue: queue.as_deref(),
        };
        found += u32::from(cx.store.work().hint(&WorkKey::Task(task.id.clone()), hint).await?);
        hinted += 1;
    }
    cx.store.pulses().found(Side::Clickup, found).await?;
    Ok(hinted)
}

fn moved(cx: &Context, link: &Link, task: &Task) -> bool {
    match link.state {
        LinkState::Linked => {
            link.task.as_ref() == Some(&task.id)
                && task.updated.ms() != link.c_updated
                && task_moved(&link.fields, task, &cx.mapping)
        }
        LinkState::Suspended => link.task.as_ref() == Some(&task.id),
        LinkState::Intent | LinkState::Probe | LinkState::Closed | LinkState::Unlinked => false,
    }
}
