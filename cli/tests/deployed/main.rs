//! The whole stack on a stand-in for AWS: deployed, fed by signed webhooks of both sides, woken by schedules, killed in
//! the middle, deployed again while it runs, judged, and removed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../accounts/mod.rs"]
mod accounts;
mod cloud;
mod people;

use serde_json::{Value as Json, json};

use crate::accounts::{wait_for, wall_ms};
use crate::cloud::Cloud;
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
    both_directions(&people, open[0]);
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
    assert_eq!(cloud.not_granted(), Vec::<String>::new(), "calls that the roles do not grant");
    assert_eq!(cloud.delete()["left"], json!([]), "what the stack made is gone with it");
}
