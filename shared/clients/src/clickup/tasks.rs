//! Tasks: reads, queries, writes.

use bytes::Bytes;
use domain::{ListId, NewTask, Task, TaskId, TaskPatch};
use futures::stream::Stream;
use http::{HeaderValue, Method};
use serde_json::{Value as Json, json};

use super::{ClickUp, TaskPage, TaskQuery, body, convert, incomplete};
use crate::call::Call;
use crate::error::{ApiError, ApiResult, ErrorKind};
use crate::hosts::encode;
use crate::pages::{self, More};
use crate::retry::Effect;
use crate::wire::clickup as wire;

/// Tasks on a page. Fewer mean the last page where the answer does not say.
const PER_PAGE: usize = 100;

impl ClickUp {
    /// One task with its attachments. `None` if it is gone or not visible: ClickUp does not tell which.
    pub async fn task(&self, id: &TaskId) -> ApiResult<Option<Task>> {
        let call = self.get("/task/{id}", format!("/api/v2/task/{id}")).about(id);
        let answer: wire::Task = match self.read(&call).await {
            Err(error) if error.is_not_found() => return Ok(None),
            other => other?,
        };
        convert::task(answer).map(Some).ok_or_else(|| incomplete(&call))
    }

    /// Creates a task, telling nobody. ClickUp has no idempotency: after an `Unknown` it must be looked
    /// for before it is created again.
    pub async fn create_task(&self, list: &ListId, new: &NewTask) -> ApiResult<Task> {
        let path = format!("/api/v2/list/{list}/task");
        let call = self
            .write(Method::POST, "/list/{id}/task", path, Effect::Once)
            .json(&body::create(new))
            .about(format!("list {list}"));
        self.written(&call).await
    }

    /// Changes the standard fields.
    pub async fn update_task(&self, id: &TaskId, patch: &TaskPatch) -> ApiResult<Task> {
        let path = format!("/api/v2/task/{id}");
        let call = self
            .write(Method::PUT, "/task/{id}", path, Effect::Repeatable)
            .json(&body::update(patch))
            .about(id);
        self.written(&call).await
    }

    async fn written(&self, call: &Call) -> ApiResult<Task> {
        let answer: wire::Task = self.read(call).await?;
        convert::task(answer).ok_or_else(|| incomplete(call))
    }

    /// Adds one tag.
    pub async fn add_tag(&self, id: &TaskId, tag: &str) -> ApiResult<()> {
        self.tag(Method::POST, id, tag).await
    }

    /// Removes one tag.
    pub async fn remove_tag(&self, id: &TaskId, tag: &str) -> ApiResult<()> {
        self.tag(Method::DELETE, id, tag).await
    }

    async fn tag(&self, method: Method, id: &TaskId, tag: &str) -> ApiResult<()> {
        let path = format!("/api/v2/task/{id}/tag/{}", encode(tag));
        let call = self.write(method, "/task/{id}/tag/{name}", path, Effect::Repeatable).about(id);
        // Names of one or two dots would be read as folders by everything on the way.
        if tag.is_empty() || tag == "." || tag == ".." {
            return Err(call.error(ErrorKind::Refused).with_code("BadTag"));
        }
        self.send(&call).await.map(drop)
    }

    /// Sets one custom field. A drop-down takes the UUID of the option.
    pub async fn set_field(&self, id: &TaskId, field_id: &str, value: &Json) -> ApiResult<()> {
        let path = format!("/api/v2/task/{id}/field/{}", encode(field_id));
        let call = self
            .write(Method::POST, "/task/{id}/field/{id}", path, Effect::Repeatable)
            .json(&json!({ "value": value }))
            .about(format!("{id} field {field_id}"));
        self.send(&call).await.map(drop)
    }

    /// Clears one custom field.
    pub async fn clear_field(&self, id: &TaskId, field_id: &str) -> ApiResult<()> {
        let path = format!("/api/v2/task/{id}/field/{}", encode(field_id));
        let call = self
            .write(Method::DELETE, "/task/{id}/field/{id}", path, Effect::Repeatable)
            .about(format!("{id} field {field_id}"));
        self.send(&call).await.map(drop)
    }

    /// Gives a task another home list; statuses are mapped by name where the new list has them.
    pub async fn move_task(&self, id: &TaskId, list: &ListId) -> ApiResult<()> {
        let path = format!("/api/v3/workspaces/{}/tasks/{id}/home_list/{list}", self.workspace);
        let call = self
            .write(Method::PUT, "/v3/workspaces/{id}/tasks/{id}/home_list/{id}", path, Effect::Repeatable)
            .json(&json!({ "move_custom_fields": true }))
            .about(format!("{id} to list {list}"));
        self.send(&call).await.map(drop)
    }

    /// A page of the Workspace's tasks.
    pub async fn team_tasks(&self, query: &TaskQuery) -> ApiResult<TaskPage> {
        let path = format!("/api/v2/team/{}/task", self.workspace);
        let mut call = filtered(self.get("/team/{id}/task", path), query);
        for list in &query.lists {
            call = call.query("list_ids[]", list);
        }
        self.task_page(&call).await
    }

    /// A page of a list's tasks. Tasks whose home is another list are left out.
    pub async fn list_tasks(&self, list: &ListId, query: &TaskQuery) -> ApiResult<TaskPage> {
        let call = self.get("/list/{id}/task", format!("/api/v2/list/{list}/task"));
        let call = filtered(call, query).query("archived", query.archived).about(format!("list {list}"));
        self.task_page(&call).await
    }

    /// All tasks of a query from its page on. Pages shift while tasks change: order by creation for a
    /// full pass, and drop repeats by id.
    pub fn team_task_stream(&self, query: TaskQuery) -> impl Stream<Item = ApiResult<Task>> + Send + use<> {
        let client = self.clone();
        pages::entries(query.page, move |page| {
            let client = client.clone();
            let query = TaskQuery { page, ..query.clone() };
            async move {
                let found = client.team_tasks(&query).await?;
                let next = if found.last_page { More::No } else { More::From(page + 1) };
                Ok((found.tasks, next))
            }
        })
    }

    async fn task_page(&self, call: &Call) -> ApiResult<TaskPage> {
        let reply = self.send(call).await?;
        let (page, mut unreadable): (wire::Tasks, _) = reply.page::<_, wire::Task>(call, "tasks")?;
        let read = page.tasks.items().len() + unreadable.len();
        let tasks = convert::tasks(page.tasks.into_items(), &mut unreadable);
        if !unreadable.is_empty() {
            tracing::warn!(ids = unreadable.join(" "), "tasks of a page could not be read");
        }
        let last_page = page.last_page.get().copied().unwrap_or(read < PER_PAGE);
        Ok(TaskPage { tasks, last_page, unreadable })
    }

    /// Hangs a file on a task and returns the attachment's id.
    pub async fn attach(&self, id: &TaskId, filename: &str, bytes: Bytes) -> ApiResult<String> {
        let path = format!("/api/v2/task/{id}/attachment");
        let (kind, multipart) = body::multipart(filename, &bytes, &body::boundary(&bytes));
        let call = self.write(Method::POST, "/task/{id}/attachment", path, Effect::Once).about(id);
        let kind = HeaderValue::try_from(kind).map_err(|_| bad_body(&call))?;
        let call = call.raw(kind, Bytes::from(multipart));
        let answer: wire::Attachment = self.read(&call).await?;
        convert::attachment_id(answer).ok_or_else(|| incomplete(&call))
    }

    /// Fetches a file; the host may be foreign and then gets no credentials.
    pub async fn download(&self, url: &str) -> ApiResult<Bytes> {
        self.core.download(url, self.scope).await
    }
}

/// Closed tasks and subtasks are left out unless asked for, and a sync wants them all.
fn filtered(call: Call, query: &TaskQuery) -> Call {
    let mut call = call
        .query("page", query.page)
        .query("include_closed", true)
        .query("subtasks", true)
        .query("order_by", if query.order_by_updated { "updated" } else { "created" })
        .query("reverse", query.reverse);
    if let Some(after) = query.updated_gt {
        call = call.query("date_updated_gt", after);
    }
    if let Some(after) = query.created_gt {
        call = call.query("date_created_gt", after);
    }
    call
}

fn bad_body(call: &Call) -> ApiError {
    call.error(ErrorKind::Refused).with_code("BadBody")
}
