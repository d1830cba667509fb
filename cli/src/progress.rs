//! Progress of a plan or a run on stderr: how far, how fast, how much of the API budget, how long still.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clients::Api;
use functions::Context;
use functions::plan::{Stage, Watch};
use functions::run::{Phase, Progress, Step};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use orchestration::resource_manager::BudgetWait;

use crate::terminal;

/// Without a terminal a line is written this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What a plan reads; only there the wait for a limit is told beside it, a run tells of its own.
const READING: [&str; 4] = ["tickets", "tasks", "comments", "plan"];

/// How often it is looked whether a limit is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What is waited for, in words.
fn waits(wait: &BudgetWait, left_ms: i64) -> String {
    let limit = match (wait.api, wait.bucket.as_str()) {
        (Api::Clickup, "token") => "ClickUp's next minute",
        (Api::Clickup, _) => "a limit of ClickUp",
        (Api::Zendesk, "account") => "Zendesk's next minute",
        (Api::Zendesk, "incremental") => "Zendesk's limit on exports",
        (Api::Zendesk, _) => "a limit of Zendesk",
    };
    format!("waiting for {limit}, {}", terminal::span(left_ms.max(1_000)))
}

/// Draws one bar, or writes a line now and then where nobody would see a bar.
pub struct Bar {
    bar: ProgressBar,
    quiet: bool,
    lines: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    doing: &'static str,
    began: Option<(Instant, u64)>,
    said: Option<Instant>,
}

impl Bar {
    /// A bar; hidden where everything is said in JSON.
    pub fn new(quiet: bool) -> Self {
        let shown = !quiet && std::io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr_with_hz(8) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("  {prefix:<10} {bar:28} {pos:>6}/{len:<6} {msg}") {
            bar.set_style(style);
        }
        Self { bar, quiet, lines: !quiet && !shown, state: Mutex::default() }
    }

    /// Makes room for the result.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Says something above the bar.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            self.bar.suspend(|| terminal::talk(text));
        }
    }

    /// Tells of limits that `work` waits for, as long as it does.
    pub async fn beside<T>(&self, cx: &Context, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let wait = cx.resources.waiting().map(|wait| waits(&wait, wait.until_ms - cx.now_ms()));
            let doing = self.state.lock().ok().map(|state| state.doing);
            let Some(doing) = doing.filter(|doing| READING.contains(doing)) else { continue };
            let (done, total) = (self.bar.position(), self.bar.length().filter(|length| *length > 0));
            self.show(doing, done, total, wait.as_deref().unwrap_or("read"));
        }
    }

    fn show(&self, doing: &'static str, done: u64, total: Option<u64>, message: &str) {
        let Ok(mut state) = self.state.lock() else { return };
        let fresh = state.doing != doing;
        if fresh {
            *state = State { doing, began: Some((Instant::now(), done)), said: None };
            self.bar.set_prefix(doing);
        }
        match total {
            Some(total) => self.bar.set_length(total.max(done)),
            None => self.bar.set_length(done),
        }
        self.bar.set_position(done);
        self.bar.set_message(message.to_owned());
        // What is over soon needs no line.
        let since = state.said.or(state.began.map(|(began, _)| began));
        let due = since.is_some_and(|since| since.elapsed() >= LINE_EVERY);
        if self.lines && due {
            state.said = Some(Instant::now());
            let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
            terminal::talk(format!("  {doing}: {done}{of} {message}").trim_end());
        }
    }

    /// Calls a minute since this part began.
    fn rate(&self, done: u64) -> Option<u64> {
        let state = self.state.lock().ok()?;
        let (began, first) = state.began?;
        let ms = u64::try_from(began.elapsed().as_millis()).ok().filter(|ms| *ms >= 1_000)?;
        Some(done.saturating_sub(first) * 60_000 / ms)
    }
}

impl Watch for Bar {
    fn stage(&self, stage: Stage, done: u64, total: Option<u64>) {
        let [tickets, tasks, comments, plan] = READING;
        let doing = match stage {
            Stage::Tickets => tickets,
            Stage::Tasks => tasks,
            Stage::Comments => comments,
            Stage::Records => plan,
        };
        self.show(doing, done, total, "read");
    }
}

impl Progress for Bar {
    fn step(&self, phase: Phase, step: &Step) {
        let doing = match phase {
            Phase::Backfill => "bring over",
            Phase::Compare => "compare",
            Phase::Settle => "settle",
        };
        let mut parts = vec!["changes".to_owned()];
        let rate = self.rate(step.writes);
        if let Some(rate) = rate.filter(|rate| *rate > 0) {
            parts.push(format!("{} a minute", terminal::number(rate)));
        }
        match (&step.waiting, step.budget_percent) {
            (Some((wait, left_ms)), _) => parts.push(waits(wait, *left_ms)),
            (None, Some(percent)) => parts.push(format!("{percent} % of this minute's ClickUp budget")),
            (None, None) => {}
        }
        let left = step.of.map(|of| of.saturating_sub(step.writes)).filter(|left| *left > 0);
        // Before there is a rate to go by, the limit is the best guess.
        let pace = rate.map_or(step.per_minute.map(u64::from), Some).filter(|pace| *pace > 0);
        if let (Some(left), Some(pace)) = (left, pace) {
            let ms = i64::try_from(left * 60_000 / pace).unwrap_or(i64::MAX);
            let wait_ms = step.waiting.as_ref().map_or(0, |(_, left_ms)| *left_ms);
            parts.push(format!("about {} left", terminal::span(ms.max(wait_ms))));
        }
        self.show(doing, step.writes, step.of, &parts.join(", "));
    }
}
