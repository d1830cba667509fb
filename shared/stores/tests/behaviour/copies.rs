//! Comment and attachment maps.

use domain::{Side, Visibility};
use stores::Intended;
use stores::comments::MapState;

use crate::bench::{Bench, ticket};

crate::on_every_table!(
    a_comment_and_its_copy_know_each_other,
    a_comment_is_intended_once,
    another_attempt_needs_its_own_nonce,
    a_skipped_comment_keeps_its_reason,
    visibility_is_only_tightened,
    a_file_and_its_copy_know_each_other,
);

const T: u64 = 7;

async fn a_comment_and_its_copy_know_each_other(bench: &Bench) {
    let comments = bench.store.comments();
    comments.intend(ticket(T), Side::Zendesk, "11", "n1", Visibility::Public, "h").await.expect("intends");
    for _ in 0..2 {
        comments.done(ticket(T), Side::Zendesk, "11", "n1", "c#9").await.expect("done, also when repeated");
    }
    let rows = comments.list(ticket(T)).await.expect("lists");
    assert_eq!(rows.len(), 2);
    let original = &rows[&(Side::Zendesk, "11".to_owned())];
    assert_eq!((original.state, original.other_id.as_deref()), (MapState::Done, Some("c#9")));
    assert_eq!((original.hash.as_str(), original.visibility), ("h", Visibility::Public));
    let copy = &rows[&(Side::Clickup, "c#9".to_owned())];
    assert_eq!(
        (copy.state, copy.of.as_deref(), copy.visibility),
        (MapState::Copy, Some("11"), Visibility::Public)
    );
    let other = comments.done(ticket(T), Side::Zendesk, "11", "n1", "c#10").await;
    assert!(other.is_err_and(|error| error.is_stale()), "one copy only");
}

async fn a_comment_is_intended_once(bench: &Bench) {
    let comments = bench.store.comments();
    let first = comments
        .intend(ticket(T), Side::Clickup, "5", "n1", Visibility::Internal, "h")
        .await
        .expect("intends");
    let Intended::New(first) = first else { panic!("nobody was before") };
    let second = comments.intend(ticket(T), Side::Clickup, "5", "n2", Visibility::Public, "h2").await;
    assert_eq!(second, Ok(Intended::Existing(first)));
}

async fn another_attempt_needs_its_own_nonce(bench: &Bench) {
    let comments = bench.store.comments();
    comments.intend(ticket(T), Side::Zendesk, "11", "n1", Visibility::Public, "h").await.expect("intends");
    comments.renew(ticket(T), Side::Zendesk, "11", "n1", "n2").await.expect("renews");
    let late = comments.done(ticket(T), Side::Zendesk, "11", "n1", "c1").await;
    assert!(late.is_err_and(|error| error.is_stale()), "the first attempt is over");
    comments.done(ticket(T), Side::Zendesk, "11", "n2", "c2").await.expect("the second one is done");
    let row = comments.get(ticket(T), Side::Zendesk, "11").await.expect("reads").expect("it is there");
    assert_eq!(row.other_id.as_deref(), Some("c2"));
}

async fn a_skipped_comment_keeps_its_reason(bench: &Bench) {
    let comments = bench.store.comments();
    let skip = |id: &'static str| {
        comments.skip(ticket(T), Side::Zendesk, id, Visibility::Internal, "internal notes stay")
    };
    for _ in 0..2 {
        skip("1").await.expect("skips, also when repeated");
    }
    let row = comments.get(ticket(T), Side::Zendesk, "1").await.expect("reads").expect("it is there");
    assert_eq!((row.state, row.reason.as_deref()), (MapState::Skipped, Some("internal notes stay")));
    comments.intend(ticket(T), Side::Zendesk, "2", "n", Visibility::Public, "h").await.expect("intends");
    comments.done(ticket(T), Side::Zendesk, "2", "n", "c").await.expect("done");
    skip("2").await.expect("too late, and harmless");
    let row = comments.get(ticket(T), Side::Zendesk, "2").await.expect("reads").expect("it is there");
    assert_eq!(row.state, MapState::Done);
}

async fn visibility_is_only_tightened(bench: &Bench) {
    let comments = bench.store.comments();
    comments.intend(ticket(T), Side::Zendesk, "1", "n", Visibility::Public, "h").await.expect("intends");
    comments.tighten(ticket(T), Side::Zendesk, "1").await.expect("tightens");
    comments.tighten(ticket(T), Side::Zendesk, "2").await.expect("what is not there is not made");
    let rows = comments.list(ticket(T)).await.expect("lists");
    assert_eq!(rows.values().map(|row| row.visibility).collect::<Vec<_>>(), [Visibility::Internal]);
}

async fn a_file_and_its_copy_know_each_other(bench: &Bench) {
    let files = bench.store.attachments();
    let intended =
        files.intend(ticket(T), Side::Zendesk, "a1", "n", Some(9), Some("ff")).await.expect("intends");
    let Intended::New(row) = intended else { panic!("nobody was before") };
    assert_eq!((row.size, row.sha256.as_deref()), (Some(9), Some("ff")));
    files.done(ticket(T), Side::Zendesk, "a1", "n", "f1").await.expect("done");
    files.skip(ticket(T), Side::Zendesk, "a2", "too large").await.expect("skips");
    let rows = files.list(ticket(T)).await.expect("lists");
    let states: Vec<_> = rows.iter().map(|((side, id), row)| (*side, id.as_str(), row.state)).collect();
    assert_eq!(
        states,
        [
            (Side::Zendesk, "a1", MapState::Done),
            (Side::Zendesk, "a2", MapState::Skipped),
            (Side::Clickup, "f1", MapState::Copy),
        ]
    );
    let copy = files.get(ticket(T), Side::Clickup, "f1").await.expect("reads").expect("it is there");
    assert_eq!(copy.of.as_deref(), Some("a1"));
}
