//! Attachment map: `{i}#T#{ticket}` / `AT#{z or c}#{attachment id}`.

use std::collections::BTreeMap;

use domain::{Side, TicketId};

use crate::comments::MapState;
use crate::copies::Copies;
use crate::error::StoreError;
use crate::row::{Kind, Row, number, text};
use crate::store::{Intended, Store};

/// What is known of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentRow {
    /// Where it stands.
    pub state: MapState,
    /// The copy's id on the other side, once done.
    pub other_id: Option<String>,
    /// The nonce of the attempt.
    pub nonce: String,
    /// On a copy: the original's id on the other side.
    pub of: Option<String>,
    /// Size in bytes, where known.
    pub size: Option<u64>,
    /// SHA-256 of its bytes, once they were read.
    pub sha256: Option<String>,
    /// When the row was put, ms.
    pub at_ms: i64,
    /// Why it was skipped.
    pub reason: Option<String>,
}

/// Operations on the attachment map.
pub struct Attachments<'a> {
    pub(crate) store: &'a Store,
}

impl Attachments<'_> {
    /// Says that a file is about to be copied.
    pub async fn intend(
        &self,
        ticket: TicketId,
        side: Side,
        id: &str,
        nonce: &str,
        size: Option<u64>,
        sha256: Option<&str>,
    ) -> Result<Intended<AttachmentRow>, StoreError> {
        let intended = self
            .copies(ticket)
            .intend(side, id, nonce, |write| {
                write.set_maybe("size", size.map(number)).set_maybe("sha256", sha256.map(text))
            })
            .await?;
        Ok(match intended {
            Intended::New(row) => Intended::New(read(&row)?),
            Intended::Existing(row) => Intended::Existing(read(&row)?),
        })
    }
    /// An intent whose copy was not found gets a new nonce for the next attempt.
    pub async fn renew(
        &self,
        ticket: TicketId,
        side: Side,
        id: &str,
        nonce: &str,
        new_nonce: &str,
    ) -> Result<(), StoreError> {
        self.copies(ticket).renew(side, id, nonce, new_nonce).await
    }
    /// The attempt certainly came to nothing: the next one need not wait for it.
    pub async fn withdraw(
        &self,
        ticket: TicketId,
        side: Side,
        id: &str,
        nonce: &str,
    ) -> Result<(), StoreError> {
        self.copies(ticket).withdraw(side, id, nonce).await
    }
    /// The copy is there: puts the row of the copy, then finishes the original's.
    pub async fn done(
        &self,
        ticket: TicketId,
        side: Side,
        id: &str,
        nonce: &str,
        new_id: &str,
    ) -> Result<(), StoreError> {
        self.copies(ticket).done(side, id, nonce, new_id).await
    }
    /// It is not mirrored, and why.
    pub async fn skip(&self, ticket: TicketId, side: Side, id: &str, reason: &str) -> Result<(), StoreError> {
        self.copies(ticket).skip(side, id, reason, |write| write).await
    }
    /// One file.
    pub async fn get(
        &self,
        ticket: TicketId,
        side: Side,
        id: &str,
    ) -> Result<Option<AttachmentRow>, StoreError> {
        self.copies(ticket).get(side, id).await?.map(|row| read(&row)).transpose()
    }
    /// All files of a ticket by side and id.
    pub async fn list(
        &self,
        ticket: TicketId,
    ) -> Result<BTreeMap<(Side, String), AttachmentRow>, StoreError> {
        let rows = self.copies(ticket).list().await?;
        rows.into_iter().map(|(key, row)| Ok((key, read(&row)?))).collect()
    }
}

const KIND: Kind = Kind::new("attachment map", 4 * 1024);

impl Attachments<'_> {
    fn copies(&self, ticket: TicketId) -> Copies<'_> {
        Copies { store: self.store, kind: KIND, prefix: "AT", ticket }
    }
}

fn read(row: &Row) -> Result<AttachmentRow, StoreError> {
    Ok(AttachmentRow {
        state: row.word("state")?,
        other_id: row.text_maybe("other_id"),
        nonce: row.text_or_empty("nonce"),
        of: row.text_maybe("of"),
        size: row.number_maybe("size")?,
        sha256: row.text_maybe("sha256"),
        at_ms: row.number_or_zero("at_ms")?,
        reason: row.text_maybe("reason"),
    })
}
