//! Decisions that depend on what happened before: archived tasks, late writes, sides left apart, fields
//! that were frozen, refusals.

use domain::{Evidence, FieldKey, Side, UserId, Value};
use expect_test::expect;

use crate::decide::{check, check_with, show};
use crate::echo::Pair;
use crate::sample::{mapping, mapping_with, ticket};

#[test]
fn an_archived_task_takes_nothing_until_it_is_back() {
    let mut pair = Pair::new(ticket(), mapping());
    pair.task.archived = true;
    pair.ticket.priority = Some("low".into());
    let first = pair.decide();
    expect![[r#"
        conflict priority Refused base Text("normal") z Text("low") c Text("3") winner None: the task is archived
        priority: the task is archived; Zendesk's value is written when it is back"#]].assert_eq(&show(&first));
    pair.apply(&first);
    assert!(pair.decide().is_empty());
    pair.task.archived = false;
    expect![[r#"
        ClickUp priority=4
        priority: changed in Zendesk"#]]
    .assert_eq(&show(&pair.decide()));
}

#[test]
fn a_late_write_of_ours_is_not_mirrored() {
    let own = (Side::Clickup, FieldKey::Title, Value::Text("Late".into()));
    let evidence = Evidence { own: vec![own], ..Evidence::default() };
    check_with(
        mapping(),
        evidence.clone(),
        |_, task| task.name = "Late".into(),
        expect![[r#"
        ClickUp name="Printer on fire"
        title: Zendesk's value stands"#]],
    );
    check_with(
        mapping(),
        evidence.clone(),
        |ticket, task| {
            ticket.subject = Some("News".into());
            task.name = "Late".into();
        },
        expect![[r#"
            ClickUp name="News"
            title: changed in Zendesk"#]],
    );
    check_with(
        mapping(),
        evidence,
        |_, task| task.name = "A person's".into(),
        expect![[r#"
        Zendesk subject="A person's"
        title: changed in ClickUp"#]],
    );
}

/// deskup put 103 on the task and was killed before it could remember that; it still may take 103 off again.
#[test]
fn people_whom_a_late_write_added_were_added_by_us() {
    let people = |ids: &[&str]| Value::Set(ids.iter().map(|id| (*id).to_owned()).collect());
    let late = |before: Value| {
        let key = || (Side::Clickup, FieldKey::Assignee);
        let with = |value| (key().0, key().1, value);
        Evidence { own: vec![with(people(&["103"]))], own_before: vec![with(before)], ..Evidence::default() }
    };
    let landed = || {
        let mut pair = Pair::new(ticket(), mapping());
        pair.ticket.assignee = Some(UserId(3));
        pair.task.assignees = [UserId(103)].into();
        pair
    };
    for (before, expected) in [
        (people(&["102"]), "ClickUp assignees_rem=[103]"),
        // Somebody else had put 103 there already.
        (people(&["102", "103"]), "conflict assignee NoCounterpart"),
    ] {
        // Nothing else happened: both sides agree, and later the ticket has nobody.
        let mut pair = landed();
        let adopted = pair.decide_with(&late(before.clone()));
        pair.apply(&adopted);
        pair.ticket.assignee = None;
        assert!(show(&pair.decide()).starts_with(expected), "{}", show(&pair.decide()));
        // The ticket has nobody before deskup is back.
        let mut pair = landed();
        pair.ticket.assignee = None;
        let decision = pair.decide_with(&late(before));
        assert!(show(&decision).starts_with(expected), "{}", show(&decision));
    }
    // And whoever stays is still remembered after another write.
    let mut pair = landed();
    pair.ticket.assignee = Some(UserId(2));
    let decision = pair.decide_with(&late(people(&["102"])));
    pair.apply(&decision);
    assert_eq!(pair.fields[&FieldKey::Assignee].added, [UserId(102)].into());
}

#[test]
fn sides_that_are_apart_stay_quiet_until_one_moves() {
    let mut pair = Pair::new(ticket(), mapping());
    pair.ticket.assignee = Some(UserId(5));
    let decision = pair.decide();
    pair.apply(&decision);
    assert!(pair.decide().is_empty());
    pair.ticket.assignee = Some(UserId(3));
    expect![[r#"
        ClickUp assignees_add=[103] assignees_rem=[102]
        assignee: changed in Zendesk to 3"#]]
    .assert_eq(&show(&pair.decide()));
}

#[test]
fn two_rounds_of_undoing_freeze_a_field() {
    let mut pair = Pair::new(ticket(), mapping());
    let mut seen = Vec::new();
    for round in 0..7 {
        match round % 2 {
            0 => pair.ticket.priority = Some("urgent".into()),
            _ => pair.task.priority = Some(3),
        }
        let decision = pair.decide();
        seen.push(show(&decision));
        pair.apply(&decision);
        assert!(pair.decide().is_empty(), "round {round}");
    }
    expect![[r#"
        ClickUp priority=1
        priority: changed in Zendesk
        Zendesk priority="normal"
        priority: changed in ClickUp
        ClickUp priority=1
        priority: changed in Zendesk
        Zendesk priority="normal"
        priority: changed in ClickUp
        conflict priority Oscillation base Text("normal") z Text("urgent") c Text("3") winner None: two rounds
        priority: each side keeps its own: both keep undoing each other
        priority: frozen: both sides kept undoing each other
        priority: frozen: both sides kept undoing each other"#]]
    .assert_eq(&seen.join("\n"));
    // A person makes both equal, and the field is alive again.
    pair.ticket.priority = Some("low".into());
    pair.task.priority = Some(4);
    let decision = pair.decide();
    pair.apply(&decision);
    pair.ticket.priority = Some("high".into());
    expect![[r#"
        ClickUp priority=2
        priority: changed in Zendesk"#]]
    .assert_eq(&show(&pair.decide()));
}

#[test]
fn a_deleted_ticket_writes_nothing() {
    check(
        |ticket, _| {
            ticket.status = "deleted".into();
            ticket.subject = None;
        },
        expect!["route: the ticket is deleted: nothing is written"],
    );
}

#[test]
fn a_changed_mapping_is_applied_by_the_rule() {
    let mut pair = Pair::new(ticket(), mapping());
    pair.mapping = mapping_with(&[("open = \"to do\"", "open = \"Waiting\"")]);
    expect![[r#"
        ClickUp status="Waiting"
        status: Zendesk's value stands"#]]
    .assert_eq(&show(&pair.decide()));
}

#[test]
fn a_refused_value_is_kept_and_not_tried_again() {
    let mut pair = Pair::new(ticket(), mapping());
    pair.ticket.subject = Some("Refused".into());
    let decision = pair.decide();
    let conflicts = domain::settle::after_refusal(
        &mut pair.fields,
        &decision,
        Side::Clickup,
        &pair.ticket,
        &pair.task,
        &pair.mapping,
    );
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].rule, "ClickUp refused the value");
    assert!(pair.decide().is_empty());
    pair.ticket.subject = Some("Another".into());
    assert!(!pair.decide().is_empty());
}

#[test]
fn a_record_that_moves_during_the_write_is_news_afterwards() {
    let mut pair = Pair::new(ticket(), mapping());
    pair.ticket.subject = Some("First".into());
    let decision = pair.decide();
    pair.ticket.subject = Some("Second".into());
    pair.apply(&decision);
    expect![[r#"
        ClickUp name="Second"
        title: changed in Zendesk"#]]
    .assert_eq(&show(&pair.decide()));
}

/// What somebody changed and put back is what both agreed on: only its event tells, and only where it came after what the
/// other side shows, or after a write of ours of which nothing is known.
#[test]
fn what_was_changed_and_put_back_is_kept_when_the_other_side_wins() {
    let task = (Side::Clickup, FieldKey::Priority);
    let ticket = (Side::Zendesk, FieldKey::Priority);
    let at = |ms: i64| domain::Timestamp(ms);
    let put_back_at = |ms: i64| Evidence { changed: [(task.clone(), at(ms))].into(), ..Evidence::default() };
    let ticket_changed_to = |to: &str, ms: i64| {
        let mut evidence = put_back_at(500);
        evidence.changed.insert(ticket.clone(), at(ms));
        evidence.changed_to.insert(ticket.clone(), Value::Text(to.into()));
        evidence
    };
    let sent_at = |ms: i64| Evidence { own_sent: [(task.clone(), at(ms))].into(), ..put_back_at(500) };
    let looked_at = |ms: i64| Evidence { looked: Some(at(ms)), ..put_back_at(500) };
    let told_too = |ms: i64| Evidence { looked: Some(at(100)), ..ticket_changed_to("urgent", ms) };
    for (evidence, kept) in [
        (put_back_at(2_000), 1),
        (put_back_at(1_000), 0),
        (put_back_at(500), 0),
        (ticket_changed_to("urgent", 300), 1),
        (ticket_changed_to("urgent", 700), 0),
        (ticket_changed_to("low", 300), 0),
        (sent_at(400), 1),
        (sent_at(600), 0),
        (looked_at(400), 1),
        (looked_at(600), 0),
        (told_too(700), 0),
    ] {
        let mut pair = crate::echo::Pair::new(crate::sample::ticket(), mapping());
        pair.ticket.priority = Some("urgent".to_owned());
        pair.ticket.updated = at(1_000);
        let decision = domain::decide(&pair.fields, &pair.ticket, &pair.task, &pair.mapping, &evidence);
        let conflicts: Vec<_> = decision.conflicts.iter().map(|conflict| &conflict.field).collect();
        assert_eq!(conflicts, vec![&FieldKey::Priority; kept], "{evidence:?}");
        assert!(decision.writes.contains_key(&task), "it is mirrored all the same");
    }
}

/// The same of a tag that somebody put on the ticket and took off again, while the task got it as well: the ticket gets it
/// once more, and that somebody did not want it is kept.
#[test]
fn a_tag_that_was_taken_off_again_is_kept_when_the_task_got_it_before() {
    let at = |ms: i64| domain::Timestamp(ms);
    for (taken_off_ms, kept) in [(2_000, 1), (500, 0)] {
        let changed = [
            ((Side::Clickup, FieldKey::Tags), at(1_000)),
            ((Side::Zendesk, FieldKey::Tags), at(taken_off_ms)),
        ];
        let evidence = Evidence { changed: changed.into(), ..Evidence::default() };
        let mut pair = Pair::new(ticket(), mapping());
        pair.task.tags.insert("refund".to_owned());
        pair.task.updated = at(1_000);
        let decision = domain::decide(&pair.fields, &pair.ticket, &pair.task, &pair.mapping, &evidence);
        let conflicts: Vec<_> = decision.conflicts.iter().map(|conflict| &conflict.field).collect();
        assert_eq!(conflicts, vec![&FieldKey::Tags; kept], "taken off at {taken_off_ms}");
        assert!(
            decision.writes.contains_key(&(Side::Zendesk, FieldKey::Tags)),
            "it is mirrored all the same"
        );
    }
}
