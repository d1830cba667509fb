//! Which ClickUp status means what a Zendesk status means: by the type that ClickUp gives it and by its words.
//! What would change a ticket on a guess (a review, a second way to wait, a refusal) is only suggested.

use super::names::{plain, words};

/// What a status of a list seems to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Todo,
    Working,
    Review,
    Pending,
    Hold,
    Done,
    Closed,
    /// Given up rather than done.
    Dropped,
    Unknown,
}

const REVIEW: &[&str] = &[
    "review",
    "reviewing",
    "testing",
    "test",
    "qa",
    "verify",
    "verification",
    "approval",
    "approve",
    "staging",
];
const HOLD: &[&str] = &[
    "hold",
    "paused",
    "blocked",
    "parked",
    "stalled",
    "deferred",
    "postponed",
    "vendor",
    "supplier",
    "third",
];
const PENDING: &[&str] = &[
    "waiting",
    "awaiting",
    "pending",
    "wait",
    "customer",
    "client",
    "requester",
    "reply",
    "response",
    "feedback",
    "info",
];
/// Of several ways to wait, the one for the customer is what Zendesk's `pending` says.
const CUSTOMER: &[&str] = &["customer", "client", "requester", "reply", "response", "feedback", "info"];
const DROPPED: &[&str] = &[
    "cancelled",
    "canceled",
    "rejected",
    "declined",
    "duplicate",
    "wontfix",
    "invalid",
    "abandoned",
    "obsolete",
];
const DONE: &[&str] = &[
    "done",
    "complete",
    "completed",
    "solved",
    "resolved",
    "fixed",
    "finished",
    "closed",
    "shipped",
    "delivered",
    "released",
    "deployed",
];
const WORKING: &[&str] = &[
    "progress",
    "doing",
    "working",
    "active",
    "development",
    "developing",
    "dev",
    "started",
    "wip",
    "investigating",
    "investigation",
    "implementing",
    "implementation",
    "building",
    "coding",
    "ongoing",
];
const TODO: &[&str] =
    &["todo", "do", "new", "open", "backlog", "inbox", "triage", "queue", "planned", "ready"];

/// What a status says, by type first: ClickUp counts by it too.
pub(super) fn meaning(name: &str, kind: &str) -> Meaning {
    let words = words(name);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    let dropped = has(DROPPED) || plain(name).starts_with("wont");
    match kind {
        "open" | "unstarted" => return Meaning::Todo,
        "closed" | "done" | "custom" if dropped => return Meaning::Dropped,
        "closed" => return Meaning::Closed,
        "done" => return Meaning::Done,
        _ => {}
    }
    let not_yet = words.iter().any(|word| word == "not");
    let by_words = [
        (REVIEW, Meaning::Review),
        (HOLD, Meaning::Hold),
        (PENDING, Meaning::Pending),
        (DONE, Meaning::Done),
        (WORKING, Meaning::Working),
        (TODO, Meaning::Todo),
    ];
    match by_words.into_iter().find(|(known, _)| has(known)) {
        Some((_, Meaning::Working | Meaning::Done)) if not_yet => Meaning::Todo,
        Some((_, meaning)) => meaning,
        None => Meaning::Unknown,
    }
}

/// A status of ClickUp and what a ticket should become when a person sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Back {
    pub clickup: String,
    /// `None`: nobody can tell.
    pub zendesk: Option<&'static str>,
    /// Whether it is proposed rather than only suggested.
    pub sure: bool,
}

/// The table both ways.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StatusPlan {
    /// Zendesk status to ClickUp status, in the order of a ticket's life.
    pub table: Vec<(&'static str, String)>,
    /// ClickUp statuses that the table does not name.
    pub back: Vec<Back>,
    /// Zendesk statuses for which no status of their own was found.
    pub shared: Vec<&'static str>,
    /// Whether a status to begin with and one to end with were recognised.
    pub sound: bool,
}

/// A table for these statuses of one list, or of what several lists have in common. `None` without any.
pub(super) fn plan(statuses: &[(String, String)]) -> Option<StatusPlan> {
    let known: Vec<(&str, &str, Meaning)> = statuses
        .iter()
        .filter(|(name, _)| !name.trim().is_empty())
        .map(|(name, kind)| (name.as_str(), kind.as_str(), meaning(name, kind)))
        .collect();
    let (first, last) = (known.first()?.0, known.last()?.0);
    let find = |wanted: Meaning, words: &[&str]| {
        let mut fitting = known.iter().filter(|(_, _, meaning)| *meaning == wanted);
        let better = fitting
            .clone()
            .find(|(name, _, _)| super::names::words(name).iter().any(|word| words.contains(&word.as_str())));
        better.or_else(|| fitting.next()).map(|(name, _, _)| *name)
    };
    let typed_done = known.iter().find(|(_, kind, meaning)| *kind == "done" && *meaning == Meaning::Done);
    let begin = find(Meaning::Todo, &[]);
    let closed = find(Meaning::Closed, &[]);
    let done = find(Meaning::Done, &["solved", "resolved"]);
    let done = done.or(typed_done.map(|(name, _, _)| *name));
    let todo = begin.unwrap_or(first);
    let solved = done.or(closed).unwrap_or(last);
    let pending = find(Meaning::Pending, CUSTOMER);
    let hold = find(Meaning::Hold, &["hold"]);
    // A second way to wait serves for `hold` where nothing better is there.
    let other_wait = known.iter().find(|(name, _, m)| *m == Meaning::Pending && pending != Some(*name));
    let hold = hold.or(other_wait.map(|(name, _, _)| *name));
    let rest = pending.or(hold).unwrap_or(todo);
    let mut plan =
        StatusPlan { sound: begin.is_some() && (done.or(closed)).is_some(), ..StatusPlan::default() };
    for (zendesk, own, shared) in [
        ("new", begin, todo),
        ("open", begin, todo),
        ("pending", pending, rest),
        ("hold", hold, rest),
        ("solved", done.or(closed), solved),
        ("closed", closed.or(done), solved),
    ] {
        if own.is_none() {
            plan.shared.push(zendesk);
        }
        plan.table.push((zendesk, own.unwrap_or(shared).to_owned()));
    }
    for (name, _, meaning) in &known {
        plan.add_back(name, *meaning);
    }
    Some(plan)
}

impl StatusPlan {
    /// Whether the table names this status.
    pub fn names(&self, status: &str) -> bool {
        self.table.iter().any(|(_, name)| same(name, status))
    }

    /// Adds a status that the table does not name, unless it is there already.
    pub fn add_back(&mut self, name: &str, meaning: Meaning) {
        if self.names(name) || self.back.iter().any(|back| same(&back.clickup, name)) {
            return;
        }
        let (zendesk, sure) = match meaning {
            // The agent works on it, and so does the engineer: no customer is told anything by that.
            Meaning::Working => (Some("open"), true),
            Meaning::Review | Meaning::Todo => (Some("open"), false),
            Meaning::Pending => (Some("pending"), false),
            Meaning::Hold => (Some("hold"), false),
            Meaning::Done | Meaning::Closed | Meaning::Dropped => (Some("solved"), false),
            Meaning::Unknown => (None, false),
        };
        self.back.push(Back { clickup: name.to_owned(), zendesk, sure });
    }
}

/// Status names are the same whatever their case and the blanks around them.
pub(super) fn same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

/// The statuses that both lists have, as the first one writes them.
pub(super) fn common(a: &[(String, String)], b: &[(String, String)]) -> Vec<(String, String)> {
    a.iter().filter(|(name, _)| b.iter().any(|(other, _)| same(name, other))).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(statuses: &[(&str, &str)], expected: Expect) {
        let statuses: Vec<(String, String)> =
            statuses.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect();
        let plan = plan(&statuses).unwrap();
        let mut lines: Vec<String> =
            plan.table.iter().map(|(zendesk, clickup)| format!("{zendesk} = {clickup}")).collect();
        for back in &plan.back {
            let mark = if back.sure { "" } else { " ?" };
            lines.push(format!("{} -> {}{mark}", back.clickup, back.zendesk.unwrap_or("-")));
        }
        if !plan.shared.is_empty() {
            lines.push(format!("shared: {}", plan.shared.join(" ")));
        }
        lines.push(format!("sound: {}", plan.sound));
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn a_support_list_says_everything() {
        check(
            &[
                ("to do", "open"),
                ("in progress", "custom"),
                ("waiting on customer", "custom"),
                ("on hold", "custom"),
                ("in review", "custom"),
                ("solved", "done"),
                ("closed", "closed"),
            ],
            expect![[r#"
                new = to do
                open = to do
                pending = waiting on customer
                hold = on hold
                solved = solved
                closed = closed
                in progress -> open
                in review -> open ?
                sound: true"#]],
        );
    }

    #[test]
    fn the_smallest_list_is_enough() {
        check(
            &[("to do", "open"), ("complete", "closed")],
            expect![[r#"
                new = to do
                open = to do
                pending = to do
                hold = to do
                solved = complete
                closed = complete
                shared: pending hold
                sound: true"#]],
        );
    }

    #[test]
    fn an_engineering_list_is_read_by_its_words() {
        check(
            &[
                ("Backlog", "open"),
                ("Not started", "custom"),
                ("Ready for dev", "custom"),
                ("Blocked", "custom"),
                ("Waiting for review", "custom"),
                ("Waiting", "custom"),
                ("Awaiting reply", "custom"),
                ("Frobnicating", "custom"),
                ("Won't do", "done"),
                ("Shipped", "done"),
                ("Resolved", "done"),
                ("Archive", "closed"),
            ],
            expect![[r#"
                new = Backlog
                open = Backlog
                pending = Awaiting reply
                hold = Blocked
                solved = Resolved
                closed = Archive
                Not started -> open ?
                Ready for dev -> open
                Waiting for review -> open ?
                Waiting -> pending ?
                Frobnicating -> - ?
                Won't do -> solved ?
                Shipped -> solved ?
                sound: true"#]],
        );
    }

    #[test]
    fn a_second_way_to_wait_serves_for_hold() {
        check(
            &[("Open", "open"), ("Pending", "custom"), ("Awaiting parts", "custom"), ("Done", "closed")],
            expect![[r#"
                new = Open
                open = Open
                pending = Pending
                hold = Awaiting parts
                solved = Done
                closed = Done
                sound: true"#]],
        );
    }

    #[test]
    fn without_a_beginning_or_an_end_it_is_not_sound() {
        check(
            &[("eins", "custom"), ("zwei", "custom")],
            expect![[r#"
                new = eins
                open = eins
                pending = eins
                hold = eins
                solved = zwei
                closed = zwei
                shared: new open pending hold solved closed
                sound: false"#]],
        );
    }
}
