//! What many worlds together held.

use std::collections::BTreeMap;

use functions::plan::Plan;

/// What all worlds together held: a comparison that never met a thing proves nothing about it.
#[derive(Debug, Default)]
pub struct Tally {
    created: usize,
    linked: usize,
    updated: usize,
    fields: BTreeMap<String, usize>,
    comments: BTreeMap<String, usize>,
    files: BTreeMap<String, usize>,
    marks: usize,
    apart: usize,
    notes: usize,
}

impl Tally {
    pub fn of(plan: &Plan) -> Self {
        use domain::plan::Kind;
        let mut tally = Self {
            created: plan.count(Kind::Create),
            linked: plan.count(Kind::Link),
            updated: plan.count(Kind::Update),
            ..Self::default()
        };
        for record in &plan.records {
            for field in &record.fields {
                for side in field.writes.keys() {
                    *tally.fields.entry(format!("{} on {side}", field.field)).or_default() += 1;
                }
            }
            for copy in &record.comments {
                *tally.comments.entry(format!("to {}", copy.from.other())).or_default() += 1;
            }
            for copy in &record.files {
                *tally.files.entry(format!("to {}", copy.from.other())).or_default() += 1;
            }
            tally.marks += usize::from(record.link_back);
            tally.apart += record.apart.len();
            tally.notes += usize::from(record.note.is_some());
        }
        tally
    }

    pub fn add(&mut self, other: &Self) {
        self.created += other.created;
        self.linked += other.linked;
        self.updated += other.updated;
        for (name, count) in &other.fields {
            *self.fields.entry(name.clone()).or_default() += count;
        }
        for (name, count) in &other.comments {
            *self.comments.entry(name.clone()).or_default() += count;
        }
        for (name, count) in &other.files {
            *self.files.entry(name.clone()).or_default() += count;
        }
        self.marks += other.marks;
        self.apart += other.apart;
        self.notes += other.notes;
    }

    pub fn assert_everything_was_met(&self) {
        for field in ["title", "status", "priority", "assignee", "tags", "due_date"] {
            for side in ["Zendesk", "ClickUp"] {
                let name = format!("{field} on {side}");
                assert!(self.fields.get(&name).is_some_and(|count| *count > 5), "{name}: {self:?}");
            }
        }
        assert!(self.comments.len() == 2 && self.files.len() == 2 && self.marks > 50, "{self:?}");
        assert!(self.created > 200 && self.linked > 20 && self.updated > 100, "{self:?}");
        assert!(self.apart > 50 && self.notes > 5, "{self:?}");
    }
}
