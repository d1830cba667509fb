//! What runs while deskup serves: the intake behind the listener, the look after webhooks, the watch over both
//! accounts, and the line of each minute.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use clients::{ClickUpCredentials, ZendeskCredentials};
use domain::Side;
use functions::access::{self, Keys};
use functions::local::Local;
use functions::registration::{self, Accounts, Done, Endpoints};
use functions::{Context, webhook};
use http::{Method, Request, Response, StatusCode};
use stores::StoreError;
use stores::service::Service;
use stores::switches::SwitchName;

use super::Where;
use super::listener::{Handler, status};
use super::report::{Counts, Report};
use crate::credentials;
use crate::installation::{Installation, wall_ms};
use crate::terminal;

/// How often the webhooks are looked at: neither service says when it stops delivering.
const UPKEEP_EVERY: Duration = Duration::from_secs(300);

/// How often a line may be said.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// Cursors that did not move on for so long are worth a monitor's attention; they are asked every minute.
const BEHIND_MS: i64 = 10 * 60_000;

/// What comes in: deliveries and monitors. Everybody else is told nothing.
pub fn handler(local: Arc<Local>, public_url: Option<&str>) -> Handler {
    let prefix = public_url.map(path_of).unwrap_or_default();
    Arc::new(move |request| {
        let (local, prefix) = (local.clone(), prefix.clone());
        Box::pin(async move { answer(&local, &prefix, request).await })
    })
}

async fn answer(local: &Local, prefix: &str, request: Request<Bytes>) -> Response<Bytes> {
    let path = request.uri().path();
    // A proxy may cut off the path at which it is reached, or pass it on.
    let path = path.strip_prefix(prefix).unwrap_or(path).trim_end_matches('/');
    if path == "/healthz" && matches!(*request.method(), Method::GET | Method::HEAD) {
        return health(&local.cx).await;
    }
    let Some(side) = webhook::side(path) else { return status(StatusCode::NOT_FOUND) };
    if request.method() != Method::POST {
        return status(StatusCode::METHOD_NOT_ALLOWED);
    }
    let answered = webhook::handle(&local.cx, side, request).await;
    local.dispatcher.wake();
    answered.response
}

/// The path of a URL, without a slash at its end.
fn path_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("", |at| &rest[at..]).trim_end_matches('/').to_owned()
}

/// One word for a monitor: 200 while work goes on, 503 while it stands still.
async fn health(cx: &Context) -> Response<Bytes> {
    let now_ms = wall_ms();
    let behind = |polled: &AtomicI64| now_ms - polled.load(Ordering::Relaxed) > BEHIND_MS;
    let activity = &cx.activity;
    let (code, word) = match standing(cx).await {
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the state cannot be read\n"),
        Ok(Some(_)) => (StatusCode::SERVICE_UNAVAILABLE, "paused\n"),
        Ok(None) if behind(&activity.zendesk_polled_ms) || behind(&activity.clickup_polled_ms) => {
            (StatusCode::SERVICE_UNAVAILABLE, "behind\n")
        }
        Ok(None) => (StatusCode::OK, "ok\n"),
    };
    let mut response = status(code);
    *response.body_mut() = Bytes::from_static(word.as_bytes());
    response
}

/// Why nothing is done, unless a person chose it.
async fn standing(cx: &Context) -> Result<Option<String>, StoreError> {
    let on = cx.store.switches().all().await?;
    let names = [SwitchName::Brake, SwitchName::Access(Side::Zendesk), SwitchName::Access(Side::Clickup)];
    let weightiest = names.iter().find_map(|name| on.get(name));
    // Lanes that a person paused come last.
    Ok(weightiest.or_else(|| on.values().next()).map(|switch| switch.reason.clone()))
}

/// What a person sees first.
pub fn welcome(local: &Local, place: &Where) -> String {
    let cx = &local.cx;
    let per_minute = cx.options.sweep_tasks;
    let news = match &place.public_url {
        Some(url) => format!(
            "  webhooks  {url} leads to {} here\n  news      within seconds; should a webhook be lost, the cursors find it in a minute or two",
            place.listen
        ),
        None => format!(
            "  webhooks  none: there is no public_url in deskup.toml, so deskup works from the cursors alone\n  news      changes of tickets within about two minutes, of tasks within one; for comments on tasks {per_minute} tasks are asked each minute, in turn\n  health    http://{}/healthz",
            place.listen
        ),
    };
    format!("deskup serves; process {}\n{news}", std::process::id())
}

/// Registers webhooks at the start and looks after them: ClickUp suspends without a word, and people remove them.
pub async fn webhooks(local: Arc<Local>, public_url: Option<String>) {
    let Some(url) = public_url else { return };
    let endpoints = Endpoints::under(&url);
    local.cx.hooks.at(endpoints.clone());
    let mut said: BTreeMap<Side, String> = BTreeMap::new();
    let mut attached: BTreeMap<Side, bool> = BTreeMap::new();
    loop {
        for side in [Side::Zendesk, Side::Clickup] {
            let is_attached = attached.entry(side).or_default();
            let line = match *is_attached {
                false => attach(&local.cx, &endpoints, side, is_attached).await,
                true => look_after(&local.cx, &endpoints, side).await,
            };
            // The same trouble is said once.
            match line {
                Some(line) if said.get(&side) != Some(&line) => {
                    terminal::talk(&format!("deskup: {line}"));
                    said.insert(side, line);
                }
                Some(_) => {}
                None => drop(said.remove(&side)),
            }
        }
        tokio::time::sleep(UPKEEP_EVERY).await;
    }
}

async fn attach(cx: &Context, endpoints: &Endpoints, side: Side, attached: &mut bool) -> Option<String> {
    match registration::attach(cx, endpoints, side).await {
        Ok(registered) => {
            *attached = true;
            match registered.done {
                Done::Made => Some(format!("{side} now delivers to {}", registered.endpoint)),
                Done::Mended => {
                    Some(format!("the webhook of {side} was suspended or lacked events; it is mended"))
                }
                Done::Kept | Done::Renewed => None,
            }
        }
        Err(error) => Some(format!(
            "{side} delivers no webhooks: {}; the cursors find what changes, and it is tried again",
            crate::machine::refused(error)
        )),
    }
}

async fn look_after(cx: &Context, endpoints: &Endpoints, side: Side) -> Option<String> {
    let accounts = Accounts::of(cx);
    let hooks = match registration::list(&accounts, side, Some(endpoints)).await {
        Ok(hooks) => hooks,
        Err(error) => {
            tracing::info!(%side, %error, "the webhooks could not be looked at");
            return None;
        }
    };
    let Some(hook) = hooks.into_iter().find(|hook| hook.ours) else {
        return Some(format!(
            "the webhook of {side} is gone: `deskup webhooks register` makes it again; until then the cursors find what changes"
        ));
    };
    match (side, hook.is_active()) {
        (_, true) => None,
        (Side::Zendesk, false) => Some(format!(
            "the webhook of Zendesk is {}: `deskup webhooks register` makes it active again; until then the cursors find what changes",
            hook.state
        )),
        (Side::Clickup, false) => Some(match registration::mend(&accounts, &hook).await {
            Ok(()) => {
                "ClickUp had suspended its webhook; it is active again, and the cursors find what it missed"
                    .to_owned()
            }
            Err(error) => {
                format!("ClickUp has suspended its webhook, and it could not be made active: {error}")
            }
        }),
    }
}

/// The credentials as they are written now.
struct Kept(Installation);

impl Keys for Kept {
    fn read(&self) -> Option<(ZendeskCredentials, ClickUpCredentials)> {
        let read = credentials::of(&self.0).and_then(credentials::complete);
        read.inspect_err(|error| tracing::warn!(%error, "the credentials could not be read again"))
            .ok()
            .map(|credentials| (credentials.zendesk, credentials.clickup))
    }
}

/// Watches whether both accounts let us in, until it is dropped.
pub async fn access(local: Arc<Local>, installation: Installation) {
    let dispatcher = local.dispatcher.clone();
    access::watch(local.cx.clone(), Arc::new(Kept(installation)), move || dispatcher.wake()).await;
}

/// Says each minute what is new and keeps the service's row, until it is dropped.
pub async fn report(local: &Local, service: &mut Service) {
    let cx = &local.cx;
    let mut report = Report::default();
    loop {
        tokio::time::sleep(REPORT_EVERY).await;
        let waiting = cx.store.work().count().await.map(|counts| counts.values().sum()).unwrap_or_default();
        let paused = standing(cx).await.unwrap_or_else(|error| Some(error.to_string()));
        if let Some(line) = report.minute(wall_ms(), Counts::of(&cx.activity), waiting, paused) {
            terminal::talk(&line);
        }
        if let Err(error) = note_alive(cx, service).await {
            terminal::talk(&format!("deskup: {error}"));
        }
    }
}

/// Keeps that this process works, and when it last heard of the services.
pub async fn note_alive(cx: &Context, service: &mut Service) -> Result<(), StoreError> {
    let heard = |last: &AtomicI64| Some(last.load(Ordering::Relaxed)).filter(|ms| *ms > 0);
    service.alive_ms = wall_ms();
    service.zendesk_ms = heard(&cx.activity.zendesk_ms).or(service.zendesk_ms);
    service.clickup_ms = heard(&cx.activity.clickup_ms).or(service.clickup_ms);
    cx.store.service().put(service).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_proxy_is_known() {
        for (url, path) in [
            ("https://a.example", ""),
            ("https://a.example/", ""),
            ("https://a.example/tools/deskup", "/tools/deskup"),
            ("http://127.0.0.1:1/x/", "/x"),
        ] {
            assert_eq!(path_of(url), path);
        }
    }
}
