//! People on the simulators alone, with tasks made by hand: deskup is not needed to see what they do.

use std::collections::{BTreeMap, BTreeSet};

use simulators::Change;

use super::{Intention, Kind, People, PlanOptions, Played, mischief, plan};
use crate::judge::fixture::Fixture;

/// So long ago that nobody waits: the fixture's clock stands still.
const LONG_AGO_MS: i64 = 0;

async fn play(fixture: &Fixture, intentions: &[Intention]) -> Played {
    let now = fixture.now();
    let now_ms = move || now;
    let mut people = People::new(&fixture.scenario, &fixture.zendesk, &fixture.clickup, &now_ms);
    people.play(intentions, LONG_AGO_MS, |_| ()).await
}

/// Changes of every edit by its name, in both services.
fn by_edit(fixture: &Fixture) -> BTreeMap<String, Vec<Change>> {
    let mut edits: BTreeMap<String, Vec<Change>> = BTreeMap::new();
    for change in fixture.zendesk.changes().into_iter().chain(fixture.clickup.changes()) {
        if let Some(edit) = change.edit.clone() {
            edits.entry(edit).or_default().push(change);
        }
    }
    edits
}

fn intentions() -> Vec<Intention> {
    plan(&PlanOptions { edits: 150, seed: 21, coinciding: 0.2, ..PlanOptions::default() })
}

#[tokio::test(start_paused = true)]
async fn every_edit_changes_one_thing_and_is_made_by_a_person() {
    let fixture = Fixture::new(false).await;
    let intentions = intentions();
    let played = play(&fixture, &intentions).await;
    assert!(played.done >= 140, "{played:?}");
    let edits = by_edit(&fixture);
    assert_eq!(edits.len() as u64, played.done);
    for (edit, changes) in &edits {
        let records: BTreeSet<&str> = changes.iter().map(|change| change.record.as_str()).collect();
        assert_eq!(records.len(), 1, "{edit}");
        // A drop-down of Zendesk brings its tag along; that is one edit all the same.
        let fields: Vec<&str> = changes.iter().map(|change| change.field.as_str()).collect();
        let side_effects = ["tags", "custom_status"];
        let own = fields.iter().filter(|field| !side_effects.contains(field)).count();
        assert!(own == 1 || fields == ["tags"], "{edit}: {fields:?}");
        for change in changes {
            assert_ne!(change.before, change.after, "{edit}");
            assert!(change.actor != fixture.rules.zendesk_sync && change.actor != fixture.rules.clickup_sync);
        }
    }
    let judged = fixture.judge().1.judged;
    let ids: BTreeSet<&str> = judged.iter().map(|case| case.edit.id.as_str()).collect();
    assert_eq!(ids.len(), edits.len(), "the judge sees every edit");
    assert_eq!(judged.len(), edits.len(), "and every edit is one field, one tag or one comment");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_is_played_again_makes_no_edit_twice() {
    let fixture = Fixture::new(false).await;
    let intentions = intentions();
    let first = play(&fixture, &intentions[..90]).await;
    let before = by_edit(&fixture);
    let second = play(&fixture, &intentions).await;
    assert_eq!(second.before, first.done);
    let after = by_edit(&fixture);
    for (edit, changes) in before {
        assert_eq!(after[&edit], changes, "{edit}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_makes_the_same_edits() {
    let (one, other) = (Fixture::new(false).await, Fixture::new(false).await);
    play(&one, &intentions()).await;
    play(&other, &intentions()).await;
    assert_eq!(by_edit(&one), by_edit(&other));
}

#[tokio::test(start_paused = true)]
async fn a_pair_hits_one_field_from_both_sides() {
    let fixture = Fixture::new(false).await;
    let intentions = intentions();
    play(&fixture, &intentions).await;
    let judged = fixture.judge().1.judged;
    let find = |id: &str| judged.iter().find(|case| case.edit.id == id);
    let mut pairs = 0;
    for second in intentions.iter().filter(|intention| intention.pair_of.is_some()) {
        let first = second.pair_of.as_deref().and_then(find);
        let (Some(first), Some(second)) = (first, find(&second.id)) else { continue };
        assert_eq!(first.edit.ticket, second.edit.ticket);
        assert_eq!(first.edit.field, second.edit.field);
        assert_ne!(first.edit.side, second.edit.side);
        assert!(first.coincides && second.coincides);
        pairs += 1;
    }
    assert!(pairs >= 5, "{pairs}");
}

#[tokio::test(start_paused = true)]
async fn what_the_other_side_cannot_take_is_among_the_edits() {
    let fixture = Fixture::new(false).await;
    play(&fixture, &intentions()).await;
    let (verdict, details) = fixture.judge();
    let reasons: BTreeSet<&str> = details.judged.iter().filter_map(|case| case.unmirrorable).collect();
    assert!(reasons.len() >= 3, "{reasons:?}");
    assert!(intentions().iter().any(|intention| intention.kind == Kind::OnClosed));
    // Nobody mirrors anything here, so what has no row is lost.
    assert!(verdict.lost > 50);
}

#[tokio::test(start_paused = true)]
async fn mischief_is_played_once_and_is_nobodys_duplicate() {
    let fixture = Fixture::new(false).await;
    let pranks = mischief::plan(12, 3, 1_000);
    let now = fixture.now();
    let now_ms = move || now;
    let mut people = People::new(&fixture.scenario, &fixture.zendesk, &fixture.clickup, &now_ms);
    let done = people.prank(&pranks, &fixture.clickup, LONG_AGO_MS).await;
    assert!(done >= 8, "{done}");
    let again = people.prank(&pranks, &fixture.clickup, LONG_AGO_MS).await;
    assert!(again <= 12 - done, "{again}");
    let (verdict, details) = fixture.judge();
    assert_eq!((verdict.duplicates, verdict.twins_seen, verdict.lost), (0, 0, 0));
    assert_eq!(details.faults(3), Vec::<String>::new());
}
