//! Tickets and tasks as the judge sees them: read from the simulators' own answers.

use std::collections::BTreeMap;

use domain::Side;
use serde_json::Value as Json;

use super::canon::{Canon, Field};
use super::rules::Rules;

/// A record of either side with its values in comparable form.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its id, as text.
    pub id: String,
    /// What is kept in step.
    pub fields: BTreeMap<Field, Canon>,
    /// The description as it is, with its footer.
    pub description: String,
    /// Comments, oldest first. On a ticket the first is the description.
    pub comments: Vec<CommentSeen>,
    /// Files on the task, or on the ticket's comments.
    pub files: Vec<FileSeen>,
    /// Who made it.
    pub creator: i64,
    /// Tasks only.
    pub archived: bool,
    /// Tasks: shared by a link. Tickets: unused.
    pub public: bool,
    /// Tasks: the home list.
    pub list: String,
    /// Tickets: closed. Tasks: unused.
    pub closed: bool,
    /// Tickets: whether the type is one that can have a due date, or gets one with the date.
    pub due_possible: bool,
    /// Every text of the record, for the search for canaries.
    pub texts: Vec<String>,
}

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentSeen {
    /// Its id, as text.
    pub id: String,
    /// Who wrote it.
    pub author: i64,
    /// Tickets: whether the requester reads it. Tasks: false.
    pub public: bool,
    /// Plain text.
    pub body: String,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSeen {
    /// Its name.
    pub name: String,
    /// Tasks: who added it. Tickets: the comment's author.
    pub by: i64,
    /// Tickets: whether its comment is public.
    pub public: bool,
}

/// A ticket from its REST answer with `comments`.
pub fn ticket(rules: &Rules, json: &Json) -> Record {
    let mut raw = BTreeMap::from([
        (Field::Title, json["subject"].clone()),
        (Field::Description, json["description"].clone()),
        (Field::Status, json["status"].clone()),
        (Field::Priority, json["priority"].clone()),
        (Field::Assignee, json["assignee_id"].clone()),
        (Field::Tags, json["tags"].clone()),
        (Field::Due, json["due_at"].clone()),
    ]);
    for entry in items(&json["custom_fields"]) {
        if let Some(field) = rules.field_of(Side::Zendesk, &format!("custom:{}", text(&entry["id"]))) {
            raw.insert(field, entry["value"].clone());
        }
    }
    let comments: Vec<CommentSeen> = items(&json["comments"]).iter().map(ticket_comment).collect();
    let files = items(&json["comments"]).iter().flat_map(ticket_files).collect();
    let description = text(&json["description"]);
    Record {
        id: text(&json["id"]),
        texts: vec![text(&json["subject"]), description.clone()],
        fields: canon_all(rules, Side::Zendesk, raw),
        description,
        comments,
        files,
        creator: number(&json["submitter_id"]),
        archived: false,
        public: false,
        list: String::new(),
        closed: json["status"] == "closed",
        due_possible: json["type"].is_null() || json["type"] == "task",
    }
}

fn ticket_comment(json: &Json) -> CommentSeen {
    let body = if json["plain_body"].is_string() { &json["plain_body"] } else { &json["body"] };
    CommentSeen {
        id: text(&json["id"]),
        author: number(&json["author_id"]),
        // What is not said to be internal could be read.
        public: json["public"] != Json::Bool(false),
        body: if json["body"].is_string() { text(&json["body"]) } else { text(body) },
    }
}

fn ticket_files(comment: &Json) -> Vec<FileSeen> {
    let (by, public) = (number(&comment["author_id"]), comment["public"] != Json::Bool(false));
    items(&comment["attachments"])
        .iter()
        .map(|file| FileSeen { name: text(&file["file_name"]), by, public })
        .collect()
}

/// A task from its REST answer with `comments` and `attachments`.
pub fn task(rules: &Rules, json: &Json) -> Record {
    let mut raw = BTreeMap::from([
        (Field::Title, json["name"].clone()),
        (Field::Description, json["description"].clone()),
        (Field::Status, json["status"].clone()),
        (Field::Priority, json["priority"].clone()),
        (Field::Assignee, json["assignees"].clone()),
        (Field::Tags, json["tags"].clone()),
        (Field::Due, json["due_date"].clone()),
    ]);
    for entry in items(&json["custom_fields"]) {
        if let Some(field) = rules.field_of(Side::Clickup, &format!("custom:{}", text(&entry["id"]))) {
            raw.insert(field, entry["value"].clone());
        }
    }
    let comments: Vec<CommentSeen> = items(&json["comments"]).iter().map(task_comment).collect();
    let files = items(&json["attachments"])
        .iter()
        .map(|file| FileSeen { name: text(&file["title"]), by: number(&file["user"]["id"]), public: false })
        .collect();
    let description = text(&json["description"]);
    Record {
        id: text(&json["id"]),
        texts: vec![text(&json["name"]), description.clone()],
        fields: canon_all(rules, Side::Clickup, raw),
        description,
        comments: oldest_first(comments),
        files,
        creator: number(&json["creator"]["id"]),
        archived: json["archived"] == Json::Bool(true),
        public: json["sharing"]["public"] == Json::Bool(true),
        list: text(&json["list"]["id"]),
        closed: false,
        due_possible: true,
    }
}

fn task_comment(json: &Json) -> CommentSeen {
    CommentSeen {
        id: text(&json["id"]),
        author: number(&json["user"]["id"]),
        public: false,
        body: text(&json["comment_text"]),
    }
}

/// ClickUp lists the newest first; its comment ids only grow.
fn oldest_first(mut comments: Vec<CommentSeen>) -> Vec<CommentSeen> {
    comments.sort_by_key(|comment| comment.id.parse::<u64>().unwrap_or(u64::MAX));
    comments
}

fn canon_all(rules: &Rules, side: Side, raw: BTreeMap<Field, Json>) -> BTreeMap<Field, Canon> {
    rules
        .fields()
        .into_iter()
        .map(|field| {
            let value = rules.canon(side, &field, raw.get(&field).unwrap_or(&Json::Null));
            (field, value)
        })
        .collect()
}

fn items(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

/// An id or a text, whichever way it is spelled.
pub fn text(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// An id as a number; 0 if there is none.
pub fn number(json: &Json) -> i64 {
    match json {
        Json::String(text) => text.parse().unwrap_or_default(),
        other => other.as_i64().unwrap_or_default(),
    }
}
