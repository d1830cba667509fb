//! Compares two lives of one world: what people edited, as far as nobody else edited the same thing, must end
//! the same in both.

use std::collections::BTreeMap;

use domain::Side;
use world::judge::canon::{Canon, Field};
use world::judge::edits::{Judged, What};
use world::judge::records::{self, Record};

use crate::whole::Ran;

/// A field of a ticket, where an edit was the last word in a life of the world.
type Place = (String, Field);

/// Differences, in words, and how many places were compared.
pub fn ends(one: &Ran, other: &Ran) -> (Vec<String>, usize) {
    let (first, second) = (last_words(one), last_words(other));
    let (values, others) = (values(one), values(other));
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (place, edit) in &first {
        let Some(same) = second.get(place).filter(|same| same.edit.id == edit.edit.id) else { continue };
        if edit.edit.what != same.edit.what {
            // Somebody found another state and chose another value: nothing to compare.
            continue;
        }
        compared += 1;
        let (a, b) = (values.get(place), others.get(place));
        if a != b {
            let (id, fate) = (&edit.edit.id, edit.fate);
            wrong.push(format!("ticket {}, {:?}, edit {id}, {fate:?}: {a:?} and {b:?}", place.0, place.1));
        }
    }
    (wrong, compared)
}

/// The last edit of each place, unless any two edits there coincided in this life.
fn last_words(ran: &Ran) -> BTreeMap<Place, &Judged> {
    let mut last: BTreeMap<Place, &Judged> = BTreeMap::new();
    let mut spoiled: Vec<Place> = Vec::new();
    for judged in &ran.details.judged {
        let edit = &judged.edit;
        if matches!(edit.what, What::Comment(_)) || edit.field == Field::Tags {
            continue;
        }
        let place = (edit.ticket.clone(), edit.field.clone());
        if judged.coincides {
            spoiled.push(place.clone());
        }
        last.insert(place, judged);
    }
    last.retain(|place, _| !spoiled.contains(place));
    last
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
