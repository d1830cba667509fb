//! A backfill too long for the history of one execution: it goes on in others, and the world ends as it does after a
//! short one, with nothing lost and nothing doubled.

use orchestration::{Start, WorkflowOrchestrator};
use serde_json::json;
use statemachines::TicketSyncWorkflow;
use stores::FaultPlan;
use tests::expect::{Faults, nothing_wrong};
use tests::hands::minutes;
use tests::whole::{Stage, on_paused_clock};
use world::{Silent, WorldOptions};

/// Tickets of the export: several pages of it, each longer than a minute's budget.
const TICKETS: usize = 1_200;

/// Events that the service is taken to keep: enough for one round of the backfill.
const EVENTS: u64 = 64;

#[test]
fn a_backfill_that_goes_on_in_other_executions_loses_and_doubles_nothing() {
    on_paused_clock(async {
        let options = WorldOptions { tickets: TICKETS, edits: 40, seed: 21, ..WorldOptions::default() };
        let stage = Stage::open(options, FaultPlan::none()).expect("a world in memory");
        let deskup = stage.driven();
        stage.world.seed(&Silent).expect("tickets");
        stage.world.connect(Some(deskup.clone()));
        stage.world.prepare(deskup.as_ref()).await.expect("it connects");

        let workflow = TicketSyncWorkflow::with_events_max(EVENTS);
        let engine = stage.deskup.local().expect("it is prepared").engine.clone();
        let start = Start {
            name: Some("long".to_owned()),
            trigger: "person".to_owned(),
            actor: "test".to_owned(),
            lane: clients::Lane::Backfill,
        };
        let input = json!({ "generation": 1 });
        let outcome = WorkflowOrchestrator::new(engine).execute(workflow.backfill(), input, start).await;
        let outcome = outcome.expect("it runs");
        assert_eq!(outcome.output, Some(json!({ "done": true })), "{:?} {:?}", outcome.error, outcome.cause);

        let rows = stage.store.executions().list(100).await.expect("rows");
        for id in ["long", "long-c1", "long-c2"] {
            let row = rows.iter().find(|row| row.id == id);
            assert_eq!(
                row.map(|row| row.status.as_str()),
                Some("SUCCEEDED"),
                "{id}: it went on at least twice"
            );
        }

        // Nothing is left for another backfill.
        let created = stage
            .deskup
            .local()
            .expect("it is prepared")
            .cx
            .created
            .load(std::sync::atomic::Ordering::Relaxed);
        stage.world.backfill(deskup.as_ref(), &Silent).await.expect("it is done");
        let after = stage
            .deskup
            .local()
            .expect("it is prepared")
            .cx
            .created
            .load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(created, after);
        stage.world.live(deskup.as_ref()).expect("it goes live");
        minutes(5).await;
        stage.world.play(&Silent).await.expect("people edit");
        let ran = stage.finish().await.expect("it comes to rest");
        nothing_wrong(&Faults::of_calm(&ran).into_lines());
    });
}
