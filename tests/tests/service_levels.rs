//! Zendesk tells when a ticket has to be answered: from the signed delivery to the order in which due work is taken.

use std::sync::Arc;

use clients::Secret;
use domain::{Lane, Side};
use functions::{Context, webhook};
use http::StatusCode;
use stores::WorkKey;
use tests::deliveries::{Delivery, secrets, stage};
use tests::hands::minutes;
use tests::whole::{Stage, on_paused_clock};

/// How long what is taken is left to its taker, ms.
const VISIBILITY_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60_000;

/// A deskup whose work nobody does, so that it can be seen in which order it would be.
struct Desk {
    stage: Stage,
    cx: Arc<Context>,
    zendesk: Secret,
    clickup: Secret,
}

impl Desk {
    async fn open() -> Self {
        let stage = stage();
        let (cx, [zendesk, clickup], _) = secrets(&stage).await;
        stage.driven().stop().await;
        Self { stage, cx, zendesk, clickup }
    }

    async fn deliver(&self, delivery: Delivery) {
        let answered = webhook::handle(&self.cx, delivery.side, delivery.request()).await;
        assert_eq!(answered.response.status(), StatusCode::OK);
    }

    /// Something happened to these tickets, one after the other.
    async fn changed(&self, tickets: &[u64]) {
        for ticket in tickets {
            let event = u32::try_from(*ticket).expect("small");
            self.deliver(Delivery::of_ticket(&self.zendesk, *ticket, event, self.cx.now_ms())).await;
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    }

    /// Zendesk told so long ago that a ticket has to be answered so long from now on.
    async fn told(&self, ticket: u64, ago_ms: i64, within_ms: Option<i64>) {
        let now_ms = self.cx.now_ms();
        let breach_ms = within_ms.map(|ms| now_ms + ms);
        // The service signs what it sends again at the time of sending.
        let told = Delivery::of_service_level(&self.zendesk, ticket, now_ms - ago_ms, breach_ms);
        self.deliver(told).await;
    }

    /// What a taker of two at a time gets, from first to last. It comes back a moment later.
    async fn taken(&self) -> Vec<WorkKey> {
        minutes(1).await;
        let mut taken = Vec::new();
        loop {
            let some =
                self.cx.scheduler.claim(Lane::Live, 2, 10 * MINUTE_MS).await.expect("the store answers");
            if some.claims.is_empty() {
                break;
            }
            for claim in some.claims {
                taken.push(claim.key.clone());
                self.cx
                    .store
                    .work()
                    .postpone(&claim, VISIBILITY_MS + 10 * MINUTE_MS, "test")
                    .await
                    .expect("ours");
            }
        }
        taken
    }
}

fn tickets(taken: &[WorkKey]) -> Vec<String> {
    taken.iter().map(ToString::to_string).collect()
}

#[test]
fn a_ticket_that_has_to_be_answered_soon_is_taken_before_what_was_due_earlier() {
    on_paused_clock(async {
        let desk = Desk::open().await;
        desk.changed(&[1, 2, 3, 4, 5]).await;
        desk.told(4, 0, Some(10_000)).await;
        // Later than it would be served anyway: no right to wait, nor to go first.
        desk.told(5, 0, Some(3 * 3_600_000)).await;
        assert_eq!(tickets(&desk.taken().await), ["T#4", "T#1", "T#2", "T#3", "T#5"]);
    });
}

#[test]
fn a_service_level_is_known_before_anything_happens_and_speaks_for_the_task_too() {
    on_paused_clock(async {
        let desk = Desk::open().await;
        let pairs = desk.stage.pairs().await;
        assert!(pairs.len() >= 4, "{pairs:?}");
        desk.told(pairs[3].0, 0, Some(MINUTE_MS)).await;
        for (n, (_, task)) in (1..).zip(&pairs[..4]) {
            desk.deliver(Delivery::of_clickup(&desk.clickup, task, n, desk.cx.now_ms())).await;
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
        let expected: Vec<String> = [3, 0, 1, 2].iter().map(|at| format!("C#{}", pairs[*at].1)).collect();
        assert_eq!(tickets(&desk.taken().await), expected);
    });
}

#[test]
fn a_service_level_that_is_over_orders_nothing_and_what_was_told_later_stands() {
    on_paused_clock(async {
        let desk = Desk::open().await;
        desk.changed(&[1, 2, 3, 4]).await;
        desk.told(4, 0, Some(5_000)).await;
        desk.told(4, 0, None).await;
        // Told earlier than what is known, and delivered after it.
        desk.told(4, 30_000, Some(5_000)).await;
        desk.told(3, 0, Some(6_000)).await;
        desk.told(3, 30_000, None).await;
        assert_eq!(tickets(&desk.taken().await), ["T#3", "T#1", "T#2", "T#4"]);
    });
}

#[test]
fn nobody_without_the_secret_decides_what_goes_first() {
    on_paused_clock(async {
        let desk = Desk::open().await;
        desk.changed(&[1, 2, 3, 4]).await;
        let breach_ms = desk.cx.now_ms() + 5_000;
        let of_others = Secret::new("not the secret");
        let forged = Delivery::of_service_level(&of_others, 4, desk.cx.now_ms(), Some(breach_ms));
        let answered = webhook::handle(&desk.cx, Side::Zendesk, forged.request()).await;
        assert_ne!(answered.response.status(), StatusCode::OK);
        assert_eq!(tickets(&desk.taken().await), ["T#1", "T#2", "T#3", "T#4"]);
    });
}
