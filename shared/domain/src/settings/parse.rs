//! From the text of `deskup.toml` to [`Settings`], with every mistake that needs no account to be seen.

use std::collections::BTreeMap;

use super::reader::{Reader, Section};
use super::scope;
use super::{
    At, Conditions, CustomSetting, DescriptionEdits, Direction, FieldSetting, Filter, LinkBack, Mistake,
    RouteSetting, Settings,
};
use crate::comment::Visibility;
use crate::field::FieldKey;
use crate::ids::Side;
use crate::merge::Rule;

const DIRECTIONS: [(&str, Direction); 4] = [
    ("both", Direction::Both),
    ("to_clickup", Direction::ToClickup),
    ("to_zendesk", Direction::ToZendesk),
    ("off", Direction::Off),
];

const RULES: [(&str, Rule); 5] = [
    ("zendesk", Rule::Owner(Side::Zendesk)),
    ("clickup", Rule::Owner(Side::Clickup)),
    ("newest", Rule::Newest(Side::Zendesk)),
    ("union", Rule::Union),
    ("ask", Rule::Ask),
];

/// Half of the account's ticket updates: agents in the browser need the rest.
const UPDATE_SHARE_PERCENT: u8 = 50;

/// Zones reach from -12:00 to +14:00.
const UTC_OFFSET_HOURS_MAX: i32 = 14;

pub(super) fn parse(text: &str) -> Result<Settings, Vec<Mistake>> {
    let reader = Reader::new(text);
    let document = match toml_edit::Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let message = error.message().lines().collect::<Vec<_>>().join("; ");
            let message = format!("this is not TOML: {message}");
            return Err(vec![Mistake { line: reader.line(error.span()), field: String::new(), message }]);
        }
    };
    let settings = read(&Section::root(&reader, document.as_table()));
    let mut mistakes = reader.mistakes.into_inner();
    mistakes.sort_by_key(|mistake| mistake.line);
    if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) }
}

fn read(root: &Section<'_>) -> Settings {
    let zendesk = root.section("zendesk");
    let zendesk_url = url(&zendesk);
    zendesk.finish();
    let clickup = root.section("clickup");
    let clickup_url = url(&clickup);
    let workspace = workspace(&clickup);
    let utc_offset_minutes = utc_offset(&clickup);
    clickup.finish();

    let sync = root.section("sync");
    let filter = filter(&sync);
    let status = root.section("status");
    let to_zendesk = status.section("to_zendesk");
    let (fields, due_date_field) = fields(&root.section("fields"));
    let settings = Settings {
        zendesk_url,
        clickup_url,
        workspace,
        utc_offset_minutes,
        link_back: link_back(&sync),
        comments_to_zendesk: sync
            .choice(
                "comments_to_zendesk",
                &[("internal", Visibility::Internal), ("public", Visibility::Public)],
            )
            .map_or(Visibility::Internal, |choice| choice.value),
        internal_notes_to_clickup: sync.boolean("internal_notes_to_clickup", false),
        attachments: sync.boolean("attachments", true),
        description_edits: sync
            .choice(
                "description_edits",
                &[("note", DescriptionEdits::Note), ("conflict", DescriptionEdits::Conflict)],
            )
            .map_or(DescriptionEdits::Note, |choice| choice.value),
        zendesk_update_share: update_share(&sync),
        adopt: scope::adopt(&sync),
        scope: scope::scope(root),
        filter,
        serve: super::serve::read(&root.section("serve")),
        routes: routes(root),
        status: status.pairs(&["to_zendesk"]),
        status_to_zendesk: to_zendesk.pairs(&[]),
        priority: root.section("priority").pairs(&[]),
        people: root.section("people").pairs(&[]),
        fields,
        due_date_field,
        custom: custom(root),
    };
    twice(&settings, &sync);
    sync.finish();
    if settings.status.is_empty() {
        root.missing(
            "status",
            "says which ClickUp status belongs to each Zendesk status, for example [status] open = \"to do\"",
        );
    }
    root.finish();
    settings
}

fn url(section: &Section<'_>) -> String {
    let Some(url) = section.text("url") else {
        if !section.has("url") {
            section.missing("url", "is missing; write it as \"https://…\"");
        }
        return String::new();
    };
    let rest = url.value.strip_prefix("https://").or_else(|| url.value.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split('/').next()).unwrap_or_default();
    if host.is_empty() || host.contains(char::is_whitespace) || host.contains('@') {
        section
            .reader
            .note(url.mistake(format!("`{}` is not a web address; write it as \"https://…\"", url.value)));
    }
    url.value.trim_end_matches('/').to_owned()
}

fn workspace(section: &Section<'_>) -> String {
    let names = section.names("workspace");
    if names.is_empty() && !section.has("workspace") {
        section.missing("workspace", "is missing; it is the number in ClickUp's address");
    }
    let name = names.first().map(|name| name.value.to_string()).unwrap_or_default();
    if !name.is_empty() && !name.bytes().all(|byte| byte.is_ascii_digit()) {
        section.wrong("workspace", format!("`{name}` is not a workspace id, which has digits only"));
    }
    name
}

fn utc_offset(section: &Section<'_>) -> i32 {
    let Some(text) = section.text("utc_offset") else { return 0 };
    let (sign, rest) = match text.value.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => (0, ""),
    };
    let parts = rest.split_once(':').and_then(|(h, m)| Some((h.parse::<u8>().ok()?, m.parse::<u8>().ok()?)));
    match parts {
        Some((hours, minutes)) if i32::from(hours) <= UTC_OFFSET_HOURS_MAX && minutes < 60 => {
            sign * (i32::from(hours) * 60 + i32::from(minutes))
        }
        _ => {
            section.wrong("utc_offset", format!("`{}` is not like \"+02:00\"", text.value));
            0
        }
    }
}

fn link_back(sync: &Section<'_>) -> LinkBack {
    let Some(text) = sync.text("link_back") else { return LinkBack::None };
    match text.value.as_str() {
        "none" => LinkBack::None,
        "external_id" => LinkBack::ExternalId,
        "tag" => LinkBack::Tag,
        other => match other.strip_prefix("field:").and_then(|id| id.trim().parse().ok()) {
            Some(id) => LinkBack::Field(id),
            None => {
                let message = format!("`{other}` is not known; use none, external_id, tag or field:<number>");
                sync.wrong("link_back", message);
                LinkBack::None
            }
        },
    }
}

fn update_share(sync: &Section<'_>) -> u8 {
    let Some(share) = sync.integer("zendesk_update_share") else { return UPDATE_SHARE_PERCENT };
    match u8::try_from(share.value) {
        Ok(percent @ 1..=100) => percent,
        _ => {
            sync.wrong("zendesk_update_share", "must be a percentage from 1 to 100");
            UPDATE_SHARE_PERCENT
        }
    }
}

fn conditions(section: &Section<'_>) -> Conditions {
    Conditions {
        group: section.names("group"),
        organization: section.names("organization"),
        form: section.names("form"),
        tag: section.names("tag"),
    }
}

fn filter(sync: &Section<'_>) -> Filter {
    let section = sync.section("filter");
    let created_after_ms = section.date("created_after");
    let filter =
        Filter { when: conditions(&section), without_tag: section.names("without_tag"), created_after_ms };
    section.finish();
    filter
}

fn routes(root: &Section<'_>) -> Vec<RouteSetting> {
    let sections = root.sections("route");
    let count = sections.len();
    let mut routes = Vec::new();
    for (index, section) in sections.iter().enumerate() {
        let when = conditions(section);
        let lists = section.names("list");
        section.finish();
        let last = index + 1 == count;
        if when.is_empty() && !last {
            section.missing("list", "takes every ticket, so the routes below it never apply; put it last");
        }
        if !when.is_empty() && last {
            section.missing(
                "list",
                "is the last route and has conditions; add a last [[route]] with only a list, for all other tickets",
            );
        }
        match lists.as_slice() {
            [list] => routes.push(RouteSetting { when, list: list.clone() }),
            [] => section.missing("list", "is missing: the ClickUp list for these tickets, by name or id"),
            _ => section.missing("list", "must be one list"),
        }
    }
    if count == 0 && !root.has("route") {
        root.missing("route", "is missing; add [[route]] with list = \"name or id\" for the tickets' tasks");
    }
    routes
}

/// One Zendesk field cannot have two masters.
fn twice(settings: &Settings, sync: &Section<'_>) {
    for field in &settings.custom {
        let id = &field.zendesk;
        if settings.due_date_field.as_ref().is_some_and(|due| due.value == id.value) {
            sync.reader.note(id.mistake("is the field of fields.due_date.zendesk_field already"));
        }
        if settings.link_back == LinkBack::Field(id.value) {
            sync.reader.note(id.mistake("is the field of sync.link_back already"));
        }
    }
}

fn default_fields() -> BTreeMap<FieldKey, FieldSetting> {
    let zendesk = Rule::Owner(Side::Zendesk);
    let defaults = [
        (FieldKey::Title, Direction::Both, zendesk),
        (FieldKey::Description, Direction::ToClickup, zendesk),
        (FieldKey::Status, Direction::Both, zendesk),
        (FieldKey::Priority, Direction::Both, zendesk),
        (FieldKey::Assignee, Direction::Both, zendesk),
        (FieldKey::Tags, Direction::Both, Rule::Union),
        (FieldKey::DueDate, Direction::Both, Rule::Owner(Side::Clickup)),
    ];
    defaults.into_iter().map(|(key, direction, rule)| (key, FieldSetting { direction, rule })).collect()
}

fn fields(section: &Section<'_>) -> (BTreeMap<FieldKey, FieldSetting>, Option<At<u64>>) {
    let mut fields = default_fields();
    let mut due_date_field = None;
    for (key, setting) in &mut fields {
        let table = section.section(&key.to_string());
        if let Some(direction) = table.choice("direction", &DIRECTIONS) {
            if *key == FieldKey::Description && direction.value == Direction::ToZendesk {
                table.wrong("direction", "Zendesk's description is read only; use to_clickup or off");
            }
            setting.direction = direction.value;
        }
        if let Some(rule) = table.choice("rule", &RULES) {
            if rule.value == Rule::Union && *key != FieldKey::Tags {
                table.wrong("rule", "`union` is for tags; use zendesk, clickup, newest or ask");
            }
            setting.rule = rule.value;
        }
        if *key == FieldKey::DueDate {
            due_date_field = table.integer("zendesk_field");
        }
        table.finish();
    }
    section.finish();
    (fields, due_date_field)
}

fn custom(root: &Section<'_>) -> Vec<CustomSetting> {
    let mut fields: Vec<CustomSetting> = Vec::new();
    for section in root.sections("field") {
        let name = section.text("name");
        let zendesk = section.integer("zendesk");
        let clickup = section.text("clickup");
        for (key, missing, what) in [
            ("name", name.is_none() && !section.has("name"), "a name of your choice"),
            ("zendesk", zendesk.is_none() && !section.has("zendesk"), "the id of the Zendesk ticket field"),
            ("clickup", clickup.is_none() && !section.has("clickup"), "the id of the ClickUp custom field"),
        ] {
            if missing {
                section.missing(key, format!("is missing: {what}"));
            }
        }
        let direction = section.choice("direction", &DIRECTIONS).map_or(Direction::Both, |at| at.value);
        let rule = section.choice("rule", &RULES);
        let options = section.section("options").pairs(&[]);
        section.finish();
        let (Some(name), Some(zendesk), Some(clickup)) = (name, zendesk, clickup) else { continue };
        for other in &fields {
            if other.name.value == name.value {
                section.reader.note(name.mistake(format!("`{}` is the name of two fields", name.value)));
            }
            if other.zendesk.value == zendesk.value {
                section
                    .reader
                    .note(zendesk.mistake(format!("`{}` already uses this field", other.name.value)));
            }
            if other.clickup.value == clickup.value {
                section
                    .reader
                    .note(clickup.mistake(format!("`{}` already uses this field", other.name.value)));
            }
        }
        fields.push(CustomSetting { name, zendesk, clickup, direction, rule, options });
    }
    fields
}
