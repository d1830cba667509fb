//! Pauses lanes and services and lets them go on; releases the brake after showing what waits behind it.

use clap::ValueEnum;
use domain::Side;
use functions::person::{self, Braked, Part};
use orchestration::recovery_manager;
use serde_json::json;
use stores::switches::SwitchName;
use stores::{Lane, Store};

use crate::args::StateArgs;
use crate::failure::Failed;
use crate::installation::Installation;
use crate::query::time;
use crate::terminal::{self, Screen, number};
use crate::{hands, help, machine};

/// What can be paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PartName {
    /// What a person waits for
    Urgent,
    /// What webhooks tell
    Live,
    /// What cursors and sweeps find
    Reconcile,
    /// The first fill
    Backfill,
    /// Reports
    Report,
    /// All calls of Zendesk
    Zendesk,
    /// All calls of ClickUp
    Clickup,
}

impl PartName {
    fn part(self) -> Part {
        match self {
            PartName::Urgent => Part::Lane(Lane::Urgent),
            PartName::Live => Part::Lane(Lane::Live),
            PartName::Reconcile => Part::Lane(Lane::Reconcile),
            PartName::Backfill => Part::Lane(Lane::Backfill),
            PartName::Report => Part::Lane(Lane::Report),
            PartName::Zendesk => Part::Service(Side::Zendesk),
            PartName::Clickup => Part::Service(Side::Clickup),
        }
    }
}

/// Options of `pause`.
#[derive(Debug, clap::Args)]
#[command(after_help = help::PAUSE)]
pub struct PauseArgs {
    /// Which lane, or which service is left alone; all lanes without it
    pub part: Option<PartName>,
    /// Why, for whoever finds it paused
    #[arg(long, value_name = "TEXT", default_value = "by hand")]
    pub reason: String,
    /// Which installation, and how to print
    #[command(flatten)]
    pub state: StateArgs,
}

/// Options of `resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = help::RESUME)]
pub struct ResumeArgs {
    /// Which lane or service; all of them without it
    pub part: Option<PartName>,
    /// Which installation, and how to print
    #[command(flatten)]
    pub state: StateArgs,
}

/// Options of `release`.
#[derive(Debug, clap::Args)]
#[command(after_help = help::RELEASE)]
pub struct ReleaseArgs {
    /// Let through all that waits now: without it the brake is pulled again after as many changes alike as before
    #[arg(long)]
    pub through: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Only show what waits, and release nothing
    #[arg(long, conflicts_with = "yes")]
    pub show: bool,
    /// Which installation, and how to print
    #[command(flatten)]
    pub state: StateArgs,
}

/// The name in lines and keys.
fn name(part: Part) -> String {
    match part {
        Part::Lane(lane) => lane.name().to_owned(),
        Part::Service(side) => side.to_string().to_lowercase(),
    }
}

fn lanes() -> Vec<Part> {
    Lane::ALL.map(Part::Lane).to_vec()
}

fn everything() -> Vec<Part> {
    [lanes(), vec![Part::Service(Side::Zendesk), Part::Service(Side::Clickup)]].concat()
}

/// Runs `deskup pause`.
pub fn pause(args: &PauseArgs) -> anyhow::Result<()> {
    let reason = terminal::plain(args.reason.trim());
    if reason.is_empty() {
        return Err(Failed::usage("--reason is empty: say why, for whoever finds it paused"));
    }
    machine::runtime()?.block_on(async {
        let store = Installation::locate(&args.state.folder).look().await?;
        let mut said = Vec::new();
        for part in args.part.map_or_else(lanes, |part| vec![part.part()]) {
            let stands = person::pause(&store, part, &reason, &hands::user()).await?;
            said.push((name(part), stands));
        }
        if args.state.json {
            let paused: Vec<_> = said
                .iter()
                .map(|(part, on)| {
                    json!({"lane": part, "reason": on.reason, "by": on.by, "since": time(on.at_ms)})
                })
                .collect();
            terminal::data(&json!({ "paused": paused }).to_string());
            return Ok(());
        }
        let lines: Vec<String> = said
            .iter()
            .map(|(part, on)| {
                format!("{part} is paused since {} by {}: {}", time(on.at_ms), on.by, on.reason)
            })
            .collect();
        let next =
            "Nothing is written for what is paused; webhooks are taken and wait. `deskup resume` ends it.";
        terminal::data(&format!("{}\n{next}", lines.join("\n")));
        Ok(())
    })
}

/// Runs `deskup resume`.
pub fn resume(args: &ResumeArgs) -> anyhow::Result<()> {
    machine::runtime()?.block_on(async {
        let store = Installation::locate(&args.state.folder).look().await?;
        let mut resumed = Vec::new();
        for part in args.part.map_or_else(everything, |part| vec![part.part()]) {
            if person::resume(&store, part).await? {
                resumed.push(name(part));
            }
        }
        let brake = store.switches().get(SwitchName::Brake).await?;
        if args.state.json {
            terminal::data(&json!({ "resumed": resumed, "brake": brake.map(|on| on.reason) }).to_string());
            return Ok(());
        }
        let mut lines = match resumed.as_slice() {
            [] => vec!["nothing was paused".to_owned()],
            lanes => vec![format!("goes on: {}", lanes.join(", "))],
        };
        if let Some(on) = brake {
            lines.push(format!(
                "The brake is still on ({}): `deskup release` shows what waits behind it.",
                on.reason
            ));
        }
        terminal::data(&lines.join("\n"));
        Ok(())
    })
}

/// Runs `deskup release`.
pub fn release(args: &ReleaseArgs) -> anyhow::Result<()> {
    machine::runtime()?.block_on(async {
        let store = Installation::locate(&args.state.folder).look().await?;
        let braked = person::braked(&store).await?;
        let waiting: u64 = braked.waiting.values().sum();
        if args.state.json && (args.show || braked.brake.is_none()) {
            terminal::data(&facts(&braked, false).to_string());
            return Ok(());
        }
        if braked.brake.is_none() {
            terminal::data("the brake is not on");
            return Ok(());
        }
        if !args.state.json {
            terminal::data(&draw(&braked, args.through, &Screen::stdout()));
        }
        if args.show {
            return Ok(());
        }
        if !args.yes {
            hands::confirm("Release the brake")?;
        }
        released(&store, args, &braked, waiting).await
    })
}

async fn released(store: &Store, args: &ReleaseArgs, braked: &Braked, waiting: u64) -> anyhow::Result<()> {
    recovery_manager::release(store, if args.through { waiting } else { 0 }).await?;
    if args.state.json {
        terminal::data(&facts(braked, true).to_string());
        return Ok(());
    }
    let paused: Vec<String> = store
        .switches()
        .all()
        .await?
        .into_keys()
        .filter_map(|name| match name {
            SwitchName::Pause(lane) => Some(lane.name().to_owned()),
            SwitchName::Budget(side) => Some(side.to_string()),
            SwitchName::Brake | SwitchName::Access(_) => None,
        })
        .collect();
    let mut said = "released".to_owned();
    if !paused.is_empty() {
        said.push_str(&format!("; still paused by a person: {}", paused.join(", ")));
    }
    terminal::data(&said);
    Ok(())
}

fn facts(braked: &Braked, released: bool) -> serde_json::Value {
    let tally = &braked.tally;
    let waiting: serde_json::Map<String, serde_json::Value> =
        braked.waiting.iter().map(|(lane, count)| (lane.name().to_owned(), (*count).into())).collect();
    json!({
        "released": released,
        "brake": braked.brake.as_ref().map(|on| json!({"reason": on.reason, "since": time(on.at_ms)})),
        "would": {"suspend": tally.suspended, "close": tally.closed, "rewrite": tally.mapped, "status": tally.status},
        "touched": tally.touched,
        "allowed": recovery_manager::alike_allowed(tally),
        "waiting": waiting,
        "first_tickets": braked.first.iter().map(|ticket| ticket.get()).collect::<Vec<_>>(),
    })
}

/// What was about to happen, and what happens after a release.
pub(crate) fn draw(braked: &Braked, through: bool, screen: &Screen) -> String {
    let mut lines = Vec::new();
    if let Some(on) = &braked.brake {
        let said = screen.wrap(&format!("The brake is on since {}: {}", time(on.at_ms), on.reason), 2);
        lines.extend(said.iter().map(|line| screen.bad(line)));
    }
    let tally = &braked.tally;
    let fixed = [
        ("suspended", tally.suspended),
        ("closed", tally.closed),
        ("written to because the mapping changed", tally.mapped),
    ];
    let fixed = fixed.into_iter().filter(|(_, count)| *count > 0);
    let mut rows: Vec<Vec<String>> =
        fixed.map(|(what, count)| vec![number(count), format!("would be {what}")]).collect();
    rows.extend(
        tally
            .status
            .iter()
            .map(|(status, count)| vec![number(*count), format!("would change status to {status}")]),
    );
    if !rows.is_empty() {
        lines.push(String::new());
        let title = "In its ten minutes, those done before it was pulled among them:";
        lines.extend(screen.wrap(title, 0));
        lines.push(screen.table(&["links", "what"], &rows));
    }
    let waiting: Vec<String> = braked
        .waiting
        .iter()
        .filter(|(_, n)| **n > 0)
        .map(|(lane, n)| format!("{} {lane}", number(*n)))
        .collect();
    let waiting = if waiting.is_empty() { "none".to_owned() } else { waiting.join(", ") };
    lines.push(String::new());
    lines.push(screen.line(&format!("records that wait: {waiting}")));
    if !braked.first.is_empty() {
        let first: Vec<String> = braked.first.iter().map(ToString::to_string).collect();
        lines.extend(screen.wrap(&format!("the first: tickets {}", first.join(", ")), 2));
    }
    let allowed = number(recovery_manager::alike_allowed(&stores::tally::Tally::default()));
    let next = if through {
        "After the release all that waits now goes through; the brake watches over what comes on top."
            .to_owned()
    } else {
        format!(
            "After the release work goes on, and the brake is pulled again after {allowed} more that go the same way within ten minutes; --through lets all that waits now pass."
        )
    };
    lines.push(String::new());
    lines.extend(screen.wrap(&next, 0));
    lines.join("\n")
}
