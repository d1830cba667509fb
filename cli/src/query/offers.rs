//! What can be made of a conflict: which of its values may go to both sides, and what to do where none may. It is
//! told from the state alone, so a service may still refuse; what is left out here, both would refuse for sure.

use domain::{Conflict, ConflictCause, FieldKey, Side, Value};
use functions::person;
use stores::conflicts::ConflictRow;
use stores::links::Link;

/// What can be made of a conflict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// Whose kept value may go to both sides.
    pub can: Vec<Side>,
    /// Whose may not, and why.
    pub cannot: Vec<(Side, String)>,
    /// What would make them one, where that is not applying a value.
    pub instead: Option<&'static str>,
}

/// What can be made of this one.
pub fn of(row: &ConflictRow, link: Option<&Link>) -> Offers {
    let mut offers = Offers::default();
    for side in [Side::Zendesk, Side::Clickup] {
        match person::cannot_apply(row, link, side).or_else(|| refused(&row.conflict, side)) {
            None => offers.can.push(side),
            Some(why) => offers.cannot.push((side, why)),
        }
    }
    if row.conflict.cause == ConflictCause::NoCounterpart {
        offers.instead = Some(match row.conflict.field {
            FieldKey::Assignee => "say who it is on the other side in [people] of deskup.toml",
            FieldKey::Status => "give the status an entry in [status] of deskup.toml",
            FieldKey::Priority => "give the priority an entry in [priority] of deskup.toml",
            _ => "give the value a counterpart on the other side",
        });
    }
    offers
}

/// Why a side's value would be refused by the rules of the fields, as far as the cause tells.
fn refused(conflict: &Conflict, side: Side) -> Option<String> {
    match (conflict.cause, side) {
        (ConflictCause::TicketClosed, Side::Clickup) => Some("the ticket is closed".to_owned()),
        (_, Side::Clickup) if conflict.field == FieldKey::Description => {
            Some("Zendesk's description is read only".to_owned())
        }
        (ConflictCause::OneWay, _) => one_way(conflict, side),
        (ConflictCause::NoCounterpart, _) => {
            lacks(conflict, side).then(|| format!("it has no counterpart in {}", side.other()))
        }
        _ => None,
    }
}

fn one_way(conflict: &Conflict, side: Side) -> Option<String> {
    let (writes, word) = match conflict.rule.strip_prefix("direction = ")? {
        word @ "to_clickup" => (Side::Clickup, word),
        word @ "to_zendesk" => (Side::Zendesk, word),
        word => return Some(format!("the mapping says direction = {word}")),
    };
    (side.other() != writes).then(|| format!("the mapping says direction = {word}"))
}

/// Whether a side's value is the one that the other side cannot hold. The rule is the sentence of whoever tried.
fn lacks(conflict: &Conflict, side: Side) -> bool {
    let rule = conflict.rule.as_str();
    let of_zendesk = ["Zendesk's user", "list "].iter().any(|start| rule.starts_with(start))
        || rule.contains(" for Zendesk's `");
    let of_clickup =
        ["none of the task's people", "no Zendesk status", "a ticket of type", "the task has no name"]
            .iter()
            .any(|start| rule.starts_with(start))
            || rule.contains(" for ClickUp's `")
            || rule.ends_with("Zendesk's field takes no other");
    let nobody = |value: &Value| match value {
        Value::Null => true,
        Value::Set(people) => people.is_empty(),
        _ => false,
    };
    // Nobody at all goes over only somebody whom both sides know.
    let assignee = conflict.field == FieldKey::Assignee;
    match side {
        Side::Zendesk => of_zendesk || assignee && of_clickup && nobody(&conflict.zendesk),
        Side::Clickup => of_clickup || assignee && of_zendesk && nobody(&conflict.clickup),
    }
}

impl Offers {
    /// What a person can type, in a sentence.
    pub fn words(&self, id: &str) -> String {
        let dismiss = format!("`deskup conflicts dismiss {id}` leaves both sides as they are");
        let why = self.cannot.iter().map(|(side, why)| format!("not {side}'s: {why}"));
        let why = why.collect::<Vec<_>>().join("; ");
        match (self.can.as_slice(), self.instead) {
            ([], Some(instead)) => format!("neither value can go to both sides: {instead}, or {dismiss}"),
            ([], None) => format!("neither value can go to both sides ({why}); {dismiss}"),
            ([side], _) => {
                let name = side.to_string().to_lowercase();
                format!(
                    "`deskup conflicts apply {id} {name}` puts {side}'s value on both sides ({why}); {dismiss}"
                )
            }
            _ => {
                format!(
                    "`deskup conflicts apply {id} zendesk` (or clickup) puts that value on both sides; {dismiss}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conflict(field: FieldKey, cause: ConflictCause, rule: &str, values: (Value, Value)) -> Conflict {
        Conflict {
            field,
            cause,
            base: Value::Null,
            zendesk: values.0,
            clickup: values.1,
            winner: None,
            rule: rule.to_owned(),
        }
    }

    fn can(conflict: &Conflict) -> Vec<Side> {
        [Side::Zendesk, Side::Clickup].into_iter().filter(|side| refused(conflict, *side).is_none()).collect()
    }

    #[test]
    fn only_what_can_work_is_offered() {
        use ConflictCause::*;
        use Side::{Clickup, Zendesk};
        let text = |text: &str| Value::Text(text.to_owned());
        let people = |id: &str| Value::Set([id.to_owned()].into());
        let nobody = "Zendesk's user 7 is nobody in ClickUp ([people] can say who it is)";
        let no_agent = "none of the task's people is an agent in Zendesk ([people] can say who is)";
        for (field, cause, rule, values, wanted) in [
            (FieldKey::Title, BothChanged, "zendesk", (text("a"), text("b")), vec![Zendesk, Clickup]),
            (FieldKey::Title, TicketClosed, "", (text("a"), text("b")), vec![Zendesk]),
            (FieldKey::Description, DescriptionReadOnly, "", (text("a"), text("b")), vec![Zendesk]),
            (FieldKey::Assignee, NoCounterpart, nobody, (text("7"), Value::Null), vec![]),
            (FieldKey::Assignee, NoCounterpart, nobody, (text("7"), people("3")), vec![Clickup]),
            (FieldKey::Assignee, NoCounterpart, no_agent, (Value::Null, people("3")), vec![]),
            (FieldKey::Assignee, NoCounterpart, no_agent, (text("7"), people("3")), vec![Zendesk]),
            (
                FieldKey::Status,
                NoCounterpart,
                "no Zendesk status belongs to ClickUp's `in review`",
                (text("open"), text("in review")),
                vec![Zendesk],
            ),
            (
                FieldKey::Status,
                NoCounterpart,
                "[status] has no entry for Zendesk's `open`",
                (text("open"), text("to do")),
                vec![Clickup],
            ),
            (FieldKey::Title, OneWay, "direction = to_clickup", (text("a"), text("b")), vec![Zendesk]),
            (FieldKey::Title, OneWay, "direction = to_zendesk", (text("a"), text("b")), vec![Clickup]),
        ] {
            let conflict = conflict(field, cause, rule, values);
            assert_eq!(can(&conflict), wanted, "{conflict:?}");
        }
    }

    #[test]
    fn where_nothing_can_be_applied_it_is_said_what_helps() {
        let cannot = vec![(Side::Zendesk, "it has no counterpart in ClickUp".to_owned())];
        let offers = Offers { can: Vec::new(), cannot, instead: Some("say who it is") };
        assert_eq!(
            offers.words("9-a"),
            "neither value can go to both sides: say who it is, or `deskup conflicts dismiss 9-a` leaves both sides as they are"
        );
        let one = Offers {
            can: vec![Side::Zendesk],
            cannot: vec![(Side::Clickup, "closed".to_owned())],
            instead: None,
        };
        assert!(one.words("9-a").starts_with("`deskup conflicts apply 9-a zendesk` puts Zendesk's value"));
        assert!(!one.words("9-a").contains("apply 9-a clickup"));
    }
}
