//! The life of a world in phases, shared by tests and the `demo` command.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use clients::Clock;

use super::{World, WorldError};
use crate::deskup::Deskup;
use crate::judge::{self, Details, Mark, Testimony, Verdict};
use crate::people::{self, People, PlanOptions, Played, mischief, upheaval};
use crate::progress::{Phase, Progress, Step};

/// How often somebody starts deskup on a bad day before giving up.
const PREPARE_ATTEMPTS: u32 = 8;
/// Between two looks at whether every ticket has its task.
const TASKS_LOOK: Duration = Duration::from_secs(5);
/// Looks before people begin all the same: two hours.
const TASKS_LOOKS_MAX: u32 = 1_440;

impl World {
    /// Says who receives webhooks from now on; `None` takes the machine down.
    pub fn connect(&self, deskup: Option<Arc<dyn Deskup>>) {
        self.wire.listen(deskup);
    }

    /// Fills both services, if nobody has yet.
    pub fn seed(&self, progress: &dyn Progress) -> Result<(), WorldError> {
        if self.chronicle.born().is_none() {
            let options = &self.options;
            self.chronicle.bear(options.tickets, options.seed, options.internal_notes)?;
        }
        self.phase("seed")?;
        self.scenario.install(&self.zendesk, &self.clickup)?;
        let count = self.scenario.tickets.len() as u64;
        progress.step(Phase::Seed, &Step { done: count, total: Some(count), ..Step::default() });
        Ok(())
    }

    /// Lets deskup look around and register its webhooks. On a bad day whoever starts it tries again.
    pub async fn prepare(&self, deskup: &dyn Deskup) -> Result<(), WorldError> {
        self.phase("prepare")?;
        let faults = &self.options.faults;
        let bad_day = faults.lose_request + faults.lose_reply + faults.server_error + faults.too_many > 0.0;
        let mut attempts = if bad_day { PREPARE_ATTEMPTS } else { 1 };
        loop {
            attempts -= 1;
            match deskup.prepare().await {
                Err(error) if attempts > 0 => tracing::info!(%error, "deskup did not start; once more"),
                result => return result.map_err(WorldError::Deskup),
            }
        }
    }

    /// Lets deskup bring every ticket over.
    pub async fn backfill(&self, deskup: &dyn Deskup, progress: &dyn Progress) -> Result<(), WorldError> {
        self.phase("backfill")?;
        deskup.backfill(progress).await.map_err(WorldError::Deskup)
    }

    /// Starts the live lane.
    pub fn live(&self, deskup: &dyn Deskup) -> Result<(), WorldError> {
        self.phase("live")?;
        deskup.start_live();
        Ok(())
    }

    /// Lets the people edit, from when they first began; what an earlier process did is not done again.
    pub async fn play(&self, progress: &dyn Progress) -> Result<Played, WorldError> {
        let began = self.chronicle.began("edits");
        if self.options.edits_once_linked && began.is_none() {
            self.wait_for_tasks().await;
        }
        self.phase("edits")?;
        let began_ms = began.unwrap_or_else(|| self.now_ms());
        let options = &self.options;
        let plan = people::plan(&PlanOptions {
            edits: options.edits,
            seed: options.seed,
            spacing_ms: options.spacing_ms,
            coinciding: options.coinciding,
            chased: options.chased,
        });
        let span_ms = plan.last().map_or(options.spacing_ms, |last| last.at_ms);
        let pranks = mischief::plan(options.mischief, options.seed, span_ms);
        let upheavals = upheaval::plan(options.upheavals, options.seed, span_ms);
        let clock = self.clock.clone();
        let now_ms = move || clock.now_ms();
        let mut editors = People::new(&self.scenario, &self.zendesk, &self.clickup, &now_ms);
        let mut pranksters = People::new(&self.scenario, &self.zendesk, &self.clickup, &now_ms);
        let mut others = People::new(&self.scenario, &self.zendesk, &self.clickup, &now_ms);
        let total = Some(plan.len() as u64);
        let each = |done| {
            let step = Step { done, total, calls: self.chronicle.calls_total(), ..Step::default() };
            progress.step(Phase::Edits, &step);
        };
        let (played, ..) = futures::join!(
            editors.play(&plan, began_ms, each),
            pranksters.prank(&pranks, &self.clickup, began_ms),
            others.upset(&upheavals, began_ms)
        );
        Ok(played)
    }

    /// Waits until every ticket has a task, or long enough: the judge will say that there is none.
    async fn wait_for_tasks(&self) {
        for _ in 0..TASKS_LOOKS_MAX {
            let tasks = self.clickup.tasks();
            let marked = tasks.iter().filter_map(|task| domain::footer::parse(task["description"].as_str()?));
            let tickets: BTreeSet<domain::TicketId> = marked.map(|marker| marker.ticket).collect();
            if tickets.len() >= self.scenario.tickets.len() {
                return;
            }
            tokio::time::sleep(TASKS_LOOK).await;
        }
    }

    /// Everything again from the start, on a settled world: nothing may be written.
    pub async fn second_run(&self, deskup: &dyn Deskup, progress: &dyn Progress) -> Result<(), WorldError> {
        self.phase("second")?;
        deskup.backfill(progress).await.map_err(WorldError::Deskup)?;
        self.rest(deskup).await
    }

    /// The verdict on the world as it is.
    pub async fn judge(&self, deskup: &dyn Deskup) -> Result<(Verdict, Details), WorldError> {
        self.phase("judge")?;
        let testimony = self.testimony(deskup).await?;
        Ok(judge::judge(&testimony))
    }

    /// What the judge is shown.
    pub async fn testimony(&self, deskup: &dyn Deskup) -> Result<Testimony, WorldError> {
        let kept = deskup.kept().await.map_err(WorldError::Deskup)?;
        let mut marks = self.chronicle.marks();
        marks.push(Mark { phase: "end".to_owned(), at_ms: self.now_ms(), calls: self.chronicle.calls() });
        let guests =
            |list: &&serde_json::Value| list["guests"].as_array().is_some_and(|guests| !guests.is_empty());
        let lists = self.clickup.lists();
        let guest_lists: BTreeSet<String> =
            lists.iter().filter(guests).filter_map(|list| Some(list["id"].as_str()?.into())).collect();
        Ok(Testimony {
            rules: self.rules.clone(),
            tickets: self.zendesk.tickets(),
            tasks: self.clickup.tasks(),
            zendesk_changes: self.zendesk.changes(),
            clickup_changes: self.clickup.changes(),
            guest_lists,
            kept,
            marks,
            delivered: self.chronicle.delivered(),
            refused: self.chronicle.refused(),
            effort: deskup.effort(),
            seed: self.options.seed,
            state_file: self.options.state_file.as_ref().map(|path| path.display().to_string()),
        })
    }

    /// The whole life of a world: seeds, prepares, backfills, lets people edit while deskup runs, settles,
    /// runs everything a second time, and judges.
    pub async fn run(
        &self,
        deskup: &Arc<dyn Deskup>,
        progress: &dyn Progress,
    ) -> Result<(Verdict, Details), WorldError> {
        self.seed(progress)?;
        self.connect(Some(deskup.clone()));
        self.prepare(deskup.as_ref()).await?;
        self.backfill(deskup.as_ref(), progress).await?;
        self.live(deskup.as_ref())?;
        self.play(progress).await?;
        self.settle(deskup.as_ref()).await?;
        self.second_run(deskup.as_ref(), progress).await?;
        let verdict = self.judge(deskup.as_ref()).await?;
        deskup.stop().await;
        Ok(verdict)
    }
}
