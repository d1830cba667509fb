//! Both accounts as a person meets them before the first sync: who deskup is there and what it may do, what there
//! is to map, and what a careful person should know before anything is written. Nothing is written here.

pub mod check;
pub mod own;
mod survey;
pub mod trouble;
pub mod warnings;
pub mod watch;

use std::sync::Arc;

use clients::{
    ApiError, ApiResult, ClickUp, ClickUpConfig, Clock, Lane, Scope, Transport, Workspace, Zendesk,
    ZendeskConfig, ZendeskCredentials,
};
use domain::{Person, Side};

pub use check::{Checked, check};
pub use own::Looked;
pub use survey::{Survey, survey};
pub use trouble::{About, Trouble};
pub use warnings::Warning;
pub use watch::{Seen, Watch};

/// Somebody who typed a wrong address should not wait for it to become right.
const FIRST_CONTACT_MS: i64 = 8_000;
/// Reading an account may wait out a minute's limit several times.
const SURVEY_MS: i64 = 30 * 60_000;

/// How to reach both accounts. ClickUp's workspace may be any number until one is chosen.
pub struct Entry {
    /// How requests leave.
    pub transport: Arc<dyn Transport>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For jitter.
    pub seed: u64,
    /// The Zendesk account.
    pub zendesk: ZendeskConfig,
    /// The ClickUp workspace.
    pub clickup: ClickUpConfig,
}

/// Clients for both accounts that are looked over the shoulder.
pub struct Accounts {
    /// Zendesk.
    pub zendesk: Zendesk,
    /// ClickUp.
    pub clickup: ClickUp,
    clock: Arc<dyn Clock>,
    watches: (Arc<Watch>, Arc<Watch>),
    urls: (String, String),
    oauth: bool,
}

impl Accounts {
    /// Checks the form of addresses and credentials; nothing is sent.
    pub fn open(entry: Entry) -> Result<Self, Vec<Trouble>> {
        let Entry { transport, clock, seed, zendesk, clickup } = entry;
        let watch = || Watch::new(transport.clone(), clock.clone());
        let watches = (watch(), watch());
        let urls = (zendesk.base_url.clone(), clickup.base_url.clone());
        let oauth = matches!(zendesk.credentials, ZendeskCredentials::OAuthClient { .. });
        let nothing = watch::Ending::default();
        let zendesk = Zendesk::new(zendesk, watches.0.clone(), watches.0.clone(), clock.clone(), seed)
            .map_err(|error| Trouble::of(Side::Zendesk, &urls.0, &error, &nothing));
        let clickup = ClickUp::new(clickup, watches.1.clone(), watches.1.clone(), clock.clone(), seed)
            .map_err(|error| Trouble::of(Side::Clickup, &urls.1, &error, &nothing));
        match (zendesk, clickup) {
            (Ok(zendesk), Ok(clickup)) => Ok(Self { zendesk, clickup, clock, watches, urls, oauth }),
            (zendesk, clickup) => Err([zendesk.err(), clickup.err()].into_iter().flatten().collect()),
        }
    }

    /// Asks both services who deskup is; every trouble at once.
    pub async fn enter(&self) -> Result<(Person, Person), Vec<Trouble>> {
        let scope = self.scope(FIRST_CONTACT_MS);
        let (zendesk, clickup) = (self.zendesk.scoped(scope), self.clickup.scoped(scope));
        let (zendesk, clickup) = futures::join!(zendesk.me(), clickup.me());
        match (self.told(Side::Zendesk, zendesk), self.told(Side::Clickup, clickup)) {
            (Ok(zendesk), Ok(clickup)) => Ok((zendesk, clickup)),
            (zendesk, clickup) => Err([zendesk.err(), clickup.err()].into_iter().flatten().collect()),
        }
    }

    /// The workspaces that ClickUp's token opens.
    pub async fn workspaces(&self) -> Result<Vec<Workspace>, Trouble> {
        let found = self.clickup.scoped(self.scope(FIRST_CONTACT_MS)).workspaces().await;
        let found = self.told(Side::Clickup, found)?;
        if found.is_empty() {
            return Err(Trouble::new(
                Side::Clickup,
                About::Workspace,
                "ClickUp's token is good, but opens no workspace: invite deskup's user into yours, and for an OAuth token \
                 choose the workspace when giving consent",
            ));
        }
        Ok(found)
    }

    /// The same accounts with this workspace.
    pub fn in_workspace(self, id: &str) -> Self {
        Self { clickup: self.clickup.in_workspace(id), ..self }
    }

    /// What was seen of a service.
    pub fn seen(&self, side: Side) -> Seen {
        match side {
            Side::Zendesk => self.watches.0.seen(),
            Side::Clickup => self.watches.1.seen(),
        }
    }

    /// Its address.
    pub fn url(&self, side: Side) -> &str {
        match side {
            Side::Zendesk => &self.urls.0,
            Side::Clickup => &self.urls.1,
        }
    }

    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    fn scope(&self, within_ms: i64) -> Scope {
        Scope { lane: Lane::Live, deadline_ms: self.now_ms().saturating_add(within_ms) }
    }

    fn trouble(&self, side: Side, error: &ApiError) -> Trouble {
        Trouble::of(side, self.url(side), error, &self.seen(side).last)
    }

    fn told<T>(&self, side: Side, result: ApiResult<T>) -> Result<T, Trouble> {
        result.map_err(|error| self.trouble(side, &error))
    }
}
