//! Credentials that end while deskup works: everything waits with a reason, nothing is set aside, closed or
//! deleted for it, and work goes on by itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use clients::{ClickUpCredentials, Secret, Transport, TransportError, ZendeskCredentials};
use domain::Side;
use functions::access::{self, Keys};
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::json;
use simulators::zendesk::Role;
use stores::switches::{Switch, SwitchName};
use stores::{FaultPlan, Place, Store};
use tests::hands::minutes;
use tests::whole::{Stage, on_paused_clock};
use world::people::act::Action;
use world::seedwork::settings::OAUTH_CLIENT;
use world::{Instance, InstanceOptions, World, WorldOptions};

/// Nobody replaces the credentials.
struct TheSame;

impl Keys for TheSame {
    fn read(&self) -> Option<(ZendeskCredentials, ClickUpCredentials)> {
        None
    }
}

fn options() -> WorldOptions {
    WorldOptions { tickets: 12, edits: 0, ..WorldOptions::default() }
}

/// A world whose deskup has settled in and watches its access.
async fn watched(stage: &Stage, keys: Arc<dyn Keys>) {
    stage.settle_in().await.expect("a small world settles");
    let local = stage.deskup.local().expect("it is prepared");
    let (cx, dispatcher) = (local.cx.clone(), local.dispatcher.clone());
    tokio::spawn(access::watch(cx, keys, move || dispatcher.wake()));
}

async fn closed(stage: &Stage, side: Side) -> Option<Switch> {
    stage.store.switches().get(SwitchName::Access(side)).await.expect("the store can be read")
}

/// What a closed account did to records; nothing where all of them only wait.
async fn harm(stage: &Stage) -> Vec<String> {
    let kept = world::Deskup::kept(stage.deskup.as_ref()).await.expect("the store can be read");
    let aside = kept.quarantined.iter().map(|(record, cause)| format!("{record} is set aside: {cause}"));
    let apart = kept.links.iter().filter(|(_, link)| link.state != "LINKED");
    aside.chain(apart.map(|(ticket, link)| format!("the link of {ticket:?} is {}", link.state))).collect()
}

/// People edit both sides while an account is closed for hours; afterwards both are in step.
async fn survives(
    stage: &Stage,
    side: Side,
    close: impl FnOnce(&World),
    open: impl FnOnce(&World),
    says: &[&str],
) {
    let pairs = stage.pairs().await;
    close(&stage.world);
    stage.on_ticket(pairs[0].0, json!({"priority": "urgent"}), "e1").await;
    stage.on_task(&pairs[1].1, Action::Task(json!({"name": "Renamed while it was closed"})), "e2").await;
    minutes(3).await;
    let switch = closed(stage, side).await.expect("the account is found closed");
    assert_eq!(switch.by, "deskup");
    for words in says {
        assert!(switch.reason.contains(words), "`{words}` is missing in: {}", switch.reason);
    }
    let before = stage.sync_changes();
    // Longer than a record has attempts.
    for _ in 0..3 {
        stage.on_ticket(pairs[2].0, json!({"comment": {"body": "Still there?", "public": true}}), "e3").await;
        minutes(60).await;
    }
    assert_eq!(
        stage.sync_changes(),
        before,
        "while an account is closed nothing is written to the other either"
    );
    assert_eq!(harm(stage).await, Vec::<String>::new());
    open(&stage.world);
    minutes(4).await;
    assert!(closed(stage, side).await.is_none(), "it goes on by itself");
    assert_eq!(stage.world.clickup().task(&pairs[0].1).expect("a task")["priority"]["priority"], "urgent");
    assert_eq!(stage.ticket(pairs[1].0, "subject"), "Renamed while it was closed");
    let ran = stage.finish().await.expect("the world comes to rest");
    assert!(ran.verdict.is_clean(), "{:?}", ran.verdict);
}

fn zendesk_user(world: &World, role: Role, active: bool) {
    let me = world.rules().zendesk_sync;
    world.zendesk().seed(|seed| seed.change_user(me, role, active)).expect("a world in memory");
}

#[test]
fn a_revoked_zendesk_user_pauses_everything_until_it_is_back() {
    on_paused_clock(async {
        let stage = Stage::open(options(), FaultPlan::none()).expect("a world in memory");
        watched(&stage, Arc::new(TheSame)).await;
        let close = |world: &World| zendesk_user(world, Role::Admin, false);
        let open = |world: &World| zendesk_user(world, Role::Admin, true);
        survives(&stage, Side::Zendesk, close, open, &["Zendesk", "credentials.toml", "by itself"]).await;
    });
}

#[test]
fn a_zendesk_user_who_is_no_longer_an_admin_pauses_everything() {
    on_paused_clock(async {
        let stage = Stage::open(options(), FaultPlan::none()).expect("a world in memory");
        watched(&stage, Arc::new(TheSame)).await;
        let close = |world: &World| zendesk_user(world, Role::Agent, true);
        let open = |world: &World| zendesk_user(world, Role::Admin, true);
        survives(&stage, Side::Zendesk, close, open, &["Zendesk", "must be an admin", "Forbidden"]).await;
    });
}

#[test]
fn a_disabled_clickup_user_pauses_everything_until_it_is_back() {
    on_paused_clock(async {
        let stage = Stage::open(options(), FaultPlan::none()).expect("a world in memory");
        watched(&stage, Arc::new(TheSame)).await;
        let me = stage.world.rules().clickup_sync;
        let member = stage.world.clickup().members().into_iter().find(|member| member.id == me);
        let member = member.expect("deskup is a member");
        let close = |world: &World| world.clickup().seed(|seed| seed.disable_member(me)).expect("in memory");
        let open = |world: &World| world.clickup().seed(|seed| seed.add_member(member)).expect("in memory");
        survives(&stage, Side::Clickup, close, open, &["ClickUp", "token", "OAUTH_025"]).await;
    });
}

/// The secret of the OAuth client is changed, and a person puts the new one into the file.
struct Renewed(AtomicBool);

impl Keys for Renewed {
    fn read(&self) -> Option<(ZendeskCredentials, ClickUpCredentials)> {
        let secret = if self.0.load(Ordering::SeqCst) { "new secret" } else { "old secret" };
        let zendesk = ZendeskCredentials::OAuthClient {
            client_id: OAUTH_CLIENT.to_owned(),
            client_secret: Secret::new(secret),
            scope: "read write".to_owned(),
        };
        let clickup = ClickUpCredentials::Personal(Secret::new("of no use here"));
        Some((zendesk, clickup))
    }
}

#[test]
fn a_new_secret_is_taken_without_a_restart() {
    on_paused_clock(async {
        let stage = Stage::open(options(), FaultPlan::none()).expect("a world in memory");
        let keys = Arc::new(Renewed(AtomicBool::new(false)));
        watched(&stage, keys.clone()).await;
        let me = stage.world.rules().zendesk_sync;
        let close = |world: &World| {
            let changed = world.zendesk().seed(|seed| {
                seed.add_oauth_client(OAUTH_CLIENT, "new secret", me);
                seed.revoke_tokens(me);
            });
            changed.expect("a world in memory");
        };
        let open = |_: &World| keys.0.store(true, Ordering::SeqCst);
        survives(&stage, Side::Zendesk, close, open, &["invalid_client", "secret"]).await;
    });
}

/// One ticket is refused, as one that deskup may not see, although the account is open.
struct Hidden {
    inner: Arc<dyn Transport>,
    path: String,
    hidden: Arc<AtomicBool>,
}

impl Transport for Hidden {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        if self.hidden.load(Ordering::SeqCst) && request.uri().path() == self.path {
            let mut response = Response::new(Bytes::from_static(br#"{"error":"Forbidden"}"#));
            *response.status_mut() = http::StatusCode::FORBIDDEN;
            return Box::pin(std::future::ready(Ok(response)));
        }
        self.inner.send(request)
    }
}

#[test]
fn one_ticket_that_is_refused_stops_nobody_and_is_set_aside_in_the_end() {
    on_paused_clock(async {
        let world = World::open(options()).expect("a world in memory");
        let store = Store::embedded(Place::Memory, "demo", world.store_clock()).expect("a store in memory");
        let mut made = InstanceOptions::of(&world, store.clone());
        let hidden = Arc::new(AtomicBool::new(false));
        let path = "/api/v2/tickets/1".to_owned();
        made.transport = Arc::new(Hidden { inner: made.transport, path, hidden: hidden.clone() });
        let stage = Stage { world, store, deskup: Instance::new(made) };
        watched(&stage, Arc::new(TheSame)).await;
        hidden.store(true, Ordering::SeqCst);
        let task = |ticket: u64, pairs: &[(u64, String)]| {
            pairs.iter().find(|(id, _)| *id == ticket).expect("it is linked").1.clone()
        };
        let pairs = stage.pairs().await;
        stage.on_ticket(1, json!({"priority": "urgent"}), "e1").await;
        minutes(30).await;
        stage.on_ticket(2, json!({"priority": "urgent"}), "e2").await;
        minutes(2).await;
        assert!(closed(&stage, Side::Zendesk).await.is_none(), "the account as a whole is open");
        let shown = stage.world.clickup().task(&task(2, &pairs)).expect("a task");
        assert_eq!(shown["priority"]["priority"], "urgent", "others go on");
        minutes(240).await;
        let kept = world::Deskup::kept(stage.deskup.as_ref()).await.expect("the store can be read");
        let aside: Vec<&str> = kept.quarantined.iter().map(|(record, _)| record.as_str()).collect();
        assert_eq!(aside.len(), 1, "{:?}", kept.quarantined);
        assert!(aside[0].contains('1'), "{aside:?}");
    });
}

/// Looks at ClickUp are answered as they were before: a deskup that does not notice.
struct Blind {
    inner: Arc<dyn Transport>,
    kept: Arc<Mutex<BTreeMap<String, Response<Bytes>>>>,
}

impl Transport for Blind {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let path = request.uri().path().to_owned();
        let looked_at = matches!(path.as_str(), "/api/v2/user" | "/api/v2/team");
        let answer = self.inner.send(request);
        Box::pin(async move {
            let answer = answer.await?;
            if !looked_at {
                return Ok(answer);
            }
            let mut kept = self.kept.lock().expect("nobody panics with it");
            if answer.status().is_success() {
                kept.insert(path, answer.clone());
                return Ok(answer);
            }
            Ok(kept.get(&path).cloned().unwrap_or(answer))
        })
    }
}

#[test]
fn a_deskup_that_does_not_notice_would_be_found() {
    on_paused_clock(async {
        let world = World::open(options()).expect("a world in memory");
        let store = Store::embedded(Place::Memory, "demo", world.store_clock()).expect("a store in memory");
        let mut made = InstanceOptions::of(&world, store.clone());
        made.transport = Arc::new(Blind { inner: made.transport, kept: Arc::default() });
        let stage = Stage { world, store, deskup: Instance::new(made) };
        watched(&stage, Arc::new(TheSame)).await;
        let pairs = stage.pairs().await;
        let me = stage.world.rules().clickup_sync;
        stage.world.clickup().seed(|seed| seed.disable_member(me)).expect("in memory");
        for _ in 0..3 {
            stage.on_ticket(pairs[0].0, json!({"priority": "urgent"}), "e1").await;
            minutes(120).await;
        }
        assert!(closed(&stage, Side::Clickup).await.is_none(), "it does not notice");
        assert!(!harm(&stage).await.is_empty(), "the check would not see what becomes of it");
    });
}
