//! The definitions of ticket sync, run.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use runner::Status;
use serde_json::{Value, json};
use statemachines::TicketSyncWorkflow;
use statemachines::steps::{
    BackfillPageInput, ClaimWorkInput, CompareLinksInput, FinishBackfillInput, PollCommentsInput,
    PollTasksInput, PollTicketsInput, SettleEffectsInput, SyncRecordsInput,
};

use crate::machine::{Answer, Bench, run};

fn bench(answer: Answer) -> Bench {
    Bench::new(BTreeMap::new(), answer)
}

/// Whether a step of this name could read this input.
fn fits(step: &str, input: &Value) -> bool {
    fn reads<T: serde::de::DeserializeOwned>(input: &Value) -> bool {
        serde_json::from_value::<T>(input.clone()).is_ok()
    }
    match step {
        "BackfillPage" => reads::<BackfillPageInput>(input),
        "FinishBackfill" => reads::<FinishBackfillInput>(input),
        "ClaimWork" => reads::<ClaimWorkInput>(input),
        "SyncRecords" => reads::<SyncRecordsInput>(input),
        "PollTickets" => reads::<PollTicketsInput>(input),
        "PollComments" => reads::<PollCommentsInput>(input),
        "PollTasks" => reads::<PollTasksInput>(input),
        "SettleEffects" => reads::<SettleEffectsInput>(input),
        "CompareLinks" => reads::<CompareLinksInput>(input),
        _ => false,
    }
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn backfill_takes_pages_until_the_export_ends() {
    let workflow = TicketSyncWorkflow::new();
    let failed = AtomicU64::new(0);
    let tested = bench(Box::new(move |request, input| {
        assert!(fits(&request.state, input), "{}: {input}", request.state);
        match request.state.as_str() {
            "BackfillPage" if failed.fetch_add(1, Ordering::Relaxed) == 2 => Err("Transient".to_owned()),
            "BackfillPage" => {
                let round = input["round"].as_u64().unwrap_or(0);
                let wait_s = if round == 1 { 600 } else { 0 };
                Ok(json!({"done": round == 4, "wait_s": wait_s, "created": 100, "seen": 100}))
            }
            _ => Ok(json!({"linked": 500})),
        }
    }));
    let (execution, took_s) = run(workflow.backfill(), json!({"generation": 3}), &tested).await;
    assert_eq!(execution.output, Some(json!({"done": true})), "{:?}", execution.cause);
    let states: Vec<String> = tested.calls().into_iter().map(|call| call.state).collect();
    assert_eq!(
        states.iter().filter(|state| *state == "BackfillPage").count(),
        6,
        "five pages, one of them twice"
    );
    assert_eq!(states.last().map(String::as_str), Some("FinishBackfill"));
    assert!((600.0..603.0).contains(&took_s), "waited for the budget once, took {took_s} s");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn live_serves_every_batch_although_one_is_lost() {
    let workflow = TicketSyncWorkflow::new();
    for batches in [0_usize, 1, 3, 25] {
        let tested = bench(Box::new(move |request, input| {
            assert!(fits(&request.state, input), "{}: {input}", request.state);
            let claim = |at: usize| json!([{"key": format!("T#{at}"), "token": "t"}]);
            match request.state.as_str() {
                "ClaimWork" => {
                    let list: Vec<Value> = (0..batches).map(claim).collect();
                    Ok(json!({"batches": list, "claimed": batches, "more": batches == 25}))
                }
                _ if input["claims"][0]["key"] == "T#1" => Err("Bug".to_owned()),
                _ => Ok(json!({"synced": 1, "written": 1, "requeued": 0, "quarantined": 0})),
            }
        }));
        let (execution, _) =
            run(workflow.live(), json!({"lane": "live", "limit": 40, "record": null}), &tested).await;
        assert_eq!(execution.status, Status::Succeeded, "{:?} {:?}", execution.error, execution.cause);
        assert_eq!(execution.output, Some(json!({"claimed": batches, "more": batches == 25})));
        assert_eq!(tested.calls().len(), 1 + batches);
    }
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn poll_asks_all_streams_at_once_and_settles_even_if_one_fails() {
    let workflow = TicketSyncWorkflow::new();
    let seconds = ["PollTickets", "PollComments", "PollTasks"].map(|id| (id.to_owned(), 10.0));
    let tested = Bench::new(
        seconds.into_iter().collect(),
        Box::new(|request, input| {
            assert!(fits(&request.state, input), "{}: {input}", request.state);
            match request.state.as_str() {
                "PollComments" => Err("Rejected".to_owned()),
                "SettleEffects" => Ok(json!({"settled": 2, "left": 1})),
                _ => Ok(json!({"hinted": 4, "caught_up": true})),
            }
        }),
    );
    let (execution, took_s) = run(workflow.poll(), json!({}), &tested).await;
    assert_eq!(execution.output, Some(json!({"settled": 2, "left": 1})));
    assert_eq!(tested.calls().len(), 4);
    assert!((took_s - 10.0).abs() < 0.5, "all three at the same time, took {took_s} s");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_sweep_waits_for_budgets_and_stands_one_bad_segment_of_many() {
    let workflow = TicketSyncWorkflow::new();
    for (segments, bad, good) in [(20_u64, 2, true), (20, 3, false), (0, 0, true)] {
        let waited = AtomicU64::new(0);
        let tested = bench(Box::new(move |request, input| {
            assert!(fits(&request.state, input), "{}: {input}", request.state);
            match input["segment"]["segment"].as_u64() {
                Some(segment) if segment < bad => Err("Rejected".to_owned()),
                Some(9) if waited.fetch_add(1, Ordering::Relaxed) < 30 => Err("BudgetEmpty".to_owned()),
                _ => Ok(json!({"compared": 1_000, "hinted": 3})),
            }
        }));
        let list: Vec<Value> =
            (0..segments).map(|n| json!({"round": 1, "segment": n, "of": segments})).collect();
        let (execution, _) = run(workflow.sweep(), json!({"segments": list}), &tested).await;
        assert_eq!(execution.status == Status::Succeeded, good, "{:?}", execution.cause);
        if good && segments > 0 {
            assert_eq!(tested.calls().len() as u64, segments + 30);
        }
    }
}
