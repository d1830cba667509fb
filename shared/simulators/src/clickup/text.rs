//! What the service makes of the texts it is given.
//!
//! The documentation says nothing about it, so this is assumed, and a client has to cope with it by comparing what
//! comes back: line ends become `\n`; a description or comment loses its trailing line ends; a name loses the blanks
//! around it; tags are trimmed and lower-cased; Markdown is kept and its plain form loses marks and link targets.

use serde_json::{Value, json};

/// The service refuses a longer description.
pub(super) const DESCRIPTION_BYTES_MAX: usize = 256 * 1024;

/// A description or a comment as it is stored.
pub(super) fn body(text: &str) -> String {
    let mut text = unix_lines(text);
    text.truncate(text.trim_end_matches('\n').len());
    text
}

/// Line ends as stored, also of custom fields.
pub(super) fn unix_lines(text: &str) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() }
}

/// A task's name as it is stored.
pub(super) fn name(text: &str) -> String {
    unix_lines(text).trim().to_owned()
}

/// A tag's name as it is stored.
pub(super) fn tag(text: &str) -> String {
    text.trim().to_lowercase()
}

/// The plain text of Markdown: headings, emphasis, code marks and link targets go.
pub(super) fn plain_of_markdown(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    for (number, line) in markdown.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let heading = line.trim_start_matches('#');
        let line =
            if heading.len() < line.len() && heading.starts_with(' ') { heading.trim_start() } else { line };
        plain_inline(line, &mut out);
    }
    body(&out)
}

fn plain_inline(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some(open) = rest.find('[') {
        let link = rest[open..].find("](").and_then(|middle| {
            let target = open + middle + 2;
            rest[target..].find(')').map(|close| (open + middle, target + close + 1))
        });
        let Some((middle, end)) = link else { break };
        without_marks(&rest[..open], out);
        without_marks(&rest[open + 1..middle], out);
        rest = &rest[end..];
    }
    without_marks(rest, out);
}

fn without_marks(text: &str, out: &mut String) {
    out.push_str(&text.replace("**", "").replace("__", "").replace('`', ""));
}

/// A description as the JSON text of a Quill delta, which is what webhooks carry; an empty one is `null`.
pub(super) fn quill(text: &str, task: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    let mut ops = Vec::new();
    for (number, line) in text.split('\n').enumerate() {
        if !line.is_empty() {
            ops.push(json!({"insert": line}));
        }
        ops.push(json!({"insert": "\n", "attributes": {"block-id": format!("block-{task}-{number}")}}));
    }
    Value::String(json!({"ops": ops}).to_string())
}

/// A comment's text as blocks, the way it is read back: every line end carries a block id.
pub(super) fn blocks(text: &str, comment: u64) -> Vec<Value> {
    let mut blocks = Vec::new();
    for (number, line) in text.split('\n').enumerate() {
        if !line.is_empty() {
            blocks.push(json!({"text": line, "attributes": {}}));
        }
        blocks.push(json!({"text": "\n", "attributes": {"block-id": format!("block-{comment}-{number}")}}));
    }
    blocks
}

/// The plain text of blocks that were sent.
pub(super) fn text_of_blocks(blocks: &[Value]) -> String {
    let text: String = blocks.iter().filter_map(|block| block["text"].as_str()).collect();
    body(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_normalised_as_assumed() {
        assert_eq!(body("a\r\nb\r\n\r\n"), "a\nb");
        assert_eq!(body(" a \n"), " a ");
        assert_eq!(name("  a name \n"), "a name");
        assert_eq!(tag(" VIP Customer"), "vip customer");
    }

    #[test]
    fn markdown_loses_its_marks_and_link_targets() {
        let markdown = "## Title\n**bold** and [a link](https://example.com/a(b) `code`\n#no heading [x]";
        assert_eq!(plain_of_markdown(markdown), "Title\nbold and a link code\n#no heading [x]");
    }

    #[test]
    fn a_description_in_a_webhook_is_the_text_of_a_delta() {
        let delta = quill("one\n\ntwo", "t");
        let parsed: Value = serde_json::from_str(delta.as_str().unwrap()).unwrap();
        let text: String =
            parsed["ops"].as_array().unwrap().iter().filter_map(|op| op["insert"].as_str()).collect();
        assert_eq!(text, "one\n\ntwo\n");
        assert_eq!(quill("", "t"), Value::Null);
    }
}
