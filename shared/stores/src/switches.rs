//! Switches: `{i}#SYS` / `PAUSE#{lane}`, `BUDGET#{side}`, `BRAKE` and `ACCESS#{side}`.

use std::collections::BTreeMap;

use domain::{Lane, Side};

use crate::error::StoreError;
use crate::row::{Kind, Row, number, text};
use crate::store::Store;
use crate::table::{Key, Query, Write};
use crate::work_key::side;

/// Which switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SwitchName {
    /// One lane is paused by a person.
    Pause(Lane),
    /// Nothing is asked of one service: a person wants it so, or it refused too much.
    Budget(Side),
    /// Everything is paused by the brake, until a person releases it.
    Brake,
    /// Everything is paused because a service does not let us in, until it does again.
    Access(Side),
}

/// A switch that is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Why, for a person.
    pub reason: String,
    /// Who set it.
    pub by: String,
    /// When, ms.
    pub at_ms: i64,
    /// When it goes off by itself, ms.
    pub until_ms: Option<i64>,
}

/// Operations on switches.
pub struct Switches<'a> {
    pub(crate) store: &'a Store,
}

impl Switches<'_> {
    /// Switches on; the first reason stands.
    pub async fn set(&self, name: SwitchName, reason: &str, by: &str) -> Result<(), StoreError> {
        let now_ms = self.store.now_ms();
        let write = Write::update(KIND, &self.key(name))
            .set("reason", text(reason))
            .set("by", text(by))
            .set("at_ms", number(now_ms))
            .remove("until_ms")
            .when("attribute_not_exists(#pk) OR attribute_exists(#until_ms)");
        self.store.write(write).await.map(drop)
    }
    /// Switches on for a while; one that is on stands, one that went off by itself is replaced.
    pub async fn set_until(
        &self,
        name: SwitchName,
        reason: &str,
        by: &str,
        until_ms: i64,
    ) -> Result<(), StoreError> {
        let now_ms = self.store.now_ms();
        let write = Write::update(KIND, &self.key(name))
            .set("reason", text(reason))
            .set("by", text(by))
            .set("at_ms", number(now_ms))
            .set("until_ms", number(until_ms))
            .when("attribute_not_exists(#pk) OR #until_ms <= :now")
            .value(":now", number(now_ms));
        self.store.write(write).await.map(drop)
    }
    /// One switch, if it is on (consistent read).
    pub async fn get(&self, name: SwitchName) -> Result<Option<Switch>, StoreError> {
        let row = self.store.get(KIND, &self.key(name), true).await?;
        let switch = row.map(|row| read(&row)).transpose()?;
        Ok(switch.filter(|switch| switch.is_on(self.store.now_ms())))
    }
    /// Switches off.
    pub async fn clear(&self, name: SwitchName) -> Result<(), StoreError> {
        self.store.write(Write::delete(KIND, &self.key(name))).await.map(drop)
    }
    /// All that are on.
    pub async fn all(&self) -> Result<BTreeMap<SwitchName, Switch>, StoreError> {
        let mut on = BTreeMap::new();
        for row in self.store.query(KIND, Query::partition(self.store.pk("SYS"), "")).await? {
            // The schema row shares the partition; a switch of newer code is not ours to judge.
            if let Some(name) = parse(&row.sk()?) {
                on.insert(name, read(&row)?);
            }
        }
        on.retain(|_, switch| switch.is_on(self.store.now_ms()));
        Ok(on)
    }
}

impl Switch {
    fn is_on(&self, now_ms: i64) -> bool {
        self.until_ms.is_none_or(|until_ms| until_ms > now_ms)
    }
}

const KIND: Kind = Kind::new("switch", 4 * 1024);

impl Switches<'_> {
    fn key(&self, name: SwitchName) -> Key {
        let sk = match name {
            SwitchName::Pause(lane) => format!("PAUSE#{lane}"),
            SwitchName::Budget(side) => format!("BUDGET#{}", side.letter()),
            SwitchName::Brake => "BRAKE".to_owned(),
            SwitchName::Access(side) => format!("ACCESS#{}", side.letter()),
        };
        Key::new(self.store.pk("SYS"), sk)
    }
}

fn parse(sk: &str) -> Option<SwitchName> {
    match sk.split_once('#') {
        Some(("PAUSE", lane)) => lane.parse().ok().map(SwitchName::Pause),
        Some(("ACCESS", letter)) => side(letter).map(SwitchName::Access),
        Some(("BUDGET", letter)) => side(letter).map(SwitchName::Budget),
        None if sk == "BRAKE" => Some(SwitchName::Brake),
        _ => None,
    }
}

fn read(row: &Row) -> Result<Switch, StoreError> {
    Ok(Switch {
        reason: row.text("reason")?,
        by: row.text_or_empty("by"),
        at_ms: row.number("at_ms")?,
        until_ms: row.number_maybe("until_ms")?,
    })
}
