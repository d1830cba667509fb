//! One task: read and deleted.

use serde_json::Value;

use super::refusal::Refusal;
use super::rows::Key;
use super::tx::{Tx, summary};
use super::wire::{self, Parts};
use crate::http_text::{self, Answer, Call};

/// `GET /task/{task_id}`.
pub(super) fn get(tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let task = tx.task(&path[0])?;
    let parts = Parts {
        markdown: call.query.flag("include_markdown_description"),
        attachments: true,
        subtasks: call.query.flag("include_subtasks"),
    };
    Ok(http_text::json(200, &wire::task(tx.state, tx.options, task, parts)))
}

/// `DELETE /task/{task_id}`: the task, its comments, files and subtasks are gone.
pub(super) fn delete(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let seq = tx.task(&path[0])?.seq;
    delete_tree(tx, seq);
    Ok(http_text::empty(204))
}

fn delete_tree(tx: &mut Tx<'_>, seq: u64) {
    let children = tx.state.children.get(&seq).into_iter().flatten().copied();
    for child in children.collect::<Vec<_>>() {
        delete_tree(tx, child);
    }
    let Some(task) = tx.state.tasks.get(&seq).cloned() else { return };
    let comments = tx.state.task_comments.get(&seq).into_iter().flatten().map(|(_, id)| *id);
    for id in comments.collect::<Vec<_>>() {
        let replies = tx.state.replies.get(&id).into_iter().flatten().map(|(_, id)| *id);
        for id in replies.chain([id]).collect::<Vec<_>>() {
            tx.remove(Key::Comment(id));
        }
    }
    let files = tx.state.task_files.get(&seq).into_iter().flatten().copied();
    for number in files.collect::<Vec<_>>() {
        tx.remove(Key::File(number));
    }
    tx.tell_deleted(&task);
    tx.note(&task.id, "deleted", summary(&task), Value::Null);
    tx.remove(Key::Task(seq));
}
