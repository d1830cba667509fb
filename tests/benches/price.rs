//! What a million tickets cost on AWS, by what a simulated desk used: the backfill, live edits, sweeps and polls; beside a naive
//! machine, which is one Standard transition per step and ticket.
//!
//!     cargo bench --workspace --bench price             1,000 tickets, 500 edits
//!     cargo bench --workspace --bench price -- 200 100
//!
//! Without rate limits, because on AWS nobody runs while a limit is waited for; requests take 150 to 450 ms.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and has nobody to report an error to"
)]

use std::sync::Arc;

use stores::{Place, Store};
use tests::whole::on_paused_clock;
use world::price::{Cost, TRANSITION_USD, Usage};
use world::{Deskup, Instance, Silent, World, WorldOptions};

const MILLION: f64 = 1e6;

/// Steps between a ticket and its task: read, map, claim, decide, write, comments, files, mark, confirm, close.
const NAIVE_STEPS: f64 = 10.0;

/// The workflow that asks both services what changed.
const POLL: &str = "ticket-sync-poll";

/// Minutes without edits, in which only polls run.
const CALM_MINUTES: u64 = 60;

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let [tickets, edits] = numbers[..] else { return measure(1_000, 500) };
    measure(tickets, edits);
}

fn measure(tickets: usize, edits: usize) {
    on_paused_clock(async move {
        let options = WorldOptions {
            tickets,
            edits,
            unlimited: true,
            latency_ms: (150, 450),
            // A million edits in a month.
            spacing_ms: 2_600,
            ..WorldOptions::default()
        };
        let world = World::open(options).unwrap();
        let now = world.access().clock;
        let store = Store::embedded(Place::Memory, "price", Arc::new(move || now.now_ms())).unwrap();
        let instance = Instance::in_world(&world, store);
        let deskup: Arc<dyn Deskup> = instance.clone();
        let used = || Usage::of(instance.local().unwrap());
        let used_live = || Usage::of_all_but(instance.local().unwrap(), POLL);
        let polls = || deskup.effort().executions.get(POLL).map_or(0.0, |count| *count as f64);
        world.seed(&Silent).unwrap();
        world.connect(Some(deskup.clone()));
        world.prepare(deskup.as_ref()).await.unwrap();
        let before = used();
        world.backfill(deskup.as_ref(), &Silent).await.unwrap();
        let backfill = used() - before;
        world.live(deskup.as_ref()).unwrap();
        // Polls go on beside it, as on AWS; what they cost is told apart.
        let (before, polled) = (used_live(), polls());
        world.play(&Silent).await.unwrap();
        world.settle(deskup.as_ref()).await.unwrap();
        let (mut live, polled) = (used_live() - before, polls() - polled);
        let (before, polled_before) = (used(), polls());
        tests::hands::minutes(CALM_MINUTES).await;
        let poll = (used() - before).times(1.0 / (polls() - polled_before).max(1.0));
        live.write_units -= poll.write_units * polled;
        live.read_units -= poll.read_units * polled;
        let before = used();
        instance.local().unwrap().dispatcher.sweep("price").await.unwrap();
        let sweep = used() - before;
        deskup.stop().await;
        let (verdict, details) = world.judge(deskup.as_ref()).await.unwrap();
        assert!(verdict.is_clean(), "{:?}", details.faults(3));

        let naive = NAIVE_STEPS * TRANSITION_USD * MILLION;
        println!("US dollars, measured on {tickets} tickets and {edits} edits of people");
        println!(
            "                                        Step Functions   Lambda  DynamoDB  queue, logs     total"
        );
        let (tickets, edits) = (tickets as f64, edits as f64);
        line("backfill of 1,000,000 tickets", &backfill.times(MILLION / tickets).cost());
        line("1,000,000 live edits", &live.times(MILLION / edits).cost());
        line("a sweep over 1,000,000 links", &sweep.times(MILLION / tickets).cost());
        line("a month of polls, one a minute", &poll.times(60.0 * 24.0 * 30.0).cost());
        println!(
            "  naive machine, 1,000,000 tickets            {naive:7.2}        -         -            -   {naive:7.2}"
        );
        println!("used by each");
        each("ticket of the backfill", &backfill.times(1.0 / tickets));
        each("live edit", &live.times(1.0 / edits));
        each("link of a sweep", &sweep.times(1.0 / tickets));
        each("poll", &poll);
    });
}

fn line(what: &str, cost: &Cost) {
    println!(
        "  {what:<42}  {:7.2}  {:7.2}   {:7.2}      {:7.2}   {:7.2}",
        cost.step_functions_usd,
        cost.lambda_usd,
        cost.dynamodb_usd,
        cost.other_usd,
        cost.total_usd()
    );
}

fn each(what: &str, usage: &Usage) {
    println!(
        "  {what:<24} {:.3} transitions, {:.2} Express, {:.2} calls in {:.2} s, {:.1} write and {:.1} read units, \
         {:.2} deliveries, {:.2} wakes",
        usage.transitions,
        usage.express,
        usage.calls,
        usage.step_s,
        usage.write_units,
        usage.read_units,
        usage.deliveries,
        usage.wakes
    );
}
