//! What `init` tells: who deskup is, what was found and looked at, what is left to a person.

use domain::{Person, Side};
use serde_json::{Value as Json, json};

use super::Connected;
use super::save::Saved;
use crate::terminal::{self, heading, number, plain};

/// For machines.
pub fn json(connected: &Connected, saved: &Saved) -> Json {
    let Connected { survey, workspace, proposal, warnings, limits } = connected;
    let directory = &survey.snapshot.directory;
    json!({
        "settings_file": saved.settings,
        "written": !saved.unchanged,
        "backup": saved.backup,
        "credentials_file": saved.credentials,
        "zendesk": {
            "url": survey.snapshot.zendesk_url,
            "user": user(&survey.users.0),
            "requests_per_minute": limits.0,
            "sandbox": survey.settings.sandbox,
            "scopes": survey.scopes,
            "agents": directory.zendesk_people.len(),
            "groups": directory.groups.len(),
            "fields": directory.zendesk_fields.len(),
            "custom_statuses": directory.custom_statuses.len(),
            "triggers": survey.triggers.len(),
            "forms": survey.snapshot.forms.len(),
            "organizations": survey.snapshot.organizations.len(),
            "looked": survey.looked.0,
        },
        "clickup": {
            "url": survey.snapshot.clickup_url,
            "user": user(&survey.users.1),
            "workspace": {"id": workspace.id, "name": workspace.name},
            "plan": survey.plan,
            "requests_per_minute": limits.1,
            "time_zone": survey.snapshot.time_zone,
            "members": directory.clickup_people.len(),
            "lists": survey.snapshot.places,
            "looked": survey.looked.1,
        },
        "requests": limits.2,
        "found": proposal.found,
        "open": proposal.open,
        "warnings": warnings,
    })
}

fn user(person: &Person) -> Json {
    json!({"id": person.id, "name": person.name, "email": person.email, "role": person.role})
}

/// For people.
pub fn text(connected: &Connected, saved: &Saved) -> String {
    let Connected { survey, workspace, proposal, warnings, limits } = connected;
    let per_minute = |limit: Option<u32>| {
        limit.map_or_else(String::new, |limit| format!(", {} requests a minute", number(limit.into())))
    };
    let plan = survey.plan.as_ref().map(|plan| format!(", plan {}", plain(plan))).unwrap_or_default();
    let found = &proposal.found;
    let mut out = String::new();
    let mut row = |name: &str, text: String| {
        out.push_str(&item(name, &text));
    };
    row(
        "Zendesk",
        format!("{} as {}{}", survey.snapshot.zendesk_url, who(&survey.users.0), per_minute(limits.0)),
    );
    row(
        "ClickUp",
        format!(
            "workspace {} ({}) as {}{plan}{}",
            plain(&workspace.name),
            workspace.id,
            who(&survey.users.1),
            per_minute(limits.1)
        ),
    );
    row(
        "found",
        format!(
            "{} of {} agents in ClickUp, {} of {} groups with a list of their own name, {} custom fields on both sides, a \
             status of its own for {} of 6, {} triggers, {} lists",
            found.people_matched,
            found.people,
            found.groups_routed,
            found.groups,
            found.fields,
            found.statuses,
            survey.triggers.len(),
            survey.snapshot.places.len(),
        ),
    );
    let looked = [(Side::Zendesk, &survey.looked.0, "updates"), (Side::Clickup, &survey.looked.1, "tasks")];
    let looked: Vec<String> =
        looked.into_iter().map(|(side, looked, what)| format!("{side} {}", looked.words(what))).collect();
    row("looked at", looked.join("; "));
    let settings = saved.settings.display();
    let what = match (&saved.backup, saved.unchanged) {
        (_, true) => format!("{settings} is as it was"),
        (Some(backup), _) => format!("{settings}; the old one is {}", backup.display()),
        (None, _) => settings.to_string(),
    };
    row("written", what);
    row(
        "credentials",
        match &saved.credentials {
            Some(path) => format!("{}, readable by you alone", path.display()),
            None => "where they were; --save-credentials keeps those of the environment in credentials.toml"
                .to_owned(),
        },
    );
    list(
        &mut out,
        "Left to you, also marked `# ?` in the file",
        proposal.open.iter().map(|o| (o.table, o.text.as_str())),
    );
    list(&mut out, "Good to know", warnings.iter().map(|w| (w.topic, w.text.as_str())));
    out.push_str("\nNext: `deskup check` after every edit of the file, then `deskup plan`\n");
    out
}

fn who(person: &Person) -> String {
    let mail = person.email.as_ref().map(|mail| format!(" <{}>", plain(mail))).unwrap_or_default();
    format!("{}{mail}, {}", plain(&person.name), plain(&person.role))
}

/// A heading with what is below it; nothing when there is nothing.
pub fn list<'t>(out: &mut String, title: &str, entries: impl Iterator<Item = (&'t str, &'t str)>) {
    let mut entries = entries.peekable();
    if entries.peek().is_none() {
        return;
    }
    out.push_str(&format!("\n{}\n", heading(title)));
    for (name, text) in entries {
        out.push_str(&item(name, &plain(text)));
    }
}

/// A name and a text that is broken at the terminal's edge.
pub fn item(name: &str, text: &str) -> String {
    const INDENT: usize = 14;
    let width = terminal::columns().saturating_sub(INDENT).max(30);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    let rest = lines.join(&format!("\n{}", " ".repeat(INDENT)));
    format!("  {name:<width$}{rest}\n", width = INDENT - 2)
}
