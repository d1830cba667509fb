//! Executions on AWS. Step Functions runs them; the row of each is ours, written before the start and brought up to date
//! by whoever looks, because Express executions are described by nobody else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use asl::{CompiledWorkflow, Kind};
use aws_sdk_sfn::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use aws_sdk_sfn::primitives::DateTime;
use clients::Clock;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use stores::executions::ExecutionRow;
use stores::{Store, StoreError};

use crate::context::Random;
use crate::engine::continuing::{continued_in, tell_follower};
use crate::engine::{Engine, EngineError, Event, Outcome, Start};
use crate::workflow_state::WorkflowState;

/// The service ends an Express execution after this; its steps may have a moment more.
const EXPRESS_MS: i64 = 6 * 60_000;

/// Waits between two looks at an execution; they grow up to the second one.
const LOOKS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// Events of one history that are kept: more is nothing for a person.
const EVENTS_MAX: usize = 10_000;

/// Runs executions on Step Functions.
pub struct StepFunctionsEngine {
    client: aws_sdk_sfn::Client,
    store: Store,
    clock: Arc<dyn Clock>,
    random: Random,
    /// The ARN of each workflow's state machine.
    machines: BTreeMap<String, String>,
}

impl StepFunctionsEngine {
    /// An engine over these state machines, by the names of their workflows.
    pub fn new(
        client: aws_sdk_sfn::Client,
        store: Store,
        clock: Arc<dyn Clock>,
        seed: u64,
        machines: BTreeMap<String, String>,
    ) -> Arc<Self> {
        Arc::new(Self { client, store, clock, random: Random::seeded(seed), machines })
    }

    fn machine(&self, workflow: &str) -> Result<&str, EngineError> {
        let machine = self.machines.get(workflow).map(String::as_str);
        machine.ok_or_else(|| EngineError::NoMachine(workflow.to_owned()))
    }

    /// The ARN of a Standard execution.
    fn arn(&self, row: &ExecutionRow) -> Result<String, EngineError> {
        let machine = self.machine(&row.workflow)?;
        Ok(format!("{}:{}", machine.replacen(":stateMachine:", ":execution:", 1), row.id))
    }

    /// Writes the row, or finds that somebody wrote it under the same name; true if it is new.
    async fn admit(
        &self,
        workflow: &CompiledWorkflow,
        input: &Value,
        start: &Start,
        of: Option<&ExecutionRow>,
    ) -> Result<(ExecutionRow, bool), EngineError> {
        let made_up = || format!("{}-{}", workflow.name, self.random.nonce());
        let id = start.name.clone().unwrap_or_else(made_up);
        let state = WorkflowState::begin(&id, workflow, input, start, self.clock.now_ms());
        let row = state.again(of).row();
        match self.store.executions().put(&row).await {
            Ok(()) => Ok((row, true)),
            Err(StoreError::Stale { .. }) => Ok((row, false)),
            Err(source) => Err(EngineError::Store { execution: id, source }),
        }
    }

    /// Asks the service to start. A row without an execution is what a crash in between leaves, so a second start of a
    /// Standard one under the same name asks again.
    async fn begin(
        &self,
        workflow: &CompiledWorkflow,
        input: &Value,
        start: &Start,
        of: Option<&ExecutionRow>,
    ) -> Result<String, EngineError> {
        let machine = self.machine(&workflow.name)?;
        let (row, new) = self.admit(workflow, input, start, of).await?;
        if !new && workflow.kind == Kind::Express {
            // The service would start it twice; its work comes back by itself should this start have been lost.
            return Err(EngineError::NameTaken(row.id));
        }
        let sent = self.client.start_execution().state_machine_arn(machine).name(&row.id);
        match sent.input(input.to_string()).send().await {
            Ok(_) if new => Ok(row.id),
            // The service found the same start, or made up for one that was lost.
            Ok(_) => Err(EngineError::NameTaken(row.id)),
            Err(error) if is_taken(&error) => Err(EngineError::NameTaken(row.id)),
            Err(error) => {
                let failed = service(&row.id, "start", error);
                if new {
                    self.end(row, "FAILED", Some("NotStarted"), Some(failed.to_string())).await?;
                }
                Err(failed)
            }
        }
    }

    /// Starts an Express execution and waits for its end in one request.
    async fn together(
        &self,
        workflow: &CompiledWorkflow,
        input: &Value,
        start: &Start,
    ) -> Result<Outcome, EngineError> {
        let machine = self.machine(&workflow.name)?;
        let (row, new) = self.admit(workflow, input, start, None).await?;
        if !new {
            return Err(EngineError::NameTaken(row.id));
        }
        let sent = self.client.start_sync_execution().state_machine_arn(machine).name(&row.id);
        let ended = match sent.input(input.to_string()).send().await {
            Ok(ended) => ended,
            Err(error) => {
                let failed = service(&row.id, "run", error);
                self.end(row, "FAILED", Some("NotStarted"), Some(failed.to_string())).await?;
                return Err(failed);
            }
        };
        let row = ExecutionRow {
            output: ended.output().map(ToOwned::to_owned),
            ended_ms: Some(ended.stop_date().to_millis().unwrap_or_default()),
            ..row
        };
        let error = ended.error().map(ToOwned::to_owned);
        let cause = ended.cause().map(ToOwned::to_owned);
        let row = self.end(row, ended.status().as_str(), error.as_deref(), cause).await?;
        Ok(Outcome::of(row))
    }

    async fn end(
        &self,
        row: ExecutionRow,
        status: &str,
        error: Option<&str>,
        cause: Option<String>,
    ) -> Result<ExecutionRow, EngineError> {
        let row = ExecutionRow {
            status: status.to_owned(),
            error: error.map(ToOwned::to_owned),
            cause,
            ended_ms: row.ended_ms.or_else(|| Some(self.clock.now_ms())),
            percent: (status == "SUCCEEDED").then_some(100.0),
            ..row
        };
        let written = self.store.executions().update(&row).await;
        written.map_err(|source| EngineError::Store { execution: row.id.clone(), source })?;
        Ok(row)
    }

    /// The row as it should be by now.
    async fn current(&self, row: ExecutionRow) -> Result<ExecutionRow, EngineError> {
        if row.status != "RUNNING" {
            return Ok(row);
        }
        if row.kind == "Express" {
            if self.clock.now_ms() - row.started_ms <= EXPRESS_MS {
                return Ok(row);
            }
            let cause = "not all of its steps said that they are done; what they had claimed comes back";
            return self.end(row, "TIMED_OUT", Some("States.Timeout"), Some(cause.to_owned())).await;
        }
        let arn = self.arn(&row)?;
        let told = match self.client.describe_execution().execution_arn(arn).send().await {
            Ok(told) => told,
            Err(error) if error.as_service_error().is_some_and(|e| e.is_execution_does_not_exist()) => {
                // The start is under way, or was lost.
                if self.clock.now_ms() - row.started_ms <= EXPRESS_MS {
                    return Ok(row);
                }
                let cause = "the service knows of no such execution".to_owned();
                return self.end(row, "FAILED", Some("NotStarted"), Some(cause)).await;
            }
            Err(error) => return Err(service(&row.id, "describe", error)),
        };
        // What is to be redriven counts as over.
        let status = told.status().as_str();
        if status == "RUNNING" {
            return Ok(row);
        }
        let row = ExecutionRow {
            output: told.output().map(ToOwned::to_owned),
            ended_ms: told.stop_date().and_then(|at| at.to_millis().ok()),
            ..row
        };
        let error = told.error().map(ToOwned::to_owned);
        let row = self.end(row, status, error.as_deref(), told.cause().map(ToOwned::to_owned)).await?;
        tell_follower(&self.store, &row).await?;
        Ok(row)
    }

    /// The row of an execution, or of the last one in which it goes on.
    async fn newest(&self, execution: &str) -> Result<ExecutionRow, EngineError> {
        let mut row = self.current(self.known(execution).await?).await?;
        while let Some(next) = continued_in(&row) {
            row = self.current(self.known(&next).await?).await?;
        }
        Ok(row)
    }

    async fn row(&self, execution: &str) -> Result<Option<ExecutionRow>, EngineError> {
        let row = self.store.executions().get(execution).await;
        row.map_err(|source| EngineError::Store { execution: execution.to_owned(), source })
    }

    async fn known(&self, execution: &str) -> Result<ExecutionRow, EngineError> {
        self.row(execution).await?.ok_or_else(|| EngineError::Unknown(execution.to_owned()))
    }

    async fn finished(&self, execution: &str) -> Result<Outcome, EngineError> {
        let (mut pause, longest) = LOOKS;
        loop {
            let row = self.newest(execution).await?;
            if row.status != "RUNNING" {
                return Ok(Outcome::of(row));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    async fn end_early(&self, execution: &str) -> Result<bool, EngineError> {
        if self.row(execution).await?.is_none() {
            return Ok(false);
        }
        let row = self.newest(execution).await?;
        if row.status != "RUNNING" {
            return Ok(false);
        }
        let asked = self.store.executions().ask_to_stop(&row.id).await;
        asked.map_err(|source| EngineError::Store { execution: row.id.clone(), source })?;
        if row.kind == "Express" {
            return Ok(true);
        }
        let stop = self.client.stop_execution().execution_arn(self.arn(&row)?).cause("a person stopped it");
        stop.send().await.map_err(|error| service(execution, "stop", error))?;
        Ok(true)
    }

    async fn events(&self, execution: &str) -> Result<Vec<Event>, EngineError> {
        let row = self.known(execution).await?;
        if row.kind == "Express" {
            return Err(EngineError::NotOffered(
                "an Express execution has no history; its row and the logs tell",
            ));
        }
        let (arn, mut events, mut page) = (self.arn(&row)?, Vec::new(), None);
        loop {
            let asked = self.client.get_execution_history().execution_arn(&arn).include_execution_data(false);
            let told = asked.set_next_token(page).send().await;
            let told = told.map_err(|error| service(execution, "read the history of", error))?;
            events.extend(told.events().iter().map(|event| {
                Event {
                    at_ms: at_ms(event.timestamp()),
                    kind: event.r#type().as_str().to_owned(),
                    state: event
                        .state_entered_event_details()
                        .map(|entered| entered.name().to_owned())
                        .or_else(|| {
                            event.state_exited_event_details().map(|exited| exited.name().to_owned())
                        }),
                }
            }));
            page = told.next_token().map(ToOwned::to_owned);
            if page.is_none() || events.len() >= EVENTS_MAX {
                return Ok(events);
            }
        }
    }

    async fn again(&self, execution: &str) -> Result<(), EngineError> {
        let row = self.current(self.known(execution).await?).await?;
        if row.kind == "Express" {
            return Err(EngineError::NotOffered(
                "an Express execution is not redriven; its work comes back by itself",
            ));
        }
        let sent = self.client.redrive_execution().execution_arn(self.arn(&row)?).send().await;
        sent.map_err(|error| service(execution, "redrive", error))?;
        let revived = self.store.executions().revive(&row).await;
        revived.map_err(|source| EngineError::Store { execution: execution.to_owned(), source })
    }
}

impl Engine for StepFunctionsEngine {
    fn start<'a>(
        &'a self,
        workflow: &'a CompiledWorkflow,
        input: Value,
        start: Start,
    ) -> BoxFuture<'a, Result<String, EngineError>> {
        async move { self.begin(workflow, &input, &start, None).await }.boxed()
    }

    fn start_again<'a>(
        &'a self,
        workflow: &'a CompiledWorkflow,
        input: Value,
        start: Start,
        of: &'a ExecutionRow,
    ) -> BoxFuture<'a, Result<String, EngineError>> {
        async move { self.begin(workflow, &input, &start, Some(of)).await }.boxed()
    }

    fn wait<'a>(&'a self, execution: &'a str) -> BoxFuture<'a, Result<Outcome, EngineError>> {
        self.finished(execution).boxed()
    }

    fn run<'a>(
        &'a self,
        workflow: &'a CompiledWorkflow,
        input: Value,
        start: Start,
    ) -> BoxFuture<'a, Result<Outcome, EngineError>> {
        async move {
            if workflow.kind == Kind::Express {
                return self.together(workflow, &input, &start).await;
            }
            let id = self.begin(workflow, &input, &start, None).await?;
            self.finished(&id).await
        }
        .boxed()
    }

    fn describe<'a>(
        &'a self,
        execution: &'a str,
    ) -> BoxFuture<'a, Result<Option<ExecutionRow>, EngineError>> {
        async move {
            match self.row(execution).await? {
                Some(row) => self.current(row).await.map(Some),
                None => Ok(None),
            }
        }
        .boxed()
    }

    fn list(&self, limit: usize) -> BoxFuture<'_, Result<Vec<ExecutionRow>, EngineError>> {
        async move {
            let rows = self.store.executions().list(limit).await;
            let rows = rows.map_err(|source| EngineError::Store { execution: "list".to_owned(), source })?;
            let mut current = Vec::new();
            for row in rows {
                current.push(self.current(row).await?);
            }
            Ok(current)
        }
        .boxed()
    }

    fn stop<'a>(&'a self, execution: &'a str) -> BoxFuture<'a, Result<bool, EngineError>> {
        self.end_early(execution).boxed()
    }

    fn history<'a>(&'a self, execution: &'a str) -> BoxFuture<'a, Result<Vec<Event>, EngineError>> {
        self.events(execution).boxed()
    }

    fn redrive<'a>(&'a self, execution: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        self.again(execution).boxed()
    }
}

fn at_ms(at: &DateTime) -> i64 {
    at.to_millis().unwrap_or_default()
}

fn is_taken(error: &SdkError<StartExecutionError, impl std::fmt::Debug>) -> bool {
    error.as_service_error().is_some_and(StartExecutionError::is_execution_already_exists)
}

/// The service's own words hold ARNs and codes, no inputs.
fn service<E, R>(execution: &str, action: &'static str, error: SdkError<E, R>) -> EngineError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let code = error.code().map(ToOwned::to_owned);
    let reason = code.unwrap_or_else(|| DisplayErrorContext(&error).to_string());
    EngineError::Service { execution: execution.to_owned(), action, reason }
}
