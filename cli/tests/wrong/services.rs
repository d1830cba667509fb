//! Accounts that do not let deskup in, or are not what they seem.

use crate::Way;
use crate::accounts::wall_ms;
use crate::bent::{Bent, Turn};
use crate::hold::{api_token, bend, chmod, hide_list, nobody, rename_status};

/// The ways.
pub const WAYS: &[Way] = &[
    Way {
        what: "no credentials",
        ask: &["check"],
        code: 2,
        says: &["DESKUP_ZENDESK_CLIENT_ID", "deskup init"],
        hold: |held| {
            held.env.insert("DESKUP_ZENDESK_CLIENT_ID", None);
            held.env.insert("DESKUP_ZENDESK_CLIENT_SECRET", None);
            held.env.insert("DESKUP_CLICKUP_TOKEN", None);
        },
    },
    Way {
        what: "half of the credentials",
        ask: &["run", "ticket-sync"],
        code: 2,
        says: &["DESKUP_ZENDESK_CLIENT_SECRET"],
        hold: |held| {
            held.env.insert("DESKUP_ZENDESK_CLIENT_SECRET", None);
        },
    },
    Way {
        what: "no token for ClickUp",
        ask: &["run", "ticket-sync"],
        code: 2,
        says: &["DESKUP_CLICKUP_TOKEN"],
        hold: |held| {
            held.env.insert("DESKUP_CLICKUP_TOKEN", None);
        },
    },
    Way {
        what: "credentials that others can read",
        ask: &["run", "ticket-sync"],
        code: 2,
        says: &["credentials.toml", "chmod 600"],
        hold: |held| {
            held.env.insert("DESKUP_CLICKUP_TOKEN", None);
            held.put("credentials.toml", "[clickup]\ntoken = \"pk_1\"\n");
            chmod(held, "credentials.toml", 0o644)
        },
    },
    Way {
        what: "credentials that are misspelt",
        ask: &["run", "ticket-sync"],
        code: 2,
        says: &["credentials.toml:2"],
        hold: |held| {
            held.env.insert("DESKUP_CLICKUP_TOKEN", None);
            held.put("credentials.toml", "[clickup]\ntokne = \"pk_1\"\n");
            chmod(held, "credentials.toml", 0o600)
        },
    },
    Way {
        what: "a wrong secret",
        ask: &["check"],
        code: 2,
        says: &["Zendesk", "OAuth client"],
        hold: |held| {
            held.env.insert("DESKUP_ZENDESK_CLIENT_SECRET", Some("wrong".to_owned()));
        },
    },
    Way {
        what: "a wrong secret at a run",
        ask: &["run", "ticket-sync"],
        code: 2,
        says: &["Zendesk"],
        hold: |held| {
            held.env.insert("DESKUP_ZENDESK_CLIENT_SECRET", Some("wrong".to_owned()));
        },
    },
    Way {
        what: "a wrong token",
        ask: &["check"],
        code: 2,
        says: &["ClickUp", "OAUTH_"],
        hold: |held| {
            held.env.insert("DESKUP_CLICKUP_TOKEN", Some("pk_77".to_owned()));
        },
    },
    Way {
        what: "a wrong token when serving",
        ask: &["serve", "--from-now"],
        code: 2,
        says: &["ClickUp"],
        hold: |held| {
            held.env.insert("DESKUP_CLICKUP_TOKEN", Some("pk_77".to_owned()));
        },
    },
    Way {
        what: "an API token that is wrong: Zendesk says 200",
        ask: &["check"],
        code: 2,
        says: &["anonymous"],
        hold: |held| api_token(held, "deskup@northwind.example", "wrong"),
    },
    Way {
        what: "an agent instead of an admin",
        ask: &["check"],
        code: 2,
        says: &["admin"],
        hold: |held| {
            let who = held.accounts.ports.scenario.cast.agents().next().unwrap().clone();
            api_token(held, &who.email, &format!("token-{}", who.zendesk.unwrap()))
        },
    },
    Way {
        what: "a workspace that the token does not open",
        ask: &["check"],
        code: 2,
        says: &["workspace", "4242"],
        hold: |held| held.edit("workspace = \"9011001\"", "workspace = \"4242\""),
    },
    Way {
        what: "nobody at the address of Zendesk",
        ask: &["check"],
        code: 2,
        says: &["nobody answers", "Zendesk"],
        hold: |held| {
            let url = held.accounts.ports.zendesk_url.clone();
            held.edit(&url, &nobody())
        },
    },
    Way {
        what: "nobody at the address of ClickUp",
        ask: &["run", "ticket-sync"],
        code: 2,
        says: &["ClickUp"],
        hold: |held| {
            let url = held.accounts.ports.clickup_url.clone();
            held.edit(&url, &nobody())
        },
    },
    Way {
        what: "a host that has no name",
        ask: &["check"],
        code: 2,
        says: &["nobody answers"],
        hold: |held| {
            let url = held.accounts.ports.zendesk_url.clone();
            held.edit(&url, "https://deskup.invalid")
        },
    },
    Way {
        what: "encryption where there is none",
        ask: &["check"],
        code: 2,
        says: &["nobody answers"],
        hold: |held| {
            let url = held.accounts.ports.zendesk_url.clone();
            held.edit(&url, &url.replace("http://", "https://"))
        },
    },
    Way {
        what: "a proxy that answers with a page",
        ask: &["check"],
        code: 2,
        says: &["web page"],
        hold: |held| {
            bend(
                held,
                Bent::always(200, &[("content-type", "text/html")], "<!doctype html><title>Sign in</title>"),
            )
        },
    },
    Way {
        what: "a proxy that answers with a page to a run",
        ask: &["run", "ticket-sync"],
        code: 2,
        says: &["Zendesk"],
        hold: |held| {
            bend(
                held,
                Bent::always(200, &[("content-type", "text/html")], "<!doctype html><title>Sign in</title>"),
            )
        },
    },
    Way {
        what: "a login that leads elsewhere",
        ask: &["check"],
        code: 2,
        says: &["sso.example"],
        hold: |held| bend(held, Bent::always(302, &[("location", "https://sso.example/login")], "")),
    },
    Way {
        what: "no account of that name",
        ask: &["check"],
        code: 2,
        says: &["no Zendesk account"],
        hold: |held| bend(held, Bent::always(404, &[], "")),
    },
    Way {
        what: "a service that is down",
        ask: &["check"],
        code: 1,
        says: &["503", "later"],
        hold: |held| bend(held, Bent::always(503, &[], "")),
    },
    Way {
        what: "a member who was taken out of the workspace",
        ask: &["check"],
        code: 2,
        says: &["ClickUp"],
        hold: |held| {
            held.accounts
                .ports
                .clickup
                .seed(|seed| seed.disable_member(world::seedwork::cast::CLICKUP_SYNC_ID))
                .unwrap()
        },
    },
    Way {
        what: "a list that was hidden from deskup",
        ask: &["check"],
        code: 2,
        says: &["deskup.toml:", "list"],
        hold: |held| hide_list(held),
    },
    Way {
        what: "a list that was hidden, at a run",
        ask: &["run", "ticket-sync"],
        code: 2,
        says: &["list"],
        hold: |held| hide_list(held),
    },
    Way {
        what: "a list that was taken away since",
        ask: &["run", "ticket-sync"],
        code: 2,
        says: &["list", "901100", "deskup check"],
        hold: |held| {
            held.in_step();
            hide_list(held)
        },
    },
    Way {
        what: "a status that was renamed since",
        ask: &["run", "ticket-sync"],
        code: 2,
        says: &["deskup.toml:", "status.pending", "waiting on customer"],
        hold: |held| {
            held.in_step();
            rename_status(held, "waiting on customer", "parked")
        },
    },
    Way {
        what: "serving after a status was renamed",
        ask: &["serve"],
        code: 2,
        says: &["deskup.toml:", "status.pending", "waiting on customer"],
        hold: |held| {
            held.in_step();
            rename_status(held, "waiting on customer", "parked")
        },
    },
    Way {
        what: "a user whose rights were taken away since",
        ask: &["run", "ticket-sync"],
        code: 2,
        says: &["Zendesk", "deskup check"],
        hold: |held| {
            held.in_step();
            let me = held.accounts.ports.scenario.cast.zendesk_sync;
            let zendesk = &held.accounts.ports.zendesk;
            zendesk.seed(|seed| seed.change_user(me, simulators::zendesk::Role::EndUser, true)).unwrap()
        },
    },
    Way {
        what: "a clock that is an hour off",
        ask: &["check"],
        code: 0,
        says: &["clock is 3", "ahead of Zendesk", "set it right"],
        hold: |held| {
            let sim = held.accounts.ports.zendesk.clone();
            let service = Bent::new(
                move |request| sim.handle(request),
                Turn::Pass,
                |mut answer| {
                    let hour_ago = chrono::DateTime::from_timestamp_millis(wall_ms() - 3_600_000).unwrap();
                    let date = hour_ago.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
                    answer.headers_mut().insert("date", date.parse().unwrap());
                    answer
                },
            );
            bend(held, service)
        },
    },
];
