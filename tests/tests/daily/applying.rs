//! A kept value goes to both sides by the ordinary step, and over nothing newer.

use domain::{ConflictCause, Side, TicketId};
use functions::person;
use orchestration::recovery_manager;
use serde_json::json;
use stores::conflicts::{ConflictRow, ConflictState};
use stores::switches::SwitchName;
use stores::{Lane, WorkKey};
use tests::expect::{Faults, nothing_wrong};
use tests::hands::minutes;
use tests::whole::{Stage, on_paused_clock};
use world::people::act::Action;

use crate::desk::{JO, again, ask, calm, name_of, open_conflicts, pairs_in, renamed_on_both};

#[test]
fn an_applied_value_is_on_both_sides_and_causes_no_echo() {
    on_paused_clock(async {
        let stage = calm(11).await;
        let (ticket, task) = pairs_in(&stage, "open").await.remove(0);
        let row = renamed_on_both(&stage, ticket, &task).await;
        let before = stage.sync_changes();
        ask(&stage, &row, Side::Clickup).await;
        minutes(2).await;
        assert_eq!(stage.ticket(ticket, "subject"), "Named in ClickUp");
        assert_eq!(name_of(&stage, &task), "Named in ClickUp");
        assert_eq!(stage.sync_changes(), before + 2, "one write on each side");
        let applied = again(&stage, &row).await;
        let settled = applied.settled.expect("who and when is kept");
        assert_eq!(
            (applied.state, settled.side, settled.by.as_str()),
            (ConflictState::Applied, Some(Side::Clickup), JO)
        );
        let effects = stage.store.effects().list(row.ticket).await.expect("the store can be read");
        let by_hand = effects.iter().filter(|effect| effect.rule.contains("a person")).count();
        assert_eq!(by_hand, 2, "each write says that a person wanted it");

        minutes(60).await;
        assert_eq!(stage.sync_changes(), before + 2, "silence");
        ask(&stage, &applied_again(&stage, &row).await, Side::Clickup).await;
        minutes(5).await;
        assert_eq!(again(&stage, &row).await.state, ConflictState::Applied);
        assert_eq!(stage.sync_changes(), before + 2, "asked for twice it is written once");

        ask(&stage, &applied_again(&stage, &row).await, Side::Zendesk).await;
        minutes(5).await;
        assert_eq!(stage.ticket(ticket, "subject"), "Named in Zendesk", "a person may think again");
        assert_eq!(stage.sync_changes(), before + 4);
        nothing_wrong(&Faults::of(&stage.finish().await.expect("it comes to rest")).into_lines());
    });
}

async fn applied_again(stage: &Stage, row: &ConflictRow) -> ConflictRow {
    let row = again(stage, row).await;
    assert_eq!(row.state, ConflictState::Applied);
    row
}

#[test]
fn a_value_that_a_side_cannot_take_is_answered_and_nothing_is_written() {
    on_paused_clock(async {
        let stage = calm(12).await;
        let (_, open_task) = pairs_in(&stage, "open").await.remove(0);
        let (closed, closed_task) = pairs_in(&stage, "closed").await.remove(0);
        // The footer goes with the rest.
        stage.on_task(&open_task, Action::Task(json!({ "description": "Rewritten" })), "e1").await;
        stage.on_task(&closed_task, Action::Task(json!({ "name": "Too late" })), "e2").await;
        minutes(5).await;
        let rows = open_conflicts(&stage).await;
        let of = |cause| rows.iter().find(|row| row.conflict.cause == cause).expect("it is kept");
        let read_only = of(ConflictCause::DescriptionReadOnly);
        let late = of(ConflictCause::TicketClosed);
        assert_eq!(late.ticket.get(), closed);
        let before = stage.sync_changes();
        for (row, says) in [(read_only, "read only"), (late, "closed")] {
            ask(&stage, row, Side::Clickup).await;
            minutes(2).await;
            let row = again(&stage, row).await;
            assert_eq!(
                (row.state, row.ask),
                (ConflictState::Open, None),
                "it stays open, and nothing is pending"
            );
            assert!(row.answer.as_deref().is_some_and(|answer| answer.contains(says)), "{:?}", row.answer);
        }
        assert_eq!(stage.sync_changes(), before, "nothing was written");

        // The other value of both can be applied: the tasks go back to what the tickets say.
        for row in [read_only, late] {
            ask(&stage, row, Side::Zendesk).await;
        }
        minutes(3).await;
        for row in [read_only, late] {
            assert_eq!(again(&stage, row).await.state, ConflictState::Applied);
        }
        assert_eq!(
            name_of(&stage, &closed_task),
            stage.ticket(closed, "subject").as_str().unwrap_or_default()
        );
        let task = stage.world.clickup().task(&open_task).expect("it is there");
        let marker = domain::footer::parse(task["description"].as_str().unwrap_or_default());
        assert_eq!(marker.map(|marker| marker.ticket), Some(read_only.ticket), "the footer is back");
        assert_eq!(stage.sync_changes(), before + 2);
        minutes(30).await;
        assert_eq!(stage.sync_changes(), before + 2, "silence");
    });
}

#[test]
fn a_newer_value_is_not_written_over() {
    on_paused_clock(async {
        let stage = calm(13).await;
        let (ticket, task) = pairs_in(&stage, "open").await.remove(0);
        let row = renamed_on_both(&stage, ticket, &task).await;
        for lane in Lane::ALL {
            person::pause(&stage.store, lane, "a test", JO).await.expect("the store can be written");
        }
        ask(&stage, &row, Side::Clickup).await;
        stage.on_ticket(ticket, json!({ "subject": "Named again" }), "e3").await;
        minutes(10).await;
        for lane in Lane::ALL {
            assert!(person::resume(&stage.store, lane).await.expect("the store can be written"));
        }
        minutes(10).await;
        let row = again(&stage, &row).await;
        assert_eq!(row.state, ConflictState::Open);
        assert!(
            row.answer.as_deref().is_some_and(|answer| answer.contains("changed since")),
            "{:?}",
            row.answer
        );
        assert_eq!(
            (stage.ticket(ticket, "subject"), name_of(&stage, &task)),
            (json!("Named again"), "Named again".to_owned())
        );

        // Asked for again, what is there now has been seen.
        ask(&stage, &row, Side::Clickup).await;
        minutes(3).await;
        assert_eq!(stage.ticket(ticket, "subject"), "Named in ClickUp");
        assert_eq!(again(&stage, &row).await.state, ConflictState::Applied);
    });
}

#[test]
fn where_nothing_runs_one_record_is_served_and_no_other() {
    on_paused_clock(async {
        let stage = calm(14).await;
        let pairs = pairs_in(&stage, "open").await;
        let (ticket, task) = &pairs[0];
        let (other, other_task) = &pairs[1];
        let row = renamed_on_both(&stage, *ticket, task).await;
        // The loop ends; webhooks go on being taken.
        world::Deskup::stop(stage.deskup.as_ref()).await;
        stage.on_ticket(*other, json!({ "subject": "Waits" }), "e9").await;
        minutes(5).await;
        let before = stage.sync_changes();
        ask(&stage, &row, Side::Clickup).await;
        let local = stage.deskup.local().expect("it is prepared");
        let outcome = local.dispatcher.one(&WorkKey::Ticket(row.ticket), JO).await.expect("it runs");
        assert!(outcome.succeeded(), "{outcome:?}");
        assert_eq!(again(&stage, &row).await.state, ConflictState::Applied);
        assert_eq!(stage.sync_changes(), before + 2);
        assert_ne!(name_of(&stage, other_task), "Waits", "the other record is left to whoever serves all");
        let nobody = WorkKey::Ticket(TicketId::new(9_999).expect("an id"));
        assert!(
            local.dispatcher.one(&nobody, JO).await.expect("it runs").succeeded(),
            "nothing to do is no failure"
        );
    });
}

#[test]
fn an_asked_for_value_waits_behind_the_brake() {
    on_paused_clock(async {
        let stage = calm(17).await;
        let (ticket, task) = pairs_in(&stage, "open").await.remove(0);
        let row = renamed_on_both(&stage, ticket, &task).await;
        stage.store.switches().set(SwitchName::Brake, "a test", "test").await.expect("writes");
        let before = stage.sync_changes();
        ask(&stage, &row, Side::Clickup).await;
        minutes(30).await;
        assert_eq!(stage.sync_changes(), before);
        assert!(again(&stage, &row).await.ask.is_some(), "it is not forgotten");
        recovery_manager::release(&stage.store, 0).await.expect("the store can be written");
        minutes(5).await;
        assert_eq!(again(&stage, &row).await.state, ConflictState::Applied);
        assert_eq!(stage.sync_changes(), before + 2);
    });
}
