//! Live edits beside a backfill that takes all that the services let through.

#![expect(clippy::print_stdout, reason = "what was measured is of interest where it holds, too")]

use domain::Lane;
use simulators::clickup::Plan;
use simulators::zendesk::TicketSeed;
use stores::FaultPlan;
use tests::expect::nothing_wrong;
use tests::hands::minutes;
use tests::pace::{Pace, Waits, ask};
use tests::whole::{Stage, on_paused_clock};
use world::WorldOptions;
use world::world::PlanLimits;

/// Pairs that people edit.
const PAIRS: usize = 400;
/// Lanes besides that of the edits.
const OTHERS: [Lane; 4] = [Lane::Urgent, Lane::Reconcile, Lane::Backfill, Lane::Report];

/// Puts so many tickets more into Zendesk, as old as if they had been there all along.
fn more_tickets(stage: &Stage, count: usize) {
    let plans = stage.world.scenario().tickets.iter().cycle().take(count);
    let at_ms = stage.world.now_ms() - 24 * 3_600_000;
    let seeded = stage.world.zendesk().seed(|seed| {
        for (number, plan) in plans.enumerate() {
            let text = plan.comments.first().map_or("", |comment| comment.body.as_str());
            let ticket = TicketSeed::new(plan.requester, &format!("Older {number}"), text, at_ms);
            seed.add_ticket(TicketSeed { group: u64::try_from(plan.group).ok(), ..ticket });
        }
    });
    seeded.expect("a world in memory");
}

/// Pairs that take edits.
async fn open_pairs(stage: &Stage) -> Vec<(u64, String)> {
    let mut pairs = stage.pairs().await;
    pairs.retain(|(ticket, _)| stage.ticket(*ticket, "status") != "closed");
    pairs
}

struct Case {
    zendesk_per_min: u32,
    /// More than the backfill can take while people edit.
    tickets: usize,
    /// For which people edit, once alone and once beside the backfill.
    minutes: u64,
    per_minute: u64,
}

fn check(Case { zendesk_per_min, tickets, minutes: span, per_minute }: Case) {
    on_paused_clock(async {
        let limits = PlanLimits { clickup: Plan::BusinessPlus, zendesk_per_min, ..PlanLimits::default() };
        let options = WorldOptions { tickets: PAIRS, edits: 0, seed: 3, limits, ..WorldOptions::default() };
        let stage = Stage::open(options, FaultPlan::none()).expect("a world in memory");
        stage.settle_in().await.expect("it comes to rest");
        let pairs = open_pairs(&stage).await;
        let (edited, asked) = pairs.split_at(pairs.len() * 3 / 4);
        let pace = |seed| Pace { minutes: span, per_minute, seed };
        let alone = stage.edits_at(edited, pace(1)).await;

        more_tickets(&stage, tickets);
        let local = stage.deskup.local().expect("it is prepared");
        let waits = Waits::default();
        let begun = (stage.world.now_ms(), stage.world.clickup().calls().values().sum::<u64>());
        let measured = async {
            minutes(1).await;
            stage.edits_at(edited, pace(2)).await
        };
        let beside = tokio::select! {
            biased;
            outcome = local.dispatcher.backfill(2) => panic!("the backfill ended too soon: {outcome:?}"),
            () = waits.clone().watch(stage.store.clone()) => unreachable!(),
            () = ask(&stage, asked, &OTHERS) => unreachable!(),
            beside = measured => beside,
        };
        let calls = stage.world.clickup().calls().values().sum::<u64>() - begun.1;
        let took_ms = stage.world.now_ms() - begun.0;
        let a_minute = calls * 60_000 / u64::try_from(took_ms).unwrap_or(1);
        println!("Zendesk {zendesk_per_min} a minute; ClickUp got {a_minute} calls a minute; {took_ms} ms");
        println!("  alone   {alone}\n  beside  {beside}\n{waits}");
        let mut wrong = [alone.lost.clone(), beside.lost.clone()].concat();
        let (a, b) = (alone.percentile(99), beside.percentile(99));
        if b * 10 > a * 12 {
            wrong.push(format!("99 % within {b} ms beside the backfill, {a} ms alone"));
        }
        for (lane, longest_ms) in waits.longest_ms() {
            if longest_ms > lane.bound_ms() {
                wrong.push(format!("{lane}: a row waited for {longest_ms} ms"));
            }
        }
        nothing_wrong(&wrong);
    });
}

#[test]
fn live_edits_hardly_notice_a_backfill() {
    check(Case { zendesk_per_min: 2_500, tickets: 6_800, minutes: 5, per_minute: 50 });
}

#[test]
#[ignore = "half a minute"]
fn live_edits_hardly_notice_a_backfill_that_zendesk_holds_up() {
    check(Case { zendesk_per_min: 700, tickets: 8_000, minutes: 8, per_minute: 40 });
}

#[test]
#[ignore = "several minutes"]
fn live_edits_hardly_notice_a_backfill_of_a_hundred_thousand_tickets() {
    check(Case { zendesk_per_min: 2_500, tickets: 100_000, minutes: 95, per_minute: 40 });
}
