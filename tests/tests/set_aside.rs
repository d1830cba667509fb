//! Many tickets fail for one reason: they are one group, its words say what is missing, and once that is mended the group is
//! put back as a whole and heals.

use std::collections::BTreeSet;

use domain::TicketId;
use functions::person;
use simulators::clickup::Member;
use stores::quarantine::Quarantined;
use stores::{FaultPlan, WorkKey};
use tests::expect::{Faults, nothing_wrong};
use tests::hands::minutes;
use tests::whole::{Stage, on_paused_clock};
use world::seedwork::tickets::TicketPlan;
use world::seedwork::workspace::{ListPlan, STATUSES};
use world::{Silent, WorldOptions};

/// Tickets of a world.
const TICKETS: usize = 200;
/// So many fail at least, or it says little.
const MANY: usize = 5;
/// The status that a list loses: tickets that are pending want it.
const STATUS: &str = "waiting on customer";

/// Whether something is there from now on.
type Give = Box<dyn Fn(&Stage, bool)>;

/// What somebody takes away in ClickUp, and gives back.
struct Harm {
    /// The words for it.
    told: String,
    cause: &'static str,
    give: Give,
}

/// The list that most of these tickets belong to.
fn list_of_most(stage: &Stage, fits: impl Fn(&TicketPlan) -> bool) -> &ListPlan {
    let scenario = stage.world.scenario();
    let count = |list: &ListPlan| {
        let mine = scenario.tickets.iter().filter(|ticket| fits(ticket)).filter(|ticket| {
            let tags: Vec<String> = ticket.tags.iter().cloned().collect();
            let place = scenario.workspace.list_for(Some(ticket.group), ticket.organization, &tags);
            place.is_some_and(|place| place.id == list.id)
        });
        mine.count()
    };
    scenario.workspace.lists.iter().max_by_key(|list| count(list)).expect("there are lists")
}

/// A list loses the status that its pending tickets want.
fn no_status(stage: &Stage) -> Harm {
    let list = list_of_most(stage, |ticket| ticket.status == "pending");
    let (id, told) =
        (list.id.clone(), format!("list {} ({:?}) has no status {STATUS:?}", list.id, list.name));
    let give = move |stage: &Stage, there: bool| {
        let statuses = STATUSES.iter().filter(|(name, _)| there || *name != STATUS);
        let statuses: Vec<_> =
            statuses.map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect();
        let seeded = stage.world.clickup().seed(|seed| seed.set_statuses(&id, &statuses));
        seeded.expect("a world in memory");
    };
    Harm { told, cause: "clickup_no_status", give: Box::new(give) }
}

/// A list loses a custom field that is in step.
fn no_field(stage: &Stage) -> Harm {
    let list = list_of_most(stage, |ticket| !ticket.custom.is_empty());
    let mapping = &stage.deskup.local().expect("it is prepared").cx.mapping;
    let severity = mapping.settings().custom.iter().find(|custom| custom.name.value == "severity");
    let (id, field) = (list.id.clone(), severity.expect("it is mapped").clickup.value.clone());
    let told = format!("list {id} ({:?}) has no custom field \"Severity\" ({field})", list.name);
    let give = move |stage: &Stage, there: bool| {
        let seeded = stage.world.clickup().seed(|seed| seed.set_field(&field, &id, there));
        seeded.expect("a world in memory");
    };
    Harm { told, cause: "clickup_no_field", give: Box::new(give) }
}

/// A list is hidden from deskup.
fn no_list(stage: &Stage) -> Harm {
    let list = list_of_most(stage, |_| true);
    let (id, told) =
        (list.id.clone(), format!("list {} ({:?}) is gone, or deskup may not see it", list.id, list.name));
    let give = move |stage: &Stage, there: bool| stage.show_list(&id, there);
    Harm { told, cause: "clickup_no_list", give: Box::new(give) }
}

/// The member to whom most tickets belong is no longer in the Workspace.
fn no_person(stage: &Stage) -> Harm {
    let scenario = stage.world.scenario();
    let assigned = |agent: Option<i64>| {
        let mine =
            scenario.tickets.iter().filter(|ticket| ticket.assignee.is_some() && ticket.assignee == agent);
        mine.filter(|ticket| !matches!(ticket.status, "solved" | "closed")).count()
    };
    let both = scenario.cast.members().filter(|member| member.zendesk.is_some());
    let gone = both.max_by_key(|member| assigned(member.zendesk)).and_then(|member| member.clickup);
    let members = stage.world.clickup().members();
    let gone = members.into_iter().find(|member| Some(member.id) == gone).expect("somebody is in both");
    let told = format!("{} ({}) is not in the Workspace, and is to be assigned", gone.username, gone.id);
    let give = move |stage: &Stage, there: bool| {
        let member = Member { disabled: !there, ..gone.clone() };
        let seeded = stage.world.clickup().seed(|seed| seed.add_member(member));
        seeded.expect("a world in memory");
    };
    Harm { told, cause: "clickup_no_person", give: Box::new(give) }
}

async fn set_aside(stage: &Stage) -> Vec<Quarantined> {
    stage.store.quarantine().list(10_000).await.expect("reads")
}

/// Tickets that have no task.
async fn unlinked(stage: &Stage) -> BTreeSet<WorkKey> {
    let linked: BTreeSet<u64> = stage.pairs().await.into_iter().map(|(ticket, _)| ticket).collect();
    let all = stage.world.scenario().tickets.iter().filter_map(|ticket| u64::try_from(ticket.id).ok());
    all.filter(|id| !linked.contains(id))
        .map(|id| WorkKey::Ticket(TicketId::new(id).expect("an id")))
        .collect()
}

fn is_one_group_and_heals(harm: fn(&Stage) -> Harm) {
    on_paused_clock(async {
        let options =
            WorldOptions { tickets: TICKETS, edits: 0, seed: 5, unlimited: true, ..WorldOptions::default() };
        let stage = Stage::open(options, FaultPlan::none()).expect("a world in memory");
        let deskup = stage.driven();
        stage.world.seed(&Silent).expect("a world in memory");
        stage.world.connect(Some(deskup.clone()));
        stage.world.prepare(deskup.as_ref()).await.expect("it starts");
        let Harm { told, cause, give } = harm(&stage);
        // After the mapping was checked: nobody has told deskup.
        give(&stage, false);
        stage.world.backfill(deskup.as_ref(), &Silent).await.expect("it comes to its end");
        stage.world.live(deskup.as_ref()).expect("a world in memory");
        minutes(10).await;

        let rows = set_aside(&stage).await;
        let kinds: BTreeSet<_> =
            rows.iter().map(|row| (row.fingerprint.clone(), row.cause.clone(), row.what.clone())).collect();
        let fingerprint = rows.first().map(|row| row.fingerprint.clone()).unwrap_or_default();
        assert_eq!(kinds, [(fingerprint, cause.to_owned(), Some(told))].into(), "one group with these words");
        let records: BTreeSet<WorkKey> = rows.iter().map(|row| row.record.clone()).collect();
        assert!(records.len() >= MANY, "{records:?}");
        assert_eq!(records, unlinked(&stage).await, "all that fail are in it, and all others went through");

        person::retry(&stage.store, &rows[0]).await.expect("it is put back");
        minutes(1).await;
        assert_eq!(set_aside(&stage).await.len(), rows.len(), "nothing was mended: it is set aside again");

        give(&stage, true);
        for row in set_aside(&stage).await {
            person::retry(&stage.store, &row).await.expect("it is put back");
        }
        minutes(5).await;
        assert_eq!(set_aside(&stage).await, Vec::new());
        assert_eq!(unlinked(&stage).await, BTreeSet::new());
        let ran = stage.finish().await.expect("it comes to rest");
        nothing_wrong(&Faults::of(&ran).into_lines());
    });
}

#[test]
fn tickets_whose_list_lost_a_status_are_one_group_that_heals_as_a_whole() {
    is_one_group_and_heals(no_status);
}

#[test]
fn tickets_of_somebody_who_left_are_one_group_that_heals_as_a_whole() {
    is_one_group_and_heals(no_person);
}

#[test]
fn tickets_whose_list_lost_a_field_are_one_group_that_heals_as_a_whole() {
    is_one_group_and_heals(no_field);
}

#[test]
fn tickets_whose_list_is_hidden_are_one_group_that_heals_as_a_whole() {
    is_one_group_and_heals(no_list);
}
