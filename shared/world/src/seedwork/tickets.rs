//! The tickets a world starts with: texts from a file, everything else drawn from the seed.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use serde_json::{Value as Json, json};

use super::canary::canary;
use super::cast::{Cast, Customer};
use super::texts::TicketText;
use super::workspace::{FieldKind, HARDWARE_TAG, Workspace};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Tickets were made over this time before the world starts.
const AGE_MAX_MS: i64 = 60 * DAY_MS;
/// Nothing happened in the last hour before the start: exports leave out their last minute.
const AGE_MIN_MS: i64 = HOUR_MS;

/// A ticket to put into the simulated Zendesk.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketPlan {
    /// Its number, from 1.
    pub id: i64,
    /// Missing on a few, as on tickets made by e-mail.
    pub subject: Option<String>,
    /// One of Zendesk's statuses.
    pub status: &'static str,
    /// One of Zendesk's priorities.
    pub priority: Option<&'static str>,
    /// One of Zendesk's types.
    pub kind: Option<&'static str>,
    /// For tickets of type task.
    pub due_ms: Option<i64>,
    /// Who asked.
    pub requester: i64,
    /// Their organization.
    pub organization: Option<i64>,
    /// The group it is routed to.
    pub group: i64,
    /// The agent, if any.
    pub assignee: Option<i64>,
    /// All tags, those of drop-down options included.
    pub tags: BTreeSet<String>,
    /// Custom fields by id, as Zendesk takes them.
    pub custom: BTreeMap<i64, Json>,
    /// When it was made.
    pub created_ms: i64,
    /// Comments, oldest first; the first is the description.
    pub comments: Vec<CommentPlan>,
}

/// A comment of such a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentPlan {
    /// Who wrote it.
    pub author: i64,
    /// Whether the requester can read it.
    pub public: bool,
    /// Plain text.
    pub body: String,
    /// When.
    pub created_ms: i64,
    /// A file, on a few.
    pub file: Option<FilePlan>,
}

/// A file on a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePlan {
    /// Its name.
    pub name: String,
    /// Its type.
    pub content_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

const TAGS: [&str; 10] = [
    "refund",
    "vip",
    "mobile",
    "shipping",
    "invoice",
    "regression",
    "onboarding",
    "waiting-parts",
    "legal",
    "export",
];

/// Tags that people put on tickets and tasks.
pub fn people_tags() -> &'static [&'static str] {
    &TAGS
}

/// Makes `count` tickets. The texts repeat when there are fewer of them.
pub fn make(
    count: usize,
    seed: u64,
    start_ms: i64,
    texts: &[TicketText],
    cast: &Cast,
    workspace: &Workspace,
    random: &mut Rng,
) -> Vec<TicketPlan> {
    let mut maker = Maker { seed, start_ms, cast, workspace, random, canaries: 0 };
    (0..count).map(|n| maker.ticket(n, count, &texts[n % texts.len()])).collect()
}

struct Maker<'a> {
    seed: u64,
    start_ms: i64,
    cast: &'a Cast,
    workspace: &'a Workspace,
    random: &'a mut Rng,
    canaries: u64,
}

impl Maker<'_> {
    fn ticket(&mut self, n: usize, count: usize, text: &TicketText) -> TicketPlan {
        let customer = self.cast.customers[self.random.usize(0..self.cast.customers.len())].clone();
        let group = self.cast.groups[self.random.usize(0..self.cast.groups.len())].0;
        let status = self.status(text);
        let kind = text.kind.or_else(|| self.kind());
        // Older tickets have smaller numbers.
        let span = AGE_MAX_MS - AGE_MIN_MS;
        let created_ms = self.start_ms - AGE_MAX_MS + span * n as i64 / count.max(1) as i64 / 1_000 * 1_000;
        let due_ms = (kind == Some("task") && self.random.f64() < 0.6)
            .then(|| (self.start_ms / DAY_MS + self.random.i64(-3..20)) * DAY_MS + 12 * HOUR_MS);
        let assignee = self.assignee(group, status);
        let mut tags: BTreeSet<String> = text.channel_tag.iter().cloned().collect();
        for _ in 0..self.random.usize(0..4) {
            tags.insert(TAGS[self.random.usize(0..TAGS.len())].to_owned());
        }
        if Some(group) == self.cast.group("Technical") && self.random.f64() < 0.25 {
            tags.insert(HARDWARE_TAG.to_owned());
        }
        let custom = self.custom(&mut tags);
        let comments = self.comments(text, &customer, group, assignee, created_ms);
        let subject = (!text.title.is_empty()).then(|| text.title.clone());
        TicketPlan {
            id: n as i64 + 1,
            subject,
            status,
            priority: text.priority.or_else(|| self.priority()),
            kind,
            due_ms,
            requester: customer.id,
            organization: customer.organization,
            group,
            assignee,
            tags,
            custom,
            created_ms,
            comments,
        }
    }

    /// About one in ten is closed, whatever the file says: a help desk closes what has been solved for long.
    fn status(&mut self, text: &TicketText) -> &'static str {
        let roll = self.random.f64();
        match text.status {
            Some("solved") if roll < 0.3 => "closed",
            Some("open") if roll < 0.3 => "new",
            Some("open") if roll < 0.4 => "hold",
            Some(status) => status,
            None if roll < 0.10 => "closed",
            None if roll < 0.25 => "new",
            None if roll < 0.55 => "open",
            None if roll < 0.70 => "pending",
            None if roll < 0.78 => "hold",
            None => "solved",
        }
    }

    fn kind(&mut self) -> Option<&'static str> {
        [None, Some("question"), Some("incident"), Some("problem"), Some("task")][self.random.usize(0..5)]
    }

    fn priority(&mut self) -> Option<&'static str> {
        [None, Some("low"), Some("normal"), Some("normal"), Some("high"), Some("urgent")]
            [self.random.usize(0..6)]
    }

    /// New tickets have no agent yet, finished ones always have one.
    fn assignee(&mut self, group: i64, status: &str) -> Option<i64> {
        let agents: Vec<i64> = self.cast.agents_of(group).filter_map(|agent| agent.zendesk).collect();
        match status {
            "new" => None,
            "solved" | "closed" => Some(agents[self.random.usize(0..agents.len())]),
            _ => (self.random.f64() < 0.8).then(|| agents[self.random.usize(0..agents.len())]),
        }
    }

    fn custom(&mut self, tags: &mut BTreeSet<String>) -> BTreeMap<i64, Json> {
        let mut custom = BTreeMap::new();
        for field in &self.workspace.fields {
            if self.random.f64() >= 0.4 {
                continue;
            }
            let value = match field.kind {
                FieldKind::DropDown => {
                    let option = &field.options[self.random.usize(0..field.options.len())];
                    // Zendesk keeps the option's tag among the tags of the ticket.
                    tags.insert(option.tag.to_owned());
                    json!(option.tag)
                }
                FieldKind::Text => json!(format!("A-{:05}", self.random.u32(0..100_000))),
                FieldKind::Checkbox => json!(true),
                FieldKind::Number => json!(self.random.u32(1..500).to_string()),
                FieldKind::Date => json!(day(self.start_ms + self.random.i64(0..40) * DAY_MS)),
            };
            custom.insert(field.zendesk, value);
        }
        custom
    }

    /// Most tickets have the first comment only, about one in seven a conversation, one in twenty a file.
    fn comments(
        &mut self,
        text: &TicketText,
        customer: &Customer,
        group: i64,
        assignee: Option<i64>,
        created_ms: i64,
    ) -> Vec<CommentPlan> {
        let mut comments = vec![CommentPlan {
            author: customer.id,
            public: true,
            body: text.body.clone(),
            created_ms,
            file: None,
        }];
        if self.random.f64() < 0.15 {
            let agents: Vec<i64> = self.cast.agents_of(group).filter_map(|agent| agent.zendesk).collect();
            let agent = assignee.unwrap_or(agents[0]);
            let mut at = created_ms;
            for _ in 0..self.random.usize(1..=4) {
                at += self.random.i64(2 * MINUTE_MS..10 * MINUTE_MS) / 1_000 * 1_000;
                comments.push(self.reply(customer, agent, at));
            }
        }
        if self.random.f64() < 0.05 {
            let at = self.random.usize(0..comments.len());
            comments[at].file = Some(self.file());
        }
        comments
    }

    fn reply(&mut self, customer: &Customer, agent: i64, created_ms: i64) -> CommentPlan {
        let (author, public, body) = match self.random.u8(0..3) {
            0 => (customer.id, true, pick(self.random, &FROM_CUSTOMER).to_owned()),
            1 => (agent, true, pick(self.random, &FROM_AGENT).to_owned()),
            _ => {
                self.canaries += 1;
                let word = canary(self.seed, self.canaries);
                (agent, false, format!("{} ({word})", pick(self.random, &NOTES)))
            }
        };
        CommentPlan { author, public, body, created_ms, file: None }
    }

    fn file(&mut self) -> FilePlan {
        let number = self.random.u32(100..1_000);
        if self.random.bool() {
            let lines = self.random.usize(3..40);
            let text: String =
                (0..lines).map(|n| format!("{n:04} status={}\n", self.random.u8(..))).collect();
            FilePlan {
                name: format!("trace-{number}.log"),
                content_type: "text/plain",
                bytes: text.into_bytes(),
            }
        } else {
            let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
            bytes.extend((0..self.random.usize(200..2_000)).map(|_| self.random.u8(..)));
            FilePlan { name: format!("photo {number}.png"), content_type: "image/png", bytes }
        }
    }
}

const FROM_CUSTOMER: [&str; 5] = [
    "Thank you for the quick answer. It happened again this morning.",
    "That did not help, sorry.\nI have tried it twice, with and without the cable.",
    "Any news on this?",
    "The number you asked for is on the back: 7731-B.",
    "It works now. You may close this, unless you want to look at the log.",
];
const FROM_AGENT: [&str; 5] = [
    "Hello, thank you for writing to us. We are looking into it and come back to you today.",
    "Could you send us the number on the back of the device, please?",
    "We have found the cause. A correction comes with the next update.",
    "The parcel was found; it leaves our depot tomorrow.",
    "Please restart the client once and tell us whether the message is gone.",
];
const NOTES: [&str; 5] = [
    "Customer is known to be impatient, keep the tone friendly",
    "Margin on this account is thin, no goodwill above 20",
    "Same fault as in the other case, the supplier denies it",
    "Spoke with legal: do not promise anything in writing",
    "Password of the test account was changed, see vault",
];

/// Something to write in a public reply, an internal note, and a customer's answer.
pub fn phrase(random: &mut Rng, public: bool) -> &'static str {
    if public { pick(random, &FROM_AGENT) } else { pick(random, &NOTES) }
}

fn pick<'a>(random: &mut Rng, from: &[&'a str]) -> &'a str {
    from[random.usize(0..from.len())]
}

/// The day of a moment, as Zendesk spells dates.
pub fn day(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms).unwrap_or_default().format("%Y-%m-%d").to_string()
}
