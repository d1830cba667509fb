//! The process that serves this installation, and since when: `{i}#SYS` / `SERVE`. There is one at most, and it
//! holds the state, so its row needs no condition. It tells a deskup that was stopped from one that fell over.

use crate::error::StoreError;
use crate::row::{Kind, Row, number, text};
use crate::store::Store;
use crate::table::{Key, Write};

/// A process that serves, or the last one that did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its process id.
    pub process: u32,
    /// When it began, ms.
    pub started_ms: i64,
    /// When it was last known to work, ms.
    pub alive_ms: i64,
    /// When it stopped in order, ms; none while it runs and for one that was killed.
    pub stopped_ms: Option<i64>,
    /// Where it listens.
    pub listen: String,
    /// Where the services reach it; empty if it works from the cursors alone.
    pub public_url: String,
    /// Fingerprint of the settings it began with.
    pub settings: String,
    /// When a delivery of Zendesk was last taken, ms.
    pub zendesk_ms: Option<i64>,
    /// When a delivery of ClickUp was last taken, ms.
    pub clickup_ms: Option<i64>,
}

impl Service {
    /// Whether it began and nobody stopped it in order.
    pub fn should_run(&self) -> bool {
        self.stopped_ms.is_none()
    }
}

/// Operations on the service's row.
pub struct ServiceRow<'a> {
    pub(crate) store: &'a Store,
}

impl ServiceRow<'_> {
    /// The process that serves or last served.
    pub async fn get(&self) -> Result<Option<Service>, StoreError> {
        let row = self.store.get(KIND, &self.key(), true).await?;
        row.map(|row| read(&row)).transpose()
    }

    /// Says how it stands.
    pub async fn put(&self, service: &Service) -> Result<(), StoreError> {
        let write = Write::update(KIND, &self.key())
            .set("process", number(service.process))
            .set("started_ms", number(service.started_ms))
            .set("alive_ms", number(service.alive_ms))
            .set_maybe("stopped_ms", service.stopped_ms.map(number))
            .set("listen", text(&service.listen))
            .set("public_url", text(&service.public_url))
            .set("settings", text(&service.settings))
            .set_maybe("zendesk_ms", service.zendesk_ms.map(number))
            .set_maybe("clickup_ms", service.clickup_ms.map(number));
        self.store.write(write).await.map(drop)
    }
}

const KIND: Kind = Kind::new("service", 4 * 1024);

impl ServiceRow<'_> {
    fn key(&self) -> Key {
        Key::new(self.store.pk("SYS"), "SERVE".to_owned())
    }
}

fn read(row: &Row) -> Result<Service, StoreError> {
    Ok(Service {
        process: row.number("process")?,
        started_ms: row.number("started_ms")?,
        alive_ms: row.number("alive_ms")?,
        stopped_ms: row.number_maybe("stopped_ms")?,
        listen: row.text_or_empty("listen"),
        public_url: row.text_or_empty("public_url"),
        settings: row.text_or_empty("settings"),
        zendesk_ms: row.number_maybe("zendesk_ms")?,
        clickup_ms: row.number_maybe("clickup_ms")?,
    })
}
