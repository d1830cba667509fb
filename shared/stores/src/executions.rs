//! Progress of an execution: `{i}#X#{execution}` / `STATE`; index `list` by month; 90 days.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::row::{Kind, Row, expires, json, padded, text};
use crate::store::Store;
use crate::table::{Key, Query, Range, Write};

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
    /// Input, as JSON.
    pub input: String,
    /// Output, as JSON.
    pub output: Option<String>,
    /// The execution it redrives.
    pub redrive_of: Option<String>,
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
        let partition = self.store.shard_pk(&format!("EXEC#{}", month(row.started_ms)), &row.id);
        let write = fields(Write::put_new(KIND, &self.key(&row.id)), row, self.store.now_ms())?
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
    /// One execution (consistent read).
    pub async fn get(&self, id: &str) -> Result<Option<ExecutionRow>, StoreError> {
        let row = self.store.get(KIND, &self.key(id), true).await?;
        row.map(|row| read(&row)).transpose()
    }
    /// The newest executions of this month and the one before, newest first.
    pub async fn list(&self, limit: usize) -> Result<Vec<ExecutionRow>, StoreError> {
        let now = self.store.now_ms();
        let mut months = vec![month(now)];
        // 28 days back is this month or the one before; both have to be looked at.
        for back in [28, 31] {
            let earlier = month(now - back * 86_400_000);
            if !months.contains(&earlier) {
                months.push(earlier);
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
        let mut rows = Vec::new();
        for (_, key) in keys.into_iter().take(limit) {
            if let Some(row) = self.store.get(KIND, &key, true).await? {
                rows.push(read(&row)?);
            }
        }
        Ok(rows)
    }
}

const DAYS: i64 = 90;
const KIND: Kind = Kind::new("execution", 40 * 1024);

impl Executions<'_> {
    fn key(&self, id: &str) -> Key {
        Key::new(self.store.pk(format_args!("X#{id}")), "STATE")
    }
}

fn month(ms: i64) -> String {
    domain::Timestamp(ms).to_rfc3339().chars().take(7).filter(char::is_ascii_digit).collect()
}

fn fields(write: Write, row: &ExecutionRow, now: i64) -> Result<Write, StoreError> {
    let row = ExecutionRow { updated_ms: now, ..row.clone() };
    Ok(write
        .set("workflow", text(&row.workflow))
        .set("status", text(&row.status))
        .set("row", json(KIND, &row)?)
        .set("exp", expires(now, DAYS)))
}

fn read(row: &Row) -> Result<ExecutionRow, StoreError> {
    row.json("row")
}
