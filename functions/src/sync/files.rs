//! Files in both directions. ClickUp hangs them on the task, Zendesk on a comment. Bytes come from hosts
//! that the services name and go to nobody else; a file that is too large is left where it is.

use std::collections::BTreeMap;

use clients::ErrorKind;
use domain::field::sha256_hex;
use domain::patch::NewTicketComment;
use domain::plan::Write;
use domain::{Attachment, Comment, Side, Task, Ticket, TicketPatch, Visibility};
use orchestration::ExecutionContext;
use orchestration::recovery_manager::fingerprint;
use stores::attachments::AttachmentRow;
use stores::comments::MapState;
use stores::quarantine::Quarantined;
use stores::{Intended, WorkKey};

use crate::plan::gate::Pass;
use crate::sync::copying;
use crate::{Context, SyncError};

/// Larger files stay where they are: they would have to fit in a Lambda's memory.
const FILE_BYTES_MAX: u64 = 50 * 1024 * 1024;

/// So often a file is uploaded for one note: its token may end while the note waits for the budget.
const UPLOADS_MAX: u32 = 3;

/// Copies the files of one ticket comment to the task.
pub async fn to_clickup(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    task: &Task,
    comment: &Comment,
) -> Result<u32, SyncError> {
    if !cx.mapping.settings().attachments || comment.attachments.is_empty() {
        return Ok(0);
    }
    let rows = cx.store.attachments().list(ticket.id).await?;
    let mut writes = 0;
    for file in &comment.attachments {
        if is_settled(&rows, Side::Zendesk, file) {
            continue;
        }
        let pass = permit(cx, ticket, Side::Zendesk, file)?;
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
        let nonce = fresh_nonce(cx, run, ticket, Side::Zendesk, file, &nonce).await?;
        match cx.clickup(run).attach(&task.id, &file.name, bytes).await {
            Ok(id) => {
                pass.used();
                cx.store.attachments().done(ticket.id, Side::Zendesk, &file.id, &nonce, &id).await?;
                writes += 1;
            }
            Err(error) => failed(cx, ticket, Side::Zendesk, file, &nonce, error.into()).await?,
        }
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
    let candidates = of_people(cx, ticket, task);
    if candidates.is_empty() {
        return Ok(0);
    }
    let rows = cx.store.attachments().list(ticket.id).await?;
    let mut writes = 0;
    for file in candidates {
        if is_settled(&rows, Side::Clickup, file) {
            continue;
        }
        let pass = permit(cx, ticket, Side::Clickup, file)?;
        let Some(nonce) = claim(cx, run, ticket, Side::Clickup, file).await? else { continue };
        if let Nonce::Doubt(row) = &nonce
            && let Some(id) = landed(cx, run, ticket, row).await?
        {
            cx.store.attachments().done(ticket.id, Side::Clickup, &file.id, &row.nonce, &id).await?;
            continue;
        }
        let Some(bytes) = download(cx, run, ticket, Side::Clickup, file).await? else { continue };
        let nonce = fresh_nonce(cx, run, ticket, Side::Clickup, file, &nonce).await?;
        match send_note(cx, run, ticket, file, &nonce, bytes).await {
            Ok(id) => {
                pass.used();
                cx.store.attachments().done(ticket.id, Side::Clickup, &file.id, &nonce, &id).await?;
                writes += 1;
            }
            Err(error) => failed(cx, ticket, Side::Clickup, file, &nonce, error).await?,
        }
    }
    Ok(writes)
}

/// Uploads a file and hangs it on an internal note; the note's id. The token of an upload ends after a while,
/// and no source says how Zendesk refuses one that has: so after any refusal the file is uploaded again.
async fn send_note(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    file: &Attachment,
    nonce: &str,
    bytes: bytes::Bytes,
) -> Result<String, SyncError> {
    let zendesk = cx.zendesk(run);
    let content_type = file.content_type.as_deref().unwrap_or("application/octet-stream");
    let mut uploads = 0;
    loop {
        uploads += 1;
        let upload = zendesk.upload(&file.name, content_type, bytes.clone()).await?;
        let note = NewTicketComment {
            body: format!("A file was added to the ClickUp task: {}", file.name),
            visibility: Visibility::Internal,
            uploads: vec![upload.token],
        };
        let patch = TicketPatch { comment: Some(note), ..TicketPatch::default() };
        match zendesk.update_ticket(ticket.id, &patch, nonce, None).await {
            Ok(updated) => {
                return Ok(updated.audit.comment_ids.first().map(u64::to_string).unwrap_or_default());
            }
            Err(error) if error.kind == ErrorKind::Refused && uploads < UPLOADS_MAX => {
                tracing::info!(ticket = %ticket.id, file = %file.id, %error, "the file is uploaded again");
            }
            Err(error) => {
                let expired = upload.expires.is_some_and(|at| at.ms() <= cx.now_ms());
                return Err(match error.kind {
                    ErrorKind::Refused if expired => SyncError::Poison {
                        cause: "zendesk_upload_expired",
                        detail: format!("ticket {}: uploads end before they are used", ticket.id),
                    },
                    _ => error.into(),
                });
            }
        }
    }
}

/// A file that is refused for good is set aside alone: the rest of the record goes on without it.
async fn set_aside(
    cx: &Context,
    ticket: &Ticket,
    side: Side,
    file: &Attachment,
    error: SyncError,
) -> Result<(), SyncError> {
    let refused = matches!(&error, SyncError::Api(api) if api.kind == ErrorKind::Refused);
    if !refused && !matches!(error, SyncError::Poison { .. }) {
        return Err(error);
    }
    let cause = error.cause();
    tracing::warn!(ticket = %ticket.id, file = %file.id, %cause, "a file is set aside");
    cx.store
        .quarantine()
        .put(&Quarantined {
            record: WorkKey::Ticket(ticket.id),
            part: Some(format!("AT#{}#{}", side.letter(), file.id)),
            fingerprint: fingerprint(&cause, error.code(), &error.endpoint()),
            cause,
            seq: 0,
            attempts: 1,
            at_ms: cx.now_ms(),
            what: Some(error.to_string()),
        })
        .await?;
    cx.store.attachments().skip(ticket.id, side, &file.id, "set_aside").await?;
    Ok(())
}

/// The files that people hung on a task and that its ticket can take.
pub fn of_people<'t>(cx: &Context, ticket: &Ticket, task: &'t Task) -> Vec<&'t Attachment> {
    if !cx.mapping.settings().attachments || ticket.is_closed() {
        return Vec::new();
    }
    let theirs = |file: &&Attachment| file.user.is_some_and(|user| user != cx.clickup_me());
    task.attachments.iter().filter(theirs).collect()
}

/// Whether a file is left where it is.
pub fn is_too_large(file: &Attachment) -> bool {
    file.size_bytes.is_some_and(|size| size > FILE_BYTES_MAX)
}

fn is_settled(rows: &BTreeMap<(Side, String), AttachmentRow>, side: Side, file: &Attachment) -> bool {
    let state = rows.get(&(side, file.id.clone())).map(|row| row.state);
    matches!(state, Some(MapState::Done | MapState::Skipped | MapState::Copy))
}

/// A file that is too large is not copied, so nobody has to let it pass.
fn permit<'a>(
    cx: &'a Context,
    ticket: &Ticket,
    from: Side,
    file: &Attachment,
) -> Result<Pass<'a>, SyncError> {
    if is_too_large(file) {
        return Ok(Pass::not_needed(cx));
    }
    cx.permit(ticket.id, &Write::File { from, id: file.id.clone() })
}

enum Nonce {
    Fresh(String),
    Doubt(AttachmentRow),
}

/// Before another attempt: from now on this one may be under way.
async fn fresh_nonce(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    side: Side,
    file: &Attachment,
    claimed: &Nonce,
) -> Result<String, SyncError> {
    let row = match claimed {
        Nonce::Fresh(nonce) => return Ok(nonce.clone()),
        Nonce::Doubt(row) => row,
    };
    let nonce = cx.nonce(run);
    cx.store.attachments().renew(ticket.id, side, &file.id, &row.nonce, &nonce).await?;
    Ok(nonce)
}

/// An attempt that certainly came to nothing leaves no doubt behind; one of unknown outcome may have waited before it was
/// sent, and from now on it may be under way; what is refused for good is set aside.
async fn failed(
    cx: &Context,
    ticket: &Ticket,
    side: Side,
    file: &Attachment,
    nonce: &str,
    error: SyncError,
) -> Result<(), SyncError> {
    let certain = matches!(&error, SyncError::Api(api) if !api.kind.may_have_happened());
    let left = set_aside(cx, ticket, side, file, error).await;
    match left {
        Err(_) if certain => cx.store.attachments().withdraw(ticket.id, side, &file.id, nonce).await?,
        Err(_) => cx.store.attachments().renew(ticket.id, side, &file.id, nonce, nonce).await?,
        Ok(()) => {}
    }
    left
}

async fn claim(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    side: Side,
    file: &Attachment,
) -> Result<Option<Nonce>, SyncError> {
    if is_too_large(file) {
        cx.store.attachments().skip(ticket.id, side, &file.id, "too_large").await?;
        return Ok(None);
    }
    // Before the intent, which would leave a doubt behind.
    cx.check_paused(run.lane).await?;
    let nonce = cx.nonce(run);
    let intended =
        cx.store.attachments().intend(ticket.id, side, &file.id, &nonce, file.size_bytes, None).await?;
    Ok(match intended {
        Intended::New(_) => Some(Nonce::Fresh(nonce)),
        Intended::Existing(row) if row.state == MapState::Intent => {
            copying::is_over(cx, run, row.at_ms)?;
            Some(Nonce::Doubt(row))
        }
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
        // The rest of it was lost on the way.
        Ok(bytes) if file.size_bytes.is_some_and(|size| size > bytes.len() as u64) => {
            Err(SyncError::Later("a file came incomplete"))
        }
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

/// Whether a file on a task is deskup's copy of another.
pub fn is_copy(cx: &Context, on_task: &Attachment, of: &Attachment) -> bool {
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
