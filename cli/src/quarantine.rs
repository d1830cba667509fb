//! Shows what is set aside, by what is behind it, and puts it back.

use clap::Subcommand;
use functions::person;
use serde_json::json;
use stores::Store;
use stores::quarantine::Quarantined;

use crate::args::StateArgs;
use crate::conflicts::over;
use crate::failure::Failed;
use crate::installation::Installation;
use crate::query::quarantine::{self, GroupView, RecordView};
use crate::query::{record, short};
use crate::terminal::{self, Screen, number};
use crate::{help, machine};

/// Records that a listing reads at most.
const ROWS_MAX: usize = 100_000;

/// Records of a group that are named in a listing.
const NAMED: usize = 5;

/// Options of `quarantine`.
#[derive(Debug, clap::Args)]
#[command(after_help = help::QUARANTINE)]
pub struct QuarantineArgs {
    /// What to do; a list without it
    #[command(subcommand)]
    pub action: Option<Action>,
    /// Which installation, and how to print
    #[command(flatten)]
    pub state: StateArgs,
}

/// What to do with what is set aside.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List what is set aside, grouped by cause
    List {
        /// Which installation, and how to print
        #[command(flatten)]
        state: StateArgs,
    },
    /// Show one record
    Show {
        /// The ticket's number, the task's id, or the address of either
        record: String,
        /// Which installation, and how to print
        #[command(flatten)]
        state: StateArgs,
    },
    /// Put records back: a running deskup looks at them as a whole again
    Retry {
        /// The ticket's number, the task's id, or the address of either
        #[arg(required_unless_present_any = ["all", "cause", "group"])]
        record: Option<String>,
        /// All that is set aside
        #[arg(long, conflicts_with_all = ["record", "cause", "group"])]
        all: bool,
        /// All that was set aside for this cause
        #[arg(long, value_name = "CAUSE", conflicts_with = "record")]
        cause: Option<String>,
        /// All that failed alike: a fingerprint of the list, or its beginning
        #[arg(long, value_name = "FINGERPRINT", conflicts_with_all = ["record", "cause"])]
        group: Option<String>,
        /// Which installation, and how to print
        #[command(flatten)]
        state: StateArgs,
    },
}

/// Runs `deskup quarantine`.
pub fn run(args: &QuarantineArgs) -> anyhow::Result<()> {
    machine::runtime()?.block_on(async {
        match &args.action {
            None => list(&args.state).await,
            Some(Action::List { state }) => list(over(state, &args.state)).await,
            Some(Action::Show { record, state }) => show(over(state, &args.state), record).await,
            Some(Action::Retry { record, all: _, cause, group, state }) => {
                let which =
                    Which { record: record.as_deref(), cause: cause.as_deref(), group: group.as_deref() };
                retry(over(state, &args.state), which).await
            }
        }
    })
}

async fn list(args: &StateArgs) -> anyhow::Result<()> {
    let store = Installation::locate(&args.folder).look().await?;
    let groups = quarantine::groups(&store, ROWS_MAX).await?;
    if args.json {
        terminal::data(&json!({ "groups": groups }).to_string());
    } else {
        terminal::data(&draw_list(&groups, &Screen::stdout()));
    }
    Ok(())
}

pub(crate) fn draw_list(groups: &[GroupView], screen: &Screen) -> String {
    if groups.is_empty() {
        return "nothing is set aside".to_owned();
    }
    let rows: Vec<Vec<String>> = groups
        .iter()
        .map(|group| {
            let records: Vec<&str> =
                group.records.iter().take(NAMED).map(|record| record.record.as_str()).collect();
            let more = if group.count > NAMED { ", …" } else { "" };
            vec![
                number(group.count as u64),
                group.cause.clone(),
                short(&group.last),
                group.fingerprint.clone(),
                format!("{}{more}", records.join(", ")),
            ]
        })
        .collect();
    let mut lines = vec![screen.table(&["records", "cause", "last", "fingerprint", "which"], &rows)];
    for group in groups {
        let Some(what) = &group.what else { continue };
        lines.push(String::new());
        let example = group.records.first().map(|record| record.record.as_str()).unwrap_or_default();
        let count = number(group.count as u64);
        let kind = match (group.is_of("ticket "), group.is_of("task "), group.count) {
            (true, _, 1) => "ticket",
            (true, ..) => "tickets",
            (_, true, 1) => "task",
            (_, true, _) => "tasks",
            _ => "records",
        };
        let since = short(&group.since);
        lines.extend(screen.wrap(
            &format!("{}: {what}: {count} {kind} since {since}, such as {example}", group.fingerprint),
            2,
        ));
    }
    let mut said = std::collections::BTreeSet::new();
    for group in groups.iter().filter(|group| said.insert(group.cause.as_str())) {
        lines.push(String::new());
        lines.extend(screen.wrap(&format!("{}: {}", group.cause, group.advice), 2));
    }
    lines.push(String::new());
    lines.extend(screen.wrap(
        &format!(
            "Then `deskup quarantine retry --cause {}`, `retry --group FINGERPRINT`, `retry RECORD` or `retry --all`.",
            groups[0].cause
        ),
        2,
    ));
    lines.join("\n")
}

/// Everything of a record that is set aside.
async fn of_record(store: &Store, record: &str) -> anyhow::Result<Vec<Quarantined>> {
    let keys = record::keys(record)?;
    let mut rows = store.quarantine().list(ROWS_MAX).await?;
    rows.retain(|row| keys.contains(&row.record));
    if rows.is_empty() {
        let shown = terminal::plain(record);
        return Err(Failed::usage(format!("`{shown}` is not set aside: `deskup quarantine` lists what is")));
    }
    Ok(rows)
}

async fn show(args: &StateArgs, record: &str) -> anyhow::Result<()> {
    let store = Installation::locate(&args.folder).look().await?;
    let views: Vec<RecordView> = of_record(&store, record).await?.iter().map(quarantine::view).collect();
    if args.json {
        terminal::data(&json!({ "records": views }).to_string());
    } else {
        terminal::data(&draw_record(&views, &Screen::stdout()));
    }
    Ok(())
}

pub(crate) fn draw_record(views: &[RecordView], screen: &Screen) -> String {
    let mut lines = Vec::new();
    for view in views {
        let part = view.part.as_deref().map(|part| format!(", part {part}")).unwrap_or_default();
        lines.push(screen.heading(&screen.line(&format!("{}{part}", view.record))));
        lines.push(screen.line(&format!("  cause        {}", view.cause)));
        lines.push(screen.line(&format!("  set aside    {}", view.at)));
        lines.push(screen.line(&format!("  attempts     {} failed before", view.attempts)));
        lines.push(screen.line(&format!("  fingerprint  {}", view.fingerprint)));
        if let Some(what) = &view.what {
            lines.extend(screen.wrap(what, 2));
        }
        lines.extend(screen.wrap(&format!("  {}", view.advice), 2));
    }
    lines.join("\n")
}

/// Which records are put back; all, where nothing is said.
#[derive(Clone, Copy)]
struct Which<'a> {
    record: Option<&'a str>,
    cause: Option<&'a str>,
    group: Option<&'a str>,
}

/// Records are put back in some hundred writes a second: of many it is told how far it is.
const TOLD_EVERY: usize = 500;

async fn retry(args: &StateArgs, which: Which<'_>) -> anyhow::Result<()> {
    let store = Installation::locate(&args.folder).look().await?;
    let Which { record, cause, group } = which;
    let rows = match record {
        Some(record) => of_record(&store, record).await?,
        None => {
            let mut rows = store.quarantine().list(ROWS_MAX).await?;
            rows.retain(|row| {
                cause.is_none_or(|cause| row.cause == cause)
                    && group.is_none_or(|group| !group.is_empty() && row.fingerprint.starts_with(group))
            });
            rows
        }
    };
    if rows.is_empty() && cause.is_some() {
        let cause = terminal::plain(cause.unwrap_or_default());
        return Err(Failed::usage(format!(
            "nothing is set aside for `{cause}`: `deskup quarantine` lists the causes"
        )));
    }
    if rows.is_empty()
        && let Some(group) = group
    {
        let group = terminal::plain(group);
        return Err(Failed::usage(format!(
            "no group has the fingerprint `{group}`: `deskup quarantine` lists them"
        )));
    }
    for (n, row) in rows.iter().enumerate() {
        if !args.json && n > 0 && n % TOLD_EVERY == 0 {
            terminal::talk(&format!("{n} of {}", rows.len()));
        }
        person::retry(&store, row).await?;
    }
    let views: Vec<RecordView> = rows.iter().map(quarantine::view).collect();
    if args.json {
        terminal::data(&json!({ "retried": views }).to_string());
        return Ok(());
    }
    let when = match store.holder() {
        Some(holder) => format!("{} looks at them now", holder.who),
        None => "nothing runs; the next `deskup serve` or `deskup run` looks at them".to_owned(),
    };
    terminal::data(&match rows.len() {
        0 => "nothing is set aside".to_owned(),
        count => format!("put back: {}; {when}", number(count as u64)),
    });
    Ok(())
}
