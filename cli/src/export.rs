//! Writes out which ticket belongs to which task, and the mapping they are kept in step by.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::{Value as Json, json};
use stores::Store;
use stores::links::Link;

use crate::failure::Failed;
use crate::installation::{Folder, Installation};
use crate::query::{time, word};
use crate::{help, machine, terminal};

/// Options of `export`.
#[derive(Debug, clap::Args)]
#[command(after_help = help::EXPORT)]
pub struct ExportArgs {
    /// Where to write; stdout without it
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// In which form
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub format: Format,
    /// The form that it has anyway, said as with the other commands
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Write over a file that is there
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Which installation
    #[command(flatten)]
    pub folder: Folder,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One object: when, the mapping, the links
    Json,
    /// One line per link
    Csv,
}

/// Runs `deskup export`.
pub fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let installation = Installation::locate(&args.folder);
    if let Some(out) = &args.out
        && out.exists()
        && !args.force
    {
        return Err(Failed::usage(format!(
            "{} is there already: name another file, or say --force",
            out.display()
        )));
    }
    machine::runtime()?.block_on(async {
        let store = installation.look().await?;
        let Some(out) = &args.out else {
            let mut text = Vec::new();
            write(&installation, &store, args.format, &mut text).await?;
            terminal::data(&String::from_utf8_lossy(&text));
            return Ok(());
        };
        // Beside it and renamed: nobody reads half of it, and a failure leaves what was there.
        let partial = partial(out);
        let result = write_file(&installation, &store, args.format, &partial).await;
        let result = result.and_then(|links| {
            std::fs::rename(&partial, out).map_err(|error| cannot(out, &error)).map(|()| links)
        });
        if result.is_err() {
            let _ = std::fs::remove_file(&partial);
        }
        let links = result?;
        terminal::talk(&format!("{} links are in {}", terminal::number(links), out.display()));
        Ok(())
    })
}

fn partial(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

fn cannot(path: &Path, error: &std::io::Error) -> anyhow::Error {
    Failed::usage(format!("{} cannot be written: {error}", path.display()))
}

async fn write_file(
    installation: &Installation,
    store: &Store,
    format: Format,
    path: &Path,
) -> anyhow::Result<u64> {
    let file = std::fs::File::create(path).map_err(|error| cannot(path, &error))?;
    let mut file = BufWriter::new(file);
    let links = write(installation, store, format, &mut file).await?;
    let file = file.into_inner().map_err(|error| cannot(path, error.error()))?;
    file.sync_all().map_err(|error| cannot(path, &error))?;
    Ok(links)
}

/// Writes every link, in the order of the tickets; gives their number.
async fn write(
    installation: &Installation,
    store: &Store,
    format: Format,
    out: &mut impl Write,
) -> anyhow::Result<u64> {
    let mut links = Vec::new();
    let mut from = None;
    loop {
        let page = store.links().scan(from.as_ref()).await?;
        // Only what is written stays: the bases of a large installation would fill the memory.
        links.extend(page.links.iter().map(row));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    links.sort_by_key(|row| row.ticket);
    match format {
        Format::Csv => {
            writeln!(out, "ticket,task,list,state,since")?;
            for row in &links {
                writeln!(out, "{},{},{},{},{}", row.ticket, row.task, row.list, row.state, row.since)?;
            }
        }
        Format::Json => {
            // The settings name accounts and fields; credentials are in a file of their own.
            let mapping = std::fs::read_to_string(installation.settings_file()).ok();
            let rows: Vec<Json> = links.iter().map(Row::json).collect();
            let export = json!({"exported": time(store.now_ms()), "deskup_toml": mapping, "links": rows});
            writeln!(out, "{export}")?;
        }
    }
    Ok(links.len() as u64)
}

/// A link as it is written: ids, a word and a time, none of which needs quotes.
struct Row {
    ticket: u64,
    task: String,
    list: String,
    state: String,
    since: String,
}

impl Row {
    fn json(&self) -> Json {
        let maybe = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        json!({
            "ticket": self.ticket,
            "task": maybe(&self.task),
            "list": maybe(&self.list),
            "state": self.state,
            "since": maybe(&self.since),
        })
    }
}

fn row(link: &Link) -> Row {
    let text = |id: Option<String>| id.unwrap_or_default();
    Row {
        ticket: link.ticket.get(),
        task: text(link.task.as_ref().map(ToString::to_string)),
        list: text(link.list.as_ref().map(ToString::to_string)),
        state: word(link.state).to_lowercase(),
        since: if link.intent_ms > 0 { time(link.intent_ms) } else { String::new() },
    }
}
