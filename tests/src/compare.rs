//! Compares two lives of one world: what people edited, as far as nobody else edited the same thing, must end
//! the same in both. A thing is a field, one tag, or one comment.

use std::collections::BTreeMap;

use domain::Side;
use world::judge::canon::{Canon, Field};
use world::judge::edits::{Judged, What};
use world::judge::pairs::Pairs;
use world::judge::records::{CommentSeen, Record};
use world::judge::talk;

use crate::whole::Ran;

/// What an edit is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Field(Field),
    Tag(String),
    /// By the edit's name: a comment's own number depends on what else was written before.
    Comment(String),
}

/// A thing of a ticket and its task.
type Place = (String, Thing);

/// How a place ended, in a form that does not depend on when anything happened.
#[derive(Debug, PartialEq)]
enum End {
    /// There is no such pair.
    Missing,
    /// The value on both sides.
    Values(Canon, Canon),
    /// Whether each side has the tag.
    Tagged(bool, bool),
    /// The comment, and all its copies on the other side.
    Said(Said, Vec<Said>),
}

/// A comment without its number and its time.
#[derive(Debug, PartialEq)]
struct Said {
    author: String,
    public: bool,
    text: String,
}

/// How many places of each kind were compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Fields.
    pub fields: usize,
    /// Tags, each for itself.
    pub tags: usize,
    /// Comments.
    pub comments: usize,
}

impl Compared {
    /// Places of all kinds.
    pub fn total(&self) -> usize {
        self.fields + self.tags + self.comments
    }

    fn count(&mut self, thing: &Thing) {
        *match thing {
            Thing::Field(_) => &mut self.fields,
            Thing::Tag(_) => &mut self.tags,
            Thing::Comment(_) => &mut self.comments,
        } += 1;
    }
}

/// Differences, in words, and how much was compared.
pub fn ends(one: &Ran, other: &Ran) -> (Vec<String>, Compared) {
    let (first, second) = (edits(one), edits(other));
    let (pairs, others) = (Pairs::read(&one.testimony), Pairs::read(&other.testimony));
    let mut wrong = Vec::new();
    let mut compared = Compared::default();
    for (place, edits) in &first {
        let Some(same) = second.get(place) else { continue };
        // Where people found another state and did something else, there is nothing to compare.
        if words(edits) != words(same) {
            continue;
        }
        compared.count(&place.1);
        let (a, b) = (end(one, &pairs, place, edits), end(other, &others, place, same));
        if a != b {
            let last = edits.last().map(|judged| (&judged.edit.id, judged.fate));
            wrong.push(format!("ticket {}, {:?}, last {last:?}: {a:?} and {b:?}", place.0, place.1));
        }
    }
    (wrong, compared)
}

/// The edits of each place in their order, unless any two coincided in this life.
fn edits(ran: &Ran) -> BTreeMap<Place, Vec<&Judged>> {
    let mut edits: BTreeMap<Place, Vec<&Judged>> = BTreeMap::new();
    for judged in &ran.details.judged {
        let edit = &judged.edit;
        let thing = match &edit.what {
            What::Value { .. } => Thing::Field(edit.field.clone()),
            What::Tag { name, .. } => Thing::Tag(name.clone()),
            What::Comment(_) => Thing::Comment(edit.id.clone()),
        };
        edits.entry((edit.ticket.clone(), thing)).or_default().push(judged);
    }
    edits.retain(|_, edits| edits.iter().all(|judged| !judged.coincides));
    edits
}

/// What people did, as it can be told in either life.
fn words(edits: &[&Judged]) -> Vec<(String, Side, String)> {
    let what = |judged: &Judged| match &judged.edit.what {
        What::Comment(comment) => format!("{} {} {}", comment.author, comment.public, comment.body),
        other => format!("{other:?}"),
    };
    edits.iter().map(|judged| (judged.edit.id.clone(), judged.edit.side, what(judged))).collect()
}

fn end(ran: &Ran, pairs: &Pairs, (ticket, thing): &Place, edits: &[&Judged]) -> End {
    let task = pairs.task_of.get(ticket).and_then(|task| pairs.tasks.get(task));
    let (Some(ticket), Some(task)) = (pairs.tickets.get(ticket), task) else { return End::Missing };
    let value = |record: &Record, field| record.fields.get(field).cloned().unwrap_or(Canon::Null);
    match thing {
        Thing::Field(field) => End::Values(value(ticket, field), value(task, field)),
        Thing::Tag(name) => {
            let has = |record| value(record, &Field::Tags).members().contains(name);
            End::Tagged(has(ticket), has(task))
        }
        Thing::Comment(_) => {
            let said = edits.first().and_then(|judged| match &judged.edit.what {
                What::Comment(comment) => Some((judged.edit.side, comment)),
                _ => None,
            });
            let Some((side, comment)) = said else { return End::Missing };
            let there = match side {
                Side::Zendesk => &task.comments,
                Side::Clickup => &ticket.comments,
            };
            let copies = talk::copies(&ran.testimony, side, comment, there);
            End::Said(original(ran, side, comment), copies.into_iter().map(copy).collect())
        }
    }
}

fn original(ran: &Ran, side: Side, comment: &CommentSeen) -> Said {
    let author = ran.testimony.rules.name(side, comment.author).unwrap_or_default().to_owned();
    Said { author, public: comment.public, text: comment.body.clone() }
}

/// The first line of a copy names the author, then the number and the time of the original.
fn copy(comment: &CommentSeen) -> Said {
    let (head, text) = comment.body.split_once('\n').unwrap_or((&comment.body, ""));
    let author = head.split(',').next().unwrap_or_default().to_owned();
    Said { author, public: comment.public, text: text.trim().to_owned() }
}
