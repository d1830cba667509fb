//! The lenses of all mapped fields, each checked against both accounts.

use std::sync::Arc;

use super::Mapped;
use crate::directory::{ClickupField, Directory, ZendeskField};
use crate::field::FieldKey;
use crate::ids::{ListId, Side};
use crate::lens::Lens;
use crate::lens::assignee::{Assignee, People};
use crate::lens::custom::{Custom, Kind, option_tags};
use crate::lens::description::Description;
use crate::lens::due_date::{Days, DueDate};
use crate::lens::options::Options;
use crate::lens::priority::Priority;
use crate::lens::status::Status;
use crate::lens::tags::Tags;
use crate::lens::title::Title;
use crate::merge::Rule;
use crate::settings::{At, CustomSetting, Direction, LinkBack, Mistake, Settings, did_you_mean};

pub(super) fn build(
    settings: &Settings,
    directory: &Directory,
    lists: &[ListId],
    people: &People,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Mapped> {
    let days = Days { offset_minutes: settings.utc_offset_minutes };
    let due_field = due_date_field(settings, directory, mistakes);
    let mut fields = Vec::new();
    for (key, setting) in &settings.fields {
        let lens: Arc<dyn Lens> = match key {
            FieldKey::Title => Arc::new(Title),
            FieldKey::Description => Arc::new(Description),
            FieldKey::Status => Arc::new(Status::build(settings, directory, lists, mistakes)),
            FieldKey::Priority => Arc::new(Priority::build(settings, mistakes)),
            FieldKey::Assignee => Arc::new(Assignee { people: people.clone() }),
            FieldKey::Tags => Arc::new(Tags {
                options: option_tags(directory.zendesk_fields.values()),
                link_tag: settings.link_back == LinkBack::Tag,
            }),
            FieldKey::DueDate => Arc::new(DueDate { days, field: due_field }),
            FieldKey::Custom(_) => continue,
        };
        if setting.direction != Direction::Off {
            fields.push(Mapped { key: key.clone(), direction: setting.direction, rule: setting.rule, lens });
        }
    }
    for setting in &settings.custom {
        let Some(lens) = custom(setting, directory, lists, days, mistakes) else { continue };
        let is_set = matches!(lens.kind, Kind::Labels(_));
        let rule = match &setting.rule {
            Some(rule) if rule.value == Rule::Union && !is_set => {
                let message = "`union` is for sets; use zendesk, clickup, newest or ask";
                mistakes.push(rule.mistake(message));
                Rule::Owner(Side::Zendesk)
            }
            Some(rule) => rule.value,
            None if is_set => Rule::Union,
            None => Rule::Owner(Side::Zendesk),
        };
        if setting.direction != Direction::Off {
            let key = FieldKey::Custom(setting.name.value.clone());
            fields.push(Mapped { key, direction: setting.direction, rule, lens: Arc::new(lens) });
        }
    }
    fields
}

fn zendesk_field<'d>(
    id: &At<u64>,
    directory: &'d Directory,
    mistakes: &mut Vec<Mistake>,
) -> Option<&'d ZendeskField> {
    let field = directory.zendesk_fields.get(&id.value);
    if field.is_none() {
        let known = directory.zendesk_fields.values().filter(|field| Kind::is_custom(&field.kind));
        let known: Vec<String> = known.map(|field| format!("{} {}", field.id, field.title)).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        mistakes.push(id.mistake(format!("Zendesk has no ticket field {}; it has {known}", id.value)));
    }
    field
}

fn due_date_field(settings: &Settings, directory: &Directory, mistakes: &mut Vec<Mistake>) -> Option<u64> {
    let id = settings.due_date_field.as_ref()?;
    let field = zendesk_field(id, directory, mistakes)?;
    if field.kind != "date" {
        mistakes.push(id.mistake(format!("`{}` is of type {}, not date", field.title, field.kind)));
    }
    Some(field.id)
}

fn custom(
    setting: &CustomSetting,
    directory: &Directory,
    lists: &[ListId],
    days: Days,
    mistakes: &mut Vec<Mistake>,
) -> Option<Custom> {
    let zendesk = zendesk_field(&setting.zendesk, directory, mistakes);
    let clickup = clickup_field(setting, directory, lists, mistakes);
    let (zendesk, clickup) = (zendesk?, clickup?);
    let kind = match Kind::pairing(&zendesk.kind, &clickup.kind) {
        Some("text") => Kind::Text,
        Some("number") => Kind::Number { whole: zendesk.kind == "integer" },
        Some("checkbox") => Kind::Checkbox,
        Some("date") => Kind::Date(days),
        Some("option") => Kind::Option(Options::build(setting, zendesk, clickup, mistakes)),
        Some("labels") => Kind::Labels(Options::build(setting, zendesk, clickup, mistakes)),
        _ => {
            mistakes.push(setting.clickup.mistake(format!(
                "ClickUp's `{}` is of type {}, which does not fit Zendesk's `{}` of type {}; fitting: text with text, \
                 integer or decimal with number, checkbox with checkbox, date with date, tagger with drop_down, \
                 multiselect with labels",
                clickup.name, clickup.kind, zendesk.title, zendesk.kind
            )));
            return None;
        }
    };
    if !setting.options.is_empty() && !matches!(kind, Kind::Option(_) | Kind::Labels(_)) {
        mistakes.push(setting.options[0].0.mistake("only drop-downs and labels have options"));
    }
    Some(Custom { zendesk: zendesk.id, clickup: clickup.id.clone(), kind })
}

fn clickup_field<'d>(
    setting: &CustomSetting,
    directory: &'d Directory,
    lists: &[ListId],
    mistakes: &mut Vec<Mistake>,
) -> Option<&'d ClickupField> {
    let id = &setting.clickup;
    let Some(field) = directory.clickup_fields.get(&id.value) else {
        let by_name = directory.clickup_fields.values().find(|field| field.name == id.value);
        let hint = by_name.map_or_else(
            || did_you_mean(&id.value, directory.clickup_fields.keys().map(String::as_str)),
            |field| format!("; the field of that name has the id `{}`", field.id),
        );
        mistakes.push(id.mistake(format!("ClickUp has no custom field `{}`{hint}", id.value)));
        return None;
    };
    for list in lists {
        if !field.lists.is_empty() && !field.lists.contains(list) {
            let title = directory.lists.get(list).map_or_else(|| list.to_string(), |list| list.name.clone());
            mistakes.push(
                id.mistake(format!("list `{title}` does not have the field `{}`; add it there", field.name)),
            );
        }
    }
    Some(field)
}
