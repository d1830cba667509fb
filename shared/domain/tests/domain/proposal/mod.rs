//! Proposals: what a person gets to read, and that whatever the accounts hold, the file is accepted for them.

mod generated;

use std::collections::BTreeMap;

use domain::proposal::{Choices, OwnStatus, Place, Selection, Snapshot, propose, select};
use domain::{Mapping, Settings};
use expect_test::{expect, expect_file};
use proptest::prelude::*;

use self::generated::{accounts, name};
use crate::sample;

fn place(id: &str, name: &str, folder: Option<&str>) -> Place {
    Place {
        list: sample::list(id),
        name: name.to_owned(),
        space: "Service".to_owned(),
        folder: folder.map(str::to_owned),
    }
}

fn snapshot() -> Snapshot {
    let mut directory = sample::directory();
    directory.custom_statuses = BTreeMap::from([
        (31, ("open".to_owned(), "Open".to_owned())),
        (32, ("pending".to_owned(), "Waiting".to_owned())),
        (33, ("hold".to_owned(), "Vendor \"X\"".to_owned())),
    ]);
    let own = |id: u64, category: &str, label: &str| OwnStatus {
        id,
        category: category.to_owned(),
        label: label.to_owned(),
    };
    Snapshot {
        zendesk_url: "https://acme.zendesk.com".to_owned(),
        clickup_url: "https://api.clickup.com".to_owned(),
        workspace: "9001".to_owned(),
        workspace_name: "Acme".to_owned(),
        directory,
        places: vec![
            place("801", "Support", None),
            place("802", "Billing", Some("Money")),
            place("803", "Initech", None),
        ],
        own_statuses: vec![own(32, "pending", "Waiting"), own(33, "hold", "Vendor \"X\"")],
        time_zone: Some("Europe/Berlin".to_owned()),
        organizations: vec![(700, "Initech".to_owned())],
        ..Snapshot::default()
    }
}

fn proposed(snapshot: &Snapshot, choices: &Choices) -> domain::proposal::Proposal {
    let selection = select(&snapshot.directory.groups, &snapshot.places, choices).unwrap();
    propose(snapshot, &selection, choices).unwrap()
}

#[test]
fn every_line_says_what_it_does_and_what_is_open_stands_beside_it() {
    let proposal = proposed(&snapshot(), &Choices::default());
    expect_file!["./expected.toml"].assert_eq(&proposal.toml);
    let open: Vec<String> =
        proposal.open.iter().map(|open| format!("{}: {}", open.table, open.text)).collect();
    expect![[r#"
        clickup: deskup's ClickUp user lives in Europe/Berlin: write its offset from UTC, such as "+02:00", or set the user's zone to UTC
        route: this list was chosen by its name alone: is it the one for all other tickets?
        route: list 803 has the name of the organization `Initech`: a [[route]] with organization = 700 before the last one would send its tickets there
        status: no status of the lists says `hold`; it shows as `Waiting`
        status: Zendesk's own status `Vendor "X"` counts as hold, so its tickets show as `Waiting`; to tell it apart add: "Vendor \"X\"" = "…"
        people: agents whose address nobody has in ClickUp: `Mia`, `Zoe`. Their tickets get tasks without an assignee
        fields: to keep due dates in Zendesk's field `Due` instead, add zendesk_field = 17 here
        field: options of `Severity` that ClickUp does not have: `Odd`
        field: options of `Severity` that Zendesk does not have: `Max`
        field: options of `Areas` that ClickUp does not have: `Ops`
        field: options of `Areas` that Zendesk does not have: `Law`"#]].assert_eq(&open.join("\n"));
    expect![[r#"
        Found {
            lists: 2,
            groups_routed: 1,
            groups: 2,
            people_matched: 2,
            people: 4,
            fields: 6,
            statuses: 5,
        }
    "#]]
    .assert_debug_eq(&proposal.found);
    accepted(&snapshot(), &Choices::default()).unwrap();
}

#[test]
fn a_list_that_shares_no_statuses_is_left_out_and_said() {
    let mut snapshot = snapshot();
    let billing = snapshot.directory.lists.get_mut(&sample::list("802")).unwrap();
    billing.statuses =
        vec![("Neu".to_owned(), "open".to_owned()), ("Fertig".to_owned(), "closed".to_owned())];
    let proposal = proposed(&snapshot, &Choices::default());
    assert_eq!(proposal.found.groups_routed, 0);
    assert!(
        proposal.open.iter().any(|open| open.text.contains("`Billing`") && open.text.contains("`to do`"))
    );
    accepted(&snapshot, &Choices::default()).unwrap();
}

#[test]
fn a_list_with_fewer_statuses_takes_the_others_along() {
    let mut snapshot = snapshot();
    snapshot.directory.lists.get_mut(&sample::list("802")).unwrap().statuses.remove(1);
    let proposal = proposed(&snapshot, &Choices::default());
    assert_eq!(proposal.found.groups_routed, 1);
    let settings = Settings::parse(&proposal.toml).unwrap();
    let pending = settings.status.iter().find(|(zendesk, _)| zendesk.value == "pending").unwrap();
    assert_eq!(pending.1.value, "to do");
    accepted(&snapshot, &Choices::default()).unwrap();
}

#[test]
fn options_that_only_look_different_are_named() {
    let mut snapshot = snapshot();
    let field = snapshot.directory.clickup_fields.get_mut("f-severity").unwrap();
    field.options =
        vec![("u1".into(), "LOW!".into()), ("u2".into(), "high".into()), ("u3".into(), "max".into())];
    let settings = Settings::parse(&proposed(&snapshot, &Choices::default()).toml).unwrap();
    let severity = settings.custom.iter().find(|field| field.name.value == "Severity").unwrap();
    let pairs: Vec<(&str, &str)> =
        severity.options.iter().map(|(z, c)| (z.value.as_str(), c.value.as_str())).collect();
    assert_eq!(pairs, [("sev_low", "LOW!"), ("sev_high", "high")]);
    accepted(&snapshot, &Choices::default()).unwrap();
}

#[test]
fn a_list_without_statuses_is_refused_by_name() {
    let mut snapshot = snapshot();
    snapshot.directory.lists.get_mut(&sample::list("801")).unwrap().statuses.clear();
    let selection = select(&snapshot.directory.groups, &snapshot.places, &Choices::default()).unwrap();
    let error = propose(&snapshot, &selection, &Choices::default()).unwrap_err();
    assert!(error.to_string().contains("`Support`"), "{error}");
}

/// The file is read without a mistake, accepted for the accounts, shows what it says, and is the same again.
fn accepted(snapshot: &Snapshot, choices: &Choices) -> Result<Option<Settings>, String> {
    let Some(selection) = select(&snapshot.directory.groups, &snapshot.places, choices) else {
        return Ok(None);
    };
    let Ok(proposal) = propose(snapshot, &selection, choices) else { return Ok(None) };
    let toml = &proposal.toml;
    let told = |mistakes: Vec<domain::Mistake>| {
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        format!("{}\n{toml}", lines.join("\n"))
    };
    let settings = Settings::parse(toml).map_err(told)?;
    Mapping::new(&settings, &snapshot.directory).map_err(told)?;
    if let Some(c) = toml.chars().find(|c| *c != '\n' && (c.is_control() || *c == '\u{202e}')) {
        return Err(format!("{c:?} stands in the file"));
    }
    let again = propose(snapshot, &selection, choices).map_err(|error| error.to_string())?;
    if again != proposal { Err("not the same again".to_owned()) } else { Ok(Some(settings)) }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    /// What is proposed for two accounts is read without a mistake and accepted for them, whatever is in their names.
    #[test]
    fn what_is_proposed_is_always_accepted(snapshot in accounts(), chosen in proptest::option::of(0..5_usize)) {
        let lists = chosen.and_then(|at| snapshot.places.get(at)).map(|place| place.list.clone());
        let choices = Choices { lists: lists.into_iter().collect(), utc_offset: Some("-03:30".to_owned()) };
        prop_assert_eq!(accepted(&snapshot, &choices).map(drop), Ok(()));
    }

    /// Names arrive in the settings as the services have them, but for blanks around them.
    #[test]
    fn names_survive(wait in name(), field in name()) {
        prop_assume!(!wait.trim().is_empty() && field.chars().any(char::is_alphanumeric));
        prop_assume!(!["to do", "complete"].contains(&wait.trim().to_lowercase().as_str()));
        let mut snapshot = snapshot();
        snapshot.places.truncate(1);
        let list = snapshot.directory.lists.get_mut(&sample::list("801")).unwrap();
        list.statuses = vec![
            ("to do".into(), "open".into()), (wait.clone(), "custom".into()), ("complete".into(), "closed".into()),
        ];
        snapshot.directory.zendesk_fields.get_mut(&16).unwrap().title = field.clone();
        snapshot.directory.clickup_fields.get_mut("f-notes").unwrap().name = field.to_uppercase();
        let settings = accepted(&snapshot, &Choices::default()).unwrap().unwrap();
        let notes = settings.custom.iter().find(|custom| custom.zendesk.value == 16);
        // A name that another field has, or whose letters have more than one upper case, is nobody's.
        if let Some(notes) = notes {
            prop_assert_eq!(notes.name.value.as_str(), field.trim());
        }
        let named = settings.status.iter().map(|(_, clickup)| clickup).chain(settings.status_to_zendesk.iter().map(|(clickup, _)| clickup));
        for name in named {
            prop_assert!([wait.trim(), "to do", "complete"].contains(&name.value.as_str()), "{:?}", name.value);
        }
    }
}

/// A writer that does not escape is caught by the same property.
#[test]
fn a_file_that_says_something_else_would_be_found() {
    let mut snapshot = snapshot();
    snapshot.directory.lists.get_mut(&sample::list("801")).unwrap().statuses[0].0 = "to \"do\"".to_owned();
    snapshot.directory.lists.get_mut(&sample::list("802")).unwrap().statuses[0].0 = "to \"do\"".to_owned();
    let selection: Selection =
        select(&snapshot.directory.groups, &snapshot.places, &Choices::default()).unwrap();
    let toml = propose(&snapshot, &selection, &Choices::default()).unwrap().toml;
    assert!(Settings::parse(&toml).is_ok());
    let careless = toml.replace("to \\\"do\\\"", "to \"do\"");
    assert!(careless != toml && Settings::parse(&careless).is_err());
}
