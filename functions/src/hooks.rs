//! The secrets that deliveries are signed with. They are in memory only: read from the services, or from where a stack
//! keeps them, at the start and again when a signature fits none of them, because another process may have renewed one.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use clients::{ApiResult, Lane, Scope, Secret, signatures};
use domain::Side;
use futures::future::BoxFuture;

use crate::Context;
use crate::registration::Endpoints;

/// What is on its way when a secret is renewed is signed with the one before.
pub const OLD_SECRET_MS: i64 = 15 * 60_000;

/// Whoever sends us rubbish makes us ask no oftener than this.
const ASK_EVERY_MS: i64 = 10_000;

/// ClickUp waits seven seconds for our answer.
const ASK_WITHIN_MS: i64 = 4_000;

/// What a signature turned out to be.
#[derive(Debug)]
pub enum Found {
    /// Made with this secret.
    Genuine(Secret),
    /// Made with none of the secrets in force.
    Wrong,
    /// The secrets in force could not be read just now.
    NotKnown,
}

/// The secrets in force, or why they could not be read.
pub type Asked = Result<Vec<Secret>, String>;

/// Where secrets are kept, if the services are not to be asked.
pub trait Source: Send + Sync {
    /// The secrets in force on a side.
    fn ask(&self, side: Side) -> BoxFuture<'_, Asked>;
}

/// What is known of the webhooks that lead here.
#[derive(Debug, Default)]
pub struct Hooks {
    known: RwLock<Known>,
    /// When the services were last asked, by side. Held while asking: one question answers all.
    asked: tokio::sync::Mutex<BTreeMap<Side, i64>>,
}

#[derive(Default)]
struct Known {
    endpoints: Option<Endpoints>,
    source: Option<Arc<dyn Source>>,
    zendesk_id: Option<String>,
    secrets: BTreeMap<Side, Vec<Signing>>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

/// A secret, and until when it holds if it is not the newest.
#[derive(Debug)]
struct Signing {
    secret: Secret,
    until_ms: Option<i64>,
}

impl Hooks {
    /// Says where the services were told to deliver.
    pub fn at(&self, endpoints: Endpoints) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).endpoints = Some(endpoints);
    }

    /// From now on the secrets come from there.
    pub fn ask_from(&self, source: Arc<dyn Source>) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).source = Some(source);
    }

    fn source(&self) -> Option<Arc<dyn Source>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).source.clone()
    }

    /// Where the services were told to deliver.
    pub fn endpoints(&self) -> Option<Endpoints> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).endpoints.clone()
    }

    /// Remembers which webhook of Zendesk is ours, so that its secret is one call away.
    pub fn zendesk_is(&self, id: &str) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).zendesk_id = Some(id.to_owned());
    }

    /// From now on these are in force on a side. Those that no longer are still hold for a while.
    /// A published one, with which anybody could sign, is never in force.
    pub fn learn(&self, side: Side, mut current: Vec<Secret>, now_ms: i64) {
        current.retain(|secret| !signatures::is_published(secret));
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let secrets = known.secrets.entry(side).or_default();
        secrets.retain(|old| old.until_ms.is_none_or(|until| now_ms < until));
        for old in secrets.iter_mut() {
            if !current.contains(&old.secret) {
                old.until_ms.get_or_insert(now_ms + OLD_SECRET_MS);
            }
        }
        secrets.retain(|old| !current.contains(&old.secret));
        secrets.splice(0..0, current.into_iter().map(|secret| Signing { secret, until_ms: None }));
    }

    /// The secret that fits, among those that hold now.
    fn fitting(&self, side: Side, now_ms: i64, fits: impl Fn(&Secret) -> bool) -> Option<Secret> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut holding = known
            .secrets
            .get(&side)
            .into_iter()
            .flatten()
            .filter(|one| one.until_ms.is_none_or(|until| now_ms < until));
        holding.find(|one| fits(&one.secret)).map(|one| one.secret.clone())
    }
}

/// Looks for the secret of a signature; asks the service where none fits.
pub async fn find(cx: &Context, side: Side, fits: impl Fn(&Secret) -> bool) -> Found {
    if let Some(secret) = cx.hooks.fitting(side, cx.now_ms(), &fits) {
        return Found::Genuine(secret);
    }
    if cx.hooks.source().is_none() && cx.hooks.endpoints().is_none() {
        return Found::Wrong;
    }
    let mut asked = cx.hooks.asked.lock().await;
    // Whoever asked meanwhile may have found it.
    if let Some(secret) = cx.hooks.fitting(side, cx.now_ms(), &fits) {
        return Found::Genuine(secret);
    }
    let now_ms = cx.now_ms();
    if asked.get(&side).is_some_and(|at| now_ms - at < ASK_EVERY_MS) {
        return Found::NotKnown;
    }
    asked.insert(side, now_ms);
    match in_force(cx, side).await {
        Ok(current) => cx.hooks.learn(side, current, cx.now_ms()),
        Err(error) => {
            tracing::warn!(%side, %error, "the secrets of the webhooks could not be read");
            return Found::NotKnown;
        }
    }
    cx.hooks.fitting(side, cx.now_ms(), &fits).map_or(Found::Wrong, Found::Genuine)
}

/// What signs deliveries on a side now, as its source or the service says.
pub async fn in_force(cx: &Context, side: Side) -> Asked {
    match (cx.hooks.source(), cx.hooks.endpoints()) {
        (Some(source), _) => source.ask(side).await,
        (None, Some(endpoints)) => ask(cx, side, &endpoints).await.map_err(|error| error.to_string()),
        (None, None) => Ok(Vec::new()),
    }
}

/// The secrets in force.
async fn ask(cx: &Context, side: Side, endpoints: &Endpoints) -> ApiResult<Vec<Secret>> {
    let scope = Scope { lane: Lane::Live, deadline_ms: cx.now_ms() + ASK_WITHIN_MS };
    if side == Side::Clickup {
        let hooks = cx.clickup.scoped(scope).webhooks().await?;
        let ours = hooks.into_iter().filter(|hook| endpoints.is_clickup(&hook.endpoint));
        return Ok(ours.filter_map(|hook| hook.secret).collect());
    }
    let zendesk = cx.zendesk.scoped(scope);
    let known = cx.hooks.known.read().unwrap_or_else(PoisonError::into_inner).zendesk_id.clone();
    if let Some(id) = known {
        match zendesk.webhook_secret(&id).await {
            Err(error) if error.is_not_found() => {}
            result => return Ok(vec![result?]),
        }
    }
    let mut secrets = Vec::new();
    for hook in zendesk.webhooks().await?.into_iter().filter(|hook| hook.endpoint == endpoints.zendesk) {
        cx.hooks.zendesk_is(&hook.id);
        secrets.push(zendesk.webhook_secret(&hook.id).await?);
    }
    Ok(secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(hooks: &Hooks, text: &str, now_ms: i64) -> bool {
        hooks.fitting(Side::Zendesk, now_ms, |secret| secret.reveal() == text).is_some()
    }

    #[test]
    fn a_renewed_secret_holds_for_a_quarter_of_an_hour_more() {
        let hooks = Hooks::default();
        hooks.learn(Side::Zendesk, vec![Secret::new("a")], 0);
        hooks.learn(Side::Zendesk, vec![Secret::new("b")], 1_000);
        assert!(fits(&hooks, "a", 1_000) && fits(&hooks, "b", 1_000));
        // Learning the same again gives the old one no longer life.
        hooks.learn(Side::Zendesk, vec![Secret::new("b")], 2_000);
        assert!(fits(&hooks, "a", 1_000 + OLD_SECRET_MS - 1));
        assert!(!fits(&hooks, "a", 1_000 + OLD_SECRET_MS));
        assert!(fits(&hooks, "b", i64::MAX));
        // An old one that comes back is no longer old.
        hooks.learn(Side::Zendesk, vec![Secret::new("a")], 3_000);
        assert!(fits(&hooks, "a", i64::MAX) && !fits(&hooks, "b", i64::MAX));
        assert!(hooks.fitting(Side::Clickup, 0, |_| true).is_none(), "sides are apart");
    }

    #[test]
    fn a_published_secret_is_never_in_force() {
        let published = Secret::new("dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==");
        let hooks = Hooks::default();
        hooks.learn(Side::Zendesk, vec![published], 0);
        assert!(hooks.fitting(Side::Zendesk, 0, |_| true).is_none());
    }
}
