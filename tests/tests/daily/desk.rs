//! A settled desk, and what a person sees and asks for.

use domain::{ConflictCause, FieldKey, Side};
use functions::person;
use serde_json::json;
use stores::FaultPlan;
use stores::conflicts::ConflictRow;
use tests::hands::minutes;
use tests::whole::Stage;
use world::WorldOptions;
use world::people::act::Action;

pub const JO: &str = "jo";

pub async fn settled(options: WorldOptions) -> Stage {
    let stage = Stage::open(options, FaultPlan::none()).expect("a world in memory");
    stage.settle_in().await.expect("it comes to rest");
    stage
}

pub async fn calm(seed: u64) -> Stage {
    settled(WorldOptions { tickets: 30, edits: 0, seed, ..WorldOptions::default() }).await
}

/// Pairs whose ticket has this status.
pub async fn pairs_in(stage: &Stage, status: &str) -> Vec<(u64, String)> {
    let pairs = stage.pairs().await;
    pairs.into_iter().filter(|(ticket, _)| stage.ticket(*ticket, "status") == status).collect()
}

pub fn name_of(stage: &Stage, task: &str) -> String {
    let task = stage.world.clickup().task(task).expect("it is there");
    task["name"].as_str().unwrap_or_default().to_owned()
}

pub async fn open_conflicts(stage: &Stage) -> Vec<ConflictRow> {
    stage.store.conflicts().list_open(1_000).await.expect("the store can be read")
}

pub async fn again(stage: &Stage, row: &ConflictRow) -> ConflictRow {
    let row = stage.store.conflicts().get(row.ticket, &row.id).await;
    row.expect("the store can be read").expect("a conflict is never deleted")
}

/// A person asks for one side's value, as the command does.
pub async fn ask(stage: &Stage, row: &ConflictRow, side: Side) {
    let link = stage.store.links().get(row.ticket).await.expect("the store can be read");
    let link = link.expect("a conflict belongs to a link");
    person::ask_to_apply(&stage.store, row, &link, side, JO).await.expect("the store can be written");
}

/// Both sides rename the same ticket at once: Zendesk's name stands, and ClickUp's is kept.
pub async fn renamed_on_both(stage: &Stage, ticket: u64, task: &str) -> ConflictRow {
    stage.on_ticket(ticket, json!({ "subject": "Named in Zendesk" }), "e1").await;
    stage.on_task(task, Action::Task(json!({ "name": "Named in ClickUp" })), "e2").await;
    minutes(3).await;
    assert_eq!(
        (stage.ticket(ticket, "subject"), name_of(stage, task)),
        (json!("Named in Zendesk"), "Named in Zendesk".to_owned())
    );
    let rows = open_conflicts(stage).await;
    let row =
        rows.into_iter().find(|row| row.ticket.get() == ticket && row.conflict.field == FieldKey::Title);
    let row = row.expect("the name that lost is kept");
    assert_eq!(row.conflict.cause, ConflictCause::BothChanged);
    row
}
