//! A plan without any text of tickets: what `--json` prints.

use std::collections::BTreeMap;
use std::path::Path;

use domain::plan::{Apart, Kind};
use domain::{Side, TicketId};
use functions::plan::file::PlanFile;
use functions::plan::{PairSeen, TriggerMet, effort};
use serde::Serialize;

/// A plan in numbers and names.
#[derive(Debug, Serialize)]
pub struct PlanView<'p> {
    /// Where the plan was written.
    pub file: Option<String>,
    /// Calls that change something, by side.
    pub writes: BTreeMap<Side, u64>,
    /// Tickets that get a task.
    pub create: usize,
    /// Tickets that are linked with a task that is there.
    pub link: usize,
    /// Pairs that are brought in step.
    pub update: usize,
    /// Linked pairs for which there is nothing to do.
    pub in_step: u64,
    /// Ticket by ticket.
    pub records: Vec<RecordView<'p>>,
    /// Pairs that people made.
    pub pairs: &'p [PairSeen],
    /// Tickets that are left out.
    pub left: &'p BTreeMap<TicketId, String>,
    /// Tickets that are out of the scope, by reason.
    pub out_of_scope: &'p BTreeMap<String, u64>,
    /// Calls by endpoint.
    pub calls: &'p [effort::Calls],
    /// What the services allow.
    pub limits: &'p [effort::Limit],
    /// How long it takes at least.
    pub minutes: f64,
    /// Active triggers that a write may meet.
    pub triggers: &'p [TriggerMet],
}

/// What would be done for one ticket.
#[derive(Debug, Serialize)]
pub struct RecordView<'p> {
    /// The ticket.
    pub ticket: TicketId,
    /// What becomes of it.
    pub kind: Kind,
    /// Its task, where there is one.
    pub task: Option<&'p str>,
    /// The list that the task will be in, where it changes.
    pub list: Option<&'p str>,
    /// Fields that are written, by side.
    pub fields: BTreeMap<Side, Vec<String>>,
    /// Comments that are copied, by the side they go to.
    pub comments: BTreeMap<Side, usize>,
    /// Files that are copied, by the side they go to.
    pub files: BTreeMap<Side, usize>,
    /// Whether the ticket is told where its task is.
    pub link_back: bool,
    /// What stays apart, and why.
    pub apart: &'p [Apart],
    /// Calls that change something.
    pub calls: usize,
    /// Fingerprint of all of it.
    pub digest: &'p str,
}

/// The numbers and names of a plan.
pub fn facts<'p>(file: &'p PlanFile, path: Option<&Path>) -> PlanView<'p> {
    let plan = &file.plan;
    PlanView {
        file: path.map(|path| path.display().to_string()),
        writes: [Side::Zendesk, Side::Clickup].map(|side| (side, plan.writes_on(side))).into(),
        create: plan.count(Kind::Create),
        link: plan.count(Kind::Link),
        update: plan.count(Kind::Update),
        in_step: plan.in_step,
        records: plan.records.iter().map(record).collect(),
        pairs: &plan.pairs,
        left: &plan.left,
        out_of_scope: &plan.out_of_scope,
        calls: &plan.effort.calls,
        limits: &plan.effort.limits,
        minutes: plan.effort.minutes,
        triggers: &plan.triggers,
    }
}

fn record(plan: &domain::RecordPlan) -> RecordView<'_> {
    let mut fields: BTreeMap<Side, Vec<String>> = BTreeMap::new();
    for field in &plan.fields {
        for side in field.writes.keys() {
            fields.entry(*side).or_default().push(field.field.to_string());
        }
    }
    RecordView {
        ticket: plan.ticket,
        kind: plan.kind,
        task: plan.task.as_ref().map(|task| task.as_str()),
        list: plan.list.as_ref().map(|list| list.as_str()),
        fields,
        comments: count(plan.comments.iter().map(|copy| copy.from.other())),
        files: count(plan.files.iter().map(|copy| copy.from.other())),
        link_back: plan.link_back,
        apart: &plan.apart,
        calls: plan.calls.len(),
        digest: &plan.digest,
    }
}

/// How many of a kind go to each side.
pub fn count(sides: impl Iterator<Item = Side>) -> BTreeMap<Side, usize> {
    sides.fold(BTreeMap::new(), |mut counts, side| {
        *counts.entry(side).or_default() += 1;
        counts
    })
}
