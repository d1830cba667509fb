//! Executions on Step Functions, as the service answers: named starts, synchronous ones, history in pages, stop, redrive.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use asl::expression::{input, result};
use asl::{Block, CompiledWorkflow, Kind, Step, WorkflowDefinition};
use aws_credential_types::Credentials;
use bytes::Bytes;
use clients::{Clock, Lane, TokioClock, Transport, TransportError};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use orchestration::engine::Start;
use orchestration::{Engine, EngineError, StepFunctionsEngine};
use serde_json::{Value, json};
use stores::{Place, Store};

asl::records! {
    /// Input of the workflow and of its step.
    pub struct Asked {
        /// What is asked.
        pub what: String,
    }

    /// Output of the step.
    pub struct Answered {
        /// What came of it.
        pub what: String,
    }
}

const DO: Step<Asked, Answered> = Step::new("Do");
const MACHINE: &str = "arn:aws:states:eu-west-1:123456789012:stateMachine:stack-work";
const NOW_MS: i64 = 1_760_000_000_000;

fn workflow(kind: Kind) -> CompiledWorkflow {
    WorkflowDefinition::new::<Asked>("work", kind)
        .body(Block::new().step(DO.call().with("what", input("what")).timeout_s(30)))
        .returns("what", result("Do", "what"))
        .compile()
        .expect("it compiles")
}

/// The service: what it answers to each action, in turn, and what it was asked.
#[derive(Default)]
struct Service {
    answers: Mutex<BTreeMap<&'static str, Vec<(u16, Value)>>>,
    asked: Mutex<Vec<(String, Value)>>,
}

impl Service {
    fn answers(&self, action: &'static str, status: u16, answer: Value) {
        self.answers.lock().expect("one thread").entry(action).or_default().push((status, answer));
    }

    fn asked(&self, action: &str) -> Vec<Value> {
        let asked = self.asked.lock().expect("one thread");
        asked.iter().filter(|(name, _)| name == action).map(|(_, body)| body.clone()).collect()
    }
}

impl Transport for Service {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let target = request.headers()["x-amz-target"].to_str().expect("text");
        let action = target.rsplit('.').next().expect("a name").to_owned();
        let body = serde_json::from_slice(request.body()).expect("JSON");
        self.asked.lock().expect("one thread").push((action.clone(), body));
        let mut answers = self.answers.lock().expect("one thread");
        let queue = answers.get_mut(action.as_str()).filter(|queue| !queue.is_empty());
        let (status, answer) = queue.unwrap_or_else(|| panic!("nobody expected {action}")).remove(0);
        let mut response = Response::new(Bytes::from(answer.to_string()));
        *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
        async move { Ok(response) }.boxed()
    }
}

struct World {
    service: Arc<Service>,
    engine: Arc<StepFunctionsEngine>,
    store: Store,
}

fn world() -> World {
    let clock: Arc<dyn Clock> = Arc::new(TokioClock::new(NOW_MS));
    let now = clock.clone();
    let store = Store::embedded(Place::Memory, "test", Arc::new(move || now.now_ms())).expect("a store");
    let service = Arc::new(Service::default());
    let credentials = Credentials::new("test", "test", None, None, "test");
    let region = "eu-west-1".to_owned();
    let session = aws::Session::new(service.clone(), clock.clone(), credentials, region, None, "test")
        .expect("a session");
    let machines = BTreeMap::from([("work".to_owned(), MACHINE.to_owned())]);
    let engine = StepFunctionsEngine::new(session.step_functions(), store.clone(), clock, 1, machines);
    World { service, engine, store }
}

fn start(name: &str) -> Start {
    Start {
        name: Some(name.to_owned()),
        trigger: "person".to_owned(),
        actor: "test".to_owned(),
        lane: Lane::Backfill,
    }
}

fn started() -> Value {
    json!({ "executionArn": "arn:aws:states:eu-west-1:123456789012:execution:stack-work:first", "startDate": 1.0 })
}

fn described(status: &str) -> Value {
    json!({
        "executionArn": "arn", "stateMachineArn": MACHINE, "status": status, "startDate": 1.0, "stopDate": 2.0,
        "output": "{\"what\":\"done\"}",
    })
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_standard_execution_is_started_once_told_of_and_redriven() {
    let World { service, engine, store } = world();
    let workflow = workflow(Kind::Standard);
    service.answers("StartExecution", 200, started());
    let id = engine.start(&workflow, json!({ "what": "x" }), start("first")).await.expect("it starts");
    assert_eq!(id, "first");
    assert_eq!(service.asked("StartExecution")[0]["stateMachineArn"], MACHINE);
    // The service says that it has one of this name, which is what a second wake finds.
    service.answers("StartExecution", 400, json!({ "__type": "ExecutionAlreadyExists" }));
    let again = engine.start(&workflow, json!({ "what": "x" }), start("first")).await;
    assert!(matches!(again, Err(EngineError::NameTaken(_))), "{again:?}");

    service.answers("DescribeExecution", 200, described("RUNNING"));
    service.answers("DescribeExecution", 200, described("FAILED"));
    assert_eq!(engine.wait("first").await.expect("it ends").status, "FAILED");
    assert_eq!(store.executions().get("first").await.expect("a row").expect("a row").status, "FAILED");

    let event = |kind: &str, id: u32| json!({ "timestamp": 1.5, "type": kind, "id": id });
    service.answers(
        "GetExecutionHistory",
        200,
        json!({ "events": [event("ExecutionStarted", 1)], "nextToken": "more" }),
    );
    let mut entered = event("TaskStateEntered", 2);
    entered["stateEnteredEventDetails"] = json!({ "name": "Do" });
    service.answers("GetExecutionHistory", 200, json!({ "events": [entered] }));
    let history = engine.history("first").await.expect("a history");
    let told: Vec<_> =
        history.iter().map(|event| (event.kind.as_str(), event.state.as_deref(), event.at_ms)).collect();
    assert_eq!(told, [("ExecutionStarted", None, 1_500), ("TaskStateEntered", Some("Do"), 1_500)]);
    assert_eq!(service.asked("GetExecutionHistory")[1]["nextToken"], "more");
    assert_eq!(service.asked("GetExecutionHistory")[0]["includeExecutionData"], false, "no contents");

    service.answers("RedriveExecution", 200, json!({ "redriveDate": 3.0 }));
    engine.redrive("first").await.expect("it goes on");
    assert_eq!(
        service.asked("RedriveExecution")[0]["executionArn"],
        MACHINE.replace("stateMachine", "execution") + ":first"
    );
    assert_eq!(store.executions().get("first").await.expect("a row").expect("a row").status, "RUNNING");
    service.answers("DescribeExecution", 200, described("SUCCEEDED"));
    let outcome = engine.wait("first").await.expect("it ends");
    assert_eq!((outcome.status.as_str(), outcome.output), ("SUCCEEDED", Some(json!({ "what": "done" }))));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_standard_execution_is_stopped_at_the_service() {
    let World { service, engine, store } = world();
    service.answers("StartExecution", 200, started());
    engine.start(&workflow(Kind::Standard), json!({}), start("first")).await.expect("it starts");
    service.answers("DescribeExecution", 200, described("RUNNING"));
    service.answers("StopExecution", 200, json!({ "stopDate": 2.0 }));
    assert!(engine.stop("first").await.expect("it is asked"));
    assert!(store.executions().get("first").await.expect("a row").expect("a row").stopping);
    service.answers("DescribeExecution", 200, described("ABORTED"));
    assert!(!engine.stop("first").await.expect("it is over"));
    assert!(!engine.stop("nobody").await.expect("there is none"));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_express_execution_is_stopped_by_a_flag_and_has_no_history() {
    let World { service, engine, store } = world();
    let workflow = workflow(Kind::Express);
    let mut ended = described("SUCCEEDED");
    ended["name"] = json!("live-1");
    service.answers("StartSyncExecution", 200, ended);
    let outcome = engine.run(&workflow, json!({}), start("live-1")).await.expect("it runs");
    assert_eq!((outcome.status.as_str(), outcome.output), ("SUCCEEDED", Some(json!({ "what": "done" }))));

    service.answers("StartExecution", 200, started());
    engine.start(&workflow, json!({}), start("live-2")).await.expect("it starts");
    let twice = engine.start(&workflow, json!({}), start("live-2")).await;
    assert!(matches!(twice, Err(EngineError::NameTaken(_))), "the service would start it twice: {twice:?}");
    assert!(engine.stop("live-2").await.expect("it is flagged"));
    assert!(store.executions().get("live-2").await.expect("a row").expect("a row").stopping);
    assert!(matches!(engine.history("live-2").await, Err(EngineError::NotOffered(_))));
    assert!(matches!(engine.redrive("live-2").await, Err(EngineError::NotOffered(_))));
    // Nobody but its steps can say how it ended; later than it can run it is over.
    tokio::time::advance(std::time::Duration::from_secs(7 * 60)).await;
    let row = engine.describe("live-2").await.expect("a row").expect("a row");
    assert_eq!((row.status.as_str(), row.error.as_deref()), ("TIMED_OUT", Some("States.Timeout")));
}
