//! How long edits take to the other side, and how long due rows wait until somebody takes them: all in the world's time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{Lane, Side, TicketId};
use fastrand::Rng;
use serde_json::{Value as Json, json};
use simulators::Change;
use stores::work::Hint;
use stores::{Store, WorkKey};
use world::people::act::Action;

use crate::whole::Stage;

/// What people do in a while.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long.
    pub minutes: u64,
    /// Edits a minute, of both sides together.
    pub per_minute: u64,
    /// Where the instants come from.
    pub seed: u64,
}

/// After the last edit, until its copy must be there.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at the rows that wait.
const LOOK_MS: u64 = 500;
/// Rows of a lane that are looked at.
const ROWS_MAX: usize = 10_000;
/// An edit of fields, or a comment.
const COMMENTS_EVERY: u64 = 4;

/// An edit that somebody made.
struct Made {
    at_ms: i64,
    of: Side,
    /// Stands in its text and nowhere else.
    mark: String,
}

/// How long the edits of a while took, ms, in order. Those that never came are missing.
#[derive(Clone, Debug, Default)]
pub struct Took {
    /// Every edit that arrived.
    pub ms: Vec<i64>,
    /// Edits that did not.
    pub lost: Vec<String>,
}

impl Took {
    /// So many of a hundred took no longer.
    pub fn percentile(&self, percent: usize) -> i64 {
        let rank = (self.ms.len() * percent).div_ceil(100).max(1);
        self.ms.get(rank - 1).copied().unwrap_or(i64::MAX)
    }
}

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} edits:", self.ms.len())?;
        for percent in [1, 25, 50, 75, 90, 95, 99, 100] {
            write!(f, "  {percent} % {} ms", self.percentile(percent))?;
        }
        write!(f, ", {} did not arrive", self.lost.len())
    }
}

impl Stage {
    /// People edit pairs on both sides at random instants. How long each edit took until the other service held it.
    pub async fn edits_at(&self, pairs: &[(u64, String)], pace: Pace) -> Took {
        let (zendesk, clickup) = (self.world.zendesk(), self.world.clickup());
        let seen = (newest(&zendesk.changes()), newest(&clickup.changes()));
        let mut random = Rng::with_seed(pace.seed);
        let begun_ms = self.world.now_ms();
        let span_ms = i64::try_from(pace.minutes * 60_000).unwrap_or(i64::MAX);
        let mut instants: Vec<i64> =
            (0..pace.minutes * pace.per_minute).map(|_| begun_ms + random.i64(0..span_ms)).collect();
        instants.sort_unstable();
        // In turn, so that no edit replaces another before that is copied.
        let mut turns = pairs.to_vec();
        random.shuffle(&mut turns);
        let mut made = Vec::new();
        for ((at_ms, number), (ticket, task)) in instants.into_iter().zip(0_u64..).zip(turns.iter().cycle()) {
            let left = u64::try_from(at_ms - self.world.now_ms()).unwrap_or(0);
            tokio::time::sleep(Duration::from_millis(left)).await;
            let mark = format!("[{}-{number}]", pace.seed);
            let of = if random.bool() { Side::Zendesk } else { Side::Clickup };
            let comment = random.u64(0..COMMENTS_EVERY) == 0;
            made.push(Made { at_ms: self.world.now_ms(), of, mark: mark.clone() });
            match (of, comment) {
                (Side::Zendesk, false) => self.on_ticket(*ticket, json!({ "subject": mark }), &mark).await,
                (Side::Zendesk, true) => {
                    let comment = json!({ "comment": { "body": mark, "public": true } });
                    self.on_ticket(*ticket, comment, &mark).await;
                }
                (Side::Clickup, false) => {
                    self.on_task(task, Action::Task(json!({ "name": mark })), &mark).await;
                }
                (Side::Clickup, true) => self.on_task(task, Action::TaskComment(mark.clone()), &mark).await,
            }
        }
        tokio::time::sleep(PATIENCE).await;
        let rules = self.world.rules();
        let ours = |change: &Change| [rules.zendesk_sync, rules.clickup_sync].contains(&change.actor);
        let of = |mut changes: Vec<Change>| {
            changes.retain(ours);
            changes
        };
        arrivals(&made, &of(zendesk.changes_after(seen.0)), &of(clickup.changes_after(seen.1)))
    }
}

fn newest(changes: &[Change]) -> u64 {
    changes.last().map_or(0, |change| change.seq)
}

fn arrivals(made: &[Made], zendesk: &[Change], clickup: &[Change]) -> Took {
    let copies = |changes: &[Change]| -> BTreeMap<String, i64> {
        let marks = changes.iter().rev().filter_map(|change| Some((mark_in(&change.after)?, change.at_ms)));
        marks.collect()
    };
    let (on_zendesk, on_clickup) = (copies(zendesk), copies(clickup));
    let mut took = Took::default();
    for edit in made {
        let there = if edit.of == Side::Zendesk { &on_clickup } else { &on_zendesk };
        match there.get(&edit.mark) {
            Some(at_ms) => took.ms.push(at_ms - edit.at_ms),
            None => took.lost.push(format!("{:?} {} of {}", edit.of, edit.mark, edit.at_ms)),
        }
    }
    took.ms.sort_unstable();
    took
}

/// The edit that a value tells of.
fn mark_in(value: &Json) -> Option<String> {
    let text = value.to_string();
    let from = text.find('[')?;
    let to = from + text[from..].find(']')?;
    Some(text[from..=to].to_owned())
}

/// The longest that a row of each lane waited, ms, and how many rows waited at all.
#[derive(Clone, Default)]
pub struct Waits(Arc<Mutex<Seen>>);

type Seen = BTreeMap<Lane, (i64, BTreeSet<String>)>;

impl Waits {
    /// Looks at the rows of all lanes until it is dropped.
    pub async fn watch(self, store: Store) {
        loop {
            for lane in Lane::ALL {
                let now_ms = store.now_ms();
                let view = store.work().due(lane, ROWS_MAX).await.expect("the store can be read");
                let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let (longest_ms, rows) = all.entry(lane).or_default();
                for row in view.rows {
                    *longest_ms = (*longest_ms).max(now_ms - row.at_ms());
                    rows.insert(row.ds);
                }
            }
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
        }
    }

    /// By lane.
    pub fn longest_ms(&self) -> BTreeMap<Lane, i64> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(lane, (longest_ms, _))| (*lane, *longest_ms)).collect()
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (lane, (longest_ms, rows)) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let (bound_ms, rows) = (lane.bound_ms(), rows.len());
            writeln!(f, "  {lane}: {rows} rows seen waiting, {longest_ms} ms at most (bound {bound_ms} ms)")?;
        }
        Ok(())
    }
}

/// Each minute somebody asks that one record of each of these lanes is looked at.
pub async fn ask(stage: &Stage, pairs: &[(u64, String)], lanes: &[Lane]) {
    let mut turns = pairs.iter().cycle();
    loop {
        for (lane, (ticket, _)) in lanes.iter().copied().zip(turns.by_ref()) {
            let record = WorkKey::Ticket(TicketId::new(*ticket).expect("a ticket has a number"));
            let hint = Hint { lane, delay_ms: 0, wants: &["z", "c"], event_ms: 0, queue: None };
            stage.store.work().hint(&record, hint).await.expect("the store can be written");
            stage.deskup.local().expect("it is prepared").dispatcher.wake();
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}
