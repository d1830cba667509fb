//! What a careful person should know of two accounts before deskup writes: nothing here keeps a sync from running.

use std::collections::BTreeSet;

use domain::proposal::without_counterpart;
use domain::settings::LinkBack;
use domain::triggers::{Reach, Update};
use domain::{Mapping, Side, Visibility};
use serde::Serialize;

use super::{Accounts, Survey};

/// Clocks that differ by more than this make times of edits a lottery.
const CLOCK_MS_MAX: i64 = 60_000;
/// Names in one warning.
const NAMES_MAX: usize = 8;
/// Triggers that are named one by one.
const TRIGGERS_MAX: usize = 10;

/// Something to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// `users`, `rights`, `triggers`, `guests`, `people`, `clock`, `limits` or `unread`.
    pub topic: &'static str,
    /// What was found, and what to do about it.
    pub text: String,
}

fn warning(topic: &'static str, text: impl Into<String>) -> Warning {
    Warning { topic, text: text.into() }
}

/// Everything to know about two accounts; about the mapping, where there is one.
pub fn warnings(accounts: &Accounts, survey: &Survey, mapping: Option<&Mapping>) -> Vec<Warning> {
    let mut found = Vec::new();
    users(survey, &mut found);
    rights(survey, &mut found);
    for side in [Side::Zendesk, Side::Clickup] {
        let ahead_ms = accounts.seen(side).ahead_ms.unwrap_or_default();
        if ahead_ms.abs() > CLOCK_MS_MAX {
            let (seconds, word) = (ahead_ms.abs() / 1_000, if ahead_ms > 0 { "ahead of" } else { "behind" });
            let text = format!(
                "this machine's clock is {seconds} s {word} {side}'s: set it right, deskup compares times"
            );
            found.push(warning("clock", text));
        }
    }
    if let Some(mapping) = mapping {
        triggers(survey, mapping, &mut found);
        guests(mapping, &mut found);
        people(mapping, &mut found);
    }
    if survey.settings.sandbox == Some(true) {
        let text =
            "this Zendesk account is a sandbox: it takes 20 ticket updates a minute, a fifth of the usual";
        found.push(warning("limits", text));
    }
    found.extend(survey.unread.iter().map(|text| warning("unread", text.clone())));
    found
}

fn users(survey: &Survey, found: &mut Vec<Warning>) {
    let both = [
        (
            Side::Zendesk,
            &survey.users.0,
            &survey.looked.0,
            "made {n} updates without deskup's mark",
            "tickets",
        ),
        (Side::Clickup, &survey.users.1, &survey.looked.1, "made {n} tasks without deskup's mark", "tasks"),
    ];
    for (side, user, looked, did, records) in both.into_iter().filter(|(_, _, looked, ..)| looked.foreign > 0)
    {
        let examples: Vec<String> =
            looked.examples.iter().map(|one| format!("{} ({})", one.record, one.at)).collect();
        found.push(warning(
            "users",
            format!(
                "{side}'s user {} ({}) is not deskup's own: since {} it {}, {records} {}. What people do with this user \
                 deskup takes for its own work and does not mirror; give deskup a user of its own",
                user.name,
                user.email.as_deref().unwrap_or("no address"),
                &looked.since[..10],
                did.replace("{n}", &looked.foreign.to_string()),
                examples.join(", "),
            ),
        ));
    }
}

fn rights(survey: &Survey, found: &mut Vec<Warning>) {
    let (zendesk, clickup) = &survey.users;
    if zendesk.role != "admin" {
        let text = format!(
            "Zendesk's user {} has the role {}: webhooks and triggers need an admin, and so may the exports one day",
            zendesk.name, zendesk.role
        );
        found.push(warning("rights", text));
    }
    if let Some(scopes) = survey.scopes.as_ref().filter(|scopes| !scopes.is_empty()) {
        let needed = ["tickets:write", "webhooks:write"];
        let lacks: Vec<&str> = needed
            .into_iter()
            .filter(|need| !scopes.iter().any(|scope| scope == "write" || scope == need))
            .collect();
        if !lacks.is_empty() {
            let text = format!(
                "Zendesk's token may only {}: deskup can look and plan, but lacks {} to write (a scope of \"read write\" has all)",
                scopes.join(" "),
                lacks.join(" and "),
            );
            found.push(warning("rights", text));
        }
    }
    if clickup.role == "guest" {
        let text = format!(
            "ClickUp's user {} is a guest: it sees only what it was invited to, and lists it does not see look deleted",
            clickup.name
        );
        found.push(warning("rights", text));
    }
}

fn triggers(survey: &Survey, mapping: &Mapping, found: &mut Vec<Warning>) {
    let update = Update::any(mapping.settings().comments_to_zendesk);
    let mut met: Vec<_> = survey.triggers.iter().filter(|trigger| trigger.may_meet(&update)).collect();
    met.sort_by_key(|trigger| (trigger.reach(), trigger.id));
    let reaching = met.iter().filter(|trigger| trigger.reach() != Reach::Ticket);
    for trigger in reaching.clone().take(TRIGGERS_MAX) {
        let what = match trigger.reach() {
            Reach::Customer => "may write to people outside",
            Reach::Machine => "may call another system",
            Reach::Staff => "may write to agents",
            Reach::Ticket => "may change the ticket again",
        };
        found.push(warning(
            "triggers",
            format!(
                "trigger {} `{}` may fire on what deskup writes and {what}: give it a condition that leaves deskup's user out, \
                 or be content with that",
                trigger.id, trigger.title
            ),
        ));
    }
    let more = reaching.count().saturating_sub(TRIGGERS_MAX);
    if more > 0 {
        found.push(warning(
            "triggers",
            format!("{more} more triggers reach beyond the ticket; `deskup plan` names them"),
        ));
    }
    let quiet = met.iter().filter(|trigger| trigger.reach() == Reach::Ticket).count();
    if quiet > 0 {
        let text = format!(
            "{quiet} triggers may change a ticket once more after deskup wrote to it; deskup mirrors that, too"
        );
        found.push(warning("triggers", text));
    }
    if mapping.settings().comments_to_zendesk == Visibility::Public {
        let text = "comments of ClickUp go to requesters as public comments (sync.comments_to_zendesk)";
        found.push(warning("triggers", text));
    }
    if mapping.settings().link_back != LinkBack::None {
        found.push(warning(
            "triggers",
            "sync.link_back writes to every ticket once, which every trigger on changes meets",
        ));
    }
}

fn guests(mapping: &Mapping, found: &mut Vec<Warning>) {
    let directory = mapping.directory();
    for list in mapping.lists() {
        if directory.guests_can_see.get(&list) == Some(&true) {
            let name = directory.lists.get(&list).map_or_else(|| list.to_string(), |info| info.name.clone());
            let text = format!(
                "guests can read list `{name}` ({list}): what customers write goes there, internal notes never do"
            );
            found.push(warning("guests", text));
        }
    }
}

fn people(mapping: &Mapping, found: &mut Vec<Warning>) {
    let me = BTreeSet::from([mapping.me(Side::Zendesk)]);
    let alone = without_counterpart(mapping, Side::Zendesk, &me);
    if alone.is_empty() {
        return;
    }
    let name = |(name, mail): &(String, Option<String>)| {
        mail.as_ref().map_or_else(|| name.clone(), |mail| format!("{name} <{mail}>"))
    };
    let shown: Vec<String> = alone.iter().take(NAMES_MAX).map(name).collect();
    let more = match alone.len().saturating_sub(NAMES_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    found.push(warning(
        "people",
        format!(
            "{} agents have no counterpart in ClickUp ({}{more}): their tickets get tasks without an assignee; pair them under \
             [people] if their addresses differ",
            alone.len(),
            shown.join(", ")
        ),
    ));
}
