//! A process that dies between any two requests: what the next one finds is enough to finish, and what was
//! finished stays as it was.

use std::sync::Arc;

use domain::{Conflict, ConflictCause, FieldKey, Side, Value, Visibility};
use stores::comments::MapState;
use stores::effects::{Effect, EffectKind, EffectState};
use stores::evidence::Evidence;
use stores::links::{Link, LinkState};
use stores::work::{Finished, Hint};
use stores::{FaultPlan, Intended, Lane, Store, StoreError, WorkKey};

use crate::bench::{Bench, Folder, START_MS, task, ticket};
use crate::links::{fields, linked_as};

/// What a step does for a new ticket, written so that it may run again: it looks before it acts.
async fn create(store: &Store, run: &str) -> Result<Link, StoreError> {
    let link = match store.links().intend(ticket(7), "n1", 1, run, &stores::links::Sent::default()).await? {
        Intended::New(link) | Intended::Existing(link) => link,
    };
    if link.state == LinkState::Linked {
        return Ok(link);
    }
    // The remote create would be here; its task is found again by its marker.
    store.links().put_pointer(&task("t7"), ticket(7), &link.nonce).await?;
    store.links().linked(&link, linked_as("t7")).await
}

async fn comment(store: &Store) -> Result<(), StoreError> {
    let comments = store.comments();
    let row = match comments.intend(ticket(7), Side::Zendesk, "1", "n", Visibility::Public, "h").await? {
        Intended::New(row) | Intended::Existing(row) => row,
    };
    if row.state == MapState::Done {
        Ok(())
    } else {
        comments.done(ticket(7), Side::Zendesk, "1", &row.nonce, "c1").await
    }
}

async fn intake(store: &Store) -> Result<(), StoreError> {
    let record = WorkKey::Ticket(ticket(7));
    if store.evidence().seen(&record, Side::Zendesk, "e1", "h").await? {
        return Ok(());
    }
    let hint = Hint { lane: Lane::Live, delay_ms: 0, wants: &["z"], event_ms: START_MS, queue: None };
    store.work().hint(&record, hint).await?;
    let after = Some(Value::Text("x".repeat(5_000)));
    let (event_id, hash) = ("e1".to_owned(), "h".to_owned());
    let at_ms = START_MS;
    let event = Evidence {
        record,
        provider: Side::Zendesk,
        event_id,
        hash,
        actor: None,
        at_ms,
        field: None,
        before: None,
        after,
        member: None,
        taken_ms: 0,
    };
    store.evidence().put(&event).await.map(drop)
}

async fn conflict(store: &Store) -> Result<(), StoreError> {
    let conflict = Conflict {
        field: FieldKey::Title,
        cause: ConflictCause::BothChanged,
        base: Value::Null,
        zendesk: Value::Text("x".repeat(5_000)),
        clickup: Value::Text("y".repeat(5_000)),
        winner: None,
        rule: "ask".into(),
    };
    store.conflicts().record(ticket(7), &conflict).await.map(drop)
}

async fn write_out(store: &Store) -> Result<(), StoreError> {
    if let Some(open) = store.effects().open(ticket(7)).await?.first() {
        // Sent by a process that died: nobody knows, so it is proven before anything else is sent.
        let unknown = store.effects().unknown(open).await?;
        return store.effects().confirm(&unknown).await.map(drop);
    }
    if !store.effects().list(ticket(7)).await?.is_empty() {
        return Ok(());
    }
    let effect = Effect {
        id: "e1".into(),
        ticket: ticket(7),
        at_ms: START_MS,
        target: Side::Clickup,
        kind: EffectKind::Fields,
        fields: std::collections::BTreeMap::new(),
        state: EffectState::Planned,
        cause: "c".into(),
        rule: "r".into(),
        mapping_version: "m".into(),
        fence: 1,
        source_ms: 0,
        sent_ms: 0,
        late_ms: START_MS,
        status: None,
        request_id: None,
    };
    let sent = store.effects().send(&effect).await?;
    store.effects().done(&sent, 200, None, None).await.map(drop)
}

async fn page(store: &Store) -> Result<(), StoreError> {
    let read = store.cursors().get("s").await?;
    if read.as_ref().is_some_and(|cursor| cursor.text == "end") {
        return Ok(());
    }
    store.cursors().advance("s", read.as_ref(), "end").await.map(drop)
}

async fn everything(store: &Store, run: &str) -> Result<(), StoreError> {
    create(store, run).await?;
    comment(store).await?;
    intake(store).await?;
    conflict(store).await?;
    write_out(store).await?;
    page(store).await
}

#[tokio::test(start_paused = true)]
async fn a_death_between_any_two_requests_is_survived() {
    let calm = Bench::memory();
    everything(&calm.store, "calm").await.expect("without deaths");
    let requests = calm.store.operations().total();
    assert!(requests > 15, "{requests}");
    for after in 0..requests {
        let folder = Arc::new(Folder::new());
        let dying = Bench::in_folder(&folder, FaultPlan::dying(after)).expect("opens");
        everything(&dying.store, "first").await.expect_err("it dies");
        drop(dying);
        let next = Bench::in_folder(&folder, FaultPlan::none()).expect("opens again");
        everything(&next.store, "second")
            .await
            .unwrap_or_else(|error| panic!("after {after} requests: {error}"));
        check(&next, after).await;
    }
}

async fn check(bench: &Bench, after: u64) {
    let store = &bench.store;
    let link = store.links().get(ticket(7)).await.expect("reads").expect("it is there");
    assert_eq!((link.state, &link.fields), (LinkState::Linked, &fields()), "after {after} requests");
    assert_eq!(store.links().pointer(&task("t7")).await.expect("reads").map(|p| p.ticket), Some(ticket(7)));
    let states: Vec<_> =
        store.comments().list(ticket(7)).await.expect("lists").into_values().map(|r| r.state).collect();
    assert_eq!(states, [MapState::Done, MapState::Copy], "after {after} requests");
    let due = store.work().due(Lane::Live, 9).await.expect("asks").rows;
    assert_eq!(due.len(), 1, "after {after} requests: the hint is never lost");
    let claim = store.work().claim(&due[0], 1_000).await.expect("claims").expect("nobody else");
    assert_eq!(store.work().done(&claim).await, Ok(Finished::Gone));
    let evidence = store.evidence().list(&WorkKey::Ticket(ticket(7))).await.expect("lists");
    assert_eq!(evidence.len(), 1);
    assert_eq!(evidence[0].after, Some(Value::Text("x".repeat(5_000))));
    assert_eq!(store.conflicts().list_open(9).await.expect("lists").len(), 1);
    let effects = store.effects().list(ticket(7)).await.expect("lists");
    assert!(
        matches!(effects[..], [Effect { state: EffectState::Done | EffectState::Confirmed, .. }]),
        "{effects:?}"
    );
    assert_eq!(store.cursors().get("s").await.expect("reads").map(|cursor| cursor.text), Some("end".into()));
}

#[tokio::test(start_paused = true)]
async fn a_pointer_without_its_link_is_adopted() {
    let folder = Arc::new(Folder::new());
    // Intent and pointer are two requests; the third, which links, never gets through.
    let dying = Bench::in_folder(&folder, FaultPlan::dying(2)).expect("opens");
    create(&dying.store, "first").await.expect_err("it dies");
    drop(dying);
    let next = Bench::in_folder(&folder, FaultPlan::none()).expect("opens again");
    let links = next.store.links();
    let link = links.get(ticket(7)).await.expect("reads").expect("the intent");
    let pointer = links.pointer(&task("t7")).await.expect("reads").expect("the pointer");
    assert_eq!((link.state, link.sent_by.as_str()), (LinkState::Intent, "first"));
    assert_eq!(
        (pointer.ticket, &pointer.nonce),
        (link.ticket, &link.nonce),
        "enough to adopt without a search"
    );
    let adopted = links.linked(&link, linked_as("t7")).await.expect("adopts");
    assert_eq!(adopted.state, LinkState::Linked);
}
