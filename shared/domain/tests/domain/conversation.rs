//! Comments that travel: authorship, visibility, recognition.

use domain::conversation::{ZENDESK_COMMENT_BYTES_MAX, plan_comment_linked, truncate};
use domain::{
    Author, Comment, CommentPlan, Mapping, Side, Timestamp, UserId, Visibility, parse_origin, plan_comment,
};
use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::sample::{mapping, mapping_with};

fn comment(side: Side, author: i64, visibility: Visibility, body: &str) -> Comment {
    Comment {
        side,
        id: "123".into(),
        author: Author { id: UserId(author), name: String::new() },
        visibility,
        body: body.into(),
        created: Timestamp(1_700_000_000_000),
        attachments: Vec::new(),
        custom_metadata: None,
    }
}

fn check(comment: &Comment, mapping: &Mapping, guest_can_see: bool, expected: Expect) {
    expected.assert_eq(&match plan_comment(comment, mapping, guest_can_see) {
        CommentPlan::Mirror { text, visibility } => format!("{visibility:?}: {text}"),
        CommentPlan::Skip(reason) => format!("skip: {reason}"),
    });
}

#[test]
fn a_comment_says_who_wrote_it_where_and_when() {
    let public = comment(Side::Zendesk, 9, Visibility::Public, "Hello?\n");
    check(
        &public,
        &mapping(),
        true,
        expect![[r#"
        Public: Rita Requester, Zendesk comment 123 (public reply, 2023-11-14T22:13:20Z):

        Hello?
    "#]],
    );
    let clickup = comment(Side::Clickup, 103, Visibility::Internal, "On it.");
    check(
        &clickup,
        &mapping(),
        false,
        expect![[r#"
        Internal: Bob, ClickUp comment 123:

        On it."#]],
    );
    check(
        &comment(Side::Zendesk, -1, Visibility::Public, "Chat."),
        &mapping(),
        false,
        expect![[r#"
        Public: Zendesk (system), Zendesk comment 123 (public reply, 2023-11-14T22:13:20Z):

        Chat."#]],
    );
    check(
        &comment(Side::Clickup, 555, Visibility::Internal, "Who?"),
        &mapping(),
        false,
        expect![[r#"
        Internal: ClickUp user 555, ClickUp comment 123:

        Who?"#]],
    );
}

#[test]
fn internal_text_stays_internal() {
    let note = comment(Side::Zendesk, 2, Visibility::Internal, "Do not tell.");
    check(
        &note,
        &mapping(),
        false,
        expect!["skip: internal notes stay in Zendesk (internal_notes_to_clickup = false)"],
    );
    let open = mapping_with(&[("[sync]", "[sync]\ninternal_notes_to_clickup = true")]);
    check(
        &note,
        &open,
        false,
        expect![[r#"
        Internal: Ann, Zendesk comment 123 (internal note, 2023-11-14T22:13:20Z):

        Do not tell."#]],
    );
    check(&note, &open, true, expect!["skip: an internal note, and a guest can see the task"]);
}

#[test]
fn public_needs_an_explicit_rule_and_text_of_our_own_side() {
    let public = mapping_with(&[("comments_to_zendesk = \"internal\"", "comments_to_zendesk = \"public\"")]);
    let clickup = comment(Side::Clickup, 103, Visibility::Internal, "Done.");
    check(
        &clickup,
        &public,
        false,
        expect![[r#"
        Public: Bob, ClickUp comment 123:

        Done."#]],
    );
    let quote = "See:\nAnn, Zendesk comment 9 (internal note, 2023-11-14T22:13:20Z):\nDo not tell.";
    check(
        &comment(Side::Clickup, 103, Visibility::Internal, quote),
        &public,
        false,
        expect![[r#"
        Internal: Bob, ClickUp comment 123:

        See:
        Ann, Zendesk comment 9 (internal note, 2023-11-14T22:13:20Z):
        Do not tell."#]],
    );
}

#[test]
fn what_deskup_wrote_and_what_is_empty_stays() {
    check(
        &comment(Side::Zendesk, 1, Visibility::Internal, "A copy."),
        &mapping(),
        false,
        expect!["skip: deskup wrote it"],
    );
    check(
        &comment(Side::Clickup, 101, Visibility::Internal, "A copy."),
        &mapping(),
        false,
        expect!["skip: deskup wrote it"],
    );
    check(
        &comment(Side::Clickup, 103, Visibility::Internal, " \n"),
        &mapping(),
        false,
        expect!["skip: it has no text"],
    );
}

#[test]
fn a_name_cannot_forge_a_head() {
    let mut forged = comment(Side::Clickup, 103, Visibility::Internal, "x");
    forged.author.name = "Eve, Zendesk comment 1 (public reply, now):\n\nI agree".into();
    let CommentPlan::Mirror { text, .. } = plan_comment(&forged, &mapping(), false) else { panic!() };
    assert_eq!(parse_origin(&text), Some((Side::Clickup, "123".into())));
}

#[test]
fn a_long_comment_is_shortened_with_a_link() {
    let long = comment(Side::Clickup, 103, Visibility::Internal, &"ü".repeat(60_000));
    let plan = plan_comment_linked(&long, &mapping(), false, Some("https://app.clickup.com/t/1?comment=123"));
    let CommentPlan::Mirror { text, .. } = plan else { panic!() };
    assert!(text.len() <= ZENDESK_COMMENT_BYTES_MAX);
    assert!(text.ends_with("the whole text: https://app.clickup.com/t/1?comment=123]"));
    assert_eq!(parse_origin(&text), Some((Side::Clickup, "123".into())));
}

#[test]
fn only_a_whole_head_is_an_origin() {
    for text in [
        "",
        "Ann",
        "Ann, Zendesk comment 9",
        "Ann, Zendesk comment 9:",
        "Ann, ClickUp comment :",
        "x\nAnn, ClickUp comment 9:",
    ] {
        assert_eq!(parse_origin(text), None, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What is written is recognised, whatever the text and the name are.
    #[test]
    fn an_origin_reads_back(name in "\\PC{0,40}", body in "\\PC{1,80}", zendesk in any::<bool>()) {
        let side = if zendesk { Side::Zendesk } else { Side::Clickup };
        let mut comment = comment(side, 3, Visibility::Public, &body);
        comment.author.name = name;
        if let CommentPlan::Mirror { text, .. } = plan_comment(&comment, &mapping(), false) {
            prop_assert_eq!(parse_origin(&text), Some((side, "123".to_owned())));
        }
    }

    /// A shortened text fits and starts as the whole one.
    #[test]
    fn a_shortened_text_fits(text in "\\PC{0,400}", max in 120..300usize) {
        let short = truncate(&text, max, None);
        prop_assert!(short.len() <= max.max(text.len().min(max)));
        prop_assert!(text.len() > max || short == text);
    }
}
