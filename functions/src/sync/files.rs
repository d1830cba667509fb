//! Files in both directions. ClickUp hangs them on the task, Zendesk on a comment. Bytes come from hosts
//! that the services name and go to nobody else; a file that is too large is left where it is.

use clients::ErrorKind;
use domain::field::sha256_hex;
use domain::patch::NewTicketComment;
use domain::{Attachment, Comment, Side, Task, Ticket, TicketPatch, Visibility};
use orchestration::ExecutionContext;
use stores::Intended;
use stores::attachments::AttachmentRow;
use stores::comments::MapState;

use crate::{Context, SyncError};

/// Larger files stay where they are: they would have to fit in a Lambda's memory.
const FILE_BYTES_MAX: u64 = 50 * 1024 * 1024;

/// Copies the files of one ticket comment to the task.
pub async fn to_clickup(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    task: &Task,
    comment: &Comment,
) -> Result<u32, SyncError> {
    if !cx.mapping.settings().attachments {
        return Ok(0);
    }
    let mut writes = 0;
    for file in &comment.attachments {
        let Some(nonce) = claim(cx, run, ticket, Side::Zendesk, file).await? else { continue };
        if let Nonce::Doubt(row) = &nonce {
            // ClickUp lists the files of a task: one of this name and size that we put there is the copy.
            let present = task.attachments.iter().find(|a| is_copy(cx, a, file));
            if let Some(copy) = present {
                cx.store.attachments().done(ticket.id, Side::Zendesk, &file.id, &row.nonce, &copy.id).await?;
                continue;
            }
        }
        let Some(bytes) = download(cx, run, ticket, Side::Zendesk, file).await? else { continue };
        let id = cx.clickup(run).attach(&task.id, &file.name, bytes).await?;
        cx.store.attachments().done(ticket.id, Side::Zendesk, &file.id, &nonce.text(), &id).await?;
        writes += 1;
    }
    Ok(writes)
}

/// Copies the files that people hung on the task into internal notes of the ticket.
pub async fn to_zendesk(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    task: &Task,
) -> Result<u32, SyncError> {
    let theirs = |file: &&Attachment| file.user.is_some_and(|user| user != cx.clickup_me());
    let candidates: Vec<&Attachment> = task.attachments.iter().filter(theirs).collect();
    if candidates.is_empty() || !cx.mapping.settings().attachments || ticket.is_closed() {
        return Ok(0);
    }
    let rows = cx.store.attachments().list(ticket.id).await?;
    let mut writes = 0;
    for file in candidates {
        let settled = rows.get(&(Side::Clickup, file.id.clone())).map(|row| row.state);
        if matches!(settled, Some(MapState::Done | MapState::Skipped | MapState::Copy)) {
            continue;
        }
        let Some(nonce) = claim(cx, run, ticket, Side::Clickup, file).await? else { continue };
        if let Nonce::Doubt(row) = &nonce
            && let Some(id) = landed(cx, run, ticket, row).await?
        {
            cx.store.attachments().done(ticket.id, Side::Clickup, &file.id, &row.nonce, &id).await?;
            continue;
        }
        let Some(bytes) = download(cx, run, ticket, Side::Clickup, file).await? else { continue };
        let zendesk = cx.zendesk(run);
        let content_type = file.content_type.as_deref().unwrap_or("application/octet-stream");
        let upload = zendesk.upload(&file.name, content_type, bytes).await?;
        let note = NewTicketComment {
            body: format!("A file was added to the ClickUp task: {}", file.name),
            visibility: Visibility::Internal,
            uploads: vec![upload.token],
        };
        let patch = TicketPatch { comment: Some(note), ..TicketPatch::default() };
        let updated = zendesk.update_ticket(ticket.id, &patch, &nonce.text(), None).await?;
        let id = updated.audit.comment_ids.first().map(u64::to_string).unwrap_or_default();
        cx.store.attachments().done(ticket.id, Side::Clickup, &file.id, &nonce.text(), &id).await?;
        writes += 1;
    }
    Ok(writes)
}

enum Nonce {
    Fresh(String),
    Doubt(AttachmentRow),
}

impl Nonce {
    fn text(&self) -> String {
        match self {
            Nonce::Fresh(nonce) => nonce.clone(),
            Nonce::Doubt(row) => row.nonce.clone(),
        }
    }
}

async fn claim(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    side: Side,
    file: &Attachment,
) -> Result<Option<Nonce>, SyncError> {
    if file.size_bytes.is_some_and(|size| size > FILE_BYTES_MAX) {
        cx.store.attachments().skip(ticket.id, side, &file.id, "too_large").await?;
        return Ok(None);
    }
    let nonce = cx.nonce(run);
    let intended =
        cx.store.attachments().intend(ticket.id, side, &file.id, &nonce, file.size_bytes, None).await?;
    Ok(match intended {
        Intended::New(_) => Some(Nonce::Fresh(nonce)),
        Intended::Existing(row) if row.state == MapState::Intent => Some(Nonce::Doubt(row)),
        Intended::Existing(_) => None,
    })
}

/// The bytes of a file; `None` when it is gone, which is noted so that it is not asked for again.
async fn download(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    side: Side,
    file: &Attachment,
) -> Result<Option<bytes::Bytes>, SyncError> {
    let result = match side {
        Side::Zendesk => cx.zendesk(run).download(&file.url).await,
        Side::Clickup => cx.clickup(run).download(&file.url).await,
    };
    match result {
        Ok(bytes) => {
            tracing::debug!(file = %file.id, sha256 = %sha256_hex(&bytes), "read a file");
            Ok(Some(bytes))
        }
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Refused) => {
            cx.store.attachments().skip(ticket.id, side, &file.id, "gone").await?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn is_copy(cx: &Context, on_task: &Attachment, of: &Attachment) -> bool {
    on_task.user == Some(cx.clickup_me())
        && on_task.name == of.name
        && (on_task.size_bytes.is_none() || of.size_bytes.is_none() || on_task.size_bytes == of.size_bytes)
}

/// The note that an earlier attempt made, found by the effect id in its audit.
async fn landed(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    row: &AttachmentRow,
) -> Result<Option<String>, SyncError> {
    let audits = cx.zendesk(run).audits(ticket.id).await?;
    Ok(audits
        .iter()
        .find(|audit| audit.effect_id() == Some(row.nonce.as_str()))
        .and_then(|audit| audit.comment_ids.first())
        .map(u64::to_string))
}
