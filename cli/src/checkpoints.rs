//! `deskup checkpoints`: how far each stream was read, its earlier versions, and back to one of them.

use clap::Subcommand;
use orchestration::CheckpointManager;
use serde_json::json;
use stores::StoreError;
use stores::cursors::Cursor;

use crate::args::StateArgs;
use crate::conflicts::over;
use crate::failure::Failed;
use crate::installation::{Installation, STREAMS};
use crate::query::{short, time};
use crate::terminal::{self, Screen, number};
use crate::{hands, help, machine};

/// Versions that a listing shows.
const VERSIONS_MAX: usize = 50;

/// Characters of a place that a table shows: a provider's cursor is long and says nothing to people.
const PLACE_CHARS: usize = 40;

/// Options of `checkpoints`.
#[derive(Debug, clap::Args)]
#[command(after_help = help::CHECKPOINTS)]
pub struct CheckpointsArgs {
    /// What to do; a list without it
    #[command(subcommand)]
    pub action: Option<Action>,
    /// Which installation, and how to print
    #[command(flatten)]
    pub state: StateArgs,
}

/// What to do with checkpoints.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List the streams, and how far each was read
    List {
        /// Which installation, and how to print
        #[command(flatten)]
        state: StateArgs,
    },
    /// List the versions of one stream that can be restored, the newest first
    History {
        /// The stream: backfill, tickets, ticket-events, tasks
        stream: String,
        /// Which installation, and how to print
        #[command(flatten)]
        state: StateArgs,
    },
    /// Go back to an earlier version: what was read since is read again
    Restore {
        /// The stream: backfill, tickets, ticket-events, tasks
        stream: String,
        /// The version, as `history` lists it
        version: u64,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Which installation, and how to print
        #[command(flatten)]
        state: StateArgs,
    },
}

/// Runs `deskup checkpoints`.
pub fn run(args: &CheckpointsArgs) -> anyhow::Result<()> {
    machine::runtime()?.block_on(async {
        match &args.action {
            None => list(&args.state).await,
            Some(Action::List { state }) => list(over(state, &args.state)).await,
            Some(Action::History { stream, state }) => history(over(state, &args.state), stream).await,
            Some(Action::Restore { stream, version, yes, state }) => {
                restore(over(state, &args.state), stream, *version, *yes).await
            }
        }
    })
}

async fn manager(args: &StateArgs) -> anyhow::Result<CheckpointManager> {
    Ok(CheckpointManager::new(Installation::locate(&args.folder).look().await?))
}

async fn list(args: &StateArgs) -> anyhow::Result<()> {
    let streams = manager(args).await?.cursors(&STREAMS).await.map_err(|error| Failed::store(&error))?;
    if args.json {
        let streams: Vec<_> = streams.iter().map(|(stream, cursor)| view(stream, cursor)).collect();
        terminal::data(&json!({ "streams": streams }).to_string());
        return Ok(());
    }
    if streams.is_empty() {
        terminal::data("nothing was read yet");
        return Ok(());
    }
    let rows: Vec<_> = streams.iter().map(|(stream, cursor)| line(stream, cursor)).collect();
    terminal::data(&Screen::stdout().table(&["stream", "version", "since", "place"], &rows));
    Ok(())
}

fn view(stream: &str, cursor: &Cursor) -> serde_json::Value {
    json!({
        "stream": stream,
        "version": cursor.ver,
        "restored": cursor.generation,
        "since": time(cursor.at_ms),
        "place": cursor.text,
    })
}

fn line(stream: &str, cursor: &Cursor) -> Vec<String> {
    let mut place: String = terminal::plain(&cursor.text).chars().take(PLACE_CHARS).collect();
    if place.len() < cursor.text.len() {
        place.push('…');
    }
    vec![stream.to_owned(), number(cursor.ver), short(&time(cursor.at_ms)), place]
}

/// The stream of this name, or which there are.
fn known(stream: &str) -> anyhow::Result<&'static str> {
    let found = STREAMS.into_iter().find(|known| *known == stream);
    found.ok_or_else(|| {
        let shown = terminal::plain(stream);
        Failed::usage(format!("there is no stream `{shown}`: there are {}", STREAMS.join(", ")))
    })
}

async fn history(args: &StateArgs, stream: &str) -> anyhow::Result<()> {
    let stream = known(stream)?;
    let versions = manager(args).await?.history(stream, VERSIONS_MAX).await;
    let versions = versions.map_err(|error| Failed::store(&error))?;
    if args.json {
        let versions: Vec<_> = versions.iter().map(|cursor| view(stream, cursor)).collect();
        terminal::data(&json!({ "versions": versions }).to_string());
        return Ok(());
    }
    if versions.is_empty() {
        terminal::data(&format!("of {stream} no version is kept"));
        return Ok(());
    }
    let rows: Vec<_> = versions.iter().map(|cursor| line(stream, cursor)).collect();
    terminal::data(&Screen::stdout().table(&["stream", "version", "since", "place"], &rows));
    Ok(())
}

/// What a restore means, before it happens.
fn meaning(stream: &str) -> &'static str {
    match stream {
        "backfill" => {
            "The backfill goes over the pages after that place again; tickets that have a task get no second one."
        }
        "tickets" => {
            "The next poll asks Zendesk for all tickets that changed since, and looks at those that differ."
        }
        "ticket-events" => {
            "The next poll asks Zendesk for all comments since; those that were copied are not copied again."
        }
        _ => "The next poll asks ClickUp for all tasks that changed since, and looks at those that differ.",
    }
}

async fn restore(args: &StateArgs, stream: &str, version: u64, yes: bool) -> anyhow::Result<()> {
    let stream = known(stream)?;
    let manager = manager(args).await?;
    let store = |error: StoreError| Failed::store(&error);
    let now = manager.cursor(stream).await.map_err(store)?;
    let now = now.ok_or_else(|| Failed::usage(format!("{stream} was not read yet")))?;
    let versions = manager.history(stream, usize::MAX).await.map_err(store)?;
    let Some(then) = versions.iter().find(|cursor| cursor.ver == version) else {
        return Err(Failed::usage(format!(
            "{stream} has no version {version}: `deskup checkpoints history {stream}` lists those that are kept"
        )));
    };
    if !yes {
        terminal::talk(&format!(
            "{stream} goes back from version {} of {} to version {version} of {}. {} It costs requests and changes nothing \
             that is in step.",
            now.ver,
            time(now.at_ms),
            time(then.at_ms),
            meaning(stream)
        ));
        hands::confirm("Restore it")?;
    }
    let stands = match manager.restore(stream, version).await {
        Ok(stands) => stands,
        Err(StoreError::Stale { .. }) => {
            return Err(Failed::result(format!(
                "{stream} moved on meanwhile, and nothing was changed: `deskup pause` first, then restore it"
            )));
        }
        Err(error) => return Err(Failed::store(&error)),
    };
    let stands =
        stands.ok_or_else(|| Failed::result(format!("version {version} of {stream} has just expired")))?;
    if args.json {
        terminal::data(&json!({ "restored": view(stream, &stands), "from": version }).to_string());
    } else {
        terminal::data(&format!("{stream} is where version {version} was; this is version {}", stands.ver));
    }
    Ok(())
}
