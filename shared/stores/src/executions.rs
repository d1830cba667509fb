//! Progress of an execution: `{i}#X#{execution}` / `STATE`; index `list` by month; 90 days. A long input is a text beside it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::row::{Kind, Row, expires, json, number, padded, text};
use crate::store::Store;
use crate::table::{Key, Query, Range, Write, Wrote};
use crate::texts;

/// What is known of an execution while it runs and after.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExecutionRow {
    /// Its id.
    pub id: String,
    /// The workflow's name.
    pub workflow: String,
    /// `Standard` or `Express`.
    pub kind: String,
    /// Hash of the compiled definition.
    pub definition: String,
    /// What started it.
    pub trigger: String,
    /// On whose behalf.
    pub actor: String,
    /// `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`.
    pub status: String,
    /// Anything countable.
    pub counts: BTreeMap<String, u64>,
    /// The state it is in.
    pub step: String,
    /// Failures by name.
    pub failures: BTreeMap<String, u64>,
    /// Progress, where it can be known.
    pub percent: Option<f64>,
    /// State transitions so far.
    pub transitions: u64,
    /// When it started, ms.
    pub started_ms: i64,
    /// When it ended, ms.
    pub ended_ms: Option<i64>,
    /// When this row was last written, ms.
    pub updated_ms: i64,
    /// The failure's name.
    pub error: Option<String>,
    /// The failure's cause.
    pub cause: Option<String>,
    /// Input, as JSON; of a long one the row says the size, and [`Executions::input`] gives all of it.
    pub input: String,
    /// Output, as JSON.
    pub output: Option<String>,
    /// The execution it redrives.
    pub redrive_of: Option<String>,
    /// Where its steps look for answers that stand: the execution it redrives, the one that one redrove, and so on.
    pub answers_from: Vec<String>,
    /// The execution that redrives it.
    #[serde(skip)]
    pub redriven_by: Option<String>,
    /// The priority lane of its calls, where it is not the workflow's own.
    pub lane: String,
    /// Whether a person wants it to end: its steps refuse to begin.
    #[serde(skip)]
    pub stopping: bool,
}

/// The failure's name of an execution that ended with its process.
pub const ABANDONED: &str = "Abandoned";

/// Which ended executions are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Only those of this workflow.
    pub workflow: Option<String>,
    /// Only those with this failure's name.
    pub error: Option<String>,
    /// Only those that began then or later, ms.
    pub since_ms: i64,
}

impl Ended {
    /// Whether a row is meant: it failed or ran out of time, and nothing redrives it. What a person stopped is no
    /// failure, and the work of what ended with its process comes back by itself; a redrive that did so goes on.
    pub fn takes(&self, row: &ExecutionRow) -> bool {
        let broke_off = row.redrive_of.is_some() && row.error.as_deref() == Some(ABANDONED);
        (broke_off || ["FAILED", "TIMED_OUT"].contains(&row.status.as_str()))
            && row.redriven_by.is_none()
            && row.started_ms >= self.since_ms
            && self.workflow.as_ref().is_none_or(|workflow| *workflow == row.workflow)
            && self.error.as_ref().is_none_or(|error| Some(error) == row.error.as_ref())
    }
}

/// A part of an execution that nobody but its steps can describe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// It has so many parts; one, where nobody says.
    Of(usize),
    /// The part of this name is done; saying so twice changes nothing.
    Done(String),
    /// The last part is done, whatever the others say.
    Last,
}

/// Operations on executions.
pub struct Executions<'a> {
    pub(crate) store: &'a Store,
}

impl Executions<'_> {
    /// Progress is written at most this often.
    pub const UPDATE_EVERY_MS: i64 = 1_000;

    /// A new execution; `Stale` if the id is taken.
    pub async fn put(&self, row: &ExecutionRow) -> Result<(), StoreError> {
        let now = self.store.now_ms();
        let partition = self.store.shard_pk(&format!("EXEC#{}", month(row.started_ms)), &row.id);
        let mut write = fields(Write::put_new(KIND, &self.key(&row.id)), row, now)?;
        if row.input.len() > INPUT_BYTES_MAX {
            // First the text: a row never names one that is not there.
            let exp = now / 1_000 + DAYS * 86_400;
            let hash = texts::keep(self.store, &self.key(&row.id).pk, &row.input, Some(exp)).await?;
            write = write.set("input_kept", text(hash));
        }
        let write = write
            .set("lp", text(partition))
            .set("ls", text(format!("{}#{}", padded(row.started_ms), row.id)));
        self.store.write(write).await?.or_stale(KIND)?;
        self.store.progress().insert(row.id.clone(), self.store.now_ms());
        Ok(())
    }
    /// Progress; writes at most once a second per execution, always when `status` is no longer `RUNNING`.
    /// True if it was written.
    pub async fn update(&self, row: &ExecutionRow) -> Result<bool, StoreError> {
        let now = self.store.now_ms();
        let over = row.status != "RUNNING";
        {
            let mut progress = self.store.progress();
            let last = progress.get(&row.id).copied().unwrap_or(i64::MIN);
            if !over && now < last.saturating_add(Self::UPDATE_EVERY_MS) {
                return Ok(false);
            }
            if over {
                progress.remove(&row.id);
            } else {
                progress.insert(row.id.clone(), now);
            }
        }
        // What is over stays over: a late report of progress must not revive it.
        let write = fields(Write::update(KIND, &self.key(&row.id)), row, now)?
            .when("#status = :running OR #status = :status")
            .value(":running", text("RUNNING"));
        Ok(self.store.write(write).await?.happened())
    }
    /// A step says that it was there, and how it ended. The steps of one execution may do so at once, so this adds and
    /// replaces nothing. With the last part the execution is over.
    pub async fn note(
        &self,
        id: &str,
        step: &'static str,
        failure: Option<&'static str>,
        part: Option<&Part>,
    ) -> Result<(), StoreError> {
        let now = self.store.now_ms();
        let mut write = Write::update(KIND, &self.key(id))
            .add(format!("{STEPS}{step}"), 1)
            .set("step", text(step))
            .set("noted_ms", number(now))
            .when("attribute_exists(#pk)")
            .returning();
        if let Some(failure) = failure {
            write = write.add(format!("{FAILURES}{failure}"), 1);
        }
        match part {
            Some(Part::Of(parts)) => write = write.set("parts", number(*parts as u64)),
            Some(Part::Done(part)) => {
                let name = part.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
                write = write.set_named(format!("{PARTS}{name}"), number(1));
            }
            Some(Part::Last) | None => {}
        }
        let Wrote::Yes(item) = self.store.write(write).await? else { return Ok(()) };
        let item = Row::new(KIND, item);
        let is_over = match part {
            None => false,
            Some(Part::Last) => true,
            // Most have one part, and nobody says so.
            Some(_) => item.names(PARTS).count() >= item.number_maybe::<usize>("parts")?.unwrap_or(1),
        };
        if !is_over {
            return Ok(());
        }
        let row = ExecutionRow { status: "SUCCEEDED".to_owned(), ended_ms: Some(now), ..read(&item)? };
        self.update(&row).await.map(drop)
    }
    /// Asks the steps of an execution to begin nothing more; false if there is no such execution.
    pub async fn ask_to_stop(&self, id: &str) -> Result<bool, StoreError> {
        let write =
            Write::update(KIND, &self.key(id)).set("stopping", number(1)).when("attribute_exists(#pk)");
        Ok(self.store.write(write).await?.happened())
    }
    /// What was over runs again.
    pub async fn revive(&self, row: &ExecutionRow) -> Result<(), StoreError> {
        let now = self.store.now_ms();
        let row = ExecutionRow {
            status: "RUNNING".to_owned(),
            ended_ms: None,
            error: None,
            cause: None,
            percent: None,
            ..row.clone()
        };
        let write = fields(Write::update(KIND, &self.key(&row.id)), &row, now)?.remove("stopping");
        self.store.write(write).await.map(drop)
    }
    /// One execution (consistent read).
    pub async fn get(&self, id: &str) -> Result<Option<ExecutionRow>, StoreError> {
        let row = self.store.get(KIND, &self.key(id), true).await?;
        row.map(|row| read(&row)).transpose()
    }
    /// All of an execution's input, as JSON; `None` where there is no such execution, or an earlier version kept no more
    /// than the size.
    pub async fn input(&self, id: &str) -> Result<Option<String>, StoreError> {
        let key = self.key(id);
        let Some(row) = self.store.get(KIND, &key, true).await? else { return Ok(None) };
        if let Some(hash) = row.text_maybe("input_kept") {
            return texts::fetch(self.store, &key.pk, &hash).await;
        }
        let input = read(&row)?.input;
        Ok(Some(input).filter(|input| !is_size(input)))
    }
    /// Notes which execution redrives one that is over.
    pub async fn redriven(&self, id: &str, by: &str) -> Result<(), StoreError> {
        let write =
            Write::update(KIND, &self.key(id)).set("redriven_by", text(by)).when("attribute_exists(#pk)");
        self.store.write(write).await.map(drop)
    }
    /// Ended executions that are meant, the oldest first, at most `limit` of them.
    pub async fn ended(&self, which: &Ended, limit: usize) -> Result<Vec<ExecutionRow>, StoreError> {
        let mut found = Vec::new();
        for key in self.keys_since(which.since_ms, usize::MAX).await?.into_iter().rev() {
            if found.len() >= limit {
                break;
            }
            let row = self.store.get(KIND, &key, true).await?;
            if let Some(row) = row.map(|row| read(&row)).transpose()?
                && which.takes(&row)
            {
                found.push(row);
            }
        }
        Ok(found)
    }
    /// The newest executions of this month and the one before, newest first.
    pub async fn list(&self, limit: usize) -> Result<Vec<ExecutionRow>, StoreError> {
        // 31 days back is the month before, whatever its length.
        let since_ms = self.store.now_ms() - 31 * 86_400_000;
        let mut rows = Vec::new();
        for key in self.keys_since(since_ms, limit).await? {
            if let Some(row) = self.store.get(KIND, &key, true).await? {
                rows.push(read(&row)?);
            }
        }
        Ok(rows)
    }
}

impl Executions<'_> {
    /// Keys of executions of the months since then, the newest first, at most `limit` of them.
    async fn keys_since(&self, since_ms: i64, limit: usize) -> Result<Vec<Key>, StoreError> {
        let mut months = Vec::new();
        let now = self.store.now_ms();
        // No month is shorter, and older rows are expired.
        let since_ms = since_ms.max(now - DAYS * 86_400_000);
        for back in 0..5 {
            let at_ms = (now - back * 28 * 86_400_000).max(since_ms);
            if !months.contains(&month(at_ms)) {
                months.push(month(at_ms));
            }
        }
        let mut keys = Vec::new();
        for month in months {
            for shard in self.store.shard_pks(&format!("EXEC#{month}")) {
                let query = Query::index("list", shard, Range::All, None).newest_first(limit);
                for row in self.store.query(KIND, query).await? {
                    keys.push((row.text("ls")?, Key::new(row.text("pk")?, row.sk()?)));
                }
            }
        }
        keys.sort_by(|a, b| b.0.cmp(&a.0));
        Ok(keys.into_iter().take(limit).map(|(_, key)| key).collect())
    }
}

/// Inputs up to this size are in the row.
const INPUT_BYTES_MAX: usize = 2_048;
const DAYS: i64 = 90;
const KIND: Kind = Kind::new("execution", 40 * 1024);
/// Attributes whose names say what they count.
const STEPS: &str = "n_";
const FAILURES: &str = "f_";
const PARTS: &str = "p_";

impl Executions<'_> {
    fn key(&self, id: &str) -> Key {
        Key::new(self.store.pk(format_args!("X#{id}")), "STATE")
    }
}

fn month(ms: i64) -> String {
    domain::Timestamp(ms).to_rfc3339().chars().take(7).filter(char::is_ascii_digit).collect()
}

fn fields(write: Write, row: &ExecutionRow, now: i64) -> Result<Write, StoreError> {
    let mut row = ExecutionRow { updated_ms: now, ..row.clone() };
    if row.input.len() > INPUT_BYTES_MAX {
        row.input = format!("\"{} bytes\"", row.input.len());
    }
    Ok(write
        .set("workflow", text(&row.workflow))
        .set("status", text(&row.status))
        .set("row", json(KIND, &row)?)
        .set("exp", expires(now, DAYS)))
}

/// Whether the row holds the size of an input in its place. No workflow takes a bare text.
fn is_size(input: &str) -> bool {
    input.starts_with('"')
}

fn read(row: &Row) -> Result<ExecutionRow, StoreError> {
    let mut execution: ExecutionRow = row.json("row")?;
    execution.redriven_by = row.text_maybe("redriven_by");
    for name in row.names(STEPS) {
        execution.counts.insert(name.to_owned(), row.number(&format!("{STEPS}{name}"))?);
    }
    for name in row.names(FAILURES) {
        execution.failures.insert(name.to_owned(), row.number(&format!("{FAILURES}{name}"))?);
    }
    if let Some(step) = row.text_maybe("step") {
        execution.step = step;
    }
    execution.stopping = row.number_or_zero::<u8>("stopping")? == 1;
    execution.updated_ms = execution.updated_ms.max(row.number_or_zero("noted_ms")?);
    Ok(execution)
}
