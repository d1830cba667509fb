//! Shows the state at a glance; its exit code is for whoever watches over it.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use crate::failure::Failed;
use crate::help;
use crate::installation::{Folder, Installation};
use crate::query::alarms::pauses;
use crate::query::status::{self, Convergence, StatusView, SwitchView};
use crate::query::{causes, short};
use crate::terminal::{self, Screen, number, span};
use crate::{machine, stack};

/// Executions that are shown; `--json` has more.
const EXECUTIONS_MAX: usize = 5;

/// Options of `status`.
#[derive(Debug, clap::Args)]
#[command(after_help = help::STATUS)]
pub struct StatusArgs {
    /// Which installation
    #[command(flatten)]
    pub folder: Folder,
    /// Look again every so many seconds, until Ctrl-C
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "5",
          value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub watch: Option<u64>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Runs `deskup status`.
pub fn run(args: &StatusArgs) -> anyhow::Result<()> {
    let installation = Installation::locate(&args.folder);
    machine::runtime()?.block_on(async {
        loop {
            // Opened anew for each look: whoever wants to hold the state in between may.
            let view = {
                let store = installation.look().await?;
                if let Some(link) = installation.link()? {
                    stack::catch_up(&link, &store).await?;
                }
                status::status(&installation, &store).await?
            };
            if args.watch.is_some() && std::io::stdout().is_terminal() {
                terminal::data("\x1b[H\x1b[2J");
            }
            if args.json {
                terminal::data(&serde_json::to_string(&view)?);
            } else {
                terminal::data(&draw(&view, &Screen::stdout()));
            }
            let Some(seconds) = args.watch else { return verdict(&view) };
            tokio::select! {
                biased;
                result = crate::signals::stopped() => {
                    result?;
                    return verdict(&view);
                }
                () = tokio::time::sleep(std::time::Duration::from_secs(seconds)) => {}
            }
        }
    })
}

/// Alarms are the exit code.
fn verdict(view: &StatusView) -> anyhow::Result<()> {
    let count = view.alarms.len();
    if count == 0 {
        return Ok(());
    }
    let kinds: Vec<&str> = view.alarms.iter().map(|alarm| alarm.kind).collect();
    let alarms = if count == 1 { "alarm" } else { "alarms" };
    Err(Failed::result(format!("{count} {alarms}: {}", kinds.join(", "))))
}

pub(crate) fn draw(view: &StatusView, screen: &Screen) -> String {
    let mut lines = Vec::new();
    for alarm in &view.alarms {
        let said = screen.wrap(&format!("ALARM {}: {}", alarm.kind, alarm.text), 6);
        lines.extend(said.iter().map(|line| screen.bad(line)));
    }
    if view.alarms.is_empty() {
        lines.push(screen.good("no alarm"));
    }
    lines.push(String::new());
    // A path is never cut: it is there to be copied.
    lines.push(format!("state        {}", view.state_file));
    let mut say = |name: &str, value: String| {
        lines.extend(screen.wrap_after(&format!("{name:<12} "), &value));
    };
    say("installed", view.since.clone().unwrap_or_else(|| "unknown".to_owned()));
    say("running", running(view));
    if view.run_unfinished {
        let again = match view.is_demo {
            true => "`deskup demo` with the same options goes on",
            false => "`deskup run ticket-sync` goes on (with the same --plan, if it had one)",
        };
        say("run", format!("stopped before its end; {again}"));
    }
    say("converged", converged(&view.convergence));
    say("links", counts(&view.links.iter().map(|(state, n)| (link_state(state), *n)).collect()));
    say("waiting", counts(&view.work));
    say("unconfirmed", unconfirmed(view));
    let causes = view.conflicts.iter().map(|(cause, n)| (causes::words(cause).to_owned(), *n));
    say("conflicts", counts(&causes.collect()));
    say("quarantine", counts(&view.quarantine));
    say("paused", paused(view));
    for heard in &view.heard {
        let last = heard
            .age_ms
            .map_or("no webhook was heard".to_owned(), |age| format!("last webhook {}", ago(age)));
        say(
            &heard.service.to_string(),
            format!("{last}; found by cursors since: {}", number(heard.found_since)),
        );
    }
    say(
        "comments",
        format!(
            "every linked task is asked within {} min, should a webhook be lost",
            number(view.comment_sweep_minutes)
        ),
    );
    lines.push(String::new());
    lines.push(tables(view, screen));
    lines.join("\n")
}

fn running(view: &StatusView) -> String {
    match (&view.holder, view.should_run) {
        (Some(holder), _) => format!("{} holds the state since {}", holder.who, holder.since),
        (None, true) => "nothing, and it was not stopped".to_owned(),
        (None, false) => "nothing".to_owned(),
    }
}

fn converged(part: &Convergence) -> String {
    let kept = match part.with_conflict {
        0 => String::new(),
        kept => format!("; {} of them keep a conflict for a person", number(kept)),
    };
    let (settled, linked) = (number(part.settled), number(part.linked));
    format!("{} % ({settled} of {linked} linked pairs{kept})", part.percent)
}

/// Where a link stands, in words.
fn link_state(state: &str) -> String {
    match state {
        "intent" => "begun".to_owned(),
        "probe" => "begun (and looked for in ClickUp)".to_owned(),
        "suspended" => "suspended (one side is not visible)".to_owned(),
        "unlinked" => "taken apart".to_owned(),
        other => other.to_owned(),
    }
}

fn unconfirmed(view: &StatusView) -> String {
    let open = &view.unconfirmed;
    match open.waiting {
        0 => "none".to_owned(),
        waiting => format!("{} writes, {} of them overdue", number(waiting), number(open.overdue)),
    }
}

fn paused(view: &StatusView) -> String {
    if view.paused.is_empty() {
        return "no".to_owned();
    }
    let brake = view.paused.iter().filter(|switch| switch.name == "brake");
    let brake = brake.map(|switch| format!("the brake is on since {}: {}", switch.since, switch.reason));
    let paused = pauses(view).into_iter().map(|paused| {
        let SwitchView { since, reason, .. } = &paused.switch;
        format!("{} since {since}: {reason}", paused.what)
    });
    brake.chain(paused).collect::<Vec<_>>().join("; ")
}

fn tables(view: &StatusView, screen: &Screen) -> String {
    let cursors: Vec<Vec<String>> = view
        .cursors
        .iter()
        .map(|row| {
            let looked = row.looked_age_ms.map_or("-".to_owned(), ago);
            vec![row.stream.clone(), looked, short(&row.moved)]
        })
        .collect();
    let budgets: Vec<Vec<String>> = view
        .budgets
        .iter()
        .map(|row| {
            let used = format!("{} of {}", number(row.used.into()), number(row.of.into()));
            vec![row.api.to_owned(), row.limit.to_owned(), used, row.until.clone()]
        })
        .collect();
    let executions: Vec<Vec<String>> = view
        .executions
        .iter()
        .take(EXECUTIONS_MAX)
        .map(|row| {
            // Whoever ran it was killed, and could not say so.
            let cut_short = row.status == "RUNNING" && view.holder.is_none();
            vec![
                row.workflow.clone(),
                if cut_short { "CUT SHORT".to_owned() } else { row.status.clone() },
                short(&row.started),
                span(row.ran_ms),
                row.transitions.to_string(),
                row.error.clone().unwrap_or_else(|| row.step.clone()),
            ]
        })
        .collect();
    [
        screen.heading("Cursors"),
        screen.table(&["stream", "read to its end", "moved"], &cursors),
        String::new(),
        screen.heading("API budgets, newest window"),
        screen.table(&["service", "limit", "used", "until"], &budgets),
        String::new(),
        screen.heading("Executions, the newest first"),
        screen.table(&["workflow", "status", "started", "ran", "states", "step"], &executions),
    ]
    .join("\n")
}

fn ago(age_ms: i64) -> String {
    if age_ms < 1_000 { "now".to_owned() } else { format!("{} ago", span(age_ms)) }
}

fn counts(counts: &BTreeMap<String, u64>) -> String {
    if counts.values().all(|n| *n == 0) {
        return "none".to_owned();
    }
    let parts: Vec<String> =
        counts.iter().filter(|(_, n)| **n > 0).map(|(name, n)| format!("{} {name}", number(*n))).collect();
    parts.join(", ")
}
