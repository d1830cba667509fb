//! Applies a kept value: through the process that holds the state, or alone where nothing runs. The command itself
//! writes to no service; it leaves a wish that the ordinary step fulfils.

use std::time::Duration;

use domain::Side;
use functions::person;
use orchestration::sync_manager::NotSynced;
use orchestration::{SyncManager, WorkflowOrchestrator};
use statemachines::TicketSyncWorkflow;
use stores::conflicts::{ConflictRow, ConflictState};
use stores::links::Link;
use stores::switches::SwitchName;
use stores::{Lane, Store, WorkKey};

use super::tell;
use crate::args::StateArgs;
use crate::failure::Failed;
use crate::installation::Installation;
use crate::query::{Labels, conflicts};
use crate::{hands, machine};

/// How long a running deskup may take to apply a value.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long this process may take where nothing else runs: somewhat longer than the workflow gives its steps.
const ALONE_MAX: Duration = Duration::from_secs(150);

/// How often is looked whether it did.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Puts a kept value on both sides, and says what came of it.
pub async fn apply(args: &StateArgs, id: &str, side: Side, yes: bool) -> anyhow::Result<()> {
    let installation = Installation::locate(&args.folder);
    let store = installation.look().await?;
    let row = conflicts::find(&store, id).await?;
    let applied = row.settled.as_ref().is_some_and(|settled| settled.side == Some(side));
    if row.state == ConflictState::Applied && applied {
        return tell(args, &store, &row).await;
    }
    let link = store.links().get(row.ticket).await?;
    if let Some(why) = person::cannot_apply(&row, link.as_ref(), side) {
        return Err(Failed::usage(format!("{side}'s value of {id} cannot be applied: {why}")));
    }
    let Some(link) = link else { return Ok(()) };
    confirm(&installation, &store, &row, side, yes).await?;
    let by = hands::user();
    if store.holder().is_some() {
        person::ask_to_apply(&store, &row, &link, side, &by).await?;
        // A paused deskup does not do it in a minute either.
        if stopped(&store).await?.is_none() {
            wait(&store, &row).await?;
        }
    } else {
        if installation.is_demo() {
            return Err(Failed::usage(
                "the demo is not running, so its services cannot be written: start it with `deskup demo --keep`, and apply then",
            ));
        }
        alone(&installation, &store, &row, &link, side, &by).await?;
    }
    answered(args, &store, &row, side).await
}

/// Nothing runs: this process serves the one record, by the same workflow.
async fn alone(
    installation: &Installation,
    store: &Store,
    row: &ConflictRow,
    link: &Link,
    side: Side,
    by: &str,
) -> anyhow::Result<()> {
    // Both accounts first: a wish that nobody can fulfil should not lie in wait.
    let local = machine::connect(installation, store.clone()).await?;
    person::ask_to_apply(store, row, link, side, by).await?;
    let workflow = TicketSyncWorkflow::new().live().clone();
    let syncs = SyncManager::new(WorkflowOrchestrator::new(local.engine.clone()), workflow);
    match syncs.sync_now(&WorkKey::Ticket(row.ticket), by, ALONE_MAX).await {
        // What is late is told from the state, with why.
        Ok(_) | Err(NotSynced::Late { .. }) => Ok(()),
        Err(error) => Err(Failed::result(error.to_string())),
    }
}

/// Waits until the process that holds the state has served the record.
async fn wait(store: &Store, row: &ConflictRow) -> anyhow::Result<()> {
    let looks = PATIENCE.as_millis() / LOOK_EVERY.as_millis();
    for _ in 0..looks {
        let now = store.conflicts().get(row.ticket, &row.id).await?;
        if now.is_none_or(|row| row.ask.is_none()) {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Why the lane of what people ask for stands still, if it does.
async fn stopped(store: &Store) -> anyhow::Result<Option<String>> {
    let on = store.switches().all().await?;
    let of = |wanted: fn(&SwitchName) -> bool| on.iter().find(|(name, _)| wanted(name)).map(|(_, on)| on);
    if let Some(brake) = of(|name| *name == SwitchName::Brake) {
        return Ok(Some(format!("work is paused by the brake ({}); see `deskup release`", brake.reason)));
    }
    if let Some(pause) = of(|name| *name == SwitchName::Pause(Lane::Urgent)) {
        return Ok(Some(format!("work is paused ({}); `deskup resume` ends it", pause.reason)));
    }
    Ok(of(|name| matches!(name, SwitchName::Access(_))).map(|on| format!("work is paused ({})", on.reason)))
}

async fn answered(args: &StateArgs, store: &Store, row: &ConflictRow, side: Side) -> anyhow::Result<()> {
    let now = store.conflicts().get(row.ticket, &row.id).await?.unwrap_or_else(|| row.clone());
    if let Some(why) = &now.answer {
        return Err(Failed::usage(format!("{side}'s value was not applied: {why}")));
    }
    if now.state == ConflictState::Applied {
        return tell(args, store, &now).await;
    }
    let why = match (stopped(store).await?, store.quarantine().get(&WorkKey::Ticket(row.ticket)).await?) {
        (Some(why), _) => why,
        (None, Some(aside)) => {
            format!("the ticket is set aside ({}); see `deskup quarantine show {}`", aside.cause, row.ticket)
        }
        (None, None) => "a service did not answer, or the record is being worked on".to_owned(),
    };
    Err(Failed::result(format!(
        "asked for, and not applied yet: {why}; it is applied as soon as that is over"
    )))
}

/// Asks where the field was changed since the conflict: those values were not in front of anybody.
async fn confirm(
    installation: &Installation,
    store: &Store,
    row: &ConflictRow,
    side: Side,
    yes: bool,
) -> anyhow::Result<()> {
    let labels = Labels::load(installation, store).await?;
    let details = conflicts::details(store, &labels, row).await?;
    let conflict = &details.conflict;
    let kept = [&conflict.zendesk, &conflict.clickup];
    let moved = !kept.contains(&&details.zendesk_now) && !kept.contains(&&details.clickup_now);
    if !moved || yes {
        return Ok(());
    }
    let (zendesk, clickup) = (&details.now_shown.zendesk, &details.now_shown.clickup);
    let wanted = if side == Side::Zendesk { &conflict.shown.zendesk } else { &conflict.shown.clickup };
    hands::confirm(&format!(
        "The field was changed since the conflict. Now Zendesk holds: {zendesk}\nand ClickUp holds: {clickup}\nBoth would get: {wanted}\nApply"
    ))
}
