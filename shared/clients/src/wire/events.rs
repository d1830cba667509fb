//! What both services deliver to webhooks.

use serde_json::Value as Json;

use super::{Num, wire};

wire! {
    /// A Zendesk event. All ids inside `detail` and `event` are texts here.
    ZendeskEvent {
        account_id: Num,
        #[serde(rename = "type")]
        kind: String,
        id: String,
        time: String,
        subject: String,
        detail: ZendeskDetail,
        event: ZendeskChange,
    }
    /// The record after the change.
    ZendeskDetail { id: Num, actor_id: Num, tags: Vec<String> }
    /// The change; which members there are depends on the event.
    ZendeskChange {
        current: Json,
        previous: Json,
        custom_field: ZendeskRef,
        tags_added: Vec<String>,
        tags_removed: Vec<String>,
        comment: ZendeskComment,
        meta: ZendeskMeta,
    }
    /// Something by its id.
    ZendeskRef { id: Num }
    /// A comment as far as an event tells.
    ZendeskComment { id: Num, author: ZendeskRef }
    /// Where the event stands among those of one update.
    ZendeskMeta { sequence: ZendeskSequence }
    /// Number within the update.
    ZendeskSequence { id: Num, position: Num }
    /// A ClickUp delivery. Some events have ids only.
    ClickupEvent {
        event: String,
        webhook_id: String,
        task_id: String,
        list_id: Num,
        history_items: Vec<HistoryItem>,
    }
    /// One change. `before` and `after` look different for every field.
    HistoryItem {
        id: Num,
        date: Num,
        field: String,
        parent_id: Num,
        user: HistoryUser,
        before: Json,
        after: Json,
        comment: HistoryComment,
        custom_field: HistoryField,
    }
    /// Who did it.
    HistoryUser { id: Num }
    /// The whole comment, beside its id in `after`.
    HistoryComment { id: Num, text_content: String }
    /// The definition of the custom field that changed.
    HistoryField { id: String }
}
