//! Reads who and what there is on both sides: the part of the two accounts that a mapping needs.

use std::collections::{BTreeMap, BTreeSet};

use crate::local::ConnectError;
use clients::{ApiError, ApiResult, ClickUp, CustomStatus, ErrorKind, TicketField, Zendesk};
use domain::{ClickupField, Directory, ListId, Person, UserId, ZendeskField};

/// Asks both services. `lists` are the ClickUp lists that the settings name.
pub async fn load(zendesk: &Zendesk, clickup: &ClickUp, lists: &[ListId]) -> Result<Directory, ConnectError> {
    let zendesk_me = zendesk.me().await.map_err(at("Zendesk did not accept the credentials"))?;
    if zendesk_me.id.is_none() {
        // Zendesk answers wrong credentials with 200 and its anonymous user.
        let source =
            ApiError::new(clients::Api::Zendesk, "GET /users/me", ErrorKind::Auth).with_code("AnonymousUser");
        return Err(ConnectError::Api { what: "Zendesk did not accept the credentials", source });
    }
    let clickup_me = clickup.me().await.map_err(at("ClickUp did not accept the token"))?;
    read(zendesk, clickup, lists, (zendesk_me, clickup_me)).await
}

fn at(what: &'static str) -> impl Fn(ApiError) -> ConnectError {
    move |source| ConnectError::Api { what, source }
}

async fn read(
    zendesk: &Zendesk,
    clickup: &ClickUp,
    lists: &[ListId],
    (zendesk_me, clickup_me): (Person, Person),
) -> Result<Directory, ConnectError> {
    let mut directory = Directory {
        zendesk_me: zendesk_me.id.unwrap_or(UserId(0)),
        clickup_me: clickup_me.id.unwrap_or(UserId(0)),
        ..Directory::default()
    };
    add_zendesk(zendesk, &mut directory).await.map_err(at("the Zendesk account could not be read"))?;
    directory.clickup_people =
        by_id(clickup.members().await.map_err(at("the ClickUp workspace could not be read"))?);
    for list in lists {
        add_list(clickup, list, &mut directory)
            .await
            .map_err(at("a ClickUp list of the mapping could not be read"))?;
    }
    Ok(directory)
}

/// What a first look at an account wants to know beyond the directory: what is in use.
pub(crate) struct Definitions {
    /// Ticket fields.
    pub fields: Vec<TicketField>,
    /// Custom statuses.
    pub statuses: Vec<CustomStatus>,
}

/// Zendesk's half.
pub(crate) async fn add_zendesk(zendesk: &Zendesk, directory: &mut Directory) -> ApiResult<Definitions> {
    directory.zendesk_people = by_id(zendesk.agents().await?);
    directory.groups = zendesk.groups().await?.into_iter().collect();
    let definitions =
        Definitions { fields: zendesk.ticket_fields().await?, statuses: zendesk.custom_statuses().await? };
    for field in &definitions.fields {
        let field = field.clone();
        let field =
            ZendeskField { id: field.id, title: field.title, kind: field.kind, options: field.options };
        directory.zendesk_fields.insert(field.id, field);
    }
    for status in &definitions.statuses {
        directory.custom_statuses.insert(status.id, (status.category.clone(), status.label.clone()));
    }
    Ok(definitions)
}

/// One list of ClickUp with its fields.
pub(crate) async fn add_list(clickup: &ClickUp, list: &ListId, directory: &mut Directory) -> ApiResult<()> {
    let info = clickup.list(list).await?;
    directory.lists.insert(list.clone(), info);
    for field in clickup.fields(list).await? {
        let entry = directory.clickup_fields.entry(field.id.clone()).or_insert_with(|| ClickupField {
            id: field.id.clone(),
            name: field.name.clone(),
            kind: field.kind.clone(),
            options: field.options.clone(),
            lists: BTreeSet::new(),
        });
        entry.lists.insert(list.clone());
    }
    let guests = clickup.list_members(list).await?.iter().any(|person| person.role == "guest");
    directory.guests_can_see.insert(list.clone(), guests);
    Ok(())
}

pub(crate) fn by_id(people: Vec<Person>) -> BTreeMap<UserId, Person> {
    people.into_iter().filter_map(|person| person.id.map(|id| (id, person))).collect()
}
