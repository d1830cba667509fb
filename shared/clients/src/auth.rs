//! The credential of a client: fixed, or a short-lived OAuth token that one caller fetches while the
//! others wait for it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Method};
use planted::Bug;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use crate::call::Call;
use crate::core::Core;
use crate::error::{ApiError, ApiResult, ErrorKind};
use crate::pace::{Api, Scope};
use crate::retry::Effect;
use crate::transport::Secret;

/// What newer OAuth clients get when the answer does not say.
const LIFETIME_S_DEFAULT: i64 = 30 * 60;
/// A token is renewed this long before it ends, so that none ends on the way.
const RENEW_BEFORE_MS: i64 = 60_000;
/// A refusal stands for those who waited behind it: fifty callers ask once, not fifty times.
const REFUSED_FOR_MS: i64 = 2_000;

pub(crate) enum Auth {
    /// The whole header value.
    Fixed(HeaderValue),
    /// Zendesk's client credentials grant.
    OAuth(OAuth),
}

pub(crate) struct OAuth {
    client_id: String,
    client_secret: Secret,
    scope: String,
    token: Mutex<Option<Token>>,
}

/// What the last asking gave.
enum Token {
    Granted { header: HeaderValue, until_ms: i64 },
    Refused { error: ApiError, until_ms: i64 },
}

impl Token {
    /// The answer for somebody who asks now, if it still holds.
    fn now(&self, now_ms: i64) -> Option<ApiResult<HeaderValue>> {
        match self {
            Token::Granted { header, until_ms } if now_ms < until_ms - RENEW_BEFORE_MS => {
                Some(Ok(header.clone()))
            }
            Token::Refused { error, until_ms } if now_ms < *until_ms => Some(Err(error.clone())),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<i64>,
}

impl Auth {
    /// The header value as given; `None` if it cannot be a header.
    pub fn fixed(value: String) -> Option<Self> {
        sensitive(value).map(Self::Fixed)
    }

    /// Basic authentication of a Zendesk API token.
    pub fn api_token(email: &str, token: &Secret) -> Option<Self> {
        let pair = format!("{email}/token:{}", token.reveal());
        Self::fixed(format!("Basic {}", STANDARD.encode(pair)))
    }

    pub fn bearer(token: &Secret) -> Option<Self> {
        Self::fixed(format!("Bearer {}", token.reveal()))
    }

    pub fn oauth(client_id: String, client_secret: Secret, scope: String) -> Self {
        Self::OAuth(OAuth { client_id, client_secret, scope, token: Mutex::new(None) })
    }

    /// The header for a call; fetches a token if there is none that lasts.
    pub async fn header(&self, core: &Core, call: &Call, scope: Scope) -> ApiResult<Option<HeaderValue>> {
        if call.anonymous {
            return Ok(None);
        }
        match self {
            Auth::Fixed(value) => Ok(Some(value.clone())),
            Auth::OAuth(oauth) => oauth.header(core, scope).await.map(Some),
        }
    }

    /// Whether an answer of "not authorized" may just mean that the token ended.
    pub fn renews(&self, call: &Call) -> bool {
        !call.anonymous && matches!(self, Auth::OAuth(_))
    }

    /// Forgets whatever token there is; the next call fetches one.
    pub async fn forget(&self) {
        if let Auth::OAuth(oauth) = self {
            let mut token = oauth.token.lock().await;
            if matches!(token.as_ref(), Some(Token::Granted { .. })) {
                *token = None;
            }
        }
    }

    /// Forgets a token that was refused. A newer one that another caller fetched meanwhile stays.
    pub async fn discard(&self, refused: Option<&HeaderValue>) {
        if let (Auth::OAuth(oauth), Some(refused)) = (self, refused) {
            let mut token = oauth.token.lock().await;
            if matches!(token.as_ref(), Some(Token::Granted { header, .. }) if header == refused) {
                *token = None;
            }
        }
    }
}

impl OAuth {
    async fn header(&self, core: &Core, scope: Scope) -> ApiResult<HeaderValue> {
        if planted::is(Bug::RefreshAlone) {
            return self.header_alone(core, scope).await;
        }
        // Held while fetching: whoever comes meanwhile waits here and finds the new token.
        let mut token = self.token.lock().await;
        if let Some(answer) = token.as_ref().and_then(|token| token.now(core.clock.now_ms())) {
            return answer;
        }
        match self.fetch(core, scope).await {
            Ok((header, until_ms)) => {
                *token = Some(Token::Granted { header: header.clone(), until_ms });
                Ok(header)
            }
            Err(error) => {
                // Others who wait here would only be told the same.
                let until_ms = match error.kind {
                    ErrorKind::Auth => Some(core.clock.now_ms().saturating_add(REFUSED_FOR_MS)),
                    ErrorKind::RateLimited { until_ms } => Some(until_ms),
                    _ => None,
                };
                if let Some(until_ms) = until_ms {
                    *token = Some(Token::Refused { error: error.clone(), until_ms });
                }
                Err(error)
            }
        }
    }

    /// While the rule is broken that one asks and the others wait.
    async fn header_alone(&self, core: &Core, scope: Scope) -> ApiResult<HeaderValue> {
        if let Some(answer) =
            self.token.lock().await.as_ref().and_then(|token| token.now(core.clock.now_ms()))
        {
            return answer;
        }
        let (header, until_ms) = self.fetch(core, scope).await?;
        *self.token.lock().await = Some(Token::Granted { header: header.clone(), until_ms });
        Ok(header)
    }

    async fn fetch(&self, core: &Core, scope: Scope) -> ApiResult<(HeaderValue, i64)> {
        let body = json!({
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret.reveal(),
            "scope": self.scope,
        });
        // An unused token harms nobody, so asking twice is fine.
        let mut call =
            Call::write(Api::Zendesk, Method::POST, "/oauth/tokens", "/oauth/tokens", Effect::None)
                .json(&body);
        call.anonymous = true;
        // Boxed: fetching a token is itself a call.
        let reply = Box::pin(core.send(&call, scope)).await.map_err(|mut error| {
            if matches!(error.kind, ErrorKind::Refused) {
                error.kind = ErrorKind::Auth;
            }
            error
        })?;
        let granted: Granted = reply.json(&call)?;
        let header = sensitive(format!("Bearer {}", granted.access_token))
            .ok_or_else(|| call.error(ErrorKind::Auth).with_code("UnusableToken"))?;
        let lifetime_s = granted.expires_in.filter(|seconds| *seconds > 0).unwrap_or(LIFETIME_S_DEFAULT);
        Ok((header, core.clock.now_ms().saturating_add(lifetime_s.saturating_mul(1_000))))
    }
}

fn sensitive(value: String) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}
