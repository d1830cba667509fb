//! The `deskup.toml` of a simulated world: written from the same tables as the world itself.

use std::fmt::Write;

use super::cast::VIP_ORGANIZATION;
use super::workspace::{HARDWARE_TAG, PRIORITY_TABLE, Route, STATUS_TABLE, WORKSPACE_ID};
use crate::scenario::Scenario;

/// Where the simulated Zendesk is reached.
pub const ZENDESK_URL: &str = "https://deskup-demo.zendesk.example";
/// Where the simulated ClickUp is reached.
pub const CLICKUP_URL: &str = "https://api.clickup.example";

/// deskup's OAuth client in the simulated Zendesk.
pub const OAUTH_CLIENT: &str = "deskup";
/// Its secret.
pub const OAUTH_SECRET: &str = "simulated-secret";

/// The text of `deskup.toml` with these addresses: a demo on ports has others than one in process.
pub fn text(scenario: &Scenario, zendesk_url: &str, clickup_url: &str) -> String {
    let mut toml = String::new();
    let out = &mut toml;
    line(out, "# How the simulated Zendesk and the simulated ClickUp of the demo belong together.");
    line(out, &format!("[zendesk]\nurl = {zendesk_url:?}\n"));
    line(
        out,
        &format!("[clickup]\nurl = {clickup_url:?}\nworkspace = {WORKSPACE_ID:?}\nutc_offset = \"+00:00\"\n"),
    );
    line(out, "[sync]\ncomments_to_zendesk = \"internal\"");
    line(out, &format!("internal_notes_to_clickup = {}", scenario.internal_notes));
    line(out, "attachments = true\ndescription_edits = \"note\"\n");
    line(out, "[scope] # the demo brings everything over, old work too\nclosed = true\n");
    routes(out, scenario);
    tables(out);
    for field in &scenario.workspace.fields {
        line(
            out,
            &format!(
                "[[field]]\nname = {:?}\nzendesk = {}\nclickup = {:?}",
                field.key, field.zendesk, field.clickup
            ),
        );
        if !field.options.is_empty() {
            line(out, "[field.options]");
        }
        for option in &field.options {
            line(out, &format!("{} = {:?}", option.tag, option.name));
        }
        line(out, "");
    }
    toml
}

fn routes(out: &mut String, scenario: &Scenario) {
    let name = |group: i64| {
        let known = scenario.cast.groups.iter().find(|(id, _)| *id == group);
        known.map_or_else(String::new, |(_, name)| name.clone())
    };
    for list in &scenario.workspace.lists {
        let when = match list.route {
            Route::GroupAndTag(group, _) => format!("group = {:?}\ntag = {HARDWARE_TAG:?}\n", name(group)),
            Route::GroupAndOrganization(group, organization) => {
                format!("group = {:?}\norganization = {organization} # {VIP_ORGANIZATION}\n", name(group))
            }
            Route::Group(group) => format!("group = {:?}\n", name(group)),
            Route::Rest => String::new(),
        };
        line(out, &format!("[[route]] # {}\n{when}list = {:?}\n", list.name, list.id));
    }
}

fn tables(out: &mut String) {
    line(out, "[status]");
    for (zendesk, clickup) in STATUS_TABLE {
        line(out, &format!("{zendesk} = {:?}", clickup[0]));
    }
    line(out, "[status.to_zendesk]");
    for (zendesk, clickup) in STATUS_TABLE {
        for word in &clickup[1..] {
            line(out, &format!("{word:?} = {zendesk:?}"));
        }
    }
    line(out, "\n[priority]");
    for (zendesk, number) in PRIORITY_TABLE {
        // Both sides happen to use the same four words.
        let _ = writeln!(out, "{zendesk} = {zendesk:?} # {number}");
    }
    line(out, "");
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::ScenarioOptions;

    #[test]
    fn the_settings_of_a_world_are_read_without_a_mistake() {
        let scenario =
            Scenario::make(&ScenarioOptions { tickets: 8, ..Default::default() }).expect("built in");
        let toml = text(&scenario, ZENDESK_URL, CLICKUP_URL);
        let settings = domain::settings::Settings::parse(&toml);
        let settings = settings.unwrap_or_else(|mistakes| panic!("{mistakes:?}\n{toml}"));
        assert_eq!(settings.routes.len(), scenario.workspace.lists.len());
        assert_eq!(settings.custom.len(), scenario.workspace.fields.len());
        assert_eq!(settings.status.len(), STATUS_TABLE.len());
        assert_eq!((settings.zendesk_url.as_str(), settings.workspace.as_str()), (ZENDESK_URL, WORKSPACE_ID));
        assert!(!settings.internal_notes_to_clickup);
        assert_eq!(settings.scope, domain::Scope { closed: true, ..domain::Scope::default() });
    }
}
