//! Progress on stderr: tickets, the share of the API budget in use, and the virtual time left.

use std::io::IsTerminal;
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use world::{Phase, Progress, Step};

use crate::terminal;

/// Draws one bar after the other.
pub struct Bar {
    bar: ProgressBar,
    phase: Mutex<Option<Phase>>,
}

impl Bar {
    /// A bar; hidden where nobody would see it.
    pub fn new(quiet: bool) -> Self {
        let shown = !quiet && std::io::stderr().is_terminal();
        let target =
            if shown { ProgressDrawTarget::stderr_with_hz(15) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("  {prefix:<10} {bar:28} {pos:>6}/{len:<6} {msg}") {
            bar.set_style(style);
        }
        Self { bar, phase: Mutex::new(None) }
    }

    /// Waiting until nothing moves.
    pub fn settling(&self) {
        self.bar.set_prefix("settle");
        self.bar.set_message("waiting until nothing moves");
        self.bar.tick();
    }

    /// Makes room for the report.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn step(&self, phase: Phase, step: &Step) {
        let Ok(mut now) = self.phase.lock() else { return };
        if *now != Some(phase) {
            *now = Some(phase);
            self.bar.set_prefix(match phase {
                Phase::Seed => "fill",
                Phase::Prepare => "look",
                Phase::Backfill => "backfill",
                Phase::Edits => "edits",
                Phase::Settle => "settle",
                Phase::Judge => "judge",
            });
        }
        if let Some(total) = step.total {
            self.bar.set_length(total);
        }
        self.bar.set_position(step.done);
        let mut message = format!("{} API calls", terminal::number(step.calls));
        if let Some(percent) = step.budget_percent {
            message.push_str(&format!(", {percent} % of this minute's ClickUp budget"));
        }
        if let Some(left_ms) = step.left_ms.filter(|ms| *ms > 0) {
            message.push_str(&format!(", {} left (virtual)", terminal::span(left_ms)));
        }
        self.bar.set_message(message);
    }
}
