//! A reproducible starting point: the same options give the same world, down to every byte.

use std::path::PathBuf;
use std::sync::Arc;

use fastrand::Rng;
use simulators::clickup::{ClickUpOptions, ClickUpSim};
use simulators::zendesk::{ZendeskOptions, ZendeskSim};
use simulators::{SimClock, SimError};

use crate::seedwork::cast::{CLICKUP_SYNC_ID, Cast};
use crate::seedwork::install;
use crate::seedwork::texts::{self, TextsError};
use crate::seedwork::tickets::{self, TicketPlan};
use crate::seedwork::workspace::{WORKSPACE_ID, Workspace, custom_fields};

/// When every world starts, unless its journals are newer: a Monday morning.
pub const START_MS: i64 = 1_772_438_400_000;

/// What a scenario is drawn from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScenarioOptions {
    /// How many tickets.
    pub tickets: usize,
    /// The seed.
    pub seed: u64,
    /// Texts to use instead of those that ship with the project.
    pub csv: Option<PathBuf>,
    /// Whether the mapping lets internal notes into ClickUp.
    pub internal_notes: bool,
}

/// Everything both services hold before deskup is started.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The seed it was drawn from.
    pub seed: u64,
    /// Whether the mapping lets internal notes into ClickUp.
    pub internal_notes: bool,
    /// Who is there.
    pub cast: Cast,
    /// Lists and fields.
    pub workspace: Workspace,
    /// Tickets, by number.
    pub tickets: Vec<TicketPlan>,
}

/// Why a scenario cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The texts cannot be read.
    #[error(transparent)]
    Texts(#[from] TextsError),
    /// A simulator did not take the people or the lists.
    #[error("the simulated services could not be filled")]
    Seeding(#[from] SimError),
}

impl Scenario {
    /// Draws a scenario. Its ids are those that empty accounts give.
    pub fn make(options: &ScenarioOptions) -> Result<Self, ScenarioError> {
        let texts = texts::read(options.csv.as_deref(), options.tickets.max(1))?;
        let mut random = Rng::with_seed(options.seed ^ 0x5eed_0001);
        let mut cast = Cast::make(options.tickets, &mut random);
        let clock: SimClock = Arc::new(|| START_MS);
        let scratch = ZendeskSim::open(ZendeskOptions::new(clock.clone()))?;
        let mut fields = custom_fields();
        let ids = install::people_into(&scratch, &cast, &fields)?;
        cast.renumber(&ids);
        for field in &mut fields {
            field.zendesk = ids.get(&field.zendesk).copied().unwrap_or(field.zendesk);
        }
        let mut workspace = Workspace::make(&cast, fields);
        let scratch = ClickUpSim::open(clickup_options(clock, options.seed))?;
        workspace.fields = install::workspace_into(&scratch, &cast, &workspace)?;
        let tickets =
            tickets::make(options.tickets, options.seed, START_MS, &texts, &cast, &workspace, &mut random);
        Ok(Self { seed: options.seed, internal_notes: options.internal_notes, cast, workspace, tickets })
    }

    /// Fills both services, where they are empty. A service that was filled before is left alone.
    pub fn install(&self, zendesk: &ZendeskSim, clickup: &ClickUpSim) -> Result<(), SimError> {
        if clickup.is_empty() {
            install::workspace_into(clickup, &self.cast, &self.workspace)?;
        }
        if zendesk.users().is_empty() {
            install::people_into(zendesk, &self.cast, &self.workspace.fields)?;
        }
        if zendesk.ticket_count() == 0 {
            install::tickets_into(zendesk, &self.tickets)?;
        }
        Ok(())
    }
}

/// The options that decide about ClickUp's ids.
pub fn clickup_options(clock: SimClock, seed: u64) -> ClickUpOptions {
    let mut options = ClickUpOptions::new(clock);
    options.workspace = WORKSPACE_ID.to_owned();
    options.sync_user = CLICKUP_SYNC_ID;
    options.faults.seed = seed;
    options
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::seedwork::canary;

    fn scenario(tickets: usize, seed: u64) -> Scenario {
        Scenario::make(&ScenarioOptions { tickets, seed, ..ScenarioOptions::default() })
            .expect("the texts ship with the crate")
    }

    #[test]
    fn the_same_seed_gives_the_same_world_and_another_seed_another() {
        assert_eq!(scenario(60, 3), scenario(60, 3));
        assert_ne!(scenario(60, 3), scenario(60, 4));
    }

    #[test]
    fn what_is_installed_is_what_was_drawn() {
        let world = scenario(40, 6);
        let clock: SimClock = Arc::new(|| START_MS);
        let zendesk = ZendeskSim::open(ZendeskOptions::new(clock.clone())).expect("in memory");
        let clickup = ClickUpSim::open(clickup_options(clock, 6)).expect("in memory");
        world.install(&zendesk, &clickup).expect("in memory");
        let rules = crate::judge::Rules::of(&world);
        let tickets = zendesk.tickets();
        assert_eq!(tickets.len(), 40);
        for (plan, json) in world.tickets.iter().zip(&tickets) {
            let seen = crate::judge::records::ticket(&rules, json);
            assert_eq!(seen.id, plan.id.to_string());
            assert_eq!(json["assignee_id"].as_i64(), plan.assignee);
            assert_eq!(json["organization_id"].as_i64(), plan.organization);
            assert_eq!(json["status"], plan.status);
            assert_eq!(seen.comments.len(), plan.comments.len());
            assert_eq!(
                seen.files.len(),
                plan.comments.iter().filter(|comment| comment.file.is_some()).count()
            );
            let sent: Vec<bool> = plan.comments.iter().map(|comment| comment.public).collect();
            assert_eq!(seen.comments.iter().map(|comment| comment.public).collect::<Vec<_>>(), sent);
        }
        let users = zendesk.users();
        assert!(users.iter().any(|user| user["id"] == world.cast.zendesk_sync && user["role"] == "admin"));
        world.install(&zendesk, &clickup).expect("a second time changes nothing");
        assert_eq!(zendesk.users().len(), users.len());
    }

    #[test]
    fn the_mixture_is_what_was_asked_for() {
        let world = scenario(2_000, 1);
        let share = |n: usize| n as f64 / 2_000.0;
        let closed = world.tickets.iter().filter(|ticket| ticket.status == "closed").count();
        assert!((0.07..0.13).contains(&share(closed)), "{closed} closed");
        let talked = world.tickets.iter().filter(|ticket| ticket.comments.len() > 1).count();
        assert!((0.12..0.18).contains(&share(talked)), "{talked} with more than one comment");
        let files = world.tickets.iter().filter(|t| t.comments.iter().any(|c| c.file.is_some())).count();
        assert!((0.03..0.07).contains(&share(files)), "{files} with files");
        let statuses: BTreeSet<_> = world.tickets.iter().map(|ticket| ticket.status).collect();
        assert_eq!(statuses.len(), 6);
        assert!(world.tickets.iter().any(|ticket| ticket.kind == Some("task") && ticket.due_ms.is_some()));
        assert!(world.tickets.iter().all(|ticket| ticket.kind == Some("task") || ticket.due_ms.is_none()));
    }

    #[test]
    fn every_ticket_has_a_list_and_every_list_has_tickets() {
        let world = scenario(500, 2);
        let mut used = BTreeSet::new();
        for ticket in &world.tickets {
            let tags: Vec<String> = ticket.tags.iter().cloned().collect();
            let list = world.workspace.list_for(Some(ticket.group), ticket.organization, &tags);
            used.insert(list.map(|list| list.id.clone()).expect("every group has a list"));
        }
        assert_eq!(used.len(), world.workspace.lists.len());
    }

    #[test]
    fn every_internal_note_has_a_canary_of_its_own_and_nothing_else_has_one() {
        let world = scenario(800, 5);
        let mut seen = BTreeSet::new();
        for comment in world.tickets.iter().flat_map(|ticket| &ticket.comments) {
            let words = canary::find(&comment.body);
            assert_eq!(words.len(), usize::from(!comment.public), "{}", comment.body);
            assert!(words.into_iter().all(|word| seen.insert(word.to_owned())));
        }
        assert!(seen.len() > 20);
    }
}
