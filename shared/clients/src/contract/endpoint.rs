//! Which endpoint a recorded body answers: from the exchange, the table or the file's name.

use std::fmt;

use serde_json::Value as Json;

/// A method, a path in pieces and a status, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub method: Option<String>,
    /// Pieces of the path, or the words of a file name, without version, host and query.
    pub pieces: Vec<String>,
    /// Whether the pieces are words of a file name, in which ids are glued to names.
    pub words: bool,
    pub status: Option<u16>,
}

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

impl Endpoint {
    /// Of a recorded exchange.
    pub fn of_exchange(exchange: &Json) -> Self {
        let method = exchange.pointer("/request/method").and_then(Json::as_str).map(str::to_owned);
        let url = exchange.pointer("/request/url").and_then(Json::as_str).unwrap_or_default();
        let status = exchange.pointer("/response/status").and_then(Json::as_u64);
        let status = status.and_then(|status| u16::try_from(status).ok());
        Self { method, pieces: pieces(url), words: false, status }
    }

    /// Of a file: by its row in the table, else by its name, such as `GET_task_task_id_200.json`.
    pub fn of_file(name: &str, about: &str) -> Self {
        let by_table = Self::of_row(about);
        if by_table.method.is_some() && !by_table.words {
            return by_table;
        }
        let by_name = Self::of_name(name);
        let status = by_table.status.or(by_name.status);
        Self { status, ..by_name }
    }

    /// `GET /api/v2/tickets/{id} → 401`
    fn of_row(about: &str) -> Self {
        let (call, status) = about.split_once('→').unwrap_or((about, ""));
        let status = status.split_whitespace().next().and_then(|status| status.parse().ok());
        let mut tokens = call.split_whitespace();
        let method = tokens.next().filter(|token| METHODS.contains(token)).map(str::to_owned);
        let path = tokens.next().unwrap_or_default();
        Self { method, pieces: pieces(path), words: !path.starts_with('/'), status }
    }

    fn of_name(name: &str) -> Self {
        let file = name.rsplit('/').next().unwrap_or(name);
        let stem = file.split('.').next().unwrap_or(file);
        let mut words: Vec<&str> = stem.split('_').collect();
        let method = words.first().filter(|word| METHODS.contains(word)).map(|word| (*word).to_owned());
        if method.is_some() {
            words.remove(0);
        }
        let three_digits = |word: &&str| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit());
        // `401.json`, `422_ticket_closed.json`, `GET_list_list_id_task_200.json`
        let first = words.first().copied().filter(three_digits).filter(|_| method.is_none());
        let status = first.or(words.last().copied().filter(three_digits)).and_then(|word| word.parse().ok());
        Self { method, pieces: names_only(&words), words: true, status }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = self.method.as_deref().unwrap_or("?");
        write!(f, "({method} {})", self.pieces.join(if self.words { " " } else { "/" }))
    }
}

/// Path pieces after the version.
fn pieces(url: &str) -> Vec<String> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map(|(_, path)| path).unwrap_or_default(),
        None => url,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut pieces: Vec<String> =
        path.split('/').filter(|piece| !piece.is_empty()).map(str::to_owned).collect();
    if pieces.first().is_some_and(|piece| piece == "api") {
        pieces.drain(..pieces.len().min(2));
    }
    if let Some(last) = pieces.last_mut()
        && let Some(bare) = last.strip_suffix(".json")
    {
        *last = bare.to_owned();
    }
    pieces
}

/// The words that name things: no ids, no statuses, no `task_id`.
fn names_only(words: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for word in words {
        if word.eq_ignore_ascii_case("id") {
            names.pop();
        } else if !word.bytes().any(|byte| byte.is_ascii_digit()) {
            names.push((*word).to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, about: &str, method: &str, pieces: &[&str], status: Option<u16>) {
        let endpoint = Endpoint::of_file(name, about);
        assert_eq!(endpoint.method.as_deref().unwrap_or_default(), method, "{name}");
        assert_eq!(endpoint.pieces, pieces, "{name}");
        assert_eq!(endpoint.status, status, "{name}");
    }

    #[test]
    fn table_and_name_tell_the_endpoint() {
        check("e/401.json", "GET /api/v2/tickets/{id} → 401", "GET", &["tickets", "{id}"], Some(401));
        check("s/GET_task_task_id_comment_200.json", "", "GET", &["task", "comment"], Some(200));
        check("s/GET_team_team_Id_task_200.json", "", "GET", &["team", "task"], Some(200));
        check("g/GET_task_9hv.json", "GET /api/v2/task/9hv/", "GET", &["task", "9hv"], None);
        check("g/GET_list_123_field.json", "", "GET", &["list", "field"], None);
        check("g/GET_ticket_comments.json", "GET ticket_comments", "GET", &["ticket", "comments"], None);
        check("e/422_ticket_closed.json", "", "", &["ticket", "closed"], Some(422));
        check(
            "d/x.json",
            "GET /api/v2/tickets/{id}/audits.json",
            "GET",
            &["tickets", "{id}", "audits"],
            None,
        );
    }

    #[test]
    fn an_exchange_tells_its_own() {
        let exchange = serde_json::json!({
            "request": {"method": "PUT", "url": "https://a.zendesk.com:443/api/v2/tickets/12.json?x=1"},
            "response": {"status": 200},
        });
        let endpoint = Endpoint::of_exchange(&exchange);
        assert_eq!(endpoint.pieces, ["tickets", "12"]);
        assert_eq!(endpoint.status, Some(200));
    }
}
