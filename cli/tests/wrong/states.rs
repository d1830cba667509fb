//! Files and folders that are not as they should be.

use crate::Way;
use crate::hold::{chmod, from_the_future, hold, init_flags};

/// The ways.
pub const WAYS: &[Way] = &[
    Way {
        what: "a folder that is a file",
        ask: &["status", "--dir", "deskup.toml"],
        code: 2,
        says: &["deskup.toml"],
        hold: |_| {},
    },
    Way { what: "no state yet", ask: &["status"], code: 2, says: &["no state"], hold: |_| {} },
    Way {
        what: "a folder that is not there",
        ask: &["check", "--dir", "nowhere"],
        code: 2,
        says: &["nowhere", "deskup init"],
        hold: |_| {},
    },
    Way {
        what: "a state that is something else",
        ask: &["run", "ticket-sync"],
        code: 3,
        says: &["deskup.sqlite"],
        hold: |held| held.put("deskup.sqlite", &"not a database at all\n".repeat(300)),
    },
    Way {
        what: "a look at a state that is something else",
        ask: &["status"],
        code: 3,
        says: &["deskup.sqlite"],
        hold: |held| held.put("deskup.sqlite", &"not a database at all\n".repeat(300)),
    },
    Way {
        what: "a state that is a folder",
        ask: &["run", "ticket-sync"],
        code: 3,
        says: &["deskup.sqlite"],
        hold: |held| std::fs::create_dir(held.dir.join("deskup.sqlite")).unwrap(),
    },
    Way {
        what: "a state that may not be written",
        ask: &["run", "ticket-sync"],
        code: 3,
        says: &["deskup.sqlite", "read-only"],
        hold: |held| {
            held.in_step();
            chmod(held, "deskup.sqlite", 0o444)
        },
    },
    Way {
        what: "a state that another process holds",
        ask: &["run", "ticket-sync"],
        code: 3,
        says: &["in use", "process"],
        hold: |held| {
            held.in_step();
            hold(held)
        },
    },
    Way {
        what: "serving a state that another process holds",
        ask: &["serve"],
        code: 3,
        says: &["in use", "process"],
        hold: |held| {
            held.in_step();
            hold(held)
        },
    },
    Way {
        what: "the folder of a demo",
        ask: &["run", "ticket-sync"],
        code: 2,
        says: &["demo"],
        hold: |held| std::fs::create_dir(held.dir.join("world")).unwrap(),
    },
    Way {
        what: "init over settings that are there",
        ask: &["init"],
        code: 2,
        says: &["deskup.toml", "--force"],
        hold: |held| init_flags(held),
    },
    Way {
        what: "a port that is taken",
        ask: &["serve", "--from-now", "--listen"],
        code: 2,
        says: &["cannot be listened on", "--listen"],
        hold: |held| {
            let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            held.more.push(taken.local_addr().unwrap().to_string());
            held.beside.push(Box::new(taken))
        },
    },
    Way {
        what: "a state of a newer deskup",
        ask: &["run", "ticket-sync"],
        code: 3,
        says: &["deskup.sqlite", "newer"],
        hold: |held| from_the_future(held),
    },
    Way {
        what: "a look at a state of a newer deskup",
        ask: &["status"],
        code: 3,
        says: &["deskup.sqlite", "newer"],
        hold: |held| from_the_future(held),
    },
    Way {
        what: "a state that was cut short",
        ask: &["run", "ticket-sync"],
        code: 3,
        says: &["deskup.sqlite", "cut short"],
        hold: |held| {
            held.in_step();
            let path = held.dir.join("deskup.sqlite");
            let length = std::fs::metadata(&path).unwrap().len();
            std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length / 2).unwrap()
        },
    },
];
