//! What the service does to text before it keeps it, and how it dresses it up afterwards.
//!
//! The reference says only that HTML in `comment.body` is stripped and that tags are lower-cased and split at blanks.
//! The rest is assumed, and a client must not depend on it: line ends become LF, blanks at the ends of lines stay,
//! subjects are trimmed. `<` counts as HTML only where a tag name follows and a `>` closes it; `a < b` stays.

/// A comment's body as it is kept.
pub(super) fn body(text: &str) -> String {
    strip_tags(&unix_lines(text), false)
}

/// An `html_body` as the text it shows.
pub(super) fn body_from_html(html: &str) -> String {
    let text = strip_tags(&unix_lines(html), true);
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    text.replace("&nbsp;", " ").replace("&amp;", "&").trim_end_matches('\n').to_owned()
}

/// A subject as it is kept; an empty one is none.
pub(super) fn subject(text: &str) -> Option<Box<str>> {
    let text = unix_lines(text).replace('\n', " ");
    let text = text.trim();
    (!text.is_empty()).then(|| text.into())
}

/// Line ends become LF.
pub(super) fn unix_lines(text: &str) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() }
}

/// Tags as they are kept: split at blanks and commas, lower-cased, sorted, each once.
pub(super) fn tags<'a>(parts: impl IntoIterator<Item = &'a str>) -> Vec<Box<str>> {
    let words = parts.into_iter().flat_map(|part| part.split([' ', ',', '\t', '\n', '\r']));
    let mut tags: Vec<Box<str>> =
        words.filter(|word| !word.is_empty()).map(|word| word.to_lowercase().into()).collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// The `html_body` of a text.
pub(super) fn html(body: &str) -> String {
    let escaped = body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut out = String::from(r#"<div class="zd-comment" dir="auto">"#);
    for (at, paragraph) in escaped.split("\n\n").enumerate() {
        if at > 0 {
            out.push_str("\n\n");
        }
        out.push_str(r#"<p dir="auto">"#);
        out.push_str(&paragraph.replace('\n', "\n<br>"));
        out.push_str("</p>");
    }
    out + "</div>"
}

fn strip_tags(text: &str, breaks_to_lines: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let Some(tag) = tag_at(from) else {
            out.push('<');
            rest = &from[1..];
            continue;
        };
        let name = tag.trim_start_matches(['<', '/']).to_ascii_lowercase();
        let ends_line = name.starts_with("br") || (tag.starts_with("</p") || tag.starts_with("</div"));
        if breaks_to_lines && ends_line {
            out.push('\n');
        }
        rest = &from[tag.len()..];
    }
    out.push_str(rest);
    out
}

/// The tag that `text` starts with, brackets included.
fn tag_at(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('<')?;
    let name = inside.strip_prefix('/').unwrap_or(inside);
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return None;
    }
    let name_ends = name.find(|c: char| !c.is_ascii_alphanumeric())?;
    // `<jane@example.com>` is an address, not a tag.
    if !name[name_ends..].starts_with([' ', '>', '/', '\n', '\t']) {
        return None;
    }
    let end = text.find('>')?;
    if text[1..end].contains('<') { None } else { Some(&text[..=end]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_stripped_and_everything_else_kept() {
        assert_eq!(body("a <b>bold</b> word  \r\nnext"), "a bold word  \nnext");
        assert_eq!(body("1 < 2 and 3 > 2, <jane@example.com>"), "1 < 2 and 3 > 2, <jane@example.com>");
        assert_eq!(body("<script src=\"x\">"), "");
        assert_eq!(body_from_html("<p>one</p><p>a &amp; b<br>c</p>"), "one\na & b\nc");
    }

    #[test]
    fn tags_are_lower_case_words_in_order() {
        assert_eq!(tags(["Beta alpha", "ALPHA", ""]), ["alpha".into(), Box::<str>::from("beta")]);
    }

    #[test]
    fn html_bodies_show_paragraphs_and_breaks() {
        assert_eq!(
            html("a\nb\n\nc<d"),
            "<div class=\"zd-comment\" dir=\"auto\"><p dir=\"auto\">a\n<br>b</p>\n\n<p dir=\"auto\">c&lt;d</p></div>"
        );
    }
}
