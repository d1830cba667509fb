//! Marks that go to Zendesk in one job: `{i}#J#{key}` / `NOW`; 30 days.

use domain::{TaskId, TicketId};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::row::{Kind, expires, json, number, text};
use crate::store::Store;
use crate::table::{Key, Write};

/// A mark on a ticket that names its task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marked {
    /// The ticket.
    pub ticket: TicketId,
    /// Its task.
    pub task: TaskId,
    /// The task's page.
    pub url: String,
}

/// Up to a hundred marks, written down before they are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Our name for it.
    pub key: String,
    /// What is or was to be sent.
    pub marks: Vec<Marked>,
    /// Zendesk's name for it, once it has been sent and answered.
    pub id: Option<String>,
    /// When it was sent, ms; 0 before.
    pub sent_ms: i64,
    /// Not to be looked at before, ms.
    pub look_ms: i64,
}

/// Operations on jobs.
pub struct Jobs<'a> {
    pub(crate) store: &'a Store,
}

impl Jobs<'_> {
    /// Writes a job down as it stands.
    pub async fn put(&self, job: &Job) -> Result<(), StoreError> {
        let write = Write::update(KIND, &self.key(&job.key))
            .set("marks", json(KIND, &job.marks)?)
            .set_maybe("job", job.id.as_deref().map(text))
            .set("sent_ms", number(job.sent_ms))
            .set("look_ms", number(job.look_ms))
            .set("exp", expires(self.store.now_ms(), DAYS));
        self.store.write(write).await.map(drop)
    }
    /// A job by our name for it.
    pub async fn get(&self, key: &str) -> Result<Option<Job>, StoreError> {
        let Some(row) = self.store.get(KIND, &self.key(key), true).await? else { return Ok(None) };
        Ok(Some(Job {
            key: key.to_owned(),
            marks: row.json("marks")?,
            id: row.text_maybe("job"),
            sent_ms: row.number_or_zero("sent_ms")?,
            look_ms: row.number_or_zero("look_ms")?,
        }))
    }
    /// All of its marks are settled.
    pub async fn remove(&self, key: &str) -> Result<(), StoreError> {
        self.store.write(Write::delete(KIND, &self.key(key))).await.map(drop)
    }
}

/// One that nobody settles is of a backfill that nobody goes on with.
const DAYS: i64 = 30;
const KIND: Kind = Kind::new("job", 64 * 1024);

impl Jobs<'_> {
    fn key(&self, key: &str) -> Key {
        Key::new(self.store.pk(format_args!("J#{key}")), "NOW")
    }
}
