//! How every listing looks: at 80 and at 200 columns, with and without colour, and what no outside text can do to it.
//! `UPDATE_EXPECT=1` writes the pictures anew.

mod samples;

use expect_test::expect_file;
use functions::person::Braked;
use proptest::prelude::*;

use crate::query::conflicts::{ConflictDetails, ConflictView};
use crate::query::explain::ExplainView;
use crate::query::quarantine::GroupView;
use crate::query::status::StatusView;
use crate::terminal::Screen;
use crate::{conflicts, explain, pause, quarantine, status, width};

/// Everything that is drawn, of one sample.
struct Shown {
    calm: StatusView,
    alarmed: StatusView,
    conflicts: Vec<ConflictView>,
    details: ConflictDetails,
    explained: ExplainView,
    groups: Vec<GroupView>,
    braked: Braked,
}

/// A listing on a screen.
type Draw = fn(&Shown, &Screen) -> String;

const LISTINGS: [(&str, Draw); 10] = [
    ("status", |shown, screen| status::draw(&shown.calm, screen)),
    ("status_alarm", |shown, screen| status::draw(&shown.alarmed, screen)),
    ("conflicts", |shown, screen| conflicts::draw_list(&shown.conflicts[..3], false, screen)),
    ("conflicts_of_ticket", |shown, screen| conflicts::draw_list(&shown.conflicts, true, screen)),
    ("conflict", |shown, screen| conflicts::draw_details(&shown.details, screen)),
    ("explain", |shown, screen| explain::draw(&shown.explained, false, screen)),
    ("explain_field", |shown, screen| explain::draw(&shown.explained, true, screen)),
    ("quarantine", |shown, screen| quarantine::draw_list(&shown.groups, screen)),
    ("quarantine_record", |shown, screen| quarantine::draw_record(&shown.groups[0].records, screen)),
    ("release", |shown, screen| pause::draw(&shown.braked, false, screen)),
];

fn screen(columns: usize, colour: bool) -> Screen {
    Screen { columns, colour, terminal: colour }
}

/// All four pictures of a listing, with escapes that can be read.
fn pictures(draw: Draw) -> String {
    let shown = samples::shown("", "");
    let mut text = String::new();
    for (columns, colour) in [(80, false), (80, true), (200, false), (200, true)] {
        let with = if colour { "with" } else { "without" };
        let picture = draw(&shown, &screen(columns, colour)).replace('\u{1b}', "␛").replace('\u{200e}', "␎");
        text.push_str(&format!("==== {columns} columns, {with} colour\n{picture}\n\n"));
    }
    text
}

macro_rules! looks {
    ($($name:ident: $file:literal;)*) => { $(
        #[test]
        fn $name() {
            let (_, draw) = LISTINGS.into_iter().find(|(name, _)| *name == stringify!($name)).expect("it is listed");
            expect_file![$file].assert_eq(&pictures(draw));
        }
    )* };
}

looks! {
    status: "status.txt";
    status_alarm: "status_alarm.txt";
    conflicts: "conflicts.txt";
    conflicts_of_ticket: "conflicts_of_ticket.txt";
    conflict: "conflict.txt";
    explain: "explain.txt";
    explain_field: "explain_field.txt";
    quarantine: "quarantine.txt";
    quarantine_record: "quarantine_record.txt";
    release: "release.txt";
}

#[test]
fn a_run_that_was_killed_is_seen() {
    let mut view = samples::shown("", "").calm;
    view.executions[0].status = "RUNNING".to_owned();
    let drawn = |view: &StatusView| status::draw(view, &screen(200, false));
    assert!(drawn(&view).contains("RUNNING") && !drawn(&view).contains("CUT SHORT"), "somebody runs it");
    view.holder = None;
    view.run_unfinished = true;
    let text = drawn(&view);
    assert!(text.contains("CUT SHORT") && !text.contains("RUNNING"), "{text}");
    assert!(text.contains("stopped before its end; `deskup run ticket-sync` goes on"), "{text}");
    view.is_demo = true;
    assert!(drawn(&view).contains("`deskup demo` with the same options goes on"));
}

/// What is wrong with a picture: it wraps, or a character in it does something else than being seen.
fn faults(picture: &str, screen: &Screen) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut bare = picture.to_owned();
    for code in ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[31m", "\u{1b}[32m"] {
        if screen.colour {
            bare = bare.replace(code, "");
        }
    }
    for line in bare.split('\n') {
        // A path is there to be copied, so it is never cut.
        if width::of(line) > screen.columns && !line.starts_with("state        ") {
            wrong.push(format!("{} columns of {}: {line:?}", width::of(line), screen.columns));
        }
        let acts =
            |c: &char| c.is_control() || (width::is_only_form(*c) && !(screen.terminal && *c == '\u{200e}'));
        if let Some(c) = line.chars().find(acts) {
            wrong.push(format!("{c:?} in {line:?}"));
        }
    }
    wrong
}

#[test]
fn a_picture_that_wraps_or_acts_is_found() {
    let at = screen(40, false);
    assert_eq!(faults("fine\nalso", &at), Vec::<String>::new());
    assert_eq!(faults(&"x".repeat(41), &at).len(), 1);
    assert_eq!(faults(&"語".repeat(21), &at).len(), 1);
    for text in ["a\u{1b}[2Jb", "a\rb", "a\u{9b}2Jb", "a\u{202e}b", "a\u{7}b", "a\u{8}b"] {
        assert_eq!(faults(text, &at).len(), 1, "{text:?}");
    }
    assert_eq!(faults("\u{1b}[1mbold\u{1b}[0m", &at).len(), 1, "colour where none is wanted");
    assert!(faults("\u{1b}[1mbold\u{1b}[0m", &screen(40, true)).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever tickets, tasks, reasons and names say: no listing wraps, and nothing in it moves the cursor or turns
    /// the order of letters around.
    #[test]
    fn no_outside_text_moves_the_cursor_or_wraps_a_line(
        one in texts(),
        two in texts(),
        columns in 40_usize..220,
        colour in any::<bool>(),
    ) {
        let shown = samples::shown(&one, &two);
        let at = screen(columns, colour);
        for (name, draw) in LISTINGS {
            let wrong = faults(&draw(&shown, &at), &at);
            prop_assert!(wrong.is_empty(), "{name}: {wrong:?}");
        }
    }
}

/// Texts as people and attackers write them.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9 ,.-]{0,60}",
        Just("\u{1b}[2J\u{1b}[1;1Hrm -rf".to_owned()),
        Just("\u{1b}]0;title\u{7}".to_owned()),
        Just("\u{9b}31m".to_owned()),
        Just("\u{202e}txt.exe\u{202c}".to_owned()),
        Just("שלום עולם".to_owned()),
        Just("مرحبا".to_owned()),
        Just("日本語のチケット".to_owned()),
        Just("👩\u{200d}👩\u{200d}👧 👍🏽 ❤\u{fe0f}".to_owned()),
        Just("line\r\nother\tline\u{0b}\u{0c}\u{85}\u{2028}end".to_owned()),
    ];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}
