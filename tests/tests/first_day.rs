//! The mapping that deskup proposes for two accounts runs a whole sync: backfill, people on both sides, judge.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use domain::proposal::{Choices, propose, select};
use functions::accounts::{Accounts, Entry, own, survey};
use stores::{FaultPlan, Place, Store};
use tests::expect::{Faults, nothing_wrong};
use tests::whole::{Ran, Stage, on_paused_clock};
use world::{Instance, InstanceOptions, Silent, World, WorldOptions};

/// The accounts of a world, as `deskup init` enters them.
fn accounts(world: &World) -> Accounts {
    let access = world.access();
    let entry = Entry {
        transport: access.transport,
        clock: access.clock,
        seed: access.seed,
        zendesk: access.zendesk,
        clickup: access.clickup,
    };
    Accounts::open(entry).unwrap()
}

/// What `deskup init` would write for the accounts of a world.
async fn proposed(world: &World) -> String {
    let accounts = accounts(world);
    let users = accounts.enter().await.unwrap();
    let workspace = accounts.workspaces().await.unwrap().remove(0);
    let mut survey = survey(&accounts, users, &workspace, &|_| ()).await.unwrap();
    assert_eq!(survey.unread, Vec::<String>::new(), "everything can be read");
    let choices = Choices::default();
    let groups = &survey.snapshot.directory.groups;
    let selection = select(groups, &survey.snapshot.places, &choices).unwrap();
    survey.read_lists(&accounts, &selection.lists()).await.unwrap();
    propose(&survey.snapshot, &selection, &choices).unwrap().toml
}

/// A world whose deskup runs on the proposed mapping. The pilot is over: the judge knows all tickets as mirrored, closed
/// ones too, and fields by the names of its own tables.
async fn life(options: WorldOptions, change: impl Fn(String) -> String) -> Ran {
    let world = World::open(options).unwrap();
    world.seed(&Silent).unwrap();
    let mut settings = proposed(&world)
        .await
        .replace("\nlimit = 20\n", "\n")
        .replace("\nclosed = false\n", "\nclosed = true\n");
    for field in &world.scenario().workspace.fields {
        let (title, key) = (format!("name = {:?}", field.title), format!("name = {:?}", field.key));
        assert!(settings.contains(&title), "{title} was not proposed:\n{settings}");
        settings = settings.replace(&title, &key);
    }
    let settings = change(settings);
    let store = Store::embedded_with(Place::Memory, "demo", world.store_clock(), FaultPlan::none()).unwrap();
    let deskup = Instance::new(InstanceOptions { settings, ..InstanceOptions::of(&world, store.clone()) });
    let stage = Stage { world, store, deskup };
    let ran = stage.run().await.unwrap();
    // The last minute is in no export.
    tests::hands::minutes(2).await;
    let accounts = accounts(&stage.world);
    let (me, now_ms) = (accounts.enter().await.unwrap(), stage.world.now_ms());
    let zendesk = own::on_zendesk(&accounts.zendesk, me.0.id.unwrap(), now_ms).await.unwrap();
    let clickup = own::on_clickup(&accounts.clickup, me.1.id.unwrap(), now_ms).await.unwrap();
    assert!(zendesk.looked_at > 0 && clickup.looked_at > 0);
    assert_eq!(
        (zendesk.examples, clickup.examples),
        (vec![], vec![]),
        "deskup's own work is known as its own"
    );
    ran
}

#[test]
fn a_proposed_mapping_keeps_two_accounts_in_step() {
    let mut wrong = Vec::new();
    for seed in [1, 2, 3, 4] {
        let options = WorldOptions { tickets: 50, edits: 50, seed, ..WorldOptions::default() };
        let ran = on_paused_clock(life(options, |settings| settings));
        let faults = Faults::of_calm(&ran).into_lines();
        wrong.extend(faults.into_iter().map(|line| format!("seed {seed}: {line}")));
    }
    nothing_wrong(&wrong);
}

/// The judge would see a proposal that is wrong: here every pending ticket is said to be on hold.
#[test]
fn a_wrong_proposal_is_seen() {
    let options = WorldOptions { tickets: 50, edits: 0, seed: 1, ..WorldOptions::default() };
    let wrong =
        |settings: String| settings.replace("pending = \"waiting on customer\"", "pending = \"on hold\"");
    let ran = on_paused_clock(life(options, wrong));
    assert!(ran.verdict.converged_percent < 100.0, "{}", ran.verdict.converged_percent);
}
