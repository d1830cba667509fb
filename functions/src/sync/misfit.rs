//! Why ClickUp refused a new task, in the words of whoever has to mend it. Codes differ, and prose may hold text of the ticket; so
//! the list is read anew and compared with what was asked for. Only what the mapping and the accounts name is told.

use std::collections::BTreeMap;

use clients::{ApiError, ApiResult, ErrorKind};
use domain::{ListId, NewTaskPlan, UserId};
use orchestration::ExecutionContext;

use crate::{Context, SyncError};

/// One refused create after the other should not make a look each, ms.
const FRESH_MS: i64 = 10_000;

/// What a new task asked for and its list does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    list: ListId,
    /// As people know it, where that is known.
    name: Option<String>,
    lacks: Lacks,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Lacks {
    /// The list itself.
    Itself,
    /// A status, by its name.
    Status(String),
    /// A custom field: id and name.
    Field(String, Option<String>),
    /// Somebody who is to work on the task.
    Person(UserId, Option<String>),
}

impl Misfit {
    /// A fixed name for what is wrong.
    pub fn cause(&self) -> &'static str {
        match self.lacks {
            Lacks::Itself => "clickup_no_list",
            Lacks::Status(_) => "clickup_no_status",
            Lacks::Field(..) => "clickup_no_field",
            Lacks::Person(..) => "clickup_no_person",
        }
    }

    /// What all that fail for the same reason have in common.
    pub fn group(&self) -> String {
        let what = match &self.lacks {
            Lacks::Itself => String::new(),
            Lacks::Status(status) => status.to_lowercase(),
            Lacks::Field(id, _) => id.clone(),
            // Whoever is not in the Workspace is missing in all of its lists.
            Lacks::Person(id, _) => return format!("{} {id}", self.cause()),
        };
        format!("{} {} {what}", self.cause(), self.list)
    }
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = match &self.name {
            Some(name) => format!("list {} ({name:?})", self.list),
            None => format!("list {}", self.list),
        };
        match &self.lacks {
            Lacks::Itself => write!(out, "{list} is gone, or deskup may not see it"),
            Lacks::Status(status) => write!(out, "{list} has no status {status:?}"),
            Lacks::Field(id, Some(name)) => write!(out, "{list} has no custom field {name:?} ({id})"),
            Lacks::Field(id, None) => write!(out, "{list} has no custom field {id}"),
            Lacks::Person(id, Some(name)) => {
                write!(out, "{name} ({id}) is not in the Workspace, and is to be assigned")
            }
            Lacks::Person(id, None) => {
                write!(out, "user {id} is not in the Workspace, and is to be assigned")
            }
        }
    }
}

/// What lists were like a moment ago.
#[derive(Debug, Default)]
pub struct Lists(tokio::sync::Mutex<BTreeMap<ListId, (i64, Option<Seen>)>>);

/// A list as it is.
#[derive(Clone, Debug)]
struct Seen {
    name: String,
    statuses: Vec<String>,
    fields: Vec<String>,
    people: Vec<UserId>,
}

/// The failure of a create that ClickUp refused: what is wrong, where the list tells it, and else what ClickUp said.
pub async fn of(cx: &Context, run: &ExecutionContext, plan: &NewTaskPlan, error: ApiError) -> SyncError {
    if !matches!(error.kind, ErrorKind::Refused | ErrorKind::NotFound) {
        return error.into();
    }
    let list = match look(cx, run, &plan.list).await {
        Ok(list) => list,
        // Nothing was made: it comes back when there is room to look why.
        Err(look) if look.kind.is_worth_repeating() => return look.into(),
        Err(_) => return error.into(),
    };
    match lacks(cx, plan, list.as_ref()) {
        Some(lacks) => {
            let known = cx.mapping.directory().lists.get(&plan.list).map(|list| list.name.clone());
            let name = list.map(|list| list.name).or(known);
            SyncError::Misfit {
                misfit: Box::new(Misfit { list: plan.list.clone(), name, lacks }),
                source: error,
            }
        }
        None => error.into(),
    }
}

/// The list as it is now; nothing if it is not there for us.
async fn look(cx: &Context, run: &ExecutionContext, id: &ListId) -> ApiResult<Option<Seen>> {
    // Held while looking: whoever comes meanwhile gets the same answer.
    let mut lists = cx.lists.0.lock().await;
    if let Some((at_ms, seen)) = lists.get(id)
        && cx.now_ms() - at_ms < FRESH_MS
    {
        return Ok(seen.clone());
    }
    let clickup = cx.clickup(run);
    let seen = match clickup.list(id).await {
        Err(error) if error.is_not_found() => None,
        list => {
            let list = list?;
            let statuses = list.statuses.iter().map(|(status, _)| plain(status)).collect();
            let fields = clickup.fields(id).await?.into_iter().map(|field| field.id).collect();
            let people = clickup.members().await?.into_iter().filter_map(|person| person.id).collect();
            Some(Seen { name: list.name, statuses, fields, people })
        }
    };
    lists.insert(id.clone(), (cx.now_ms(), seen.clone()));
    Ok(seen)
}

/// The first thing that the list does not have.
fn lacks(cx: &Context, plan: &NewTaskPlan, list: Option<&Seen>) -> Option<Lacks> {
    let Some(list) = list else { return Some(Lacks::Itself) };
    let task = &plan.task;
    if let Some(status) = task.status.as_ref().filter(|status| !list.statuses.contains(&plain(status))) {
        return Some(Lacks::Status(status.clone()));
    }
    if let Some(field) = task.custom_fields.keys().find(|field| !list.fields.contains(field)) {
        let name = cx.mapping.directory().clickup_fields.get(field).map(|known| known.name.clone());
        return Some(Lacks::Field(field.clone(), name));
    }
    let person = task.assignees.iter().find(|person| !list.people.contains(person))?;
    let known = cx.mapping.directory().clickup_people.get(person);
    Some(Lacks::Person(*person, known.map(|known| known.name.clone())))
}

/// Lists take their statuses in any case.
fn plain(status: &str) -> String {
    status.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn misfit(name: Option<&str>, lacks: Lacks) -> Misfit {
        Misfit { list: ListId::new("42").expect("an id"), name: name.map(str::to_owned), lacks }
    }

    #[test]
    fn words_name_what_is_missing_where() {
        let check = |lacks, told: &str| assert_eq!(misfit(Some("Support"), lacks).to_string(), told);
        check(Lacks::Status("Waiting".into()), r#"list 42 ("Support") has no status "Waiting""#);
        check(Lacks::Itself, r#"list 42 ("Support") is gone, or deskup may not see it"#);
        let field = Lacks::Field("f-1".into(), Some("Severity".into()));
        check(field, r#"list 42 ("Support") has no custom field "Severity" (f-1)"#);
        let person = Lacks::Person(UserId(7), Some("Jo".into()));
        check(person, "Jo (7) is not in the Workspace, and is to be assigned");
        assert_eq!(misfit(None, Lacks::Status("done".into())).to_string(), r#"list 42 has no status "done""#);
    }

    #[test]
    fn another_status_is_another_group_and_its_case_is_not() {
        let group = |status: &str| misfit(None, Lacks::Status(status.into())).group();
        assert_eq!(group("Waiting"), group("waiting"));
        assert_ne!(group("Waiting"), group("Done"));
    }
}
