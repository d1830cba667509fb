//! Decisions as data: what is done about one change, and why.

use std::collections::BTreeSet;

use domain::{Decision, Evidence, FieldKey, Mapping, Side, Task, Ticket, Timestamp, UserId, decide};
use expect_test::{Expect, expect};

use crate::echo::Pair;
use crate::sample::{mapping, mapping_with, ticket};
use crate::services::{fields_from_tags, set_custom, set_due};

/// A decision in lines: writes, conflicts, route, note, and why for the fields concerned.
pub fn show(decision: &Decision) -> String {
    let mut lines: Vec<String> =
        decision.clickup.iter().map(|write| format!("ClickUp {}", short(write))).collect();
    lines.extend(decision.zendesk.iter().map(|patch| format!("Zendesk {}", short(patch))));
    lines.extend(decision.conflicts.iter().map(|conflict| {
        format!(
            "conflict {} {:?} base {:?} z {:?} c {:?} winner {:?}: {}",
            conflict.field,
            conflict.cause,
            conflict.base,
            conflict.zendesk,
            conflict.clickup,
            conflict.winner,
            conflict.rule
        )
    }));
    lines.extend(decision.routing.iter().map(|say| format!("route: {say}")));
    lines.extend(decision.note.iter().map(|note| format!("note: {note}")));
    let quiet = "both sides hold what they last agreed on";
    let verdicts = decision.verdicts.iter().filter(|verdict| verdict.why != quiet);
    lines.extend(verdicts.map(|verdict| format!("{}: {}", verdict.field, verdict.why)));
    lines.join("\n")
}

/// The members of a change that say something.
fn short(change: &impl serde::Serialize) -> String {
    let json = serde_json::to_value(change).unwrap();
    let said = |value: &serde_json::Value| {
        !value.is_null() && *value != serde_json::json!([]) && *value != serde_json::json!({})
    };
    match json {
        serde_json::Value::Object(object) if object.len() == 1 && object.contains_key("Fields") => {
            short(&object["Fields"])
        }
        serde_json::Value::Object(object) => {
            let members: Vec<String> = object
                .iter()
                .filter(|(_, value)| said(value))
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            members.join(" ")
        }
        other => other.to_string(),
    }
}

pub fn check_with(
    mapping: Mapping,
    evidence: Evidence,
    edit: impl FnOnce(&mut Ticket, &mut Task),
    expected: Expect,
) {
    let mut pair = Pair::new(ticket(), mapping);
    edit(&mut pair.ticket, &mut pair.task);
    let decision = decide(&pair.fields, &pair.ticket, &pair.task, &pair.mapping, &evidence);
    expected.assert_eq(&show(&decision));
}

pub fn check(edit: impl FnOnce(&mut Ticket, &mut Task), expected: Expect) {
    check_with(mapping(), Evidence::default(), edit, expected);
}

fn tags(tags: &[&str]) -> BTreeSet<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

#[test]
fn an_unchanged_world_needs_nothing() {
    check(|_, _| {}, expect![[""]]);
}

#[test]
fn all_standard_fields_of_a_task_share_a_call() {
    check(
        |ticket, _| {
            ticket.subject = Some(" Smoke ".into());
            ticket.priority = Some("urgent".into());
            ticket.status = "pending".into();
            ticket.assignee = Some(UserId(3));
            ticket.due_at = Some(Timestamp(1_800_000_000_000));
            ticket.tags = tags(&["sev_low", "vip"]);
        },
        expect![[r#"
            ClickUp name="Smoke" status="Waiting" priority=1 due_date=[1800000000000,true] assignees_add=[103] assignees_rem=[102]
            ClickUp AddTag="vip"
            ClickUp RemoveTag="printer"
            title: changed in Zendesk
            status: changed in Zendesk
            priority: changed in Zendesk
            assignee: changed in Zendesk to 3
            tags: changed in Zendesk
            due_date: changed in Zendesk"#]],
    );
}

#[test]
fn a_ticket_gets_one_patch() {
    check(
        |_, task| {
            task.name = "Smoke".into();
            task.status = "Waiting".into();
            task.priority = None;
            task.assignees = BTreeSet::from([UserId(103)]);
            set_due(task, Some((20_000 * 86_400_000, false)));
            task.tags = tags(&["printer", "very important"]);
            task.custom_fields.insert("f-severity".into(), "u-high".into());
        },
        expect![[r#"
            Zendesk subject="Smoke" status="pending" ticket_type="task" assignee=3 tags=["printer","sev_high","very_important"] custom_fields={"11":"sev_high"} due_at="2024-10-04T12:00:00Z"
            title: changed in ClickUp
            status: changed in ClickUp
            priority: changed in ClickUp
            assignee: changed in ClickUp
            tags: changed in ClickUp
            due_date: changed in ClickUp
            custom.severity: changed in ClickUp"#]],
    );
}

#[test]
fn new_and_open_are_both_to_do() {
    check(|ticket, _| ticket.status = "new".into(), expect!["status: both sides hold the same"]);
}

#[test]
fn a_task_that_is_to_do_again_opens_the_ticket() {
    let mut pair = Pair::new(Ticket { status: "solved".into(), ..ticket() }, mapping());
    pair.task.status = "to do".into();
    pair.task.status_type = "open".into();
    expect![[r#"
        ClickUp assignees_add=[102]
        Zendesk status="open"
        status: changed in ClickUp
        assignee: Zendesk's value stands"#]]
    .assert_eq(&show(&pair.decide()));
}

#[test]
fn a_status_that_means_nothing_there_is_kept() {
    check(
        |_, task| task.status = "Closed".into(),
        expect![[r#"
        conflict status NoCounterpart base Text("open") z Text("open") c Text("closed") winner None: no Zendesk status belongs to ClickUp's `closed`
        status: each side keeps its own: no Zendesk status belongs to ClickUp's `closed`"#]],
    );
}

#[test]
fn a_closed_ticket_takes_nothing() {
    check(
        |ticket, task| {
            ticket.status = "closed".into();
            task.name = "Too late".into();
            task.tags = tags(&[]);
        },
        expect![[r#"
            ClickUp status="Closed"
            conflict title TicketClosed base Text("Printer on fire") z Text("Printer on fire") c Text("Too late") winner None: closed tickets take nothing
            conflict tags TicketClosed base Set({"printer"}) z Set({"printer"}) c Null winner None: closed tickets take nothing
            title: each side keeps its own: the ticket is closed
            status: changed in Zendesk
            tags: each side keeps its own"#]],
    );
}

#[test]
fn both_changed_and_the_loser_is_kept() {
    check(
        |ticket, task| {
            ticket.priority = Some("low".into());
            task.priority = Some(1);
        },
        expect![[r#"
            ClickUp priority=4
            conflict priority BothChanged base Text("normal") z Text("low") c Text("1") winner Some(Zendesk): zendesk
            priority: changed on both sides; Zendesk wins by rule zendesk"#]],
    );
}

#[test]
fn the_newest_wins_where_both_times_are_known() {
    let newest = || mapping_with(&[("[people]", "[fields]\ntitle.rule = \"newest\"\n[people]")]);
    let edit = |ticket: &mut Ticket, task: &mut Task| {
        ticket.subject = Some("Older".into());
        task.name = "Newer".into();
    };
    let mut evidence = Evidence::default();
    evidence.changed.insert((Side::Zendesk, FieldKey::Title), Timestamp(1));
    check_with(
        newest(),
        evidence.clone(),
        edit,
        expect![[r#"
        ClickUp name="Older"
        conflict title BothChanged base Text("Printer on fire") z Text("Older") c Text("Newer") winner Some(Zendesk): newest (a time is not known, so zendesk)
        title: changed on both sides; Zendesk wins by rule newest (a time is not known, so zendesk)"#]],
    );
    evidence.changed.insert((Side::Clickup, FieldKey::Title), Timestamp(2));
    check_with(
        newest(),
        evidence,
        edit,
        expect![[r#"
        Zendesk subject="Newer"
        conflict title BothChanged base Text("Printer on fire") z Text("Older") c Text("Newer") winner Some(Clickup): newest
        title: changed on both sides; ClickUp wins by rule newest"#]],
    );
}

#[test]
fn a_person_decides_where_the_settings_say_so() {
    let ask = mapping_with(&[("[people]", "[fields]\ntitle.rule = \"ask\"\n[people]")]);
    check_with(
        ask,
        Evidence::default(),
        |ticket, task| {
            ticket.subject = Some("One".into());
            task.name = "Two".into();
        },
        expect![[r#"
            conflict title Ask base Text("Printer on fire") z Text("One") c Text("Two") winner None: ask
            title: each side keeps its own: both changed, and a person decides"#]],
    );
}

#[test]
fn a_field_that_goes_one_way_is_not_written_back() {
    let one_way = mapping_with(&[("[people]", "[fields]\ntitle.direction = \"to_clickup\"\n[people]")]);
    check_with(
        one_way,
        Evidence::default(),
        |_, task| task.name = "Mine".into(),
        expect![[r#"
        conflict title OneWay base Text("Printer on fire") z Text("Printer on fire") c Text("Mine") winner None: direction = to_clickup
        title: each side keeps its own: the field goes the other way"#]],
    );
}

#[test]
fn an_edit_of_the_description_becomes_a_note() {
    check(
        |_, task| task.description = task.description.replace("burns", "smokes"),
        expect![[r#"
        conflict description DescriptionReadOnly base Text("It burns.\nPlease help.") z Text("It burns.\nPlease help.") c Text("It smokes.\nPlease help.") winner None: description_edits = note
        note: The description was edited in ClickUp. Zendesk keeps the first comment as it is; this is the difference to it:

        - It burns.
        + It smokes.
        description: each side keeps its own: a note tells of the edit in ClickUp"#]],
    );
    let conflict = mapping_with(&[("[sync]", "[sync]\ndescription_edits = \"conflict\"")]);
    check_with(
        conflict,
        Evidence::default(),
        |_, task| task.description = task.description.replace("burns", "smokes"),
        expect![[r#"
            conflict description DescriptionReadOnly base Text("It burns.\nPlease help.") z Text("It burns.\nPlease help.") c Text("It smokes.\nPlease help.") winner None: description_edits = conflict
            description: each side keeps its own: Zendesk's description is read only"#]],
    );
}

#[test]
fn a_deleted_footer_is_no_edit() {
    check(|_, task| task.description = domain::footer::strip(&task.description).into_owned(), expect![[""]]);
}

#[test]
fn a_redaction_reaches_the_task_and_keeps_the_footer() {
    check(
        |ticket, _| ticket.description = "It ▇▇.".into(),
        expect![[r#"
        ClickUp description="It ▇▇.\n\nZendesk ticket 7: https://acme.zendesk.com/agent/tickets/7 [deskup 7 n0nce]"
        description: changed in Zendesk"#]],
    );
}

#[test]
fn a_ticket_of_another_type_has_no_due_date() {
    check(
        |ticket, task| {
            ticket.ticket_type = Some("incident".into());
            set_due(task, Some((20_000 * 86_400_000, true)));
        },
        expect![[r#"
            conflict due_date NoCounterpart base Null z Null c Date(1728000000000) winner None: a ticket of type incident has no due date (fields.due_date.zendesk_field would take it)
            due_date: each side keeps its own: a ticket of type incident has no due date (fields.due_date.zendesk_field would take it)"#]],
    );
}

#[test]
fn the_tag_of_an_option_is_no_tag() {
    check(
        |ticket, task| {
            ticket.tags.insert("sev_high".into());
            ticket.tags.remove("sev_low");
            fields_from_tags(ticket, &mapping());
            task.tags.insert("area_web".into());
        },
        expect![[r#"
            ClickUp SetField=["f-severity","u-high"]
            conflict tags NoCounterpart base Set({"printer"}) z Set({"printer"}) c Set({"area_web", "printer"}) winner None: tag `area_web` stands for an option of a Zendesk field, so it is not set as a tag
            tags: both sides hold the same
            custom.severity: changed in Zendesk"#]],
    );
}

#[test]
fn custom_fields_cost_a_call_each() {
    check(
        |ticket, _| {
            let mapping = mapping();
            set_custom(ticket, 11, &"sev_odd".into(), &mapping);
            set_custom(ticket, 12, &"2.50".into(), &mapping);
            set_custom(ticket, 13, &true.into(), &mapping);
            set_custom(ticket, 14, &["area_app", "area_ops"].into_iter().collect(), &mapping);
            set_custom(ticket, 15, &"2026-01-31".into(), &mapping);
            ticket.custom_fields.insert(16, "a note".into());
        },
        expect![[r#"
            ClickUp SetField=["f-hours",2.5]
            ClickUp SetField=["f-vip",true]
            ClickUp SetField=["f-areas",["u-app"]]
            ClickUp SetField=["f-visit",1769860800000]
            ClickUp SetField=["f-notes","a note"]
            conflict custom.severity NoCounterpart base Text("sev_low") z Text("sev_odd") c Text("u-low") winner None: option `sev_odd` has no counterpart on the other side
            conflict custom.areas NoCounterpart base Null z Set({"area_app", "area_ops"}) c Null winner None: option `area_ops` has no counterpart on the other side
            custom.severity: each side keeps its own: option `sev_odd` has no counterpart on the other side
            custom.hours: changed in Zendesk
            custom.vip: changed in Zendesk
            custom.areas: changed in Zendesk
            custom.visit: changed in Zendesk
            custom.notes: changed in Zendesk"#]],
    );
}
