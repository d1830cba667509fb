//! One record in a hundred cannot be brought over, each for a reason of its own: the others hardly notice.

#![expect(clippy::print_stdout, reason = "what was measured is of interest where it holds, too")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use simulators::clickup::Plan;
use stores::FaultPlan;
use tests::expect::nothing_wrong;
use tests::hands::minutes;
use tests::poison::{Poisoned, Way};
use tests::whole::{Stage, on_paused_clock};
use world::world::PlanLimits;
use world::{Deskup, Instance, InstanceOptions, Silent, WorldOptions};

/// What polls find is told by webhooks here, and what is spoiled is tried again for hours.
const POLL_EVERY_MS: i64 = 15 * 60_000;

/// Between two looks at whether all is brought over or set aside.
const LOOK_MIN: u64 = 10;
/// After this it should be.
const PATIENCE_MIN: u64 = 6 * 60;

/// How a world is.
#[derive(Clone, Copy)]
struct Case {
    tickets: usize,
    clickup: Plan,
    zendesk_per_min: u32,
    unlimited: bool,
}

/// A ticket for each way, spread over the others; those whose comments are spoiled have some that are copied.
fn victims(stage: &Stage) -> BTreeMap<u64, Way> {
    let tickets = &stage.world.scenario().tickets;
    let mut chosen = BTreeMap::new();
    for (number, way) in Way::ALL.into_iter().enumerate() {
        let from = number * tickets.len() / Way::ALL.len();
        let fits = |ticket: &&world::seedwork::tickets::TicketPlan| {
            let copied = ticket.comments.len() > 2 && ticket.comments.iter().all(|comment| comment.public);
            let has_file = ticket.comments.iter().any(|comment| comment.public && comment.file.is_some());
            match way {
                _ if ticket.status == "closed" => false,
                Way::Comment | Way::Nobody => copied && !has_file,
                Way::File => has_file,
                _ => true,
            }
        };
        let ticket = tickets.iter().cycle().skip(from).take(tickets.len()).find(fits);
        let id = u64::try_from(ticket.expect("there is one").id).expect("tickets count from 1");
        chosen.insert(id, way);
    }
    assert_eq!(chosen.len(), Way::ALL.len(), "{chosen:?}");
    chosen
}

/// What a world came to.
struct Came {
    /// From the start of the backfill to the last change of a healthy ticket's task.
    last_ms: i64,
    victims: BTreeMap<u64, Way>,
    /// Of the spoiled tickets: whether each has a task, and under which causes something was set aside.
    ends: BTreeMap<Way, (bool, Vec<String>)>,
    wrong: Vec<String>,
}

async fn play(Case { tickets, clickup, zendesk_per_min, unlimited }: Case, poisoned: bool) -> Came {
    let limits = PlanLimits { clickup, zendesk_per_min, ..PlanLimits::default() };
    let options = WorldOptions { tickets, edits: 0, seed: 11, limits, unlimited, ..WorldOptions::default() };
    let stage = Stage::open(options, FaultPlan::none()).expect("a world in memory");
    let victims = victims(&stage);
    let made = InstanceOptions::of(&stage.world, stage.store.clone());
    let ways = if poisoned { victims.clone() } else { BTreeMap::new() };
    let wire = Poisoned::new(made.transport.clone(), ways);
    let options = functions::Options { poll_every_ms: POLL_EVERY_MS, ..made.options.clone() };
    let deskup = Instance::new(InstanceOptions { transport: wire.clone(), options, ..made });
    let stage = Stage { deskup, ..stage };
    let driven: Arc<dyn Deskup> = stage.driven();
    stage.world.seed(&Silent).expect("a world in memory");
    stage.world.connect(Some(driven.clone()));
    stage.world.prepare(driven.as_ref()).await.expect("it starts");
    stage.world.live(driven.as_ref()).expect("a world in memory");
    let begun_ms = stage.world.now_ms();
    stage.world.backfill(driven.as_ref(), &Silent).await.expect("it comes to its end");
    // Looked at seldom: what is spoiled is tried again for hours.
    for _ in 0..PATIENCE_MIN / LOOK_MIN {
        minutes(LOOK_MIN).await;
        if driven.idle().await.expect("the store can be read") {
            break;
        }
    }
    let mut wrong = Vec::new();
    if let Err(error) = stage.world.settle(driven.as_ref()).await {
        wrong.push(format!("{error:?}"));
    }
    if poisoned {
        let met = wire.spoiled();
        println!("spoiled {met:?}");
        wrong.extend(
            Way::ALL.iter().filter(|way| !met.contains_key(way)).map(|way| format!("{way:?} was not met")),
        );
    }
    let ran = stage.judge().await.expect("a world in memory");
    let kept = &ran.testimony.kept;
    let sick: BTreeSet<String> = victims.keys().map(ToString::to_string).collect();
    let healthy = |ticket: &str| !sick.contains(ticket);
    wrong.extend(
        ran.details.differences.iter().filter(|one| healthy(&one.ticket)).map(|one| format!("{one:?}")),
    );
    let (verdict, linked) = (&ran.verdict, kept.links.len());
    if verdict.tickets as usize - sick.len() > linked {
        wrong.push(format!("{linked} of {} are linked", verdict.tickets));
    }
    let task_of: BTreeMap<String, u64> =
        kept.links.iter().map(|(ticket, link)| (link.task.to_string(), ticket.get())).collect();
    let of_healthy = |task: &str| task_of.get(task).is_some_and(|ticket| !victims.contains_key(ticket));
    let changes = stage.world.clickup().changes();
    let last_ms = changes.iter().filter(|change| of_healthy(&change.record)).map(|change| change.at_ms).max();
    let mut ends = BTreeMap::new();
    for (ticket, way) in &victims {
        let record = format!("T#{ticket}");
        let task = task_of.iter().find(|(_, of)| *of == ticket).map(|(task, _)| format!("C#{task}"));
        let aside = kept.quarantined.iter().filter(|(of, _)| *of == record || Some(of) == task.as_ref());
        ends.insert(*way, (task.is_some(), aside.map(|(_, cause)| cause.clone()).collect()));
    }
    let mine = |of: &str| of.strip_prefix("T#").is_some_and(|id| sick.contains(id));
    wrong
        .extend(kept.quarantined.iter().filter(|(of, _)| !mine(of)).map(|row| format!("set aside: {row:?}")));
    driven.stop().await;
    Came { last_ms: last_ms.unwrap_or(0) - begun_ms, victims, ends, wrong }
}

fn check(case: Case) {
    let clean = on_paused_clock(play(case, false));
    let spoiled = on_paused_clock(play(case, true));
    println!("{} ms without, {} ms beside {:?}", clean.last_ms, spoiled.last_ms, spoiled.victims);
    let mut wrong = [clean.wrong, spoiled.wrong].concat();
    for (way, (linked, causes)) in &spoiled.ends {
        println!("  {way:?}: linked {linked}, {causes:?}");
        if (*linked, causes.join(" ").as_str()) != way.end() {
            wrong.push(format!("{way:?} ended as {linked} {causes:?}"));
        }
    }
    if spoiled.last_ms * 100 > clean.last_ms * 105 {
        wrong.push(format!("{} ms instead of {}", spoiled.last_ms, clean.last_ms));
    }
    nothing_wrong(&wrong);
}

#[test]
fn the_others_hardly_notice_at_a_thousand_calls_a_minute() {
    let (clickup, zendesk_per_min) = (Plan::BusinessPlus, 2_500);
    check(Case { tickets: 1_000, clickup, zendesk_per_min, unlimited: false });
}

#[test]
#[ignore = "a quarter of a minute"]
fn the_others_hardly_notice_without_limits() {
    check(Case { tickets: 1_000, clickup: Plan::BusinessPlus, zendesk_per_min: 2_500, unlimited: true });
}

/// A window is a fifteenth of what a thousand tickets take.
#[test]
#[ignore = "half a minute"]
fn the_others_hardly_notice_at_a_hundred_calls_a_minute() {
    check(Case { tickets: 2_000, clickup: Plan::Business, zendesk_per_min: 700, unlimited: false });
}
