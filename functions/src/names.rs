//! Keeps what both services call their people, lists and options, so that a state can be read without asking them.

use domain::{Directory, Person, Side};
use stores::names::Known;
use stores::{Store, StoreError};

/// People who may stand in a field; an account may have any number of requesters.
fn is_worked_with(person: &Person) -> bool {
    person.role != "end-user"
}

/// Keeps the names of both accounts.
pub async fn keep(store: &Store, directory: &Directory) -> Result<(), StoreError> {
    for side in [Side::Zendesk, Side::Clickup] {
        store.names().keep(side, &of(side, directory)).await?;
    }
    Ok(())
}

fn of(side: Side, directory: &Directory) -> Known {
    let (me, people) = match side {
        Side::Zendesk => (directory.zendesk_me, &directory.zendesk_people),
        Side::Clickup => (directory.clickup_me, &directory.clickup_people),
    };
    let mut known = Known { me: Some(me.0), ..Known::default() };
    for (id, person) in people.iter().filter(|(_, person)| is_worked_with(person)) {
        known.names.insert(id.to_string(), person.name.clone());
    }
    known.names.insert(me.to_string(), "deskup".to_owned());
    match side {
        Side::Zendesk => {
            for (id, (category, label)) in &directory.custom_statuses {
                known.names.insert(format!("{category}#{id}"), label.clone());
            }
        }
        Side::Clickup => {
            for (id, list) in &directory.lists {
                // Apart from people and options, which stand in fields.
                known.names.insert(format!("list {id}"), list.name.clone());
            }
            let options = directory.clickup_fields.values().flat_map(|field| &field.options);
            known.names.extend(options.map(|(id, name)| (id.clone(), name.clone())));
        }
    }
    known
}
