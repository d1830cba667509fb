//! `deskup run ticket-sync --invoke URL`: the embedded engine over the state of a demo that is kept running, each step
//! called as a Lambda over HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use clients::{Clock, Lane};
use domain::Settings;
use functions::lambda::AHEAD;
use functions::remote::{NotThere, Remote, Told};
use functions::run::generation;
use orchestration::{EmbeddedEngine, Failure, Outcome, Start, WorkflowOrchestrator};
use serde_json::{Value as Json, json};
use statemachines::TicketSyncWorkflow;
use statemachines::steps::STEP_NAMES;

use crate::demo::EnvFile;
use crate::failure::Failed;
use crate::installation::{Installation, wall_ms};
use crate::{machine, signals, terminal};

/// The time of a demo.
struct Ahead(i64);

impl Clock for Ahead {
    fn now_ms(&self) -> i64 {
        wall_ms().saturating_add(self.0)
    }
}

/// Counts calls, and says that it goes on.
#[derive(Default)]
struct Calls {
    counts: Mutex<BTreeMap<&'static str, (u64, u64)>>,
    quiet: bool,
}

impl Told for Calls {
    fn called(&self, step: &'static str, failure: Option<Failure>) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let (calls, failures) = counts.entry(step).or_default();
        *calls += 1;
        *failures += u64::from(failure.is_some());
        if !self.quiet {
            let what = failure.map_or("done", Failure::name);
            terminal::talk(&format!("{step} {calls}: {what}"));
        }
    }
}

/// Runs the backfill, one poll and what is due then.
pub async fn run(installation: &Installation, url: &str, quiet: bool) -> anyhow::Result<()> {
    let remote = Remote::at(url).map_err(|error| Failed::usage(error.to_string()))?;
    let ahead_ms = EnvFile::read(installation.dir(), AHEAD).and_then(|text| text.parse().ok());
    let (true, Some(ahead_ms)) = (installation.is_demo(), ahead_ms) else {
        return Err(Failed::usage(format!(
            "--invoke is for trying the Lambdas on a demo that is kept running, and none is in {}: start \
             `deskup demo --keep` first",
            installation.dir().display()
        )));
    };
    let clock = Arc::new(Ahead(ahead_ms));
    let now = clock.clone();
    let store = installation.visit(Arc::new(move || now.now_ms())).await?;
    for step in STEP_NAMES {
        if !quiet {
            terminal::talk(&format!("waking {step}; the first time it is built"));
        }
        remote.wake(step).await.map_err(|error| not_there(&error))?;
    }
    let calls = Arc::new(Calls { quiet, ..Calls::default() });
    let seed = machine::seed();
    let engine = EmbeddedEngine::new(remote.registry(calls.clone()), store.clone(), clock, seed, 0);
    let (orchestrator, workflow) = (WorkflowOrchestrator::new(engine), TicketSyncWorkflow::new());
    let start = |lane| Start { name: None, trigger: "person".to_owned(), actor: "deskup".to_owned(), lane };
    let configuration = store.configuration().get().await.map_err(|error| Failed::store(&error))?;
    let settings = Settings::parse(&configuration.unwrap_or_default().settings);
    let settings =
        settings.map_err(|_| Failed::state("the demo's settings cannot be read; start it again"))?;
    let generation = generation(&store, &settings.digest()).await.map_err(|error| Failed::store(&error))?;
    let (backfill, poll, live) = (workflow.backfill(), workflow.poll(), workflow.live());
    let due = json!({ "lane": stores::Lane::Live.name(), "limit": LIMIT, "record": null });
    let pages = json!({ "generation": generation });
    let mut outcomes = Vec::new();
    for (workflow, input, lane) in
        [(backfill, pages, Lane::Backfill), (poll, json!({}), Lane::Reconcile), (live, due, Lane::Live)]
    {
        let id = orchestrator.start(workflow, input, start(lane)).await?;
        let ended = orchestrator.wait(&id);
        tokio::pin!(ended);
        tokio::select! {
            outcome = &mut ended => outcomes.push(outcome?),
            stopped = signals::stopped() => {
                stopped?;
                terminal::talk("stopping: what a function has in work is finished first");
                orchestrator.stop(&id).await?;
                outcomes.push(ended.await?);
                break;
            }
        }
    }
    report(&outcomes, &calls, quiet)
}

/// Rows that are taken at the end.
const LIMIT: u32 = 40;

fn not_there(error: &NotThere) -> anyhow::Error {
    Failed::usage(format!(
        "{error}; start the functions in the folder `functions` of a checkout with the command that the demo has printed. \
         If they run, one may have ended: it is not started again before `cargo lambda watch` is"
    ))
}

fn report(outcomes: &[Outcome], calls: &Calls, json: bool) -> anyhow::Result<()> {
    let counts = calls.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if json {
        let executions: Vec<Json> = outcomes
            .iter()
            .map(|outcome| json!({ "execution": outcome.execution, "status": outcome.status, "error": outcome.error }))
            .collect();
        let calls: BTreeMap<&str, Json> = counts
            .iter()
            .map(|(step, (calls, failures))| (*step, json!({ "calls": calls, "failures": failures })))
            .collect();
        terminal::data(&json!({ "executions": executions, "calls": calls }).to_string());
    } else {
        let rows: Vec<Vec<String>> = counts
            .iter()
            .map(|(step, (calls, failures))| {
                vec![(*step).to_owned(), calls.to_string(), failures.to_string()]
            })
            .collect();
        terminal::data(&terminal::table(&["step", "calls", "failures"], &rows));
    }
    match outcomes.iter().find(|outcome| !outcome.succeeded()) {
        None => Ok(()),
        Some(outcome) => Err(Failed::result(format!(
            "execution {} ended as {}: {}",
            outcome.execution,
            outcome.status,
            outcome.error.as_deref().unwrap_or_default()
        ))),
    }
}
