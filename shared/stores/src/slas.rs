//! When a ticket's service level ends next, as Zendesk told: `{i}#T#{ticket}` / `SLA`; index `list`; 7 days after it.

use domain::{TaskId, TicketId};

use crate::error::StoreError;
use crate::row::{Kind, Row, expires, number, padded, text};
use crate::store::Store;
use crate::table::{Key, Query, Range, Write};
use crate::work_key::WorkKey;

/// A ticket that has to be answered or solved by a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sla {
    /// The ticket.
    pub ticket: TicketId,
    /// Its task, where it had one when Zendesk told.
    pub task: Option<TaskId>,
    /// By when, ms.
    pub breach_ms: i64,
}

/// Operations on service levels.
pub struct Slas<'a> {
    pub(crate) store: &'a Store,
}

impl Slas<'_> {
    /// Zendesk told at this time when the next target of a ticket ends, or that it has none any more. What was told later
    /// stands, whichever comes first.
    pub async fn note(
        &self,
        ticket: TicketId,
        task: Option<&TaskId>,
        told_ms: i64,
        breach_ms: Option<i64>,
    ) -> Result<(), StoreError> {
        let key = Key::new(self.store.ticket_pk(ticket), "SLA");
        let record = WorkKey::Ticket(ticket).to_string();
        let write = Write::update(KIND, &key)
            .set("told_ms", number(told_ms))
            .set("exp", expires(breach_ms.unwrap_or(told_ms), 7))
            .when("attribute_not_exists(#told_ms) OR #told_ms <= :told_ms");
        let write = match breach_ms {
            Some(breach_ms) => write
                .set("breach_ms", number(breach_ms))
                .set("lp", text(self.store.shard_pk("SLA", &record)))
                .set("ls", text(order(breach_ms, &record))),
            // The row stays for a while: something older may still be under way.
            None => write.remove("breach_ms").remove("lp").remove("ls"),
        };
        let write = match task {
            Some(task) => write.set("task", text(task.to_string())),
            None => write,
        };
        self.store.write(write).await.map(drop)
    }

    /// Those that end by then, the first first; this many at most. The index may lag: it only orders work.
    pub async fn until(&self, at_ms: i64, limit: usize) -> Result<Vec<Sla>, StoreError> {
        let mut keys = Vec::new();
        for shard in self.store.shard_pks("SLA") {
            let query = Query::index("list", shard, Range::UpTo(order(at_ms, "~")), Some(limit));
            for row in self.store.query(KIND, query).await? {
                keys.push((row.text("ls")?, Key::new(row.text("pk")?, row.sk()?)));
            }
        }
        keys.sort_by(|a, b| a.0.cmp(&b.0));
        let mut slas = Vec::new();
        for (_, key) in keys.into_iter().take(limit) {
            if let Some(row) = self.store.get(KIND, &key, false).await? {
                slas.extend(self.read(&row)?);
            }
        }
        Ok(slas)
    }

    fn read(&self, row: &Row) -> Result<Option<Sla>, StoreError> {
        let Some(WorkKey::Ticket(ticket)) = self.store.record_of(&row.text("pk")?) else { return Ok(None) };
        let task = row.text_maybe("task").and_then(|id| TaskId::new(&id).ok());
        // The index lags: a row may have no target any more.
        let breach_ms: Option<i64> = row.number_maybe("breach_ms")?;
        Ok(breach_ms.map(|breach_ms| Sla { ticket, task, breach_ms }))
    }
}

const KIND: Kind = Kind::new("service level", 1024);

fn order(breach_ms: i64, record: &str) -> String {
    format!("{}#{record}", padded(breach_ms.max(0)))
}
