//! Zendesk drops what it does not know from a body and answers success; one response header tells. Its
//! value is a Ruby hash. Only names are taken from it: values may be ticket text.

use http::HeaderMap;

/// Names shown in a log line.
const NAMES_MAX: usize = 20;

/// What was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dropped {
    pub keys: Vec<String>,
    /// Whether values were refused too.
    pub invalid_values: bool,
}

/// The warning of an answer, if it has one.
pub(crate) fn read(headers: &HeaderMap) -> Option<Dropped> {
    let text = String::from_utf8_lossy(headers.get("x-zendesk-api-warn")?.as_bytes()).into_owned();
    let keys = list(&text, ":unpermitted_keys=>[")
        .map(|list| list.split(',').filter_map(name).take(NAMES_MAX).collect())
        .unwrap_or_default();
    let invalid_values = list(&text, ":invalid_values=>[").is_some_and(|list| !list.trim().is_empty());
    Some(Dropped { keys, invalid_values })
}

fn list<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let rest = &text[text.find(start)? + start.len()..];
    Some(rest.split(']').next().unwrap_or(rest))
}

fn name(quoted: &str) -> Option<String> {
    let bare = quoted.trim().trim_matches('"');
    let fits = !bare.is_empty()
        && bare.len() <= 64
        && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    fits.then(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_values_are_not() {
        let mut headers = HeaderMap::new();
        assert_eq!(read(&headers), None);
        let value = r#"{:allowed_parameters=>{:controller=>"tickets", :action=>"update", :unpermitted_keys=>["ticket.id", "ticket.nope"], :invalid_values=>["my secret"]}}"#;
        headers.insert("x-zendesk-api-warn", value.parse().unwrap());
        let expected = Dropped { keys: vec!["ticket.id".into(), "ticket.nope".into()], invalid_values: true };
        assert_eq!(read(&headers), Some(expected));
    }
}
