//! A ticket may begin with an internal comment, and its text is the ticket's description. Where internal text
//! must not go to ClickUp, the task says so instead; the placeholder in the link's base keeps it so.

use domain::{Comment, FieldKey, LinkFields, Routing, Ticket, Value, Visibility};
use orchestration::ExecutionContext;

use crate::sync::conversation::in_order;
use crate::{Context, SyncError};

/// What the task shows in place of an internal description.
const PLACEHOLDER: &str = "(The first comment of this ticket is internal and stays in Zendesk.)";

/// A ticket as ClickUp may see it, with the comments that were read to know.
pub async fn for_clickup(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
) -> Result<(Ticket, Vec<Comment>), SyncError> {
    let read = cx.gate().and_then(|gate| gate.take_comments(ticket.id));
    let mut comments = match read {
        Some(comments) => comments,
        None => cx.zendesk(run).comments(ticket.id).await?,
    };
    in_order(&mut comments);
    // `is_public` tells of any comment, so the first one is looked at; without comments nothing is known.
    let internal = comments.first().is_none_or(|first| first.visibility != Visibility::Public);
    let mut seen = ticket.clone();
    if internal && !may_show(cx, ticket) {
        mask(&mut seen);
    }
    Ok((seen, comments))
}

/// Masks a ticket that was read again, if its link was made so.
pub fn as_linked(fields: &LinkFields, ticket: &mut Ticket) {
    let masked =
        fields.get(&FieldKey::Description).is_some_and(|base| base.z == Value::stored_text(PLACEHOLDER));
    if masked {
        mask(ticket);
    }
}

fn mask(ticket: &mut Ticket) {
    PLACEHOLDER.clone_into(&mut ticket.description);
}

fn may_show(cx: &Context, ticket: &Ticket) -> bool {
    let Routing::List(list) = cx.mapping.place(ticket) else { return false };
    let guests = cx.mapping.directory().guests_can_see.get(&list).copied().unwrap_or(true);
    cx.mapping.settings().internal_notes_to_clickup && !guests
}
