//! Commands that ask for what there is not.

use crate::Way;
use crate::hold::{many, plan};

/// The ways.
pub const WAYS: &[Way] = &[
    Way {
        what: "a command that nobody knows",
        ask: &["synch"],
        code: 2,
        says: &["synch", "--help"],
        hold: |_| {},
    },
    Way {
        what: "a workflow that nobody knows",
        ask: &["run", "tickets"],
        code: 2,
        says: &["ticket-sync"],
        hold: |_| {},
    },
    Way {
        what: "an option that nobody knows",
        ask: &["status", "--jsn"],
        code: 2,
        says: &["--jsn", "--json"],
        hold: |_| {},
    },
    Way {
        what: "a plan that is not there",
        ask: &["run", "ticket-sync", "--plan", "no.json"],
        code: 2,
        says: &["no.json"],
        hold: |_| {},
    },
    Way {
        what: "a plan that is none",
        ask: &["run", "ticket-sync", "--plan", "deskup.toml"],
        code: 2,
        says: &["deskup.toml", "plan"],
        hold: |_| {},
    },
    Way {
        what: "a plan that was written by newer code",
        ask: &["run", "ticket-sync", "--plan", "plan.json"],
        code: 2,
        says: &["plan.json", "99", "deskup plan --out"],
        hold: |held| {
            plan(held);
            let text = std::fs::read_to_string(held.dir.join("plan.json")).unwrap();
            let newer = text.replacen("\"deskup_plan\": 1", "\"deskup_plan\": 99", 1);
            assert_ne!(newer, text);
            held.put("plan.json", &newer)
        },
    },
    Way {
        what: "a plan of other settings",
        ask: &["run", "ticket-sync", "--plan", "plan.json"],
        code: 2,
        says: &["plan.json", "deskup.toml was changed", "deskup plan --out"],
        hold: |held| {
            plan(held);
            held.edit("attachments = true", "attachments = false")
        },
    },
    Way {
        what: "a plan into a folder that is not there",
        ask: &["plan", "--out", "no/where/plan.json"],
        code: 2,
        says: &["no/where/plan.json"],
        hold: |_| {},
    },
    Way {
        what: "a plan for a ticket that is not there",
        ask: &["plan", "--ticket", "999"],
        code: 2,
        says: &["999"],
        hold: |_| {},
    },
    Way {
        what: "a ticket that is no number",
        ask: &["plan", "--ticket", "first"],
        code: 2,
        says: &["first"],
        hold: |_| {},
    },
    Way {
        what: "why of a ticket that is not linked",
        ask: &["explain", "999"],
        code: 2,
        says: &["999"],
        hold: |held| held.in_step(),
    },
    Way {
        what: "why of a field that is none",
        ask: &["explain", "1", "colour"],
        code: 2,
        says: &["colour", "status"],
        hold: |held| held.in_step(),
    },
    Way {
        what: "a conflict that is none",
        ask: &["conflicts", "show", "12-abc"],
        code: 2,
        says: &["12-abc"],
        hold: |held| held.in_step(),
    },
    Way {
        what: "a conflict's side that is none",
        ask: &["conflicts", "apply", "12-abc", "jira"],
        code: 2,
        says: &["jira", "zendesk"],
        hold: |held| held.in_step(),
    },
    Way {
        what: "back from a quarantine where it is not",
        ask: &["quarantine", "retry", "999"],
        code: 2,
        says: &["999"],
        hold: |held| held.in_step(),
    },
    Way {
        what: "back from a quarantine that has no such cause",
        ask: &["quarantine", "retry", "--cause", "bad_weather"],
        code: 2,
        says: &["bad_weather"],
        hold: |held| held.in_step(),
    },
    Way {
        what: "a lane that is none",
        ask: &["pause", "fast"],
        code: 2,
        says: &["fast", "live"],
        hold: |held| held.in_step(),
    },
    Way {
        what: "a release without asking",
        ask: &["release"],
        code: 0,
        says: &["brake"],
        hold: |held| held.in_step(),
    },
    Way {
        what: "links into a file that is there",
        ask: &["export", "--out", "deskup.toml"],
        code: 2,
        says: &["deskup.toml", "--force"],
        hold: |held| held.in_step(),
    },
    Way {
        what: "a shell that nobody knows",
        ask: &["completions", "tcsh"],
        code: 2,
        says: &["tcsh", "bash"],
        hold: |_| {},
    },
    Way {
        what: "a first run that would write a lot",
        ask: &["run", "ticket-sync"],
        code: 2,
        says: &["50", "deskup plan --out"],
        hold: |held| many(held),
    },
    Way {
        what: "demo with a seed that is a word",
        ask: &["demo", "--seed", "lucky"],
        code: 2,
        says: &["lucky"],
        hold: |_| {},
    },
];
