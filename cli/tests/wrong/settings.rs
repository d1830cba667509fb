//! A file that says what cannot be.

use crate::Way;

/// The ways.
pub const WAYS: &[Way] = &[
    Way {
        what: "no deskup.toml",
        ask: &["check"],
        code: 2,
        says: &["there is no", "deskup init"],
        hold: |held| std::fs::remove_file(held.file()).unwrap(),
    },
    Way {
        what: "a file that is not TOML",
        ask: &["check"],
        code: 2,
        says: &["deskup.toml:", "not TOML"],
        hold: |held| held.edit("[sync]", "[sync"),
    },
    Way {
        what: "a file that is not text",
        ask: &["check"],
        code: 2,
        says: &["deskup.toml"],
        hold: |held| std::fs::write(held.file(), [0xff, 0xfe, 0x00]).unwrap(),
    },
    Way {
        what: "an empty file",
        ask: &["check"],
        code: 2,
        says: &["zendesk", "missing"],
        hold: |held| held.put("deskup.toml", ""),
    },
    Way {
        what: "a word that nobody knows",
        ask: &["check"],
        code: 2,
        says: &["deskup.toml:", "atachments", "attachments"],
        hold: |held| held.edit("attachments = true", "atachments = true"),
    },
    Way {
        what: "a number where a word belongs",
        ask: &["check"],
        code: 2,
        says: &["deskup.toml:", "attachments"],
        hold: |held| held.edit("attachments = true", "attachments = 1"),
    },
    Way {
        what: "an address without a scheme",
        ask: &["check"],
        code: 2,
        says: &["zendesk.url", "https://"],
        hold: |held| held.edit("url = \"http://", "url = \""),
    },
    Way {
        what: "an address that is not encrypted",
        ask: &["check"],
        code: 2,
        says: &["https"],
        hold: |held| {
            let url = held.accounts.ports.zendesk_url.clone();
            held.edit(&url, "http://acme.zendesk.example")
        },
    },
    Way {
        what: "an address with a path",
        ask: &["check"],
        code: 2,
        says: &["address"],
        hold: |held| {
            let url = held.accounts.ports.zendesk_url.clone();
            held.edit(&url, &format!("{url}/agent/tickets"))
        },
    },
    Way {
        what: "a workspace that is no number",
        ask: &["check"],
        code: 2,
        says: &["clickup.workspace", "digits"],
        hold: |held| held.edit("workspace = \"9011001\"", "workspace = \"acme\""),
    },
    Way {
        what: "an offset that is none",
        ask: &["check"],
        code: 2,
        says: &["utc_offset", "+02:00"],
        hold: |held| held.edit("utc_offset = \"+00:00\"", "utc_offset = \"Berlin\""),
    },
    Way {
        what: "a status that Zendesk does not have",
        ask: &["check"],
        code: 2,
        says: &["deskup.toml:", "opne"],
        hold: |held| held.edit("open = ", "opne = "),
    },
    Way {
        what: "a status that the list does not have",
        ask: &["check"],
        code: 2,
        says: &["deskup.toml:", "status.pending", "Parked"],
        hold: |held| held.edit("pending = \"waiting on customer\"", "pending = \"Parked\""),
    },
    Way {
        what: "no statuses at all",
        ask: &["check"],
        code: 2,
        says: &["status"],
        hold: |held| {
            let text = std::fs::read_to_string(held.file()).unwrap();
            let (head, rest) = text.split_once("[status]").unwrap();
            let (_, tail) = rest.split_once("[priority]").unwrap();
            held.put("deskup.toml", &format!("{head}[priority]{tail}"))
        },
    },
    Way {
        what: "a list that is a name",
        ask: &["check"],
        code: 2,
        says: &["deskup.toml:", "list"],
        hold: |held| {
            let id = held.accounts.ports.scenario.workspace.lists[0].id.clone();
            held.edit(&format!("list = {id:?}"), "list = \"Technical\"")
        },
    },
    Way {
        what: "a list that is not there",
        ask: &["check"],
        code: 2,
        says: &["deskup.toml:", "909090"],
        hold: |held| {
            let id = held.accounts.ports.scenario.workspace.lists[0].id.clone();
            held.edit(&format!("list = {id:?}"), "list = \"909090\"")
        },
    },
    Way {
        what: "a group that is not there",
        ask: &["check"],
        code: 2,
        says: &["deskup.toml:", "Nobody"],
        hold: |held| held.edit("group = \"Billing\"", "group = \"Nobody\""),
    },
    Way {
        what: "a field that Zendesk does not have",
        ask: &["check"],
        code: 2,
        says: &["deskup.toml:", "12345"],
        hold: |held| {
            let id = held.accounts.ports.scenario.workspace.fields[0].zendesk;
            held.edit(&format!("zendesk = {id}"), "zendesk = 12345")
        },
    },
    Way {
        what: "a field that ClickUp does not have",
        ask: &["check"],
        code: 2,
        says: &["deskup.toml:", "no-such-field"],
        hold: |held| {
            let id = held.accounts.ports.scenario.workspace.fields[0].clickup.clone();
            held.edit(&format!("clickup = {id:?}"), "clickup = \"no-such-field\"")
        },
    },
    Way {
        what: "a rule that is none",
        ask: &["check"],
        code: 2,
        says: &["deskup.toml:", "oldest", "newest"],
        hold: |held| held.edit("[priority]", "[fields.title]\nrule = \"oldest\"\n\n[priority]"),
    },
    Way {
        what: "a direction that is none",
        ask: &["check"],
        code: 2,
        says: &["deskup.toml:", "sideways"],
        hold: |held| held.edit("[priority]", "[fields.title]\ndirection = \"sideways\"\n\n[priority]"),
    },
    Way {
        what: "somebody whom nobody knows",
        ask: &["check"],
        code: 2,
        says: &["deskup.toml:", "nobody@here.example"],
        hold: |held| {
            held.edit(
                "[priority]",
                "[people]\n\"nobody@here.example\" = \"nowhere@here.example\"\n\n[priority]",
            )
        },
    },
    Way {
        what: "a date that is none",
        ask: &["check"],
        code: 2,
        says: &["deskup.toml:", "since"],
        hold: |held| held.edit("closed = true", "since = \"last week\""),
    },
    Way {
        what: "a limit of nothing",
        ask: &["check"],
        code: 2,
        says: &["deskup.toml:", "limit"],
        hold: |held| held.edit("closed = true", "limit = 0"),
    },
    Way {
        what: "a run with broken settings",
        ask: &["run", "ticket-sync"],
        code: 2,
        says: &["deskup.toml:"],
        hold: |held| held.edit("attachments = true", "attachments = 1"),
    },
    Way {
        what: "a plan with broken settings",
        ask: &["plan"],
        code: 2,
        says: &["deskup.toml:"],
        hold: |held| held.edit("attachments = true", "attachments = 1"),
    },
    Way {
        what: "serving with broken settings",
        ask: &["serve"],
        code: 2,
        says: &["deskup.toml:"],
        hold: |held| held.edit("attachments = true", "attachments = 1"),
    },
    Way {
        what: "a port that is none",
        ask: &["serve"],
        code: 2,
        says: &["listen"],
        hold: |held| held.edit("[sync]", "[serve]\nlisten = \"everywhere\"\n\n[sync]"),
    },
    Way {
        what: "a public address that is not encrypted",
        ask: &["serve"],
        code: 2,
        says: &["public_url", "https"],
        hold: |held| held.edit("[sync]", "[serve]\npublic_url = \"http://acme.example\"\n\n[sync]"),
    },
];
