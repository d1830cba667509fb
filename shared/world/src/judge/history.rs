//! What every field of every record was, and when: the change logs of both services, read backwards
//! into values.

use std::collections::BTreeMap;

use domain::Side;
use serde_json::Value as Json;
use simulators::Change;

use super::canon::{Canon, Field};
use super::rules::Rules;

/// A value that came into force.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// When; the value before the first change has been there for ever.
    pub at_ms: i64,
    /// Its number in the change log.
    pub seq: u64,
    /// Who did it.
    pub actor: i64,
    /// What it was until then.
    pub before: Canon,
    /// What it became.
    pub after: Canon,
    /// The edit, if a simulated person named one.
    pub edit: Option<String>,
}

/// The values of all fields of all records of both sides over time. Comments are not in here.
#[derive(Clone, Debug, Default)]
pub struct History {
    moments: BTreeMap<(Side, String, Field), Vec<Moment>>,
}

impl History {
    /// Reads the logs.
    pub fn read(rules: &Rules, zendesk: &[Change], clickup: &[Change]) -> Self {
        let mut history = Self::default();
        for (side, changes) in [(Side::Zendesk, zendesk), (Side::Clickup, clickup)] {
            for change in changes {
                history.take(rules, side, change);
            }
        }
        history
    }

    fn take(&mut self, rules: &Rules, side: Side, change: &Change) {
        let Some(field) = rules.field_of(side, &change.field).filter(|field| *field != Field::Comment) else {
            return;
        };
        let (before, after) =
            (rules.canon(side, &field, &change.before), rules.canon(side, &field, &change.after));
        // Tags that belong to a drop-down, or a footer: nothing that is kept in step changed.
        if before == after {
            return;
        }
        self.moments.entry((side, change.record.clone(), field)).or_default().push(Moment {
            at_ms: change.at_ms,
            seq: change.seq,
            actor: change.actor,
            before,
            after,
            edit: change.edit.clone(),
        });
    }

    /// The changes of a field, oldest first.
    pub fn of(&self, side: Side, record: &str, field: &Field) -> &[Moment] {
        self.moments.get(&(side, record.to_owned(), field.clone())).map_or(&[], Vec::as_slice)
    }

    /// The value in force at a moment, and every later one. A record without changes has had its present
    /// value for ever; `now` is that value.
    pub fn from_then_on(
        &self,
        side: Side,
        record: &str,
        field: &Field,
        at_ms: i64,
        now: &Canon,
    ) -> Vec<Canon> {
        let moments = self.of(side, record, field);
        let Some(first) = moments.first() else { return vec![now.clone()] };
        // Changes of the same millisecond are later: the two logs have no order between them.
        let earlier = moments.iter().take_while(|moment| moment.at_ms < at_ms).last();
        let mut values = vec![earlier.map_or(&first.before, |moment| &moment.after).clone()];
        values
            .extend(moments.iter().filter(|moment| moment.at_ms >= at_ms).map(|moment| moment.after.clone()));
        values
    }

    /// Every field of every record that changed.
    pub fn all(&self) -> impl Iterator<Item = (&(Side, String, Field), &[Moment])> {
        self.moments.iter().map(|(key, moments)| (key, moments.as_slice()))
    }
}

/// The description a task was made with, if the log still tells.
pub fn first_description(changes: &[Change], task: &str) -> Option<String> {
    changes.iter().filter(|change| change.record == task).find_map(|change| match change.field.as_str() {
        "created" => change.after.get("description").and_then(Json::as_str).map(str::to_owned),
        "description" => {
            let text = if change.before.is_string() { &change.before } else { &change.after };
            text.as_str().map(str::to_owned)
        }
        _ => None,
    })
}
