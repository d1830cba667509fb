//! Cursors, checkpoints, executions, switches and tallies.

use std::collections::BTreeMap;

use domain::Side;
use stores::Lane;
use stores::checkpoints::StepRow;
use stores::executions::ExecutionRow;
use stores::names::Known;
use stores::pulse::Pulse;
use stores::service::Service;
use stores::switches::SwitchName;
use stores::tally::{Tally, TallyRows};

use crate::bench::{Bench, START_MS};

crate::on_every_table!(
    a_cursor_steps_forward_from_where_it_was_read,
    a_cursor_goes_back_in_a_new_generation,
    a_finished_step_answers_from_its_checkpoint,
    progress_is_written_at_most_once_a_second,
    what_is_over_stays_over,
    executions_are_listed_newest_first,
    a_switch_keeps_its_first_reason,
    an_account_that_is_closed_is_a_switch_of_its_own,
    who_serves_is_read_back,
    tallies_add_up_within_their_window,
    a_pulse_tells_what_was_heard_and_what_only_cursors_found,
    names_read_back_however_many_there_are,
);

async fn a_cursor_steps_forward_from_where_it_was_read(bench: &Bench) {
    let cursors = bench.store.cursors();
    assert_eq!(cursors.get("z#tickets").await, Ok(None));
    let one = cursors.advance("z#tickets", None, "a").await.expect("starts");
    assert!(
        cursors.advance("z#tickets", None, "b").await.is_err_and(|error| error.is_stale()),
        "it started already"
    );
    let two = cursors.advance("z#tickets", Some(&one), "b").await.expect("steps");
    assert!(cursors.advance("z#tickets", Some(&one), "c").await.is_err_and(|error| error.is_stale()));
    assert_eq!(cursors.get("z#tickets").await, Ok(Some(two.clone())));
    assert_eq!(cursors.history("z#tickets", 9).await, Ok(vec![two.clone(), one]));
    let streams = cursors.get_all(&["z#tickets", "c#tasks"]).await;
    assert_eq!(streams, Ok(vec![("z#tickets".to_owned(), two)]));
}

async fn a_cursor_goes_back_in_a_new_generation(bench: &Bench) {
    let cursors = bench.store.cursors();
    let one = cursors.advance("s", None, "a").await.expect("starts");
    let two = cursors.advance("s", Some(&one), "b").await.expect("steps");
    assert_eq!(cursors.restore("s", 99).await, Ok(None));
    let back = cursors.restore("s", 1).await.expect("restores").expect("there is a version 1");
    assert_eq!((back.text.as_str(), back.ver, back.generation), ("a", 3, 1));
    assert!(cursors.advance("s", Some(&two), "c").await.is_err_and(|error| error.is_stale()));
}

async fn a_finished_step_answers_from_its_checkpoint(bench: &Bench) {
    let checkpoints = bench.store.checkpoints();
    let row = |output: String| StepRow { input_hash: "h".into(), output, schema: 2, at_ms: START_MS };
    let large = row(format!("\"{}\"", "x".repeat(40_000)));
    for first in [row("1".into()), large] {
        let item = first.output.len().to_string();
        assert_eq!(checkpoints.step_get("x", "Step", &item).await, Ok(None));
        assert_eq!(checkpoints.step_put("x", "Step", &item, &first).await, Ok(first.clone()));
        assert_eq!(checkpoints.step_put("x", "Step", &item, &row("2".into())).await, Ok(first.clone()));
        checkpoints.step_set("x", "Step", &item, &row("3".into())).await.expect("replaces");
        assert_eq!(checkpoints.step_get("x", "Step", &item).await, Ok(Some(row("3".into()))));
    }
}

fn execution(id: &str, started_ms: i64) -> ExecutionRow {
    ExecutionRow {
        id: id.into(),
        workflow: "ticket-sync-live".into(),
        status: "RUNNING".into(),
        counts: BTreeMap::from([("linked".to_owned(), 3)]),
        percent: Some(12.5),
        started_ms,
        input: "{}".into(),
        ..ExecutionRow::default()
    }
}

async fn progress_is_written_at_most_once_a_second(bench: &Bench) {
    let executions = bench.store.executions();
    let mut row = execution("e1", START_MS);
    executions.put(&row).await.expect("puts");
    assert!(executions.put(&row).await.is_err_and(|error| error.is_stale()), "the name is taken");
    row.transitions = 5;
    assert_eq!(executions.update(&row).await, Ok(false));
    bench.pass(1_000);
    assert_eq!(executions.update(&row).await, Ok(true));
    row.transitions = 6;
    row.status = "SUCCEEDED".into();
    assert_eq!(executions.update(&row).await, Ok(true), "the end is written at once");
    let stored = executions.get("e1").await.expect("reads");
    assert_eq!(stored, Some(ExecutionRow { updated_ms: bench.now_ms(), ..row }));
}

async fn what_is_over_stays_over(bench: &Bench) {
    let executions = bench.store.executions();
    let mut row = execution("e1", START_MS);
    executions.put(&row).await.expect("puts");
    executions.update(&ExecutionRow { status: "ABORTED".into(), ..row.clone() }).await.expect("ends");
    bench.pass(5_000);
    row.transitions = 9;
    assert_eq!(executions.update(&row).await, Ok(false), "a late report of progress");
    assert_eq!(executions.get("e1").await.expect("reads").map(|row| row.status), Some("ABORTED".into()));
}

async fn executions_are_listed_newest_first(bench: &Bench) {
    let executions = bench.store.executions();
    for (id, days_ago) in [("new", 0), ("month", 20), ("old", 100), ("day", 1)] {
        executions.put(&execution(id, START_MS - days_ago * 86_400_000)).await.expect("puts");
    }
    let ids: Vec<String> = executions.list(10).await.expect("lists").into_iter().map(|row| row.id).collect();
    assert_eq!(ids, ["new", "day", "month"], "this month and the one before");
    assert_eq!(executions.list(1).await.expect("lists").len(), 1);
}

async fn an_account_that_is_closed_is_a_switch_of_its_own(bench: &Bench) {
    let switches = bench.store.switches();
    for side in [Side::Zendesk, Side::Clickup] {
        switches.set(SwitchName::Access(side), "closed", "deskup").await.expect("sets");
    }
    switches.set(SwitchName::Pause(Lane::Live), "night", "jo").await.expect("sets");
    switches.clear(SwitchName::Access(Side::Zendesk)).await.expect("clears");
    let on: Vec<SwitchName> = switches.all().await.expect("reads").into_keys().collect();
    assert_eq!(on, [SwitchName::Pause(Lane::Live), SwitchName::Access(Side::Clickup)]);
}

async fn who_serves_is_read_back(bench: &Bench) {
    assert_eq!(bench.store.service().get().await, Ok(None));
    let mut service = Service {
        process: 7,
        started_ms: START_MS,
        alive_ms: START_MS + 1,
        stopped_ms: Some(START_MS + 2),
        listen: "127.0.0.1:1".into(),
        public_url: String::new(),
        settings: "a fingerprint".into(),
        zendesk_ms: Some(START_MS),
        clickup_ms: None,
    };
    for stopped_ms in [Some(START_MS + 2), None] {
        service.stopped_ms = stopped_ms;
        bench.store.service().put(&service).await.expect("writes");
        assert_eq!(bench.store.service().get().await, Ok(Some(service.clone())));
    }
    let on = bench.store.switches().all().await.expect("its row is no switch");
    assert!(on.is_empty(), "{on:?}");
}

async fn a_switch_keeps_its_first_reason(bench: &Bench) {
    let switches = bench.store.switches();
    assert_eq!(switches.all().await, Ok(BTreeMap::new()), "the schema row in their partition is none");
    switches.set(SwitchName::Brake, "first", "brake").await.expect("sets");
    switches.set(SwitchName::Brake, "second", "jo").await.expect("sets");
    switches.set(SwitchName::Pause(Lane::Backfill), "night", "jo").await.expect("sets");
    let on = switches.all().await.expect("reads");
    let reasons: Vec<_> = on.iter().map(|(name, switch)| (*name, switch.reason.as_str())).collect();
    assert_eq!(reasons, [(SwitchName::Pause(Lane::Backfill), "night"), (SwitchName::Brake, "first")]);
    switches.clear(SwitchName::Brake).await.expect("clears");
    switches.clear(SwitchName::Brake).await.expect("clearing twice is harmless");
    assert_eq!(switches.get(SwitchName::Brake).await, Ok(None));
}

async fn tallies_add_up_within_their_window(bench: &Bench) {
    let tally = bench.store.tally();
    let status = |name: &str| BTreeMap::from([(name.to_owned(), 1)]);
    tally
        .add(&Tally { touched: 50, status: status("in progress ✓"), ..Tally::default() })
        .await
        .expect("adds");
    let sum = tally
        .add(&Tally { suspended: 2, closed: 1, status: status("in progress ✓"), ..Tally::default() })
        .await;
    let expected = Tally {
        touched: 50,
        suspended: 2,
        closed: 1,
        status: BTreeMap::from([("in progress ✓".to_owned(), 2)]),
        ..Tally::default()
    };
    assert_eq!(sum, Ok(expected.clone()));
    assert_eq!(tally.get().await, Ok(expected.clone()));
    let earlier_ms = bench.now_ms();
    bench.pass(TallyRows::WINDOW_MS - 1);
    assert_eq!(tally.get().await, Ok(expected.clone()), "ten minutes are ten minutes, whenever they begin");
    bench.pass(60_000);
    assert_eq!(tally.get().await, Ok(Tally::default()), "what is longer ago does not count");
    assert_eq!(tally.at(earlier_ms).await, Ok(expected), "and can still be read");
    tally.allow(30).await.expect("allows");
    assert_eq!(tally.get().await.expect("reads").allowed, 30);
    bench.pass(TallyRows::WINDOW_MS);
    assert_eq!(tally.get().await.expect("reads").allowed, 30, "what is let through comes within two windows");
    let let_through = Tally { mapped: 25, ..Tally::default() };
    assert_eq!(tally.add(&let_through).await.map(|tally| tally.mapped), Ok(25));
    bench.pass(TallyRows::WINDOW_MS / 2);
    tally.add(&let_through).await.expect("adds");
    bench.pass(TallyRows::WINDOW_MS / 2 - 60_000);
    assert_eq!(tally.get().await, Ok(Tally { mapped: 20, ..Tally::default() }), "the rest of them is news");
    tally.clear().await.expect("clears");
    assert_eq!(tally.get().await, Ok(Tally::default()), "a release forgets what counted");
}

async fn a_pulse_tells_what_was_heard_and_what_only_cursors_found(bench: &Bench) {
    let pulses = bench.store.pulses();
    assert_eq!(pulses.get(Side::Zendesk).await, Ok(Pulse::default()));
    pulses.heard(Side::Zendesk).await.expect("notes");
    let heard = pulses.get(Side::Zendesk).await.expect("reads");
    assert_eq!((heard.heard_ms, heard.found), (Some(START_MS), 0));
    bench.pass(1_000);
    pulses.heard(Side::Zendesk).await.expect("notes");
    assert_eq!(pulses.get(Side::Zendesk).await, Ok(heard), "not every delivery is written down");

    pulses.found(Side::Zendesk, 0).await.expect("nothing was found");
    pulses.found(Side::Zendesk, 2).await.expect("notes");
    bench.pass(60_000);
    pulses.found(Side::Zendesk, 3).await.expect("notes");
    pulses.unconfirmed(Side::Zendesk).await.expect("notes");
    let silent = pulses.get(Side::Zendesk).await.expect("reads");
    assert_eq!((silent.found, silent.unconfirmed), (5, 1));
    assert_eq!(silent.found_since_ms, Some(START_MS + 1_000), "since the first of them");
    assert_eq!(silent.found_ms, Some(START_MS + 61_000));
    assert_eq!(pulses.get(Side::Clickup).await, Ok(Pulse::default()), "each service has its own");

    pulses.heard(Side::Zendesk).await.expect("notes at once: something was found since");
    let again = pulses.get(Side::Zendesk).await.expect("reads");
    assert_eq!((again.heard_ms, again.found, again.found_since_ms), (Some(START_MS + 61_000), 0, None));
    assert_eq!(again.unconfirmed, 0);

    assert_eq!(pulses.looked_ms("tasks").await, Ok(None));
    pulses.looked("tasks").await.expect("notes");
    assert_eq!(pulses.looked_ms("tasks").await, Ok(Some(START_MS + 61_000)));
}

async fn names_read_back_however_many_there_are(bench: &Bench) {
    let names = bench.store.names();
    assert_eq!(names.get(Side::Clickup).await, Ok(Known::default()));
    let many = |count: u32| Known {
        me: Some(-7),
        names: (0..count).map(|n| (format!("{n:05}"), format!("Zoë {n}"))).collect(),
    };
    for count in [1, 1_001, 400, 0] {
        names.keep(Side::Clickup, &many(count)).await.expect("keeps");
        assert_eq!(names.get(Side::Clickup).await, Ok(many(count)), "{count}");
    }
    assert_eq!(names.get(Side::Zendesk).await, Ok(Known::default()));
}
