//! One record in a hundred cannot be brought over, each for a reason of its own: the others hardly notice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use simulators::clickup::Plan;
use stores::FaultPlan;
use tests::expect::nothing_wrong;
use tests::poison::{Poisoned, Way};
use tests::whole::{Stage, on_paused_clock};
use world::world::PlanLimits;
use world::{Deskup, Instance, InstanceOptions, Silent, WorldOptions};

const TICKETS: usize = 1_000;

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

async fn play(limits: PlanLimits, unlimited: bool, poisoned: bool) -> Came {
    let options =
        WorldOptions { tickets: TICKETS, edits: 0, seed: 11, limits, unlimited, ..WorldOptions::default() };
    let stage = Stage::open(options, FaultPlan::none()).expect("a world in memory");
    let victims = victims(&stage);
    let made = InstanceOptions::of(&stage.world, stage.store.clone());
    let ways = if poisoned { victims.clone() } else { BTreeMap::new() };
    let wire = Poisoned::new(made.transport.clone(), ways);
    let deskup = Instance::new(InstanceOptions { transport: wire.clone(), ..made });
    let stage = Stage { deskup, ..stage };
    let driven: Arc<dyn Deskup> = stage.driven();
    stage.world.seed(&Silent).expect("a world in memory");
    stage.world.connect(Some(driven.clone()));
    stage.world.prepare(driven.as_ref()).await.expect("it starts");
    stage.world.live(driven.as_ref()).expect("a world in memory");
    let begun_ms = stage.world.now_ms();
    stage.world.backfill(driven.as_ref(), &Silent).await.expect("it comes to its end");
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
    println!("{verdict:?}");
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

fn check(clickup: Plan, zendesk_per_min: u32, unlimited: bool) {
    let limits = PlanLimits { clickup, zendesk_per_min, ..PlanLimits::default() };
    let clean = on_paused_clock(play(limits, unlimited, false));
    let spoiled = on_paused_clock(play(limits, unlimited, true));
    println!(
        "{clickup:?}, unlimited {unlimited}: {} ms clean, {} ms beside {:?}",
        clean.last_ms, spoiled.last_ms, spoiled.victims
    );
    for (way, (linked, causes)) in &spoiled.ends {
        println!("  {way:?}: linked {linked}, {causes:?}");
    }
    let mut wrong = [clean.wrong, spoiled.wrong].concat();
    if spoiled.last_ms * 100 > clean.last_ms * 105 {
        wrong.push(format!("{} ms instead of {}", spoiled.last_ms, clean.last_ms));
    }
    nothing_wrong(&wrong);
}

#[test]
fn the_others_hardly_notice_at_a_hundred_calls_a_minute() {
    check(Plan::Business, 700, false);
}

#[test]
fn the_others_hardly_notice_at_a_thousand_calls_a_minute() {
    check(Plan::BusinessPlus, 2_500, false);
}

#[test]
fn the_others_hardly_notice_without_limits() {
    check(Plan::BusinessPlus, 2_500, true);
}
