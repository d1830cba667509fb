//! What the simulated people are going to do: a list of intentions drawn from a seed. What exactly each
//! becomes is decided when it is played, on the state it then finds.

use domain::Side;
use fastrand::Rng;

/// What somebody intends to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Another status.
    Status,
    /// A ClickUp status that Zendesk has no counterpart of.
    StrangeStatus,
    /// Another priority, or none.
    Priority,
    /// Another assignee, or none.
    Assignee,
    /// Somebody whom the other side does not know.
    StrangeAssignee,
    /// Another title.
    Title,
    /// One tag more or less.
    Tag,
    /// Another due date, or none.
    Due,
    /// Another value of a custom field, or none.
    Custom,
    /// A few more words in a task's description.
    Description,
    /// A comment: on a ticket one that the requester reads.
    Comment,
    /// An internal note on a ticket.
    Note,
    /// Any simple field of a task whose ticket is closed.
    OnClosed,
}

/// One intention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intention {
    /// Names the edit in the change logs: unique in a world, the same for a seed.
    pub id: String,
    /// Milliseconds after the people began.
    pub at_ms: i64,
    /// Where.
    pub side: Side,
    /// What.
    pub kind: Kind,
    /// Decides everything else.
    pub dice: u64,
    /// The edit whose record and field this one hits too, from the other side.
    pub pair_of: Option<String>,
}

/// How people behave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanOptions {
    /// How many edits.
    pub edits: usize,
    /// The seed.
    pub seed: u64,
    /// Average time between two edits.
    pub spacing_ms: i64,
    /// The share of edits that hit what somebody on the other side edits within seconds.
    pub coinciding: f64,
    /// The share of edits that another of the same field follows soon, on either side.
    pub chased: f64,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self { edits: 100, seed: 0, spacing_ms: 6_000, coinciding: 0.08, chased: 0.0 }
    }
}

/// Two people hit the same field within this time.
const PAIR_GAP_MAX_MS: i64 = 3_000;

/// Somebody changes his mind, or another's, within this time.
const CHASE_GAP_MAX_MS: i64 = 45_000;

const ZENDESK: [(Kind, u32); 9] = [
    (Kind::Status, 14),
    (Kind::Priority, 10),
    (Kind::Assignee, 9),
    (Kind::Title, 7),
    (Kind::Tag, 10),
    (Kind::Due, 5),
    (Kind::Custom, 12),
    (Kind::Comment, 11),
    (Kind::Note, 8),
];

const CLICKUP: [(Kind, u32); 12] = [
    (Kind::Status, 15),
    (Kind::StrangeStatus, 2),
    (Kind::Priority, 10),
    (Kind::Assignee, 9),
    (Kind::StrangeAssignee, 2),
    (Kind::Title, 7),
    (Kind::Tag, 10),
    (Kind::Due, 6),
    (Kind::Custom, 12),
    (Kind::Description, 4),
    (Kind::Comment, 12),
    (Kind::OnClosed, 4),
];

/// What can be hit from both sides at once.
const PAIRED: [Kind; 6] =
    [Kind::Status, Kind::Priority, Kind::Assignee, Kind::Title, Kind::Custom, Kind::Tag];

/// Draws the intentions of a seed, in the order of their times.
pub fn plan(options: &PlanOptions) -> Vec<Intention> {
    let mut random = Rng::with_seed(options.seed ^ 0x9e09_1e00);
    let mut intentions: Vec<Intention> = Vec::with_capacity(options.edits);
    let mut at_ms = 0;
    while intentions.len() < options.edits {
        // Between nothing and twice the average: people work in bursts.
        at_ms += random.i64(0..=2 * options.spacing_ms.max(1));
        let side = if random.bool() { Side::Zendesk } else { Side::Clickup };
        let paired = random.f64() < options.coinciding / 2.0 && intentions.len() + 1 < options.edits;
        let kind = if paired {
            PAIRED[random.usize(0..PAIRED.len())]
        } else {
            match side {
                Side::Zendesk => weighted(&mut random, &ZENDESK),
                Side::Clickup => weighted(&mut random, &CLICKUP),
            }
        };
        let id = name(intentions.len());
        let dice = random.u64(..);
        intentions.push(Intention { id: id.clone(), at_ms, side, kind, dice, pair_of: None });
        if paired {
            at_ms += random.i64(0..=PAIR_GAP_MAX_MS);
            intentions.push(Intention {
                id: name(intentions.len()),
                at_ms,
                side: side.other(),
                kind,
                // The same dice choose the same field; the value is drawn with another turn of them.
                dice,
                pair_of: Some(id.clone()),
            });
        }
        let chased = options.chased > 0.0
            && PAIRED.contains(&kind)
            && intentions.len() < options.edits
            && random.f64() < options.chased;
        if chased {
            at_ms += random.i64(0..=CHASE_GAP_MAX_MS);
            let side = if random.bool() { Side::Zendesk } else { Side::Clickup };
            let name = name(intentions.len());
            intentions.push(Intention {
                id: name,
                at_ms,
                side,
                kind,
                dice: dice.wrapping_add(1),
                pair_of: Some(id),
            });
        }
    }
    intentions
}

fn name(number: usize) -> String {
    format!("e{:05}", number + 1)
}

fn weighted<T: Copy>(random: &mut Rng, choices: &[(T, u32)]) -> T {
    let total: u32 = choices.iter().map(|(_, weight)| weight).sum();
    let mut at = random.u32(0..total);
    for (choice, weight) in choices {
        if at < *weight {
            return *choice;
        }
        at -= weight;
    }
    choices[0].0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_seed_gives_one_plan() {
        let options = PlanOptions { edits: 300, seed: 9, ..PlanOptions::default() };
        assert_eq!(plan(&options), plan(&options));
        assert_ne!(plan(&options), plan(&PlanOptions { seed: 10, ..options }));
    }

    #[test]
    fn a_plan_has_every_kind_on_both_sides_and_a_share_that_coincides() {
        let plan = plan(&PlanOptions { edits: 2_000, seed: 1, ..PlanOptions::default() });
        assert_eq!(plan.len(), 2_000);
        let ids: BTreeSet<&str> = plan.iter().map(|intention| intention.id.as_str()).collect();
        assert_eq!(ids.len(), 2_000);
        assert!(plan.windows(2).all(|pair| pair[0].at_ms <= pair[1].at_ms));
        for (side, kinds) in [
            (Side::Zendesk, ZENDESK.map(|(kind, _)| kind).to_vec()),
            (Side::Clickup, CLICKUP.map(|(kind, _)| kind).to_vec()),
        ] {
            for kind in kinds {
                assert!(plan.iter().any(|i| i.side == side && i.kind == kind), "{side} {kind:?}");
            }
        }
        let seconds: Vec<&Intention> = plan.iter().filter(|intention| intention.pair_of.is_some()).collect();
        assert!((40..160).contains(&seconds.len()), "{}", seconds.len());
        for second in seconds {
            let first =
                plan.iter().find(|i| Some(&i.id) == second.pair_of.as_ref()).expect("the first of a pair");
            assert_eq!((first.kind, first.side), (second.kind, second.side.other()));
            assert!(second.at_ms - first.at_ms <= PAIR_GAP_MAX_MS);
        }
    }
}
