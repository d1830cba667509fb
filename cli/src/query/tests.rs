//! Each alarm comes when it should, alone, and goes when its cause does: on a state in memory with a clock that only
//! the test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::Side;
use functions::steps::{poll_comments, poll_tasks, poll_tickets};
use stores::effects::{Effect, EffectKind, EffectState};
use stores::executions::ExecutionRow;
use stores::quarantine::Quarantined;
use stores::service::Service;
use stores::switches::SwitchName;
use stores::work::Hint;
use stores::{Lane, Place, Store, WorkKey};

use super::status::{StatusView, status};
use crate::installation::Installation;

const MINUTE_MS: i64 = 60_000;

/// The least that `deskup.toml` may say.
const SETTINGS: &str = r#"
[zendesk]
url = "https://acme.zendesk.com"
[clickup]
url = "https://api.clickup.com"
workspace = "9001"
[scope]
limit = 5
[[route]]
list = "801"
[status]
new = "to do"
open = "to do"
pending = "waiting"
hold = "waiting"
solved = "complete"
closed = "Closed"
"#;

/// A state whose deskup began an hour ago and reads all streams.
struct Desk {
    store: Store,
    clock: Arc<AtomicI64>,
}

impl Desk {
    async fn running() -> Self {
        let clock = Arc::new(AtomicI64::new(1_700_000_000_000));
        let now = clock.clone();
        let store = Store::embedded(Place::Memory, "t", Arc::new(move || now.load(Ordering::Relaxed)));
        let desk = Self { store: store.expect("a store in memory opens"), clock };
        desk.serves("https://deskup.example").await;
        desk.pass(60).await;
        desk
    }

    /// A process begins to serve at this public address.
    async fn serves(&self, public_url: &str) {
        let started_ms = self.store.now_ms();
        let service = Service { started_ms, public_url: public_url.to_owned(), ..Service::default() };
        self.store.service().put(&service).await.expect("writes");
    }

    /// That process ends in order.
    async fn stops(&self) {
        let service = self.store.service().get().await.expect("reads").expect("it began");
        let stopped_ms = Some(self.store.now_ms());
        self.store.service().put(&Service { stopped_ms, ..service }).await.expect("writes");
    }

    /// Lets minutes pass in which all streams are read.
    async fn pass(&self, minutes: i64) {
        self.clock.fetch_add(minutes * MINUTE_MS, Ordering::Relaxed);
        for stream in [poll_tickets::STREAM, poll_comments::STREAM, poll_tasks::STREAM] {
            self.store.pulses().looked(stream).await.expect("writes");
        }
    }

    fn silence(&self, minutes: i64) {
        self.clock.fetch_add(minutes * MINUTE_MS, Ordering::Relaxed);
    }

    async fn view(&self) -> StatusView {
        status(&Installation::at("."), &self.store).await.expect("the state can be read")
    }

    /// Alarms but the one that nothing holds this state, which is so in every test.
    async fn alarms(&self) -> Vec<&'static str> {
        let alarms = self.view().await.alarms;
        alarms.into_iter().map(|alarm| alarm.kind).filter(|kind| *kind != "not_running").collect()
    }
}

fn ticket(n: u64) -> domain::TicketId {
    domain::TicketId::new(n).expect("an id")
}

#[tokio::test(start_paused = true)]
async fn a_deskup_that_ended_without_being_stopped_is_missed() {
    let desk = Desk::running().await;
    let kinds = |view: StatusView| view.alarms.iter().map(|alarm| alarm.kind).collect::<Vec<_>>();
    assert_eq!(kinds(desk.view().await), ["not_running"]);
    desk.stops().await;
    desk.silence(600);
    assert!(kinds(desk.view().await).is_empty(), "it was stopped on purpose");
    desk.serves("https://deskup.example").await;
    assert_eq!(kinds(desk.view().await), ["not_running"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_not_read_is_missed_after_ten_minutes() {
    let desk = Desk::running().await;
    desk.silence(9);
    assert!(desk.alarms().await.is_empty());
    desk.store.pulses().looked(poll_tasks::STREAM).await.expect("writes");
    desk.silence(2);
    assert_eq!(desk.alarms().await, ["cursor", "cursor"], "the one that was read is not missed");
    desk.pass(0).await;
    assert!(desk.alarms().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn silent_webhooks_are_missed_when_cursors_find_news() {
    let desk = Desk::running().await;
    let pulses = desk.store.pulses();
    pulses.heard(Side::Clickup).await.expect("writes");
    desk.pass(300).await;
    assert!(desk.alarms().await.is_empty(), "a quiet night");
    pulses.found(Side::Clickup, 2).await.expect("writes");
    desk.pass(20).await;
    assert!(desk.alarms().await.is_empty(), "two lost deliveries are no silence");
    pulses.found(Side::Clickup, 1).await.expect("writes");
    assert_eq!(desk.alarms().await, ["webhooks"]);
    pulses.heard(Side::Clickup).await.expect("writes");
    assert!(desk.alarms().await.is_empty(), "it speaks again");
    pulses.unconfirmed(Side::Clickup).await.expect("writes");
    assert_eq!(desk.alarms().await, ["unconfirmed"]);
    desk.serves("").await;
    assert!(desk.alarms().await.is_empty(), "without a public address no webhook is expected");
    desk.serves("https://deskup.example").await;
    pulses.heard(Side::Clickup).await.expect("writes");
    assert!(desk.alarms().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_brake_and_each_pause_are_told_with_their_reason() {
    let desk = Desk::running().await;
    let switches = desk.store.switches();
    switches.set(SwitchName::Brake, "too many alike", "brake").await.expect("writes");
    switches.set(SwitchName::Pause(Lane::Live), "migration", "jo").await.expect("writes");
    assert_eq!(desk.alarms().await, ["brake", "paused"]);
    let alarms = desk.view().await.alarms;
    assert!(
        alarms
            .iter()
            .any(|alarm| alarm.text.contains("too many alike") && alarm.text.contains("deskup release"))
    );
    assert!(alarms.iter().any(|alarm| alarm.text.contains("migration") && alarm.text.contains("jo")));
    switches.clear(SwitchName::Brake).await.expect("writes");
    switches.clear(SwitchName::Pause(Lane::Live)).await.expect("writes");
    assert!(desk.alarms().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn lanes_that_are_paused_alike_are_one_alarm() {
    let desk = Desk::running().await;
    let switches = desk.store.switches();
    for lane in [Lane::Live, Lane::Backfill] {
        switches.set(SwitchName::Pause(lane), "migration", "jo").await.expect("writes");
    }
    let paused = async || {
        let alarms = desk.view().await.alarms;
        alarms.into_iter().filter(|alarm| alarm.kind == "paused").map(|alarm| alarm.text).collect::<Vec<_>>()
    };
    let said = paused().await;
    assert!(said.len() == 1 && said[0].starts_with("live and backfill are paused since"), "{said:?}");
    for lane in Lane::ALL {
        switches.set(SwitchName::Pause(lane), "migration", "jo").await.expect("writes");
    }
    let said = paused().await;
    assert!(said.len() == 1 && said[0].starts_with("all lanes are paused since"), "{said:?}");
    assert!(said[0].ends_with("by jo: migration; `deskup resume` ends it"), "{said:?}");
    switches.clear(SwitchName::Pause(Lane::Live)).await.expect("writes");
    switches.set(SwitchName::Pause(Lane::Live), "another reason", "jo").await.expect("writes");
    assert_eq!(paused().await.len(), 2);
    switches.set(SwitchName::Access(Side::Zendesk), "the token was refused", "deskup").await.expect("writes");
    let said = paused().await;
    assert!(
        said.iter().any(|text| text.starts_with("no access to Zendesk since") && !text.contains("resume")),
        "{said:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn settings_that_are_not_those_of_the_running_deskup_are_told() {
    let desk = Desk::running().await;
    let dir = std::env::temp_dir().join(format!("deskup-settings-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a folder");
    let file = dir.join("deskup.toml");
    let alarms = async || {
        let view = status(&Installation::at(&dir), &desk.store).await.expect("the state can be read");
        let alarms = view.alarms.into_iter().filter(|alarm| alarm.kind == "settings");
        alarms.map(|alarm| alarm.text).collect::<Vec<_>>()
    };
    assert!(alarms().await.is_empty(), "a deskup that kept no fingerprint is not blamed");
    let text = SETTINGS;
    let settings = domain::Settings::parse(text).expect("settings").digest();
    let service = desk.store.service().get().await.expect("reads").expect("it began");
    desk.store.service().put(&stores::service::Service { settings, ..service }).await.expect("writes");
    assert!(alarms().await[0].contains("cannot be read any more"), "it is missing");
    std::fs::write(&file, format!("# a comment\n{text}")).expect("writes");
    assert!(alarms().await.is_empty(), "a comment changes nothing");
    std::fs::write(&file, text.replace("limit = 5", "limit = 7")).expect("writes");
    assert!(alarms().await[0].contains("restart it"));
    std::fs::write(&file, "[zendesk").expect("writes");
    assert!(alarms().await[0].contains("deskup check"));
    desk.stops().await;
    assert!(alarms().await.is_empty(), "what was stopped needs no restart");
    std::fs::remove_dir_all(&dir).expect("removes");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_did_not_reach_its_end_is_told() {
    let desk = Desk::running().await;
    assert!(!desk.view().await.run_unfinished);
    let mut place = functions::backfill::Place { generation: 1, ..Default::default() };
    let cursors = desk.store.cursors();
    let text = serde_json::to_string(&place).expect("json");
    let cursor = cursors.advance("backfill", None, &text).await.expect("writes");
    assert!(desk.view().await.run_unfinished);
    place.done = true;
    let text = serde_json::to_string(&place).expect("json");
    cursors.advance("backfill", Some(&cursor), &text).await.expect("writes");
    assert!(!desk.view().await.run_unfinished);
}

#[tokio::test(start_paused = true)]
async fn what_is_set_aside_is_told_until_it_is_put_back() {
    let desk = Desk::running().await;
    let row = Quarantined {
        record: WorkKey::Ticket(ticket(7)),
        part: None,
        cause: "clickup_subcat_900".to_owned(),
        fingerprint: "f".to_owned(),
        seq: 1,
        attempts: 3,
        at_ms: desk.store.now_ms(),
        what: Some("ClickUp: POST /list/1/task: refused".to_owned()),
    };
    desk.store.quarantine().put(&row).await.expect("writes");
    assert_eq!(desk.alarms().await, ["quarantine"]);
    functions::person::retry(&desk.store, &row).await.expect("writes");
    assert!(desk.alarms().await.is_empty());
    assert_eq!(desk.view().await.work["reconcile"], 1, "it waits to be looked at");
}

#[tokio::test(start_paused = true)]
async fn a_write_of_unknown_outcome_is_told_when_nobody_looks_at_it() {
    let desk = Desk::running().await;
    let effect = Effect {
        id: "e".to_owned(),
        ticket: ticket(7),
        at_ms: desk.store.now_ms(),
        target: Side::Clickup,
        kind: EffectKind::Fields,
        fields: Default::default(),
        state: EffectState::Sent,
        cause: String::new(),
        rule: String::new(),
        mapping_version: String::new(),
        fence: 1,
        source_ms: 0,
        sent_ms: 0,
        late_ms: desk.store.now_ms() + 10 * MINUTE_MS,
        status: None,
        request_id: None,
    };
    let sent = desk.store.effects().send(&effect).await.expect("writes");
    let unknown = desk.store.effects().unknown(&sent).await.expect("writes");
    desk.pass(11).await;
    assert!(desk.alarms().await.is_empty(), "the next look is due");
    assert_eq!(desk.view().await.unconfirmed.waiting, 1);
    desk.pass(5).await;
    assert_eq!(desk.alarms().await, ["overdue"]);
    desk.store.effects().confirm(&unknown).await.expect("writes");
    assert!(desk.alarms().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_the_last_execution_of_a_workflow_counts() {
    let desk = Desk::running().await;
    let end = async |id: &str, workflow: &str, status: &str| {
        let row = ExecutionRow {
            id: id.to_owned(),
            workflow: workflow.to_owned(),
            status: status.to_owned(),
            started_ms: desk.store.now_ms(),
            ended_ms: Some(desk.store.now_ms()),
            error: Some("Rejected".to_owned()),
            ..ExecutionRow::default()
        };
        desk.store.executions().put(&row).await.expect("writes");
        desk.clock.fetch_add(1_000, Ordering::Relaxed);
    };
    end("1", "ticket-sync-poll", "FAILED").await;
    end("2", "ticket-sync-live", "ABORTED").await;
    assert_eq!(desk.alarms().await, ["execution"], "what a person or a restart ended is no failure");
    end("3", "ticket-sync-poll", "SUCCEEDED").await;
    assert!(desk.alarms().await.is_empty());
    end("4", "ticket-sync-poll", "TIMED_OUT").await;
    end("5", "ticket-sync-poll", "RUNNING").await;
    assert_eq!(desk.alarms().await, ["execution"], "one that runs has not ended");
}

#[tokio::test(start_paused = true)]
async fn a_pair_is_settled_when_it_waits_for_nothing() {
    let desk = Desk::running().await;
    for n in 1..=8 {
        let nonce = format!("n{n}");
        let links = desk.store.links();
        links.intend(ticket(n), &nonce, 0, "x", &Default::default()).await.expect("writes");
        let link = links.get(ticket(n)).await.expect("reads").expect("it is there");
        let task = domain::TaskId::new(format!("task{n}")).expect("an id");
        links.put_pointer(&task, ticket(n), &nonce).await.expect("writes");
        let with = stores::links::LinkedAs {
            task,
            list: Some(domain::ListId::new("901").expect("an id")),
            routes: String::new(),
            fields: Default::default(),
            z_stamp: String::new(),
            c_updated: 0,
            cz: None,
            cc: None,
            origin: String::new(),
        };
        links.linked(&link, with).await.expect("writes");
    }
    let part = desk.view().await.convergence;
    assert_eq!((part.linked, part.settled, part.percent), (8, 8, 100.0));
    let hint = Hint { lane: Lane::Live, delay_ms: 0, wants: &["z"], event_ms: 0, queue: None };
    desk.store.work().hint(&WorkKey::Ticket(ticket(1)), hint).await.expect("writes");
    let of_task = WorkKey::Task(domain::TaskId::new("task2").expect("an id"));
    desk.store.work().hint(&of_task, Hint { wants: &["c"], ..hint }).await.expect("writes");
    let conflict = domain::Conflict {
        field: domain::FieldKey::Title,
        cause: domain::ConflictCause::Ask,
        base: domain::Value::Null,
        zendesk: domain::Value::Null,
        clickup: domain::Value::Bool(true),
        winner: None,
        rule: "ask".to_owned(),
    };
    desk.store.conflicts().record(ticket(3), &conflict).await.expect("writes");
    let part = desk.view().await.convergence;
    assert_eq!(
        (part.linked, part.settled, part.percent),
        (8, 6, 75.0),
        "waiting by either side; a conflict is kept for a person, and nothing waits for it"
    );
    assert_eq!(part.with_conflict, 1);
    let row = desk.store.conflicts().list_open(1).await.expect("reads").remove(0);
    functions::person::dismiss(&desk.store, &row, "jo").await.expect("writes");
    let part = desk.view().await.convergence;
    assert_eq!((part.settled, part.with_conflict), (6, 0));
}

#[tokio::test(start_paused = true)]
async fn dates_of_one_field_have_one_form() {
    let desk = Desk::running().await;
    let labels = super::Labels::load(&Installation::at("."), &desk.store).await.expect("reads");
    let instant = domain::Value::Date(1_777_474_800_000);
    let day = domain::Value::Text("2026-03-10".to_owned());
    let lines = |values: &[&domain::Value]| {
        let values: Vec<_> = values.iter().map(|value| (Side::Zendesk, *value)).collect();
        labels.lines(&domain::FieldKey::DueDate, &values)
    };
    assert_eq!(lines(&[&instant, &day, &domain::Value::Null]), ["2026-04-29", "2026-03-10", "-"]);
    assert_eq!(lines(&[&instant, &domain::Value::Null]), ["2026-04-29T15:00:00Z", "-"]);
}
