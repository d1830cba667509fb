//! Why two values did not become one, in words: the codes are for programs.

/// A cause of a conflict in few words.
pub fn words(code: &str) -> &str {
    match code {
        "both_changed" => "both changed",
        "ask" => "a person decides",
        "ticket_closed" => "closed",
        "description_read_only" => "read only",
        "no_counterpart" => "no counterpart",
        "one_way" => "one way",
        "oscillation" => "back and forth",
        "lost_update" => "overwritten",
        "task_taken" => "task taken",
        "refused" => "refused",
        "twin" => "second task",
        other => other,
    }
}

/// What stands before the number of a person in a rule.
const PERSON: &str = "Zendesk's user ";

/// A rule with the names of the people it tells of by number.
pub fn with_names(rule: &str, name: impl Fn(&str) -> Option<String>) -> String {
    let Some((before, after)) = rule.split_once(PERSON) else { return rule.to_owned() };
    let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    let (id, rest) = after.split_at(digits);
    match name(id) {
        Some(name) => format!("{before}{PERSON}{name}{rest}"),
        None => rule.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_words_and_no_code_is_shown() {
        use domain::ConflictCause as Cause;
        let all = [
            Cause::BothChanged,
            Cause::Ask,
            Cause::TicketClosed,
            Cause::DescriptionReadOnly,
            Cause::NoCounterpart,
            Cause::OneWay,
            Cause::Oscillation,
            Cause::LostUpdate,
            Cause::TaskTaken,
            Cause::Refused,
            Cause::Twin,
        ];
        for cause in all {
            let code = crate::query::word(cause);
            assert!(!words(&code).contains('_'), "{code}");
            assert!(words(&code) != code || code == "refused", "{code}");
        }
    }

    #[test]
    fn a_person_is_named_where_the_name_is_known() {
        let name = |id: &str| (id == "7").then(|| "Mei Lin".to_owned());
        assert_eq!(
            with_names("Zendesk's user 7 is nobody in ClickUp", name),
            "Zendesk's user Mei Lin is nobody in ClickUp"
        );
        for same in ["Zendesk's user 8 is nobody in ClickUp", "Zendesk's user ", "direction = both", ""] {
            assert_eq!(with_names(same, name), same);
        }
    }
}
