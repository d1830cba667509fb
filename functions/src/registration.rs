//! Webhooks at both services: made, mended, renewed and removed. Whoever registers them learns the secrets they
//! sign with, and keeps those in memory only.

use clients::{
    Api, ApiError, ClickUp, ClickupWebhook, ErrorKind, Secret, Zendesk, ZendeskWebhook, signatures,
};
use domain::Side;
use serde::Serialize;

use crate::Context;
use crate::local::ConnectError;

/// What a ticket sync listens to on Zendesk.
const ZENDESK_EVENTS: [&str; 18] = [
    "zen:event-type:ticket.agent_assignment_changed",
    "zen:event-type:ticket.attachment_linked_to_comment",
    "zen:event-type:ticket.comment_added",
    "zen:event-type:ticket.created",
    "zen:event-type:ticket.custom_field_changed",
    "zen:event-type:ticket.custom_status_changed",
    "zen:event-type:ticket.form_changed",
    "zen:event-type:ticket.group_assignment_changed",
    "zen:event-type:ticket.next_sla_breach_changed",
    "zen:event-type:ticket.organization_changed",
    "zen:event-type:ticket.priority_changed",
    "zen:event-type:ticket.soft_deleted",
    "zen:event-type:ticket.status_changed",
    "zen:event-type:ticket.subject_changed",
    "zen:event-type:ticket.tags_changed",
    "zen:event-type:ticket.task_due_at_changed",
    "zen:event-type:ticket.type_changed",
    "zen:event-type:ticket.undeleted",
];

/// What a ticket sync listens to on ClickUp.
const CLICKUP_EVENTS: [&str; 12] = [
    "taskCreated",
    "taskUpdated",
    "taskDeleted",
    "taskPriorityUpdated",
    "taskStatusUpdated",
    "taskAssigneeUpdated",
    "taskDueDateUpdated",
    "taskTagUpdated",
    "taskMoved",
    "taskCommentPosted",
    "taskCommentUpdated",
    "taskTimeEstimateUpdated",
];

/// Where the services deliver. ClickUp has two places, because its secret is renewed by a second webhook, and
/// it takes no second one at the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Zendesk's.
    pub zendesk: String,
    clickup: [String; 2],
}

impl Endpoints {
    /// The places under the address at which the services reach us.
    pub fn under(public_url: &str) -> Self {
        let base = public_url.trim_end_matches('/');
        Self::exactly(&format!("{base}/zendesk"), &format!("{base}/clickup"))
    }

    /// These places.
    pub fn exactly(zendesk: &str, clickup: &str) -> Self {
        Self { zendesk: zendesk.to_owned(), clickup: [clickup.to_owned(), format!("{clickup}/2")] }
    }

    /// Whether that is one of the places for ClickUp.
    pub fn is_clickup(&self, endpoint: &str) -> bool {
        self.clickup.iter().any(|own| own == endpoint)
    }

    fn is_own(&self, side: Side, endpoint: &str) -> bool {
        match side {
            Side::Zendesk => self.zendesk == endpoint,
            Side::Clickup => self.is_clickup(endpoint),
        }
    }
}

/// Both accounts, as far as webhooks need them.
#[derive(Clone)]
pub struct Accounts {
    /// Zendesk.
    pub zendesk: Zendesk,
    /// ClickUp.
    pub clickup: ClickUp,
}

impl Accounts {
    /// Those of a running deskup.
    pub fn of(cx: &Context) -> Self {
        Self { zendesk: cx.zendesk.clone(), clickup: cx.clickup.clone() }
    }
}

/// A webhook as a service shows it.
#[derive(Clone, Debug, Serialize)]
pub struct Hook {
    /// Where it is.
    pub side: Side,
    /// Its id there.
    pub id: String,
    /// Where it delivers.
    pub endpoint: String,
    /// The service's word: `active`, `inactive`, `failing`, `suspended`.
    pub state: String,
    /// Events in a row that could not be delivered; ClickUp suspends at 100.
    pub fail_count: Option<i64>,
    /// Whether it leads to us.
    pub ours: bool,
    /// Events that a sync needs and that it is not told of.
    pub missing_events: Vec<String>,
    /// Signs its deliveries; ClickUp shows it in the list.
    #[serde(skip)]
    pub secret: Option<Secret>,
}

impl Hook {
    /// Whether deliveries come.
    pub fn is_active(&self) -> bool {
        !matches!(self.state.as_str(), "inactive" | "suspended")
    }

    fn of_zendesk(hook: ZendeskWebhook, endpoints: Option<&Endpoints>) -> Self {
        Self {
            side: Side::Zendesk,
            ours: endpoints.is_some_and(|own| own.is_own(Side::Zendesk, &hook.endpoint)),
            missing_events: missing(&ZENDESK_EVENTS, &hook.subscriptions),
            id: hook.id,
            endpoint: hook.endpoint,
            state: hook.status,
            fail_count: None,
            secret: None,
        }
    }

    fn of_clickup(hook: ClickupWebhook, endpoints: Option<&Endpoints>) -> Self {
        let all = hook.events.iter().any(|event| event == "*");
        Self {
            side: Side::Clickup,
            ours: endpoints.is_some_and(|own| own.is_own(Side::Clickup, &hook.endpoint)),
            missing_events: if all { Vec::new() } else { missing(&CLICKUP_EVENTS, &hook.events) },
            id: hook.id,
            endpoint: hook.endpoint,
            state: hook.status,
            fail_count: Some(hook.fail_count),
            secret: hook.secret,
        }
    }
}

fn missing(needed: &[&str], has: &[String]) -> Vec<String> {
    let lacks = |event: &&&str| !has.iter().any(|one| one == **event);
    needed.iter().filter(lacks).map(|event| (*event).to_owned()).collect()
}

/// What registering had to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Done {
    /// There was none.
    Made,
    /// It was there and as it should be.
    Kept,
    /// It was suspended, or lacked events.
    Mended,
    /// Its secret is a new one.
    Renewed,
}

/// A webhook of ours, ready to deliver.
#[derive(Clone, Debug)]
pub struct Registered {
    /// Where it is.
    pub side: Side,
    /// Its id there.
    pub id: String,
    /// Where it delivers.
    pub endpoint: String,
    /// Signs its deliveries.
    pub secret: Secret,
    /// What had to be done.
    pub done: Done,
}

fn failed(what: &'static str) -> impl Fn(ApiError) -> ConnectError + Copy {
    move |source| ConnectError::Api { what, source }
}

/// The webhooks of one service. Zendesk shows those of the whole account, ClickUp only those of our user.
pub async fn list(
    accounts: &Accounts,
    side: Side,
    endpoints: Option<&Endpoints>,
) -> Result<Vec<Hook>, ConnectError> {
    match side {
        Side::Zendesk => {
            let hooks = accounts.zendesk.webhooks().await;
            let hooks = hooks.map_err(failed("Zendesk's webhooks could not be read"))?;
            Ok(hooks.into_iter().map(|hook| Hook::of_zendesk(hook, endpoints)).collect())
        }
        Side::Clickup => {
            let hooks = accounts.clickup.webhooks().await;
            let hooks = hooks.map_err(failed("ClickUp's webhooks could not be read"))?;
            Ok(hooks.into_iter().map(|hook| Hook::of_clickup(hook, endpoints)).collect())
        }
    }
}

/// Makes sure that a service tells us about changes. Repeatable: what is there is kept, what is suspended or
/// lacks events is mended, and of two at one place one is removed.
pub async fn register(
    accounts: &Accounts,
    endpoints: &Endpoints,
    side: Side,
) -> Result<Registered, ConnectError> {
    let hooks = list(accounts, side, Some(endpoints)).await?;
    let mut ours: Vec<Hook> = hooks.into_iter().filter(|hook| hook.ours).collect();
    ours.sort_by_key(|hook| (!hook.is_active(), hook.id.clone()));
    let mut ours = ours.into_iter();
    let first = ours.next();
    // Two at one place, one of which two processes made at once or one whose reply was lost: each event would come
    // twice, and one of them with a secret that nobody knows.
    for second in ours.filter(|hook| first.as_ref().is_some_and(|first| first.endpoint == hook.endpoint)) {
        tracing::warn!(%side, id = %second.id, "a second webhook at the same place is removed");
        remove(accounts, side, &second.id).await?;
    }
    match first {
        None => make(accounts, endpoints, side).await,
        Some(hook) if hook.is_active() && hook.missing_events.is_empty() => {
            known(accounts, hook, Done::Kept).await
        }
        Some(hook) => {
            mend(accounts, &hook).await?;
            known(accounts, hook, Done::Mended).await
        }
    }
}

async fn make(accounts: &Accounts, endpoints: &Endpoints, side: Side) -> Result<Registered, ConnectError> {
    let cannot = match side {
        Side::Zendesk => failed("the Zendesk webhook could not be created"),
        Side::Clickup => failed("the ClickUp webhook could not be created"),
    };
    match side {
        Side::Zendesk => {
            let endpoint = endpoints.zendesk.clone();
            let hook = accounts.zendesk.create_webhook("deskup", &endpoint, &ZENDESK_EVENTS).await;
            let id = hook.map_err(cannot)?.id;
            let secret = secret(accounts, &id).await?;
            Ok(Registered { side, id, endpoint, secret, done: Done::Made })
        }
        Side::Clickup => {
            let endpoint = endpoints.clickup[0].clone();
            let hook = accounts.clickup.create_webhook(&endpoint, &CLICKUP_EVENTS, None).await;
            let hook = hook.map_err(cannot)?;
            Ok(Registered { side, id: hook.id, endpoint, secret: hook.secret, done: Done::Made })
        }
    }
}

/// All events, and active. ClickUp sends nothing again that was missed: cursors and sweeps find it.
pub async fn mend(accounts: &Accounts, hook: &Hook) -> Result<(), ConnectError> {
    match hook.side {
        Side::Zendesk => accounts.zendesk.update_webhook(&hook.id, &ZENDESK_EVENTS, "active").await,
        Side::Clickup => {
            accounts.clickup.update_webhook(&hook.id, &hook.endpoint, &CLICKUP_EVENTS, "active").await
        }
    }
    .map_err(match hook.side {
        Side::Zendesk => failed("the Zendesk webhook could not be changed"),
        Side::Clickup => failed("the ClickUp webhook could not be changed"),
    })
}

/// A webhook as it is, with its secret.
pub(crate) async fn known(accounts: &Accounts, hook: Hook, done: Done) -> Result<Registered, ConnectError> {
    let secret = secret_of(accounts, &hook).await?;
    let Hook { side, id, endpoint, .. } = hook;
    Ok(Registered { side, id, endpoint, secret, done })
}

/// What signs a webhook's deliveries.
pub(crate) async fn secret_of(accounts: &Accounts, hook: &Hook) -> Result<Secret, ConnectError> {
    match (hook.side, &hook.secret) {
        (Side::Clickup, Some(secret)) => Ok(secret.clone()),
        (Side::Clickup, None) => {
            let error = ApiError::new(Api::Clickup, "webhook", ErrorKind::Unexpected);
            let what = "ClickUp does not show the secret of its webhook: remove it and register a new one";
            Err(ConnectError::Api { what, source: error.with_code("NoSecret") })
        }
        (Side::Zendesk, _) => secret(accounts, &hook.id).await,
    }
}

async fn secret(accounts: &Accounts, id: &str) -> Result<Secret, ConnectError> {
    let secret = accounts.zendesk.webhook_secret(id).await;
    let secret = secret.map_err(failed("the Zendesk webhook's secret could not be read"))?;
    if signatures::is_published(&secret) {
        let what = "Zendesk's webhook is signed with the published test secret, with which anybody could sign: renew it with `deskup webhooks rotate`";
        let source = ApiError::new(Api::Zendesk, "webhook", ErrorKind::Unexpected).with_code("TestSecret");
        return Err(ConnectError::Api { what, source });
    }
    Ok(secret)
}

/// A new secret at Zendesk, in force at once.
pub async fn renew_zendesk(
    accounts: &Accounts,
    id: &str,
    endpoint: &str,
) -> Result<Registered, ConnectError> {
    let secret = accounts.zendesk.renew_webhook_secret(id).await;
    let secret = secret.map_err(failed("the Zendesk webhook's secret could not be renewed"))?;
    let (id, endpoint) = (id.to_owned(), endpoint.to_owned());
    Ok(Registered { side: Side::Zendesk, id, endpoint, secret, done: Done::Renewed })
}

/// A second webhook at ClickUp beside the present one, at the other place: the one way to a new secret there.
/// Until the first one is removed, both deliver.
pub async fn second_clickup(
    accounts: &Accounts,
    endpoints: &Endpoints,
    present: &str,
) -> Result<Registered, ConnectError> {
    let [first, second] = &endpoints.clickup;
    let endpoint = if present == first { second } else { first };
    let hook = accounts.clickup.create_webhook(endpoint, &CLICKUP_EVENTS, None).await;
    let hook = hook.map_err(failed("a second ClickUp webhook could not be created"))?;
    let (side, done, endpoint) = (Side::Clickup, Done::Renewed, endpoint.clone());
    Ok(Registered { side, id: hook.id, endpoint, secret: hook.secret, done })
}

/// Removes a webhook; a missing one is fine.
pub async fn remove(accounts: &Accounts, side: Side, id: &str) -> Result<(), ConnectError> {
    match side {
        Side::Zendesk => accounts.zendesk.delete_webhook(id).await,
        Side::Clickup => accounts.clickup.delete_webhook(id).await,
    }
    .map_err(match side {
        Side::Zendesk => failed("the Zendesk webhook could not be removed"),
        Side::Clickup => failed("the ClickUp webhook could not be removed"),
    })
}

/// Registers at a service and tells the intake where and how deliveries are signed.
pub async fn attach(cx: &Context, endpoints: &Endpoints, side: Side) -> Result<Registered, ConnectError> {
    cx.hooks.at(endpoints.clone());
    let registered = register(&Accounts::of(cx), endpoints, side).await?;
    if side == Side::Zendesk {
        cx.hooks.zendesk_is(&registered.id);
    }
    cx.hooks.learn(side, vec![registered.secret.clone()], cx.now_ms());
    Ok(registered)
}

/// Makes sure that both services tell about changes, and learns the secrets they sign with. Repeatable.
pub async fn register_webhooks(
    cx: &Context,
    zendesk_endpoint: &str,
    clickup_endpoint: &str,
) -> Result<(), ConnectError> {
    let endpoints = Endpoints::exactly(zendesk_endpoint, clickup_endpoint);
    attach(cx, &endpoints, Side::Zendesk).await?;
    attach(cx, &endpoints, Side::Clickup).await?;
    Ok(())
}
