//! Cursor and offset pagination, with the quirks that clients trip over.
//!
//! Without `page[size]` a list silently falls back to offsets. The last cursor page still names a next link; only
//! `meta.has_more` says that it is the last. Offsets end at 100 pages or 10,000 records.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::refusal::Refusal;
use crate::http_text::{Call, encode};

/// The most records a page of a list holds.
const PAGE_MAX: usize = 100;
/// How far offsets reach.
const OFFSET_PAGES_MAX: usize = 100;

/// Which part of a list was asked for.
#[derive(Debug, PartialEq)]
pub(super) enum Wanted {
    Cursor { size: usize, after: Option<String> },
    Offset { page: usize, size: usize },
}

impl Wanted {
    pub(super) fn of(call: &Call) -> Result<Self, Refusal> {
        let size = |text: &str| text.parse().ok().map(|size: usize| size.clamp(1, PAGE_MAX));
        if let Some(text) = call.query.get("page[size]") {
            let size = size(text).ok_or_else(|| bad("page[size] is not valid"))?;
            let after = match call.query.get("page[after]") {
                Some(cursor) => Some(open(cursor).ok_or_else(|| bad("page[after] is not valid"))?),
                None => None,
            };
            return Ok(Self::Cursor { size, after });
        }
        let page = match call.query.get("page") {
            Some(text) => {
                text.parse().ok().filter(|page| *page > 0).ok_or_else(|| bad("page is not valid"))?
            }
            None => 1,
        };
        if page > OFFSET_PAGES_MAX {
            return Err(bad("Number of pages requested exceeds the limit of 100 pages"));
        }
        Ok(Self::Offset { page, size: call.query.get("per_page").and_then(size).unwrap_or(PAGE_MAX) })
    }
}

/// One page: its items and the members that stand beside them.
pub(super) struct Page<T> {
    pub items: Vec<T>,
    pub beside: Value,
}

/// Cuts a page out of a list in its order. `key` names an item in cursors; keys are unique.
pub(super) fn cut<T>(
    call: &Call,
    link_base: &str,
    all: impl Iterator<Item = T>,
    key: impl Fn(&T) -> String,
) -> Result<Page<T>, Refusal> {
    match Wanted::of(call)? {
        Wanted::Cursor { size, after } => {
            let mut rest = all.skip_while({
                let mut passed = after.is_none();
                let key = &key;
                move |item| {
                    let skip = !passed;
                    passed = passed || after.as_deref() == Some(key(item).as_str());
                    skip
                }
            });
            let items: Vec<T> = rest.by_ref().take(size).collect();
            let has_more = rest.next().is_some();
            Ok(Page { beside: cursor_members(call, link_base, &items, &key, has_more), items })
        }
        Wanted::Offset { page, size } => {
            let (mut items, mut count) = (Vec::new(), 0);
            let first = (page - 1) * size;
            for (at, item) in all.enumerate() {
                if at >= first && at < first + size {
                    items.push(item);
                }
                count = at + 1;
            }
            Ok(Page { items, beside: offset_members(call, link_base, page, size, count) })
        }
    }
}

/// `meta` and `links` of a cursor page.
pub(super) fn cursor_members<T>(
    call: &Call,
    link_base: &str,
    items: &[T],
    key: impl Fn(&T) -> String,
    has_more: bool,
) -> Value {
    let cursor = |item: Option<&T>| item.map(|item| seal(&key(item)));
    let (before, after) = (cursor(items.first()), cursor(items.last()));
    let link = |name: &str, cursor: &Option<String>| {
        cursor.as_ref().map(|cursor| link(call, link_base, &[(name, cursor.as_str())]))
    };
    json!({
        "meta": {"has_more": has_more, "after_cursor": after, "before_cursor": before},
        "links": {"prev": link("page[before]", &before), "next": link("page[after]", &after)},
    })
}

/// `next_page`, `previous_page` and `count` of an offset page.
pub(super) fn offset_members(call: &Call, link_base: &str, page: usize, size: usize, count: usize) -> Value {
    let to = |page: usize| link(call, link_base, &[("page", page.to_string().as_str())]);
    json!({
        "next_page": (page * size < count).then(|| to(page + 1)),
        "previous_page": (page > 1).then(|| to(page - 1)),
        "count": count,
    })
}

/// A link to the same request with other parameters. It names the account's other host.
pub(super) fn link(call: &Call, link_base: &str, replaced: &[(&str, &str)]) -> String {
    let kept = call.query.pairs().iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let kept = kept.filter(|(name, _)| {
        !name.starts_with("page[a") && !name.starts_with("page[b") && !replaced.iter().any(|(n, _)| n == name)
    });
    let pairs = kept.chain(replaced.iter().copied());
    let query: Vec<String> =
        pairs.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let path = call.path.strip_suffix(".json").unwrap_or(&call.path);
    format!("{link_base}{path}.json?{}", query.join("&"))
}

/// Adds the members of `beside` to an object.
pub(super) fn extend(object: &mut Value, beside: Value) {
    if let (Value::Object(object), Value::Object(beside)) = (object, beside) {
        object.extend(beside);
    }
}

/// A cursor: opaque by contract.
pub(super) fn seal(key: &str) -> String {
    STANDARD.encode(format!("{{\"o\":\"nice_id\",\"v\":\"{key}\"}}"))
}

fn open(cursor: &str) -> Option<String> {
    let bytes = STANDARD.decode(cursor).ok()?;
    let value: Value = serde_json::from_slice(&bytes).ok()?;
    value.get("v")?.as_str().map(str::to_owned)
}

fn bad(description: &str) -> Refusal {
    Refusal::bad_request("InvalidPaginationParameter", description)
}
