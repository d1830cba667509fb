//! Just enough of `multipart/form-data` to take the file out of an upload.

use bytes::Bytes;

/// The file of an upload.
#[derive(Debug, PartialEq)]
pub(super) struct Upload {
    pub filename: String,
    pub content_type: Option<String>,
    pub data: Bytes,
}

/// The first part with a file name whose field is `attachment`, `attachment[]` or `attachment[0]`.
pub(super) fn file(content_type: &str, body: &Bytes) -> Option<Upload> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let delimiter = format!("--{}", parameter(parameters, "boundary")?).into_bytes();
    let mut at = find(body, 0, &delimiter)? + delimiter.len();
    loop {
        // After the delimiter comes a line end, or `--` and the end of it all.
        if body.get(at..at + 2)? != b"\r\n" {
            return None;
        }
        let head_end = find(body, at, b"\r\n\r\n")?;
        let head = std::str::from_utf8(body.get(at + 2..head_end).unwrap_or_default()).ok()?;
        let start = head_end + 4;
        let next = find(body, start, &delimiter)?;
        // The line end before a delimiter belongs to the delimiter.
        let data = body.slice(start..next.checked_sub(2).filter(|end| *end >= start)?);
        if let Some(upload) = part(head, data) {
            return Some(upload);
        }
        at = next + delimiter.len();
    }
}

fn part(head: &str, data: Bytes) -> Option<Upload> {
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let disposition = header("content-disposition")?;
    let name = parameter(disposition, "name")?;
    if name != "attachment" && !name.starts_with("attachment[") {
        return None;
    }
    let encoded = parameter(disposition, "filename*")
        .and_then(|value| Some(crate::http_text::decode(value.split("''").nth(1)?)));
    let filename = encoded.or_else(|| parameter(disposition, "filename"))?;
    Some(Upload { filename, content_type: header("content-type").map(str::to_owned), data })
}

/// The value of `name=value` or `name="value"` among parameters separated by `;`.
fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([';', ' ']);
        let end = rest.find([';', '='])?;
        let key = rest[..end].trim();
        if rest[end..].starts_with(';') {
            rest = &rest[end..];
            continue;
        }
        let after = &rest[end + 1..];
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => quoted_text(quoted)?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = left;
    }
}

fn quoted_text(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

fn find(text: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    // A window search is quadratic only for texts made for it; skipping to the first byte keeps it quick.
    let first = *wanted.first()?;
    let mut at = from;
    while let Some(step) = text.get(at..)?.iter().position(|byte| *byte == first) {
        at += step;
        if text[at..].starts_with(wanted) {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Bytes {
        Bytes::from(text.replace('\n', "\r\n"))
    }

    #[test]
    fn the_file_is_found_among_other_parts() {
        let sent = body(
            "--B-1\nContent-Disposition: form-data; name=\"filename\"\n\nx\n--B-1\ncontent-disposition: form-data; name=\"attachment[0]\"; filename=\"a \\\"b\\\";.txt\"\nContent-Type: text/plain\n\none\n--B\ntwo\n\n--B-1--\n",
        );
        let upload = file("multipart/form-data; boundary=\"B-1\"", &sent).unwrap();
        assert_eq!(upload.filename, "a \"b\";.txt");
        assert_eq!(upload.content_type.as_deref(), Some("text/plain"));
        assert_eq!(upload.data, body("one\n--B\ntwo\n"));
    }

    #[test]
    fn names_beyond_ascii_are_decoded() {
        let sent = body(
            "--b\nContent-Disposition: form-data; name=\"attachment\"; filename*=UTF-8''%C3%BC.png\n\nx\n--b--\n",
        );
        assert_eq!(file("multipart/form-data; boundary=b", &sent).unwrap().filename, "ü.png");
    }

    #[test]
    fn what_is_no_upload_is_refused() {
        for (kind, text) in [
            ("application/json", "{}"),
            ("multipart/form-data", "--b"),
            ("multipart/form-data; boundary=b", "--b"),
            ("multipart/form-data; boundary=b", "--b\nno head"),
            (
                "multipart/form-data; boundary=b",
                "--b\nContent-Disposition: form-data; name=\"x\"\n\nx\n--b--",
            ),
        ] {
            assert_eq!(file(kind, &body(text)), None, "{kind}: {text}");
        }
    }
}
