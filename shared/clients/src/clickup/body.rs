//! The bodies of ClickUp writes. ClickUp ignores what it does not know with a success, so each member is
//! one that the call documents.

use domain::{NewTask, TaskPatch, UserId};
use serde_json::{Map, Value as Json, json};

pub(super) fn create(new: &NewTask) -> Json {
    let mut task = Map::new();
    task.insert("name".into(), json!(new.name));
    task.insert("description".into(), json!(new.description));
    task.insert("notify_all".into(), json!(false));
    if let Some(status) = &new.status {
        task.insert("status".into(), json!(status));
    }
    if let Some(priority) = new.priority {
        task.insert("priority".into(), json!(priority));
    }
    if !new.assignees.is_empty() {
        task.insert("assignees".into(), ids(&new.assignees));
    }
    if !new.tags.is_empty() {
        task.insert("tags".into(), json!(new.tags));
    }
    if let Some(due_date) = new.due_date {
        task.insert("due_date".into(), json!(due_date));
        task.insert("due_date_time".into(), json!(new.due_date_time));
    }
    if !new.custom_fields.is_empty() {
        let fields: Vec<Json> =
            new.custom_fields.iter().map(|(id, value)| json!({ "id": id, "value": value })).collect();
        task.insert("custom_fields".into(), json!(fields));
    }
    Json::Object(task)
}

pub(super) fn update(patch: &TaskPatch) -> Json {
    let mut task = Map::new();
    if let Some(name) = &patch.name {
        task.insert("name".into(), json!(name));
    }
    if let Some(description) = &patch.description {
        // An empty text does nothing; one blank clears.
        let text = if description.is_empty() { " " } else { description };
        task.insert("description".into(), json!(text));
    }
    if let Some(status) = &patch.status {
        task.insert("status".into(), json!(status));
    }
    if let Some(priority) = patch.priority {
        task.insert("priority".into(), json!(priority));
    }
    if let Some(due) = patch.due_date {
        task.insert("due_date".into(), json!(due.map(|(at_ms, _)| at_ms)));
        if let Some((_, with_time)) = due {
            task.insert("due_date_time".into(), json!(with_time));
        }
    }
    if !patch.assignees_add.is_empty() || !patch.assignees_rem.is_empty() {
        let change = json!({ "add": ids(&patch.assignees_add), "rem": ids(&patch.assignees_rem) });
        task.insert("assignees".into(), change);
    }
    if let Some(archived) = patch.archived {
        task.insert("archived".into(), json!(archived));
    }
    Json::Object(task)
}

fn ids(users: &std::collections::BTreeSet<UserId>) -> Json {
    users.iter().map(|user| json!(user.0)).collect()
}

/// A multipart body with one file, and its content type.
pub(super) fn multipart(filename: &str, bytes: &[u8], boundary: &str) -> (String, Vec<u8>) {
    // The name stands in quotes on one line; what would leave them is replaced.
    let name: String =
        filename.chars().map(|c| if c.is_control() || c == '"' || c == '\\' { '_' } else { c }).collect();
    let name = if name.is_empty() { "file".to_owned() } else { name };
    let mut body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"attachment\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

/// A boundary that does not occur in the file: made from the file's own hash.
pub(super) fn boundary(bytes: &[u8]) -> String {
    let mut boundary = format!("deskup-{}", &domain::field::sha256_hex(bytes)[..32]);
    while bytes.windows(boundary.len()).any(|window| window == boundary.as_bytes()) {
        boundary.push('x');
    }
    boundary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_notified_and_only_what_is_named_is_sent() {
        let new = NewTask { name: "n".into(), description: "d".into(), ..Default::default() };
        assert_eq!(create(&new), json!({"name": "n", "description": "d", "notify_all": false}));
        let patch = TaskPatch {
            description: Some(String::new()),
            priority: Some(None),
            due_date: Some(None),
            assignees_rem: [UserId(3)].into(),
            ..Default::default()
        };
        let expected = json!({
            "description": " ", "priority": null, "due_date": null,
            "assignees": {"add": [], "rem": [3]},
        });
        assert_eq!(update(&patch), expected);
        assert_eq!(update(&TaskPatch::default()), json!({}));
    }

    #[test]
    fn every_member_of_a_patch_is_sent() {
        // Without `..`: a new member has to be thought of here.
        let patch = TaskPatch {
            name: Some("n".into()),
            description: Some("d".into()),
            status: Some("s".into()),
            priority: Some(Some(2)),
            assignees_add: [UserId(1)].into(),
            assignees_rem: [UserId(2)].into(),
            due_date: Some(Some((9, true))),
            archived: Some(true),
        };
        let expected = json!({
            "name": "n", "description": "d", "status": "s", "priority": 2, "due_date": 9, "due_date_time": true,
            "assignees": {"add": [1], "rem": [2]}, "archived": true,
        });
        assert_eq!(update(&patch), expected);
    }

    #[test]
    fn a_file_name_cannot_leave_its_header() {
        let (kind, body) = multipart("a\"\r\nX: y\\.txt", b"data", "b");
        assert_eq!(kind, "multipart/form-data; boundary=b");
        let text = String::from_utf8(body).unwrap();
        assert!(text.contains("filename=\"a___X: y_.txt\"\r\n"), "{text}");
        assert!(text.ends_with("\r\n\r\ndata\r\n--b--\r\n"), "{text}");
    }
}
