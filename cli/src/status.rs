//! Shows the state at a glance.

use std::collections::BTreeMap;

use crate::args::StateArgs;
use crate::installation::Installation;
use crate::machine;
use crate::query::{self, StatusView};
use crate::terminal::{self, heading, table};

/// Runs `deskup status`.
pub fn run(args: &StateArgs) -> anyhow::Result<()> {
    let installation = Installation::locate(&args.folder);
    let view = machine::runtime()?.block_on(async {
        let store = installation.look().await?;
        query::status(&installation, &store).await
    })?;
    if args.json {
        terminal::data(&serde_json::to_string(&view)?);
    } else {
        terminal::data(&draw(&view));
    }
    Ok(())
}

fn draw(view: &StatusView) -> String {
    let mut text = format!("state        {}\n", view.state_file);
    text.push_str(&format!("links        {}\n", counts(&view.links)));
    text.push_str(&format!("waiting      {}\n", counts(&view.work)));
    text.push_str(&format!("conflicts    {}\n", counts(&view.conflicts)));
    text.push_str(&format!("quarantine   {}\n", counts(&view.quarantine)));
    let paused = if view.paused.is_empty() { "no".to_owned() } else { view.paused.join("; ") };
    text.push_str(&format!("paused       {paused}\n"));
    text.push_str(&format!(
        "comments     every linked task is asked within {} min, should a webhook be lost\n\n",
        terminal::number(view.comment_sweep_minutes)
    ));
    text.push_str(&heading("API budgets, newest window"));
    text.push('\n');
    let rows: Vec<Vec<String>> = view
        .budgets
        .iter()
        .map(|row| {
            let used =
                format!("{} of {}", terminal::number(row.used.into()), terminal::number(row.of.into()));
            vec![row.api.to_owned(), row.limit.to_owned(), used, row.until.clone()]
        })
        .collect();
    text.push_str(&table(&["service", "limit", "used", "until"], &rows));
    text.push_str("\n\n");
    text.push_str(&heading("Executions, the newest first"));
    text.push('\n');
    let rows: Vec<Vec<String>> = view
        .executions
        .iter()
        .map(|row| {
            vec![
                row.workflow.clone(),
                row.status.clone(),
                row.started.clone(),
                terminal::span(row.ran_ms),
                row.transitions.to_string(),
                row.error.clone().unwrap_or_else(|| row.step.clone()),
            ]
        })
        .collect();
    text.push_str(&table(&["workflow", "status", "started", "ran", "transitions", "step"], &rows));
    text.push_str("\n\n");
    text.push_str(&heading("Cursors"));
    text.push('\n');
    let rows: Vec<Vec<String>> = view
        .cursors
        .iter()
        .map(|row| vec![row.stream.clone(), row.moved.clone(), row.version.to_string(), row.cursor.clone()])
        .collect();
    text.push_str(&table(&["stream", "moved", "version", "cursor"], &rows));
    text
}

fn counts(counts: &BTreeMap<String, u64>) -> String {
    if counts.values().all(|n| *n == 0) {
        return "none".to_owned();
    }
    let parts: Vec<String> = counts
        .iter()
        .filter(|(_, n)| **n > 0)
        .map(|(name, n)| format!("{} {name}", terminal::number(*n)))
        .collect();
    parts.join(", ")
}
