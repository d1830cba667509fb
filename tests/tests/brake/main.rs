//! When many links go the same way at once, something is wrong that deskup cannot judge: it stops all lanes, touches
//! nothing more, and goes on when a person says so. What people did meanwhile arrives then.

#![expect(clippy::print_stdout, reason = "a suite says what it measured")]

mod closing;
mod mapping;
mod vanished;

use std::collections::BTreeSet;
use std::time::Duration;

use functions::person;
use orchestration::recovery_manager;
use stores::switches::SwitchName;
use stores::tally::Tally;
use stores::{FaultPlan, Store};
use tests::expect::Faults;
use tests::hands::minutes;
use tests::whole::{Stage, Wrap, on_paused_clock};
use world::WorldOptions;

/// Links that may go the same way before the brake is pulled, where fewer than a thousand are looked at.
const ALLOWED: usize = 20;

/// What a test plants in deskup's state to see that its check finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Planted {
    Nothing,
    /// Any number is allowed.
    NothingCounts,
    /// The count is full before anything happened, as if none were allowed.
    AllCounted,
    /// Nobody waits for a person: the brake goes off by itself.
    GoesOff,
}

/// A world that has come to rest; then the fault is planted.
async fn stage(options: WorldOptions, planted: Planted, wrap: Wrap) -> Stage {
    let stage = Stage::open_over(options, FaultPlan::none(), wrap).expect("a world in memory");
    stage.settle_in().await.expect("it comes to rest");
    match planted {
        Planted::Nothing => {}
        Planted::NothingCounts => {
            stage.store.tally().allow(1_000_000).await.expect("the store can be written");
        }
        Planted::AllCounted => {
            let full = Tally { suspended: ALLOWED as u64, ..Tally::default() };
            stage.store.tally().add(&full).await.expect("the store can be written");
        }
        Planted::GoesOff => {
            tokio::spawn(goes_off(stage.store.clone()));
        }
    }
    stage
}

/// For as long as a test looks.
async fn goes_off(store: Store) {
    for _ in 0..600 {
        recovery_manager::release(&store, 0).await.expect("the store can be written");
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
}

fn of_tickets(tickets: usize, seed: u64) -> WorldOptions {
    WorldOptions { tickets, edits: 0, seed, ..WorldOptions::default() }
}

async fn is_braked(stage: &Stage) -> bool {
    stage.store.switches().get(SwitchName::Brake).await.expect("the store can be read").is_some()
}

/// Why, in deskup's words.
async fn reason(stage: &Stage) -> String {
    let brake = stage.store.switches().get(SwitchName::Brake).await.expect("the store can be read");
    brake.map(|switch| switch.reason).unwrap_or_default()
}

/// A person lets work go on; more of the same pulls the brake again.
async fn release(stage: &Stage) {
    recovery_manager::release(&stage.store, 0).await.expect("the store can be written");
}

/// A person has seen what waits and lets it pass, as `deskup release --through`.
async fn release_through(stage: &Stage) {
    let waiting = person::braked(&stage.store).await.expect("the store can be read").waiting;
    let through = waiting.values().sum();
    recovery_manager::release(&stage.store, through).await.expect("the store can be written");
}

async fn suspended(stage: &Stage) -> BTreeSet<u64> {
    let kept = world::Deskup::kept(stage.deskup.as_ref()).await.expect("the store can be read");
    let apart = kept.links.iter().filter(|(_, link)| link.state == "SUSPENDED");
    apart.map(|(ticket, _)| ticket.get()).collect()
}

/// Tickets that are not closed, with their tasks.
async fn open_pairs(stage: &Stage) -> Vec<(u64, String)> {
    let pairs = stage.pairs().await;
    pairs.into_iter().filter(|(ticket, _)| stage.ticket(*ticket, "status") != "closed").collect()
}

/// Tickets that are still worked on, with their tasks.
async fn working_pairs(stage: &Stage) -> Vec<(u64, String)> {
    let is_over = |ticket: u64| {
        let status = stage.ticket(ticket, "status");
        status == "solved" || status == "closed"
    };
    stage.pairs().await.into_iter().filter(|(ticket, _)| !is_over(*ticket)).collect()
}

/// Where the services' logs stand.
fn logged(stage: &Stage) -> (usize, usize) {
    (stage.world.zendesk().changes().len(), stage.world.clickup().changes().len())
}

/// Tickets and tasks that deskup has changed since, each once.
fn changed_since(stage: &Stage, since: (usize, usize)) -> usize {
    let rules = stage.world.rules();
    let (zendesk, clickup) = (stage.world.zendesk().changes(), stage.world.clickup().changes());
    let tickets = zendesk[since.0..].iter().filter(|change| change.actor == rules.zendesk_sync);
    let tasks = clickup[since.1..].iter().filter(|change| change.actor == rules.clickup_sync);
    let tickets: BTreeSet<&str> = tickets.map(|change| change.record.as_str()).collect();
    let tasks: BTreeSet<&str> = tasks.map(|change| change.record.as_str()).collect();
    tickets.len() + tasks.len()
}

/// The brake is on, it came in time, and for half an hour nothing is written.
async fn stands(stage: &Stage, since: (usize, usize), bound: usize, faults: &mut Faults) {
    faults.unless(is_braked(stage).await, || "not braked".to_owned());
    let changed = changed_since(stage, since);
    println!("{changed} changed: {}", reason(stage).await);
    faults.unless(changed <= bound, || format!("{changed} changed before anybody was asked, not {bound}"));
    let before = stage.sync_changes();
    minutes(30).await;
    let changes = stage.sync_changes() - before;
    faults.unless(changes == 0, || format!("{changes} changes under the brake"));
}

/// Everything has arrived or is a conflict that a person sees.
async fn nothing_lost(stage: &Stage, faults: Faults) -> Vec<String> {
    let mut faults = faults;
    faults.unless(!is_braked(stage).await, || "braked again after the release".to_owned());
    let ran = stage.finish().await.expect("it comes to rest");
    let mut lines = faults.into_lines();
    lines.extend(Faults::of(&ran).into_lines());
    lines
}

/// What a check says of a planted fault has these lines among it.
#[track_caller]
fn finds(found: &[String], starts: &[&str]) {
    for start in starts {
        assert!(found.iter().any(|line| line.contains(start)), "nothing of {start:?} in {found:?}");
    }
}

/// Runs a whole flow.
fn run(flow: impl Future<Output = Vec<String>>) -> Vec<String> {
    on_paused_clock(flow)
}
