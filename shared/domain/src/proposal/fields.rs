//! Which custom fields belong together: by name and by what both can hold, options by name. A field must be in
//! every list that gets tasks.

use std::collections::{BTreeMap, BTreeSet};

use super::Snapshot;
use super::names::plain;
use crate::directory::{ClickupField, ZendeskField};
use crate::ids::ListId;
use crate::lens::custom::Kind;
use crate::lens::options::find;

/// A pair of fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldPair {
    /// Its name in the file.
    pub name: String,
    pub zendesk: u64,
    pub zendesk_kind: String,
    pub clickup: String,
    pub clickup_kind: String,
    /// Zendesk option to ClickUp option, as the file names them; empty where equal names suffice.
    pub options: Vec<(String, String)>,
    /// Names of options without counterpart: in Zendesk, in ClickUp.
    pub without: (Vec<String>, Vec<String>),
}

/// What was found about the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FieldPlan {
    pub pairs: Vec<FieldPair>,
    /// Fields of the same name that cannot be paired: the name and why.
    pub apart: Vec<(String, String)>,
    /// Titles of Zendesk's own fields that ClickUp has no field for.
    pub alone: Vec<String>,
    /// A date field of Zendesk that may be meant for the due date: id and title.
    pub due: Option<(u64, String)>,
}

pub(super) fn plan(snapshot: &Snapshot, lists: &[ListId]) -> FieldPlan {
    let directory = &snapshot.directory;
    let usable = directory
        .zendesk_fields
        .values()
        .filter(|field| Kind::is_custom(&field.kind) && !snapshot.inactive_fields.contains(&field.id));
    let mut by_name: BTreeMap<String, Vec<&ZendeskField>> = BTreeMap::new();
    for field in usable {
        by_name.entry(plain(&field.title)).or_default().push(field);
    }
    let mut plan = FieldPlan::default();
    let mut names = BTreeSet::new();
    for (wanted, fields) in &by_name {
        let theirs: Vec<&ClickupField> =
            directory.clickup_fields.values().filter(|field| plain(&field.name) == *wanted).collect();
        if wanted.is_empty() || theirs.is_empty() {
            plan.alone.extend(fields.iter().map(|field| field.title.clone()));
            let due = fields.iter().find(|field| field.kind == "date" && is_due(wanted));
            plan.due = plan.due.or(due.map(|field| (field.id, field.title.clone())));
            continue;
        }
        match pair(snapshot, fields, &theirs, lists) {
            Ok((zendesk, clickup)) => match options(zendesk, clickup) {
                Some((options, without)) => plan.pairs.push(FieldPair {
                    name: unique(&zendesk.title, zendesk.id, &mut names),
                    zendesk: zendesk.id,
                    zendesk_kind: zendesk.kind.clone(),
                    clickup: clickup.id.clone(),
                    clickup_kind: clickup.kind.clone(),
                    options,
                    without,
                }),
                None => {
                    let why = "no option has the same name on both sides".to_owned();
                    plan.apart.push((zendesk.title.clone(), why));
                }
            },
            Err(why) => plan.apart.push((fields[0].title.clone(), why)),
        }
    }
    plan.pairs.sort_by_key(|pair| pair.zendesk);
    plan
}

fn is_due(name: &str) -> bool {
    matches!(name, "due" | "duedate" | "dueon" | "dueby" | "deadline")
}

/// The one pair of fields that can be meant, or why there is none.
fn pair<'d>(
    snapshot: &Snapshot,
    zendesk: &[&'d ZendeskField],
    clickup: &[&'d ClickupField],
    lists: &[ListId],
) -> Result<(&'d ZendeskField, &'d ClickupField), String> {
    let everywhere =
        |field: &ClickupField| field.lists.is_empty() || lists.iter().all(|l| field.lists.contains(l));
    let mut fitting = Vec::new();
    for z in zendesk {
        for c in clickup.iter().filter(|c| Kind::pairing(&z.kind, &c.kind).is_some()) {
            fitting.push((*z, *c));
        }
    }
    if fitting.is_empty() {
        let (z, c) = (zendesk[0], clickup[0]);
        return Err(format!(
            "Zendesk's is of type {}, ClickUp's of type {}: they do not fit",
            z.kind, c.kind
        ));
    }
    let there: Vec<_> = fitting.iter().copied().filter(|(_, c)| everywhere(c)).collect();
    match there.as_slice() {
        [one] => Ok(*one),
        [] => {
            let (_, field) = fitting[0];
            let lacking = lists.iter().filter(|list| !field.lists.contains(list));
            let lacking: Vec<String> = lacking.map(|list| snapshot.list_name(list)).collect();
            Err(format!(
                "not in every list: {} lack it",
                super::names::remarks(lacking.iter().map(String::as_str))
            ))
        }
        several => {
            let exact: Vec<_> =
                several.iter().filter(|(z, c)| z.title.trim() == c.name.trim()).copied().collect();
            match exact.as_slice() {
                [one] => Ok(*one),
                _ => Err("several fields have this name".to_owned()),
            }
        }
    }
}

/// The pairs of a drop-down's options as the file has to name them, and what has no counterpart; `None` where no
/// option has one.
#[expect(clippy::type_complexity, reason = "two lists of pairs that have one reader")]
fn options(
    zendesk: &ZendeskField,
    clickup: &ClickupField,
) -> Option<(Vec<(String, String)>, (Vec<String>, Vec<String>))> {
    if !matches!(Kind::pairing(&zendesk.kind, &clickup.kind), Some("option" | "labels")) {
        return Some(Default::default());
    }
    // What the sync pairs by itself, and what only looks different.
    let by_name =
        |tag: &str, name: &str| find(&clickup.options, name.trim()).or_else(|| find(&clickup.options, tag));
    let loose = |name: &str| {
        let wanted = plain(name);
        let mut same = clickup.options.iter().filter(|(_, other)| plain(other) == wanted);
        let first = same.next().filter(|_| !wanted.is_empty())?;
        same.next().is_none().then_some(first.0.as_str())
    };
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut by_itself = true;
    let (mut only_zendesk, mut used) = (Vec::new(), BTreeSet::new());
    for (tag, name) in &zendesk.options {
        let own = by_name(tag, name);
        let Some(id) = own.or_else(|| loose(name)) else {
            only_zendesk.push(name.clone());
            continue;
        };
        by_itself &= own.is_some();
        used.insert(id);
        let on_clickup = clickup.options.iter().find(|(other, _)| other == id).map_or("", |(_, name)| name);
        let on_zendesk = reference(&zendesk.options, tag, [tag, name]);
        let on_clickup = reference(&clickup.options, id, [on_clickup, id]);
        match on_zendesk.zip(on_clickup) {
            Some(pair) if !pairs.iter().any(|(known, _)| *known == pair.0) => pairs.push(pair),
            _ => {}
        }
    }
    if by_itself {
        pairs.clear();
    }
    if used.is_empty() || !by_itself && pairs.is_empty() {
        return None;
    }
    let only_clickup = clickup.options.iter().filter(|(id, _)| !used.contains(id.as_str()));
    Some((pairs, (only_zendesk, only_clickup.map(|(_, name)| name.clone()).collect())))
}

/// How the file can name an option so that exactly this one is found.
fn reference(options: &[(String, String)], id: &str, candidates: [&str; 2]) -> Option<String> {
    let fits = |text: &&str| !text.is_empty() && text.trim() == *text && find(options, text) == Some(id);
    candidates.into_iter().find(fits).map(str::to_owned)
}

/// A name for the file: the title, or something that nobody else has.
fn unique(title: &str, id: u64, names: &mut BTreeSet<String>) -> String {
    let title = title.trim();
    let plain = if title.is_empty() { format!("field {id}") } else { title.to_owned() };
    let name = if names.contains(&plain) { format!("{plain} {id}") } else { plain };
    names.insert(name.clone());
    name
}
