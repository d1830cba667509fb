//! Compares two lives of one world: what people edited, as far as nobody else edited the same thing, must end
//! the same in both.

use std::collections::BTreeMap;

use domain::Side;
use world::judge::canon::{Canon, Field};
use world::judge::edits::{Judged, What};
use world::judge::records::{self, Record};

use crate::whole::Ran;

/// A field of a ticket.
type Place = (String, Field);

/// Differences, in words, and how many places were compared.
pub fn ends(one: &Ran, other: &Ran) -> (Vec<String>, usize) {
    let (first, second) = (edits(one), edits(other));
    let (values, others) = (values(one), values(other));
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (place, edit) in &first {
        let Some(same) = second.get(place) else { continue };
        // Where people found another state and did something else, there is nothing to compare.
        if words(edit) != words(same) {
            continue;
        }
        compared += 1;
        let (a, b) = (values.get(place), others.get(place));
        if a != b {
            let last = edit.last().map(|judged| (&judged.edit.id, judged.fate));
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
        if !matches!(edit.what, What::Comment(_)) && edit.field != Field::Tags {
            edits.entry((edit.ticket.clone(), edit.field.clone())).or_default().push(judged);
        }
    }
    edits.retain(|_, edits| edits.iter().all(|judged| !judged.coincides));
    edits
}

fn words<'a>(edits: &[&'a Judged]) -> Vec<(&'a str, &'a What)> {
    edits.iter().map(|judged| (judged.edit.id.as_str(), &judged.edit.what)).collect()
}

/// Both sides' values of every place.
fn values(ran: &Ran) -> BTreeMap<Place, Vec<(Side, Canon)>> {
    let testimony = &ran.testimony;
    let mut values: BTreeMap<Place, Vec<(Side, Canon)>> = BTreeMap::new();
    let mut take = |side: Side, ticket: &str, record: Record| {
        for (field, value) in record.fields {
            values.entry((ticket.to_owned(), field)).or_default().push((side, value));
        }
    };
    for json in &testimony.tickets {
        let record = records::ticket(&testimony.rules, json);
        take(Side::Zendesk, &record.id.clone(), record);
    }
    let owners: BTreeMap<String, String> = testimony
        .kept
        .links
        .iter()
        .map(|(ticket, link)| (link.task.to_string(), ticket.to_string()))
        .collect();
    for json in &testimony.tasks {
        let record = records::task(&testimony.rules, json);
        if let Some(ticket) = owners.get(&record.id) {
            take(Side::Clickup, ticket, record);
        }
    }
    values
}
