//! The laws of the three-way merge (I5).

use std::collections::BTreeSet;

use domain::merge::{Against, Merged, Rule, Times, merge, merge_sets};
use domain::{Side, Timestamp, Value};
use proptest::prelude::*;

/// A million of the laws together; another number a law is asked for by `DESKUP_CASES`.
fn cases() -> u32 {
    std::env::var("DESKUP_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(170_000)
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        "[ab]{1,2}".prop_map(Value::Text),
        members().prop_map(domain::merge::set_value),
        (0..3i64).prop_map(Value::Date),
        any::<bool>().prop_map(Value::Bool),
    ]
}

fn members() -> impl Strategy<Value = BTreeSet<String>> {
    proptest::collection::btree_set("[abc]", 0..4)
}

fn rule() -> impl Strategy<Value = Rule> {
    let side = prop_oneof![Just(Side::Zendesk), Just(Side::Clickup)];
    prop_oneof![
        side.clone().prop_map(Rule::Owner),
        side.prop_map(Rule::Newest),
        Just(Rule::Union),
        Just(Rule::Ask)
    ]
}

fn times() -> impl Strategy<Value = Times> {
    let time = || proptest::option::of((0..3i64).prop_map(Timestamp));
    (time(), time()).prop_map(|(zendesk, clickup)| Times { zendesk, clickup })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: cases(), ..ProptestConfig::default() })]

    /// merge(b, x, x) = x, and merge(b, b, x) = merge(b, x, b) = x, by any rule and without a clash.
    #[test]
    fn what_agrees_or_moved_on_one_side_needs_no_rule(b in value(), x in value(), r in rule(), t in times()) {
        let x_alone = Merged { value: Some(x.clone()), clash: None };
        prop_assert_eq!(merge(&b, &x, &x, r, t), x_alone.clone());
        prop_assert_eq!(merge(&b, &b, &x, r, t), x_alone.clone());
        prop_assert_eq!(merge(&b, &x, &b, r, t), x_alone);
    }

    /// Exchanging the sides and the rule exchanges nothing in the result.
    #[test]
    fn sides_and_rules_swap(b in value(), z in value(), c in value(), r in rule(), t in times()) {
        let swapped_times = Times { zendesk: t.clickup, clickup: t.zendesk };
        let one = merge(&b, &z, &c, r, t);
        let two = merge(&b, &c, &z, r.swapped(), swapped_times);
        prop_assert_eq!(one.value, two.value);
        let winner = |merged: Option<domain::merge::Choice>| merged.and_then(|choice| choice.winner);
        prop_assert_eq!(winner(one.clash), winner(two.clash).map(Side::other));
    }

    /// Every value that is not the base is the result, or a clash keeps it; a merged set holds every add.
    #[test]
    fn no_value_is_lost(b in value(), z in value(), c in value(), r in rule(), t in times()) {
        let merged = merge(&b, &z, &c, r, t);
        for side in [&z, &c] {
            let is_result = merged.value.as_ref() == Some(side);
            let in_set = match (&merged.value, domain::merge::as_set(side), domain::merge::as_set(&b)) {
                (Some(result), Some(side), Some(base)) if r == Rule::Union => {
                    let result = domain::merge::as_set(result).unwrap_or_default();
                    side.difference(&base).all(|add| result.contains(add))
                        && base.difference(&side).all(|removed| !result.contains(removed))
                }
                _ => false,
            };
            prop_assert!(side == &b || is_result || in_set || merged.clash.is_some());
        }
    }

    /// A merge of what was merged changes nothing.
    #[test]
    fn a_result_is_stable(b in value(), z in value(), c in value(), r in rule(), t in times()) {
        if let Some(result) = merge(&b, &z, &c, r, t).value {
            prop_assert_eq!(merge(&result, &result, &result, r, t).value, Some(result));
        }
    }

    /// Adds and removes of both sides all happen; where the bases agree the results do too.
    #[test]
    fn sets_merge_by_adds_and_removes(b in members(), z in members(), c in members()) {
        let merged = merge_sets(Against::one(&b), &z, &c);
        let expected: BTreeSet<String> = b
            .iter()
            .filter(|member| z.contains(*member) && c.contains(*member))
            .chain(z.difference(&b))
            .chain(c.difference(&b))
            .cloned()
            .collect();
        prop_assert_eq!(&merged.zendesk, &expected);
        prop_assert_eq!(&merged.clickup, &expected);
    }

    /// Members that a conflict left apart stay apart until somebody touches them.
    #[test]
    fn untouched_members_stay_apart(bz in members(), bc in members()) {
        let merged = merge_sets(Against { zendesk: &bz, clickup: &bc }, &bz, &bc);
        prop_assert_eq!(&merged.zendesk, &bz);
        prop_assert_eq!(&merged.clickup, &bc);
    }
}

#[test]
fn newest_needs_both_times_and_says_so() {
    let (b, z, c) = (Value::Null, Value::Bool(true), Value::Bool(false));
    let rule = Rule::Newest(Side::Zendesk);
    let at = |z: Option<i64>, c: Option<i64>| Times { zendesk: z.map(Timestamp), clickup: c.map(Timestamp) };
    let said = |times| {
        let clash = merge(&b, &z, &c, rule, times).clash.unwrap();
        (clash.winner, clash.rule)
    };
    assert_eq!(said(at(Some(1), Some(2))), (Some(Side::Clickup), "newest".into()));
    assert_eq!(said(at(Some(2), Some(1))), (Some(Side::Zendesk), "newest".into()));
    assert_eq!(said(at(Some(2), Some(2))).1, "newest (same time, so zendesk)");
    assert_eq!(
        said(at(None, Some(1))),
        (Some(Side::Zendesk), "newest (a time is not known, so zendesk)".into())
    );
}
