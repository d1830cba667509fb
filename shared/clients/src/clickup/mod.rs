//! The ClickUp API, as far as the sync needs it.

mod body;
mod comments;
pub(crate) mod convert;
mod lists;
mod oauth;
mod places;
mod tasks;
mod types;
mod webhooks;

use std::sync::Arc;

use http::Method;
use serde::de::DeserializeOwned;

use crate::auth::Auth;
use crate::call::{Call, Reply};
use crate::core::Core;
use crate::error::{ApiError, ApiResult, ErrorKind};
use crate::pace::{Api, Bucket, Pacer, Scope};
use crate::retry::Effect;
use crate::transport::{Clock, Transport};

pub use oauth::{OAuthApp, exchange_code};
pub use types::*;

/// The smallest plan's calls per minute; headers tell the real number.
const PER_MIN_DEFAULT: u32 = 100;

/// A client for one Workspace. Clones are cheap, share everything and may run side by side.
#[derive(Clone)]
pub struct ClickUp {
    core: Arc<Core>,
    workspace: Arc<str>,
    per_min: u32,
    scope: Scope,
}

impl ClickUp {
    /// Checks the base URL, the token's form and the Workspace id and keeps the rest; nothing is sent.
    pub fn new(
        config: ClickUpConfig,
        transport: Arc<dyn Transport>,
        pacer: Arc<dyn Pacer>,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> ApiResult<Self> {
        let auth = auth(config.token)?;
        let workspace = config.workspace.trim();
        if workspace.is_empty() || !workspace.bytes().all(|byte| byte.is_ascii_digit()) {
            let error = ApiError::new(Api::Clickup, "workspace", ErrorKind::Refused);
            return Err(error.with_code("BadWorkspaceId"));
        }
        let core = Core::new(Api::Clickup, &config.base_url, auth, transport, pacer, clock, seed)?;
        Ok(Self {
            core: Arc::new(core),
            workspace: workspace.into(),
            per_min: PER_MIN_DEFAULT,
            scope: Scope::default(),
        })
    }

    /// All clones go on with other credentials.
    pub fn change_credentials(&self, token: ClickUpCredentials) -> ApiResult<()> {
        self.core.change_auth(auth(token)?);
        Ok(())
    }

    /// Waits until a call of any clone is not let in.
    pub async fn refused(&self) {
        self.core.refused.notified().await;
    }

    /// The same client on another's behalf.
    pub fn scoped(&self, scope: Scope) -> Self {
        Self { scope, ..self.clone() }
    }

    /// The same client with another limit per minute assumed until headers say otherwise.
    pub fn with_limit(self, per_min: u32) -> Self {
        Self { per_min, ..self }
    }

    /// The same client for another Workspace of the same token.
    pub fn in_workspace(&self, id: &str) -> Self {
        Self { workspace: id.into(), ..self.clone() }
    }

    /// The Workspace.
    pub fn workspace(&self) -> &str {
        &self.workspace
    }

    fn bucket(&self) -> Bucket {
        Bucket::new("token", self.per_min, 60_000)
    }

    fn get(&self, template: &'static str, path: impl Into<String>) -> Call {
        Call::get(Api::Clickup, template, path).spends([self.bucket()])
    }

    fn write(&self, method: Method, template: &'static str, path: String, effect: Effect) -> Call {
        Call::write(Api::Clickup, method, template, path, effect).spends([self.bucket()])
    }

    async fn send(&self, call: &Call) -> ApiResult<Reply> {
        self.core.send(call, self.scope).await
    }

    async fn read<T: DeserializeOwned>(&self, call: &Call) -> ApiResult<T> {
        self.send(call).await?.json(call)
    }
}

fn auth(token: ClickUpCredentials) -> ApiResult<Auth> {
    let auth = match token {
        // A personal token goes without "Bearer".
        ClickUpCredentials::Personal(token) => Auth::fixed(token.reveal().to_owned()),
        ClickUpCredentials::OAuth(token) => Auth::bearer(&token),
    };
    auth.ok_or_else(|| {
        ApiError::new(Api::Clickup, "credentials", ErrorKind::Auth).with_code("UnusableCredentials")
    })
}

/// An answer of success without the record it must hold.
fn incomplete(call: &Call) -> ApiError {
    call.unreadable(None)
}
