//! Compares the settings with both accounts: every mistake at once, each with its place and what to do.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::sync::Arc;

use domain::{Mistake, Settings, Side};
use functions::accounts::warnings::Warning;
use functions::accounts::{About, Accounts, Checked, Entry, Trouble, check};
use serde::Serialize;
use serde_json::json;

use crate::credentials::{self, Credentials};
use crate::failure::Failed;
use crate::init::report::{item, list};
use crate::installation::{Folder, Installation};
use crate::machine::{self, WallClock};
use crate::terminal;

/// Options of `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::help::CHECK)]
pub struct CheckArgs {
    /// Which installation
    #[command(flatten)]
    pub folder: Folder,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// A mistake with the file it is in.
#[derive(Debug, Serialize)]
struct Fault {
    /// Which file; none for an account.
    file: Option<&'static str>,
    line: Option<usize>,
    field: String,
    message: String,
}

impl Fault {
    fn place(&self) -> String {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        let file = self.file.map(|file| format!("{file}{line}"));
        let field = Some(self.field.clone()).filter(|field| !field.is_empty());
        // A trouble says of which account it is.
        let field = field.filter(|field| self.file.is_some() || !self.message.starts_with(field.as_str()));
        let parts: Vec<String> = [file, field].into_iter().flatten().collect();
        parts.join(": ")
    }
}

impl From<Mistake> for Fault {
    fn from(mistake: Mistake) -> Self {
        Fault {
            file: Some("deskup.toml"),
            line: mistake.line,
            field: mistake.field,
            message: mistake.message,
        }
    }
}

/// What a check tells.
#[derive(Default)]
struct Findings {
    faults: Vec<Fault>,
    warnings: Vec<Warning>,
    facts: Option<serde_json::Value>,
    /// Only services in trouble.
    not_now: bool,
}

/// Runs `deskup check`.
pub fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let installation = Installation::locate(&args.folder);
    installation.refuse_demo()?;
    let findings = look(args, &installation)?;
    if args.json {
        let fine = findings.faults.is_empty();
        let object = json!({
            "fine": fine,
            "mistakes": findings.faults,
            "warnings": findings.warnings,
            "accounts": findings.facts,
        });
        terminal::data(&object.to_string());
    } else {
        terminal::data(&draw(&installation, &findings));
    }
    match findings.faults.len() {
        0 => Ok(()),
        _ if findings.not_now => {
            Err(Failed::result("nothing can be said about it while a service is in trouble: try again later"))
        }
        n => {
            let mistakes = if n == 1 { "mistake" } else { "mistakes" };
            Err(Failed::usage(format!("{n} {mistakes} in {}", places(&installation, &findings.faults))))
        }
    }
}

/// Where the mistakes are: files by their path, and the accounts.
fn places(installation: &Installation, faults: &[Fault]) -> String {
    let file = |fault: &Fault| match fault.file {
        Some(file) => shown(&installation.dir().join(file)),
        None => "the accounts".to_owned(),
    };
    let places: BTreeSet<String> = faults.iter().map(file).collect();
    places.into_iter().collect::<Vec<_>>().join(" and ")
}

/// A path as a person would type it here.
fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

fn look(args: &CheckArgs, installation: &Installation) -> anyhow::Result<Findings> {
    let text = installation.settings_text()?;
    let mut findings = Findings::default();
    let credentials = credentials::of(installation).and_then(credentials::complete);
    let credentials = credentials.map_err(|error| {
        let field = String::new();
        findings.faults.push(Fault {
            file: Some("credentials.toml"),
            line: None,
            field,
            message: error.to_string(),
        });
    });
    let settings = Settings::parse(&text)
        .map_err(|mistakes| findings.faults.extend(mistakes.into_iter().map(Fault::from)));
    let (Ok(credentials), Ok(settings)) = (credentials, settings) else {
        return Ok(findings);
    };
    let progress = |what: &str| {
        if !args.json {
            terminal::talk(&format!("reading {what}"));
        }
    };
    machine::runtime()?.block_on(compare(&text, &settings, credentials, &progress, &mut findings))?;
    Ok(findings)
}

async fn compare(
    text: &str,
    settings: &Settings,
    credentials: Credentials,
    progress: &(dyn Fn(&str) + Sync),
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let (zendesk, clickup) = credentials.accounts(settings);
    let entry = Entry {
        transport: machine::transport()?,
        clock: Arc::new(WallClock),
        seed: RandomState::new().build_hasher().finish(),
        zendesk,
        clickup,
    };
    let checked = match Accounts::open(entry) {
        Ok(accounts) => {
            let checked = check(&accounts, text, settings, progress).await;
            findings.facts = facts(&accounts, &checked);
            checked
        }
        Err(troubles) => Checked { troubles, ..Checked::default() },
    };
    findings.not_now =
        checked.mistakes.is_empty() && checked.troubles.iter().all(|trouble| trouble.about == About::Service);
    findings.faults.extend(checked.troubles.iter().map(|trouble| place(text, trouble)));
    findings.faults.extend(checked.mistakes.into_iter().map(Fault::from));
    findings.warnings = checked.warnings;
    Ok(())
}

/// Where a person can do something about it.
fn place(text: &str, trouble: &Trouble) -> Fault {
    let table = match trouble.side {
        Side::Zendesk => "zendesk",
        Side::Clickup => "clickup",
    };
    let key = match trouble.about {
        About::Address => "url",
        About::Workspace => "workspace",
        About::Credentials | About::Rights | About::Service => "",
    };
    let message = trouble.message.clone();
    if key.is_empty() {
        return Fault { file: None, line: None, field: trouble.side.to_string(), message };
    }
    let line = Settings::line_of(text, table, key);
    Fault { file: Some("deskup.toml"), line, field: format!("{table}.{key}"), message }
}

fn facts(accounts: &Accounts, checked: &Checked) -> Option<serde_json::Value> {
    let survey = checked.survey.as_ref()?;
    let (zendesk, clickup) = (accounts.seen(Side::Zendesk), accounts.seen(Side::Clickup));
    Some(json!({
        "zendesk": {
            "user": survey.users.0, "requests_per_minute": zendesk.per_minute, "clock_ahead_ms": zendesk.ahead_ms,
            "triggers": survey.triggers.len(), "looked": survey.looked.0,
        },
        "clickup": {
            "user": survey.users.1, "requests_per_minute": clickup.per_minute, "clock_ahead_ms": clickup.ahead_ms,
            "plan": survey.plan, "lists": survey.snapshot.places.len(), "looked": survey.looked.1,
        },
    }))
}

fn draw(installation: &Installation, findings: &Findings) -> String {
    let mut out = String::new();
    let file = installation.settings_file();
    if findings.faults.is_empty() {
        out.push_str(&item("fine", &format!("{} fits both accounts", shown(&file))));
    } else {
        // One line each, whatever the width: it is there to be read by editors, too.
        for fault in &findings.faults {
            let place = fault.place();
            let colon = if place.is_empty() { "" } else { ": " };
            out.push_str(&format!("{place}{colon}{}\n", terminal::plain(&fault.message)));
        }
    }
    list(
        &mut out,
        "Good to know",
        findings.warnings.iter().map(|warning| (warning.topic, warning.text.as_str())),
    );
    out
}
