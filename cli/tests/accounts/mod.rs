//! Two simulated accounts on ports of this process, and the command as another process beside them.

#![allow(dead_code, reason = "each suite uses its part")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use world::{Ports, PortsOptions};

/// How long something may take that happens in another process.
const PATIENCE: Duration = Duration::from_secs(60);

/// Two accounts, served by a thread of their own until this is dropped.
pub struct Accounts {
    pub ports: Arc<Ports>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Accounts {
    /// Accounts with this many tickets, on any ports.
    pub fn open(tickets: usize, seed: u64) -> Self {
        let (opened, ports) = mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let options = PortsOptions {
                    tickets,
                    seed,
                    csv: None,
                    dir: None,
                    clock: Arc::new(wall_ms),
                    port: 0,
                    unlimited: true,
                };
                opened.send(Arc::new(Ports::open(options).unwrap())).unwrap();
                let _ = stopped.await;
            });
        });
        Self { ports: ports.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }

    /// A mapping that fits both accounts, written by somebody who knows them.
    pub fn settings(&self) -> String {
        let ports = &self.ports;
        world::seedwork::settings::text(&ports.scenario, &ports.zendesk_url, &ports.clickup_url)
    }

    /// The command in a folder, with deskup's credentials in its environment.
    pub fn deskup(&self, dir: &Path, arguments: &[&str]) -> Command {
        let mut command = deskup(dir, arguments);
        command.envs(self.ports.credentials());
        command
    }

    /// An agent gives an open ticket another subject; gives its number.
    pub fn rename_a_ticket(&self, subject: &str) -> u64 {
        let tickets = self.ports.zendesk.tickets();
        let open =
            |ticket: &&serde_json::Value| !matches!(ticket["status"].as_str(), Some("closed" | "solved"));
        let ticket = tickets.iter().find(open).unwrap()["id"].as_u64().unwrap();
        let who = self.ports.scenario.cast.agents().next().unwrap();
        let change = world::people::act::Action::Ticket(serde_json::json!({ "subject": subject }));
        let request = change.request(who, &ticket.to_string(), "renamed").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(self.ports.zendesk.handle(request));
        assert!(answer.status().is_success(), "{answer:?}");
        ticket
    }

    /// What deskup changed in both accounts so far.
    pub fn changes(&self) -> usize {
        let (zendesk, clickup) =
            (self.ports.scenario.cast.zendesk_sync, world::seedwork::cast::CLICKUP_SYNC_ID);
        self.ports.zendesk.changes().iter().filter(|change| change.actor == zendesk).count()
            + self.ports.clickup.changes().iter().filter(|change| change.actor == clickup).count()
    }
}

impl Drop for Accounts {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The accounts live in real time, as the command does.
#[expect(clippy::disallowed_methods, reason = "real processes meet in real time")]
pub fn wall_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

/// The command in a folder, without credentials and without variables of whoever runs the tests.
pub fn deskup(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deskup"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DESKUP_")) {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(dir).env("NO_COLOR", "1").env("COLUMNS", "100");
    command.stdin(Stdio::null());
    command
}

/// An empty folder for one test. Its name is short: a socket's path has a bound.
pub fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("dk-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Standard output and error as text.
pub fn said(output: &Output) -> (String, String) {
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Looks again and again until there is something to see.
#[track_caller]
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        pause();
    }
}

/// Another process has no event to wait for.
pub fn pause() {
    std::thread::park_timeout(Duration::from_millis(50));
}

/// A running command that is killed when the test is over.
pub struct Running(pub Child);

impl Running {
    /// Starts it; its output goes to these files in the folder.
    pub fn start(command: &mut Command, dir: &Path) -> Self {
        let out = std::fs::File::create(dir.join("out.txt")).unwrap();
        let err = std::fs::File::create(dir.join("err.txt")).unwrap();
        Self(command.stdout(out).stderr(err).spawn().unwrap())
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let done =
            Command::new("kill").arg(format!("-{name}")).arg(self.0.id().to_string()).status().unwrap();
        assert!(done.success());
    }

    /// Waits for its end.
    pub fn end(&mut self) -> std::process::ExitStatus {
        wait_for("the command to end", || self.0.try_wait().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
