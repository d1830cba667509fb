//! What rows tell of executions that Step Functions runs, beside what the service's own history tells: while one runs, when it
//! has failed or was stopped, and when it is redriven by a definition that came later.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;

use clients::Lane;
use orchestration::engine::{Engine, Start};
use orchestration::{EngineError, StepFunctionsEngine};
use serde_json::{Value as Json, json};
use statemachines::TicketSyncWorkflow;
use stores::Store;
use stores::executions::ExecutionRow;
use tokio::runtime::Runtime;

use crate::accounts::{said, wait_for, wall_ms};
use crate::cloud::Cloud;

/// How long the state that another definition has waits: long enough to look.
const REST_S: u64 = 4;

/// Somebody who looks at the stack's backfills.
struct Watcher<'a> {
    cloud: &'a Cloud,
    runtime: Runtime,
    store: Store,
    engine: Arc<StepFunctionsEngine>,
    workflow: TicketSyncWorkflow,
    machine: String,
}

impl<'a> Watcher<'a> {
    fn of(cloud: &'a Cloud) -> Self {
        let link = cloud.link();
        let machines = link["machines"].as_table_like().unwrap().iter();
        let machines: BTreeMap<String, String> =
            machines.map(|(workflow, arn)| (workflow.to_owned(), arn.as_str().unwrap().to_owned())).collect();
        let workflow = TicketSyncWorkflow::new();
        let machine = machines[&workflow.backfill().name].clone();
        let (store, clock) = (cloud.store(), Arc::new(clients::TokioClock::new(wall_ms())));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = cloud.session().step_functions();
        let engine = StepFunctionsEngine::new(client, store.clone(), clock, 1, machines);
        Self { cloud, runtime, store, engine, workflow, machine }
    }

    /// The row as the table has it, without asking the service.
    fn row(&self, id: &str) -> Option<ExecutionRow> {
        self.runtime.block_on(self.store.executions().get(id)).unwrap()
    }

    fn start(&self, name: &str, input: Json) -> Result<String, EngineError> {
        let start = Start {
            name: Some(name.to_owned()),
            trigger: "person".to_owned(),
            actor: "test".to_owned(),
            lane: Lane::Backfill,
        };
        self.runtime.block_on(self.engine.start(self.workflow.backfill(), input, start))
    }

    /// Waits for its end; the row then.
    fn ended(&self, id: &str) -> ExecutionRow {
        self.runtime.block_on(self.engine.wait(id)).unwrap();
        self.row(id).unwrap()
    }

    /// How often each state was entered, as the service tells. Steps are states of their names, and none of those looked
    /// at here is tried twice.
    fn entered(&self, id: &str) -> BTreeMap<String, u64> {
        let mut entered = BTreeMap::new();
        for event in self.runtime.block_on(self.engine.history(id)).unwrap() {
            if event.kind.ends_with("StateEntered") {
                *entered.entry(event.state.unwrap()).or_default() += 1;
            }
        }
        entered
    }

    /// The row counts the steps as the service does.
    #[track_caller]
    fn counts_rightly(&self, row: &ExecutionRow) {
        let mut steps = self.entered(&row.id);
        steps.retain(|state, _| ["BackfillPage", "FinishBackfill"].contains(&state.as_str()));
        assert_eq!(row.counts, steps, "{row:?}");
        let (began_ms, ended_ms) = (row.started_ms, row.ended_ms.unwrap());
        assert!(began_ms <= ended_ms + 1_000 && ended_ms <= wall_ms() + 1_000, "{row:?}");
    }

    /// The machine's definition, as it is deployed.
    fn definition(&self) -> Json {
        let client = self.cloud.session().step_functions();
        let told = client.describe_state_machine().state_machine_arn(&self.machine).send();
        serde_json::from_str(self.runtime.block_on(told).unwrap().definition()).unwrap()
    }

    /// Another version of the machine.
    fn deploy(&self, definition: &Json) {
        let client = self.cloud.session().step_functions();
        let update = client.update_state_machine().state_machine_arn(&self.machine);
        self.runtime.block_on(update.definition(definition.to_string()).send()).unwrap();
    }

    /// A backfill that nobody has run yet.
    fn next_generation(&self) -> u64 {
        let cursor = self.runtime.block_on(self.store.cursors().get("backfill")).unwrap().unwrap();
        let place: Json = serde_json::from_str(&cursor.text).unwrap();
        place["generation"].as_u64().unwrap() + 1
    }
}

/// The definition with a wait before a state.
fn with_rest_before(definition: &Json, state: &str) -> Json {
    let mut changed = definition.clone();
    let leads_there = |next: &mut Json| {
        if *next == state {
            *next = json!("Rest");
        }
    };
    leads_there(&mut changed["StartAt"]);
    for other in changed["States"].as_object_mut().unwrap().values_mut() {
        for name in ["Next", "Default"] {
            other.get_mut(name).into_iter().for_each(leads_there);
        }
        let choices = other.get_mut("Choices").and_then(Json::as_array_mut);
        choices.into_iter().flatten().for_each(|choice| leads_there(&mut choice["Next"]));
    }
    changed["States"]["Rest"] = json!({ "Type": "Wait", "Seconds": REST_S, "Next": state });
    changed
}

/// What a step refuses is counted under its name, and the execution has failed.
fn a_failure_is_counted(watcher: &Watcher<'_>) {
    watcher.start("backfill-of-nothing", json!({ "generation": "none" })).unwrap();
    let row = watcher.ended("backfill-of-nothing");
    assert_eq!((row.status.as_str(), row.error.as_deref()), ("FAILED", Some("Bug")), "{row:?}");
    assert_eq!(row.failures, BTreeMap::from([("Bug".to_owned(), 1)]));
    assert_eq!(row.percent, None);
    watcher.counts_rightly(&row);
    assert_eq!(row.counts["BackfillPage"], 1);
}

/// A person stops it before its first step, deploys another definition, and redrives it: that one is what runs.
fn what_was_stopped_is_redriven_by_what_is_deployed_then(watcher: &Watcher<'_>) {
    let deployed = watcher.definition();
    let id = "backfill-that-is-stopped";
    watcher.deploy(&with_rest_before(&deployed, deployed["StartAt"].as_str().unwrap()));
    let input = json!({ "generation": watcher.next_generation() });
    watcher.start(id, input.clone()).unwrap();
    let running = watcher.runtime.block_on(watcher.engine.describe(id)).unwrap().unwrap();
    assert_eq!((running.status.as_str(), running.counts.len()), ("RUNNING", 0), "{running:?}");
    assert!(watcher.runtime.block_on(watcher.engine.stop(id)).unwrap());
    let stopped = watcher.ended(id);
    assert_eq!((stopped.status.as_str(), stopped.percent), ("ABORTED", None), "{stopped:?}");
    watcher.counts_rightly(&stopped);

    watcher.deploy(&with_rest_before(&deployed, "FinishBackfill"));
    let mut redrive = watcher.cloud.deskup(&["redrive", id, "--yes", "--json"]);
    let redrive = redrive.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let next = format!("{id}-r1");
    let live = wait_for("the redrive's first step", || {
        watcher.row(&next).filter(|row| !row.counts.is_empty() || row.status != "RUNNING")
    });
    assert_eq!((live.status.as_str(), live.step.as_str()), ("RUNNING", "BackfillPage"), "{live:?}");
    assert_eq!((live.counts.get("FinishBackfill"), live.ended_ms), (None, None), "{live:?}");
    let told = redrive.wait_with_output().unwrap();
    assert!(told.status.success(), "{:?}", said(&told));
    let told: Json = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["redriven"].as_array().map(Vec::len), Some(1), "{told}");

    let row = watcher.row(&next).unwrap();
    assert_eq!((row.status.as_str(), row.percent), ("SUCCEEDED", Some(100.0)), "{row:?}");
    assert_eq!((row.redrive_of.as_deref(), row.answers_from.clone()), (Some(id), vec![id.to_owned()]));
    assert_eq!(serde_json::from_str::<Json>(&row.input).unwrap(), input, "with the input of then");
    assert_eq!(row.counts["FinishBackfill"], 1);
    watcher.counts_rightly(&row);
    assert_eq!(watcher.entered(&next)["Rest"], 1, "by the definition that was deployed last");
    assert_eq!(watcher.row(id).unwrap().redriven_by, Some(next));
    let again = watcher.cloud.deskup(&["redrive", id, "--yes"]).output().unwrap();
    assert!(!again.status.success(), "it was redriven before: {:?}", said(&again));
    watcher.deploy(&deployed);
}

/// All of it, on a stack that has run a backfill.
pub fn are_told_rightly_and_redriven(cloud: &Cloud) {
    let watcher = Watcher::of(cloud);
    let rows = watcher.runtime.block_on(watcher.store.executions().list(1_000)).unwrap();
    let first = rows.iter().find(|row| row.workflow == watcher.workflow.backfill().name).unwrap();
    assert_eq!((first.status.as_str(), first.percent), ("SUCCEEDED", Some(100.0)), "{first:?}");
    watcher.counts_rightly(first);
    a_failure_is_counted(&watcher);
    what_was_stopped_is_redriven_by_what_is_deployed_then(&watcher);
}
