//! What every world must come to, in words that a failing suite prints.

use world::judge::edits::Fate;

use crate::whole::Ran;

/// Lines of each kind of fault that are printed.
const LINES: usize = 8;

/// ClickUp tries to deliver an event so often, and then drops it for good.
const DELIVERIES_MAX: u32 = 5;

/// What is wrong with a world, and nothing if it is as it must be.
#[derive(Debug, Default)]
pub struct Faults(Vec<String>);

impl Faults {
    /// What holds always, whatever was done to the world.
    pub fn of(ran: &Ran) -> Self {
        let mut faults = Self::of_numbers(ran);
        faults.0.extend(ran.details.faults(LINES));
        faults
    }

    fn of_numbers(ran: &Ran) -> Self {
        let mut faults = Self::default();
        let verdict = &ran.verdict;
        faults.unless(verdict.converged_percent >= 100.0, || {
            format!("converged {} %", verdict.converged_percent)
        });
        for (name, count) in [
            ("duplicates", verdict.duplicates),
            ("lost", verdict.lost),
            ("leaked_internal", verdict.leaked_internal),
            ("silence", verdict.silence),
            ("touched_foreign", verdict.touched_foreign),
            ("quarantined", verdict.quarantined),
        ] {
            faults.zero(name, count);
        }
        faults
    }

    /// What holds besides where every webhook is delivered, again and again while deskup is down: an edit is
    /// unprovable only if the world's log says that the service gave up telling of the write that replaced it.
    pub fn of_told(ran: &Ran) -> Self {
        let mut faults = Self::of(ran);
        for judged in ran.details.judged.iter().filter(|judged| judged.fate == Fate::Unprovable) {
            let (edit, refused) = (&judged.edit, judged.refused);
            faults.unless(refused >= DELIVERIES_MAX, || {
                format!("unprovable, and the webhook was refused {refused} times: {edit:?}")
            });
        }
        faults
    }

    /// What holds besides where every webhook is delivered and nothing breaks.
    pub fn of_calm(ran: &Ran) -> Self {
        let mut faults = Self::of(ran);
        let verdict = &ran.verdict;
        faults.zero("unprovable", verdict.unprovable);
        faults.zero("twins_seen", verdict.twins_seen);
        faults.unless(verdict.linked == verdict.tickets && verdict.tasks == verdict.tickets, || {
            format!("{} tickets, {} tasks, {} linked", verdict.tickets, verdict.tasks, verdict.linked)
        });
        // Nobody edited: then nothing is written either, and there is no share to speak of.
        let expected = if verdict.edits == 0 { "0.00" } else { "1.00" };
        faults.unless(format!("{:.2}", verdict.writes_per_edit) == expected, || {
            format!("writes_per_edit {}", verdict.writes_per_edit)
        });
        let over = verdict.calls_per_new_ticket - verdict.least_calls_per_new_ticket;
        faults.unless(over <= CALLS_OVER_MAX, || {
            format!(
                "{} calls per new ticket, the least is {}",
                verdict.calls_per_new_ticket, verdict.least_calls_per_new_ticket
            )
        });
        faults
    }

    /// Adds a line unless this holds.
    pub fn unless(&mut self, holds: bool, line: impl FnOnce() -> String) {
        if !holds {
            self.0.push(line());
        }
    }

    fn zero(&mut self, name: &str, count: u64) {
        self.unless(count == 0, || format!("{name} {count}"));
    }

    /// Whether all is as it must be.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lines, or none.
    pub fn into_lines(self) -> Vec<String> {
        self.0
    }
}

/// Calls for a new ticket above the fewest possible, besides comments and attachments.
const CALLS_OVER_MAX: f64 = 0.008;

/// Fails with all lines of all worlds, if there are any.
#[track_caller]
pub fn nothing_wrong(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
