//! Accounts whose names are as odd as names can be.

use std::collections::BTreeSet;

use domain::directory::{ClickupField, ZendeskField};
use domain::proposal::{OwnStatus, Place, Snapshot};
use domain::{ListId, ListInfo, Person, UserId};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

const NASTY: &[&str] = &[
    "",
    " ",
    "Support",
    "support",
    "Billing ",
    " Billing",
    "\"quoted\"",
    "it's '''odd'''",
    "two\nlines",
    "tab\there",
    "\u{0}\u{1}\u{7f}\u{9b}",
    "\u{202e}evil",
    "שלום",
    "مرحبا بالعالم",
    "to_zendesk",
    "# no comment",
    "a = \"b\"",
    "[[route]]",
    "back\\slash",
    "😀",
    "—",
    "open",
    "closed",
    "Waiting",
    "waiting on customer",
    "on hold",
    "in progress",
    "In Review",
    "to do",
    "done",
    "Done",
    "complete",
    "Won't do",
    "Blocked",
    "inbox",
    "\u{2028}line",
    "\r\n",
    "e\u{301}",
    "ß",
    "SS",
    "İ",
];

pub fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(NASTY).prop_map(str::to_owned),
        1 => "\\PC{0,12}",
        1 => vec(any::<char>(), 0..8).prop_map(|chars| chars.into_iter().collect::<String>()),
    ]
}

fn statuses() -> impl Strategy<Value = Vec<(String, String)>> {
    let kind = proptest::sample::select(vec!["open", "custom", "done", "closed", "unstarted", "new kind"]);
    vec((name(), kind.prop_map(str::to_owned)), 0..7)
}

fn options() -> impl Strategy<Value = Vec<(String, String)>> {
    vec((name(), name()), 0..5)
}

type Fields =
    (Vec<(String, String, Vec<(String, String)>)>, Vec<(String, String, Vec<(String, String)>, bool)>);

fn fields() -> impl Strategy<Value = Fields> {
    let zendesk = proptest::sample::select(vec![
        "text",
        "textarea",
        "integer",
        "decimal",
        "checkbox",
        "date",
        "tagger",
        "multiselect",
        "subject",
        "odd\nkind",
    ]);
    let clickup = proptest::sample::select(vec![
        "short_text",
        "text",
        "number",
        "checkbox",
        "date",
        "drop_down",
        "labels",
        "users",
        "odd\nkind",
    ]);
    (
        vec((name(), zendesk.prop_map(str::to_owned), options()), 0..5),
        vec((name(), clickup.prop_map(str::to_owned), options(), any::<bool>()), 0..5),
    )
}

fn person(id: i64, name: String, mail: String, active: bool) -> (UserId, Person) {
    let email = (!mail.is_empty()).then(|| mail.to_lowercase());
    let person =
        Person { id: Some(UserId(id)), name, email, role: "agent".into(), active, groups: BTreeSet::new() };
    (UserId(id), person)
}

prop_compose! {
    pub fn accounts()(
        groups in btree_map(1..9_u64, name(), 0..5),
        lists in vec((name(), statuses(), any::<bool>()), 1..5),
        (zendesk_fields, clickup_fields) in fields(),
        agents in vec((name(), name(), any::<bool>()), 0..4),
        members in vec((name(), name(), any::<bool>()), 0..4),
        custom in vec((0..5_usize, name(), any::<bool>()), 0..4),
        (workspace_name, zone, organization) in (name(), name(), name()),
        forms in vec(name(), 0..3),
    ) -> Snapshot {
        let mut snapshot = Snapshot {
            zendesk_url: "https://acme.zendesk.com".to_owned(),
            clickup_url: "http://127.0.0.1:1".to_owned(),
            workspace: "9001".to_owned(),
            workspace_name,
            time_zone: Some(zone),
            organizations: vec![(700, organization)],
            forms: (1..).zip(forms).collect(),
            ..Snapshot::default()
        };
        let directory = &mut snapshot.directory;
        directory.groups = groups;
        directory.zendesk_me = UserId(1);
        directory.clickup_me = UserId(1);
        for (at, (name, statuses, guests)) in lists.into_iter().enumerate() {
            let id = ListId::new(format!("90{at}")).unwrap();
            snapshot.places.push(Place { list: id.clone(), name: name.clone(), space: name.clone(), folder: Some(name.clone()) });
            directory.guests_can_see.insert(id.clone(), guests);
            directory.lists.insert(id.clone(), ListInfo { id, name, space: "1".into(), statuses });
        }
        let all: BTreeSet<ListId> = directory.lists.keys().cloned().collect();
        for (id, (title, kind, options)) in (10..).zip(zendesk_fields) {
            directory.zendesk_fields.insert(id, ZendeskField { id, title, kind, options });
        }
        for (at, (name, kind, options, everywhere)) in clickup_fields.into_iter().enumerate() {
            let lists = if everywhere { all.clone() } else { all.iter().take(1).cloned().collect() };
            let id = format!("f-{at}");
            directory.clickup_fields.insert(id.clone(), ClickupField { id, name, kind, options, lists });
        }
        directory.zendesk_people = (2..).zip(agents).map(|(id, (name, mail, active))| person(id, name, mail, active)).collect();
        directory.clickup_people = (2..).zip(members).map(|(id, (name, mail, active))| person(id, name, mail, active)).collect();
        for (id, (category, label, own)) in (50..).zip(custom) {
            let category = ["new", "open", "pending", "hold", "solved"][category].to_owned();
            directory.custom_statuses.insert(id, (category.clone(), label.clone()));
            if own {
                snapshot.own_statuses.push(OwnStatus { id, category, label });
            }
        }
        snapshot
    }
}
