//! Seats of a pilot: `{i}#PILOT` / `SEATS`. A pilot takes a number of tickets, and whoever makes a task takes a
//! seat first, so that many at work at once never make one too many.

use std::collections::BTreeSet;

use domain::TicketId;

use crate::error::StoreError;
use crate::row::{Kind, Row, json, number};
use crate::store::Store;
use crate::table::{Key, Write, Wrote};

/// Operations on the seats.
pub struct Seats<'a> {
    pub(crate) store: &'a Store,
}

impl Seats<'_> {
    /// Gives seats to these tickets, in their order, while there are fewer than `limit` taken. Returns those of
    /// them that have one; who has one keeps it.
    pub async fn take(&self, tickets: &[TicketId], limit: usize) -> Result<BTreeSet<TicketId>, StoreError> {
        let (taken, _) = self
            .change(|taken| {
                for ticket in tickets {
                    if taken.len() < limit {
                        taken.insert(*ticket);
                    }
                }
            })
            .await?;
        Ok(tickets.iter().copied().filter(|ticket| taken.contains(ticket)).collect())
    }

    /// Notes tickets that have a task already, however many there are.
    pub async fn note(&self, tickets: &[TicketId]) -> Result<(), StoreError> {
        self.change(|taken| taken.extend(tickets)).await.map(drop)
    }

    /// Who has a seat.
    pub async fn taken(&self) -> Result<BTreeSet<TicketId>, StoreError> {
        Ok(self.read().await?.0)
    }

    async fn read(&self) -> Result<(BTreeSet<TicketId>, u64), StoreError> {
        match self.store.get(KIND, &self.key(), true).await? {
            Some(row) => read(&row),
            None => Ok(Default::default()),
        }
    }

    /// Changes the set over the version read, again if somebody was faster.
    async fn change(
        &self,
        change: impl Fn(&mut BTreeSet<TicketId>),
    ) -> Result<(BTreeSet<TicketId>, u64), StoreError> {
        let mut now = self.read().await?;
        for _ in 0..TRIES {
            let (mut taken, ver) = now.clone();
            change(&mut taken);
            if taken == now.0 {
                return Ok(now);
            }
            let write = Write::update(KIND, &self.key())
                .set("taken", json(KIND, &taken)?)
                .set("ver", number(ver + 1))
                .value(":read", number(ver))
                .when(if ver == 0 { "attribute_not_exists(#pk) OR #ver = :read" } else { "#ver = :read" });
            match self.store.write(write).await? {
                Wrote::Yes(_) => return Ok((taken, ver + 1)),
                Wrote::No(Some(item)) => now = read(&Row::new(KIND, item))?,
                Wrote::No(None) => now = Default::default(),
            }
        }
        Err(KIND.stale())
    }

    fn key(&self) -> Key {
        Key::new(self.store.pk("PILOT"), "SEATS")
    }
}

/// Whoever loses this often against others waits for the next turn.
const TRIES: usize = 20;

const KIND: Kind = Kind::new("seats", 256 * 1024);

fn read(row: &Row) -> Result<(BTreeSet<TicketId>, u64), StoreError> {
    Ok((row.json_or_default("taken")?, row.number("ver")?))
}
