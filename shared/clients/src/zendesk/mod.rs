//! The Zendesk Support API, as far as the sync needs it.

mod account;
mod body;
pub(crate) mod convert;
mod export;
mod files;
mod people;
mod tickets;
mod types;
mod webhooks;

use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::auth::Auth;
use crate::call::{Call, Reply};
use crate::core::Core;
use crate::error::{ApiError, ApiResult, ErrorKind};
use crate::pace::{Api, Pacer, Scope};
use crate::pages;
use crate::transport::{Clock, Transport};
use crate::wire::Field;
use crate::wire::zendesk as wire;

pub use types::*;

/// Most lists give at most so many a page.
const PER_PAGE: u32 = 100;
/// Ids in one `show_many` or `update_many`.
pub const MANY_MAX: usize = 100;

/// A client for one account. Clones are cheap, share everything and may run side by side.
#[derive(Clone)]
pub struct Zendesk {
    core: Arc<Core>,
    limits: ZendeskLimits,
    scope: Scope,
}

impl Zendesk {
    /// Checks the base URL and the credentials' form and keeps the rest; nothing is sent.
    pub fn new(
        config: ZendeskConfig,
        transport: Arc<dyn Transport>,
        pacer: Arc<dyn Pacer>,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> ApiResult<Self> {
        let auth = auth(config.credentials)?;
        let core = Core::new(Api::Zendesk, &config.base_url, auth, transport, pacer, clock, seed)?;
        Ok(Self { core: Arc::new(core), limits: ZendeskLimits::default(), scope: Scope::default() })
    }

    /// All clones go on with other credentials.
    pub fn change_credentials(&self, credentials: ZendeskCredentials) -> ApiResult<()> {
        self.core.change_auth(auth(credentials)?);
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

    /// The same client with other limits assumed until headers say otherwise.
    pub fn with_limits(self, limits: ZendeskLimits) -> Self {
        Self { limits, ..self }
    }

    /// How many answers said that something in a request was dropped, over all clones. Tests want zero.
    pub fn warnings(&self) -> u64 {
        self.core.warnings()
    }

    /// A read that spends from the account only.
    fn get(&self, template: &'static str, path: impl Into<String>) -> Call {
        Call::get(Api::Zendesk, template, path).spends([self.limits.account()])
    }

    /// A read of a list by cursor. Without a page size Zendesk silently pages by offset.
    fn get_paged(&self, template: &'static str, path: impl Into<String>) -> Call {
        self.get(template, path).query("page[size]", PER_PAGE)
    }

    async fn send(&self, call: &Call) -> ApiResult<Reply> {
        self.core.send(call, self.scope).await
    }

    async fn read<T: DeserializeOwned>(&self, call: &Call) -> ApiResult<T> {
        self.send(call).await?.json(call)
    }

    /// All entries of a list read by cursor.
    async fn all<P, T>(&self, call: Call, part: fn(P) -> (Vec<T>, Continued)) -> ApiResult<Vec<T>>
    where
        P: DeserializeOwned + Send + 'static,
        T: Send + 'static,
    {
        pages::collect(self.stream(call, part)).await
    }
}

fn auth(credentials: ZendeskCredentials) -> ApiResult<Auth> {
    let auth = match credentials {
        ZendeskCredentials::ApiToken { email, token } => Auth::api_token(&email, &token),
        ZendeskCredentials::Bearer(token) => Auth::bearer(&token),
        ZendeskCredentials::OAuthClient { client_id, client_secret, scope } => {
            Some(Auth::oauth(client_id, client_secret, scope))
        }
    };
    auth.ok_or_else(|| {
        ApiError::new(Api::Zendesk, "credentials", ErrorKind::Auth).with_code("UnusableCredentials")
    })
}

/// Where a list goes on.
struct Continued {
    meta: Field<wire::Meta>,
    links: Field<wire::Links>,
}

/// An answer of success without the record it must hold.
fn incomplete(call: &Call) -> ApiError {
    call.unreadable(None)
}
