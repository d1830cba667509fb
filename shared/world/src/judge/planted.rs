//! Every count of the verdict is shown a world with that fault planted in it, and must see it; and the
//! same world without the fault, where it must see nothing.

use domain::Value;
use http::Method;
use serde_json::json;

use super::edits::Fate;
use super::fixture::{Fixture, ticket_id};
use super::{Details, Verdict};

fn clean(found: &(Verdict, Details)) {
    assert_eq!(found.1.faults(5), Vec::<String>::new());
    assert!(found.0.is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_world_in_step_is_clean() {
    let fixture = Fixture::new(false).await;
    let found = fixture.judge();
    clean(&found);
    let verdict = found.0;
    assert_eq!((verdict.tickets, verdict.tasks, verdict.linked), (24, 24, 24));
    assert_eq!((verdict.converged_percent, verdict.edits, verdict.twins_seen), (100.0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_is_mirrored_once_costs_one_write() {
    let fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("open");
    fixture.person_z(ticket, json!({ "subject": "Another" }), "e1").await;
    fixture.sync_c(Method::PUT, &fixture.task_path(ticket), json!({ "name": "Another" })).await;
    let found = fixture.judge();
    clean(&found);
    assert_eq!((found.0.edits, found.0.writes, found.0.writes_per_edit), (1, 1, 1.0));
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_is_not_mirrored_is_lost() {
    let fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("open");
    fixture.person_z(ticket, json!({ "subject": "Another" }), "e1").await;
    let (verdict, details) = fixture.judge();
    assert_eq!((verdict.lost, verdict.converged_percent), (1, 95.83));
    assert_eq!((details.lost[0].id.as_str(), details.differences.len()), ("e1", 1));
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_was_overwritten_is_lost_although_both_sides_agree() {
    let fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("open");
    let was = fixture.scenario.tickets[usize::try_from(ticket).expect("small") - 1].subject.clone();
    let task = fixture.person_c(Method::PUT, ticket, "", json!({ "name": "Mine" }), "e1").await;
    fixture.sync_c(Method::PUT, &fixture.task_path(ticket), json!({ "name": was })).await;
    let (verdict, _) = fixture.judge();
    // Nobody can say that the webhook of that write told deskup, so nobody could have known.
    assert_eq!((verdict.lost, verdict.unprovable, verdict.converged_percent), (0, 1, 100.0));
    let mut told = fixture;
    let write = (task["id"].as_str().expect("an id").to_owned(), told.now());
    told.refused.insert(write.clone(), 5);
    let (verdict, details) = told.judge();
    assert_eq!((verdict.unprovable, details.judged[0].refused), (1, 5));
    told.delivered.insert(write);
    let (verdict, _) = told.judge();
    assert_eq!((verdict.lost, verdict.unprovable), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_a_person_changes_again_is_superseded() {
    let fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("open");
    fixture.person_z(ticket, json!({ "subject": "First" }), "e1").await;
    fixture.person_z(ticket, json!({ "subject": "Second" }), "e2").await;
    fixture.sync_c(Method::PUT, &fixture.task_path(ticket), json!({ "name": "Second" })).await;
    let found = fixture.judge();
    clean(&found);
    assert_eq!(found.1.classes().get("superseded"), Some(&1));
    assert!(found.1.judged.iter().all(|case| case.coincides));
}

#[tokio::test(start_paused = true)]
async fn a_conflict_row_keeps_the_value_that_did_not_win_and_only_that_row_does() {
    let mut fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("open");
    fixture.person_z(ticket, json!({ "subject": "Agent's" }), "e1").await;
    fixture.person_c(Method::PUT, ticket, "", json!({ "name": "Member's" }), "e2").await;
    fixture.sync_c(Method::PUT, &fixture.task_path(ticket), json!({ "name": "Agent's" })).await;
    fixture.delivered.insert((fixture.tasks[&ticket].clone(), fixture.now()));
    assert_eq!(fixture.judge().0.lost, 1);
    fixture.keep(ticket, "title", Value::Text("Agent's".into()), Value::Text("Something else".into()));
    assert_eq!(fixture.judge().0.lost, 1);
    fixture.keep(ticket, "title", Value::Text("Agent's".into()), Value::Text("Member's".into()));
    let found = fixture.judge();
    clean(&found);
    assert_eq!(found.1.classes().get("kept"), Some(&1));
}

#[tokio::test(start_paused = true)]
async fn what_the_other_side_cannot_take_needs_a_row() {
    let mut fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("open");
    fixture.person_c(Method::PUT, ticket, "", json!({ "status": "in review" }), "e1").await;
    let (verdict, _) = fixture.judge();
    assert_eq!((verdict.unmirrorable, verdict.lost, verdict.converged_percent), (1, 1, 95.83));
    fixture.keep(ticket, "status", Value::Text("open".into()), Value::Text("in review".into()));
    let found = fixture.judge();
    clean(&found);
    assert_eq!(found.0.unmirrorable, 1);
}

#[tokio::test(start_paused = true)]
async fn a_row_for_other_values_explains_no_difference() {
    let mut fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("open");
    fixture.person_c(Method::PUT, ticket, "", json!({ "status": "in review" }), "e1").await;
    fixture.keep(ticket, "status", Value::Text("pending".into()), Value::Text("in review".into()));
    let (verdict, _) = fixture.judge();
    assert_eq!((verdict.lost, verdict.converged_percent), (0, 95.83));
}

#[tokio::test(start_paused = true)]
async fn an_edit_on_a_closed_ticket_needs_a_row() {
    let mut fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("closed");
    fixture.person_c(Method::PUT, ticket, "", json!({ "name": "Too late" }), "e1").await;
    assert_eq!((fixture.judge().0.unmirrorable, fixture.judge().0.lost), (1, 1));
    let subject = fixture.scenario.tickets[usize::try_from(ticket).expect("small") - 1].subject.clone();
    let subject = Value::Text(subject.unwrap_or_default());
    fixture.keep(ticket, "title", subject, Value::Text("Too late".into()));
    clean(&fixture.judge());
}

#[tokio::test(start_paused = true)]
async fn a_description_edit_lives_on_in_a_note() {
    let fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("open");
    let task = fixture.clickup.task(&fixture.tasks[&ticket]).expect("the task");
    let text = format!("Seen by Jane.\n{}", task["description"].as_str().expect("text"));
    fixture.person_c(Method::PUT, ticket, "", json!({ "description": text }), "e1").await;
    assert_eq!(fixture.judge().0.lost, 1);
    let note = json!({ "comment": { "body": "Description in ClickUp:\n+ Seen by Jane.", "public": false } });
    fixture.sync_z(ticket, note).await;
    let (verdict, _) = fixture.judge();
    assert_eq!((verdict.lost, verdict.unmirrorable, verdict.writes_per_edit), (0, 1, 0.0));
    // The description itself still differs and nothing explains that.
    assert_eq!(verdict.converged_percent, 95.83);
}

#[tokio::test(start_paused = true)]
async fn one_tag_is_one_edit() {
    let fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("open");
    fixture.person_c(Method::POST, ticket, "/tag/brand-new", json!({}), "e1").await;
    assert_eq!(fixture.judge().0.lost, 1);
    let json = fixture.zendesk.ticket(u64::try_from(ticket).expect("positive")).expect("the ticket");
    let mut tags = json["tags"].as_array().expect("tags").clone();
    tags.push(json!("brand-new"));
    fixture.sync_z(ticket, json!({ "tags": tags })).await;
    let found = fixture.judge();
    clean(&found);
    assert_eq!((found.0.edits, found.0.writes_per_edit), (1, 1.0));
}

#[tokio::test(start_paused = true)]
async fn a_second_task_is_a_duplicate_while_it_lives() {
    let mut fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("open");
    let json = fixture.zendesk.ticket(u64::try_from(ticket).expect("positive")).expect("the ticket");
    let twin = fixture.create(&json, "n2").await;
    let (verdict, details) = fixture.judge();
    assert_eq!((verdict.duplicates, verdict.twins_seen, verdict.tasks), (1, 1, 25));
    assert_eq!(details.duplicate_tasks, [(ticket.to_string(), twin.clone())]);
    fixture.sync_c(Method::PUT, &format!("/api/v2/task/{twin}"), json!({ "archived": true })).await;
    let (verdict, _) = fixture.judge();
    assert_eq!((verdict.duplicates, verdict.twins_seen), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_copy_made_by_a_person_is_no_duplicate_unless_it_is_adopted_or_written() {
    let mut fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("open");
    let copy = fixture.clickup.duplicate_task(&fixture.tasks[&ticket], 310_001, Some("m1")).expect("a copy");
    clean(&fixture.judge());
    fixture.sync_c(Method::PUT, &format!("/api/v2/task/{copy}"), json!({ "name": "Mistake" })).await;
    assert_eq!((fixture.judge().0.touched_foreign, fixture.judge().0.is_clean()), (1, false));
    fixture.kept.links.get_mut(&ticket_id(ticket)).expect("the link").task = copy.parse().expect("an id");
    let (verdict, details) = fixture.judge();
    assert_eq!((verdict.duplicates, verdict.linked, details.adopted.len()), (1, 23, 1));
}

#[tokio::test(start_paused = true)]
async fn a_comment_is_copied_once_with_its_author() {
    let mut fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("open");
    fixture.person_z(ticket, json!({ "comment": { "body": "Hello there", "public": true } }), "e1").await;
    let (verdict, _) = fixture.judge();
    assert_eq!((verdict.lost, verdict.converged_percent), (1, 95.83));
    let json = fixture.zendesk.ticket(u64::try_from(ticket).expect("positive")).expect("the ticket");
    let comment = json["comments"].as_array().expect("comments").last().expect("one").clone();
    fixture.copy_comment(ticket, &comment).await;
    let found = fixture.judge();
    clean(&found);
    assert_eq!(found.0.writes_per_edit, 1.0);
    fixture.copy_comment(ticket, &comment).await;
    let (verdict, _) = fixture.judge();
    assert_eq!((verdict.duplicates, verdict.writes_per_edit), (1, 2.0));
}

#[tokio::test(start_paused = true)]
async fn a_note_that_the_mapping_keeps_back_is_not_lost_and_its_copy_is_a_leak() {
    let mut fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("open");
    let word = crate::seedwork::canary::canary(1, 1);
    fixture.person_z(ticket, json!({ "comment": { "body": word, "public": false } }), "e1").await;
    let found = fixture.judge();
    clean(&found);
    assert_eq!(found.1.judged[0].fate, Fate::NotWanted);
    let json = fixture.zendesk.ticket(u64::try_from(ticket).expect("positive")).expect("the ticket");
    let comment = json["comments"].as_array().expect("comments").last().expect("one").clone();
    fixture.copy_comment(ticket, &comment).await;
    assert_eq!(fixture.judge().0.leaked_internal, 1);
}

#[tokio::test(start_paused = true)]
async fn notes_may_be_shown_where_the_mapping_says_so_unless_a_guest_can_see_them() {
    let mut fixture = Fixture::new(true).await;
    clean(&fixture.judge());
    fixture.guest_lists.insert(fixture.scenario.workspace.lists[0].id.clone());
    assert!(fixture.judge().0.leaked_internal > 0);
}

#[tokio::test(start_paused = true)]
async fn internal_text_in_a_public_comment_is_a_leak() {
    let fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("open");
    let word = crate::seedwork::canary::canary(1, 2);
    let body = json!({ "comment_text": word, "notify_all": false });
    let made = fixture.person_c(Method::POST, ticket, "/comment", body, "e1").await;
    let name = fixture.scenario.cast.members().next().expect("a member").name.clone();
    let text = format!("{name}, ClickUp comment {}:\n\n{word}", made["id"]);
    fixture.sync_z(ticket, json!({ "comment": { "body": text, "public": false } })).await;
    clean(&fixture.judge());
    fixture.sync_z(ticket, json!({ "comment": { "body": text, "public": true } })).await;
    let (verdict, _) = fixture.judge();
    assert_eq!((verdict.leaked_internal, verdict.duplicates), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_echo_and_a_late_write_are_seen() {
    let mut fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("open");
    fixture.person_z(ticket, json!({ "priority": "urgent" }), "e1").await;
    fixture.person_z(ticket, json!({ "priority": "low" }), "e2").await;
    fixture.tick(600_000);
    fixture.person_z(ticket, json!({ "priority": "high" }), "e3").await;
    fixture.sync_c(Method::PUT, &fixture.task_path(ticket), json!({ "priority": 2 })).await;
    fixture.mark("settled");
    let found = fixture.judge();
    clean(&found);
    assert_eq!(found.0.writes_per_edit, 1.0);
    fixture.sync_z(ticket, json!({ "priority": "normal" })).await;
    fixture.sync_z(ticket, json!({ "priority": "high" })).await;
    let (verdict, details) = fixture.judge();
    assert_eq!((verdict.silence, verdict.writes_per_edit), (2, 3.0));
    assert_eq!(details.writes.several, [("e3".to_owned(), 3)]);
    assert!(!verdict.is_clean());
}

/// Late news: deskup learns of two edits at once, and of a task that is opened again and gets its assignee back.
#[tokio::test(start_paused = true)]
async fn a_request_for_several_edits_is_one_write_of_each() {
    let mut fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("solved");
    let path = fixture.task_path(ticket);
    let task = fixture.clickup.task(&fixture.tasks[&ticket]).expect("the task");
    let assignee = task["assignees"][0]["id"].as_i64().expect("somebody solved it");
    fixture.sync_c(Method::PUT, &path, json!({ "assignees": { "rem": [assignee] } })).await;
    fixture.marks.clear();
    fixture.mark("live");
    fixture.person_c(Method::PUT, ticket, "", json!({ "status": "in progress" }), "e1").await;
    fixture.person_z(ticket, json!({ "subject": "Another" }), "e2").await;
    fixture.person_z(ticket, json!({ "priority": "urgent" }), "e3").await;
    fixture.sync_z(ticket, json!({ "status": "open" })).await;
    let both = json!({ "name": "Another", "priority": 1, "assignees": { "add": [assignee] } });
    fixture.sync_c(Method::PUT, &path, both.clone()).await;
    let found = fixture.judge();
    clean(&found);
    assert_eq!((found.0.edits, found.0.writes, found.0.writes_per_edit), (3, 2, 1.0));
    // The same request again changes nothing, and what changes nothing is no write.
    fixture.sync_c(Method::PUT, &path, both.clone()).await;
    clean(&fixture.judge());
    // One of the two is written once more, together with the other: only that one is written twice.
    fixture.sync_c(Method::PUT, &path, json!({ "name": "Mistake" })).await;
    fixture.sync_c(Method::PUT, &path, both).await;
    assert_eq!(fixture.judge().1.writes.several, [("e2".to_owned(), 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_without_a_task_is_not_converged() {
    let mut fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("open");
    let mut testimony = fixture.testimony();
    let task = fixture.tasks[&ticket].clone();
    testimony.tasks.retain(|json| json["id"] != task.as_str());
    testimony.clickup_changes.retain(|change| change.record != task);
    testimony.kept.links.remove(&ticket_id(ticket));
    let (verdict, _) = super::judge(&testimony);
    assert_eq!((verdict.tasks, verdict.linked, verdict.converged_percent), (23, 23, 95.83));
    fixture.kept.links.clear();
    assert_eq!(fixture.judge().0.linked, 0);
}

#[tokio::test(start_paused = true)]
async fn a_class_never_exceeds_what_the_log_explains() {
    let mut fixture = Fixture::new(false).await;
    let ticket = fixture.ticket("open");
    fixture.person_z(ticket, json!({ "subject": "Another" }), "e1").await;
    // Rows that nothing in the world explains exempt nothing.
    for n in 0..5 {
        fixture.keep(ticket, "priority", Value::Text(n.to_string()), Value::Null);
    }
    let (verdict, details) = fixture.judge();
    assert_eq!((verdict.lost, verdict.unmirrorable, details.exempted.len()), (1, 0, 0));
}
