//! No echo, no loss, convergence (I1, I3, I5, I9): people edit both records at random, the decision is
//! applied by services with normal forms of their own, and then nothing is left to do.

use std::collections::BTreeSet;

use domain::decision::FieldBase;
use domain::settle::after_write;
use domain::{
    Conflict, Decision, Evidence, FieldKey, LinkFields, Mapping, Side, Task, Ticket, Value, decide,
};
use proptest::prelude::*;

use crate::edits::{Edit, edit_task, edit_ticket, edits};
use crate::sample::{mapping, mapping_with, mirrored, ticket};
use crate::services::{apply_task, apply_ticket};

/// How many random histories each property gets; `DESKUP_CASES` asks for more.
pub fn cases() -> u32 {
    std::env::var("DESKUP_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(500)
}

/// The pair and everything that deskup knows of it.
pub struct Pair {
    pub ticket: Ticket,
    pub task: Task,
    pub fields: LinkFields,
    pub kept: Vec<Conflict>,
    pub mapping: Mapping,
    /// The planted fault: bases from what was sent, not from what came back.
    pub believes_itself: bool,
}

impl Pair {
    pub fn new(ticket: Ticket, mapping: Mapping) -> Self {
        let (task, fields, kept) = mirrored(&ticket, &mapping);
        Pair { ticket, task, fields, kept, mapping, believes_itself: false }
    }

    pub fn decide(&self) -> Decision {
        self.decide_with(&Evidence::default())
    }

    pub fn decide_with(&self, evidence: &Evidence) -> Decision {
        let evidence = Evidence { placed: Some(self.task.list.clone()), ..evidence.clone() };
        decide(&self.fields, &self.ticket, &self.task, &self.mapping, &evidence)
    }

    /// Sends a decision and settles it, ClickUp first.
    pub fn apply(&mut self, decision: &Decision) {
        self.kept.extend(decision.conflicts.clone());
        domain::settle::adopt(&mut self.fields, decision);
        if !decision.clickup.is_empty() {
            for write in &decision.clickup {
                apply_task(&mut self.task, write, &self.mapping);
            }
            self.settle(decision, Side::Clickup);
        }
        if let Some(patch) = &decision.zendesk {
            apply_ticket(&mut self.ticket, patch, &self.mapping);
            self.settle(decision, Side::Zendesk);
        }
        // Whoever repeats the calls with the final records changes nothing.
        let settled = self.fields.clone();
        if !self.believes_itself {
            self.settle(decision, Side::Clickup);
            self.settle(decision, Side::Zendesk);
            assert_eq!(self.fields, settled);
        }
    }

    fn settle(&mut self, decision: &Decision, side: Side) {
        let kept = after_write(&mut self.fields, decision, side, &self.ticket, &self.task, &self.mapping);
        self.kept.extend(kept);
        if self.believes_itself {
            for ((written, key), sent) in &decision.writes {
                if let (true, Some(base)) = (*written == side, self.fields.get_mut(key)) {
                    let mine = match side {
                        Side::Zendesk => &mut base.z,
                        Side::Clickup => &mut base.c,
                    };
                    *mine = shout(sent).to_stored();
                }
            }
        }
    }

    fn values(&self, key: &FieldKey) -> (Value, Value) {
        self.mapping.values(key, &self.ticket, &self.task).unwrap()
    }
}

/// What a lens without the tags' normal form would expect to read.
fn shout(value: &Value) -> Value {
    match value {
        Value::Set(set) => Value::Set(set.iter().map(|member| member.to_uppercase()).collect()),
        other => other.clone(),
    }
}

/// Nothing is left to do, and every field is the same or explained.
fn settled(pair: &Pair) -> Result<(), TestCaseError> {
    let again = pair.decide();
    let said = (&again.writes, &again.bases, &again.conflicts, &again.note);
    prop_assert!(again.is_empty(), "an echo: {said:?}");
    for key in pair.mapping.fields() {
        let base = pair.fields.get(&key).cloned().unwrap_or_default();
        let same = pair.mapping.same(&key, &pair.ticket, &pair.task).unwrap();
        let (z, c) = pair.values(&key);
        let told = pair.kept.iter().any(|row| {
            row.field == key
                && row.zendesk.to_stored() == z.to_stored()
                && row.clickup.to_stored() == c.to_stored()
        });
        let old_work = key == FieldKey::Assignee && pair.task.assignees.is_empty();
        prop_assert!(same || old_work || (told && (base.parted || base.held.is_some())), "{key}: {base:?}");
    }
    Ok(())
}

/// Every value that a person gave and deskup replaced is in a conflict, or was never different.
fn nothing_lost(before: &Pair, edited: &Pair, after: &Pair) -> Result<(), TestCaseError> {
    for key in after.mapping.fields() {
        let ((z0, c0), (z1, c1), (z2, c2)) = (before.values(&key), edited.values(&key), after.values(&key));
        let kept = &after.kept[before.kept.len()..];
        for (side, was, edit, now) in [(Side::Zendesk, z0, z1, z2), (Side::Clickup, c0, c1, c2)] {
            let in_conflict = kept.iter().any(|conflict| {
                let value = if side == Side::Zendesk { &conflict.zendesk } else { &conflict.clickup };
                conflict.field == key && *value == edit
            });
            if was == edit || edit == now || in_conflict {
                continue;
            }
            let fine = match (&key, members(&was), members(&edit), members(&now)) {
                // People whom deskup did not add stay.
                (FieldKey::Assignee, Some(was), Some(edit), Some(now)) => {
                    edit.difference(&was).all(|id| now.contains(id))
                }
                (_, Some(was), Some(edit), Some(now)) => {
                    edit.difference(&was).all(|add| now.contains(add))
                        && was.difference(&edit).all(|gone| !now.contains(gone))
                }
                _ => false,
            };
            prop_assert!(fine, "{side} {key}: {was:?} -> {edit:?} became {now:?} and was kept nowhere");
        }
    }
    Ok(())
}

/// Two spellings of a tag are one tag.
fn members(value: &Value) -> Option<BTreeSet<String>> {
    let set = domain::merge::as_set(value)?;
    Some(set.iter().map(|member| member.replace(' ', "_")).collect())
}

impl Clone for Pair {
    fn clone(&self) -> Self {
        Pair {
            ticket: self.ticket.clone(),
            task: self.task.clone(),
            fields: self.fields.clone(),
            kept: self.kept.clone(),
            mapping: self.mapping.clone(),
            believes_itself: self.believes_itself,
        }
    }
}

fn play(mut pair: Pair, rounds: &[Vec<Edit>]) -> Result<(), TestCaseError> {
    settled(&pair)?;
    for edits in rounds {
        let before = pair.clone();
        for edit in edits {
            match edit.side {
                Side::Zendesk => edit_ticket(&mut pair.ticket, *edit, &before.mapping),
                Side::Clickup => edit_task(&mut pair.task, *edit, &before.mapping),
            }
        }
        let edited = pair.clone();
        let decision = pair.decide();
        pair.apply(&decision);
        settled(&pair)?;
        nothing_lost(&before, &edited, &pair)?;
    }
    Ok(())
}

/// Which of the two writes of a decision landed before the process died.
#[derive(Clone, Copy, Debug)]
struct Landed {
    clickup: bool,
    zendesk: bool,
}

fn landed() -> impl Strategy<Value = Landed> {
    (any::<bool>(), any::<bool>()).prop_map(|(clickup, zendesk)| Landed { clickup, zendesk })
}

/// Sends a decision and dies before the replies: nothing is settled, but what was sent is known.
fn crash(pair: &mut Pair, decision: &Decision, landed: Landed) -> Evidence {
    pair.kept.extend(decision.conflicts.clone());
    let mut evidence = Evidence { placed: Some(pair.task.list.clone()), ..Evidence::default() };
    for ((side, key), sent) in &decision.writes {
        let (z, c) = pair.values(key);
        let before = if *side == Side::Zendesk { z } else { c };
        evidence.own.push((*side, key.clone(), sent.to_stored()));
        evidence.own_before.push((*side, key.clone(), before.to_stored()));
    }
    for write in decision.clickup.iter().filter(|_| landed.clickup) {
        apply_task(&mut pair.task, write, &pair.mapping);
    }
    if let (Some(patch), true) = (&decision.zendesk, landed.zendesk) {
        apply_ticket(&mut pair.ticket, patch, &pair.mapping);
    }
    evidence.placed = Some(pair.task.list.clone());
    evidence
}

fn lose_replies(first: &[Edit], landed: Landed, later: &[Edit]) -> Result<(), TestCaseError> {
    let mut pair = Pair::new(ticket(), mapping());
    let edit = |pair: &mut Pair, edits: &[Edit]| {
        for edit in edits {
            match edit.side {
                Side::Zendesk => edit_ticket(&mut pair.ticket, *edit, &pair.mapping),
                Side::Clickup => edit_task(&mut pair.task, *edit, &pair.mapping),
            }
        }
    };
    let before = pair.clone();
    edit(&mut pair, first);
    let edited = pair.clone();
    let decision = pair.decide();
    let evidence = crash(&mut pair, &decision, landed);
    if later.is_empty() && landed.clickup && landed.zendesk {
        let again = decide(&pair.fields, &pair.ticket, &pair.task, &pair.mapping, &evidence);
        prop_assert!(again.writes.is_empty(), "sent again: {:?}", again.writes);
    }
    edit(&mut pair, later);
    let again = decide(&pair.fields, &pair.ticket, &pair.task, &pair.mapping, &evidence);
    pair.apply(&again);
    settled(&pair)?;
    if later.is_empty() { nothing_lost(&before, &edited, &pair) } else { Ok(()) }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: cases(), ..ProptestConfig::default() })]

    /// After any edits one decision is enough, and it loses nothing.
    #[test]
    fn one_decision_settles_everything(rounds in edits(), first in edits()) {
        let (mapping, mut ticket) = (mapping(), ticket());
        // People were at work before deskup came.
        for edit in first.concat() {
            edit_ticket(&mut ticket, edit, &mapping);
        }
        play(Pair::new(ticket, mapping), &rounds)?;
    }

    /// The same by other rules and directions.
    #[test]
    fn other_rules_settle_everything_too(rounds in edits(), variant in 0..4usize) {
        let lines = [
            "[fields]\ntitle = { rule = \"ask\" }\nstatus = { rule = \"clickup\" }\npriority = { rule = \"newest\" }\n[people]",
            "[fields]\ntags = { rule = \"zendesk\" }\nassignee = { rule = \"clickup\" }\ndue_date = { rule = \"ask\", zendesk_field = 17 }\n[people]",
            "[fields]\ntags = { direction = \"to_clickup\" }\nstatus = { direction = \"to_zendesk\" }\npriority = { direction = \"off\" }\n[people]",
            "[fields]\ntags = { direction = \"to_zendesk\" }\ntitle = { direction = \"to_clickup\" }\nassignee = { rule = \"ask\" }\n[people]",
        ];
        play(Pair::new(ticket(), mapping_with(&[("[people]", lines[variant])])), &rounds)?;
    }

    /// A write whose reply is lost is no news: sent once more at most, mirrored back never.
    #[test]
    fn lost_replies_lose_nothing(
        first in edits(),
        landed in landed(),
        later in prop_oneof![Just(Vec::new()), edits()],
    ) {
        lose_replies(&first.concat(), landed, &later.concat())?;
    }

    /// A base never holds a long text, whatever is written.
    #[test]
    fn bases_are_short(text in "[a-z \n]{0,700}") {
        let mut long = ticket();
        long.description = text.clone();
        long.subject = Some(text);
        let pair = Pair::new(long, mapping());
        for FieldBase { z, c, .. } in pair.fields.values() {
            for value in [z, c] {
                prop_assert!(!matches!(value, Value::Text(text) if text.len() > Value::INLINE_BYTES_MAX));
            }
        }
        settled(&pair)?;
    }
}

/// The property can fail: whoever sets bases from what was sent, in a form that the service does not
/// return, takes the own write for news.
#[test]
fn a_forgotten_normal_form_is_an_echo() {
    let mut pair = Pair::new(ticket(), mapping());
    pair.believes_itself = true;
    pair.ticket.tags.insert("vip".into());
    let decision = pair.decide();
    pair.apply(&decision);
    assert!(settled(&pair).is_err());
    pair.believes_itself = false;
    let decision = pair.decide();
    pair.apply(&decision);
    assert!(settled(&pair).is_ok());
}
