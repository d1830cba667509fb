//! A plan on the terminal: a summary first, then every ticket with both sides beside what will be written.

use std::path::Path;

use domain::plan::{Apart, FieldPlan, Kind};
use domain::{Mapping, RecordPlan, Side};
use functions::plan::Plan;
use functions::plan::file::PlanFile;

use super::{names, view};
use crate::terminal;

/// More tickets than this are told by the file.
const RECORDS_MAX: usize = 200;

/// Longest comment shown.
const COMMENT_MAX: usize = 160;

/// The whole plan in words.
pub fn text(file: &PlanFile, mapping: &Mapping, path: Option<&Path>) -> String {
    let plan = &file.plan;
    let mut parts = vec![summary(file)];
    parts.extend(section("What people have paired already", pairs(plan)));
    parts.extend(section("Left out", left(plan)));
    parts.extend(section("Zendesk's triggers that a change may meet", triggers(plan)));
    let shown = plan.records.iter().take(RECORDS_MAX);
    parts.extend(shown.map(|record| ticket(record, mapping)));
    if plan.records.len() > RECORDS_MAX {
        let more = plan.records.len() - RECORDS_MAX;
        parts.push(format!("{more} more tickets; `deskup plan --out FILE` writes all of them."));
    }
    parts.extend(section("Calls", calls(plan)));
    parts.push(advice(plan, path));
    parts.join("\n\n")
}

fn section(heading: &str, body: Option<String>) -> Option<String> {
    body.map(|body| format!("{}\n{body}", terminal::heading(heading)))
}

fn summary(file: &PlanFile) -> String {
    let plan = &file.plan;
    let installation = &file.installation;
    let mut lines = vec![terminal::heading(&format!(
        "Plan for {} and workspace {}",
        installation.zendesk, installation.workspace
    ))];
    let mut line = |name: &str, text: String| lines.push(format!("  {name:<14} {text}"));
    line("new tasks", terminal::number(plan.count(Kind::Create) as u64));
    if plan.count(Kind::Link) > 0 {
        line("linked", format!("{} with tasks that are there already", plan.count(Kind::Link)));
    }
    line("linked pairs", linked(plan.in_step, plan.count(Kind::Update) as u64));
    let (zendesk, clickup) = (plan.writes_on(Side::Zendesk), plan.writes_on(Side::Clickup));
    line(
        "changes",
        format!("{} in ClickUp, {} in Zendesk", terminal::number(clickup), terminal::number(zendesk)),
    );
    if let Some(slowest) = plan.effort.limits.first().filter(|_| plan.writes() > 0) {
        line(
            "takes",
            format!(
                "about {}: {} allows {} {} a minute",
                minutes(plan.effort.minutes),
                slowest.of,
                terminal::number(u64::from(slowest.per_minute)),
                limited(&slowest.name)
            ),
        );
    }
    for (why, count) in &plan.out_of_scope {
        line("out of scope", format!("{}: {why}", terminal::number(*count)));
    }
    lines.join("\n")
}

/// What becomes of pairs that are linked already.
fn linked(in_step: u64, moved: u64) -> String {
    let pairs =
        |count: u64| format!("{} {}", terminal::number(count), if count == 1 { "pair" } else { "pairs" });
    match (in_step, moved) {
        (0, 0) => "none yet".to_owned(),
        (_, 0) => format!("{} in step, nothing to do", pairs(in_step)),
        _ => format!("{} to bring in step, {} in step already", pairs(moved), terminal::number(in_step)),
    }
}

/// What a limit counts.
fn limited(name: &str) -> &str {
    match name {
        "tickets-update" => "updates of tickets",
        "incremental" => "pages of its export",
        _ => "calls",
    }
}

fn minutes(minutes: f64) -> String {
    // Minutes of a plan are far below what a number of milliseconds holds.
    terminal::span(((minutes * 60.0).ceil().max(1.0) * 1_000.0) as i64)
}

fn pairs(plan: &Plan) -> Option<String> {
    let rows: Vec<Vec<String>> = plan
        .pairs
        .iter()
        .map(|seen| {
            let signs: Vec<&str> = seen.pair.signs.iter().map(|sign| sign.words()).collect();
            vec![
                seen.pair.ticket.to_string(),
                seen.pair.task.to_string(),
                terminal::plain(&seen.outcome),
                signs.join("; "),
            ]
        })
        .collect();
    let headings = ["ticket", "task", "what becomes of it", "told by"];
    (!rows.is_empty()).then(|| terminal::table(&headings, &rows))
}

fn left(plan: &Plan) -> Option<String> {
    let paired = |ticket| plan.pairs.iter().any(|seen| seen.pair.ticket == ticket);
    let left = plan.left.iter().filter(|(ticket, _)| !paired(**ticket));
    let rows: Vec<Vec<String>> =
        left.map(|(ticket, why)| vec![ticket.to_string(), terminal::plain(why)]).collect();
    (!rows.is_empty()).then(|| terminal::table(&["ticket", "why"], &rows))
}

fn triggers(plan: &Plan) -> Option<String> {
    let rows: Vec<Vec<String>> = plan
        .triggers
        .iter()
        .map(|met| {
            let does = terminal::plain(&met.does.join(", "));
            vec![met.id.to_string(), met.reach.clone(), terminal::plain(&met.title), does]
        })
        .collect();
    (!rows.is_empty()).then(|| terminal::table(&["trigger", "reaches", "title", "does"], &rows))
}

fn calls(plan: &Plan) -> Option<String> {
    let rows: Vec<Vec<String>> = plan
        .effort
        .calls
        .iter()
        .map(|calls| {
            let what = if calls.writes { "changes" } else { "reads" };
            vec![calls.to.to_string(), terminal::number(calls.count), what.to_owned(), calls.call.clone()]
        })
        .collect();
    (!rows.is_empty()).then(|| terminal::table(&["service", "calls", "", "endpoint"], &rows))
}

fn advice(plan: &Plan, path: Option<&Path>) -> String {
    let mut text = "Nothing was written to either service.".to_owned();
    match path {
        _ if plan.records.is_empty() => text.push_str(" There is nothing to do."),
        Some(path) => {
            let path = path.display();
            text.push_str(&format!(
                " To make exactly these changes:\n  deskup run ticket-sync --plan {path}"
            ));
        }
        None => text.push_str(" To keep the plan and carry it out: deskup plan --out plan.json"),
    }
    text
}

/// One ticket: what becomes of it, its fields side by side, its conversation, what stays apart.
fn ticket(plan: &RecordPlan, mapping: &Mapping) -> String {
    let list = plan.list.as_ref().map(|list| names::list(mapping, list));
    let becomes = match (plan.kind, &plan.task, list) {
        (Kind::Create, _, Some(list)) => format!("a new task in {list}"),
        (Kind::Create, ..) => "a new task".to_owned(),
        (Kind::Link, Some(task), _) => format!("linked with task {task}"),
        (_, Some(task), Some(list)) => format!("task {task}, which moves to {list}"),
        (_, Some(task), None) => format!("task {task}"),
        (_, None, _) => String::new(),
    };
    let subject = terminal::cut(&terminal::plain(&plan.subject), 50);
    let mut lines = vec![terminal::heading(&format!(
        "Ticket {} \"{subject}\": {}",
        plan.ticket,
        terminal::plain(&becomes)
    ))];
    if !plan.fields.is_empty() {
        let rows: Vec<Vec<String>> =
            plan.fields.iter().map(|field| side_by_side(field, &plan.apart, mapping)).collect();
        lines.push(terminal::table(&["field", "Zendesk", "ClickUp", "will be", "why"], &rows));
    }
    for along in &plan.along {
        lines.push(format!("  comes along in {}: {} becomes {}", along.side, along.what, along.value));
    }
    if let Some(note) = &plan.note {
        lines.push(format!("  note on the ticket: {}", cut(note)));
    }
    for copy in &plan.comments {
        let to = copy.from.other();
        let who = match copy.visibility {
            domain::Visibility::Public if to == Side::Zendesk => " (the requester reads it)",
            domain::Visibility::Internal if to == Side::Zendesk => " (internal)",
            _ => "",
        };
        lines.push(format!("  comment to {to}{who}: {}", cut(&copy.text)));
    }
    for (to, count) in view::count(plan.files.iter().map(|file| file.from.other())) {
        let here = plan.files.iter().filter(|file| file.from.other() == to);
        let names: Vec<String> = here.map(|file| terminal::plain(&file.name)).collect();
        lines.push(format!("  {count} files to {to}: {}", terminal::cut(&names.join(", "), COMMENT_MAX)));
    }
    if plan.link_back {
        lines.push("  the ticket is told where its task is".to_owned());
    }
    for apart in &plan.apart {
        lines.push(format!(
            "  stays apart: {}: {}",
            terminal::plain(&apart.what),
            terminal::plain(&names::rule(mapping, &apart.why))
        ));
    }
    lines.join("\n")
}

fn side_by_side(field: &FieldPlan, apart: &[Apart], mapping: &Mapping) -> Vec<String> {
    let key = &field.field;
    // Below the table there is room for the whole reason, and once is enough.
    let below = apart.iter().any(|apart| apart.what == key.to_string() && apart.why == field.why);
    let will: Vec<String> = field
        .writes
        .iter()
        .map(|(side, value)| format!("{side}: {}", names::value(mapping, key, *side, value)))
        .collect();
    vec![
        key.to_string(),
        names::value(mapping, key, Side::Zendesk, &field.zendesk),
        names::value(mapping, key, Side::Clickup, &field.clickup),
        if will.is_empty() { "as they are".to_owned() } else { will.join("; ") },
        if below { "see below".to_owned() } else { terminal::plain(&names::rule(mapping, &field.why)) },
    ]
}

fn cut(text: &str) -> String {
    let room = terminal::columns().saturating_sub(30).clamp(40, COMMENT_MAX);
    terminal::cut(&terminal::plain(&text.split_whitespace().collect::<Vec<_>>().join(" ")), room)
}

#[cfg(test)]
mod tests {
    use super::linked;

    #[test]
    fn linked_pairs_are_told_in_words() {
        assert_eq!(linked(0, 0), "none yet");
        assert_eq!(linked(1, 0), "1 pair in step, nothing to do");
        assert_eq!(linked(1_020, 0), "1,020 pairs in step, nothing to do");
        assert_eq!(linked(20, 1), "1 pair to bring in step, 20 in step already");
        assert_eq!(linked(0, 3), "3 pairs to bring in step, 0 in step already");
    }
}
