//! Tickets that tell where their task is: in a backfill a hundred marks go in one call, whatever happens between
//! the job and the look at its results.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use clients::{Transport, TransportError};
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use serde_json::{Value as Json, json};
use simulators::zendesk::{FieldKind, FieldSeed};
use stores::FaultPlan;
use stores::effects::EffectKind;
use tests::expect::{Faults, nothing_wrong};
use tests::whole::{Ran, Scratch, Stage, on_paused_clock};
use tokio::sync::Notify;
use world::people::act;
use world::world::PlanLimits;
use world::{Instance, InstanceOptions, Silent, WorldOptions};

/// Calls for a new ticket above the fewest possible.
const CALLS_OVER_MAX: f64 = 0.008;

/// What happens at a request of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// deskup dies before it is sent.
    DiesBefore,
    /// deskup dies when Zendesk has carried it out.
    DiesAfter,
    /// An agent changes some of its tickets just before.
    Edits,
}

/// deskup's transport, with something lying in wait for the first request of a kind.
struct Ambush {
    wire: Arc<dyn Transport>,
    zendesk: simulators::zendesk::ZendeskSim,
    agent: world::seedwork::cast::Colleague,
    at: At,
    path: &'static str,
    met: AtomicU64,
    dead: Notify,
}

/// Tickets that an agent changes.
const EDITED: usize = 6;

impl Ambush {
    async fn die(&self) -> ! {
        self.dead.notify_one();
        std::future::pending().await
    }

    async fn edit_some(&self, body: &[u8]) {
        let body: Json = serde_json::from_slice(body).expect("a batch");
        let ids = body["tickets"].as_array().into_iter().flatten().take(EDITED);
        // Stamps count seconds.
        tokio::time::sleep(Duration::from_secs(2)).await;
        for id in ids.map(|ticket| &ticket["id"]) {
            let tags = self.zendesk.ticket(id.as_u64().expect("an id")).expect("it is there")["tags"].clone();
            let tags = tags.as_array().into_iter().flatten().cloned().chain([json!("seen_today")]);
            let change =
                json!({ "subject": format!("Changed meanwhile {id}"), "tags": tags.collect::<Json>() });
            let action = act::Action::Ticket(change);
            let request = action.request(&self.agent, &id.to_string(), &format!("m{id}"));
            let answer = self.zendesk.handle(request.expect("an agent has an account")).await;
            assert!(answer.status().is_success(), "{:?}", answer.body());
        }
    }

    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let is_it = request.uri().path().ends_with(self.path);
        if !is_it || self.met.fetch_add(1, Ordering::Relaxed) > 0 {
            return self.wire.send(request).await;
        }
        match self.at {
            At::DiesBefore => self.die().await,
            At::Edits => self.edit_some(request.body()).await,
            At::DiesAfter => {}
        }
        let response = self.wire.send(request).await?;
        if self.at == At::DiesAfter {
            self.die().await;
        }
        Ok(response)
    }
}

impl Transport for Ambush {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.carry(request))
    }
}

/// A kind of mark as the settings name it. A field of its own is made for the last one.
#[derive(Clone, Copy, Debug)]
enum Mark {
    ExternalId,
    Tag,
    Field,
}

/// A field that the mapping does not know; an earlier process may have made it.
async fn field(stage: &Stage) -> u64 {
    let zendesk = stage.world.zendesk();
    let agent = stage.world.scenario().cast.agents().next().expect("a world has agents");
    let asked = act::zendesk(agent, Method::GET, "/api/v2/ticket_fields", None, "look");
    let answer = zendesk.handle(asked.expect("an agent has an account")).await;
    let known: Json = serde_json::from_slice(answer.body()).expect("fields");
    let title = "Task";
    let there = known["ticket_fields"].as_array().into_iter().flatten().find(|field| field["title"] == title);
    if let Some(field) = there {
        return field["id"].as_u64().expect("a field has an id");
    }
    let seed = FieldSeed { title: title.to_owned(), kind: FieldKind::Text, options: Vec::new() };
    zendesk.seed(|seeding| seeding.add_field(seed)).expect("the world can be written")
}

/// A world whose mapping wants marks, with an ambush or without.
async fn stage(
    options: WorldOptions,
    mark: Mark,
    ambush: Option<(At, &'static str)>,
) -> (Stage, Arc<Ambush>, String) {
    let stage = Stage::open(options, FaultPlan::none()).expect("a world");
    stage.world.seed(&Silent).expect("the world can be written");
    let word = match mark {
        Mark::ExternalId => "external_id".to_owned(),
        Mark::Tag => "tag".to_owned(),
        Mark::Field => format!("field:{}", field(&stage).await),
    };
    let mut options = InstanceOptions::of(&stage.world, stage.store.clone());
    options.settings = options.settings.replace("[sync]", &format!("[sync]\nlink_back = \"{word}\""));
    let ambush_at = ambush.unwrap_or((At::DiesBefore, "nowhere"));
    let ambush = Arc::new(Ambush {
        wire: options.transport.clone(),
        zendesk: stage.world.zendesk().clone(),
        agent: stage.world.scenario().cast.agents().next().expect("a world has agents").clone(),
        at: ambush_at.0,
        path: ambush_at.1,
        met: AtomicU64::new(0),
        dead: Notify::new(),
    });
    options.transport = ambush.clone();
    (Stage { deskup: Instance::new(options), ..stage }, ambush, word)
}

/// Tickets that are not closed and lack their mark, and how many have it.
async fn marks(stage: &Stage, word: &str) -> (Vec<String>, usize) {
    let (mut wrong, mut marked) = (Vec::new(), 0);
    for (ticket, task) in stage.pairs().await {
        let seen = stage.world.zendesk().ticket(ticket).expect("the ticket is there");
        if seen["status"] == "closed" {
            continue;
        }
        let has = match word.strip_prefix("field:") {
            Some(field) => seen["custom_fields"].as_array().into_iter().flatten().any(|entry| {
                entry["id"].as_u64() == field.parse().ok()
                    && entry["value"].as_str().is_some_and(|url| url.contains(&task))
            }),
            None if word == "tag" => seen["tags"].to_string().contains(&task.to_lowercase()),
            None => seen["external_id"] == task.as_str(),
        };
        marked += usize::from(has);
        if !has {
            wrong.push(format!("ticket {ticket} does not tell of {task}"));
        }
        let id = domain::TicketId::new(ticket).expect("an id");
        let open = stage.store.effects().open(id).await.expect("the store can be read");
        if open.iter().any(|row| row.kind == EffectKind::LinkBack) {
            wrong.push(format!("what became of the mark of ticket {ticket} is not known"));
        }
    }
    (wrong, marked)
}

fn calls(ran: &Ran, endpoint: &str) -> u64 {
    ran.verdict.api_calls.get("zendesk").and_then(|calls| calls.get(endpoint)).copied().unwrap_or(0)
}

#[test]
fn in_a_backfill_a_mark_costs_a_hundredth_of_a_call() {
    const TICKETS: usize = 1_200;
    on_paused_clock(async {
        let options = WorldOptions { tickets: TICKETS, edits: 0, seed: 7, ..WorldOptions::default() };
        let (stage, _, word) = stage(options, Mark::ExternalId, None).await;
        let ran = stage.run().await.expect("it comes to rest");
        let (mut wrong, marked) = marks(&stage, &word).await;
        let verdict = &ran.verdict;
        let least = verdict.least_calls_per_new_ticket + (TICKETS as f64 / 100.0).ceil() / TICKETS as f64;
        let mut faults = Faults::of(&ran);
        faults.unless(verdict.calls_per_new_ticket - least <= CALLS_OVER_MAX, || {
            format!("{} calls per new ticket, the least is {least}", verdict.calls_per_new_ticket)
        });
        faults.unless(calls(&ran, "PUT /tickets/{id}") == 0, || {
            format!("{} marks were sent alone", calls(&ran, "PUT /tickets/{id}"))
        });
        faults.unless(marked > TICKETS / 2, || format!("only {marked} tickets are open"));
        wrong.extend(faults.into_lines());
        nothing_wrong(&wrong);
    });
}

#[test]
fn every_kind_of_mark_is_set_and_people_go_on_editing() {
    let mut wrong = Vec::new();
    for (seed, mark) in [(1, Mark::ExternalId), (2, Mark::Tag), (3, Mark::Field)] {
        let lines = on_paused_clock(async {
            let options = WorldOptions { tickets: 60, edits: 40, seed, ..WorldOptions::default() };
            let (stage, _, word) = stage(options, mark, None).await;
            let ran = stage.run().await.expect("it comes to rest");
            let (mut lines, marked) = marks(&stage, &word).await;
            assert!(marked > 30, "only {marked} tickets are open");
            lines.extend(Faults::of(&ran).into_lines());
            lines
        });
        wrong.extend(lines.into_iter().map(|line| format!("{mark:?}: {line}")));
    }
    nothing_wrong(&wrong);
}

#[test]
fn what_a_job_could_not_do_is_done_alone() {
    let mut wrong = Vec::new();
    for mark in [Mark::ExternalId, Mark::Tag] {
        let lines = on_paused_clock(async {
            let options = WorldOptions { tickets: 60, edits: 0, seed: 4, ..WorldOptions::default() };
            let (stage, _, word) = stage(options, mark, Some((At::Edits, "/tickets/update_many"))).await;
            let ran = stage.run().await.expect("it comes to rest");
            let (mut lines, _) = marks(&stage, &word).await;
            let mut faults = Faults::of(&ran);
            let alone = calls(&ran, "PUT /tickets/{id}") as usize;
            faults.unless(alone == EDITED, || format!("{alone} marks were sent alone"));
            let kept = stage.world.zendesk().tickets();
            let kept = kept.iter().filter(|ticket| ticket["tags"].to_string().contains("seen_today")).count();
            faults.unless(kept == EDITED, || format!("only {kept} tags of the agent are left"));
            // A mark answers nobody's edit, and these come after people began.
            let faults = faults.into_lines().into_iter();
            lines.extend(faults.filter(|line| !line.starts_with("written without cause: Zendesk")));
            lines
        });
        wrong.extend(lines.into_iter().map(|line| format!("{mark:?}: {line}")));
    }
    nothing_wrong(&wrong);
}

#[test]
fn a_job_that_zendesk_forgot_is_judged_by_its_tickets() {
    on_paused_clock(async {
        let limits = PlanLimits { zendesk_job_kept_ms: 0, ..PlanLimits::default() };
        let options = WorldOptions { tickets: 60, edits: 0, seed: 4, limits, ..WorldOptions::default() };
        let (stage, _, word) = stage(options, Mark::Tag, None).await;
        let ran = stage.run().await.expect("it comes to rest");
        let (mut wrong, _) = marks(&stage, &word).await;
        let mut faults = Faults::of(&ran);
        faults.unless(calls(&ran, "GET /tickets/show_many") == 1, || "nobody looked".to_owned());
        faults.unless(calls(&ran, "PUT /tickets/{id}") == 0, || "marks were sent again".to_owned());
        wrong.extend(faults.into_lines());
        nothing_wrong(&wrong);
    });
}

/// Runs a process of deskup until it dies in its ambush.
fn dies(options: &WorldOptions, mark: Mark, ambush: (At, &'static str)) {
    on_paused_clock(async {
        let (stage, ambush, _) = stage(options.clone(), mark, Some(ambush)).await;
        tokio::select! {
            biased;
            () = ambush.dead.notified() => {}
            ran = stage.run() => panic!("it came to its end: {:?}", ran.map(|ran| ran.verdict)),
        }
    });
}

#[test]
fn killed_between_the_marks_and_the_look_at_what_became_of_them() {
    const SENT: &str = "/tickets/update_many";
    const ASKED: &str = "/job_statuses/show_many";
    let mut wrong = Vec::new();
    for (number, (mark, at, path)) in [
        (Mark::ExternalId, At::DiesBefore, SENT),
        (Mark::ExternalId, At::DiesAfter, SENT),
        (Mark::Tag, At::DiesBefore, SENT),
        (Mark::Tag, At::DiesAfter, SENT),
        (Mark::Tag, At::DiesBefore, ASKED),
        (Mark::Field, At::DiesAfter, SENT),
        (Mark::Field, At::DiesAfter, ASKED),
    ]
    .into_iter()
    .enumerate()
    {
        let scratch = Scratch::new(&format!("marks-{number}"));
        let options = WorldOptions {
            tickets: 60,
            edits: 20,
            seed: 6,
            dir: Some(scratch.path().to_owned()),
            ..WorldOptions::default()
        };
        dies(&options, mark, (at, path));
        let lines = on_paused_clock(async {
            let (stage, _, word) = stage(options, mark, None).await;
            let ran = stage.run().await.expect("it comes to rest");
            let (mut lines, _) = marks(&stage, &word).await;
            lines.extend(Faults::of(&ran).into_lines());
            // What was not sent is sent together, not ticket by ticket.
            let many = calls(&ran, "PUT /tickets/update_many");
            if !(1..=2).contains(&many) {
                lines.push(format!("{many} jobs for sixty tickets"));
            }
            lines
        });
        wrong.extend(lines.into_iter().map(|line| format!("{mark:?} {at:?} {path}: {line}")));
    }
    nothing_wrong(&wrong);
}
