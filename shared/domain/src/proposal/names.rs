//! Names of two services beside each other: how they are compared, and how they are written into a file so
//! that what a person reads there is what the service has.

/// Names in comments are cut here, so that a line stays a line.
const REMARK_CHARS_MAX: usize = 80;

/// Letters and digits in lower case: `Order number`, `order_number` and `Order-Number` are the same name.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The words of a name in lower case.
pub(super) fn words(name: &str) -> Vec<String> {
    name.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// A text in quotes. Control characters and those that turn the direction of writing are escaped: a file must
/// not look different from what it says.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_hidden(c) => out.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A key, in quotes where it needs them.
pub(super) fn key(text: &str) -> String {
    let bare = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if bare { text.to_owned() } else { quoted(text) }
}

/// A text as part of a comment: one line, nothing hidden, not too long.
pub(super) fn remark(text: &str) -> String {
    let shown = visible(text);
    let shown = shown.trim();
    if shown.chars().count() <= REMARK_CHARS_MAX {
        return shown.to_owned();
    }
    let cut: String = shown.chars().take(REMARK_CHARS_MAX - 1).collect();
    format!("{cut}…")
}

/// The same text without anything hidden in it.
pub(super) fn visible(text: &str) -> String {
    text.chars().map(|c| if is_hidden(c) { ' ' } else { c }).collect()
}

/// Several texts in one comment.
pub(super) fn remarks<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| format!("`{}`", remark(text))).collect();
    texts.join(", ")
}

/// Control characters, line ends of other alphabets, marks that change the direction of writing, and what takes
/// no room at all.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_letters_and_digits() {
        assert_eq!(plain("Order number"), plain("order_NUMBER"));
        assert_eq!(plain("Größe (cm)"), "größecm");
        assert_eq!(plain("—"), "");
        assert_eq!(words("Waiting on  customer!"), ["waiting", "on", "customer"]);
    }

    #[test]
    fn what_is_written_reads_back_whatever_it_is() {
        for text in [
            "",
            "plain",
            "say \"hi\"",
            "a\\b",
            "two\nlines\r\n",
            "\u{0}\u{7f}\u{9b}",
            "\u{202e}abc",
            "שלום",
            "😀",
            "'''",
        ] {
            let document: toml_edit::DocumentMut =
                format!("{} = {}", key(text), quoted(text)).parse().unwrap();
            let (name, value) = document.iter().next().unwrap();
            assert_eq!((name, value.as_str()), (text, Some(text)));
        }
    }

    #[test]
    fn a_remark_is_one_line_and_ends() {
        assert_eq!(remark(" a\nb\u{202e}c "), "a b c");
        assert_eq!(remark(&"x".repeat(300)).chars().count(), REMARK_CHARS_MAX);
        assert_eq!(remarks(["a", "b"]), "`a`, `b`");
    }
}
