//! Checkpoint of a step: `{i}#X#{execution}` / `STEP#{step}#{item}`; 90 days.

use crate::error::StoreError;
use crate::row::{Kind, Row, expires, number, text};
use crate::store::Store;
use crate::table::{Key, Write, Wrote};
use crate::texts;

/// A step's stored answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRow {
    /// Hash of the input it answers.
    pub input_hash: String,
    /// The output, as JSON.
    pub output: String,
    /// Schema version of the output.
    pub schema: u32,
    /// When it was written, ms.
    pub at_ms: i64,
}

/// Operations on checkpoints.
pub struct Checkpoints<'a> {
    pub(crate) store: &'a Store,
}

impl Checkpoints<'_> {
    /// Keeps a finished step's answer if there is none; returns what stands.
    pub async fn step_put(
        &self,
        execution: &str,
        step: &str,
        item: &str,
        row: &StepRow,
    ) -> Result<StepRow, StoreError> {
        let write = self.fill(Write::put_new(KIND, &self.key(execution, step, item)), execution, row).await?;
        match self.store.write(write).await? {
            Wrote::Yes(_) => Ok(row.clone()),
            Wrote::No(old) => self.read(execution, &Row::new(KIND, old.unwrap_or_default())).await,
        }
    }
    /// Replaces it: for a step that notes its progress inside a page.
    pub async fn step_set(
        &self,
        execution: &str,
        step: &str,
        item: &str,
        row: &StepRow,
    ) -> Result<(), StoreError> {
        let write = self.fill(Write::update(KIND, &self.key(execution, step, item)), execution, row).await?;
        self.store.write(write).await.map(drop)
    }
    /// The stored answer (consistent read).
    pub async fn step_get(
        &self,
        execution: &str,
        step: &str,
        item: &str,
    ) -> Result<Option<StepRow>, StoreError> {
        match self.store.get(KIND, &self.key(execution, step, item), true).await? {
            // Whoever sweeps the table may be late by days; what has expired is gone all the same.
            Some(row) if row.number_or_zero::<i64>("exp")? <= self.store.now_ms() / 1_000 => Ok(None),
            Some(row) => self.read(execution, &row).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Outputs up to this size are in the row.
const OUTPUT_BYTES_MAX: usize = 32 * 1024;
const DAYS: i64 = 90;
const KIND: Kind = Kind::new("checkpoint", 40 * 1024);

impl Checkpoints<'_> {
    fn pk(&self, execution: &str) -> String {
        self.store.pk(format_args!("X#{execution}"))
    }

    fn key(&self, execution: &str, step: &str, item: &str) -> Key {
        Key::new(self.pk(execution), format!("STEP#{step}#{item}"))
    }

    async fn fill(&self, write: Write, execution: &str, row: &StepRow) -> Result<Write, StoreError> {
        let now = self.store.now_ms();
        let write = write
            .set("input_hash", text(&row.input_hash))
            .set("schema", number(row.schema))
            .set("at_ms", number(row.at_ms))
            .set("exp", expires(now, DAYS));
        if row.output.len() <= OUTPUT_BYTES_MAX {
            return Ok(write.set("output", text(&row.output)).set_maybe("kept", None));
        }
        let exp = now / 1_000 + DAYS * 86_400;
        let hash = texts::keep(self.store, &self.pk(execution), &row.output, Some(exp)).await?;
        Ok(write.set("kept", text(hash)).set_maybe("output", None))
    }

    async fn read(&self, execution: &str, row: &Row) -> Result<StepRow, StoreError> {
        let output = match row.text_maybe("kept") {
            None => row.text("output")?,
            Some(hash) => texts::fetch(self.store, &self.pk(execution), &hash)
                .await?
                .ok_or_else(|| KIND.corrupt("its output is gone"))?,
        };
        Ok(StepRow {
            input_hash: row.text("input_hash")?,
            output,
            schema: row.number("schema")?,
            at_ms: row.number("at_ms")?,
        })
    }
}
