//! New secrets for the webhooks, while deliveries go on. Zendesk replaces a secret at once: what is under way is
//! signed with the old one, which the intake takes for a while. ClickUp gives no new secret to a webhook, so a
//! second one is made, proven, and only then the first is removed.

use std::time::Duration;

use clients::{Api, ApiError, ErrorKind, Secret};
use domain::Side;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::local::ConnectError;
use crate::reach::{Reach, Reached};
use crate::registration::{self, Accounts, Endpoints, Hook, Registered};

/// Where the secrets in force are written down for an intake that cannot ask the services.
pub trait Keeper: Send + Sync {
    /// These are in force on a side now.
    fn keep(&self, side: Side, secrets: Vec<Secret>) -> BoxFuture<'_, Result<(), ConnectError>>;
}

/// For an intake that asks the services itself.
pub struct NoKeeper;

impl Keeper for NoKeeper {
    fn keep(&self, _side: Side, _secrets: Vec<Secret>) -> BoxFuture<'_, Result<(), ConnectError>> {
        std::future::ready(Ok(())).boxed()
    }
}

/// What came of a rotation.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The webhook with its new secret.
    pub now: Registered,
    /// Whether a deskup behind the public address knows it.
    pub reached: Reached,
    /// Webhooks removed for it.
    pub removed: Vec<String>,
}

/// A new secret for a side's webhook. `grace` is how long ClickUp's old webhook may deliver what is under way.
pub async fn rotate(
    accounts: &Accounts,
    endpoints: &Endpoints,
    side: Side,
    reach: &Reach,
    keeper: &dyn Keeper,
    grace: Duration,
) -> Result<Rotated, ConnectError> {
    let hooks = registration::list(accounts, side, Some(endpoints)).await?;
    let ours: Vec<Hook> = hooks.into_iter().filter(|hook| hook.ours).collect();
    match (side, ours.as_slice()) {
        (_, []) => Err(none(side)),
        (Side::Zendesk, [hook, ..]) => {
            let now = registration::renew_zendesk(accounts, &hook.id, &hook.endpoint).await?;
            keeper.keep(side, vec![now.secret.clone()]).await?;
            let reached = reach.prove(side, &now.endpoint, &now.secret).await;
            Ok(Rotated { now, reached, removed: Vec::new() })
        }
        (Side::Clickup, [hook]) => {
            let now = registration::second_clickup(accounts, endpoints, &hook.endpoint).await?;
            replace(accounts, &ours, now, reach, keeper, grace).await
        }
        // An earlier rotation was cut short: it is finished with the newest.
        (Side::Clickup, [old @ .., newest]) => {
            let now = registration::known(accounts, newest.clone(), registration::Done::Renewed).await?;
            replace(accounts, old, now, reach, keeper, grace).await
        }
    }
}

async fn replace(
    accounts: &Accounts,
    old: &[Hook],
    now: Registered,
    reach: &Reach,
    keeper: &dyn Keeper,
    grace: Duration,
) -> Result<Rotated, ConnectError> {
    let before: Vec<Secret> = old.iter().filter_map(|hook| hook.secret.clone()).collect();
    let both = std::iter::once(now.secret.clone()).chain(before.iter().cloned()).collect();
    keeper.keep(now.side, both).await?;
    let reached = reach.prove(now.side, &now.endpoint, &now.secret).await;
    if !reached.is_yes() {
        // The old one is the better one then.
        registration::remove(accounts, now.side, &now.id).await?;
        keeper.keep(now.side, before).await?;
        return Ok(Rotated { removed: vec![now.id.clone()], now, reached });
    }
    tokio::time::sleep(grace).await;
    let mut removed = Vec::new();
    for hook in old {
        registration::remove(accounts, hook.side, &hook.id).await?;
        removed.push(hook.id.clone());
    }
    keeper.keep(now.side, vec![now.secret.clone()]).await?;
    Ok(Rotated { now, reached, removed })
}

fn none(side: Side) -> ConnectError {
    let api = match side {
        Side::Zendesk => Api::Zendesk,
        Side::Clickup => Api::Clickup,
    };
    ConnectError::Api {
        what: "there is no webhook to renew; `deskup webhooks register` makes one",
        source: ApiError::new(api, "webhooks", ErrorKind::NotFound),
    }
}
