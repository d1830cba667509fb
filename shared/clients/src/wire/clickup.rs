//! What ClickUp answers.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Num, wire};

/// A priority: an object as a rule, a bare number in the documentation of the team query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Priority {
    /// Just the number.
    Plain(Num),
    /// With name and colour.
    Object(PriorityObject),
}

wire! {
    /// A task.
    Task {
        id: String,
        name: String,
        text_content: String,
        description: String,
        status: Status,
        priority: Priority,
        assignees: Vec<User>,
        tags: Vec<Tag>,
        custom_fields: Vec<CustomField>,
        due_date: Num,
        due_date_time: bool,
        list: Place,
        creator: User,
        date_created: Num,
        date_updated: Num,
        archived: bool,
        sharing: Sharing,
        attachments: Vec<Attachment>,
        url: String,
        parent: String,
    }
    /// A status of a task or a list.
    Status {
        status: String,
        #[serde(rename = "type")]
        kind: String,
        orderindex: Num,
    }
    /// A priority as an object; `id` and `orderindex` are strings.
    PriorityObject { id: Num, orderindex: Num, priority: String }
    /// A tag.
    Tag { name: String }
    /// A list, folder or space by reference.
    Place { id: Num, name: String }
    /// Whether a link makes the task public.
    Sharing { public: bool }
    /// A person. Roles: 1 owner, 2 admin, 3 member, 4 guest.
    User { id: Num, username: String, email: String, role: Num, timezone: String }
    /// The definition of a custom field; in a task with its value, which is absent when unset.
    CustomField {
        id: String,
        name: String,
        #[serde(rename = "type")]
        kind: String,
        type_config: TypeConfig,
        value: Json,
    }
    /// What a field's type needs.
    TypeConfig { options: Vec<FieldOption> }
    /// A choice; labels call their name `label`.
    FieldOption { id: String, name: String, label: String, orderindex: Num }
    /// A page of tasks.
    Tasks { tasks: Vec<Task>, last_page: bool }
    /// A file on a task.
    Attachment {
        id: String,
        title: String,
        url: String,
        date: Num,
        size: Num,
        mimetype: String,
        user: User,
    }
    /// A comment.
    Comment { id: Num, comment_text: String, user: User, date: Num }
    /// A page of comments, newest first.
    Comments { comments: Vec<Comment> }
    /// The answer to a new comment; here the id is a number.
    CommentCreated { id: Num, date: Num }
    /// Ourselves.
    Me { user: User }
    /// All Workspaces of the token.
    Teams { teams: Vec<Team> }
    /// A Workspace.
    Team { id: Num, name: String, members: Vec<Member> }
    /// Somebody in a Workspace.
    Member { user: User }
    /// People with explicit access to a list or a task.
    Members { members: Vec<User> }
    /// A list.
    List { id: Num, name: String, space: Place, statuses: Vec<Status>, archived: bool }
    /// A page of lists: those of a folder, or those of a space without a folder.
    Lists { lists: Vec<List> }
    /// A folder; its `lists` are not read, the specification is at odds with itself about them.
    Folder { id: Num, name: String, hidden: bool, space: Place }
    /// The folders of a space.
    Folders { folders: Vec<Folder> }
    /// A space.
    Space { id: Num, name: String, archived: bool, statuses: Vec<Status>, multiple_assignees: bool }
    /// The spaces of a Workspace.
    Spaces { spaces: Vec<Space> }
    /// The Workspace's plan.
    Plan { plan_name: String, plan_id: Num }
    /// The custom fields of a list.
    Fields { fields: Vec<CustomField> }
    /// A webhook.
    Webhook {
        id: String,
        endpoint: String,
        events: Vec<String>,
        health: Health,
        secret: String,
        list_id: Num,
    }
    /// How a webhook fares.
    Health { status: String, fail_count: Num }
    /// The webhooks our user made.
    Webhooks { webhooks: Vec<Webhook> }
    /// The answer to a code.
    Granted { access_token: String, token_type: String }
    /// A webhook just made or changed.
    OneWebhook { id: String, webhook: Webhook }
}
