//! What a killed process leaves behind is what it answered.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use simulators::zendesk::ZendeskSim;

use crate::support::{Account, Listener, fill, options, wait_s};

fn place(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("deskup-zendesk-{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

fn open(path: &Path) -> ZendeskSim {
    let mut options = options();
    options.journal = Some(path.to_owned());
    ZendeskSim::open(options).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_reopened_account_knows_everything_it_answered() {
    let path = place("reopen");
    let sim = open(&path);
    let people = fill(&sim);
    let account = Account { sim, people };
    let upload = account.upload("a.txt", b"content").await;
    account
        .put(json!({"comment": {"body": "x", "uploads": [upload["token"]]}, "tags": ["env_live"]}))
        .await
        .ok(200);
    account.create("two").await;
    let (tickets, changes, users) = (account.sim.tickets(), account.sim.changes(), account.sim.users());
    drop(account);
    // A kill in the middle of a write leaves half a line.
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"next_id\":9,\"ops\":[{\"Ticket\":{\"id\":3").unwrap();
    drop(file);
    let sim = open(&path);
    assert_eq!((sim.tickets(), sim.changes(), sim.users()), (tickets, changes, users));
    let account = Account { sim, people };
    assert_eq!(account.create("three").await, 3);
    let ids: Vec<u64> =
        account.sim.tickets().iter().map(|t| t["comments"][0]["id"].as_u64().unwrap()).collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "ids are never given twice: {ids:?}");
    drop(account);
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn compaction_keeps_the_contents() {
    let path = place("compact");
    let sim = open(&path);
    let account = Account { people: fill(&sim), sim };
    // The ticket's head is written with every update; compaction keeps one. System updates have no history.
    for _ in 0..1_200 {
        account.sim.touch(1);
    }
    account.put(json!({"priority": "low"})).await.ok(200);
    let (tickets, changes) = (account.sim.tickets(), account.sim.changes());
    let before = std::fs::metadata(&path).unwrap().len();
    drop(account);
    let sim = open(&path);
    let after = std::fs::metadata(&path).unwrap().len();
    assert!(after < before / 10, "{before} bytes became {after}");
    assert_eq!((sim.tickets(), sim.changes()), (tickets.clone(), changes.clone()));
    drop(sim);
    let sim = open(&path);
    assert_eq!((sim.tickets(), sim.changes()), (tickets, changes));
    drop(sim);
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn deliveries_and_jobs_go_on_after_a_kill() {
    let path = place("resume");
    let sim = open(&path);
    let account = Account { people: fill(&sim), sim };
    let people = account.people;
    let webhook = json!({"webhook": {"name": "w", "endpoint": "https://deskup.example/hook",
        "subscriptions": ["zen:event-type:ticket.priority_changed"]}});
    account.call("admin", "POST", "/webhooks", webhook).await.ok(201);
    account.put(json!({"priority": "low"})).await.ok(200);
    let many = json!({"ticket": {"priority": "high"}});
    account.call("admin", "PUT", "/tickets/update_many?ids=1", many).await.ok(200);
    // What a new process finds is the journal's file alone.
    let copy = place("resume-copy");
    std::fs::copy(&path, &copy).unwrap();
    let listener = Listener::default();
    let account = Account { sim: open(&copy), people };
    account.sim.deliver_through(Arc::new(listener.clone()));
    wait_s(10).await;
    let told: Vec<_> = listener.bodies().into_iter().map(|body| body["event"]["current"].clone()).collect();
    assert_eq!(told, [json!("LOW"), json!("HIGH")]);
    assert_eq!(account.ticket().await["priority"], "high");
    assert!(account.sim.idle());
    std::fs::remove_file(&path).unwrap();
    std::fs::remove_file(&copy).unwrap();
}

#[test]
fn two_processes_cannot_hold_one_account() {
    let path = place("lock");
    let clock: simulators::SimClock = Arc::new(|| 0);
    let mut options = simulators::zendesk::ZendeskOptions::new(clock);
    options.journal = Some(path.clone());
    let sim = ZendeskSim::open(options.clone()).unwrap();
    let error = ZendeskSim::open(options).unwrap_err();
    assert!(error.to_string().contains("used by another process"), "{error}");
    drop(sim);
    std::fs::remove_file(&path).unwrap();
}
