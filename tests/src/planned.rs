//! A plan beside what was done: every change that deskup made in both services, as their own logs tell it, has to
//! be one that the plan named, and the other way round.

use std::collections::BTreeMap;
use std::fmt;

use domain::plan::FieldPlan;
use domain::{FieldKey, RecordPlan, Side, footer};
use functions::plan::Plan;
use serde_json::Value as Json;
use simulators::Change;
use world::World;
use world::judge::canon::{self, Canon, Field, squeeze};
use world::seedwork::workspace::{CustomField, FieldKind};

/// One change of one field, in a form that a plan and a log share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Done {
    /// Where.
    pub side: Side,
    /// Of which ticket, or of its task.
    pub ticket: u64,
    /// Which field.
    pub field: String,
    /// What is there afterwards.
    pub value: Canon,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ticket {} {} {} -> {:?}", self.ticket, self.side, self.field, self.value)
    }
}

/// What is there to compare.
pub struct Ledger<'w> {
    world: &'w World,
    /// Tasks by ticket.
    pairs: BTreeMap<u64, String>,
    /// Where the settings want the way back.
    link_back: &'w str,
}

impl<'w> Ledger<'w> {
    /// Over a world whose links are these.
    pub fn new(world: &'w World, pairs: BTreeMap<u64, String>, link_back: &'w str) -> Self {
        Self { world, pairs, link_back }
    }

    /// Differences between a plan and the changes after these numbers in both logs, one line each.
    pub fn differences(&self, plan: &Plan, since: (u64, u64)) -> Vec<String> {
        let mut balance: BTreeMap<Done, i64> = BTreeMap::new();
        for done in plan.records.iter().flat_map(|record| self.planned(record)) {
            *balance.entry(done).or_default() += 1;
        }
        for done in self.made(since) {
            *balance.entry(done).or_default() -= 1;
        }
        let differs = balance.into_iter().filter(|(_, count)| *count != 0);
        differs
            .map(|(done, count)| {
                let what = if count > 0 { "planned and not made" } else { "made and not planned" };
                format!("{what}: {done}")
            })
            .collect()
    }

    /// The changes that a plan names for one ticket.
    fn planned(&self, plan: &RecordPlan) -> Vec<Done> {
        let ticket = plan.ticket.get();
        let mut all = Vec::new();
        let mut add = |side: Side, field: &str, value: Canon| {
            all.push(Done { side, ticket, field: field.to_owned(), value });
        };
        for field in &plan.fields {
            for side in field.writes.keys() {
                let (name, value) = self.field(field, *side);
                add(*side, &name, value);
            }
        }
        if let Some(list) = &plan.list {
            add(Side::Clickup, "list", text(list.as_str()));
        }
        for along in &plan.along {
            add(along.side, &along.what, text(&along.value));
        }
        for copy in &plan.comments {
            let to = copy.from.other();
            let public = format!("{:?}", copy.visibility).to_lowercase();
            let who = if to == Side::Zendesk { public.as_str() } else { "" };
            add(to, "comment", said(who, &copy.text));
        }
        if let Some(note) = &plan.note {
            add(Side::Zendesk, "comment", said("internal", note));
        }
        for file in &plan.files {
            if file.from == Side::Zendesk {
                add(Side::Clickup, "attachment", text(&file.name));
            } else {
                let note = format!("A file was added to the ClickUp task: {}", file.name);
                add(Side::Zendesk, "comment", said("internal", &note));
            }
        }
        if plan.link_back {
            let task = self.pairs.get(&ticket).cloned().unwrap_or_default();
            match self.link_back {
                "tag" => add(Side::Zendesk, "link tag", text(&format!("clickup-{task}"))),
                _ => add(Side::Zendesk, "external_id", text(&task)),
            }
        }
        all
    }

    fn field(&self, plan: &FieldPlan, side: Side) -> (String, Canon) {
        let value = &plan.writes[&side];
        let field = judged(&plan.field);
        let name = plan.field.to_string();
        let canon = match (&field, value) {
            (Field::Description, domain::Value::Text(words)) => text(&squeeze(words)),
            _ => canon::of_value(&field, self.kind(&plan.field), value),
        };
        (name, self.people_tags(&field, canon))
    }

    /// What deskup changed, as both services' own logs tell it.
    fn made(&self, (zendesk, clickup): (u64, u64)) -> Vec<Done> {
        let rules = self.world.rules();
        let ours =
            |changes: Vec<Change>, me: i64| changes.into_iter().filter(move |change| change.actor == me);
        let mut all = Vec::new();
        for change in ours(self.world.zendesk().changes_after(zendesk), rules.zendesk_sync) {
            let ticket = change.record.parse().unwrap_or(0);
            all.extend(self.on_ticket(ticket, &change));
        }
        for change in ours(self.world.clickup().changes_after(clickup), rules.clickup_sync) {
            for done in self.on_task(&change) {
                // Each tag is a call of its own; the set after the last one is what was planned.
                let tags = |known: &Done| {
                    done.field == "tags"
                        && known.side == done.side
                        && known.ticket == done.ticket
                        && known.field == "tags"
                };
                all.retain(|known| !tags(known));
                all.push(done);
            }
        }
        all
    }

    fn on_ticket(&self, ticket: u64, change: &Change) -> Vec<Done> {
        let done =
            |field: &str, value: Canon| Done { side: Side::Zendesk, ticket, field: field.to_owned(), value };
        match change.field.as_str() {
            // It goes with the status.
            "custom_status" => Vec::new(),
            // The note that carries the file is compared.
            "attachment" => Vec::new(),
            "comment" => {
                let public = if change.after["public"] == true { "public" } else { "internal" };
                vec![done("comment", said(public, change.after["body"].as_str().unwrap_or_default()))]
            }
            "group" | "type" | "external_id" => {
                vec![done(&change.field, text(&canon_word(&change.after)))]
            }
            "tags" => {
                let tags =
                    |raw: &Json| self.people_tags(&Field::Tags, canon::of_json(&Field::Tags, None, raw));
                let mut all = Vec::new();
                let (before, after) = (tags(&change.before), tags(&change.after));
                // A drop-down's tag goes with its field.
                if before != after {
                    all.push(done("tags", after));
                }
                let marks = |raw: &Json| -> Vec<String> {
                    let members = canon::of_json(&Field::Tags, None, raw).members();
                    members.into_iter().filter(|tag| tag.starts_with("clickup-")).collect()
                };
                let new = marks(&change.after).into_iter().filter(|tag| !marks(&change.before).contains(tag));
                all.extend(new.map(|tag| done("link tag", text(&tag))));
                all
            }
            name => vec![self.plain(Side::Zendesk, ticket, name, &change.after)],
        }
    }

    fn on_task(&self, change: &Change) -> Vec<Done> {
        if change.field == "created" {
            return self.created(&change.after);
        }
        let pair = self.pairs.iter().find(|(_, task)| **task == change.record);
        let ticket = pair.map_or(0, |(ticket, _)| *ticket);
        let done =
            |field: &str, value: Canon| Done { side: Side::Clickup, ticket, field: field.to_owned(), value };
        match change.field.as_str() {
            "comment" => vec![done("comment", said("", change.after["body"].as_str().unwrap_or_default()))],
            "attachment" => {
                vec![done("attachment", text(change.after["title"].as_str().unwrap_or_default()))]
            }
            "list" => vec![done("list", text(&canon_word(&change.after)))],
            name => vec![self.plain(Side::Clickup, ticket, name, &change.after)],
        }
    }

    /// A new task: each field that has a value was written.
    fn created(&self, task: &Json) -> Vec<Done> {
        let marker = footer::parse(task["description"].as_str().unwrap_or_default());
        let ticket = marker.map_or(0, |marker| marker.ticket.get());
        let mut all = vec![Done {
            side: Side::Clickup,
            ticket,
            field: "list".to_owned(),
            value: text(&canon_word(&task["list"])),
        }];
        let mut fields: Vec<(String, Json)> =
            ["title", "description", "status", "priority", "assignee", "tags", "due"]
                .map(|name| (name.to_owned(), task[name].clone()))
                .into();
        let custom = task["custom"].as_object().into_iter().flatten();
        fields.extend(custom.map(|(id, value)| (format!("custom:{id}"), value.clone())));
        for (name, value) in fields {
            let done = self.plain(Side::Clickup, ticket, &name, &value);
            if done.value != Canon::Null {
                all.push(done);
            }
        }
        all
    }

    fn plain(&self, side: Side, ticket: u64, name: &str, raw: &Json) -> Done {
        let key = match name {
            "due" => FieldKey::DueDate,
            _ => match name.strip_prefix("custom:").and_then(|id| self.custom(id)) {
                Some(custom) => FieldKey::Custom(custom.key.to_owned()),
                None => name.parse().unwrap_or_else(|_| FieldKey::Custom(format!("? {name}"))),
            },
        };
        let field = judged(&key);
        let value = match &field {
            Field::Description => text(&squeeze(&footer::strip(raw.as_str().unwrap_or_default()))),
            _ => canon::of_json(&field, self.kind(&key), raw),
        };
        Done { side, ticket, field: key.to_string(), value: self.people_tags(&field, value) }
    }

    /// Tags without those that belong to drop-downs or to deskup.
    fn people_tags(&self, field: &Field, value: Canon) -> Canon {
        if *field != Field::Tags {
            return value;
        }
        let fields = &self.world.scenario().workspace.fields;
        let of_option = |tag: &String| fields.iter().flat_map(|field| &field.options).any(|o| o.tag == tag);
        let members = value.members().into_iter();
        let kept: std::collections::BTreeSet<String> =
            members.filter(|tag| !of_option(tag) && !tag.starts_with("clickup-")).collect();
        if kept.is_empty() { Canon::Null } else { Canon::Set(kept) }
    }

    fn custom(&self, id: &str) -> Option<&CustomField> {
        let fields = &self.world.scenario().workspace.fields;
        fields.iter().find(|field| field.clickup == id || field.zendesk.to_string() == id)
    }

    fn kind(&self, key: &FieldKey) -> Option<FieldKind> {
        let FieldKey::Custom(name) = key else { return None };
        let fields = &self.world.scenario().workspace.fields;
        fields.iter().find(|field| field.key == name).map(|field| field.kind)
    }
}

fn judged(key: &FieldKey) -> Field {
    match key {
        FieldKey::Title => Field::Title,
        FieldKey::Description => Field::Description,
        FieldKey::Status => Field::Status,
        FieldKey::Priority => Field::Priority,
        FieldKey::Assignee => Field::Assignee,
        FieldKey::Tags => Field::Tags,
        FieldKey::DueDate => Field::Due,
        FieldKey::Custom(name) => Field::Custom(name.clone()),
    }
}

fn text(words: &str) -> Canon {
    Canon::Text(words.to_owned())
}

fn said(who: &str, words: &str) -> Canon {
    Canon::Text(format!("{who}: {}", squeeze(words)))
}

fn canon_word(raw: &Json) -> String {
    raw.as_str().map_or_else(|| raw.to_string(), str::to_owned)
}
