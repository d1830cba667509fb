//! Single changes that the simulated people of a demo do not make: another group, a file on a task, a mark on
//! the ticket.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use base64::Engine as _;
use bytes::Bytes;
use serde_json::{Value as Json, json};
use stores::{FaultPlan, Store};
use tests::expect::{Faults, nothing_wrong};
use tests::hands::minutes;
use tests::whole::{Stage, on_paused_clock};
use world::seedwork::cast::Colleague;
use world::{Deskup, Instance, InstanceOptions, Silent, WorldOptions};

/// A settled world without edits.
async fn settled() -> Stage {
    let options = WorldOptions { tickets: 24, edits: 0, seed: 5, ..WorldOptions::default() };
    let stage = Stage::open(options, FaultPlan::none()).unwrap();
    stage.settle_in().await.unwrap();
    stage
}

/// A ticket that is open, and its task.
async fn open_pair(stage: &Stage) -> (u64, String) {
    let kept = stage.deskup.kept().await.unwrap();
    let pair = kept.links.iter().find(|(ticket, _)| {
        stage.world.zendesk().ticket(ticket.get()).is_some_and(|ticket| ticket["status"] == "open")
    });
    let (ticket, link) = pair.unwrap();
    (ticket.get(), link.task.to_string())
}

fn colleague(stage: &Stage) -> &Colleague {
    let mut all = stage.world.scenario().cast.colleagues.iter();
    all.find(|who| who.zendesk.is_some() && who.clickup.is_some()).unwrap()
}

async fn change_ticket(stage: &Stage, ticket: u64, change: Json) {
    let who = colleague(stage);
    let user = format!("{}/token:token-{}", who.email, who.zendesk.unwrap());
    let request = http::Request::put(format!("https://x/api/v2/tickets/{ticket}.json"))
        .header("authorization", format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(user)))
        .header("content-type", "application/json")
        .body(Bytes::from(json!({ "ticket": change }).to_string()))
        .unwrap();
    let answer = stage.world.zendesk().handle(request).await;
    assert_eq!(answer.status(), 200, "{:?}", answer.body());
}

fn list_of(stage: &Stage, task: &str) -> String {
    stage.world.clickup().task(task).unwrap()["list"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_ticket_of_another_group_moves_its_task_and_gets_no_second_one() {
    on_paused_clock(async {
        let stage = settled().await;
        let (ticket, task) = open_pair(&stage).await;
        let before = list_of(&stage, &task);
        let tasks = stage.world.clickup().tasks().len();
        let now = stage.world.zendesk().ticket(ticket).unwrap()["group_id"].as_i64();
        // Some groups share a list's route with a tag; the first that leads elsewhere will do.
        for (group, _) in &stage.world.scenario().cast.groups {
            if Some(*group) == now {
                continue;
            }
            change_ticket(&stage, ticket, json!({ "group_id": group, "assignee_id": null })).await;
            stage.world.settle(stage.deskup.as_ref()).await.unwrap();
            if list_of(&stage, &task) != before {
                break;
            }
        }
        assert_ne!(list_of(&stage, &task), before, "the task did not move");
        assert_eq!(stage.world.clickup().tasks().len(), tasks, "a second task was made");
        let ran = stage.judge().await.unwrap();
        assert_eq!((ran.verdict.duplicates, ran.verdict.lost), (0, 0));
        assert!(ran.verdict.converged_percent >= 100.0, "{:?}", ran.details.faults(5));
        stage.deskup.stop().await;
    });
}

#[test]
fn a_file_on_the_task_reaches_the_ticket_in_an_internal_note() {
    on_paused_clock(async {
        let stage = settled().await;
        let (ticket, task) = open_pair(&stage).await;
        let who = colleague(&stage).clickup.unwrap();
        stage.hang_file(&task, "trace.txt", "line one").await;
        // A file alone sends no webhook and moves nothing; it is seen when the task is next read.
        let rename = http::Request::put(format!("https://x/api/v2/task/{task}"))
            .header("authorization", format!("pk_{who}"))
            .header("content-type", "application/json")
            .body(Bytes::from(json!({ "name": "Renamed" }).to_string()))
            .unwrap();
        assert_eq!(stage.world.clickup().handle(rename).await.status(), 200);
        stage.world.settle(stage.deskup.as_ref()).await.unwrap();
        let seen = stage.world.zendesk().ticket(ticket).unwrap();
        let with_file: Vec<&Json> = seen["comments"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|comment| {
                comment["attachments"]
                    .as_array()
                    .is_some_and(|files| files.iter().any(|file| file["file_name"] == "trace.txt"))
            })
            .collect();
        assert_eq!(with_file.len(), 1, "the file is there once");
        assert_eq!(with_file[0]["public"], false);
        stage.deskup.stop().await;
    });
}

#[test]
fn where_the_mapping_wants_it_tickets_tell_where_their_task_is() {
    on_paused_clock(async {
        let options = WorldOptions { tickets: 24, edits: 10, seed: 5, ..WorldOptions::default() };
        let stage = Stage::open(options, FaultPlan::none()).unwrap();
        let store: Store = stage.store.clone();
        let mut options = InstanceOptions::of(&stage.world, store);
        options.settings = options.settings.replace("[sync]", "[sync]\nlink_back = \"external_id\"");
        let stage = Stage { deskup: Instance::new(options), ..stage };
        let ran = stage.run().await.unwrap();
        let mut marked = 0;
        for (ticket, link) in &stage.deskup.kept().await.unwrap().links {
            let seen = stage.world.zendesk().ticket(ticket.get()).unwrap();
            if seen["status"] == "closed" {
                continue;
            }
            assert_eq!(seen["external_id"], link.task.as_str(), "ticket {ticket}");
            marked += 1;
        }
        assert!(marked > 10, "only {marked} tickets are open");
        assert_eq!((ran.verdict.lost, ran.verdict.silence), (0, 0), "{:?}", ran.details.faults(5));
    });
}

/// A ticket that is edited leaves its page of the export for a later one, while the backfill waits for its budget
/// in the middle of that page: those behind it must not be taken for done.
#[test]
fn tickets_that_move_while_a_page_waits_are_not_passed_over() {
    const TICKETS: usize = 700;
    on_paused_clock(async {
        let options = WorldOptions { tickets: TICKETS, edits: 0, seed: 3, ..WorldOptions::default() };
        let stage = Stage::open(options, FaultPlan::none()).unwrap();
        stage.world.seed(&Silent).unwrap();
        stage.world.connect(Some(stage.driven()));
        stage.world.prepare(stage.deskup.as_ref()).await.unwrap();
        let edits = async {
            // By then some four hundred have their tasks.
            minutes(4).await;
            let open = |ticket: &Json| ticket["status"] != "closed";
            let tickets = stage.world.zendesk().tickets().into_iter().filter(open).take(40);
            for ticket in tickets {
                let id = ticket["id"].as_u64().unwrap();
                stage.on_ticket(id, json!({ "subject": format!("Moved {id}") }), &format!("e{id}")).await;
                tokio::time::sleep(std::time::Duration::from_millis(700)).await;
            }
        };
        let (done, ()) = futures::join!(stage.world.backfill(stage.deskup.as_ref(), &Silent), edits);
        done.unwrap();
        stage.world.live(stage.deskup.as_ref()).unwrap();
        let ran = stage.finish().await.unwrap();
        assert_eq!(ran.verdict.linked, TICKETS as u64);
        nothing_wrong(&Faults::of(&ran).into_lines());
    });
}
