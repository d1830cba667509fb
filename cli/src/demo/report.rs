//! What a person wants to see after a demo, and the same as one JSON object.

use std::collections::BTreeMap;

use domain::TicketId;
use serde_json::{Value as Json, json};
use world::{Kept, World};

use crate::args::{DemoArgs, Plan};
use crate::conflicts::EACH;
use crate::demo::Played;
use crate::installation::DEMO_DIR;
use crate::query::causes;
use crate::query::conflicts::ConflictView;
use crate::terminal::{columns, cut, heading, number, plain, span, table};

/// Pairs shown side by side.
const PAIRS: usize = 3;
/// Conflicts and other lists are cut here.
const ROWS: usize = 8;

/// The verdict and what is around it, for machines.
pub fn json(args: &DemoArgs, played: &Played) -> anyhow::Result<Json> {
    let mut object = serde_json::to_value(&played.verdict)?;
    object["least_api_calls"] = json!(least(played));
    object["plan"] = json!(args.plan.name());
    object["backfill_virtual_s"] = json!(played.backfill_ms / 1_000);
    object["shown_s"] = json!(played.shown_ms as f64 / 1e3);
    object["cost_usd"] = serde_json::to_value(played.cost)?;
    object["cost_usd"]["total_usd"] = json!(played.cost.total_usd());
    object["exempted"] = json!(played.details.classes());
    object["faults"] = json!(played.details.faults(ROWS));
    if args.exempt {
        object["exempted_edits"] = serde_json::to_value(&played.details.exempted)?;
    }
    Ok(object)
}

/// The report for a terminal.
pub fn text(args: &DemoArgs, world: &World, kept: &Kept, open: &[ConflictView], played: &Played) -> String {
    let (command, dir) = (command(), dir(args));
    let mut parts = vec![
        headline(args, played),
        pairs(world, kept, played),
        conflicts(open, command, &dir),
        calls(played),
        cost(played),
        verdict(played),
    ];
    if args.exempt {
        parts.insert(5, exempt(played));
    }
    parts.push(next(command, &dir));
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

fn headline(args: &DemoArgs, played: &Played) -> String {
    let tickets = number(played.verdict.tickets);
    let shown = span(played.shown_ms);
    if args.unlimited {
        return format!("{tickets} tickets without artificial limits; shown in {shown}");
    }
    let took = |plan: Plan| {
        let own = played.backfill_ms;
        match estimate_of(args.plan, plan, played.backfill_clickup_calls, own) {
            same if same == own => "the same".to_owned(),
            other => format!("about {}", span(other)),
        }
    };
    let others: Vec<String> = [Plan::Business, Plan::BusinessPlus, Plan::Enterprise]
        .into_iter()
        .filter(|plan| *plan != args.plan)
        .map(|plan| format!("{} under {}", took(plan), plan.name()))
        .collect();
    format!(
        "{tickets} tickets: {} under ClickUp {},\n{}; shown in {shown}",
        span(played.backfill_ms),
        args.plan.name(),
        others.join(", "),
    )
}

/// How long the same backfill would take under another plan: what was no waiting for the next minute stays, and a
/// bigger plan waits for fewer of them.
fn estimate_of(own: Plan, other: Plan, calls: u64, backfill_ms: i64) -> i64 {
    let waits = |plan: Plan| {
        let minutes = calls.saturating_sub(1) / u64::from(plan.per_minute());
        i64::try_from(minutes).unwrap_or(i64::MAX).saturating_mul(60_000)
    };
    let busy = backfill_ms.saturating_sub(waits(own)).max(1_000);
    let took = busy.saturating_add(waits(other));
    if own.per_minute() < other.per_minute() { took.min(backfill_ms) } else { took.max(backfill_ms) }
}

fn pairs(world: &World, kept: &Kept, played: &Played) -> String {
    let mut chosen: Vec<TicketId> = Vec::new();
    for case in &played.details.judged {
        let Ok(ticket) = case.edit.ticket.parse::<TicketId>() else { continue };
        if !chosen.contains(&ticket) && kept.links.contains_key(&ticket) {
            chosen.push(ticket);
        }
    }
    chosen.extend(kept.links.keys().copied());
    let mut text = heading("A few pairs");
    for ticket in chosen.into_iter().take(PAIRS) {
        let Some(link) = kept.links.get(&ticket) else { continue };
        let (Some(z), Some(c)) =
            (world.zendesk().ticket(ticket.get()), world.clickup().task(link.task.as_str()))
        else {
            continue;
        };
        text.push('\n');
        text.push_str(&pair(world, ticket, &z, &c));
    }
    text
}

fn pair(world: &World, ticket: TicketId, z: &Json, c: &Json) -> String {
    let width = (columns().saturating_sub(22) / 2).clamp(20, 60);
    let person = |id: &Json, of: fn(&world::seedwork::cast::Colleague) -> Option<i64>| {
        let found = world
            .scenario()
            .cast
            .colleagues
            .iter()
            .find(|who| id.as_i64().is_some() && of(who) == id.as_i64());
        found.map_or_else(|| "-".to_owned(), |who| who.name.clone())
    };
    let people: Vec<String> =
        list(&c["assignees"]).iter().map(|who| person(&who["id"], |who| who.clickup)).collect();
    let tags = |items: Vec<String>| if items.is_empty() { "-".to_owned() } else { items.join(", ") };
    let rows = [
        ("title", word(&z["subject"]), word(&c["name"])),
        ("status", word(&z["status"]), word(&c["status"]["status"])),
        ("priority", word(&z["priority"]), word(&c["priority"]["priority"])),
        ("assignee", person(&z["assignee_id"], |who| who.zendesk), tags(people)),
        (
            "tags",
            tags(list(&z["tags"]).iter().map(word).collect()),
            tags(list(&c["tags"]).iter().map(|tag| word(&tag["name"])).collect()),
        ),
        (
            "comments",
            list(&z["comments"]).len().saturating_sub(1).to_string(),
            list(&c["comments"]).len().to_string(),
        ),
    ];
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(field, z, c)| vec![field.to_owned(), cut(&plain(&z), width), cut(&plain(&c), width)])
        .collect();
    let task = word(&c["id"]);
    table(&["", &format!("ticket {ticket}"), &format!("task {task}")], &rows)
}

fn conflicts(open: &[ConflictView], command: &str, dir: &str) -> String {
    if open.is_empty() {
        return String::new();
    }
    let width = (columns().saturating_sub(70) / 2).clamp(12, 40);
    let rows: Vec<Vec<String>> = open
        .iter()
        .rev()
        .take(ROWS)
        .map(|view| {
            vec![
                view.id.clone(),
                view.field.clone(),
                causes::words(&view.cause).to_owned(),
                cut(&view.shown.zendesk, width),
                cut(&view.shown.clickup, width),
                view.winner.map_or_else(|| EACH.to_owned(), |side| side.to_string()),
            ]
        })
        .collect();
    let title = heading(&format!("Conflicts kept for a person: {}", number(open.len() as u64)));
    let more = match open.len().saturating_sub(ROWS) {
        0 => String::new(),
        more => format!("\n  and {} more: `{command} conflicts{dir}`", number(more as u64)),
    };
    format!("{title}\n{}{more}", table(&["id", "field", "why", "Zendesk", "ClickUp", "stands"], &rows))
}

fn calls(played: &Played) -> String {
    let verdict = &played.verdict;
    let total: u64 = verdict.api_calls.values().flat_map(BTreeMap::values).sum();
    let mut rows = vec![
        vec![
            "backfill, per new ticket".to_owned(),
            format!("{:.3}", verdict.calls_per_new_ticket),
            format!("{:.3}", verdict.least_calls_per_new_ticket),
        ],
        vec![
            "writes per edit".to_owned(),
            format!("{:.2}", verdict.writes_per_edit),
            if verdict.edits == 0 { "-".to_owned() } else { "1.00".to_owned() },
        ],
        vec!["comments and files of the backfill".to_owned(), number(verdict.talk_calls), String::new()],
        vec!["live".to_owned(), number(verdict.live_calls), String::new()],
        vec!["looking around, webhooks".to_owned(), number(verdict.prepare_calls), String::new()],
    ];
    rows.push(vec!["all calls".to_owned(), number(total), number(least(played))]);
    format!("{}\n{}", heading("API calls"), table(&["", "used", "least possible"], &rows))
}

/// The fewest calls for the whole demo: every write once, and one read per page of the export. Whatever else is
/// read serves to decide.
fn least(played: &Played) -> u64 {
    let verdict = &played.verdict;
    let per_ticket = verdict.least_calls_per_new_ticket - 1.0;
    let pages = (per_ticket.max(0.0) * verdict.tickets as f64).round() as u64;
    let calls = verdict.api_calls.values().flatten();
    let writes = calls.filter(|(call, _)| {
        !call.starts_with("GET ") && !call.contains("oauth") && !call.contains("webhook")
    });
    pages + writes.map(|(_, count)| count).sum::<u64>()
}

fn cost(played: &Played) -> String {
    let cost = &played.cost;
    format!(
        "{}\n  ${:.4} in all: Step Functions ${:.4}, Lambda ${:.4}, DynamoDB ${:.4}, queue and logs ${:.4}\n  for {} executions with {} transitions",
        heading("On AWS this would have cost, at most"),
        cost.total_usd(),
        cost.step_functions_usd,
        cost.lambda_usd,
        cost.dynamodb_usd,
        cost.other_usd,
        number(played.verdict.executions),
        number(played.verdict.transitions),
    )
}

fn exempt(played: &Played) -> String {
    let rows: Vec<Vec<String>> = played
        .details
        .exempted
        .iter()
        .map(|edit| {
            vec![
                edit.id.clone(),
                edit.class.to_owned(),
                edit.ticket.clone(),
                edit.field.clone(),
                edit.side.to_string(),
                edit.why.clone(),
            ]
        })
        .collect();
    format!(
        "{}\n{}",
        heading("Edits that are not simply mirrored"),
        table(&["edit", "class", "ticket", "field", "side", "why"], &rows)
    )
}

fn verdict(played: &Played) -> String {
    let verdict = &played.verdict;
    let line = |good: bool, what: &str, value: String| {
        format!("  {} {what:<34} {value}", if good { "ok " } else { "BAD" })
    };
    let zero = |what: &str, n: u64| line(n == 0, what, number(n));
    let mut lines = vec![
        heading("The judge, from both services' own contents and logs"),
        line(
            verdict.converged_percent >= 100.0,
            "converged",
            format!(
                "{} % of {} tickets, {} tasks",
                verdict.converged_percent,
                number(verdict.tickets),
                number(verdict.tasks)
            ),
        ),
        zero("tasks, comments or files twice", verdict.duplicates),
        zero(&format!("of {} edits lost", number(verdict.edits)), verdict.lost),
        zero("edits nobody could prove", verdict.unprovable),
        zero("internal texts leaked", verdict.leaked_internal),
        zero("writes after all was settled", verdict.silence),
        zero("changes to other people's tasks", verdict.touched_foreign),
    ];
    lines.push(format!(
        "      {:<34} {}; `--exempt` lists them",
        "edits that one side cannot take",
        number(verdict.unmirrorable)
    ));
    lines.extend(played.details.faults(ROWS).into_iter().map(|fault| format!("  {fault}")));
    lines.join("\n")
}

fn next(command: &str, dir: &str) -> String {
    let lines = [
        ("status", "", "executions, cursors, conflicts"),
        ("explain", " 12", "why each field of ticket 12 has its value"),
        ("demo", " --keep", "leave it running: edit with curl, see the other side follow"),
        ("demo", " --fresh --tickets 2000 --edits 500", "a bigger desk"),
    ];
    let typed: Vec<String> =
        lines.iter().map(|(what, with, _)| format!("{command} {what}{dir}{with}")).collect();
    let wide = typed.iter().map(String::len).max().unwrap_or_default();
    let lines = typed.iter().zip(lines).map(|(typed, (.., why))| format!("\n  {typed:<wide$}  {why}"));
    format!("{}{}", heading("Next"), lines.collect::<String>())
}

/// How the command is typed by whoever started this one.
fn command() -> &'static str {
    if std::env::var_os("CARGO_MANIFEST_DIR").is_some() { "cargo run --release --" } else { "deskup" }
}

/// The option that leads other commands to this demo.
fn dir(args: &DemoArgs) -> String {
    match args.dir.as_os_str() == DEMO_DIR {
        true => String::new(),
        false => format!(" --dir {}", args.dir.display()),
    }
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn word(json: &Json) -> String {
    match json {
        Json::Null => "-".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bigger_plan_never_looks_slower() {
        let plans = [Plan::Business, Plan::BusinessPlus, Plan::Enterprise];
        for (own, calls, backfill_ms) in [
            (Plan::Business, 51, 38_000),
            (Plan::Business, 2_040, 1_238_000),
            (Plan::BusinessPlus, 2_040, 100_000),
            (Plan::BusinessPlus, 2_040, 158_000),
            (Plan::Enterprise, 20_400, 75_000),
            (Plan::Enterprise, 0, 400),
        ] {
            let took = |plan| match plan == own {
                true => backfill_ms,
                false => estimate_of(own, plan, calls, backfill_ms),
            };
            let all = plans.map(took);
            assert!(all[0] >= all[1] && all[1] >= all[2], "{calls}: {all:?}");
        }
        assert_eq!(estimate_of(Plan::Business, Plan::Enterprise, 2_040, 1_238_000), 38_000);
    }

    #[test]
    fn what_to_type_stands_in_a_column() {
        let text = next("deskup", " --dir x");
        assert!(text.contains("\n  deskup status --dir x "), "{text}");
        assert!(!text.contains("cargo"), "{text}");
    }
}
