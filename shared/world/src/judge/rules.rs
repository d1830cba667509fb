//! What the mapping means, in the judge's own few lines: when two values are the same, and what a side
//! cannot take. Built from the tables of the scenario, not from `deskup.toml`.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Side, Value};
use serde_json::Value as Json;

use super::canon::{self, Canon, Field};
use crate::scenario::Scenario;
use crate::seedwork::cast::CLICKUP_SYNC_ID;
use crate::seedwork::workspace::{CustomField, FieldKind, PRIORITY_TABLE, STATUS_TABLE, Workspace};

/// Begins the tag that leads from a ticket to its task, where the mapping wants one; nobody's tags begin so.
const WAY_BACK: &str = "clickup-";

/// The meaning of a mapping.
#[derive(Clone, Debug)]
pub struct Rules {
    /// deskup's user in Zendesk.
    pub zendesk_sync: i64,
    /// deskup's user in ClickUp.
    pub clickup_sync: i64,
    /// Whether internal notes go to ClickUp.
    pub internal_notes: bool,
    /// Lists and routes.
    pub workspace: Workspace,
    /// ClickUp id of a Zendesk agent.
    people: BTreeMap<String, String>,
    /// Names by side and id, for authorship.
    names: BTreeMap<(Side, i64), String>,
    option_tags: BTreeSet<String>,
}

impl Rules {
    /// The rules of a scenario.
    pub fn of(scenario: &Scenario) -> Self {
        let mut people = BTreeMap::new();
        let mut names = BTreeMap::new();
        for colleague in &scenario.cast.colleagues {
            if let (Some(zendesk), Some(clickup)) = (colleague.zendesk, colleague.clickup) {
                people.insert(zendesk.to_string(), clickup.to_string());
            }
            for (side, id) in [(Side::Zendesk, colleague.zendesk), (Side::Clickup, colleague.clickup)] {
                if let Some(id) = id {
                    names.insert((side, id), colleague.name.clone());
                }
            }
        }
        for customer in &scenario.cast.customers {
            names.insert((Side::Zendesk, customer.id), customer.name.clone());
        }
        Self {
            zendesk_sync: scenario.cast.zendesk_sync,
            clickup_sync: CLICKUP_SYNC_ID,
            internal_notes: scenario.internal_notes,
            people,
            names,
            option_tags: scenario.workspace.option_tags().map(str::to_owned).collect(),
            workspace: scenario.workspace.clone(),
        }
    }

    /// deskup's user on a side.
    pub fn sync_user(&self, side: Side) -> i64 {
        match side {
            Side::Zendesk => self.zendesk_sync,
            Side::Clickup => self.clickup_sync,
        }
    }

    /// Whether somebody is a person: neither deskup nor the service itself.
    pub fn is_person(&self, side: Side, actor: i64) -> bool {
        actor != 0 && actor != self.sync_user(side)
    }

    /// The name of a person.
    pub fn name(&self, side: Side, id: i64) -> Option<&str> {
        self.names.get(&(side, id)).map(String::as_str)
    }

    /// All fields that are kept in step, besides comments.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = vec![
            Field::Title,
            Field::Description,
            Field::Status,
            Field::Priority,
            Field::Assignee,
            Field::Tags,
            Field::Due,
        ];
        fields.extend(self.workspace.fields.iter().map(|field| Field::Custom(field.key.to_owned())));
        fields
    }

    /// The field that a change log means; `None` for what is not kept in step.
    pub fn field_of(&self, side: Side, name: &str) -> Option<Field> {
        Some(match name {
            "title" => Field::Title,
            "description" => Field::Description,
            "status" => Field::Status,
            "priority" => Field::Priority,
            "assignee" => Field::Assignee,
            "tags" => Field::Tags,
            "due" => Field::Due,
            "comment" => Field::Comment,
            _ => Field::Custom(self.custom_by_id(side, name.strip_prefix("custom:")?)?.key.to_owned()),
        })
    }

    /// A custom field by its id on a side.
    pub fn custom_by_id(&self, side: Side, id: &str) -> Option<&CustomField> {
        self.workspace.fields.iter().find(|field| match side {
            Side::Zendesk => field.zendesk.to_string() == id,
            Side::Clickup => field.clickup == id,
        })
    }

    fn custom(&self, field: &Field) -> Option<&CustomField> {
        let Field::Custom(key) = field else { return None };
        self.workspace.fields.iter().find(|known| known.key == key)
    }

    /// A raw value in comparable form: option tags are no tags, footers are no text, positions are options.
    pub fn canon(&self, side: Side, field: &Field, raw: &Json) -> Canon {
        let custom = self.custom(field);
        if let (Some(custom), Json::Number(position)) = (custom, raw)
            && custom.kind == FieldKind::DropDown
        {
            let at = position.as_u64().and_then(|at| usize::try_from(at).ok());
            let option = at.and_then(|at| custom.options.get(at));
            return option.map_or(Canon::Null, |option| Canon::Text(option.uuid.clone()));
        }
        match (field, side) {
            (Field::Description, Side::Clickup) => {
                let text = raw.as_str().unwrap_or_default();
                canon::of_json(field, None, &Json::String(domain::footer::strip(text).into_owned()))
            }
            (Field::Tags, _) => {
                let mut members = canon::of_json(field, None, raw).members();
                members.retain(|tag| !self.option_tags.contains(tag) && !tag.starts_with(WAY_BACK));
                if members.is_empty() { Canon::Null } else { Canon::Set(members) }
            }
            _ => canon::of_json(field, custom.map(|custom| custom.kind), raw),
        }
    }

    /// A value of a conflict row in comparable form.
    pub fn canon_kept(&self, side: Side, field: &Field, value: &Value) -> Canon {
        match (field, value) {
            (Field::Tags, Value::Set(members)) => {
                self.canon(side, field, &members.iter().cloned().map(Json::String).collect())
            }
            (Field::Description, Value::Text(text)) => self.canon(side, field, &Json::String(text.clone())),
            _ => canon::of_value(field, self.custom(field).map(|custom| custom.kind), value),
        }
    }

    /// Whether two values mean the same.
    pub fn same(&self, field: &Field, zendesk: &Canon, clickup: &Canon) -> bool {
        match field {
            Field::Status => {
                self.statuses_of(zendesk).any(|status| *clickup == Canon::Text(status.to_owned()))
            }
            Field::Priority => self.priority_of(zendesk) == *clickup,
            Field::Assignee => match zendesk.members().first() {
                Some(agent) => {
                    self.people.get(agent).is_some_and(|member| clickup.members().contains(member))
                }
                None => clickup.members().is_empty(),
            },
            Field::Description => squeezed(zendesk) == squeezed(clickup) || is_cut(zendesk, clickup),
            Field::Custom(_) => match self.custom(field) {
                Some(custom) if custom.kind == FieldKind::DropDown => {
                    let option =
                        custom.options.iter().find(|option| Canon::Text(option.tag.into()) == *zendesk);
                    option.map_or(Canon::Null, |option| Canon::Text(option.uuid.clone())) == *clickup
                }
                _ => zendesk == clickup,
            },
            // A task has to have a name, so that of a ticket without a subject is made up.
            Field::Title => match (zendesk, clickup) {
                (Canon::Null, Canon::Text(name)) => name.starts_with("Ticket #"),
                _ => zendesk == clickup,
            },
            Field::Tags | Field::Due | Field::Comment => zendesk == clickup,
        }
    }

    /// Whether the other side has something that means this value. `None`: it has.
    pub fn no_counterpart(&self, side: Side, field: &Field, value: &Canon) -> Option<&'static str> {
        let missing = match (field, side) {
            (Field::Status, Side::Clickup) => {
                let Canon::Text(word) = value else { return Some("a status is never empty") };
                // Only Zendesk itself closes tickets.
                let settable = STATUS_TABLE.iter().filter(|(status, _)| *status != "closed");
                !settable.flat_map(|(_, known)| known.iter()).any(|known| known == word)
            }
            (Field::Assignee, Side::Zendesk) => {
                value.members().iter().any(|agent| !self.people.contains_key(agent))
            }
            (Field::Assignee, Side::Clickup) => {
                let members = value.members();
                !members.is_empty() && !members.iter().any(|id| self.people.values().any(|known| known == id))
            }
            _ => false,
        };
        missing.then_some("the other side has no counterpart of the value")
    }

    fn statuses_of<'a>(&self, zendesk: &'a Canon) -> impl Iterator<Item = &'static str> + use<'a> {
        STATUS_TABLE
            .iter()
            .filter(move |(status, _)| *zendesk == Canon::Text((*status).to_owned()))
            .flat_map(|(_, words)| words.iter().copied())
    }

    fn priority_of(&self, zendesk: &Canon) -> Canon {
        PRIORITY_TABLE
            .iter()
            .find(|(word, _)| *zendesk == Canon::Text((*word).to_owned()))
            .map_or(Canon::Null, |(_, number)| Canon::Text(number.to_string()))
    }
}

/// ClickUp takes no more than so much of a description, the footer included.
const DESCRIPTION_BYTES_MAX: usize = 256 * 1024;
/// Room for the footer, and for saying that there is more.
const FOOTER_BYTES_MAX: usize = 2 * 1024;

/// Whether a task shows as much as it can of a text that is too long for it, and says so.
fn is_cut(whole: &Canon, shown: &Canon) -> bool {
    let (Canon::Text(whole), Canon::Text(shown)) = (whole, shown) else { return false };
    let full = DESCRIPTION_BYTES_MAX - FOOTER_BYTES_MAX..=DESCRIPTION_BYTES_MAX;
    let Some((start, rest)) = shown.rsplit_once("[shortened by deskup") else { return false };
    let (start, whole) = (canon::squeeze(start), canon::squeeze(whole));
    full.contains(&shown.len()) && rest.len() < FOOTER_BYTES_MAX && whole.starts_with(&start)
}

fn squeezed(value: &Canon) -> String {
    match value {
        Canon::Text(text) => canon::squeeze(text),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scenario::ScenarioOptions;

    fn scenario() -> Scenario {
        Scenario::make(&ScenarioOptions { tickets: 8, ..ScenarioOptions::default() }).expect("built in")
    }

    fn same(field: Field, zendesk: Json, clickup: Json) -> bool {
        let rules = Rules::of(&scenario());
        let (z, c) =
            (rules.canon(Side::Zendesk, &field, &zendesk), rules.canon(Side::Clickup, &field, &clickup));
        rules.same(&field, &z, &c)
    }

    #[test]
    fn sameness_is_that_of_the_mapping() {
        assert!(same(Field::Status, json!("new"), json!("to do")));
        assert!(same(Field::Status, json!("open"), json!("to do")));
        assert!(same(Field::Status, json!("open"), json!("in progress")));
        assert!(!same(Field::Status, json!("new"), json!("in progress")));
        assert!(!same(Field::Status, json!("open"), json!("in review")));
        assert!(same(Field::Priority, json!("high"), json!({"id": "2"})));
        assert!(same(Field::Priority, json!(null), json!(null)));
        assert!(same(Field::Tags, json!(["a", "sev_minor"]), json!([{"name": "a"}])));
        assert!(same(Field::Title, json!(null), json!("Ticket #7")));
        assert!(!same(Field::Title, json!(null), json!("Something else")));
        let severity = Field::Custom("severity".into());
        assert!(same(severity.clone(), json!("sev_major"), json!(1)));
        assert!(same(severity.clone(), json!(null), json!(null)));
        assert!(!same(severity, json!("sev_major"), json!(0)));
        assert!(same(Field::Custom("seats".into()), json!("7"), json!(7)));
        let cast = scenario().cast;
        let agent = cast.agents().next().and_then(|agent| agent.zendesk);
        assert!(same(Field::Assignee, json!(agent), json!([{"id": 310_001}, {"id": 5}])));
        assert!(!same(Field::Assignee, json!(agent), json!([{"id": 310_002}])));
        assert!(!same(Field::Assignee, json!(null), json!([{"id": 310_002}])));
        assert!(same(
            Field::Description,
            json!("a  b\n\nc"),
            json!("a b\nc\n\nZendesk ticket 1: u [deskup 1 n1]")
        ));
    }

    #[test]
    fn a_description_may_be_cut_where_the_task_is_full_and_nowhere_else() {
        let whole = "Jane writes a lot. ".repeat(20_000);
        let cut = |bytes: usize, tail: &str| json!(format!("{}{tail}", &whole[..bytes]));
        let full = DESCRIPTION_BYTES_MAX - 1_100;
        let said =
            "\n\n[shortened by deskup; the whole text: see below]\n\nZendesk ticket 1: u [deskup 1 n1]";
        assert!(same(Field::Description, json!(whole), cut(full, said)));
        assert!(!same(Field::Description, json!(whole), cut(full, "")));
        assert!(!same(Field::Description, json!(whole), cut(full - 4_000, said)));
        let other = json!(whole.replace("Jane", "John"));
        assert!(!same(Field::Description, other, cut(full, said)));
    }

    #[test]
    fn what_has_no_counterpart_is_known() {
        let scenario = scenario();
        let rules = Rules::of(&scenario);
        let check = |side, field: Field, raw: Json| {
            let value = rules.canon(side, &field, &raw);
            rules.no_counterpart(side, &field, &value).is_some()
        };
        assert!(check(Side::Clickup, Field::Status, json!("in review")));
        assert!(check(Side::Clickup, Field::Status, json!("closed")));
        assert!(!check(Side::Clickup, Field::Status, json!("on hold")));
        let alone =
            scenario.cast.agents().find(|agent| agent.clickup.is_none()).and_then(|agent| agent.zendesk);
        assert!(check(Side::Zendesk, Field::Assignee, json!(alone)));
        assert!(check(Side::Clickup, Field::Assignee, json!([310_013])));
        assert!(!check(Side::Clickup, Field::Assignee, json!([310_013, 310_001])));
    }
}
