//! Tags: they belong to a Space, are identified by name, and cost one call each on a task.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::create::object;
use super::history::Item;
use super::model::Task;
use super::refusal::{self, Refusal};
use super::tx::Tx;
use super::{text, wire};
use crate::http_text::{self, Answer, Call};

/// `GET /space/{space_id}/tag`.
pub(super) fn of_space(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let tags = tx.space(&path[0])?.tags.iter().map(
        |(name, tag)| json!({"name": name, "tag_fg": tag.color, "tag_bg": tag.color, "creator": tag.creator}),
    );
    let tags: Vec<Value> = tags.collect();
    Ok(http_text::json(200, &json!({"tags": tags})))
}

/// `POST /space/{space_id}/tag`.
pub(super) fn define(tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let body = object(call)?;
    let name = text::tag(body["tag"]["name"].as_str().unwrap_or_default());
    if name.is_empty() {
        return Err(refusal::VALUE_INVALID);
    }
    let mut space = tx.space(&path[0])?.clone();
    let color = body["tag"]["tag_bg"].as_str().map_or_else(|| wire::color(0), str::to_owned);
    space.tags.entry(name).or_insert(super::model::Tag { color, creator: tx.actor });
    tx.put(super::rows::Row::Space(space));
    Ok(http_text::json(200, &json!({})))
}

/// `POST /task/{task_id}/tag/{tag_name}`. A tag the Space does not have is created.
pub(super) fn add(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let task = tx.task(&path[0])?.clone();
    let name = text::tag(&path[1]);
    if name.is_empty() {
        return Err(refusal::VALUE_INVALID);
    }
    let mut tags = task.tags.clone();
    tags.insert(name);
    tx.define_tags(&task.list, &tags);
    change(tx, task, tags);
    Ok(http_text::json(200, &json!({})))
}

/// `DELETE /task/{task_id}/tag/{tag_name}`. A tag the task does not have is no error.
pub(super) fn remove(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let task = tx.task(&path[0])?.clone();
    let mut tags = task.tags.clone();
    tags.remove(&text::tag(&path[1]));
    change(tx, task, tags);
    Ok(http_text::json(200, &json!({})))
}

fn change(tx: &mut Tx<'_>, mut task: Task, tags: BTreeSet<String>) {
    if task.tags == tags {
        return;
    }
    let before = std::mem::replace(&mut task.tags, tags);
    tx.note(&task.id, "tags", json!(before), json!(task.tags));
    tx.save(task.clone());
    // The one documented example has the tag that came, not the whole set; a removal is taken to be the reverse.
    let added: Vec<&String> = task.tags.difference(&before).collect();
    let removed: Vec<&String> = before.difference(&task.tags).collect();
    let shown = |names: Vec<&String>| match names.is_empty() {
        true => Value::Null,
        false => wire::tags(tx.state, &task.list, names.into_iter()),
    };
    let item = Item::new("tag", shown(removed), shown(added));
    tx.tell(Some("taskTagUpdated"), &task, item);
}
