//! Names of people, lists and options by their ids, as last seen: `{i}#NAMES` / `{z or c}#{part}`. For people who
//! read a state; nothing is decided by them.

use std::collections::BTreeMap;

use domain::Side;
use domain::field::sha256_hex;

use crate::error::StoreError;
use crate::row::{Kind, json, number, text};
use crate::store::Store;
use crate::table::{Key, Write};

/// What a service calls its people, lists and options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// deskup's own user.
    pub me: Option<i64>,
    /// Names by id.
    pub names: BTreeMap<String, String>,
}

/// Operations on names.
pub struct Names<'a> {
    pub(crate) store: &'a Store,
}

/// Names of one row: with the longest names there are it stays far below its limit.
const PART: usize = 400;
const KIND: Kind = Kind::new("names", 128 * 1024);

impl Names<'_> {
    /// Keeps what a service calls its own; writes only what is new.
    pub async fn keep(&self, side: Side, known: &Known) -> Result<(), StoreError> {
        let entries: Vec<(&String, &String)> = known.names.iter().collect();
        let hash = sha256_hex(format!("{:?}{entries:?}", known.me).as_bytes());
        let first = self.store.get(KIND, &self.key(side, 0), true).await?;
        if first.and_then(|row| row.text_maybe("hash")).as_deref() == Some(hash.as_str()) {
            return Ok(());
        }
        let parts: Vec<BTreeMap<&String, &String>> =
            entries.chunks(PART).map(|part| part.iter().copied().collect()).collect();
        for (number, part) in parts.iter().enumerate().skip(1) {
            let write = Write::update(KIND, &self.key(side, number)).set("names", json(KIND, part)?);
            self.store.write(write).await?;
        }
        // The first part says how many there are, so it comes last.
        let none = BTreeMap::new();
        let write = Write::update(KIND, &self.key(side, 0))
            .set("names", json(KIND, parts.first().unwrap_or(&none))?)
            .set("parts", number(u32::try_from(parts.len()).unwrap_or(u32::MAX)))
            .set_maybe("me", known.me.map(number))
            .set("hash", text(hash));
        self.store.write(write).await.map(drop)
    }

    /// What a service called its own when it was last asked.
    pub async fn get(&self, side: Side) -> Result<Known, StoreError> {
        let Some(first) = self.store.get(KIND, &self.key(side, 0), true).await? else {
            return Ok(Known::default());
        };
        let mut known = Known { me: first.number_maybe("me")?, names: first.json("names")? };
        for part in 1..first.number::<usize>("parts")? {
            if let Some(row) = self.store.get(KIND, &self.key(side, part), true).await? {
                known.names.extend(row.json::<BTreeMap<String, String>>("names")?);
            }
        }
        Ok(known)
    }

    fn key(&self, side: Side, part: usize) -> Key {
        Key::new(self.store.pk("NAMES"), format!("{}#{part:03}", side.letter()))
    }
}
