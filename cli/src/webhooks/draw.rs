//! What `webhooks` shows.

use domain::Side;
use functions::reach::{Checked, Reached};
use functions::registration::{Done, Hook, Registered};
use functions::rotation::Rotated;
use serde_json::{Value as Json, json};

use crate::terminal::{Screen, number, plain};
use crate::width;

/// A table of webhooks. Ids and addresses are there to be copied: where they do not fit, they get lines of their own.
pub fn hooks(hooks: &[Hook], screen: &Screen) -> String {
    if hooks.is_empty() {
        return "there are no webhooks; `deskup webhooks register` makes them".to_owned();
    }
    let rows: Vec<Vec<String>> = hooks
        .iter()
        .map(|hook| {
            vec![
                hook.side.to_string(),
                plain(&hook.state),
                if hook.ours { "yes" } else { "no" }.to_owned(),
                hook.fail_count.map_or_else(|| "-".to_owned(), |n| n.to_string()),
                plain(&hook.id),
                plain(&hook.endpoint),
            ]
        })
        .collect();
    let headings = ["service", "state", "ours", "failed", "id", "delivers to"];
    let whole = Screen { columns: usize::MAX, ..*screen }.table(&headings, &rows);
    let widest = whole.lines().map(width::of).max().unwrap_or_default();
    if widest <= screen.columns {
        return whole;
    }
    let short: Vec<Vec<String>> = rows.iter().map(|row| row[..4].to_vec()).collect();
    let table = screen.table(&headings[..4], &short);
    let mut lines = table.lines();
    let mut text: Vec<String> = lines.next().map(str::to_owned).into_iter().collect();
    for (line, row) in lines.zip(&rows) {
        text.extend([line.to_owned(), format!("    {}", row[4]), format!("    {}", row[5])]);
    }
    text.join("\n")
}

/// What registering did.
pub fn registered(registered: &Registered) -> String {
    let done = match registered.done {
        Done::Made => "made",
        Done::Kept => "was there already",
        Done::Mended => "was suspended or lacked events; mended",
        Done::Renewed => "renewed",
    };
    format!("{}: {done}, delivers to {}\n", registered.side, registered.endpoint)
}

/// What a check found, a paragraph a side.
pub fn checked(all: &[Checked]) -> String {
    all.iter().map(one_checked).collect::<Vec<_>>().join("\n")
}

fn one_checked(one: &Checked) -> String {
    let mut lines = vec![format!("{}: {}", one.side, if one.is_good() { "good" } else { "not good" })];
    if let Some(hook) = &one.hook {
        let failed = hook.fail_count.map(|n| format!(", {n} failures in a row")).unwrap_or_default();
        let revived = if one.revived { "; it is active again by this check" } else { "" };
        lines.push(format!("  webhook     {}{failed}{revived}", plain(&hook.state)));
        lines.push(format!("  delivers to {}", plain(&hook.endpoint)));
        if !hook.missing_events.is_empty() {
            let missing = plain(&hook.missing_events.join(" "));
            lines.push(format!("  lacks       {missing}; `deskup webhooks register` adds them"));
        }
    }
    lines.push(match &one.why {
        None => "  reached     a delivery of our own came through the public URL".to_owned(),
        Some(why) => format!("  reached     no: {}", plain(why)),
    });
    if let Some(deliveries) = &one.deliveries {
        let count = |n: usize| number(n as u64);
        lines.push(format!(
            "  newest      {} taken, {} failed, {} held back; the last at {}",
            count(deliveries.taken),
            count(deliveries.failed),
            count(deliveries.held_back),
            deliveries.newest.as_deref().unwrap_or("no time")
        ));
    }
    lines.join("\n") + "\n"
}

/// What a rotation did.
pub fn rotated(rotated: &Rotated) -> String {
    let side = rotated.now.side;
    match (&rotated.reached, side) {
        (Reached::Yes, Side::Zendesk) => {
            "Zendesk: signs with a new secret, and deskup knows it; the old one is taken for 15 more minutes"
                .to_owned()
        }
        (Reached::Yes, Side::Clickup) => format!(
            "ClickUp: a new webhook delivers to {}, and deskup knows its secret; the old one is removed",
            rotated.now.endpoint
        ),
        (Reached::No(_), _) => format!("{side}: see below"),
    }
}

/// The same for a program.
pub fn rotated_json(rotated: &Rotated) -> Json {
    json!({
        "side": rotated.now.side,
        "id": rotated.now.id,
        "endpoint": rotated.now.endpoint,
        "reached": rotated.reached.is_yes(),
        "removed": rotated.removed,
    })
}

/// What was removed.
pub fn removed(hooks: &[Hook]) -> String {
    if hooks.is_empty() {
        return "there was none that leads to deskup".to_owned();
    }
    let lines: Vec<String> = hooks
        .iter()
        .map(|hook| format!("{}: removed {} ({})", hook.side, plain(&hook.id), plain(&hook.endpoint)))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_never_cut() {
        let hook = Hook {
            side: Side::Clickup,
            id: "7f2c1c0e-6f0e-4b7a-9a52-51d2a7a4a6f1".to_owned(),
            endpoint: "https://deskup.example.com/a/path/of/its/own/clickup".to_owned(),
            ours: true,
            state: "active".to_owned(),
            fail_count: Some(0),
            missing_events: Vec::new(),
            secret: None,
        };
        let at =
            |columns| hooks(std::slice::from_ref(&hook), &Screen { columns, colour: false, terminal: false });
        for columns in [60, 80, 200] {
            let text = at(columns);
            assert!(text.contains(&hook.id) && text.contains(&hook.endpoint), "{columns}:\n{text}");
        }
        assert_eq!(at(200).lines().count(), 2);
        assert_eq!(at(80).lines().count(), 4);
    }
}
