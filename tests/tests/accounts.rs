//! Accounts held wrong: each is told apart, with what to do, before anything is written.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use clients::{ClickUpCredentials, Secret, ZendeskCredentials};
use functions::Options;
use functions::local::{ConnectError, Connection, connect};
use stores::{Place, Store};
use world::world::Access;
use world::{Silent, World, WorldOptions};

/// Connects to a small world whose access was bent, and gives what is said.
async fn said(bend: impl FnOnce(&mut Access)) -> String {
    let world = World::open(WorldOptions { tickets: 5, edits: 0, ..WorldOptions::default() }).unwrap();
    world.seed(&Silent).unwrap();
    let mut access = world.access();
    bend(&mut access);
    let clock = access.clock.clone();
    let store = Store::embedded(Place::Memory, "test", Arc::new(move || clock.now_ms())).unwrap();
    let limits = clients::ZendeskLimits::default();
    let result = connect(Connection {
        store,
        transport: access.transport,
        clock: access.clock,
        settings: access.settings,
        zendesk: access.zendesk,
        zendesk_limits: limits,
        clickup: access.clickup,
        clickup_per_min: 100,
        seed: 1,
        options: Options::default(),
    })
    .await;
    let writes = world.zendesk().changes().len() + world.clickup().changes().len();
    assert_eq!(writes, 0, "a connection that fails must write nothing");
    match result {
        Ok(_) => "connected".to_owned(),
        Err(error) => chain(&error),
    }
}

fn chain(error: &ConnectError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

fn check(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "`{word}` is missing in: {said}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_right_connects() {
    assert_eq!(said(|_| ()).await, "connected");
}

#[tokio::test(start_paused = true)]
async fn wrong_credentials_are_named_by_side_and_never_shown() {
    let zendesk = said(|access| {
        access.zendesk.credentials = ZendeskCredentials::Bearer(Secret::new("hunter2hunter2"));
    })
    .await;
    check(&zendesk, &["Zendesk did not accept the credentials"]);
    let clickup = said(|access| {
        access.clickup.token = ClickUpCredentials::Personal(Secret::new("pk_hunter2hunter2"));
    })
    .await;
    check(&clickup, &["ClickUp did not accept the token"]);
    for text in [zendesk, clickup] {
        assert!(!text.contains("hunter2"), "a credential is shown: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_list_is_said_before_anything_is_written() {
    let text = said(|access| {
        let line = access.settings.lines().find(|line| line.starts_with("list = ")).unwrap().to_owned();
        access.settings = access.settings.replacen(&line, "list = \"999999\"", 1);
    })
    .await;
    check(&text, &["list"]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_status_is_named_with_its_line() {
    let text =
        said(|access| access.settings = access.settings.replace("\nopen = \"", "\nopen = \"no such ")).await;
    check(&text, &["deskup.toml:", "status.open", "no such"]);
}

#[tokio::test(start_paused = true)]
async fn broken_toml_is_named_with_its_line() {
    let text = said(|access| access.settings.push_str("\n[status\n")).await;
    check(&text, &["deskup.toml:"]);
}
