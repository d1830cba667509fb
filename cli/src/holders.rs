//! Shows who holds what: records in work, requests booked, what stands still.

use crate::args::StateArgs;
use crate::installation::Installation;
use crate::query::holders::{HoldersView, holders};
use crate::terminal::{self, Screen, number};
use crate::{help, machine};

/// Options of `holders`.
#[derive(Debug, clap::Args)]
#[command(after_help = help::HOLDERS)]
pub struct HoldersArgs {
    /// Which installation, and how to print
    #[command(flatten)]
    pub state: StateArgs,
}

/// Runs `deskup holders`.
pub fn run(args: &HoldersArgs) -> anyhow::Result<()> {
    machine::runtime()?.block_on(async {
        let store = Installation::locate(&args.state.folder).look().await?;
        let view = holders(&store).await?;
        if args.state.json {
            terminal::data(&serde_json::to_string(&view)?);
        } else {
            terminal::data(&draw(&view, &Screen::stdout()));
        }
        Ok(())
    })
}

/// The view for a terminal.
fn draw(view: &HoldersView, screen: &Screen) -> String {
    let mut lines = Vec::new();
    for switch in &view.paused {
        let said = format!("{} since {} by {}: {}", switch.name, switch.since, switch.by, switch.reason);
        lines.extend(screen.wrap(&said, 2).iter().map(|line| screen.bad(line)));
    }
    let records: Vec<Vec<String>> = view
        .records
        .iter()
        .map(|held| {
            vec![
                held.record.clone(),
                held.lane.to_owned(),
                held.process.clone(),
                held.until.clone(),
                held.execution.clone().unwrap_or_else(|| "none".to_owned()),
            ]
        })
        .collect();
    if records.is_empty() {
        lines.push("no record is in work".to_owned());
    } else {
        lines.push(screen.heading("Records in work"));
        lines.push(screen.table(&["record", "lane", "process", "until", "lease of execution"], &records));
    }
    let budgets: Vec<Vec<String>> = view
        .budgets
        .iter()
        .map(|window| {
            let booked: Vec<String> =
                window.booked.iter().map(|(process, n)| format!("{process}: {n}")).collect();
            let used = format!("{} of {}", number(window.used.into()), number(window.of.into()));
            let used = if window.spent { format!("{used}, refused") } else { used };
            vec![format!("{} {}", window.api, window.limit), used, window.until.clone(), booked.join(", ")]
        })
        .collect();
    lines.push(String::new());
    if budgets.is_empty() {
        lines.push("no requests are booked".to_owned());
    } else {
        lines.push(screen.heading("Requests booked, by process"));
        lines.push(screen.table(&["limit", "booked", "until", "by"], &budgets));
    }
    lines.join("\n")
}
