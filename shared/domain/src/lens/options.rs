//! Options of drop-downs: Zendesk's tags and ClickUp's UUIDs, by the settings' table or by equal names.

use std::collections::BTreeMap;

use crate::directory::{ClickupField, ZendeskField};
use crate::settings::{CustomSetting, Mistake, did_you_mean, one_of};

/// Which option is which.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub to_clickup: BTreeMap<String, String>,
    pub to_zendesk: BTreeMap<String, String>,
    /// UUIDs by place, for answers that give an index.
    pub by_index: Vec<String>,
}

/// An option by its id or its name.
pub(crate) fn find<'o>(options: &'o [(String, String)], wanted: &str) -> Option<&'o str> {
    let lower = wanted.to_lowercase();
    let by_id = options.iter().find(|(id, _)| id == wanted);
    by_id
        .or_else(|| options.iter().find(|(_, name)| name.trim().to_lowercase() == lower))
        .map(|(id, _)| id.as_str())
}

/// What people call the options.
fn names(options: &[(String, String)]) -> Vec<&str> {
    options.iter().map(|(_, name)| name.as_str()).collect()
}

impl Options {
    pub fn build(
        setting: &CustomSetting,
        zendesk: &ZendeskField,
        clickup: &ClickupField,
        mistakes: &mut Vec<Mistake>,
    ) -> Self {
        let mut options = Options {
            by_index: clickup.options.iter().map(|(id, _)| id.clone()).collect(),
            ..Options::default()
        };
        if setting.options.is_empty() {
            for (tag, name) in &zendesk.options {
                if let Some(id) = find(&clickup.options, name.trim()).or_else(|| find(&clickup.options, tag))
                {
                    options.pair(tag, id);
                }
            }
            if options.to_clickup.is_empty() {
                mistakes.push(setting.name.mistake(format!(
                    "no option has the same name on both sides; write [field.options] (Zendesk: {}; ClickUp: {})",
                    one_of(&names(&zendesk.options)),
                    one_of(&names(&clickup.options))
                )));
            }
            return options;
        }
        for (on_zendesk, on_clickup) in &setting.options {
            let tag = find(&zendesk.options, &on_zendesk.value);
            let id = find(&clickup.options, &on_clickup.value);
            if tag.is_none() {
                let known = names(&zendesk.options);
                mistakes.push(on_zendesk.mistake(format!(
                    "Zendesk field `{}` has no option `{}`; it has {}{}",
                    zendesk.title,
                    on_zendesk.value,
                    one_of(&known),
                    did_you_mean(&on_zendesk.value, known.iter().copied())
                )));
            }
            if id.is_none() {
                let known = names(&clickup.options);
                mistakes.push(on_clickup.mistake(format!(
                    "ClickUp field `{}` has no option `{}`; it has {}{}",
                    clickup.name,
                    on_clickup.value,
                    one_of(&known),
                    did_you_mean(&on_clickup.value, known.iter().copied())
                )));
            }
            if let (Some(tag), Some(id)) = (tag, id) {
                options.pair(tag, id);
            }
        }
        options
    }

    /// The first pair of an option is the one that leads back.
    fn pair(&mut self, tag: &str, id: &str) {
        self.to_clickup.entry(tag.to_owned()).or_insert_with(|| id.to_owned());
        self.to_zendesk.entry(id.to_owned()).or_insert_with(|| tag.to_owned());
    }
}
