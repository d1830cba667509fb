//! Connects two real accounts: asks for what it needs, checks it for real, reads both accounts, and writes a
//! commented mapping. Nothing is written to either account, and no file before everything is known to be good.

mod ask;
mod given;
pub mod report;
mod save;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;

use clients::{ClickUpConfig, Workspace, ZendeskConfig};
use domain::proposal::{Choices, Place, Proposal, Selection, propose, select};
use domain::{ListId, Mapping, Settings};
use functions::accounts::warnings::{Warning, warnings};
use functions::accounts::{About, Accounts, Entry, Survey, Trouble, survey};

use self::ask::Ask;
use self::given::Given;
use crate::failure::Failed;
use crate::installation::Installation;
use crate::machine::{self, WallClock};
use crate::{stack, terminal};

/// Any number, until the workspace is known.
const NO_WORKSPACE: &str = "0";

/// Options of `init`.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::help::INIT)]
pub struct InitArgs {
    /// Zendesk's address: https://acme.zendesk.com, or just acme
    #[arg(long, env = "DESKUP_ZENDESK_URL", value_name = "URL")]
    pub zendesk_url: Option<String>,
    /// ClickUp's address, for regions and simulations [default: https://api.clickup.com]
    #[arg(long, env = "DESKUP_CLICKUP_URL", value_name = "URL")]
    pub clickup_url: Option<String>,
    /// ClickUp's workspace, where the token opens more than one
    #[arg(long, env = "DESKUP_CLICKUP_WORKSPACE", value_name = "ID")]
    pub workspace: Option<String>,
    /// Only lists of this space, by name; may be repeated
    #[arg(long = "space", value_name = "NAME")]
    pub spaces: Vec<String>,
    /// Only these lists, by id or name; the first takes all tickets that no other one takes
    #[arg(long = "list", value_name = "LIST")]
    pub lists: Vec<String>,
    /// The offset from UTC of deskup's ClickUp user, such as +02:00
    #[arg(long, value_name = "OFFSET", allow_hyphen_values = true)]
    pub utc_offset: Option<String>,
    /// Credentials in the form of credentials.toml, readable by you alone, instead of the environment
    #[arg(long, value_name = "FILE")]
    pub secrets_file: Option<PathBuf>,
    /// Keep the credentials of the environment in credentials.toml, too
    #[arg(long)]
    pub save_credentials: bool,
    /// Replace deskup.toml; the old one is kept as deskup.toml.bak
    #[arg(long)]
    pub force: bool,
    /// Connect this folder, which has its deskup.toml, to a deployed stack, and bring settings and credentials there
    #[arg(long, value_name = "STACK")]
    pub aws: Option<String>,
    /// The folder of the installation; this folder otherwise
    #[arg(long, env = "DESKUP_DIR", value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Everything that a run found out.
pub struct Connected {
    survey: Survey,
    workspace: Workspace,
    proposal: Proposal,
    warnings: Vec<Warning>,
    /// Requests a minute of Zendesk and of ClickUp, and how many were sent.
    limits: (Option<u32>, Option<u32>, u64),
}

/// Runs `deskup init`.
pub fn run(args: &InitArgs) -> anyhow::Result<()> {
    let installation = Installation::at(args.dir.clone().unwrap_or_else(|| PathBuf::from(".")));
    installation.refuse_demo()?;
    if let Some(stack) = &args.aws {
        return stack::attach(&installation, stack, args.json);
    }
    let mut ask = Ask::of_terminal();
    let given = Given::collect(args, &installation, &mut ask)?;
    let connected = machine::runtime()?.block_on(connect(args, &given, &mut ask))?;
    let saved = save::save(args, &installation, &given, &connected.proposal.toml)?;
    if args.json {
        terminal::data(&report::json(&connected, &saved).to_string());
    } else {
        terminal::data(&report::text(&connected, &saved));
    }
    Ok(())
}

async fn connect(args: &InitArgs, given: &Given, ask: &mut Ask) -> anyhow::Result<Connected> {
    let progress = |what: &str| {
        if !args.json {
            terminal::talk(&format!("reading {what}"));
        }
    };
    let accounts = Accounts::open(entry(given)?).map_err(refused)?;
    progress("who deskup is on both sides");
    let users = accounts.enter().await.map_err(refused)?;
    let open = accounts.workspaces().await.map_err(|trouble| refused(vec![trouble]))?;
    let workspace = choose_workspace(given, &open, ask)?;
    let accounts = accounts.in_workspace(&workspace.id);
    let mut survey = survey(&accounts, users, &workspace, &progress).await.map_err(refused)?;
    let choices = choose_lists(args, given, &survey, ask)?;
    let groups = &survey.snapshot.directory.groups;
    let selection = select(groups, &survey.snapshot.places, &choices).ok_or_else(|| {
        Failed::usage(format!(
            "deskup's ClickUp user sees no list in workspace {}: create one, or share a space with the user",
            workspace.id
        ))
    })?;
    progress("ClickUp: the lists that were chosen");
    survey.read_lists(&accounts, &selection.lists()).await.map_err(|trouble| refused(vec![trouble]))?;
    let (proposal, mapping) = proposed(&survey, &selection, &choices)?;
    let warnings = warnings(&accounts, &survey, Some(&mapping));
    let seen = [domain::Side::Zendesk, domain::Side::Clickup].map(|side| accounts.seen(side));
    let limits = (seen[0].per_minute, seen[1].per_minute, seen[0].requests + seen[1].requests);
    Ok(Connected { survey, workspace, proposal, warnings, limits })
}

/// How to reach both accounts.
fn entry(given: &Given) -> anyhow::Result<Entry> {
    let credentials = given.credentials.clone();
    Ok(Entry {
        transport: machine::transport()?,
        clock: Arc::new(WallClock),
        seed: RandomState::new().build_hasher().finish(),
        zendesk: ZendeskConfig { base_url: given.zendesk_url.clone(), credentials: credentials.zendesk },
        clickup: ClickUpConfig {
            base_url: given.clickup_url.clone(),
            token: credentials.clickup,
            workspace: NO_WORKSPACE.to_owned(),
        },
    })
}

/// Accounts that cannot be used, with the exit code that fits: only a service in trouble is nobody's mistake.
pub fn refused(troubles: Vec<Trouble>) -> anyhow::Error {
    let words: Vec<String> = troubles.iter().map(ToString::to_string).collect();
    let words = words.join("\ndeskup: ");
    if troubles.iter().all(|trouble| trouble.about == About::Service) {
        Failed::result(words)
    } else {
        Failed::usage(words)
    }
}

fn choose_workspace(given: &Given, open: &[Workspace], ask: &mut Ask) -> anyhow::Result<Workspace> {
    let names: Vec<String> =
        open.iter().map(|one| format!("{} {}", one.id, terminal::plain(&one.name))).collect();
    if let Some(wanted) = &given.workspace {
        let fits = |one: &&Workspace| one.id == *wanted || one.name.eq_ignore_ascii_case(wanted);
        let found: Vec<&Workspace> = open.iter().filter(fits).collect();
        return match found.as_slice() {
            [one] => Ok((*one).clone()),
            [] => Err(Failed::usage(format!(
                "ClickUp's token does not open workspace {wanted}; it opens {}: name one with --workspace, or give the token \
                 access to that one",
                names.join(", ")
            ))),
            _ => Err(Failed::usage(format!(
                "several workspaces are called {wanted}: use the id, one of {}",
                names.join(", ")
            ))),
        };
    }
    if let [one] = open {
        return Ok(one.clone());
    }
    match ask.choose("Which ClickUp workspace?", &names, None)? {
        Some(at) => Ok(open[at].clone()),
        None => Err(Failed::usage(format!(
            "ClickUp's token opens several workspaces: name one with --workspace: {}",
            names.join(", ")
        ))),
    }
}

/// What a person says about lists and time, from flags or at the terminal.
fn choose_lists(args: &InitArgs, given: &Given, survey: &Survey, ask: &mut Ask) -> anyhow::Result<Choices> {
    let places = &survey.snapshot.places;
    let mut choices = Choices { lists: Vec::new(), utc_offset: given.utc_offset.clone() };
    let in_space = |place: &&Place| {
        args.spaces.is_empty()
            || args.spaces.iter().any(|space| space.eq_ignore_ascii_case(place.space.trim()))
    };
    for space in &args.spaces {
        if !places.iter().any(|place| place.space.trim().eq_ignore_ascii_case(space)) {
            let known: std::collections::BTreeSet<&str> =
                places.iter().map(|place| place.space.as_str()).collect();
            let known: Vec<String> = known.into_iter().map(terminal::plain).collect();
            return Err(Failed::usage(format!(
                "--space {space}: there is no such space with lists; there are {}",
                known.join(", ")
            )));
        }
    }
    let allowed: Vec<&Place> = places.iter().filter(in_space).collect();
    for wanted in &args.lists {
        choices.lists.push(named_list(wanted, &allowed)?);
    }
    if choices.lists.is_empty() && !args.spaces.is_empty() {
        choices.lists = by_generality(survey, &allowed);
    }
    if args.lists.is_empty() && allowed.len() > 1 {
        ask_for_rest(survey, &allowed, &mut choices, ask)?;
    }
    let zone = survey.snapshot.time_zone.as_deref();
    if choices.utc_offset.is_none() && zone.is_some_and(|zone| !zone.ends_with("UTC")) {
        let question = format!(
            "deskup's ClickUp user lives in {}; how far is that from UTC, such as +02:00?",
            terminal::plain(zone.unwrap_or_default())
        );
        let check = |text: &str| given::is_offset(text).then_some(()).ok_or("write it like +02:00 or -03:30");
        choices.utc_offset = ask.line(&question, Some("+00:00"), check)?;
    }
    Ok(choices)
}

/// Lists of the chosen spaces, the most general one first.
fn by_generality(survey: &Survey, allowed: &[&Place]) -> Vec<ListId> {
    let ids: Vec<ListId> = allowed.iter().map(|place| place.list.clone()).collect();
    let owned: Vec<Place> = allowed.iter().map(|place| (*place).clone()).collect();
    let best = select(&survey.snapshot.directory.groups, &owned, &Choices::default());
    let first = best.map(|selection| selection.rest);
    let others = ids.into_iter().filter(|id| Some(id) != first.as_ref());
    first.clone().into_iter().chain(others).collect()
}

/// Asks which list takes what no other list takes.
fn ask_for_rest(
    survey: &Survey,
    allowed: &[&Place],
    choices: &mut Choices,
    ask: &mut Ask,
) -> anyhow::Result<()> {
    let order = by_generality(survey, allowed);
    let default = order.first().and_then(|best| allowed.iter().position(|place| place.list == *best));
    let names: Vec<String> = allowed.iter().map(|place| path(place)).collect();
    let question = "Which list takes the tickets of groups without a list of their own name?";
    if let Some(at) = ask.choose(question, &names, default)? {
        let chosen = allowed[at].list.clone();
        let others = order.into_iter().filter(|id| *id != chosen);
        choices.lists = std::iter::once(chosen.clone()).chain(others).collect();
    }
    Ok(())
}

fn path(place: &Place) -> String {
    let folder = place.folder.as_ref().map(|folder| format!(" / {folder}")).unwrap_or_default();
    terminal::plain(&format!("{}{folder} / {} ({})", place.space, place.name, place.list))
}

fn named_list(wanted: &str, places: &[&Place]) -> anyhow::Result<ListId> {
    if let Some(place) = places.iter().find(|place| place.list.as_str() == wanted) {
        return Ok(place.list.clone());
    }
    let named: Vec<&&Place> =
        places.iter().filter(|place| place.name.trim().eq_ignore_ascii_case(wanted.trim())).collect();
    match named.as_slice() {
        [one] => Ok(one.list.clone()),
        [] => {
            let known: Vec<String> = places.iter().take(30).map(|place| path(place)).collect();
            Err(Failed::usage(format!(
                "--list {wanted}: deskup's ClickUp user sees no such list; it sees {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            )))
        }
        several => {
            let ids: Vec<String> = several.iter().map(|place| path(place)).collect();
            Err(Failed::usage(format!(
                "--list {wanted}: several lists have this name; use an id: {}",
                ids.join(", ")
            )))
        }
    }
}

/// A proposal that was tried on both accounts before anybody sees it.
fn proposed(
    survey: &Survey,
    selection: &Selection,
    choices: &Choices,
) -> anyhow::Result<(Proposal, Mapping)> {
    let proposal =
        propose(&survey.snapshot, selection, choices).map_err(|error| Failed::usage(error.to_string()))?;
    let told = |mistakes: Vec<domain::Mistake>| {
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        anyhow::anyhow!(
            "deskup proposed a mapping that does not fit, which is a mistake of deskup:\n{}",
            lines.join("\n")
        )
    };
    let settings = Settings::parse(&proposal.toml).map_err(told)?;
    let mapping = Mapping::new(&settings, &survey.snapshot.directory).map_err(told)?;
    Ok((proposal, mapping))
}
