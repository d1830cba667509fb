//! Lease on a ticket: `{i}#T#{ticket}` / `LEASE`. Never deleted, so a fence never repeats.

use domain::TicketId;

use crate::error::StoreError;
use crate::row::{Kind, Row, number, text};
use crate::store::Store;
use crate::table::{Key, Write, Wrote};

/// The right to send for a ticket until a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The ticket.
    pub ticket: TicketId,
    /// Higher than every fence before it.
    pub fence: u64,
    /// When it ends, ms.
    pub until_ms: i64,
    /// Who holds it.
    pub holder: String,
}

/// Operations on leases.
pub struct Leases<'a> {
    pub(crate) store: &'a Store,
}

impl Leases<'_> {
    /// Takes the lease, or `None` while another holder has it. `holder` must be unique to the attempt.
    pub async fn acquire(
        &self,
        ticket: TicketId,
        holder: &str,
        ttl_ms: i64,
    ) -> Result<Option<Lease>, StoreError> {
        let now = self.store.now_ms();
        let until_ms = now + ttl_ms;
        let write = Write::update(KIND, &self.key(ticket))
            .set("holder", text(holder))
            .set("until", number(until_ms))
            .set_by("#fence = if_not_exists(#fence, :zero) + :one")
            .value(":zero", number(0))
            .value(":one", number(1))
            .value(":now", number(now))
            .when("attribute_not_exists(#until) OR #until < :now OR #holder = :holder")
            .returning();
        match self.store.write(write).await? {
            Wrote::Yes(item) => {
                let row = Row::new(KIND, item);
                Ok(Some(Lease { ticket, fence: row.number("fence")?, until_ms, holder: holder.to_owned() }))
            }
            Wrote::No(_) => Ok(None),
        }
    }
    /// Who has the lease of a ticket at present.
    pub async fn get(&self, ticket: TicketId) -> Result<Option<Lease>, StoreError> {
        let Some(row) = self.store.get(KIND, &self.key(ticket), true).await? else { return Ok(None) };
        let until_ms = row.number("until")?;
        let lease =
            Lease { ticket, fence: row.number("fence")?, until_ms, holder: row.text_or_empty("holder") };
        Ok(Some(lease).filter(|lease| lease.until_ms > self.store.now_ms()))
    }
    /// Whoever has it has it until then at most: its holder is known to be gone.
    pub async fn end_by(&self, ticket: TicketId, until_ms: i64) -> Result<(), StoreError> {
        let write = Write::update(KIND, &self.key(ticket))
            .set("until", number(until_ms))
            .when("attribute_exists(#pk) AND #until > :until");
        self.store.write(write).await.map(drop)
    }
    /// Gives it back; harmless when it is no longer ours.
    pub async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let write = Write::update(KIND, &self.key(lease.ticket))
            .set("until", number(0))
            .when("#holder = :mine AND #fence = :f")
            .value(":mine", text(&lease.holder))
            .value(":f", number(lease.fence));
        self.store.write(write).await.map(drop)
    }
}

const KIND: Kind = Kind::new("lease", 4 * 1024);

impl Leases<'_> {
    fn key(&self, ticket: TicketId) -> Key {
        Key::new(self.store.ticket_pk(ticket), "LEASE")
    }
}
