//! Shows why each field of a pair has its value.

use crate::args::ExplainArgs;
use crate::installation::Installation;
use crate::machine;
use crate::query::{self, ExplainView};
use crate::terminal::{self, plain, table};

/// Runs `deskup explain`.
pub fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let installation = Installation::locate(&args.state.folder);
    let view = machine::runtime()?.block_on(async {
        let store = installation.look().await?;
        let ticket = query::find(&store, &args.record).await?;
        query::explain(&store, ticket, args.field.as_deref()).await
    })?;
    if args.state.json {
        terminal::data(&serde_json::to_string(&view)?);
    } else {
        terminal::data(&draw(&view));
    }
    Ok(())
}

fn draw(view: &ExplainView) -> String {
    let task = view.task.as_deref().unwrap_or("no task yet");
    let mut text =
        format!("ticket {} = task {task} ({}, made by {})\n", view.ticket, view.state, view.origin);
    if let Some(cause) = &view.quarantine {
        text.push_str(&format!("set aside: {cause}\n"));
    }
    text.push_str(&format!("{} comments and {} files known\n\n", view.comments, view.attachments));
    let width = (terminal::columns().saturating_sub(64) / 2).clamp(12, 40);
    let rows: Vec<Vec<String>> = view
        .fields
        .iter()
        .map(|field| {
            vec![
                field.field.clone(),
                terminal::cut(&value(&field.zendesk), width),
                terminal::cut(&value(&field.clickup), width),
                field.why.clone(),
            ]
        })
        .collect();
    text.push_str(&table(&["field", "Zendesk", "ClickUp", "why"], &rows));
    for field in view.fields.iter().filter(|field| !field.conflicts.is_empty()) {
        for conflict in &field.conflicts {
            text.push_str(&format!(
                "\n  {} {}: {} | Zendesk {} | ClickUp {}",
                conflict.at,
                field.field,
                conflict.rule,
                terminal::cut(&value(&conflict.zendesk), 40),
                terminal::cut(&value(&conflict.clickup), 40),
            ));
        }
    }
    text
}

/// A stored value in one line.
fn value(value: &serde_json::Value) -> String {
    let inner = match value {
        serde_json::Value::Object(map) => match map.iter().next() {
            Some((kind, _)) if kind == "hash" => return "(long text)".to_owned(),
            Some((_, inner)) => inner.clone(),
            None => serde_json::Value::Null,
        },
        other => other.clone(),
    };
    match &inner {
        serde_json::Value::String(text) if text == "null" => "-".to_owned(),
        serde_json::Value::String(text) => plain(text),
        serde_json::Value::Null => "-".to_owned(),
        serde_json::Value::Array(items) => {
            let items: Vec<String> =
                items.iter().map(|i| i.as_str().unwrap_or_default().to_owned()).collect();
            plain(&items.join(", "))
        }
        other => other.to_string(),
    }
}
