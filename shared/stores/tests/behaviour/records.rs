//! Evidence, effects, conflicts and large texts.

use std::collections::BTreeMap;

use domain::history::Member;
use domain::{Conflict, ConflictCause, FieldKey, Side, Value};
use stores::WorkKey;
use stores::conflicts::{Ask, ConflictState, Settled};
use stores::effects::{Change, Effect, EffectKind, EffectState};
use stores::evidence::Evidence;

use crate::bench::{Bench, START_MS, task, ticket};

crate::on_every_table!(
    an_event_is_accepted_once_and_reads_back,
    an_effect_goes_from_sent_to_confirmed,
    an_effect_of_unknown_outcome_is_due_at_its_bound,
    events_are_asked_for_until_no_other_can_come,
    a_refused_effect_is_over,
    an_effect_id_is_used_once,
    the_same_conflict_is_kept_once,
    a_settled_conflict_that_comes_again_is_open_again,
    what_a_person_asks_of_a_conflict_is_kept_until_it_is_done,
    open_conflicts_are_listed_oldest_first,
    long_texts_are_kept_beside_the_row,
);

fn long(seed: &str) -> String {
    format!("{seed} äöü ").repeat(2_000)
}

async fn an_event_is_accepted_once_and_reads_back(bench: &Bench) {
    let rows = bench.store.evidence();
    let record = WorkKey::Task(task("t1"));
    let event = |event_id: &str, hash: &str, before: Option<Value>| Evidence {
        record: record.clone(),
        provider: Side::Clickup,
        event_id: event_id.into(),
        hash: hash.into(),
        actor: Some(-3),
        at_ms: START_MS,
        field: Some(FieldKey::Custom("order #1".into())),
        before,
        after: Some(Value::Text(long("after"))),
        member: Some(Member::Went("183".into())),
        // The clock of the store may have gone on by the time it reads back; only that it is noted counts.
        taken_ms: START_MS,
    };
    let first = event("h#1", "aa", None);
    let second = event("h#1", "bb", Some(Value::Text("short".into())));
    assert_eq!(rows.seen(&record, Side::Clickup, "h#1", "aa").await, Ok(false));
    assert_eq!(rows.put(&first).await, Ok(true));
    assert_eq!(rows.put(&first).await, Ok(false), "a twin delivery");
    assert_eq!(rows.put(&second).await, Ok(true), "another value of the same item");
    assert_eq!(rows.seen(&record, Side::Clickup, "h#1", "aa").await, Ok(true));
    assert_eq!(rows.seen(&record, Side::Zendesk, "h#1", "aa").await, Ok(false));
    let mut list = rows.list(&record).await.expect("the store can be read");
    for one in &mut list {
        assert!(one.taken_ms >= START_MS, "{}", one.taken_ms);
        one.taken_ms = START_MS;
    }
    assert_eq!(list, [first, second]);
    assert_eq!(rows.list(&WorkKey::Ticket(ticket(1))).await, Ok(Vec::new()));
}

fn effect(id: &str) -> Effect {
    let change = |before: &str, after: Value| Change { before: Value::Text(before.into()), after };
    Effect {
        id: id.into(),
        ticket: ticket(7),
        at_ms: START_MS,
        target: Side::Zendesk,
        kind: EffectKind::Fields,
        fields: BTreeMap::from([
            (FieldKey::Status, change("open", Value::Text("solved".into()))),
            (FieldKey::Description, change("x", Value::Text(long("text")))),
        ]),
        state: EffectState::Planned,
        cause: "webhook h1".into(),
        rule: "status: newest".into(),
        mapping_version: "m1".into(),
        fence: 3,
        source_ms: 0,
        sent_ms: 0,
        late_ms: START_MS + 600_000,
        status: None,
        request_id: None,
    }
}

async fn an_effect_goes_from_sent_to_confirmed(bench: &Bench) {
    let effects = bench.store.effects();
    let sent = effects.send(&effect("e1")).await.expect("sends");
    assert_eq!((sent.state, sent.sent_ms), (EffectState::Sent, START_MS));
    assert_eq!(effects.list(ticket(7)).await, Ok(vec![sent.clone()]));
    assert_eq!(effects.open(ticket(7)).await, Ok(vec![sent.clone()]));
    let done = effects.done(&sent, 200, Some("req"), Some(START_MS + 900_000)).await.expect("done");
    assert_eq!(
        effects.done(&sent, 200, Some("req"), Some(START_MS + 900_000)).await,
        Ok(done.clone()),
        "again"
    );
    assert_eq!(effects.open(ticket(7)).await, Ok(Vec::new()));
    assert_eq!(effects.not_in(ticket(7), 2).await, Ok(vec![done.clone()]), "the link does not know of it");
    assert_eq!(effects.told_of(ticket(7)).await, Ok(vec![done.clone()]));
    assert_eq!(effects.due_unconfirmed(10).await, Ok(Vec::new()), "there is time");
    assert_eq!(effects.next_due_ms().await, Ok(Some(START_MS + 900_000)));
    bench.pass(900_000);
    assert_eq!(effects.due_unconfirmed(10).await, Ok(vec![done.clone()]));
    let confirmed = effects.confirm(&done).await.expect("confirms");
    assert_eq!(effects.due_unconfirmed(10).await, Ok(Vec::new()));
    assert_eq!(effects.told_of(ticket(7)).await, Ok(Vec::new()));
    assert_eq!(effects.list(ticket(7)).await, Ok(vec![confirmed]));
}

async fn an_effect_of_unknown_outcome_is_due_at_its_bound(bench: &Bench) {
    let effects = bench.store.effects();
    let sent = effects.send(&effect("e1")).await.expect("sends");
    let unknown = effects.unknown(&sent).await.expect("notes");
    assert_eq!(effects.open(ticket(7)).await, Ok(vec![unknown.clone()]));
    bench.pass(600_000);
    assert_eq!(effects.due_unconfirmed(10).await, Ok(vec![unknown.clone()]));
    effects.confirm(&unknown).await.expect("proven");
    assert_eq!(effects.open(ticket(7)).await, Ok(Vec::new()));
    assert!(effects.unknown(&sent).await.is_err_and(|error| error.is_stale()), "what is proven stays proven");
}

async fn events_are_asked_for_until_no_other_can_come(bench: &Bench) {
    let effects = bench.store.effects();
    let sent = effects.send(&effect("e1")).await.expect("sends");
    let done = effects.done(&sent, 200, None, Some(START_MS + 60_000)).await.expect("done");
    let confirmed = effects.confirm(&done).await.expect("confirms");
    assert_eq!(effects.told_of(ticket(7)).await, Ok(vec![confirmed]), "its other fields have events, too");
    bench.pass(600_000);
    assert_eq!(effects.told_of(ticket(7)).await, Ok(Vec::new()));
}

async fn a_refused_effect_is_over(bench: &Bench) {
    let effects = bench.store.effects();
    let sent = effects.send(&effect("e1")).await.expect("sends");
    let refused = effects.refused(&sent, Some(422), None).await.expect("notes");
    assert_eq!((refused.state, refused.status), (EffectState::Refused, Some(422)));
    assert!(effects.confirm(&refused).await.is_err_and(|error| error.is_stale()));
    assert_eq!(effects.told_of(ticket(7)).await, Ok(Vec::new()));
}

async fn an_effect_id_is_used_once(bench: &Bench) {
    let effects = bench.store.effects();
    effects.send(&effect("e1")).await.expect("sends");
    assert!(effects.send(&effect("e1")).await.is_err_and(|error| error.is_stale()));
    effects.send(&effect("e2")).await.expect("another effect of the same moment");
    assert_eq!(effects.list(ticket(7)).await.expect("reads").len(), 2);
}

fn conflict(z: &str) -> Conflict {
    Conflict {
        field: FieldKey::Custom("order".into()),
        cause: ConflictCause::BothChanged,
        base: Value::Null,
        zendesk: Value::Text(z.into()),
        clickup: Value::Text(long("clickup")),
        winner: Some(Side::Zendesk),
        rule: "owner zendesk".into(),
    }
}

async fn the_same_conflict_is_kept_once(bench: &Bench) {
    let conflicts = bench.store.conflicts();
    assert_eq!(conflicts.record(ticket(7), &conflict("a")).await, Ok(true));
    assert_eq!(conflicts.record(ticket(7), &conflict("a")).await, Ok(false));
    assert_eq!(conflicts.record(ticket(7), &conflict("b")).await, Ok(true));
    let rows = conflicts.list(ticket(7)).await.expect("lists");
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().any(|row| row.conflict == conflict("a")), "whole values read back");
}

async fn a_settled_conflict_that_comes_again_is_open_again(bench: &Bench) {
    let conflicts = bench.store.conflicts();
    conflicts.record(ticket(7), &conflict("a")).await.expect("records");
    let row = conflicts.list_open(10).await.expect("lists").remove(0);
    conflicts.settle(ticket(7), &row.id, ConflictState::Dismissed).await.expect("settles");
    assert_eq!(conflicts.list_open(10).await, Ok(Vec::new()));
    let late = conflicts.settle(ticket(7), &row.id, ConflictState::Applied).await;
    assert!(late.is_err_and(|error| error.is_stale()), "it is settled already");
    assert_eq!(conflicts.record(ticket(7), &conflict("a")).await, Ok(true));
    let again = conflicts.list_open(10).await.expect("lists").remove(0);
    assert_eq!((again.state, again.id, again.times), (ConflictState::Open, row.id, 2));
}

async fn what_a_person_asks_of_a_conflict_is_kept_until_it_is_done(bench: &Bench) {
    let conflicts = bench.store.conflicts();
    conflicts.record(ticket(7), &conflict("a")).await.expect("records");
    let row = conflicts.list_open(10).await.expect("lists").remove(0);
    let ask = Ask { side: Side::Clickup, by: "jo".into(), at_ms: START_MS, seen: ("z".into(), "c".into()) };
    let get = async || conflicts.get(ticket(7), &row.id).await.expect("reads").expect("it is there");
    conflicts.ask(&row, &ask).await.expect("asks");
    assert_eq!(get().await.ask, Some(ask.clone()));
    conflicts.answer(&row, "the ticket is closed").await.expect("answers");
    let answered = get().await;
    assert_eq!((answered.ask, answered.answer.as_deref()), (None, Some("the ticket is closed")));
    assert_eq!(answered.state, ConflictState::Open);

    conflicts.ask(&row, &ask).await.expect("asks again");
    assert_eq!(get().await.answer, None);
    let settled = Settled { by: "jo".into(), at_ms: START_MS + 1, side: Some(Side::Clickup) };
    conflicts.settle_by(ticket(7), &row.id, ConflictState::Applied, &settled).await.expect("settles");
    let applied = get().await;
    assert_eq!((applied.state, applied.ask, applied.settled), (ConflictState::Applied, None, Some(settled)));
    assert_eq!(conflicts.list_open(10).await, Ok(Vec::new()));

    let other = Ask { side: Side::Zendesk, ..ask };
    conflicts.ask(&row, &other).await.expect("a person may think again");
    let again = conflicts.list_open(10).await.expect("lists");
    assert_eq!(again.len(), 1, "it is open until that is done");
    assert_eq!((again[0].state, again[0].ask.as_ref()), (ConflictState::Open, Some(&other)));
    conflicts.answer(&again[0], "the ticket is closed").await.expect("answers");
    let refused = get().await;
    assert_eq!((refused.state, refused.ask, refused.was), (ConflictState::Applied, None, None), "as it was");
    assert_eq!(refused.answer.as_deref(), Some("the ticket is closed"));
    assert!(refused.settled.is_some());
    assert_eq!(conflicts.list_open(10).await, Ok(Vec::new()));
}

async fn open_conflicts_are_listed_oldest_first(bench: &Bench) {
    let conflicts = bench.store.conflicts();
    for (n, z) in [(3, "a"), (1, "b"), (2, "c")] {
        conflicts.record(ticket(n), &conflict(z)).await.expect("records");
        bench.pass(1_000);
    }
    let listed: Vec<u64> =
        conflicts.list_open(2).await.expect("lists").into_iter().map(|row| row.ticket.get()).collect();
    assert_eq!(listed, [3, 1]);
}

async fn long_texts_are_kept_beside_the_row(bench: &Bench) {
    let texts = bench.store.texts();
    // Longer than one part, and cut inside a character if one is not careful.
    let text = format!("x{}", "€".repeat(250_000));
    let hash = texts.put(ticket(7), &text).await.expect("keeps");
    assert_eq!(texts.put(ticket(7), &text).await, Ok(hash.clone()), "again is the same");
    assert_eq!(texts.get(ticket(7), &hash).await, Ok(Some(text)));
    assert_eq!(texts.get(ticket(8), &hash).await, Ok(None), "texts belong to their record");
    let empty = texts.put(ticket(7), "").await.expect("keeps");
    assert_eq!(texts.get(ticket(7), &empty).await, Ok(Some(String::new())));
}
