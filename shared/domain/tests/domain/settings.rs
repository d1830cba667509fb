//! `deskup.toml`: what is read, and every mistake with its line.

use domain::{Adopt, Mapping, Scope, Settings};
use expect_test::{Expect, expect};

use crate::sample::{TOML, directory, toml_with};

/// All mistakes of a text, from parsing or, where that is fine, from the accounts.
fn check(toml: &str, expected: Expect) {
    let mistakes = match Settings::parse(toml) {
        Ok(settings) => Mapping::new(&settings, &directory()).err().unwrap_or_default(),
        Err(mistakes) => mistakes,
    };
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn the_sample_has_no_mistake() {
    check(TOML, expect![[""]]);
    assert!(toml_with(&[]).contains("[status]"));
}

#[test]
fn every_mistake_of_the_text_is_told_with_its_line() {
    check(
        r#"
[zendesk]
url = "acme"
[clickup]
workspaces = "12"
utc_offset = "2h"
[sync]
link_back = "field:x"
comments_to_zendesk = "publik"
internal_notes_to_clickup = "no"
zendesk_update_share = 0
filter = { tags = "a", created_after = "soon" }
[[route]]
list = "Support"
[[route]]
group = 1
list = "Billing"
[fields]
title = { direction = "down", rule = "union" }
colour = { rule = "ask" }
[[field]]
name = "a"
zendesk = "x"
rule = 3
"#,
        expect![[r#"
            deskup.toml:1: status: says which ClickUp status belongs to each Zendesk status, for example [status] open = "to do"
            deskup.toml:3: zendesk.url: `acme` is not a web address; write it as "https://…"
            deskup.toml:4: clickup.url: is missing; write it as "https://…"
            deskup.toml:4: clickup.workspace: is missing; it is the number in ClickUp's address
            deskup.toml:5: clickup.workspaces: is not a setting; did you mean `workspace`?
            deskup.toml:6: clickup.utc_offset: `2h` is not like "+02:00"
            deskup.toml:8: sync.link_back: `field:x` is not known; use none, external_id, tag or field:<number>
            deskup.toml:9: sync.comments_to_zendesk: `publik` is not known; use internal or public; did you mean `public`?
            deskup.toml:10: sync.internal_notes_to_clickup: must be true or false
            deskup.toml:11: sync.zendesk_update_share: must be a percentage from 1 to 100
            deskup.toml:12: sync.filter.created_after: must be a date like "2026-01-31"
            deskup.toml:12: sync.filter.tags: is not a setting; did you mean `tag`?
            deskup.toml:13: route.list: takes every ticket, so the routes below it never apply; put it last
            deskup.toml:15: route.list: is the last route and has conditions; add a last [[route]] with only a list, for all other tickets
            deskup.toml:19: fields.title.direction: `down` is not known; use both, to_clickup, to_zendesk or off
            deskup.toml:19: fields.title.rule: `union` is for tags; use zendesk, clickup, newest or ask
            deskup.toml:20: fields.colour: is not a setting; known here: title, description, status, priority, assignee, tags, due_date
            deskup.toml:21: field.clickup: is missing: the id of the ClickUp custom field
            deskup.toml:23: field.zendesk: must be a whole number
            deskup.toml:24: field.rule: must be a text in quotes"#]],
    );
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    check(
        "[zendesk]\nurl = \n",
        expect!["deskup.toml:2: this is not TOML: string values must be quoted, expected literal string"],
    );
}

#[test]
fn every_mistake_against_the_accounts_is_told_with_its_line() {
    let toml = toml_with(&[
        ("group = \"Billing\"", "group = [\"Biling\", 77]\nform = \"Bugs\""),
        ("list = \"Support\"", "list = \"Suport\""),
        ("list = \"Billing\"", "list = 802"),
        ("pending = \"waiting\"", "pending = \"wating\"\nsleeping = \"waiting\""),
        (
            "[people]",
            "[status.to_zendesk]\n\"complete\" = \"closed\"\n[priority]\nurgent = \"asap\"\nmild = \"low\"\n[people]",
        ),
        ("mia@acme.test", "mia@acme.tst"),
        ("mia.private@mail.test", "mia@nowhere.test"),
        ("zendesk = 12", "zendesk = 99"),
        ("\"f-vip\"", "\"VIP\""),
        ("\"f-areas\"", "\"f-visit\""),
        ("\"f-visit\"\n\n[[field]]\nname = \"notes\"", "\"f-areas\"\n\n[[field]]\nname = \"notes\""),
        ("clickup = \"f-severity\"", "clickup = \"f-severity\"\noptions = { Low = \"low\", Hihg = \"Mex\" }"),
        ("rule = \"newest\"", "rule = \"union\""),
    ]);
    check(
        &toml,
        expect![[r#"
            deskup.toml:14: route.group: Zendesk has no group `Biling`; did you mean `Billing`?
            deskup.toml:14: route.group: Zendesk has no group `77`
            deskup.toml:15: route.form: write the number of the ticket form, not its name
            deskup.toml:19: route.list: ClickUp has no list `Suport` that deskup's user can see; did you mean `Support`?
            deskup.toml:24: status.pending: list `Billing` has no status `wating`; it has Closed, complete, to do or Waiting; did you mean `Waiting`?
            deskup.toml:25: status.sleeping: `sleeping` is not a status in Zendesk
            deskup.toml:31: status.to_zendesk.complete: `closed` is set by Zendesk only; use solved
            deskup.toml:33: priority.urgent: `asap` is not a ClickUp priority; use urgent, high, normal, low, 1 to 4 or none
            deskup.toml:34: priority.mild: `mild` is not a Zendesk priority; use urgent, high, normal, low or none
            deskup.toml:36: people.mia@acme.tst: nobody in Zendesk has the address `mia@acme.tst`; did you mean `mia@acme.test`?
            deskup.toml:36: people.mia@acme.tst: nobody in ClickUp has the address `mia@nowhere.test`
            deskup.toml:42: field.options.Hihg: Zendesk field `Severity` has no option `Hihg`; it has Low, High or Odd; did you mean `High`?
            deskup.toml:42: field.options.Hihg: ClickUp field `Severity` has no option `Mex`; it has low, High or Max; did you mean `Max`?
            deskup.toml:46: field.zendesk: Zendesk has no ticket field 99; it has 11 Severity, 12 Hours, 13 VIP, 14 Areas, 15 Visit, 16 Notes, 17 Due
            deskup.toml:52: field.clickup: ClickUp has no custom field `VIP`; the field of that name has the id `f-vip`
            deskup.toml:57: field.clickup: ClickUp's `Visit` is of type date, which does not fit Zendesk's `Areas` of type multiselect; fitting: text with text, integer or decimal with number, checkbox with checkbox, date with date, tagger with drop_down, multiselect with labels
            deskup.toml:62: field.clickup: ClickUp's `Areas` is of type labels, which does not fit Zendesk's `Visit` of type date; fitting: text with text, integer or decimal with number, checkbox with checkbox, date with date, tagger with drop_down, multiselect with labels
            deskup.toml:68: field.rule: `union` is for sets; use zendesk, clickup, newest or ask"#]],
    );
}

#[test]
fn fields_must_exist_in_every_list_of_a_route() {
    let mut directory = directory();
    let field = directory.clickup_fields.get_mut("f-vip").unwrap();
    field.lists.remove(&crate::sample::list("802"));
    directory.lists.get_mut(&crate::sample::list("802")).unwrap().statuses.remove(1);
    let settings = Settings::parse(TOML).unwrap();
    let mistakes = Mapping::new(&settings, &directory).unwrap_err();
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    expect![[r#"
        deskup.toml:23: status.pending: list `Billing` has no status `waiting`; it has Closed, complete or to do
        deskup.toml:24: status.hold: list `Billing` has no status `waiting`; it has Closed, complete or to do
        deskup.toml:44: field.clickup: list `Billing` does not have the field `VIP`; add it there"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn a_mapping_has_a_version_that_only_its_meaning_changes() {
    let version = |toml: &str| {
        Mapping::new(&Settings::parse(toml).unwrap(), &directory()).unwrap().version().to_owned()
    };
    let one = version(TOML);
    assert_eq!(one, version(&format!("# a comment\n\n{TOML}")));
    assert_ne!(one, version(&toml_with(&[("hold = \"waiting\"", "hold = \"to do\"")])));
}

#[test]
fn the_scope_is_read_and_its_mistakes_are_told() {
    let toml = |scope: &str| {
        let sync = ("[sync]", "[sync]\nadopt = \"link\"");
        toml_with(&[("[scope]\nclosed = true", &format!("[scope]\n{scope}")), sync])
    };
    let settings = Settings::parse(&toml("since = \"2026-11-01\"\nlimit = 20")).unwrap();
    let scope = Scope { since_ms: Some(1_793_491_200_000), limit: Some(20), closed: false };
    assert_eq!((settings.scope, settings.adopt), (scope, Adopt::Link));
    check(
        &toml("since = \"yesterday\"\nlimit = 0\nclosed = \"no\"\nopen = true"),
        expect![[r#"
            deskup.toml:64: scope.since: must be a date like "2026-01-31"
            deskup.toml:65: scope.limit: must be from 1 to 5000; leave it out to take every ticket of the scope
            deskup.toml:66: scope.closed: must be true or false
            deskup.toml:67: scope.open: is not a setting; known here: limit, since, closed"#]],
    );
}

#[test]
fn a_fingerprint_of_settings_tells_what_is_set_and_not_where() {
    let digest = |toml: &str| Settings::parse(toml).unwrap().digest();
    let commented = TOML.replace("[sync]", "# how it goes\n\n[sync]");
    assert_eq!(digest(TOML), digest(&commented));
    assert_ne!(digest(TOML), digest(&toml_with(&[("closed = true", "closed = false")])));
    assert_ne!(digest(TOML), digest(&toml_with(&[("pending = \"waiting\"", "pending = \"to do\"")])));
    // Where it listens changes no write.
    assert_eq!(digest(TOML), digest(&format!("{TOML}\n[serve]\nlisten = \"127.0.0.1:1\"")));
}

#[test]
fn where_it_serves_is_read_and_mistakes_have_lines() {
    let read = |more: &str| Settings::parse(&format!("{TOML}\n{more}")).map(|settings| settings.serve);
    let plain = read("").unwrap();
    assert_eq!((plain.listen.to_string().as_str(), plain.public_url), ("127.0.0.1:8787", None));
    let told = read("[serve]\nlisten = \"0.0.0.0:80\"\npublic_url = \"https://a.example/x/\"").unwrap();
    assert_eq!(told.listen.to_string(), "0.0.0.0:80");
    assert_eq!(told.public_url.as_deref(), Some("https://a.example/x"));
    let mistakes =
        read("[serve]\nlisten = \"8787\"\npublic_url = \"http://a.example\"\nport = 1").unwrap_err();
    let fields: Vec<&str> = mistakes.iter().map(|mistake| mistake.field.as_str()).collect();
    assert_eq!(fields, ["serve.listen", "serve.public_url", "serve.port"]);
    assert!(mistakes.iter().all(|mistake| mistake.line.is_some()));
}
