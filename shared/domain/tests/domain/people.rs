//! Who a ticket and its task are assigned to, and the list that follows from it.

use std::collections::BTreeSet;

use domain::{Evidence, Task, Ticket, UserId};
use expect_test::expect;

use crate::decide::{check, check_with};
use crate::sample::{list, mapping};

#[test]
fn an_assignee_without_counterpart_is_a_conflict() {
    check(
        |ticket, _| ticket.assignee = Some(UserId(5)),
        expect![[r#"
        conflict assignee NoCounterpart base Text("2") z Text("5") c Set({"102"}) winner None: Zendesk's user 5 is nobody in ClickUp ([people] can say who it is)
        assignee: each side keeps its own: Zendesk's user 5 is nobody in ClickUp ([people] can say who it is)"#]],
    );
    check(
        |_, task| task.assignees = BTreeSet::from([UserId(106)]),
        expect![[r#"
        conflict assignee NoCounterpart base Text("2") z Text("2") c Set({"106"}) winner None: none of the task's people is an agent in Zendesk ([people] can say who is)
        assignee: each side keeps its own: none of the task's people is an agent in Zendesk ([people] can say who is)"#]],
    );
}

#[test]
fn people_whom_deskup_did_not_add_stay_on_the_task() {
    check(
        |ticket, task| {
            task.assignees.insert(UserId(106));
            ticket.assignee = Some(UserId(3));
        },
        expect![[r#"
            ClickUp assignees_add=[103] assignees_rem=[102]
            assignee: changed in Zendesk to 3"#]],
    );
    check(
        |ticket, task| {
            task.assignees.insert(UserId(106));
            ticket.assignee = None;
        },
        expect![[r#"
            ClickUp assignees_rem=[102]
            conflict assignee NoCounterpart base Text("2") z Null c Set({"102", "106"}) winner None: the other side can hold a part of it only
            assignee: changed in Zendesk"#]],
    );
}

#[test]
fn an_assignee_of_another_group_brings_the_ticket_there_and_the_task_along() {
    let evidence = Evidence { placed: Some(list("801")), ..Evidence::default() };
    check_with(
        mapping(),
        evidence,
        |_, task| task.assignees = BTreeSet::from([UserId(104)]),
        expect![[r#"
        ClickUp Move="802"
        Zendesk assignee=4 group=501
        route: the ticket's route changed: from list 801 to 802
        assignee: changed in ClickUp"#]],
    );
}

#[test]
fn a_task_moves_only_from_where_it_was_put() {
    let evidence = Evidence { placed: Some(list("801")), ..Evidence::default() };
    let billing = |ticket: &mut Ticket, _: &mut Task| {
        ticket.group = Some(501);
        ticket.assignee = Some(UserId(3));
    };
    check_with(
        mapping(),
        evidence.clone(),
        billing,
        expect![[r#"
        ClickUp Move="802"
        ClickUp assignees_add=[103] assignees_rem=[102]
        route: the ticket's route changed: from list 801 to 802
        assignee: changed in Zendesk to 3"#]],
    );
    check_with(
        mapping(),
        evidence,
        |_, task| task.list = list("802"),
        expect!["route: a person put the task into list 802; it stays"],
    );
}
