//! What a plan costs: calls by endpoint, and how long they take under the limits that the services tell.

use std::collections::BTreeMap;

use clients::Api;
use domain::plan::Kind;
use domain::{RecordPlan, Side};
use serde::{Deserialize, Serialize};

use crate::Context;

/// Calls to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// Which service.
    pub to: Side,
    /// Method and path, with names for the ids.
    pub call: String,
    /// How many.
    pub count: u64,
    /// Whether it changes something.
    pub writes: bool,
}

/// A limit, and what the plan needs of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// Which service.
    pub of: Side,
    /// What is limited: `token`, `account`, `tickets-update`, …
    pub name: String,
    /// Calls a minute that deskup has.
    pub per_minute: u32,
    /// Calls of the plan.
    pub calls: u64,
    /// How long they take, in minutes.
    pub minutes: f64,
}

/// What a plan costs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Effort {
    /// By endpoint, writes first.
    pub calls: Vec<Calls>,
    /// By limit, the slowest first.
    pub limits: Vec<Limit>,
    /// How long it takes at least.
    pub minutes: f64,
}

/// Ticket updates a minute that Zendesk gives an account, until its headers tell.
const TICKET_UPDATES_PER_MIN: u32 = 100;

/// Counts the calls of a run that carries these plans out.
pub fn of(cx: &Context, records: &[RecordPlan], export_pages: u64) -> Effort {
    let mut counts: BTreeMap<(bool, Side, String), u64> = BTreeMap::new();
    let mut add = |writes: bool, to: Side, call: &str, count: u64| {
        if count > 0 {
            *counts.entry((!writes, to, call.to_owned())).or_default() += count;
        }
    };
    add(false, Side::Zendesk, "GET /incremental/tickets/cursor", export_pages);
    for plan in records {
        for call in &plan.calls {
            add(true, call.to, &call.call, 1);
        }
        let looks = if plan.kind == Kind::Create { 1 } else { 2 };
        add(false, Side::Zendesk, "GET /tickets/{id}", looks);
        add(false, Side::Zendesk, "GET /tickets/{id}/comments", looks);
        if plan.kind != Kind::Create {
            add(false, Side::Clickup, "GET /task/{id}", looks);
            add(false, Side::Clickup, "GET /task/{id}/comment", looks);
        }
        let uploads = plan.files.iter().filter(|file| file.from == Side::Clickup).count() as u64;
        add(true, Side::Zendesk, "POST /uploads", uploads);
    }
    let calls: Vec<Calls> = counts
        .into_iter()
        .map(|((reads, to, call), count)| Calls { to, call, count, writes: !reads })
        .collect();
    let limits = limits(cx, &calls);
    let minutes = limits.iter().map(|limit| limit.minutes).fold(0.0, f64::max);
    Effort { calls, limits, minutes }
}

fn limits(cx: &Context, calls: &[Calls]) -> Vec<Limit> {
    let sum = |wanted: &dyn Fn(&&Calls) -> bool| calls.iter().filter(wanted).map(|calls| calls.count).sum();
    let on_zendesk: u64 = sum(&|calls| calls.to == Side::Zendesk);
    let on_clickup: u64 = sum(&|calls| calls.to == Side::Clickup);
    let updates: u64 = sum(&|calls| calls.call == "PUT /tickets/{id}");
    let exports: u64 = sum(&|calls| calls.call.starts_with("GET /incremental/"));
    let share = u32::from(cx.mapping.settings().zendesk_update_share);
    let used = cx.resources.used();
    let seen = |api: Api, name: &str| {
        let found = used.iter().find(|budget| budget.api == api && budget.bucket == name);
        found.map(|budget| budget.limit).filter(|limit| *limit > 0)
    };
    let known = [
        (Side::Clickup, "token", on_clickup, seen(Api::Clickup, "token")),
        (Side::Zendesk, "account", on_zendesk, seen(Api::Zendesk, "account")),
        (
            Side::Zendesk,
            "tickets-update",
            updates,
            seen(Api::Zendesk, "tickets-update").or(Some((TICKET_UPDATES_PER_MIN * share / 100).max(1))),
        ),
        (Side::Zendesk, "incremental", exports, seen(Api::Zendesk, "incremental")),
    ];
    let mut limits: Vec<Limit> = known
        .into_iter()
        .filter(|(_, _, calls, _)| *calls > 0)
        .filter_map(|(of, name, calls, per_minute)| {
            let per_minute = per_minute?;
            // Counts of calls are far below what a float holds exactly.
            let minutes = calls as f64 / f64::from(per_minute);
            Some(Limit { of, name: name.to_owned(), per_minute, calls, minutes })
        })
        .collect();
    limits.sort_by(|a, b| b.minutes.total_cmp(&a.minutes));
    limits
}
