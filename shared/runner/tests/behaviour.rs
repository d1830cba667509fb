//! What the recordings do not fix: waits, limits, timeouts, stopping, replay.

use std::sync::Mutex;
use std::time::Duration;

use asl::Kind;
use futures::future::BoxFuture;
use proptest::prelude::*;
use runner::{Execution, Options, Status, TaskReply, TaskRequest, Tasks, tokio_clock};
use serde_json::{Value, json};

/// Answers a task by a function of the request.
struct Answer<F>(F);

impl<F> Tasks for Answer<F>
where
    F: Fn(TaskRequest) -> BoxFuture<'static, TaskReply> + Send + Sync,
{
    fn call(&self, request: TaskRequest) -> BoxFuture<'_, TaskReply> {
        (self.0)(request)
    }
}

fn echo(request: TaskRequest) -> BoxFuture<'static, TaskReply> {
    Box::pin(async move { TaskReply::Result(request.arguments) })
}

fn options() -> Options {
    Options::new(Kind::Standard, "machine", "execution", tokio_clock(0))
}

/// Runs a definition under the paused clock.
fn run_with(
    definition: Value,
    input: Value,
    tasks: &dyn Tasks,
    adjust: impl FnOnce(&mut Options),
) -> Execution {
    let machine = asl::parse(&definition).expect("the definition is valid");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let mut options = options();
        adjust(&mut options);
        runner::run(&machine, input, options, tasks).await
    })
}

fn run(definition: Value, input: Value, tasks: &dyn Tasks) -> Execution {
    run_with(definition, input, tasks, |_| {})
}

fn task(extra: Value) -> Value {
    let mut state = json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": "{% $states.input %}",
        "End": true,
    });
    state.as_object_mut().expect("an object").extend(extra.as_object().cloned().unwrap_or_default());
    state
}

fn machine(states: Value) -> Value {
    let start = states.as_object().and_then(|states| states.keys().next()).expect("a state").clone();
    json!({ "QueryLanguage": "JSONata", "StartAt": start, "States": states })
}

fn kinds(execution: &Execution) -> Vec<&str> {
    execution.history.iter().map(|event| event.kind.as_str()).collect()
}

#[test]
fn an_execution_can_be_spawned() {
    fn sendable<T: Send>(value: T) -> T {
        value
    }
    let machine = asl::parse(&machine(json!({ "A": task(json!({})) }))).expect("valid");
    let tasks = Answer(echo);
    drop(sendable(async { runner::run(&machine, json!(1), options(), &tasks).await }));
}

#[test]
fn a_missed_heartbeat_ends_a_task_and_a_beat_saves_it() {
    let definition = machine(json!({ "A": task(json!({ "TimeoutSeconds": 60, "HeartbeatSeconds": 10 })) }));
    let silent = Answer(|_| -> BoxFuture<'static, TaskReply> { Box::pin(async { TaskReply::Never }) });
    let execution = run(definition.clone(), json!(1), &silent);
    assert_eq!(execution.error.as_deref(), Some("States.Timeout"));
    let beating = Answer(|request: TaskRequest| -> BoxFuture<'static, TaskReply> {
        Box::pin(async move {
            for _ in 0..4 {
                tokio::time::sleep(Duration::from_secs(8)).await;
                request.heartbeat.beat();
            }
            TaskReply::Result(json!("done"))
        })
    });
    let execution = run(definition, json!(1), &beating);
    assert_eq!((execution.output, execution.ended_ms), (Some(json!("done")), 32_000));
}

#[test]
fn a_task_that_nobody_answers_times_out_and_is_caught() {
    let definition = machine(json!({
        "A": task(json!({
            "TimeoutSeconds": 5,
            "Retry": [{ "ErrorEquals": ["States.Timeout"], "MaxAttempts": 1 }],
            "Catch": [{ "ErrorEquals": ["States.Timeout"], "Next": "B" }],
        })),
        "B": { "Type": "Pass", "End": true },
    }));
    let silent = Answer(|_| -> BoxFuture<'static, TaskReply> { Box::pin(std::future::pending()) });
    let execution = run(definition, json!({}), &silent);
    assert_eq!(execution.output, Some(json!({ "Error": "States.Timeout", "Cause": "" })));
    // Two attempts of five seconds with one second between them.
    assert_eq!(execution.ended_ms, 11_000);
    assert_eq!(execution.transitions, 3, "two states and a retry");
}

#[test]
fn the_history_ends_at_its_limit() {
    let definition = machine(json!({
        "A": { "Type": "Pass", "Next": "B" },
        "B": { "Type": "Pass", "Next": "A" },
        "C": { "Type": "Succeed" },
    }));
    for history in [true, false] {
        let execution =
            run_with(definition.clone(), json!({}), &Answer(echo), |options| options.history = history);
        assert_eq!((execution.status, execution.events), (Status::Failed, 25_000));
        assert_eq!(execution.error.as_deref(), Some("States.Runtime"));
        assert_eq!(
            execution.cause.as_deref(),
            Some("The execution reached the maximum number of history events (25000).")
        );
        let kept = if history { 25_000 } else { 0 };
        assert_eq!(execution.history.len(), kept);
    }
}

#[test]
fn a_large_result_is_caught_and_a_large_output_is_not() {
    let large = Answer(|_| -> BoxFuture<'static, TaskReply> {
        Box::pin(async { TaskReply::Result(json!("x".repeat(262_143))) })
    });
    let catch = json!({ "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "B" }] });
    let states = |first: Value| machine(json!({ "A": first, "B": { "Type": "Pass", "End": true } }));
    let execution = run(states(task(catch)), json!({}), &large);
    let caught = execution.output.unwrap_or_default();
    assert_eq!(caught["Error"], "States.DataLimitExceeded");
    assert_eq!(
        caught["Cause"],
        "The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes service limit."
    );
    let grows = json!({ "Type": "Pass", "Output": "{% $pad('', 300000, 'x') %}", "Next": "B" });
    let execution = run(states(grows), json!({}), &large);
    assert_eq!(
        (execution.status, execution.error.as_deref()),
        (Status::Failed, Some("States.DataLimitExceeded"))
    );
}

#[test]
fn an_express_execution_ends_after_five_minutes() {
    let definition = machine(json!({ "W": { "Type": "Wait", "Seconds": 400, "End": true } }));
    let execution =
        run_with(definition.clone(), json!({}), &Answer(echo), |options| options.kind = Kind::Express);
    assert_eq!((execution.status, execution.ended_ms), (Status::TimedOut, 300_000));
    let execution = run(definition, json!({}), &Answer(echo));
    assert_eq!((execution.status, execution.ended_ms), (Status::Succeeded, 400_000));
}

#[test]
fn a_stopped_execution_is_aborted_with_its_reason() {
    let definition = machine(json!({ "W": { "Type": "Wait", "Seconds": 400, "End": true } }));
    let execution = run_with(definition, json!({}), &Answer(echo), |options| {
        options.stop.stop(Some("Brake".into()), Some("by hand".into()));
    });
    assert_eq!((execution.status, execution.error.as_deref()), (Status::Aborted, Some("Brake")));
    assert_eq!(kinds(&execution).last(), Some(&"ExecutionAborted"));
}

#[test]
fn a_failed_branch_aborts_the_tasks_of_the_others() {
    let definition = machine(json!({
        "P": {
            "Type": "Parallel",
            "Branches": [
                { "StartAt": "Slow", "States": { "Slow": task(json!({})) } },
                { "StartAt": "F", "States": { "F": { "Type": "Fail", "Error": "Bad" } } },
            ],
            "Catch": [{ "ErrorEquals": ["Bad"], "Output": "{% $states.errorOutput.Error %}", "Next": "Q" }],
            "End": true,
        },
        "Q": { "Type": "Pass", "End": true },
    }));
    let slow = Answer(|_| -> BoxFuture<'static, TaskReply> { Box::pin(std::future::pending()) });
    let execution = run(definition, json!({}), &slow);
    assert_eq!(execution.output, Some(json!("Bad")));
    let tail = ["TaskStateAborted", "ParallelStateFailed", "ParallelStateExited"];
    assert!(kinds(&execution).windows(3).any(|events| events == tail), "{:?}", kinds(&execution));
}

#[test]
fn inline_maps_run_at_most_forty_at_once() {
    let open = std::sync::Arc::new(Mutex::new((0, 0)));
    let counter = std::sync::Arc::clone(&open);
    let tasks = Answer(move |_| -> BoxFuture<'static, TaskReply> {
        let counter = std::sync::Arc::clone(&counter);
        Box::pin(async move {
            {
                let mut open = counter.lock().expect("no panic");
                open.0 += 1;
                open.1 = open.1.max(open.0);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            counter.lock().expect("no panic").0 -= 1;
            TaskReply::Result(json!(null))
        })
    });
    let definition = machine(json!({
        "M": {
            "Type": "Map",
            "ItemProcessor": { "StartAt": "T", "States": { "T": task(json!({})) } },
            "End": true,
        },
    }));
    let execution = run(definition, (0..100).collect(), &tasks);
    assert_eq!((execution.status, open.lock().expect("no panic").1), (Status::Succeeded, 40));
    assert_eq!(execution.ended_ms, 3_000);
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let definition = machine(json!({
        "A": task(json!({
            "Arguments": { "id": "{% $uuid() %}", "draw": "{% $random() %}", "now": "{% $now() %}" },
            "Retry": [{ "ErrorEquals": ["States.ALL"], "JitterStrategy": "FULL", "IntervalSeconds": 60 }],
        })),
    }));
    let failing =
        Answer(|_| -> BoxFuture<'static, TaskReply> { Box::pin(async { TaskReply::error("E", "c") }) });
    let once = |seed| run_with(definition.clone(), json!({}), &failing, |options| options.seed = seed);
    assert_eq!(once(7), once(7));
    assert_ne!(once(7), once(8));
}

#[test]
fn a_token_comes_with_the_task_and_changes_with_the_attempt() {
    let tokens = std::sync::Arc::new(Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&tokens);
    let tasks = Answer(move |request: TaskRequest| -> BoxFuture<'static, TaskReply> {
        seen.lock().expect("no panic").push((request.token.clone(), request.arguments.clone()));
        Box::pin(async { TaskReply::error("E", "c") })
    });
    let definition = machine(json!({
        "A": task(json!({
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Arguments": "{% $states.context.Task.Token %}",
            "Retry": [{ "ErrorEquals": ["E"], "MaxAttempts": 1 }],
        })),
    }));
    run(definition, json!({}), &tasks);
    let tokens = tokens.lock().expect("no panic");
    let [(Some(first), sent), (Some(second), _)] = tokens.as_slice() else { panic!("{tokens:?}") };
    assert!(first != second && *sent == json!(first));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However long each item takes and however many run at once, results come in the order of the
    /// items, every item runs once, and the time is that of the greedy schedule.
    #[test]
    fn maps_keep_the_order_of_their_items(
        seconds in proptest::collection::vec(0u64..50, 0..30),
        concurrency in 1usize..12,
    ) {
        let definition = machine(json!({
            "M": {
                "Type": "Map",
                "MaxConcurrency": concurrency,
                "ItemProcessor": {
                    "StartAt": "W",
                    "States": { "W": { "Type": "Wait", "Seconds": "{% $states.input %}", "End": true } },
                },
                "End": true,
            },
        }));
        let execution = run(definition, json!(seconds), &Answer(echo));
        let mut lanes = vec![0; concurrency];
        for second in &seconds {
            let free = (0..concurrency).min_by_key(|lane| lanes[*lane]).unwrap_or(0);
            lanes[free] += second;
        }
        prop_assert_eq!(execution.output, Some(json!(seconds)));
        prop_assert_eq!(execution.ended_ms, *lanes.iter().max().unwrap_or(&0) as i64 * 1000);
        prop_assert_eq!(execution.transitions, seconds.len() as u64 + 1);
    }

    /// The first catcher that names the error takes it; an error that nobody names fails the execution.
    #[test]
    fn the_first_catcher_that_names_an_error_takes_it(
        catchers in proptest::collection::vec(proptest::collection::vec("[A-E]", 1..3), 0..4),
        error in "[A-E]",
    ) {
        let catch: Vec<Value> = catchers
            .iter()
            .enumerate()
            .map(|(index, names)| {
                json!({ "ErrorEquals": names, "Next": "Caught", "Output": { "by": index } })
            })
            .collect();
        let definition = machine(json!({
            "F": task(json!({ "Catch": catch, "Next": "Caught", "End": null })),
            "Caught": { "Type": "Pass", "End": true },
        }));
        let mut definition = definition;
        definition["States"]["F"].as_object_mut().expect("a state").remove("End");
        let thrown = error.clone();
        let failing = Answer(move |_| -> BoxFuture<'static, TaskReply> {
            let error = thrown.clone();
            Box::pin(async move { TaskReply::error(error, "c") })
        });
        let execution = run(definition, json!({}), &failing);
        match catchers.iter().position(|names| names.contains(&error)) {
            Some(index) => prop_assert_eq!(execution.output, Some(json!({ "by": index }))),
            None => prop_assert_eq!(execution.error, Some(error)),
        }
    }
}
