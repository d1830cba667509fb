//! What neither a webhook nor a cursor told is found by comparing all pairs, and an unchanged world is left alone.

use std::sync::Arc;

use clients::ExportFrom;
use domain::TicketId;
use functions::steps::{poll_comments, poll_tasks, poll_tickets};
use serde_json::json;
use stores::FaultPlan;
use stores::links::LinkState;
use tests::expect::{Faults, nothing_wrong};
use tests::hands::minutes;
use tests::whole::{Stage, on_paused_clock};
use world::people::act::Action;
use world::{WorldFaults, WorldOptions};

/// A world that no webhook tells of anything.
fn silent_stage() -> Stage {
    let faults = WorldFaults { webhook_drop: 1.0, ..WorldFaults::default() };
    let options = WorldOptions { tickets: 30, edits: 0, seed: 8, faults, ..WorldOptions::default() };
    Stage::open(options, FaultPlan::none()).expect("a world in memory")
}

/// Cursors that have passed everything, as if a list had shown it too late.
async fn let_cursors_pass(stage: &Stage) {
    let cx = Arc::clone(&stage.deskup.local().expect("deskup runs").cx);
    // The export leaves out the last minute, and so does the cursor at its end.
    let start_s = cx.clock.now_ms() / 1_000 + 3_600;
    let page = cx.zendesk.export_tickets(ExportFrom::Start(start_s), 100).await;
    let passed = page.ok().and_then(|page| page.after_cursor).unwrap_or_default();
    let later_ms = cx.clock.now_ms() + 3_600_000;
    for (stream, text) in [
        (poll_tickets::STREAM, passed),
        (poll_comments::STREAM, (later_ms / 1_000).to_string()),
        (poll_tasks::STREAM, later_ms.to_string()),
    ] {
        let cursor = cx.checkpoints.cursor(stream).await.expect("reads");
        cx.checkpoints.advance(stream, cursor.as_ref(), &text).await.expect("advances");
    }
}

#[test]
fn a_sweep_finds_what_nobody_told_and_leaves_the_rest_alone() {
    on_paused_clock(async {
        let stage = silent_stage();
        stage.settle_in().await.expect("it comes to rest");
        let open = |ticket: &u64| stage.ticket(*ticket, "status") == "open";
        let pairs: Vec<_> = stage.pairs().await.into_iter().filter(|(ticket, _)| open(ticket)).collect();
        let [(on_ticket, _), (_, on_task), (of_gone, gone), ..] = &pairs[..] else {
            panic!("there are open tickets")
        };
        let dispatcher = stage.deskup.local().expect("deskup runs").dispatcher.clone();
        let before = stage.sync_changes();
        assert!(dispatcher.sweep("person").await.expect("it runs").succeeded());
        minutes(3).await;
        assert_eq!(stage.sync_changes(), before, "an unchanged world is left alone");

        stage.on_ticket(*on_ticket, json!({ "priority": "urgent" }), "e1").await;
        stage.on_task(on_task, Action::Task(json!({ "name": "Nobody was told" })), "e2").await;
        stage.delete_task(gone).await;
        let_cursors_pass(&stage).await;
        minutes(5).await;
        assert_eq!(stage.sync_changes(), before, "without a sweep nobody finds it");

        let outcome = dispatcher.sweep("person").await.expect("it runs");
        assert!(outcome.succeeded(), "{:?}", outcome.cause);
        minutes(3).await;
        assert_eq!(
            stage.world.clickup().task(&pairs[0].1).expect("it is there")["priority"]["priority"],
            "urgent"
        );
        assert_eq!(stage.ticket(pairs[1].0, "subject"), "Nobody was told");
        let link = stage.store.links().get(TicketId::new(*of_gone).expect("an id")).await.expect("reads");
        assert_eq!(link.map(|link| link.state), Some(LinkState::Suspended), "a pair without its task");
        let ran = stage.finish().await.expect("it comes to rest");
        nothing_wrong(&Faults::of(&ran).into_lines());
    });
}

/// The newest changes that each poll looks at again are more than it takes.
#[test]
fn polls_of_tasks_go_on_after_a_burst_that_is_more_than_they_take() {
    on_paused_clock(async {
        let faults = WorldFaults { webhook_drop: 1.0, ..WorldFaults::default() };
        let options = WorldOptions {
            tickets: 1_300,
            edits: 0,
            seed: 9,
            unlimited: true,
            faults,
            ..WorldOptions::default()
        };
        let stage = Stage::open(options, FaultPlan::none()).expect("a world in memory");
        stage.settle_in().await.expect("it comes to rest");
        let pairs = stage.pairs().await;
        let open = |pair: &&(u64, String)| stage.ticket(pair.0, "status") == "open";
        let (ticket, task) = pairs.iter().find(open).expect("there are open tickets");
        stage.on_task(task, Action::Task(json!({ "name": "Nobody told" })), "e1").await;
        minutes(10).await;
        assert_eq!(stage.ticket(*ticket, "subject"), "Nobody told");
    });
}
