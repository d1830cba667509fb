//! The text of a proposal: every line says what it does, and what could not be decided stands beside what it is
//! about as a `# ?` comment.

mod tables;

use super::fields::FieldPlan;
use super::lists::Routed;
use super::names::{plain, quoted, remark, remarks, visible};
use super::people::PeoplePlan;
use super::{Choices, Open, Selection, Snapshot};
use crate::ids::ListId;

/// Comments are broken here.
const COLUMNS: usize = 110;
/// Names in one comment; the rest is a number.
const NAMES_MAX: usize = 12;
/// Lines of suggestions in one table; the rest is a number.
const LINES_MAX: usize = 40;

/// What the text is made of.
pub(super) struct Parts<'s> {
    pub snapshot: &'s Snapshot,
    pub selection: &'s Selection,
    pub choices: &'s Choices,
    pub routed: Routed,
    pub people: PeoplePlan,
    pub fields: FieldPlan,
}

/// Tickets of a pilot: few enough to look at each.
const PILOT_TICKETS: u32 = 20;

/// The text so far, and what is left open.
pub(super) struct Out<'o> {
    text: String,
    open: &'o mut Vec<Open>,
}

impl Out<'_> {
    /// A line as it is.
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A comment, broken where it is long.
    fn say(&mut self, text: &str) {
        self.wrapped("# ", text);
    }

    /// Something that a person has to decide.
    fn ask(&mut self, table: &'static str, text: impl Into<String>) {
        let text = text.into();
        self.wrapped("# ? ", &text);
        self.open.push(Open { table, text });
    }

    fn wrapped(&mut self, lead: &str, text: &str) {
        let mut line = lead.to_owned();
        let mut width = lead.chars().count();
        let mut empty = true;
        for word in visible(text).split(' ') {
            let length = word.chars().count();
            if !empty && width + 1 + length > COLUMNS {
                self.line(&line);
                line = format!("#{}", " ".repeat(lead.len() - 1));
                width = lead.len();
                empty = true;
            }
            if !empty {
                line.push(' ');
                width += 1;
            }
            line.push_str(word);
            width += length;
            empty = false;
        }
        self.line(line.trim_end());
    }
}

pub(super) fn text(parts: &Parts<'_>, open: &mut Vec<Open>) -> String {
    let early = std::mem::take(open);
    let mut out = Out { text: String::new(), open };
    head(&mut out, parts);
    sync(&mut out);
    scope(&mut out);
    routes(&mut out, parts, early);
    tables::status(&mut out, parts);
    tables::priority(&mut out);
    tables::people(&mut out, parts);
    tables::standard_fields(&mut out, parts);
    tables::custom_fields(&mut out, parts);
    out.text
}

fn head(out: &mut Out<'_>, parts: &Parts<'_>) {
    let snapshot = parts.snapshot;
    out.say("How Zendesk and ClickUp belong together, as `deskup init` read it from both accounts. Edit it as you like.");
    out.say(
        "`deskup check` compares it with both accounts, `deskup plan` shows every write before it is made.",
    );
    out.say("What begins with `# ?` could not be decided and waits for you.");
    out.line("\n[zendesk]");
    out.say("The account. Credentials are never in this file: they are in credentials.toml or in the environment.");
    out.line(&format!("url = {}", quoted(&snapshot.zendesk_url)));
    out.line("\n[clickup]");
    out.line(&format!("url = {}", quoted(&snapshot.clickup_url)));
    out.say(&format!("The number of the workspace `{}`.", remark(&snapshot.workspace_name)));
    out.line(&format!("workspace = {}", quoted(&snapshot.workspace)));
    out.say(
        "How far the clock of deskup's ClickUp user is from UTC: ClickUp keeps a day as 4 a.m. of that clock, and a \
         wrong number moves due dates by a day.",
    );
    let offset = match (&parts.choices.utc_offset, &snapshot.time_zone) {
        (Some(offset), _) => offset.as_str(),
        (None, Some(zone)) if is_utc(zone) => "+00:00",
        (None, zone) => {
            let zone = zone.as_ref().map_or_else(
                || "ClickUp does not say in which time zone its user lives".to_owned(),
                |zone| format!("deskup's ClickUp user lives in {}", remark(zone)),
            );
            out.ask(
                "clickup",
                format!(
                    "{zone}: write its offset from UTC, such as \"+02:00\", or set the user's zone to UTC"
                ),
            );
            "+00:00"
        }
    };
    out.line(&format!("utc_offset = {}", quoted(offset)));
}

fn is_utc(zone: &str) -> bool {
    matches!(zone, "UTC" | "Etc/UTC" | "Etc/GMT" | "GMT" | "Etc/Universal" | "Etc/Zulu" | "Africa/Abidjan")
}

fn sync(out: &mut Out<'_>) {
    out.line("\n[sync]");
    for (about, line) in [
        (
            "What people write in ClickUp becomes an internal note (\"internal\"), or goes to the requester (\"public\").",
            "comments_to_zendesk = \"internal\"",
        ),
        (
            "Whether internal notes of Zendesk are copied to ClickUp, where everybody who sees the task reads them.",
            "internal_notes_to_clickup = false",
        ),
        ("Whether files are copied, both ways.", "attachments = true"),
        (
            "Zendesk cannot change a description: an edit in ClickUp becomes an internal note (\"note\"), or is only kept \
             for you to see (\"conflict\").",
            "description_edits = \"note\"",
        ),
        (
            "How a ticket tells where its task is: \"none\", \"external_id\", \"tag\" or \"field:<number>\". All but \
             \"none\" write to every ticket.",
            "link_back = \"none\"",
        ),
        (
            "Percent of the account's ticket updates a minute that deskup may use; agents in the browser need the rest.",
            "zendesk_update_share = 50",
        ),
        (
            "What becomes of a ticket for which people have made a task already: \"ask\" leaves it out and lists it, \
             \"link\" pairs the two, \"ignore\" makes another task.",
            "adopt = \"ask\"",
        ),
    ] {
        out.say(about);
        out.line(line);
    }
    out.say("Which tickets are mirrored at all, for example only those with one tag and without another:");
    out.line("# filter = { tag = [\"vip\"], without_tag = [\"spam\"], created_after = \"2026-01-31\" }");
}

/// Careful: a first look at real tickets should be a short one.
fn scope(out: &mut Out<'_>) {
    out.line("\n[scope]");
    out.say("A pilot: at most this many tickets get a task, those that moved the longest ago first. Take the line out for all.");
    out.line(&format!("limit = {PILOT_TICKETS}"));
    out.say("Whether solved and closed tickets get a task too. Closed ones can never be changed again.");
    out.line("closed = false");
    out.say("Only tickets that were made or changed since then:");
    out.line("# since = \"2026-01-31\"");
}

fn routes(out: &mut Out<'_>, parts: &Parts<'_>, early: Vec<Open>) {
    let snapshot = parts.snapshot;
    out.line("");
    out.say(
        "Which list a ticket's task belongs to: the first [[route]] whose conditions (group, organization, form, tag) all \
         hold. The last one has none and takes all others.",
    );
    if snapshot.forms.len() > 1 {
        let forms =
            snapshot.forms.iter().take(NAMES_MAX).map(|(id, name)| format!("{id} `{}`", remark(name)));
        out.say(&format!("Ticket forms are named by number: {}.", forms.collect::<Vec<_>>().join(", ")));
    }
    for one in early {
        out.ask(one.table, one.text);
    }
    let mut lists: Vec<&ListId> = Vec::new();
    for (_, list) in &parts.routed.routes {
        if !lists.contains(&list) {
            lists.push(list);
        }
    }
    for list in lists {
        let groups: Vec<u64> =
            parts.routed.routes.iter().filter(|(_, other)| other == list).map(|(group, _)| *group).collect();
        let names = groups.iter().filter_map(|group| snapshot.directory.groups.get(group));
        let names = remarks(names.map(String::as_str));
        out.line("[[route]]");
        match groups.as_slice() {
            [group] => out.line(&format!("group = {group} # {names}")),
            several => out.line(&format!("group = {several:?} # {names}")),
        }
        list_line(out, snapshot, list);
    }
    out.line("[[route]]");
    let elsewhere: Vec<&str> = snapshot
        .directory
        .groups
        .iter()
        .filter(|(group, _)| !parts.routed.routes.iter().any(|(routed, _)| routed == *group))
        .filter(|(_, name)| plain(name) != plain(&snapshot.list_name(&parts.routed.rest)))
        .map(|(_, name)| name.as_str())
        .collect();
    if !elsewhere.is_empty() && !parts.routed.routes.is_empty() {
        out.say(&format!("Also for the groups without a list of their own name: {}.", some(&elsewhere)));
    }
    if !parts.selection.decided {
        out.ask("route", "this list was chosen by its name alone: is it the one for all other tickets?");
    }
    list_line(out, snapshot, &parts.routed.rest);
    by_organization(out, parts);
}

fn list_line(out: &mut Out<'_>, snapshot: &Snapshot, list: &ListId) {
    let place = snapshot.places.iter().find(|place| place.list == *list);
    let mut path = vec![snapshot.list_name(list)];
    if let Some(place) = place {
        path = vec![place.space.clone()];
        path.extend(place.folder.clone());
        path.push(place.name.clone());
    }
    let path: Vec<String> = path.iter().map(|part| remark(part)).collect();
    out.line(&format!("list = {} # {}", quoted(list.as_str()), path.join(" / ")));
    if snapshot.directory.guests_can_see.get(list) == Some(&true) {
        out.ask(
            "route",
            "guests can read this list: internal notes never go there, whatever the settings say",
        );
    }
}

/// Lists that are called like a customer: an organization may be routed, which is not for names to decide.
fn by_organization(out: &mut Out<'_>, parts: &Parts<'_>) {
    let snapshot = parts.snapshot;
    for place in &snapshot.places {
        let wanted = plain(&place.name);
        let mut same = snapshot.organizations.iter().filter(|(_, name)| plain(name) == wanted);
        if let (false, Some((id, name)), None) = (wanted.is_empty(), same.next(), same.next()) {
            out.ask(
                "route",
                format!(
                    "list {} has the name of the organization `{}`: a [[route]] with organization = {id} before the last \
                     one would send its tickets there",
                    place.list,
                    remark(name),
                ),
            );
        }
    }
}

/// A few names, and how many more there are.
pub(super) fn some(names: &[&str]) -> String {
    let shown = remarks(names.iter().copied().take(NAMES_MAX));
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
