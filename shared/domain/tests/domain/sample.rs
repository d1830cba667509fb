//! Two small accounts and a pair of records that agree.

use std::collections::{BTreeMap, BTreeSet};

use domain::directory::{ClickupField, Directory, ZendeskField};
use domain::{
    LinkFields, ListId, ListInfo, Mapping, Person, Settings, Task, TaskId, Ticket, TicketId, Timestamp,
    UserId, bases_after_create, new_task,
};

use crate::services;

pub const TOML: &str = r#"
[zendesk]
url = "https://acme.zendesk.com"

[clickup]
url = "https://api.clickup.com"
workspace = "9001"

[sync]
link_back = "none"
comments_to_zendesk = "internal"

[[route]]
group = "Billing"
list = "Billing"

[[route]]
list = "Support"

[status]
new = "to do"
open = "to do"
pending = "waiting"
hold = "waiting"
solved = "complete"
closed = "Closed"

[people]
"mia@acme.test" = "mia.private@mail.test"

[[field]]
name = "severity"
zendesk = 11
clickup = "f-severity"

[[field]]
name = "hours"
zendesk = 12
clickup = "f-hours"

[[field]]
name = "vip"
zendesk = 13
clickup = "f-vip"

[[field]]
name = "areas"
zendesk = 14
clickup = "f-areas"

[[field]]
name = "visit"
zendesk = 15
clickup = "f-visit"

[[field]]
name = "notes"
zendesk = 16
clickup = "f-notes"
rule = "newest"

[scope]
closed = true
"#;

pub fn directory() -> Directory {
    let mut directory = Directory { zendesk_me: UserId(1), clickup_me: UserId(101), ..Directory::default() };
    for (id, name, mail, role, groups) in [
        (1, "deskup", "deskup@acme.test", "admin", vec![500, 501]),
        (2, "Ann", "ann@acme.test", "agent", vec![500]),
        (3, "Bob", "bob@acme.test", "agent", vec![500, 501]),
        (4, "Mia", "mia@acme.test", "agent", vec![501]),
        (5, "Zoe", "zoe@acme.test", "agent", vec![500]),
        (9, "Rita Requester", "rita@customer.test", "end-user", vec![]),
    ] {
        directory.zendesk_people.insert(UserId(id), person(id, name, mail, role, groups));
    }
    for (id, name, mail) in [
        (101, "deskup", "deskup@acme.test"),
        (102, "Ann", "Ann@acme.test"),
        (103, "Bob", "bob@acme.test"),
        (104, "Mia", "mia.private@mail.test"),
        (106, "Carl", "carl@acme.test"),
    ] {
        directory.clickup_people.insert(UserId(id), person(id, name, mail, "member", vec![]));
    }
    directory.groups = BTreeMap::from([(500, "Support".into()), (501, "Billing".into())]);
    directory.organizations = BTreeMap::from([(700, "Initech".into())]);
    for (id, name) in [("801", "Support"), ("802", "Billing")] {
        let statuses = [("to do", "open"), ("Waiting", "custom"), ("complete", "done"), ("Closed", "closed")];
        directory.lists.insert(
            list(id),
            ListInfo {
                id: list(id),
                name: name.into(),
                space: "1".into(),
                statuses: statuses.map(|(name, kind)| (name.into(), kind.into())).to_vec(),
            },
        );
    }
    fields(&mut directory);
    directory
}

fn fields(directory: &mut Directory) {
    let options = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect::<Vec<_>>()
    };
    let zendesk = [
        (11, "Severity", "tagger", options(&[("sev_low", "Low"), ("sev_high", "High"), ("sev_odd", "Odd")])),
        (12, "Hours", "decimal", vec![]),
        (13, "VIP", "checkbox", vec![]),
        (
            14,
            "Areas",
            "multiselect",
            options(&[("area_web", "Web"), ("area_app", "App"), ("area_ops", "Ops")]),
        ),
        (15, "Visit", "date", vec![]),
        (16, "Notes", "textarea", vec![]),
        (17, "Due", "date", vec![]),
    ];
    for (id, title, kind, options) in zendesk {
        let field = ZendeskField { id, title: title.into(), kind: kind.into(), options };
        directory.zendesk_fields.insert(id, field);
    }
    let clickup = [
        (
            "f-severity",
            "Severity",
            "drop_down",
            options(&[("u-low", "low"), ("u-high", "High"), ("u-max", "Max")]),
        ),
        ("f-hours", "Hours", "number", vec![]),
        ("f-vip", "VIP", "checkbox", vec![]),
        ("f-areas", "Areas", "labels", options(&[("u-web", "Web"), ("u-app", "App"), ("u-law", "Law")])),
        ("f-visit", "Visit", "date", vec![]),
        ("f-notes", "Notes", "text", vec![]),
    ];
    for (id, name, kind, options) in clickup {
        let lists = BTreeSet::from([list("801"), list("802")]);
        let field = ClickupField { id: id.into(), name: name.into(), kind: kind.into(), options, lists };
        directory.clickup_fields.insert(id.into(), field);
    }
}

fn person(id: i64, name: &str, mail: &str, role: &str, groups: Vec<u64>) -> Person {
    Person {
        id: Some(UserId(id)),
        name: name.into(),
        email: Some(mail.to_lowercase()),
        role: role.into(),
        active: true,
        groups: groups.into_iter().collect(),
    }
}

pub fn list(id: &str) -> ListId {
    ListId::new(id).unwrap()
}

/// The sample settings with some lines exchanged.
pub fn toml_with(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(TOML.to_owned(), |toml, (from, to)| {
        assert!(toml.contains(from), "the sample has no `{from}`");
        toml.replacen(from, to, 1)
    })
}

pub fn mapping() -> Mapping {
    mapping_with(&[])
}

pub fn mapping_with(changes: &[(&str, &str)]) -> Mapping {
    Mapping::new(&Settings::parse(&toml_with(changes)).unwrap(), &directory()).unwrap()
}

pub fn ticket() -> Ticket {
    Ticket {
        id: TicketId::new(7).unwrap(),
        subject: Some("Printer on fire".into()),
        description: "It burns.\nPlease help.".into(),
        status: "open".into(),
        custom_status_id: None,
        priority: Some("normal".into()),
        ticket_type: None,
        assignee: Some(UserId(2)),
        group: Some(500),
        requester: Some(UserId(9)),
        organization: Some(700),
        form: None,
        brand: None,
        tags: BTreeSet::from(["printer".into(), "sev_low".into()]),
        custom_fields: BTreeMap::from([(11, "sev_low".into())]),
        due_at: None,
        external_id: None,
        is_public: true,
        created: Timestamp(1_700_000_000_000),
        updated: Timestamp(1_700_000_000_000),
        updated_stamp: "2023-11-14T22:13:20Z".into(),
    }
}

/// The task that ClickUp makes of a ticket, and the bases that follow.
pub fn mirrored(ticket: &Ticket, mapping: &Mapping) -> (Task, LinkFields, Vec<domain::Conflict>) {
    let plan = new_task(ticket, mapping, "n0nce", "https://acme.zendesk.com/agent/tickets/7");
    let task = services::create_task(TaskId::new("868f9p6ad").unwrap(), &plan.list, &plan.task, mapping);
    let (fields, conflicts) = bases_after_create(ticket, &task, mapping);
    (task, fields, conflicts)
}
