//! A million forged deliveries: none is taken, none changes anything, none makes the intake fall over; and a genuine one
//! that comes again changes nothing more.

use domain::Side;
use functions::registration::{self, Accounts};
use functions::{Context, webhook};
use http::StatusCode;
use tests::deliveries::{Delivery, genuine, stage};
use tests::whole::on_paused_clock;

/// Forged deliveries, both sides together.
const FORGED: u32 = 1_000_000;

/// What a delivery changes: work rows and evidence are written by these.
fn written(cx: &Context) -> u64 {
    let requests = cx.store.operations().requests;
    ["PutItem", "UpdateItem", "DeleteItem"].iter().filter_map(|name| requests.get(*name)).sum()
}

/// The first delivery, of so many, that was taken or changed something.
async fn first_taken(
    cx: &Context,
    count: u32,
    mut forge: impl FnMut(u32) -> Delivery,
) -> Option<(u32, StatusCode, Delivery)> {
    let before = written(cx);
    for number in 0..count {
        let forged = forge(number);
        let answered = webhook::handle(cx, forged.side, forged.request()).await;
        let status = answered.response.status();
        let refused = matches!(status, StatusCode::FORBIDDEN | StatusCode::SERVICE_UNAVAILABLE);
        if !refused || answered.wake_ms.is_some() || written(cx) != before {
            return Some((number, status, forged));
        }
    }
    None
}

#[test]
fn a_million_forged_deliveries_change_nothing() {
    on_paused_clock(async {
        let stage = stage();
        let (cx, genuine) = genuine(&stage).await;
        let mut rng = fastrand::Rng::with_seed(1);
        // The first wrong signature of a side makes the intake ask for its secrets, which books a call.
        for delivery in &genuine {
            let _ = first_taken(&cx, 1, |_| delivery.forged(&mut rng)).await;
        }
        let taken = first_taken(&cx, FORGED, |number| genuine[(number % 2) as usize].forged(&mut rng)).await;
        assert!(taken.is_none(), "{taken:?}");
    });
}

#[test]
fn a_delivery_that_is_taken_is_found() {
    on_paused_clock(async {
        let stage = stage();
        let (cx, genuine) = genuine(&stage).await;
        for delivery in &genuine {
            let mut rng = fastrand::Rng::with_seed(2);
            let _ = first_taken(&cx, 1, |_| delivery.forged(&mut rng)).await;
            let planted = |number| if number == 700 { delivery.clone() } else { delivery.forged(&mut rng) };
            let found = first_taken(&cx, 1_000, planted).await.map(|(number, ..)| number);
            assert_eq!(found, Some(700), "{}", delivery.side);
        }
    });
}

#[test]
fn a_genuine_delivery_is_taken_once() {
    on_paused_clock(async {
        let stage = stage();
        let (cx, genuine) = genuine(&stage).await;
        for delivery in genuine {
            let before = written(&cx);
            let first = webhook::handle(&cx, delivery.side, delivery.request()).await;
            assert_eq!(first.response.status(), StatusCode::OK);
            assert!(first.wake_ms.is_some() && written(&cx) > before, "{}: news", delivery.side);
            let after = written(&cx);
            let again = webhook::handle(&cx, delivery.side, delivery.request()).await;
            assert_eq!((again.response.status(), again.wake_ms), (StatusCode::OK, None));
            assert_eq!(written(&cx), after, "{}: a replay wrote something", delivery.side);
        }
    });
}

/// Of two webhooks at one place, made by two processes at once or by one that did not hear of its first, one goes.
#[test]
fn a_second_webhook_at_the_same_place_is_removed() {
    on_paused_clock(async {
        let stage = stage();
        let (cx, _) = genuine(&stage).await;
        let (accounts, endpoints) = (Accounts::of(&cx), cx.hooks.endpoints().expect("it is registered"));
        let events = ["zen:event-type:ticket.created"];
        let other = accounts.zendesk.create_webhook("other", "https://other.example/zendesk", &events).await;
        let other = other.expect("somebody else's").id;
        accounts.zendesk.create_webhook("deskup", &endpoints.zendesk, &events).await.expect("a second one");
        let ids = async || {
            let hooks = registration::list(&accounts, Side::Zendesk, Some(&endpoints)).await.expect("a list");
            hooks.into_iter().map(|hook| (hook.id, hook.ours)).collect::<Vec<_>>()
        };
        assert_eq!(ids().await.iter().filter(|(_, ours)| *ours).count(), 2);
        let kept = registration::register(&accounts, &endpoints, Side::Zendesk).await.expect("registers");
        let mut expected = vec![(kept.id, true), (other, false)];
        expected.sort();
        let mut left = ids().await;
        left.sort();
        assert_eq!(left, expected);
    });
}
