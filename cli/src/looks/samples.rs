//! What the pictures show: a desk like many, with texts from outside wherever the services let people write.

use std::collections::BTreeMap;

use domain::{Side, TicketId};
use functions::person::Braked;
use serde_json::json;
use stores::Lane;
use stores::switches::Switch;
use stores::tally::Tally;

use super::Shown;
use crate::query::conflicts::{ConflictDetails, ConflictView, Origin, SettledView, Shown as Both};
use crate::query::explain::{ChangeView, ExplainView, FieldView, WriteView};
use crate::query::line_of;
use crate::query::offers::Offers;
use crate::query::quarantine::{GroupView, RecordView, advice};
use crate::query::status::{
    AlarmView, BudgetView, Convergence, CursorView, ExecutionView, HeardView, HolderView, StatusView,
    SwitchView, Unconfirmed,
};

/// One sample with these texts of people added to its own.
pub fn shown(one: &str, two: &str) -> Shown {
    let conflicts = vec![
        conflict(
            "12-3fa9c1",
            "title",
            "both_changed",
            (
                &format!("The chair came in light grey instead of dark green{one}"),
                &format!("Chair: wrong colour, send the right one{two}"),
            ),
        ),
        conflict(
            "14-0dbc82",
            "assignee",
            "no_counterpart",
            (&format!("Rosalind Okonkwo-Fitzgerald{two}"), "-"),
        ),
        conflict(
            "2010-d60c97",
            "custom.order_number",
            "description_read_only",
            (&format!("日本語の注文 {one}"), "שלום, A-56072"),
        ),
        settled(
            conflict(
                "14-22b68b",
                "due_date",
                "lost_update",
                ("2026-04-29T15:00:00Z", "2026-03-10T12:00:00Z"),
            ),
            one,
        ),
    ];
    Shown {
        calm: status(Vec::new(), Vec::new(), one),
        alarmed: status(
            vec![
                alarm(
                    "brake",
                    format!(
                        "the brake is on since 2026-03-02T08:04:37Z: 21 links would change their status to done on ClickUp within ten minutes (allowed: 20){one}; `deskup release` shows what waits behind it"
                    ),
                ),
                alarm(
                    "cursor",
                    "the stream `tickets` was not read to its end for 37 min; see the log of `deskup serve`"
                        .to_owned(),
                ),
            ],
            vec![switch("brake", one), switch("backfill", two)],
            two,
        ),
        details: details(conflicts[0].clone(), one, two),
        explained: explained(&conflicts, one, two),
        groups: groups(one),
        braked: braked(one),
        conflicts,
    }
}

fn alarm(kind: &'static str, text: String) -> AlarmView {
    AlarmView { kind, text }
}

fn switch(name: &str, reason: &str) -> SwitchView {
    SwitchView {
        name: name.to_owned(),
        reason: format!("migration until noon {reason}"),
        by: format!("jo{reason}"),
        since: "2026-03-02T08:04:37Z".to_owned(),
        until: None,
    }
}

fn counts(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
    of.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect()
}

fn status(alarms: Vec<AlarmView>, paused: Vec<SwitchView>, text: &str) -> StatusView {
    let heard = |service, age_ms| HeardView {
        service,
        last_event: Some("2026-03-02T08:03:22Z".to_owned()),
        age_ms,
        found_since: 0,
        unconfirmed_since: 0,
    };
    StatusView {
        alarms,
        state_file: "/srv/deskup/deskup.sqlite".to_owned(),
        since: Some("2026-01-12T09:00:00Z".to_owned()),
        holder: Some(HolderView {
            who: "process 4711 (deskup)".to_owned(),
            since: "2026-03-01T22:00:00Z".to_owned(),
        }),
        should_run: true,
        run_unfinished: false,
        is_demo: false,
        convergence: Convergence { linked: 48_211, settled: 48_190, with_conflict: 27, percent: 99.9 },
        links: counts(&[("linked", 48_211), ("suspended", 3), ("probe", 1)]),
        work: counts(&[("live", 14), ("reconcile", 2), ("backfill", 0)]),
        unconfirmed: Unconfirmed { waiting: 6, overdue: 1 },
        paused,
        conflicts: counts(&[
            ("both_changed", 9),
            ("description_read_only", 12),
            ("no_counterpart", 4),
            ("ticket_closed", 2),
            ("lost_update", 1),
        ]),
        quarantine: counts(&[("clickup_subcat_900", 17)]),
        heard: vec![heard(Side::Zendesk, Some(21_000)), heard(Side::Clickup, None)],
        cursors: vec![
            cursor(
                "tickets",
                &format!("MTc3MjQzODYxMC4wfHw4NjkyeXdzMjQxNzcyNDM4NjEwLjB8{text}"),
                Some(31_000),
            ),
            cursor("ticket-events", "1772438610", Some(400)),
            cursor("tasks", "1772438607241", None),
        ],
        comment_sweep_minutes: 4_821,
        budgets: vec![BudgetView {
            api: "zendesk",
            limit: "tickets-update",
            used: 1_200,
            of: 10_000,
            until: "2026-03-02T08:09:01Z".to_owned(),
        }],
        executions: vec![
            execution("ticket-sync-poll", "SUCCEEDED", None),
            execution("ticket-sync-backfill", "FAILED", Some(format!("Rejected{text}"))),
        ],
    }
}

fn cursor(stream: &str, cursor: &str, looked_age_ms: Option<i64>) -> CursorView {
    CursorView {
        stream: stream.to_owned(),
        cursor: cursor.to_owned(),
        version: 31_207,
        moved: "2026-03-02T08:04:37Z".to_owned(),
        looked: looked_age_ms.map(|_| "2026-03-02T08:04:37Z".to_owned()),
        looked_age_ms,
    }
}

fn execution(workflow: &str, status: &str, error: Option<String>) -> ExecutionView {
    ExecutionView {
        id: "x-1".to_owned(),
        workflow: workflow.to_owned(),
        status: status.to_owned(),
        step: "SettleEffects".to_owned(),
        started: "2026-03-02T08:04:37Z".to_owned(),
        ran_ms: 8_641,
        transitions: 5,
        error,
    }
}

fn conflict(id: &str, field: &str, cause: &str, (zendesk, clickup): (&str, &str)) -> ConflictView {
    let offers = match cause {
        "no_counterpart" => Offers { instead: Some("say who it is in [people]"), ..Offers::default() },
        "description_read_only" => Offers {
            can: vec![Side::Zendesk],
            cannot: vec![(Side::Clickup, "Zendesk's description is read only".to_owned())],
            instead: None,
        },
        _ => Offers { can: vec![Side::Zendesk, Side::Clickup], ..Offers::default() },
    };
    ConflictView {
        id: id.to_owned(),
        ticket: 12,
        field: field.to_owned(),
        state: "open".to_owned(),
        cause: cause.to_owned(),
        rule: "zendesk".to_owned(),
        winner: (cause == "both_changed").then_some(Side::Zendesk),
        at: "2026-03-02T08:02:32Z".to_owned(),
        base: json!("Chair"),
        zendesk: json!(zendesk),
        clickup: json!(clickup),
        can_apply: offers.can.clone(),
        offers,
        rule_shown: "zendesk".to_owned(),
        shown: Both { zendesk: line_of(&json!(zendesk)), clickup: line_of(&json!(clickup)) },
        before: line_of(&json!(zendesk)),
        asked: None,
        answer: None,
        settled: None,
    }
}

fn settled(view: ConflictView, by: &str) -> ConflictView {
    let settled = SettledView {
        by: format!("jo{by}"),
        at: "2026-03-02T09:00:00Z".to_owned(),
        side: Some(Side::Clickup),
    };
    ConflictView { state: "applied".to_owned(), settled: Some(settled), ..view }
}

fn details(conflict: ConflictView, one: &str, two: &str) -> ConflictDetails {
    let long = format!(
        "I ordered the chair in dark green and got the light grey one. The label on the box says dark green.\n\nI would rather have the right one than my money back, if that is quick. {one}\n{two}"
    );
    ConflictDetails {
        task: Some("8692yws33".to_owned()),
        link: "linked".to_owned(),
        zendesk_set: Origin {
            at: Some("2026-03-02T08:02:30Z".to_owned()),
            by: Some(format!("Rosalind Okonkwo-Fitzgerald{two} (6130900003072)")),
        },
        clickup_set: Origin::default(),
        zendesk_now: conflict.zendesk.clone(),
        clickup_now: json!("Something newer"),
        now_shown: Both {
            zendesk: conflict.shown.zendesk.clone(),
            clickup: line_of(&json!(format!("Something newer{one}"))),
        },
        conflict: ConflictView {
            zendesk: json!(long),
            answer: Some(format!("Zendesk's value was changed since the choice was made{two}")),
            ..conflict
        },
    }
}

fn explained(conflicts: &[ConflictView], one: &str, two: &str) -> ExplainView {
    let write = WriteView {
        at: "2026-03-02T08:03:00Z".to_owned(),
        to: Side::Clickup,
        before: json!(one),
        after: json!(two),
        shown: (
            line_of(&json!(format!("Chair{one}"))),
            line_of(&json!(format!("The chair came in light grey instead{two}"))),
        ),
        cause: "ticket-sync-live-3-17".to_owned(),
        rule: String::new(),
        state: "confirmed".to_owned(),
    };
    let change = ChangeView {
        at: "2026-03-02T08:02:30Z".to_owned(),
        on: Side::Zendesk,
        by: Some(format!("Rosalind Okonkwo-Fitzgerald{one} (6130900003072)")),
        to: None,
        shown: Some(line_of(&json!(two))),
    };
    let field = |name: &str, why: &str| FieldView {
        field: name.to_owned(),
        zendesk: json!(one),
        clickup: json!(two),
        shown: Both {
            zendesk: line_of(&json!(format!("The chair came in light grey instead of dark green{one}"))),
            clickup: line_of(&json!(format!("Chair{two}"))),
        },
        writes: Vec::new(),
        changes: Vec::new(),
        conflicts: Vec::new(),
        why: why.to_owned(),
    };
    let title = FieldView {
        writes: vec![write],
        changes: vec![change],
        conflicts: conflicts.to_vec(),
        ..field("title", "2026-03-02T08:03:00Z: written to ClickUp, Zendesk had changed")
    };
    ExplainView {
        ticket: 12,
        task: Some("8692yws33".to_owned()),
        list: Some("901102".to_owned()),
        list_shown: Some(format!("Billing and refunds{two} (901102)")),
        state: "linked".to_owned(),
        origin: "ticket-sync-backfill-1-1 created".to_owned(),
        fields: vec![title, field("custom.order_number", "as it was when the task was made")],
        comments: 4,
        attachments: 1,
        quarantine: Some("clickup_subcat_900".to_owned()),
    }
}

fn groups(text: &str) -> Vec<GroupView> {
    let group = |cause: &str, count: usize| GroupView {
        cause: cause.to_owned(),
        fingerprint: "9c1185a5c5e9fc54".to_owned(),
        count,
        what: Some("ClickUp: POST /list/901/task: refused (SUBCAT_900)".to_owned()),
        since: "2026-03-01T17:40:00Z".to_owned(),
        last: "2026-03-02T08:02:32Z".to_owned(),
        advice: advice(cause),
        records: (0..count.min(7))
            .map(|n| RecordView {
                record: format!("ticket {}", 2_000 + n),
                part: (n == 1).then(|| format!("CM#z#123{text}")),
                cause: cause.to_owned(),
                fingerprint: "9c1185a5c5e9fc54".to_owned(),
                what: Some("ClickUp: POST /list/901/task: refused (SUBCAT_900)".to_owned()),
                attempts: 11,
                at: "2026-03-02T08:02:32Z".to_owned(),
                advice: advice(cause),
            })
            .collect(),
    };
    vec![group("clickup_subcat_900", 17), group(&format!("zendesk_recordinvalid{text}"), 1)]
}

fn braked(text: &str) -> Braked {
    Braked {
        brake: Some(Switch {
            reason: format!(
                "21 links would change their status to done{text} on ClickUp within ten minutes (allowed: 20)"
            ),
            by: "brake".to_owned(),
            at_ms: 1_772_438_677_000,
            until_ms: None,
        }),
        tally: Tally {
            touched: 412,
            suspended: 3,
            closed: 21,
            mapped: 0,
            status: BTreeMap::from([
                (format!("done{text} on ClickUp"), 21),
                ("open on Zendesk".to_owned(), 2),
            ]),
            allowed: 0,
        },
        waiting: BTreeMap::from([(Lane::Live, 1_208), (Lane::Reconcile, 4), (Lane::Backfill, 0)]),
        first: (1..=10).filter_map(|n| TicketId::new(n * 117).ok()).collect(),
    }
}
