//! Tasks for new tickets.

use std::collections::BTreeSet;

use domain::{
    Evidence, FieldKey, Routing, Side, Ticket, UserId, bases_after_adoption, bases_as_sent, decide, new_task,
};
use expect_test::{Expect, expect};

use crate::sample::{list, mapping, mapping_with, mirrored, ticket};

const URL: &str = "https://acme.zendesk.com/agent/tickets/7";

fn check(ticket: &Ticket, expected: Expect) {
    let mapping = mapping();
    let plan = new_task(ticket, &mapping, "n0nce", URL);
    let (_, fields, conflicts) = mirrored(ticket, &mapping);
    let kept: Vec<String> =
        conflicts.iter().map(|row| format!("{} {:?}: {}", row.field, row.cause, row.rule)).collect();
    let planned: Vec<String> =
        plan.conflicts.iter().map(|row| format!("{}: {}", row.field, row.rule)).collect();
    let parted: Vec<String> =
        fields.iter().filter(|(_, base)| base.parted).map(|(key, _)| key.to_string()).collect();
    let task = serde_json::to_string_pretty(&plan.task).unwrap();
    expected.assert_eq(&format!(
        "list {}\n{task}\nplanned {planned:#?}\nkept {kept:#?}\nparted {parted:?}",
        plan.list
    ));
}

#[test]
fn a_task_has_everything_in_one_call() {
    let mut full = ticket();
    full.tags.extend(["vip".to_owned(), "area_web".to_owned()]);
    full.custom_fields.insert(12, "1.50".into());
    full.custom_fields.insert(13, true.into());
    full.custom_fields.insert(14, ["area_web"].into_iter().collect());
    full.custom_fields.insert(15, "2026-01-31".into());
    full.due_at = Some(domain::Timestamp(1_800_000_000_000));
    check(
        &full,
        expect![[r#"
        list 801
        {
          "name": "Printer on fire",
          "description": "It burns.\nPlease help.\n\nZendesk ticket 7: https://acme.zendesk.com/agent/tickets/7 [deskup 7 n0nce]",
          "status": "to do",
          "priority": 3,
          "assignees": [
            102
          ],
          "tags": [
            "printer",
            "vip"
          ],
          "due_date": 1800000000000,
          "due_date_time": true,
          "custom_fields": {
            "f-areas": [
              "u-web"
            ],
            "f-hours": 1.5,
            "f-severity": "u-low",
            "f-vip": true,
            "f-visit": 1769860800000
          }
        }
        planned []
        kept []
        parted []"#]],
    );
}

#[test]
fn what_cannot_be_mirrored_is_told() {
    let mut odd = ticket();
    odd.subject = None;
    odd.assignee = Some(UserId(5));
    odd.status = "parked".into();
    odd.custom_fields.insert(11, "sev_odd".into());
    odd.custom_fields.insert(14, ["area_ops"].into_iter().collect());
    check(
        &odd,
        expect![[r#"
        list 801
        {
          "name": "Ticket #7",
          "description": "It burns.\nPlease help.\n\nZendesk ticket 7: https://acme.zendesk.com/agent/tickets/7 [deskup 7 n0nce]",
          "status": null,
          "priority": 3,
          "assignees": [],
          "tags": [
            "printer"
          ],
          "due_date": null,
          "due_date_time": false,
          "custom_fields": {}
        }
        planned [
            "status: [status] has no entry for Zendesk's `parked`",
            "assignee: Zendesk's user 5 is nobody in ClickUp ([people] can say who it is)",
            "custom.severity: option `sev_odd` has no counterpart on the other side",
        ]
        kept [
            "status NoCounterpart: [status] has no entry for Zendesk's `parked`",
            "assignee NoCounterpart: Zendesk's user 5 is nobody in ClickUp ([people] can say who it is)",
            "custom.severity NoCounterpart: option `sev_odd` has no counterpart on the other side",
            "custom.areas NoCounterpart: option `area_ops` has no counterpart on the other side",
        ]
        parted ["status", "assignee", "custom.severity"]"#]],
    );
}

#[test]
fn old_work_is_assigned_to_nobody_until_it_is_opened_again() {
    let solved = Ticket { status: "solved".into(), ..ticket() };
    let mut pair = crate::echo::Pair::new(solved, mapping());
    assert_eq!((pair.task.assignees.len(), pair.kept.len()), (0, 0));
    assert!(pair.decide().is_empty());
    pair.ticket.status = "open".into();
    let decision = pair.decide();
    pair.apply(&decision);
    assert_eq!(pair.task.assignees, BTreeSet::from([UserId(102)]));
    assert!(pair.decide().is_empty());
}

#[test]
fn tickets_go_where_the_routes_say() {
    let mapping = mapping_with(&[
        (
            "[[route]]",
            "[[route]]\norganization = \"initech\"\ntag = [\"vip\", \"Big Deal\"]\nlist = \"802\"\n\n[[route]]",
        ),
        (
            "[sync]",
            "[sync]\nfilter = { group = [\"Support\", \"Billing\"], without_tag = \"spam\", created_after = \"2020-01-01\" }",
        ),
        ("closed = true", "since = \"2023-01-01\""),
    ]);
    let route = |change: &dyn Fn(&mut Ticket)| {
        let mut ticket = ticket();
        change(&mut ticket);
        match mapping.route(&ticket) {
            Routing::List(list) => list.to_string(),
            Routing::Filtered(reason) => reason,
        }
    };
    assert_eq!(route(&|_| {}), "801");
    assert_eq!(route(&|ticket| ticket.group = Some(501)), "802");
    assert_eq!(route(&|ticket| ticket.tags.extend(["big_deal".into()])), "802");
    assert_eq!(
        route(&|ticket| ticket.status = "closed".into()),
        "the ticket is solved or closed (scope.closed = false)"
    );
    assert_eq!(
        route(&|ticket| ticket.status = "solved".into()),
        "the ticket is solved or closed (scope.closed = false)"
    );
    assert_eq!(
        route(&|ticket| ticket.updated = domain::Timestamp(1_600_000_000_000)),
        "the ticket has not changed since scope.since"
    );
    assert_eq!(route(&|ticket| ticket.status = "deleted".into()), "the ticket is deleted");
    assert_eq!(
        route(&|ticket| ticket.tags.extend(["spam".into()])),
        "the ticket has a tag of sync.filter.without_tag"
    );
    assert_eq!(route(&|ticket| ticket.group = Some(9)), "the ticket does not fit sync.filter");
    assert_eq!(
        route(&|ticket| ticket.created = domain::Timestamp(0)),
        "the ticket is older than sync.filter.created_after"
    );
    assert_eq!(mapping.lists(), [list("801"), list("802")]);
}

#[test]
fn a_long_description_is_shortened_with_a_link() {
    let long = Ticket { description: "é".repeat(200_000), ..ticket() };
    let plan = new_task(&long, &mapping(), "n0nce", URL);
    assert!(plan.task.description.len() <= domain::conversation::CLICKUP_DESCRIPTION_BYTES_MAX);
    let end =
        format!("the whole text: see the ticket named below]\n\nZendesk ticket 7: {URL} [deskup 7 n0nce]");
    assert!(plan.task.description.ends_with(&end));
    let (_, _, conflicts) = mirrored(&long, &mapping());
    assert!(conflicts.is_empty(), "{:?}", conflicts[0].rule);
}

#[test]
fn the_way_back_is_an_option() {
    let task = domain::TaskId::new("868F").unwrap();
    let patch = |line: &str, ticket: &Ticket| {
        let mapping = mapping_with(&[("link_back = \"none\"", line)]);
        mapping.link_back(ticket, &task, "https://app.clickup.com/t/868F")
    };
    assert_eq!(patch("link_back = \"none\"", &ticket()), None);
    let tag = patch("link_back = \"tag\"", &ticket()).unwrap();
    assert_eq!(tag.tags.clone().unwrap(), ["clickup-868f", "printer", "sev_low"].map(str::to_owned).into());
    let marked = Ticket { tags: tag.tags.unwrap(), ..ticket() };
    assert_eq!(patch("link_back = \"tag\"", &marked), None);
    let id = patch("link_back = \"external_id\"", &ticket()).unwrap();
    assert_eq!(id.external_id.as_deref(), Some("868F"));
    let field = patch("link_back = \"field:17\"", &ticket()).unwrap();
    assert_eq!(field.custom_fields[&17], "https://app.clickup.com/t/868F");
    assert_eq!(patch("link_back = \"tag\"", &Ticket { status: "closed".into(), ..ticket() }), None);
    // The tag is deskup's, so the task does not get it.
    let mapping = mapping_with(&[("link_back = \"none\"", "link_back = \"tag\"")]);
    assert!(!new_task(&marked, &mapping, "n", URL).task.tags.contains("clickup-868f"));
}

#[test]
fn what_is_kept_with_an_intent_is_what_the_create_leaves() {
    let (mapping, ticket) = (mapping(), ticket());
    let plan = new_task(&ticket, &mapping, "n0nce", URL);
    let (_, fields, _) = mirrored(&ticket, &mapping);
    let sent = bases_as_sent(&ticket, &plan, &mapping);
    assert_eq!(sent.keys().collect::<Vec<_>>(), fields.keys().collect::<Vec<_>>());
    for (key, base) in &sent {
        assert_eq!((&base.z, base.parted), (&fields[key].z, fields[key].parted), "{key}");
    }
}

#[test]
fn edits_before_a_task_was_found_again_are_mirrored_and_not_kept_as_conflicts() {
    let (mapping, ticket) = (mapping(), ticket());
    let sent = bases_as_sent(&ticket, &new_task(&ticket, &mapping, "n0nce", URL), &mapping);
    let (task, ..) = mirrored(&ticket, &mapping);
    let renamed = Ticket { subject: Some("Printer is out".into()), ..ticket };
    let edited = domain::Task { priority: Some(1), ..task };

    let (fields, conflicts) = bases_after_adoption(&sent, &renamed, &edited, &mapping);
    assert_eq!(conflicts, []);
    let decision = decide(&fields, &renamed, &edited, &mapping, &Evidence::default());
    let writes: Vec<_> = decision.writes.keys().cloned().collect();
    assert_eq!(writes, [(Side::Zendesk, FieldKey::Priority), (Side::Clickup, FieldKey::Title)]);
    assert_eq!(decision.conflicts, []);

    // Without what was sent nobody can say who is right: both values are kept.
    let (_, conflicts) = bases_after_adoption(&Default::default(), &renamed, &edited, &mapping);
    assert_eq!(conflicts.len(), 2);
}
