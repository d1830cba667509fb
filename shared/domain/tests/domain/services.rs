//! What the two services make of a write: each with a normal form of its own.

use std::collections::BTreeMap;

use domain::{
    ListId, Mapping, NewTask, Task, TaskId, TaskPatch, TaskWrite, Ticket, TicketPatch, Timestamp, UserId,
};
use serde_json::Value as Json;

const DAY_MS: i64 = 86_400_000;
/// Dates without a time are kept as 4 a.m. of a zone one hour east of UTC.
const FOUR_AM_MS: i64 = 3 * 3_600_000;

pub fn create_task(id: TaskId, list: &ListId, new: &NewTask, mapping: &Mapping) -> Task {
    let statuses = &mapping.directory().lists[list].statuses;
    let status = new.status.clone().unwrap_or_else(|| statuses[0].0.clone());
    let mut task = Task {
        id,
        name: new.name.trim().to_owned(),
        description: new.description.trim_end().to_owned(),
        status_type: status_type(mapping, list, &status),
        status,
        priority: new.priority,
        assignees: new.assignees.clone(),
        tags: new.tags.iter().map(|tag| tag.to_lowercase()).collect(),
        custom_fields: BTreeMap::new(),
        due_date: None,
        due_date_time: false,
        list: list.clone(),
        creator: UserId(101),
        created: Timestamp(1_700_000_100_000),
        updated: Timestamp(1_700_000_100_000),
        archived: false,
        public: false,
        attachments: Vec::new(),
        url: "https://app.clickup.com/t/868f9p6ad".into(),
        parent: None,
    };
    set_due(&mut task, new.due_date.map(|ms| (ms, new.due_date_time)));
    for (field, value) in &new.custom_fields {
        set_field(&mut task, field, value, mapping);
    }
    task
}

pub fn status_type(mapping: &Mapping, list: &ListId, status: &str) -> String {
    let statuses = &mapping.directory().lists[list].statuses;
    let found = statuses.iter().find(|(name, _)| name == status);
    found.unwrap_or_else(|| panic!("list {list} has no status `{status}`: 400")).1.clone()
}

pub fn set_due(task: &mut Task, due: Option<(i64, bool)>) {
    task.due_date_time = due.is_some_and(|(_, time)| time);
    task.due_date =
        due.map(|(ms, time)| Timestamp(if time { ms } else { ms.div_euclid(DAY_MS) * DAY_MS + FOUR_AM_MS }));
}

fn set_field(task: &mut Task, field: &str, value: &Json, mapping: &Mapping) {
    let kind = mapping.directory().clickup_fields[field].kind.as_str();
    let kept = match kind {
        // What is written as a number is read as a text.
        "number" => Json::from(value.as_number().expect("a number").to_string()),
        "checkbox" => Json::from(value.as_bool().expect("a boolean").to_string()),
        "date" => Json::from((value.as_i64().unwrap().div_euclid(DAY_MS) * DAY_MS + FOUR_AM_MS).to_string()),
        "text" => Json::from(value.as_str().unwrap().trim_end()),
        _ => value.clone(),
    };
    task.custom_fields.insert(field.to_owned(), kept);
}

pub fn apply_task(task: &mut Task, write: &TaskWrite, mapping: &Mapping) {
    assert!(!task.archived, "an archived task was written");
    match write {
        TaskWrite::Fields(patch) => apply_fields(task, patch, mapping),
        TaskWrite::AddTag(tag) => assert!(task.tags.insert(tag.to_lowercase()), "tag {tag} was there"),
        TaskWrite::RemoveTag(tag) => assert!(task.tags.remove(tag), "tag {tag} was not there"),
        TaskWrite::SetField(field, value) => set_field(task, field, value, mapping),
        TaskWrite::ClearField(field) => drop(task.custom_fields.remove(field)),
        TaskWrite::Move(list) => task.list = list.clone(),
    }
}

fn apply_fields(task: &mut Task, patch: &TaskPatch, mapping: &Mapping) {
    if let Some(name) = &patch.name {
        assert!(!name.trim().is_empty(), "a task needs a name: 400");
        task.name = name.trim().to_owned();
    }
    if let Some(text) = &patch.description {
        task.description = text.trim_end().to_owned();
    }
    if let Some(status) = &patch.status {
        task.status_type = status_type(mapping, &task.list, status);
        task.status = status.clone();
    }
    if let Some(priority) = patch.priority {
        task.priority = priority;
    }
    if let Some(due) = patch.due_date {
        set_due(task, due);
    }
    for id in &patch.assignees_rem {
        assert!(task.assignees.remove(id), "{id} was not on the task");
    }
    task.assignees.extend(&patch.assignees_add);
}

pub fn apply_ticket(ticket: &mut Ticket, patch: &TicketPatch, mapping: &Mapping) {
    assert!(!ticket.is_closed(), "a closed ticket was written: 422");
    if let Some(subject) = &patch.subject {
        ticket.subject = Some(subject.trim().to_owned());
    }
    if let Some(status) = &patch.status {
        ticket.status = status.clone();
    }
    if let Some(priority) = &patch.priority {
        ticket.priority = priority.clone();
    }
    if let Some(kind) = &patch.ticket_type {
        ticket.ticket_type = Some(kind.clone());
    }
    if let Some(group) = patch.group {
        ticket.group = Some(group);
    }
    if let Some(assignee) = patch.assignee {
        ticket.assignee = assignee;
        if let Some(agent) = assignee {
            let groups = &mapping.directory().zendesk_people[&agent].groups;
            assert!(ticket.group.is_some_and(|group| groups.contains(&group)), "not in the group: 422");
        }
    }
    if let Some(due) = &patch.due_at {
        assert!(due.is_none() || ticket.ticket_type.as_deref() == Some("task"), "type task only");
        ticket.due_at = due.as_deref().map(|text| Timestamp::parse_rfc3339(text).unwrap());
    }
    if let Some(tags) = &patch.tags {
        ticket.tags = tags.iter().map(|tag| tag.to_lowercase()).collect();
        assert!(ticket.tags.iter().all(|tag| !tag.contains(' ')), "a blank makes two tags");
        fields_from_tags(ticket, mapping);
    }
    for (id, value) in &patch.custom_fields {
        set_custom(ticket, *id, value, mapping);
    }
}

/// Removing the tag of an option clears the field, adding it sets the field.
pub fn fields_from_tags(ticket: &mut Ticket, mapping: &Mapping) {
    for field in mapping.directory().zendesk_fields.values().filter(|field| !field.options.is_empty()) {
        let set: Vec<&String> =
            field.options.iter().map(|(tag, _)| tag).filter(|tag| ticket.tags.contains(*tag)).collect();
        let value = match (field.kind.as_str(), set.first()) {
            ("multiselect", _) => set.iter().map(|tag| Json::from(tag.as_str())).collect(),
            (_, Some(tag)) => Json::from(tag.as_str()),
            (_, None) => Json::Null,
        };
        ticket.custom_fields.insert(field.id, value);
    }
}

/// Setting a field of options sets its tags.
pub fn set_custom(ticket: &mut Ticket, id: u64, value: &Json, mapping: &Mapping) {
    let field = &mapping.directory().zendesk_fields[&id];
    for (tag, _) in &field.options {
        ticket.tags.remove(tag);
    }
    if !field.options.is_empty() {
        let chosen = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        ticket.tags.extend(chosen.iter().filter_map(|tag| tag.as_str()).map(str::to_owned));
    }
    ticket.custom_fields.insert(id, value.clone());
}
