//! Comment map: `{i}#T#{ticket}` / `CM#{z or c}#{comment id}`.

use std::collections::BTreeMap;

use domain::{Side, TicketId, Visibility};
use serde::{Deserialize, Serialize};

use crate::copies::Copies;
use crate::error::StoreError;
use crate::row::{Item, Kind, Row, text, word};
use crate::store::{Intended, Store};

/// Where a comment or a file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MapState {
    /// A copy is about to be made.
    Intent,
    /// The copy is there.
    Done,
    /// This one is itself a copy; `of` names the original.
    Copy,
    /// Deliberately not mirrored.
    Skipped,
}

/// What is known of one comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentRow {
    /// Where it stands.
    pub state: MapState,
    /// The copy's id on the other side, once done.
    pub other_id: Option<String>,
    /// The nonce of the attempt.
    pub nonce: String,
    /// Who may read it; only ever tightened.
    pub visibility: Visibility,
    /// On a copy: the original's id on the other side.
    pub of: Option<String>,
    /// Hash of the original's text.
    pub hash: String,
    /// When the row was put, ms.
    pub at_ms: i64,
    /// Why it was skipped.
    pub reason: Option<String>,
}

/// Operations on the comment map.
pub struct Comments<'a> {
    pub(crate) store: &'a Store,
}

impl Comments<'_> {
    /// Says that a comment is about to be copied.
    pub async fn intend(
        &self,
        ticket: TicketId,
        side: Side,
        id: &str,
        nonce: &str,
        visibility: Visibility,
        hash: &str,
    ) -> Result<Intended<CommentRow>, StoreError> {
        let intended = self
            .copies(ticket)
            .intend(side, id, nonce, |write| {
                write.set("visibility", word(visibility)).set("hash", text(hash))
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
    pub async fn skip(
        &self,
        ticket: TicketId,
        side: Side,
        id: &str,
        visibility: Visibility,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.copies(ticket).skip(side, id, reason, |write| write.set("visibility", word(visibility))).await
    }
    /// From now on internal; never the other way.
    pub async fn tighten(&self, ticket: TicketId, side: Side, id: &str) -> Result<(), StoreError> {
        let internal = Item::from([("visibility".to_owned(), word(Visibility::Internal))]);
        self.copies(ticket).set(side, id, internal).await
    }
    /// One comment.
    pub async fn get(
        &self,
        ticket: TicketId,
        side: Side,
        id: &str,
    ) -> Result<Option<CommentRow>, StoreError> {
        self.copies(ticket).get(side, id).await?.map(|row| read(&row)).transpose()
    }
    /// All comments of a ticket by side and id.
    pub async fn list(&self, ticket: TicketId) -> Result<BTreeMap<(Side, String), CommentRow>, StoreError> {
        let rows = self.copies(ticket).list().await?;
        rows.into_iter().map(|(key, row)| Ok((key, read(&row)?))).collect()
    }
}

const KIND: Kind = Kind::new("comment map", 4 * 1024);

impl Comments<'_> {
    fn copies(&self, ticket: TicketId) -> Copies<'_> {
        Copies { store: self.store, kind: KIND, prefix: "CM", ticket }
    }
}

fn read(row: &Row) -> Result<CommentRow, StoreError> {
    Ok(CommentRow {
        state: row.word("state")?,
        other_id: row.text_maybe("other_id"),
        nonce: row.text_or_empty("nonce"),
        // What is not known to be public is internal.
        visibility: if row.text_maybe("visibility").as_deref() == Some("public") {
            Visibility::Public
        } else {
            Visibility::Internal
        },
        of: row.text_maybe("of"),
        hash: row.text_or_empty("hash"),
        at_ms: row.number_or_zero("at_ms")?,
        reason: row.text_maybe("reason"),
    })
}
