//! What became of one edit, and whether the other side could have taken it: both read from the services'
//! contents and logs, the conflict rows and the meaning of the mapping.

use std::collections::BTreeSet;

use domain::Side;

use super::canon::{Canon, Field};
use super::converged;
use super::edits::{Edit, Fate, What};
use super::history::{History, Moment};
use super::pairs::Pairs;
use super::records::{CommentSeen, Record};
use super::talk;
use super::testimony::Testimony;

/// An edit with everything that bears on it.
pub(super) struct Case<'a> {
    pub testimony: &'a Testimony,
    pub history: &'a History,
    pub pairs: &'a Pairs,
    pub edit: &'a Edit,
    pub ticket: &'a Record,
    pub task: Option<&'a Record>,
}

impl Case<'_> {
    pub fn fate(&self) -> Fate {
        let fate = match &self.edit.what {
            What::Comment(comment) => self.fate_of_comment(comment),
            What::Tag { name, added } => self.fate_of_tag(name, *added),
            What::Value { after } => self.fate_of_value(after),
        };
        if fate == Fate::Lost && self.one_is_deleted() { Fate::NoCounterpart } else { fate }
    }

    fn one_is_deleted(&self) -> bool {
        self.pairs.gone.contains(&self.edit.ticket) || self.pairs.deleted.contains(&self.edit.ticket)
    }

    fn fate_of_comment(&self, comment: &CommentSeen) -> Fate {
        let Some(task) = self.task else { return Fate::Lost };
        if !talk::wanted(self.testimony, self.edit.side, comment, task) {
            return Fate::NotWanted;
        }
        let others = match self.edit.side {
            Side::Zendesk => &task.comments,
            Side::Clickup => &self.ticket.comments,
        };
        if !talk::copies(self.testimony, self.edit.side, comment, others).is_empty() {
            Fate::Mirrored
        } else if self.edit.side == Side::Clickup
            && converged::comment_kept(self.testimony, self.ticket, task, &comment.id)
        {
            Fate::Kept
        } else {
            Fate::Lost
        }
    }

    fn fate_of_tag(&self, name: &str, added: bool) -> Fate {
        let has = |value: &Canon| value.members().contains(name) == added;
        if self.others_from_then_on().iter().any(has) {
            return Fate::Mirrored;
        }
        let back = |moment: &Moment| moment.after.members().contains(name) != added;
        if self.later_by_people().any(back) {
            return Fate::Superseded;
        }
        if self.kept(has) { Fate::Kept } else { self.lost_or_unprovable(has) }
    }

    fn fate_of_value(&self, after: &Canon) -> Fate {
        let rules = &self.testimony.rules;
        let mirrored = self.others_from_then_on().iter().any(|other| match self.edit.side {
            Side::Zendesk => rules.same(&self.edit.field, after, other),
            Side::Clickup => rules.same(&self.edit.field, other, after),
        });
        if mirrored {
            return Fate::Mirrored;
        }
        if self.later_by_people().next().is_some() {
            return Fate::Superseded;
        }
        if self.put_back(after) {
            return Fate::Mirrored;
        }
        let is_it = |value: &Canon| value.matches(after);
        if self.kept(is_it) || self.told_in_a_note(after) {
            Fate::Kept
        } else {
            match self.put_back_unheard(after) {
                true => Fate::Unprovable,
                false => self.lost_or_unprovable(is_it),
            }
        }
    }

    /// Whether people only changed the value and put it back, and deskup wrote neither side since: both are as they
    /// were, and were that in step, they still are.
    fn put_back(&self, after: &Canon) -> bool {
        let rules = &self.testimony.rules;
        let (side, other) = (self.edit.side, self.edit.side.other());
        let Some(first) = self.first_of_put_back(after) else { return false };
        let moments = self.history.of(side, &self.edit.record, &self.edit.field);
        let theirs = self.other_record().map(|record| self.history.of(other, &record.id, &self.edit.field));
        let of_ours = |side: Side, moment: &Moment| !rules.is_person(side, moment.actor);
        !moments.iter().any(|moment| moment.seq > first.seq && of_ours(side, moment))
            && !theirs.into_iter().flatten().any(|m| m.at_ms >= first.at_ms && of_ours(other, m))
    }

    /// The edit by which people began to change what this edit put back, where nobody else wrote in between.
    fn first_of_put_back(&self, after: &Canon) -> Option<&Moment> {
        let moments = self.history.of(self.edit.side, &self.edit.record, &self.edit.field);
        let mut before = moments.iter().filter(|moment| moment.seq <= self.edit.seq).collect::<Vec<_>>();
        before.sort_by_key(|moment| moment.seq);
        let is_person = |moment: &&&Moment| self.testimony.rules.is_person(self.edit.side, moment.actor);
        let mut of_people = before.into_iter().rev().take_while(|moment| is_person(&moment)).skip(1);
        of_people.find(|moment| moment.before.matches(after))
    }

    /// ClickUp has no history: a value that is as it was leaves no trace but the webhook of the edit that put it back, and
    /// by the world's log that was not delivered. So does one that undoes a write of ours of which no webhook told, either.
    fn put_back_unheard(&self, after: &Canon) -> bool {
        let is_told = self.testimony.delivered.contains(&(self.edit.record.clone(), self.edit.at_ms));
        let undoes = self.first_of_put_back(after).is_some() || self.undoes_unheard(after);
        self.edit.side == Side::Clickup && !is_told && undoes
    }

    fn undoes_unheard(&self, after: &Canon) -> bool {
        let moments = self.history.of(self.edit.side, &self.edit.record, &self.edit.field);
        let last = moments.iter().filter(|moment| moment.seq < self.edit.seq).max_by_key(|moment| moment.seq);
        last.is_some_and(|ours| {
            let is_told = self.testimony.delivered.contains(&(self.edit.record.clone(), ours.at_ms));
            ours.actor == self.testimony.rules.clickup_sync && !is_told && ours.before.matches(after)
        })
    }

    fn other_record(&self) -> Option<&Record> {
        match self.edit.side {
            Side::Zendesk => self.task,
            Side::Clickup => Some(self.ticket),
        }
    }

    /// What the other side held when the edit was made and at any time later.
    fn others_from_then_on(&self) -> Vec<Canon> {
        let Some(other) = self.other_record() else { return Vec::new() };
        let now = other.fields.get(&self.edit.field).cloned().unwrap_or(Canon::Null);
        self.history.from_then_on(self.edit.side.other(), &other.id, &self.edit.field, self.edit.at_ms, &now)
    }

    pub fn needs_write(&self) -> bool {
        match &self.edit.what {
            What::Comment(comment) => {
                self.task.is_some_and(|task| talk::wanted(self.testimony, self.edit.side, comment, task))
            }
            What::Tag { name, added } => self
                .others_from_then_on()
                .first()
                .is_some_and(|value| value.members().contains(name) != *added),
            What::Value { after } => self.others_from_then_on().first().is_some_and(|other| {
                let rules = &self.testimony.rules;
                match self.edit.side {
                    Side::Zendesk => !rules.same(&self.edit.field, after, other),
                    Side::Clickup => !rules.same(&self.edit.field, other, after),
                }
            }),
        }
    }

    fn later_by_people(&self) -> impl Iterator<Item = &Moment> {
        let (side, seq) = (self.edit.side, self.edit.seq);
        let rules = &self.testimony.rules;
        self.history
            .of(side, &self.edit.record, &self.edit.field)
            .iter()
            .filter(move |moment| moment.seq > seq && rules.is_person(side, moment.actor))
    }

    /// Whether a conflict row of the field holds the edit's value on the edit's side.
    fn kept(&self, is_it: impl Fn(&Canon) -> bool) -> bool {
        let rules = &self.testimony.rules;
        converged::rows(self.testimony, self.ticket, &self.edit.field).any(|row| {
            let value = match self.edit.side {
                Side::Zendesk => &row.conflict.zendesk,
                Side::Clickup => &row.conflict.clickup,
            };
            // A row for these values may be older than the edit: what is open already is not kept twice.
            is_it(&rules.canon_kept(self.edit.side, &self.edit.field, value))
        })
    }

    /// A description that was edited in ClickUp may live on in an internal note: its new lines are there.
    fn told_in_a_note(&self, after: &Canon) -> bool {
        let (Field::Description, Side::Clickup, Canon::Text(text)) =
            (&self.edit.field, self.edit.side, after)
        else {
            return false;
        };
        let before = self
            .history
            .of(Side::Clickup, &self.edit.record, &Field::Description)
            .iter()
            .find(|moment| moment.seq == self.edit.seq)
            .map(|moment| moment.before.members())
            .unwrap_or_default();
        let known: BTreeSet<&str> = before.iter().flat_map(|text| text.lines()).map(str::trim).collect();
        let mut news =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !known.contains(line)).peekable();
        let sync = self.testimony.rules.zendesk_sync;
        let notes: Vec<&CommentSeen> =
            self.ticket.comments.iter().filter(|note| note.author == sync && !note.public).collect();
        match news.peek() {
            Some(_) => news.all(|line| notes.iter().any(|note| note.body.contains(line))),
            // Lines were only taken away: any note on the description tells of it.
            None => notes.iter().any(|note| note.body.to_lowercase().contains("description")),
        }
    }

    /// A value that a write of ours replaced without having seen it is unprovable only if the webhook of
    /// that very write was never delivered: the world's log has to say so.
    fn lost_or_unprovable(&self, is_it: impl Fn(&Canon) -> bool) -> Fate {
        let unheard = self.unheard().any(|moment| is_it(&moment.before));
        if self.edit.side == Side::Clickup && unheard { Fate::Unprovable } else { Fate::Lost }
    }

    /// Later writes of ours to the same field, of which no webhook told deskup.
    fn unheard(&self) -> impl Iterator<Item = &Moment> {
        let sync = self.testimony.rules.clickup_sync;
        let moments = self.history.of(self.edit.side, &self.edit.record, &self.edit.field);
        moments.iter().filter(move |moment| {
            moment.seq > self.edit.seq
                && moment.actor == sync
                && !self.testimony.delivered.contains(&(self.edit.record.clone(), moment.at_ms))
        })
    }

    /// How often deskup was not there to take the webhooks of those writes, by the world's log.
    pub fn refused(&self) -> u32 {
        let of = |moment: &Moment| self.testimony.refused.get(&(self.edit.record.clone(), moment.at_ms));
        self.unheard().filter_map(of).sum()
    }

    /// Why the other side could not take the edit: read from the mapping and from what happened.
    pub fn unmirrorable(&self) -> Option<&'static str> {
        if self.edit.side == Side::Clickup && self.closed_before_mirrored() {
            return Some("the ticket is closed");
        }
        if self.one_is_deleted() {
            return Some("one of the two was deleted");
        }
        if self.edit.side == Side::Zendesk && self.task.is_some_and(|task| task.archived) {
            return Some("the task is archived");
        }
        match &self.edit.what {
            What::Value { .. }
                if self.edit.field == Field::Description && self.edit.side == Side::Clickup =>
            {
                Some("Zendesk's description is read only")
            }
            What::Value { after }
                if self.edit.field == Field::Due
                    && self.edit.side == Side::Clickup
                    && *after != Canon::Null
                    && !self.ticket.due_possible =>
            {
                Some("only tickets of type task have a due date")
            }
            What::Value { after: Canon::Null } if self.held_by_people() => {
                Some("people put somebody on the task, and deskup takes off only whom it put on")
            }
            What::Value { after } => {
                self.testimony.rules.no_counterpart(self.edit.side, &self.edit.field, after)
            }
            _ => None,
        }
    }

    /// An unassigned ticket whose task has somebody whom a person put there.
    fn held_by_people(&self) -> bool {
        if self.edit.field != Field::Assignee || self.edit.side != Side::Zendesk {
            return false;
        }
        let Some(task) = self.task else { return false };
        let there = self.others_from_then_on().first().map(Canon::members).unwrap_or_default();
        self.history.of(Side::Clickup, &task.id, &Field::Assignee).iter().any(|moment| {
            let before = moment.before.members();
            self.testimony.rules.is_person(Side::Clickup, moment.actor)
                && moment.after.members().iter().any(|id| !before.contains(id) && there.contains(id))
        })
    }

    /// Closed when the edit was made, or closed since and never mirrored in between.
    fn closed_before_mirrored(&self) -> bool {
        let status = self.ticket.fields.get(&Field::Status).cloned().unwrap_or(Canon::Null);
        let statuses = self.history.from_then_on(
            Side::Zendesk,
            &self.ticket.id,
            &Field::Status,
            self.edit.at_ms,
            &status,
        );
        let closed = Canon::Text("closed".to_owned());
        statuses.first() == Some(&closed)
            || (statuses.contains(&closed) && !matches!(self.fate(), Fate::Mirrored | Fate::Superseded))
    }
}
