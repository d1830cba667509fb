//! Confirmed plans: `{i}#PLAN#{plan}` / `T#{ticket}` for each ticket whose writes have begun, 90 days; and
//! `{i}#SYS` / `CONFIRMED`, the settings under which a person has let deskup write.

use std::collections::BTreeSet;

use domain::TicketId;

use crate::error::StoreError;
use crate::row::{Kind, Row, expires, number, text};
use crate::store::Store;
use crate::table::{Key, Query, Write};

/// What a person has let deskup do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// Fingerprint of the settings.
    pub settings: String,
    /// When, ms.
    pub at_ms: i64,
}

/// Operations on plans.
pub struct Plans<'a> {
    pub(crate) store: &'a Store,
}

impl Plans<'_> {
    /// Says that the writes of a ticket begin, under this plan.
    pub async fn begin(&self, plan: &str, ticket: TicketId) -> Result<(), StoreError> {
        let now = self.store.now_ms();
        let write = Write::update(KIND, &self.key(plan, ticket))
            .set("ticket", number(ticket.get()))
            .set("at_ms", number(now))
            .set("exp", expires(now, DAYS));
        self.store.write(write).await.map(drop)
    }

    /// Tickets whose writes have begun under this plan.
    pub async fn begun(&self, plan: &str) -> Result<BTreeSet<TicketId>, StoreError> {
        let rows = self.store.query(KIND, Query::partition(self.pk(plan), "T#")).await?;
        let ticket = |row: &Row| {
            TicketId::new(row.number("ticket")?).map_err(|_| KIND.corrupt("`ticket` is not an id"))
        };
        rows.iter().map(ticket).collect()
    }

    /// The settings under which deskup may write, if a person has said so.
    pub async fn confirmed(&self) -> Result<Option<Confirmed>, StoreError> {
        let row = self.store.get(KIND, &self.confirmed_key(), true).await?;
        row.map(|row| Ok(Confirmed { settings: row.text("settings")?, at_ms: row.number("at_ms")? }))
            .transpose()
    }

    /// From now on deskup may write under these settings.
    pub async fn confirm(&self, settings: &str) -> Result<(), StoreError> {
        let write = Write::update(KIND, &self.confirmed_key())
            .set("settings", text(settings))
            .set("at_ms", number(self.store.now_ms()));
        self.store.write(write).await.map(drop)
    }

    fn pk(&self, plan: &str) -> String {
        self.store.pk(format_args!("PLAN#{plan}"))
    }

    fn key(&self, plan: &str, ticket: TicketId) -> Key {
        Key::new(self.pk(plan), format!("T#{ticket}"))
    }

    fn confirmed_key(&self) -> Key {
        Key::new(self.store.pk("SYS"), "CONFIRMED")
    }
}

/// How long it is known what was begun.
const DAYS: i64 = 90;

const KIND: Kind = Kind::new("plan row", 4 * 1024);
