//! `deskup plan`: everything a run would change, side by side, and nothing is changed.

mod draw;
mod names;
mod view;

use std::io::Write;
use std::path::{Path, PathBuf};

use clients::ErrorKind;
use domain::TicketId;
use functions::SyncError;
use functions::plan::file::PlanFile;
use functions::plan::record::GONE;
use functions::plan::{self};

use crate::failure::Failed;
use crate::installation::{Folder, Installation};
use crate::progress::Bar;
use crate::{machine, terminal};

/// Options of `plan`.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::help::PLAN)]
pub struct PlanArgs {
    /// Only this ticket
    #[arg(long, value_name = "NUMBER")]
    pub ticket: Option<TicketId>,
    /// Write the plan to this file, for `deskup run ticket-sync --plan FILE`; it holds texts of tickets
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Which installation
    #[command(flatten)]
    pub folder: Folder,
    /// Print one JSON object, without any text of tickets
    #[arg(long)]
    pub json: bool,
}

/// Runs `deskup plan`.
pub fn run(args: &PlanArgs) -> anyhow::Result<()> {
    let installation = Installation::locate(&args.folder);
    installation.refuse_demo()?;
    machine::runtime()?.block_on(async {
        // Settings first: a folder without any gets no state.
        installation.settings()?;
        let store = match installation.state_file().exists() {
            true => installation.look().await?,
            false => installation.scratch()?,
        };
        let alone = !store.is_guest();
        let local = machine::connect_with(&installation, store, |options| options.alone = alone).await?;
        let bar = Bar::new(args.json);
        let make = async {
            match args.ticket {
                Some(ticket) => plan::make_one(&local.cx, ticket, &bar).await,
                None => plan::make(&local.cx, &bar).await,
            }
        };
        let made = bar.beside(&local.cx, make).await;
        bar.clear();
        let file = PlanFile::of(&local.cx, made.map_err(refused)?);
        if let Some(ticket) = args.ticket
            && file.plan.left.get(&ticket).is_some_and(|why| why == GONE)
        {
            return Err(Failed::usage(format!("Zendesk shows deskup no ticket {ticket}")));
        }
        if let Some(path) = &args.out {
            write(path, &file)?;
        }
        if args.json {
            terminal::data(&serde_json::to_string(&view::facts(&file, args.out.as_deref()))?);
        } else {
            terminal::data(&draw::text(&file, &local.cx.mapping, args.out.as_deref()));
        }
        Ok(())
    })
}

fn refused(error: SyncError) -> anyhow::Error {
    match error {
        SyncError::Api(error) if error.kind == ErrorKind::Auth => {
            Failed::usage(format!("the credentials are no longer accepted: {error}"))
        }
        SyncError::Store(error) => Failed::store(&error),
        other => anyhow::Error::from(other).context("the plan could not be made"),
    }
}

/// Writes a plan for its owner's eyes alone: beside the file first, so that a full disk leaves no half of one.
pub fn write(path: &Path, file: &PlanFile) -> anyhow::Result<()> {
    let cannot = |error: std::io::Error| {
        Failed::usage(format!("the plan {} cannot be written: {error}", path.display()))
    };
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // What an earlier attempt left could be readable for others.
    let _ = std::fs::remove_file(&beside);
    let written = options
        .open(&beside)
        .and_then(|mut out| out.write_all(file.text().as_bytes()).and_then(|()| out.sync_all()))
        .and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| {
        // Half a plan is none.
        let _ = std::fs::remove_file(&beside);
        cannot(error)
    })
}
