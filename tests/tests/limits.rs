//! What the services refuse because there is no more room: text is cut with a link, a record is set aside under
//! a cause of its own, and all others converge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use clients::{Transport, TransportError};
use domain::ConflictCause;
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::json;
use simulators::zendesk::TicketSeed;
use stores::FaultPlan;
use tests::expect::{Faults, nothing_wrong};
use tests::hands::minutes;
use tests::whole::{Stage, on_paused_clock, run};
use world::people::act::Action;
use world::world::PlanLimits;
use world::{Instance, InstanceOptions, Silent, WorldFaults, WorldOptions};

/// What Zendesk takes in one comment.
const COMMENT_BYTES_MAX: usize = 65_535;
/// What ClickUp takes in a description.
const DESCRIPTION_BYTES_MAX: usize = 256 * 1024;

fn stage(limits: PlanLimits) -> Stage {
    let options = WorldOptions { tickets: 30, edits: 0, seed: 4, limits, ..WorldOptions::default() };
    Stage::open(options, FaultPlan::none()).expect("a world in memory")
}

#[test]
fn tickets_of_a_full_list_are_set_aside_and_all_others_converge() {
    let limits = PlanLimits { clickup_list_tasks_max: 12, ..PlanLimits::default() };
    let options = WorldOptions { tickets: 80, edits: 40, seed: 5, limits, ..WorldOptions::default() };
    let ran = run(options).expect("a world in memory");
    let causes: BTreeMap<&str, usize> =
        ran.testimony.kept.quarantined.iter().fold(BTreeMap::new(), |mut causes, (_, cause)| {
            *causes.entry(cause.as_str()).or_default() += 1;
            causes
        });
    let verdict = &ran.verdict;
    let left_out = (verdict.tickets - verdict.tasks) as usize;
    assert!(left_out > 10, "the lists are full: {left_out}");
    assert_eq!(causes, BTreeMap::from([("clickup_subcat_900", left_out)]));
    let linked: BTreeSet<String> = ran.testimony.kept.links.keys().map(ToString::to_string).collect();
    let differs: Vec<&String> =
        ran.details.differences.iter().map(|d| &d.ticket).filter(|ticket| linked.contains(*ticket)).collect();
    assert!(differs.is_empty(), "{differs:?}");
    assert_eq!((verdict.lost, verdict.duplicates, verdict.silence, verdict.touched_foreign), (0, 0, 0, 0));
}

#[test]
fn a_comment_that_is_too_long_is_cut_and_says_where_the_rest_is() {
    on_paused_clock(async {
        let stage = stage(PlanLimits::default());
        stage.settle_in().await.expect("it comes to rest");
        let (ticket, task) = stage.pairs().await.into_iter().next().expect("there are pairs");
        let text = "Très long. ".repeat(8_000);
        stage.on_task(&task, Action::TaskComment(text), "e1").await;
        let ran = stage.finish().await.expect("it comes to rest");
        let comments = stage.ticket(ticket, "comments");
        let copy = comments.as_array().and_then(|all| all.last()).expect("the copy is the newest");
        let body = copy["body"].as_str().expect("a comment has a body");
        assert!(body.contains("Très long. Très long."), "{}", body.len());
        assert!(body.len() <= COMMENT_BYTES_MAX, "{}", body.len());
        assert!(body[body.len() - 300..].contains("https://"), "{}", &body[body.len() - 300..]);
        nothing_wrong(&Faults::of(&ran).into_lines());
    });
}

#[test]
fn a_ticket_that_takes_no_more_comments_keeps_them_as_conflicts_and_its_fields_go_on() {
    on_paused_clock(async {
        let stage = stage(PlanLimits { zendesk_comments_max: 8, ..PlanLimits::default() });
        stage.settle_in().await.expect("it comes to rest");
        let pairs = stage.pairs().await;
        let open = |pair: &&(u64, String)| stage.ticket(pair.0, "status") == "open";
        let (ticket, task) = pairs.iter().find(open).expect("there are open tickets");
        for number in 0..10 {
            let text = format!("Comment number {number}");
            stage.on_task(task, Action::TaskComment(text), &format!("e{number}")).await;
            minutes(1).await;
        }
        stage.on_task(task, Action::Task(json!({ "name": "Renamed after all" })), "e99").await;
        minutes(3).await;
        let comments = stage.ticket(*ticket, "comments").as_array().map_or(0, Vec::len);
        assert_eq!(comments, 8);
        assert_eq!(stage.ticket(*ticket, "subject"), "Renamed after all");
        let kept = world::Deskup::kept(stage.deskup.as_ref()).await.expect("the store can be read");
        let of_comments = |row: &&world::KeptConflict| {
            row.ticket.get() == *ticket && row.conflict.field.to_string().contains("comment:")
        };
        let rows: Vec<_> = kept.conflicts.iter().filter(of_comments).collect();
        assert!(rows.len() >= 3, "{}", rows.len());
        assert!(rows.iter().all(|row| row.conflict.cause == ConflictCause::Refused));
        assert!(kept.quarantined.is_empty(), "{:?}", kept.quarantined);
    });
}

/// Comments do not move a task's date: only the sweep finds one whose webhook was lost.
#[test]
fn the_sweep_finds_a_comment_that_no_webhook_told_of() {
    on_paused_clock(async {
        let faults = WorldFaults { webhook_drop: 1.0, ..WorldFaults::default() };
        let options = WorldOptions { tickets: 30, edits: 0, seed: 8, faults, ..WorldOptions::default() };
        let stage = Stage::open(options, FaultPlan::none()).expect("a world in memory");
        stage.settle_in().await.expect("it comes to rest");
        let pairs = stage.pairs().await;
        let (ticket, task) = pairs.last().expect("there are pairs");
        stage.on_task(task, Action::TaskComment("Nobody was told of this".to_owned()), "e1").await;
        let has_copy = || stage.ticket(*ticket, "comments").to_string().contains("Nobody was told of this");
        assert!(!has_copy());
        // Thirty tasks, ten at a poll, a poll a minute.
        minutes(5).await;
        assert!(has_copy());
        let ran = stage.finish().await.expect("it comes to rest");
        nothing_wrong(&Faults::of(&ran).into_lines());
    });
}

/// Replies to uploads come late: by then the token of the file is over.
struct LateUploads {
    wire: Arc<dyn Transport>,
    late: AtomicU64,
}

impl Transport for LateUploads {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let is_upload = request.uri().path().ends_with("/uploads");
            let response = self.wire.send(request).await;
            if is_upload && self.late.fetch_update(Relaxed, Relaxed, |late| late.checked_sub(1)).is_ok() {
                tokio::time::sleep(std::time::Duration::from_secs(3)).await;
            }
            response
        })
    }
}

/// A file is hung on a task while tokens last for a second and the first replies are late. What the ticket has of
/// it, and what is set aside.
async fn a_file_whose_tokens_expire(late: u64) -> (Vec<String>, Vec<String>) {
    let stage = stage(PlanLimits { zendesk_upload_token_ms: 1_000, ..PlanLimits::default() });
    stage.world.seed(&Silent).expect("a world in memory");
    let mut options = InstanceOptions::of(&stage.world, stage.store.clone());
    let uploads = Arc::new(LateUploads { wire: options.transport, late: AtomicU64::new(0) });
    options.transport = uploads.clone();
    let stage = Stage { deskup: Instance::new(options), ..stage };
    stage.settle_in().await.expect("it comes to rest");
    uploads.late.store(late, Relaxed);
    let pairs = stage.pairs().await;
    let open = |pair: &&(u64, String)| stage.ticket(pair.0, "status") == "open";
    let (ticket, task) = pairs.iter().find(open).expect("there are open tickets");
    stage.hang_file(task, "trace.txt", "line one").await;
    // A file alone tells nobody.
    stage.on_task(task, Action::Task(json!({ "name": "Renamed with a file" })), "e1").await;
    let ran = stage.finish().await.expect("it comes to rest");
    assert_eq!(stage.ticket(*ticket, "subject"), "Renamed with a file");
    let comments = stage.ticket(*ticket, "comments");
    let files = comments.as_array().into_iter().flatten().flat_map(|comment| {
        comment["attachments"].as_array().into_iter().flatten().map(|file| file["file_name"].to_string())
    });
    let is_note = |comment: &&serde_json::Value| comment["body"].to_string().contains("A file was added");
    let notes = comments.as_array().into_iter().flatten().filter(is_note).count();
    let files: Vec<String> = files.filter(|name| name.contains("trace")).collect();
    assert_eq!(notes, files.len(), "each file has one note, and no note is without");
    let causes = ran.testimony.kept.quarantined.iter().map(|(_, cause)| cause.clone()).collect();
    let faults = Faults::of(&ran).into_lines();
    nothing_wrong(&faults.into_iter().filter(|line| !line.starts_with("quarantined")).collect::<Vec<_>>());
    (files, causes)
}

#[test]
fn a_file_is_uploaded_again_when_its_token_is_over() {
    for late in [0, 1, 2] {
        let (files, causes) = on_paused_clock(a_file_whose_tokens_expire(late));
        assert_eq!((files.len(), causes.len()), (1, 0), "{late} late uploads: {causes:?}");
    }
}

#[test]
fn a_file_whose_tokens_are_always_over_is_set_aside_alone() {
    let (files, causes) = on_paused_clock(a_file_whose_tokens_expire(u64::MAX));
    assert_eq!((files.len(), causes), (0, vec!["zendesk_upload_expired".to_owned()]));
}

/// Texts around what ClickUp takes in a description: characters of two and four bytes, cut at every offset.
#[test]
fn a_description_that_is_too_long_is_cut_between_two_characters_and_stays_so() {
    on_paused_clock(async {
        let stage = stage(PlanLimits::default());
        stage.world.seed(&Silent).expect("a world in memory");
        let requester = stage.world.scenario().cast.customers[0].id;
        let texts = ["é", "😀", "a😀 \n"].into_iter().flat_map(|unit| {
            (0..4).map(move |offset| format!("{}{}", "x".repeat(offset), unit.repeat(400_000 / unit.len())))
        });
        let at_ms = stage.world.now_ms() - 90 * 60_000;
        let seeded = stage.world.zendesk().seed(|seed| {
            let tickets = texts.map(|text| seed.add_ticket(TicketSeed::new(requester, "Long", &text, at_ms)));
            tickets.collect::<Vec<u64>>()
        });
        let long = seeded.expect("a world in memory");
        let ran = stage.run().await.expect("it comes to rest");
        let mut faults = Faults::of(&ran);
        for (ticket, task) in stage.pairs().await.into_iter().filter(|(ticket, _)| long.contains(ticket)) {
            let task = stage.world.clickup().task(&task).expect("the task is there");
            let text = task["description"].as_str().expect("a description").to_owned();
            let end = text.char_indices().rev().nth(300).map_or(0, |(at, _)| at);
            faults.unless(
                text.len() <= DESCRIPTION_BYTES_MAX && text.len() > DESCRIPTION_BYTES_MAX - 2_048,
                || format!("ticket {ticket} has {} bytes", text.len()),
            );
            faults.unless(
                text[end..].contains("shortened by deskup") && text[end..].contains("https://"),
                || format!("ticket {ticket} does not say where the rest is: {}", &text[end..]),
            );
        }
        nothing_wrong(&faults.into_lines());
    });
}

/// A person pastes a book into the description of a task: the note that tells of it is cut as well.
#[test]
fn a_note_on_a_description_is_cut_to_what_a_comment_takes() {
    on_paused_clock(async {
        let stage = stage(PlanLimits::default());
        stage.settle_in().await.expect("it comes to rest");
        let pairs = stage.pairs().await;
        let open = |pair: &&(u64, String)| stage.ticket(pair.0, "status") == "open";
        let (ticket, task) = pairs.iter().find(open).expect("there are open tickets");
        let before = stage.world.clickup().task(task).expect("the task is there")["description"].clone();
        let text =
            format!("{}\n{}", before.as_str().unwrap_or_default(), "Lorem ipsum 😀 dolor. ".repeat(8_000));
        stage.on_task(task, Action::Task(json!({ "description": text })), "e1").await;
        let ran = stage.finish().await.expect("it comes to rest");
        let comments = stage.ticket(*ticket, "comments");
        let note = comments.as_array().and_then(|all| all.last()).expect("a note tells of the edit");
        let body = note["body"].as_str().expect("a comment has a body");
        assert!(body.len() <= COMMENT_BYTES_MAX && body.len() > COMMENT_BYTES_MAX - 100, "{}", body.len());
        assert!(body.contains("The description was edited in ClickUp"));
        assert!(body[body.len() - 120..].contains("https://"));
        nothing_wrong(&Faults::of(&ran).into_lines());
    });
}
