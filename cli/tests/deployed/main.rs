//! The whole stack on a stand-in for AWS: deployed, fed by signed webhooks of both sides, woken by schedules, killed in
//! the middle, deployed again while it runs, judged, and removed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../accounts/mod.rs"]
mod accounts;
mod cloud;
mod executions;
mod grants;
mod people;
mod simulated;

use std::collections::BTreeSet;

use clients::http::HttpTransport;
use clients::{Transport, signatures};
use domain::{Side, TicketId, Timestamp};
use serde_json::{Value as Json, json};
use stores::switches::SwitchName;
use stores::work::Hint;
use stores::{Lane, WorkKey};

use crate::accounts::{wait_for, wall_ms};
use crate::cloud::Cloud;
use crate::grants::Called;
use crate::people::People;

/// Tickets of the desk.
const TICKETS: usize = 12;

fn executions(cloud: &Cloud, fits: impl Fn(&Json) -> bool) -> usize {
    let executions = cloud.status()["executions"].as_array().cloned().unwrap_or_default();
    executions.iter().filter(|row| fits(row)).count()
}

fn runs(row: &Json) -> bool {
    row["status"] == "RUNNING"
}

/// A schedule starts the comparison of all pairs. The stand-in has no distributed Map over an expression (a probe says
/// so), so that its segment is called by hand.
fn swept(cloud: &Cloud, linked: u64) {
    // The second one looks whether the first still runs.
    for _ in 0..2 {
        cloud.invoke("Dispatcher", &json!({ "schedule": "sweep", "at": "now" }));
    }
    assert!(executions(cloud, |row| row["workflow"] == "ticket-sync-sweep") > 0);
    let segment = json!({ "segment": { "round": 1, "segment": 0, "of": 1 } });
    let compared = cloud.invoke(
        "CompareLinks",
        &json!({ "execution": "ticket-sync-sweep-1", "attempt": 0, "input": segment }),
    );
    assert_eq!(compared["compared"], linked, "{compared}");
}

/// What happens rarely, or only where two rounds meet: an account that is open again, a poll beside another one, a row
/// that is due soon, and more rows than one execution takes.
fn on_rare_occasions(cloud: &Cloud, tickets: &[u64]) {
    let dispatched =
        |schedule: &str| cloud.invoke("Dispatcher", &json!({ "schedule": schedule, "at": "now" }));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = cloud.store();
    let closed = SwitchName::Access(Side::Zendesk);
    runtime.block_on(store.switches().set(closed, "a test", "a test")).unwrap();
    dispatched("refresh");
    assert_eq!(runtime.block_on(store.switches().get(closed)).unwrap(), None, "it is open again");
    dispatched("poll");
    dispatched("poll");
    let hint = |ticket: u64, delay_ms| {
        let hint = Hint { lane: Lane::Live, delay_ms, wants: &["zendesk"], event_ms: 0, queue: None };
        let key = WorkKey::Ticket(TicketId::new(ticket).unwrap());
        runtime.block_on(store.work().hint(&key, hint)).unwrap();
    };
    hint(tickets[0], 5_000);
    dispatched("due");
    // Somebody else may be faster.
    let step = |input: Json| json!({ "execution": "by-hand", "attempt": 0, "input": input });
    let claimed = wait_for("more than one row", || {
        tickets[1..4].iter().for_each(|ticket| hint(*ticket, 0));
        let input = json!({ "lane": "live", "limit": 1, "record": null });
        let claimed = cloud.invoke("ClaimWork", &step(input));
        if let Some(batch) = claimed["batches"].get(0) {
            cloud.invoke("SyncRecords", &step(json!({ "claims": batch })));
        }
        (claimed["more"] == true).then_some(claimed)
    });
    assert_eq!(claimed["claimed"], 1);
}

/// Zendesk tells by when a ticket has to be answered, and that it no longer has to: the intake may keep both.
fn a_service_level_comes_and_goes(cloud: &Cloud, ticket: u64) {
    let secret = cloud.zendesk_secret();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = cloud.store();
    for (breach_ms, known) in [(Some(wall_ms() + 60_000), 1), (None, 0)] {
        let now = Timestamp(wall_ms()).to_rfc3339();
        let body = json!({
            "type": "zen:event-type:ticket.next_sla_breach_changed", "id": format!("level-{known}"), "time": now,
            "detail": { "id": ticket.to_string(), "actor_id": "-1" },
            "event": { "current": breach_ms.map(|ms| Timestamp(ms).to_rfc3339()), "previous": null },
        });
        let body = body.to_string();
        let request = http::Request::post(format!("{}/zendesk", cloud.public_url()))
            .header(
                "x-zendesk-webhook-signature",
                signatures::zendesk_signature(&secret, &now, body.as_bytes()),
            )
            .header("x-zendesk-webhook-signature-timestamp", now)
            .body(body.into())
            .unwrap();
        let answer = runtime.block_on(async { HttpTransport::new().unwrap().send(request).await.unwrap() });
        assert!(answer.status().is_success(), "{answer:?}");
        let slas = runtime.block_on(store.slas().until(i64::MAX / 4, 10)).unwrap();
        assert_eq!(slas.len(), known, "{slas:?}");
    }
}

/// Fields and comments of both sides follow each other, told by signed webhooks.
fn both_directions(people: &People, ticket: u64) {
    let task = people.task_of(ticket);
    people.on_ticket(ticket, json!({ "priority": "urgent" }));
    people.on_task(&task, json!({ "name": "Renamed in ClickUp" }));
    people.task_shows(&task, "/priority/priority", "urgent");
    people.ticket_shows(ticket, "subject", "Renamed in ClickUp");
    people.on_ticket(ticket, json!({ "comment": { "body": "Said to the customer", "public": true } }));
    people.comment_on_task(&task, "Said among colleagues");
    people.is_told("the comment on the task", "Said to the customer", |ports| ports.clickup.tasks());
    people.is_told("the comment on the ticket", "Said among colleagues", |ports| ports.zendesk.tickets());
}

/// Functions die in the middle of their work, and nothing of it is lost.
fn killed_in_the_middle(cloud: &Cloud, people: &People, tickets: &[u64]) {
    let mut killed = 0;
    for ticket in tickets {
        people.on_ticket(*ticket, json!({ "priority": "low" }));
        people.on_task(&people.task_of(*ticket), json!({ "name": format!("Renamed {ticket}") }));
        killed += cloud.kill_functions();
    }
    assert!(killed > 0, "no function ran that could be killed");
    for ticket in tickets {
        people.task_shows(&people.task_of(*ticket), "/priority/priority", "low");
        people.ticket_shows(*ticket, "subject", &format!("Renamed {ticket}"));
    }
}

/// Another version arrives while an execution runs.
fn deployed_again(cloud: &Cloud, people: &People, ticket: u64) {
    let before = executions(cloud, |row| row["workflow"] == "ticket-sync-backfill");
    let mut again = cloud.deskup(&["run", "ticket-sync", "--json"]);
    let mut again = again.stdout(std::process::Stdio::null()).spawn().unwrap();
    wait_for("an execution", || {
        (executions(cloud, |row| row["workflow"] == "ticket-sync-backfill") > before).then_some(())
    });
    cloud.deploy(2);
    let ended = wait_for("the run", || again.try_wait().unwrap());
    assert!(ended.success(), "{:?}", cloud.status()["executions"]);
    people.on_ticket(ticket, json!({ "priority": "high" }));
    people.task_shows(&people.task_of(ticket), "/priority/priority", "high");
}

#[test]
fn the_stack_keeps_both_accounts_in_step() {
    let Some(tools) = Cloud::tools() else {
        assert!(
            std::env::var_os("DESKUP_AWS_TOOLS").is_none(),
            "./test.sh did not install the stand-in for AWS"
        );
        println!("left out: ./test.sh installs the stand-in for AWS");
        return;
    };
    let cloud = Cloud::open(&tools, TICKETS);
    cloud.deploy(1);
    cloud.done(&["init", "--aws", "deskup"]);
    cloud.done(&["webhooks", "register", "--public-url", &cloud.public_url()]);
    cloud.done(&["run", "ticket-sync"]);
    let live_ms = wall_ms();
    let people = People::of(&cloud.accounts);
    let open = people.open_tickets();
    on_rare_occasions(&cloud, &open);
    swept(&cloud, TICKETS as u64);
    a_service_level_comes_and_goes(&cloud, open[0]);
    executions::are_told_rightly_and_redriven(&cloud);
    let before = cloud.used();
    both_directions(&people, open[0]);
    let (used, edits) = (cloud.used() - before, f64::from(people.edits()));
    let (each, cost) = (used.times(1.0 / edits), used.times(1e6 / edits).cost());
    println!(
        "an edit on the stack: {:.1} write and {:.1} read units, {:.1} calls of steps, {:.1} deliveries, {:.1} wakes; a \
         million without the time of steps: ${:.2}, of it ${:.2} for the table",
        each.write_units,
        each.read_units,
        each.calls,
        each.deliveries,
        each.wakes,
        cost.total_usd(),
        cost.dynamodb_usd
    );
    assert!(each.write_units > 5.0 && each.calls > 0.0, "the meter stands still: {each:?}");
    killed_in_the_middle(&cloud, &people, &open[1..6]);
    deployed_again(&cloud, &people, open[0]);
    wait_for("a poll by schedule", || {
        let polled = |row: &Json| row["workflow"] == "ticket-sync-poll" && row["status"] == "SUCCEEDED";
        (executions(&cloud, polled) > 0).then_some(())
    });
    wait_for("calm", || {
        let waiting: u64 = cloud.status()["work"].as_object()?.values().filter_map(Json::as_u64).sum();
        (waiting == 0 && executions(&cloud, runs) == 0).then_some(())
    });
    let (verdict, details) = people.judged(&cloud, live_ms);
    assert_eq!((verdict.tickets, verdict.linked), (TICKETS as u64, TICKETS as u64), "{details:?}");
    assert_eq!((verdict.duplicates, verdict.lost, verdict.unprovable), (0, 0, 0), "{details:?}");
    assert_eq!((verdict.leaked_internal, verdict.quarantined), (0, 0), "{details:?}");
    assert!((verdict.converged_percent - 100.0).abs() < f64::EPSILON, "{details:?}");
    assert_eq!(verdict.edits, u64::from(people.edits()), "the judge saw every edit");
    let rare = simulated::calls();
    assert_eq!(cloud.not_granted(&rare), Vec::<String>::new(), "calls that the roles do not grant");
    assert_eq!(cloud.not_used(&rare), Vec::<String>::new(), "grants that nobody uses");
    // Both checks find what is wrong.
    let planted = Called { function: "PollTasks".to_owned(), action: "dynamodb:DeleteItem".to_owned() };
    assert_eq!(cloud.not_granted(&BTreeSet::from([planted])), ["PollTasks dynamodb:DeleteItem"]);
    assert!(cloud.not_used(&BTreeSet::new()).contains(&"SyncRecords dynamodb:Scan".to_owned()));
    assert_eq!(cloud.delete()["left"], json!([]), "what the stack made is gone with it");
}
