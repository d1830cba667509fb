//! Who is calling: API tokens, OAuth tokens, and what each may do.

use http::Method;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::rows::{Role, TokenRow, UserRow};
use super::state::{Op, State};
use super::{Asked, Desk, Reply};
use crate::clock::iso_seconds;
use crate::http_text::{Call, json as json_answer};

/// How long a token of the client credentials grant lives unless told otherwise.
const TOKEN_MS: i64 = 30 * 60 * 1000;

/// Who a request comes from.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    /// 0 for nobody.
    pub user: i64,
    pub role: Option<Role>,
    scope: Option<Box<str>>,
}

impl Actor {
    /// Nobody: wrong or missing credentials.
    pub(super) fn anonymous() -> Self {
        Self { user: 0, role: None, scope: None }
    }

    /// A job works with the rights of who asked for it.
    pub(super) fn of(user: &UserRow) -> Self {
        Self { user: user.id, role: Some(user.role), scope: None }
    }

    /// Recognizes the sender of a request.
    pub(super) fn recognize(state: &State, call: &Call, now_ms: i64) -> Self {
        let token = call.bearer().and_then(|token| state.tokens.get(token));
        if let Some(token) = token.filter(|token| token.until_ms > now_ms)
            && let Some(user) = state.users.get(&token.user).filter(|user| user.active)
        {
            return Self { scope: Some(token.scope.clone()), ..Self::of(user) };
        }
        let by_token = call.basic().and_then(|(name, password)| {
            let user = state.user_by_email(name.strip_suffix("/token")?)?;
            (user.active && password == format!("token-{}", user.id)).then(|| Self::of(user))
        });
        by_token.unwrap_or_else(Self::anonymous)
    }

    /// Whether the token's scope covers a request to this resource.
    pub(super) fn may(&self, method: &Method, resource: &str) -> bool {
        let Some(scope) = &self.scope else { return true };
        let need = if *method == Method::GET { "read" } else { "write" };
        scope.split_whitespace().any(|granted| {
            granted == need
                || granted.split_once(':').is_some_and(|(of, right)| of == resource && right == need)
        })
    }

    pub(super) fn is_admin(&self) -> bool {
        self.role == Some(Role::Admin)
    }

    pub(super) fn is_staff(&self) -> bool {
        matches!(self.role, Some(Role::Admin | Role::Agent))
    }
}

/// `POST /oauth/tokens` with client credentials.
pub(super) fn token(desk: &mut Desk, asked: &Asked) -> Reply {
    let body = asked.call.json().unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    if text("grant_type") != Some("client_credentials") {
        let said = json!({"error": "unsupported_grant_type", "error_description": "Unsupported grant type"});
        return Err(Refusal::new(400, said));
    }
    let client = text("client_id").and_then(|id| desk.state.clients.get(id));
    let Some(client) = client.filter(|client| text("client_secret") == Some(&client.secret)) else {
        let said = json!({"error": "invalid_client", "error_description": "Client authentication failed"});
        return Err(Refusal::new(401, said));
    };
    let lifetime_ms = match body.get("expires_in").map(Value::as_i64) {
        None => TOKEN_MS,
        Some(Some(seconds)) if seconds > 300 && seconds < 172_800 => seconds * 1000,
        Some(_) => return Err(Refusal::bad_request("invalid_request", "expires_in is out of range")),
    };
    let (user, scope) = (client.user, text("scope").unwrap_or("read write").to_owned());
    let mut tx = desk.tx(user, None);
    let row = TokenRow {
        token: tx.secret(64).into(),
        user,
        scope: scope.as_str().into(),
        until_ms: tx.now_ms + lifetime_ms,
    };
    let answer = json!({
        "access_token": row.token,
        "token_type": "bearer",
        "scope": scope,
        "expires_in": lifetime_ms / 1000,
    });
    tx.push(Op::Token(row));
    let line = tx.finish();
    desk.commit(line)?;
    desk.count(user, "POST /oauth/tokens");
    Ok(json_answer(200, &answer))
}

/// `GET /oauth/tokens/current`: what the token of the request may do, without the token.
pub(super) fn current(desk: &mut Desk, asked: &Asked) -> Reply {
    let now_ms = desk.now_ms();
    let given = asked.call.bearer().and_then(|token| desk.state.tokens.get(token));
    let Some(row) = given.filter(|row| row.until_ms > now_ms) else {
        let nobody = asked.actor.role.is_none();
        return Err(if nobody { Refusal::unauthenticated() } else { Refusal::not_found() });
    };
    let scopes: Vec<&str> = row.scope.split_whitespace().collect();
    let shown: String = row.token.chars().take(10).collect();
    let token = json!({
        "url": desk.scene().url("oauth/tokens/1"),
        "id": 1,
        "client_id": 1,
        "user_id": row.user,
        "scopes": scopes,
        "token": shown,
        "refresh_token": null,
        "created_at": iso_seconds(row.until_ms - TOKEN_MS),
        "used_at": iso_seconds(now_ms),
        "expires_at": iso_seconds(row.until_ms),
        "refresh_token_expires_at": null,
    });
    Ok(json_answer(200, &json!({ "token": token })))
}
