//! How far streams were read, and what finished steps answered: durable, versioned, conditional, restorable.

use domain::field::sha256_hex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use stores::checkpoints::StepRow;
use stores::cursors::Cursor;
use stores::{Store, StoreError};

/// Cursors and step checkpoints over the store.
#[derive(Clone, Debug)]
pub struct CheckpointManager {
    store: Store,
}

/// Why a checkpoint could not be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The store failed.
    #[error("the checkpoint could not be read or written")]
    Store(#[source] StoreError),
    /// The stored answer does not fit the type that is asked for.
    #[error("the checkpoint of step {step} does not fit")]
    Form {
        /// The step.
        step: String,
        /// Where the form breaks.
        #[source]
        source: serde_json::Error,
    },
}

/// Which answer of a step is meant: to which input, in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepKey {
    step: &'static str,
    input_hash: String,
    schema: u32,
}

impl StepKey {
    /// The answer of this step to this input. The order of the input's fields does not matter: a newer definition may
    /// name them in another one.
    pub fn of(step: &'static str, schema: u32, input: &Value) -> Self {
        Self { step, input_hash: hash(&sorted(input)), schema }
    }

    /// Steps are called many times in one execution, each time with another input.
    fn item(&self) -> &str {
        &self.input_hash[..32]
    }
}

impl CheckpointManager {
    /// Keeps what a step answered in an execution.
    pub async fn keep(&self, execution: &str, key: &StepKey, answer: &Value) -> Result<(), CheckpointError> {
        let row = self.row(key.step, key.input_hash.clone(), key.schema, answer)?;
        let checkpoints = self.store.checkpoints();
        let kept = checkpoints.step_set(execution, key.step, key.item(), &row).await;
        kept.map_err(CheckpointError::Store)
    }

    /// What a step answered in one of these executions, the first that knows; `None` where step, input or form differ,
    /// and where it has expired.
    pub async fn stands(
        &self,
        executions: &[String],
        key: &StepKey,
    ) -> Result<Option<Value>, CheckpointError> {
        for execution in executions {
            let row = self.store.checkpoints().step_get(execution, key.step, key.item()).await;
            if let Some(row) = row.map_err(CheckpointError::Store)?
                && row.schema == key.schema
                && row.input_hash == key.input_hash
            {
                return parse(key.step, &row.output).map(Some);
            }
        }
        Ok(None)
    }

    /// Checkpoints in this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The cursor of a stream.
    pub async fn cursor(&self, stream: &str) -> Result<Option<Cursor>, StoreError> {
        self.store.cursors().get(stream).await
    }

    /// The cursors of these streams, those that have one.
    pub async fn cursors(&self, streams: &[&str]) -> Result<Vec<(String, Cursor)>, StoreError> {
        self.store.cursors().get_all(streams).await
    }

    /// Versions of a stream that can be restored, the newest first.
    pub async fn history(&self, stream: &str, limit: usize) -> Result<Vec<Cursor>, StoreError> {
        self.store.cursors().history(stream, limit).await
    }

    /// Steps forward, once all of the page is hinted, linked or quarantined. `Stale` means that another
    /// reader was faster: its cursor stands, and this page is read again.
    pub async fn advance(
        &self,
        stream: &str,
        from: Option<&Cursor>,
        text: &str,
    ) -> Result<Cursor, StoreError> {
        self.store.cursors().advance(stream, from, text).await
    }

    /// Goes back to an earlier version of a stream's cursor.
    pub async fn restore(&self, stream: &str, ver: u64) -> Result<Option<Cursor>, StoreError> {
        self.store.cursors().restore(stream, ver).await
    }

    /// What a step answered to this input before; `None` where the input or the schema differs.
    pub async fn answered<T: DeserializeOwned>(
        &self,
        execution: &str,
        step: &str,
        item: &str,
        input: &impl Serialize,
        schema: u32,
    ) -> Result<Option<T>, CheckpointError> {
        let row =
            self.store.checkpoints().step_get(execution, step, item).await.map_err(CheckpointError::Store)?;
        match row {
            Some(row) if row.schema == schema && row.input_hash == hash(input) => {
                parse(step, &row.output).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Keeps a step's answer, so that a repeated run gives the same one; returns what stands.
    pub async fn answer<T: Serialize + DeserializeOwned>(
        &self,
        execution: &str,
        step: &str,
        item: &str,
        input: &impl Serialize,
        schema: u32,
        output: &T,
    ) -> Result<T, CheckpointError> {
        let row = self.row(step, hash(input), schema, output)?;
        let stands = self
            .store
            .checkpoints()
            .step_put(execution, step, item, &row)
            .await
            .map_err(CheckpointError::Store)?;
        if stands.schema != schema || stands.input_hash != row.input_hash {
            // The old answer belongs to another input: this run's own is the one to keep.
            self.store
                .checkpoints()
                .step_set(execution, step, item, &row)
                .await
                .map_err(CheckpointError::Store)?;
            return parse(step, &row.output);
        }
        parse(step, &stands.output)
    }

    /// Where a step is inside its page (cursor before the page, offset inside).
    pub async fn page<T: DeserializeOwned>(
        &self,
        execution: &str,
        step: &str,
    ) -> Result<Option<T>, CheckpointError> {
        let row =
            self.store.checkpoints().step_get(execution, step, PAGE).await.map_err(CheckpointError::Store)?;
        row.map(|row| parse(step, &row.output)).transpose()
    }

    /// Notes where a step is inside its page.
    pub async fn note_page<T: Serialize>(
        &self,
        execution: &str,
        step: &str,
        at: &T,
    ) -> Result<(), CheckpointError> {
        let row = self.row(step, String::new(), 1, at)?;
        self.store.checkpoints().step_set(execution, step, PAGE, &row).await.map_err(CheckpointError::Store)
    }

    fn row(
        &self,
        step: &str,
        input_hash: String,
        schema: u32,
        output: &impl Serialize,
    ) -> Result<StepRow, CheckpointError> {
        let output = serde_json::to_string(output)
            .map_err(|source| CheckpointError::Form { step: step.to_owned(), source })?;
        Ok(StepRow { input_hash, output, schema, at_ms: self.store.now_ms() })
    }
}

/// Item name of a step's place inside its page.
const PAGE: &str = "page";

fn parse<T: DeserializeOwned>(step: &str, output: &str) -> Result<T, CheckpointError> {
    serde_json::from_str(output).map_err(|source| CheckpointError::Form { step: step.to_owned(), source })
}

/// The same value with the fields of every object in the order of their names.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut named: Vec<_> = fields.iter().collect();
            named.sort_by(|a, b| a.0.cmp(b.0));
            Value::Object(named.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// Inputs are compared by the hash of their JSON.
fn hash(input: &impl Serialize) -> String {
    sha256_hex(&serde_json::to_vec(input).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stores::Place;

    use super::*;

    fn manager() -> CheckpointManager {
        let clock = Arc::new(|| 1_700_000_000_000);
        CheckpointManager::new(Store::embedded(Place::Memory, "t", clock).expect("a store in memory opens"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_cursor_moves_only_from_where_it_was_read() {
        let manager = manager();
        let first = manager.advance("tickets", None, "a").await.expect("the first step");
        let second = manager.advance("tickets", Some(&first), "b").await.expect("from what was read");
        assert_eq!(manager.cursor("tickets").await, Ok(Some(second.clone())));
        let late = manager.advance("tickets", Some(&first), "c").await;
        assert!(late.is_err_and(|error| error.is_stale()), "another reader was faster");
        let back =
            manager.restore("tickets", first.ver).await.expect("restores").expect("there is a version 1");
        assert_eq!((back.text.as_str(), back.generation), ("a", 1));
        let stale = manager.advance("tickets", Some(&second), "d").await;
        assert!(stale.is_err_and(|error| error.is_stale()), "readers of the old generation stop");
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_answers_a_repeated_input_as_before() {
        let manager = manager();
        assert_eq!(manager.answer("x", "Step", "1", &"in", 1, &7).await.expect("keeps"), 7);
        assert_eq!(
            manager.answer("x", "Step", "1", &"in", 1, &8).await.expect("keeps"),
            7,
            "the first answer stands"
        );
        assert_eq!(manager.answered::<i32>("x", "Step", "1", &"in", 1).await.expect("reads"), Some(7));
        assert_eq!(manager.answered::<i32>("x", "Step", "1", &"other", 1).await.expect("reads"), None);
        assert_eq!(manager.answered::<i32>("x", "Step", "1", &"in", 2).await.expect("reads"), None);
        assert_eq!(manager.answer("x", "Step", "1", &"other", 1, &9).await.expect("keeps"), 9);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_inside_a_page_is_replaced() {
        let manager = manager();
        assert_eq!(manager.page::<(String, u32)>("x", "Page").await.expect("reads"), None);
        for offset in [10_u32, 20] {
            manager.note_page("x", "Page", &("cursor", offset)).await.expect("notes");
        }
        assert_eq!(manager.page("x", "Page").await.expect("reads"), Some(("cursor".to_owned(), 20_u32)));
    }
}
