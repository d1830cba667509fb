//! The tables of a proposal: statuses, priorities, people, fields.

use super::{LINES_MAX, Out, Parts, some};
use crate::proposal::names::{key, quoted, remark};

pub(super) fn status(out: &mut Out<'_>, parts: &Parts<'_>) {
    let plan = &parts.routed.statuses;
    out.line("\n[status]");
    out.say(
        "Zendesk status = ClickUp status. Where several become one, the way back is the first of them that a person can \
         set.",
    );
    if !plan.sound {
        out.ask("status", "no status to begin with, or none to end with, was recognised: look at every line");
    }
    for (zendesk, clickup) in &plan.table {
        if plan.shared.contains(zendesk) && plan.sound {
            let hidden = *zendesk == "hold" && parts.snapshot.hold_hidden;
            if hidden {
                out.say("Zendesk does not show `hold` to agents in this account.");
            } else {
                out.ask(
                    "status",
                    format!("no status of the lists says `{zendesk}`; it shows as `{}`", remark(clickup)),
                );
            }
        }
        out.line(&format!("{zendesk} = {}", quoted(clickup)));
    }
    own_statuses(out, parts);
    back(out, parts);
}

/// Custom statuses: a status of their own name, or that of their category.
fn own_statuses(out: &mut Out<'_>, parts: &Parts<'_>) {
    let statuses = &parts.routed.statuses;
    let mut named: Vec<String> = Vec::new();
    let known: Vec<String> =
        parts.snapshot.directory.custom_statuses.values().map(|(_, label)| label.to_lowercase()).collect();
    for own in &parts.snapshot.own_statuses {
        let label = own.label.trim();
        let lower = label.to_lowercase();
        // The file knows statuses by their label: one that is not unique cannot be named.
        let unique = known.iter().filter(|other| **other == lower).count() == 1;
        // Words that mean something else at this place of the file.
        let taken =
            ["new", "open", "pending", "hold", "solved", "closed", "to_zendesk"].contains(&lower.as_str());
        if label.is_empty() || label != own.label || !unique || taken || named.contains(&lower) {
            out.ask(
                "status",
                format!(
                    "Zendesk's own status `{}` cannot be named here; it counts as {}",
                    remark(label),
                    own.category
                ),
            );
            continue;
        }
        let in_all = parts.routed.in_all(&parts.snapshot.directory, label);
        match in_all {
            Some(clickup) => out.line(&format!("{} = {}", key(label), quoted(&clickup))),
            None => {
                let shows = statuses.table.iter().find(|(zendesk, _)| *zendesk == own.category);
                let shows = shows.map_or("", |(_, clickup)| clickup.as_str());
                out.ask(
                    "status",
                    format!(
                        "Zendesk's own status `{}` counts as {}, so its tickets show as `{}`; to tell it apart add: {} = \"…\"",
                        remark(label),
                        own.category,
                        remark(shows),
                        remark(&key(label)),
                    ),
                );
            }
        }
        named.push(lower);
    }
}

fn back(out: &mut Out<'_>, parts: &Parts<'_>) {
    let plan = &parts.routed.statuses;
    if plan.back.is_empty() {
        return;
    }
    out.line("\n[status.to_zendesk]");
    out.say(
        "ClickUp status = Zendesk status, for what the table above does not name. A task that is put into a status that \
         is in neither table leaves its ticket alone and shows as a conflict.",
    );
    for back in plan.back.iter().filter(|back| back.sure) {
        if let Some(zendesk) = back.zendesk {
            out.line(&format!("{} = {}", key(&back.clickup), quoted(zendesk)));
        }
    }
    let unsure: Vec<_> = plan.back.iter().filter(|back| !back.sure).collect();
    if unsure.is_empty() {
        return;
    }
    let names: Vec<&str> = unsure.iter().map(|back| back.clickup.as_str()).collect();
    out.ask(
        "status",
        format!("what should a ticket become when its task is {}? Take the # off, or leave it", some(&names)),
    );
    for back in unsure.iter().take(LINES_MAX) {
        out.line(&format!("# {} = {}", remark(&key(&back.clickup)), quoted(back.zendesk.unwrap_or("…"))));
    }
}

pub(super) fn priority(out: &mut Out<'_>) {
    out.line("\n[priority]");
    out.say("Zendesk priority = ClickUp priority. `none` stands for a ticket or task without one.");
    for name in ["urgent", "high", "normal", "low", "none"] {
        out.line(&format!("{name} = {}", quoted(name)));
    }
}

pub(super) fn people(out: &mut Out<'_>, parts: &Parts<'_>) {
    let people = &parts.people;
    out.line("\n[people]");
    out.say(
        "Zendesk address = ClickUp address, for people whose addresses differ. Equal addresses belong together without \
         being named here.",
    );
    if !people.matched.is_empty() {
        let names: Vec<&str> = people.matched.iter().map(String::as_str).collect();
        out.say(&format!("{} agents have the same address on both sides: {}.", names.len(), some(&names)));
    }
    if people.alone.is_empty() {
        return;
    }
    let names: Vec<&str> = people.alone.iter().map(|(name, _)| name.as_str()).collect();
    out.ask(
        "people",
        format!(
            "agents whose address nobody has in ClickUp: {}. Their tickets get tasks without an assignee",
            some(&names)
        ),
    );
    for (zendesk, clickup) in people.suggested.iter().take(LINES_MAX) {
        out.line(&format!("# {} = {} # the same name", remark(&quoted(zendesk)), remark(&quoted(clickup))));
    }
}

pub(super) fn standard_fields(out: &mut Out<'_>, parts: &Parts<'_>) {
    out.line("\n[fields]");
    out.say(
        "direction: both, to_clickup, to_zendesk or off. rule, when both sides changed a field: zendesk or clickup wins, \
         newest wins, ask leaves both as they are; union is for tags. The value that lost is kept and shown.",
    );
    for line in [
        "title = { direction = \"both\", rule = \"zendesk\" }",
        "description = { direction = \"to_clickup\" }",
        "status = { direction = \"both\", rule = \"zendesk\" }",
        "priority = { direction = \"both\", rule = \"zendesk\" }",
        "assignee = { direction = \"both\", rule = \"zendesk\" }",
        "tags = { direction = \"both\", rule = \"union\" }",
    ] {
        out.line(line);
    }
    out.say("Zendesk has due dates on tickets of type task only.");
    if let Some((id, title)) = &parts.fields.due {
        out.ask(
            "fields",
            format!(
                "to keep due dates in Zendesk's field `{}` instead, add zendesk_field = {id} here",
                remark(title)
            ),
        );
    }
    out.line("due_date = { direction = \"both\", rule = \"clickup\" }");
}

pub(super) fn custom_fields(out: &mut Out<'_>, parts: &Parts<'_>) {
    let fields = &parts.fields;
    out.line("");
    out.say(
        "Custom fields that both sides have, by their ids. Options of drop-downs belong together by their names, or by \
         [field.options], which then has to name them all.",
    );
    for (name, why) in fields.apart.iter().take(LINES_MAX) {
        out.ask("field", format!("`{}` is on both sides and was left out: {why}", remark(name)));
    }
    if !fields.alone.is_empty() {
        let names: Vec<&str> = fields.alone.iter().map(String::as_str).collect();
        out.say(&format!("Zendesk's fields without a namesake in ClickUp: {}.", some(&names)));
    }
    for pair in &fields.pairs {
        out.line("\n[[field]]");
        out.line(&format!("name = {}", quoted(&pair.name)));
        out.line(&format!("zendesk = {} # {}", pair.zendesk, pair.zendesk_kind));
        out.line(&format!("clickup = {} # {}", quoted(&pair.clickup), remark(&pair.clickup_kind)));
        for (side, names) in [("ClickUp", &pair.without.0), ("Zendesk", &pair.without.1)] {
            if !names.is_empty() {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                out.ask(
                    "field",
                    format!(
                        "options of `{}` that {side} does not have: {}",
                        remark(&pair.name),
                        some(&names)
                    ),
                );
            }
        }
        if !pair.options.is_empty() {
            out.line("[field.options]");
        }
        for (zendesk, clickup) in &pair.options {
            out.line(&format!("{} = {}", key(zendesk), quoted(clickup)));
        }
    }
}
