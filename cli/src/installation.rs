//! An installation is a folder: `deskup.toml` says how both accounts belong together, `credentials.toml` lets
//! deskup into them, and `deskup.sqlite` is all that deskup remembers. A demo has a folder of the same kind.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::Settings;
use stores::{Place, Store, StoreError};
use tokio::time::Instant;

use crate::failure::Failed;
use crate::stack::Link;

/// The installation's name in the keys of a state on one machine.
const NAME: &str = "local";

/// Where a demo lives, unless it is told otherwise.
pub const DEMO_DIR: &str = ".deskup";

const SETTINGS: &str = "deskup.toml";
const CREDENTIALS: &str = "credentials.toml";
const STATE: &str = "deskup.sqlite";
const LINK: &str = "aws.toml";

/// The streams with a cursor.
pub const STREAMS: [&str; 4] = ["backfill", "tickets", "ticket-events", "tasks"];

/// How long somebody who does not lend the state is waited for.
const HELD_MAX: Duration = Duration::from_secs(3);
const HELD_AGAIN: Duration = Duration::from_millis(50);

/// A state that was opened.
enum Opened {
    /// By us.
    Held(Store),
    /// Through the process that holds it, as this error says.
    Guest(Store, StoreError),
}

/// Which folder a command works on.
#[derive(Clone, Debug, clap::Args)]
pub struct Folder {
    /// The installation's folder (default: this one, else the demo's)
    #[arg(long, env = "DESKUP_DIR", value_name = "DIR", hide_env_values = true)]
    pub dir: Option<PathBuf>,
}

/// A folder with settings, credentials and state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    dir: PathBuf,
}

impl Installation {
    /// The folder of this name.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The folder that is meant: the one named, this one if it is an installation, or the demo's.
    pub fn locate(folder: &Folder) -> Self {
        match &folder.dir {
            Some(dir) => Self::at(dir),
            None if Path::new(SETTINGS).is_file() => Self::at("."),
            None => Self::at(DEMO_DIR),
        }
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// How both accounts belong together.
    pub fn settings_file(&self) -> PathBuf {
        self.dir.join(SETTINGS)
    }

    /// What lets deskup in.
    pub fn credentials_file(&self) -> PathBuf {
        self.dir.join(CREDENTIALS)
    }

    /// What deskup remembers.
    pub fn state_file(&self) -> PathBuf {
        self.dir.join(STATE)
    }

    /// Which stack this folder belongs to.
    pub fn link_file(&self) -> PathBuf {
        self.dir.join(LINK)
    }

    /// The stack this folder belongs to, if it belongs to one.
    pub fn link(&self) -> anyhow::Result<Option<Link>> {
        Link::read(&self.link_file())
    }

    /// Refuses what only a deskup on this machine does.
    pub fn refuse_stack(&self, instead: &str) -> anyhow::Result<()> {
        match self.link()? {
            None => Ok(()),
            Some(link) => Err(Failed::usage(format!(
                "{} belongs to the stack {}: {instead}",
                self.dir.display(),
                link.stack
            ))),
        }
    }

    /// Whether simulated services live here: then the time in the state is a virtual one.
    pub fn is_demo(&self) -> bool {
        self.dir.join("world").is_dir()
    }

    /// Refuses a demo's folder: real accounts need one of their own.
    pub fn refuse_demo(&self) -> anyhow::Result<()> {
        if self.is_demo() {
            return Err(Failed::usage(format!(
                "{} belongs to a demo; real accounts need a folder of their own: run `deskup init` in an empty one, or name it with --dir",
                self.dir.display()
            )));
        }
        Ok(())
    }

    /// Reads the file of the settings, whatever it says.
    pub fn settings_text(&self) -> anyhow::Result<String> {
        let path = self.settings_file();
        std::fs::read_to_string(&path).map_err(|error| {
            Failed::usage(match error.kind() {
                std::io::ErrorKind::NotFound => format!(
                    "there is no {}: run `deskup init` first, or name the folder of an installation with --dir",
                    path.display()
                ),
                _ => format!("{} cannot be read: {error}", path.display()),
            })
        })
    }

    /// Reads the settings, or tells everything that is wrong with them.
    pub fn settings(&self) -> anyhow::Result<(String, Settings)> {
        let text = self.settings_text()?;
        let settings = Settings::parse(&text).map_err(|mistakes| {
            let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            Failed::usage(lines.join("\n"))
        })?;
        Ok((text, settings))
    }

    /// Takes hold of the state: nobody else may, until the result is gone.
    pub async fn store(&self) -> anyhow::Result<Store> {
        self.refuse_stack("its state is the stack's table")?;
        let clock: stores::Clock = Arc::new(wall_ms);
        match self.open(&clock).await? {
            Opened::Held(store) => Ok(store),
            Opened::Guest(_, held) => Err(self.unusable(&held)),
        }
    }

    /// A state of which nothing is kept, for a folder that has none yet.
    pub fn scratch(&self) -> anyhow::Result<Store> {
        Store::embedded(Place::Memory, NAME, Arc::new(wall_ms)).map_err(|error| Failed::store(&error))
    }

    /// Takes hold of the state in somebody's time.
    pub fn store_in(&self, clock: stores::Clock) -> anyhow::Result<Store> {
        Store::embedded(Place::File(self.state_file()), NAME, clock).map_err(|error| self.unusable(&error))
    }

    /// Opens the state, or visits whoever holds it. A process that holds it and lends nothing only has a look, begins
    /// or ends: it is waited for.
    async fn open(&self, clock: &stores::Clock) -> anyhow::Result<Opened> {
        let began = Instant::now();
        loop {
            let held = match Store::embedded(Place::File(self.state_file()), NAME, clock.clone()) {
                Err(held @ StoreError::InUse { .. }) => held,
                opened => return opened.map(Opened::Held).map_err(|error| self.unusable(&error)),
            };
            if let Some(store) = visit(&self.state_file(), clock.clone()).await? {
                return Ok(Opened::Guest(store, held));
            }
            if began.elapsed() > HELD_MAX {
                return Err(self.unusable(&held));
            }
            tokio::time::sleep(HELD_AGAIN).await;
        }
    }

    fn unusable(&self, error: &StoreError) -> anyhow::Error {
        match error {
            StoreError::NewerRecord { needs, ours, .. } => Failed::state(format!(
                "{} was written by a newer deskup (its data has version {needs}, this one knows {ours}): use that one again, or \
                 put the copy that it made (`deskup.sqlite.v{ours}.bak`) in its place",
                self.state_file().display()
            )),
            error => Failed::store(error),
        }
    }

    /// The state for a look or a small change: through the process that holds it, if there is one.
    pub async fn look(&self) -> anyhow::Result<Store> {
        if let Some(link) = self.link()? {
            return link.store().await;
        }
        let file = self.state_file();
        if !file.exists() {
            return Err(Failed::usage(format!(
                "there is no state in {}: run `deskup init` for real accounts (and then `deskup run ticket-sync`) or `deskup demo` for simulated ones, or name the folder with --dir",
                self.dir.display()
            )));
        }
        let now_ms = Arc::new(AtomicI64::new(wall_ms()));
        let virtual_ms = now_ms.clone();
        let clock: stores::Clock = match self.is_demo() {
            true => Arc::new(move || virtual_ms.load(Ordering::Relaxed)),
            false => Arc::new(wall_ms),
        };
        let (Opened::Held(store) | Opened::Guest(store, _)) = self.open(&clock).await?;
        // A demo lives in a time of its own: its newest cursor says which.
        let newest_ms = store.cursors().get_all(&STREAMS).await?.iter().map(|(_, cursor)| cursor.at_ms).max();
        if let Some(newest_ms) = newest_ms {
            now_ms.store(newest_ms, Ordering::Relaxed);
        }
        Ok(store)
    }
}

impl Installation {
    /// The state through the process that holds it, in somebody's time.
    pub async fn visit(&self, clock: stores::Clock) -> anyhow::Result<Store> {
        visit(&self.state_file(), clock).await?.ok_or_else(|| {
            Failed::state(format!("no running process lends the state in {}", self.dir.display()))
        })
    }
}

#[cfg(unix)]
async fn visit(file: &Path, clock: stores::Clock) -> anyhow::Result<Option<Store>> {
    Store::guest(file, NAME, clock).await.map_err(|error| Failed::store(&error))
}

#[cfg(not(unix))]
async fn visit(_file: &Path, _clock: stores::Clock) -> anyhow::Result<Option<Store>> {
    Ok(None)
}

/// The wall clock: only commands at the edge may look at it.
#[expect(clippy::disallowed_methods, reason = "the edge of the program is where the time comes in")]
pub fn wall_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}
