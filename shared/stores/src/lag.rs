//! Reads that lag behind writes, which a database in the process never shows and AWS does; for tests. For some seconds
//! after a write an eventual read may answer with the row as it was, and an index may show it where it was, in both
//! places, or nowhere. Consistent reads are left alone.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::time::Instant;

/// Partition key and sort key of a row.
pub(crate) type RowKey = (String, String);

/// What a replica shows of a row that was just written, drawn anew for every read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// As it is.
    Now,
    /// As it was before the write.
    Before,
    /// Only for an index: in both places.
    Both,
    /// Only for an index: in neither.
    Neither,
}

/// Rows whose last write has not reached every replica, shared by all who share a table.
#[derive(Debug, Default)]
pub(crate) struct Lag {
    rows: Mutex<BTreeMap<RowKey, Before>>,
    /// The highest fence by which each link was written.
    fences: Mutex<BTreeMap<RowKey, u64>>,
}

/// A row as it was, and until when some reads still show it.
#[derive(Clone, Debug)]
struct Before {
    item: Option<Json>,
    until: Instant,
}

/// The key that a write is about.
pub(crate) fn written(operation: &str, request: &Json) -> Option<RowKey> {
    match operation {
        "PutItem" => key_of(&request["Item"]),
        "UpdateItem" | "DeleteItem" => key_of(&request["Key"]),
        _ => None,
    }
}

fn key_of(item: &Json) -> Option<RowKey> {
    let part = |name: &str| item[name]["S"].as_str().map(str::to_owned);
    Some((part("pk")?, part("sk")?))
}

/// A consistent read of one row.
pub(crate) fn read_of(request: &Json, (pk, sk): &RowKey) -> Json {
    json!({"TableName": request["TableName"], "Key": {"pk": {"S": pk}, "sk": {"S": sk}}, "ConsistentRead": true})
}

/// Whether a request writes a link.
pub(crate) fn is_link(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|text| text.contains(r#"{"S":"LINK"}"#))
}

impl Lag {
    /// Whether a link was written by somebody with a lower fence than somebody before; `reply` is the row as it is.
    pub(crate) fn fence_went_back(&self, key: &RowKey, reply: &Json) -> bool {
        let fence = reply["Attributes"]["fence"]["N"].as_str().and_then(|number| number.parse().ok());
        let Some(fence) = fence else { return false };
        let mut fences = self.fences.lock().unwrap_or_else(PoisonError::into_inner);
        let highest = fences.entry(key.clone()).or_insert(fence);
        let is_stale = fence < *highest;
        *highest = fence.max(*highest);
        is_stale
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<RowKey, Before>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A row was written; with `ms`, reads may show what was there before for so long. Without, whatever was written to it
    /// earlier has arrived everywhere, too.
    pub(crate) fn wrote(&self, key: RowKey, before: Option<Json>, ms: Option<u64>) {
        match ms {
            Some(ms) => {
                let until = Instant::now() + Duration::from_millis(ms);
                self.rows().insert(key, Before { item: before, until });
            }
            None => drop(self.rows().remove(&key)),
        }
    }

    /// Whether any row lags now.
    pub(crate) fn is_any(&self) -> bool {
        let now = Instant::now();
        let mut rows = self.rows();
        rows.retain(|_, before| before.until > now);
        !rows.is_empty()
    }

    /// An answer as a replica gives it. `draw` says what it shows of a row; returns how many rows were shown otherwise
    /// than they are.
    pub(crate) fn distort(
        &self,
        operation: &str,
        request: &Json,
        reply: &mut Json,
        mut draw: impl FnMut() -> Seen,
    ) -> u64 {
        let rows = self.rows().clone();
        match operation {
            "GetItem" if request["ConsistentRead"] != true => {
                let before = key_of(&request["Key"]).and_then(|key| rows.get(&key));
                let Some(before) = before.filter(|_| draw() == Seen::Before) else { return 0 };
                match &before.item {
                    Some(item) => reply["Item"] = item.clone(),
                    None => drop(reply.as_object_mut().and_then(|reply| reply.remove("Item"))),
                }
                1
            }
            "BatchGetItem" => batch(&rows, request, reply, draw),
            // A count names no rows, so it is left as it is.
            "Query" if request["IndexName"].is_string() && request["Select"] != "COUNT" => {
                index(&rows, request, reply, draw)
            }
            _ => 0,
        }
    }
}

fn batch(
    rows: &BTreeMap<RowKey, Before>,
    request: &Json,
    reply: &mut Json,
    mut draw: impl FnMut() -> Seen,
) -> u64 {
    let mut shown = 0;
    for (table, asked) in request["RequestItems"].as_object().into_iter().flatten() {
        if asked["ConsistentRead"] == true {
            continue;
        }
        let left: Vec<RowKey> = keys(&reply["UnprocessedKeys"][table]["Keys"]);
        for key in keys(&asked["Keys"]).into_iter().filter(|key| !left.contains(key)) {
            let Some(before) = rows.get(&key).filter(|_| draw() == Seen::Before) else { continue };
            let Some(items) = reply["Responses"][table].as_array_mut() else { continue };
            items.retain(|item| key_of(item).as_ref() != Some(&key));
            items.extend(before.item.clone());
            shown += 1;
        }
    }
    shown
}

fn keys(list: &Json) -> Vec<RowKey> {
    list.as_array().into_iter().flatten().filter_map(key_of).collect()
}

/// What a query of an index asks for.
struct Asked {
    hash: (&'static str, String),
    range: &'static str,
    starts: String,
    up_to: Option<String>,
    after: Option<String>,
    backward: bool,
    limit: Option<usize>,
}

impl Asked {
    /// `None` for a condition of another form than this store's.
    fn of(request: &Json) -> Option<Self> {
        let (hash, range) = if request["IndexName"] == "due" { ("dp", "ds") } else { ("lp", "ls") };
        let condition = request["KeyConditionExpression"].as_str()?;
        let value = |name: &str| request["ExpressionAttributeValues"][name]["S"].as_str().map(str::to_owned);
        let (starts, up_to) = if condition.contains("begins_with") {
            (value(":r")?, None)
        } else {
            (String::new(), condition.contains("<=").then(|| value(":r")).flatten())
        };
        Some(Self {
            hash: (hash, value(":h")?),
            range,
            starts,
            up_to,
            after: request["ExclusiveStartKey"][range]["S"].as_str().map(str::to_owned),
            backward: request["ScanIndexForward"] == false,
            limit: request["Limit"].as_u64().and_then(|limit| usize::try_from(limit).ok()),
        })
    }

    /// The row as the index holds it, where it holds it and the query asks for it.
    fn entry(&self, item: &Json) -> Option<Json> {
        let (name, hash) = &self.hash;
        let place = item[self.range]["S"].as_str()?;
        let is_asked = item[*name]["S"].as_str()? == hash
            && place.starts_with(&self.starts)
            && self.up_to.as_deref().is_none_or(|bound| place <= bound)
            && self.after.as_deref().is_none_or(|after| (place > after) != self.backward);
        let names = ["pk", "sk", name, self.range];
        is_asked.then(|| names.iter().map(|name| ((*name).to_owned(), item[*name].clone())).collect())
    }
}

/// An index is another table: a row moves in it by being put here and taken away there, each in its own time.
fn index(
    rows: &BTreeMap<RowKey, Before>,
    request: &Json,
    reply: &mut Json,
    mut draw: impl FnMut() -> Seen,
) -> u64 {
    let Some(asked) = Asked::of(request) else { return 0 };
    let mut items = reply["Items"].as_array().cloned().unwrap_or_default();
    let mut shown = 0;
    for (key, before) in rows {
        let was = before.item.as_ref().and_then(|item| asked.entry(item));
        let at = items.iter().position(|item| key_of(item).as_ref() == Some(key));
        if at.map(|at| &items[at]) == was.as_ref() {
            continue;
        }
        let seen = draw();
        if let Some(at) = at.filter(|_| matches!(seen, Seen::Before | Seen::Neither)) {
            items.remove(at);
            shown += 1;
        }
        if let Some(was) = was.filter(|_| matches!(seen, Seen::Before | Seen::Both)) {
            items.push(was);
            shown += 1;
        }
    }
    if shown == 0 {
        return 0;
    }
    let place = |item: &Json| item[asked.range]["S"].as_str().unwrap_or_default().to_owned();
    items.sort_by_key(place);
    if asked.backward {
        items.reverse();
    }
    if let Some(limit) = asked.limit.filter(|limit| items.len() > *limit) {
        items.truncate(limit);
        reply["LastEvaluatedKey"] = items.last().cloned().unwrap_or_default();
    }
    reply["Count"] = json!(items.len());
    reply["Items"] = Json::Array(items);
    shown
}
