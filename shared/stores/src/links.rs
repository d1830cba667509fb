//! Link of a ticket and its task: `{i}#T#{ticket}` / `LINK`.
//! Pointer of a task: `{i}#C#{task}` / `LINK`.

use std::collections::BTreeMap;

use domain::{ListId, TaskId, TicketId};
use planted::Bug;

use crate::error::StoreError;
use crate::row::{Kind, Row, json, number, text, word};
use crate::store::{Intended, Store};
use crate::table::{Key, Write, Wrote};

mod types;

pub use types::{Link, LinkPage, LinkPageKey, LinkState, LinkedAs, OwnValue, Pointer, Sent};

/// Operations on links and pointers.
pub struct Links<'a> {
    pub(crate) store: &'a Store,
}

impl Links<'_> {
    /// The link of a ticket (consistent read).
    pub async fn get(&self, ticket: TicketId) -> Result<Option<Link>, StoreError> {
        let row = self.store.get(KIND, &self.key(ticket), true).await?;
        row.map(|row| read(ticket, &row)).transpose()
    }
    /// Many links at once; eventual reads, for skipping what is unchanged.
    pub async fn get_many(&self, tickets: &[TicketId]) -> Result<BTreeMap<TicketId, Link>, StoreError> {
        let keys: Vec<Key> = tickets.iter().map(|ticket| self.key(*ticket)).collect();
        let mut links = BTreeMap::new();
        for row in self.store.get_batch(KIND, &keys).await? {
            let ticket = self.ticket(&row)?;
            links.insert(ticket, read(ticket, &row)?);
        }
        Ok(links)
    }
    /// Says that a task is about to be created, and what will be sent. `Existing` holds what is there already.
    pub async fn intend(
        &self,
        ticket: TicketId,
        nonce: &str,
        fence: u64,
        sent_by: &str,
        sent: &Sent,
    ) -> Result<Intended<Link>, StoreError> {
        let now = self.store.now_ms();
        let write = Write::put_new(KIND, &self.key(ticket))
            .set("state", word(LinkState::Intent))
            .set("nonce", text(nonce))
            .set("fence", number(fence))
            .set("ver", number(1))
            .set("sent_by", text(sent_by))
            .set_maybe("list", sent.list.as_ref().map(|list| text(list.as_str())))
            .set_maybe("fields", (!sent.fields.is_empty()).then(|| json(KIND, &sent.fields)).transpose()?)
            .set("intent_ms", number(now));
        match self.store.write(write).await? {
            Wrote::Yes(item) => Ok(Intended::New(read(ticket, &Row::new(KIND, item))?)),
            Wrote::No(Some(item)) => Ok(Intended::Existing(read(ticket, &Row::new(KIND, item))?)),
            Wrote::No(None) => Err(KIND.stale()),
        }
    }
    /// The create's outcome is unknown: INTENT becomes PROBE, to be looked for from `probe_ms`.
    pub async fn mark_probe(&self, link: &Link, probe_ms: i64) -> Result<Link, StoreError> {
        let write = self
            .step(link, &[LinkState::Intent])
            .set("state", word(LinkState::Probe))
            .set("probe_ms", number(probe_ms));
        self.changed(link.ticket, write).await
    }
    /// A task with a marker of this link has turned up while its create is in doubt: the probe looks at it by its
    /// id, wherever it is by then and whatever people have made of its text.
    pub async fn saw(&self, link: &Link, task: &TaskId, nonce: &str) -> Result<Link, StoreError> {
        let mut seen = link.seen.clone();
        seen.push((task.clone(), nonce.to_owned()));
        let write = self
            .step(link, &[LinkState::Intent, LinkState::Probe])
            .when("#ver = :read")
            .value(":read", number(link.ver))
            .set("seen", json(KIND, &seen)?);
        self.changed(link.ticket, write).await
    }
    /// Nothing was found: PROBE becomes INTENT with a new nonce; the old one is kept.
    pub async fn renew_intent(
        &self,
        link: &Link,
        new_nonce: &str,
        sent_by: &str,
        sent: &Sent,
    ) -> Result<Link, StoreError> {
        let mut nonces = link.nonces.clone();
        nonces.push(link.nonce.clone());
        let write = self
            .step(link, &[LinkState::Probe])
            .set("state", word(LinkState::Intent))
            .set("nonce", text(new_nonce))
            .set("nonces", json(KIND, &nonces)?)
            .set("sent_by", text(sent_by))
            .set_maybe("list", sent.list.as_ref().map(|list| text(list.as_str())))
            .set_maybe("fields", (!sent.fields.is_empty()).then(|| json(KIND, &sent.fields)).transpose()?)
            .set("intent_ms", number(self.store.now_ms()))
            .remove("probe_ms");
        self.changed(link.ticket, write).await
    }
    /// The task is there and points here: INTENT or PROBE becomes LINKED. Put the pointer first.
    pub async fn linked(&self, link: &Link, with: LinkedAs) -> Result<Link, StoreError> {
        let write = self
            .step(link, &[LinkState::Intent, LinkState::Probe])
            .set("state", word(LinkState::Linked))
            .set("task", text(with.task.as_str()))
            .set_maybe("list", with.list.as_ref().map(|list| text(list.as_str())))
            .set_maybe("routes", (!with.routes.is_empty()).then(|| text(with.routes)))
            .set("fields", json(KIND, &with.fields)?)
            .set("z_stamp", text(with.z_stamp))
            .set("c_updated", number(with.c_updated))
            .set_maybe("cz", with.cz.map(text))
            .set_maybe("cc", with.cc.map(text))
            .set("origin", text(with.origin))
            .remove("seen")
            .remove("probe_ms");
        self.changed(link.ticket, write).await
    }
    /// Writes the link's contents over the version it was read in (`link.ver`); returns it with the next one.
    pub async fn update(&self, link: &Link, fence: u64) -> Result<Link, StoreError> {
        if link.own.len() > Link::OWN_MAX {
            return Err(StoreError::TooLarge {
                item: "own values of a link",
                bytes: link.own.len(),
                limit: Link::OWN_MAX,
            });
        }
        let write = self
            .next(link, fence)
            .set("state", word(link.state))
            .set_maybe("task", link.task.as_ref().map(|task| text(task.as_str())))
            .set_maybe("list", link.list.as_ref().map(|list| text(list.as_str())))
            .set_maybe("routes", (!link.routes.is_empty()).then(|| text(&link.routes)))
            .set("nonce", text(&link.nonce))
            .set_maybe("nonces", (!link.nonces.is_empty()).then(|| json(KIND, &link.nonces)).transpose()?)
            .set("fields", json(KIND, &link.fields)?)
            .set_maybe("own", (!link.own.is_empty()).then(|| json(KIND, &link.own)).transpose()?)
            .set("z_stamp", text(&link.z_stamp))
            .set("c_updated", number(link.c_updated))
            .set_maybe("cz", link.cz.clone().map(text))
            .set_maybe("cc", link.cc.clone().map(text))
            .set("origin", text(&link.origin))
            .set_maybe(
                "z_bucket",
                (link.z_bucket != (0, 0)).then(|| json(KIND, &link.z_bucket)).transpose()?,
            );
        self.changed(link.ticket, write).await
    }
    /// Changes the state alone, over the version read.
    pub async fn set_state(&self, link: &Link, state: LinkState, fence: u64) -> Result<Link, StoreError> {
        let write = self.next(link, fence).set("state", word(state));
        self.changed(link.ticket, write).await
    }
    /// The ticket of a task (consistent read).
    pub async fn pointer(&self, task: &TaskId) -> Result<Option<Pointer>, StoreError> {
        let key = Key::new(self.store.task_pk(task), SK);
        let Some(row) = self.store.get(POINTER, &key, true).await? else { return Ok(None) };
        let ticket =
            TicketId::new(row.number("ticket")?).map_err(|_| POINTER.corrupt("`ticket` is not an id"))?;
        Ok(Some(Pointer { ticket, nonce: row.text("nonce")? }))
    }
    /// Points a task to its ticket; `TaskTaken` if it belongs to another.
    pub async fn put_pointer(&self, task: &TaskId, ticket: TicketId, nonce: &str) -> Result<(), StoreError> {
        let write = Write::update(POINTER, &Key::new(self.store.task_pk(task), SK))
            .set("ticket", number(ticket.get()))
            .set("nonce", text(nonce))
            .when("attribute_not_exists(#pk) OR #ticket = :ticket");
        match self.store.write(write).await? {
            Wrote::Yes(_) => Ok(()),
            Wrote::No(item) => {
                let row = Row::new(POINTER, item.unwrap_or_default());
                let owner = row.number("ticket").ok().and_then(|id| TicketId::new(id).ok());
                Err(owner.map_or_else(
                    || POINTER.corrupt("`ticket` is not an id"),
                    |ticket| StoreError::TaskTaken { ticket },
                ))
            }
        }
    }
    /// The page that starts after this ticket's link.
    pub fn page_after(&self, ticket: TicketId) -> LinkPageKey {
        let key = self.key(ticket);
        LinkPageKey { pk: key.pk, sk: key.sk }
    }
    /// All links, page by page.
    pub async fn scan(&self, from: Option<&LinkPageKey>) -> Result<LinkPage, StoreError> {
        self.page(from, None).await
    }
    /// The links of one of so many segments of the table, page by page. Each link is in one segment.
    pub async fn segment(
        &self,
        segment: u32,
        of: u32,
        from: Option<&LinkPageKey>,
    ) -> Result<LinkPage, StoreError> {
        let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        self.page(from, Some((number(segment), number(of)))).await
    }
}

/// Sort key of links and pointers.
const SK: &str = "LINK";
const KIND: Kind = Kind::new("link", 64 * 1024);
const POINTER: Kind = Kind::new("pointer", 4 * 1024);

impl Links<'_> {
    async fn page(
        &self,
        from: Option<&LinkPageKey>,
        segment: Option<(i32, i32)>,
    ) -> Result<LinkPage, StoreError> {
        let from = from.map(|key| Key::new(&key.pk, &key.sk));
        let prefix = self.store.pk("T#");
        let (rows, next) = self.store.scan_page(KIND, &prefix, SK, from.as_ref(), segment).await?;
        let links = rows.iter().map(|row| read(self.ticket(row)?, row)).collect::<Result<_, _>>()?;
        Ok(LinkPage { links, next: next.map(|key| LinkPageKey { pk: key.pk, sk: key.sk }) })
    }

    fn key(&self, ticket: TicketId) -> Key {
        Key::new(self.store.ticket_pk(ticket), SK)
    }

    fn ticket(&self, row: &Row) -> Result<TicketId, StoreError> {
        self.store.ticket_of(&row.text("pk")?).ok_or_else(|| KIND.corrupt("its key names no ticket"))
    }

    /// A step of the create: allowed while the nonce is ours and no newer fence wrote.
    fn step(&self, link: &Link, states: &[LinkState]) -> Write {
        let mut write = Write::update(KIND, &self.key(link.ticket))
            .when("#nonce = :mine AND #fence <= :fence")
            .value(":mine", text(&link.nonce))
            .set("fence", number(link.fence))
            .set_by("#ver = #ver + :one")
            .value(":one", number(1))
            .returning();
        let names: Vec<String> = (0..states.len()).map(|n| format!(":s{n}")).collect();
        for (name, state) in names.iter().zip(states) {
            write = write.value(name, word(*state));
        }
        write.when(format!("#state IN ({})", names.join(", ")))
    }

    /// A change over the version that was read.
    fn next(&self, link: &Link, fence: u64) -> Write {
        let write = Write::update(KIND, &self.key(link.ticket));
        let write = if planted::is(Bug::FenceNotChecked) {
            write
        } else {
            write.when("#ver = :read AND #fence <= :fence").value(":read", number(link.ver))
        };
        write.set("ver", number(link.ver + 1)).set("fence", number(fence)).returning()
    }

    async fn changed(&self, ticket: TicketId, write: Write) -> Result<Link, StoreError> {
        let item = self.store.write(write).await?.or_stale(KIND)?;
        read(ticket, &Row::new(KIND, item))
    }
}

fn read(ticket: TicketId, row: &Row) -> Result<Link, StoreError> {
    let id = |name: &str| row.text_maybe(name);
    let wrong = |name: &'static str| move |_| KIND.corrupt(format!("`{name}` is not an id"));
    Ok(Link {
        ticket,
        state: row.word("state")?,
        task: id("task").map(TaskId::new).transpose().map_err(wrong("task"))?,
        list: id("list").map(ListId::new).transpose().map_err(wrong("list"))?,
        routes: row.text_or_empty("routes"),
        nonce: row.text("nonce")?,
        nonces: row.json_or_default("nonces")?,
        fence: row.number("fence")?,
        ver: row.number("ver")?,
        fields: row.json_or_default("fields")?,
        own: row.json_or_default("own")?,
        z_stamp: row.text_or_empty("z_stamp"),
        c_updated: row.number_or_zero("c_updated")?,
        cz: row.text_maybe("cz"),
        cc: row.text_maybe("cc"),
        origin: row.text_or_empty("origin"),
        sent_by: row.text_or_empty("sent_by"),
        intent_ms: row.number_or_zero("intent_ms")?,
        probe_ms: row.number_or_zero("probe_ms")?,
        seen: row.json_or_default("seen")?,
        z_bucket: row.json_or_default("z_bucket")?,
    })
}
