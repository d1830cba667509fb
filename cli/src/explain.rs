//! Shows why each field of a pair has its value.

use crate::args::StateArgs;
use crate::help;
use crate::installation::Installation;
use crate::machine;
use crate::query::explain::{ExplainView, FieldView, UNMOVED, explain};
use crate::query::{Labels, causes, record};
use crate::terminal::{self, Screen};

/// Options of `explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = help::EXPLAIN)]
pub struct ExplainArgs {
    /// The ticket's number, the task's id, or the address of either from the browser
    pub record: String,
    /// Only this field, with everything that is known of it, such as `status` or `custom.Severity`
    pub field: Option<String>,
    /// Which installation, and how to print
    #[command(flatten)]
    pub state: StateArgs,
}

/// Runs `deskup explain`.
pub fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let installation = Installation::locate(&args.state.folder);
    let view = machine::runtime()?.block_on(async {
        let store = installation.look().await?;
        let ticket = record::find(&store, &args.record).await?;
        let labels = Labels::load(&installation, &store).await?;
        explain(&store, &labels, ticket, args.field.as_deref()).await
    })?;
    if args.state.json {
        terminal::data(&serde_json::to_string(&view)?);
    } else {
        terminal::data(&draw(&view, args.field.is_some(), &Screen::stdout()));
    }
    Ok(())
}

/// Narrower screens have the reasons below the values.
const WIDE: usize = 120;

/// A value of a history is shown so far.
const VALUE_COLUMNS: usize = 30;

pub(crate) fn draw(view: &ExplainView, whole: bool, screen: &Screen) -> String {
    let task = view.task.as_deref().unwrap_or("none yet");
    let list = view.list_shown.as_deref().map(|list| format!(" in list {list}")).unwrap_or_default();
    let mut lines = vec![
        screen.heading(&screen.line(&format!("ticket {} = task {task}{list}, {}", view.ticket, view.state))),
    ];
    lines.extend(screen.wrap(&format!("made by {}", view.origin), 2));
    if let Some(cause) = &view.quarantine {
        let said = format!("set aside: {cause}; `deskup quarantine show {}`", view.ticket);
        lines.extend(screen.wrap(&said, 2).iter().map(|line| screen.bad(line)));
    }
    lines.push(format!("{} comments and {} files known", view.comments, view.attachments));
    lines.push(String::new());
    lines.extend(fields(view, screen));
    let told: Vec<&FieldView> =
        view.fields.iter().filter(|field| whole || !field.conflicts.is_empty()).collect();
    for field in told {
        lines.push(String::new());
        lines.push(screen.heading(&screen.line(&field.field)));
        for (at, what) in history(field, whole) {
            lines.extend(screen.wrap_after(&format!("  {at}  "), &what));
        }
    }
    lines.join("\n")
}

/// Both values of each field, and why: beside them where there is room, else below.
fn fields(view: &ExplainView, screen: &Screen) -> Vec<String> {
    let beside = screen.columns >= WIDE;
    let rows: Vec<Vec<String>> = view
        .fields
        .iter()
        .map(|field| {
            let value = |value| terminal::cut(value, screen.cell_columns(2).max(24));
            let mut row = vec![field.field.clone(), value(&field.shown.zendesk), value(&field.shown.clickup)];
            row.extend(beside.then(|| field.why.clone()));
            row
        })
        .collect();
    let mut headings = vec!["field", "Zendesk", "ClickUp"];
    headings.extend(beside.then_some("why"));
    let mut lines = vec![screen.table_of(&headings, &rows, &[1, 2])];
    let moved = view.fields.iter().filter(|field| field.why != UNMOVED);
    let moved: Vec<&FieldView> = moved.filter(|_| !beside).collect();
    if !moved.is_empty() {
        lines.push(String::new());
    }
    for field in moved {
        lines.extend(screen.wrap_after(&format!("  {}: ", field.field), &field.why));
    }
    lines
}

/// What is known of a field, the oldest first: with `whole` everything, otherwise its conflicts.
fn history(field: &FieldView, whole: bool) -> Vec<(String, String)> {
    let value = |value: &str| terminal::cut(value, VALUE_COLUMNS);
    let mut told: Vec<(String, String)> = Vec::new();
    if whole {
        for change in &field.changes {
            let by = change.by.as_deref().unwrap_or("somebody unknown");
            let to = change.shown.as_ref().map(|to| format!(" to {}", value(to))).unwrap_or_default();
            told.push((change.at.clone(), format!("changed on {}{to} by {by}", change.on)));
        }
        for write in &field.writes {
            let (before, after) = (value(&write.shown.0), value(&write.shown.1));
            told.push((
                write.at.clone(),
                format!("deskup wrote to {}: {before} -> {after} ({})", write.to, write.state),
            ));
        }
    }
    for conflict in &field.conflicts {
        let (zendesk, clickup) = (value(&conflict.shown.zendesk), value(&conflict.shown.clickup));
        let what = format!(
            "conflict {} ({}, {}): Zendesk {zendesk} | ClickUp {clickup}",
            conflict.id,
            conflict.state,
            causes::words(&conflict.cause)
        );
        told.push((conflict.at.clone(), what));
    }
    told.sort();
    if told.is_empty() {
        told.push(("-".to_owned(), "nothing happened to it since the task was made".to_owned()));
    }
    told
}
