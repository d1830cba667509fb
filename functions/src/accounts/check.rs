//! Settings against both accounts: every mistake at once, each with its place.

use clients::{ApiResult, Workspace};
use domain::{ListId, Mapping, Mistake, Settings, Side};

use super::warnings::{Warning, warnings};
use super::{About, Accounts, Survey, Trouble, survey};
use crate::directory;
use crate::local::{lists_of, organizations_of};

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// What keeps a sync from running: accounts that cannot be used.
    pub troubles: Vec<Trouble>,
    /// What keeps a sync from running: lines of the file.
    pub mistakes: Vec<Mistake>,
    /// What is good to know.
    pub warnings: Vec<Warning>,
    /// What was read, as far as it came to that.
    pub survey: Option<Survey>,
}

impl Checked {
    /// Whether a sync can run.
    pub fn is_fine(&self) -> bool {
        self.troubles.is_empty() && self.mistakes.is_empty()
    }
}

/// Compares settings with both accounts. `text` is the file, for the lines.
pub async fn check(
    accounts: &Accounts,
    text: &str,
    settings: &Settings,
    progress: &(dyn Fn(&str) + Sync),
) -> Checked {
    let mut checked = Checked::default();
    let workspace = Workspace { id: settings.workspace.clone(), name: String::new() };
    let users = match accounts.enter().await {
        Ok(users) => users,
        Err(troubles) => return Checked { troubles, ..checked },
    };
    if let Some(mistake) = workspace_mistake(accounts, text, settings).await {
        match mistake {
            Ok(mistake) => checked.mistakes.push(mistake),
            Err(trouble) => checked.troubles.push(trouble),
        }
        return checked;
    }
    let mut survey = match survey(accounts, users, &workspace, progress).await {
        Ok(survey) => survey,
        Err(troubles) => return Checked { troubles, ..checked },
    };
    progress("ClickUp: the lists of the mapping");
    let missing = match read_mapped(accounts, settings, &mut survey).await {
        Ok(missing) => missing,
        Err(trouble) => return Checked { troubles: vec![trouble], survey: Some(survey), ..checked },
    };
    let mapping = Mapping::new(settings, &survey.snapshot.directory);
    let mapping = match mapping {
        Ok(mapping) => Some(mapping),
        Err(mistakes) => {
            checked.mistakes = mistakes;
            None
        }
    };
    // What is said of a list that could not be read is more than the mapping knows.
    checked.mistakes.retain(|mistake| {
        !missing.iter().any(|better| better.line == mistake.line && better.field == mistake.field)
    });
    checked.mistakes.extend(missing);
    checked.mistakes.sort_by_key(|mistake| mistake.line);
    checked.warnings = warnings(accounts, &survey, mapping.as_ref().filter(|_| checked.mistakes.is_empty()));
    checked.survey = Some(survey);
    checked
}

/// The workspace of the file is not among those the token opens.
async fn workspace_mistake(
    accounts: &Accounts,
    text: &str,
    settings: &Settings,
) -> Option<Result<Mistake, Trouble>> {
    let open = match accounts.workspaces().await {
        Ok(open) => open,
        Err(trouble) => return Some(Err(trouble)),
    };
    if open.iter().any(|workspace| workspace.id == settings.workspace) {
        return None;
    }
    let open: Vec<String> = open.iter().map(|one| format!("{} `{}`", one.id, one.name)).collect();
    Some(Ok(Mistake {
        line: Settings::line_of(text, "clickup", "workspace"),
        field: "clickup.workspace".to_owned(),
        message: format!(
            "ClickUp's token does not open workspace {}; it opens {}",
            settings.workspace,
            open.join(", ")
        ),
    }))
}

/// Reads the lists and organizations that the settings name; a list that is not there is a mistake of its line.
async fn read_mapped(
    accounts: &Accounts,
    settings: &Settings,
    survey: &mut Survey,
) -> Result<Vec<Mistake>, Trouble> {
    let mut mistakes = Vec::new();
    let organizations = organizations_of(settings);
    if !organizations.is_empty() {
        let found = accounts.zendesk.organizations(&organizations).await;
        survey.snapshot.directory.organizations = accounts.told(Side::Zendesk, found)?.into_iter().collect();
    }
    let mut unreadable: Vec<ListId> = Vec::new();
    for list in lists_of(settings).unwrap_or_default() {
        let read = directory::add_list(&accounts.clickup, &list, &mut survey.snapshot.directory).await;
        match missing(accounts, read) {
            Ok(false) => {}
            Ok(true) => unreadable.push(list),
            Err(trouble) => return Err(trouble),
        }
    }
    for route in &settings.routes {
        let wanted = route.list.value.to_string();
        let bad = ListId::new(wanted.clone()).map_or(true, |list| unreadable.contains(&list));
        if bad {
            mistakes.push(route.list.mistake(no_such_list(survey, &wanted)));
        }
    }
    Ok(mistakes)
}

/// Whether a list is not there for us; other failures are troubles.
fn missing(accounts: &Accounts, read: ApiResult<()>) -> Result<bool, Trouble> {
    let Err(error) = read else { return Ok(false) };
    let trouble = accounts.trouble(Side::Clickup, &error);
    // ClickUp does not tell a list that is gone from one that we may not see, and words both in many ways.
    let gone = matches!(error.status, Some(400 | 401 | 403 | 404)) && trouble.about != About::Credentials;
    if gone { Ok(true) } else { Err(trouble) }
}

fn no_such_list(survey: &Survey, wanted: &str) -> String {
    let lower = wanted.to_lowercase();
    let places = &survey.snapshot.places;
    let named: Vec<String> = places
        .iter()
        .filter(|place| place.name.trim().to_lowercase() == lower)
        .map(|place| place.list.to_string())
        .collect();
    if !named.is_empty() {
        return format!("write the id of the list `{wanted}`, not its name: {}", named.join(" or "));
    }
    let known: Vec<String> =
        places.iter().take(20).map(|place| format!("{} `{}`", place.list, place.name)).collect();
    format!(
        "ClickUp has no list `{wanted}` that deskup's user can see; it was deleted, archived, or the user lost access. It sees {}",
        if known.is_empty() { "no list at all".to_owned() } else { known.join(", ") }
    )
}
