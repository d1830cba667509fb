//! How long one operation of the embedded store takes, in memory and on a file. The numbers are printed; the
//! bound is generous and only catches a mistake that makes everything ten times slower.

#![expect(clippy::print_stdout, reason = "the numbers are what this test is for")]

use std::sync::Arc;
use std::time::Instant;

use domain::{FieldBase, FieldKey, TaskId, TicketId, Value};
use stores::links::LinkedAs;
use stores::work::Hint;
use stores::{Intended, Lane, Place, Store, WorkKey};

const ROUNDS: u64 = 500;

#[test]
fn operations_take_fractions_of_a_millisecond() {
    let folder = std::env::temp_dir().join(format!("deskup-speed-{}", std::process::id()));
    for (name, place) in [("memory", Place::Memory), ("file", Place::File(folder.join("state.db")))] {
        let store = Store::embedded(place, "t", Arc::new(|| 1_700_000_000_000)).expect("opens");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(run(name, &store));
    }
    std::fs::remove_dir_all(folder).expect("the folder was made here");
}

async fn run(place: &str, store: &Store) {
    let tickets: Vec<TicketId> = (1..=ROUNDS).map(|n| TicketId::new(n).expect("not zero")).collect();
    let base = |text: &str| FieldBase {
        z: Value::Text(text.into()),
        c: Value::Text(text.into()),
        ..Default::default()
    };
    let fields = [FieldKey::Title, FieldKey::Status, FieldKey::Priority, FieldKey::Assignee, FieldKey::Tags]
        .map(|key| (key.clone(), base(&format!("a value of {key}"))));
    let mut links = Vec::new();
    let start = Instant::now();
    for ticket in &tickets {
        match store
            .links()
            .intend(*ticket, "nonce", 1, "speed", &stores::links::Sent::default())
            .await
            .expect("intends")
        {
            Intended::New(link) => links.push(link),
            Intended::Existing(_) => panic!("the table was empty"),
        }
    }
    report(place, "put (intend)", start);
    let start = Instant::now();
    for link in &mut links {
        let task = TaskId::new(format!("t{}", link.ticket)).expect("an id");
        store.links().put_pointer(&task, link.ticket, "nonce").await.expect("points");
        let list = Some("1".parse().expect("an id"));
        let as_ = LinkedAs {
            task,
            list,
            routes: "r".into(),
            fields: fields.clone().into(),
            z_stamp: "s".into(),
            c_updated: 1,
            cz: None,
            cc: None,
            origin: "o".into(),
        };
        *link = store.links().linked(link, as_).await.expect("links");
    }
    report(place, "pointer + linked", start);
    let start = Instant::now();
    for link in &links {
        store.links().update(link, 1).await.expect("updates");
    }
    report(place, "update (link)", start);
    let start = Instant::now();
    for ticket in &tickets {
        store.links().get(*ticket).await.expect("reads");
    }
    report(place, "get (link)", start);
    let start = Instant::now();
    let mut found = 0;
    for chunk in tickets.chunks(100) {
        found += store.links().get_many(chunk).await.expect("reads").len();
    }
    assert_eq!(found, tickets.len());
    report(place, "batch get, per link", start);
    work(place, store, &tickets).await;
    println!("{place}: {:?}", store.operations());
}

async fn work(place: &str, store: &Store, tickets: &[TicketId]) {
    let start = Instant::now();
    for ticket in tickets {
        let hint = Hint { lane: Lane::Live, delay_ms: 0, wants: &["z"], event_ms: 1, queue: None };
        store.work().hint(&WorkKey::Ticket(*ticket), hint).await.expect("hints");
    }
    report(place, "hint (indexed update)", start);
    let start = Instant::now();
    let mut claims = Vec::new();
    for due in store.work().due(Lane::Live, 1_000).await.expect("reads").rows {
        claims.push(store.work().claim(&due, 60_000).await.expect("claims").expect("nobody else"));
    }
    report(place, "claim", start);
    let start = Instant::now();
    for claim in &claims {
        store.work().done(claim).await.expect("deletes");
    }
    report(place, "done (delete)", start);
    let start = Instant::now();
    for ticket in tickets {
        store.comments().list(*ticket).await.expect("reads");
    }
    report(place, "query (empty prefix)", start);
}

fn report(place: &str, what: &str, start: Instant) {
    let each = start.elapsed().as_micros() as u64 / ROUNDS;
    println!("{place:>6}  {what:<24} {each:>5} µs");
    assert!(each < 20_000, "{what} takes {each} µs");
}
