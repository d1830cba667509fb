//! ClickUp's OAuth: a code that a person brought from the browser becomes a token, once. The token does not
//! end and is not renewed.

use std::sync::Arc;

use http::Method;
use serde_json::json;

use crate::auth::Auth;
use crate::call::Call;
use crate::core::Core;
use crate::error::{ApiResult, ErrorKind};
use crate::pace::{Api, NoPacer, Scope};
use crate::retry::Effect;
use crate::transport::{Clock, Secret, Transport};
use crate::wire::clickup as wire;

/// An app that an owner or admin registered at ClickUp.
#[derive(Clone, Debug)]
pub struct OAuthApp {
    /// Its identifier.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
}

impl OAuthApp {
    /// The page on which a person picks the Workspaces; it leads back to `redirect_uri` with the code.
    pub fn page(&self, redirect_uri: &str) -> String {
        let encode = crate::hosts::encode;
        let (client, back) = (encode(&self.client_id), encode(redirect_uri));
        format!("https://app.clickup.com/api?client_id={client}&redirect_uri={back}")
    }
}

/// Turns a code into an access token. A code works once, so a lost answer needs a new code.
pub async fn exchange_code(
    base_url: &str,
    app: &OAuthApp,
    code: &str,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
) -> ApiResult<Secret> {
    let path = "/api/v2/oauth/token";
    let mut call = Call::write(Api::Clickup, Method::POST, "/oauth/token", path, Effect::Once).json(&json!({
        "client_id": app.client_id,
        "client_secret": app.client_secret.reveal(),
        "code": code,
    }));
    call.anonymous = true;
    let bad = || call.error(ErrorKind::Auth).with_code("UnusableCredentials");
    // Nothing is sent with it: the call is anonymous.
    let nobody = Auth::fixed(String::new()).ok_or_else(bad)?;
    let core = Core::new(Api::Clickup, base_url, nobody, transport, Arc::new(NoPacer), clock, 0)?;
    let reply = core.send(&call, Scope::default()).await?;
    let granted: wire::Granted = reply.json(&call)?;
    granted.access_token.take().filter(|token| !token.is_empty()).map(Secret::new).ok_or_else(bad)
}
