//! What a mirrored comment says: who really wrote it, where and when, for people and as the marker by
//! which a copy is recognised. What may be mirrored at all, and who may read it there.

use planted::Bug;

use crate::comment::{Comment, Visibility};
use crate::ids::Side;
use crate::mapping::Mapping;

/// What becomes of a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommentPlan {
    /// It is copied.
    Mirror {
        /// The whole text of the copy.
        text: String,
        /// Who may read the copy (Zendesk; ClickUp has no such flag).
        visibility: Visibility,
    },
    /// It stays where it is, for this reason.
    Skip(&'static str),
}

/// Largest comment that Zendesk takes.
pub const ZENDESK_COMMENT_BYTES_MAX: usize = 65_535;

/// Largest description that ClickUp takes.
pub const CLICKUP_DESCRIPTION_BYTES_MAX: usize = 256 * 1024;

const FROM_ZENDESK: &str = ", Zendesk comment ";
const FROM_CLICKUP: &str = ", ClickUp comment ";

/// What becomes of a comment; a copy that had to be shortened says where the original is.
pub fn plan_comment(comment: &Comment, mapping: &Mapping, guest_can_see: bool) -> CommentPlan {
    plan_comment_linked(comment, mapping, guest_can_see, None)
}

/// As [`plan_comment`], with a page of the original for copies that have to be shortened.
pub fn plan_comment_linked(
    comment: &Comment,
    mapping: &Mapping,
    guest_can_see: bool,
    source_url: Option<&str>,
) -> CommentPlan {
    if comment.author.id == mapping.me(comment.side) {
        return CommentPlan::Skip("deskup wrote it");
    }
    if comment.body.trim().is_empty() && comment.attachments.is_empty() {
        return CommentPlan::Skip("it has no text");
    }
    match comment.side {
        Side::Zendesk => from_zendesk(comment, mapping, guest_can_see, source_url),
        Side::Clickup => from_clickup(comment, mapping, source_url),
    }
}

fn from_zendesk(
    comment: &Comment,
    mapping: &Mapping,
    guest_can_see: bool,
    source_url: Option<&str>,
) -> CommentPlan {
    let kind = match comment.visibility {
        Visibility::Public => "public reply",
        Visibility::Internal if planted::is(Bug::InternalIsPublic) => "public reply",
        Visibility::Internal if !mapping.settings().internal_notes_to_clickup => {
            return CommentPlan::Skip("internal notes stay in Zendesk (internal_notes_to_clickup = false)");
        }
        Visibility::Internal if guest_can_see => {
            return CommentPlan::Skip("an internal note, and a guest can see the task");
        }
        Visibility::Internal => "internal note",
    };
    let head = format!(
        "{}{FROM_ZENDESK}{} ({kind}, {}):\n\n",
        author_name(comment, mapping),
        comment.id,
        comment.created.to_rfc3339()
    );
    let text = head + &comment.body;
    CommentPlan::Mirror {
        text: truncate(&text, CLICKUP_DESCRIPTION_BYTES_MAX, source_url),
        visibility: comment.visibility,
    }
}

fn from_clickup(comment: &Comment, mapping: &Mapping, source_url: Option<&str>) -> CommentPlan {
    // Text that stems from Zendesk may be an internal note: a person who quotes it must not publish it.
    let quotes_zendesk = mentions_origin(&comment.body, Side::Zendesk);
    let visibility =
        if quotes_zendesk { Visibility::Internal } else { mapping.settings().comments_to_zendesk };
    let text = format!("{}{FROM_CLICKUP}{}:\n\n{}", author_name(comment, mapping), comment.id, comment.body);
    CommentPlan::Mirror { text: truncate(&text, ZENDESK_COMMENT_BYTES_MAX, source_url), visibility }
}

fn author_name(comment: &Comment, mapping: &Mapping) -> String {
    // A name with a line break could forge the head of another comment.
    let clean = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = clean(&comment.author.name);
    if !name.is_empty() {
        return name;
    }
    match mapping.person(comment.side, comment.author.id).map(|person| clean(&person.name)) {
        Some(name) if !name.is_empty() => name,
        _ if comment.author.id.0 < 0 => format!("{} (system)", comment.side),
        _ => format!("{} user {}", comment.side, comment.author.id),
    }
}

/// Of which comment a text is the copy, by its first line.
pub fn parse_origin(text: &str) -> Option<(Side, String)> {
    let line = text.lines().next()?;
    [(Side::Zendesk, FROM_ZENDESK), (Side::Clickup, FROM_CLICKUP)].into_iter().find_map(|(side, mark)| {
        // The author's name may hold the mark too; the last one is ours.
        let rest = &line[line.rfind(mark)? + mark.len()..];
        let digits = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let (id, tail) = rest.split_at(digits);
        let fits = match side {
            Side::Zendesk => tail.starts_with(" (") && tail.ends_with("):"),
            Side::Clickup => tail == ":",
        };
        (digits > 0 && fits).then(|| (side, id.to_owned()))
    })
}

fn mentions_origin(text: &str, side: Side) -> bool {
    text.lines().any(|line| parse_origin(line).is_some_and(|(found, _)| found == side))
}

/// A text of at most `bytes_max` bytes; where something had to go it says so, and where the rest is.
pub fn truncate(text: &str, bytes_max: usize, source_url: Option<&str>) -> String {
    match source_url {
        Some(url) => shorten(text, bytes_max, url),
        None => shorten(text, bytes_max, "see the comment named above"),
    }
}

/// As [`truncate`]; `rest` says where the whole text is.
pub fn shorten(text: &str, bytes_max: usize, rest: &str) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let tail = format!("\n\n[shortened by deskup; the whole text: {rest}]");
    let mut end = bytes_max.saturating_sub(tail.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned() + &tail
}
