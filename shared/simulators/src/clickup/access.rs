//! Who calls: personal tokens, OAuth tokens, and how the latter are had.

use http::header::AUTHORIZATION;
use serde_json::json;

use super::model::Grant;
use super::refusal::{self, Refusal};
use super::rows::{Key, Row};
use super::state::State;
use super::tx::Tx;
use crate::http_text::{self, Answer, Call, Query};

/// The user of a request's token: `pk_{user id}` as it is, or `Bearer` with an OAuth token.
pub(super) fn actor(state: &State, call: &Call) -> Result<i64, Refusal> {
    let given = call.headers.get(AUTHORIZATION).ok_or(refusal::NO_AUTHORIZATION)?;
    let given = given.to_str().unwrap_or_default().trim();
    let (user, unknown) = if call.bearer().is_some() {
        let grant = call.bearer().and_then(|token| state.grants.get(token));
        let grant = grant.filter(|grant| grant.client.is_none());
        (grant.map(|grant| grant.user), refusal::OAUTH_TOKEN_UNKNOWN)
    } else {
        (given.strip_prefix("pk_").and_then(|id| id.parse().ok()), refusal::TOKEN_INVALID)
    };
    let member = user.and_then(|user| state.members.get(&user)).filter(|member| !member.disabled);
    member.map(|member| member.id).ok_or(unknown)
}

/// `POST /oauth/token`: a code becomes a token that does not expire. The body is JSON or a form.
pub(super) fn token(tx: &mut Tx<'_>, call: &Call, _path: &[String]) -> Result<Answer, Refusal> {
    let body = call.json().ok();
    let form = Query::parse(std::str::from_utf8(&call.body).unwrap_or_default());
    let given = |name: &str| {
        let json = body.as_ref().and_then(|body| body[name].as_str());
        json.or_else(|| call.query.get(name)).or_else(|| form.get(name)).unwrap_or_default().to_owned()
    };
    let grant = tx.state.grants.get(&given("code")).cloned().ok_or(refusal::OAUTH_TOKEN_UNKNOWN)?;
    if grant.client != Some((given("client_id"), given("client_secret"))) {
        return Err(refusal::CLIENT_MISMATCH);
    }
    let token = format!("{}_{}", grant.user, tx.uuid());
    tx.remove(Key::Grant(grant.key));
    tx.put(Row::Grant(Grant { key: token.clone(), user: grant.user, client: None }));
    Ok(http_text::json(200, &json!({"access_token": token, "token_type": "Bearer"})))
}
