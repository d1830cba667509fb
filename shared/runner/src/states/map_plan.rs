//! What a Map is to do: its items, its limits, and the input of each iteration.

use std::sync::Arc;

use asl::model::{Map, Quantity};
use asl::{QueryLanguage, State};
use serde_json::Value;

use crate::context::Context;
use crate::data::{Expected, Sight};
use crate::fault::Fault;
use crate::flow::{Frame, Item};
use crate::run::Run;
use crate::texts;

/// What is known before the Map starts.
pub(super) struct Plan {
    /// `$` of the selector: the state's effective input.
    effective: Value,
    pub(super) items: Vec<Item>,
    pub(super) concurrency: usize,
}

/// How many iterations of a distributed Map may fail.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tolerance {
    count: Option<f64>,
    percentage: Option<f64>,
}

impl Tolerance {
    /// Whether so many failures of so many items are too many.
    pub(super) fn exceeded(self, failed: usize, of: usize) -> bool {
        let (failed, of) = (failed as f64, of as f64);
        match (self.count, self.percentage) {
            (None, None) => failed > 0.0,
            (count, percentage) => {
                count.is_some_and(|count| failed > count)
                    || percentage.is_some_and(|percentage| failed * 100.0 > percentage * of)
            }
        }
    }
}

pub(super) fn plan(run: &Run<'_>, state: &State, map: &Map, frame: &Frame) -> Result<Plan, Fault> {
    for (field, given) in [
        ("ItemReader", &map.item_reader),
        ("ItemBatcher", &map.item_batcher),
        ("ResultWriter", &map.result_writer),
    ] {
        if given.is_some() {
            return Err(Fault::runtime(texts::not_supported(field)));
        }
    }
    let context = Context::new(run, frame, state, None);
    let raw = frame.sight(run, state, &context);
    let effective = match raw.language {
        QueryLanguage::Jsonata => raw.input.clone(),
        QueryLanguage::JsonPath => raw.filter(&state.input_path)?,
    };
    let sight = raw.of(&effective);
    let items = match items(map, sight)? {
        Value::Array(items) => items.into_iter().map(|value| (None, value)).collect::<Vec<_>>(),
        Value::Object(members) => members.into_iter().map(|(key, value)| (Some(key), value)).collect(),
        other => return Err(Fault::runtime(texts::map_items(&other))),
    };
    let item = |(index, (key, value))| Item { map: state.name.clone(), index, key, value: Arc::new(value) };
    let items = items.into_iter().enumerate().map(item).collect();
    let most = if map.processor.is_distributed() { usize::MAX } else { run.options.limits.map_concurrency };
    let concurrency = concurrency(map, sight)?.map_or(most, |wanted| wanted.min(most)).max(1);
    Ok(Plan { effective, items, concurrency })
}

fn items(map: &Map, sight: Sight<'_>) -> Result<Value, Fault> {
    match (sight.language, &map.items, &map.items_path) {
        (QueryLanguage::Jsonata, Some(items), _) => sight.typed(items, "Items", Expected::ArrayOrObject),
        (QueryLanguage::Jsonata, None, _) if sight.input.is_array() => Ok(sight.input.clone()),
        (QueryLanguage::Jsonata, None, _) => Err(Fault::query(None, texts::map_items(sight.input))),
        (QueryLanguage::JsonPath, _, path) => {
            let path = path.as_deref().unwrap_or("$");
            match sight.must_find(path)? {
                value @ (Value::Array(_) | Value::Object(_)) => Ok(value),
                other => Err(Fault::runtime(texts::map_items_path(path, &other))),
            }
        }
    }
}

/// MaxConcurrency; none means no limit of the author's.
fn concurrency(map: &Map, sight: Sight<'_>) -> Result<Option<usize>, Fault> {
    let Some(quantity) = &map.max_concurrency else { return Ok(None) };
    let value = sight.quantity(quantity, "MaxConcurrency")?;
    let number = match (quantity, whole(&value)) {
        (Quantity::Path(path), None) => {
            let text = texts::not_a_number("MaxConcurrencyPath", &value, "integer", path);
            return Err(Fault::runtime(text));
        }
        (_, whole) => whole.unwrap_or(0),
    };
    Ok(usize::try_from(number).ok().filter(|number| *number > 0))
}

/// A whole number; numbers in strings count.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn float(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

/// ToleratedFailureCount and ToleratedFailurePercentage, which are looked at once the Map has started.
pub(super) fn tolerance(run: &Run<'_>, state: &State, map: &Map, frame: &Frame) -> Result<Tolerance, Fault> {
    let context = Context::new(run, frame, state, None);
    let raw = frame.sight(run, state, &context);
    let effective = match raw.language {
        QueryLanguage::Jsonata => raw.input.clone(),
        QueryLanguage::JsonPath => raw.filter(&state.input_path)?,
    };
    let sight = raw.of(&effective);
    let count = tolerated(sight, map.tolerated_failure_count.as_ref(), "ToleratedFailureCount", "integer")?;
    if count.is_some_and(|count| count < 0.0) {
        return Err(Fault::runtime(texts::TOLERATED_COUNT));
    }
    let percentage = map.tolerated_failure_percentage.as_ref();
    let percentage = tolerated(sight, percentage, "ToleratedFailurePercentage", "float")?;
    if percentage.is_some_and(|percentage| !(0.0..=100.0).contains(&percentage)) {
        return Err(Fault::runtime(texts::TOLERATED_PERCENTAGE));
    }
    Ok(Tolerance { count, percentage })
}

fn tolerated(
    sight: Sight<'_>,
    quantity: Option<&Quantity>,
    field: &str,
    sort: &str,
) -> Result<Option<f64>, Fault> {
    let Some(quantity) = quantity else { return Ok(None) };
    let value = sight.quantity(quantity, field)?;
    let number = if sort == "integer" { whole(&value).map(|number| number as f64) } else { float(&value) };
    match (number, quantity) {
        (Some(number), _) => Ok(Some(number)),
        (None, Quantity::Path(path)) => {
            Err(Fault::runtime(texts::not_a_number(&format!("{field}Path"), &value, sort, path)))
        }
        (None, _) => Err(Fault::runtime(texts::not_a_number(field, &value, sort, field))),
    }
}

/// The input of one iteration: the selector's, otherwise the item.
pub(super) fn input(
    run: &Run<'_>,
    state: &State,
    map: &Map,
    frame: &Frame,
    plan: &Plan,
    item: &Item,
) -> Result<Value, Fault> {
    let context = Context::for_item(run, frame, state, item);
    let sight = frame.sight(run, state, &context);
    // Parameters is the old name of ItemSelector.
    match map.item_selector.as_ref().or(state.parameters.as_ref()) {
        Some(selector) => sight.of(&plan.effective).template(selector, "ItemSelector"),
        None => Ok((*item.value).clone()),
    }
}
