//! How much work a delivery is: CPU time of one that is taken and of one that is refused, over the CPU time of the least
//! that could be done with the same bytes: their HMAC and one write of them to the store.
//!
//!     cargo bench --workspace --bench webhook
//!
//! All three run in turns in one process, on a table in memory. Linux only: it reads /proc.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and has nobody to report an error to"
)]

use clients::{Secret, signatures};
use functions::{Context, webhook};
use http::StatusCode;
use stores::configuration::Configuration;
use tests::deliveries::{Delivery, secrets, stage};
use tests::whole::on_paused_clock;

/// Turns, and deliveries in each.
const TURNS: u32 = 12;
const EACH: u32 = 1_000;

fn main() {
    on_paused_clock(async {
        let stage = stage();
        let (cx, [zendesk, _], _) = secrets(&stage).await;
        let mut rng = fastrand::Rng::with_seed(1);
        let mut spent = [Vec::new(), Vec::new(), Vec::new()];
        let mut version = cx.store.configuration().get().await.unwrap().unwrap_or_default().version;
        for turn in 0..=TURNS {
            let now_ms = cx.clock.now_ms();
            let genuine: Vec<Delivery> =
                (0..EACH).map(|n| Delivery::of_zendesk(&zendesk, turn * EACH + n, now_ms)).collect();
            let forged: Vec<Delivery> = genuine.iter().map(|one| wrongly_signed(one, &mut rng)).collect();
            let figures = [
                least(&cx, &zendesk, &genuine, &mut version).await,
                handled(&cx, &genuine, |status| status == StatusCode::OK).await,
                handled(&cx, &forged, is_refused).await,
            ];
            // The first turn warms up.
            if turn > 0 {
                spent.iter_mut().zip(figures).for_each(|(all, one)| all.push(one));
            }
        }
        let [least, accepted, refused] = spent.map(|mut all| {
            all.sort_by(f64::total_cmp);
            all[all.len() / 2] / f64::from(EACH) * 1e6
        });
        println!("CPU time of one delivery, median of {TURNS} turns of {EACH}");
        println!("  its HMAC and one write   {least:7.1} us");
        println!("  taken                    {accepted:7.1} us   {:.2} times that", accepted / least);
        println!("  refused                  {refused:7.1} us   {:.3} of one taken", refused / accepted);
    });
}

/// The same bytes under a signature of the right form.
fn wrongly_signed(genuine: &Delivery, rng: &mut fastrand::Rng) -> Delivery {
    let other = Secret::new(format!("another secret {}", rng.u64(..)));
    let timestamp = genuine.timestamp.as_deref().unwrap();
    Delivery { signature: signatures::zendesk_signature(&other, timestamp, &genuine.body), ..genuine.clone() }
}

async fn least(cx: &Context, secret: &Secret, deliveries: &[Delivery], version: &mut u64) -> f64 {
    let before = cpu_s();
    for delivery in deliveries {
        let timestamp = delivery.timestamp.as_deref().unwrap();
        assert_eq!(signatures::zendesk_signature(secret, timestamp, &delivery.body), delivery.signature);
        let settings = String::from_utf8_lossy(&delivery.body).into_owned();
        let row = Configuration { settings, directory: String::new(), version: *version, read_ms: 0 };
        cx.store.configuration().put(&row).await.unwrap();
        *version += 1;
    }
    cpu_s() - before
}

/// 503 where the secrets were asked for a moment ago and none fitted.
fn is_refused(status: StatusCode) -> bool {
    matches!(status, StatusCode::FORBIDDEN | StatusCode::SERVICE_UNAVAILABLE)
}

async fn handled(cx: &Context, deliveries: &[Delivery], fits: fn(StatusCode) -> bool) -> f64 {
    let requests: Vec<_> = deliveries.iter().map(|delivery| (delivery.side, delivery.request())).collect();
    let before = cpu_s();
    for (side, request) in requests {
        assert!(fits(webhook::handle(cx, side, request).await.response.status()));
    }
    cpu_s() - before
}

/// CPU time of this thread, in seconds.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e9
}
