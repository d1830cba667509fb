//! What survives the process.

use std::path::PathBuf;

use super::*;
use crate::clickup::rows::Line;

fn place(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("deskup-clickup-{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

fn reopened(path: &std::path::Path, receiver: &Receiver) -> ClickUpSim {
    let outbound: Option<Arc<dyn Outbound>> = Some(Arc::new(receiver.clone()));
    ClickUpSim::open(ClickUpOptions { journal: Some(path.to_owned()), outbound, ..options() }).unwrap()
}

/// Everything an observer can tell two workspaces apart by.
fn picture(sim: &ClickUpSim) -> Value {
    json!({
        "tasks": sim.tasks(), "webhooks": sim.webhooks(), "lists": sim.lists(), "changes": sim.changes(),
        "calls": sim.calls(), "rejected": sim.rejected(),
    })
}

#[tokio::test(start_paused = true)]
async fn everything_is_there_again_and_goes_on() {
    let path = place("replay");
    let bench = Bench::with(ClickUpOptions { journal: Some(path.clone()), unlimited: false, ..options() });
    bench.hook(json!({})).await;
    let id = bench.create(json!({"name": "a", "tags": ["t"]})).await;
    let gone = bench.create(json!({"name": "b"})).await;
    bench.call("PUT", &format!("/api/v2/task/{id}"), json!({"status": "Closed", "description": "d"})).await;
    bench.call("PUT", &format!("/api/v2/task/{id}"), json!({"status": "nowhere"})).await;
    bench.call("POST", &format!("/api/v2/task/{id}/comment"), json!({"comment_text": "c"})).await;
    bench.call("POST", &format!("/api/v2/task/{id}/field/{}", bench.number.id), json!({"value": 1})).await;
    bench.call("DELETE", &format!("/api/v2/task/{gone}"), Value::Null).await;
    bench.get(&format!("/api/v2/task/{id}")).await;
    for _ in 0..100 {
        bench.call("GET", "/api/v2/user", Value::Null).await;
    }
    let before = picture(&bench.sim);
    assert!(before["rejected"].as_u64().unwrap() > 0);
    assert!(!bench.sim.idle());
    let (sim, receiver) = (bench.sim, bench.receiver);
    drop(sim);
    assert_eq!(receiver.take().len(), 0);

    let sim = reopened(&path, &receiver);
    assert_eq!(picture(&sim), before);
    let got = send(&sim, request(BOT, "GET", &format!("/api/v2/task/{gone}"), Value::Null)).await;
    assert_eq!(got.error(), (404, "ITEM_013"));
    // The deliveries that were pending go on.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert!(sim.idle());
    assert_eq!(receiver.take().len(), 11);
    let next =
        send(&sim, request(BOT, "POST", &format!("/api/v2/list/{LIST}/task"), json!({"name": "c"}))).await;
    assert!(next.body["id"].as_str().unwrap() > gone.as_str(), "ids are never used twice");
    drop(sim);
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_is_one_line_and_a_torn_one_never_happened() {
    let path = place("torn");
    let bench = Bench::with(ClickUpOptions { journal: Some(path.clone()), ..options() });
    bench.hook(json!({})).await;
    let first = bench.create(json!({"name": "a"})).await;
    let before = picture(&bench.sim);
    let lines = |path: &PathBuf| std::fs::read_to_string(path).unwrap().lines().count();
    let count = lines(&path);
    bench.create(json!({"name": "b"})).await;
    assert_eq!(lines(&path), count + 1);
    let receiver = bench.receiver.clone();
    drop(bench);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
    let sim = reopened(&path, &receiver);
    assert_eq!(picture(&sim), before);
    assert_eq!(sim.tasks()[0]["id"], first);
    drop(sim);
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_journal_in_use_is_refused_and_compaction_keeps_everything() {
    let path = place("compact");
    let bench = Bench::with(ClickUpOptions { journal: Some(path.clone()), ..options() });
    let second = ClickUpSim::open(ClickUpOptions { journal: Some(path.clone()), ..options() });
    assert!(matches!(second, Err(SimError::InUse { .. })));
    let id = bench.create(json!({"name": "a"})).await;
    let gone = bench.create(json!({"name": "b"})).await;
    bench.call("DELETE", &format!("/api/v2/task/{gone}"), Value::Null).await;
    for number in 0..400 {
        let body = json!({"priority": number % 4 + 1});
        let method = if number % 10 == 0 { "PUT" } else { "GET" };
        bench.call(method, &format!("/api/v2/task/{id}"), body).await;
    }
    let before = picture(&bench.sim);
    let receiver = bench.receiver.clone();
    drop(bench);
    let sim = reopened(&path, &receiver);
    assert_eq!(picture(&sim), before);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.lines().count() < 100, "{}", text.lines().count());
    assert!(text.lines().all(|line| serde_json::from_str::<Line>(line).is_ok()));
    let got = send(&sim, request(BOT, "GET", &format!("/api/v2/task/{gone}"), Value::Null)).await;
    assert_eq!(got.error(), (404, "ITEM_013"));
    drop(sim);
    let sim = reopened(&path, &receiver);
    assert_eq!(sim.tasks(), serde_json::from_value::<Vec<Value>>(before["tasks"].clone()).unwrap());
    drop(sim);
    std::fs::remove_file(&path).unwrap();
}
