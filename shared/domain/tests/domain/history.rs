//! Webhooks and audits: what they prove, and what was overwritten.

use domain::history::Member;
use domain::lost_update::{
    Repeated, clickup_forestalled, clickup_lost, clickup_lost_members, clickup_repeated, zendesk_lost,
};
use domain::{FieldKey, Side, UserId, Value, clickup_history, zendesk_audit};
use expect_test::{Expect, expect};
use serde_json::json;

use crate::echo::Pair;
use crate::sample::{mapping, ticket};

fn check_clickup(item: serde_json::Value, expected: Expect) {
    expected.assert_eq(&match clickup_history(&item, &mapping()) {
        Some(change) => match change.member {
            Some(member) => format!("{}: {member}", change.field),
            None => format!("{}: {:?} -> {:?}", change.field, change.before, change.after),
        },
        None => "nothing".to_owned(),
    });
}

#[test]
fn history_items_tell_fields_and_values() {
    let status =
        json!({"field":"status","before":{"status":"to do","type":"open"},"after":{"status":"Waiting"}});
    check_clickup(status, expect![[r#"status: Some(Text("to do")) -> Some(Text("waiting"))"#]]);
    let priority =
        json!({"field":"priority","before":null,"after":{"id":"2","priority":"high","orderindex":"2"}});
    check_clickup(priority, expect![[r#"priority: Some(Null) -> Some(Text("2"))"#]]);
    let due =
        json!({"field":"due_date","before":null,"after":"1728014400000","data":{"due_date_time":false}});
    check_clickup(due, expect![[r#"due_date: Some(Null) -> Some(Text("2024-10-04"))"#]]);
    check_clickup(json!({"field":"assignee_add","after":{"id":183}}), expect!["assignee: +183"]);
    check_clickup(json!({"field":"assignee_rem","before":{"id":183}}), expect!["assignee: -183"]);
    check_clickup(json!({"field":"assignee_rem"}), expect!["assignee: None -> None"]);
    check_clickup(json!({"field":"tag","before":null,"after":[{"name":"x"}]}), expect!["tags: None -> None"]);
    let delta =
        json!({"ops":[{"insert":"one"},{"insert":"\n","attributes":{}},{"insert":"two\n"}]}).to_string();
    check_clickup(
        json!({"field":"content","before":"broken {","after":delta}),
        expect![[r#"description: Some(Text("broken {")) -> Some(Text("one\ntwo"))"#]],
    );
    let severity =
        json!({"field":"custom_field","before":"u-low","after":null,"custom_field":{"id":"f-severity"}});
    check_clickup(severity, expect![[r#"custom.severity: Some(Text("u-low")) -> Some(Null)"#]]);
    check_clickup(
        json!({"field":"custom_field","after":1,"custom_field":{"id":"unknown"}}),
        expect!["nothing"],
    );
    check_clickup(json!({"field":"section_moved"}), expect!["nothing"]);
    check_clickup(json!({}), expect!["nothing"]);
}

#[test]
fn audits_tell_values_in_the_form_of_bases() {
    let read = |field: &str, value: serde_json::Value| zendesk_audit(field, &value, &mapping());
    let text = |text: &str| Value::Text(text.into());
    assert_eq!(read("subject", json!(" Hi ")), Some((FieldKey::Title, text("Hi"))));
    assert_eq!(read("assignee_id", json!("42")), Some((FieldKey::Assignee, text("42"))));
    assert_eq!(read("assignee_id", json!(null)), Some((FieldKey::Assignee, Value::Null)));
    let tags = Some((FieldKey::Tags, Value::Set(["b".into()].into())));
    assert_eq!(read("tags", json!(["B", "sev_low"])), tags);
    assert_eq!(read("tags", json!("b sev_low")), tags);
    assert_eq!(read("13", json!("1")), Some((FieldKey::Custom("vip".into()), Value::Bool(true))));
    assert_eq!(read("custom_fields_12", json!("1.0")), Some((FieldKey::Custom("hours".into()), text("1"))));
    assert_eq!(read("via", json!("x")), None);
}

#[test]
fn what_was_overwritten_on_zendesk_is_kept() {
    let mut pair = Pair::new(ticket(), mapping());
    pair.task.priority = Some(1);
    pair.task.assignees = [UserId(103)].into();
    let decision = pair.decide();
    let lost = |previous: &str| {
        let previous = [("priority".to_owned(), json!(previous)), ("subject".to_owned(), json!("x"))];
        zendesk_lost(&pair.ticket, &decision, &previous, &pair.mapping)
    };
    assert_eq!(lost("normal"), []);
    assert_eq!(lost("urgent"), []);
    let kept = lost("low");
    assert_eq!(kept.len(), 1);
    assert_eq!((&kept[0].zendesk, kept[0].winner), (&Value::Text("low".into()), Some(Side::Clickup)));
}

#[test]
fn what_was_overwritten_on_clickup_is_kept() {
    let text = |text: &str| Value::Text(text.into());
    let lost = |before: &str| clickup_lost(&FieldKey::Title, &text(before), &text("read"), &text("written"));
    assert_eq!(lost("read"), None);
    assert_eq!(lost("written"), None);
    assert_eq!(lost("a person's").unwrap().clickup, text("a person's"));
    let long = "x".repeat(500);
    assert_eq!(clickup_lost(&FieldKey::Title, &text(&long), &text(&long).to_stored(), &text("w")), None);
}

/// A person whom we added cannot be added again by the same write, unless somebody took the person away; and the same
/// the other way round.
#[test]
fn who_comes_or_goes_twice_by_one_write_was_touched_between() {
    let people = |ids: &[&str]| Value::Set(ids.iter().map(|id| (*id).to_owned()).collect());
    let (ours, theirs) = (true, false);
    let check = |told: &[(&str, bool)], expected: (&[&str], &[&str])| {
        let told: Vec<(Member, bool)> =
            told.iter().map(|(member, is_ours)| (member.parse().unwrap(), *is_ours)).collect();
        let found = clickup_repeated(&told, &people(&["8"])).unwrap_or_default();
        assert_eq!(
            (Value::Set(found.came), Value::Set(found.went)),
            (people(expected.0), people(expected.1)),
            "{told:?}"
        );
    };
    check(&[("+8", ours)], (&[], &[]));
    check(&[("+8", ours), ("-8", theirs)], (&[], &[]));
    check(&[("+8", ours), ("-8", theirs), ("+8", theirs)], (&[], &[]));
    check(&[("+8", ours), ("-8", theirs), ("+7", theirs), ("+8", ours)], (&["8"], &[]));
    check(&[("+8", ours), ("+8", ours)], (&["8"], &[]));
    check(&[("+8", ours), ("-8", ours), ("+8", ours)], (&[], &[]));
    let moved = [("+8", ours), ("-7", ours), ("-8", theirs), ("+7", theirs), ("+8", ours), ("-7", ours)];
    check(&moved, (&["8"], &["7"]));
    check(&[("-7", ours), ("+7", theirs)], (&[], &[]));
    check(&[("-7", ours), ("+7", theirs), ("-7", ours)], (&[], &["7"]));
    let (mut task, ..) = crate::sample::mirrored(&ticket(), &mapping());
    task.assignees = [UserId(8), UserId(9)].into();
    let repeated = Repeated { came: ["8".to_owned()].into(), went: ["7".to_owned()].into() };
    let kept =
        clickup_lost_members(&FieldKey::Assignee, &repeated, &people(&["8"]), &task, &mapping()).unwrap();
    assert_eq!((kept.clickup, kept.zendesk), (people(&["7", "9"]), people(&["8"])));
}

/// A write that took nobody away found that somebody had done it before.
#[test]
fn what_people_did_before_our_write_is_missing_in_its_own_events() {
    let people = |ids: &[&str]| Value::Set(ids.iter().map(|id| (*id).to_owned()).collect());
    let (ours, theirs) = (true, false);
    let check = |told: &[(&str, bool)], before: Option<&[&str]>| {
        let told: Vec<(Member, bool)> =
            told.iter().map(|(member, is_ours)| (member.parse().unwrap(), *is_ours)).collect();
        let found = clickup_forestalled(&FieldKey::Assignee, &told, &people(&["6"]), &people(&["4"]));
        let expected = before.map(|ids| if ids.is_empty() { Value::Null } else { people(ids) });
        assert_eq!(found.map(|conflict| conflict.clickup), expected, "{told:?}");
    };
    check(&[("-6", ours), ("+4", ours)], None);
    check(&[("+4", ours)], None);
    check(&[("-6", theirs)], None);
    check(&[("-6", theirs), ("+4", ours)], Some(&[]));
    check(&[("+4", theirs), ("-6", ours)], Some(&["4", "6"]));
    check(&[("+4", ours), ("-6", ours), ("-6", theirs)], None);
    check(&[("-6", theirs), ("+7", theirs), ("+4", ours)], Some(&["7"]));
    check(&[("+7", theirs), ("-6", ours), ("+4", ours)], Some(&["6", "7"]));
    check(&[("+7", theirs), ("-7", theirs), ("-6", ours), ("+4", ours)], None);
    check(&[("-6", ours), ("+4", ours), ("+7", theirs)], None);

    // Whom neither side meant to touch.
    let told = [
        (Member::Went("8".to_owned()), theirs),
        (Member::Came("7".to_owned()), theirs),
        (Member::Came("4".to_owned()), ours),
    ];
    let found = clickup_forestalled(&FieldKey::Assignee, &told, &people(&["8"]), &people(&["4", "8"]));
    assert_eq!(found.unwrap().clickup, people(&["7"]));
    let back = [
        (Member::Went("8".to_owned()), theirs),
        (Member::Came("8".to_owned()), theirs),
        (Member::Came("4".to_owned()), ours),
    ];
    assert_eq!(clickup_forestalled(&FieldKey::Assignee, &back, &people(&["8"]), &people(&["4", "8"])), None);
}
