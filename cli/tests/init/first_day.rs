//! From two accounts and credentials to a mapping that fits, and again.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use domain::Settings;

use super::accounts::{Accounts, deskup, folder};
use super::{SECRETS, init, json, names, run, texts};

#[test]
fn from_flags_alone_to_a_mapping_that_fits_both_accounts() {
    let accounts = Accounts::open(12, 3);
    let dir = folder("init-flags");
    let told = json(init(&accounts, &dir, &["--workspace", accounts.ports.workspace(), "--json"]));
    assert_eq!((told["written"].as_bool(), told["credentials_file"].is_null()), (Some(true), true));
    assert_eq!(told["clickup"]["user"]["role"], "admin");
    assert_eq!(told["clickup"]["plan"], "Business");
    assert_eq!(told["zendesk"]["user"]["role"], "admin");
    assert_eq!(names(&dir), ["deskup.toml"], "credentials of the environment stay there");
    let text = std::fs::read_to_string(dir.join("deskup.toml")).unwrap();
    let proposed = Settings::parse(&text).unwrap();
    let expert = Settings::parse(&accounts.settings()).unwrap();
    let table = |settings: &Settings| -> Vec<(String, String)> {
        settings.status.iter().map(|(z, c)| (z.value.clone(), c.value.clone())).collect()
    };
    assert_eq!(table(&proposed), table(&expert), "statuses by meaning");
    let back = |settings: &Settings| -> Vec<(String, String)> {
        settings.status_to_zendesk.iter().map(|(c, z)| (c.value.clone(), z.value.clone())).collect()
    };
    assert_eq!(back(&proposed), back(&expert), "and back");
    let fields = |settings: &Settings| -> BTreeSet<(u64, String)> {
        settings.custom.iter().map(|field| (field.zendesk.value, field.clickup.value.clone())).collect()
    };
    assert_eq!(fields(&proposed), fields(&expert), "fields by name and type");
    let lists = |settings: &Settings| -> Vec<String> {
        settings.routes.iter().map(|route| route.list.value.to_string()).collect()
    };
    let expected: Vec<String> = lists(&expert)
        .into_iter()
        .filter(|id| {
            let plan = accounts.ports.scenario.workspace.list(id).unwrap();
            !["Support VIP", "Hardware"].contains(&plan.name)
        })
        .collect();
    assert_eq!(lists(&proposed), expected, "lists by the names of groups, the inbox for the rest");
    let careful = domain::Scope { limit: Some(20), ..domain::Scope::default() };
    assert_eq!(
        (&proposed.scope, proposed.internal_notes_to_clickup),
        (&careful, false),
        "careful by default"
    );
    let checked = json(accounts.deskup(&dir, &["check", "--json"]));
    assert_eq!(
        (checked["fine"].as_bool(), checked["mistakes"].as_array().map(Vec::len)),
        (Some(true), Some(0))
    );
    assert_eq!(accounts.changes(), 0, "nothing is written to either account");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_person_reads_what_was_found_and_what_is_left_to_decide() {
    let accounts = Accounts::open(4, 5);
    let dir = folder("init-words");
    let (output, out, err) = run(init(&accounts, &dir, &[]));
    assert!(output.status.success(), "{err}");
    for words in [
        "Zendesk",
        "as deskup",
        "admin",
        "requests a minute",
        "Left to you",
        "in review",
        "deskup check",
        "looked at",
    ] {
        assert!(out.contains(words), "`{words}` is missing in:\n{out}");
    }
    assert!(err.contains("reading"), "progress goes to stderr: {err}");
    assert!(!out.contains('\u{1b}'), "no colour where none is wanted");
    let widest = out.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{out}");
    let file = std::fs::read_to_string(dir.join("deskup.toml")).unwrap();
    assert!(file.lines().filter(|line| line.starts_with("# ? ")).count() >= 2, "{file}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_plan_names_people_and_says_of_each_once() {
    let accounts = Accounts::open(20, 1);
    let dir = folder("init-people");
    json(init(&accounts, &dir, &["--json"]));
    let (output, out, err) = run(accounts.deskup(&dir, &["plan"]));
    assert!(output.status.success(), "{err}");
    let told = |part: &str| part.matches("is nobody in ClickUp").count();
    assert!(told(&out) > 0 && out.contains("Zendesk's user Mei Lin is nobody"), "{out}");
    assert!(out.split("\n\n").all(|ticket| told(ticket) < 2), "{out}");
    assert!(out.contains("linked pairs   none yet"), "{out}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn it_works_again_and_again_and_never_over_a_file_of_yours() {
    let accounts = Accounts::open(3, 1);
    let dir = folder("init-again");
    let file = dir.join("deskup.toml");
    json(init(&accounts, &dir, &["--json"]));
    let first = std::fs::read_to_string(&file).unwrap();
    // The addresses are known from the file, and nothing has changed.
    let again = json(accounts.deskup(&dir, &["init", "--json"]));
    assert_eq!((again["written"].as_bool(), again["backup"].is_null()), (Some(false), true));
    let mine = format!("{first}\n# mine\n");
    std::fs::write(&file, &mine).unwrap();
    let (output, _, err) = run(init(&accounts, &dir, &[]));
    assert_eq!(output.status.code(), Some(2));
    assert!(err.contains("deskup.toml") && err.contains("--force"), "{err}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), mine);
    for backup in ["deskup.toml.bak", "deskup.toml.bak2"] {
        std::fs::write(&file, &mine).unwrap();
        let forced = json(init(&accounts, &dir, &["--force", "--json"]));
        assert!(forced["backup"].as_str().unwrap().ends_with(backup), "{}", forced["backup"]);
        assert_eq!(std::fs::read_to_string(dir.join(backup)).unwrap(), mine);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), first);
    }
    assert_eq!(names(&dir), ["deskup.toml", "deskup.toml.bak", "deskup.toml.bak2"]);
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn credentials_are_kept_only_when_wanted_and_only_for_their_owner() {
    let accounts = Accounts::open(3, 2);
    let dir = folder("init-secrets");
    json(init(&accounts, &dir, &["--save-credentials", "--json"]));
    let kept = dir.join("credentials.toml");
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    // The file alone is enough now.
    let (output, _, err) = run(deskup(&dir, &["check"]));
    assert!(output.status.success(), "{err}");
    let other = folder("init-secrets-2");
    let secrets = kept.to_str().unwrap();
    let ports = &accounts.ports;
    let from_file = || {
        deskup(
            &other,
            &[
                "init",
                "--zendesk-url",
                &ports.zendesk_url,
                "--clickup-url",
                &ports.clickup_url,
                "--secrets-file",
                secrets,
            ],
        )
    };
    let (output, _, err) = run(from_file());
    assert!(output.status.success(), "{err}");
    assert_eq!(
        std::fs::read_to_string(other.join("credentials.toml")).unwrap(),
        std::fs::read_to_string(&kept).unwrap()
    );
    std::fs::set_permissions(&kept, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (output, _, err) = run(from_file());
    assert_eq!(output.status.code(), Some(2));
    assert!(err.contains("chmod 600"), "{err}");
    let file = std::fs::read_to_string(dir.join("deskup.toml")).unwrap();
    assert!(SECRETS.iter().all(|secret| !file.contains(secret)));
    for dir in [dir, other] {
        std::fs::remove_dir_all(&dir).unwrap();
    }
}

#[test]
fn lists_and_spaces_are_chosen_by_name() {
    let accounts = Accounts::open(3, 1);
    let dir = folder("init-lists");
    json(init(
        &accounts,
        &dir,
        &["--list", "billing", "--list", "Technical", "--utc-offset", "-03:30", "--json"],
    ));
    let settings = Settings::parse(&std::fs::read_to_string(dir.join("deskup.toml")).unwrap()).unwrap();
    let name = |id: &str| accounts.ports.scenario.workspace.list(id).unwrap().name;
    let lists: Vec<&str> = settings.routes.iter().map(|route| name(&route.list.value.to_string())).collect();
    assert_eq!((lists, settings.utc_offset_minutes), (vec!["Technical", "Billing"], -210));
    json(init(&accounts, &dir, &["--space", "engineering", "--force", "--json"]));
    let settings = Settings::parse(&std::fs::read_to_string(dir.join("deskup.toml")).unwrap()).unwrap();
    assert!(
        settings
            .routes
            .iter()
            .all(|route| ["Technical", "Hardware"].contains(&name(&route.list.value.to_string())))
    );
    for (option, value) in [("--list", "Nowhere"), ("--space", "Nowhere"), ("--utc-offset", "2h")] {
        let (output, _, err) = run(init(&accounts, &dir, &["--force", option, value]));
        assert_eq!(output.status.code(), Some(2), "{option}");
        assert!(err.contains(option) && err.contains(value), "{err}");
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_user_that_people_work_with_is_named() {
    let accounts = Accounts::open(3, 1);
    let dir = folder("init-own");
    let now_ms = super::accounts::wall_ms();
    let me = accounts.ports.scenario.cast.zendesk_sync;
    let requester = accounts.ports.scenario.cast.customers[0].id;
    let ticket = accounts
        .ports
        .zendesk
        .seed(|seed| {
            let mut ticket =
                simulators::zendesk::TicketSeed::new(requester, "Typed by hand", "x", now_ms - 90_000_000);
            ticket.comments.push(simulators::zendesk::CommentSeed {
                author: me,
                body: "Answered by hand".to_owned(),
                public: false,
                at_ms: now_ms - 80_000_000,
                attachments: Vec::new(),
            });
            seed.add_ticket(ticket)
        })
        .unwrap();
    let list = accounts.ports.scenario.workspace.lists[0].id.clone();
    let task = accounts.ports.clickup.seed(|seed| {
        seed.add_task(simulators::clickup::TaskSeed {
            list,
            name: "Made by hand".to_owned(),
            creator: world::seedwork::cast::CLICKUP_SYNC_ID,
            ..Default::default()
        })
    });
    let task = task.unwrap().unwrap();
    let told = json(init(&accounts, &dir, &["--json"]));
    let users: Vec<String> = texts(&told["warnings"], "text")
        .into_iter()
        .filter(|text| text.contains("not deskup's own"))
        .collect();
    assert_eq!(users.len(), 2, "{users:?}");
    assert!(
        users[0].contains("deskup@northwind.example") && users[0].contains(&format!("tickets {ticket} ")),
        "{users:?}"
    );
    assert!(users[1].contains(&task), "{users:?}");
    assert!(told["zendesk"]["looked"]["looked_at"].as_u64() >= Some(2));
    let checked = json(accounts.deskup(&dir, &["check", "--json"]));
    assert!(texts(&checked["warnings"], "topic").contains(&"users".to_owned()), "{checked}");
    std::fs::remove_dir_all(&dir).unwrap();
}
