//! Which queue a record waits in: its group on Zendesk, or its list on ClickUp, whichever told of it. Queues share a lane, so
//! that a thousand changes of one group do not hold up the one of another.

/// The queue of a Zendesk group.
pub fn of_group(group: Option<u64>) -> Option<String> {
    group.map(|id| format!("g{id}"))
}

/// The queue of a ClickUp list; none for a name that no list has.
pub fn of_list(list: &str) -> Option<String> {
    let fits = !list.is_empty() && list.len() <= 32 && list.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then(|| format!("l{list}"))
}
