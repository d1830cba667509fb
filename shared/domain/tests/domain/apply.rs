//! Applying a kept value: it goes to both sides whole, touches no other field, leaves nothing to do, and is refused
//! where a side cannot take it or holds something newer.

use domain::{
    Chosen, Conflict, ConflictCause, Decision, FieldKey, Side, TaskWrite, TicketPatch, UserId, Value, apply,
};
use proptest::prelude::*;

use crate::echo::{Pair, cases};
use crate::edits::{edit_task, edit_ticket, edits};
use crate::sample::{mapping, mapping_with, ticket};

/// What a person does who has seen what both sides hold now.
fn choose(pair: &Pair, conflict: &Conflict, side: Side) -> Result<Decision, String> {
    let base = pair.fields.get(&conflict.field).cloned().unwrap_or_default();
    let (z, c) = (base.z.fingerprint(), base.c.fingerprint());
    unseen(pair, conflict, side, (&z, &c))
}

fn unseen(pair: &Pair, conflict: &Conflict, side: Side, seen: (&str, &str)) -> Result<Decision, String> {
    let chosen = Chosen { conflict, side, seen, placed: Some(&pair.task.list) };
    apply(&chosen, &pair.fields, &pair.ticket, &pair.task, &pair.mapping)
}

fn values(pair: &Pair, key: &FieldKey) -> (Value, Value) {
    pair.mapping.values(key, &pair.ticket, &pair.task).unwrap()
}

/// A pair whose title was changed on both sides; Zendesk's stands.
fn renamed() -> (Pair, Conflict) {
    let mut pair = Pair::new(ticket(), mapping());
    pair.ticket.subject = Some("From Zendesk".into());
    pair.task.name = "From ClickUp".into();
    let decision = pair.decide();
    pair.apply(&decision);
    let conflict = decision.conflicts.into_iter().find(|row| row.field == FieldKey::Title).unwrap();
    assert_eq!(conflict.cause, ConflictCause::BothChanged);
    (pair, conflict)
}

#[test]
fn the_value_that_lost_goes_to_both_sides() {
    let (mut pair, conflict) = renamed();
    let decision = choose(&pair, &conflict, Side::Clickup).unwrap();
    assert!(
        matches!(decision.clickup.as_slice(), [TaskWrite::Fields(patch)] if patch.name.as_deref() == Some("From ClickUp"))
    );
    let patch = TicketPatch { subject: Some("From ClickUp".into()), ..TicketPatch::default() };
    assert_eq!(decision.zendesk, Some(patch), "nothing but the title");
    pair.apply(&decision);
    assert!(pair.decide().is_empty(), "no echo");
    let again = choose(&pair, &conflict, Side::Clickup).unwrap();
    assert!(again.writes.is_empty(), "both hold it already");
    let back = choose(&pair, &conflict, Side::Zendesk).unwrap();
    pair.apply(&back);
    assert_eq!(pair.ticket.subject.as_deref(), Some("From Zendesk"), "a person may think again");
    assert!(pair.decide().is_empty());
}

#[test]
fn what_nobody_has_seen_is_not_written_over() {
    let (mut pair, conflict) = renamed();
    let seen = pair.fields[&FieldKey::Title].clone();
    let seen = (seen.z.fingerprint(), seen.c.fingerprint());
    pair.ticket.subject = Some("Newer".into());
    let decision = pair.decide();
    pair.apply(&decision);
    let refused = unseen(&pair, &conflict, Side::Clickup, (&seen.0, &seen.1)).unwrap_err();
    assert!(refused.contains("changed since"), "{refused}");
    choose(&pair, &conflict, Side::Clickup).expect("who has seen the newer value may choose");
}

#[test]
fn what_a_side_cannot_take_is_refused_in_words() {
    let (pair, conflict) = renamed();
    let refused = |change: &dyn Fn(&mut Pair), conflict: &Conflict, side: Side| {
        let mut pair = Pair::new(pair.ticket.clone(), pair.mapping.clone());
        change(&mut pair);
        choose(&pair, conflict, side).unwrap_err()
    };
    let closed = refused(&|pair| pair.ticket.status = "closed".into(), &conflict, Side::Clickup);
    assert!(closed.contains("closed"), "{closed}");
    let archived = refused(&|pair| pair.task.archived = true, &conflict, Side::Clickup);
    assert!(archived.contains("archived"), "{archived}");
    let of = |field: FieldKey, zendesk: &str, clickup: &str| Conflict {
        field,
        zendesk: Value::Text(zendesk.into()),
        clickup: Value::Text(clickup.into()),
        ..conflict.clone()
    };
    let text = of(FieldKey::Description, "one", "another");
    let read_only = refused(&|_| {}, &text, Side::Clickup);
    assert!(read_only.contains("read only"), "{read_only}");
    let comment = refused(&|_| {}, &of(FieldKey::Custom("comment:7".into()), "", "Hello"), Side::Clickup);
    assert!(comment.contains("by hand"), "{comment}");
    let status = refused(
        &|pair| pair.ticket.status = "open".into(),
        &of(FieldKey::Status, "closed", "to do"),
        Side::Zendesk,
    );
    assert!(status.contains("only Zendesk itself"), "{status}");
    let hash = Conflict { clickup: Value::Hash("abc".into()), ..conflict.clone() };
    let gone = refused(&|_| {}, &hash, Side::Clickup);
    assert!(gone.contains("fingerprint"), "{gone}");
    let one_way = mapping_with(&[("[people]", "[fields]\ntitle.direction = \"to_clickup\"\n[people]")]);
    let mut pair = Pair::new(ticket(), one_way);
    pair.task.name = "From ClickUp".into();
    let refused = choose(&pair, &conflict, Side::Clickup).unwrap_err();
    assert!(refused.contains("direction"), "{refused}");
}

#[test]
fn people_who_joined_the_task_meanwhile_stay() {
    let mut pair = Pair::new(ticket(), mapping());
    let joined = UserId(104);
    pair.task.assignees.insert(joined);
    let conflict = Conflict {
        field: FieldKey::Assignee,
        cause: ConflictCause::BothChanged,
        base: Value::Null,
        zendesk: Value::Null,
        clickup: values(&Pair::new(ticket(), mapping()), &FieldKey::Assignee).1,
        winner: Some(Side::Zendesk),
        rule: "zendesk".into(),
    };
    let decision = pair.decide();
    pair.apply(&decision);
    if let Ok(decision) = choose(&pair, &conflict, Side::Clickup) {
        pair.apply(&decision);
        assert!(pair.task.assignees.contains(&joined), "deskup did not add them");
    }
}

/// The property below can fail: whoever sets bases from what was sent takes the own write for news.
#[test]
fn an_application_that_forgets_a_normal_form_is_an_echo() {
    let tags = |names: &[&str]| Value::Set(names.iter().map(|name| (*name).to_owned()).collect());
    let conflict = Conflict {
        field: FieldKey::Tags,
        cause: ConflictCause::BothChanged,
        base: Value::Null,
        zendesk: tags(&["printer", "vip"]),
        clickup: tags(&["printer"]),
        winner: Some(Side::Clickup),
        rule: "clickup".into(),
    };
    for forgets in [true, false] {
        let mut pair = Pair::new(ticket(), mapping());
        pair.believes_itself = forgets;
        let decision = choose(&pair, &conflict, Side::Zendesk).unwrap();
        assert_eq!(decision.writes.len(), 2, "both sides get the tag");
        pair.apply(&decision);
        assert_eq!(pair.decide().is_empty(), !forgets);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: cases(), ..ProptestConfig::default() })]

    /// After any history, each kept value can be put on both sides or it is said why not. Where it is put there, the
    /// chosen side holds it, no other field moved, and nothing is left to do.
    #[test]
    fn any_kept_value_is_applied_whole_or_refused(
        rounds in edits(),
        variant in 0..5usize,
        choices in proptest::collection::vec(any::<bool>(), 12),
    ) {
        let lines = [
            "[people]",
            "[fields]\ntitle = { rule = \"ask\" }\nstatus = { rule = \"clickup\" }\npriority = { rule = \"newest\" }\n[people]",
            "[fields]\ntags = { rule = \"zendesk\" }\nassignee = { rule = \"clickup\" }\ndue_date = { rule = \"ask\", zendesk_field = 17 }\n[people]",
            "[fields]\ntags = { direction = \"to_clickup\" }\nstatus = { direction = \"to_zendesk\" }\npriority = { direction = \"off\" }\n[people]",
            "[fields]\ntags = { direction = \"to_zendesk\" }\ntitle = { direction = \"to_clickup\" }\nassignee = { rule = \"ask\" }\n[people]",
        ];
        let mut pair = Pair::new(ticket(), mapping_with(&[("[people]", lines[variant])]));
        for edits in &rounds {
            for edit in edits {
                match edit.side {
                    Side::Zendesk => edit_ticket(&mut pair.ticket, *edit, &pair.mapping),
                    Side::Clickup => edit_task(&mut pair.task, *edit, &pair.mapping),
                }
            }
            let decision = pair.decide();
            pair.apply(&decision);
        }
        prop_assert!(pair.decide().is_empty());
        let kept = pair.kept.clone();
        for (conflict, zendesk) in kept.iter().rev().zip(choices) {
            let side = if zendesk { Side::Zendesk } else { Side::Clickup };
            let keys = pair.mapping.fields();
            let before: Vec<_> = keys.iter().map(|key| values(&pair, key)).collect();
            let Ok(decision) = choose(&pair, conflict, side) else { continue };
            let told = pair.kept.len();
            pair.apply(&decision);
            for (key, was) in keys.iter().zip(before) {
                prop_assert!(*key == conflict.field || values(&pair, key) == was, "{key} moved with {}", conflict.field);
            }
            let (z, c) = values(&pair, &conflict.field);
            let (is, wanted) = if zendesk { (z, &conflict.zendesk) } else { (c, &conflict.clickup) };
            prop_assert!(holds(&conflict.field, &is, wanted), "{} holds {is:?}, not {wanted:?}", conflict.field);
            let again = pair.decide();
            let said = (&again.writes, &again.conflicts, &again.note);
            prop_assert!(said.0.is_empty() && said.1.is_empty() && said.2.is_none(), "an echo of {}: {said:?}", conflict.field);
            // Remembering that a field is no longer held back needs no call.
            pair.apply(&again);
            prop_assert!(pair.decide().is_empty());
            let same = pair.mapping.same(&conflict.field, &pair.ticket, &pair.task).unwrap();
            prop_assert!(same || pair.kept.len() > told || pair.task.assignees.is_empty(), "{} differs and nothing says so", conflict.field);
            // Where a part of it was all that the other side can hold, the second time may be refused.
            let twice = choose(&pair, conflict, side).unwrap_or_default();
            prop_assert!(twice.writes.is_empty(), "{} is written twice: {:?}", conflict.field, twice.writes);
            prop_assert!(same || twice.bases.is_empty(), "{} differs and is remembered as agreed", conflict.field);
        }
    }
}

/// Whether a side holds the kept value: of people those who joined since may be there, too, and white space is the
/// services' own.
fn holds(field: &FieldKey, is: &Value, wanted: &Value) -> bool {
    match (field, is, wanted) {
        (FieldKey::Assignee, _, Value::Null) => true,
        (FieldKey::Assignee, Value::Set(is), Value::Set(wanted)) => wanted.is_subset(is),
        (FieldKey::Description, Value::Text(is), Value::Text(wanted)) => {
            is.split_whitespace().eq(wanted.split_whitespace())
        }
        _ => is == wanted,
    }
}
