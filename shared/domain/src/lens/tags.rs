//! Tags as sets. Zendesk keeps them in lower case and without blanks; the tags that stand for options of
//! its fields are not people's tags, and stay out.

use std::collections::BTreeSet;

use super::{Lens, Look, Members, TaskWrites, Unmirrorable, common, mirrorable, respell};
use crate::field::Value;
use crate::merge::{as_set, set_value};
use crate::patch::{TaskWrite, TicketPatch};
use crate::records::{Task, Ticket};

/// The tag that leads from a ticket to its task, where the settings want one.
pub(crate) const LINK_TAG: &str = "clickup-";

#[derive(Debug)]
pub(crate) struct Tags {
    /// Tags that stand for options of Zendesk's fields.
    pub options: BTreeSet<String>,
    /// Whether deskup marks tickets with a tag.
    pub link_tag: bool,
}

impl Tags {
    fn is_ours(&self, tag: &str) -> bool {
        self.options.contains(tag) || self.link_tag && tag.starts_with(LINK_TAG)
    }
}

/// A tag in Zendesk's form: blanks and commas would make two tags of one.
pub(crate) fn zendesk_form(tag: &str) -> String {
    let tag = tag.to_lowercase();
    let words = tag.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

fn set(value: &Value) -> BTreeSet<String> {
    as_set(value).unwrap_or_default()
}

impl Members for Tags {
    fn common_form(&self, member: &str) -> Option<String> {
        let tag = zendesk_form(member);
        (!tag.is_empty() && !self.is_ours(&tag)).then_some(tag)
    }

    fn to_clickup(&self, member: &str) -> Option<String> {
        Some(member.to_owned())
    }

    fn unknown(&self, member: &str) -> String {
        format!("tag `{member}` stands for an option of a Zendesk field, so it is not set as a tag")
    }
}

impl Lens for Tags {
    fn zendesk(&self, ticket: &Ticket) -> Value {
        let tags = ticket.tags.iter().map(|tag| zendesk_form(tag));
        set_value(tags.filter(|tag| !tag.is_empty() && !self.is_ours(tag)).collect())
    }

    fn clickup(&self, task: &Task) -> Value {
        set_value(task.tags.iter().map(|tag| tag.trim().to_lowercase()).collect())
    }

    fn same(&self, zendesk: &Value, clickup: &Value, _: &Look<'_>) -> bool {
        set(zendesk) == common(self, &set(clickup))
    }

    fn to_clickup(&self, zendesk: &Value, clickup: &Value, _: &Look<'_>) -> Result<Value, Unmirrorable> {
        Ok(set_value(respell(self, &mirrorable(self, &set(zendesk)), &set(clickup))))
    }

    fn to_zendesk(&self, clickup: &Value, _: &Value, _: &Look<'_>) -> Result<Value, Unmirrorable> {
        Ok(set_value(common(self, &set(clickup))))
    }

    fn write_clickup(&self, value: &Value, look: &Look<'_>, writes: &mut TaskWrites) {
        let target = set(value);
        let current = set(&self.clickup(look.task));
        writes.calls.extend(target.difference(&current).cloned().map(TaskWrite::AddTag));
        for tag in &look.task.tags {
            if !target.contains(&tag.trim().to_lowercase()) {
                writes.calls.push(TaskWrite::RemoveTag(tag.clone()));
            }
        }
    }

    fn write_zendesk(&self, value: &Value, look: &Look<'_>, patch: &mut TicketPatch) {
        // The ticket's tags are replaced as a whole, so the tags that are not people's go along.
        let kept = look.ticket.tags.iter().filter(|tag| self.is_ours(&zendesk_form(tag))).cloned();
        patch.tags = Some(set(value).into_iter().chain(kept).collect());
    }

    fn members(&self) -> Option<&dyn Members> {
        Some(self)
    }
}
