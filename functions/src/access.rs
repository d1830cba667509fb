//! Whether both accounts let us in. A call that is not let in may speak of one record or of the account as a
//! whole: a look tells. While an account is closed every lane is paused, nothing is set aside, closed or deleted
//! for it, and work goes on by itself once the account is open again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clients::{
    Api, ApiError, ApiResult, ClickUpCredentials, ExportFrom, Lane, NoAccess, Scope, ZendeskCredentials,
};
use domain::Side;
use stores::switches::SwitchName;
use stores::{Store, StoreError};

use crate::{Context, SyncError};

/// Who sets and clears these switches.
const BY: &str = "deskup";

/// A look is good for whoever asks within this time.
const FRESH_MS: i64 = 5_000;

/// A look ends after this.
const WITHIN_MS: i64 = 20_000;

/// The first look after an account was found closed; each further one waits twice as long.
const LOOK_AGAIN_MS: u64 = 5_000;

/// Looks never wait longer: who repairs the credentials sees work go on within this.
const LOOK_AGAIN_MS_MAX: u64 = 60_000;

/// What a look at an account says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// It lets us in.
    Open,
    /// It does not, and why.
    Closed(String),
    /// It did not answer.
    Unclear,
}

/// Looks at both accounts, so that many refusals cause one look.
#[derive(Debug, Default)]
pub struct Access {
    looked: tokio::sync::Mutex<BTreeMap<Side, Looked>>,
}

/// The newest look at an account.
#[derive(Clone, Debug)]
struct Looked {
    begun_ms: i64,
    ended_ms: i64,
    look: Look,
}

/// Credentials as they are now: a person may have replaced them since the start.
pub trait Keys: Send + Sync {
    /// Both, or nothing if they cannot be read.
    fn read(&self) -> Option<(ZendeskCredentials, ClickUpCredentials)>;
}

/// The side of a service.
pub fn side_of(api: Api) -> Side {
    match api {
        Api::Zendesk => Side::Zendesk,
        Api::Clickup => Side::Clickup,
    }
}

/// Looks whether an account as a whole lets us in; if not, all lanes are paused.
pub async fn look(cx: &Context, side: Side) -> Result<Look, StoreError> {
    look_unless(cx, side, |last| cx.now_ms() - last.ended_ms < FRESH_MS).await
}

async fn look_unless(
    cx: &Context,
    side: Side,
    is_fresh: impl Fn(&Looked) -> bool,
) -> Result<Look, StoreError> {
    // Held while looking: whoever comes meanwhile gets the same answer.
    let mut looked = cx.access.looked.lock().await;
    if let Some(last) = looked.get(&side).filter(|last| is_fresh(last)) {
        return Ok(last.look.clone());
    }
    let begun_ms = cx.now_ms();
    let result = match side {
        Side::Zendesk => at_zendesk(cx).await,
        Side::Clickup => at_clickup(cx).await,
    };
    let look = match result {
        Ok(()) => Look::Open,
        Err(error) => reason(cx, &error).map_or(Look::Unclear, Look::Closed),
    };
    if let Look::Closed(reason) = &look {
        close(&cx.store, side, reason).await?;
    }
    looked.insert(side, Looked { begun_ms, ended_ms: cx.now_ms(), look: look.clone() });
    Ok(look)
}

/// What deskup's user sees of a record: nothing also where ClickUp refuses it as if it were of another Workspace, while
/// the Workspace itself is open. So it answers for what lies in a place that was taken from the user.
pub async fn visible<T>(cx: &Context, read: ApiResult<Option<T>>) -> Result<Option<T>, SyncError> {
    match read {
        Err(error) if is_hidden(cx, &error).await? => Ok(None),
        read => Ok(read?),
    }
}

/// The same of a refusal. Only a look that began after it tells: the account may have been closed just now.
pub async fn is_hidden(cx: &Context, error: &ApiError) -> Result<bool, StoreError> {
    if error.api != Api::Clickup || error.no_access() != Some(NoAccess::Workspace) {
        return Ok(false);
    }
    let refused_ms = cx.now_ms();
    let look = look_unless(cx, Side::Clickup, |last| last.begun_ms >= refused_ms).await?;
    Ok(look == Look::Open)
}

/// Whether a failure is that of one record although its account is open: then it counts as an attempt, and in
/// the end the record is set aside like any other.
pub async fn is_of_one_record(cx: &Context, error: &SyncError) -> Result<bool, StoreError> {
    let SyncError::Api(api) = error else { return Ok(false) };
    if api.no_access().is_none() {
        return Ok(false);
    }
    Ok(look(cx, side_of(api.api)).await? == Look::Open)
}

/// What everything else needs: to be somebody there, and to read the export, which only admins may.
async fn at_zendesk(cx: &Context) -> ApiResult<()> {
    let scope = Scope { lane: Lane::Live, deadline_ms: cx.now_ms() + WITHIN_MS };
    let zendesk = cx.zendesk.scoped(scope);
    zendesk.me().await?;
    let start_s = cx.now_ms() / 1_000 - 120;
    zendesk.export_tickets(ExportFrom::Start(start_s.max(0)), 1).await.map(drop)
}

/// To be somebody there, in the right Workspace.
async fn at_clickup(cx: &Context) -> ApiResult<()> {
    let scope = Scope { lane: Lane::Live, deadline_ms: cx.now_ms() + WITHIN_MS };
    let clickup = cx.clickup.scoped(scope);
    clickup.me().await?;
    clickup.members().await.map(drop)
}

/// What a person should know and do; nothing if the failure says nothing of our access.
fn reason(cx: &Context, error: &ApiError) -> Option<String> {
    let why = error.no_access()?;
    let code = error.code.as_deref().unwrap_or("no code");
    let goes_on = "deskup tries again by itself";
    Some(match (error.api, why) {
        (Api::Zendesk, NoAccess::Credentials) if error.code.as_deref() == Some("invalid_client") => format!(
            "Zendesk refuses deskup's OAuth client ({code}): put its present secret into credentials.toml, or make a new client; {goes_on}"
        ),
        (Api::Zendesk, NoAccess::Credentials) => format!(
            "Zendesk no longer accepts deskup's credentials ({code}): put valid ones into credentials.toml; {goes_on}"
        ),
        (Api::Zendesk, _) => format!(
            "Zendesk knows deskup, but does not let it do {} ({code}): its user must be an admin, and its token needs the scopes read and write; {goes_on}",
            error.what
        ),
        (Api::Clickup, NoAccess::Workspace) => format!(
            "ClickUp accepts deskup's token, but it does not open the workspace {} ({code}): let the token's user into it, or correct [clickup] workspace in deskup.toml; {goes_on}",
            cx.clickup.workspace()
        ),
        (Api::Clickup, _) => format!(
            "ClickUp no longer accepts deskup's token ({code}): put a valid one into credentials.toml; {goes_on}"
        ),
    })
}

async fn close(store: &Store, side: Side, reason: &str) -> Result<(), StoreError> {
    let name = SwitchName::Access(side);
    match store.switches().get(name).await? {
        Some(switch) if switch.reason == reason => return Ok(()),
        // The first reason stands, unless it is another one now.
        Some(_) => store.switches().clear(name).await?,
        None => tracing::error!(%side, reason, "all lanes are paused"),
    }
    store.switches().set(name, reason, BY).await
}

/// Lets work go on as far as our access was in its way.
pub async fn lift(store: &Store) -> Result<(), StoreError> {
    for side in [Side::Zendesk, Side::Clickup] {
        lift_side(store, side).await?;
    }
    Ok(())
}

async fn lift_side(store: &Store, side: Side) -> Result<(), StoreError> {
    if store.switches().get(SwitchName::Access(side)).await?.is_some() {
        tracing::info!(%side, "the account is open again");
        store.switches().clear(SwitchName::Access(side)).await?;
    }
    Ok(())
}

/// Watches both accounts until it is dropped. `opened` is called when work may go on.
pub async fn watch(cx: Arc<Context>, keys: Arc<dyn Keys>, opened: impl Fn()) {
    let zendesk = watch_side(&cx, Side::Zendesk, &*keys, &opened);
    let clickup = watch_side(&cx, Side::Clickup, &*keys, &opened);
    futures::future::join(zendesk, clickup).await;
}

async fn watch_side(cx: &Context, side: Side, keys: &dyn Keys, opened: &impl Fn()) {
    loop {
        // At the start too: connecting needs less than a sync does.
        match look(cx, side).await {
            Ok(Look::Closed(_)) => {
                until_open(cx, side, keys).await;
                opened();
            }
            Ok(Look::Open | Look::Unclear) => {}
            Err(error) => tracing::warn!(%side, %error, "it could not be kept whether an account is open"),
        }
        match side {
            Side::Zendesk => cx.zendesk.refused().await,
            Side::Clickup => cx.clickup.refused().await,
        }
        // One refused record after the other should not make a look each.
        tokio::time::sleep(Duration::from_millis(FRESH_MS.unsigned_abs() / 5)).await;
    }
}

async fn until_open(cx: &Context, side: Side, keys: &dyn Keys) {
    let mut wait_ms = LOOK_AGAIN_MS;
    loop {
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        wait_ms = (wait_ms * 2).min(LOOK_AGAIN_MS_MAX);
        change_keys(cx, side, keys);
        match look_unless(cx, side, |_| false).await {
            Ok(Look::Open) => match lift_side(&cx.store, side).await {
                Ok(()) => return,
                Err(error) => tracing::warn!(%side, %error, "work could not be let go on yet"),
            },
            Ok(Look::Closed(_) | Look::Unclear) => {}
            Err(error) => tracing::warn!(%side, %error, "it could not be kept whether an account is open"),
        }
    }
}

/// Takes what a person may have put in the place of the old credentials.
fn change_keys(cx: &Context, side: Side, keys: &dyn Keys) {
    let Some((zendesk, clickup)) = keys.read() else { return };
    let changed = match side {
        Side::Zendesk => cx.zendesk.change_credentials(zendesk),
        Side::Clickup => cx.clickup.change_credentials(clickup),
    };
    if let Err(error) = changed {
        tracing::warn!(%side, %error, "the new credentials cannot be used");
    }
}
