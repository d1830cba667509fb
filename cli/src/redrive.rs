//! `deskup redrive`: executions that failed run again by the definitions of this version, with their old input. Steps
//! that kept their answers are not called again.

use asl::CompiledWorkflow;
use orchestration::recovery_manager::redrive::Redriven;
use orchestration::{Engine, RecoveryManager, WorkflowOrchestrator};
use serde_json::{Value as Json, json};
use statemachines::TicketSyncWorkflow;
use stores::Store;
use stores::executions::{Ended, ExecutionRow};

use crate::args::StateArgs;
use crate::failure::Failed;
use crate::installation::Installation;
use crate::query::{short, time};
use crate::terminal::{self, Screen, number};
use crate::{hands, help, machine, stack};

/// Executions that one command redrives at most; the next one takes the rest.
const AT_MOST: usize = 10_000;

/// Executions that are named in a listing.
const NAMED: usize = 20;

/// Progress is told this many times at most.
const TOLD: usize = 20;

/// Options of `redrive`.
#[derive(Debug, clap::Args)]
#[command(after_help = help::REDRIVE)]
pub struct RedriveArgs {
    /// One execution, by its id; all that are meant by the options without it
    #[arg(conflicts_with_all = ["workflow", "error", "since"])]
    pub execution: Option<String>,
    /// Only executions of this workflow
    #[arg(long, value_name = "NAME")]
    pub workflow: Option<String>,
    /// Only executions that ended with this failure
    #[arg(long, value_name = "NAME")]
    pub error: Option<String>,
    /// Only executions that began within this time: 30m, 12h, 7d
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = span_ms)]
    pub since: i64,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Only show which are meant, and redrive nothing
    #[arg(long, conflicts_with = "yes")]
    pub show: bool,
    /// Which installation, and how to print
    #[command(flatten)]
    pub state: StateArgs,
}

/// `30m`, `12h`, `7d` in milliseconds.
fn span_ms(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{}` is no time such as 30m, 12h or 7d", terminal::plain(text));
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let unit_ms: i64 = match unit {
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let count: u32 = digits.parse().map_err(|_| wrong())?;
    Ok(i64::from(count) * unit_ms)
}

/// Runs `deskup redrive`.
pub fn run(args: &RedriveArgs) -> anyhow::Result<()> {
    machine::runtime()?.block_on(async {
        let installation = Installation::locate(&args.state.folder);
        let store = installation.look().await?;
        let link = installation.link()?;
        if let Some(link) = &link {
            // Executions of a stack end without anybody here.
            stack::catch_up(link, &store).await?;
        }
        let failed = chosen(&store, args).await?;
        if args.show || failed.is_empty() {
            return shown(&failed, args);
        }
        if !args.yes {
            terminal::talk(&draw(&failed, &Screen::stdout()));
            hands::confirm("Redrive them")?;
        }
        installation.refuse_demo()?;
        match link {
            Some(link) => {
                all(&WorkflowOrchestrator::new(link.engine(&store).await?), &store, &failed, args).await
            }
            None => {
                // Other commands look at the state while this one runs.
                #[cfg(unix)]
                let _lending = store.lend().ok();
                let local = machine::connect(&installation, store.clone()).await?;
                all(&WorkflowOrchestrator::new(local.engine.clone()), &store, &failed, args).await
            }
        }
    })
}

async fn chosen(store: &Store, args: &RedriveArgs) -> anyhow::Result<Vec<ExecutionRow>> {
    if let Some(id) = &args.execution {
        let row = store.executions().get(id).await.map_err(|error| Failed::store(&error))?;
        let row = row.ok_or_else(|| {
            let shown = terminal::plain(id);
            Failed::usage(format!(
                "there is no execution `{shown}`: `deskup redrive --show` lists those that failed"
            ))
        })?;
        if let Some(by) = &row.redriven_by {
            return Err(Failed::usage(format!(
                "execution {} was redriven as {by}: redrive that one",
                row.id
            )));
        }
        return Ok(vec![row]);
    }
    let which = Ended {
        workflow: args.workflow.clone(),
        error: args.error.clone(),
        since_ms: store.now_ms() - args.since,
    };
    let recovery = RecoveryManager::new(store.clone());
    recovery.failed(&which, AT_MOST).await.map_err(|error| Failed::store(&error))
}

fn shown(failed: &[ExecutionRow], args: &RedriveArgs) -> anyhow::Result<()> {
    if args.state.json {
        let failed: Vec<Json> = failed.iter().map(view).collect();
        terminal::data(&json!({ "failed": failed, "redriven": [] }).to_string());
    } else {
        terminal::data(&draw(failed, &Screen::stdout()));
    }
    Ok(())
}

fn view(row: &ExecutionRow) -> Json {
    json!({
        "execution": row.id,
        "workflow": row.workflow,
        "status": row.status,
        "error": row.error,
        "step": row.step,
        "started": time(row.started_ms),
        "redrive_of": row.redrive_of,
    })
}

/// Which executions are meant.
pub(crate) fn draw(failed: &[ExecutionRow], screen: &Screen) -> String {
    if failed.is_empty() {
        return "no execution that failed is left to redrive".to_owned();
    }
    let line = |row: &ExecutionRow| {
        let error = row.error.clone().unwrap_or_else(|| row.status.clone());
        vec![row.id.clone(), error, row.step.clone(), short(&time(row.started_ms))]
    };
    let rows: Vec<Vec<String>> = failed.iter().take(NAMED).map(line).collect();
    let mut lines = vec![screen.table(&["execution", "failure", "step", "began"], &rows)];
    if failed.len() > NAMED {
        lines.push(screen.line(&format!("and {} more", number((failed.len() - NAMED) as u64))));
    }
    lines.push(String::new());
    lines.extend(screen.wrap(
        "Each is started again by the definition of this version, with its old input. Steps that kept their answers are not called again.",
        0,
    ));
    lines.join("\n")
}

async fn all<E: Engine>(
    orchestrator: &WorkflowOrchestrator<E>,
    store: &Store,
    failed: &[ExecutionRow],
    args: &RedriveArgs,
) -> anyhow::Result<()> {
    let workflow = TicketSyncWorkflow::new();
    let definitions: [&CompiledWorkflow; 4] = workflow.definitions();
    let recovery = RecoveryManager::new(store.clone());
    let (mut done, every) = (0, failed.len().div_ceil(TOLD));
    let told = |_: &Redriven| {
        done += 1;
        if !args.state.json && failed.len() > 1 && done % every == 0 {
            terminal::talk(&format!("{done} of {} have ended", failed.len()));
        }
    };
    let ends = recovery.redrive_all(orchestrator, &definitions, failed, &hands::user(), told).await;
    let bad = ends.iter().filter(|end| !end.succeeded()).count();
    if args.state.json {
        let failed: Vec<Json> = failed.iter().map(view).collect();
        let redriven: Vec<Json> = ends.iter().map(end_view).collect();
        terminal::data(&json!({ "failed": failed, "redriven": redriven }).to_string());
    } else {
        for end in ends.iter().filter(|end| !end.succeeded()).take(NAMED) {
            terminal::talk(&sentence(end));
        }
        terminal::data(&format!(
            "{} of {} succeeded",
            number((ends.len() - bad) as u64),
            number(ends.len() as u64)
        ));
    }
    if bad == 0 {
        return Ok(());
    }
    Err(Failed::result(format!("{} did not succeed; `deskup redrive --show` lists them", number(bad as u64))))
}

fn end_view(end: &Redriven) -> Json {
    match &end.end {
        Ok(outcome) => json!({
            "execution": end.of,
            "workflow": end.workflow,
            "as": outcome.execution,
            "status": outcome.status,
            "error": outcome.error,
        }),
        Err(error) => json!({ "execution": end.of, "workflow": end.workflow, "refused": error.to_string() }),
    }
}

fn sentence(end: &Redriven) -> String {
    match &end.end {
        Ok(outcome) => {
            let error = outcome.error.as_deref().unwrap_or("no failure's name");
            format!("{}: {} as {}: {error}", end.of, outcome.status, outcome.execution)
        }
        Err(error) => format!("{}: {error}", end.of),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_with_its_unit() {
        assert_eq!(span_ms("30m"), Ok(1_800_000));
        assert_eq!(span_ms("2d"), Ok(172_800_000));
        for wrong in ["", "d", "7", "7w", "-1d", "1.5h", "7é"] {
            assert!(span_ms(wrong).is_err_and(|error| error.contains("30m")), "{wrong}");
        }
    }

    #[test]
    fn long_lists_are_cut_and_nothing_is_said_in_words() {
        let row = |n: usize| ExecutionRow {
            id: format!("sweep-{n}"),
            error: Some("Bug".to_owned()),
            ..ExecutionRow::default()
        };
        let rows: Vec<ExecutionRow> = (0..NAMED + 3).map(row).collect();
        let text = draw(&rows, &Screen::stdout());
        assert!(text.contains("sweep-0") && text.contains("and 3 more"), "{text}");
        assert!(draw(&[], &Screen::stdout()).contains("no execution"));
    }
}
