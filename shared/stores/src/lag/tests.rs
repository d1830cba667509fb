//! What lags shows what was, only to those who may see it, and not for long.

use std::sync::Arc;
use std::time::Duration;

use crate::evidence::Evidence;
use crate::faults::FaultPlan;
use crate::store::Store;
use crate::work::Hint;
use crate::{Lane, Place, WorkKey};
use domain::{Side, TicketId};

/// Every write lags.
fn store() -> Store {
    let faults = FaultPlan { seed: 1, lag: 1.0, ..FaultPlan::none() };
    Store::embedded_with(Place::Memory, "t", Arc::new(|| 1_700_000_000_000), faults)
        .expect("a store in memory opens")
}

fn record() -> WorkKey {
    WorkKey::Ticket(TicketId::new(7).expect("an id"))
}

async fn hint(store: &Store) {
    let hint = Hint { lane: Lane::Live, delay_ms: 0, wants: &["z"], event_ms: 0, queue: None };
    store.work().hint(&record(), hint).await.expect("hints");
}

#[tokio::test(start_paused = true)]
async fn an_index_forgets_and_remembers_for_seconds_and_the_row_itself_never() {
    let store = store();
    hint(&store).await;
    let mut missing = 0;
    for _ in 0..40 {
        missing += usize::from(store.work().due(Lane::Live, 9).await.expect("reads").rows.is_empty());
        let row = store.work().due_of(&record()).await.expect("reads");
        assert!(row.is_some(), "a consistent read shows the row");
    }
    assert!((5..40).contains(&missing), "{missing} of 40 reads of the index missed the row");
    tokio::time::sleep(Duration::from_secs(6)).await;
    let due = store.work().due(Lane::Live, 9).await.expect("reads").rows;
    assert_eq!(due.len(), 1);
    let claim = store.work().claim(&due[0], 60_000).await.expect("claims").expect("it is free");
    store.work().done(&claim).await.expect("deletes");
    let mut still = 0;
    for _ in 0..40 {
        let seen = store.work().waiting(Lane::Live).await.expect("reads");
        still += seen.len();
        for due in seen {
            assert_eq!(store.work().claim(&due, 60_000).await, Ok(None), "what is gone cannot be claimed");
        }
    }
    assert!(still > 0, "no read of the index showed what was gone");
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(store.work().waiting(Lane::Live).await, Ok(Vec::new()));
    assert!(store.injected()["store: index lagged"] > 0);
}

#[tokio::test(start_paused = true)]
async fn an_eventual_read_may_answer_from_before_the_write() {
    let store = store();
    let event = Evidence {
        record: record(),
        provider: Side::Zendesk,
        event_id: "e".to_owned(),
        hash: "h".to_owned(),
        actor: None,
        at_ms: 1,
        field: None,
        before: None,
        after: None,
        member: None,
        taken_ms: 0,
    };
    store.evidence().put(&event).await.expect("writes");
    let mut seen = 0;
    for _ in 0..40 {
        seen +=
            usize::from(store.evidence().seen(&event.record, event.provider, "e", "h").await.expect("reads"));
        assert_eq!(store.evidence().list(&event.record).await.expect("reads").len(), 1, "consistent");
    }
    assert!((5..40).contains(&seen), "{seen} of 40 eventual reads saw the new row");
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(store.evidence().seen(&event.record, event.provider, "e", "h").await, Ok(true));
}
