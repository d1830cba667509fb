//! The query parameters by which tasks are found.

use std::collections::BTreeSet;

use serde_json::Value;

use super::model::{Field, Task};
use super::state::{State, task_seq};
use crate::http_text::Query;

/// What a listing asks for. Filters of different kinds are joined by "and", values of one kind by "or".
#[derive(Debug, Default)]
pub(super) struct Filter {
    pub archived: bool,
    subtasks: bool,
    include_closed: bool,
    parent: Option<u64>,
    statuses: BTreeSet<String>,
    assignees: BTreeSet<i64>,
    tags: BTreeSet<String>,
    items: BTreeSet<i64>,
    /// Exclusive bounds. Whether the service's are is not documented, so nobody may rely on the edge.
    pub created: Bounds,
    pub updated: Bounds,
    done: Bounds,
    due: Bounds,
    custom: Vec<Condition>,
}

/// Greater than, less than; in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bounds {
    pub gt: Option<i64>,
    pub lt: Option<i64>,
}

impl Bounds {
    fn parse(query: &Query, name: &str) -> Self {
        Self { gt: query.number(&format!("{name}_gt")), lt: query.number(&format!("{name}_lt")) }
    }

    pub fn any(self) -> bool {
        self.gt.is_some() || self.lt.is_some()
    }

    fn hold(self, ms: Option<i64>) -> bool {
        if !self.any() {
            return true;
        }
        ms.is_some_and(|ms| self.gt.is_none_or(|gt| ms > gt) && self.lt.is_none_or(|lt| ms < lt))
    }
}

#[derive(Debug)]
struct Condition {
    field: String,
    operator: String,
    value: Value,
}

/// Both spellings of an array parameter: `tags[]` and `tags`.
pub(super) fn array(query: &Query, name: &str) -> BTreeSet<String> {
    query.all(&format!("{name}[]")).chain(query.all(name)).map(str::to_owned).collect()
}

impl Filter {
    /// Takes the filters from a query. What cannot be read is ignored, as the service does.
    pub fn parse(query: &Query) -> Self {
        let numbers = |name| array(query, name).iter().filter_map(|id| id.parse().ok()).collect();
        let conditions: Vec<Value> =
            query.get("custom_fields").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let conditions = conditions.into_iter().filter_map(|condition| {
            Some(Condition {
                field: condition["field_id"].as_str()?.to_owned(),
                operator: condition["operator"].as_str()?.to_owned(),
                value: condition["value"].clone(),
            })
        });
        Self {
            archived: query.flag("archived"),
            subtasks: query.flag("subtasks"),
            include_closed: query.flag("include_closed"),
            parent: query.get("parent").and_then(task_seq),
            statuses: array(query, "statuses").iter().map(|name| name.to_lowercase()).collect(),
            assignees: numbers("assignees"),
            tags: array(query, "tags").iter().map(|name| name.to_lowercase()).collect(),
            items: numbers("custom_items"),
            created: Bounds::parse(query, "date_created"),
            updated: Bounds::parse(query, "date_updated"),
            done: Bounds::parse(query, "date_done"),
            due: Bounds::parse(query, "due_date"),
            custom: conditions.collect(),
        }
    }

    /// Whether a task is wanted at this time: what is too new has not reached the filtered lists yet.
    pub fn wants(&self, state: &State, task: &Task, now_ms: i64) -> bool {
        task.visible_ms <= now_ms
            && task.archived == self.archived
            && (task.parent.is_none() || self.subtasks || self.parent.is_some())
            && self.parent.is_none_or(|parent| task.parent == Some(parent))
            && self.created.hold(Some(task.created_ms))
            && self.updated.hold(Some(task.updated_ms))
            && self.done.hold(task.done_ms)
            && self.due.hold(task.due_ms)
            && (self.include_closed || task.closed_ms.is_none())
            && (self.statuses.is_empty() || self.statuses.contains(&task.status.to_lowercase()))
            && (self.assignees.is_empty() || task.assignees.iter().any(|id| self.assignees.contains(id)))
            && (self.tags.is_empty() || !task.tags.is_disjoint(&self.tags))
            && (self.items.is_empty() || self.items.contains(&task.custom_item))
            && self.custom.iter().all(|condition| condition.holds(state, task))
    }
}

impl Condition {
    fn holds(&self, state: &State, task: &Task) -> bool {
        let Some(field) = state.fields.get(&self.field) else { return false };
        let stored = task.values.get(&self.field);
        match self.operator.as_str() {
            "IS NULL" => return stored.is_none(),
            "IS NOT NULL" => return stored.is_some(),
            _ => {}
        }
        let have: BTreeSet<String> = match stored {
            Some(Value::Array(values)) => values.iter().map(plain).collect(),
            Some(value) => [plain(value)].into(),
            None => BTreeSet::new(),
        };
        let want: Vec<String> = match &self.value {
            Value::Array(values) => values.iter().map(|value| wanted(field, value)).collect(),
            value => vec![wanted(field, value)],
        };
        let any = want.iter().any(|value| have.contains(value));
        let all = want.iter().all(|value| have.contains(value));
        let number = have.first().and_then(|value| value.parse::<f64>().ok());
        let bound = |at: usize| want.get(at).and_then(|value| value.parse::<f64>().ok());
        let compare = |test: fn(f64, f64) -> bool| {
            number.zip(bound(0)).is_some_and(|(number, bound)| test(number, bound))
        };
        match self.operator.as_str() {
            "=" => have.len() == want.len() && all,
            "!=" => !(have.len() == want.len() && all),
            "ANY" => any,
            "ALL" => all,
            "NOT ANY" => !any,
            "NOT ALL" => !all,
            "<" => compare(|a, b| a < b),
            "<=" => compare(|a, b| a <= b),
            ">" => compare(|a, b| a > b),
            ">=" => compare(|a, b| a >= b),
            "RANGE" => match (number, bound(0), bound(1)) {
                (Some(number), Some(low), Some(high)) => (low..=high).contains(&number),
                _ => false,
            },
            _ => false,
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The value of a filter as it would be stored: options may be named by their position.
fn wanted(field: &Field, value: &Value) -> String {
    let index = value.as_u64().filter(|_| field.kind == "drop_down");
    let option = index.and_then(|index| field.options.get(usize::try_from(index).ok()?));
    option.map_or_else(|| plain(value), |option| option.id.clone())
}
