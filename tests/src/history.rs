//! One history: a small world, several executors, an hour of virtual time, people on both sides, and everything that can
//! go wrong. The seed decides all of it.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use domain::Side;
use fastrand::Rng;
use serde_json::Value as Json;
use simulators::{Change, Overdrawn};
use stores::{FENCE_WENT_BACK, FaultPlan, Place, Store};
use world::judge::Testimony;
use world::judge::edits::Fate;
use world::world::PlanLimits;
use world::{Deskup, Silent, World, WorldFaults, WorldOptions};

use crate::expect::Faults;
use crate::summary::Outcome;
use crate::team::{Crew, Team};
use crate::weather::STALE_CREATE;
use crate::whole::{INSTALLATION, Ran, Wrap, bare, on_paused_clock};

/// How long a history takes at least.
const LASTS_MS: i64 = 60 * 60_000;

/// How long Zendesk remembers a job: longer than anybody takes to ask, or not even that.
const JOB_KEPT_MS: i64 = LASTS_MS;
const JOB_FORGOTTEN_MS: i64 = 1_000;

/// What a history is made of.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Decides everything.
    pub seed: u64,
    /// Tickets.
    pub tickets: usize,
    /// Edits of people, on both sides.
    pub edits: usize,
    /// Executors.
    pub executors: usize,
    /// Whether both services are asked what changed. Where not, no delivery is dropped, and they alone have to do.
    pub polls: bool,
    /// Whether tickets are to tell of their tasks, which a backfill leaves to jobs of Zendesk.
    pub marks: bool,
}

impl Recipe {
    /// What a seed stands for.
    pub fn of(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed ^ 0x4157);
        Self {
            seed,
            tickets: [3, 3, 3, 5][random.usize(0..4)],
            edits: random.usize(12..=13),
            executors: [2, 2, 2, 3][random.usize(0..4)],
            polls: random.u8(0..3) > 0,
            marks: Rng::with_seed(seed ^ 0x3a4c).u8(0..4) == 0,
        }
    }
}

/// Plays a seed.
pub fn play(seed: u64) -> Outcome {
    play_over(seed, bare)
}

/// Plays a seed while a rule is broken.
#[cfg(feature = "switches")]
pub fn play_broken(bug: ::planted::Bug, seed: u64) -> Outcome {
    ::planted::with(Some(bug), || play(seed))
}

/// The same with something between the executors and the wire.
pub fn play_over(seed: u64, wrap: Wrap) -> Outcome {
    let recipe = Recipe::of(seed);
    match on_paused_clock(live(&recipe, wrap)) {
        Ok(outcome) => outcome,
        Err(error) => Outcome { seed, wrong: vec![format!("{error:?}")], ..Outcome::default() },
    }
}

fn options(recipe: &Recipe) -> WorldOptions {
    let mut random = Rng::with_seed(recipe.seed ^ 0x0b71);
    WorldOptions {
        tickets: recipe.tickets,
        edits: recipe.edits,
        seed: recipe.seed,
        faults: WorldFaults {
            webhook_drop: if random.bool() || !recipe.polls { 0.0 } else { random.f64() * 0.2 },
            webhook_duplicate: random.f64() * 0.3,
            webhook_delay_ms: (50, random.u64(1_000..=30_000)),
            visibility_delay_ms: (0, random.u64(1_000..=30_000)),
            ..WorldFaults::default()
        },
        mischief: random.usize(0..=3),
        upheavals: [0, 0, 1, 2][Rng::with_seed(recipe.seed ^ 0x0e4a).usize(0..4)],
        limits: limits(recipe),
        spacing_ms: LASTS_MS / 2 / recipe.edits as i64,
        coinciding: 0.15,
        chased: 0.5,
        ..WorldOptions::default()
    }
}

/// Small enough that some histories have to wait for them.
fn limits(recipe: &Recipe) -> PlanLimits {
    let mut random = Rng::with_seed(recipe.seed ^ 0x11a1);
    PlanLimits {
        zendesk_per_min: random.u32(40..=200),
        zendesk_updates_per_min: if random.bool() { 20 } else { 100 },
        clickup_per_min: Some(random.u32(30..=100)),
        zendesk_job_kept_ms: if random.bool() { JOB_FORGOTTEN_MS } else { JOB_KEPT_MS },
        ..PlanLimits::default()
    }
}

async fn live(recipe: &Recipe, wrap: Wrap) -> anyhow::Result<Outcome> {
    let world = Arc::new(World::open(options(recipe))?);
    let clock = world.access().clock;
    let begun_ms = clock.now_ms();
    let now = clock.clone();
    let now = Arc::new(move || now.now_ms());
    let table = Store::embedded_with(Place::Memory, INSTALLATION, now, FaultPlan::none())?;
    let team = Team::new(world.clone(), table, Crew::troubled(recipe, wrap))?;
    let deskup: Arc<dyn Deskup> = team.clone();
    world.seed(&Silent)?;
    world.connect(Some(deskup.clone()));
    world.prepare(deskup.as_ref()).await?;
    world.backfill(deskup.as_ref(), &Silent).await?;
    world.live(deskup.as_ref())?;
    let (played, troubled, again) =
        futures::join!(world.play(&Silent), trouble(&team, recipe), team.start_all_again(recipe));
    played?;
    troubled?;
    again?;
    let left_ms = u64::try_from(LASTS_MS - (clock.now_ms() - begun_ms)).unwrap_or(0);
    tokio::time::sleep(Duration::from_millis(left_ms)).await;
    team.calm_down();
    team.fill_up().await?;
    let mut untold = Vec::new();
    if !recipe.polls {
        world.quiet(deskup.as_ref()).await?;
        let (_, details) = world.judge(deskup.as_ref()).await?;
        if !team.missed_any() {
            untold = details.differences;
        }
    }
    if team.was_suspended() {
        // Lists do not show a task that was archived since.
        world.quiet(deskup.as_ref()).await?;
        team.sweep().await?;
    }
    world.settle(deskup.as_ref()).await?;
    if recipe.polls {
        let (_, details) = world.judge(deskup.as_ref()).await?;
        untold = details.differences;
    }
    let unmarked = if recipe.marks { unmarked(&world.testimony(deskup.as_ref()).await?) } else { Vec::new() };
    world.second_run(deskup.as_ref(), &Silent).await?;
    let (verdict, details) = world.judge(deskup.as_ref()).await?;
    let testimony = world.testimony(deskup.as_ref()).await?;
    deskup.stop().await;
    let ran = Ran { verdict, details, testimony };
    let lasted_ms = clock.now_ms() - begun_ms;
    world.connect(None);
    let mut outcome = outcome(recipe, &ran, &team, lasted_ms);
    outcome.counts[3] += untold.len() as u64;
    for one in untold {
        let field = one.what.split(':').next().unwrap_or_default();
        outcome.wrong.push(format!("taken, and not worked on: {one:?}"));
        outcome.wrong.extend(story(&ran, &one.ticket, field));
    }
    outcome.wrong.extend(unmarked);
    outcome.wrong.extend(team.fired().wrong());
    if let Some(times) = outcome.fired.remove(FENCE_WENT_BACK) {
        outcome.wrong.push(format!("{times} writes of links by stale holders"));
    }
    let overdrawn = overdrawn(&world, &team);
    outcome.counts[4] += overdrawn.len() as u64;
    outcome.wrong.extend(overdrawn);
    Ok(outcome)
}

/// Tickets that could tell of their task and do not.
fn unmarked(testimony: &Testimony) -> Vec<String> {
    let tells = |id: u64, task: &str| {
        let mut tickets = testimony.tickets.iter().filter(|ticket| ticket["id"] == id);
        tickets.all(|seen| {
            seen["external_id"] == task || seen["status"] == "closed" || seen["status"] == "deleted"
        })
    };
    let is_there = |task: &str| testimony.tasks.iter().any(|seen| seen["id"] == task);
    let links = testimony.kept.links.iter().map(|(ticket, link)| (ticket.get(), link.task.as_str()));
    let wrong = links.filter(|(ticket, task)| is_there(task) && !tells(*ticket, task));
    wrong.map(|(ticket, task)| format!("ticket {ticket} does not tell of {task}")).collect()
}

/// Windows in which more was sent than a limit allows, less what arrived long after it was booked.
fn overdrawn(world: &World, team: &Team) -> Vec<String> {
    let of = |side: Side, windows: Vec<Overdrawn>| {
        let excused = move |one: &Overdrawn| team.fired().late_within(side, (one.begins_ms, one.ends_ms));
        windows.into_iter().filter_map(move |one| {
            let late = u32::try_from(excused(&one)).unwrap_or(u32::MAX);
            let over = one.ours > one.allowed.saturating_add(late);
            over.then(|| format!("overdrawn on {side}: {one:?}, {late} of them late"))
        })
    };
    let zendesk = of(Side::Zendesk, world.zendesk().overdrawn());
    zendesk.chain(of(Side::Clickup, world.clickup().overdrawn())).collect()
}

/// Executors crash and come back, or stand still for longer than their leases last.
async fn trouble(team: &Team, recipe: &Recipe) -> anyhow::Result<()> {
    let mut random = Rng::with_seed(recipe.seed ^ 0x7a0b);
    let pause = |random: &mut Rng| Duration::from_millis(random.u64(20_000..=400_000));
    for _ in 0..random.usize(3..=6) {
        tokio::time::sleep(pause(&mut random)).await;
        match random.u8(0..7) {
            0 => {
                team.fired().add("token revoked");
                let user = team.world().rules().zendesk_sync;
                team.world().zendesk().seed(|account| account.revoke_tokens(user))?;
                continue;
            }
            1 => {
                team.fired().add("limits changed");
                team.world().zendesk().change_limits(random.u32(40..=200), [20, 100][random.usize(0..2)]);
                continue;
            }
            2 if recipe.polls => {
                team.suspend_webhook()?;
                continue;
            }
            _ => {}
        }
        let at = random.usize(0..recipe.executors);
        if random.bool() {
            team.crash(at);
            tokio::time::sleep(pause(&mut random) / 4).await;
            team.fill_up().await?;
        } else {
            if random.bool() {
                team.freeze(at, Duration::from_millis(random.u64(30_000..=300_000)));
            } else {
                // Longer than its lease lasts: others get to the record meanwhile.
                team.freeze_at_write(at, Duration::from_millis(random.u64(150_000..=600_000)));
            }
        }
    }
    Ok(())
}

/// An executor that stood still for minutes sends what it was about to send, and a create that nobody heard of leaves a
/// second task that is put away: what was written is right, though not needed. A task that people made is never put away.
fn is_made_again(ran: &Ran, line: &str) -> bool {
    let of_people = || {
        let mut changes = ran.testimony.clickup_changes.iter();
        let record = |change: &Change| line.split_whitespace().any(|word| word == change.record);
        changes.find(|change| record(change)).is_none_or(|first| first.edit.is_some())
    };
    line.starts_with("written twice")
        || (line.starts_with("written without cause") && line.ends_with("archived") && !of_people())
}

/// Whether a ticket may rightly have got a second task: nothing told any more that the first one was its, or whoever asked
/// for one had stood still before, for longer than anybody reckons with.
fn may_have_twins(ran: &Ran, team: &Team) -> bool {
    let hides =
        |change: &Change| change.edit.is_some() && matches!(change.field.as_str(), "description" | "deleted");
    team.all_fired().contains_key(STALE_CREATE) || ran.testimony.clickup_changes.iter().any(hides)
}

/// A ticket that tells of its task, because the mapping says so and nobody else.
fn is_mark(line: &str) -> bool {
    line.starts_with("written without cause") && line.ends_with(": external_id")
}

/// Where deliveries are dropped on their way, or not taken, a write of ours may never be told of.
fn expected(recipe: &Recipe, ran: &Ran, missed: bool) -> Faults {
    let drops = options(recipe).faults.webhook_drop > 0.0 || missed;
    if drops { Faults::of(ran) } else { Faults::of_told(ran) }
}

/// What became of a field on both sides, for whoever has to find out why an edit was lost.
fn story(ran: &Ran, ticket: &str, field: &str) -> Vec<String> {
    let task = ran.testimony.kept.links.iter().find(|(id, _)| id.to_string() == ticket);
    let task = task.map(|(_, link)| link.task.to_string()).unwrap_or_default();
    let names = [field, "subject", "title", "name"];
    let names = if field == "title" { &names[..] } else { &names[..1] };
    let of = |side: &'static str, changes: &[Change], record: &str| -> Vec<String> {
        let ours = |change: &&Change| change.record == record && names.contains(&change.field.as_str());
        let line = |change: &Change| {
            let who = change.edit.as_deref().unwrap_or("deskup");
            format!("  {} {side} {who}: {} to {}", change.at_ms, change.before, change.after)
        };
        changes.iter().filter(ours).map(line).collect()
    };
    let mut lines = of("Zendesk", &ran.testimony.zendesk_changes, ticket);
    lines.extend(of("ClickUp", &ran.testimony.clickup_changes, &task));
    lines.sort();
    lines
}

/// What people did to whole records.
fn upheavals(ran: &Ran) -> BTreeMap<&'static str, u64> {
    let mut all = BTreeMap::new();
    let of_people = |change: &&Change| change.edit.is_some();
    for change in ran.testimony.zendesk_changes.iter().filter(of_people) {
        let what = match (change.field.as_str(), &change.after) {
            ("deleted", Json::Bool(true)) => "ticket deleted",
            ("deleted", _) => "ticket restored",
            ("status", after) if after == "closed" => "ticket closed",
            _ => continue,
        };
        *all.entry(what).or_default() += 1;
    }
    for change in ran.testimony.clickup_changes.iter().filter(of_people) {
        let what = match (change.field.as_str(), &change.after) {
            ("deleted", _) => "task deleted",
            ("archived", Json::Bool(true)) => "task archived",
            ("archived", _) => "task brought back",
            ("list", _) => "task moved",
            _ => continue,
        };
        *all.entry(what).or_default() += 1;
    }
    all
}

fn outcome(recipe: &Recipe, ran: &Ran, team: &Team, lasted_ms: i64) -> Outcome {
    let verdict = &ran.verdict;
    let mut trace = std::hash::DefaultHasher::new();
    for change in ran.testimony.zendesk_changes.iter().chain(&ran.testimony.clickup_changes) {
        format!("{change:?}").hash(&mut trace);
    }
    let (again, wrong): (Vec<String>, Vec<String>) =
        expected(recipe, ran, team.was_suspended() || team.missed_any())
            .into_lines()
            .into_iter()
            .filter(|line| !(recipe.marks && is_mark(line)))
            .partition(|line| is_made_again(ran, line));
    let mut wrong = wrong;
    for edit in &ran.details.lost {
        wrong.extend(story(ran, &edit.ticket, &format!("{:?}", edit.field).to_lowercase()));
    }
    for one in &ran.details.differences {
        wrong.extend(story(ran, &one.ticket, one.what.split(':').next().unwrap_or_default()));
    }
    let twins = verdict.twins_seen;
    if twins > 0 && !may_have_twins(ran, team) {
        wrong.push(format!("{twins} tasks were made for tickets that had one"));
    }
    let exempt = ran.details.judged.iter().filter(|judged| judged.fate == Fate::Unprovable).count();
    Outcome {
        seed: recipe.seed,
        wrong,
        again: again.len() as u64,
        counts: [
            verdict.lost,
            verdict.duplicates,
            verdict.leaked_internal,
            u64::from(verdict.converged_percent < 100.0) + verdict.silence,
            0,
        ],
        records: verdict.tickets,
        edits: verdict.edits,
        unprovable: exempt as u64,
        fired: team.all_fired().into_iter().chain(upheavals(ran)).collect(),
        store_operations: team.store_operations(),
        lasted_ms,
        trace: trace.finish(),
    }
}
