//! From an intention to an action: decided on the records as they are, so that every edit really changes
//! something.

use std::collections::BTreeSet;

use domain::Side;
use fastrand::Rng;
use serde_json::{Value as Json, json};

use super::act::Action;
use super::plan::{Intention, Kind};
use crate::scenario::Scenario;
use crate::seedwork::canary::canary;
use crate::seedwork::cast::Colleague;
use crate::seedwork::tickets::{day, people_tags, phrase};
use crate::seedwork::workspace::{CustomField, FieldKind, STATUS_WITHOUT_COUNTERPART};

const DAY_MS: i64 = 86_400_000;

/// What a person sees before the edit: the ticket and its task.
#[derive(Clone, Debug)]
pub struct Sight<'a> {
    /// The ticket as REST gives it.
    pub ticket: &'a Json,
    /// The task as REST gives it.
    pub task: &'a Json,
    /// Now, in milliseconds.
    pub now_ms: i64,
}

/// Decides; `None` when the records do not suit the intention.
pub fn choose(scenario: &Scenario, intention: &Intention, sight: &Sight<'_>) -> Option<Action> {
    let closed = sight.ticket["status"] == "closed";
    if sight.task["archived"] == true || closed != (intention.kind == Kind::OnClosed) {
        return None;
    }
    // The second of a pair turns the dice once more: same field, another value.
    let turn = u64::from(intention.pair_of.is_some());
    let mut random = Rng::with_seed(intention.dice.wrapping_add(turn));
    let field = usize::try_from(intention.dice % 97).unwrap_or(0);
    let mut chooser = Chooser { scenario, intention, sight, random: &mut random, field };
    match intention.side {
        Side::Zendesk => chooser.on_ticket(),
        Side::Clickup => chooser.on_task(intention.kind),
    }
}

/// Who does it: somebody with an account there, of the ticket's group where possible.
pub fn actor<'a>(scenario: &'a Scenario, intention: &Intention, ticket: &Json) -> Option<&'a Colleague> {
    let mut random = Rng::with_seed(intention.dice ^ 0xac7);
    let all: Vec<&Colleague> = match intention.side {
        Side::Zendesk => match ticket["group_id"].as_i64() {
            Some(group) => scenario.cast.agents_of(group).collect(),
            None => scenario.cast.agents().collect(),
        },
        Side::Clickup => scenario.cast.members().collect(),
    };
    (!all.is_empty()).then(|| all[random.usize(0..all.len())])
}

struct Chooser<'a> {
    scenario: &'a Scenario,
    intention: &'a Intention,
    sight: &'a Sight<'a>,
    random: &'a mut Rng,
    field: usize,
}

impl Chooser<'_> {
    fn on_ticket(&mut self) -> Option<Action> {
        let ticket = self.sight.ticket;
        let members = match self.intention.kind {
            Kind::Status => {
                let assigned = ticket["assignee_id"].is_i64();
                let all = ["open", "pending", "hold", "solved"];
                let all = all.into_iter().filter(|status| *status != "solved" || assigned);
                json!({ "status": self.other(all.map(|s| json!(s)).collect(), &ticket["status"])? })
            }
            Kind::Priority => {
                let all = [json!("low"), json!("normal"), json!("high"), json!("urgent"), Json::Null];
                json!({ "priority": self.other(all.to_vec(), &ticket["priority"])? })
            }
            Kind::Assignee => json!({ "assignee_id": self.agent()? }),
            Kind::Title => json!({ "subject": self.title(ticket["subject"].as_str().unwrap_or("Request")) }),
            Kind::Tag => json!({ "tags": self.tags_of_ticket() }),
            Kind::Due if ticket["type"] == "task" => {
                let due = self.due(!ticket["due_at"].is_null());
                json!({ "due_at": due.map(|ms| format!("{}T15:00:00Z", day(ms))) })
            }
            Kind::Custom => self.custom_of_ticket()?,
            Kind::Comment => {
                let body = format!("{} ({})", phrase(self.random, true), self.intention.id);
                json!({ "comment": { "body": body, "public": true } })
            }
            Kind::Note => json!({ "comment": { "body": self.internal_text(), "public": false } }),
            _ => return None,
        };
        Some(Action::Ticket(members))
    }

    fn on_task(&mut self, kind: Kind) -> Option<Action> {
        let task = self.sight.task;
        Some(match kind {
            Kind::Status => {
                let all = ["to do", "in progress", "waiting on customer", "on hold", "solved"];
                let status = self.other(all.map(|s| json!(s)).to_vec(), &task["status"]["status"])?;
                Action::Task(json!({ "status": status }))
            }
            Kind::StrangeStatus if task["status"]["status"] != STATUS_WITHOUT_COUNTERPART => {
                Action::Task(json!({ "status": STATUS_WITHOUT_COUNTERPART }))
            }
            Kind::Priority => {
                let now = task["priority"]["id"].as_str().and_then(|id| id.parse::<i64>().ok());
                let all = vec![json!(1), json!(2), json!(3), json!(4), Json::Null];
                Action::Task(json!({ "priority": self.other(all, &json!(now))? }))
            }
            Kind::Assignee => self.member(false)?,
            Kind::StrangeAssignee => self.member(true)?,
            Kind::Title => {
                Action::Task(json!({ "name": self.title(task["name"].as_str().unwrap_or_default()) }))
            }
            Kind::Tag => self.tag_of_task(),
            Kind::Due => {
                let due = self.due(!task["due_date"].is_null());
                Action::Task(json!({ "due_date": due, "due_date_time": false }))
            }
            Kind::Custom => self.custom_of_task()?,
            Kind::Description => {
                let text = task["description"].as_str().unwrap_or_default();
                let line = format!("Looked into on day {} ({}).", self.random.u32(1..400), self.intention.id);
                Action::Task(json!({ "description": format!("{line}\n\n{text}") }))
            }
            Kind::Comment => Action::TaskComment(self.internal_text()),
            Kind::OnClosed => {
                let kinds = [Kind::Priority, Kind::Title, Kind::Comment, Kind::Tag];
                let kind = kinds[self.random.usize(0..kinds.len())];
                return self.on_task(kind);
            }
            _ => return None,
        })
    }

    /// One of several, but not the present one.
    fn other(&mut self, mut all: Vec<Json>, now: &Json) -> Option<Json> {
        all.retain(|value| value != now);
        (!all.is_empty()).then(|| all.swap_remove(self.random.usize(0..all.len())))
    }

    fn title(&mut self, now: &str) -> String {
        let base = now.split(" – update ").next().unwrap_or_default();
        format!("{base} – update {}", self.intention.id)
    }

    /// Text that must not get out.
    fn internal_text(&mut self) -> String {
        let number = self.intention.id[1..].parse::<u64>().unwrap_or(0) + (1 << 40);
        let word = canary(self.scenario.seed, number);
        format!("{} ({word})", phrase(self.random, false))
    }

    /// Another agent of the ticket's group; nobody, now and then, where the status allows it.
    fn agent(&mut self) -> Option<Json> {
        let ticket = self.sight.ticket;
        let now = ticket["assignee_id"].as_i64();
        let may_be_nobody = matches!(ticket["status"].as_str(), Some("open" | "pending" | "hold"));
        if now.is_some() && may_be_nobody && self.random.f64() < 0.1 {
            return Some(Json::Null);
        }
        let group = ticket["group_id"].as_i64()?;
        let agents: Vec<Json> = self
            .scenario
            .cast
            .agents_of(group)
            .filter_map(|agent| agent.zendesk)
            .map(|id| json!(id))
            .collect();
        self.other(agents, &json!(now))
    }

    /// Somebody else instead of whoever is on the task.
    fn member(&mut self, strange: bool) -> Option<Action> {
        let (ticket, task) = (self.sight.ticket, self.sight.task);
        // What is done has no assignee to change.
        if matches!(task["status"]["type"].as_str(), Some("done" | "closed")) {
            return None;
        }
        let now: BTreeSet<i64> =
            task["assignees"].as_array()?.iter().filter_map(|person| person["id"].as_i64()).collect();
        if !strange && !now.is_empty() && self.random.f64() < 0.1 {
            return Some(Action::Task(json!({ "assignees": { "add": [], "rem": now } })));
        }
        let group = ticket["group_id"].as_i64();
        let suits = |person: &&Colleague| match strange {
            true => person.zendesk.is_none(),
            false => person.zendesk.is_some() && person.group == group,
        };
        let cast = &self.scenario.cast;
        let all: Vec<i64> =
            cast.members().filter(suits).filter_map(|p| p.clickup).filter(|id| !now.contains(id)).collect();
        if all.is_empty() {
            return None;
        }
        let id = all[self.random.usize(0..all.len())];
        Some(Action::Task(json!({ "assignees": { "add": [id], "rem": now } })))
    }

    fn due(&mut self, set: bool) -> Option<i64> {
        if set && self.random.f64() < 0.15 {
            return None;
        }
        // A day that no other edit picks: its number is in it.
        let number: i64 = self.intention.id[1..].parse().unwrap_or(0);
        Some((self.sight.now_ms / DAY_MS + 30 + number) * DAY_MS + 15 * 3_600_000)
    }

    fn tag(&mut self) -> &'static str {
        people_tags()[self.field % people_tags().len()]
    }

    fn tags_of_ticket(&mut self) -> BTreeSet<String> {
        let now = self.sight.ticket["tags"].as_array().into_iter().flatten();
        let mut tags: BTreeSet<String> = now.filter_map(Json::as_str).map(str::to_owned).collect();
        let tag = self.tag();
        if !tags.remove(tag) {
            tags.insert(tag.to_owned());
        }
        tags
    }

    fn tag_of_task(&mut self) -> Action {
        let tag = self.tag().to_owned();
        let has = self.sight.task["tags"].as_array().into_iter().flatten().any(|known| known["name"] == tag);
        if has { Action::RemoveTag(tag) } else { Action::AddTag(tag) }
    }

    fn custom(&self) -> &CustomField {
        let fields = &self.scenario.workspace.fields;
        &fields[self.field % fields.len()]
    }

    fn custom_of_ticket(&mut self) -> Option<Json> {
        let field = self.custom().clone();
        let entries = self.sight.ticket["custom_fields"].as_array().into_iter().flatten();
        let now =
            entries.clone().find(|entry| entry["id"] == field.zendesk).map(|entry| entry["value"].clone());
        let now = now.unwrap_or(Json::Null);
        let tags: Vec<Json> = field.options.iter().map(|option| json!(option.tag)).collect();
        let value = self.value(&field, &now, tags)?;
        let value = match (field.kind, &value) {
            (FieldKind::Date, Json::Number(ms)) => json!(day(ms.as_i64().unwrap_or(0))),
            (FieldKind::Number, Json::Number(number)) => json!(number.to_string()),
            _ => value,
        };
        Some(json!({ "custom_fields": [{ "id": field.zendesk, "value": value }] }))
    }

    fn custom_of_task(&mut self) -> Option<Action> {
        let field = self.custom().clone();
        let entries = self.sight.task["custom_fields"].as_array().into_iter().flatten();
        let now =
            entries.clone().find(|entry| entry["id"] == field.clickup).map(|entry| entry["value"].clone());
        let mut now = now.unwrap_or(Json::Null);
        // A drop-down is read by its position and written by its id.
        if let (FieldKind::DropDown, Some(at)) = (field.kind, now.as_u64()) {
            now = json!(field.options.get(usize::try_from(at).ok()?)?.uuid);
        }
        let ids: Vec<Json> = field.options.iter().map(|option| json!(option.uuid)).collect();
        let value = self.value(&field, &now, ids)?;
        let value = (!value.is_null()).then_some(value);
        Some(Action::Field(field.clickup, value))
    }

    /// Another value of a custom field; null, now and then, where there is one.
    fn value(&mut self, field: &CustomField, now: &Json, options: Vec<Json>) -> Option<Json> {
        if field.kind == FieldKind::Checkbox {
            return Some(json!(!(*now == json!(true) || *now == json!("true"))));
        }
        let unset = now.is_null() || *now == json!("");
        if !unset && self.random.f64() < 0.15 {
            return Some(Json::Null);
        }
        let number: i64 = self.intention.id[1..].parse().unwrap_or(0);
        match field.kind {
            FieldKind::DropDown => self.other(options, now),
            FieldKind::Text => Some(json!(format!("B-{:05}", number))),
            FieldKind::Number => Some(json!(1_000 + number)),
            _ => self.due(false).map(|ms| json!(ms)),
        }
    }
}
