//! `deskup serve` and `deskup webhooks` as processes between two accounts on ports, in real time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accounts;
mod desk;
mod gate;

use accounts::{deskup, said};
use desk::Desk;
use gate::Lead;
use simulators::zendesk::Role;

#[test]
fn both_sides_follow_a_second_one_is_refused_and_a_stop_is_in_order() {
    let desk = Desk::open("follow");
    let mut serving = desk.serve(&[]);
    desk.is_ready();
    desk.on_ticket(1, "priority", "urgent");
    let task = desk.task_of(1);
    desk.task_shows(&task, "/priority/priority", "urgent");
    desk.on_task(&task, "name", "Renamed in ClickUp");
    desk.ticket_shows(1, "subject", "Renamed in ClickUp");
    // A second one says who holds the state.
    let second = desk.deskup(&["serve", "--from-now"]).output().unwrap();
    let (_, told) = said(&second);
    assert_eq!(second.status.code(), Some(3), "{told}");
    assert!(told.contains(&format!("process {}", serving.0.id())), "{told}");
    // Other commands look through the one that serves.
    let status = desk.deskup(&["status", "--json"]).output().unwrap();
    assert!(status.status.success(), "{}", said(&status).1);
    serving.signal("TERM");
    assert_eq!(serving.end().code(), Some(0), "{}", desk.told());
    assert!(desk.told().contains("stopped in order"), "{}", desk.told());
    for text in ["Renamed in ClickUp", "pk_", "simulated-secret"] {
        assert!(!desk.told().contains(text), "`{text}` is told: {}", desk.told());
    }
}

#[test]
fn what_changed_while_it_was_down_is_found_by_the_cursors() {
    let desk = Desk::open("cursors");
    let mut serving = desk.serve(&[]);
    desk.is_ready();
    desk.on_ticket(1, "priority", "urgent");
    let task = desk.task_of(1);
    desk.task_shows(&task, "/priority/priority", "urgent");
    desk.is_calm(1);
    desk.is_listed(&task);
    assert_eq!(desk.alarms(), Vec::<String>::new(), "all is well while it serves");
    // As a power cut would.
    serving.0.kill().unwrap();
    serving.end();
    assert_eq!(desk.alarms(), ["not_running"]);
    desk.gate.lead(Lead::Cut);
    desk.on_task(&task, "name", "Renamed meanwhile");
    // Nobody reaches it from outside any more: it says so, and works from the cursors alone.
    desk.write_settings(&desk.listens());
    let mut serving = desk.serve(&[]);
    desk.ticket_shows(1, "subject", "Renamed meanwhile");
    let told = desk.told();
    for words in ["did not stop in order", "from the cursors alone", "within about two minutes"] {
        assert!(told.contains(words), "`{words}` is missing in: {told}");
    }
    serving.signal("INT");
    assert_eq!(serving.end().code(), Some(0), "{}", desk.told());
    assert_eq!(desk.alarms(), Vec::<String>::new(), "it was stopped on purpose");
}

#[test]
fn a_revoked_user_pauses_with_a_reason_and_work_goes_on_by_itself() {
    let desk = Desk::open("revoked");
    let mut serving = desk.serve(&[]);
    desk.is_ready();
    desk.on_ticket(1, "priority", "urgent");
    let task = desk.task_of(1);
    desk.task_shows(&task, "/priority/priority", "urgent");
    let ports = &desk.accounts.ports;
    let me = ports.scenario.cast.zendesk_sync;
    ports.zendesk.seed(|seed| seed.change_user(me, Role::Admin, false)).unwrap();
    desk.on_task(&task, "name", "Renamed while it was revoked");
    let reason = desk.paused();
    assert!(reason.contains("Zendesk") && reason.contains("credentials.toml"), "{reason}");
    assert_eq!(desk.health(), Some(503));
    ports.zendesk.seed(|seed| seed.change_user(me, Role::Admin, true)).unwrap();
    desk.is_healthy();
    desk.ticket_shows(1, "subject", "Renamed while it was revoked");
    assert_eq!(desk.count("quarantine"), 0);
    serving.signal("TERM");
    assert_eq!(serving.end().code(), Some(0), "{}", desk.told());
}

#[test]
fn a_new_secret_in_the_file_is_taken_without_a_restart() {
    let desk = Desk::open("secret");
    let mut serving = desk.serve(&[]);
    desk.is_ready();
    let ports = &desk.accounts.ports;
    let me = ports.scenario.cast.zendesk_sync;
    let changed = ports.zendesk.seed(|seed| {
        seed.add_oauth_client("deskup", "a new secret", me);
        seed.revoke_tokens(me);
    });
    changed.unwrap();
    desk.on_ticket(1, "priority", "urgent");
    let reason = desk.paused();
    assert!(reason.contains("invalid_client"), "{reason}");
    desk.write_credentials("a new secret");
    desk.is_healthy();
    let task = desk.task_of(1);
    desk.task_shows(&task, "/priority/priority", "urgent");
    serving.signal("TERM");
    assert_eq!(serving.end().code(), Some(0), "{}", desk.told());
}

#[test]
fn webhooks_get_new_secrets_while_edits_arrive_and_none_is_lost() {
    let desk = Desk::open("rotate");
    let mut serving = desk.serve(&[]);
    desk.is_ready();
    let tickets = [1, 2, 3, 4];
    for ticket in tickets {
        desk.on_ticket(ticket, "priority", "low");
    }
    let tasks = tickets.map(|ticket| desk.task_of(ticket));
    let before = desk.hooks();
    let mut rotating = desk.deskup(&["webhooks", "rotate", "--grace", "3", "--json"]).spawn().unwrap();
    let mut round = 0;
    while rotating.try_wait().unwrap().is_none() {
        round += 1;
        for (ticket, task) in tickets.into_iter().zip(&tasks) {
            let priority = ["low", "normal", "high", "urgent"][(round + ticket as usize) % 4];
            desk.on_ticket(ticket, "priority", priority);
            desk.on_task(task, "name", &format!("Ticket {ticket}, round {round}"));
        }
        // A crowd, and not as many deliveries as two cores can take.
        accounts::pause();
    }
    assert!(rotating.wait().unwrap().success(), "{}", desk.told());
    assert!(round > 3, "{round} rounds are no crowd");
    for (ticket, task) in tickets.into_iter().zip(&tasks) {
        let priority = ["low", "normal", "high", "urgent"][(round + ticket as usize) % 4];
        desk.task_shows(task, "/priority/priority", priority);
        desk.ticket_shows(ticket, "subject", &format!("Ticket {ticket}, round {round}"));
    }
    let after = desk.hooks();
    assert_eq!(before[0].id, after[0].id, "Zendesk keeps its webhook");
    assert_ne!(before[1].id, after[1].id, "ClickUp has a new one");
    assert_eq!((after.len(), after[1].state.as_str(), after[1].fail_count), (2, "active", 0));
    assert!(!desk.told().contains("wrong signature"), "{}", desk.told());
    // And they can be renewed again, back to the first place.
    let again = desk.deskup(&["webhooks", "rotate", "--grace", "0"]).output().unwrap();
    assert!(again.status.success(), "{}", said(&again).1);
    assert_eq!(desk.hooks()[1].endpoint, before[1].endpoint);
    serving.signal("TERM");
    assert_eq!(serving.end().code(), Some(0), "{}", desk.told());
}

#[test]
fn a_check_says_whether_deliveries_come_through_and_revives_a_suspended_webhook() {
    let desk = Desk::open("check");
    let mut serving = desk.serve(&[]);
    desk.is_ready();
    let check = || desk.deskup(&["webhooks", "check"]).output().unwrap();
    let good = check();
    assert_eq!(good.status.code(), Some(0), "{:?}", said(&good));
    assert!(said(&good).0.contains("came through the public URL"), "{:?}", said(&good));
    for (lead, words) in [
        (Lead::Cut, "nobody answers"),
        (Lead::Says(200), "is not deskup"),
        (Lead::Says(404), "lead to `deskup serve`"),
        (Lead::Says(502), "is it running"),
    ] {
        desk.gate.lead(lead.clone());
        let bad = check();
        let (shown, _) = said(&bad);
        assert_eq!(bad.status.code(), Some(1), "{lead:?}: {shown}");
        assert!(shown.contains(words), "{lead:?}: `{words}` is missing in: {shown}");
    }
    // An answer of 410 suspends ClickUp's webhook at once.
    desk.gate.lead(Lead::Says(410));
    let task = desk.any_task();
    desk.on_task(&task, "name", "Somebody must be told");
    let suspended = || desk.accounts.ports.clickup.webhooks()[0]["health"]["status"] == "suspended";
    accounts::wait_for("the suspension", || suspended().then_some(()));
    desk.gate.lead(desk.through());
    let revived = check();
    let (shown, _) = said(&revived);
    assert_eq!(revived.status.code(), Some(0), "{shown}");
    assert!(shown.contains("active again by this check"), "{shown}");
    assert_eq!(desk.hooks()[1].state, "active");
    let removed = desk.deskup(&["webhooks", "remove"]).output().unwrap();
    assert!(removed.status.success(), "{:?}", said(&removed));
    assert!(desk.hooks().is_empty());
    let made = desk.deskup(&["webhooks", "register", "--json"]).output().unwrap();
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!((&made["zendesk"]["done"], &made["clickup"]["done"]), (&"made".into(), &"made".into()));
    // An address that only `serve` was told is known all the same.
    desk.write_settings("");
    let kept = check();
    assert_eq!(kept.status.code(), Some(0), "{:?}", said(&kept));
    let listed = said(&desk.deskup(&["webhooks", "list", "--json"]).output().unwrap()).0;
    assert!(!listed.contains("\"ours\":false"), "{listed}");
    // Where it listens decides about no write; what it brings over does.
    assert!(!desk.alarms().contains(&"settings".to_owned()));
    desk.write_settings("[sync.filter]\ntag = [\"vip\"]\n");
    let status = said(&desk.deskup(&["status"]).output().unwrap()).0;
    assert!(status.contains("deskup.toml was changed since `deskup serve` began at"), "{status}");
    serving.signal("TERM");
    assert_eq!(serving.end().code(), Some(0), "{}", desk.told());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let desk = Desk::open("second");
    let mut serving = desk.serve(&[]);
    desk.is_ready();
    // ClickUp no longer answers, so what begins now does not end.
    desk.clickup.lead(Lead::Blocked);
    desk.on_ticket(1, "priority", "urgent");
    desk.is_busy();
    serving.signal("TERM");
    accounts::wait_for("the first signal", || desk.told().contains("stopping").then_some(()));
    assert!(serving.0.try_wait().unwrap().is_none(), "what runs may finish");
    serving.signal("TERM");
    assert_eq!(serving.end().code(), Some(1), "{}", desk.told());
    assert!(desk.told().contains("at once"), "{}", desk.told());
}

#[test]
fn held_wrong_it_says_what_and_where() {
    let desk = Desk::open("wrong");
    let check = |arguments: &[&str], code: i32, words: &[&str]| {
        let output = desk.deskup(arguments).output().unwrap();
        let (shown, told) = said(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(shown.is_empty(), "{arguments:?}: an error must not go to stdout: {shown}");
        for word in words {
            assert!(told.contains(word), "{arguments:?}: `{word}` is missing in: {told}");
        }
    };
    check(&["serve"], 2, &["nothing was brought over yet", "deskup plan", "--from-now"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    check(&["serve", "--from-now", "--listen", &taken], 2, &[&taken, "--listen", "deskup.toml"]);
    check(&["serve", "--public-url", "http://sync.example.com"], 2, &["--public-url", "https://"]);
    check(&["webhooks", "remove", "--id", "x"], 2, &["--side"]);
    check(&["webhooks", "remove", "--id", "x", "--side", "clickup"], 2, &["no webhook x", "webhooks list"]);
    check(&["webhooks", "rotate"], 2, &["no webhook to renew", "webhooks register"]);
    desk.write_settings("");
    check(&["webhooks", "check"], 2, &["no public URL", "public_url", "--public-url"]);
    desk.write_settings("[serve]\nlisten = 1\n");
    check(&["serve"], 2, &["deskup.toml:", "serve.listen"]);
    assert_eq!(desk.accounts.changes(), 0, "nothing was written");
}

#[test]
fn a_wrong_token_is_said_at_the_start_and_by_side() {
    let desk = Desk::open("token");
    for (name, words) in [
        ("DESKUP_ZENDESK_CLIENT_SECRET", ["Zendesk did not accept", "invalid_client"]),
        ("DESKUP_CLICKUP_TOKEN", ["ClickUp did not accept", "OAUTH_025"]),
    ] {
        let mut command = desk.deskup(&["serve", "--from-now"]);
        command.env(name, "pk_nobody");
        command.env("DESKUP_ZENDESK_CLIENT_ID", "deskup");
        if name == "DESKUP_CLICKUP_TOKEN" {
            command.env("DESKUP_ZENDESK_CLIENT_SECRET", "simulated-secret");
        }
        let output = command.output().unwrap();
        let (_, told) = said(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        for word in words {
            assert!(told.contains(word), "{name}: `{word}` is missing in: {told}");
        }
        assert!(!told.contains("pk_nobody"), "a token is shown: {told}");
    }
}

#[test]
fn a_demo_is_no_installation() {
    let dir = accounts::folder("sv-demo");
    std::fs::create_dir_all(dir.join("world")).unwrap();
    let output = deskup(&dir, &["serve", "--dir", "."]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).1.contains("belongs to a demo"), "{}", said(&output).1);
    std::fs::remove_dir_all(&dir).unwrap();
}
