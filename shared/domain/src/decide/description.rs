//! The description: Zendesk's is read only, so an edit in ClickUp is told by a note or a conflict, and
//! then left alone.

use super::scalar::carry;
use super::state::{Plan, State};
use crate::conversation::{ZENDESK_COMMENT_BYTES_MAX, truncate};
use crate::decision::ConflictCause;
use crate::ids::Side;
use crate::lens::text::line_diff;
use crate::lens::text_of;
use crate::settings::DescriptionEdits;

pub(super) fn plan(state: &State<'_>, edits: DescriptionEdits) -> Plan {
    if state.same() {
        return state.adopt();
    }
    let edited = state.c_moved.then(|| told(state, edits));
    // Zendesk's text changes by redaction only: what was removed there must not stay here.
    if state.z_moved || state.c_ours {
        let mut plan = carry(state, Side::Zendesk, None);
        if let (Some(edited), false) = (edited, plan.held) {
            plan.conflicts.extend(edited.conflicts);
            plan.note = edited.note;
        }
        return plan;
    }
    edited.unwrap_or_else(|| Plan::quiet("the description was edited in ClickUp and is left alone"))
}

/// Tells of an edit in ClickUp. The conflict is kept beside the note: the two texts do differ.
fn told(state: &State<'_>, edits: DescriptionEdits) -> Plan {
    if state.look.ticket.is_closed() {
        let rule = "closed tickets take nothing";
        return state.apart(ConflictCause::TicketClosed, rule, "the ticket is closed");
    }
    let (word, say) = match edits {
        DescriptionEdits::Note => ("note", "a note tells of the edit in ClickUp"),
        DescriptionEdits::Conflict => ("conflict", "Zendesk's description is read only"),
    };
    let rule = format!("description_edits = {word}");
    let mut plan = state.apart(ConflictCause::DescriptionReadOnly, rule, say);
    if edits == DescriptionEdits::Note {
        let old = text_of(&state.z).unwrap_or_default();
        let new = text_of(&state.c).unwrap_or_default();
        let note = format!(
            "The description was edited in ClickUp. Zendesk keeps the first comment as it is; this is the \
             difference to it:\n\n{}",
            line_diff(old, new)
        );
        plan.note = Some(truncate(&note, ZENDESK_COMMENT_BYTES_MAX, Some(&state.look.task.url)));
    }
    plan
}
