//! A small world for the judge's own tests: tickets with tasks that mirror them, made by hand through the
//! simulators' HTTP, so that every fault in it is one that a test planted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::{Conflict, ConflictCause, Side, TicketId, Value};
use http::Method;
use serde_json::{Value as Json, json};
use simulators::clickup::ClickUpSim;
use simulators::zendesk::{ZendeskOptions, ZendeskSim};

use super::rules::Rules;
use super::testimony::{Mark, Testimony};
use super::{Details, Verdict, judge};
use crate::deskup::{Effort, Kept, KeptConflict, LinkSeen};
use crate::people::act;
use crate::scenario::{START_MS, Scenario, ScenarioOptions, clickup_options};
use crate::seedwork::cast::{CLICKUP_SYNC_ID, Colleague, ZENDESK_SYNC_EMAIL};
use crate::seedwork::workspace::{FieldKind, PRIORITY_TABLE, STATUS_TABLE};

pub const SECOND_MS: i64 = 1_000;

/// The world.
pub struct Fixture {
    pub scenario: Scenario,
    pub zendesk: ZendeskSim,
    pub clickup: ClickUpSim,
    pub rules: Rules,
    pub kept: Kept,
    pub marks: Vec<Mark>,
    pub delivered: BTreeSet<(String, i64)>,
    pub refused: BTreeMap<(String, i64), u32>,
    pub guest_lists: BTreeSet<String>,
    pub tasks: BTreeMap<i64, String>,
    now_ms: Arc<AtomicI64>,
}

impl Fixture {
    /// Tickets with their tasks, converged.
    pub async fn new(internal_notes: bool) -> Self {
        let options = ScenarioOptions { tickets: 24, seed: 11, csv: None, internal_notes };
        let mut scenario = Scenario::make(&options).expect("built in");
        for comment in scenario.tickets.iter_mut().flat_map(|ticket| &mut ticket.comments) {
            comment.file = None;
        }
        let now_ms = Arc::new(AtomicI64::new(START_MS));
        let clock: simulators::SimClock = {
            let now_ms = now_ms.clone();
            Arc::new(move || now_ms.load(Ordering::SeqCst))
        };
        let mut zendesk_options = ZendeskOptions::new(clock.clone());
        zendesk_options.unlimited = true;
        zendesk_options.sync_user = scenario.cast.zendesk_sync;
        let mut clickup_options = clickup_options(clock, 11);
        clickup_options.unlimited = true;
        let zendesk = ZendeskSim::open(zendesk_options).expect("in memory");
        let clickup = ClickUpSim::open(clickup_options).expect("in memory");
        scenario.install(&zendesk, &clickup).expect("in memory");
        let mut fixture = Self {
            rules: Rules::of(&scenario),
            scenario,
            zendesk,
            clickup,
            kept: Kept::default(),
            marks: Vec::new(),
            delivered: BTreeSet::new(),
            refused: BTreeMap::new(),
            guest_lists: BTreeSet::new(),
            tasks: BTreeMap::new(),
            now_ms,
        };
        for json in fixture.zendesk.tickets() {
            fixture.mirror(&json, internal_notes).await;
        }
        fixture.mark("live");
        fixture
    }

    async fn mirror(&mut self, ticket: &Json, internal_notes: bool) {
        let id = ticket["id"].as_i64().expect("a number");
        let task = self.create(ticket, "n1").await;
        let list = None;
        let link = LinkSeen { task: task.parse().expect("an id"), list, state: "LINKED".into() };
        self.kept.links.insert(ticket_id(id), link);
        self.tasks.insert(id, task.clone());
        for comment in ticket["comments"].as_array().expect("comments").iter().skip(1) {
            if comment["public"] == true || internal_notes {
                self.copy_comment(id, comment).await;
            }
        }
        let assignee = ticket["assignee_id"].as_i64();
        let stranger =
            assignee.filter(|id| self.scenario.cast.by_zendesk(*id).is_some_and(|p| p.clickup.is_none()));
        if let Some(stranger) = stranger {
            self.keep(id, "assignee", Value::Text(stranger.to_string()), Value::Null);
        }
    }

    /// A task as deskup makes it; returns its id.
    pub async fn create(&mut self, ticket: &Json, nonce: &str) -> String {
        let id = ticket["id"].as_u64().expect("a number");
        let member = ticket["assignee_id"].as_i64().and_then(|id| self.scenario.cast.by_zendesk(id)?.clickup);
        let tags: Vec<&Json> = ticket["tags"]
            .as_array()
            .expect("tags")
            .iter()
            .filter(|tag| !self.scenario.workspace.option_tags().any(|known| **tag == known))
            .collect();
        let status = STATUS_TABLE.iter().find(|(word, _)| ticket["status"] == *word).expect("a status").1[0];
        let priority = PRIORITY_TABLE.iter().find(|(word, _)| ticket["priority"] == *word).map(|(_, n)| *n);
        let footer = domain::footer::footer(ticket_id(id as i64), "https://x.example", nonce);
        let due = ticket["due_at"].as_str().and_then(|due| chrono::DateTime::parse_from_rfc3339(due).ok());
        let body = json!({
            "name": ticket["subject"],
            "description": domain::footer::with_footer(ticket["description"].as_str().expect("text"), &footer),
            "status": status,
            "priority": priority,
            "assignees": member.into_iter().collect::<Vec<_>>(),
            "tags": tags,
            "due_date": due.map(|due| due.timestamp_millis()),
            "due_date_time": true,
            "custom_fields": self.custom_fields(ticket),
        });
        let list = self.scenario.workspace.lists[0].id.clone();
        let made = self.sync_c(Method::POST, &format!("/api/v2/list/{list}/task"), body).await;
        made["id"].as_str().expect("an id").to_owned()
    }

    fn custom_fields(&self, ticket: &Json) -> Vec<Json> {
        let entries = ticket["custom_fields"].as_array().expect("fields");
        let convert = |field: &crate::seedwork::workspace::CustomField| {
            let value = &entries.iter().find(|entry| entry["id"] == field.zendesk)?["value"];
            let value = match (field.kind, value) {
                (_, Json::Null) => return None,
                (FieldKind::DropDown, tag) => {
                    json!(field.options.iter().find(|option| *tag == option.tag)?.uuid)
                }
                (FieldKind::Number, number) => json!(number.as_str()?.parse::<i64>().ok()?),
                (FieldKind::Date, day) => {
                    let day = chrono::NaiveDate::parse_from_str(day.as_str()?, "%Y-%m-%d").ok()?;
                    json!(day.and_hms_opt(12, 0, 0)?.and_utc().timestamp_millis())
                }
                (_, other) => other.clone(),
            };
            Some(json!({ "id": field.clickup, "value": value }))
        };
        self.scenario.workspace.fields.iter().filter_map(convert).collect()
    }

    /// A ticket comment copied to its task as deskup does.
    pub async fn copy_comment(&mut self, ticket: i64, comment: &Json) {
        let author = comment["author_id"].as_i64().expect("a number");
        let name = self.rules.name(Side::Zendesk, author).unwrap_or("somebody").to_owned();
        let text = format!(
            "{name}, Zendesk comment {} (public reply, then):\n\n{}",
            comment["id"],
            comment["body"].as_str().expect("text")
        );
        let path = format!("/api/v2/task/{}/comment", self.tasks[&ticket]);
        self.sync_c(Method::POST, &path, json!({ "comment_text": text, "notify_all": false })).await;
    }

    /// Time passes.
    pub fn tick(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn now(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    pub fn mark(&mut self, phase: &str) {
        self.tick(SECOND_MS);
        self.marks.push(Mark { phase: phase.into(), at_ms: self.now(), ..Mark::default() });
    }

    /// A conflict row, now.
    pub fn keep(&mut self, ticket: i64, field: &str, zendesk: Value, clickup: Value) {
        self.kept.conflicts.push(KeptConflict {
            ticket: ticket_id(ticket),
            at_ms: self.now(),
            conflict: Conflict {
                field: field.parse().expect("a field"),
                cause: ConflictCause::BothChanged,
                base: Value::Null,
                zendesk,
                clickup,
                winner: None,
                rule: String::new(),
            },
        });
    }

    /// A request of deskup to ClickUp.
    pub async fn sync_c(&self, method: Method, path: &str, body: Json) -> Json {
        let deskup = Colleague {
            name: "deskup".into(),
            email: String::new(),
            zendesk: None,
            clickup: Some(CLICKUP_SYNC_ID),
            group: None,
        };
        self.tick(SECOND_MS);
        let mut request = act::clickup(&deskup, method, path, Some(body), "").expect("a request");
        request.headers_mut().remove(simulators::changes::EDIT_HEADER);
        let answer = self.clickup.handle(request).await;
        assert!(answer.status().is_success(), "{path}: {:?}", answer.body());
        serde_json::from_slice(answer.body()).unwrap_or_default()
    }

    /// An update of a ticket by deskup.
    pub async fn sync_z(&self, ticket: i64, members: Json) {
        let deskup = Colleague {
            name: "deskup".into(),
            email: ZENDESK_SYNC_EMAIL.into(),
            zendesk: Some(self.scenario.cast.zendesk_sync),
            clickup: None,
            group: None,
        };
        self.tick(SECOND_MS);
        let path = format!("/api/v2/tickets/{ticket}");
        let body = Some(json!({ "ticket": members }));
        let mut request = act::zendesk(&deskup, Method::PUT, &path, body, "").expect("a request");
        request.headers_mut().remove(simulators::changes::EDIT_HEADER);
        let answer = self.zendesk.handle(request).await;
        assert!(answer.status().is_success(), "{path}: {:?}", answer.body());
    }

    /// An update of a ticket by an agent.
    pub async fn person_z(&self, ticket: i64, members: Json, edit: &str) {
        let agent = self.scenario.cast.agents().next().expect("an agent");
        self.tick(SECOND_MS);
        let path = format!("/api/v2/tickets/{ticket}");
        let body = Some(json!({ "ticket": members }));
        let request = act::zendesk(agent, Method::PUT, &path, body, edit).expect("a request");
        let answer = self.zendesk.handle(request).await;
        assert!(answer.status().is_success(), "{path}: {:?}", answer.body());
    }

    /// A request about a ticket's task by a member.
    pub async fn person_c(&self, method: Method, ticket: i64, rest: &str, body: Json, edit: &str) -> Json {
        let member = self.scenario.cast.members().next().expect("a member");
        self.tick(SECOND_MS);
        let path = format!("/api/v2/task/{}{rest}", self.tasks[&ticket]);
        let request = act::clickup(member, method, &path, Some(body), edit).expect("a request");
        let answer = self.clickup.handle(request).await;
        assert!(answer.status().is_success(), "{path}: {:?}", answer.body());
        serde_json::from_slice(answer.body()).unwrap_or_default()
    }

    /// A ticket with this status and, where possible, an agent known on both sides.
    pub fn ticket(&self, status: &str) -> i64 {
        let known = |id: i64| self.scenario.cast.by_zendesk(id).is_some_and(|agent| agent.clickup.is_some());
        let fits = self.scenario.tickets.iter().filter(|ticket| ticket.status == status);
        let mut fits = fits.filter(|ticket| ticket.assignee.is_none_or(known) && ticket.subject.is_some());
        fits.next().expect("such a ticket").id
    }

    /// The path of a ticket's task.
    pub fn task_path(&self, ticket: i64) -> String {
        format!("/api/v2/task/{}", self.tasks[&ticket])
    }

    pub fn testimony(&self) -> Testimony {
        Testimony {
            rules: self.rules.clone(),
            tickets: self.zendesk.tickets(),
            tasks: self.clickup.tasks(),
            zendesk_changes: self.zendesk.changes(),
            clickup_changes: self.clickup.changes(),
            guest_lists: self.guest_lists.clone(),
            kept: self.kept.clone(),
            marks: self.marks.clone(),
            delivered: self.delivered.clone(),
            refused: self.refused.clone(),
            effort: Effort::default(),
            seed: 11,
            state_file: None,
        }
    }

    pub fn judge(&self) -> (Verdict, Details) {
        judge(&self.testimony())
    }
}

pub fn ticket_id(id: i64) -> TicketId {
    TicketId::new(u64::try_from(id).expect("positive")).expect("not zero")
}
