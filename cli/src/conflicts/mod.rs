//! Shows conflicts, and settles them: a kept value goes to both sides after all, or both stay as they are.

mod apply;

use clap::{Subcommand, ValueEnum};
use domain::Side;
use functions::person;
use stores::Store;
use stores::conflicts::{ConflictRow, ConflictState};

use crate::args::StateArgs;
use crate::installation::Installation;
use crate::query::conflicts::{self, ConflictDetails, ConflictView, Origin};
use crate::query::{Labels, causes, record};
use crate::terminal::{self, Screen};
use crate::{hands, help, machine};

/// Conflicts that a listing reads at most.
const ROWS_MAX: usize = 10_000;

/// Narrower screens leave out whose value stands.
const WIDE: usize = 100;

/// What stands where nobody's value went to the other side.
pub(crate) const EACH: &str = "each its own";

/// Options of `conflicts`.
#[derive(Debug, clap::Args)]
#[command(after_help = help::CONFLICTS)]
pub struct ConflictsArgs {
    /// What to do; a list without it
    #[command(subcommand)]
    pub action: Option<Action>,
    /// Only those of this ticket, settled ones too: its number, its task's id, or the address of either
    #[arg(long, value_name = "TICKET")]
    pub ticket: Option<String>,
    /// Which installation, and how to print
    #[command(flatten)]
    pub state: StateArgs,
}

/// What to do with conflicts.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List open conflicts, the oldest first
    List {
        /// Only those of this ticket, settled ones too
        #[arg(long, value_name = "TICKET")]
        ticket: Option<String>,
        /// Which installation, and how to print
        #[command(flatten)]
        state: StateArgs,
    },
    /// Show both values of one, whose they are, and the rule that decided
    Show {
        /// Its id, such as 12-3fa9c1
        id: String,
        /// Which installation, and how to print
        #[command(flatten)]
        state: StateArgs,
    },
    /// Put one of its values on both sides
    Apply {
        /// Its id, such as 12-3fa9c1
        id: String,
        /// Whose kept value goes to both sides
        side: Which,
        /// Apply it without asking where the field was changed since the conflict; elsewhere nothing is asked anyway
        #[arg(long)]
        yes: bool,
        /// Which installation, and how to print
        #[command(flatten)]
        state: StateArgs,
    },
    /// Leave both sides as they are, and stop asking
    Dismiss {
        /// Its id, such as 12-3fa9c1
        id: String,
        /// Which installation, and how to print
        #[command(flatten)]
        state: StateArgs,
    },
}

/// One of the two services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// Zendesk's kept value
    Zendesk,
    /// ClickUp's kept value
    Clickup,
}

impl Which {
    fn side(self) -> Side {
        match self {
            Which::Zendesk => Side::Zendesk,
            Which::Clickup => Side::Clickup,
        }
    }
}

/// Runs `deskup conflicts`.
pub fn run(args: &ConflictsArgs) -> anyhow::Result<()> {
    machine::runtime()?.block_on(async {
        match &args.action {
            None => list(&args.state, args.ticket.as_deref()).await,
            Some(Action::List { ticket, state }) => {
                list(over(state, &args.state), ticket.as_deref().or(args.ticket.as_deref())).await
            }
            Some(Action::Show { id, state }) => show(over(state, &args.state), id).await,
            Some(Action::Apply { id, side, yes, state }) => {
                apply::apply(over(state, &args.state), id, side.side(), *yes).await
            }
            Some(Action::Dismiss { id, state }) => dismiss(over(state, &args.state), id).await,
        }
    })
}

/// Options may stand before the action or after it.
pub fn over<'a>(inner: &'a StateArgs, outer: &'a StateArgs) -> &'a StateArgs {
    if inner.folder.dir.is_none() && outer.folder.dir.is_some() || outer.json && !inner.json {
        outer
    } else {
        inner
    }
}

async fn list(args: &StateArgs, ticket: Option<&str>) -> anyhow::Result<()> {
    let installation = Installation::locate(&args.folder);
    let store = installation.look().await?;
    let ticket = match ticket {
        Some(ticket) => Some(record::find(&store, ticket).await?),
        None => None,
    };
    let labels = Labels::load(&installation, &store).await?;
    let views = conflicts::list(&store, &labels, ticket, ROWS_MAX).await?;
    if args.json {
        terminal::data(&serde_json::json!({ "conflicts": views }).to_string());
    } else {
        terminal::data(&draw_list(&views, ticket.is_some(), &Screen::stdout()));
    }
    Ok(())
}

pub(crate) fn draw_list(views: &[ConflictView], of_ticket: bool, screen: &Screen) -> String {
    if views.is_empty() {
        return if of_ticket { "the ticket has no conflict" } else { "no conflict is open" }.to_owned();
    }
    // Where nothing but open conflicts is listed, saying so in every line would only take room.
    let with_state = views.iter().any(|view| view.state != "open" || view.asked.is_some());
    let rows: Vec<Vec<String>> = views.iter().map(|view| list_row(view, with_state, screen)).collect();
    let mut headings = vec!["id", "field", "why", "Zendesk", "ClickUp"];
    headings.extend((screen.columns >= WIDE).then_some("stands"));
    headings.extend(with_state.then_some("state"));
    let table = screen.table_of(&headings, &rows, &[3, 4]);
    let open: Vec<&ConflictView> = views.iter().filter(|view| view.state == "open").collect();
    let footer = (!open.is_empty()).then(|| footer(&open, screen).join("\n"));
    [Some(table), footer].into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// What to type next, with ids for which it works.
fn footer(open: &[&ConflictView], screen: &Screen) -> Vec<String> {
    let count = terminal::number(open.len() as u64);
    let mut said = format!("{count} open. `deskup conflicts show {}` tells everything of one.", open[0].id);
    let both = open.iter().find(|view| view.can_apply.len() == 2);
    if let Some(view) = both.or_else(|| open.iter().find(|view| !view.can_apply.is_empty())) {
        let side = match view.can_apply.as_slice() {
            [side] => side.to_string().to_lowercase(),
            _ => "zendesk` or `clickup".to_owned(),
        };
        said.push_str(&format!(
            " `deskup conflicts apply {} {side}` puts that value on both sides.",
            view.id
        ));
    }
    let stuck: Vec<&&ConflictView> = open.iter().filter(|view| view.can_apply.is_empty()).collect();
    if let Some(view) = stuck.first() {
        let count = terminal::number(stuck.len() as u64);
        said.push_str(&format!(" {count} cannot be applied: `show {}` says what helps.", view.id));
    }
    let mut lines = screen.wrap(&said, 0);
    if screen.columns >= WIDE {
        lines.extend(screen.wrap(
            &format!(
                "`stands`: whose value both sides hold since; `{EACH}` where each side kept what it had."
            ),
            0,
        ));
    }
    lines
}

fn list_row(view: &ConflictView, with_state: bool, screen: &Screen) -> Vec<String> {
    let value = |value| terminal::cut(value, screen.cell_columns(2));
    let mut row = vec![
        view.id.clone(),
        view.field.clone(),
        causes::words(&view.cause).to_owned(),
        value(&view.shown.zendesk),
        value(&view.shown.clickup),
    ];
    if screen.columns >= WIDE {
        row.push(view.winner.map_or_else(|| EACH.to_owned(), |side| side.to_string()));
    }
    row.extend(with_state.then(|| match view.asked {
        Some(side) => format!("{side} asked for"),
        None => view.state.clone(),
    }));
    row
}

async fn show(args: &StateArgs, id: &str) -> anyhow::Result<()> {
    let installation = Installation::locate(&args.folder);
    let store = installation.look().await?;
    let row = conflicts::find(&store, id).await?;
    let labels = Labels::load(&installation, &store).await?;
    let details = conflicts::details(&store, &labels, &row).await?;
    if args.json {
        terminal::data(&serde_json::to_string(&details)?);
    } else {
        terminal::data(&draw_details(&details, &Screen::stdout()));
    }
    Ok(())
}

pub(crate) fn draw_details(details: &ConflictDetails, screen: &Screen) -> String {
    let view = &details.conflict;
    let task = details.task.as_deref().unwrap_or("none");
    let mut lines =
        vec![screen.heading(&screen.line(&format!(
            "conflict {}: {} of ticket {} and task {task}",
            view.id, view.field, view.ticket
        )))];
    let stands = view
        .winner
        .map_or_else(|| "each side keeps its own".to_owned(), |side| format!("{side}'s value stands"));
    lines.extend(
        screen
            .wrap(&format!("{}: {} ({}); {stands}", view.at, causes::words(&view.cause), view.rule_shown), 2),
    );
    let sides = [
        (
            ("Zendesk", &details.zendesk_set),
            (&view.zendesk, &view.shown.zendesk),
            (&details.zendesk_now, &details.now_shown.zendesk),
        ),
        (
            ("ClickUp", &details.clickup_set),
            (&view.clickup, &view.shown.clickup),
            (&details.clickup_now, &details.now_shown.clickup),
        ),
    ];
    for ((name, set), (kept, shown), (now, now_shown)) in sides {
        lines.push(String::new());
        lines.push(screen.heading(&screen.line(&format!("{name}, set {}", said_of(set)))));
        lines.extend(screen.text(&whole(kept, shown), 2));
        if now != kept {
            lines.push(screen.line(&format!("  now: {now_shown}")));
        }
    }
    lines.push(String::new());
    lines.push(screen.line(&format!("before: {}", view.before)));
    lines.extend(screen.wrap(&outcome(view), 2));
    lines.join("\n")
}

fn said_of(set: &Origin) -> String {
    match (&set.at, &set.by) {
        (None, _) => "when and by whom is unknown".to_owned(),
        (Some(at), None) => format!("{at} by somebody unknown"),
        (Some(at), Some(by)) => format!("{at} by {by}"),
    }
}

/// A value with all its lines, where it is a text of several.
fn whole(value: &serde_json::Value, shown: &str) -> String {
    match value {
        serde_json::Value::String(text) if text.trim().contains('\n') => text.clone(),
        _ => shown.to_owned(),
    }
}

fn outcome(view: &ConflictView) -> String {
    match (&view.settled, view.asked, &view.answer) {
        (Some(settled), ..) => match settled.side {
            Some(side) => format!("settled: {side}'s value was applied {} by {}", settled.at, settled.by),
            None => format!("settled: dismissed {} by {}", settled.at, settled.by),
        },
        (None, Some(side), _) => format!("open: {side}'s value was asked for and is not applied yet"),
        (None, None, Some(answer)) => {
            format!(
                "open: what was asked for last could not be done: {answer}; {}",
                view.offers.words(&view.id)
            )
        }
        (None, None, None) => format!("open: {}", view.offers.words(&view.id)),
    }
}

async fn dismiss(args: &StateArgs, id: &str) -> anyhow::Result<()> {
    let store = Installation::locate(&args.folder).look().await?;
    let row = conflicts::find(&store, id).await?;
    if row.state == ConflictState::Open {
        person::dismiss(&store, &row, &hands::user()).await?;
    }
    tell(args, &store, &row).await
}

/// Says where a conflict stands now.
async fn tell(args: &StateArgs, store: &Store, row: &ConflictRow) -> anyhow::Result<()> {
    let row = store.conflicts().get(row.ticket, &row.id).await?.unwrap_or_else(|| row.clone());
    let labels = Labels::load(&Installation::locate(&args.folder), store).await?;
    let details = conflicts::details(store, &labels, &row).await?;
    if args.json {
        terminal::data(&serde_json::to_string(&details)?);
        return Ok(());
    }
    let both = match &details.conflict.settled {
        Some(settled) if settled.side.is_some() => format!(
            "\nZendesk holds: {}\nClickUp holds: {}",
            details.now_shown.zendesk, details.now_shown.clickup
        ),
        _ => String::new(),
    };
    terminal::data(&format!("{}: {}{both}", details.conflict.id, outcome(&details.conflict)));
    Ok(())
}
