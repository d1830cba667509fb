//! `[scope]` and `[sync] adopt`: which tickets get a task at all, and what becomes of those that people have
//! paired already.

use super::reader::Section;
use super::{Adopt, Scope};

/// A pilot is small; who wants more leaves the limit out.
const LIMIT_MAX: u64 = 5_000;

pub(super) fn scope(root: &Section<'_>) -> Scope {
    let section = root.section("scope");
    let limit = section.integer("limit").and_then(|limit| match u32::try_from(limit.value) {
        Ok(number) if (1..=LIMIT_MAX).contains(&limit.value) => Some(number),
        _ => {
            let message =
                format!("must be from 1 to {LIMIT_MAX}; leave it out to take every ticket of the scope");
            section.wrong("limit", message);
            None
        }
    });
    let scope = Scope { since_ms: section.date("since"), limit, closed: section.boolean("closed", false) };
    section.finish();
    scope
}

pub(super) fn adopt(sync: &Section<'_>) -> Adopt {
    let words = [("ask", Adopt::Ask), ("link", Adopt::Link), ("ignore", Adopt::Ignore)];
    sync.choice("adopt", &words).map_or(Adopt::Ask, |choice| choice.value)
}
