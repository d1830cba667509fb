//! What the maps of comments and of files have in common: an original, its copy, and a row for each.

use domain::{Side, TicketId};

use crate::comments::MapState;
use crate::error::StoreError;
use crate::row::{Item, Kind, Row, number, text, word};
use crate::store::{Intended, Store};
use crate::table::{Key, Query, Write, Wrote};
use crate::work_key::side;

/// One of the two maps.
pub(crate) struct Copies<'a> {
    pub(crate) store: &'a Store,
    pub(crate) kind: Kind,
    /// `CM` or `AT`.
    pub(crate) prefix: &'static str,
    pub(crate) ticket: TicketId,
}

impl Copies<'_> {
    fn key(&self, side: Side, id: &str) -> Key {
        Key::new(self.store.ticket_pk(self.ticket), format!("{}#{}#{id}", self.prefix, side.letter()))
    }

    pub(crate) async fn intend(
        &self,
        side: Side,
        id: &str,
        nonce: &str,
        more: impl FnOnce(Write) -> Write,
    ) -> Result<Intended<Row>, StoreError> {
        let write = Write::put_new(self.kind, &self.key(side, id))
            .set("state", word(MapState::Intent))
            .set("nonce", text(nonce))
            .set("at_ms", number(self.store.now_ms()));
        match self.store.write(more(write)).await? {
            Wrote::Yes(item) => Ok(Intended::New(Row::new(self.kind, item))),
            Wrote::No(item) => Ok(Intended::Existing(Row::new(self.kind, item.unwrap_or_default()))),
        }
    }

    pub(crate) async fn renew(
        &self,
        side: Side,
        id: &str,
        nonce: &str,
        new_nonce: &str,
    ) -> Result<(), StoreError> {
        let write = Write::update(self.kind, &self.key(side, id))
            .set("nonce", text(new_nonce))
            .set("at_ms", number(self.store.now_ms()))
            .when("#state = :intent AND #nonce = :old")
            .value(":intent", word(MapState::Intent))
            .value(":old", text(nonce));
        self.store.write(write).await?.or_stale(self.kind).map(drop)
    }

    /// Only what is still the intent of this very attempt.
    pub(crate) async fn withdraw(&self, side: Side, id: &str, nonce: &str) -> Result<(), StoreError> {
        let write = Write::delete(self.kind, &self.key(side, id))
            .when("#state = :intent AND #nonce = :mine")
            .value(":intent", word(MapState::Intent))
            .value(":mine", text(nonce));
        self.store.write(write).await.map(drop)
    }

    /// The copy's row first: when the copy's own event comes in, it must be known as a copy.
    pub(crate) async fn done(
        &self,
        side: Side,
        id: &str,
        nonce: &str,
        new_id: &str,
    ) -> Result<(), StoreError> {
        let original = self.store.get(self.kind, &self.key(side, id), true).await?;
        let original = original.ok_or_else(|| self.kind.stale())?;
        let mut copy = Write::update(self.kind, &self.key(side.other(), new_id))
            .set("state", word(MapState::Copy))
            .set("of", text(id))
            .set("nonce", text(nonce))
            .set("at_ms", number(self.store.now_ms()))
            .when("attribute_not_exists(#pk) OR #state <> :done")
            .value(":done", word(MapState::Done));
        // A copy is as visible as its original.
        if let Some(visibility) = original.text_maybe("visibility") {
            copy = copy.set("visibility", text(visibility));
        }
        self.store.write(copy).await?;
        let finish = Write::update(self.kind, &self.key(side, id))
            .set("state", word(MapState::Done))
            .set("other_id", text(new_id))
            .when("#nonce = :mine AND (#state = :intent OR (#state = :state AND #other_id = :other_id))")
            .value(":mine", text(nonce))
            .value(":intent", word(MapState::Intent));
        self.store.write(finish).await?.or_stale(self.kind).map(drop)
    }

    /// Only what has no copy yet can be skipped.
    pub(crate) async fn skip(
        &self,
        side: Side,
        id: &str,
        reason: &str,
        more: impl FnOnce(Write) -> Write,
    ) -> Result<(), StoreError> {
        let write = Write::update(self.kind, &self.key(side, id))
            .set("state", word(MapState::Skipped))
            .set("reason", text(reason))
            .set("at_ms", number(self.store.now_ms()))
            .set_by("#nonce = if_not_exists(#nonce, :empty)")
            .value(":empty", text(""))
            .value(":intent", word(MapState::Intent))
            .when("attribute_not_exists(#pk) OR #state IN (:intent, :state)");
        self.store.write(more(write)).await.map(drop)
    }

    pub(crate) async fn set(&self, side: Side, id: &str, values: Item) -> Result<(), StoreError> {
        let mut write = Write::update(self.kind, &self.key(side, id)).when("attribute_exists(#pk)");
        for (name, value) in values {
            write = write.set_named(name, value);
        }
        self.store.write(write).await.map(drop)
    }

    pub(crate) async fn get(&self, side: Side, id: &str) -> Result<Option<Row>, StoreError> {
        self.store.get(self.kind, &self.key(side, id), true).await
    }

    pub(crate) async fn list(&self) -> Result<Vec<((Side, String), Row)>, StoreError> {
        let query = Query::partition(self.store.ticket_pk(self.ticket), &format!("{}#", self.prefix));
        let mut list = Vec::new();
        for row in self.store.query(self.kind, query).await? {
            let key = self.parse(&row.sk()?).ok_or_else(|| self.kind.corrupt("its key names no side"))?;
            list.push((key, row));
        }
        Ok(list)
    }

    fn parse(&self, sk: &str) -> Option<(Side, String)> {
        let (letter, id) = sk.strip_prefix(self.prefix)?.strip_prefix('#')?.split_once('#')?;
        Some((side(letter)?, id.to_owned()))
    }
}
