//! Tasks by filter: pages of 100, newest first unless `reverse`. Pages shift while tasks change; there is no cursor.

use std::collections::BTreeSet;
use std::ops::Bound;

use serde_json::{Value, json};

use super::filters::{Bounds, Filter, array};
use super::model::Task;
use super::refusal::Refusal;
use super::state::{Orders, State, TimeIndex};
use super::tx::Tx;
use super::wire::{self, Parts};
use crate::http_text::{self, Answer, Call};

const PAGE: usize = 100;

/// `GET /list/{list_id}/task`.
pub(super) fn of_list(tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let list = tx.list(&path[0])?.id.clone();
    let filter = Filter::parse(&call.query);
    let (page, more) = page(tx, call, &filter, Some(&[list].into()));
    Ok(http_text::json(200, &json!({"tasks": page, "last_page": !more})))
}

/// `GET /team/{team_id}/task`. The documented answer has no `last_page`, and archived tasks cannot be asked for.
pub(super) fn of_team(tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    tx.workspace(&path[0])?;
    let mut filter = Filter::parse(&call.query);
    filter.archived = false;
    let lists = places(tx, call);
    let (page, _) = page(tx, call, &filter, lists.as_ref());
    Ok(http_text::json(200, &json!({"tasks": page})))
}

/// The lists a team query is confined to, none when it is not: by list, folder or Space, and by what one may see.
fn places(tx: &Tx<'_>, call: &Call) -> Option<BTreeSet<String>> {
    let [lists, folders, spaces] =
        ["list_ids", "project_ids", "space_ids"].map(|name| array(&call.query, name));
    let hidden = tx.state.lists.values().any(|list| !tx.state.sees(tx.actor, list));
    if lists.is_empty() && folders.is_empty() && spaces.is_empty() && !hidden {
        return None;
    }
    let wanted = tx.state.lists.values().filter(|list| {
        (lists.is_empty() || lists.contains(&list.id))
            && (folders.is_empty() || list.folder.as_ref().is_some_and(|folder| folders.contains(folder)))
            && (spaces.is_empty() || spaces.contains(&list.space))
            && tx.state.sees(tx.actor, list)
    });
    Some(wanted.map(|list| list.id.clone()).collect())
}

/// One page, and whether more tasks follow.
fn page(tx: &Tx<'_>, call: &Call, filter: &Filter, lists: Option<&BTreeSet<String>>) -> (Vec<Value>, bool) {
    let skip = call.query.number::<usize>("page").unwrap_or(0).saturating_mul(PAGE);
    let order = call.query.get("order_by").unwrap_or("created");
    let ascending = call.query.flag("reverse");
    let found = find(tx.state, filter, lists, Sorting { order, ascending, most: skip + PAGE + 1 }, tx.now);
    let more = found.len() > skip + PAGE;
    let markdown = call.query.flag("include_markdown_description");
    let parts = Parts { markdown, ..Parts::default() };
    let page = found.into_iter().skip(skip).take(PAGE);
    (page.map(|task| wire::task(tx.state, tx.options, task, parts)).collect(), more)
}

#[derive(Clone, Copy)]
struct Sorting<'a> {
    order: &'a str,
    ascending: bool,
    /// No more tasks are needed than this.
    most: usize,
}

/// The wanted tasks in order.
fn find<'a>(
    state: &'a State,
    filter: &Filter,
    lists: Option<&BTreeSet<String>>,
    sorting: Sorting<'_>,
    now_ms: i64,
) -> Vec<&'a Task> {
    let Walk { indexes, in_order } = walk(state, filter, lists, sorting);
    let mut found = Vec::new();
    for index in indexes {
        let tasks = index.filter_map(|seq| state.tasks.get(&seq));
        let tasks = tasks.filter(|task| filter.wants(state, task, now_ms));
        // What comes in order may stop as soon as the page is full.
        if in_order { found.extend(tasks.take(sorting.most)) } else { found.extend(tasks) }
    }
    if !in_order {
        found.sort_by_key(|task| (sort_key(task, sorting.order), task.seq));
        if !sorting.ascending {
            found.reverse();
        }
    }
    found
}

/// The tasks that have to be looked at.
struct Walk<'a> {
    indexes: Vec<Box<dyn Iterator<Item = u64> + 'a>>,
    /// Whether they come in the wanted order already.
    in_order: bool,
}

/// Chooses the index of a time that is bounded, or else the one of the order, so that an incremental question costs what
/// it finds, however many tasks there are.
fn walk<'a>(
    state: &'a State,
    filter: &Filter,
    lists: Option<&BTreeSet<String>>,
    sorting: Sorting<'_>,
) -> Walk<'a> {
    let by_update = filter.updated.any() || (sorting.order == "updated" && !filter.created.any());
    let bounds = if by_update { filter.updated } else { filter.created };
    let sorted_by = if by_update { "updated" } else { "created" };
    let orders: Vec<&Orders> = match lists {
        None => vec![&state.all],
        Some(lists) => lists.iter().filter_map(|list| state.by_list.get(list)).collect(),
    };
    let in_order = orders.len() == 1 && sorting.order == sorted_by;
    let indexes = orders.into_iter().map(|orders| {
        let index = if by_update { &orders.updated } else { &orders.created };
        range(index, bounds, sorting.ascending)
    });
    Walk { indexes: indexes.collect(), in_order }
}

fn sort_key(task: &Task, order: &str) -> i64 {
    match order {
        "updated" => task.updated_ms,
        "due_date" => task.due_ms.unwrap_or(i64::MAX),
        "id" => 0,
        _ => task.created_ms,
    }
}

fn range(index: &TimeIndex, bounds: Bounds, ascending: bool) -> Box<dyn Iterator<Item = u64> + '_> {
    let low = bounds.gt.map_or(Bound::Unbounded, |gt| Bound::Excluded((gt, u64::MAX)));
    let high = bounds.lt.map_or(Bound::Unbounded, |lt| Bound::Excluded((lt, 0)));
    if bounds.gt.zip(bounds.lt).is_some_and(|(gt, lt)| gt >= lt) {
        return Box::new(std::iter::empty());
    }
    let ids = index.range((low, high)).map(|(_, seq)| *seq);
    if ascending { Box::new(ids) } else { Box::new(ids.rev()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clickup::rows::Row;
    use crate::http_text::Query;

    #[test]
    fn an_incremental_question_looks_only_at_what_it_finds() {
        let mut state = State::default();
        for seq in 1..=20_000 {
            let at = i64::try_from(seq).unwrap();
            let list = (seq % 3).to_string();
            let task = Task { seq, list, created_ms: at, updated_ms: at, ..Task::default() };
            state.put(Row::Task(task.into()));
        }
        let two_lists = BTreeSet::from(["1".to_owned(), "2".to_owned()]);
        for (query, lists, looked_at) in [
            ("date_updated_gt=19990&order_by=updated&reverse=true", None, 10),
            ("date_updated_gt=19990", None, 10),
            ("date_created_gt=19990&order_by=created", None, 10),
            ("date_created_gt=19990&date_created_lt=19995&order_by=updated", None, 4),
            ("date_updated_gt=19985&order_by=updated", Some(&two_lists), 10),
            ("date_updated_gt=19985&date_updated_lt=100", None, 0),
        ] {
            let query = Query::parse(query);
            let order = query.get("order_by").unwrap_or("created");
            let sorting = Sorting { order, ascending: query.flag("reverse"), most: 101 };
            let walk = walk(&state, &Filter::parse(&query), lists, sorting);
            let count: usize = walk.indexes.into_iter().map(Iterator::count).sum();
            assert_eq!(count, looked_at, "{query:?}");
        }
    }
}
